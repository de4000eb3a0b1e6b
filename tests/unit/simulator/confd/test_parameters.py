# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a job is told is done as told, or the job is refused and nothing of it was done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Lab

VOLUME = {"name": "new", "type": "data", "size": "1 GiB", "disk": "disk1", "nodes": [11, 12], "redundancy": 2}
DATABASE = {
    "db_name": "DB3", "version": "8.29.1", "data_volume_name": "DataVolume1", "mem_size": "2 GiB", "nodes": [11, 12],
    "num_active_nodes": 1, "port": 9999,
}  # fmt: skip


def test_a_volume_is_as_it_was_wanted(lab: Callable[..., Lab]) -> None:
    one = lab()
    wanted = {
        "block_size": "64 KiB",
        "stripe_size": 1048576,
        "priority": "0",
        "owner": [1, 2],
        "permissions": "rwxr-----",
    }
    number = one.ok("st_volume_create", **VOLUME, **wanted)
    info = one.ok("st_volume_info", vid=number)
    assert (info["block_size"], info["bytes_per_block"], info["stripe_size"]) == ("64 KiB", 65536, "1 MiB")
    assert (info["size"], info["segments"][0]["end_block"]) == ("1 GiB", str(2**29 // 65536 - 1))
    assert (info["priority"], info["owner"], info["group"], info["permissions"]) == (0, 1, 2, "rwxr-----")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("disk", "nope"), ("priority", "abc"), ("priority", 99), ("priority", -1), ("owner", ["a", "b"]),
        ("owner", [1]), ("permissions", "zzz"), ("block_size", "much"), ("stripe_size", "x"), ("stripe_size", 0),
        ("nodes", [11, 11]), ("num_master_nodes", 0), ("redundancy", 3),
    ],
)  # fmt: skip
def test_what_a_volume_cannot_be(lab: Callable[..., Lab], name: str, value: Any) -> None:
    one = lab()
    before = one.ok("st_volume_list")
    assert one.refused("st_volume_create", **{**VOLUME, name: value}) == f"Parameter {name} can not be {value}"
    assert one.ok("st_volume_list") == before


def test_a_volume_needs_nodes_that_are_online(lab: Callable[..., Lab]) -> None:
    one = lab(nodes={"n11": {}, "n12": {}, "n13": {"state": "offline"}}, databases={})
    assert one.refused("st_volume_create", **{**VOLUME, "nodes": [11, 13]}) == "Node n13 is not online"


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"nodes": [11, 11]}, "nodes can not be [11, 11]"),
        ({"port": 8563}, "port can not be 8563, which database DB1 has"),
        ({"port": 70000}, "port can not be 70000"),
        ({"owner": ["a", "b"]}, "owner can not be ['a', 'b']"),
    ],
)
def test_what_a_database_cannot_be(lab: Callable[..., Lab], changed: dict[str, Any], text: str) -> None:
    one = lab()
    assert text in one.refused("db_create", **{**DATABASE, **changed})
    assert one.ok("db_list") == ["DB1", "DB2"]
    if "nodes" not in changed:
        assert text in one.refused("db_configure", db_name="DB2", **changed)


def test_databases_on_other_nodes_may_have_the_same_port(lab: Callable[..., Lab]) -> None:
    one = lab(databases={"DB1": {"state": "running", "nodes": ["n11"]}})
    one.ok("db_create", **{**DATABASE, "nodes": [12, 13], "port": 8563})
    one.ok("db_create", **{**DATABASE, "db_name": "DB4", "port": None})
    assert [one.ok("db_info", db_name=name)["config"]["port"] for name in ("DB3", "DB4")] == [8563, 8564]


def test_an_enlargement_that_is_refused_leaves_the_nodes(lab: Callable[..., Lab]) -> None:
    databases = {
        "DB1": {"state": "running", "nodes": ["n11"], "data_volume_name": "DataVolume1"},
        "DB2": {"nodes": ["n11", "n12"], "reserve": ["n13"], "data_volume_name": "DataVolume1"},
    }
    one = lab(databases=databases)
    before = one.ok("db_info", db_name="DB2")
    assert "data volume is in use" in one.refused("db_enlarge", db_name="DB2", num_new_nodes=1)
    after = one.ok("db_info", db_name="DB2")
    assert (after["nodes"], after["connection string"]) == (before["nodes"], before["connection string"])
    one.ok("db_stop", db_name="DB1", force=True)
    one.call("job_start", "db_enlarge", {"params": {"db_name": "DB2", "num_new_nodes": 1}})
    one.pass_time(1)
    info = one.ok("db_info", db_name="DB2")
    assert (info["nodes"]["active"], info["nodes"]["reserve"]) == (["n11", "n12", "n13"], [])
    assert info["connection string"] == "10.50.1.11..13:8564"


def test_reserve_nodes_are_added_all_or_none(lab: Callable[..., Lab]) -> None:
    one = lab(databases={"DB1": {"nodes": ["n11"]}})
    assert "is used by database DB1" in one.refused("db_add_reserve_nodes", db_name="DB1", node_list=[13, 11])
    assert one.ok("db_info", db_name="DB1")["nodes"]["reserve"] == []
    one.ok("db_add_reserve_nodes", db_name="DB1", node_list=[13, 12, 13])
    assert one.ok("db_info", db_name="DB1")["nodes"]["reserve"] == ["n13", "n12"]


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"priv_net": "hello"}, "priv_net can not be hello"),
        ({"priv_net": "10.50.1.11/24"}, "priv_net can not be 10.50.1.11/24, which node 11 has"),
        ({"pub_net": "10.50.1/24"}, "pub_net can not be 10.50.1/24"),
        ({"nid": -3}, "nid can not be -3"),
        ({"nid": 0}, "nid can not be 0"),
        ({"nid": 11}, "Node 11 exists already"),
    ],
)
def test_what_an_added_node_cannot_be(lab: Callable[..., Lab], changed: dict[str, Any], text: str) -> None:
    one = lab()
    assert text in one.refused("node_add", **{"priv_net": "10.50.1.20/24", **changed})
    assert list(one.ok("node_list")) == ["11", "12", "13"]
