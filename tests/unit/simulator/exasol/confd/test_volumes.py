# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""Volumes of EXAStorage and remote ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.simulator.exasol.confd.conftest import Lab

SPARE = {"volumes": {"DataVolume1": {}, "spare": {"id": 5, "size": "2 GiB", "nodes": [11, 12], "redundancy": 1}}}


def info(one: Lab, name: str = "spare") -> dict[str, Any]:
    row = one.ok("st_volume_info", vname=name)
    assert isinstance(row, dict)
    return row


def test_segments_are_the_documents(lab: Callable[..., Lab]) -> None:
    one = lab(nodes=["n11"], databases={"DB1": {"state": "running"}}, volumes={"DataVolume1": {}}, clock="immediate")
    (row, _temporary) = one.ok("st_volume_list")
    assert row["segments"] == [
        {
            "end_block": "2621439", "index": "0", "nid": 0, "partitions": [], "phys_nid": 11, "sid": "0",
            "start_block": "0", "state": "ONLINE", "type": "MASTER", "vid": "0",
        }
    ]  # fmt: skip
    assert (row["block_size"], row["stripe_size"], row["id"]) == (4096, 262144, "0")
    assert (row["labels"], row["users"]) == (["#Name#DataVolume1", "pub:DB1_persistent"], [[30, False]])
    told = info(one, "DataVolume1")
    assert (told["block_size"], told["stripe_size"]) == ("4 KiB", "256 KiB")
    assert {**told, "block_size": 4096, "stripe_size": 262144} == row
    assert len(one.ok("st_volume_info", vid="all_volumes")) == 2
    assert one.ok("st_volume_info", vid="0") == one.ok("st_volume_info", vid=0)


def test_redundancy_is_spread(lab: Callable[..., Lab]) -> None:
    one = lab()
    rows = info(one, "DataVolume1")["segments"]
    assert [(row["index"], row["phys_nid"], row["type"]) for row in rows] == [
        ("0", 11, "MASTER"), ("1", 12, "MASTER"), ("2", 13, "MASTER"),
        ("0", 12, "REDUNDANT"), ("1", 13, "REDUNDANT"), ("2", 11, "REDUNDANT"),
    ]  # fmt: skip


def test_create_and_delete(lab: Callable[..., Lab]) -> None:
    one = lab()
    new = {"disk": "disk1", "name": "new", "nodes": [11, 12], "redundancy": 1, "size": "1 GiB", "type": "archive"}
    assert one.ok("st_volume_create", **new) == 3
    assert (info(one, "new")["type"], info(one, "new")["size"]) == ("ARCHIVE", "1 GiB")
    assert one.refused("st_volume_create", **new) == "Volume new exists already"
    for key, value in (("size", "x"), ("redundancy", 3), ("type", "other"), ("nodes", [99])):
        one.refused("st_volume_create", **{**new, "name": "other", key: value})
    one.ok("st_volume_delete", vname="new")
    assert one.refused("st_volume_info", vname="new") == "Volume new could not be found"
    assert one.refused("st_volume_delete", vname="DataVolume1") == "Volume DataVolume1 is in use"
    assert one.rules() == [("volume-changed-under-database", "DataVolume1")]


def test_size_nodes_and_redundancy(lab: Callable[..., Lab]) -> None:
    one = lab(**SPARE)
    one.ok("st_volume_enlarge", vname="spare", blocks_per_node=2**17)
    assert info(one)["size"] == "3 GiB"
    one.ok("st_volume_shrink", vname="spare", blocks_per_node=2**18)
    assert info(one)["size"] == "1 GiB"
    assert "blocks per node" in one.refused("st_volume_shrink", vname="spare", blocks_per_node=2**18)
    assert "can not be 0" in one.refused("st_volume_enlarge", vname="spare", blocks_per_node=0)
    one.ok("st_volume_append_node", vid=5, node_num=1, node_ids=[13])
    assert (info(one)["volume_nodes"], info(one)["size"]) == ([11, 12, 13], "1.5 GiB")
    assert "already" in one.refused("st_volume_append_node", vid=5, node_num=1, node_ids=[13])
    assert "node_num can not be 2" in one.refused("st_volume_append_node", vid=5, node_num=2, node_ids=[13])
    one.ok("st_volume_increase_redundancy", vid=5, delta=2)
    assert info(one)["redundancy"] == 3
    assert "not enough nodes" in one.refused("st_volume_increase_redundancy", vid=5, delta=1)
    one.pass_time(60)
    one.ok("st_volume_decrease_redundancy", vid=5, delta=2)
    assert "redundancy is 1" in one.refused("st_volume_decrease_redundancy", vid=5, delta=1)
    assert one.rules() == []


def test_new_copies_are_made_in_time(lab: Callable[..., Lab]) -> None:
    one = lab(**SPARE, timing={"recovery": 60})
    one.ok("st_volume_increase_redundancy", vid=5, delta=1)
    assert [row["state"] for row in info(one)["segments"]] == ["ONLINE", "ONLINE", "RECOVERING", "RECOVERING"]
    assert info(one)["state"] == "RECOVERING"
    one.act("/power", node="n12", on=False)
    assert info(one)["state"] == "LOCKED"  # its copy on n11 wasn't made yet
    one.act("/power", node="n12", on=True)
    one.pass_time(1000)
    assert info(one)["state"] == "ONLINE"
    one.ok("st_volume_decrease_redundancy", vid=5, delta=1)
    one.ok("st_volume_increase_redundancy", vid=5, delta=1)
    one.ok("st_volume_decrease_redundancy", vid=5, delta=1)
    assert one.rules()[1:] == [("redundancy-lowered-while-degraded", "spare")]
    assert info(one)["state"] == "ONLINE"


def test_what_is_moved_is_served_by_where_it_was(lab: Callable[..., Lab]) -> None:
    one = lab(**SPARE, timing={"recovery": 60})
    one.ok("st_volume_move_node", vid=5, src_nodes=[12], dst_nodes=[13])
    assert [(row["phys_nid"], row["state"]) for row in info(one)["segments"]] == [(11, "ONLINE"), (13, "RECOVERING")]
    assert info(one)["state"] == "RECOVERING"
    one.ok("st_volume_move_node", vid=5, src_nodes=[13], dst_nodes=[12])
    assert info(one)["state"] == "ONLINE"  # back where it never left
    one.ok("st_volume_move_node", vid=5, src_nodes=[12], dst_nodes=[13])
    one.act("/power", node="n12", on=False)
    assert info(one)["state"] == "LOCKED"
    one.pass_time(60)
    assert info(one)["state"] == "LOCKED"
    one.act("/power", node="n12", on=True)
    one.pass_time(300)
    assert info(one)["state"] == "RECOVERING"
    one.pass_time(60)
    assert info(one)["state"] == "ONLINE"


def test_move(lab: Callable[..., Lab]) -> None:
    one = lab(**SPARE)
    one.ok("st_volume_move_node", vid=5, src_nodes=[12], dst_nodes=[13])
    assert info(one)["volume_nodes"] == [11, 13]
    assert "not on node n12" in one.refused("st_volume_move_node", vid=5, src_nodes=[12], dst_nodes=[12])
    assert "dst_nodes" in one.refused("st_volume_move_node", vid=5, src_nodes=[11], dst_nodes=[])
    one.act("/power", node="n12", on=False)
    assert "not online" in one.refused("st_volume_move_node", vid=5, src_nodes=[11], dst_nodes=[12])


def test_lock_and_io(lab: Callable[..., Lab]) -> None:
    one = lab(**SPARE)
    assert one.refused("st_volume_unlock", vname="spare") == "Volume spare is not locked"
    one.ok("st_volume_lock", vname="spare")
    assert info(one)["state"] == "LOCKED"
    assert one.run("st_volume_enlarge", vid=5, blocks_per_node=1)["result_name"] == "STE_LOCKED"
    one.ok("st_volume_unlock", vid=5)
    one.ok("st_volume_set_io_status", vid=5, app_io=True, int_io=False)
    assert one.run("st_volume_enlarge", vid=5, blocks_per_node=1)["result_name"] == "STE_AGAIN"
    assert one.rules() == []
    one.ok("st_volume_lock", vname="DataVolume1")
    assert one.rules() == [("volume-changed-under-database", "DataVolume1")]
    assert one.ok("db_state", db_name="DB1") == "setup"
    assert one.refused("db_start", db_name="DB1") == "Volume DataVolume1 is locked"


def test_clear_takes_the_data(lab: Callable[..., Lab]) -> None:
    one = lab()
    assert one.refused("st_volume_clear_data", vname="DataVolume1", num_bytes=0, node_ids=[]) == (
        "Volume DataVolume1 is in use"
    )
    one.ok("st_volume_clear_data", vname="DataVolume2", num_bytes=0, node_ids=[])
    assert one.cluster.databases["DB2"].used == 0


def test_labels_priority_owner_permissions(lab: Callable[..., Lab]) -> None:
    one = lab(**SPARE)
    one.ok("st_volume_add_label", vid=5, label="kept")
    one.ok("st_volume_remove_label", vid=5, label="#Name#spare")
    assert "gone" in one.refused("st_volume_remove_label", vid=5, label="gone")
    one.ok("st_volume_set_priority", vid=5, prio=0)
    one.ok("st_volume_set_shared", vid=5, shared=False)
    one.ok("st_volume_change_owner", vid=5, vol_user=7, vol_grp=8)
    one.ok("st_volume_change_permissions", vid=5, mode="rwxr-x---")
    row = info(one)
    told = [row[key] for key in ("labels", "priority", "shared", "owner", "group", "permissions")]
    assert told == [["kept"], 0, False, 7, 8, "rwxr-x---"]
    assert "prio can not be 21" in one.refused("st_volume_set_priority", vid=5, prio=21)
    assert "mode" in one.refused("st_volume_change_permissions", vid=5, mode="777")


def test_the_data_volume_of_a_stopped_database_stays(lab: Callable[..., Lab]) -> None:
    one = lab()
    assert one.refused("st_volume_delete", vname="DataVolume2") == "Volume DataVolume2 is in use"
    assert one.rules() == [("volume-deleted-under-data", "DataVolume2")]
    one.ok("db_delete", db_name="DB2")
    one.ok("st_volume_delete", vname="DataVolume2")


def test_no_smaller_than_what_is_used(lab: Callable[..., Lab]) -> None:
    one = lab(databases={"DB2": {"used": "6 GiB"}}, volumes={"DataVolume1": {"size": "9 GiB"}})
    text = one.refused("st_volume_shrink", vname="DataVolume1", blocks_per_node=2**18 + 1)
    assert text == "Volume DataVolume1 can not be changed: 6 GiB of it are used"
    one.ok("st_volume_shrink", vname="DataVolume1", blocks_per_node=2**18)
    assert info(one, "DataVolume1")["size"] == "6 GiB"


@pytest.mark.parametrize("gone", ["off", "suspended"])
def test_an_only_copy_is_not_left_behind(lab: Callable[..., Lab], gone: str) -> None:
    volumes = {"one": {"nodes": [11, 12, 13]}, "two": {"nodes": [11, 12, 13], "redundancy": 2}}
    one = lab(nodes=["n11", "n12", "n13", "n14"], databases={}, volumes=volumes)
    if gone == "off":
        one.act("/power", node="n13", on=False)
    else:
        one.ok("node_suspend", nid=13)
    move = {"src_nodes": [13], "dst_nodes": [14]}
    assert one.refused("st_volume_move_node", vname="one", **move) == "Volume one is not online"
    assert info(one, "one")["volume_nodes"] == [11, 12, 13]
    assert one.rules() == [("only-copy-left-behind", "one")]
    one.ok("st_volume_move_node", vname="two", **move)
    one.pass_time(1000)
    assert info(one, "two")["state"] == "ONLINE"
    lax = lab(nodes=["n11", "n12", "n13"], databases={}, settings={"move_only_copy": "allow"}, **SPARE)
    lax.act("/power", node="n12", on=False)
    lax.ok("st_volume_move_node", vname="spare", src_nodes=[12], dst_nodes=[13])
    lax.pass_time(1000)
    assert info(lax)["state"] == "LOCKED"  # nobody has what was there
    lax.act("/power", node="n12", on=True)
    lax.pass_time(1000)
    assert info(lax)["state"] == "ONLINE"


def test_a_lock_of_its_own_goes_by_itself_and_one_by_hand_does_not(lab: Callable[..., Lab]) -> None:
    one = lab(**SPARE)
    one.act("/power", node="n12", on=False)
    assert (info(one)["state"], info(one)["unlock_conditions"]) == ("LOCKED", ["segment 1 is online"])
    one.act("/power", node="n12", on=True)
    one.pass_time(1000)
    assert (info(one)["state"], info(one)["unlock_conditions"]) == ("ONLINE", [])
    one.ok("st_volume_lock", vname="spare")
    one.pass_time(1000)
    assert (info(one)["state"], info(one)["unlock_conditions"]) == ("LOCKED", [])


def test_an_unlock_clears_the_conditions_and_the_cause_stays(lab: Callable[..., Lab]) -> None:
    one = lab(**SPARE, settings={"lost_state": "GONE"})
    one.act("/power", node="n12", on=False)
    one.ok("st_volume_unlock", vname="spare")
    assert (info(one)["state"], info(one)["unlock_conditions"]) == ("GONE", [])
    assert [row["state"] for row in info(one)["segments"]] == ["ONLINE", "OFFLINE"]
    one.act("/power", node="n12", on=True)
    one.pass_time(1000)
    assert info(one)["state"] == "ONLINE"
    one.act("/power", node="n12", on=False)
    assert info(one)["state"] == "LOCKED", "it happened anew"


def test_a_node_taken_from_exastorage_locks_its_volumes(lab: Callable[..., Lab]) -> None:
    both = {"volumes": {"DataVolume1": {"nodes": [13]}, "two": {"id": 5, "nodes": [11, 12], "redundancy": 2}}}
    one = lab(nodes=["n11", "n12", "n13"], databases={"DB1": {"state": "running", "nodes": ["n13"]}}, **both)
    assert "Node 13 is used by database DB1" in one.refused("st_node_suspend", nid=13).replace("n13", "13")
    one.ok("st_node_suspend", nid=12)
    assert (info(one, "two")["state"], info(one, "two")["unlock_conditions"]) == ("LOCKED", ["node 12 is resumed"])
    assert one.run("st_volume_enlarge", vid=5, blocks_per_node=1)["result_name"] == "STE_LOCKED"
    assert "not suspended" in one.refused("st_node_resume", nid=11)
    one.ok("st_node_resume", nid=12)
    one.pass_time(1000)
    assert info(one, "two")["state"] == "ONLINE"
