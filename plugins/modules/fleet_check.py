#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_check
short_description: Whether all clusters of a play can be used, looked at side by side in one process
version_added: 1.0.0
description:
  - The task behind the playbook C(check). For each host of the play it does what the role C(check) does - it tries each
    URL, shows the certificate and what the user may do, and tells what each runbook would do and refuse. It changes
    nothing.
  - It runs on the controller, once for all hosts (C(run_once)). Without that, or under a strategy that does not know it
    (C(free), C(host_pinned)), it is about the host of the task alone.
  - What is said of a cluster is shown together, when all of it is known. A slow cluster holds up no other.
  - It is a task of the role C(check), as C(tasks_from=look), whose variables it reads.
options:
  details:
    description:
      - Whether the result has what each module found out. It has it with C(-v) too.
    type: bool
    default: false
  side_by_side:
    description:
      - Clusters that are looked at at a time. One that takes longer than 5 seconds no longer counts.
    type: int
    default: 16
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the predicted result without changing anything.
    support: full
  diff_mode:
    description: Returns details on what has changed (or possibly needs changing) in C(check_mode), when in diff mode.
    support: none
    details: Nothing of a cluster is changed.
  action:
    description: Runs on the controller.
    support: full
author:
  - dbfleet contributors (@dbfleet)
seealso:
  - module: dbfleet.cluster.fleet_info
"""

EXAMPLES = r"""
- name: Check all clusters of the play
  ansible.builtin.import_role:
    name: dbfleet.cluster.check
    tasks_from: look
    rolespec_validate: false
  vars:
    check_at_once: true
"""

RETURN = r"""
fleet:
  description:
    - Each cluster by its name. C(problems) are those of its connection, C(summary) is the cluster in one line, C(fails)
      is whether a run fails for it, and C(problem) says why. C(failure), C(failed_object) and C(last_state) are as of
      the module that failed.
    - With O(details), C(found) has what each module of the check returned, by a short name.
  returned: success
  type: dict
  sample:
    exa-prod:
      product: exasol
      fails: false
      problem: ""
      problems: []
      summary: "exa-prod: nodes 5/5 online; services OK; databases 3/3 connectable; EAO 6.2.1 on n0010"
      seconds: 0.61
failing:
  description: The clusters that fail, in order of their names.
  returned: success
  type: list
  elements: str
  sample: [exa-test]
elsewhere:
  description:
    - Hosts that were not looked at, since their modules run anywhere but in this process - by a connection that is not
      C(local), with C(become), or in an environment of their own. Each needs a task of its own.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule

SPEC = {
    "argument_spec": {
        "details": {"type": "bool", "default": False},
        "side_by_side": {"type": "int", "default": 16},
    },
    "supports_check_mode": True,
}


def main():
    """The action of the same name does the work; it can't be run elsewhere."""
    module = AnsibleModule(**SPEC)
    module.fail_json(msg="fleet_check is an action: call it as dbfleet.cluster.fleet_check in a play")


if __name__ == "__main__":
    main()
