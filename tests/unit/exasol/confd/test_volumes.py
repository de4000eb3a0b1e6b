# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Volumes by ConfD's jobs: what is read of the documented rows, and what exactly each change sends."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    Denied,
    Fault,
    Garbled,
    NoSuchObject,
    Unsupported,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.volumes import RemoteVolume, Volume
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.cluster import ConfdCluster
from ansible_collections.dbfleet.cluster.tests.answers.fixtures import answer
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.fake_nodes import Nodes, failed, result
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.simulated import Simulated

ROW = {
    "app_io_enabled": True, "block_distribution": "vertical", "block_size": 4096, "bytes_per_block": 4096,
    "group": 500, "hdd_type": "disk1", "hdds_per_node": 1, "id": "0", "int_io_enabled": True,
    "labels": ["#Name#DataVolume1", "pub:DB1_persistent"], "name": "DataVolume1",
    "nodes_list": [{"id": 11, "unrecovered_segments": 0}], "num_master_nodes": 1, "owner": 500,
    "permissions": "rwx------", "priority": 10, "redundancy": 1,
    "segments": [{"end_block": "2621439", "index": "0", "nid": 0, "partitions": [], "phys_nid": 11, "sid": "0",
                  "start_block": "0", "state": "ONLINE", "type": "MASTER", "vid": "0"}],
    "shared": True, "size": "10 GiB", "snapshots": [], "state": "ONLINE", "stripe_size": 262144, "type": "MASTER",
    "unlock_conditions": [], "use_crc": True, "users": [[30, False]], "volume_nodes": [11],
}  # fmt: skip
"""Of the document of 6.2 (CONFD-129)."""

GIB = 2**30
VOLUME = Volume(3, "Vol", "data", size=20 * GIB, redundancy=2, nodes=("n11", "n12"), masters=2, block=4096)
NODE_ROWS = {"11": {"id": "11", "name": "n11"}, "12": {"id": "12", "name": "n12"}, "13": {"id": "13", "name": "n13"}}

TYPES = {
    "vid": "int", "blocks_per_node": "int", "node_num": "int", "node_ids": "list", "src_nodes": "list",
    "dst_nodes": "list", "delta": "int", "nodes": "list", "num_bytes": "int", "num__bytes": "int", "app_io": "bool",
    "int_io": "bool", "label": "str", "prio": "int", "shared": "bool", "mode": "str", "vol_user": "int",
    "vol_grp": "int",
}  # fmt: skip


class Cluster:
    """A node that has some jobs, and keeps what they were given."""

    def __init__(self, jobs=(), **outputs):
        self.ran = []
        self.jobs = {**dict.fromkeys(jobs or (), ()), **dict.fromkeys(outputs, ())}
        self.outputs = {"node_list": NODE_ROWS, "db_list": [], **outputs}
        self.nodes = Nodes(
            job_exec=self._exec,
            job_start=self._exec,
            job_wait=True,
            job_finished=True,
            job_result=result(),
            job_desc=self._desc,
            job_list=sorted({*self.jobs, "db_list"}),
        )
        self.confd = ConfdCluster(self.nodes.jobs())

    def taking(self, job, *mandatory):
        self.jobs[job] = mandatory
        return self

    def _exec(self, job, options=None):
        given = (options or {}).get("params", {})
        if not job.endswith(("_list", "_info", "_details", "_state")):
            self.ran.append((job, given))
            return "11.5" if self.nodes.calls[-1][0] == "job_start" else result()
        found = self.outputs[job]
        found = found(given) if callable(found) else found
        return found if isinstance(found, dict) and "result_code" in found else result(found)

    def _desc(self, job):
        names = {name: {"desc": "", "type": f"(<class '{TYPES.get(name, 'str')}'>,)"} for name in self.jobs[job]}
        return [True, ["", names, {}, {}, ["root"], ["root"], []]]


def test_a_job_that_the_server_does_not_have():
    volumes = ConfdCluster(Simulated().jobs()).volumes()
    for change in volumes.calls:
        volumes.known(change)
    volumes.calls = {"lock": "st_volume_locks"}
    with pytest.raises(NoSuchObject, match=r"there is no job 'st_volume_locks' \(did you mean st_volume_lock\?\)"):
        volumes.known("lock")


def test_the_documented_row_is_read():
    (volume,) = Cluster(st_volume_list=[ROW]).confd.volumes().all()
    assert volume == Volume(
        0, "DataVolume1", "data", "ONLINE", 10 * GIB, 1, ("n11",), 1, 4096, 262144, "disk1", (), 1,
        ("#Name#DataVolume1", "pub:DB1_persistent"), True, True, 10, True, "rwx------", (500, 500),
        unlock_conditions=(),
    )  # fmt: skip
    assert volume.grain == 4096
    assert volume.as_dict()["size"] == "10 GiB"


def test_the_size_is_that_of_the_master_segments():
    """The text is rounded; copies don't count; what isn't ONLINE is told with its node."""
    segment = ROW["segments"][0]
    rows = [
        {**segment, "end_block": "2621440"},
        {**segment, "phys_nid": 12, "start_block": "2621441", "end_block": "5242881", "state": "RECOVERING"},
        {**segment, "type": "REDUNDANT", "state": "OFFLINE", "phys_nid": 13},
    ]
    row = {**ROW, "segments": rows, "num_master_nodes": 2, "volume_nodes": [11, 12], "state": "RECOVERING"}
    info = {**row, "block_size": "4 KiB", "stripe_size": "256 KiB"}
    for one in (row, info):
        (volume,) = Cluster(st_volume_list=[one]).confd.volumes().all()
        assert volume.size == 2 * (2621441) * 4096
        assert (volume.grain, volume.slack) == (8192, 2 * 262144)
        assert volume.away == ("n12 RECOVERING", "n13 OFFLINE")
        assert volume.is_recovering
        assert not volume.is_whole


def test_a_poor_row_is_read():
    """What isn't told is None; without segments the size is that of the text."""
    (volume,) = Cluster(st_volume_list=[{"id": 7, "size": "6.5 MiB", "type": "ARCHIVE"}]).confd.volumes().all()
    assert volume == Volume(7, "v0007", "archive", "", 6815744, block=1)


def test_nodes_that_may_not_be_seen_are_named_by_number():
    cluster = Cluster(st_volume_list=[ROW], node_list=failed("User x is not allowed to run job node_list"))
    assert cluster.confd.volumes().all()[0].nodes == ("n11",)


@pytest.mark.parametrize("rows", ["none", {"id": "0"}, [{"name": "x"}], ["x"]])
def test_another_form_is_garbled(rows):
    with pytest.raises(Garbled, match="st_volume_list at .*: the output has an unknown form"):
        Cluster(st_volume_list=rows).confd.volumes().all()
    with pytest.raises(Garbled, match="id is 'x', which is not a number"):
        Cluster(st_volume_list=[{"id": "x"}]).confd.volumes().all()


def test_databases_on_it():
    infos = {
        "DB1": {"state": "setup", "persistent volume": "Vol", "temporary volume": ""},
        "DB2": {"state": "running", "persistent volume": "Other", "temporary volume": "v0003"},
        "DB3": {"state": "running", "persistent volume": "Other"},
    }
    cluster = Cluster(db_list=list(infos), db_info=lambda given: infos[given["db_name"]])
    assert cluster.confd.volumes().databases_of(VOLUME) == ["DB1", "DB2"]


def test_what_is_too_large_for_one_call_grows_in_several():
    """XML-RPC has 32 bits; whatever fails after the first has changed something."""
    cluster = Cluster(["st_volume_enlarge"]).taking("st_volume_enlarge", "vid", "blocks_per_node")
    cluster.confd.volumes().resize(VOLUME, VOLUME.size + 2**32 * VOLUME.grain)
    sent = [given["blocks_per_node"] for _job, given in cluster.ran]
    assert sent == [2**31 - 1, 2**31 - 1, 2]
    for fails, partly in ((1, False), (2, True)):
        answers = [*[result()] * (fails - 1), failed("no space")]
        cluster.nodes.rpc["job_result"] = lambda *_args, answers=answers: answers.pop(0)
        with pytest.raises(Fault, match="no space") as found:
            cluster.confd.volumes().resize(VOLUME, VOLUME.size + 2**32 * VOLUME.grain)
        assert found.value.partly is partly


CHANGES = [
    ("delete", (), "st_volume_delete", {"vid": 3}),
    ("resize", (30 * GIB,), "st_volume_enlarge", {"vid": 3, "blocks_per_node": 5 * GIB // 4096}),
    ("resize", (20 * GIB - 8192,), "st_volume_shrink", {"vid": 3, "blocks_per_node": 1}),
    ("append_nodes", (["n13"],), "st_volume_append_node", {"vid": 3, "node_num": 1, "node_ids": [13]}),
    ("move_nodes", ([("n12", "n13")],), "st_volume_move_node", {"vid": 3, "src_nodes": [12], "dst_nodes": [13]}),
    ("set_redundancy", (3,), "st_volume_increase_redundancy", {"vid": 3, "delta": 1}),
    ("set_redundancy", (1,), "st_volume_decrease_redundancy", {"vid": 3, "delta": 1}),
    ("set_io", (True, False), "st_volume_set_io_status", {"vid": 3, "app_io": True, "int_io": False}),
    ("assign", ("priority", 0), "st_volume_set_priority", {"vid": 3, "prio": 0}),
    ("assign", ("shared", False), "st_volume_set_shared", {"vid": 3, "shared": False}),
    ("assign", ("permissions", "rwx------"), "st_volume_change_permissions", {"vid": 3, "mode": "rwx------"}),
    ("assign", ("owner", (1, 2)), "st_volume_change_owner", {"vid": 3, "vol_user": 1, "vol_grp": 2}),
    ("lock", (), "st_volume_lock", {"vid": 3}),
    ("unlock", (), "st_volume_unlock", {"vid": 3}),
    ("clear", (0, []), "st_volume_clear_data", {"vid": 3, "num_bytes": 0, "node_ids": [11, 12]}),
    ("clear", (512, ["n12"]), "st_volume_clear_data", {"vid": 3, "num_bytes": 512, "node_ids": [12]}),
]


@pytest.mark.parametrize(("method", "args", "job", "sent"), CHANGES)
def test_changes(method, args, job, sent):
    cluster = Cluster().taking(job, *sent)
    getattr(cluster.confd.volumes(), method)(VOLUME, *args)
    assert cluster.ran == [(job, sent)]


def test_old_names():
    """6.2 calls a parameter otherwise, and wants the nodes of a redundancy."""
    cluster = Cluster().taking("st_volume_clear_data", "vid", "num__bytes", "node_ids")
    cluster.taking("st_volume_increase_redundancy", "vid", "delta", "nodes")
    volumes = cluster.confd.volumes()
    volumes.clear(VOLUME, 0, [])
    volumes.set_redundancy(VOLUME, 3)
    assert cluster.ran == [
        ("st_volume_clear_data", {"vid": 3, "num__bytes": 0, "node_ids": [11, 12]}),
        ("st_volume_increase_redundancy", {"vid": 3, "delta": 1, "nodes": [11, 12]}),
    ]


def test_labels_one_by_one():
    cluster = Cluster().taking("st_volume_add_label", "vid", "label").taking("st_volume_remove_label", "vid", "label")
    cluster.confd.volumes().set_labels(VOLUME, ["a", "b"], ["c"])
    assert cluster.ran == [
        ("st_volume_add_label", {"vid": 3, "label": "a"}),
        ("st_volume_add_label", {"vid": 3, "label": "b"}),
        ("st_volume_remove_label", {"vid": 3, "label": "c"}),
    ]


def test_a_new_volume_has_what_was_given():
    needed = {"name": "Vol", "type": "data", "size": "20 GiB", "disk": "disk1", "nodes": [11, 12], "redundancy": 2}
    cluster = Cluster().taking("st_volume_create", *needed, "num_master_nodes", "owner")
    TYPES.update(redundancy="int", num_master_nodes="int", owner="list")
    cluster.confd.volumes().create(VOLUME.with_(id=None, disk="disk1", owner=(1, 2)))
    assert cluster.ran == [("st_volume_create", {**needed, "num_master_nodes": 2, "owner": [1, 2]})]


def test_what_a_job_that_goes_on_fails_with():
    cluster = Cluster().taking("st_volume_move_node", "vid", "src_nodes", "dst_nodes")
    volumes = cluster.confd.volumes()
    assert volumes.error_of("Vol") == ""
    volumes.move_nodes(VOLUME, [("n12", "n13")])
    assert volumes.error_of("Vol") == ""
    cluster.nodes.rpc["job_result"] = failed("no space left", 11, "ENOSPC")
    volumes.move_nodes(VOLUME, [("n12", "n13")])
    assert volumes.error_of("Vol") == "no space left"


def test_errors_name_volume_job_and_cause():
    cluster = Cluster().taking("st_volume_delete", "vid").taking("st_volume_lock", "vid")
    cluster.nodes.rpc["job_result"] = failed("Volume Vol is in use", 10, "EBUSY")
    with pytest.raises(Fault, match="st_volume_delete of Vol at .*: the server refused: Volume Vol is in use .EBUSY, "):
        cluster.confd.volumes().delete(VOLUME)
    cluster.nodes.rpc["job_exec"] = failed("User x is not allowed to run job st_volume_lock", 4, "EPERM")
    with pytest.raises(Denied, match="st_volume_lock of Vol at .*: the user may not do this"):
        cluster.confd.volumes().lock(VOLUME)


# -- remote ones

REMOTE = {"name": "RemoteVolume1", "owner": "root", "type": "s3", "url": "http://b", "vid": "10003"}


def test_remote_volumes_by_what_the_server_has():
    told = RemoteVolume(10003, "RemoteVolume1", "RemoteVolume1", "s3", "http://b", owner="root")
    details = Cluster(remote_volume_list_details=[REMOTE])
    assert details.confd.remote_volumes().all() == [told]
    info = Cluster(remote_volume_list=["RemoteVolume1"], remote_volume_info=REMOTE)
    assert info.confd.remote_volumes().all() == [told]
    names = Cluster(remote_volume_list=["RemoteVolume1"])
    assert names.confd.remote_volumes().all() == [RemoteVolume(None, "RemoteVolume1", "RemoteVolume1")]
    assert told.numbers == ("10003", "r0003", "RemoteVolume1")


@pytest.mark.parametrize("rows", ["x", [7], [{}]])
def test_another_form_of_remote_volumes_is_garbled(rows):
    with pytest.raises(Garbled, match="remote_volume_list_details at .*: the output has an unknown form"):
        Cluster(remote_volume_list_details=rows).confd.remote_volumes().all()


def test_states_of_a_remote_volume():
    remote = Cluster(remote_volume_state=["Online", "Unmounted"]).confd.remote_volumes()
    assert remote.states(RemoteVolume(None, "r0001")) == ["Online", "Unmounted"]


@pytest.mark.parametrize(
    ("volume", "called"),
    [
        (RemoteVolume(None, "R1"), {"remote_volume_name": "R1"}),
        (RemoteVolume(10007, "R1"), {"remote_volume_name": "R1", "remote_volume_id": 10007}),
        (RemoteVolume(10007, "r0007"), {"remote_volume_id": 10007}),
    ],
)
def test_a_remote_volume_is_added(volume, called):
    TYPES.update(remote_volume_id="int", options="list", labels="list")
    sent = {"vol_type": "s3", "url": "http://b", "username": "u", "password": "p", "options": ["x"], **called}
    cluster = Cluster().taking("remote_volume_add", *sent)
    cluster.confd.remote_volumes().create(
        volume.with_(vol_type="s3", url="http://b", username="u", options=("x",)), "p"
    )
    assert cluster.ran == [("remote_volume_add", sent)]


def test_keys_of_s3_where_the_server_takes_them():
    TYPES.update(options="list", labels="list")
    keys = {"s3_access_key": "AK", "s3_secret_key": "SK"}
    cluster = Cluster().taking("remote_volume_add", "vol_type", "url", "remote_volume_name", *keys)
    api = cluster.confd.remote_volumes()
    volume = RemoteVolume(None, "R1", vol_type="s3", url="http://b", s3_access_key="AK")
    assert api.refusal(volume) is None
    api.create(volume, "SK")
    sent = {"vol_type": "s3", "url": "http://b", "remote_volume_name": "R1", **keys}
    assert cluster.ran == [("remote_volume_add", sent)]
    old = Cluster().taking("remote_volume_add", "vol_type", "url", "username", "password").confd.remote_volumes()
    assert "remote_volume_add of this version has no s3_access_key" in str(old.refusal(volume))
    assert old.refusal(volume.with_(s3_access_key=None)) is None


def test_a_remote_volume_is_removed_and_not_changed():
    cluster = Cluster().taking("remote_volume_remove", "remote_volume_name")
    remote = cluster.confd.remote_volumes()
    remote.delete(RemoteVolume(10001, "R1"))
    assert cluster.ran == [("remote_volume_remove", {"remote_volume_name": "R1"})]
    with pytest.raises(Unsupported, match="exa-unit: ConfD has no job that changes a remote volume"):
        remote.edit(RemoteVolume(10001, "R1"), None)


def test_why_a_volume_is_locked_is_read():
    """What a condition looks like isn't known: each form is a text."""
    row = answer("confd/st_volume_info_locked")
    (volume,) = Cluster(st_volume_list=[row]).confd.volumes().all()
    assert (volume.state, volume.unlock_conditions, volume.lost_segments) == ("LOCKED", (), ["0"])
    assert volume.lock_causes == ["no copy of segment 0 is online"]
    assert volume.lacks_data
    for told, read in (
        ([{"node": 11, "state": "online"}, 7], ("node 11 state online", "7")),
        ({"node": 11}, ("node 11",)), ({}, ()), ("x", ("x",)), (None, ()),
    ):  # fmt: skip
        (volume,) = Cluster(st_volume_list=[{**row, "unlock_conditions": told}]).confd.volumes().all()
        assert volume.unlock_conditions == read
    by_hand = Cluster(st_volume_list=[{**ROW, "state": "LOCKED"}]).confd.volumes().all()[0]
    assert (by_hand.lock_causes, by_hand.lacks_data) == ([], False)
