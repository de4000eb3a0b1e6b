# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far each cluster of this run of ansible-playbook has come, and the table of all clusters at its end.

The table is shown when ansible-playbook ends, because the results are complete only then: a wave that was not begun has
no task, and a cluster that became unreachable, or whose host a task of the user ended, has no further task.
The ledger is about this run alone and is removed with it; the state of a cluster is always read from the cluster.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from contextlib import suppress
from typing import Any

from ...module_utils._wording import clock_text, listing
from ..last_words import Line, at_the_end
from ..progress import BAD, GOOD, NOTED, OFF, WIDTH
from ..runbooks import resume
from ..runbooks.journal import unended_on
from ..runbooks.once import path_of
from ..table import drawn

RUN, CLUSTER = "maintenance-run", "maintenance"
"""Kinds of files."""

SICK, UNENDED, NOT_BEGUN, DONE, PREVIEWED = RESULTS = ("sick", "not ended", "not begun", "done", "previewed")
"""The results of a cluster, in the order of the table: those that need attention first."""

GOOD_ENDS = (DONE, PREVIEWED)

COLOURS = {SICK: BAD, UNENDED: BAD, NOT_BEGUN: NOTED, DONE: GOOD, PREVIEWED: GOOD}

HEADINGS = ("CLUSTER", "RESULT", "WAVE", "PHASE", "TIME", "CAUSE")

UNENDED_CAUSE = "the host became unreachable, a task ended the host or the play, or the run was stopped"

UNTOLD = "the failed task gave no reason"

ENDED_BEFORE = "the play ended before the wave of this cluster began"

SHUT = ("work", "cold start", "verify")
"""The phases in which a cluster may be off."""


ROLLING = "rolling"
"""The phase in which nodes are taken one after another."""

CUT_OFF = (
    "if a node or server of this cluster is out, set maintenance_rolling_cut_off to its name, as a variable of the "
    "cluster's host; the command below doesn't contain this variable"
)


def write(host: str, **known: Any) -> None:
    """Adds facts about a cluster."""
    _add(path_of(CLUSTER, host), known)


def read(host: str) -> dict[str, Any]:
    """All known facts about a cluster; an empty dictionary if it was not begun."""
    return _whole(path_of(CLUSTER, host))


def settle(**known: Any) -> None:
    """Adds facts about the whole run, such as its waves."""
    _add(path_of(RUN), known)


def settled() -> dict[str, Any]:
    """All known facts about the whole run; an empty dictionary if no run was planned."""
    return _whole(path_of(RUN))


def result_of(row: dict[str, Any]) -> str:
    """The result of a cluster so far."""
    return str(row.get("result") or (UNENDED if row else NOT_BEGUN))


def left() -> list[str]:
    """The clusters of this run that are not done."""
    hosts = [host for wave in settled().get("waves", []) for host in wave]
    return [host for host in hosts if result_of(read(host)) not in GOOD_ENDS]


def _add(path: str, known: dict[str, Any]) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.write(f"{json.dumps(known)}\n")


def _whole(path: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with suppress(OSError), open(path, encoding="utf-8") as file:
        for line in file:
            with suppress(ValueError):  # a line that was cut off
                found.update(json.loads(line))
    return found


# -- the end


def words() -> tuple[list[Line], bool]:
    """The table of all clusters with the command that resumes, and whether every cluster is done."""
    run = settled()
    if "waves" not in run:
        return [], True
    of = {host: number for number, wave in enumerate(run["waves"], 1) for host in wave}
    known = {host: read(host) for host in of}
    result = {host: result_of(row) for host, row in known.items()}
    order = sorted(of, key=lambda host: (RESULTS.index(result[host]), of[host], host))
    waves = len(run["waves"])
    rows = [(_cells(host, known[host], f"{of[host]}/{waves}"), COLOURS[result[host]]) for host in order]
    count = Counter(result.values())
    said = ", ".join(f"{count[one]} {one}" for one in RESULTS if count[one])
    check = " (check mode: nothing was changed)" if run["check"] else ""
    lines: list[Line] = [
        *drawn(HEADINGS, rows, WIDTH),
        (f"maintenance: {len(of)} cluster{'' if len(of) == 1 else 's'}: {said}{check}", None),
    ]
    lines += [(f"stopped: {run['refused']}", None)] if run.get("refused") else []
    undone = [host for host in of if result[host] not in GOOD_ENDS]
    cut = [host for host in undone if known[host].get("phase") == ROLLING]
    lines += [(f"{listing(cut)}: {CUT_OFF}", None)] if cut else []
    if undone:
        lines.append(
            (f"goes on: {_command(undone, known, run.get('accepted', []))}   # AWX: launch with these variables", None)
        )
    return [] if run["progress"] == OFF else lines, not undone


def _cells(host: str, row: dict[str, Any], wave: str) -> list[str]:
    cause = str(row.get("cause") or "")
    if result_of(row) == UNENDED:
        runbook = unended_on(host)
        where = f"{runbook} did not finish: its end table above shows where" if runbook else UNENDED_CAUSE
        cause = cause or where
    time_text = "" if "began" not in row else clock_text(row.get("ended", time.time()) - row["began"])
    return [host, result_of(row), wave, str(row.get("phase", "")), time_text, cause.removeprefix(f"{host}: ")]


def _command(hosts: list[str], known: dict[str, dict[str, Any]], accepted: list[str]) -> str:
    """The command that resumes with the clusters that aren't done; it accepts sick clusters in their present state.

    :param accepted: the clusters that this run took although they weren't up.
    """
    settings = [f"confirm={','.join(hosts)}"]
    begun = {host: known[host] for host in hosts if known[host]}
    # The state of a cluster that did not end is unknown.
    ill = [host for host, row in begun.items() if result_of(row) == UNENDED or row.get("state") != "up"]
    taken = [host for host in hosts if host in ill or (host in accepted and host not in begun)]
    settings += [f"maintenance_accept={','.join(taken)}"] if taken else []
    silent = {
        f"{begun[host]['product']}_graceful_shutdown_unreachable=down"
        for host in ill
        if begun[host]["phase"] in SHUT and (result_of(begun[host]) == UNENDED or begun[host]["state"] == "unreachable")
    }
    settings += sorted(silent)
    return resume.command("maintenance", ",".join(hosts), settings)


at_the_end(words)
