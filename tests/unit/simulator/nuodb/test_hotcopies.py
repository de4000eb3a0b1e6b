# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hot copies: three stages, then completed; or failed, or cancelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.simulator.nuodb.conftest import Lab

FULL = {"type": "full", "shared": False, "backupSetDirs": {}, "defaultBackupSetDir": "/b", "checkContainsAllSgs": True}


def copy(one: Lab, **changes: Any) -> dict[str, Any]:
    return dict(one.ok("POST", "databases/test/hotCopy", {**FULL, **changes}))


def status(one: Lab, row: dict[str, Any], more: str = "") -> dict[str, Any]:
    path = f"databases/hotCopyStatus?coordinatorStartId={row['coordinatorStartId']}&hotCopyId={row['hotCopyId']}{more}"
    return dict(one.send("GET", path).json)


def test_three_stages(lab: Callable[..., Lab]) -> None:
    one = lab()
    row = copy(one)
    assert (row["status"], row["stage"], row["message"], row["coordinatorStartId"]) == (
        "running", 1, "Stage1: Begin", "0",
    )  # fmt: skip
    assert "endTimestamp" not in row
    assert row["uri"].endswith(f"hotCopyStatus?coordinatorStartId=0&hotCopyId={row['hotCopyId']}")
    one.pass_time(7)
    assert status(one, row)["stage"] == 2
    one.pass_time(7)
    assert status(one, row)["stage"] == 3
    one.pass_time(7)
    done = status(one, row)
    assert (done["status"], done["message"], done["stage"]) == ("completed", "Hot copy successfully completed", 3)
    assert len(done["endTimestamp"]) == len(done["beginTimestamp"]) == len("2021-05-19 09:04:06")
    assert done["destinationDirectory"] == row["destinationDirectory"] == "/b/tmp/full/data"
    for kind, part in (("incremental", "1.inc"), ("journal", "1.jnl"), ("incremental", "2.inc")):
        later = copy(one, type=kind)
        assert (later["status"], later["destinationDirectory"]) == ("running", f"/b/tmp/{part}/data")
    one.refused("POST", "databases/test/hotCopy", {**FULL, "type": "incremental", "defaultBackupSetDir": "/other"})
    free = lab(settings={"incremental_needs_full": False})
    assert copy(free, type="incremental")["status"] == "running"


def test_directories(lab: Callable[..., Lab]) -> None:
    one = lab()
    shared = copy(one, shared=True)
    assert shared["destinationDirectory"] == "/b/0/tmp/full/data"
    body = {"backupLocations": {"1": {"copyArchiveDir": "/s", "copyJournalDir": "/j"}}, "maxRate": "10000000"}
    simple = one.ok("POST", "databases/test/hotCopySimple", body)
    assert (simple["destinationDirectory"], simple["coordinatorStartId"]) == ("/s.incomplete", "1")
    one.pass_time(30)
    assert status(one, simple)["destinationDirectory"] == "/s"
    given = lab(settings={"simple_hotcopy_path": "given"})
    assert given.ok("POST", "databases/test/hotCopySimple", body)["destinationDirectory"] == "/s"
    body = {"defaultBackupLocation": {"copyArchiveDir": "/s"}}
    assert one.ok("POST", "databases/test/hotCopySimple", body)["coordinatorStartId"] == "0"


def test_a_journal_copy_waits_for_the_full_one_of_its_set(lab: Callable[..., Lab]) -> None:
    one = lab()
    copy(one)
    text = "Full or incremental hot copy must be completed before journal hot copy"
    assert text in one.refused("POST", "databases/test/hotCopy", {**FULL, "type": "journal"})[1]
    assert "No completed full" in one.refused("POST", "databases/test/hotCopy", {**FULL, "type": "incremental"})[1]
    one.pass_time(30)
    assert copy(one, type="journal")["status"] == "running"


def test_only_one_full_copy_of_an_archive_at_a_time(lab: Callable[..., Lab]) -> None:
    one = lab()
    copy(one, backupSetDirs={"0": "/b"}, defaultBackupSetDir=None)
    assert copy(one, backupSetDirs={"1": "/b"}, defaultBackupSetDir=None)["coordinatorStartId"] == "1"
    assert "Only one full hot copy" in one.refused("POST", "databases/test/hotCopy", FULL)[1]


def test_waiting_and_cancelling(lab: Callable[..., Lab]) -> None:
    one = lab(clock="immediate")
    assert copy(one, timeoutSec=5)["status"] == "completed"
    one = lab(clock="seconds:0.0001")
    reply = one.send("POST", "databases/test/hotCopy", {**FULL, "timeoutSec": 1})
    row = reply.json
    assert (reply.status, row["status"], "code" in row) == (408, "running", False)
    assert status(one, row, "&timeoutSec=1")["status"] == "running"
    path = f"databases/cancelHotCopy?coordinatorStartId=0&hotCopyId={row['hotCopyId']}"
    assert one.ok("POST", path)["status"] == "cancelled"
    assert one.ok("POST", path)["status"] == "cancelled"
    assert status(one, row, "&timeoutSec=1")["status"] == "cancelled"


def test_lists_of_copies(lab: Callable[..., Lab]) -> None:
    one = lab(settings={"hotcopy_told_by": "coordinator"})
    row = copy(one)
    found = one.ok("GET", "databases/test/hotCopyStatus")
    assert found["errors"] == {}
    assert {key: len(rows) for key, rows in found["hotCopyStatuses"].items()} == {"0": 1, "1": 0}
    assert one.ok("GET", "databases/hotCopyStatus?coordinatorStartId=0")["hotCopyStatuses"]["0"][0] == row
    recent = one.ok("GET", "databases/test/hotCopyStatus?minSecondsRunning=10")
    assert recent["hotCopyStatuses"]["0"] == []
    one.pass_time(12)
    assert len(one.ok("GET", "databases/test/hotCopyStatus?minSecondsRunning=10")["hotCopyStatuses"]["0"]) == 1


def test_a_copy_fails(lab: Callable[..., Lab]) -> None:
    one = lab()
    row = copy(one)
    one.act("/die", start_id="1")
    assert (status(one, row)["status"], status(one, row)["message"]) == (
        "failed", "Hot copy failed: Node 2: Engine exited",
    )  # fmt: skip
    one.fault(kind="fails_hotcopy", object="test", text="No space left on device")
    row = copy(one)
    one.pass_time(10)
    assert status(one, row)["message"] == "Hot copy failed: No space left on device"
    one = lab()
    row = copy(one)
    one.fault(kind="fails_hotcopy", object="test")
    one.pass_time(10)
    assert status(one, row)["message"] == (
        "Hot copy failed: Node 1: /b/tmp/full/data: File read failed: No space left on device"
    )


@pytest.mark.parametrize(("told_by", "sms"), [("every", ["0", "1"]), ("coordinator", ["0"])])
def test_who_tells_of_it(lab: Callable[..., Lab], told_by: str, sms: list[str]) -> None:
    one = lab(settings={"hotcopy_told_by": told_by})
    copy(one, shared=True)
    found = one.ok("GET", "databases/test/hotCopyStatus")["hotCopyStatuses"]
    said = {sm: [row["destinationDirectory"] for row in rows] for sm, rows in found.items() if rows}
    assert said == {sm: [f"/b/{sm}/tmp/full/data"] for sm in sms}
    assert {row["coordinatorStartId"] for rows in found.values() for row in rows} == {"0"}


def test_an_sm_that_takes_no_part_tells_of_nothing(lab: Callable[..., Lab]) -> None:
    one = lab()
    copy(one, backupSetDirs={"1": "/b"}, defaultBackupSetDir=None)
    found = one.ok("GET", "databases/test/hotCopyStatus")["hotCopyStatuses"]
    assert [sm for sm, rows in found.items() if rows] == ["1"]
