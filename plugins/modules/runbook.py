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
  - The task behind the roles C(exa_cold_start), C(nuodb_recover) and their like. It runs on the controller, and calls
    the modules of this collection, one after another. Use the roles; this module alone runs no hooks.
  - V(run) looks at the variables, the confirmation, the other hosts of the run and every hook before anything is done;
    then it runs the phases that the tags and C(--start-at-task) choose, up to the first hook.
  - V(further) goes on behind hooks. The task files that it returns as RV(gap) contain it.
  - V(end) prints the table of phases with their durations, the first cause and the command that resumes, and sets the
    stats of a run that failed. A run that goes well does so by itself.
  - V(fail) fails with the first cause, after V(end), for the stats of a task that failed are lost.
options:
  name:
    description:
      - The runbook's name (C(exa_cold_start)).
    type: str
    required: true
  step:
    description:
      - What to do of it.
    type: str
    choices: [run, further, end, fail]
    default: run
  after:
    description:
      - With O(step=further), how far the run must have come before the hooks.
    type: int
  start:
    description:
      - With O(step=further), where it goes on.
    type: int
  until:
    description:
      - With O(step=further), where it stops for hooks that follow in the same file; without it, at the next hook.
    type: int
  failed:
    description:
      - With O(step=end) and O(step=fail), the result of the task that failed (C(ansible_failed_result)).
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
    description: Runs on the controller. The modules that it calls run there where the connection is local.
    support: full
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Every phase up to the first hook
  dbfleet.cluster.runbook:
    name: exa_cold_start
  register: exa_cold_start_run
"""

RETURN = r"""
phases:
  description: The phases that began, and when, in seconds since 1970.
  returned: with O(step=run) and O(step=further), also when it failed
  type: list
  elements: dict
  sample: [{phase: nodes, began: 1780000000.5}]
found:
  description:
    - What each module of the phases returned, by a short name; C(task), C(module) and C(phase) tell what it was about.
      Results of phases that ended well are there also when a later one failed; then O(step=end) returns them.
  returned: with O(step=run) and O(step=further); when they failed, with O(step=end)
  type: dict
  sample: {nodes: {task: Every node is online, module: exa_node, phase: nodes, changed: true, steps: []}}
chosen:
  description: The phases that the run is about.
  returned: with O(step=run) and O(step=further)
  type: list
  elements: str
  sample: [power, api, nodes, storage, databases, plugins]
position:
  description: How far the run has come, as a number of parts.
  returned: with O(step=run) and O(step=further)
  type: int
  sample: 12
gap:
  description: The task file with the hooks that come next and with what follows them.
  returned: when hooks are due
  type: str
  sample: /home/dba/.ansible/tmp/ansible-local-4711/dbfleet-gap-0a1b.yml
outcome:
  description: What the stats say.
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
    """The action of the same name does the work; it can't be run elsewhere."""
    module = AnsibleModule(**SPEC)
    module.fail_json(msg="runbook is an action: call it as dbfleet.cluster.runbook in a play")


if __name__ == "__main__":
    main()
