# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""Backups: levels, expiry, dependencies, progress, restore; and backup schedules."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.simulator.exasol.confd.conftest import Lab

THERE = {"db_name": "DB1", "backup_volume_name": "RemoteVolume1"}


def take(one: Lab, level: int = 0, **more: Any) -> dict[str, Any]:
    one.ok("db_backup_start", **{**THERE, "level": level, **more})
    one.pass_time(200)
    rows = one.ok("db_backup_list", db_name="DB1")
    assert rows[-1]["level"] == level
    return dict(rows[-1])


def test_a_backup_is_taken_and_seen(lab: Callable[..., Lab]) -> None:
    one = lab(timing={"backup": 100})
    one.ok("db_backup_start", backup_volume_id=10001, db_name="DB1", level=0, expire="1w 3d")
    assert one.ok("db_info", db_name="DB1")["operation"] == "Backup"
    one.pass_time(50)
    progress = one.ok("db_backup_progress", db_name="DB1")
    assert (progress["Type"], progress["Comment"]) == ("Backup", "Backup has been started")
    assert 50 <= progress["Progress"] < 60
    assert one.ok("db_backup_list", db_name="DB1") == []
    one.pass_time(50)
    assert one.ok("db_backup_progress", db_name="DB1")["Progress"] == 100
    (row,) = one.ok("db_backup_list", db_name="DB1")
    stamp = time.strftime("%Y%m%d%H%M", time.localtime(one.cluster.databases["DB1"].history.all[0].taken))
    path = f"DB1/id_1/level_0/node_0/backup_{stamp}"
    assert (row["id"], row["path"], row["ts"]) == (f"10001 {path} DB1", path, stamp)
    assert row["expire_alterable"] == "10001 DB1/id_1/level_0"
    assert (row["dependencies"], row["usable"], row["expired"], row["last_item"]) == ("-", True, False, True)
    left = time.mktime(time.strptime(row["expire"], "%Y-%m-%d %H:%M")) - time.time()
    assert abs(left - 10 * 86400) < 120


def test_expiry_in_both_forms(lab: Callable[..., Lab]) -> None:
    new = lab()
    backup = take(new)
    change = {"backup_files": "DB1/id_1/level_0", "backup_volume_name": "RemoteVolume1"}
    new.ok("db_backup_change_expiration", **change, expire_time="2035-06-07 08:09:10")
    assert new.ok("db_backup_list", db_name="DB1")[0]["expire"] == "2035-06-07 08:09"
    new.ok("db_backup_change_expiration", **change, expire_time="")
    assert new.ok("db_backup_list", db_name="DB1")[0]["expire"] == ""
    assert "must be of type str" in new.refused("db_backup_change_expiration", **change, expire_time=2064900000)
    assert "tomorrow" in new.refused("db_backup_change_expiration", **change, expire_time="tomorrow")
    assert new.rules() == []
    new.ok("db_backup_change_expiration", **change, expire_time="2001-01-01 00:00:00")
    assert new.rules() == [("backup-expired-at-once", backup["id"])]
    old = lab(settings={"parameter_names": "6.2"})
    take(old, expire_time="10d")
    old.ok("db_backup_change_expiration", **change, expire_time=2064900000)
    moment = time.strftime("%Y-%m-%d %H:%M", time.localtime(2064900000))
    assert old.ok("db_backup_list", db_name="DB1")[0]["expire"] == moment
    assert "unknown parameter expire" in old.refused("db_backup_start", **THERE, level=0, expire="10d")


def test_levels_build_on_each_other(lab: Callable[..., Lab]) -> None:
    one = lab()
    text = "Database DB1 has no usable backup of a lower level on volume RemoteVolume1"
    assert one.refused("db_backup_start", **THERE, level=1) == text
    base, first, second = take(one), take(one, 1), take(one, 2)
    assert [row["dependencies"] for row in (base, first, second)] == ["-", "1", "1, 2"]
    one.ok("db_backups_delete", db_name="DB1", backup_list=[first["id"]])
    assert one.rules() == [("backup-base-deleted", first["id"])]
    assert [row["usable"] for row in one.ok("db_backup_list", db_name="DB1")] == [True, False]
    one.ok("db_stop", db_name="DB1", force=True)
    assert "is not usable" in one.refused("db_restore", db_name="DB1", backup_id=second["id"], restore_type="blocking")
    one.ok("db_backup_delete_unusable", db_name="DB1")
    assert [row["bid"] for row in one.ok("db_backup_list", db_name="DB1")] == [1]
    assert "could not be found" in one.refused("db_backups_delete", db_name="DB1", backup_list=["gone"])


def test_those_of_another_system_are_shown_when_asked_for(lab: Callable[..., Lab]) -> None:
    row = {"volume": "RemoteVolume1", "level": 0, "timestamp": "2026-05-01 10:00"}
    one = lab(backups={"DB1": [{**row, "bid": 1}, {**row, "bid": 2, "system": "DB9", "usable": False}]})
    assert [row["bid"] for row in one.ok("db_backup_list", db_name="DB1")] == [1]
    one.ok("db_backup_delete_unusable", db_name="DB1")
    assert [row["bid"] for row in one.ok("db_backup_list", db_name="DB1", show_foreign=True)] == [1, 2]


def test_a_base_may_be_kept(lab: Callable[..., Lab]) -> None:
    one = lab(settings={"delete_backup_base": "refuse"})
    base, first = take(one), take(one, 1)
    assert "needed by other backups" in one.refused("db_backups_delete", db_name="DB1", backup_list=[base["id"]])
    one.forgive()
    one.ok("db_backups_delete", db_name="DB1", backup_list=[base["id"], first["id"]])
    assert one.ok("db_backup_list", db_name="DB1") == []


def test_what_a_backup_refuses(lab: Callable[..., Lab]) -> None:
    one = lab()
    assert "is not running" in one.refused("db_backup_start", **{**THERE, "db_name": "DB2"}, level=0)
    assert "could not be found" in one.refused("db_backup_start", db_name="DB1", backup_volume_name="x", level=0)
    assert "level can not be 10" in one.refused("db_backup_start", **THERE, level=10)
    assert "expire can not be soon" in one.refused("db_backup_start", **THERE, level=0, expire="soon")
    assert "No backup" in one.refused("db_backup_abort", db_name="DB1")
    one.ok("db_backup_start", **THERE, level=0)
    assert "busy with operation Backup" in one.refused("db_backup_start", **THERE, level=0)
    one.ok("db_backup_abort", db_name="DB1")
    assert one.ok("db_backup_progress", db_name="DB1")["Comment"] == "Backup has been aborted"
    one.pass_time(500)
    assert one.ok("db_backup_list", db_name="DB1") == []


def test_a_backup_that_fails(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.fault(kind="fails_backup", object="DB1", text="no space left")
    one.ok("db_backup_start", **THERE, level=0)
    one.pass_time(500)
    assert one.ok("db_backup_list", db_name="DB1") == []
    progress = one.ok("db_backup_progress", db_name="DB1")
    assert (progress["Comment"], progress["Progress"] < 100) == ("no space left", True)


@pytest.mark.parametrize("kind", ["blocking", "nonblocking", "virtual access"])
def test_restore(lab: Callable[..., Lab], kind: str) -> None:
    any_type = {"remote_restore": "any"}
    one = lab(timing={"database_start": 50, "restore": 100, "backup": 10}, settings=any_type)
    backup = take(one)
    assert one.refused("db_restore", db_name="DB1", backup_id=backup["id"], restore_type=kind) == (
        "Database DB1 is not offline"
    )
    one.ok("db_stop", db_name="DB1", force=True)
    assert "can not be quick" in one.refused("db_restore", db_name="DB1", backup_id=backup["id"], restore_type="quick")
    params = {"db_name": "DB1", "backup_id": backup["id"], "restore_type": kind}
    job = one.call("job_start", "db_restore", {"params": params})
    one.pass_time(60)
    assert one.call("job_finished", job) is (kind != "blocking")
    info = one.ok("db_info", db_name="DB1")
    busy = "None" if kind == "virtual access" else "Restore"
    assert (info["state"], info["operation"]) == ("startup" if kind == "blocking" else "running", busy)
    one.pass_time(120)
    assert one.call("job_result", job)["result_code"] == 0
    info = one.ok("db_info", db_name="DB1")
    assert (info["state"], info["operation"]) == ("running", "None")


def test_a_restore_that_fails(lab: Callable[..., Lab]) -> None:
    one = lab()
    backup = take(one)
    one.ok("db_stop", db_name="DB1", force=True)
    one.fault(kind="fails_backup", object="DB1", text="checksum error")
    params = {"db_name": "DB1", "backup_id": backup["id"], "restore_type": "blocking"}
    job = one.call("job_start", "db_restore", {"params": params})
    one.pass_time(1000)
    assert one.call("job_result", job)["result_desc"] == "checksum error"
    assert one.ok("db_state", db_name="DB1") == "setup"


def test_a_topology_brings_backups(lab: Callable[..., Lab]) -> None:
    row = {"bid": 11, "volume": "RemoteVolume1", "timestamp": "2020-07-07 14:05"}
    one = lab(
        backups={"DB1": [row, {**row, "bid": 12, "level": 1, "dependencies": "11", "expire": "2021-01-01 00:00"}]}
    )
    first, second = one.ok("db_backup_list", db_name="DB1")
    assert first["id"] == "10001 DB1/id_11/level_0/node_0/backup_202007071405 DB1"
    assert (second["expired"], second["dependencies"], second["usable"]) == (True, "11", True)
    assert take(one)["bid"] == 13
    assert [row["bid"] for row in one.ok("db_backup_list", db_name="DB1")] == [11, 13]  # the expired one went


def test_schedules(lab: Callable[..., Lab]) -> None:
    one = lab()
    named = {"db_name": "DB1", "backup_name": "weekly"}
    add = {**named, "backup_volume_name": "RemoteVolume1", "level": 0, "expire": "1w", "hour": 3, "weekday": "Sunday"}
    assert one.run("db_backup_add_schedule", **add)["result_revision"] == 2
    shown = one.ok("db_info", db_name="DB1")["config"]["backups"]
    assert shown == {
        "weekly": {
            "volume": "RemoteVolume1", "level": 0, "expire": 604800, "minute": "0", "hour": "3", "day": "*",
            "month": "*", "weekday": "Sunday", "enabled": True,
        }
    }  # fmt: skip
    assert "exists already" in one.refused("db_backup_add_schedule", **add)
    assert "hour can not be 24" in one.refused("db_backup_modify_schedule", **named, hour="24")
    one.ok("db_backup_modify_schedule", **named, enabled=False, minute="30", expire=7200)
    changed = one.ok("db_info", db_name="DB1")["config"]["backups"]["weekly"]
    assert changed["expire"] == 7200
    assert (changed["enabled"], changed["minute"], changed["hour"]) == (False, "30", "3")
    assert "is in use" in one.refused("remote_volume_remove", remote_volume_name="RemoteVolume1")
    one.ok("db_stop", db_name="DB1", force=True)
    assert "is not running" in one.refused("db_backup_modify_schedule", **named, enabled=True)
    one.ok("db_backup_remove_schedule", **named)
    assert "could not be found" in one.refused("db_backup_remove_schedule", **named)


SHARED: dict[str, Any] = {
    "databases": {"DB1": {"state": "running"}, "DB3": {"state": "setup", "data_volume_name": "DataVolume1"}},
    "volumes": {"DataVolume1": {}, "Arch": {"type": "archive"}},
    "backups": {
        name: [{"bid": 11, "volume": "RemoteVolume1"}, {"bid": 12, "volume": "Arch"}] for name in ("DB1", "DB3")
    },
}


def usable(one: Lab) -> list[bool]:
    return [row["usable"] for row in one.ok("db_backup_list", db_name="DB1")]


@pytest.mark.parametrize("kind", ["blocking", "nonblocking", "virtual access"])
def test_nothing_is_restored_into_a_volume_in_use(lab: Callable[..., Lab], kind: str) -> None:
    one = lab(**SHARED, settings={"remote_restore": "any"})
    restore = {"db_name": "DB3", "backup_id": one.ok("db_backup_list", db_name="DB3")[0]["id"], "restore_type": kind}
    assert one.refused("db_restore", **restore) == "Could not start database DB3: data volume is in use"
    assert one.rules() == [("restored-into-used-volume", "DB3")]
    one.ok("db_stop", db_name="DB1", force=True)
    one.ok("st_volume_lock", vname="DataVolume1")
    assert one.refused("db_restore", **restore) == "Volume DataVolume1 is locked"
    one.ok("st_volume_unlock", vname="DataVolume1")
    one.ok("st_volume_set_io_status", vname="DataVolume1", app_io=False, int_io=True)
    assert one.run("db_restore", **restore)["result_name"] == "STE_AGAIN"


def test_a_backup_is_as_good_as_its_volume(lab: Callable[..., Lab]) -> None:
    one = lab(**SHARED)
    arch = {"db_name": "DB1", "backup_volume_name": "Arch", "level": 0}
    first, second = one.ok("db_backup_list", db_name="DB1")
    assert usable(one) == [True, True]
    one.act("/remote", volume="RemoteVolume1", node="n12", state="broken")
    assert usable(one) == [False, True]
    one.act("/remote", volume="RemoteVolume1", state="online")
    one.ok("st_volume_lock", vname="Arch")
    assert usable(one) == [True, False]
    assert one.refused("db_backup_start", **arch) == "Volume Arch is locked"
    one.ok("st_volume_unlock", vname="Arch")
    one.ok("st_volume_set_io_status", vname="Arch", app_io=False, int_io=True)
    assert one.run("db_backup_start", **arch)["result_name"] == "STE_AGAIN"
    one.ok("st_volume_set_io_status", vname="Arch", app_io=True, int_io=True)
    assert usable(one) == [True, True]
    assert one.rules() == []
    one.ok("remote_volume_remove", remote_volume_name="RemoteVolume1")
    assert usable(one) == [False, True]
    one.ok("db_stop", db_name="DB1", force=True)
    restore = {"db_name": "DB1", "restore_type": "blocking"}
    text = "Volume RemoteVolume1 could not be found"
    assert one.refused("db_restore", **restore, backup_id=first["id"]) == text
    one.act("/power", node="n12", on=False)
    assert one.refused("db_restore", **restore, backup_id=second["id"]) == "Volume Arch is not online"
    one.act("/power", node="n12", on=True)
    one.pass_time(1000)
    one.ok("st_volume_delete", vname="Arch")
    assert usable(one) == [False]
    broken = ["volume-with-backups-removed", "database-stopped-by-force", "volume-with-backups-removed"]
    assert [rule for rule, _name in one.rules()] == broken
    lax = lab(**SHARED, settings={"unreachable_backups": "usable"})
    lax.ok("remote_volume_remove", remote_volume_name="RemoteVolume1")
    assert usable(lax) == [True, True]


def test_a_backup_fails_where_its_volume_is_gone_before_its_end(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.ok("db_backup_start", **THERE, level=0)
    one.act("/remote", volume="RemoteVolume1", state="broken")
    one.pass_time(500)
    assert one.ok("db_backup_list", db_name="DB1") == []
    progress = one.ok("db_backup_progress", db_name="DB1")
    assert progress["Comment"] == "Backup has failed: Remote volume RemoteVolume1 is not online"
    assert progress["Progress"] < 100


def test_what_a_restore_type_asks_of_a_backup(lab: Callable[..., Lab]) -> None:
    """A volume of the cluster, and for virtual access that nothing of the backup's set expires."""
    one = lab(**SHARED, settings={"restore_waits": False})
    far, near = (row["id"] for row in one.ok("db_backup_list", db_name="DB1"))
    one.ok("db_stop", db_name="DB1", force=True)
    for kind in ("nonblocking", "virtual access"):
        said = one.refused("db_restore", db_name="DB1", backup_id=far, restore_type=kind)
        assert said == f"Restore type {kind} is not supported for remote volume RemoteVolume1"
    history = one.cluster.databases["DB1"].history
    history.all[1].expires = one.cluster.clock.wall() + 1000
    asked = {"db_name": "DB1", "backup_id": near, "restore_type": "virtual access"}
    assert one.refused("db_restore", **asked) == f"Backup {near} has an expiration date"
    history.all[1].expires = None
    one.ok("db_restore", **asked)
