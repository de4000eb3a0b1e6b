# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shutdown of Exasol: which modules, with which options, and what is left alone."""

from __future__ import annotations

from typing import Any, Optional

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.exasol.graceful_shutdown import RUNBOOK

SIGHT = {"unseen": ["n0012"], "urls": ["https://n0010", "https://n0011"]}
CLUSTER = {
    "nodes": {"n0011": {"state": "online"}, "n0012": {"state": "suspended"}, "n0013": {"state": "offline"}},
    "license_servers": ["n0010"], "sight": SIGHT, "provider": "eao",
}  # fmt: skip
EQUALS = {**CLUSTER, "license_servers": [], "provider": "confd"}


def answers(cluster: Optional[dict[str, Any]] = None, **more: Any) -> dict[str, Any]:
    return {"exa_cluster_info": {"cluster": cluster or CLUSTER, "identity": ["C5ED"]}, **more}


def unreachable(**more: Any) -> dict[str, Any]:
    return {"exa_cluster_info": {"failed": True, "failure": "unreachable", "msg": "no URL answers", **more}}


def test_the_least_that_it_is_told(through: Any) -> None:
    done = through(RUNBOOK, answers())
    assert [(call.module, call.options) for call in done.calls] == [
        ("exa_cluster_info", {"gather": ["nodes", "services", "databases", "volume_states", "sight"]}),
        (
            "exa_plan",
            {
                "cluster": CLUSTER, "runbook": "graceful_shutdown", "refuse": True, "databases": ["all"],
                "on_operation": "refuse", "force": False, "power_off": "api", "hooked": False, "use_infra": False,
            },
        ),
        (
            "exa_database",
            {
                "databases": ["all"], "state": "stopped", "on_operation": "refuse", "force": False,
                "wait_timeout": 3600,
            },
        ),
        ("exa_storage", {"state": "stopped", "unsupported": "say", "wait_timeout": 1800}),
        ("exa_node", {"state": "offline", "nodes": ["all"], "use_infra": False, "wait_timeout": 1800}),
        ("exa_node", {"state": "offline", "nodes": ["n0010"], "wait_timeout": 1800}),
    ]  # fmt: skip
    assert done.result["outcome"]["result"] == "ok"


def test_what_it_is_told_reaches_every_module_that_takes_it(through: Any) -> None:
    given = {
        "exa_license_servers": ["n0020"], "exa_log_service": "logservice1", "exa_heartbeat": 30, "exa_wait_stable": 5,
        "exa_wait_timeout": 60, "exa_graceful_shutdown_databases": "DB1,DB2", "exa_graceful_shutdown_force": True,
        "exa_graceful_shutdown_on_operation": "abort_backup",
    }  # fmt: skip
    done = through(RUNBOOK, answers(), **given)
    work = {"databases", "storage", "nodes", "license_servers"}
    takes = {
        "license_servers": (["n0020"], {"info", "plan", "nodes", "license_servers"}),
        "log_service": ("logservice1", {"plan", "databases"}),
        "heartbeat": (30, work),
        "wait_stable": (5, work),
        "wait_timeout": (60, work),
        "databases": (["DB1", "DB2"], {"plan", "databases"}),
        "force": (True, {"plan", "databases"}),
        "on_operation": ("abort_backup", {"plan", "databases"}),
    }
    for option, (value, takers) in takes.items():
        found = {key: done.options(key)[option] for key in done.result["found"] if option in done.options(key)}
        assert found == dict.fromkeys(takers, value), option
    assert done.options("license_servers")["nodes"] == ["n0020"]


# -- who powers off

LOOKS = ["exa_cluster_info", "exa_plan"]
STOPS = [*LOOKS, "exa_database", "exa_storage"]


@pytest.mark.parametrize(
    ("power", "gather", "told", "modules", "said"),
    [
        ("exaoperation", ["sight"], ("api", False), [*STOPS, "exa_node", "exa_node"], []),
        ("infra", ["sight", "infra"], ("api", True), [*STOPS, "exa_node", "exa_node"], []),
        (
            "none", [], ("none", False), STOPS,
            [
                "[exa-a] the hosts stay on (exa_graceful_shutdown_power: none)",
                "[exa-a] the license servers stay on (exa_graceful_shutdown_power: none)",
            ],
        ),
        ("hook", ["sight"], ("hook", False), [*STOPS, *LOOKS, "exa_node", "exa_node"], []),
    ],
)  # fmt: skip
def test_who_powers_nodes_off(
    through: Any, power: str, gather: list[str], told: tuple[str, bool], modules: list[str], said: list[str]
) -> None:
    done = through(RUNBOOK, answers(), exa_graceful_shutdown_power=power)
    assert done.modules == modules
    assert done.options("info")["gather"] == ["nodes", "services", "databases", "volume_states", *gather]
    plan = done.options("plan")
    assert (plan["power_off"], plan["use_infra"]) == told
    assert [line for line in done.said if "stay on" in line] == said
    if power == "infra":
        assert done.options("nodes")["use_infra"] is True


def by_hook(through: Any, tmp_path: Any, cluster: dict[str, Any], **more: Any) -> Any:
    (tmp_path / "off.yml").write_text("- debug:\n")
    hooks = {"power_off_nodes": str(tmp_path / "off.yml")}
    return through(
        RUNBOOK, answers(cluster), exa_graceful_shutdown_power="hook", exa_graceful_shutdown_hooks=hooks, **more
    )


def test_before_a_hook_powers_off_everything_is_looked_at_again(through: Any, tmp_path: Any) -> None:
    done = by_hook(through, tmp_path, CLUSTER)
    assert done.modules == [*STOPS, *LOOKS]
    assert done.options("hosts") == {"gather": ["nodes", "services", "databases", "sight"]}
    assert done.options("power_off") == {"cluster": CLUSTER, "runbook": "power_off", "refuse": True}
    assert done.result["found"]["hosts"]["online_nodes"] == ["n0011", "n0012"]
    assert (done.options("plan")["hooked"], "gap" in done.result) == (True, True)


@pytest.mark.parametrize(
    ("cluster", "nodes", "silence"),
    [(CLUSTER, ["n0011", "n0012", "n0013"], "fail"), (EQUALS, ["n0011"], "down")],
    ids=["license server", "equals"],
)
def test_what_the_hook_has_powered_off_is_awaited(
    through: Any, cluster: dict[str, Any], nodes: list[str], silence: str
) -> None:
    done = through(RUNBOOK, answers(cluster), exa_graceful_shutdown_power="hook")
    assert done.options("nodes") == {
        "state": "offline", "nodes": nodes, "api_url": SIGHT["urls"], "provider": cluster["provider"],
        "power_off": False, "unreachable": silence, "wait_timeout": 1800,
    }  # fmt: skip


@pytest.mark.parametrize(("check", "predicted", "refuses"), [
    (False, None, True), (True, None, False), (True, {"databases": {"DB1": {"state": "setup"}}}, True),
])  # fmt: skip
def test_a_preview_refuses_only_what_would_stand_against_it_then(
    through: Any, tmp_path: Any, check: bool, predicted: Any, refuses: bool
) -> None:
    (tmp_path / "off.yml").write_text("- debug:\n")
    told = {"predicted": predicted} if predicted else {}
    done = through(
        RUNBOOK, answers(exa_database=told), check=check, exa_graceful_shutdown_power="hook",
        exa_graceful_shutdown_hooks={"power_off_nodes": str(tmp_path / "off.yml")},
    )  # fmt: skip
    options = done.options("power_off")
    assert options["refuse"] is refuses
    assert options["cluster"] == {**CLUSTER, **(predicted or {})}


# -- license servers


@pytest.mark.parametrize(
    ("cluster", "nodes", "goes"),
    [
        (CLUSTER, {}, True),
        (EQUALS, {}, False),
        (CLUSTER, {"nodes": {"n0011": {"state": "offline"}}}, True),
        (CLUSTER, {"nodes": {"n0011": {"state": "silent"}, "n0012": {"state": "silent"}}}, False),
        (CLUSTER, {"nodes": {"n0011": {"state": "silent"}, "n0012": {"state": "offline"}}}, True),
    ],
)
def test_license_servers_go_where_there_are_any(
    through: Any, cluster: dict[str, Any], nodes: dict[str, Any], goes: bool
) -> None:
    done = through(RUNBOOK, answers(cluster, exa_node=nodes))
    assert ("license_servers" in done.result["found"]) is goes
    assert ("[exa-a] the cluster has no license servers" in done.said) is not goes


@pytest.mark.parametrize(("fails", "also"), [("exa_storage", []), (None, ["exa_graceful_shutdown_unreachable=down"])])
def test_the_command_that_resumes_expects_silence_once_the_last_phase_has_begun(
    through: Any, fails: Any, also: list[str]
) -> None:
    done = through(RUNBOOK, answers(**({fails: {"failed": True, "msg": "off"}} if fails else {})))
    assert done.resume() == ["confirm=exa-a", *also]


def test_the_command_that_resumes_a_preview_expects_no_silence(through: Any) -> None:
    """A preview that fails, as for a stale plan in its file, has taken nothing away."""
    assert through(RUNBOOK, answers(), check=True).resume() == ["confirm=exa-a"]


def test_a_preview_is_handed_on(through: Any) -> None:
    databases, storage = {"databases": {"DB1": {"state": "setup"}}}, {"services": {"Storaged": "not running"}}
    nodes = {"nodes": {"n0011": {"state": "offline"}}}
    told = answers(
        exa_database={"predicted": databases}, exa_storage={"predicted": storage}, exa_node={"predicted": nodes}
    )
    done = through(RUNBOOK, told, check=True)
    assert done.options("storage")["assume"] == databases
    assert done.options("nodes")["assume"] == {**databases, **storage}
    assert done.options("license_servers")["assume"] == {**databases, **storage, **nodes}


# -- a cluster that doesn't answer

DOWN = {"exa_graceful_shutdown_unreachable": "down"}


@pytest.mark.parametrize(
    ("answer", "given", "says"),
    [
        (
            unreachable(), {},
            "no URL answers; the cluster is unreachable or already down (if you expect that: "
            "-e exa_graceful_shutdown_unreachable=down) [DBF-1001]",
        ),
        (
            unreachable(answers="n11 answers"), {},
            "no URL answers; the cluster is not down: something still answers (n11 answers) [DBF-1001]",
        ),
        (
            unreachable(answers="n11 answers"), DOWN,
            "no URL answers; the cluster is not down: something still answers (n11 answers) [DBF-1001]",
        ),
        ({"exa_cluster_info": {"failed": True, "failure": "refused", "msg": "not allowed"}}, DOWN, "not allowed"),
    ],
)  # fmt: skip
def test_a_cluster_that_does_not_answer(through: Any, answer: dict[str, Any], given: dict[str, Any], says: str) -> None:
    done = through(RUNBOOK, answer, **given)
    assert (done.result["failed"], done.result["msg"], done.modules) == (True, says, ["exa_cluster_info"])


@pytest.mark.parametrize("power", ["exaoperation", "infra", "hook", "none"])
@pytest.mark.parametrize("check", [False, True])
def test_a_cluster_that_may_be_down_and_is(through: Any, power: str, check: bool) -> None:
    done = through(RUNBOOK, unreachable(), check=check, exa_graceful_shutdown_power=power, **DOWN)
    assert done.modules == ["exa_cluster_info"]
    assert done.result["outcome"]["result"] == "ok"


def test_a_phase_that_runs_alone_looks_first_whether_the_cluster_is_down(through: Any, cli: Any) -> None:
    for phase, module in (("databases", "exa_database"), ("storage", "exa_storage"), ("nodes", "exa_node")):
        cli(tags=[phase])
        done = through(RUNBOOK, answers())
        assert (done.modules, done.calls[0].options["gather"]) == (["exa_cluster_info", module], [])
        assert through(RUNBOOK, unreachable(), **DOWN).modules == ["exa_cluster_info"]
    cli(tags=["license_servers"])
    assert through(RUNBOOK, answers(), exa_graceful_shutdown_power="none").modules == []


@pytest.mark.parametrize(
    ("last_look", "given", "result"),
    [
        (unreachable(), DOWN, "ok"),
        (unreachable(), {}, "no URL answers; the cluster is unreachable or already down"),
        (unreachable(answers="n10 answers"), DOWN, "no URL answers; the cluster is not down: something still answers"),
        ({"exa_cluster_info": {"cluster": CLUSTER}}, DOWN, "refused"),
    ],
)
def test_an_api_that_goes_while_the_last_phase_looks(
    through: Any, last_look: dict[str, Any], given: dict[str, Any], result: str
) -> None:
    """A run that was killed had sent the license server down."""
    whole = answers()
    gone = {"failed": True, "failure": "unreachable", "msg": "connection refused"}
    whole["exa_cluster_info"] = [whole["exa_cluster_info"], last_look["exa_cluster_info"]]
    whole["exa_node"] = [whole.get("exa_node", {}), gone]
    done = through(RUNBOOK, whole, **given)
    if result == "ok":
        assert done.result["outcome"]["result"] == "ok"
    else:
        assert done.result["failed"]
        assert result in done.result["msg"]
