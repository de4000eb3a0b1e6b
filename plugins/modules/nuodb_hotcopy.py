#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nuodb_hotcopy
short_description: Take hot copies of NuoDB databases, and cancel them
version_added: 1.0.0
description:
  - With O(state=completed), starts a hot copy and waits for its end; its stages and messages are shown as they change.
    If the hot copy fails or is cancelled, the task fails with the server's message.
  - If a hot copy into the same directory already runs, the task waits for it instead of starting another one.
  - Otherwise each run makes a new hot copy, unless O(once) is set and a complete one is in the same directory.
options:
  db_name:
    description:
      - The database.
      - At least one of its SMs must run.
    type: str
    required: true
  type:
    description:
      - The type of the hot copy. V(full) begins a backup set, V(incremental) and V(journal) add later changes to the
        set. V(simple) makes a copy that can be used directly as an archive.
    type: str
    choices: [full, incremental, journal, simple]
    default: full
  default_backup_dir:
    description:
      - The directory of the backup set (with O(type=simple) of the copy) on the machines of all SMs that
        O(backup_dirs) doesn't name. Without it, only the archives in O(backup_dirs) are copied.
    type: str
  backup_dirs:
    description:
      - Directories of single archives, by archive ID.
    type: dict
  shared:
    description:
      - Whether O(default_backup_dir) is shared storage, the same on all machines. Each archive then gets its own
        directory in it. Not allowed with O(type=simple).
    type: bool
    default: false
  max_rate:
    description:
      - Most megabytes per second that the hot copy may read and write.
    type: int
  partial_storage_groups:
    description:
      - Also make a hot copy if the archives don't have all storage groups of the database, so the copy is incomplete.
    type: bool
    default: false
  once:
    description:
      - Whether to change nothing if the SMs remember a complete full or simple hot copy in the same directory. Use it
        with a directory for one occasion, such as one with the day in its name.
      - The hot copy must be known to have the same type and to contain all archives that would be copied. The API names
        no archives, so the SM of each archive must report the hot copy.
    type: bool
    default: false
  state:
    description:
      - V(cancelled) ends the hot copy in O(hotcopy_id), or all running hot copies of the database.
    type: str
    choices: [completed, cancelled]
    default: completed
  on_running:
    description:
      - With O(state=completed), what to do if another hot copy of the database runs, which isn't known to be the same
        in directory, type and archives.
    type: str
    choices: [refuse, wait]
    default: refuse
  hotcopy_id:
    description:
      - With O(state=cancelled), the hot copy to end.
    type: str
extends_documentation_fragment:
  - dbfleet.cluster.nuodb
  - dbfleet.cluster.wait
  - dbfleet.cluster.attributes
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Make a full hot copy, in a directory of today
  dbfleet.cluster.nuodb_hotcopy:
    db_name: test
    default_backup_dir: "/backup/test/{{ now(fmt='%Y%m%d') }}"
    max_rate: 50

- name: Add the later changes, every hour
  dbfleet.cluster.nuodb_hotcopy:
    db_name: test
    type: incremental
    default_backup_dir: "/backup/test/{{ now(fmt='%Y%m%d') }}"

- name: Cancel all hot copies of the database
  dbfleet.cluster.nuodb_hotcopy:
    db_name: test
    state: cancelled
"""

RETURN = r"""
hotcopies:
  description:
    - The hot copy, or the cancelled ones, as the server returns them. In check mode, a hot copy that would be started
      has only its end state.
  returned: success
  type: list
  elements: dict
  sample:
    - beginTimestamp: "2026-05-19 09:04:06"
      coordinatorStartId: "1"
      destinationDirectory: /backup/test/20260519/tmp/full/data
      endTimestamp: "2026-05-19 09:04:07"
      hotCopyId: e5b8b9ba-f29f-440e-8c67-1c71cef34292
      message: Hot copy successfully completed
      stage: 3
      status: completed
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
  sample: [{object: test, step: begin full hot copy, from: none, to: completed, seconds: 61.0}]
predicted:
  description: Empty, because no later task's preview depends on hot copies.
  returned: success
  type: dict
api_calls:
  description: The number of HTTP requests that the task sent to the API, including those without an answer.
  returned: always
  type: int
  sample: 17
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.task_stages import bring
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import options
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.connect import connect
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.hotcopies import (
    cancel,
    take,
    wanted as hotcopies_wanted,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec(
    {
        "db_name": {"type": "str", "required": True},
        "type": {"type": "str", "choices": ["full", "incremental", "journal", "simple"], "default": "full"},
        "default_backup_dir": {"type": "str"},
        "backup_dirs": {"type": "dict"},
        "shared": {"type": "bool", "default": False},
        "max_rate": {"type": "int"},
        "partial_storage_groups": {"type": "bool", "default": False},
        "once": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["completed", "cancelled"], "default": "completed"},
        "on_running": {"type": "str", "choices": ["refuse", "wait"], "default": "refuse"},
        "hotcopy_id": {"type": "str"},
    },
    waits=True,
)


def run(task):
    """Completes a hot copy, or cancels hot copies."""
    view = options.view_of(task, connect(task))
    return (_completed if task.params["state"] == "completed" else _cancelled)(task, view)


def _completed(task, view):
    wanted = hotcopies_wanted.wanted_of(view.name, task.params)
    work = take.TakeHotCopy(view, wanted, task.params["on_running"], task.check_mode)
    result = bring(task, view.domain, work.stages())
    if not result["changed"] and not result["joined"]:
        task.say(f"[{view.name}] hot copies: {wanted.db_name}: {work.words}")
    return _told(result, work.rows(), view)


def _cancelled(task, view):
    work = cancel.CancelHotCopies(view, task.params["db_name"], task.params["hotcopy_id"])
    result = bring(task, view.domain, work.stages())
    if result["changed"] and not task.check_mode and not task.params["wait"]:
        work.read(work.names)
    return _told(result, work.rows(task.check_mode), view)


def _told(result, rows, view):
    result.pop("states")
    return {**result, "hotcopies": rows, "predicted": {}, "api_calls": view.domain.api_calls}


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()
