#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: maintenance
short_description: Plan, start and verify the waves of a maintenance
version_added: 1.0.0
description:
  - The task behind the role C(maintenance). It runs on the controller, and reads clusters side by side. Use the role
    and its playbook; this module alone shuts nothing down.
  - V(plan) computes the waves of a run, reads all clusters, and refuses the run if something prevents it (C(run_once)).
  - V(wave) starts a wave and reads its clusters (C(run_once)). It refuses the wave if too many earlier clusters are
    sick or a gate is closed.
  - V(begin), V(work), V(back), V(done) and V(failed) record the progress of a cluster, for the table at the end.
    V(back) means that all nodes or servers are in again, if they are taken out one after another.
  - V(verify) polls the clusters of the wave until each is as it was before, or until the time-out (C(run_once)).
  - V(gate) takes the answer of the person who approves the next wave (C(run_once)).
  - V(fail) fails with the cause. It comes after V(failed), because Ansible drops the stats of a failed task.
options:
  step:
    description:
      - The part of the maintenance to run.
    type: str
    choices: [plan, wave, begin, work, back, verify, done, failed, fail, gate]
    required: true
  answer:
    description:
      - With O(step=gate), the typed answer.
    type: str
  node:
    description:
      - With O(step=work), the node or the server to work on, if a cluster is maintained node by node.
    type: str
  failed:
    description:
      - With O(step=failed), the result of the failed task (C(ansible_failed_result)).
    type: dict
    default: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the predicted result without changing anything.
    support: full
  diff_mode:
    description: Returns details on what has changed (or possibly needs changing) in C(check_mode), when in diff mode.
    support: none
  action:
    description: Runs on the controller with any connection of the hosts.
    support: full
seealso:
  - module: dbfleet.cluster.fleet_info
  - module: dbfleet.cluster.runbook
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Show the waves and the states of the clusters
  dbfleet.cluster.maintenance:
    step: plan
  run_once: true
"""

RETURN = r"""
waves:
  description: The clusters of each wave.
  returned: with O(step=plan)
  type: list
  elements: list
  sample: [[exa-test], [exa-prod, nuo-prod]]
number:
  description: The number of the wave.
  returned: with O(step=wave)
  type: int
  sample: 2
before:
  description: The state of each cluster of the wave, as M(dbfleet.cluster.fleet_info) returns it.
  returned: with O(step=wave)
  type: dict
  sample: {exa-prod: {state: up}}
gate:
  description: Whether somebody must approve the next wave.
  returned: with O(step=wave)
  type: bool
  sample: false
question:
  description: The question to that person.
  returned: with O(step=wave)
  type: str
product:
  description: The prefix of the cluster's product.
  returned: with O(step=begin)
  type: str
  sample: exa
backup:
  description: Options of a backup before the shutdown.
  returned: with O(step=begin)
  type: dict
  sample: {}
has_backup:
  description: Whether RV(backup) has any options.
  returned: with O(step=begin)
  type: bool
  sample: false
rolling:
  description: Whether the cluster stays up and its nodes or servers are taken out one after another.
  returned: with O(step=begin)
  type: bool
  sample: false
tasks:
  description: The task file of the role for this kind of maintenance.
  returned: with O(step=begin)
  type: str
  sample: down_work_up
files:
  description: The user's task files.
  returned: with O(step=begin)
  type: list
  elements: str
  sample: [/etc/dbfleet/firmware.yml]
lease_options:
  description: The options of M(dbfleet.cluster.nuodb_lease) for the run; empty if no lease is taken.
  returned: with O(step=begin)
  type: dict
  sample: {run: 0242ac11-0002-4d5e-9c1f-000000000009, about: maintenance, pid: 4711, take_over: false}
lease_state:
  description: The O(dbfleet.cluster.nuodb_lease#module:state) that the lease gets; empty to leave it unchanged.
  returned: with O(step=failed)
  type: str
  sample: kept
verdicts:
  description:
    - The difference of each cluster from its state before; an empty text if there is none.
  returned: with O(step=verify)
  type: dict
  sample: {exa-prod: ""}
end:
  description: The stats of the cluster.
  returned: with O(step=done) and O(step=failed)
  type: dict
  sample: {result: done, phase: verify, seconds: 312.5, state: up}
"""

from ansible.module_utils.basic import AnsibleModule

SPEC = {
    "argument_spec": {
        "step": {
            "type": "str",
            "choices": ["plan", "wave", "begin", "work", "back", "verify", "done", "failed", "fail", "gate"],
            "required": True,
        },
        "answer": {"type": "str"},
        "node": {"type": "str"},
        "failed": {"type": "dict", "default": {}},
    },
    "supports_check_mode": True,
}


def main():
    """The action of the same name does the work. A module alone can't do it."""
    module = AnsibleModule(**SPEC)
    module.fail_json(msg="maintenance is an action: call it as dbfleet.cluster.maintenance in a play [DBF-7014]")


if __name__ == "__main__":
    main()
