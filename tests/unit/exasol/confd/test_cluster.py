# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The provider on the simulator: what the interface promises."""

from __future__ import annotations

import xmlrpc.client
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    AnswerLost,
    ClusterError,
    Denied,
    Fault,
    Garbled,
    NoSuchObject,
    Unsupported,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api import capabilities as can
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.providers import confd_node
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.states import Database
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.cluster import ConfdCluster
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.confd.faults import ON_MACHINES
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.faults import parse
from ansible_collections.dbfleet.cluster.tests.answers.fixtures import answer
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.fake_nodes import Nodes, failed, result
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.simulated import Simulated, calls


def cluster(use_infra: bool = False, **settings: Any) -> tuple[ConfdCluster, Simulated]:
    simulated = Simulated(**settings)
    return ConfdCluster(simulated.jobs(), use_infra), simulated


def test_what_is_read():
    found, simulated = cluster()
    assert found.nodes() == ["n11", "n12", "n13"]
    assert found.node_states() == dict.fromkeys(["n11", "n12", "n13"], "online")
    assert found.master() == "n12"
    assert found.services() == {"Storaged": "OK"}
    assert found.databases() == ["DB1"]
    assert found.database("DB1") == Database("DB1", "setup", "No", "None", found.database("DB1").connection_string)
    assert (found.log_services(), found.plugins(), found.version()) == ([], [], None)
    assert found.login_role() == "nodes, volumes and databases"
    assert found.answers()
    assert simulated.service.cluster.record.rules == []


def test_all_nodes_are_told_by_one_call():
    found, simulated = cluster()
    found.nodes()
    before = len(calls(simulated))
    assert found.node_states() == dict.fromkeys(["n11", "n12", "n13"], "online")
    assert calls(simulated)[before:] == ["node_state"]


def test_what_a_database_says_of_lost_copies_is_told():
    outputs = {"db_info": answer("confd/db_info_lost_redundancy"), "node_state": {"11": "online"}}
    found = ConfdCluster(Nodes(job_exec=lambda job, *_given: result(outputs[job])).jobs()).database("DB1")
    assert found.info.endswith("1 segments of the database volume are not online (missing redundancy)")
    assert found.as_dict()["info"] == found.info
    assert "info" not in Database("DB1", "running").as_dict()


@pytest.mark.parametrize("names", ["6.2", "8"])
def test_nodes_are_suspended_and_resumed_by_one_job(names):
    found, simulated = cluster(parameter_names=names)
    if names == "6.2":
        found.suspend_nodes(["n13"])
    else:
        found.suspend_nodes(["n13", "n11"])
    assert found.node_states()["n13"] == "suspended"
    assert found.node_is_suspended("n13")
    assert not found.node_is_online("n13")
    found.resume_nodes(["n13"])
    assert calls(simulated).count("node_suspend") == calls(simulated).count("node_resume") == 1


def test_nodes_are_marked_in_the_configuration_where_that_is_asked():
    found, simulated = cluster()
    node = simulated.service.cluster.machines["n13"]
    found.suspend_nodes(["n13"])
    assert node.enabled
    found.resume_nodes(["n13"])
    found.suspend_nodes(["n13"], disable=True)
    assert not node.enabled
    found.resume_nodes(["n13"])
    assert not node.enabled
    found.suspend_nodes(["n13"])
    found.resume_nodes(["n13"], enable=True)
    assert node.enabled


def test_a_job_that_takes_one_node_is_run_for_each():
    found, simulated = cluster(parameter_names="6.2", suspended_counts=False)
    found.suspend_nodes(["n13", "n11"])
    assert list(found.node_states().values()) == ["suspended", "online", "suspended"]
    found.resume_nodes(["n11"])
    with pytest.raises(Fault, match="n13.*is suspended") as refused:
        found.suspend_nodes(["n13", "n11"])
    assert not refused.value.partly
    with pytest.raises(Fault, match="node_suspend of n13 .*is suspended.*; done before: n11$") as refused:
        found.suspend_nodes(["n11", "n13"])
    assert refused.value.partly
    assert calls(simulated).count("node_suspend") == 5


def test_a_database_is_started_stopped_and_its_jobs_tell_their_stages():
    found, _simulated = cluster()
    found.start_database("DB1")
    assert found.database("DB1").accepts_connections
    (line,) = found.news(["DB1"])
    assert "(db_start of DB1): finished" in line
    assert found.news(["DB1"]) == []
    found.stop_database("DB1")
    assert found.database("DB1").is_stopped
    assert found.database_errors("DB1") == ""


def test_why_a_job_failed_is_told_when_it_is_over():
    found, simulated = cluster()
    rule = {"kind": "fails_to_start", "object": "DB1", "text": "no license"}
    simulated.service.cluster.faults.add(parse(rule, ON_MACHINES))
    found.start_database("DB1")
    assert "no license" in found.database_errors("DB1")
    assert found.database_errors("DB1") == found.database_errors("DB1")


@pytest.mark.parametrize("fate", ["fail", "forget"])
def test_a_job_that_went_with_its_master_is_a_lost_one(fate):
    found, simulated = cluster(master_dies_job=fate)
    within = simulated.service.cluster
    within.clock.set("seconds:1000")
    found.start_database("DB1")
    with within.lock:
        within.machines["n12"].press_off()
        within.clock.set("immediate")
        within.settle()
    with pytest.raises(AnswerLost, match="db_start of DB1: job .*the server may have carried it out"):
        found.database_errors("DB1")
    assert found.database_errors("DB1") == ""


def test_what_confd_has_no_job_for_is_said():
    found, simulated = cluster()
    for capability in (can.POWER_ON, can.POWER_OFF, can.START_STORAGE, can.STOP_STORAGE, can.LOG, can.PLUGINS):
        with pytest.raises(Unsupported, match="^exa-unit: ConfD has no"):
            found.require(capability)
    assert found.lacks(can.BACKUPS) is None
    for call in (
        lambda: found.start_nodes(["n11"]), lambda: found.stop_nodes(["n11"]), lambda: found.start_storage([]),
        found.stop_storage, lambda: found.log_entries("logservice1"), lambda: found.call_plugin("P", "n11", "START"),
    ):  # fmt: skip
        with pytest.raises(Unsupported):
            call()
    assert calls(simulated) == []


def test_jobs_for_instances_need_the_option_and_the_deployment():
    found, _simulated = cluster(use_infra=True)
    with pytest.raises(Unsupported, match="job_list of this deployment has no infra_instances_start"):
        found.require(can.POWER_ON)
    simulated = Simulated()
    simulated.service.cluster.spec.deployment = "cloud"
    cloud = ConfdCluster(simulated.jobs(), use_infra=True)
    assert cloud.infra_refusal() is None
    cloud.require(can.POWER_OFF)
    assert ConfdCluster(simulated.jobs()).lacks(can.POWER_OFF)


def test_jobs_for_instances_are_proved_where_job_list_names_them_and_the_server_refuses_them():
    simulated = Simulated()
    simulated.service.cluster.spec.deployment = "host"
    found = ConfdCluster(simulated.jobs(), use_infra=True)
    for capability, job in ((can.POWER_ON, "infra_instances_start"), (can.POWER_OFF, "infra_instances_stop")):
        says = f"{job} can't be used, .* 'Job infra_deployment_metadata_get is not supported on this deployment'.*: let"
        with pytest.raises(Unsupported, match=says):
            found.require(capability)
    with pytest.raises(Unsupported):
        found.stop_nodes(["n11"])
    assert found.booting(["n11"]) == []
    assert calls(simulated) == ["master", "job_list", "infra_deployment_metadata_get"]


def test_who_may_not_ask_about_instances_may_not_use_their_jobs():
    denied = failed("User dba is not allowed to run job infra_deployment_metadata_get")
    nodes = Nodes(job_list=["infra_instances_start", "infra_instances_stop"], job_exec=denied)
    with pytest.raises(Denied, match="infra_deployment_metadata_get.*the user may not do this"):
        ConfdCluster(nodes.jobs(), use_infra=True).require(can.POWER_OFF)


def test_a_storage_that_is_down_is_a_service_that_does_not_run():
    found, simulated = cluster()
    simulated.service.cluster.storage.state = "offline"
    assert found.services() == {"Storaged": "not running"}


@pytest.mark.parametrize(
    "said",
    [
        failed("only minority of nodes are online", 12, "STE_MINORITY"),
        failed("12", 12, "STE_MINORITY"),
        xmlrpc.client.Fault(1, "STE_MINORITY: only minority of nodes are online"),
        failed("EXAStorage is not running"),
        failed("EXAStorage is not online"),
        xmlrpc.client.Fault(1, "storage service is offline"),
    ],
)
def test_words_that_say_that_the_storage_is_down(said):
    assert ConfdCluster(Nodes(job_exec=said).jobs()).services() == {"Storaged": "not running"}


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (failed("internal error"), Fault),
        (failed(""), Fault),
        (failed("Volume v0001 of the storage is locked", 10, "STE_LOCKED"), Fault),
        (failed("storage not allowed here"), Fault),
        (xmlrpc.client.Fault(1, "KeyError: 'segments'"), Fault),
        (failed("the cluster has lost its quorum"), Fault),
        (failed("Job st_volume_list does not exist"), NoSuchObject),
        (failed("User bob is not allowed to run job st_volume_list"), Denied),
    ],
)
def test_any_other_refusal_tells_nothing_of_the_storage(said, kind):
    with pytest.raises(kind, match="st_volume_list at "):
        ConfdCluster(Nodes(job_exec=said).jobs()).services()


def test_rights_are_told_by_what_is_allowed():
    def role(user: str) -> Any:
        return ConfdCluster(Simulated().jobs(username=user, password=user)).login_role()

    assert [role(user) for user in ("guest", "databases", "storage")] == ["names of databases", "databases", "volumes"]
    with pytest.raises(Denied, match="db_list"):
        role("nobody")
    with pytest.raises(Denied):
        ConfdCluster(Simulated().jobs(username="guest", password="guest")).services()


@pytest.mark.parametrize("odd", [None, "text", [], {}, {"x": {}}, {"11": 1}])
def test_an_odd_list_of_nodes(odd):
    with pytest.raises(Garbled, match="node_list at .*: the output has an unknown form"):
        ConfdCluster(Nodes(job_exec=result(odd)).jobs()).nodes()


@pytest.mark.parametrize(
    "odd", [None, "online", [], {}, {"booted": {"11": "a time"}}, {"a": "online"}, {"11": {}}, {"99": "online"}]
)
def test_nodes_of_which_an_odd_answer_says_nothing_are_not_off(odd):
    outputs = {"node_list": {"11": {"name": "n11"}}, "node_state": odd}
    found = ConfdCluster(Nodes(job_exec=lambda job, *_params: result(outputs[job])).jobs())
    with pytest.raises(Garbled, match="node_state at .*: (the output has an unknown form|it reports none)"):
        found.node_states()


def test_the_times_of_boot_among_the_nodes_are_passed_over():
    outputs = {"node_list": {"11": {"name": "n11"}, "12": {"name": "n12"}}}
    outputs["node_state"] = answer("confd/node_state_with_booted")
    found = ConfdCluster(Nodes(job_exec=lambda job, *_params: result(outputs[job])).jobs())
    assert found.node_states() == {"n11": "online", "n12": "online"}


def test_what_node_state_says_beside_nodes_is_passed_over():
    told = {"11": "online", "12": "Suspended", "booted": {"11": "a time"}, "master": "n11", "quorum": True}
    outputs = {"node_list": {"11": {"name": "n11"}, "12": {"name": "n12"}}, "node_state": told}
    found = ConfdCluster(Nodes(job_exec=lambda job, *_params: result(outputs[job])).jobs())
    assert found.node_states() == {"n11": "online", "n12": "suspended"}


@pytest.mark.parametrize(
    ("job", "odd"),
    [
        ("db_list", [None]),
        ("db_list", [{}]),
        ("db_list", True),
        ("db_info", {"a": 1}),
        ("db_info", {"state": ""}),
        ("db_info", {"state": "setup", "nodes": {"active": "n11"}}),
        ("st_volume_list", [True]),
        ("st_volume_list", [{"id": 1, "volume_nodes": -1}]),
        ("st_volume_list", [{"id": 1, "nodes_list": True}]),
    ],
)
def test_who_uses_a_node_is_not_told_by_half(job, odd):
    """Or a node would be removed that a database or a volume needs."""
    outputs = {"db_list": ["DB1"], "db_info": {"state": "setup"}, "node_list": {"11": {}}, "st_volume_list": []}
    jobs = Nodes(job_exec=lambda name, *_params: result({**outputs, job: odd}[name])).jobs()
    with pytest.raises(Garbled, match=f"{job}.* at .*: the output has an unknown form"):
        ConfdCluster(jobs).node_config().users()


def test_what_has_an_unknown_form_is_not_shown():
    row = {"url": "https://user:THEIRS@host/", "password": "THEIRS"}
    for odd in (row, [row], "THEIRS"):
        nodes = Nodes(job_exec=result(odd), job_list=["remote_volume_list_details"])
        with pytest.raises(Garbled, match="the output has an unknown form") as caught:
            ConfdCluster(nodes.jobs()).remote_volumes().all()
        assert "THEIRS" not in caught.value.message


def test_unknown_objects():
    found, _simulated = cluster()
    with pytest.raises(NoSuchObject, match="DB9"):
        found.database("DB9")
    with pytest.raises(ClusterError, match="there is no node n99"):
        found.node_ids(["n99"])


@pytest.mark.parametrize("name", ["n11", "n0011", "11", 11, " 11 "])
def test_names_of_nodes(name):
    assert confd_node(name, ["n11", "n12"]) == "n11"


def test_what_is_not_there_stays_as_it_was_written():
    assert confd_node("n0013", ["n11"]) == "n0013"


def test_until_when_the_license_holds():
    found, simulated = cluster()
    assert found.license_end() == "Unlimited"
    simulated.service.cluster.spec.license = {"Contract": {"expiration_date": "2026-11-05"}}
    assert found.license_end() == "2026-11-05"
    assert calls(simulated)[-1] == "license_info"
    for odd in ({"Limits": {}}, {"Contract": "none"}):
        simulated.service.cluster.spec.license = odd
        with pytest.raises(ClusterError, match="exa-unit: license_info of this version doesn.t report when"):
            found.license_end()
    denied = ConfdCluster(simulated.jobs(username="storage", password="storage"))
    with pytest.raises(Denied, match="license_info"):
        denied.license_end()
