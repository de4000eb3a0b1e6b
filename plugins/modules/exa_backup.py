#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exa_backup
short_description: Take, keep, delete and restore backups of Exasol databases
version_added: 1.0.0
description:
  - Takes backups and waits for them with their progress, changes when they expire, deletes them, aborts one that runs,
    and restores databases. Several databases are served side by side.
  - Every result lists the backups of the databases.
  - With O(state=present), a backup is taken each time, unless O(max_age) or O(once) says which one is enough. A backup
    of the same level and volume that runs already, of a killed run or somebody else's, is joined. Where the server
    doesn't tell level and volume of what runs (version 6.2), it is waited for, and counts if it was the right one.
  - With O(state=present) and O(backup_ids), none is taken; these backups get another expiry, and a second run changes
    nothing.
  - A restore leaves nothing behind by which it could be known later, so with O(state=restored) a database is restored
    each time. It is refused while the database is up, so a second run fails instead of restoring again. A restore that
    is under way is joined.
options:
  databases:
    description:
      - The databases by name, or V(all).
    type: list
    elements: str
    required: true
    aliases: [db_name]
  state:
    description:
      - V(present) takes backups, or changes when those in O(backup_ids) expire.
      - V(absent) deletes those in O(backup_ids), or all that fit O(older_than), O(level), O(volume) and O(expired).
        Those that aren't there are no error.
      - V(restored) restores stopped databases and waits until they accept connections.
      - V(aborted) aborts a backup that runs.
      - V(pruned) deletes the backups that can't be used. Refused while a volume on which they lie can't be reached.
      - V(listed) changes nothing.
    type: str
    choices: [present, absent, restored, aborted, pruned, listed]
    default: present
  volume:
    description:
      - The archive volume by name or ID, local or remote. Needed to take a backup. A remote one must be online on every
        node.
      - With O(state=absent), or with O(state=restored) and O(backup_ids=latest), only backups there are meant. Refused
        then where it is the name of one volume and the number of another.
    type: str
  level:
    description:
      - V(0) is a full backup, V(1) to V(9) hold what changed since one of a lower level on the same volume, which must
        be there and usable. V(0) where nothing is said and a backup is taken.
      - With O(state=absent), or with O(state=restored) and O(backup_ids=latest), only backups of this level are meant.
    type: int
  expire:
    description:
      - How long the backup is kept. A duration from when it was taken, such as V(1w 3d) (w, d, h, s), a time
        such as V(2026-12-24 18:00:00), seconds since 1970, or V(never).
      - A time without an offset is the cluster's own. Where a form must be turned into another that the server takes,
        and that can't be done for sure, nothing is changed; O(time_zone) makes more possible.
      - Once it is taken, what the server made of it is compared with what was wanted, and put right or failed. So
        O(wait=false) takes only V(never) and durations in weeks and days, which are documented.
      - One from before that is enough (O(max_age), O(once)) keeps its own; a warning tells where that is another.
    type: str
  backup_ids:
    description:
      - Backups by their C(id), or by their number (C(bid)) where just one has it. An empty list is refused.
      - With O(state=restored), the one to restore from, or V(latest), the newest usable one of each database.
    type: list
    elements: str
    aliases: [backup_id]
  max_age:
    description:
      - With O(state=present), a usable backup on O(volume), of O(level) or a lower one, that isn't older than this
        (V(24h), V(1w)) is enough. Needs O(time_zone), for servers tell times without an offset.
    type: str
  once:
    description:
      - With O(state=present), such a backup of any age is enough.
    type: bool
    default: false
  older_than:
    description:
      - With O(state=absent), those that were taken longer ago (V(30d)). Needs O(time_zone).
    type: str
  expired:
    description:
      - With O(state=absent), only those that have expired.
    type: bool
    default: false
  delete_dependents:
    description:
      - With O(state=absent), also delete what builds on the chosen ones. Otherwise that refuses the deletion.
    type: bool
    default: false
  restore_type:
    description:
      - V(blocking) brings the database up when all is restored, V(nonblocking) sooner, and restores the rest
        behind it. V(virtual_access) (or V(virtual access)) reads from the backup, which must stay where it is.
      - From a remote archive volume only V(blocking) is possible with ConfD; the others are refused. With EXAoperation
        the server decides.
      - For V(virtual_access) a backup, and those that it builds on, may not expire. What they have is taken away
        before, and given back when the database is up, or the restore has failed. A line says what it was, for the
        case that the run is killed. A backup that expires then may be deleted under the database that reads from it.
    type: str
    choices: [blocking, nonblocking, virtual_access, virtual access]
    default: blocking
  wait_for:
    description:
      - With O(restore_type=nonblocking), whether to wait until everything is V(restored), or until the database is
        V(connectable).
    type: str
    choices: [restored, connectable]
    default: restored
  foreign:
    description:
      - With O(state=restored) and O(state=listed), also list the backups of other databases, so that one of them can be
        restored by its ID.
      - ConfD 6.2 can't tell of them.
    type: bool
    default: false
  confirm:
    description:
      - What O(state=absent) and O(state=restored) destroy must be confirmed by the names of all O(databases). Not asked
        for under check mode, nor where nothing is to be done.
    type: list
    elements: str
  on_operation:
    description:
      - What to do about another operation of the database (a restore, another backup). V(refuse) changes nothing,
        V(wait) waits for its end.
    type: str
    choices: [refuse, wait]
    default: refuse
extends_documentation_fragment:
  - dbfleet.cluster.exasol
  - dbfleet.cluster.wait
  - dbfleet.cluster.attributes
seealso:
  - module: dbfleet.cluster.exa_backup_schedule
  - module: dbfleet.cluster.exa_remote_volume
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: A full backup of two databases, kept for ten days
  dbfleet.cluster.exa_backup:
    databases: [DB1, DB2]
    volume: RemoteVolume1
    level: 0
    expire: 1w 3d
    wait_timeout: 14400

- name: One that isn't older than a day is there before the upgrade
  dbfleet.cluster.exa_backup:
    databases: [all]
    volume: RemoteVolume1
    max_age: 24h
    time_zone: Europe/Berlin
  register: backup

- name: It is kept until the end of the year
  dbfleet.cluster.exa_backup:
    db_name: DB1
    backup_id: "{{ backup.selected.DB1[0].id }}"
    expire: "2026-12-31 23:59:00"

- name: What is older than 90 days goes, with all that builds on it
  dbfleet.cluster.exa_backup:
    db_name: DB1
    state: absent
    older_than: 90d
    delete_dependents: true
    time_zone: Europe/Berlin
    confirm: DB1

- name: DB1 as it was in its newest backup
  dbfleet.cluster.exa_backup:
    db_name: DB1
    state: restored
    backup_id: latest
    restore_type: nonblocking
    confirm: DB1

- name: No backup may run any more
  dbfleet.cluster.exa_backup:
    databases: [all]
    state: aborted
"""

RETURN = r"""
backups:
  description: All backups of the databases at the end, oldest first. Under check mode, as they are.
  returned: success
  type: dict
  sample: &backups
    DB1:
      - bid: 11
        comment: ""
        db_name: DB1
        dependencies: []
        expire: "2026-12-31 23:59"
        expired: false
        id: 10001 DB1/id_11/level_0/node_0/backup_202611210405 DB1
        level: 0
        timestamp: "2026-11-21 04:05"
        usable: true
        usage: 0.001 GiB
        volume: RemoteVolume1
        volume_id: 10001
selected:
  description:
    - The backups that the task was about, by database. Those that were taken, or were enough, changed, deleted, or
      restored from. Empty where a backup was only begun, or would be.
  returned: success
  type: dict
  sample: *backups
databases:
  description: The databases at the end, by name. In check mode, as predicted.
  returned: with O(state=restored)
  type: dict
  sample:
    DB1: {state: running, connectible: "Yes", operation: "None", connection_string: "10.50.1.11..14:8563"}
predicted:
  description:
    - The databases after this task (in check mode, as predicted), for O(assume) of later tasks.
    - Empty unless O(state=restored).
  returned: success
  type: dict
  sample: {databases: {DB1: {state: running, connectible: "Yes", operation: "None", connection_string: ""}}}
joined:
  description:
    - Whether an operation was already under way when the task began. The task waits for it as if it had started it
      itself. V(false) in check mode.
  returned: success
  type: bool
  sample: false
steps:
  description:
    - The steps that the task made, or would make in check mode. Each step has its C(object), its name in C(step), the
      state C(from) which it starts, and the state C(to) which it leads. C(seconds) is its duration, V(0) if that isn't
      known.
    - A step that the server refused, or that was never sent, has C(refused) and is no change.
    - C(step) is the name of the server's call or job.
  returned: success
  type: list
  elements: dict
  sample: [{object: DB1, step: db_backup_start, from: idle, to: taken, seconds: 95.1}]
api_calls:
  description: The number of HTTP requests that the task sent to the API, including those without an answer.
  returned: always
  type: int
  sample: 19
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.task_stages import bring
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import options
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups import options as backup_options
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.connect import connect
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module
from ansible_collections.dbfleet.cluster.plugins.module_utils._wording import joined

SPEC = options.spec(
    {
        "databases": {"type": "list", "elements": "str", "required": True, "aliases": ["db_name"]},
        "state": {
            "type": "str",
            "choices": ["present", "absent", "restored", "aborted", "pruned", "listed"],
            "default": "present",
        },
        "volume": {"type": "str"},
        "level": {"type": "int"},
        "expire": {"type": "str"},
        "backup_ids": {"type": "list", "elements": "str", "aliases": ["backup_id"]},
        "max_age": {"type": "str"},
        "once": {"type": "bool", "default": False},
        "older_than": {"type": "str"},
        "expired": {"type": "bool", "default": False},
        "delete_dependents": {"type": "bool", "default": False},
        "restore_type": {
            "type": "str",
            "choices": ["blocking", "nonblocking", "virtual_access", "virtual access"],
            "default": "blocking",
        },
        "wait_for": {"type": "str", "choices": ["restored", "connectable"], "default": "restored"},
        "foreign": {"type": "bool", "default": False},
        "confirm": {"type": "list", "elements": "str"},
        "on_operation": {"type": "str", "choices": ["refuse", "wait"], "default": "refuse"},
    },
    waits=True,
    required_if=[("state", "restored", ["backup_ids"])],
    mutually_exclusive=[["backup_ids", "older_than"], ["max_age", "backup_ids"]],
)


def run(task):
    """Backups as they should be."""
    cluster = connect(task)
    view = options.view_of(task, cluster)
    work = backup_options.work_of(task, view, cluster)
    try:
        result = bring(task, cluster, work.stages)
    except ClusterError as error:
        error.result.setdefault("steps", [])
        try:
            error.result["steps"] = [*error.result["steps"], *work.give_back()]
        except ClusterError as second:
            error.message, error.hint = f"{error.message}; {second.message}", joined([error.hint, second.hint])
        raise error from None
    result["steps"] += work.give_back()
    for text in work.warnings():
        task.warn(text)
    databases = work.databases(result.pop("states"))
    told = {**result, **work.listing(result["changed"] and not task.check_mode), "api_calls": cluster.api_calls}
    return {**told, **({"databases": databases} if databases else {}), "predicted": work.predicted(databases)}


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()
