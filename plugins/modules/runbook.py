#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: runbook
short_description: Run a runbook, phase by phase
version_added: 1.0.0
description:
  - The task behind the roles of the runbooks, such as C(exa_cold_start) and C(nuodb_recover). It runs on the
    controller, and calls the modules of this collection one after another. Use the roles; this module alone runs no
    hooks.
  - V(run) first checks the variables, the confirmation, the other hosts of the run and every hook, before any change.
    Then it runs the phases that the tags and C(--start-at-task) select, up to the first hook.
  - V(further) continues after hooks. It is a task of the task files that RV(gap) names.
  - V(end) prints the table of phases with their durations, the first cause and the command that resumes, and sets the
    stats of a failed run. A successful run does this without V(end).
  - V(fail) fails with the first cause. It comes after V(end), because Ansible drops the stats of a failed task.
options:
  name:
    description:
      - The runbook's name (C(exa_cold_start)).
    type: str
    required: true
  step:
    description:
      - The part of the runbook to run.
    type: str
    choices: [run, further, end, fail]
    default: run
  after:
    description:
      - With O(step=further), the position that the run must have reached before the hooks.
    type: int
  start:
    description:
      - With O(step=further), the position at which to continue.
    type: int
  until:
    description:
      - With O(step=further), the position at which to stop for later hooks in the same file. By default the next hook.
    type: int
  failed:
    description:
      - With O(step=end) and O(step=fail), the result of the failed task (C(ansible_failed_result)).
    type: dict
    default: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the predicted result without changing anything.
    support: full
  diff_mode:
    description: Returns details on what has changed (or possibly needs changing) in C(check_mode), when in diff mode.
    support: full
  action:
    description: Runs on the controller. If the connection is local, the modules that it calls also run there.
    support: full
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Run every phase up to the first hook
  dbfleet.cluster.runbook:
    name: exa_cold_start
  register: exa_cold_start_run
"""

RETURN = r"""
phases:
  description: The phases that began, with their start in seconds since 1970.
  returned: with O(step=run) and O(step=further), also after a failure
  type: list
  elements: dict
  sample: [{phase: nodes, began: 1780000000.5}]
found:
  description:
    - The result of each module of the phases, by a short name, with its C(task), C(module) and C(phase). If a phase
      fails, O(step=end) returns the results of the earlier phases.
  returned: with O(step=run) and O(step=further); after a failure, with O(step=end)
  type: dict
  sample: {nodes: {task: Every node is online, module: exa_node, phase: nodes, changed: true, steps: []}}
chosen:
  description: The selected phases of the run.
  returned: with O(step=run) and O(step=further)
  type: list
  elements: str
  sample: [power, api, nodes, storage, databases, plugins]
position:
  description: The position of the run, as a number of parts.
  returned: with O(step=run) and O(step=further)
  type: int
  sample: 12
gap:
  description: The task file with the next hooks and the tasks that follow them.
  returned: when hooks are due
  type: str
  sample: /home/dba/.ansible/tmp/ansible-local-4711/dbfleet-gap-0a1b.yml
outcome:
  description: The stats of the run.
  returned: at the end
  type: dict
  sample:
    runbook: exa_cold_start
    result: ok
    seconds: 912.4
    phases: {nodes: 610.2}
    changed: {nodes: true}
"""

from ansible.module_utils.basic import AnsibleModule

SPEC = {
    "argument_spec": {
        "name": {"type": "str", "required": True},
        "step": {"type": "str", "choices": ["run", "further", "end", "fail"], "default": "run"},
        "after": {"type": "int"},
        "start": {"type": "int"},
        "until": {"type": "int"},
        "failed": {"type": "dict", "default": {}},
    },
    "supports_check_mode": True,
}


def main():
    """The action of the same name does the work. A module alone can't do it."""
    module = AnsibleModule(**SPEC)
    module.fail_json(msg="runbook is an action: call it as dbfleet.cluster.runbook in a play [DBF-7014]")


if __name__ == "__main__":
    main()
