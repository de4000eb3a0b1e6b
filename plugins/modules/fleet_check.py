#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_check
short_description: Check side by side, in one process, whether all clusters of a play can be used
version_added: 1.0.0
description:
  - The task behind the playbook C(check). For each host of the play it does the work of the role C(check). It tries
    each URL, shows the certificate and the rights of the user, and shows what each runbook would do and refuse. It
    changes nothing.
  - It runs on the controller, once for all hosts (C(run_once)). Without C(run_once), or with a strategy that does not
    support it (C(free), C(host_pinned)), it checks only the host of the task.
  - The lines of a cluster are shown together, when its check is complete. A slow cluster doesn't delay the others.
  - It is a task of the role C(check), in C(tasks_from=look), and reads the variables of this role.
options:
  details:
    description:
      - Whether the result contains the results of all modules of the check. With C(-v) it always does.
    type: bool
    default: false
  side_by_side:
    description:
      - Clusters checked at the same time. A cluster that takes longer than 5 seconds frees its place for another.
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
    - Each cluster by its name. C(problems) lists the problems of its connection, C(summary) is the cluster in one line,
      C(fails) is whether a run fails for it, and C(problem) is the reason. C(failure), C(message_number),
      C(failed_object) and C(last_state) come from the failed module.
    - With O(details), C(found) contains the result of each module of the check, by a short name.
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
  description: The clusters that fail, sorted by name.
  returned: success
  type: list
  elements: str
  sample: [exa-test]
elsewhere:
  description:
    - Hosts that were not checked, because their modules don't run in this process - with a connection that is not
      C(local), with C(become), or with a different C(environment). Each needs a separate task.
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
    """The action of the same name does the work. A module alone can't do it."""
    module = AnsibleModule(**SPEC)
    module.fail_json(msg="fleet_check is an action: call it as dbfleet.cluster.fleet_check in a play [DBF-7014]")


if __name__ == "__main__":
    main()
