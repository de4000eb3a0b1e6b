# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every crash point: a run is killed at each of its calls in turn, and the next one completes what it began."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any, NamedTuple

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.catalogue import RUNBOOKS
from ansible_collections.dbfleet.cluster.tests.reliability.loom import Killed, Loom
from ansible_collections.dbfleet.cluster.tests.reliability.place import Cut, Moment, Place
from ansible_collections.dbfleet.cluster.tests.reliability.runs import Program, Told
from ansible_collections.dbfleet.cluster.tests.reliability.scenes import RUNBOOK_SCENES, SCENES, Scene

COMPLETE = os.environ.get("DBFLEET_CRASHPOINTS") == "all"

FEW = 5
"""Where not all crash points are tried, so many of those at reads are."""

LATER = 20.0
"""Seconds after which what waited for others has given up."""

SEED = 20260301


class Whole(NamedTuple):
    """A run that nobody cut off.

    :param acted: whether each of its calls changed something.
    """

    state: dict[str, Any]
    changes: Counter[str]
    acted: list[bool]


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
    return place.state()


def whole_run(scene: Scene) -> Whole:
    with Loom(SEED).in_use() as loom:
        place = new_place(loom, scene)
        done = Program(scene.name, dict(scene.given)).run(place)
        assert done.is_ok, told(done)
        found = Whole(state_of(place, scene), place.changes, place.acted)
        assert not broken(place, scene), told(done)
        if not (scene.repeats or scene.refused_when_done):
            place.forget()
            again = Program(scene.name, {**scene.given, **scene.again}).run(place)
            assert again.is_ok, told(again)
            assert place.changes == Counter()
            assert state_of(place, scene) == found.state, unlike(state_of(place, scene), found.state)
        return found


def broken(place: Place, scene: Scene) -> list[str]:
    return [text for text in place.rules if text.partition(":")[0] not in scene.allowed]


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


@pytest.mark.parametrize("name", SCENES if COMPLETE else RUNBOOK_SCENES)
def test_a_run_that_is_killed_is_completed_by_the_next(name: str) -> None:
    scene = SCENES[name]
    whole = whole_run(scene)
    cuts = points(whole)
    assert len(cuts) > len([acted for acted in whole.acted if acted])
    problems = [text for cut in cuts for text in completed(scene, whole, cut)]
    assert not problems, f"{len(problems)} of {len(cuts)}:\n" + "\n".join(problems)


def completed(scene: Scene, whole: Whole, cut: Cut) -> list[str]:
    """What is wrong with the run after one that was killed there."""
    pause = LATER if cut.number % 2 else 0.0
    where = f"call {cut.number}, {cut.moment.value}, the next run after {pause:g} s: "
    with Loom(SEED).in_use() as loom:
        place = new_place(loom, scene)
        place.cut = cut
        try:
            early = Program(scene.name, dict(scene.given)).run(place)
        except Killed:
            pass
        else:
            if cut.moment is not Moment.ANSWERED:  # behind the last answer there may be no call left
                return [f"{where}it was not killed: {told(early)}"]
        place.settle(pause)
        began = place.changes
        place.forget()
        done = Program(scene.name, {**scene.given, **scene.again}).run(place)
        found = []
        if not done.is_ok and not (scene.refused_when_done and done.result.get("failure") == "refused"):
            return [f"{where}{told(done)}"]
        twice = (began + place.changes) - whole.changes
        if twice and not (scene.repeats or scene.unseen or pause):  # later, what waited for others has given up
            found.append(f"{where}done twice: {sorted(twice)}")
        state = state_of(place, scene)
        if state != whole.state:
            found.append(f"{where}another state: {unlike(state, whole.state)}")
        return [*found, *(f"{where}{text}" for text in broken(place, scene))]


def unlike(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two states differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted({*one, *other}, key=str)
        return [text for key in keys for text in unlike(one.get(key), other.get(key), f"{path}/{key}")]
    return [] if one == other else [f"{path}: {one!r}, not {other!r}"]


def test_every_runbook_has_a_scene() -> None:
    assert {scene.name for scene in RUNBOOK_SCENES.values()} == set(RUNBOOKS)
