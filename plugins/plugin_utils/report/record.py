# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of one run: a JSON file, its name, and how to write and read it.

The run writes the record when it begins, and again with each phase, so that a killed run has a record too, without an
end. docs/report.md describes its fields; docs/schemas/run_record.json checks them.
"""

from __future__ import annotations

import json
import math
import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Optional
from urllib.parse import unquote

from ..left_file import name_for, replace as replace_file, text_of

FORMAT = 1

OK, FAILED, NOT_ENDED = RESULTS = ("ok", "failed", "not ended")

REHEARSED = "rehearsal-of-"
"""Begins the name of a copy, which no real host has."""

Row = dict[str, Any]
"""The contents of a record."""

NAME = re.compile(r"(?P<began>\d{8}T\d{6}\.\d{3}Z)-(?P<runbook>[a-z0-9_]+)-(?P<cluster>[^/]+)\.json")


class Named(NamedTuple):
    """A record as its file name describes it, without reading the file."""

    path: Path
    began: str
    runbook: str
    cluster: str


def is_of_copy(cluster: str) -> bool:
    """Whether a cluster is the copy of a rehearsal. The times of a rehearsal are no estimate for a real cluster."""
    return cluster.startswith(REHEARSED)


def stamp(at: float) -> str:
    """A time for the names of files, which are sorted by it."""
    whole = int(at * 1000)
    return f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime(whole // 1000))}.{whole % 1000:03d}Z"


def moment(at: float) -> str:
    """A time in the form of a record."""
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(at))}Z"


def path_of(folder: str, cluster: str, runbook: str, at: float) -> Path:
    """The path of the record of a run."""
    return Path(folder) / name_for(cluster) / f"{stamp(at)}-{runbook}-{name_for(cluster)}.json"


def named(path: Path) -> Optional[Named]:
    """The facts in the name of a file; None for a file that is not a record."""
    found = NAME.fullmatch(path.name)
    return found and Named(path, found["began"], found["runbook"], unquote(found["cluster"]))


def below(folder: Path) -> list[Named]:
    """The records of one cluster, or directly in a folder, newest first. No file is read."""
    with suppress(OSError):
        found = [named(Path(entry.path)) for entry in os.scandir(folder)]
        return sorted(filter(None, found), key=lambda one: one.path.name, reverse=True)
    return []


def everywhere(folder: Path) -> list[Named]:
    """The records of all clusters, newest first. No file is read.

    :raises OSError: the folder can't be read.
    """
    found = below(folder)
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            found += below(Path(entry.path))
    return sorted(found, key=lambda one: one.path.name, reverse=True)


def replace(path: Path, text: str) -> None:
    """Writes a file of a cluster, and makes missing folders.

    :raises OSError: the file can't be written.
    """
    path.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    replace_file(path, text)


def write(path: Path, row: Row) -> None:
    """:raises OSError: the record can't be written."""
    replace(path, f"{json.dumps(row, indent=1, default=str)}\n")


def read(path: Path) -> Optional[Row]:
    """A record of this format; None for anything else, so that no later code fails on it."""
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        row = json.loads(text_of(path))
        return row if is_one(row) else None
    return None


NUMBER = (int, float)

Kinds = dict[str, Any]
"""The types of fields, by their names."""

KINDS: Kinds = {
    **dict.fromkeys(("id", "cluster", "runbook", "run", "began", "phase", "cause", "hint", "resume", "command"), str),
    **dict.fromkeys(("phases", "plan", "steps", "not_begun", "modules", "objects", "marks", "warnings"), list),
    **dict.fromkeys(("at", "seconds"), NUMBER),
    "by": dict,
    "check": bool,
}
"""The types of the fields that readers rely on."""

STEPS: Kinds = {"phase": str, "step": str, "objects": list}

ROWS: dict[str, Kinds] = {
    "phases": {"phase": str, "state": str},
    "plan": STEPS,
    "not_begun": STEPS,
    "steps": {**dict.fromkeys(("phase", "step", "object", "from", "to"), str), "seconds": NUMBER, "refused": bool},
    "objects": {"noun": str, "name": str, "states": list},
    "marks": {"at": NUMBER, **dict.fromkeys(("noun", "name", "kind", "why"), str)},
    "modules": {"task": str, "phase": str, "began": NUMBER, "seconds": NUMBER},
}
"""The fields that each row of a list must have."""

STATE: Kinds = {"at": NUMBER, "how": str, "words": str}
"""The fields of each state of an object."""

APPROVED: Kinds = dict.fromkeys(("path", "sha256", "made", "by"), str)
"""The fields of the saved plan that a run had to follow."""

USUAL: Kinds = {**dict.fromkeys(("runs", "seconds", "least", "most"), NUMBER), "longest": str}


def is_one(row: Any) -> bool:
    """Whether this is a record that readers can rely on."""
    if not isinstance(row, dict) or row.get("format") != FORMAT or row.get("result") not in RESULTS:
        return False
    if not _fits(row, KINDS) or not all(_fits(one, kinds) for name, kinds in ROWS.items() for one in row[name]):
        return False
    time.gmtime(row["at"])
    numbers = [one.get(name) for one in row["phases"] for name in ("began", "seconds")]
    return (
        all(_fits(state, STATE) for one in row["objects"] for state in one["states"])
        and all(_is(number, NUMBER) for number in numbers if number is not None)
        and (row.get("approved_plan") is None or _fits(row["approved_plan"], APPROVED))
        and (row.get("usual") is None or _fits(row["usual"], USUAL))
    )


def _fits(row: Any, kinds: Kinds) -> bool:
    return isinstance(row, dict) and all(_is(row.get(name), kind) for name, kind in kinds.items())


def _is(value: Any, kind: Any) -> bool:
    if kind is NUMBER:
        return isinstance(value, NUMBER) and not isinstance(value, bool) and math.isfinite(value)
    return isinstance(value, kind)
