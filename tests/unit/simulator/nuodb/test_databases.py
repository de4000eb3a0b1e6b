# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Databases and archives as objects: created, deleted, planned, captured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import BARE, DOWN, PATH, UP, Lab, engine

CREATE = {"databaseDbaUser": "dba", "databaseDbaPassword": "tiger77", "hostAssignments": {}, "smHosts": {}}


def test_a_database_as_the_api_shows_it(lab: Callable[..., Lab]) -> None:
    row = lab().ok("GET", "databases/test")
    assert {"name", "state", "incarnation", "databaseOptions", "defaultRegionId", "hostAssignments"} <= set(row)
    assert (row["servers"], row["regions"], row["uri"].endswith("/databases/test")) == ({}, {}, True)
    assert "dbPassword" not in row
    assert "dbPassword" in lab().ok("GET", "databases/test?maskPassword=False")


def test_create_with_options_and_tes(lab: Callable[..., Lab]) -> None:
    one = lab(BARE)
    body = {**CREATE, "teHosts": ["server0", "server0"], "defaultOptions": {"mem": 1}}
    plan = one.ok("PUT", "databases/new?mayExist=False", body)
    expected = {"major": 1, "minor": 0}
    te = {"dbName": "new", "engineType": "TE", "host": "server0", "labels": {}, "overrideOptions": {}}
    assert plan == {"incremental": False, "processes": [{**te, "expectedIncarnation": expected}] * 2}
    assert one.ok("GET", "databases/new")["databaseOptions"] == {"mem": "1"}
    assert one.ok("PUT", "databases/new?mayExist=True", CREATE)["incremental"] is False
    assert one.ok("GET", "databases/new")["databaseOptions"] == {"mem": "1"}
    assert "tiger77" not in str(one.domain.record.calls())


@pytest.mark.parametrize(("settings", "incarnation"), [({}, (1, 4)), ({"recreated_incarnation": "reset"}, (0, 0))])
def test_a_tombstone_and_its_name(lab: Callable[..., Lab], settings: dict[str, Any], incarnation: Any) -> None:
    one = lab(DOWN, settings=settings)
    assert one.ok("DELETE", "databases/test?purge=False") is None
    assert one.state() == "TOMBSTONE"
    assert one.refused("DELETE", "databases/test?purge=False")[0] == 404
    assert one.refused("POST", "processes", {"dbName": "test"})[0] == 404
    assert one.archives() == ["NOT_RUNNING", "NOT_RUNNING"]
    one.ok("PUT", "databases/test", CREATE)
    assert (one.state(), one.incarnation()) == ("NOT_RUNNING", incarnation)
    one.ok("DELETE", "databases/test?purge=False")
    one.ok("DELETE", "databases/test?purge=True")
    assert one.refused("GET", "databases/test")[0] == 404
    assert one.archives() == []


def test_a_purge_forgets_what_was(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.ok("POST", "databases/test/shutdown")
    one.pass_time(60)
    assert len(one.ok("GET", "processes/exited")["data"]) == 4
    one.ok("DELETE", "databases/test?purge=True")
    assert one.ok("GET", "processes/exited")["data"] == []


def test_options_are_merged_or_replaced(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.ok("POST", "databases/test/options?replaceAll=False", {"mem": "4G", "ping-timeout": "60"})
    one.ok("POST", "databases/test/options?replaceAll=False", {"mem": "2G"})
    assert one.ok("GET", "databases/test")["databaseOptions"] == {"mem": "2G", "ping-timeout": "60"}
    one.ok("POST", "databases/test/options?replaceAll=True", {"mem": "1G"})
    assert one.ok("GET", "databases/test")["databaseOptions"] == {"mem": "1G"}


def test_shutdown_takes_what_is_on_its_way_too(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.start(server=2)
    one.ok("POST", "databases/test/shutdown")
    assert "4" not in one.processes()
    assert one.ok("POST", "databases/test/shutdown") is None
    assert one.refused("POST", "processes", {"dbName": "test"})[0] == 409
    one.pass_time(5)
    assert one.state() == "NOT_RUNNING"
    again = lab(settings={"start_while_stopping": "accept"})
    again.ok("POST", "databases/test/shutdown")
    assert again.start()["durableState"] == "REQUESTED"


def test_a_dead_sm_among_two_leaves_the_database_usable(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.act("/die", start_id="1")
    assert one.state() == "AWAITING_ARCHIVE_HISTORIES_INC"
    one.start()
    one.pass_time(10)
    assert one.processes()["4"] == "MONITORED:RUNNING"
    one.start(1)
    one.pass_time(2)
    assert one.processes()["5"] == "MONITORED:SYNCING"
    assert one.state() == "RUNNING"
    one.pass_time(5)
    assert one.processes()["5"] == "MONITORED:RUNNING"


@pytest.mark.parametrize("te_goes", [True, False])
def test_an_sm_waits_for_the_others_of_a_group_that_is_not_served(lab: Callable[..., Lab], te_goes: bool) -> None:
    archives = {**DOWN["archives"], "2": {"db_name": "test", "server_id": "server2", "archive_path": PATH}}
    groups = {"test": {"SG": {"archive_states": {"1": "ADDED", "2": "ADDED"}}}}
    up = {"0": engine("SM", 0, 1, archive_id=0), "2": engine("TE", 0, 2)}
    one = lab(DOWN, archives=archives, storage_groups=groups, processes=up)
    assert one.state() == "AWAITING_ARCHIVE_HISTORIES_INC"
    if te_goes:
        one.stop(2)
    one.start(1)
    one.pass_time(5)
    assert one.processes()["3"] == "STARTED:UNKNOWN"
    one.start(2)
    one.pass_time(10)
    if not te_goes:  # NUODB-287
        stones = [one.tombstone(3), one.tombstone(4)]
        assert all("SM serving storage group 'SG' attempting to join a database" in row["reason"] for row in stones)
        assert {(row["exitCode"], row["process"]["durableState"]) for row in stones} == {(1, "TRACKED")}
        return
    assert {one.processes()[n] for n in ("3", "4")} == {"MONITORED:RUNNING"}
    # alone it gives up
    one = lab(DOWN, archives=archives, storage_groups=groups, processes=up)
    one.start(1)
    one.pass_time(12)
    assert one.tombstone(3)["exitCode"] == 2
    assert (one.state(), one.rules()) == ("AWAITING_ARCHIVE_HISTORIES_INC", [])


def test_without_storage_managers_those_that_sync_go_too(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.act("/die", start_id="1")
    one.start(1)
    one.pass_time(3)
    assert one.processes()["4"] == "MONITORED:SYNCING"
    one.act("/die", start_id="0")
    assert one.state() == "REQUESTED_TE_SHUTDOWN"
    one.pass_time(10)
    assert one.state() == "NOT_RUNNING"


def test_observers(lab: Callable[..., Lab]) -> None:
    one = lab()

    def observed(promote: list[str], demote: list[str]) -> list[str]:
        body = {"promoteStorageGroups": promote, "demoteStorageGroups": demote}
        one.ok("POST", "archives/modifyObserverStatus/1", body)
        return list(one.ok("GET", "archives/1")["observerStorageGroups"])

    assert observed([], ["A", "B"]) == ["A", "B"]
    assert observed(["A"], ["C"]) == ["B", "C"]
    assert observed([], ["*"]) == ["*"]
    assert observed(["*"], []) == []


def test_a_tombstone_may_carry_the_incarnation_before_it(lab: Callable[..., Lab]) -> None:
    for kind, minor in (("after", 5), ("before", 4)):
        one = lab(UP, settings={"tombstone_incarnation": kind})
        one.act("/die", start_id="3")
        assert one.tombstone(3)["databaseIncarnation"] == {"major": 1, "minor": minor}
