# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The forecast of a run in check mode, for whoever approves the real run: steps, what goes down, refusals, a text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...module_utils._foreign import shown
from ...module_utils._wording import listing

TAKES_DOWN = re.compile("stop|shutdown|power_off|kill|evict", re.IGNORECASE)
"""Matches the names of steps that take something down."""

Found = Mapping[str, Mapping[str, Any]]


def of(results: Found) -> dict[str, Any]:
    """The steps of a preview, its refusals, and what it could not find out.

    :param results: the results of the modules that the run has called, in order.
    """
    return {"steps": _steps(results), "refusals": _refusals(results), "unknown": _unknown(results)}


def told(host: str, runbook: str, seen: Mapping[str, Any], cause: str) -> dict[str, Any]:
    """The plan for the play's stats.

    :param seen: the result of C(of).
    :param cause: why the preview failed; empty if it succeeded.
    """
    steps = list(seen.get("steps", []))
    down = list(dict.fromkeys(name for step in steps if TAKES_DOWN.search(step["step"]) for name in step["objects"]))
    refusals = list(seen.get("refusals", [])) or ([cause] if cause else [])
    unknown = list(seen.get("unknown", []))
    plan = {"steps": steps, "down": down, "refusals": refusals, "unknown": unknown}
    return {**plan, "text": _text(f"{host}: {runbook}", plan)}


def _steps(results: Found) -> list[dict[str, Any]]:
    """Equal steps become one step with all their objects: a cluster may have a thousand nodes."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for row in results.values():
        # Later modules preview the same steps and more.
        if row.get("foreseen") or str(row.get("module", "")).endswith("_plan"):
            continue
        for step in row.get("steps") or []:
            key = (str(row["phase"]), str(step["step"]), str(step["from"]), str(step["to"]))
            alike.setdefault(key, []).append(str(step["object"]))
    return [
        {"phase": phase, "step": step, "from": before, "to": after, "objects": objects}
        for (phase, step, before, after), objects in alike.items()
    ]


def _refusals(results: Found) -> list[str]:
    """The refusals of the module that checks the whole run at once."""
    rows = [one for row in results.values() if row.get("failed") for one in row.get("refusals") or []]
    return list(dict.fromkeys(str(one["why"]) for one in rows))


def _unknown(results: Found) -> list[str]:
    """Failures after which a preview continues: nothing answered, so the rest is unknown."""
    return [str(row["msg"]) for row in results.values() if row.get("failure") == "unreachable" and row.get("msg")]


def _text(what: str, plan: Mapping[str, Any]) -> str:
    lines = [f"{what} would be refused: {'; '.join(plan['refusals'])}"] if plan["refusals"] else []
    lines += [f"{what} takes down: {listing(plan['down'])}"] if plan["down"] else []
    lines += [f"{what} can't be foreseen: {'; '.join(plan['unknown'])}"] if plan["unknown"] else []
    if not lines and not plan["steps"]:
        return f"{what} would change nothing"
    lines = lines or [f"{what} takes nothing down"]
    for step in plan["steps"]:
        lines.append(f"  {step['phase']}: {step['step']} {listing(step['objects'])} ({step['from']} -> {step['to']})")
    return "\n".join(map(shown, lines))
