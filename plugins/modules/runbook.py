#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: runbook
short_description: Begin, narrate and end a runbook
version_added: 0.1.0
description:
  - The frame of every runbook of this collection. It runs on the controller and calls no API.
  - V(begin) checks the confirmation by name, refuses hosts that share an API endpoint, and warns of too few forks.
  - V(twins) refuses hosts that turn out to be one cluster, once their reports are there.
  - V(phase) says that a phase begins, and returns when.
  - V(end) prints the table of phases with their durations and sets the stats. If the runbook failed, it also prints the
    first cause and the command that resumes.
  - V(fail) fails with the first cause, after V(end), for the stats of a task that failed are lost.
options:
  step:
    description:
      - Which part of the frame.
    type: str
    choices: [begin, twins, phase, end, fail]
    required: true
  name:
    description:
      - The runbook's name (C(exa_cold_start)).
    type: str
    required: true
  phase:
    description:
      - With O(step=phase), the phase's name, which is its tag.
    type: str
  number:
    description:
      - With O(step=phase), its number.
    type: int
  count:
    description:
      - With O(step=phase), how many phases there are.
    type: int
  text:
    description:
      - With O(step=phase), what happens in it, in a few words.
    type: str
  confirm:
    description:
      - With O(step=begin), the hosts that the user confirmed to take something down on. They must be all hosts of the
        play.
    type: raw
  must_confirm:
    description:
      - With O(step=begin), whether the runbook takes something down.
    type: bool
    default: false
  prefix:
    description:
      - With O(step=begin), the prefix of the variables that hold the connection.
    type: str
    choices: [exa, nuodb]
    default: exa
  report:
    description:
      - With O(step=twins), the name of the variable in which each host has registered what
        M(dbfleet.cluster.exa_cluster_info) returned.
    type: str
  phases:
    description:
      - With O(step=end), what the O(step=phase) tasks returned, in order; undefined and skipped ones are left out.
    type: list
    elements: raw
    default: []
  failed:
    description:
      - With O(step=end) and O(step=fail), the result of the task that failed (C(ansible_failed_result)).
    type: dict
  resume:
    description:
      - With O(step=end), variables (C(name=value)) that the command that resumes needs besides the target.
    type: list
    elements: str
    default: []
  stats:
    description:
      - With O(step=end), what the play's stats say of this host besides the outcome.
    type: dict
    default: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the predicted result without changing anything.
    support: full
  diff_mode:
    description: Returns details on what has changed, when in diff mode.
    support: N/A
  action:
    description: Runs on the controller.
    support: full
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Nobody shuts down what they didn't name
  dbfleet.cluster.runbook:
    step: begin
    name: exa_graceful_shutdown
    must_confirm: true
    confirm: "{{ confirm | default([]) }}"
"""

RETURN = r"""
phase:
  description: The phase.
  returned: with O(step=phase)
  type: str
  sample: nodes
began:
  description: When it began, in seconds since 1970.
  returned: with O(step=phase)
  type: float
  sample: 1780000000.5
outcome:
  description: What the stats say.
  returned: with O(step=end)
  type: dict
  sample: {runbook: exa_cold_start, result: ok, seconds: 912.4, phases: {nodes: 610.2}}
"""

from ansible.module_utils.basic import AnsibleModule

SPEC = {
    "argument_spec": {
        "step": {"type": "str", "choices": ["begin", "twins", "phase", "end", "fail"], "required": True},
        "name": {"type": "str", "required": True},
        "phase": {"type": "str"},
        "number": {"type": "int"},
        "count": {"type": "int"},
        "text": {"type": "str"},
        "confirm": {"type": "raw"},
        "must_confirm": {"type": "bool", "default": False},
        "prefix": {"type": "str", "choices": ["exa", "nuodb"], "default": "exa"},
        "report": {"type": "str"},
        "phases": {"type": "list", "elements": "raw", "default": []},
        "failed": {"type": "dict"},
        "resume": {"type": "list", "elements": "str", "default": []},
        "stats": {"type": "dict", "default": {}},
    },
    "supports_check_mode": True,
}


def main():
    """The action of the same name does the work; it can't be run elsewhere."""
    module = AnsibleModule(**SPEC)
    module.fail_json(msg="runbook is an action: call it as dbfleet.cluster.runbook in a play")


if __name__ == "__main__":
    main()
