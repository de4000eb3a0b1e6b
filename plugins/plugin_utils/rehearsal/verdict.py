# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report at the end of a rehearsal: phases in the cluster's time, the effect of each fault, and the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Optional

from ...module_utils._wording import clock_text, listing
from .. import progress
from ..progress import Line
from ..report import record, usual
from . import faults
from .runs import Ended
from .topology import Row

COLOURS = {"done": progress.GOOD, "failed here": progress.BAD, "stopped here": progress.BAD}


class Met(NamedTuple):
    """A fault and its effect.

    :ivar row: the fault as the simulator has it, with C(hit).
    :ivar about: what a fault of its kind does.
    :ivar runs: the numbers of the runs that met it, from 1.
    """

    row: Row
    about: str
    runs: list[int]


class Rehearsed(NamedTuple):
    """All results of a rehearsal.

    :ivar scale: seconds of this machine per second of the cluster.
    :ivar broken: the safety rules that were broken on the simulator.
    :ivar usual: how long the runbook usually takes on the real cluster.
    """

    host: str
    runbook: str
    scale: float
    runs: list[Ended]
    met: list[Met]
    broken: list[Row]
    usual: Optional[Row]

    @property
    def is_through(self) -> bool:
        return bool(self.runs) and self.runs[-1].is_ok

    @property
    def steps(self) -> int:
        return sum(len(run.row["steps"]) for run in self.runs if run.row)

    def seconds(self, run: Ended) -> float:
        """Seconds of the cluster's time."""
        return sum(phase_seconds(run.row, one, self.scale) or 0 for one in run.row["phases"]) if run.row else 0.0


def phase_seconds(row: record.Row, phase: Row, scale: float) -> Optional[float]:
    """How long a phase takes on a real cluster: its modules wait for the cluster, the rest is this machine's work."""
    if phase.get("seconds") is None:
        return None
    waited = sum(one["seconds"] for one in row["modules"] if one["phase"] == phase["phase"])
    return max(0.0, phase["seconds"] - waited) + waited / scale


def problems(found: Rehearsed) -> list[str]:
    """Why the rehearsal failed, in sentences; empty if it succeeded."""
    said = []
    if not found.is_through and found.runs:
        again = "even when resumed" if len(found.runs) > 1 else "and no fault is left that could be mended"
        said.append(f"{found.runbook} doesn't come through, {again}: {found.runs[-1].cause}")
    never = [faults.said(one.row) for one in found.met if not one.runs]
    if never and found.is_through:
        noun = "this fault" if len(never) == 1 else "these faults"
        said.append(f"the run never met {noun}, so this rehearsal doesn't show its effect: {listing(never)}")
    if found.is_through and not found.steps and not never:
        said.append("the run had nothing to do on the copy, so nothing was rehearsed: see rehearse_state")
    if found.broken:
        rules = list(dict.fromkeys(f"{one['rule']} ({one['object']})" for one in found.broken))
        said.append(f"safety rules were broken on the simulator: {listing(rules)}")
    return said


def lines(found: Rehearsed) -> list[Line]:
    """The table at the end."""
    return [(f"[{found.host}] {text}", colour) for text, colour in _lines(found)]


def _lines(found: Rehearsed) -> Iterator[Line]:
    for number, run in enumerate(found.runs, 1):
        again = ", by the command that resumes" if number > 1 else ""
        result = "ok" if run.is_ok else "failed"
        about = clock_text(found.seconds(run))
        yield (f"rehearsal: run {number} of {found.runbook}{again}: {result}, about {about} of the cluster's time",
               progress.GOOD if run.is_ok else progress.BAD)  # fmt: skip
        yield from _phases(run, found.scale)
    for one in found.met:
        colour = None if one.runs else progress.BAD
        yield f"fault: {faults.said(one.row)}: {_done_about(one, found.runs)}", colour
    yield f"time: {time_of(found)}", None
    for run in found.runs:
        if run.path:
            yield f"report: {run.path.with_suffix('.html')}", None


def _phases(run: Ended, scale: float) -> Iterator[Line]:
    if not run.row:
        return
    for one in run.row["phases"]:
        if one["state"] == "left out":
            continue
        seconds = phase_seconds(run.row, one, scale)
        took = "" if seconds is None else clock_text(seconds)
        steps = _steps(run.row, one["phase"])
        yield (
            f"  {one['phase']:<16} {took:>8}  {one['state']}{f': {steps}' if steps else ''}",
            COLOURS.get(one["state"]),
        )


def _steps(row: record.Row, phase: str) -> str:
    """As C(stopDatabase DB1 DB2)."""
    alike: dict[str, list[str]] = {}
    for step in row["steps"]:
        if step["phase"] == phase:
            alike.setdefault(step["step"], []).append(step["object"])
    return ", ".join(f"{step} {listing(list(dict.fromkeys(names)))}" for step, names in alike.items())


def _done_about(one: Met, runs: list[Ended]) -> str:
    """The effect of a fault, and the reaction of the runbook."""
    about = one.about.partition(";")[0]
    if not one.runs:
        return f"{about}; it never occurred"
    number = one.runs[0]
    first = runs[number - 1]
    word = str(one.row.get("method") or "").replace("/", " ").rpartition(" ")[2]
    told = "; ".join(text for text in _told(first) if word in text)
    if first.is_ok:
        return f"{about}; run {number} went on and came through{f': {told}' if told else ''}"
    cause = first.cause.partition("; done before this failure")[0]
    if word and told and word not in cause:
        return f"{about}; run {number} went on: {told}"
    phase = first.row["phase"] if first.row else "its beginning"
    said = f"{about}; run {number} failed in phase {phase}: {cause}"
    if len(runs) > number:
        said += f"; once it was mended, run {len(runs)} {'came through' if runs[-1].is_ok else 'failed too'}"
    return said


def _told(run: Ended) -> list[str]:
    """The lines of a run about faults and retries."""
    if not run.row:
        return []
    marks = [mark["why"] for mark in run.row["marks"] if mark["kind"] != "step"]
    return list(dict.fromkeys([*marks, *run.row["warnings"]]))[:3]


def time_of(found: Rehearsed) -> str:
    """How long the runbook is expected to take."""
    good = [run for run in found.runs if run.is_ok]
    known = f"; {usual.sentence(found.usual)}" if found.usual else ""
    if not good:
        return f"unknown, because no run came through{known}"
    rest = " for what was left after the failure" if good[-1] is not found.runs[0] else ""
    took = usual.words(found.seconds(good[-1]))
    return f"at most about {took}{rest} on {found.host}, by the simulator's times{known}"


def data(found: Rehearsed) -> dict[str, Any]:
    """The report as data."""
    return {
        "runbook": found.runbook,
        "result": "ok" if not problems(found) else "failed",
        "seconds": round(found.seconds(found.runs[-1])) if found.runs else 0,
        "faults": [{"fault": faults.said(one.row), "about": one.about, "runs": one.runs} for one in found.met],
        "runs": [
            {
                "result": "ok" if run.is_ok else "failed",
                "seconds": round(found.seconds(run)),
                "cause": "" if run.is_ok else run.cause,
                "resume": run.row["resume"] if run.row else "",
                "report": str(run.path.with_suffix(".html")) if run.path else "",
                "phases": [
                    {"phase": one["phase"], "state": one["state"], "seconds": _whole(run.row, one, found.scale)}
                    for one in (run.row["phases"] if run.row else ())
                ],
                "steps": [f"{one['step']} {one['object']}" for one in (run.row["steps"] if run.row else ())],
            }
            for run in found.runs
        ],
        "broken_rules": found.broken,
    }


def _whole(row: Any, phase: Row, scale: float) -> Optional[int]:
    seconds = phase_seconds(row, phase, scale)
    return None if seconds is None else round(seconds)
