# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Storage groups: which archives hold them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.dbfleet.cluster.tests.unit.simulator.nuodb.conftest import Lab


def test_groups_are_added_and_removed(lab: Callable[..., Lab]) -> None:
    one = lab()

    def groups() -> dict[str, dict[str, Any]]:
        return {row["sgName"]: row for row in one.ok("GET", "databases/test/storageGroups?orderBy=sgName")["data"]}

    assert {name: row["sgId"] for name, row in groups().items()} == {"ALL": 1, "UNPARTITIONED": 2}
    body = {"dbName": "test", "sgName": "sgEast", "archiveId": "0"}
    row = one.ok("POST", "archives/addStorageGroup", body)
    assert (row["sgName"], row["sgId"], row["archiveStates"], row["state"]) == (
        "SGEAST", 10, {"0": "ADDING"}, "Available",
    )  # fmt: skip
    one.pass_time(1)
    row = groups()["SGEAST"]
    assert (row["archiveStates"], row["processStates"], row["leaderCandidates"]) == (
        {"0": "ADDED"}, {"0": "RUNNING"}, ["0"],
    )  # fmt: skip
    assert [row["sgName"] for row in one.ok("GET", "processes/0/storageGroups")["data"]][-1] == "SGEAST"
    assert one.ok("POST", "archives/addStorageGroup", {**body, "sgName": "west"})["sgId"] == 11
    row = one.ok("POST", "archives/removeStorageGroup", body)
    assert (row["state"], row["archiveStates"]) == ("PENDING_REMOVAL", {"0": "REMOVING"})
    one.pass_time(1)
    assert groups()["SGEAST"]["archiveStates"] == {}
    assert groups()["SGEAST"]["state"] == "Unavailable"
    one.ok("DELETE", "databases/test/storageGroups/sgeast")
    assert "SGEAST" not in groups()


def test_groups_wait_when_told(lab: Callable[..., Lab]) -> None:
    one = lab(clock="immediate")
    body = {"dbName": "test", "sgName": "a", "archiveId": 1}
    assert one.ok("POST", "archives/addStorageGroup?timeout=5", body)["archiveStates"] == {"1": "ADDED"}
    assert one.ok("POST", "archives/removeStorageGroup?timeout=5", body)["archiveStates"] == {}


def test_a_purged_archive_holds_nothing(lab: Callable[..., Lab]) -> None:
    one = lab(storage_groups={"test": {"a": {"sg_id": 12, "archive_states": {"1": "ADDED"}}}})
    one.act("/die", start_id="1")
    one.ok("DELETE", "archives/1?purge=True")
    rows = one.ok("GET", "databases/test/storageGroups?filterBy=sgId&sgId=12")["data"]
    assert rows[0]["archiveStates"] == {}
