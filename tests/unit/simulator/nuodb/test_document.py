# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The states of docs/sources/nuodb_objects.md, as the working example shows them, a cluster second at a time.

A scenario: one document, whose steps touch every part of a domain.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .conftest import BARE, DOWN, PATH, Lab

TEXT_SM = "local agent connection was rejected: ArchiveHistory failed: Timed out while awaiting leader assignment"
TEXT_TE = "database entry request was rejected: EntryRequest failed: Timed out while awaiting entry node"


def test_a_new_database_grows(lab: Callable[..., Lab]) -> None:
    one = lab(BARE)
    archive = one.ok("POST", "archives", {"dbName": "test", "host": "server0", "path": PATH, "restored": False})
    assert (archive["id"], archive["state"]) == (0, "PROVISIONED")
    plan = one.ok("PUT", "databases/test?mayExist=False", {"databaseDbaUser": "u", "databaseDbaPassword": "p"})
    assert [row["archiveId"] for row in plan["processes"]] == [0]
    assert (one.state(), one.incarnation()) == ("NOT_RUNNING", (0, 0))

    sm = one.start(0)
    assert (sm["startId"], sm["durableState"], sm["state"]) == ("0", "REQUESTED", "UNKNOWN")
    te = one.start(server=1)
    assert (te["startId"], te["type"]) == ("1", "TE")
    assert (one.state(), one.incarnation()) == ("REQUESTED", (1, 0))
    one.pass_time(0.5)
    assert one.processes() == {"0": "STARTED:UNKNOWN", "1": "STARTED:UNKNOWN"}
    one.pass_time(0.5)
    assert one.processes() == {"0": "CONFIGURED:UNKNOWN", "1": "TRACKED:UNKNOWN"}
    assert (one.state(), one.archives()) == ("STARTED", ["RUNNING"])
    row = one.ok("GET", "processes/1")
    assert row["pid"] > 0
    assert (row["address"], row["port"]) == ("server1", 48006)
    assert "nodeId" not in row
    one.pass_time(16)
    assert one.processes()["0"] == "TRACKED:UNKNOWN"
    one.pass_time(4)
    assert one.processes() == {"0": "MONITORED:RUNNING", "1": "TRACKED:UNKNOWN"}
    assert one.state() == "RUNNING"
    one.pass_time(5)
    assert one.processes()["1"] == "MONITORED:RUNNING"
    assert [one.ok("GET", f"processes/{n}")["nodeId"] for n in (0, 1)] == [1, 2]

    one.ok("POST", "archives", {"dbName": "test", "host": "server1", "path": PATH})
    assert one.archives() == ["RUNNING", "PROVISIONED"]
    one.start(1)
    one.start(server=0)
    assert one.state() == "RUNNING"
    one.pass_time(1)
    assert one.processes()["2"] == "MONITORED:SYNCING"
    one.pass_time(5)
    assert set(one.processes().values()) == {"MONITORED:RUNNING"}
    rows = one.ok("GET", "processes?orderBy=startId")["data"]
    assert [(row["address"], row["port"]) for row in rows] == [
        ("server0", 48006),
        ("server1", 48006),
        ("server1", 48007),
        ("server0", 48007),
    ]


def test_an_sm_leaves_and_the_last_one_is_killed(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.stop(0)
    assert one.processes()["0"] == "REQUESTED_SHUTDOWN:SHUTTING_DOWN"
    one.pass_time(3)
    assert (one.state(), one.incarnation()) == ("AWAITING_ARCHIVE_HISTORIES_INC", (1, 5))
    assert one.archives() == ["NOT_RUNNING", "RUNNING"]
    row = one.tombstone(0)
    assert row["exitCode"] == 0
    assert row["reason"].endswith("+0000) Gracefully shutdown engine")
    assert row["process"]["durableState"] == "REQUESTED_SHUTDOWN"

    one.stop(1, kill=True)
    assert one.processes()["1"] == "MONITORED:RUNNING"
    one.pass_time(0.2)
    assert one.state() == "REQUESTED_TE_SHUTDOWN"
    assert one.processes() == dict.fromkeys(("2", "3"), "REQUESTED_SHUTDOWN:SHUTTING_DOWN")
    one.pass_time(2)
    assert (one.state(), one.incarnation()) == ("NOT_RUNNING", (1, 8))
    row = one.tombstone(1)
    assert row["exitCode"] == 137
    assert row["reason"].startswith("Removing process from domain state due to service request: (")
    assert row["reason"].endswith("+0000) Engine connection to admin process closed")
    assert [one.tombstone(n)["exitCode"] for n in (2, 3)] == [0, 0]


def test_starts_that_come_to_nothing(lab: Callable[..., Lab]) -> None:
    one = lab(DOWN)
    one.start(0)
    one.pass_time(2)
    assert (one.state(), one.processes()) == ("AWAITING_ARCHIVE_HISTORIES_MSG", {"0": "STARTED:UNKNOWN"})
    row = one.ok("GET", "processes/0")
    assert not {"pid", "port", "address", "nodeId", "lastHeardFrom"} & set(row)
    one.pass_time(8.9)
    assert one.processes() == {"0": "STARTED:UNKNOWN"}
    one.pass_time(0.2)
    assert (one.state(), one.incarnation()) == ("NOT_RUNNING", (2, 1))
    dead = one.tombstone(0)
    assert (dead["exitCode"], dead["reason"].partition(" (10000 ms): (")[0]) == (2, TEXT_SM)

    one.start()
    assert one.state() == "AWAITING_ARCHIVE_HISTORIES_MSG"
    one.pass_time(11)
    assert (one.state(), one.incarnation()) == ("NOT_RUNNING", (3, 1))
    dead = one.tombstone(1)
    assert (dead["exitCode"], dead["process"]["durableState"]) == (127, "TRACKED")
    assert dead["reason"].startswith(f"{TEXT_TE} (10000 ms): (")


def test_all_archives_then_a_shutdown_and_the_next_plan(lab: Callable[..., Lab]) -> None:
    one = lab(DOWN, databases={"test": {"incarnation": [3, 1]}})
    for archive in (0, 1):
        one.start(archive)
    one.start()
    one.pass_time(2)
    assert (one.state(), one.incarnation()) == ("STARTED", (4, 0))
    one.pass_time(20)
    assert one.state() == "RUNNING"
    one.pass_time(5)
    assert set(one.processes().values()) == {"MONITORED:RUNNING"}
    assert one.ok("POST", "databases/test/shutdown") is None
    assert one.state() == "REQUESTED_TE_SHUTDOWN"
    one.pass_time(2)
    assert one.state() == "REQUESTED_SM_SHUTDOWN"
    one.pass_time(3)
    assert (one.state(), one.incarnation()) == ("NOT_RUNNING", (4, 3))
    order = one.ok("GET", "processes/exited?orderBy=databaseIncarnation.minor")["data"]
    assert [row["process"]["type"] for row in order] == ["TE", "SM", "SM"]
    plan = one.ok("POST", "databases/test/startplan", {"reusable": False, "teHosts": ["server0", "server0"]})
    assert plan["incremental"] is False
    assert [row["engineType"] for row in plan["processes"]] == ["SM", "SM", "TE", "TE"]
    assert {str(row["expectedIncarnation"]) for row in plan["processes"]} == {"{'major': 5, 'minor': 0}"}
    assert one.rules() == []


def leader(one: Lab) -> Any:
    for archive in (0, 1):
        one.start(archive)
    one.pass_time(30)
    return {row["archiveId"]: row["nodeId"] for row in one.ok("GET", "processes")["data"]}


def test_the_newest_archive_leads(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.stop(0)
    one.pass_time(3)
    one.act("/die", start_id="1")
    one.pass_time(5)
    assert leader(one) == {1: 1, 0: 2}
    assert lab(DOWN).domain.archives[0].epoch == 0
    assert leader(lab(DOWN)) == {0: 1, 1: 2}
    archives = {**DOWN["archives"], "0": {**DOWN["archives"]["0"], "observer_storage_groups": ["*"]}}
    assert leader(lab(DOWN, archives=archives)) == {1: 1, 0: 2}
