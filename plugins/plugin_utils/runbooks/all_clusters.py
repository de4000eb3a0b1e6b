# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One table of all clusters of a play, if a runbook ran on more than one: shown after the last of them has ended.

Each cluster's worker adds its row to a file of the run; the worker that adds the last row shows the table. If some
clusters never end or never start, the exit of ansible-playbook shows the table. Nothing here decides what a run does.
"""

from __future__ import annotations

import fcntl
import glob
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, Any, Optional

from ansible import constants

from ...module_utils._wording import clock_text
from .. import progress
from ..progress import Line
from ..table import drawn
from .once import path_of

KIND = "clusters"

FAILED, NOT_BEGUN, OK = RESULTS = ("failed", "not begun", "ok")
"""In the order of the table: what needs attention first."""

HEADINGS = ("CLUSTER", "RESULT", "PHASE", "TIME", "CAUSE")

COLOURS = {FAILED: progress.BAD, NOT_BEGUN: progress.NOTED, OK: progress.GOOD}

Row = dict[str, Any]
"""How a cluster ended: C(host), C(result), C(phase), C(seconds), C(cause)."""


OURS = "dbfleet.cluster."


def has_table(quiet: bool, task_vars: Mapping[str, Any]) -> bool:
    """Whether this play has a table of a runbook.

    :param quiet: see C(Runbook).
    """
    # Another role of this collection that calls runbooks shows its own table of all clusters.
    is_part = any(str(name).startswith(OURS) for name in task_vars.get("ansible_parent_role_names") or ())
    return len(task_vars["ansible_play_hosts_all"]) > 1 and not (quiet or is_part)


@dataclass
class Round:
    """One pass of a play through a runbook. A play that contains the role twice has two rounds.

    :ivar begun: the hosts on which the runbook was begun.
    """

    begun: list[str] = field(default_factory=list)
    rows: dict[str, Row] = field(default_factory=dict)


@dataclass
class Told:
    """The contents of a file.

    :ivar others: hosts of the play that have no connection of the runbook's product.
    :ivar places: where the progress of the hosts is shown.
    """

    runbook: str = ""
    check: bool = False
    hosts: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    shown: int = 0

    def read(self, lines: Iterable[str]) -> Told:
        """Reads the lines of a file, and ignores a line that was cut off."""
        for line in lines:
            with suppress(ValueError):
                self._take(*json.loads(line))
        return self

    def _take(self, word: str, value: Any) -> None:
        if word == "play":
            self.runbook, self.check, self.hosts = value
        elif word == "others":
            self.others = value
        elif word == "begun":
            host, place = value
            self.places.append(place)
            self._first_without(host, lambda one: one.begun).begun.append(host)
        elif word == "row":
            self._first_without(value["host"], lambda one: one.rows).rows[value["host"]] = value
        elif word == "shown":
            self.shown = value

    def _first_without(self, host: str, part: Any) -> Round:
        found = next((one for one in self.rounds if host not in part(one)), None)
        if found is None:
            self.rounds.append(found := Round())
        return found

    def members(self, one: Round) -> list[str]:
        """The hosts that the table of a round shows."""
        return [host for host in self.hosts if host not in self.others or host in one.begun or host in one.rows]

    def whole(self) -> Iterator[tuple[int, Round]]:
        """The rounds that are complete and not shown yet, each with its number."""
        for number, one in enumerate(self.rounds[self.shown :], self.shown + 1):
            if any(host not in one.rows for host in self.members(one)):
                return
            yield number, one

    def place(self) -> str:
        """Where the table is shown: off only if the progress of no host is shown."""
        return next((place for place in self.places if place != progress.OFF), progress.OFF)

    def table(self, one: Round) -> list[Line]:
        """The lines of a round; no lines if it has a single cluster."""
        rows = [one.rows.get(host) or _not_begun(host) for host in self.members(one)]
        return table(self.runbook, rows, self.check) if len(rows) > 1 else []


def _not_begun(host: str) -> Row:
    return {"host": host, "result": NOT_BEGUN, "phase": "", "seconds": None, "cause": ""}


def table(runbook: str, rows: Iterable[Row], check: bool) -> list[Line]:
    """The table of these clusters, and a line that counts their results."""
    rows = sorted(rows, key=lambda row: (RESULTS.index(row["result"]), row["host"]))
    count = Counter(row["result"] for row in rows)
    total = ", ".join(f"{count[result]} {result}" for result in RESULTS if count[result])
    mode = " (check mode: nothing was changed)" if check else ""
    lines = drawn(HEADINGS, [(_cells(row), COLOURS[row["result"]]) for row in rows], progress.WIDTH)
    return [*lines, (f"{runbook}: {len(rows)} clusters: {total}{mode}", None)]


def _cells(row: Row) -> list[str]:
    time = "" if row["seconds"] is None else clock_text(row["seconds"])
    return [row["host"], row["result"], row["phase"], time, row["cause"].removeprefix(f"{row['host']}: ")]


class AllClusters:
    """The table of a play's clusters, which the runs of all hosts share.

    :param play: the id of the play.
    """

    def __init__(self, runbook: str, play: str) -> None:
        self._runbook = runbook
        self._path = path_of(KIND, runbook, play)

    def begin(self, host: str, hosts: list[str], check: bool, place: str) -> None:
        """Notes that the runbook was begun on a host.

        :param hosts: all hosts of the play.
        """
        with self._open() as file:
            if not any(line.startswith('["play"') for line in file):
                _add(file, "play", [self._runbook, check, hosts])
            _add(file, "begun", [host, place])

    def leave_out(self, hosts: list[str]) -> None:
        """Notes hosts that have no connection of the product; one on which the runbook is begun still counts."""
        with self._open() as file:
            _add(file, "others", hosts)

    def end(self, row: Row) -> None:
        """Notes that the runbook has ended on a host, after its end table. The last host shows the table of all."""
        if not os.path.exists(self._path):  # a play with one host has no file
            return
        with self._open() as file:
            told = Told().read(file)
            _add(file, "row", row)
            told.read([json.dumps(["row", row])])
            whole = list(told.whole())
            if whole:
                _add(file, "shown", whole[-1][0])
        lines = [line for _number, one in whole for line in told.table(one)]
        if lines:
            progress.show_lines(lines, told.place())

    @contextmanager
    def _open(self) -> Iterator[IO[str]]:
        with open(self._path, "a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            yield file


def _add(file: IO[str], word: str, value: Any) -> None:
    file.write(f"{json.dumps([word, value])}\n")


def unshown(unended: Iterable[Row]) -> list[str]:
    """The tables that no worker has shown, for the exit of ansible-playbook.

    :param unended: rows of hosts whose run was under way, with their C(runbook) and C(play).
    """
    unended = list(unended)
    lines: list[Line] = []
    for path in sorted(glob.glob(os.path.join(glob.escape(constants.DEFAULT_LOCAL_TMP), f"dbfleet-{KIND}-*"))):
        told = _told(path)
        if told is None or told.place() == progress.OFF:
            continue
        for row in unended:
            if path == path_of(KIND, row["runbook"], row["play"]):
                told.read([json.dumps(["row", row])])
        for one in told.rounds[told.shown :]:
            lines += told.table(one)
    return [text for text, _colour in lines]


def _told(path: str) -> Optional[Told]:
    try:
        with open(path, encoding="utf-8") as file:
            return Told().read(file)
    except (OSError, ValueError):
        return None
