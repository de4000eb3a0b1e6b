# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EXAoperation's backups: levels, expiry, dependencies, progress, restore; and backup schedules."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.simulator.conftest import UP, Lab

DB1, DB2 = "/db_DB1", "/db_DB2"
THERE: dict[str, Any] = {
    **UP,
    "volumes": {"v0003": {"kind": "archive"}},
    "remote_volumes": {"remote1": {"url": "ftp://10.0.0.9:2021/v0001"}},
}
NIGHTLY = {
    "volume": "v0003", "level": 0, "expire": "1w", "minute": "30", "hour": "3", "day": "*", "month": "*",
    "weekday": "*", "enabled": True,
}  # fmt: skip


def take(one: Lab, level: int = 0, volume: Any = "v0003", expire: str = "") -> dict[str, Any]:
    assert one.call(DB2, "backupDatabase", volume, level, expire) is None
    one.pass_time(120)
    row = dict(one.call(DB2, "getBackups")[-1])
    assert row["level"] == level
    return row


def test_a_backup_is_taken_and_seen(lab: Callable[..., Lab]) -> None:
    one = lab(THERE, timing={"backup": 100})
    one.call(DB2, "backupDatabase", "r0001", 0, "1w 3d")
    assert one.call(DB2, "getDatabaseOperation") == one.call(DB2, "getDatabaseInfo")["operation"] == "Backup"
    one.pass_time(50)
    (progress,) = one.call(DB2, "getPddProgress")
    assert (progress["Type"], progress["Volume ID"]) == ("Backup", 10001)
    assert 50 <= progress["Progress"] < 60
    assert one.call(DB2, "getBackups") == one.call(DB2, "getBackupList") == []
    one.pass_time(50)
    assert (one.call(DB2, "getDatabaseOperation"), one.call(DB2, "getPddProgress")) == ("None", [])
    (row,) = one.call(DB2, "getBackups")
    taken = time.localtime(one.cluster.databases["DB2"].history.all[0].taken)
    stamp = time.strftime("%Y%m%d%H%M", taken)
    path = f"DB2/id_1/level_0/node_0/backup_{stamp}"
    expire = row.pop("expire")
    assert row == {
        "bid": 1, "comment": "", "dependencies": "-", "expire_alterable": "10001 DB2/id_1/level_0", "expired": False,
        "id": f"10001 {path} DB2", "last_item": True, "level": 0, "path": path, "system": "DB2",
        "timestamp": time.strftime("%Y-%m-%d %H:%M", taken), "ts": stamp, "usable": True, "usage": "0.001 GiB",
        "volume": "r0001",
    }  # fmt: skip
    left = time.mktime(time.strptime(expire, "%Y-%m-%d %H:%M")) - time.time()
    assert abs(left - 10 * 86400) < 120
    assert one.call(DB2, "getBackupList") == [[1, 10001]]
    for wanted in (1, row["timestamp"], [1, "r0001"], [1, 10001]):
        assert one.call(DB2, "getBackupInfo", wanted) == {
            "usable": True, "id": 1, "volume": ["r0001"], "dependencies": [], "timestamp": row["timestamp"],
            "expire date": expire, "files": [f"{path}.{node}" for node in range(3)],
        }  # fmt: skip
    for wanted in (2, [1, "v0003"]):
        assert "could not be found" in one.refused(DB2, "getBackupInfo", wanted)


@pytest.mark.parametrize("volume", ["v0003", 3, "r0001", 10001, "remote1"])
def test_a_volume_may_be_named_or_numbered(lab: Callable[..., Lab], volume: Any) -> None:
    assert take(lab(THERE), volume=volume)["volume"] == ("v0003" if volume in ("v0003", 3) else "r0001")


def test_what_a_backup_refuses(lab: Callable[..., Lab]) -> None:
    one = lab(THERE)
    assert one.refused(DB1, "backupDatabase", "v0003", 0, "") == "Database DB1 is not running"
    for volume in ("v0009", "v0001", 2, "x", None):  # data volumes among them
        assert one.refused(DB2, "backupDatabase", volume, 0, "") == "Volume could not be found"
    assert "level can not be 10" in one.refused(DB2, "backupDatabase", "v0003", 10, "")
    assert "level can not be 0" in one.refused(DB2, "backupDatabase", "v0003", "0", "")
    assert "expire can not be soon" in one.refused(DB2, "backupDatabase", "v0003", 0, "soon")
    assert "no usable backup of a lower level" in one.refused(DB2, "backupDatabase", "v0003", 1, "")
    one.cluster.remote_volumes.press({"volume": "r0001", "node": "n0012", "state": "broken"})
    assert one.refused(DB2, "backupDatabase", "r0001", 0, "") == "Remote volume r0001 is not online"
    assert one.refused(DB2, "abortBackup") == "No backup of database DB2 is running"
    one.call(DB2, "startStorageBackup", 3, 0, "")
    assert one.refused(DB2, "backupDatabase", "v0003", 0, "") == "Database DB2 is busy with operation Backup"
    one.call(DB2, "abortBackup")
    one.pass_time(500)
    assert one.call(DB2, "getBackups") == []
    assert one.rules() == []


def test_levels_build_on_each_other(lab: Callable[..., Lab]) -> None:
    one = lab(THERE)
    base, first, second = take(one), take(one, 1), take(one, 2)
    assert [row["dependencies"] for row in (base, first, second)] == ["-", "1", "1, 2"]
    assert one.call(DB2, "getBackupInfo", 3)["dependencies"] == [1, 2]
    assert "could not be found" in one.refused(DB2, "deleteBackups", [base["id"], "gone"])
    assert len(one.call(DB2, "getBackups")) == 3
    one.call(DB2, "deleteBackups", [first["id"]])
    assert one.rules() == [("backup-base-deleted", first["id"])]
    assert [row["usable"] for row in one.call(DB2, "getBackups")] == [True, False]
    one.call(DB1, "deleteUnusableBackups")
    assert len(one.call(DB2, "getBackups")) == 2
    one.call(DB1, "deleteUnusableBackups", True)
    assert [row["bid"] for row in one.call(DB2, "getBackups")] == [1]


def test_a_base_may_be_kept(lab: Callable[..., Lab]) -> None:
    one = lab(THERE, settings={"delete_backup_base": "refuse"})
    base, first = take(one), take(one, 1)
    assert "needed by other backups" in one.refused(DB2, "deleteBackups", [base["id"]])
    one.call(DB2, "deleteBackups", [base["id"], first["id"]])
    assert one.call(DB2, "getBackups") == []


def test_expiry(lab: Callable[..., Lab]) -> None:
    one = lab(THERE)
    row = take(one, expire="1w")
    change = (3, "DB2/id_1/level_0")
    one.call(DB2, "changeBackupExpiration", *change, 2064900000)
    shown = time.strftime("%Y-%m-%d %H:%M", time.localtime(2064900000))
    assert one.call(DB2, "getBackups")[0]["expire"] == shown
    one.call(DB2, "changeBackupExpiration", *change, 0)
    assert one.call(DB2, "getBackups")[0]["expire"] == ""
    assert "could not be found" in one.refused(DB2, "changeBackupExpiration", 4, change[1], 0)
    assert "can not be tomorrow" in one.refused(DB2, "changeBackupExpiration", *change, "tomorrow")
    assert one.rules() == []
    one.call(DB2, "changeBackupExpiration", *change, 1000)
    assert one.rules() == [("backup-expired-at-once", row["id"])]
    assert one.call(DB2, "getBackups", False, False) == []
    assert one.call(DB2, "getBackups")[0]["expired"] is True
    take(one)
    assert [row["bid"] for row in one.call(DB2, "getBackups")] == [2]


def test_backups_of_others(lab: Callable[..., Lab]) -> None:
    row = {"bid": 7, "volume": "remote1", "system": "exa_old", "timestamp": "2026-07-08 14:05"}
    one = lab(THERE, backups={"DB1": [row]})
    assert (one.call(DB1, "getBackups"), one.call(DB1, "getBackupList")) == ([], [])
    (foreign,) = one.call(DB2, "getBackups", True)
    assert foreign["id"] == "10001 exa_old/id_7/level_0/node_0/backup_202607081405 exa_old"
    one.call(DB1, "restoreDatabase", foreign["id"], "blocking")
    one.pass_time(1000)
    assert one.database("DB1") == "running"


def test_a_backup_that_fails(lab: Callable[..., Lab]) -> None:
    one = lab(THERE)
    one.fault(kind="fails_backup", object="DB2", text="no space left")
    one.call(DB2, "backupDatabase", "v0003", 0, "")
    one.pass_time(500)
    assert (one.call(DB2, "getBackups"), one.call(DB2, "getDatabaseOperation")) == ([], "None")
    assert one.call("/logservice1", "logEntries")[2][0]["message"] == "no space left"


@pytest.mark.parametrize("kind", ["blocking", "nonblocking", "virtual access"])
def test_restore(lab: Callable[..., Lab], kind: str) -> None:
    one = lab(THERE, timing={"database_start": 50, "restore": 100})
    backup = take(one)["id"]
    assert one.refused(DB2, "restoreDatabase", backup, kind) == "Database DB2 is not offline"
    one.call(DB2, "stopDatabase")
    one.pass_time(100)
    assert "can not be quick" in one.refused(DB2, "restoreDatabase", backup, "quick")
    assert one.call(DB2, "restoreDatabase", backup, kind) is None
    one.pass_time(60)
    busy = "None" if kind == "virtual access" else "Restore"
    info = one.call(DB2, "getDatabaseInfo")
    assert (info["state"], info["operation"]) == ("startup" if kind == "blocking" else "running", busy)
    assert [row["Type"] for row in one.call(DB2, "getPddProgress")] == ([] if busy == "None" else ["Restore"])
    one.pass_time(120)
    info = one.call(DB2, "getDatabaseInfo")
    assert (info["state"], info["operation"], info["connectible"]) == ("running", "None", "Yes")
    assert one.rules() == []


def test_a_restore_that_fails(lab: Callable[..., Lab]) -> None:
    one = lab(THERE, backups={"DB1": [{"volume": "v0003"}, {"volume": "v0003", "usable": False}]})
    one.fault(kind="fails_backup", object="DB1", text="checksum")
    good, bad = [row["id"] for row in one.call(DB1, "getBackups")]
    assert "is not usable" in one.refused(DB1, "restoreDatabase", bad, "blocking")
    one.call(DB1, "restoreDatabase", good, "blocking")
    one.pass_time(1000)
    assert (one.database("DB1"), one.call(DB1, "getCurrentErrors")) == ("setup", ["checksum"])
    assert one.call(DB1, "getDatabaseOperation") == "None"


def test_a_stop_during_a_backup(lab: Callable[..., Lab]) -> None:
    one = lab(THERE)
    one.call(DB2, "backupDatabase", "v0003", 0, "")
    assert "can't be stopped during operation Backup" in one.refused(DB2, "stopDatabase")
    assert one.rules() == [("database-stopped-during-operation", "DB2")]


def test_a_backup_by_polls(lab: Callable[..., Lab]) -> None:
    one = lab(THERE, "polls:3")
    one.call(DB2, "backupDatabase", "v0003", 0, "")
    operations = [one.call(DB2, "getDatabaseOperation") for _turn in range(4)]
    assert operations == ["Backup", "Backup", "Backup", "None"]


# -- schedules -------------------------------------------------------------------------------------------------


def test_schedules_are_set_as_a_whole(lab: Callable[..., Lab]) -> None:
    one = lab(THERE)
    assert one.call(DB2, "getBackupSchedule") == []
    assert one.call(DB2, "setBackupSchedule", [NIGHTLY, {"volume": "remote1", "level": 1}]) is None
    second = {**NIGHTLY, "volume": "r0001", "level": 1, "expire": "", "minute": "0", "hour": "*"}
    assert one.call(DB2, "getBackupSchedule") == [NIGHTLY, second]
    for change, text in (
        ({"volume": "v0009"}, "Volume could not be found"),
        ({"hour": "24"}, "hour can not be 24"),
        ({"level": -1}, "level can not be -1"),
        ({"expire": "x"}, "expire can not be x"),
        ({"name": "nightly"}, "Unknown field name"),
    ):
        assert text in one.refused(DB2, "setBackupSchedule", [{**NIGHTLY, **change}])
    assert "Required field level" in one.refused(DB2, "setBackupSchedule", [{"volume": "v0003"}])
    assert len(one.call(DB2, "getBackupSchedule")) == 2
    assert one.refused("", "deleteSubObject", "remote1") == "Volume r0001 is in use"
    one.call(DB2, "setBackupSchedule", [])
    assert one.call(DB2, "getBackupSchedule") == []


def test_schedules_as_lists(lab: Callable[..., Lab]) -> None:
    one = lab(THERE, settings={"schedule_form": "list"}, schedules={"DB2": {"nightly": NIGHTLY}})
    assert one.call(DB2, "getBackupSchedule") == [list(NIGHTLY.values())]
    one.call(DB2, "setBackupSchedule", [list(NIGHTLY.values())] * 2)
    assert len(one.call(DB2, "getBackupSchedule")) == 2
    assert "schedule can not be" in one.refused(DB2, "setBackupSchedule", [[1, 2]])


@pytest.mark.parametrize(
    ("when", "found"),
    [
        ({}, 7),
        ({"hour": "*/6"}, 28),
        ({"hour": "3-5,22"}, 28),
        ({"weekday": "sunday"}, 1),
        ({"weekday": "0,7"}, 1),
        ({"weekday": "1-5"}, 5),
        ({"enabled": False}, 0),
    ],
)
def test_next_schedules(lab: Callable[..., Lab], when: dict[str, Any], found: int) -> None:
    one = lab(THERE, schedules={"DB2": [{**NIGHTLY, **when}]})
    rows = one.call(DB2, "getNextSchedules")
    assert len(rows) == found
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert all(row[0].endswith(":30") and row[1]["volume"] == "v0003" for row in rows)
