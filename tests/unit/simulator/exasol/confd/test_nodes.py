# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""Nodes: the master and its loss, quorum, suspension, instances, and what that does to databases and volumes."""

from __future__ import annotations

import xmlrpc.client
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.simulator.exasol.confd.conftest import UP, Lab

DATABASE = {
    "db_name": "DB3", "version": "8.29.1", "data_volume_name": "DataVolume2", "mem_size": "2 GiB", "nodes": [11],
    "num_active_nodes": 1,
}  # fmt: skip
LIST = xmlrpc.client.dumps(("db_list",), "job_exec").encode()


def test_list_and_states(lab: Callable[..., Lab]) -> None:
    one = lab(nodes={"n11": {}, "n12": {"private_ip": "192.168.31.171"}, "n13": {"state": "offline"}})
    rows = one.ok("node_list")
    assert list(rows) == ["11", "12", "13"]
    assert (rows["12"]["private_ip"], rows["12"]["private_net"]) == ("192.168.31.171", "192.168.31.171/24")
    states = one.ok("node_state")
    assert sorted(states.pop("booted")) == ["11", "12"]
    assert states == {"11": "online", "12": "online", "13": "offline"}


def test_master_that_dies_is_followed_by_another(lab: Callable[..., Lab]) -> None:
    one = lab(timing={"move": 20, "database_start": 100}, databases={"DB2": {"nodes": ["n12"]}})
    job = one.call("job_start", "db_start", {"params": {"db_name": "DB2"}})
    one.pass_time(1)
    one.act("/power", node="n11", on=False)
    assert not one.service.listens("n11")
    assert one.http("GET", "/master", node="n12").status == 503
    assert one.post(LIST, node="n12").status == 503
    one.pass_time(20)
    assert one.cluster.administration.master == "n12"
    result = one.call("job_result", job)
    assert result["result_desc"] == "Job was interrupted: the master node n11 is gone"
    assert one.run("db_list")["result_jobid"].startswith("12.")
    one.pass_time(100)
    assert one.ok("db_state", db_name="DB2") == "running"  # what the job began went on


def test_forgotten_jobs(lab: Callable[..., Lab]) -> None:
    one = lab(settings={"master_dies_job": "forget"}, timing={"move": 0})
    job = one.call("job_start", "db_start", {"params": {"db_name": "DB2"}})
    one.act("/power", node="n11", on=False)
    with pytest.raises(xmlrpc.client.Fault, match="could not be found"):
        one.call("job_result", job)


def test_master_change(lab: Callable[..., Lab]) -> None:
    one = lab(timing={"move": 20})
    job = one.call("job_start", "master_change", {"params": {"nids": [13]}})
    one.pass_time(1)
    one.call("job_start", "db_create", {"params": {}})
    assert one.rules() == [("changed-while-master-moved", "db_create")]
    one.pass_time(20)
    assert one.cluster.administration.master == "n13"
    assert one.call("job_result", job)["result_code"] == 0
    assert one.post(LIST, node="n11").status == 302


@pytest.mark.parametrize(
    ("choice", "status", "breakage"), [("error", 503, ""), ("hang", 0, "hang"), ("answer", 200, "")]
)
def test_quorum_lost(lab: Callable[..., Lab], choice: str, status: int, breakage: str) -> None:
    nodes = {"n11": {}, "n12": {"state": "offline"}, "n13": {"state": "offline"}}
    one = lab(nodes=nodes, databases={}, volumes={}, settings={"quorum_lost": choice}, clock="immediate")
    answer = one.post(LIST)
    assert (answer.status, answer.breakage) == (status, breakage)
    assert one.cluster.storage.state == "offline"


def test_nodes_bring_storage_and_databases_up(lab: Callable[..., Lab]) -> None:
    nodes = {name: {"state": "offline"} for name in ("n11", "n12", "n13")}
    databases = {"DB1": {"state": "setup"}, "DB2": {"state": "setup", "auto_start": False}}
    one = lab(nodes=nodes, databases=databases)
    assert not any(one.service.listens(name) for name in nodes)
    for name in nodes:
        one.act("/power", node=name, on=True)
    one.pass_time(300)
    assert one.cluster.administration.running
    one.pass_time(60)
    one.pass_time(200)
    assert one.ok("db_state", db_name="DB1") == "running"
    assert one.ok("db_state", db_name="DB2") == "setup"
    assert one.rules() == []


def test_a_node_is_switched_off_under_a_database(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.act("/power", node="n13", on=False)
    one.pass_time(1)
    assert one.rules() == [("node-off-under-database", "n13")]
    info = one.ok("db_info", db_name="DB1")
    assert (info["state"], info["nodes"]["failed"]) == ("setup", ["n13"])
    assert one.ok("st_volume_info", vname="DataVolume1")["state"] == "DEGRADED"
    assert one.ok("st_volume_info", vname="DataVolume2")["state"] == "LOCKED"
    one.act("/power", node="n13", on=True)
    one.pass_time(300)
    assert one.ok("st_volume_info", vname="DataVolume1")["state"] == "RECOVERING"
    one.pass_time(60)
    assert one.ok("st_volume_info", vname="DataVolume1")["state"] == "ONLINE"


def test_suspend_and_resume(lab: Callable[..., Lab]) -> None:
    one = lab(databases={})
    one.ok("node_suspend", nid=[12, 13])
    states = one.ok("node_state")
    assert (states["12"], states["13"]) == ("suspended", "suspended")
    assert one.post(LIST, node="n12").status == 302
    assert one.refused("node_suspend", nid=12) == "Node 12 is suspended"
    assert one.refused("node_remove", nid=12) == "Node 12 is suspended"
    one.ok("node_resume", nid=12)
    assert one.ok("node_state")["12"] == "online"
    assert one.refused("node_resume", nid=12) == "Node 12 is not suspended"
    assert one.refused("node_resume", nid=99) == "Node 99 could not be found"


def test_add_and_remove(lab: Callable[..., Lab]) -> None:
    one = lab()
    result = one.run("node_add", priv_net="10.10.10.14/24")
    assert (result["result_output"], result["result_revision"]) == (14, 2)
    assert one.ok("node_list")["14"]["private_ip"] == "10.10.10.14"
    assert one.ok("node_state")["14"] == "suspended"
    assert one.refused("node_add", priv_net="10.10.10.15/24", nid=14) == "Node 14 exists already"
    assert one.ok("node_add", priv_net="10.10.10.15/24", offline=True) == 15
    one.ok("node_remove", nid=15)
    assert "is used by database DB1" in one.refused("node_remove", nid=13)
    assert "its master" in one.refused("node_remove", nid=11, force=True)
    one.ok("node_remove", nid=13, force=True)
    assert list(one.ok("node_list")) == ["11", "12", "14"]
    assert one.rules() == [("node-off-under-database", "n13")]


@pytest.mark.parametrize(("off", "broken"), [(["n14"], False), (["n13", "n14"], True)])
def test_what_is_removed_counts_no_more(lab: Callable[..., Lab], off: list[str], broken: bool) -> None:
    nodes = {f"n{number}": {"state": "offline" if f"n{number}" in off else "online"} for number in range(11, 16)}
    database = {"DB1": {"state": "running", "nodes": [11]}}
    volumes = {"DataVolume1": {"nodes": [11]}}
    one = lab(nodes=nodes, databases=database, volumes=volumes, settings={"quorum_lost": "answer"})
    one.ok("node_remove", nid=[12, 15] if not broken else [12])
    assert one.rules() == ([("quorum-lost-under-database", "n12")] if broken else [])


def test_instances_are_for_clouds(lab: Callable[..., Lab]) -> None:
    plain = lab()
    assert "infra_instances_start" not in plain.call("job_list")
    assert "not supported on this deployment" in plain.refused("infra_instances_start", nids=[12])
    one = lab(deployment="cloud", databases={}, timing={"boot": 100, "shutdown": 10})
    assert "infra_instances_start" in one.call("job_list")
    stop = one.call("job_start", "infra_instances_stop", {"params": {"nids": [12]}})
    one.pass_time(20)
    assert one.call("job_result", stop)["result_code"] == 0
    assert one.ok("infra_overview_get")["12"] == "stopped"
    start = one.call("job_start", "infra_instances_start", {"params": {"nids": [12]}})
    ready = one.call("job_start", "node_wait_ready", {"params": {"nids": [11, 12], "timeout": 10}})
    one.pass_time(20)
    assert one.call("job_result", ready)["result_output"] == [11]
    one.pass_time(100)
    assert one.call("job_result", start)["result_code"] == 0
    assert one.rules() == []


def test_terminated_nodes_go(lab: Callable[..., Lab]) -> None:
    one = lab(databases={}, timing={"shutdown": 10})
    one.ok("nodes_terminate", nids=[13])
    job = one.call("job_start", "node_wait_offline", {"params": {"nids": [13]}})
    one.pass_time(11)
    assert one.call("job_result", job)["result_output"] == [13]


def test_infra_database_jobs_take_the_nodes_along(lab: Callable[..., Lab]) -> None:
    databases = {"DB1": {"state": "running", "nodes": ["n13"]}}
    one = lab(databases=databases, deployment="cloud")
    job = one.call("job_start", "infra_db_stop", {"params": {"db_name": "DB1"}})
    one.pass_time(200)
    assert one.call("job_result", job)["result_code"] == 0
    assert one.ok("node_state")["13"] == "offline"
    job = one.call("job_start", "infra_db_start", {"params": {"db_name": "DB1"}})
    one.pass_time(300)
    one.pass_time(200)
    assert one.call("job_result", job)["result_code"] == 0
    assert one.ok("db_state", db_name="DB1") == "running"
    assert one.rules() == []


def test_a_node_that_is_named_twice_is_one(lab: Callable[..., Lab]) -> None:
    one = lab(databases={}, volumes={"DataVolume1": {"nodes": ["n11", "n12"]}})
    one.ok("node_remove", nid=[13, "n13"])
    assert list(one.ok("node_list")) == ["11", "12"]


@pytest.mark.parametrize("version", ["6.2.7", "8.29.1"])
def test_added_nodes_count_from_their_first_boot(lab: Callable[..., Lab], version: str) -> None:
    one = lab(version=version, nodes=["n11"], databases={"DB1": {"state": "running"}})
    for number in (20, 21):
        one.ok("node_add", priv_net=f"10.50.1.{number}/24")
    assert list(one.ok("node_list")) == ["11", "12", "13"]
    again = Lab({**one.cluster.state(), "users": UP["users"]}, "seconds:1")
    assert list(again.ok("node_list")) == ["11", "12", "13"]
    one.cluster.settings["suspended_counts"] = True
    assert one.ok("db_state", db_name="DB1") == "running"
    for node in ("n12", "n13"):
        if version == "8.29.1":
            one.ok("node_resume", nid=int(node[1:]))
        else:
            one.act("/power", node=node, on=True)
    one.pass_time(300)
    assert one.rules() == []
    for node in ("n12", "n13"):
        one.act("/power", node=node, on=False)
    assert one.post(LIST).status == 503  # now they count


def test_segments_on_a_node_that_was_removed_are_offline(lab: Callable[..., Lab]) -> None:
    one = lab(databases={})
    one.ok("node_remove", nid=13, force=True)
    states = {name: one.ok("st_volume_info", vname=name)["state"] for name in ("DataVolume1", "DataVolume2")}
    assert states == {"DataVolume1": "DEGRADED", "DataVolume2": "LOCKED"}
    one.ok("db_create", **DATABASE)
    assert "data volume is not online" in one.refused("db_start", db_name="DB3")


def test_a_host_deployment_names_the_jobs_for_instances_and_refuses_them(lab: Callable[..., Lab]) -> None:
    one = lab(deployment="host", databases={})
    assert {"infra_instances_stop", "infra_deployment_metadata_get"} <= set(one.call("job_list"))
    for job, params in (("infra_instances_stop", {"nids": [12]}), ("infra_deployment_metadata_get", {})):
        assert f"Job {job} is not supported on this deployment" in one.refused(job, **params)
    assert one.ok("infra_overview_get")["12"] == "running"
    silent = lab(deployment="host", databases={}, settings={"infra_on_hosts_listed": False})
    assert "infra_instances_stop" not in silent.call("job_list")
    older = lab(deployment="host", databases={}, settings={"infra_on_hosts": "allow"})
    assert older.ok("infra_deployment_metadata_get") == {"deployment": "host"}
    assert lab(deployment="cloud").ok("infra_deployment_metadata_get") == {"deployment": "cloud"}


def test_a_node_goes_and_comes_with_the_services_of_its_host(lab: Callable[..., Lab]) -> None:
    one = lab(deployment="host", databases={}, timing={"shutdown": 10, "boot": 10})
    for service in ("c4_cloud_command", "c4"):
        told = one.act("/service", node="n13", service=service, on=False)
    assert told == {"node": "n13", "service": "c4", "on": False, "state": "shutting_down"}
    one.pass_time(11)
    assert one.ok("node_state")["13"] == "offline"
    for service in ("c4", "c4_cloud_command"):
        one.act("/service", node="n13", service=service, on=True)
    one.pass_time(11)
    assert one.ok("node_state")["13"] == "online"
    assert one.act("/service", node="n13", service="c4")["on"] is True
    assert one.rules() == []
    one.act("/service", node="n13", service="c4", on=False)
    assert one.rules() == [("host-services-out-of-order", "n13")]


def test_a_suspended_node_comes_back_when_its_services_start(lab: Callable[..., Lab]) -> None:
    one = lab(deployment="host", databases={}, nodes={"n11": {}, "n12": {}, "n13": {"state": "offline"}})
    one.ok("node_suspend", nid=13)
    assert one.ok("node_state")["13"] == "suspended"
    one.act("/service", node="n13", service="c4", on=True)
    one.pass_time(400)
    assert one.ok("node_state")["13"] == "online"


def test_only_hosts_have_services(lab: Callable[..., Lab]) -> None:
    with pytest.raises(Exception, match="a node of a host deployment"):
        lab().act("/service", node="n13", service="c4", on=False)


HALF = {"n11": {}, "n12": {}, "n13": {}, "n14": {}}


def half_dead(lab: Callable[..., Lab], **settings: Any) -> Lab:
    databases = {"DB1": {"state": "running", "nodes": ["n11", "n12"]}}
    one = lab(nodes=HALF, databases=databases, volumes={}, settings=settings, timing={"move": 0, "quorum_back": 60})
    for node in ("n13", "n14"):
        one.act("/power", node=node, on=False)
        one.pass_time(1)
    one.cluster.record.forgive()
    return one


def test_dead_nodes_are_suspended_without_a_quorum_and_give_it_back(lab: Callable[..., Lab]) -> None:
    one = half_dead(lab)
    assert one.post(LIST).status == 503
    assert one.run("node_suspend", nid=[13, 14])["result_code"] == 0
    assert one.post(LIST).status == 503
    one.pass_time(61)
    assert one.ok("node_state")["13"] == "suspended"
    one.pass_time(400)
    assert one.ok("db_state", db_name="DB1") == "running"  # its storage came back, and it with it
    assert one.rules() == []
    none = half_dead(lab, suspend_without_quorum=False)
    suspend = xmlrpc.client.dumps(("node_suspend", {"params": {"nid": [13, 14]}}), "job_exec").encode()
    assert none.post(suspend).status == 503


@pytest.mark.parametrize("shown", [True, False])
def test_a_database_may_seem_connectable_without_a_quorum(lab: Callable[..., Lab], shown: bool) -> None:
    one = half_dead(lab, quorum_lost="answer", connectible_without_quorum=shown)
    info = one.ok("db_info", db_name="DB1")
    assert (info["connectible"], info["state"]) == (("Yes", "running") if shown else ("No", "setup"))
    assert one.ok("db_state", db_name="DB1") == info["state"]
