#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: maintenance
short_description: What maintenance does besides the runbooks
version_added: 1.0.0
description:
  - The task behind the role C(maintenance). It runs on the controller, and looks at clusters side by side. Use the role
    and its playbook; this module alone shuts nothing down.
  - V(plan) settles the waves of a run, looks at all clusters, and refuses what stands against it (C(run_once)).
  - V(wave) lets a wave begin, or refuses it where clusters before it are sick or a gate is closed, and looks at its
    clusters (C(run_once)).
  - V(begin), V(work), V(back), V(done) and V(failed) write down how far a cluster has come, for the table at the end.
    V(back) is that all nodes or servers are in again, where they are taken one after another.
  - V(verify) looks at the clusters of the wave until each is as it was before, or the time is up (C(run_once)).
  - V(gate) takes the answer of the person who lets the next wave begin (C(run_once)).
  - V(fail) fails with the cause, after V(failed), for the stats of a task that failed are lost.
options:
  step:
    description:
      - What to do of it.
    type: str
    choices: [plan, wave, begin, work, back, verify, done, failed, fail, gate]
    required: true
  answer:
    description:
      - With O(step=gate), what was typed.
    type: str
  node:
    description:
      - With O(step=work), the node or the server that the work is about, where a cluster is maintained node by node.
    type: str
  failed:
    description:
      - With O(step=failed), the result of the task that failed (C(ansible_failed_result)).
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
    description: Runs on the controller, whatever the connection of the hosts is.
    support: full
seealso:
  - module: dbfleet.cluster.fleet_info
  - module: dbfleet.cluster.runbook
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: The waves, and how the clusters are
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
  description: How each cluster of the wave is, as M(dbfleet.cluster.fleet_info) returns it.
  returned: with O(step=wave)
  type: dict
  sample: {exa-prod: {state: up}}
gate:
  description: Whether somebody must let the next wave begin.
  returned: with O(step=wave)
  type: bool
  sample: false
question:
  description: What that person is asked.
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
  description: Whether there are any.
  returned: with O(step=begin)
  type: bool
  sample: false
rolling:
  description: Whether the cluster stays up, and its nodes or servers are taken one after another.
  returned: with O(step=begin)
  type: bool
  sample: false
tasks:
  description: The task file of the role that does it.
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
  description: What M(dbfleet.cluster.nuodb_lease) has to know of the run; nothing where no lease is taken.
  returned: with O(step=begin)
  type: dict
  sample: {run: 0242ac11-0002-4d5e-9c1f-000000000009, about: maintenance, pid: 4711, take_over: false}
lease_state:
  description: What becomes of the lease of a domain whose maintenance failed; empty where nobody can be asked.
  returned: with O(step=failed)
  type: str
  sample: kept
verdicts:
  description:
    - What is wrong with each cluster that was compared with what it was before; an empty text where nothing is.
  returned: with O(step=verify)
  type: dict
  sample: {exa-prod: ""}
end:
  description: What the stats say of the cluster.
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
    """The action of the same name does the work; it can't be run elsewhere."""
    module = AnsibleModule(**SPEC)
    module.fail_json(msg="maintenance is an action: call it as dbfleet.cluster.maintenance in a play")


if __name__ == "__main__":
    main()
