# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Databases: states, refusals, operations, failures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.common.databases import addresses
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.eao.faults import ON_MACHINES
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.faults import parse
from ansible_collections.dbfleet.cluster.tests.unit.simulator.conftest import UP, Lab


def seen(one: Lab, name: str = "DB1") -> tuple[Any, ...]:
    path = f"/db_{name}"
    return (
        one.call(path, "getDatabaseState"),
        one.call(path, "getDatabaseConnectionState"),
        one.call(path, "runningDatabase"),
    )


def test_start_then_connectible_then_stop(lab: Callable[..., Lab]) -> None:
    one = lab(UP, timing={"database_start": 120, "connect": 20, "database_stop": 60})
    assert seen(one) == ("setup", "No", False)
    assert one.call("/db_DB1", "startDatabase") is None
    assert seen(one) == ("startup", "No", True)
    one.pass_time(120)
    assert seen(one) == ("running", "No", True)
    one.pass_time(20)
    assert seen(one) == ("running", "Yes", True)
    info = one.call("/db_DB1", "getDatabaseInfo")
    assert (info["state"], info["connectible"], info["connection string"]) == ("running", "Yes", "10.50.1.11..13:8563")
    assert info["nodes"] == {"active": ["n0011", "n0012", "n0013"], "failed": [], "reserve": []}
    assert one.call("/db_DB1", "stopDatabase") is None
    assert seen(one) == ("shutdown", "No", True)
    one.pass_time(60)
    assert seen(one) == ("setup", "No", False)
    messages = [row["message"] for row in reversed(one.call("/logservice1", "logEntries")[2])]
    assert messages == [
        "Database startup was requested.",
        "System is ready to receive client connections.",
        "EXASolution DB1 is accepting connections.",
        "User 0 requested shutdown of system",
        "EXASolution DB1 is rejecting connections",
        "System marked as stopped.",
    ]
    assert one.rules() == []


def test_names_of_states_are_settings(lab: Callable[..., Lab]) -> None:
    one = lab(UP, settings={"database_starting": "Starting", "database_stopping": "x", "running_in_startup": False})
    one.call("/db_DB1", "startDatabase")
    assert seen(one) == ("Starting", "No", False)
    one.call("/db_DB2", "stopDatabase")
    assert seen(one, "DB2") == ("x", "No", True)


def test_refusals(lab: Callable[..., Lab]) -> None:
    one = lab(UP, databases={"NEW": {"state": "none"}, "DB1": {}, "DB2": {"state": "running"}})
    assert one.refused("/db_NEW", "startDatabase") == "Database NEW does not exist"
    assert one.refused("/db_DB2", "startDatabase") == "Database DB2 is already running"
    assert one.refused("/db_DB1", "stopDatabase") == "Database DB1 is not running"
    assert one.refused("/db_DB1", "restartDatabase") == "Database DB1 is not running"
    assert one.refused("/db_DB1", "forceShutdownDatabase") == "Database DB1 is not running"
    one.call("/db_NEW", "createDatabase")
    assert one.call("/db_NEW", "getDatabaseState") == "setup"
    assert "exists already" in one.refused("/db_NEW", "createDatabase")
    one.call("/db_DB2", "stopDatabase")
    assert one.refused("/db_DB2", "startDatabase") == "Database DB2 is being stopped"


def test_a_start_needs_storage_nodes_and_its_volume(lab: Callable[..., Lab]) -> None:
    one = lab(UP, storage_online=False, databases={"DB1": {}})
    assert "EXAStorage is not online" in one.refused("/db_DB1", "startDatabase")
    one = lab(UP, databases={"A": {"volume": "v0007"}, "B": {"volume": "v0007", "state": "running"}})
    assert "data volume is in use" in one.refused("/db_A", "startDatabase")
    one = lab(UP, nodes={"n0011": {}, "n0012": {}, "n0013": {"state": "offline"}}, databases={"DB1": {}})
    assert "does not have enough active nodes" in one.refused("/db_DB1", "startDatabase")
    assert one.call("/db_DB1", "getCurrentErrors") == [
        "Could not start database: system does not have enough active nodes"
    ]
    spare = {
        "nodes": {"n0011": {}, "n0012": {}, "n0013": {"state": "offline"}},
        "databases": {"DB1": {"nodes": ["n0011", "n0013"], "reserve": ["n0012"]}},
    }
    one = lab(UP, **spare)
    assert "data volume is not online" in one.refused("/db_DB1", "startDatabase")
    one = lab(UP, **spare, volumes={"v0000": {"nodes": ["n0011", "n0013"], "redundancy": 2}})
    assert one.call("/db_DB1", "startDatabase") is None


def test_restart(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.call("/db_DB2", "restartDatabase")
    assert one.database("DB2") == "shutdown"
    one.pass_time(60)
    assert one.database("DB2") == "startup"
    one.pass_time(140)
    assert seen(one, "DB2") == ("running", "Yes", True)
    assert one.rules() == []


def test_polls(lab: Callable[..., Lab]) -> None:
    one = lab(UP, "polls:2")
    one.call("/db_DB1", "startDatabase")
    states = [one.call("/db_DB1", "getDatabaseState") for _turn in range(4)]
    assert states == ["startup", "startup", "running", "running"]
    assert one.call("/db_DB1", "getDatabaseConnectionState") == "Yes"


def test_operations(lab: Callable[..., Lab]) -> None:
    one = lab(UP, volumes={"v0005": {"kind": "archive"}}, remote_volumes=["r0001"], timing={"backup": 120})
    assert "not running" in one.refused("/db_DB1", "backupDatabase", "v0005", 0, "1w")
    one.call("/db_DB2", "backupDatabase", "v0005", 0, "1w")
    assert one.call("/db_DB2", "getDatabaseOperation") == "Backup"
    assert "busy with operation Backup" in one.refused("/db_DB2", "backupDatabase", "v0005", 0, "1w")
    assert "can't be stopped during operation Backup" in one.refused("/db_DB2", "stopDatabase")
    one.pass_time(120)
    assert one.call("/db_DB2", "operationGetCurrent") == "None"
    assert one.call("/db_DB2", "getBackupList") == [[1, 5]]
    one.call("/db_DB2", "backupDatabase", "r0001")
    one.call("/db_DB2", "abortBackup")
    assert one.call("/db_DB2", "getDatabaseOperation") == "None"
    assert len(one.call("/db_DB2", "getBackups")) == 1
    assert "No backup" in one.refused("/db_DB2", "abortBackup")


def test_an_operation_of_the_topology_lasts_as_said(lab: Callable[..., Lab]) -> None:
    busy = {"state": "running", "operation": "Restore"}
    one = lab(UP, databases={"A": busy, "B": {**busy, "operation_time": 30}})
    one.pass_time(30)
    assert [one.call(f"/db_{name}", "getDatabaseOperation") for name in "AB"] == ["Restore", "None"]
    one = lab(UP, databases={"A": busy}, settings={"database_stop_during_operation": "allow"})
    one.call("/db_A", "stopDatabase")
    assert (one.database("A"), one.call("/db_A", "getDatabaseOperation")) == ("shutdown", "None")


def test_a_topology_may_begin_in_between(lab: Callable[..., Lab]) -> None:
    one = lab(
        UP,
        databases={
            "A": {"state": "startup"},
            "B": {"state": "stopping"},
            "C": {"state": "running", "connectible": "No"},
        },
    )
    assert [one.database(name) for name in "ABC"] == ["startup", "shutdown", "running"]
    one.pass_time(140)
    assert [one.database(name) for name in "ABC"] == ["running", "setup", "running"]
    assert one.call("/db_C", "getDatabaseConnectionState") == "Yes"


def test_fails_to_start(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.fault(kind="fails_to_start", object="DB1", text="volume is locked", max_count=1)
    one.call("/db_DB1", "startDatabase")
    one.pass_time(120)
    assert seen(one) == ("setup", "No", False)
    assert one.call("/db_DB1", "getCurrentErrors") == ["volume is locked"]
    assert one.call("/db_DB1", "getDatabaseInfo")["info"] == "volume is locked"
    one.call("/db_DB1", "startDatabase")
    one.pass_time(140)
    assert seen(one) == ("running", "Yes", True)
    assert one.call("/db_DB1", "getCurrentErrors") == []


def test_never_connects_and_never_stops(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.fault(kind="never_connects", object="DB1")
    one.call("/db_DB1", "startDatabase")
    one.pass_time(10_000)
    assert seen(one) == ("running", "No", True)
    one.forgive()
    assert seen(one) == ("running", "Yes", True)
    one.fault(kind="never_stops", object="DB1")
    one.call("/db_DB1", "stopDatabase")
    one.pass_time(10_000)
    assert one.database("DB1") == "shutdown"
    one.forgive()
    assert one.database("DB1") == "setup"


def test_dies(lab: Callable[..., Lab]) -> None:
    one = lab()
    for name, delay in (("DB2", 0), ("n0013", 5), ("storage", 9)):
        fault = one.cluster.faults.add(parse({"kind": "dies", "object": name, "delay": delay}, ON_MACHINES))
        with one.cluster.lock:
            one.cluster.dies(fault)
    assert one.database("DB2") == "setup"
    assert one.call("/db_DB2", "getCurrentErrors") == ["Database failed: it was made to die"]
    one.pass_time(5)
    assert one.node("n0013") == "off"
    one.pass_time(4)
    assert one.call("/storage", "serviceIsOnline") is False
    assert one.rules() == []  # nobody's deed


def test_a_node_takes_its_databases_along(lab: Callable[..., Lab]) -> None:
    one = lab(
        UP, databases={"A": {"nodes": ["n0011"], "state": "running"}, "B": {"nodes": ["n0012"], "state": "running"}}
    )
    one.power("n0011", False)
    assert [one.database(name) for name in "AB"] == ["setup", "running"]
    assert one.call("/db_A", "getNodeState", "n0011") == "offline"
    assert "is not a node of database" in one.refused("/db_A", "getNodeState", "n0013")


def test_maintenance(lab: Callable[..., Lab]) -> None:
    one = lab(UP, "immediate")
    one.call("/db_DB1", "startDatabaseMaintenance")
    assert seen(one) == ("running", "No", True)
    assert one.call("/db_DB1", "maintenanceDatabase") is True


@pytest.mark.parametrize(
    ("nodes", "text"),
    [
        (["n0011"], "10.50.1.11:8563"),
        (["n0011", "n0012", "n0014"], "10.50.1.11..12,10.50.1.14:8563"),
        (["n0255", "n0256"], "10.50.1.255,10.50.2.0:8563"),
    ],
)
def test_connection_strings(nodes: list[str], text: str) -> None:
    assert addresses(nodes, 8563) == text
