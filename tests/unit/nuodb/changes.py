# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every change that a module makes to a domain: a small one, and what is asked of it."""

from __future__ import annotations

from typing import Any


def archive(db_name: str, server: int, number: int, **more: Any) -> dict[str, Any]:
    return {"db_name": db_name, "server_id": f"server{server}", "archive_path": f"/archive/{number}", **more}


def engine(kind: str, server: int, node: int, **more: Any) -> dict[str, Any]:
    return {"db_name": "up", "engine_type": kind, "server_id": f"server{server}", "node_id": node, **more}


def topology() -> dict[str, Any]:
    """A database that runs, one that is down, one without archives, one that was deleted; a server that is away."""
    down = "NOT_RUNNING"
    return {
        "product": "nuodb",
        "name": "nuo",
        "users": [{"name": "admin", "password": "pw"}],
        "servers": {**{f"server{number}": {} for number in range(4)}, "server4": {"state": "stopped"}},
        "databases": {
            "up": {"incarnation": [1, 0], "default_options": {"mem": "1G"}},
            "down": {"incarnation": [1, 3]},
            "bare": {"incarnation": [0, 0]},
            "dead": {"incarnation": [1, 3], "state": "TOMBSTONE"},
        },
        "archives": {
            "0": archive("up", 0, 0, state="RUNNING"),
            "1": archive("up", 1, 1, state="RUNNING"),
            "2": archive("down", 0, 2, state=down),
            "3": archive("down", 1, 3, state=down),
            "4": archive("dead", 2, 4, state=down),
            "5": archive("bare", 2, 5, state=down, removed=True),
            "6": archive("bare", 2, 5, state=down, removed=True),
            "7": archive("bare", 3, 7, state=down, removed=True),
        },
        "processes": {
            "0": engine("SM", 0, 1, archive_id=0),
            "1": engine("SM", 1, 2, archive_id=1),
            "2": engine("TE", 0, 3),
            "3": engine("TE", 1, 4),
            "4": engine("TE", 1, 5),
        },
        "storage_groups": {"up": {"EAST": {"archive_states": {"0": "ADDED", "1": "ADDED"}}}},
    }


TES = {"te_server_ids": ["server0", "server2", "server2"]}
NEW = {"server_id": "server3", "archive_path": "/archive/new"}
TE = {"db_name": "up", "engine_type": "TE"}
EAST = {"db_name": "up", "sg_name": "EAST"}
AWAY = {"archives": {"8": archive("up", 4, 8, state="NOT_RUNNING")}}
LOST = {"processes": {"5": engine("TE", 4, 6)}}
COPYING = [("POST", "databases/up/hotCopy", {"type": "full", "shared": False, "defaultBackupSetDir": "/old"})]
WENT = [*COPYING, 60.0]
"""Changes by somebody else before the run, and seconds that pass."""

DATABASE, ARCHIVE, PROCESS = "nuodb_database", "nuodb_archive", "nuodb_process"
SERVER, GROUP, HOTCOPY = "nuodb_server", "nuodb_storage_group", "nuodb_hotcopy"

CASES: dict[str, tuple[str, dict[str, Any], dict[str, Any], list[Any]]] = {
    "running": (DATABASE, {"databases": [{"name": "down", **TES}]}, {}, []),
    "running, two": (DATABASE, {"databases": ["up", {"name": "down", **TES}]}, {}, []),
    "running, te_early": (
        DATABASE, {"databases": [{"name": "down", **TES}], "engine_types": ["SM"], "te_early": True}, {}, [],
    ),
    "running, further": (DATABASE, {"databases": [{"name": "up", "te_count": 5}]}, {}, []),
    "stopped": (DATABASE, {"databases": ["up", "down"], "state": "stopped"}, {}, []),
    "stopped, cancel": (DATABASE, {"databases": ["up"], "state": "stopped", "on_hotcopy": "cancel"}, {}, COPYING),
    "stopped, wait": (DATABASE, {"databases": ["up"], "state": "stopped", "on_hotcopy": "wait"}, {}, COPYING),
    "present": (
        DATABASE,
        {"databases": ["new", "dead"], "state": "present", "dba_user": "dba", "dba_password": "x",
         "default_options": {"mem": "2G"}},
        {}, [],
    ),
    "options": (
        DATABASE,
        {"databases": ["up", "down"], "state": "present", "default_options": {"mem": "2G", "ping-timeout": 60}},
        {}, [],
    ),
    "absent": (DATABASE, {"databases": ["down", "bare", "dead"], "state": "absent"}, {}, []),
    "absent, purge": (DATABASE, {"databases": ["down", "dead", "never"], "state": "absent", "purge": True}, {}, []),
    "archive": (
        ARCHIVE,
        {"db_name": "down", "archives": [NEW, {"archive_id": 7, "db_name": "bare"}, {"archive_id": 2}]},
        {}, [],
    ),
    "archive, absent": (ARCHIVE, {"archives": [{"archive_id": 3}, {"archive_id": 7}], "state": "absent"}, {}, []),
    "archive, purged": (
        ARCHIVE,
        {"archives": [{"archive_id": 3}, {"server_id": "server2", "archive_path": "/archive/5"}], "state": "purged"},
        {}, [],
    ),
    "process, running": (
        PROCESS, {"processes": [{**TE, "server_id": "server2", "count": 2}, {"archive_id": 0}]}, {}, [],
    ),
    "process, exact": (PROCESS, {"processes": [{**TE, "server_id": "server1", "count": 1}], "exact": True}, {}, []),
    "process, exact and more": (
        PROCESS,
        {"processes": [{**TE, "server_id": f"server{n}", "count": 2 - n} for n in (0, 1)], "exact": True},
        {}, [],
    ),
    "process, start": (PROCESS, {"processes": [{"archive_id": 2}, {"archive_id": 3}]}, {}, []),
    "process, stopped": (PROCESS, {"processes": [TE, {"archive_id": 1}], "state": "stopped"}, {}, []),
    "process, the last": (
        PROCESS,
        {"processes": [{"archive_id": 1}, {"archive_id": 0}], "state": "stopped", "allow_non_durable": True},
        {}, [],
    ),
    "process, killed": (PROCESS, {"processes": [{"start_id": "2"}, {"start_id": "3"}], "state": "killed"}, {}, []),
    "process, evicted": (PROCESS, {"processes": [{"start_id": "5"}], "state": "evicted"}, LOST, []),
    "server, stopped": (SERVER, {"servers": ["server2"], "state": "stopped"}, {}, []),
    "server, all": (
        SERVER, {"servers": ["all"], "state": "stopped"}, {}, [("POST", "databases/up/shutdown", None), 60.0],
    ),
    "server, absent": (SERVER, {"servers": ["server4", "gone"], "state": "absent"}, {}, []),
    "server, remove_state": (
        SERVER, {"servers": ["server4"], "state": "absent", "remove_state": True}, {**AWAY, **LOST}, [],
    ),
    "group": (GROUP, {"db_name": "up", "sg_name": "west", "archive_ids": [1, 0]}, {}, []),
    "group, further": (
        GROUP,
        {**EAST, "archive_ids": [1, 0]},
        {"storage_groups": {"up": {"EAST": {"archive_states": {"0": "ADDED"}}}}}, [],
    ),
    "group, back": (
        GROUP, {**EAST, "archive_ids": [1]}, {},
        [("POST", "archives/removeStorageGroup", {"dbName": "up", "sgName": "EAST", "archiveId": 1})],
    ),
    "group, off": (GROUP, {**EAST, "archive_ids": [1], "state": "absent"}, {}, []),
    "group, absent": (GROUP, {**EAST, "state": "absent", "confirm": "EAST"}, {}, []),
    "copy": (HOTCOPY, {"db_name": "up", "default_backup_dir": "/b", "once": True}, {}, []),
    "copy, shared": (HOTCOPY, {"db_name": "up", "default_backup_dir": "/b", "shared": True, "once": True}, {}, []),
    "copy, simple": (HOTCOPY, {"db_name": "up", "backup_dirs": {"1": "/b"}, "type": "simple", "once": True}, {}, []),
    "copy, incremental": (HOTCOPY, {"db_name": "up", "default_backup_dir": "/old", "type": "incremental"}, {}, WENT),
    "copy, wait": (
        HOTCOPY, {"db_name": "up", "default_backup_dir": "/b", "once": True, "on_running": "wait"}, {}, COPYING,
    ),
    "copy, cancelled": (HOTCOPY, {"db_name": "up", "state": "cancelled"}, {}, COPYING),
}  # fmt: skip
"""Module, options, what the topology has besides, and what happened before."""

REPEATED = ("copy, incremental",)
"""What is done anew by each run that finds none under way."""

LATER = 15.0
"""Seconds after which a process that waited for others has timed out, and a hot copy still runs."""

UNAWAITED = ("running, te_early", "process, the last")
"""Where processes come or go that are not awaited."""

ASKED_FOR = {"process-killed", "last-sm-stopped-under-tes", "last-sm-of-group-stopped-under-tes"}
"""Rules that an option lets the user break."""

UNSEEN = ("process, killed", "server, stopped", "server, all")
"""What the API doesn't show while it is under way, so that it is asked for again."""
