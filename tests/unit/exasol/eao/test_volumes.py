# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Volumes by EXAoperation's calls: what each answer is read as, in all forms, and what exactly each change sends."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, Garbled, Unsupported
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.volumes import RemoteVolume, Volume
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.eao.cluster import EaoCluster
from ansible_collections.dbfleet.cluster.tests.unit.exasol.eao.wire import NOT_FOUND, Wire

GIB = 2**30
STORAGE = "/cluster1/storage"
V3 = "/cluster1/storage/v0003"

PROVED = {
    "disk": "d03_storage", "redundancy": 2, "size": 30, "segments": [["n0011", "n0012"], ["n0012", "n0011"]],
    "state": "ONLINE", "type": "Data", "name": "v0003",
}  # fmt: skip
MORE = {
    **PROVED, "id": 3, "labels": ["#Name#Vol", "sales"], "priority": 7, "app_io": True, "int_io": False,
    "masternodes": 2, "nodes": ["n0011", "n0012"], "users": ["DB1"], "allowed_users": ["admin"], "readonly_users": [],
    "block_size": 4,
}  # fmt: skip
VOLUME = Volume(
    3, "Vol", "data", size=30 * GIB, redundancy=2, nodes=("n0011", "n0012"), masters=2, labels=("#Name#Vol", "a"),
    allowed_users=("admin",),
)  # fmt: skip
REMOTE = {
    "name": "r0001", "id": 10001, "type": "Remote", "url": "ftp://host/share", "object": "remote4",
    "labels": ["#Name#R1"], "user": "u", "options": "noverifypeer,forcessl", "allowed_users": ["admin"],
    "readonly_users": [],
}  # fmt: skip


def served(**answers):
    wire = Wire(**answers)
    return EaoCluster(wire), wire


@pytest.mark.parametrize("names", [["v0003", "r0001"], {"v0003": "a volume", "r0001": {}}])
def test_volumes(names):
    eao, wire = served(getVolumeList=names, getVolumeInfo=MORE)
    (volume,) = eao.volumes().all()
    assert volume == Volume(
        3, "Vol", "data", "ONLINE", 30 * GIB, 2, ("n0011", "n0012"), 2, disk="d03_storage", users=1,
        labels=("#Name#Vol", "sales"), app_io=True, int_io=False, priority=7, allowed_users=("admin",),
        readonly_users=(), also=("v0003", "#Name#Vol", "sales"),
    )  # fmt: skip
    assert wire.asked == [(STORAGE, "getVolumeList"), (STORAGE, "getVolumeInfo", "v0003")]
    assert (volume.grain, volume.slack) == (GIB, 0)


def test_only_what_is_proved_is_told():
    eao, _wire = served(getVolumeList=["v0003"], getVolumeInfo={**PROVED, "size": 1.5})
    (volume,) = eao.volumes().all()
    assert (volume.name, volume.id, volume.size) == ("v0003", 3, 3 * GIB // 2)
    assert (volume.nodes, volume.masters) == (("n0011", "n0012"), 2)
    assert volume.labels is volume.app_io is volume.allowed_users is None


@pytest.mark.parametrize(
    ("names", "info"), [("v0003", MORE), (None, MORE), (["v0003"], "x"), (["v0003"], {**MORE, "size": "30 GiB"})]
)
def test_another_form_is_garbled(names, info):
    eao, _wire = served(getVolumeList=names, getVolumeInfo=info)
    with pytest.raises(Garbled, match="the answer has an unknown form"):
        eao.volumes().all()


def test_databases_on_it():
    eao, _wire = served(getDatabaseList=["DB1"], getDatabaseInfo={"state": "setup", "persistent volume": "v0003"})
    assert eao.volumes().databases_of(VOLUME) == ["DB1"]
    assert eao.volumes().databases_of(VOLUME.with_(id=4)) == []
    eao, _wire = served(getDatabaseList=["DB1", "DB2"], getDatabaseInfo=f"fault:{NOT_FOUND}")
    assert eao.volumes().databases_of(VOLUME) == ["DB1", "DB2"], "an old server doesn't tell, so it may be any"


ALWAYS = {"allowed_users": ["admin"], "redundancy": 2}


@pytest.mark.parametrize(
    ("method", "args", "asked"),
    [
        ("delete", (), (STORAGE, "volumeRemove", "v0003")),
        ("resize", (45 * GIB,), (V3, "resizeVolume", 15)),
        (
            "append_nodes",
            (["n0013"],),
            (V3, "editStorageVolume", {**ALWAYS, "add_nodes_list": ["n0013"], "add_master_nodes": 1}),
        ),
        ("move_nodes", ([("n0011", "n0014")],), (V3, "moveNodes", {"n0011": "n0014"})),
        ("set_redundancy", (1,), (V3, "editStorageVolume", {**ALWAYS, "redundancy": 1})),
        ("set_labels", (["b"], ["a"]), (V3, "editStorageVolume", {**ALWAYS, "labels": ["#Name#Vol", "b"]})),
        ("set_io", (True, False), (V3, "setIoState", True, False)),
        ("assign", ("priority", 3), (V3, "editStorageVolume", {**ALWAYS, "priority": 3})),
        ("assign", ("readonly_users", ("x",)), (V3, "editStorageVolume", {**ALWAYS, "readonly_users": ["x"]})),
    ],
)
def test_changes(method, args, asked):
    eao, wire = served()
    getattr(eao.volumes(), method)(VOLUME, *args)
    assert wire.asked == [asked]
    assert wire.changing == [asked[1]]


def test_an_edit_reads_the_users_where_they_are_not_told():
    eao, wire = served(getPermissions={"allowed_users": ["bob"], "readonly_users": []})
    eao.volumes().set_redundancy(VOLUME.with_(allowed_users=None), 1)
    assert wire.asked == [
        (V3, "getPermissions"), (V3, "editStorageVolume", {"allowed_users": ["bob"], "redundancy": 1}),
    ]  # fmt: skip
    eao, _wire = served(getPermissions=None)
    with pytest.raises(Garbled, match="getPermissions"):
        eao.volumes().set_redundancy(VOLUME.with_(allowed_users=None), 1)


def test_a_new_volume_has_its_name_as_a_label():
    eao, wire = served(addStorageVolume="v0004")
    eao.volumes().create(VOLUME.with_(id=None, disk="d03_storage", priority=5))
    assert wire.asked == [
        (
            STORAGE, "addStorageVolume",
            {"allowed_users": ["admin"], "hdd_type": "d03_storage", "labels": ["#Name#Vol"], "masternodes": 2,
             "nodes_list": ["n0011", "n0012"], "redundancy": 2, "size": 30, "volume_type": "Data", "priority": 5},
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "args", "why"),
    [
        ("resize", (10 * GIB,), "no call that makes a volume smaller"),
        ("lock", (), "no call that locks or unlocks"),
        ("unlock", (), "no call that locks or unlocks"),
        ("clear", (0, []), "no call that overwrites a volume's data"),
        ("assign", ("owner", (1, 2)), "has no owner, permissions or shared flag"),
    ],
)
def test_what_it_has_no_call_for(method, args, why):
    eao, wire = served()
    with pytest.raises(Unsupported, match=f"^exa-unit: .*{why}"):
        getattr(eao.volumes(), method)(VOLUME, *args)
    assert wire.asked == []


# -- remote ones


def test_remote_volumes():
    eao, wire = served(getVolumeList=["v0000", "r0001"], getVolumeInfo=REMOTE)
    assert eao.remote_volumes().all() == [
        RemoteVolume(
            10001, "R1", "remote4", "ftp", "ftp://host/share", "u", None, ("#Name#R1",), ("noverifypeer", "forcessl"),
            ("admin",), (), also=("r0001", "#Name#R1"),
        )
    ]  # fmt: skip
    assert wire.asked == [(STORAGE, "getVolumeList"), (STORAGE, "getVolumeInfo", "r0001")]


@pytest.mark.parametrize("number", [10001, "r0001"])
def test_the_object_of_a_remote_volume_is_found_by_its_number(number):
    row = {key: value for key, value in REMOTE.items() if key != "object"}
    answers = {"getVolumeList": ["r0001"], "getVolumeInfo": row, "listObjects": ["n0011", "remote7"]}
    eao, wire = served(**answers, getVolumeId=number)
    assert eao.remote_volumes().all()[0].key == "remote7"
    assert wire.asked[-1] == ("/cluster1/remote7", "getVolumeId")
    eao, _wire = served(**{**answers, "listObjects": []})
    with pytest.raises(ClusterError, match="EXAoperation lists no object of remote volume r0001"):
        eao.remote_volumes().all()


@pytest.mark.parametrize(
    ("said", "words"), [("Online", ["Online"]), (["Online", "Unmounted"], ["Online", "Unmounted"])]
)
def test_states(said, words):
    eao, wire = served(state=said)
    assert eao.remote_volumes().states(RemoteVolume(10001, "R1", "remote4")) == words
    assert wire.asked == [("/cluster1/remote4", "state")]


NEW = RemoteVolume(
    None, "R1", "remote4", "s3", "https://b", "u", labels=("a",), options=("x",), allowed_users=("admin",)
)
SETTINGS = {
    "allowed_users": ["admin"], "readonly_users": [], "url": "https://b", "labels": ["a"], "options": "x,s3",
    "user": "u",
}  # fmt: skip


def test_remote_volumes_are_changed():
    eao, wire = served(addRemoteVolume="remote4")
    remote = eao.remote_volumes()
    remote.create(NEW, "p")
    remote.edit(NEW, None)
    remote.delete(NEW)
    assert wire.asked == [
        ("/cluster1", "addRemoteVolume", {**SETTINGS, "labels": ["#Name#R1", "a"], "password": "p"}),
        ("/cluster1/remote4", "editRemoteVolume", SETTINGS),
        ("/cluster1", "deleteSubObject", "remote4"),
    ]


@pytest.mark.parametrize(
    ("kind", "url", "why"),
    [
        ("s3", "https://b", None),
        (None, "x", None),
        ("ftp", "ftp://h", None),
        ("ftp", "https://h", "must begin with ftp://"),
        ("azure", "https://h", "has no remote volumes of type azure"),
    ],
)
def test_types_of_remote_volumes(kind, url, why):
    eao, _wire = served()
    said = eao.remote_volumes().refusal(RemoteVolume(None, "R1", vol_type=kind, url=url))
    assert (said is None) if why is None else why in said


def test_which_nodes_have_which_segment():
    eao, _wire = served(getVolumeList=["v0003"], getVolumeInfo=MORE)
    assert eao.volumes().all()[0].copies == {"0": ("n0011", "n0012"), "1": ("n0012", "n0011")}
    eao, _wire = served(getVolumeList=["v0003"], getVolumeInfo={**MORE, "segments": None})
    assert eao.volumes().all()[0].copies == {}


def test_keys_of_s3_are_confds():
    eao, _wire = served()
    volume = RemoteVolume(None, "R1", vol_type="s3", url="http://b", s3_access_key="AK")
    assert "EXAoperation has no s3_access_key" in str(eao.remote_volumes().refusal(volume))
