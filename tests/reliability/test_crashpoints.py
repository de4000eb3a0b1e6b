# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every crash point: a run is killed at each of its calls in turn, and the next one completes what it began.

What can't be otherwise somewhere is data: C(scenes.EXCEPTIONS). In the complete run, one that no longer occurs fails.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils import direct
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.catalogue import RUNBOOKS
from ansible_collections.dbfleet.cluster.tests.reliability.conftest import TABLE
from ansible_collections.dbfleet.cluster.tests.reliability.loom import Killed, Loom
from ansible_collections.dbfleet.cluster.tests.reliability.place import Cut, Moment, Place
from ansible_collections.dbfleet.cluster.tests.reliability.runs import Program, Told
from ansible_collections.dbfleet.cluster.tests.reliability.scenes import (
    CONFD,
    EAO,
    EXCEPTIONS,
    NEVER_CHANGING,
    NO_CALL,
    NO_SCENE,
    NUODB,
    RUNBOOK_SCENES,
    SCENES,
    SELDOM,
    Kind,
    Scene,
    is_said,
    table,
)

ROOT = Path(__file__).resolve().parents[2]

COMPLETE = os.environ.get("DBFLEET_CRASHPOINTS") == "all"

FEW = 5
"""Where not all crash points are tried, so many of those at reads are."""

LATER = 20.0
"""Seconds after which what waited for others has given up."""

NEAR = 3
"""Behind a change, its work is under way for so many calls at least."""

SEED = 20260301


class Whole(NamedTuple):
    """A run that nobody cut off.

    :param acted: whether each of its calls changed something.
    """

    state: dict[str, Any]
    changes: Counter[str]
    acted: list[bool]


class Problem(NamedTuple):
    """What isn't as it should be.

    :param about: the change, the rule, or what the run said.
    """

    kind: Kind
    about: str
    where: str

    def __str__(self) -> str:
        return f"{self.where}: {self.kind.value}: {self.about}"


@dataclass
class Tally:
    """What was tried of a scene, and what came of it.

    :ivar met: the exceptions that occurred, by their place in the scene's list.
    """

    counts: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    met: set[int] = field(default_factory=set)

    def judge(self, name: str, found: list[Problem]) -> None:
        """Tells what is known of a scene from what is a failure."""
        for problem in found:
            known = [
                number
                for number, one in enumerate(EXCEPTIONS.get(name, ()))
                if one.kind is problem.kind and is_said(one, problem.about)
            ]
            self.met.update(known)
            self.counts["exceptions"] += bool(known)
            if not known:
                self.problems.append(problem)


def told(run: Told) -> str:
    return "\n".join([str(run.result.get("msg")), *run.lines])


def new_place(loom: Loom, scene: Scene) -> Place:
    place = Place(loom, dict(scene.topology))
    for one in scene.before:
        if isinstance(one, float):
            loom.advance(one)
        elif len(one) == 3:
            place.ask(*one)
        else:
            assert Program(*one).run(place).is_ok
    place.cluster.record.forgive()
    place.forget()
    return place


def state_of(place: Place, scene: Scene) -> dict[str, Any]:
    place.settle(scene.rest)
    return scene.kept(place.state())


def whole_run(scene: Scene) -> Whole:
    with Loom(SEED).in_use() as loom:
        place = new_place(loom, scene)
        done = scene.program().run(place)
        assert done.is_ok, told(done)
        found = Whole(state_of(place, scene), place.changes, place.acted)
        assert {rule for rule, _text in broken(place)} == scene.allowed, [place.rules, told(done)]
        if not (scene.repeats or scene.refused_when_done or scene.ends_api):
            place.forget()
            again = scene.program(again=True).run(place)
            assert again.is_ok, told(again)
            assert place.changes == Counter()
            assert state_of(place, scene) == found.state, unlike(state_of(place, scene), found.state)
        return found


def broken(place: Place) -> list[tuple[str, str]]:
    """The rules that were broken, and what of."""
    parts = [text.partition(":") for text in place.rules]
    return [(rule, text.strip()) for rule, _colon, text in parts]


def points(whole: Whole) -> list[Cut]:
    """All of them, or some of those at reads: there, nothing can have happened."""
    found = []
    for number, acted in enumerate(whole.acted, 1):
        near = acted or (number < len(whole.acted) and whole.acted[number])
        if COMPLETE or near or number % (len(whole.acted) // FEW + 1) == 0:
            found.append(Cut(number, Moment.BEFORE))
        if acted:
            found += [Cut(number, Moment.ACTED), Cut(number, Moment.ANSWERED)]
    return found


def pauses(whole: Whole, cut: Cut) -> tuple[float, ...]:
    """How long after the kill the next run comes. Both are tried around changes; of reads, one in turn."""
    near = any(whole.acted[max(0, cut.number - NEAR) : cut.number + 1])
    return (0.0, LATER) if COMPLETE and near else (LATER if cut.number % 2 else 0.0,)


@pytest.mark.parametrize("name", SCENES if COMPLETE else [name for name in RUNBOOK_SCENES if name not in SELDOM])
def test_a_run_that_is_killed_is_completed_by_the_next(name: str, record_property: Callable[..., None]) -> None:
    scene = SCENES[name]
    whole = whole_run(scene)
    cuts, tally = points(whole), Tally()
    assert len(cuts) > len([acted for acted in whole.acted if acted])
    for cut in cuts:
        for pause in pauses(whole, cut):
            tally.judge(name, completed(scene, whole, cut, pause, tally.counts))
    counts = {
        "scenes": 1, "calls": len(whole.acted), "changes": sum(whole.acted), "points": len(cuts), **tally.counts,
        "failures": len(tally.problems),
    }  # fmt: skip
    record_property(TABLE, [scene.group, counts])
    assert not tally.problems, f"{len(tally.problems)} of {len(cuts)}:\n" + "\n".join(map(str, tally.problems))
    gone = [str(one) for number, one in enumerate(EXCEPTIONS.get(name, ())) if number not in tally.met]
    assert not (COMPLETE and gone), f"no longer occurs: {gone}"
    assert not COMPLETE or bool(tally.counts["repeated"]) == scene.repeats
    assert not COMPLETE or bool(tally.counts["refused"]) == scene.refused_when_done


def completed(scene: Scene, whole: Whole, cut: Cut, pause: float, counts: Counter[str]) -> list[Problem]:
    """What is wrong with the run after one that was killed there."""
    where = f"call {cut.number}, {cut.moment.value}, the next run after {pause:g} s"
    counts["runs"] += 2
    with Loom(SEED).in_use() as loom:
        place = new_place(loom, scene)
        place.cut = cut
        try:
            early = scene.program().run(place)
        except Killed:
            pass
        else:
            if cut.moment is not Moment.ANSWERED:  # behind the last answer there may be no call left
                return [Problem(Kind.STAYS, told(early), where)]
        place.settle(pause)
        began = place.changes
        place.forget()
        done = scene.program(again=True).run(place)
        counts["joined"] += has_joined(done)
        rules = [
            Problem(Kind.RULE, rule, f"{where}: {text}") for rule, text in broken(place) if rule not in scene.allowed
        ]
        if not done.is_ok:
            if not (scene.refused_when_done and done.result.get("failure") == "refused"):
                return [Problem(Kind.FAILS, str(done.result.get("msg")), where), *rules]
            counts["refused"] += 1
        found = []
        twice = (began + place.changes) - whole.changes
        counts["repeated"] += bool(twice and scene.repeats)
        if twice and not (scene.repeats or pause):  # later, what waited for others has given up
            found = [Problem(Kind.TWICE, change, where) for change in sorted(twice)]
        state = state_of(place, scene)
        if state != whole.state:
            found.append(Problem(Kind.STATE, str(unlike(state, whole.state)), where))
        return [*found, *rules]


def has_joined(done: Told) -> bool:
    """Whether a run found something under way that it didn't begin."""
    return any(
        isinstance(row, dict) and row.get("joined") for row in (done.result, *done.result.get("found", {}).values())
    )


def unlike(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two states differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted({*one, *other}, key=str)
        return [text for key in keys for text in unlike(one.get(key), other.get(key), f"{path}/{key}")]
    return [] if one == other else [f"{path}: {one!r}, not {other!r}"]


def test_what_is_not_known_of_a_scene_is_a_failure() -> None:
    tally = Tally()
    known, other = Problem(Kind.RULE, "archives-started-in-part", "here"), Problem(Kind.RULE, "process-killed", "here")
    tally.judge("nuodb_cold_start", [known, other])
    assert (tally.problems, tally.met, tally.counts["exceptions"]) == ([other], {0}, 1)
    tally.judge("nuodb_recover", [known])
    assert tally.problems == [other, known]


def test_every_runbook_has_a_scene() -> None:
    assert {scene.name for scene in RUNBOOK_SCENES.values()} >= set(RUNBOOKS)


DECIDE = (
    "state", "mode", "on_operation", "on_hotcopy", "on_running", "unseen", "purge", "remove_state", "exact", "force",
    "recreate", "enlarge", "evict_local", "use_infra", "take_over",
)  # fmt: skip
"""Options whose value decides which calls are made."""


def spec_of(module: str) -> dict[str, Any]:
    found: dict[str, Any] = import_module(f"{direct.MODULES}.{module}").SPEC["argument_spec"]
    return found


def choices() -> Iterator[tuple[str, str, str]]:
    """Server, module, option and value: what must have a scene."""
    for path in sorted((ROOT / "plugins/modules").glob("[!_]*.py")):
        module = path.stem
        if module in NEVER_CHANGING:
            continue
        servers = (CONFD, EAO) if module.startswith("exa_") else (NUODB,)
        for option, row in spec_of(module).items():
            for value in row.get("choices", ("True",)) if option in DECIDE else ():
                for server in servers:
                    without = NO_CALL.get(server, {}).get(module, ())
                    if option not in without and f"{option} {value}" not in without:
                        yield server, module, f"{option} {value}"


def test_every_state_of_every_module_that_changes_something_has_a_scene() -> None:
    """And every other choice that makes other calls, on each server that has them."""
    there = set()
    for scene in SCENES.values():
        for module, given in scene.modules():
            values = {option: given.get(option, row.get("default")) for option, row in spec_of(module).items()}
            there |= {(scene.server, module, f"{option} {values[option]}") for option in DECIDE if option in values}
    lacking = {choice for choice in choices() if choice not in there}
    assert {choice[1:] for choice in lacking} == set(NO_SCENE)


def test_the_docs_have_every_exception_and_no_other() -> None:
    text = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    rows = text.partition("| what happens | where | why |\n|---|---|---|\n")[2].partition("\n\n")[0]
    assert rows.splitlines() == table()
