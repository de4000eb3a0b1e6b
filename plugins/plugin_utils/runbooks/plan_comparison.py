# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compares a saved plan with a new preview, and puts the differences into lines for people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...module_utils._wording import listing
from .forecast import TAKES_DOWN
from .plan_facts import FIRST, Fact

Plan = Mapping[str, Any]
"""As `plan_file.made` makes it."""

Pair = tuple[str, str]
"""A step and its object."""

NOTHING = "not there"

MOST = 40
"""The number of objects of a step that are shown. The file contains all of them."""

POWERS = ("power", "power_nodes", "power_off_nodes", "start_servers")
"""Hooks of the user that switch machines on or off."""


def other(plan: Plan, now: Plan) -> list[str]:
    """Why a plan isn't for this run at all, in sentences."""
    found = [
        f"it is for {word} {plan[key]}, and this is {now[key]}"
        for key, word in (("runbook", "the runbook"), ("cluster", "the inventory host"))
        if plan[key] != now[key]
    ]
    if found:
        return found
    if plan["collection"] != now["collection"]:
        found.append(f"version {plan['collection']} of the collection made it, and this is version {now['collection']}")
    if plan["identity"] and now["identity"] and not {*plan["identity"]} & {*now["identity"]}:
        found.append(
            f"it is for another cluster: that one had {', '.join(plan['identity'][:4])}, this one has "
            f"{', '.join(now['identity'][:4])}"
        )
    if plan["phases"] != now["phases"]:
        found.append(f"it is for the phases {_words(plan['phases'])}, and this run has {_words(now['phases'])}")
    changed = list(_differing(plan["options"], now["options"]))
    if changed:
        found.append(f"it was made with other variables: {'; '.join(changed)}")
    return [*found, *_hooks(plan["hooks"], now["hooks"])]


def moved(plan: Plan, now: Plan, begun: bool) -> list[str]:
    """The differences between the cluster of the plan and of now, one line each.

    :param begun: whether a run has begun to carry out the plan. Effects of its steps then are no differences.
    """
    planned, wanted = pairs(plan), pairs(now)
    done = [pair for pair in planned if pair not in wanted] if begun else []
    lines = [
        f"{name}: {was['is'] if was else NOTHING} -> {is_now['is'] if is_now else NOTHING}"
        for name, was, is_now in _facts(plan["observed"], now["observed"])
        if not _follows(was or is_now, begun, done, plan)
    ]
    known = set(plan["identity"]) ^ set(now["identity"]) if plan["identity"] and now["identity"] and not lines else ()
    lines += [f"known by {' '.join(plan['identity'])} -> {' '.join(now['identity'])}"] if known and not done else []
    lines += [f"refused now: {why}" for why in now["refusals"]]
    lines += [f"can't be foreseen now: {why}" for why in now["unknown"]]
    if now["refusals"] or now["unknown"]:  # its steps are none, or not all
        return lines
    lines += [
        f"step {step} of {name}: not in the plan -> would be done"
        for step, name in wanted
        if (step, name) not in planned
    ]
    if not begun:
        lines += [
            f"step {step} of {name}: in the plan -> would not be done"
            for step, name in planned
            if (step, name) not in wanted
        ]
    return [*lines, *_turned(planned, wanted)]


def _turned(planned: Mapping[Pair, int], wanted: Iterable[Pair]) -> Iterator[str]:
    """Lines for objects whose steps have another order. The order between different objects doesn't count."""
    steps: dict[str, list[str]] = {}
    for step, name in wanted:
        if (step, name) in planned:
            steps.setdefault(name, []).append(step)
    for name, found in steps.items():
        before = [step for _place, step in sorted((planned[step, name], step) for step in found)]
        if found != before:
            yield f"order of the steps of {name}: {', '.join(before)} -> {', '.join(found)}"


def pairs(plan: Plan) -> dict[Pair, int]:
    """The steps of a plan with their objects and places in the order. Steps with the same place run together."""
    found: dict[Pair, int] = {}
    for number, step in enumerate(plan["steps"]):
        for name in step["objects"]:
            found.setdefault((step["step"], name), number)
    return found


def lines_of(plan: Plan) -> list[str]:
    """A plan for people."""
    rows = [f"  {one['phase']}: {one['step']} {listing(one['objects'], MOST)}" for one in plan["steps"]]
    rows += [f"  hook {name}: {' '.join(file['path'] for file in files)}" for name, files in plan["hooks"].items()]
    return rows or ["  nothing to do"]


def _facts(was: Iterable[Fact], now: Iterable[Fact]) -> Iterator[tuple[str, Fact, Fact]]:
    before, after = ({one["object"]: one for one in facts} for facts in (was, now))
    for name in [*before, *(name for name in after if name not in before)]:
        if before.get(name, {}).get("is") != after.get(name, {}).get("is"):
            yield name, before.get(name, {}), after.get(name, {})


def _follows(fact: Fact, begun: bool, done: list[Pair], plan: Plan) -> bool:
    """Whether steps of the plan that were taken may have changed a fact."""
    if fact["kind"] == "version" or not begun:
        return False
    if any(_mentions(name, fact["of"]) for _step, name in done) or _is_restarted(fact["of"], plan):
        return True
    hooked = any(plan["hooks"].get(name) for name in POWERS)
    if fact["kind"] in FIRST:
        return hooked and bool(done)
    others = {one["of"] for one in plan["observed"] if one["kind"] not in FIRST}
    # A step of a node or a server, or of EXAStorage, moves what stands on it.
    return (hooked and bool(done)) or any(not any(_mentions(name, one) for one in others) for _step, name in done)


def _is_restarted(name: str, plan: Plan) -> bool:
    """Whether a plan stops and starts an object: a resumed run does both again, whatever the state."""
    ways = {bool(TAKES_DOWN.search(step)) for step, about in pairs(plan) if _mentions(about, name)}
    return len(ways) == 2


def _mentions(name: str, word: str) -> bool:
    return bool(word) and re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w.-])", name) is not None


def _differing(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted({*was, *now}):
        if was.get(name) != now.get(name):
            yield f"{name}: {was.get(name)} -> {now.get(name)}"


def _hooks(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    found = []
    for name in sorted({*was, *now}):
        before, after = was.get(name, []), now.get(name, [])
        if [one["sha256"] for one in before] != [one["sha256"] for one in after]:
            path = " ".join(one["path"] for one in after or before)
            what = "is another file" if before and after else "is new" if after else "is missing now"
            found.append(f"its hook {name} ({path}) {what}")
    return found


def _words(names: Iterable[str]) -> str:
    return " ".join(names) or "none"
