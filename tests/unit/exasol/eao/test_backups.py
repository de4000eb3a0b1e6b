# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EXAoperation's backups at the wire: what is called for each change, and the forms that answers may have."""

from __future__ import annotations

import xmlrpc.client
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    ClusterError,
    Fault,
    Garbled,
    NoSuchObject,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.backups import (
    ArchiveVolume,
    Backup,
    Progress,
    Schedule,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.eao.cluster import EaoCluster
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.client import Reply

BERLIN = ZoneInfo("Europe/Berlin")
DB = "/cluster1/db_DB1"
STORAGE = "/cluster1/storage"

ROW = {
    "bid": 11, "comment": "", "dependencies": "-", "expire": "", "expire_alterable": "10001 DB1/id_11/level_0",
    "expired": False, "id": "10001 DB1/id_11/level_0/node_0/backup_202007071405 DB1", "last_item": True, "level": 0,
    "path": "", "system": "DB1", "timestamp": "2020-07-07 14:05", "ts": "", "usable": True, "usage": "",
    "volume": "r0001",
}  # fmt: skip
BACKUP = Backup.of(ROW)
assert BACKUP


class Wire:
    """Stands for Http: keeps the calls, and answers by method, or by method and object."""

    cluster = "exa-unit"
    url = "https://n10:443"
    calls = 0

    def __init__(self, **answers):
        self.by_method = {
            "getAllArchiveVolumes": ["v0002", "r0001"],
            "listObjects": ["n0011", "remote7", "storage"],
            "getVolumeId": 10001,
            "state": "Online",
            "getVolumeInfo": {"labels": ["#Name#nightly", "cold"], "state": "ONLINE"},
            **answers,
        }
        self.asked = []

    def fetch(self, call, request, read):
        return read(Reply(200, self.post(call, request.path, request.body)), self.url)

    def post(self, call, path, body, content_type="text/xml"):
        args, method = xmlrpc.client.loads(body)
        self.asked.append((path, method, *args))
        answer = self.by_method.get(method)
        if callable(answer):
            answer = answer(*args)
        if isinstance(answer, str) and answer.startswith("fault:"):
            answer = xmlrpc.client.Fault(-1, answer[6:])
            return xmlrpc.client.dumps(answer, methodresponse=True).encode()
        return xmlrpc.client.dumps((answer,), methodresponse=True, allow_none=True).encode()


def spoken(**answers):
    wire = Wire(**answers)
    return EaoCluster(wire).backups(), wire


def test_each_change_is_one_call():
    api, wire = spoken()
    api.start("DB1", ArchiveVolume("r0001", 10001), 1, "1w 3d")
    assert wire.asked[-1] == (DB, "backupDatabase", "r0001", 1, "1w 3d")
    api.delete("DB1", [BACKUP])
    assert wire.asked[-1] == (DB, "deleteBackups", [ROW["id"]])
    api.delete_unusable("DB1")
    assert wire.asked[-1] == (DB, "deleteUnusableBackups", False)
    api.restore("DB1", BACKUP, "virtual access")
    assert wire.asked[-1] == (DB, "restoreDatabase", ROW["id"], "virtual access")
    api.change_expiry(BACKUP, "2026-12-24 18:00:00", BERLIN)
    assert wire.asked[-1] == (DB, "changeBackupExpiration", 10001, "DB1/id_11/level_0", 1798131600)
    api.change_expiry(BACKUP, "", None)
    assert wire.asked[-1] == (DB, "changeBackupExpiration", 10001, "DB1/id_11/level_0", 0)


def test_an_expiry_needs_the_time_zone():
    api, wire = spoken()
    with pytest.raises(ClusterError, match="without the cluster's time zone"):
        api.check_expiry(BACKUP, "2026-12-24 18:00:00", None)
    assert wire.asked == []


def test_rows():
    api, wire = spoken(getBackups=[ROW, {**ROW, "bid": 12, "dependencies": [11]}])
    first, second = api.backups("DB1")
    assert (first.volume, first.volume_id, second.dependencies) == ("r0001", 10001, (11,))
    assert wire.asked == [(DB, "getBackups", False, True)]
    api.backups("DB1", foreign=True)
    assert wire.asked[-1] == (DB, "getBackups", True, True)
    for odd in (None, {"a": 1}, ["x"], [{"bid": 1}]):
        with pytest.raises(Garbled, match="getBackups"):
            spoken(getBackups=odd)[0].backups("DB1")


@pytest.mark.parametrize("archives", [["v0002", "r0001"], [{"name": "v0002", "id": 2}, {"name": "r0001"}]])
@pytest.mark.parametrize("volume_id", [10001, "r0001"])
def test_a_volume_is_found_by_every_name(archives, volume_id):
    def info(name):
        return {"labels": ["#Name#nightly", "cold"] if name == "r0001" else [], "state": "ONLINE"}

    answers = {"getAllArchiveVolumes": archives, "getVolumeId": volume_id, "getVolumeInfo": info}
    for which in ("r0001", "10001", "nightly", "cold", "remote7"):
        assert spoken(**answers)[0].volume(which) == ArchiveVolume("r0001", 10001), which
    for which in ("v0002", "2"):
        assert spoken(**answers)[0].volume(which) == ArchiveVolume("v0002", 2), which
    with pytest.raises(NoSuchObject, match="there is no archive volume v0000.*; there are: v0002 r0001"):
        spoken(**answers)[0].volume("v0000")


def test_a_label_that_is_the_number_of_another_volume():
    def info(name):
        return {"labels": ["#Name#v0002"] if name == "r0001" else [], "state": "ONLINE"}

    api = spoken(getAllArchiveVolumes=["v0002", "r0001"], getVolumeId=10001, getVolumeInfo=info)[0]
    assert api.volume("v0002") == ArchiveVolume("v0002", 2)
    with pytest.raises(ClusterError, match="v0002 means more than one archive volume: v0002 r0001"):
        api.volume("v0002", clearly=True)
    assert api.volume("r0001", clearly=True) == ArchiveVolume("r0001", 10001)


@pytest.mark.parametrize("state", ["Connection problem", ["Online", "Unmounted"]])
def test_a_remote_volume_that_is_not_online(state):
    assert "not online on every node" in spoken(state=state)[0].volume("r0001").trouble


def test_volumes_that_cannot_be_read_are_left_to_the_server():
    answer = "fault:Unexpected Zope exception: NotFound: Object: <X>, name: u'getAllArchiveVolumes'"
    assert spoken(getAllArchiveVolumes=answer)[0].volume("r0001") == ArchiveVolume("r0001", 10001)
    assert spoken(getVolumeInfo={"state": "LOCKED"})[0].volume("v0002").trouble == "LOCKED"
    off = {"state": "ONLINE", "app_io": False}
    assert spoken(getVolumeInfo=off)[0].volume("v0002").trouble == "switched off for applications (app_io)"
    assert spoken(getVolumeInfo="fault:Volume could not be found")[0].volume("v0002").trouble == ""


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ([], None),
        ([{"Type": "Restore", "Progress": "37 %", "Level": 0, "Volume ID": "v0002", "Comment": "runs"}],
         Progress("restore", 37, 0, 2, "runs")),
        ("fault:no", None),
        (7, None),
    ],
)  # fmt: skip
def test_progress(answer, found):
    assert spoken(getPddProgress=answer)[0].progress("DB1") == found


WEEKLY = {"volume": "v0002", "level": 0, "expire": "4w", "minute": "0", "hour": "1", "day": "*", "month": "*",
          "weekday": "0", "enabled": True}  # fmt: skip
NIGHTLY = Schedule("", "r0001", 1, "1w", hour="2")


@pytest.mark.parametrize("form", [dict, list])
def test_schedules_are_read_changed_and_written_as_a_whole(form):
    def of(row):
        return dict(row) if form is dict else list(row.values())

    odd = ["something", "else"]
    rows = [of(WEEKLY), odd]
    api, wire = spoken(getBackupSchedule=lambda: rows, setBackupSchedule=rows.__init__)
    schedules = api.schedules()
    (weekly,) = schedules.schedules("DB1")
    assert (weekly.level, weekly.hour, weekly.volume) == (0, "1", "v0002")
    schedules.modify("DB1", weekly, weekly.with_(hour="5"))
    assert wire.asked[-1] == (DB, "setBackupSchedule", [of({**WEEKLY, "hour": "5"}), odd])
    with pytest.raises(NoSuchObject, match="isn't there any more"):
        schedules.remove("DB1", weekly)
    with pytest.raises(Garbled, match="a definition has an unknown form"):
        schedules.add("DB1", NIGHTLY)
    rows[:] = [of(WEEKLY)]
    schedules.add("DB1", NIGHTLY)
    added = of({**WEEKLY, "volume": "r0001", "level": 1, "expire": "1w", "hour": "2", "weekday": "*"})
    assert wire.asked[-1] == (DB, "setBackupSchedule", [of(WEEKLY), added])
    (first, _second) = schedules.schedules("DB1")
    schedules.remove("DB1", first)
    assert rows == [added]


def test_the_first_schedule_is_offered_in_both_forms():
    taken = []

    def put(rows):
        if rows and isinstance(rows[0], dict):
            return "fault:schedule can not be that"
        taken.extend(rows)
        return None

    api, wire = spoken(getBackupSchedule=[], setBackupSchedule=put)
    api.schedules().add("DB1", NIGHTLY)
    assert taken == [["r0001", 1, "1w", "0", "2", "*", "*", "*", True]]
    api, wire = spoken(getBackupSchedule=None, setBackupSchedule="fault:no such volume")
    with pytest.raises(Fault, match="setBackupSchedule of db_DB1 .*no such volume"):
        api.schedules().add("DB1", NIGHTLY)
