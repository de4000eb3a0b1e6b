# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a whole runbook, made of one report and no call."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, NoSuchObject
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.runbooks import ClusterPreview, plan

CHOICE = {
    "databases": ["all"], "ignore_nodes": [], "license_servers": ["n0010"],
    "on_operation": "refuse", "force": False, "power_on": True, "power_off": "api",
    "hooked": True, "plugins": [], "log_service": None,
}  # fmt: skip


def database(state, operation="None"):
    up = state == "running"
    return {"state": state, "connectible": "Yes" if up else "No", "operation": operation, "connection_string": ""}


def report(up, **changes):
    state = "running" if up else "setup"
    return {
        "name": "exa-unit",
        "master": "n0010",
        "license_servers": ["n0010"],
        "nodes": {name: {"state": "online" if up else "offline"} for name in ("n0011", "n0012")},
        "services": {"Lockd": "OK", "Storaged": "OK" if up else "not running"},
        "databases": {"DB1": database(state), "DB2": database(state)},
        **changes,
    }


@pytest.fixture
def planned(task):
    """Steps as (part, object, step), and refusals as (part, why)."""

    def go(runbook, known, **choice):
        before = copy.deepcopy(known)
        preview = ClusterPreview(task, known)
        plan(preview, runbook, {**CHOICE, **choice})
        task.lines = preview.lines
        assert known == before, "the report was changed"
        steps = [(step["part"], step["object"], step["step"]) for step in preview.steps]
        return steps, [(refusal["part"], refusal["why"]) for refusal in preview.refusals]

    return go


COLD = [
    ("nodes", "n0011", "startupNode"), ("nodes", "n0012", "startupNode"),
    ("storage", "EXAStorage", "startEXAStorage"),
    ("databases", "DB1", "startDatabase"), ("databases", "DB2", "startDatabase"),
]  # fmt: skip
DOWN = [
    ("databases", "DB1", "stopDatabase"), ("databases", "DB2", "stopDatabase"),
    ("storage", "EXAStorage", "stopEXAStorage"),
    ("nodes", "n0011", "shutdownNode"), ("nodes", "n0012", "shutdownNode"), ("nodes", "n0010", "shutdownNode"),
]  # fmt: skip


def test_a_cold_start_in_its_order(planned, task):
    assert planned("cold_start", report(up=False)) == (COLD, [])
    assert [line.partition(": ")[0] for line in task.lines] == [
        "[exa-unit] nodes",
        "[exa-unit] services",
        "[exa-unit] databases",
    ]
    assert all("would " in line for line in task.lines)


def test_a_shutdown_in_its_order_the_license_server_last(planned):
    assert planned("graceful_shutdown", report(up=True)) == (DOWN, [])


def test_nothing_to_do(planned, task):
    assert planned("cold_start", report(up=True)) == ([], [])
    assert task.lines == []


def test_what_is_half_way_is_completed(planned):
    known = report(up=False, nodes={"n0011": {"state": "online"}, "n0012": {"state": "offline"}})
    assert planned("cold_start", known)[0] == COLD[1:]


def test_nodes_that_are_ignored_are_not_started(planned):
    steps, refusals = planned("cold_start", report(up=False), ignore_nodes=["n0012"])
    assert (steps, refusals) == ([COLD[0], *COLD[2:]], [])


def test_without_power_nodes_are_awaited(planned, task):
    assert planned("cold_start", report(up=False), power_on=False)[0] == COLD[2:]
    assert "would wait" in task.lines[0]


@pytest.mark.parametrize(
    ("runbook", "power_off", "said"),
    [
        ("graceful_shutdown", "hook", "nothing to do but to wait"), ("graceful_shutdown", "none", "nothing to do"),
        ("power_off", "hook", "nothing forbids powering the nodes off"),
    ],
)  # fmt: skip
def test_a_plan_without_a_step_says_what_comes(task, runbook, power_off, said):
    known = of_confd(True)
    known["databases"] = {"DB1": database("setup")}
    preview = ClusterPreview(task, known)
    plan(preview, runbook, {**CHOICE, "power_off": power_off})
    assert preview.told(refuse=True)["steps"] == []
    assert task.lines[-1] == f"[exa-unit] plan: {said}"


def test_a_shutdown_with_single_copies_is_warned_of(task):
    """It takes none of them away (EXA-62)."""
    row = {"type": "data", "state": "DEGRADED", "redundancy": 2, "not_online": ["n12 OFFLINE"]}
    preview = ClusterPreview(task, {**of_confd(True), "volume_states": {"Data": row}})
    plan(preview, "graceful_shutdown", {**CHOICE, "power_off": "none"})
    assert preview.told(refuse=True)["refusals"] == []
    assert task.warnings[0].startswith("exa-unit: volumes Data DEGRADED (n12 OFFLINE). The shutdown removes no copy")


def test_databases_by_name(planned):
    steps, _none = planned("cold_start", report(up=False), databases=["DB2"])
    assert [step[1] for step in steps if step[0] == "databases"] == ["DB2"]


def test_a_database_left_running_keeps_the_storage_up(planned):
    steps, refusals = planned("graceful_shutdown", report(up=True), databases=["DB2"])
    assert ("storage", "EXAStorage", "stopEXAStorage") not in steps
    assert [part for part, _why in refusals] == ["storage"]
    assert "DB1 is running" in refusals[0][1]


def test_every_refusal_of_a_runbook_at_once(planned):
    busy = {"DB1": database("running", "Backup"), "DB2": database("none")}
    _steps, refusals = planned("graceful_shutdown", report(up=True, databases=busy, master="n0011"))
    parts = [part for part, _why in refusals]
    assert parts[:2] == ["preflight", "databases"]
    assert "EXAoperation runs on n0011" in refusals[0][1]
    assert "DB1: operation Backup" in refusals[1][1]
    assert "DB2: state 'none'" in refusals[1][1]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"on_operation": "abort_backup"}, ["abortBackup", "stopDatabase"]),
        ({"on_operation": "wait"}, ["stopDatabase"]),
        ({"force": True}, ["forceShutdownDatabase"]),
    ],
)
def test_what_overrides_a_refusal(planned, choice, expected):
    known = report(up=True, databases={"DB1": database("running", "Backup")})
    steps, refusals = planned("graceful_shutdown", known, **choice)
    assert refusals == []
    assert [step for step in steps if step[0] == "databases"] == [("databases", "DB1", step) for step in expected]


def test_a_cluster_without_databases(planned):
    assert planned("cold_start", report(up=False, databases={})) == (COLD[:3], [])


def test_an_unknown_database(planned):
    with pytest.raises(NoSuchObject, match="DB9"):
        planned("cold_start", report(up=False), databases=["DB9"])


@pytest.mark.parametrize("part", ["master", "nodes", "services", "databases"])
def test_a_report_without_a_part_is_told(task, part):
    known = report(up=True)
    del known[part]
    with pytest.raises(ClusterError, match=f"exa-unit: its report lacks {part}"):
        ClusterPreview(task, known)


def of_confd(up):
    return report(up, provider="confd", master="n11", license_servers=[], services={"Storaged": "OK"})


def test_what_the_provider_has_no_call_for_is_refused_at_once(planned):
    asked = {"plugins": ["Administration.vmware-tools"], "log_service": "logservice1"}
    for runbook, choice in (("cold_start", {"power_on": False}), ("graceful_shutdown", {"power_off": "none"})):
        refusals = dict(planned(runbook, of_confd(runbook != "cold_start"), **choice, **asked)[1])
        assert list(refusals) == ["preflight"]
        both = [why for _part, why in planned(runbook, of_confd(runbook != "cold_start"), **choice, **asked)[1]]
        assert "exa-unit: plugins is given, but ConfD has no call for the service of a plugin" in both[0]
        assert "exa-unit: log_service is given, but ConfD has no log service" in both[1]
    assert planned("cold_start", report(up=False), **asked)[1] == []


def test_power_by_a_hook_that_is_not_given(planned, task):
    planned("cold_start", of_confd(False), power_on=False, hooked=False)
    assert "no hook powers n0011 n0012 on" in task.warnings[0]
    planned("graceful_shutdown", of_confd(True), power_off="hook", hooked=False)
    assert "no hook powers the nodes off" in task.warnings[1]
    planned("cold_start", of_confd(True), power_on=False, hooked=False)
    planned("graceful_shutdown", of_confd(True), power_off="hook")
    assert len(task.warnings) == 2


def equals(**more):
    nodes = {name: {"state": "online"} for name in ("n11", "n12")}
    known = {"provider": "confd", "master": "n11", "license_servers": [], "services": {"Storaged": "OK"}}
    sight = {"urls": [], "unseen": [], "license_servers": {}}
    return report(True, **known, nodes=nodes, sight=sight, **more)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"infra": True}, ""),
        ({"infra": False}, "job_list of this deployment has no infra_instances_stop: let a hook do it"),
        (
            {"infra": False, "infra_refused": "Job: not here"},
            "infra_instances_stop can't be used, because the server refuses the jobs for instances of this deployment "
            "(infra_deployment_metadata_get says 'Job, not here')",
        ),
    ],
)
def test_jobs_for_instances_that_may_not_be_used_are_refused_by_the_plan(task, told, says):
    preview = ClusterPreview(task, equals(**told), use_infra=True)
    plan(preview, "graceful_shutdown", CHOICE)
    why = [refusal["why"] for refusal in preview.refusals]
    assert len(why) == bool(says), why
    assert all(says in text for text in why)
