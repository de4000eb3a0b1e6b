# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EXAoperation's volumes, storage nodes and remote volumes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.checks import TopologyError
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.topology import load
from ansible_collections.dbfleet.cluster.tests.unit.simulator.conftest import UP, Lab
from ansible_collections.dbfleet.cluster.tests.unit.simulator.exasol.common.volume_rows import (
    SPARE,
    STORAGE,
    VOLUME,
    info,
)

NEW: dict[str, Any] = {
    "allowed_users": ["admin"],
    "hdd_type": "d03_storage",
    "masternodes": 2,
    "nodes_list": ["n0013", "n0014"],
    "redundancy": 1,
    "size": 8,
    "volume_type": "Archive",
}
KEEP = {"allowed_users": ["admin"], "redundancy": 2}


def test_what_is_told_of_a_volume(lab: Callable[..., Lab]) -> None:
    one = lab(SPARE)
    assert one.call(STORAGE, "getVolumeList") == ["v0000", "v0001", "v0002", "v0003", "r0001"]
    assert info(one) == info(one, 2) == {
        "allowed_users": ["admin"], "app_io": True, "block_size": 4, "disk": "d03_storage", "id": 2, "int_io": True,
        "labels": [], "masternodes": 2, "name": "v0002", "nodes": ["n0011", "n0012"], "priority": 10,
        "readonly_users": [], "redundancy": 2, "segments": [["n0011", "n0012"], ["n0012", "n0011"]], "size": 50,
        "state": "ONLINE", "type": "Archive", "users": [],
    }  # fmt: skip
    assert info(one, "v0001")["users"] == info(one, "v0003")["users"] == ["DB2"]
    assert info(one, "v0003")["labels"] == ["temporary", "pub:DB2_temporary"]
    assert one.refused(STORAGE, "getVolumeInfo", "r0009") == "Volume could not be found"
    assert one.call(STORAGE, "getArchiveFilesystems") == {
        "v0002": ["volume", 2, "rw"],
        "r0001": ["remote", 10001, "rw"],
    }
    assert one.call("", "getAllArchiveVolumes") == ["v0002", "r0001"]
    assert one.call(STORAGE, "getListValues", "Volumes") == ["v0000", "v0001", "v0002", "v0003"]
    assert one.call(STORAGE, "storageHasQuorum") is True
    assert one.call("/storage/v0002", "getPermissions") == {"allowed_users": ["admin"], "readonly_users": []}
    assert one.call("/storage/v0002", "checkPermissions") is True


def test_other_forms(lab: Callable[..., Lab]) -> None:
    settings = {"volume_list": "dict", "volume_info_more": False, "archive_volumes": "rows", "usage_form": "list"}
    one = lab(SPARE, settings=settings)
    rows = one.call(STORAGE, "getVolumeList")
    assert sorted(rows["v0002"]) == ["disk", "name", "redundancy", "segments", "size", "state", "type"]
    assert [row["id"] for row in one.call("", "getAllArchiveVolumes")] == [2, 10001]
    usage = one.call("/db_DB2", "getDatabaseInfo")["usage persistent"]
    assert usage[0] == {"host": "n11", "size": "50 GiB", "used": "1.5 GiB", "volume id": "1"}


def test_a_database_s_volumes(lab: Callable[..., Lab]) -> None:
    one = lab(SPARE)
    told = one.call("/db_DB2", "getDatabaseInfo")
    assert (told["persistent volume"], told["temporary volume"]) == ("v0001", "v0003")
    assert (told["usage persistent"], told["usage temporary"]) == (1.5, 0)
    one.call("/db_DB2", "stopDatabase")
    one.pass_time(100)
    told = one.call("/db_DB2", "getDatabaseInfo")
    assert (told["temporary volume"], told["usage persistent"]) == ("None", 0)
    assert "v0003" not in one.call(STORAGE, "getVolumeList")


def test_add_and_remove(lab: Callable[..., Lab]) -> None:
    one = lab(SPARE)
    assert one.call(STORAGE, "addStorageVolume", {**NEW, "labels": ["nightly"], "priority": 5}) == "v0004"
    added = info(one, "v0004")
    assert (added["size"], added["type"], added["nodes"]) == (8, "Archive", ["n0013", "n0014"])
    assert (added["labels"], added["priority"], added["redundancy"]) == (["nightly"], 5, 1)
    assert one.call("/storage/v0004", "listObjects") == ["n0013", "n0014"]
    one.call(STORAGE, "volumeRemove", "v0004")
    assert one.refused(STORAGE, "volumeRemove", "v0004") == "Volume could not be found"
    assert "NotFound" in one.refused("/storage/v0004", "listObjects")
    assert one.rules() == []
    assert one.refused(STORAGE, "volumeRemove", "v0001") == "Volume v0001 is in use"
    assert one.rules() == [("volume-changed-under-database", "v0001")]


def test_backups_go_with_their_volume(lab: Callable[..., Lab]) -> None:
    one = lab(SPARE, backups={"DB1": [{"volume": "v0002"}, {"volume": "remote1"}]})
    one.call(STORAGE, "volumeRemove", "v0002")
    assert [row["volume"] for row in one.call("/db_DB1", "getBackups")] == ["r0001"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"size": 0}, "size can not be 0"),
        ({"size": "8 GiB"}, "size can not be 8 GiB"),
        ({"size": None}, "Required field size is missing"),
        ({"allowed_users": None}, "Required field allowed_users is missing"),
        ({"hdd_type": "d09"}, "hdd_type can not be d09"),
        ({"volume_type": "data"}, "volume_type can not be data"),
        ({"redundancy": 3}, "redundancy can not be 3"),
        ({"masternodes": 3}, "masternodes can not be 3"),
        ({"nodes_list": ["n0013", "n0013"]}, "nodes_list can not be"),
        ({"nodes_list": ["n0010", "n0013"]}, "nodes_list can not be"),
        ({"nodes_list": ["n0099", "n0013"]}, "Node n0099 could not be found"),
        ({"priority": 21}, "priority can not be 21"),
        ({"name": "x"}, "Unknown field name"),
    ],
)
def test_what_a_new_volume_refuses(lab: Callable[..., Lab], change: dict[str, Any], text: str) -> None:
    one = lab(SPARE)
    assert text in one.refused(STORAGE, "addStorageVolume", {**NEW, **change})
    one.power("n0014", False)
    assert one.refused(STORAGE, "addStorageVolume", NEW) == "Node n0014 is not online"


def test_enlarge(lab: Callable[..., Lab]) -> None:
    one = lab(SPARE, volumes={**SPARE["volumes"], "v0005": {"kind": "archive", "nodes": ["n0011", "n0012", "n0013"]}})
    one.call("/storage/v0005", "resizeVolume", 11)
    one.call("/storage/v0005", "resizeVolume", 3)
    assert info(one, "v0005")["size"] == 114
    for size in (0, -5, "5", True):
        assert "size can not be" in one.refused(VOLUME, "resizeVolume", size)
    one.call(VOLUME, "setIoState", True, False)
    assert one.refused(VOLUME, "resizeVolume", 1) == "I/O of volume v0002 is disabled"


def test_io(lab: Callable[..., Lab]) -> None:
    one = lab(SPARE)
    one.call(VOLUME, "setIoState", False, False)
    assert (info(one)["app_io"], info(one)["int_io"]) == (False, False)
    assert "app_io can not be" in one.refused(VOLUME, "setIoState", "yes", True)
    assert one.rules() == []


def test_nodes_are_added_and_moved(lab: Callable[..., Lab]) -> None:
    one = lab(SPARE)
    assert one.call(VOLUME, "editStorageVolume", {**KEEP, "add_nodes_list": ["n0013"], "add_master_nodes": 1}) == [
        "add_master_nodes",
        "add_nodes_list",
    ]
    assert info(one)["nodes"] == ["n0011", "n0012", "n0013"]
    assert (info(one)["size"], info(one)["masternodes"]) == (75, 3)
    one.call(VOLUME, "moveNodes", {"n0011": "n0014"})
    assert info(one)["nodes"] == ["n0014", "n0012", "n0013"]
    one.call(f"{VOLUME}/n0014", "moveNode", "n0011")
    assert info(one)["nodes"] == ["n0011", "n0012", "n0013"]
    assert "it is not on node n0014" in one.refused(VOLUME, "moveNodes", {"n0014": "n0011"})
    assert "it is on node n0012 already" in one.refused(VOLUME, "moveNodes", {"n0011": "n0012"})
    assert "nodes_map can not be" in one.refused(VOLUME, "moveNodes", {})
    assert "add_master_nodes" in one.refused(VOLUME, "editStorageVolume", {**KEEP, "add_master_nodes": 1})
    one.power("n0014", False)
    assert one.refused(VOLUME, "moveNodes", {"n0011": "n0014"}) == "Node n0014 is not online"


def test_redundancy_labels_priority_users(lab: Callable[..., Lab]) -> None:
    one = lab(SPARE)
    assert one.call(VOLUME, "editStorageVolume", {**KEEP, "redundancy": 1}) == ["redundancy"]
    assert info(one)["segments"] == [["n0011", "n0012"]]
    change = {"allowed_users": ["admin", "watch"], "readonly_users": ["guest"], "labels": ["a", "b"], "priority": 3}
    assert one.call(VOLUME, "editStorageVolume", {**change, "redundancy": 2}) == [*sorted(change), "redundancy"]
    assert {key: info(one)[key] for key in change} == change
    assert one.call(VOLUME, "editStorageVolume", {**change, "redundancy": 2}) == []
    assert "Required field redundancy" in one.refused(VOLUME, "editStorageVolume", {"allowed_users": []})
    assert "not enough nodes" in one.refused(VOLUME, "editStorageVolume", {**KEEP, "redundancy": 3})
    assert "its redundancy is 2" in one.refused(VOLUME, "editStorageVolume", {**KEEP, "redundancy": 0})
    assert "priority can not be 0" in one.refused(VOLUME, "editStorageVolume", {**KEEP, "priority": 0})
    assert one.refused("/storage/v0001", "editStorageVolume", {**KEEP, "redundancy": 1}) == "Volume v0001 is in use"
    assert one.call("/storage/v0001", "editStorageVolume", {**KEEP, "labels": ["x"]}) == ["labels"]
    assert one.rules() == []
    lax = lab(SPARE, settings={"edit_needs_all": False, "volume_edit_in_use": "allow"})
    assert lax.call("/storage/v0001", "editStorageVolume", {"redundancy": 1}) == ["redundancy"]


def test_a_locked_volume(lab: Callable[..., Lab]) -> None:
    one = lab(SPARE, volumes={**SPARE["volumes"], "v0000": {"state": "LOCKED", "nodes": ["n0011", "n0012"]}})
    assert info(one, "v0000")["state"] == "LOCKED"
    assert one.refused("/storage/v0000", "resizeVolume", 1) == "Volume v0000 is locked"
    assert one.refused("/db_DB1", "startDatabase") == "Volume v0000 is locked"


def test_states_and_recovery(lab: Callable[..., Lab]) -> None:
    one = lab(SPARE, timing={"recovery": 60})
    node = f"{VOLUME}/n0012"
    assert one.call(node, "getAllSegments") == ["1", "2"]
    assert [row["state"] for row in one.call(node, "getSegmentsDescriptions")] == ["ONLINE", "ONLINE"]
    one.power("n0012", False)
    assert info(one)["state"] == "DEGRADED"
    one.power("n0012", True)
    one.pass_time(300)
    assert info(one)["state"] == "RECOVERING"
    one.pass_time(60)
    assert info(one)["state"] == "ONLINE"
    one.call(node, "recoverNode")
    assert {row["state"] for row in one.call(node, "getSegmentsDescriptions")} == {"RECOVERING"}
    one.call(node, "stopRecoverNode")
    assert info(one)["state"] == "ONLINE"
    assert "no other copy" in one.refused("/storage/v0000/n0011", "recoverNode")


# -- storage nodes -----------------------------------------------------------------------------------------------


def test_a_storage_node_is_suspended_and_resumed(lab: Callable[..., Lab]) -> None:
    one = lab(SPARE, databases={"DB1": {"nodes": ["n0011", "n0012"]}}, timing={"recovery": 60})
    node = "/storage/n0012"
    assert one.call(node, "nodeIsSuspended") is False
    assert one.call(node, "suspendNode") is None
    assert (one.call(node, "nodeIsSuspended"), info(one)["state"]) == (True, "DEGRADED")
    assert one.refused(node, "suspendNode") == "Storage node n0012 is suspended already"
    one.call("/storage/n0013", "suspendNode")
    assert one.refused(VOLUME, "moveNodes", {"n0011": "n0013"}) == "Node n0013 is not online"
    one.call("/storage/n0013", "resumeNode")
    assert "data volume is not online" in one.refused("/db_DB1", "startDatabase")
    assert one.call(node, "resumeNode") is None
    assert (one.call(node, "nodeIsSuspended"), info(one)["state"]) == (False, "RECOVERING")
    assert one.refused(node, "resumeNode") == "Storage node n0012 is not suspended"
    one.pass_time(60)
    assert info(one)["state"] == "ONLINE"
    one.call("/db_DB1", "startDatabase")
    assert one.rules() == []
    one.power("n0013", False)
    assert one.refused("/storage/n0013", "suspendNode") == "Node n0013 is not online"


def test_a_storage_node_under_a_database(lab: Callable[..., Lab]) -> None:
    one = lab(SPARE)
    assert one.refused("/storage/n0011", "suspendNode") == "Node n0011 is used by database DB2"
    assert one.rules() == [("storage-node-suspended-under-database", "n0011")]
    lax = lab(SPARE, settings={"storage_suspend_in_use": "allow"})
    lax.call("/storage/n0011", "suspendNode")
    assert lax.database("DB2") == "running"  # its volume has two copies
    lax.call("/storage/n0012", "suspendNode")
    assert lax.database("DB2") == "setup"


def test_the_nodes_own_suspension(lab: Callable[..., Lab]) -> None:
    one = lab(SPARE, databases={}, storage_online=False)
    assert one.call("/n0011", "stopClusterServices") is None
    assert one.call("/n0011", "getNodeState") == {"status": "Suspended"}
    assert one.call("", "activateNodes", ["n0011"]) is None
    assert one.call("/n0011", "getNodeState") == {"status": "Suspended"}
    assert one.call("/n0011", "startClusterServices") is None
    assert one.call("/n0011", "getNodeState") == {"status": "Running"}
    assert "could not be found" in one.refused("", "activateNodes", ["n0099"])
    assert one.rules() == []


# -- topologies ----------------------------------------------------------------------------------------------------


def test_names_of_a_topology_for_both_providers(lab: Callable[..., Lab]) -> None:
    one = lab(
        databases={"DB1": {"data_volume_name": "DataVolume1"}},
        volumes={"DataVolume1": {"size": "30 GiB", "redundancy": 2}, "v0000": {"kind": "archive"}},
        remote_volumes={"RemoteVolume1": {"url": "x", "vid": 10003, "options": ["s3", "noverifypeer"]}},
        backups={"DB1": [{"volume": "RemoteVolume1"}]},
        schedules={"DB1": {"weekly": {"volume": "RemoteVolume1", "level": 0, "hour": 3}}},
    )
    assert one.call("/db_DB1", "getDatabaseInfo")["persistent volume"] == "v0001"
    assert (info(one, "v0001")["labels"], info(one, "v0001")["size"]) == (["#Name#DataVolume1"], 30)
    assert (info(one, "remote1")["name"], info(one, "remote1")["labels"]) == ("r0003", ["RemoteVolume1"])
    assert info(one, "remote1")["options"] == "s3,noverifypeer"
    assert one.call("/db_DB1", "getBackups")[0]["volume"] == "r0003"
    assert one.call("/db_DB1", "getBackupSchedule")[0]["volume"] == "r0003"


def test_the_state_is_a_topology(lab: Callable[..., Lab]) -> None:
    one = lab(SPARE, schedules={"DB1": [{"volume": "v0002", "level": 0}]}, backups={"DB1": [{"volume": "v0002"}]})
    one.call("/storage/n0013", "suspendNode")
    state = one.cluster.state()
    again = Lab({**state, "users": UP["users"]}, "seconds:1")
    for path, method in (
        (STORAGE, "getVolumeList"),
        ("/db_DB1", "getBackups"),
        ("/db_DB1", "getBackupSchedule"),
        ("/db_DB2", "getDatabaseInfo"),
        ("/storage/n0013", "nodeIsSuspended"),
    ):
        assert again.call(path, method) == one.call(path, method), method
    for name in one.call(STORAGE, "getVolumeList"):
        assert info(again, name) == info(one, name)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"settings": {"remote_state": "words"}}, "remote_state must be one of 'word', 'list', not 'words'"),
        ({"backups": {"DB9": []}}, "backups names DB9, which isn't a database"),
        ({"backups": {"DB1": {}}}, "backups of DB1 must be a list"),
        ({"schedules": {"DB1": "x"}}, "schedules of DB1 must be a mapping"),
        ({"schedules": []}, None),
        ({"volumes": "v0000"}, "volumes"),
    ],
)
def test_topologies_that_cannot_be(row: dict[str, Any], text: str | None) -> None:
    if text is None:
        load({**UP, **row})
        return
    with pytest.raises(TopologyError, match="Cluster exa-unit") as caught:
        load({**UP, **row})
    assert text in str(caught.value)


def test_faults_may_name_a_volume(lab: Callable[..., Lab]) -> None:
    one = lab(SPARE)
    one.fault(kind="fault", method="volumeRemove", object="v0002", text="Storage is busy")
    assert one.refused(STORAGE, "volumeRemove", "v0002") == "Storage is busy"
    one.fault(kind="wrong_state", method="getVolumeInfo", object="v0002", value={"state": "WEIRD"})
    assert info(one) == {"state": "WEIRD"}
    assert info(one, "v0001")["state"] == "ONLINE"


def test_which_calls_change_something(lab: Callable[..., Lab]) -> None:
    one = lab(SPARE)
    for call in ((VOLUME, "resizeVolume", 1), ("/storage/n0013", "suspendNode"), ("/remote1", "state")):
        one.call(*call)
    assert [row["changing"] for row in one.cluster.record.calls()] == [True, True, False]
