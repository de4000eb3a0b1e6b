#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nuodb_storage_group
short_description: Put a storage group of a NuoDB database on archives, or take it off them
version_added: 1.0.0
description:
  - With O(state=present), adds the storage group to the named archives. A group that doesn't exist yet is created. The
    SM of each archive adds the group, so it must run.
  - With O(state=absent), removes the storage group from the named archives, or deletes it if none is named. If a
    removal is already under way, the task waits for it. The SM of each archive removes the group, so it must run. If
    other archives keep the group, at least one of their SMs must run, so that the remaining data is up to date.
options:
  db_name:
    description:
      - The database.
    type: str
    required: true
  sg_name:
    description:
      - The storage group. Its name is always stored in upper case.
    type: str
    required: true
  archive_ids:
    description:
      - The archives. With O(state=present), name at least one; with O(state=absent), an empty list means all of them.
    type: list
    elements: int
    default: []
  state:
    description:
      - The state that the storage group should have.
    type: str
    choices: [present, absent]
    default: present
  confirm:
    description:
      - With O(state=absent), the name of the storage group again. It is required if its data is lost, because the group
        is deleted or removed from all of its archives.
    type: str
extends_documentation_fragment:
  - dbfleet.cluster.nuodb
  - dbfleet.cluster.wait
  - dbfleet.cluster.attributes
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Add a storage group to two archives
  dbfleet.cluster.nuodb_storage_group:
    db_name: test
    sg_name: SGEAST
    archive_ids: [0, 1]

- name: Remove it from one of them
  dbfleet.cluster.nuodb_storage_group:
    db_name: test
    sg_name: SGEAST
    archive_ids: [1]
    state: absent

- name: Delete it with its data
  dbfleet.cluster.nuodb_storage_group:
    db_name: test
    sg_name: SGEAST
    state: absent
    confirm: SGEAST
"""

RETURN = r"""
storage_groups:
  description: The storage group by its name; empty if it is deleted.
  returned: success
  type: dict
  sample:
    SGEAST: {sg_id: 10, sg_name: SGEAST, db_name: test, state: Available, archive_states: {"0": ADDED, "1": ADDED},
             process_states: {"0": RUNNING, "1": RUNNING}, leader_candidates: ["0", "1"]}
joined:
  description:
    - Whether an operation was already under way when the task began. The task waits for it as if it had started it
      itself. V(false) in check mode.
  returned: success
  type: bool
steps:
  description:
    - The steps that the task made, or would make in check mode. Each step has its C(object), its name in C(step), the
      state C(from) which it starts, and the state C(to) which it leads. C(seconds) is its duration, V(0) if that isn't
      known.
    - A step that the server refused, or that was never sent, has C(refused) and is no change.
  returned: always
  type: list
  elements: dict
  sample: [{object: SGEAST on archive 1, step: add storage group, from: absent, to: present, seconds: 1.2}]
predicted:
  description: Empty, because no later task's preview depends on storage groups.
  returned: success
  type: dict
api_calls:
  description: The number of HTTP requests that the task sent to the API, including those without an answer.
  returned: always
  type: int
  sample: 8
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.task_stages import bring
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import options, storage_groups
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.connect import connect
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec(
    {
        "db_name": {"type": "str", "required": True},
        "sg_name": {"type": "str", "required": True},
        "archive_ids": {"type": "list", "elements": "int", "default": []},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "confirm": {"type": "str"},
    },
    waits=True,
)


def run(task):
    """Brings a storage group to the wanted state."""
    given, view = task.params, options.view_of(task, connect(task))
    work = storage_groups.StorageGroups(view, storage_groups.wanted_of(view.name, given), task.check_mode)
    result = bring(task, view.domain, work.stages())
    states = result.pop("states")
    if result["changed"] and not task.check_mode and not given["wait"]:
        work.read(list(states))
    groups = work.predicted() if task.check_mode else work.result()
    return {**result, "storage_groups": groups, "predicted": {}, "api_calls": view.domain.api_calls}


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()
