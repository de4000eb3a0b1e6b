# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records of earlier runs: the chosen ones as a table, and one record in full."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import Any, Optional

from ...module_utils._errors import ClusterError
from ...module_utils._wording import clock_text, listing
from .. import progress
from ..progress import Line
from ..table import drawn
from . import record

MOST = 2000
"""The most records that are read, the newest first. Cluster, runbook and time are in the names."""

LAST = "last"
"""Stands for the name of the newest record."""

HEADINGS = ("BEGAN", "CLUSTER", "RUNBOOK", "RESULT", "TIME", "BY", "CAUSE")

COLOURS = {record.OK: progress.GOOD, record.FAILED: progress.BAD, record.NOT_ENDED: progress.NOTED}

SUMMARY = ("id", "cluster", "runbook", "check", "result", "began", "ended", "seconds", "phase", "by", "cause")
"""The keys of each run in a list."""


class Found:
    """The chosen records.

    :ivar rows: the records, newest first.
    :ivar more: the number of older records whose names match the options.
    :ivar odd: the names of files that are not records.
    """

    def __init__(self) -> None:
        self.rows: list[record.Row] = []
        self.more = 0
        self.odd: list[str] = []


def chosen(
    folder: Path, clusters: Container[str], runbooks: Container[str], results: Container[str], limit: int
) -> Found:
    """The newest records of a folder that match the options; an empty option matches all.

    :raises ClusterError: the folder can't be read.
    """
    found = Found()
    names = [one for one in every(folder) if _fits(one.cluster, clusters) and _fits(one.runbook, runbooks)]
    for count, name in enumerate(names):
        if len(found.rows) == limit or count == MOST:
            found.more = len(names) - count
            break
        row = record.read(name.path)
        if row is None:
            found.odd.append(name.path.name)
        elif _fits(row["result"], results):
            found.rows.append(row)
    return found


def _fits(value: str, wanted: Container[str]) -> bool:
    return not wanted or value in wanted


def named(folder: Path, name: str) -> record.Row:
    """A record by its name, or by the name of its page.

    :raises ClusterError: the record doesn't exist, or can't be read.
    """
    wanted = Path(name).name.removesuffix(".json").removesuffix(".html")
    path = next((one.path for one in every(folder) if one.path.stem == wanted), None)
    row = path and record.read(path)
    if not row:
        says = "this file is not a record of a run" if path else "there is no such record"
        raise ClusterError(
            f"{wanted} in {folder}: {says}",
            hint=f"leave the name out to list all records, or use {LAST} for the newest",
            number="DBF-7007",
        )
    return row


def every(folder: Path) -> list[record.Named]:
    """:raises ClusterError: the folder can't be read."""
    try:
        return record.everywhere(folder)
    except OSError as error:
        raise ClusterError(
            f"{folder} can't be read: {error.strerror}",
            hint="name the folder of exa_report_path or nuodb_report_path",
            number="DBF-7007",
        ) from None


def summary(row: record.Row) -> dict[str, Any]:
    return {name: row.get(name) for name in SUMMARY}


def table(found: Found, folder: Path) -> list[Line]:
    """The table of these records."""
    if not found.rows:
        return [(f"runs: {folder} has no record that matches the options", None)]
    rows = [(_cells(row), COLOURS[row["result"]]) for row in found.rows]
    more = f", and {found.more} older ones that may also match" if found.more else ""
    return [*drawn(HEADINGS, rows, progress.WIDTH), (f"runs: {len(found.rows)} of {folder}{more}", None)]


def _cells(row: record.Row) -> list[str]:
    result = f"{row['result']} (check)" if row["check"] else row["result"]
    time = clock_text(row["seconds"]) if row.get("ended") else f"{clock_text(row['seconds'])}+"
    cause = row["cause"].removeprefix(f"{row['cluster']}: ")
    return [row["began"], row["cluster"], row["runbook"], result, time, str(row["by"].get("user") or ""), cause]


def told(row: record.Row) -> list[Line]:
    """The lines of one run in full."""
    lines = list(_lines(row))
    return [(lines[0], COLOURS[row["result"]]), *((line, None) for line in lines[1:])]


def _lines(row: record.Row) -> Iterator[str]:
    check = " (check mode: nothing was changed)" if row["check"] else ""
    yield f"{row['cluster']}: {row['runbook']}: {row['result']}{check}"
    by = " on ".join(str(row["by"][name]) for name in ("user", "host") if row["by"].get(name))
    yield f"began: {row['began']} by {by}"
    end = row.get("ended") or "not ended: the run is under way, or was killed"
    yield f"ended: {end}, {clock_text(row['seconds'])} after it began"
    if row["command"]:
        yield f"command: {row['command']}"
    for one in row["phases"]:
        took = "" if one.get("seconds") is None else clock_text(one["seconds"])
        yield f"  {one['phase']:<16} {took:>8}  {one['state']}"
    for name in ("cause", "hint", "failed_object", "under_way"):
        if row.get(name):
            yield f"{name.replace('_', ' ')}: {row[name]}"
    if row.get("last_state") not in (None, "", {}, []):
        yield f"last state: {json.dumps(row['last_state'], ensure_ascii=False, default=str)}"
    if row["steps"]:
        yield "steps that would be taken:" if row["check"] else "steps:"
    for one in row["steps"]:
        took = "" if row["check"] else f", {one['seconds']:g} s"
        refused = ", refused" if one["refused"] else ""
        yield f"  {one['phase']}: {one['step']} {one['object']} ({one['from']} -> {one['to']}{took}{refused})"
    yield from _of_plan("steps that were never begun:", row["not_begun"])
    troubles = [one for one in row["marks"] if one["kind"] != "step"]
    if troubles:
        yield "faults and retries:"
    for one in troubles:
        yield f"  {clock_text(one['at'])} {one['name']}: {one['kind']}: {one['why']}"
    for text in row["warnings"]:
        yield f"warning: {text}"
    if row["resume"]:
        yield f"resume: {row['resume']}"


def _of_plan(heading: str, rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    rows = list(rows)
    if rows:
        yield heading
    for one in rows:
        yield f"  {one['phase']}: {one['step']} {listing([str(name) for name in one['objects']])}"


def warning(found: Found, folder: Path) -> Optional[str]:
    """A warning about files that are not records; None without such files."""
    if not found.odd:
        return None
    is_many = f"{len(found.odd)} files that are not records" if len(found.odd) > 1 else "a file that is not a record"
    return f"skipped {is_many} of a run in {folder}: {listing(found.odd, 3)}"
