# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of a run: its table, and what the play's stats say."""

from __future__ import annotations

from typing import Any, Optional

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks import ending


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending.time, "time", lambda: 160.0)


def entry(**more: Any) -> dict[str, Any]:
    return {
        "runbook": "exa_cold_start", "host": "exa-a", "play": "p1", "quiet": False, "check": False, "hooks": "",
        "at": 0.0,
        "phases": [{"phase": "power", "began": 100.0}, {"phase": "api", "began": 110.0}],
        "resume": "ansible-playbook it", "stats": {"found": 1}, "changed": {"power": True, "api": False},
        "progress": "auto", "ends": {}, **more,
    }  # fmt: skip


OUTCOME = {
    "runbook": "exa_cold_start", "result": "ok", "seconds": 60.0, "phases": {"power": 10.0, "api": 50.0},
    "changed": {"power": True, "api": False}, "phase": "api", "cause": "",
}  # fmt: skip


def stats(outcome: dict[str, Any]) -> dict[str, Any]:
    return {"data": {"dbfleet": {"exa-a": {**outcome, "found": 1}}}, "per_host": False, "aggregate": True}


def test_a_run_that_went_well(said: list[str]) -> None:
    assert ending.ended(entry(), None) == {"outcome": OUTCOME, "ansible_stats": stats(OUTCOME)}
    assert said == [
        "[exa-a] exa_cold_start: ok", "[exa-a]   power               00:10  done",
        "[exa-a]   api                 00:50  done",
    ]  # fmt: skip


def test_a_run_that_failed(said: list[str]) -> None:
    found = ending.ended(entry(), {"failed": True, "msg": "n11 is off", "hint": "switch it on"})
    outcome = {**OUTCOME, "result": "failed", "cause": "n11 is off"}
    assert found == {"outcome": outcome, "ansible_stats": stats(outcome)}
    assert said[2:] == [
        "[exa-a]   api                 00:50  failed here", "[exa-a] cause: n11 is off", "[exa-a] hint: switch it on",
        "[exa-a] resume: ansible-playbook it   # AWX: relaunch on failed hosts",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("failed", "cause"),
    [
        ({}, "exa-a: exa_cold_start did not finish: the run was stopped in phase api [DBF-6807]"),
        ({"msg": ""}, "exa-a: exa_cold_start did not finish: the run was stopped in phase api [DBF-6807]"),
        ({"reason": "could not load a hook"}, "could not load a hook"),
        ({"msg": "All items completed", "results": [{"failed": False}, {"failed": True, "msg": "n2"}]}, "n2"),
    ],
)
def test_the_cause_of_a_failure(said: list[str], failed: dict[str, Any], cause: str) -> None:
    assert ending.ended(entry(), failed)["outcome"]["cause"] == cause
    assert f"[exa-a] cause: {cause}" in said


def test_a_run_that_failed_before_its_first_phase(said: list[str]) -> None:
    outcome = ending.ended(entry(phases=[], changed={}), {"msg": "refused"})["outcome"]
    assert (outcome["phase"], outcome["phases"], outcome["seconds"]) == ("begin", {}, 0)
    assert said[0] == "[exa-a] exa_cold_start: failed"


def test_a_quiet_runbook_shows_nothing_and_tells_only_its_own(said: list[str]) -> None:
    assert ending.ended(entry(quiet=True), {"msg": "off"}) == {"outcome": {}, "ansible_stats": stats({})}
    assert said == []


@pytest.mark.parametrize(
    ("failed", "first"),
    [
        (None, {}),
        ({"msg": "a"}, {"msg": "a"}),
        ({"msg": "a", "results": []}, {"msg": "a", "results": []}),
        ({"msg": "a", "results": "text"}, {"msg": "a", "results": "text"}),
        ({"msg": "a", "results": [{"msg": "b"}, 7]}, {"msg": "a", "results": [{"msg": "b"}, 7]}),
        (
            {"msg": "a", "results": [{"msg": "b"}, {"failed": True, "msg": "c"}, {"failed": True}]},
            {"failed": True, "msg": "c"},
        ),
    ],
)  # fmt: skip
def test_the_first_cause(failed: Optional[dict[str, Any]], first: dict[str, Any]) -> None:
    assert ending.first_cause(failed) == first


WHERE = "exa-a: task Press of hook power (/on.yml)"
ITEMS = [
    {"failed": True, "msg": "401 at GET", "_ansible_item_label": "n10", "item": {"secret": 1}},
    {"failed": False, "msg": "fine", "item": "n11"},
    {"failed": True, "msg": "None", "item": "n12"},
    {"failed": True, "msg": "off", "ansible_loop_var": "machine", "machine": "n13", "item": "outer"},
    {"failed": True, "msg": "hidden", "item": {"password": "s3cret"}},
]


@pytest.mark.parametrize("loop", [False, True])
def test_no_log_of_a_hook_holds_for_its_cause(loop: bool) -> None:
    """ansible-core hides what it shows itself, and hands all of it to the rescue."""
    one = {"failed": True, "msg": "no s3cret", "hint": "s3cret", "_ansible_no_log": True}
    failed = {"failed": True, "msg": "One or more items failed", "results": [one]} if loop else one
    found = ending.cause_in_task(entry()["host"], failed, "Press", "hook power (/on.yml)")
    assert found == {
        "failed": True,
        "cause": f"{WHERE}: no_log hides why it failed [DBF-9003]",
        "message_number": "DBF-9003",
    }


@pytest.mark.parametrize(
    ("failed", "says"),
    [
        ({"msg": "not\n today"}, f"{WHERE}: not today"),
        ({"msg": "exa-a: DB1 is down", "hint": "start it"}, f"{WHERE}: DB1 is down"),
        ({"msg": ""}, f"{WHERE}: it failed and gave no reason"),
        (
            {"msg": "One or more items failed", "results": ITEMS},
            f"{WHERE}: n10: 401 at GET; n12: it failed and gave no reason; n13: off; an item: hidden",
        ),
    ],
)
def test_the_cause_within_a_hook(failed: dict[str, Any], says: str) -> None:
    """Task and machine, each that failed."""
    found = ending.cause_in_task(entry()["host"], failed, "Press", "hook power (/on.yml)")
    assert found["cause"] == f"{says} [DBF-9003]"
    assert found.get("hint") == failed.get("hint")


def test_a_preview_leaves_its_plan_by_the_runbook(said: list[str]) -> None:
    """Merged by the host, the plans of two runbooks of a play stand side by side."""
    step = {"phase": "api", "step": "startupNode", "from": "offline", "to": "online", "objects": ["n11"]}
    seen = {"steps": [step], "refusals": [], "unknown": []}
    plan = ending.ended(entry(check=True, foreseen=seen), None)["outcome"]["plan"]["exa_cold_start"]
    assert (plan["steps"], plan["refusals"]) == ([step], [])
    refused = ending.ended(entry(check=True, foreseen={**seen, "steps": []}), {"msg": "n11 is strange"})["outcome"]
    assert refused["plan"]["exa_cold_start"]["text"] == "exa-a: exa_cold_start would be refused: n11 is strange"
    early = ending.ended(entry(check=True), {"msg": "no such variable"})["outcome"]
    assert early["plan"]["exa_cold_start"]["refusals"] == ["no such variable"]
    assert "plan" not in ending.ended(entry(), None)["outcome"]
