# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""Databases: states, what is refused, parameters, nodes, volumes that come and go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.simulator.exasol.confd.conftest import Lab


def test_start_is_finished_when_it_runs(lab: Callable[..., Lab]) -> None:
    one = lab(timing={"database_start": 100, "connect": 10})
    job = one.call("job_start", "db_start", {"params": {"db_name": "DB2"}})
    one.pass_time(50)
    assert one.call("job_finished", job) is False
    assert one.call("job_info", job)["stage"] == "executed"
    assert one.ok("db_state", db_name="DB2") == "startup"
    one.pass_time(50)
    assert one.call("job_result", job) == {
        "result_code": 0, "result_name": "OK", "result_desc": "Success", "result_jobid": job,
    }  # fmt: skip
    assert one.ok("db_state", db_name="DB2") == "running"
    assert one.ok("db_info", db_name="DB2")["connectible"] == "No"
    one.pass_time(10)
    assert one.ok("db_info", db_name="DB2")["connectible"] == "Yes"
    assert one.rules() == []


def test_start_that_fails_tells_why(lab: Callable[..., Lab]) -> None:
    one = lab(timing={"database_start": 0})
    one.fault(kind="fails_to_start", object="DB2", text="no license")
    assert one.refused("db_start", db_name="DB2") == "no license"
    assert one.ok("db_info", db_name="DB2")["info"] == "no license"


@pytest.mark.parametrize(("after", "state"), [("leave", "startup"), ("abort", "setup")])
def test_timeout_of_a_start(lab: Callable[..., Lab], after: str, state: str) -> None:
    one = lab(settings={"start_timeout": after})
    job = one.call("job_start", "db_start", {"params": {"db_name": "DB2", "timeout": 30}})
    one.pass_time(31)
    assert one.call("job_result", job)["result_desc"] == "Database DB2 is not running after 30 seconds"
    assert one.ok("db_state", db_name="DB2") == state


def test_stop_and_its_blockers(lab: Callable[..., Lab]) -> None:
    one = lab(timing={"database_stop": 0.5})
    one.act("/operation", database="DB1", operation="Backup")
    assert "during operation Backup" in one.refused("db_stop", db_name="DB1")
    one.act("/operation", database="DB1", operation="None")
    assert one.ok("db_stop", db_name="DB1") is None
    assert one.ok("db_state", db_name="DB1") == "setup"
    assert "not running" in one.refused("db_stop", db_name="DB1")
    assert one.rules() == [("database-stopped-during-operation", "DB1")]


def test_force_is_for_what_does_not_stop(lab: Callable[..., Lab]) -> None:
    one = lab(databases={"DB1": {"state": "running"}, "DB2": {"state": "running"}})
    one.fault(kind="never_stops", object="DB1")
    job = one.call("job_start", "db_stop", {"params": {"db_name": "DB1"}})
    one.pass_time(1000)
    assert one.call("job_finished", job) is False
    one.ok("db_stop", db_name="DB1", force=True)
    assert one.call("job_finished", job) is True
    assert one.rules() == []
    one.ok("db_stop", db_name="DB2", force=True)
    assert one.rules() == [("database-stopped-by-force", "DB2")]


def test_a_start_that_is_repeated_breaks_a_rule(lab: Callable[..., Lab]) -> None:
    one = lab()
    assert one.refused("db_start", db_name="DB1") == "Database DB1 is already running"
    assert one.rules() == [("database-start-repeated", "DB1")]
    assert one.cluster.record.rules[0]["call_n"] == 1


def test_the_temporary_volume_is_there_while_it_is_up(lab: Callable[..., Lab]) -> None:
    one = lab(timing={"database_stop": 0})
    assert [row["name"] for row in one.ok("st_volume_list")] == ["DataVolume1", "DataVolume2", "v0002"]
    info = one.ok("db_info", db_name="DB1")
    assert (info["persistent volume"], info["temporary volume"]) == ("DataVolume1", "v0002")
    assert info["usage temporary"][0] == {"host": "n11", "size": "1 GiB", "used": "0 B", "volume id": "2"}
    one.ok("db_stop", db_name="DB1")
    assert [row["name"] for row in one.ok("st_volume_list")] == ["DataVolume1", "DataVolume2"]
    assert one.ok("db_info", db_name="DB1")["temporary volume"] == "None"


NEW: dict[str, Any] = {
    "db_name": "DB3", "version": "8.29.1", "data_volume_name": "DataVolume2", "mem_size": "4 GiB",
    "nodes": [11, 12, 13], "num_active_nodes": 2, "port": 8888,
}  # fmt: skip


def test_create_configure_delete(lab: Callable[..., Lab]) -> None:
    one = lab()
    result = one.run("db_create", **NEW)
    assert (result["result_code"], result["result_revision"]) == (0, 2)
    assert one.ok("db_list") == ["DB1", "DB2", "DB3"]
    info = one.ok("db_info", db_name="DB3")
    assert info["nodes"] == {"active": ["n11", "n12"], "failed": [], "reserve": ["n13"]}
    assert info["connection string"] == "10.50.1.11..12:8888"
    assert (info["config"]["mem_size"], info["config"]["auto_start"]) == ("4 GiB", True)
    one.ok("db_configure", db_name="DB3", port=9999, params="-a=1 -b=2", params_add=["-c=3"], params_delete=["-a"])
    info = one.ok("db_info", db_name="DB3")
    assert (info["connection string"], info["config"]["params"]) == ("10.50.1.11..12:9999", "-b=2 -c=3")
    one.ok("db_delete", db_name="DB3")
    assert one.ok("db_list") == ["DB1", "DB2"]
    assert one.ok("settings_list", sections=["Global"])["Global"]["Revision"] == 4


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"db_name": "DB1"}, "exists already"),
        ({"nodes": [11, 99]}, "Node 99 could not be found"),
        ({"num_active_nodes": 4}, "num_active_nodes can not be 4"),
        ({"mem_size": "much"}, "mem_size can not be much"),
        ({"data_volume_name": "other"}, "Volume other could not be found"),
        ({"port": "8888"}, "port must be of type int"),
        ({"data_volume_name": None}, "mandatory parameter data_volume_name is missing"),
        ({"colour": "red"}, "unknown parameter colour"),
    ],
)
def test_what_create_refuses(lab: Callable[..., Lab], changed: dict[str, Any], text: str) -> None:
    one = lab()
    assert text in one.refused("db_create", **{**NEW, **changed})
    assert one.ok("db_list") == ["DB1", "DB2"]
    assert one.cluster.revision == 1


def test_what_needs_a_database_that_is_down(lab: Callable[..., Lab]) -> None:
    one = lab()
    for job, more in (
        ("db_delete", {}),
        ("db_configure", {"port": 1}),
        ("db_reset", {}),
        ("db_enlarge", {"num_new_nodes": 1}),
    ):
        assert one.refused(job, db_name="DB1", **more) == "Database DB1 is not offline"
        assert one.refused(job, db_name="DB9", **more) == "Database DB9 could not be found"


def test_reserve_nodes_stand_in(lab: Callable[..., Lab]) -> None:
    databases = {"DB1": {"state": "running", "nodes": ["n11", "n12"]}}
    one = lab(databases=databases, timing={"database_stop": 0.5, "database_start": 0.5})
    one.ok("db_add_reserve_nodes", db_name="DB1", node_list=[13])
    assert "is used by database DB1" in one.refused("db_add_reserve_nodes", db_name="DB1", node_list=[13])
    one.ok("db_suspend_nodes", db_name="DB1", node_list=["n12"])
    one.pass_time(5)
    info = one.ok("db_info", db_name="DB1")
    assert (info["state"], info["nodes"]["active"], info["nodes"]["reserve"]) == ("running", ["n11", "n13"], ["n12"])
    one.ok("db_resume_nodes", db_name="DB1", node_list=["n12"])
    assert "not suspended" in one.refused("db_resume_nodes", db_name="DB1", node_list=["n12"])
    one.ok("db_stop", db_name="DB1")
    job = one.call("job_start", "db_enlarge", {"params": {"db_name": "DB1", "num_new_nodes": 1}})
    one.pass_time(5)
    assert one.call("job_result", job)["result_code"] == 0
    assert one.ok("db_info", db_name="DB1")["nodes"]["active"] == ["n11", "n13", "n12"]


def test_a_stop_that_takes_too_long_is_no_success(lab: Callable[..., Lab]) -> None:
    one = lab(deployment="cloud", databases={"DB1": {"state": "running", "nodes": [11]}})
    one.fault(kind="never_stops")
    stop = one.call("job_start", "db_stop", {"params": {"db_name": "DB1", "timeout": 30}})
    off = one.call("job_start", "infra_instances_stop", {"params": {"nids": [12], "timeout": 40}})
    one.pass_time(100)
    assert one.call("job_result", stop)["result_desc"] == "Database DB1 is not down after 30 seconds"
    assert one.call("job_result", off)["result_desc"] == "Node n12 is not down after 40 seconds"


def test_another_data_volume_is_the_one_that_it_has(lab: Callable[..., Lab]) -> None:
    one = lab(volumes={"DataVolume1": {}, "DataVolume2": {}, "V9": {"nodes": [11]}})
    one.refused("db_configure", db_name="DB2", data_volume_name="V9", port="x")
    for params in ({"data_volume_name": "V9"}, {"data_volume_id": "0"}, {"data_volume_id": 2}):
        one.ok("db_configure", db_name="DB2", **params)
        info = one.ok("db_info", db_name="DB2")
        name = "DataVolume1" if params.get("data_volume_id") == "0" else "V9"
        assert (info["persistent volume"], info["config"]["data_volume"]) == (name, name)
        labelled = [row["name"] for row in one.ok("st_volume_list") if "pub:DB2_persistent" in row["labels"]]
        assert labelled == [name]
        assert ("in use" in str(one.run("db_start", db_name="DB2")["result_desc"])) is (name == "DataVolume1")
        one.run("db_stop", db_name="DB2", force=True)
    one.ok("st_volume_delete", vname="DataVolume2")  # nobody's any more


def test_what_a_start_needs_of_its_volume(lab: Callable[..., Lab]) -> None:
    one = lab(settings={"volume_delete_under_data": "allow"})
    for app_io, int_io in ((False, True), (True, False)):
        one.ok("st_volume_set_io_status", vname="DataVolume2", app_io=app_io, int_io=int_io)
        assert one.run("db_start", db_name="DB2")["result_name"] == "STE_AGAIN"
    one.ok("st_volume_set_io_status", vname="DataVolume2", app_io=True, int_io=True)
    one.ok("st_volume_delete", vname="DataVolume2")
    assert one.refused("db_start", db_name="DB2") == "Volume 1 could not be found"
    assert one.ok("db_info", db_name="DB2")["persistent volume"] == "None"
    assert one.rules() == [("volume-deleted-under-data", "DataVolume2")]


def test_a_database_that_has_lost_its_nodes_or_data_does_not_start(lab: Callable[..., Lab]) -> None:
    one = lab(databases={"DB2": {"state": "setup", "nodes": [11, 12]}}, volumes={"DataVolume1": {}})
    one.act("/power", node="n13", on=False)
    text = "Could not start database DB2: data volume is not online"
    assert one.refused("db_start", db_name="DB2") == text
    one.cluster.databases["DB2"].active = []
    assert "not have enough active nodes" in one.refused("db_start", db_name="DB2")


@pytest.mark.parametrize("how", ["power", "suspend"])
@pytest.mark.parametrize(("copies", "state"), [(1, "setup"), (2, "running")])
def test_a_database_ends_with_its_data(lab: Callable[..., Lab], how: str, copies: int, state: str) -> None:
    one = lab(
        databases={"DB1": {"state": "running", "nodes": [11, 12]}, "DB2": {"nodes": [11, 12]}},
        volumes={"DataVolume1": {"redundancy": copies}, "DataVolume2": {}},
    )
    if how == "power":
        one.act("/power", node="n13", on=False)
    else:
        one.ok("node_suspend", nid=13)
    info = one.ok("db_info", db_name="DB1")
    assert (info["state"], "is not online: node n13" in info["info"]) == (state, copies == 1)
    assert one.rules() == [("node-off-under-volume", "n13")][: 2 - copies]


def test_force_under_an_operation(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.act("/operation", database="DB1", operation="Backup")
    one.refused("db_stop", db_name="DB1")
    with one.cluster.lock:
        one.cluster.record.rules.clear()
    one.ok("db_stop", db_name="DB1", force=True)
    assert one.rules() == [("database-stopped-during-operation", "DB1"), ("database-stopped-by-force", "DB1")]


def test_its_info_tells_of_lost_copies_and_of_a_failover(lab: Callable[..., Lab]) -> None:
    volumes = {"DataVolume1": {"nodes": ["n11", "n12"], "redundancy": 2}}
    databases = {"DB1": {"state": "running", "nodes": ["n12", "n13"], "data_volume_name": "DataVolume1"}}
    one = lab(volumes=volumes, databases=databases)
    near = "Payload of database node 13 resides on volume master node 11."
    assert one.ok("db_info", db_name="DB1")["info"] == near
    one.cluster.volumes.suspended.add("n11")
    lost = "2 segments of the database volume are not online (missing redundancy)"
    assert one.ok("db_info", db_name="DB1")["info"] == f"{near} {lost}"
