# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far a runbook has come on a host, for its end table, even if no task of the role runs any more to print it.

A hook may end the host (C(meta: end_host)), another host may end the play (C(any_errors_fatal)), a bastion may become
unreachable, somebody may press Ctrl-C or send SIGTERM: ansible-playbook then runs no rescue, and with an ended host
it even exits with 0.
The journal is about this run alone and is removed with it; the state of the cluster is always read from the cluster.
"""

from __future__ import annotations

import glob
import json
import os
import time
from contextlib import suppress
from typing import Any, Optional

from ansible import constants

from ..last_words import Line, at_the_end
from ..report import index
from . import all_clusters, narration, recorder
from .once import path_of

KIND = "journal"


class Journal:
    """The journal of one host's run of one runbook."""

    def __init__(self, runbook: str, host: str) -> None:
        self._path = path_of(KIND, runbook, host)

    def write(self, entry: dict[str, Any]) -> None:
        """Adds a line. The last complete line counts: to replace the file would wait for the disk."""
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(f"{json.dumps(entry)}\n")

    def read(self) -> Optional[dict[str, Any]]:
        return _entry(self._path)

    def close(self) -> None:
        """Removes the journal, after the end table was shown."""
        with suppress(FileNotFoundError):
            os.unlink(self._path)


def _entry(path: str) -> Optional[dict[str, Any]]:
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.readlines()
    except (OSError, ValueError):
        return None
    for line in reversed(lines):
        with suppress(ValueError):
            return json.loads(line)
    return None


def open_entries() -> list[dict[str, Any]]:
    """The last entries of all runs whose end table was not shown."""
    paths = glob.glob(os.path.join(glob.escape(constants.DEFAULT_LOCAL_TMP), f"dbfleet-{KIND}-*"))
    return [entry for entry in map(_entry, sorted(paths)) if entry]


def unended_on(host: str) -> Optional[str]:
    """A runbook that was begun on a host and has not ended."""
    return next((entry["runbook"] for entry in open_entries() if entry["host"] == host), None)


def words() -> tuple[list[Line], bool]:
    """At the end of ansible-playbook: the tables that were not shown yet, and whether every run has ended."""
    # A module that was stopped has lasted until now, as the run's record shows.
    entries = [one if one["hooks"] or one.get("told") else {**one, "at": time.time()} for one in open_entries()]
    return list(_lines_of(entries)), not entries


def _lines_of(entries: list[dict[str, Any]]) -> list[str]:
    """The end tables of these runs, then the tables of all clusters that were not shown yet."""
    lines = [line for entry in entries for line in (*narration.unended(entry), *_recorded(entry))]
    return lines + all_clusters.unshown(map(_row, [one for one in entries if not (one["quiet"] or one.get("told"))]))


def _recorded(entry: dict[str, Any]) -> list[str]:
    return narration.of_host(entry["host"], recorder.unended(entry))


def _row(entry: dict[str, Any]) -> all_clusters.Row:
    return {
        **{name: entry[name] for name in ("runbook", "play", "host")},
        "result": all_clusters.FAILED,
        "phase": narration.last_phase(entry),
        "seconds": sum(narration.durations(entry["phases"], entry["at"]).values()),
        "cause": narration.unended_cause(entry),
    }


at_the_end(words)
at_the_end(index.words)  # after it, because it completes the records of runs that were stopped
