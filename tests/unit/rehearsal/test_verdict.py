# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rehearsal tells, and when it has failed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.rehearsal.runs import Ended
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.rehearsal.verdict import (
    Met,
    Rehearsed,
    data,
    lines,
    problems,
)
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.report import record
from ansible_collections.dbfleet.cluster.tests.unit.report.conftest import new_row

__all__ = ["new_row"]  # pytest finds it here

STEP = {"phase": "nodes", "step": "startupNode", "object": "n0011", "from": "offline", "to": "online", "seconds": 3.0,
        "refused": False}  # fmt: skip
FAULT = {"kind": "never_boots", "object": "n0012"}
ABOUT = "a node that is switched on stays booting; or so"


@pytest.fixture
def ended(new_row: Callable[..., Any]) -> Callable[..., Ended]:
    """A run in which a phase of 5 s waited 4 s for the cluster."""

    def make(cause: str = "", steps: Any = (STEP,)) -> Ended:
        state = "failed here" if cause else "done"
        row = new_row(
            result=record.FAILED if cause else record.OK, cause=cause, phase="nodes", steps=list(steps), marks=[],
            warnings=[], phases=[{"phase": "nodes", "state": state, "seconds": 5.0},
                                 {"phase": "plugins", "state": "left out", "seconds": None}],
            modules=[{"task": "t", "phase": "nodes", "began": 1.0, "seconds": 4.0}],
        )  # fmt: skip
        return Ended(2 if cause else 0, row, Path("/r/run.json"), [])

    return make


def rehearsed(runs: list[Ended], met: Any = (), broken: Any = (), usual: Optional[dict[str, Any]] = None) -> Rehearsed:
    return Rehearsed("exa-prod", "exa_cold_start", 0.01, runs, list(met), list(broken), usual)


def test_a_run_that_is_resumed(ended: Any) -> None:
    found = rehearsed([ended("n0012 is booting"), ended()], [Met(FAULT, ABOUT, [1])])
    assert problems(found) == []
    texts = [text for text, _colour in lines(found)]
    assert texts[0] == "[exa-prod] rehearsal: run 1 of exa_cold_start: failed, about 06:41 of the cluster's time"
    assert texts[1].split() == ["[exa-prod]", "nodes", "06:41", "failed", "here:", "startupNode", "n0011"]
    assert "run 2 of exa_cold_start, by the command that resumes: ok" in texts[2]
    assert texts[4] == (
        "[exa-prod] fault: never_boots:n0012: a node that is switched on stays booting; run 1 failed in phase nodes: "
        "n0012 is booting; once it was mended, run 2 came through"
    )
    assert "at most about 7 min for what was left after the failure on exa-prod" in texts[5]
    assert texts[-1] == "[exa-prod] report: /r/run.html"
    row = data(found)
    assert (row["result"], row["seconds"], row["runs"][0]["phases"][0]["seconds"]) == ("ok", 401, 401)


def test_a_fault_that_a_failed_run_went_on_after(ended: Any) -> None:
    first = ended("nodes: not online: n0012 is booting; done before this failure: startupNode of n0011")
    first.row["warnings"] = ["startupNode of n0011: the connection was closed before the answer"]
    call = {"kind": "reset", "method": "startupNode"}
    texts = [
        text for text, _colour in lines(rehearsed([first, ended()], [Met(call, "cut", [1]), Met(FAULT, ABOUT, [1])]))
    ]
    (of_call, of_node) = [text for text in texts if "fault: " in text]
    assert of_call.endswith("cut; run 1 went on: startupNode of n0011: the connection was closed before the answer")
    assert of_node.endswith("n0012 is booting; once it was mended, run 2 came through")


def test_a_run_that_goes_on(ended: Any) -> None:
    usual = {"runs": 2, "seconds": 300.0, "least": 290.0, "most": 310.0, "longest": "DB1"}
    found = rehearsed([ended()], [Met(FAULT, ABOUT, [1])], usual=usual)
    texts = [text for text, _colour in lines(found)]
    assert any("run 1 went on and came through" in text for text in texts)
    assert any("usually 5 min (5 min to 5 min in 2 runs)" in text for text in texts)


def test_when_it_has_failed(ended: Any) -> None:
    met, unmet = Met(FAULT, ABOUT, [1]), Met(FAULT, ABOUT, [])
    cases = [
        ([ended("it is off")], [], [], "doesn't come through, and no fault is left that could be mended: it is off"),
        ([ended("a"), ended("b")], [met], [], "doesn't come through, even when resumed: b"),
        (
            [ended()], [unmet], [],
            "the run never met this fault, so this rehearsal doesn't show its effect: never_boots:n0012",
        ),  # fmt: skip
        ([ended(steps=())], [], [], "nothing to do on the copy, so nothing was rehearsed"),
        ([ended()], [], [{"rule": "storage-start-repeated", "object": "storage"}],
         "safety rules were broken on the simulator"),  # fmt: skip
    ]
    for runs, faults, broken, says in cases:
        found = rehearsed(runs, faults, broken)
        (said,) = problems(found)
        assert says in said
        assert data(found)["result"] == "failed"
        assert lines(found)


def test_a_run_without_a_record() -> None:
    found = rehearsed([Ended(4, None, None, ["ERROR! it can't be"])], [Met(FAULT, ABOUT, [])])
    assert problems(found) == [
        "exa_cold_start doesn't come through, and no fault is left that could be mended: ERROR! it can't be"
    ]
    assert [text for text, _colour in lines(found)][-1] == "[exa-prod] time: unknown, because no run came through"
