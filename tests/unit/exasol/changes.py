# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every change that a module makes to a cluster: small clusters of both servers, and what is asked of them."""

from __future__ import annotations

from typing import Any

import pytest

PASSWORD = "s3cret"

OLD = {"level": 0, "timestamp": "2026-01-01 10:00"}

CONFD: dict[str, Any] = {
    "provider": "confd",
    "nodes": ["n11", "n12", "n13", "n14"],
    "databases": {"DB1": {"state": "running", "nodes": [11, 12]}, "DB2": {"nodes": [11, 12], "mem_size": "2 GiB"}},
    "volumes": {"A": {"type": "archive", "size": "10 GiB", "nodes": [11]}, "B": {"size": "4 GiB", "nodes": [12]}},
    "remote_volumes": {"R": {"vol_type": "s3", "url": "http://r"}},
    "schedules": {"DB1": {"n": {"volume": "A", "level": 0, "hour": "3"}}},
}
EAO: dict[str, Any] = {
    "nodes": {name: {"state": "online"} for name in ("n0011", "n0012", "n0013", "n0014")},
    "storage_online": True,
    "databases": {name: {"state": state, "nodes": ["n0011"]} for name, state in (("DB1", "running"), ("DB2", "setup"))},
    "volumes": {
        "A": {"kind": "archive", "size": "10 GiB", "nodes": ["n0011"]},
        "B": {"kind": "data", "size": "4 GiB", "nodes": ["n0012"]},
    },
    "remote_volumes": {"R": {"url": "ftp://r", "labels": ["#Name#R"]}},
}
SCHEDULE = {"name": "n", "volume": "R", "level": 1, "expire": "1w", "hour": "3", "minute": "0"}
GROWN = {"name": "A", "size": "40 GiB", "nodes": ["11", "12"], "redundancy": 2, "labels": ["x"], "app_io": False}
BOTH: list[tuple[str, dict[str, Any], set[str]]] = [
    ("exa_volume", GROWN, {"A"}),
    ("exa_volume", {"name": "B", "state": "absent", "confirm": "B"}, {"B"}),
    ("exa_backup", {"databases": "DB1", "volume": "R", "once": True, "expire": "1w"}, {"DB1"}),
    ("exa_backup", {"databases": "DB2", "state": "absent", "backup_ids": ["1", "2"], "confirm": "DB2"}, {"DB2"}),
    ("exa_backup_schedule", {"db_name": "DB1", "schedules": [SCHEDULE]}, {"DB1"}),
    ("exa_database", {"databases": "DB1", "state": "stopped"}, {"DB1", "DataVolume1"}),
    ("exa_node", {"nodes": ["13"], "state": "suspended"}, {"n13"}),
    ("exa_remote_volume", {"name": "R", "state": "absent", "confirm": "R"}, {"R", "DB2"}),
]
CONFIG = {"mem_size": "4 GiB", "nodes": ["11", "12", "13"]}
ALONE: list[tuple[str, dict[str, Any], set[str]]] = [
    ("exa_database", {"databases": "DB2", "state": "present", "config": CONFIG}, {"DB2"}),
    ("exa_database", {"databases": "DB2", "state": "absent", "confirm": "DB2"}, {"DB2", "DataVolume2"}),
    ("exa_node", {"nodes": [{"nid": 20, "priv_net": "10.50.1.20/24"}], "state": "present"}, {"n20"}),
]
OLDER = [case for case in BOTH if case[0] != "exa_backup_schedule"]  # of which 6.2 tells nothing
NUMBERED = {"A": "v0002", "B": "v0003", "R": "r0001", "n13": "n0013"}
"""What EAO calls them."""

RESTING_EAO = {"databases": {"DB1": {"nodes": ["n0011"]}, "DB2": {"nodes": ["n0011"]}}}
TWICE = {"volumes": {**CONFD["volumes"], "B": {"size": "4 GiB", "nodes": [12, 13], "redundancy": 2}}}
LOCKED = {"volumes": {**CONFD["volumes"], "B": {"size": "4 GiB", "nodes": [12], "state": "LOCKED"}}}
OFF = {"nodes": {**EAO["nodes"], "n0014": {"state": "offline"}}}
RESTS = {"nodes": {"n11": {}, "n12": {}, "n13": {"state": "suspended"}, "n14": {}}}
RESTS_EAO = {"nodes": {**EAO["nodes"], "n0013": {"state": "online", "storage_suspended": True}}}
SCHEDULED = {"volume": "A", "level": 1, "expire": "2w", "hour": "3", "minute": "5", "weekday": "0", "enabled": False}
STORAGE = {"Storaged", "storage_state", "storage_online", "A", "B", "v0000", "v0001", "v0004"}
PLUGIN = "Administration.vmware-tools"
NEW = {"name": "New", "size": "12 GiB", "nodes": ["11", "12"], "redundancy": 1, "labels": ["x"]}
BUCKET = {"name": "S", "vol_type": "s3", "url": "https://s.s3.amazonaws.com", "username": "k", "password": "p4ssw0rd"}
USELESS = [{**OLD, "bid": 1, "volume": "R"}, {**OLD, "bid": 2, "volume": "R", "usable": False}]
OUTDATED = [{**OLD, "bid": 1, "volume": "R"}, {**OLD, "bid": 2, "volume": "R", "timestamp": "2099-01-01 10:00"}]
TAKEN: dict[str, Any] = {
    "clock": "seconds:1",
    "timing": {"backup": 600},
    "before": [("exa_backup", {"databases": "DB1", "volume": "R", "wait": False})],
}
AGAIN = True
"""For a state that each run brings about anew, or that isn't seen in what is compared."""

STATES: list[tuple[str, dict[str, Any], set[str], dict[str, Any], bool]] = [
    ("exa_database", {"databases": ["DB1", "DB2"], "state": "started"}, {"DB2", "DataVolume2"}, {}, False),
    ("exa_database", {"databases": "DB1", "state": "restarted"}, set(), {}, AGAIN),
    ("exa_volume", {"name": "B", "nodes": ["13"]}, {"B"}, {}, False),
    ("exa_volume", {"name": "B", "app_io": False, "int_io": False}, {"B"}, {}, False),
    ("exa_volume", {"name": ["A", "B"], "labels": ["q"], "priority": 7, "exact_labels": True}, {"A", "B"}, {}, False),
    (
        "exa_backup",
        {"databases": "DB2", "backup_ids": ["1"], "expire": "2030-01-01 00:00:00", "time_zone": "UTC"},
        set(),
        {},
        AGAIN,
    ),
    ("exa_backup", {"databases": "DB2", "state": "pruned"}, {"DB2"}, {"backups": {"DB2": USELESS}}, False),
    (
        "exa_backup",
        {"databases": "DB2", "state": "absent", "older_than": "1d", "confirm": "DB2", "time_zone": "UTC"},
        {"DB2"},
        {"backups": {"DB2": OUTDATED}},
        False,
    ),
    (
        "exa_backup",
        {"databases": "DB2", "state": "restored", "backup_ids": ["1"], "confirm": "DB2"},
        {"DB2", "DataVolume2"},
        {},
        AGAIN,
    ),
    ("exa_backup", {"databases": "DB1", "state": "aborted"}, {"DB1"}, TAKEN, False),
]
STATES_CONFD = [
    ("exa_volume", {**NEW, "disk": "disk1", "owner": [7, 8]}, {"New"}, {}, False),
    ("exa_volume", {"name": "B", "redundancy": 1, "size": "2 GiB", "allow_shrink": True}, {"B"}, TWICE, False),
    ("exa_volume", {"name": "B", "permissions": "rwx------", "owner": [7, 8], "shared": False}, {"B"}, {}, False),
    ("exa_volume", {"name": "B", "state": "locked"}, {"B"}, {}, False),
    ("exa_volume", {"name": "B", "state": "unlocked"}, {"B"}, LOCKED, False),
    ("exa_volume", {"name": "B", "state": "cleared", "confirm": "B"}, set(), {}, AGAIN),
    ("exa_remote_volume", BUCKET, {"S"}, {}, False),
    (
        "exa_remote_volume",
        {
            "name": "R", "url": "http://q", "vol_type": "s3", "remote_volume_id": 10001, "labels": ["q"], "options": [],
            "owner": "admin", "recreate": True, "confirm": "R",
        },
        {"R", "DB2"},
        {},
        False,
    ),
    ("exa_node", {"nodes": ["13"], "state": "resumed"}, {"n13"}, RESTS, False),
    ("exa_node", {"nodes": ["13", "14"], "state": "absent", "confirm": ["13", "14"]}, {"n13", "n14"}, {}, False),
    (
        "exa_node",
        {"nodes": [{"priv_net": "10.50.1.21/24"}, {"nid": 15, "priv_net": "10.50.1.20/24"}], "state": "present"},
        {"n15", "n16"},
        {},
        False,
    ),
    (
        "exa_database",
        {"databases": "DB2", "state": "present", "enlarge": True, "config": {**CONFIG, "num_active_nodes": 3}},
        {"DB2", "DataVolume2"},
        {},
        False,
    ),
    (
        "exa_database",
        {
            "databases": "DB9", "state": "present",
            "config": {
                "version": "8.29.1", "data_volume_name": "B", "mem_size": "2 GiB", "nodes": ["12", "13"],
                "num_active_nodes": 1, "port": 8888, "params": "-a=1", "params_add": "-b=1",
            },
        },
        {"DB9", "B"},
        {},
        False,
    ),
]  # fmt: skip
STATES_TOLD = [
    ("exa_backup_schedule", {"db_name": "DB1", "schedules": [{"name": "n"}], "state": "absent"}, {"DB1"}, {}, False),
    (
        "exa_backup_schedule",
        {"db_name": "DB1", "schedules": [{**SCHEDULED, "name": "n", "volume": "R"}]},
        {"DB1"},
        {"schedules": {"DB1": {"n": SCHEDULED}}},
        False,
    ),
    (
        "exa_backup_schedule",
        {"db_name": "DB1", "schedules": [{"name": "n", "hour": "7", "enabled": True}]},
        {"DB1"},
        {"schedules": {"DB1": {"n": SCHEDULED}}},
        False,
    ),
]
STATES_EAO = [
    ("exa_storage", {"state": "stopped"}, STORAGE, RESTING_EAO, False),
    (
        "exa_storage",
        {"state": "started"},
        STORAGE,
        {**RESTING_EAO, "storage_online": False},
        False,
    ),
    ("exa_node", {"nodes": ["13"], "state": "resumed"}, {"n13"}, RESTS_EAO, False),
    ("exa_node", {"nodes": ["14"], "state": "online"}, {"n0014", "Storaged"}, OFF, False),
    (
        "exa_node",
        {"nodes": ["13", "14"], "state": "offline"},
        {"n13", "n0014"},
        {**RESTING_EAO, "storage_online": False},
        False,
    ),
    ("exa_volume", {**NEW, "disk": "d03_storage", "allowed_users": ["admin"]}, {"v0005"}, {}, False),
    ("exa_volume", {"name": "B", "allowed_users": ["admin", "bob"], "readonly_users": ["eve"]}, {"B"}, {}, False),
    ("exa_remote_volume", {**BUCKET, "allowed_users": ["admin"]}, {"r0002"}, {}, False),
    ("exa_remote_volume", {"name": "R", "url": "ftp://q", "labels": ["q"]}, {"R"}, {}, False),
    (
        "exa_backup_schedule",
        {"db_name": "DB1", "schedules": [{"name": "n", "volume": "A", "level": 1}], "state": "absent"},
        {"DB1"},
        {"schedules": {"DB1": [SCHEDULED]}},
        False,
    ),
    ("exa_plugin", {"plugin": PLUGIN, "nodes": ["n0011", "n0012"], "state": "started"}, {PLUGIN}, {}, False),
    ("exa_plugin", {"plugin": PLUGIN, "nodes": ["n0011"], "state": "restarted"}, {PLUGIN}, {}, AGAIN),
]

CASES = [
    pytest.param({**topology, **more}, *case, again, id=f"{label}-{case[0]}-{case[1].get('state', 'present')}{number}")
    for label, topology, cases in (
        (
            "confd",
            CONFD,
            [*((*case, {}, False) for case in BOTH + ALONE), *STATES, *STATES_CONFD, *STATES_TOLD],
        ),
        (
            "confd62",
            {**CONFD, "version": "6.2.7"},
            [*((*case, {}, False) for case in OLDER), *STATES, *STATES_CONFD],
        ),
        (
            "exaoperation",
            {**EAO, "plugins": [PLUGIN]},
            [*((*case, {}, False) for case in BOTH), *STATES, *STATES_EAO],
        ),
    )
    for number, (*case, more, again) in enumerate(cases)
]

REFUSED_WHEN_DONE = ("restored",)
"""States that a next run refuses to bring about where the killed one has: a database that runs isn't overwritten."""


def whole(topology: dict[str, Any]) -> dict[str, Any]:
    """A case's topology with what all of them have."""
    rows = [{**OLD, "bid": 1, "volume": "R"}, {**OLD, "bid": 2, "volume": "R", "level": 1, "dependencies": "1"}]
    users = [{"name": "admin", "password": PASSWORD}]
    return {"product": "exasol", "name": "exa", "users": users, "backups": {"DB2": rows}, **topology}
