# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cold start of Exasol: which modules, with which options."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.exasol.cold_start import RUNBOOK

CLUSTER = {"nodes": {"n0011": {"state": "online"}, "n0012": {"state": "offline"}, "n0013": {"state": "offline"}}}
ANSWERS: dict[str, Any] = {"exa_cluster_info": {"cluster": CLUSTER, "identity": ["C5ED"]}}
UNREACHABLE = {"exa_cluster_info": {"failed": True, "failure": "unreachable", "msg": "no URL answers"}}
WORK = ["exa_node", "exa_storage", "exa_database"]


def test_the_least_that_it_is_told(through: Any) -> None:
    done = through(RUNBOOK, ANSWERS)
    assert [(call.module, call.options) for call in done.calls] == [
        ("exa_cluster_info", {"api_timeout": 900, "gather": ["nodes", "services", "databases"]}),
        (
            "exa_plan",
            {
                "cluster": CLUSTER, "runbook": "cold_start", "refuse": True, "databases": ["all"], "ignore_nodes": [],
                "power_on": True, "hooked": False, "plugins": [], "use_infra": False,
            },
        ),
        (
            "exa_node",
            {
                "nodes": ["all"], "ignore_nodes": [], "state": "online", "power_on": True, "use_infra": False,
                "startup_again": False, "boot_message_timeout": 120, "wait_timeout": 2700,
            },
        ),
        ("exa_storage", {"state": "started", "ignore_nodes": [], "wait_timeout": 1800}),
        ("exa_database", {"databases": ["all"], "state": "started", "wait_timeout": 3600}),
    ]  # fmt: skip
    assert (done.result["outcome"]["result"], done.resume()) == ("ok", [])


def test_what_it_is_told_reaches_every_module_that_takes_it(through: Any) -> None:
    given = {
        "exa_license_servers": ["n0020"], "exa_log_service": "logservice1", "exa_heartbeat": 30, "exa_wait_stable": 5,
        "exa_wait_timeout": 60, "exa_cold_start_databases": "DB1,DB2", "exa_cold_start_ignore_nodes": "n0012",
        "exa_cold_start_startup_again": True, "exa_cold_start_boot_message_timeout": 7,
        "exa_plugins": [{"name": "Administration.x"}],
    }  # fmt: skip
    done = through(RUNBOOK, ANSWERS, **given)
    takes = {
        "license_servers": (["n0020"], {"info", "plan", "nodes"}),
        "log_service": ("logservice1", {"plan", "nodes", "databases"}),
        "heartbeat": (30, {"info", "nodes", "storage", "databases"}),
        "wait_stable": (5, {"nodes", "storage", "databases"}),
        "wait_timeout": (60, {"nodes", "storage", "databases"}),
        "api_timeout": (60, {"info"}),
        "databases": (["DB1", "DB2"], {"plan", "databases"}),
        "ignore_nodes": (["n0012"], {"plan", "nodes", "storage"}),
        "startup_again": (True, {"nodes"}),
        "boot_message_timeout": (7, {"nodes"}),
        "plugins": (["Administration.x"], {"plan"}),
    }
    keys = ("info", "plan", "nodes", "storage", "databases")
    for option, (value, takers) in takes.items():
        found = {key: done.options(key)[option] for key in keys if option in done.options(key)}
        assert found == dict.fromkeys(takers, value), option


@pytest.mark.parametrize(
    ("power", "parts", "power_on", "use_infra"),
    [
        ("exaoperation", ["nodes", "services", "databases"], True, False),
        ("infra", ["nodes", "services", "databases", "infra"], True, True),
        ("hook", ["nodes", "services", "databases"], False, False),
    ],
)
def test_who_powers_nodes_on(through: Any, power: str, parts: list[str], power_on: bool, use_infra: bool) -> None:
    done = through(RUNBOOK, ANSWERS, exa_cold_start_power=power)
    assert done.options("info")["gather"] == parts
    for key in ("plan", "nodes"):
        assert (done.options(key)["power_on"], done.options(key)["use_infra"]) == (power_on, use_infra)
    assert ("nodes_info" in done.result["found"]) is (power == "hook")
    if power == "hook":
        assert done.options("nodes_info") == {"gather": ["nodes"]}


@pytest.mark.parametrize(
    ("ignored", "offline"),
    [([], ["n0012", "n0013"]), (["n12"], ["n0013"]), (["13", " n0012"], []), (["n0011"], ["n0012", "n0013"])],
)
def test_the_hook_is_told_which_nodes_are_off(
    through: Any, tmp_path: Any, ignored: list[str], offline: list[str]
) -> None:
    (tmp_path / "on.yml").write_text("- debug:\n")
    hooks = {"power_nodes": str(tmp_path / "on.yml")}
    done = through(
        RUNBOOK, ANSWERS, exa_cold_start_power="hook", exa_cold_start_ignore_nodes=ignored, exa_cold_start_hooks=hooks
    )
    assert done.modules == ["exa_cluster_info", "exa_plan", "exa_cluster_info"]
    assert done.result["found"]["nodes_info"]["offline_nodes"] == offline
    assert done.options("plan")["hooked"] is True
    assert done.result["gap"]


def test_the_hook_of_nodes_is_not_run_where_the_api_powers_them_on(through: Any, tmp_path: Any) -> None:
    (tmp_path / "on.yml").write_text("- debug:\n")
    done = through(RUNBOOK, ANSWERS, exa_cold_start_hooks={"power_nodes": str(tmp_path / "on.yml")})
    assert "gap" not in done.result
    assert done.modules[2:] == WORK


# -- plugins

PLUGINS = [{"name": "Administration.x", "running_text": "runs"}, {"name": "Administration.y"}]
STALE = ["exa_cold_start_restart_plugins=true"]


@pytest.mark.parametrize(
    ("answers", "given", "state", "resume"),
    [
        ({}, {}, "started", []),
        ({"exa_node": {"changed": True}}, {}, "started", []),
        ({"exa_storage": {"changed": True}}, {}, "restarted", STALE),
        ({"exa_database": {"changed": True}}, {}, "restarted", STALE),
        ({"exa_database": {"joined": ["DB1"]}}, {}, "restarted", STALE),
        ({}, {"exa_cold_start_restart_plugins": True}, "restarted", STALE),
    ],
)
def test_plugins_are_restarted_where_something_below_them_was_started(
    through: Any, answers: dict[str, Any], given: dict[str, Any], state: str, resume: list[str]
) -> None:
    done = through(RUNBOOK, {**ANSWERS, **answers}, exa_plugins=PLUGINS, exa_license_servers=["n0020"], **given)
    servers = {"nodes": ["n0020"], "state": state}
    every = {"nodes": ["all"], "ignore_nodes": [], "state": "started"}
    common = {"license_servers": ["n0020"], "wait_timeout": 300}
    x, y = {"plugin": "Administration.x", "running_text": "runs"}, {"plugin": "Administration.y"}
    assert done.modules[-4:] == ["exa_plugin"] * 4
    assert [call.options for call in done.calls[-4:]] == [
        {**x, **servers, **common}, {**y, **servers, **common}, {**x, **every, **common}, {**y, **every, **common}
    ]  # fmt: skip
    assert done.resume() == resume


def test_the_usual_license_server_and_no_plugins(through: Any) -> None:
    done = through(RUNBOOK, ANSWERS, exa_plugins=PLUGINS[:1])
    assert done.options("plugin Administration.x on the license servers")["nodes"] == ["n0010"]
    done = through(RUNBOOK, {**ANSWERS, "exa_storage": {"changed": True}}, exa_plugins=[])
    assert (done.modules[2:], done.resume()) == (WORK, [])


# -- check mode, and an API that is down


def test_a_preview_is_handed_on(through: Any) -> None:
    nodes, storage = {"nodes": {"n0012": {"state": "online"}}}, {"services": {"Storaged": "OK"}}
    answers = {**ANSWERS, "exa_node": {"predicted": nodes}, "exa_storage": {"predicted": storage}}
    done = through(RUNBOOK, answers, check=True, exa_plugins=PLUGINS[:1])
    assert [done.options(key).get("assume") for key in ("nodes", "storage", "databases")] == [None, nodes, storage]
    assert done.options("plugin Administration.x on every node")["assume"] == nodes
    assert all(call.check for call in done.calls)


def test_nothing_is_previewed_behind_an_api_that_is_down(through: Any) -> None:
    done = through(RUNBOOK, UNREACHABLE, check=True, exa_plugins=PLUGINS, exa_cold_start_power="hook")
    assert done.modules == ["exa_cluster_info"]
    assert done.result["outcome"]["result"] == "ok"
    assert "[exa-a] the steps can't be previewed until the API answers: no URL answers" in done.said


def test_a_phase_that_is_previewed_alone_looks_first(through: Any, cli: Any) -> None:
    for phase, module in (("nodes", "exa_node"), ("storage", "exa_storage"), ("databases", "exa_database")):
        cli(tags=[phase])
        assert through(RUNBOOK, UNREACHABLE, check=True).modules == ["exa_cluster_info"]
        done = through(RUNBOOK, ANSWERS, check=True)
        assert (done.modules, done.calls[0].options["gather"]) == (["exa_cluster_info", module], [])
        assert through(RUNBOOK, ANSWERS).modules == [module]


@pytest.mark.parametrize(("check", "failure"), [(False, "unreachable"), (True, "refused"), (False, "refused")])
def test_an_api_that_fails_ends_it(through: Any, check: bool, failure: str) -> None:
    done = through(RUNBOOK, {"exa_cluster_info": {"failed": True, "failure": failure, "msg": "off"}}, check=check)
    assert (done.result["failed"], done.result["msg"], done.modules) == (True, "off", ["exa_cluster_info"])


def test_two_hosts_of_one_cluster_are_told_apart_by_its_report(stage: Any, roles: None) -> None:
    made = stage(RUNBOOK, ("exa-a", "exa-b"), answers=ANSWERS)
    assert "outcome" in made.course("exa-a").first()
    assert made.course("exa-b").first()["msg"].startswith("exa-b and exa-a are one cluster under several names")


def test_a_plan_that_restarts_no_plugin_is_gone_on_with_without_a_restart(through: Any) -> None:
    """The command that resumes a run with an approved plan may not ask for a step that nobody has approved."""
    done = through(RUNBOOK, {**ANSWERS, "exa_storage": {"changed": True}}, exa_plugins=PLUGINS)
    assert done.resume() == STALE
    done.course.run.held = {"steps": {"START": ["n10"]}}
    assert done.resume() == []
    done.course.run.held = {"steps": {"STOP": ["n10"], "START": ["n10"]}}
    assert done.resume() == STALE
