# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The timeline of a run as plain data: where each bar begins, and how long it is, in percent of the whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from ...module_utils._timeline import FAILED, THERE
from ...module_utils._wording import clock_text
from .record import Row

ROWS = 300
"""The most objects that are drawn. Objects with something to show come first."""

WORDS = 6
"""The most states of an object that are written beside its bar."""

TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
"""Seconds between two marks of the axis."""

MOST_TICKS = 8

EDGE = 99.2
"""The most percent of the whole at which a mark is drawn, so that a printer doesn't cut it."""

SLIGHTEST = 0.4
"""The least percent of the whole that a bar has, so that it is visible."""


def drawn(row: Row) -> dict[str, Any]:
    """The data that the template draws.

    :returns: C(ticks), C(phases), and C(groups): a noun, its C(rows), and the number of further rows.
    """
    whole = _whole(row)
    marks: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for one in row["marks"]:
        marks.setdefault((one["noun"], one["name"]), []).append(one)
    for name in set(str(row.get("failed_object") or "").split()):
        for noun in [one["noun"] for one in row["objects"] if one["name"] == name][-1:]:
            failed = {"at": whole, "kind": FAILED, "why": "the run failed in this state"}
            marks.setdefault((noun, name), []).append(failed)
    found = [_object(one, marks.get((one["noun"], one["name"]), []), whole) for one in _objects(row)]
    by_worth = sorted(range(len(found)), key=lambda number: not found[number]["is_telling"])
    kept = [found[number] for number in sorted(by_worth[:ROWS])]
    every = Counter(one["noun"] for one in found)
    groups = []
    for noun, rows in groupby(kept, lambda one: one["noun"]):
        shown = list(rows)
        groups.append({"noun": noun, "rows": shown, "more": every[noun] - len(shown)})
    return {
        "whole": whole,
        "ticks": [{"x": _share(at, whole), "text": clock_text(at)} for at in _ticks(whole)],
        "phases": [_bar(one["began"], one["seconds"], whole, text=one["phase"]) for one in _begun(row)],
        "groups": groups,
    }


def _begun(row: Row) -> Iterable[dict[str, Any]]:
    return [one for one in row["phases"] if one.get("began") is not None]


def _whole(row: Row) -> float:
    ends = [float(row["seconds"]), *(float(one["at"]) for one in row["marks"])]
    ends += [float(state["at"]) for one in row["objects"] for state in one["states"][-1:]]
    return max(1.0, *ends)


def _ticks(whole: float) -> list[int]:
    step = next((one for one in TICKS if whole / one <= MOST_TICKS), TICKS[-1])
    return [at for at in range(0, int(whole) + 1, step) if at <= whole * 0.93][: MOST_TICKS * 4]


def _share(seconds: float, whole: float) -> float:
    return round(min(100.0, max(0.0, 100 * seconds / whole)), 3)


def _bar(began: float, seconds: float, whole: float, **more: Any) -> dict[str, Any]:
    x = min(_share(began, whole), 100.0 - SLIGHTEST)
    return {"x": x, "width": round(max(SLIGHTEST, _share(began + seconds, whole) - x), 3), **more}


def _objects(row: Row) -> list[dict[str, Any]]:
    """The objects that were seen, by their nouns, and the objects of which only steps are known.

    If a module reports its steps without their times, the bar of such an object is as long as the module ran.
    """
    seen = {one["name"] for one in row["objects"]}
    spans = {(one["phase"], one.get("key")): one for one in row["modules"]}
    found = [dict(one) for one in row["objects"]]
    for step in row["steps"]:
        span = spans.get((step["phase"], step.get("key")))
        if span and not row["check"] and step["object"] not in seen:
            words = f"{step['step']}: {step['from']} -> {step['to']} ({clock_text(step['seconds'])} within this time)"
            began, end = span["began"], span["began"] + span["seconds"]
            state = {"at": began, "until": end, "how": "unknown", "words": words}
            found.append({"noun": step["phase"], "name": step["object"], "states": [state]})
    places = list(dict.fromkeys(one["noun"] for one in found))
    return sorted(found, key=lambda one: places.index(one["noun"]))


def _object(one: dict[str, Any], marks: list[dict[str, Any]], whole: float) -> dict[str, Any]:
    states = one["states"]
    ends = [*(state["at"] for state in states[1:]), one.get("until", whole)]
    bars = [
        _bar(
            state["at"],
            state.get("until", end) - state["at"],
            whole,
            how=state["how"],
            text=f"{one['name']}, {clock_text(state['at'])} to {clock_text(state.get('until', end))}: {state['words']}",
        )
        for state, end in zip(states, ends)
    ]
    return {
        "noun": one["noun"],
        "name": one["name"],
        "bars": bars,
        "marks": [
            {
                "x": min(_share(mark["at"], whole), EDGE),
                "kind": mark["kind"],
                "text": f"{one['name']}, {clock_text(mark['at'])}: {mark['kind']}: {mark['why']}",
            }
            for mark in marks
        ],
        "words": _words([state["words"] for state in states]),
        "end": states[-1]["how"] if states else "unknown",
        "is_telling": bool(marks) or len(states) > 1 or any(state["how"] != THERE for state in states),
    }


def _words(states: list[str]) -> str:
    """The states in order; if there are many, those in the middle are left out."""
    different = [word for word, _same in groupby(states)]
    if len(different) > WORDS:
        different = [*different[: WORDS // 2], "...", *different[-WORDS // 2 + 1 :]]
    return " \u2192 ".join(different)
