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
  - Takes backups and waits for them with their progress, changes their expiry, deletes them, aborts a running one, and
    restores databases. It works on several databases in parallel.
  - Every result lists the backups of the databases.
  - With O(state=present), each run takes a backup, unless O(max_age) or O(once) accepts an existing one. If a backup of
    the same level and volume is already running, started by a killed run or by somebody else, the task joins it. If the
    server doesn't report level and volume of the running backup (version 6.2), the task waits for it, and counts it if
    it was the right one.
  - With O(state=present) and O(backup_ids), the task takes no backup. It changes the expiry of these backups, and a
    second run changes nothing.
  - Nothing shows afterwards that a restore was made, so with O(state=restored) each run restores. It is refused while
    the database is up, so a second run fails instead of restoring again. The task joins a restore that is under way.
options:
  databases:
    description:
      - Names of the databases, or V(all).
    type: list
    elements: str
    required: true
    aliases: [db_name]
  state:
    description:
      - V(present) takes backups, or changes the expiry of those in O(backup_ids).
      - V(absent) deletes the backups in O(backup_ids), or all that match O(older_than), O(level), O(volume) and
        O(expired). A backup that doesn't exist is no error.
      - V(restored) restores stopped databases and waits until they accept connections.
      - V(aborted) aborts a running backup.
      - V(pruned) deletes unusable backups. It is refused while a volume that stores them can't be reached.
      - V(listed) changes nothing.
    type: str
    choices: [present, absent, restored, aborted, pruned, listed]
    default: present
  volume:
    description:
      - The archive volume, local or remote, by name or ID. Required to take a backup. A remote volume must be online on
        every node.
      - With O(state=absent), or with O(state=restored) and O(backup_ids=latest), the task selects only backups on this
        volume. It then refuses a text that is the name of one volume and the number of another.
    type: str
  level:
    description:
      - V(0) is a full backup. V(1) to V(9) contain the changes since a backup of a lower level on the same volume,
        which must exist and be usable. To take a backup, the default is V(0).
      - With O(state=absent), or with O(state=restored) and O(backup_ids=latest), the task selects only backups of this
        level.
    type: int
  expire:
    description:
      - How long to keep the backup. It is a duration from the time of the backup, such as V(1w 3d) (w, d, h, s), a time
        such as V(2026-12-24 18:00:00), seconds since 1970, or V(never).
      - A time without an offset is in the cluster's time zone. If the task must convert the value for the server and
        can't do so with certainty, it changes nothing. O(time_zone) makes more conversions possible.
      - After the backup, the task compares the expiry that the server has set with this one, and corrects it or fails.
        So O(wait=false) accepts only V(never) and durations in weeks and days, which are documented.
      - An existing backup that is enough (O(max_age), O(once)) keeps its expiry. If that differs, the task warns.
    type: str
  backup_ids:
    description:
      - Backups by their C(id), or by their number (C(bid)) if only one backup has this number. An empty list is
        refused.
      - With O(state=restored), the backup to restore from, or V(latest), the newest usable one of each database.
    type: list
    elements: str
    aliases: [backup_id]
  max_age:
    description:
      - With O(state=present), accept a usable backup on O(volume), of O(level) or lower, that isn't older than this
        (V(24h), V(1w)), instead of taking one. It needs O(time_zone), because servers return times without an offset.
    type: str
  once:
    description:
      - With O(state=present), accept such a backup of any age.
    type: bool
    default: false
  older_than:
    description:
      - With O(state=absent), delete only backups that are older than this (V(30d)). It needs O(time_zone).
    type: str
  expired:
    description:
      - With O(state=absent), delete only expired backups.
    type: bool
    default: false
  delete_dependents:
    description:
      - With O(state=absent), also delete the backups that build on the selected ones. Otherwise such backups make the
        task refuse the deletion.
    type: bool
    default: false
  restore_type:
    description:
      - V(blocking) starts the database when all data is restored. V(nonblocking) starts it earlier, and restores the
        rest afterwards. V(virtual_access) (or V(virtual access)) reads from the backup, which must not be moved or
        deleted.
      - From a remote archive volume, ConfD supports only V(blocking); the task refuses the others. With EXAoperation
        the server decides.
      - For V(virtual_access), the backup and those that it builds on must not expire. The task removes their expiry
        before the restore, and sets it again when the database is up or the restore has failed. A line prints the
        expiry, in case the run is killed. If a backup expires later, the server may delete it while the database still
        reads from it.
    type: str
    choices: [blocking, nonblocking, virtual_access, virtual access]
    default: blocking
  wait_for:
    description:
      - With O(restore_type=nonblocking), whether to wait until everything is V(restored), or only until the database is
        V(connectable).
    type: str
    choices: [restored, connectable]
    default: restored
  foreign:
    description:
      - With O(state=restored) and O(state=listed), also list the backups of other databases, so that one of them can be
        restored by its ID.
      - ConfD 6.2 can't list them.
    type: bool
    default: false
  confirm:
    description:
      - O(state=absent) and O(state=restored) destroy data, so confirm them with the names of all O(databases). Not
        required under check mode, or if there is nothing to do.
    type: list
    elements: str
  on_operation:
    description:
      - What to do if the database has another running operation (a restore, another backup). V(refuse) changes nothing,
        V(wait) waits until it ends.
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
- name: Take a full backup of two databases, kept for ten days
  dbfleet.cluster.exa_backup:
    databases: [DB1, DB2]
    volume: RemoteVolume1
    level: 0
    expire: 1w 3d
    wait_timeout: 14400

- name: Make sure before the upgrade that there is a backup of the last day
  dbfleet.cluster.exa_backup:
    databases: [all]
    volume: RemoteVolume1
    max_age: 24h
    time_zone: Europe/Berlin
  register: backup

- name: Keep this backup until the end of the year
  dbfleet.cluster.exa_backup:
    db_name: DB1
    backup_id: "{{ backup.selected.DB1[0].id }}"
    expire: "2026-12-31 23:59:00"

- name: Delete backups older than 90 days, with all that build on them
  dbfleet.cluster.exa_backup:
    db_name: DB1
    state: absent
    older_than: 90d
    delete_dependents: true
    time_zone: Europe/Berlin
    confirm: DB1

- name: Restore DB1 from its newest backup
  dbfleet.cluster.exa_backup:
    db_name: DB1
    state: restored
    backup_id: latest
    restore_type: nonblocking
    confirm: DB1

- name: Abort all running backups
  dbfleet.cluster.exa_backup:
    databases: [all]
    state: aborted
"""

RETURN = r"""
backups:
  description: All backups of the databases after the task, oldest first. Under check mode, the present ones.
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
    - The selected backups, by database. They are the backups that the task took, accepted, changed, deleted, or
      restored from. Empty if the task only started a backup, or would start one.
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
    """Brings the backups to the wanted state."""
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
