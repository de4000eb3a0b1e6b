# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ConfD's backups at the wire: what is sent for each change, by old and new names, and what becomes of odd answers."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    ClusterError,
    Fault,
    Garbled,
    NoSuchObject,
    Refused,
    Unsupported,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.backups import (
    ArchiveVolume,
    Backup,
    Progress,
    Schedule,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.backups import ConfdBackups
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.jobs_under_way import JobsUnderWay
from ansible_collections.dbfleet.cluster.tests.answers import fixtures
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.fake_nodes import Nodes, failed, result

BERLIN = ZoneInfo("Europe/Berlin")

ROW = {
    "bid": 11, "comment": "", "dependencies": "-", "expire": "", "expire_alterable": "10001 DB1/id_11/level_0",
    "expired": False, "id": "10001 DB1/id_11/level_0/node_0/backup_202007071405 DB1", "last_item": True, "level": 0,
    "path": "DB1/id_11/level_0/node_0/backup_202007071405", "system": "DB1", "timestamp": "2020-07-07 14:05",
    "ts": "202007071405", "usable": True, "usage": "0.001 GiB", "volume": "RemoteVolume1",
}  # fmt: skip
"""As the document of 6.2 prints it (CONFD-86)."""

BACKUP = Backup.of(ROW)
assert BACKUP

REMOTE = {"name": "RemoteVolume1", "owner": "root", "type": "s3", "url": "https://b", "vid": "10001"}
LOCAL = {"id": "3", "name": "Archive1", "labels": ["#Name#Archive1"], "state": "ONLINE", "type": "MASTER"}
DATA = {"id": "0", "name": "DataVolume1", "labels": ["#Name#DataVolume1", "pub:DB1_persistent"], "state": "ONLINE"}

VOLUME = ArchiveVolume("RemoteVolume1", 10001)

WEEK = "After how long it expires, like '1w 3d'."


def desc(mandatory: str = "", optional: str = "", **texts: str) -> list[Any]:
    """What job_desc says of a job: names with a sign of their type, as C(level#)."""

    def table(names: str) -> dict[str, Any]:
        rows = {}
        for word in names.split():
            kind = {"#": "int", "*": "list", "?": "bool"}.get(word[-1], "str")
            name = word.rstrip("#*?")
            rows[name] = {"desc": texts.get(name, ""), "type": f"<class '{kind}'>"}
        return rows

    places = {"backup_volume_id": ["backup_volume_name"]} if "backup_volume_id" in mandatory else {}
    return [True, ["", table(mandatory), table(optional), places, ["root"], ["root"]]]


PLACE = "db_name backup_volume_id# level#"
TIMES = "minute hour day month weekday enabled?"
NEW = {
    "db_backup_start": desc(PLACE, "expire backup_volume_name", expire=WEEK),
    "db_backup_change_expiration": desc(
        "backup_files backup_volume_id# expire_time", expire_time="When, as YYYY-MM-DD hh:mm:ss; '' is never."
    ),
    "db_backups_delete": desc("db_name backup_list*"),
    "db_backup_delete_unusable": desc("db_name"),
    "db_restore": desc("db_name backup_id restore_type"),
    "db_backup_list": desc("db_name", "show_foreign?"),
    "db_backup_add_schedule": desc(f"{PLACE} backup_name", f"expire backup_volume_name {TIMES}", expire=WEEK),
    "db_backup_modify_schedule": desc("db_name backup_name", f"expire {TIMES}", expire=WEEK),
    "db_backup_remove_schedule": desc("db_name backup_name"),
}
OLD = {
    **NEW,
    "db_backup_start": desc(PLACE, "expire_time backup_volume_name", expire_time=WEEK),
    "db_backup_change_expiration": desc(
        "backup_files backup_volume_id# expire_time#", expire_time="Timestamp in seconds since the Epoch."
    ),
    "db_backup_list": desc("db_name"),
    "db_backup_modify_schedule": desc("db_name backup_name", TIMES),
}


class Spoken:
    """Backups of a cluster that answers jobs by name."""

    def __init__(self, described: dict[str, Any], zone: Any = None, **answers: Any) -> None:
        self.answers = {"remote_volume_list": ["RemoteVolume1"], "remote_volume_info": REMOTE,
                        "remote_volume_state": ["Online"], "st_volume_list": [DATA, LOCAL], **answers}  # fmt: skip
        self.jobs: list[tuple[str, Any]] = []

        def execute(name: str, options: Any = None) -> Any:
            self.jobs.append((name, (options or {}).get("params")))
            answer = self.answers.get(name)
            return answer if isinstance(answer, dict) and "result_code" in answer else result(answer)

        def start(name: str, options: Any = None) -> str:
            self.jobs.append((name, (options or {}).get("params")))
            return "11.7"

        nodes = Nodes(
            job_desc=described.__getitem__,
            job_exec=execute,
            job_start=start,
            job_list=sorted({*described, *answers}),
            job_finished=True,
            job_result=result(),
        )
        jobs = nodes.jobs(zone=zone)
        self.api = ConfdBackups(jobs, JobsUnderWay(jobs))

    @property
    def last(self) -> tuple[str, Any]:
        return self.jobs[-1]


@pytest.mark.parametrize(("described", "name"), [(NEW, "expire"), (OLD, "expire_time")])
def test_each_change_is_sent_by_the_names_that_the_server_has(described, name):
    spoken = Spoken(described)
    spoken.api.start("DB1", VOLUME, 1, "1w 3d")
    place = {"db_name": "DB1", "backup_volume_name": "RemoteVolume1", "level": 1}
    assert spoken.last == ("db_backup_start", {**place, name: "1w 3d"})
    spoken.api.start("DB1", VOLUME, 1, "")
    assert spoken.last == ("db_backup_start", place)
    spoken.api.start("DB1", ArchiveVolume("10001", 10001), 0, "")
    assert spoken.last == ("db_backup_start", {"db_name": "DB1", "backup_volume_id": 10001, "level": 0})
    needing = {**described, "db_backup_start": desc(f"{PLACE} {name}", "backup_volume_name", **{name: WEEK})}
    spoken_to = Spoken(needing)
    spoken_to.api.start("DB1", VOLUME, 1, "")
    assert spoken_to.last == ("db_backup_start", {**place, name: ""})
    spoken.api.delete("DB1", [BACKUP])
    assert spoken.last == ("db_backups_delete", {"db_name": "DB1", "backup_list": [ROW["id"]]})
    spoken.api.delete_unusable("DB1")
    assert spoken.last == ("db_backup_delete_unusable", {"db_name": "DB1"})
    spoken.api.restore("DB1", BACKUP, "virtual access")
    assert spoken.last == (
        "db_restore",
        {"db_name": "DB1", "backup_id": ROW["id"], "restore_type": "virtual access"},
    )
    assert spoken.api.trouble("DB1") == ""


@pytest.mark.parametrize(
    ("described", "zone", "expire", "sent"),
    [
        (NEW, None, "2036-12-24 18:00:00", "2036-12-24 18:00:00"),
        (NEW, BERLIN, "2036-12-24 18:00:00", "2036-12-24 18:00:00"),
        (NEW, None, "", ""),
        (OLD, BERLIN, "2036-12-24 18:00:00", 2113750800),
        (OLD, None, "2036-12-24 18:00:00", None),
        (OLD, BERLIN, "", None),
    ],
)
def test_an_expiry_is_sent_in_the_form_that_the_server_takes_or_not_at_all(described, zone, expire, sent):
    spoken = Spoken(described, zone)
    if sent is None:
        for method in (spoken.api.check_expiry, spoken.api.change_expiry):
            with pytest.raises(ClusterError, match="^exa-unit: "):
                method(BACKUP, expire, zone)
        assert spoken.jobs == []
        return
    spoken.api.check_expiry(BACKUP, expire, zone)
    assert spoken.jobs == []
    spoken.api.change_expiry(BACKUP, expire, zone)
    place = {"backup_files": "DB1/id_11/level_0", "backup_volume_id": 10001}
    assert spoken.last == ("db_backup_change_expiration", {**place, "expire_time": sent})


def test_a_form_that_the_server_does_not_tell_is_refused_before_anything_is_sent():
    described = {**NEW, "db_backup_change_expiration": desc("backup_files backup_volume_id# expire_time")}
    spoken = Spoken(described)
    with pytest.raises(ClusterError, match="doesn't say in which form .* must not expire at a wrong time"):
        spoken.api.check_expiry(BACKUP, "2026-12-24 18:00:00", BERLIN)
    both = {**NEW, "db_backup_start": desc(PLACE, "expire", expire="Seconds of the epoch, or '1w 3d'.")}
    with pytest.raises(ClusterError, match="doesn't say in which form"):
        Spoken(both).api.check_start("DB1", VOLUME, 0, "1w")


def test_rows_are_read_as_the_documents_print_them():
    spoken = Spoken(NEW, db_backup_list=[ROW, {**ROW, "bid": 12, "level": 1, "dependencies": "11"}])
    full, later = spoken.api.backups("DB1")
    assert (full.id, full.files, full.volume_id, full.system) == (ROW["id"], "DB1/id_11/level_0", 10001, "DB1")
    assert (full.dependencies, later.dependencies) == ((), (11,))
    assert later.needs(full, [full, later])
    assert not full.needs(later, [full, later])
    assert spoken.last == ("db_backup_list", {"db_name": "DB1"})
    spoken.api.backups("DB1", foreign=True)
    assert spoken.last == ("db_backup_list", {"db_name": "DB1", "show_foreign": True})
    with pytest.raises(Unsupported, match="only a database's own backups"):
        Spoken(OLD, db_backup_list=[]).api.backups("DB1", foreign=True)


ODD_ROWS = [None, {"a": 1}, ["x"], [{**ROW, "bid": "eleven"}], [{"id": "x"}], [{**ROW, "expired": "False"}]]


@pytest.mark.parametrize("rows", ODD_ROWS)
def test_rows_of_another_form_are_said_so(rows):
    with pytest.raises(Garbled, match="db_backup_list of DB1"):
        Spoken(NEW, db_backup_list=rows).api.backups("DB1")


@pytest.mark.parametrize(
    ("which", "name", "number"),
    [
        ("RemoteVolume1", "RemoteVolume1", 10001), ("10001", "RemoteVolume1", 10001),
        ("r0001", "RemoteVolume1", 10001), ("Archive1", "Archive1", 3), ("3", "Archive1", 3), ("v0003", "Archive1", 3),
    ],
)  # fmt: skip
def test_a_volume_is_found_by_name_and_number(which, name, number):
    found = Spoken(NEW).api.volume(which)
    assert (found.name, found.id, found.trouble) == (name, number, "")


@pytest.mark.parametrize("called", ["r0001", "10001"])
def test_a_local_volume_that_is_called_like_the_number_of_a_remote_one(called):
    both = Spoken(NEW, st_volume_list=[{**LOCAL, "name": called}])
    assert both.api.volume(called) == ArchiveVolume(called, 3)
    with pytest.raises(Refused, match=f"{called} is the name of one volume and also means RemoteVolume1") as raised:
        both.api.volume(called, clearly=True)
    assert raised.value.hint == f"write v0003 for the volume with the name {called}, and its own name for the other"
    assert both.api.volume("v0003", clearly=True) == ArchiveVolume(called, 3)
    assert both.api.volume("RemoteVolume1", clearly=True) == ArchiveVolume("RemoteVolume1", 10001)


def test_a_remote_volume_that_is_called_like_the_number_of_a_local_one():
    both = Spoken(NEW, remote_volume_list=["v0003"])
    assert both.api.volume("v0003") == ArchiveVolume("v0003", 10001)
    with pytest.raises(Refused, match="v0003 is the name of one volume and also means Archive1"):
        both.api.volume("v0003", clearly=True)
    assert both.api.volume("r0001", clearly=True) == ArchiveVolume("v0003", 10001)


def test_volumes_that_take_no_backup():
    with pytest.raises(NoSuchObject, match=r"no archive volume RemoteVolum \(did you mean RemoteVolume1\?\)"):
        Spoken(NEW).api.volume("RemoteVolum")
    with pytest.raises(NoSuchObject, match="DataVolume1 is a volume of a database"):
        Spoken(NEW).api.volume("DataVolume1")
    states = Spoken(NEW, remote_volume_state=["Online", "Unmounted"])
    assert states.api.volume("10001").trouble == "not online on every node (Online, Unmounted)"
    assert Spoken(NEW, st_volume_list=[{**LOCAL, "state": "LOCKED"}]).api.volume("3").trouble == "LOCKED"
    off = {**LOCAL, "app_io_enabled": False}
    assert Spoken(NEW, st_volume_list=[off]).api.volume("3").trouble == "switched off for applications (app_io)"
    denied = failed("User dba is not allowed to run job st_volume_list")
    assert Spoken(NEW, st_volume_list=denied).api.volume("v0009") == ArchiveVolume("v0009", 9)


def test_progress_where_it_is_told():
    row = {"Comment": "Backup has been started", "Level": 1, "Progress": 42, "Type": "Backup", "Volume ID": 10001}
    found = Spoken(NEW, db_backup_progress=row).api.progress("DB1")
    assert found == Progress("backup", 42, 1, 10001, "Backup has been started")
    assert Spoken(NEW).api.progress("DB1") is None  # 6.2 has no such job
    assert Spoken(NEW, db_backup_progress={}).api.progress("DB1") is None
    assert Spoken(NEW, db_backup_progress=failed("internal error")).api.progress("DB1") is None


NIGHTLY = Schedule("nightly", "RemoteVolume1", 1, "1w", hour="2")


def test_schedules_are_added_changed_and_removed():
    spoken = Spoken(NEW)
    api = spoken.api.schedules()
    api.add("DB1", NIGHTLY)
    job, sent = spoken.last
    assert job == "db_backup_add_schedule"
    assert sent == {
        "db_name": "DB1", "backup_name": "nightly", "backup_volume_name": "RemoteVolume1", "level": 1, "expire": "1w",
        "minute": "0", "hour": "2", "day": "*", "month": "*", "weekday": "*", "enabled": True,
    }  # fmt: skip
    api.modify("DB1", NIGHTLY, NIGHTLY.with_(hour="3", enabled=False))
    wanted = {"db_name": "DB1", "backup_name": "nightly", "hour": "3", "enabled": False}
    assert spoken.last == ("db_backup_modify_schedule", wanted)
    api.remove("DB1", NIGHTLY)
    assert spoken.last == ("db_backup_remove_schedule", {"db_name": "DB1", "backup_name": "nightly"})
    assert api.fixed == ("volume", "level")
    assert Spoken(OLD).api.schedules().fixed == ("volume", "level", "expire")


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({}, None),
        ({"config": {}}, None),
        ({"config": {"backups": {}}}, []),
        ({"config": {"backups": {"nightly": {"volume": "RemoteVolume1", "level": "1", "expire": "1w", "hour": 2}}}},
         [NIGHTLY]),
        ({"config": {"backups": [{"backup_name": "nightly", "backup_volume": "RemoteVolume1", "level": 1,
                                  "expire": "1w", "hour": "2", "enabled": "True"}]}}, [NIGHTLY]),
        ({"config": {"backups": {"nightly": {"hour": 2}}}}, None),
    ],
)  # fmt: skip
def test_schedules_are_read_where_db_info_tells_them(config, found):
    assert Spoken(NEW, db_info={"state": "running", **config}).api.schedules().schedules("DB1") == found


def test_the_expiry_of_a_schedule_that_is_shown_in_seconds():
    told = Spoken(NEW, db_info=fixtures.answer("confd/db_info_schedule_in_seconds"))
    (found,) = told.api.schedules().schedules("DB1")
    assert (found.name, found.expire, found.weekday) == ("nightly", "1w 2d", "0,1,2,3,4,5")


def test_an_error_result_is_shown_with_its_name():
    spoken = Spoken(NEW, db_backup_start=failed("Database DB1 is busy with operation Backup", 10, "EBUSY"))
    with pytest.raises(Fault, match=r"db_backup_start of DB1 .*busy with operation Backup \(EBUSY, code 10, job 11.7"):
        spoken.api.start("DB1", VOLUME, 0, "")


def test_what_cannot_be_sent_is_said_of_whom_and_what_helps():
    spoken = Spoken(OLD)
    with pytest.raises(ClusterError, match="^exa-unit: DB1: job db_backup_start needs level$") as caught:
        spoken.api._jobs.start("db_backup_start", {"db_name": "DB1", "backup_volume_id": 10001}, of="DB1")
    assert caught.value.failed_object == "DB1"
    with pytest.raises(ClusterError, match=f"^exa-unit: {ROW['id']}: this server takes seconds since 1970, ") as caught:
        spoken.api.check_expiry(BACKUP, "2031-01-02 03:04:05", None)
    assert caught.value.hint == "set time_zone to the cluster's own time zone, such as Europe/Berlin"


@pytest.mark.parametrize(("sign", "volume", "sent"), [("", "RemoteVolume1", "RemoteVolume1"), ("#", "10001", 10001)])
def test_the_volume_of_a_schedule_as_the_document_calls_it(sign, volume, sent):
    spoken = Spoken({**OLD, "db_backup_add_schedule": desc(f"db_name backup_name volume{sign} level# {TIMES}")})
    spoken.api.schedules().add("DB1", Schedule("n", volume, 0))
    job, given = spoken.last
    assert (job, given["volume"]) == ("db_backup_add_schedule", sent)
    assert not {"backup_volume_name", "backup_volume_id"} & set(given)
