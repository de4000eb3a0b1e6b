#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: runs_info
short_description: Records of earlier runs of the runbooks, as a list or one in full
version_added: 1.0.0
description:
  - Reads the records that runbooks write into the folder C(exa_report_path) or C(nuodb_report_path), and shows them,
    newest first.
  - It runs on the controller, only reads files, and needs no cluster.
options:
  path:
    description:
      - The folder of the records.
    type: path
    required: true
  clusters:
    description:
      - Only runs of these clusters, by the names of their inventory hosts.
    type: list
    elements: str
  runbooks:
    description:
      - Only runs of these runbooks.
    type: list
    elements: str
  results:
    description:
      - Only runs with these results. A run that is under way, was stopped or was killed is V(not ended).
    type: list
    elements: str
    choices: [ok, failed, not ended]
  limit:
    description:
      - Most runs in the list. At most the newest 2000 records are read.
    type: int
    default: 20
  show:
    description:
      - A run to show in full, by the name of its record or page, or V(last) for the newest that matches the other
        options.
    type: str
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
- name: List the last runs that did not succeed
  dbfleet.cluster.runs_info:
    path: /var/lib/dbfleet/reports
    results: [failed, not ended]

- name: Show the newest cold start of a cluster in full
  dbfleet.cluster.runs_info:
    path: /var/lib/dbfleet/reports
    clusters: [exa-prod]
    runbooks: [exa_cold_start]
    show: last
"""

RETURN = r"""
runs:
  description: The runs, newest first.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 20261129T194003.651Z-exa_cold_start-exa-prod
      cluster: exa-prod
      runbook: exa_cold_start
      check: false
      result: failed
      began: "2026-11-29T19:40:03Z"
      ended: "2026-11-29T20:25:04Z"
      seconds: 2701.2
      phase: nodes
      by: {user: alice, host: ctl1, job: ""}
      cause: "exa-prod: nodes: not online after 2700 s: n0013 is booting"
more:
  description: The number of older records that were not read because of O(limit).
  returned: success
  type: int
  sample: 0
run:
  description: With O(show), the whole record.
  returned: with O(show)
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

SPEC = {
    "argument_spec": {
        "path": {"type": "path", "required": True},
        "clusters": {"type": "list", "elements": "str"},
        "runbooks": {"type": "list", "elements": "str"},
        "results": {"type": "list", "elements": "str", "choices": ["ok", "failed", "not ended"]},
        "limit": {"type": "int", "default": 20},
        "show": {"type": "str"},
    },
    "supports_check_mode": True,
}


def main():
    """The action of the same name does the work. A module alone can't do it."""
    module = AnsibleModule(**SPEC)
    module.fail_json(msg="runs_info is an action: call it as dbfleet.cluster.runs_info in a play [DBF-7014]")


if __name__ == "__main__":
    main()
