# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each safety rule is recorded when it is broken, and isn't when it is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.common.rules import RULES
from ansible_collections.dbfleet.cluster.tests.unit.simulator.conftest import DOWN, NODES, UP, Lab

BUSY: dict[str, Any] = {**UP, "databases": {"DB2": {"state": "running", "operation": "Backup"}}}
IDLE: dict[str, Any] = {**UP, "storage_online": False, "databases": {"DB1": {}}}
TWO: dict[str, Any] = {**DOWN, "license_servers": ["n0009", "n0010"], "master": "n0010"}
PART: dict[str, Any] = {**IDLE, "nodes": {"n0011": {}, "n0012": {}, "n0013": {"state": "offline"}}}
TAKEN = "2026-07-08 14:05"
KEPT: dict[str, Any] = {
    **UP,
    "volumes": {"v0000": {}, "v0001": {"redundancy": 2}, "v0005": {"kind": "archive"}},
    "backups": {
        "DB1": [
            {"bid": 1, "volume": "v0005", "timestamp": TAKEN},
            {"bid": 2, "level": 1, "volume": "v0005", "timestamp": TAKEN, "dependencies": "1"},
        ]
    },
    "settings": {"volume_edit_in_use": "allow"},
}
LOST: dict[str, Any] = {
    **UP,
    "nodes": {**UP["nodes"], "n0013": {"state": "offline"}, "n0014": {}},
    "volumes": {"v0000": {}, "v0001": {"nodes": ["n0012", "n0013"]}},
    "databases": {"DB1": {}},
}
SHARING: dict[str, Any] = {
    **KEPT,
    "databases": {"DB1": {"volume": "v0000"}, "DB2": {"state": "running", "volume": "v0000"}},
}
FEWER = {"allowed_users": ["admin"], "redundancy": 1}
BASE = "5 DB1/id_1/level_0/node_0/backup_202607081405 DB1"
SEEN = {"node_booting": "Booting"}
UNSEEN = {"node_booting": "Unknown"}


def attempt(one: Lab, path: str, method: str, *arguments: Any) -> None:
    one.post(f"/cluster1{path}", _body(method, arguments))


def _body(method: str, arguments: tuple[Any, ...]) -> bytes:
    import xmlrpc.client

    return xmlrpc.client.dumps(arguments, method, allow_none=True).encode()


CASES: list[tuple[str, str, dict[str, Any], list[tuple[Any, ...]]]] = [
    ("storage-stopped-under-database", "storage", UP, [("/storage", "stopEXAStorage")]),
    ("storage-started-without-node", "storage", PART, [("/storage", "startEXAStorage")]),
    ("storage-start-repeated", "storage", UP, [("/storage", "startEXAStorage")]),
    ("storage-stop-repeated", "storage", {**UP, "databases": {}}, [("/storage", "stopEXAStorage")] * 2),
    ("node-off-under-storage", "n0011", {**UP, "databases": {}}, [("", "shutdownNode", "n0011")]),
    ("node-off-under-storage", "n0012", {**UP, "databases": {}}, [("/n0012", "poweroffNode")]),
    ("node-start-repeated", "n0011", UP, [("", "startupNode", "n0011")]),
    ("node-start-repeated", "n0011", {**DOWN, "settings": SEEN}, [("", "startupNode", "n0011")] * 2),
    ("node-start-repeated", "n0011", {**DOWN, "settings": UNSEEN}, [("", "startupNode", "n0011")] * 3),
    ("node-stop-repeated", "n0011", IDLE, [("", "shutdownNode", "n0011"), ("/n0011", "shutdownNode")]),
    ("license-server-off-before-nodes", "n0010", IDLE, [("", "haltLicenseServer", "n0010")]),
    ("exaoperation-off-before-license-server", "n0010", TWO, [("", "shutdownNode", "n0010")]),
    ("database-started-with-sick-service", "DB1", IDLE, [("/db_DB1", "startDatabase")]),
    ("database-start-repeated", "DB2", UP, [("/db_DB2", "startDatabase")]),
    ("database-start-repeated", "DB1", UP, [("/db_DB1", "startDatabase")] * 2),
    ("database-stop-repeated", "DB2", UP, [("/db_DB2", "stopDatabase")] * 2),
    ("database-stopped-during-operation", "DB2", BUSY, [("/db_DB2", "stopDatabase")]),
    ("volume-changed-under-database", "v0001", KEPT, [("/storage/v0001", "setIoState", False, True)]),
    ("volume-changed-under-database", "v0001", KEPT, [("/storage", "volumeRemove", "v0001")]),
    (
        "redundancy-lowered-while-degraded",
        "v0001",
        {**KEPT, "nodes": {**UP["nodes"], "n0013": {"state": "offline"}}},
        [("/storage/v0001", "editStorageVolume", FEWER)],
    ),
    ("storage-node-suspended-under-database", "n0012", KEPT, [("/storage/n0012", "suspendNode")]),
    ("only-copy-left-behind", "v0001", LOST, [("/storage/v0001", "moveNodes", {"n0013": "n0014"})]),
    ("volume-deleted-under-data", "v0000", KEPT, [("/storage", "volumeRemove", "v0000")]),
    ("volume-with-backups-removed", "v0005", KEPT, [("/storage", "volumeRemove", "v0005")]),
    ("restored-into-used-volume", "DB1", SHARING, [("/db_DB1", "restoreDatabase", BASE, "blocking")]),
    ("backup-base-deleted", BASE, KEPT, [("/db_DB1", "deleteBackups", [BASE])]),
    ("backup-expired-at-once", BASE, KEPT, [("/db_DB1", "changeBackupExpiration", 5, "DB1/id_1/level_0", 1000)]),
]


@pytest.mark.parametrize(("rule", "name", "topology", "calls"), CASES)
def test_broken(lab: Callable[..., Lab], rule: str, name: str, topology: dict[str, Any], calls: list[Any]) -> None:
    one = lab(topology)
    for call in calls[:-1]:
        attempt(one, *call)
    assert one.rules() == []
    if calls[-1][1] in ("startEXAStorage",):
        one.cluster.clock.set("immediate")  # it blocks, and this test owns the time
    attempt(one, *calls[-1])
    assert one.rules() == [(rule, name)]
    row = one.cluster.record.rules[0]
    assert row["call_n"] == len(calls)
    assert row["text"].startswith(RULES[rule])


def test_license_server_under_storage(lab: Callable[..., Lab]) -> None:
    one = lab(UP, databases={})
    attempt(one, "", "shutdownNode", "n0010")
    assert one.rules() == [("license-server-off-before-nodes", "n0010"), ("license-server-off-under-storage", "n0010")]


def test_every_rule_has_a_case() -> None:
    assert {case[0] for case in CASES} | {"license-server-off-under-storage"} == set(RULES)


def test_the_power_button_counts_too(lab: Callable[..., Lab]) -> None:
    one = lab(UP, databases={})
    one.power("n0011", False)
    assert one.rules() == [("node-off-under-storage", "n0011")]
    assert one.cluster.record.rules[0]["call_n"] is None


def test_one_repetition_is_allowed_where_a_boot_cannot_be_seen(lab: Callable[..., Lab]) -> None:
    one = lab(DOWN, settings=UNSEEN)
    for _turn in range(2):
        attempt(one, "", "startupNode", "n0011")
    assert one.rules() == []
    # once its boot log speaks of it, it can be seen
    one.pass_time(180)
    attempt(one, "", "startupNode", "n0011")
    assert one.rules() == [("node-start-repeated", "n0011")]


@pytest.mark.parametrize("clock", ["immediate", "polls:2", "seconds:1"])
def test_the_whole_way_up_and_down_breaks_none(lab: Callable[..., Lab], clock: str) -> None:
    one = lab(DOWN, clock, settings={"storage_start_blocks": False})

    def settle() -> None:
        one.pass_time(10_000)
        for node in NODES:
            for _turn in range(3):
                one.call("", "getNodeState", node)
        for name in ("DB1", "DB2"):
            for _turn in range(5):
                one.call(f"/db_{name}", "getDatabaseInfo")
        for _turn in range(3):
            one.call("", "getServiceState")

    for node in NODES:
        one.call("", "startupNode", node)
    settle()
    one.call("/storage", "startEXAStorage")
    settle()
    for name in ("DB1", "DB2"):
        one.call(f"/db_{name}", "startDatabase")
    settle()
    assert all(database.connectible for database in one.cluster.databases.values())
    for name in ("DB1", "DB2"):
        one.call(f"/db_{name}", "stopDatabase")
    settle()
    one.call("/storage", "stopEXAStorage")
    settle()
    for node in (*NODES, "n0010"):
        one.call("", "shutdownNode", node)
    assert one.rules() == []


def test_a_forced_stop_breaks_no_rule(lab: Callable[..., Lab]) -> None:
    one = lab(BUSY)
    one.call("/db_DB2", "forceShutdownDatabase")
    assert one.database("DB2") == "setup"
    assert one.rules() == []
