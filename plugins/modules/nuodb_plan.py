#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nuodb_plan
short_description: What a NuoDB runbook would do and refuse, and what happened to the domain
version_added: 1.0.0
description:
  - Shows all steps of a runbook and everything that it would refuse, from one result of
    M(dbfleet.cluster.nuodb_domain_info) and without a call.
  - For the runbook V(recover), it shows for each database which processes died, when, why and with which consequence,
    and which databases will be brought back.
options:
  domain:
    description:
      - The domain, as M(dbfleet.cluster.nuodb_domain_info) returns it with the tombstones of all incarnations. For the
        runbook V(cold_start), the tombstones aren't needed if O(databases) gives the TEs of each database.
    type: dict
    required: true
  runbook:
    description:
      - The runbook.
    type: str
    choices: [cold_start, graceful_shutdown, recover]
    required: true
  refuse:
    description:
      - Whether to fail if the runbook would refuse something.
    type: bool
    default: false
  databases:
    description:
      - As O(dbfleet.cluster.nuodb_database#module:databases).
    type: list
    elements: raw
    default: [all]
  ignore_archives:
    description:
      - As O(dbfleet.cluster.nuodb_database#module:ignore_archives).
    type: list
    elements: int
    default: []
  require:
    description:
      - As O(dbfleet.cluster.nuodb_server#module:require).
    type: str
    choices: [all, quorum]
    default: all
  on_hotcopy:
    description:
      - As O(dbfleet.cluster.nuodb_database#module:on_hotcopy).
    type: str
    choices: [refuse, wait, cancel, ignore]
    default: refuse
  require_graceful:
    description:
      - As O(dbfleet.cluster.nuodb_database#module:require_graceful).
    type: bool
    default: true
  stop_servers:
    description:
      - For the runbook V(graceful_shutdown), whether the APs are also shut down.
    type: bool
    default: false
  stop_tes:
    description:
      - As O(dbfleet.cluster.nuodb_database#module:stop_tes).
    type: bool
    default: false
  off_for:
    description:
      - How long the domain will be off after V(graceful_shutdown), counted from now, as V(3d), V(1h30m) or seconds.
        Everything that expires in that time gets a line and a warning. It needs O(runout).
    type: float
  runout:
    description:
      - The C(runout) that M(dbfleet.cluster.nuodb_domain_info) returned.
    type: dict
  on_runout:
    description:
      - What to do about a license that ends within O(off_for). V(refuse) refuses the shutdown, because the databases
        may not start again; V(warn) only warns.
    type: str
    choices: [refuse, warn]
    default: refuse
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the predicted result without changing anything.
    support: full
    details: It only shows.
  diff_mode:
    description: Returns details on what has changed (or possibly needs changing) in C(check_mode), when in diff mode.
    support: N/A
    details: It changes nothing.
  action:
    description: Runs in the controller's process when the connection is local, and shows its progress while it runs.
    support: full
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Read the domain
  dbfleet.cluster.nuodb_domain_info:
    incarnations: all
  register: nuodb

- name: Show what happened, and what the recovery would do
  dbfleet.cluster.nuodb_plan:
    domain: "{{ nuodb.domain }}"
    runbook: recover
"""

RETURN = r"""
steps:
  description: The steps that the runbook would make, in order. Each names its C(part) of the runbook.
  returned: success
  type: list
  elements: dict
  sample: [{part: databases, object: "test:archive1@server1", step: start SM, from: not running, to: running}]
refusals:
  description: The refusals of the runbook, with their reasons.
  returned: always
  type: list
  elements: dict
  sample: [{part: databases, why: "nuo-prod: test: hot copy 17 is running", hint: wait for its end}]
findings:
  description: For V(recover), what happened to each database, in words, and whether it will be brought back.
  returned: success
  type: list
  elements: dict
  sample:
    - db_name: test
      kind: lost_redundancy
      text: "test runs on 1 of 2 archives, its redundancy is lost: archive 1 (server1:/var/opt/nuodb/archive/test): ..."
      brings_back: true
databases:
  description: The databases that the runbook acts on.
  returned: success
  type: list
  elements: str
  sample: [test]
runs_out:
  description:
    - Everything that expires within O(off_for), and everything that could not be read (C(unread)), each with a sentence
      in C(text). C(kind) is C(license), C(certificate) or C(unread).
  returned: when O(off_for) is given
  type: list
  elements: dict
  sample:
    - kind: license
      object: license
      at: "2026-12-05T15:33:40.465134"
      text: the license expires (2026-12-05T15:33:40.465134), and without a license the databases may not start again
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils import _runout
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import runbooks
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.databases import shutdown
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = {
    "argument_spec": {
        "domain": {"type": "dict", "required": True},
        "runbook": {
            "type": "str",
            "choices": [runbooks.COLD_START, runbooks.GRACEFUL_SHUTDOWN, runbooks.RECOVER],
            "required": True,
        },
        "refuse": {"type": "bool", "default": False},
        "databases": {"type": "list", "elements": "raw", "default": ["all"]},
        "ignore_archives": {"type": "list", "elements": "int", "default": []},
        "require": {"type": "str", "choices": ["all", "quorum"], "default": "all"},
        "on_hotcopy": {"type": "str", "choices": list(shutdown.ON_HOTCOPY), "default": "refuse"},
        "require_graceful": {"type": "bool", "default": True},
        "stop_servers": {"type": "bool", "default": False},
        "stop_tes": {"type": "bool", "default": False},
        "off_for": {"type": "float"},
        "runout": {"type": "dict"},
        "on_runout": {"type": "str", "choices": list(_runout.ON_RUNOUT), "default": _runout.REFUSE},
    },
    "supports_check_mode": True,
}


def run(task):
    """Returns the steps, refusals and findings of a runbook."""
    given = task.params
    preview = runbooks.DomainPreview(task, given["domain"])
    choice = runbooks.RunbookChoice(
        given["databases"],
        tuple(given["ignore_archives"]),
        given["require"],
        given["on_hotcopy"],
        given["require_graceful"],
        given["stop_servers"],
        given["stop_tes"],
    )
    preview.say(f"[{preview.name}] plan of {given['runbook'].replace('_', ' ')}:")
    more = {"runs_out": runbooks.plan_off_time(preview, given)} if given["off_for"] else {}
    runbooks.plan(preview, given["runbook"], choice)
    findings = [finding.as_dict() for finding in preview.findings]
    return {**more, **preview.told(given["refuse"]), "findings": findings, "databases": preview.databases}


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()
