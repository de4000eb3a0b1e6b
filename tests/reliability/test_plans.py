# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every runbook by an approved plan: it does what check mode foresaw, and after a kill the next run does the rest."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.tests.reliability.loom import Killed, Loom
from ansible_collections.dbfleet.cluster.tests.reliability.place import Cut, Moment
from ansible_collections.dbfleet.cluster.tests.reliability.runs import Program, Told
from ansible_collections.dbfleet.cluster.tests.reliability.scenes import (
    EXCEPTIONS,
    RUNBOOK_SCENES,
    SELDOM,
    Kind,
    Scene,
    is_said,
)
from ansible_collections.dbfleet.cluster.tests.reliability.test_crashpoints import LATER, SEED, new_place, told

COMPLETE = os.environ.get("DBFLEET_CRASHPOINTS") == "all"

SINGLE = {name: scene for name, scene in RUNBOOK_SCENES.items() if not scene.chain}
"""Maintenance takes no plan."""


def with_plan(scene: Scene, path: Path) -> Scene:
    product = scene.name.partition("_")[0]
    return replace(scene, given={**scene.given, f"{product}_plan_file": str(path)})


def run(scene: Scene, path: Path, cut: Cut | None = None, pause: float = 0.0) -> tuple[Told, list[bool], Any]:
    """By its plan, and where it is killed, a second time. Returns which calls changed something, and the state."""
    held = with_plan(scene, path)
    with Loom(SEED).in_use() as loom:
        place = new_place(loom, held)
        foreseen = held.program().run(place, check=True)
        assert foreseen.is_ok, told(foreseen)
        assert not any(place.acted)
        place.forget()
        place.cut = cut
        done, acted = None, []
        try:
            done = held.program().run(place)
            acted = place.acted
        except Killed:
            place.settle(pause)
            place.forget()
            done = resumed(held, path).run(place)
        place.settle(scene.rest)
        return done, acted, scene.kept(place.state())


def resumed(scene: Scene, path: Path) -> Program:
    """As the line C(resume) has it: plugins are restarted only where the plan restarts them."""
    restarts = any(one["step"] == "STOP" for one in json.loads(path.read_text(encoding="utf-8"))["steps"])
    again = {name: value for name, value in scene.again.items() if restarts or not name.endswith("_restart_plugins")}
    return replace(scene, again=again).program(again=True)


def is_known(name: str, says: str) -> bool:
    """Whether a run without a plan may fail so as well."""
    return any(one.kind is Kind.FAILS and is_said(one, says) for one in EXCEPTIONS.get(name, ()))


@pytest.mark.parametrize("name", SINGLE if COMPLETE else [name for name in SINGLE if name not in SELDOM])
def test_a_run_by_plan_that_is_killed_goes_on_by_it(name: str, tmp_path: Path) -> None:
    scene = SINGLE[name]
    done, acted, state = run(scene, tmp_path / "whole.json")
    assert done.is_ok, told(done)
    plan = json.loads((tmp_path / "whole.json").read_text(encoding="utf-8"))
    steps = [(one["step"], about) for one in plan["steps"] for about in one["objects"]]
    assert steps
    taken = [
        (step["step"], step["object"])
        for row in done.result["found"].values()
        for step in row.get("steps") or []
        if not row.get("foreseen") and not row["module"].endswith("_plan")
    ]
    assert sorted(taken) == sorted(steps)
    problems = []
    changes = [number for number, is_change in enumerate(acted, 1) if is_change]
    for number in changes if COMPLETE else changes[:: max(1, len(changes) // 4)]:
        for moment, pause in ((Moment.BEFORE, LATER), (Moment.ACTED, 0.0), (Moment.ANSWERED, LATER)):
            path = tmp_path / f"{number}-{moment.name}.json"
            after, _acted, found = run(scene, path, Cut(number, moment), pause)
            where = f"call {number}, {moment.value}, the next run after {pause:g} s"
            # One that was killed behind its last step is refused where it would do all of it anew.
            over = scene.repeats and found == state
            if not after.is_ok and not over and not is_known(name, str(after.result.get("msg"))):
                problems.append(f"{where}: {after.result.get('msg')}")
            elif after.is_ok and found != state:
                problems.append(f"{where}: another state")
    assert not problems, "\n".join(problems)
