# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans beside plans: what has moved, and what only follows from the plan's own steps."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.plan_comparison import moved

EXASOL = {
    ("version", ""): "exaoperation 6.2.1",
    ("node", "n11"): "online",
    ("node", "n12"): "online",
    ("service", "Storaged"): "OK",
    ("database", "DB1"): "running",
    ("database", "DB2"): "running",
}
DOWN = [
    ("stopDatabase", ["DB1", "DB2"]),
    ("stopEXAStorage", ["EXAStorage"]),
    ("shutdownNode", ["n11", "n12"]),
    ("shutdownNode", ["n10"]),
]
NUODB = {
    ("server", "server0"): "ACTIVE",
    ("database", "shop"): "RUNNING",
    ("database", "crm"): "RUNNING",
    ("TE", "shop"): "RUNNING",
}
STOP = [("shutdown database", ["shop", "crm"]), ("shutdown server", ["server0"])]


def plan(facts: dict[tuple[str, str], str], steps: list[tuple[str, list[str]]], **more: Any) -> dict[str, Any]:
    observed = [
        {"object": f"{kind} {of}".strip(), "is": state, "kind": kind, "of": of} for (kind, of), state in facts.items()
    ]
    rows = [{"phase": "p", "step": step, "objects": objects} for step, objects in steps]
    found = {
        "observed": observed,
        "steps": rows,
        "identity": ["n11"],
        "hooks": {},
        "refusals": [],
        "unknown": [],
        "partly": [],
    }
    return {**found, **more}


def now(facts: Any, changes: dict[str, str], steps: Any, **more: Any) -> dict[str, Any]:
    later = {(kind, of): changes.get(f"{kind} {of}".strip(), state) for (kind, of), state in facts.items()}
    return plan({key: state for key, state in later.items() if state}, steps, **more)


@pytest.mark.parametrize("begun", [False, True])
def test_nothing_has_moved(begun: bool) -> None:
    assert moved(plan(EXASOL, DOWN), plan(EXASOL, DOWN), begun) == []
    turned = [("stopDatabase", ["DB2", "DB1"]), *DOWN[1:]]
    assert moved(plan(EXASOL, DOWN), plan(EXASOL, turned), begun) == []


def test_what_is_gone_and_what_is_new() -> None:
    later = now(EXASOL, {"database DB2": "", "node n12": "offline"}, DOWN)
    later["observed"].append({"object": "database DB3", "is": "setup", "kind": "database", "of": "DB3"})
    assert moved(plan(EXASOL, DOWN), later, False) == [
        "node n12: online -> offline",
        "database DB2: running -> not there",
        "database DB3: not there -> setup",
    ]


def test_an_order_that_is_another() -> None:
    there, back = ("stop", ["DB1", "DB2"]), ("start", ["DB1", "DB2"])
    assert moved(plan(EXASOL, [there, back]), plan(EXASOL, [("start", ["DB2"]), there, ("start", ["DB1"])]), False) == [
        "order of the steps of DB2: stop, start -> start, stop"
    ]


def test_one_object_that_is_further_than_another() -> None:
    there, back = ("stop", ["DB1", "DB2"]), ("start", ["DB1", "DB2"])
    left = [("start", ["DB1"]), ("stop", ["DB2"]), ("start", ["DB2"])]
    assert moved(plan(EXASOL, [there, back]), now(EXASOL, {"database DB1": "setup"}, left), True) == []


def test_objects_that_were_replaced() -> None:
    later = plan(EXASOL, DOWN, identity=["n11", "n13"])
    assert moved(plan(EXASOL, DOWN, identity=["n11", "n12"]), later, False) == ["known by n11 n12 -> n11 n13"]


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ({"database DB1": "shutdown"}, [("stopDatabase", ["DB2"]), *DOWN[1:]]),
        ({"database DB1": "setup", "database DB2": "setup", "service Storaged": "stopping"}, DOWN[2:]),
        (
            {"database DB1": "", "database DB2": "", "service Storaged": "", "node n11": "offline"},
            [("shutdownNode", ["n12"]), DOWN[3]],
        ),
    ],
)
def test_what_follows_from_steps_that_were_taken(changes: dict[str, str], left: Any) -> None:
    assert moved(plan(EXASOL, DOWN), now(EXASOL, changes, left), True) == []
    assert moved(plan(EXASOL, DOWN), now(EXASOL, changes, left), False) != []


@pytest.mark.parametrize(
    ("changes", "left", "line"),
    [
        ({"database DB1": "setup", "node n12": "offline"}, [("stopDatabase", ["DB2"]), *DOWN[1:]], "node n12"),
        ({"database DB1": "setup", "service Storaged": "down"}, [("stopDatabase", ["DB2"]), *DOWN[1:]], "service Sto"),
        ({"database DB1": "setup", "version": "exaoperation 7"}, [("stopDatabase", ["DB2"]), *DOWN[1:]], "version:"),
        ({"database DB2": "setup"}, [("stopDatabase", ["DB2"]), *DOWN[1:]], "database DB2"),
        ({}, [*DOWN, ("startDatabase", ["DB1"])], "step startDatabase of DB1: not in the plan"),
    ],
)
def test_what_does_not_follow(changes: dict[str, str], left: Any, line: str) -> None:
    (found,) = moved(plan(EXASOL, DOWN), now(EXASOL, changes, left), True)
    assert found.startswith(line)


def test_a_domain_on_its_way() -> None:
    changes = {"database shop": "NOT_RUNNING", "TE shop": ""}
    left = [("shutdown database", ["crm"]), STOP[1]]
    assert moved(plan(NUODB, STOP), now(NUODB, changes, left), True) == []
    assert moved(plan(NUODB, STOP), now(NUODB, {**changes, "database crm": "FAILED"}, left), True) == [
        "database crm: RUNNING -> FAILED"
    ]
    assert moved(plan(NUODB, STOP), now(NUODB, {**changes, "server server0": "gone"}, left), True) == [
        "server server0: ACTIVE -> gone"
    ]


def test_what_a_hook_switches() -> None:
    """Nodes that the user's hook powers off have no step of ours to follow from."""
    hooks = {"power_off_nodes": [{"path": "/off.yml", "sha256": "x"}]}
    changes = {"database DB1": "", "database DB2": "", "node n11": "offline"}
    assert moved(plan(EXASOL, DOWN, hooks=hooks), now(EXASOL, changes, DOWN[2:], hooks=hooks), True) == []


def test_a_refusal_says_nothing_of_the_steps() -> None:
    assert moved(plan(EXASOL, DOWN), plan(EXASOL, [], refusals=["DB1 is busy"]), False) == ["refused now: DB1 is busy"]
