# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a job of databases refuses, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.simulator.exasol.confd.conftest import Lab

DATABASE = {
    "db_name": "DB3", "version": "8.29.1", "data_volume_name": "DataVolume1", "mem_size": "2 GiB", "nodes": [11, 12],
    "num_active_nodes": 1, "port": 9999,
}  # fmt: skip


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
