# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record and page of a run, for people and programs, if the variable C(<product>_report_path) is set.

The workers of a run hand the record on as a file. A file that can't be written is only a warning: a report changes
nothing of the run. Only a folder that can't be made is refused, before the first change.
"""

from __future__ import annotations

import getpass
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from ansible import constants

from ...module_utils._errors import numbers_in
from ...module_utils._secrets import Scrubber
from ...module_utils._timeline import Timeline
from ...module_utils._values import is_nothing
from .. import progress
from ..direct import plain
from ..report import index, page, record, usual
from . import forecast, narration, resume
from .narration import DONE, FAILED, STOPPED

if TYPE_CHECKING:
    from .run import Run

VARIABLE = "report_path"
"""The variable of the product that names the folder."""

PAUSE = 5.0
"""The least number of seconds between two records that differ only in the steps under way."""

UNDER_WAY, NOT_BEGUN, LEFT_OUT = "under way", "not begun", "left out"
"""The states of a phase that has not ended."""


class Recorder:
    """Writes the record of one host's run, and its page.

    :param path: the path of the record.
    :param row: the contents so far.
    :ivar timeline: the timeline of this worker's modules.
    """

    def __init__(self, run: Run, path: Path, row: record.Row) -> None:
        self._run, self._path, self._row = run, path, row
        self._modules: list[dict[str, Any]] = list(row["modules"])
        self._objects, self._marks = list(row["objects"]), list(row["marks"])
        self._written = time.monotonic()
        self.timeline = Timeline()

    @property
    def path(self) -> str:
        return str(self._path)

    def write(self, entry: Mapping[str, Any]) -> None:
        """Records how far the run has come, and makes its page.

        :param entry: an entry of the journal.
        """
        self._write(entry, with_page=True)

    def note(self, entry: Mapping[str, Any]) -> None:
        """Records how far the run has come, without the page."""
        self._write(entry, with_page=False)

    def note_now_and_then(self, entry: Mapping[str, Any]) -> None:
        """As C(note), unless the last record is newer than C(PAUSE)."""
        if time.monotonic() - self._written >= PAUSE:
            self.note(entry)

    def _write(self, entry: Mapping[str, Any], with_page: bool) -> None:
        self._written = time.monotonic()
        with _no_harm(self._run.warnings):
            row = Scrubber(self._run.secrets()).data({**self._row, **self._so_far(entry)})
            _put(self._path, row, with_page)

    def say_usual(self) -> None:
        """Shows how long the run usually takes, from its earlier records."""
        run, said = self._run, ""
        if record.is_of_copy(run.host):
            return
        with _no_harm(run.warnings):
            found, warnings = usual.of(self._path.parent, run.book.name, run.selected)
            run.warnings += warnings
            self._row["usual"] = found
            said = usual.sentence(found) if found else ""
        if said:
            run.say(said)

    def _so_far(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        run, at = self._run, self._row["at"]
        steps = _steps(run.results)
        plan = _plan(run.results, run.check)
        return {
            "seconds": round(max(0.0, time.time() - at), 1),
            "phase": narration.last_phase(dict(entry)),
            "phases": _phases(self._names(), run.selected, entry, at, UNDER_WAY),
            "plan": plan,
            "approved_plan": _approved(run),
            "steps": steps,
            "not_begun": [] if run.check else _not_begun(plan, steps),
            "modules": self._modules + [_span(one, self._row["clock"]) for one in run.spans],
            "objects": _merged(self._objects, self.timeline, self._row["clock"]),
            "marks": self._marks + _marks(self.timeline, self._row["clock"]),
            "under_way": _under_way(entry),
            "resume": entry["resume"],
            "warnings": list(dict.fromkeys([*self._row["warnings"], *run.warnings])),
        }

    def _names(self) -> list[str]:
        return [phase.name for phase in self._run.book.phases]


def begun(run: Run) -> tuple[Optional[Recorder], list[str]]:
    """The recorder of a run that begins, and the reasons to refuse it; no recorder if no report is wanted."""
    folder = run.shared(VARIABLE)
    if is_nothing(folder) or run.book.quiet:
        return None, []
    at = time.time()
    folder = os.path.abspath(os.path.expanduser(str(folder)))
    path = record.path_of(folder, run.host, run.book.name, at)
    problems: list[str] = []
    row = None
    with _no_harm(problems):
        row = _first(run, path.stem, at)
        _put(path, Scrubber(run.secrets()).data(row), with_page=False)
    if row is None or problems:
        variable = f"{run.book.product}_{VARIABLE}"
        return None, [f"{run.host}: {problems[0]}; nothing was changed: correct {variable}, or leave it out"]
    with suppress(OSError):
        index.announce(folder, path.stem, progress.place_of(run.task_vars))
    return Recorder(run, path, row), []


def resumed(run: Run, path: Any) -> Optional[Recorder]:
    """The recorder of a run that continues after hooks."""
    if not path:
        return None
    row = record.read(Path(str(path)))
    if row is None:
        run.warnings.append(f"the record {path} can't be read any more, so the rest of this run has no report")
        return None
    return Recorder(run, Path(str(path)), row)


def _first(run: Run, name: str, at: float) -> record.Row:
    """The record of a run at its beginning."""
    scrub = Scrubber(run.secrets()).text
    return {
        "format": record.FORMAT,
        "id": name,
        "cluster": run.host,
        "runbook": run.book.name,
        "run": os.path.basename(constants.DEFAULT_LOCAL_TMP),
        "check": run.check,
        "result": record.NOT_ENDED,
        "began": record.moment(at),
        "at": round(at, 3),
        "clock": round(time.monotonic(), 3),
        "ended": None,
        "seconds": 0.0,
        "usual": None,
        "by": started_by(run.task_vars),
        "command": resume.typed(run.task_vars, scrub),
        "phase": "begin",
        "phases": [],
        "cause": "",
        "message_number": "",
        "hint": "",
        "failed_object": "",
        "last_state": None,
        "under_way": "",
        "resume": "",
        "plan": [],
        "approved_plan": None,
        "steps": [],
        "not_begun": [],
        "modules": [],
        "objects": [],
        "marks": [],
        "warnings": [],
    }


def started_by(variables: Mapping[str, Any]) -> dict[str, str]:
    """Who started the run."""
    for one in resume.AWX:
        if variables.get(f"{one}_job_id"):
            user, job = (str(plain(variables.get(f"{one}_{key}") or "")) for key in ("user_name", "job_id"))
            return {"user": user, "host": socket.gethostname(), "job": job}
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may have no name for its user
        user = f"uid {os.getuid()}"
    return {"user": user, "host": socket.gethostname(), "job": ""}


# -- what a run has done


def _approved(run: Run) -> Optional[dict[str, str]]:
    """The saved plan that the run must follow."""
    return run.held and {name: str(run.held[name]) for name in ("path", "sha256", "made", "by")}


def _steps(results: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """All steps of all modules; in a preview, the steps that they would take."""
    return [
        {"phase": found["phase"], "key": key, "refused": False, **step}
        for key, found in results.items()
        if not (found.get("foreseen") or _is_plan(found))
        for step in found.get("steps") or []
    ]


def _is_plan(found: Mapping[str, Any]) -> bool:
    return str(found.get("module", "")).endswith("_plan")


def _plan(results: Mapping[str, Mapping[str, Any]], check: bool) -> list[dict[str, Any]]:
    """The plan that was made before the first change; in a preview, the steps that its modules would take."""
    rows = [found for found in results.values() if _is_plan(found) and not found.get("foreseen")]
    if check:
        found = forecast.of(results)["steps"]
        return [{"phase": one["phase"], "step": one["step"], "objects": one["objects"]} for one in found]
    alike: dict[tuple[str, str], list[str]] = {}
    for step in [step for row in rows for step in row.get("steps") or []]:
        alike.setdefault((str(step.get("part", "")), str(step["step"])), []).append(str(step["object"]))
    return [{"phase": phase, "step": step, "objects": names} for (phase, step), names in alike.items()]


def _not_begun(plan: list[dict[str, Any]], steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The part of the plan for which no step was made."""
    done = {(str(step["step"]), str(step["object"])) for step in steps if not step.get("refused")}
    rest = [{**one, "objects": [name for name in one["objects"] if (one["step"], name) not in done]} for one in plan]
    return [one for one in rest if one["objects"]]


def _phases(
    names: list[str], selected: list[str], entry: Mapping[str, Any], at: float, last: str
) -> list[dict[str, Any]]:
    """The state of each phase.

    :param last: the state of the last phase that the run has reached.
    """
    took = narration.durations(entry["phases"], time.time())
    began = {one["phase"]: round(max(0.0, one["began"] - at), 1) for one in entry["phases"]}
    rows = []
    for name in names:
        state = DONE if name in took else NOT_BEGUN if name in selected else LEFT_OUT
        state = last if name in took and name == list(took)[-1] else state
        changed = bool(entry["changed"].get(name))
        rows.append(
            {"phase": name, "state": state, "began": began.get(name), "seconds": took.get(name), "changed": changed}
        )
    return rows


def _span(span: Mapping[str, Any], clock: float) -> dict[str, Any]:
    known = {name: span[name] for name in ("task", "key", "phase")}
    return {**known, "began": round(span["began"] - clock, 1), "seconds": round(span["ended"] - span["began"], 1)}


def _merged(objects: list[dict[str, Any]], timeline: Timeline, clock: float) -> list[dict[str, Any]]:
    """The states that earlier workers and this worker have seen.

    Times are seconds since the run began.
    """
    merged = {(one["noun"], one["name"]): {**one, "states": list(one["states"])} for one in objects}
    for (noun, name), seen in timeline.seen.items():
        one = merged.setdefault((noun, name), {"noun": noun, "name": name, "states": []})
        one["states"] += [{"at": round(at - clock, 1), "how": how, "words": words} for at, how, words in seen]
    return list(merged.values())


def _marks(timeline: Timeline, clock: float) -> list[dict[str, Any]]:
    return [
        {"at": round(at - clock, 1), "noun": noun, "name": name, "kind": kind, "why": why}
        for at, noun, name, kind, why in timeline.marks
    ]


def _under_way(entry: Mapping[str, Any]) -> str:
    return "".join(narration.under_way(dict(entry))).removeprefix("under way: ")


# -- the end


def ended(entry: Mapping[str, Any], outcome: Mapping[str, Any], cause: Mapping[str, Any]) -> list[str]:
    """Completes the record of a run that has ended. Returns lines for its end table.

    :param entry: an entry of the journal.
    :param outcome: the outcome as in the play's stats.
    :param cause: the result that caused the failure; empty if the run succeeded.
    """
    is_good = outcome["result"] == record.OK
    known = {
        "result": record.OK if is_good else record.FAILED,
        "seconds": outcome["seconds"],
        "cause": outcome["cause"],
        "message_number": numbers_in(str(outcome["cause"])),
        "hint": str(cause.get("hint") or ""),
        "failed_object": str(cause.get("failed_object") or ""),
        "last_state": cause.get("last_state"),
        "resume": "" if is_good else entry["resume"],
        "under_way": "",
    }
    row, lines = _closed(entry, known, DONE if is_good or entry.get("through") else FAILED)
    said = usual.verdict(row["usual"], row["seconds"]) if row and is_good and row["steps"] else ""
    return [*([f"time: {said}"] if said else []), *lines]


def unended(entry: Mapping[str, Any]) -> list[str]:
    """Completes the record of a stopped run, at the end of ansible-playbook. Returns lines for its end table."""
    cause = narration.unended_cause(dict(entry))
    known = {"cause": cause, "message_number": numbers_in(cause), "resume": entry["resume"]}
    known["under_way"] = _under_way(entry)
    return _closed(entry, {**known, "seconds": None}, STOPPED)[1]


def _closed(entry: Mapping[str, Any], known: dict[str, Any], last: str) -> tuple[Optional[record.Row], list[str]]:
    if not entry.get("record"):
        return None, []
    problems: list[str] = []
    row = None
    with _no_harm(problems):
        row = _close(Path(entry["record"]), entry, known, last)
    if row and not problems:
        return row, [f"report: {page_of(entry)}"]
    return row, [f"report: {problem}" for problem in problems]


def _close(path: Path, entry: Mapping[str, Any], known: dict[str, Any], last: str) -> Optional[record.Row]:
    """:returns: the row; None if it was closed before.
    :raises OSError: the record can't be read or written.
    """
    row = record.read(path)
    if row is None:
        raise OSError(0, "its record can't be read any more, so it does not show the end of the run", str(path))
    if row["ended"]:  # a hook at the end of a failed run did not finish
        return None
    at = time.time()
    names = [one["phase"] for one in row["phases"]]
    selected = [one["phase"] for one in row["phases"] if one["state"] != LEFT_OUT]
    row.update(known, ended=record.moment(at), phase=narration.last_phase(dict(entry)))
    row["seconds"] = round(max(0.0, at - row["at"]), 1) if known["seconds"] is None else known["seconds"]
    row["phases"] = _phases(names, selected, entry, row["at"], last)
    _put(path, row, with_page=True)
    return row


def page_of(entry: Mapping[str, Any]) -> str:
    """The path of the page of a run."""
    return str(Path(entry["record"]).with_suffix(".html"))


def _put(path: Path, row: record.Row, with_page: bool) -> None:
    """:raises OSError: the record or the page can't be written."""
    record.write(path, row)
    if with_page:
        record.replace(path.with_suffix(".html"), page.of_run(row))


@contextmanager
def _no_harm(problems: list[str]) -> Iterator[None]:
    """Turns every error of a report into one sentence, without stopping the run.

    :param problems: the list that gets the sentence.
    """
    try:
        yield
    except OSError as error:
        said = f"the report can't be written: {error.filename}: {error.strerror}"
    except Exception as error:  # a report must not change the run that it is about
        said = f"the report can't be made, please report it: {type(error).__name__}: {error}"
    else:
        return
    if said not in problems:
        problems.append(said)
