# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a preview leaves for whoever approves the run."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api import providers
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks import forecast


def step(name: str, act: str, before: str = "online", after: str = "offline") -> dict[str, Any]:
    return {"object": name, "step": act, "from": before, "to": after, "seconds": 0.0}


RESULTS = {
    "info": {"module": "exa_cluster_info", "phase": "preflight", "cluster": {}},
    "plan": {"module": "exa_plan", "phase": "preflight", "steps": [{"part": "nodes", **step("n11", "shutdownNode")}]},
    "databases": {
        "module": "exa_database", "phase": "databases", "steps": [step("DB1", "stopDatabase", "running", "setup")],
    },
    "nodes": {
        "module": "exa_node", "phase": "nodes",
        "steps": [step("n11", "shutdownNode"), step("n12", "shutdownNode"), step("n13", "shutdownNode", "suspended")],
    },
    "plugins": {"module": "exa_plugin", "phase": "plugins", "steps": None},
    "foreseen": {"module": "exa_node", "phase": "nodes", "foreseen": True, "steps": [step("n14", "shutdownNode")]},
}  # fmt: skip


def test_steps_that_are_alike_are_one_and_none_is_told_twice() -> None:
    plan = forecast.told("exa-a", "exa_graceful_shutdown", forecast.of(RESULTS), "")
    assert [(one["phase"], one["step"], one["from"], one["to"], one["objects"]) for one in plan["steps"]] == [
        ("databases", "stopDatabase", "running", "setup", ["DB1"]),
        ("nodes", "shutdownNode", "online", "offline", ["n11", "n12"]),
        ("nodes", "shutdownNode", "suspended", "offline", ["n13"]),
    ]
    assert plan["down"] == ["DB1", "n11", "n12", "n13"]
    assert (plan["refusals"], plan["unknown"]) == ([], [])
    assert plan["text"].splitlines() == [
        "exa-a: exa_graceful_shutdown takes down: DB1 n11 n12 n13",
        "  databases: stopDatabase DB1 (running -> setup)",
        "  nodes: shutdownNode n11 n12 (online -> offline)",
        "  nodes: shutdownNode n13 (suspended -> offline)",
    ]


def test_a_thousand_nodes_are_a_line() -> None:
    steps = [step(f"n{one}", "startupNode") for one in range(1000)]
    many = {"nodes": {"module": "exa_node", "phase": "nodes", "steps": steps}}
    plan = forecast.told("exa-a", "exa_cold_start", forecast.of(many), "")
    assert plan["down"] == []
    assert plan["text"].splitlines() == [
        "exa-a: exa_cold_start takes nothing down",
        "  nodes: startupNode n0 n1 n2 n3 n4 n5 n6 n7 and 992 more (online -> offline)",
    ]
    assert len(plan["steps"][0]["objects"]) == 1000


def test_nothing_to_do() -> None:
    plan = forecast.told("exa-a", "exa_cold_start", forecast.of({}), "")
    assert plan == {
        "steps": [], "down": [], "refusals": [], "unknown": [], "text": "exa-a: exa_cold_start would change nothing",
    }  # fmt: skip


def test_refusals_are_those_of_the_plan_else_the_cause() -> None:
    why = [{"part": "databases", "why": "DB1: operation Backup is running", "hint": "wait"}] * 2
    refused = {"plan": {"module": "exa_plan", "phase": "preflight", "failed": True, "refusals": why}}
    plan = forecast.told(
        "exa-a", "exa_graceful_shutdown", forecast.of(refused), "DB1: operation Backup is running; mend"
    )
    assert plan["refusals"] == ["DB1: operation Backup is running"]
    told = forecast.told("exa-a", "exa_database_state", forecast.of({}), "there is no database shp")
    assert told["refusals"] == ["there is no database shp"]
    assert told["text"] == "exa-a: exa_database_state would be refused: there is no database shp"


def test_what_nobody_can_know_is_not_nothing() -> None:
    silent = {"module": "nuodb_server", "phase": "servers", "failure": "unreachable", "msg": "nothing answers"}
    plan = forecast.told("nuo-a", "nuodb_cold_start", forecast.of({"servers": silent}), "")
    assert plan["unknown"] == ["nothing answers"]
    assert plan["text"] == "nuo-a: nuodb_cold_start can't be foreseen: nothing answers"


@pytest.mark.parametrize("provider", [providers.EAO, providers.CONFD], ids=lambda one: one.name)
def test_each_call_that_takes_something_down_counts(provider: Any) -> None:
    """A call's name is what its step is called."""
    down = {what: bool(forecast.TAKES_DOWN.search(name)) for what, name in provider.calls.items()}
    expected = {what: "stop" in what for what in provider.calls}
    assert down == expected
    assert forecast.TAKES_DOWN.search("hook power_off_nodes")


@pytest.mark.parametrize(
    ("name", "down"),
    [
        ("shutdown database", True), ("shutdown server", True), ("kill", True), ("evict", True), ("start SM", False),
        ("start TE", False),
    ],
)  # fmt: skip
def test_the_steps_of_nuodb(name: str, down: bool) -> None:
    assert bool(forecast.TAKES_DOWN.search(name)) is down
