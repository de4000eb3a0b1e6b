# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a runbook says at its end: the table of phases, the cause, the command that resumes."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable
from typing import Any, Callable

from ansible import context
from ansible.parsing.splitter import parse_kv

from ...module_utils._wording import clock_text
from ..direct import plain

SECRETIVE = re.compile(r"pass|secret|token|credential|_key\b", re.IGNORECASE)
"""Names of variables that are not repeated on the screen."""


def durations(phases: list[dict[str, Any]], now: float) -> dict[str, float]:
    """Seconds of each phase that began."""
    ends = [*(phase["began"] for phase in phases[1:]), now]
    return {phase["phase"]: round(end - phase["began"], 1) for phase, end in zip(phases, ends)}


def table(entry: dict[str, Any], seconds: dict[str, float], failed: bool) -> list[str]:
    """The phases with their durations.

    :param entry: of the journal.
    """
    check = " (check mode: nothing was changed)" if entry["check"] else ""
    lines = [f"{entry['runbook']}: {'failed' if failed else 'ok'}{check}"]
    last = len(seconds)
    for number, (phase, took) in enumerate(seconds.items(), 1):
        mark = "failed here" if failed and number == last else "done"
        lines.append(f"  {phase:<16} {clock_text(took):>8}  {mark}")
    return lines


def cause_and_resume(entry: dict[str, Any], cause: str, hint: str = "") -> list[str]:
    """Why it failed, and how it goes on."""
    lines = [f"cause: {cause}"] + ([f"hint: {hint}"] if hint else [])
    return [*lines, f"resume: {entry['resume']}   (AWX: relaunch on failed hosts)"]


def of_host(host: str, lines: Iterable[str]) -> list[str]:
    return [f"[{host}] {line}" for line in lines]


def unended_cause(entry: dict[str, Any]) -> str:
    """Why a run that has shown no end table didn't come to its end."""
    where = entry["phases"][-1]["phase"] if entry["phases"] else "begin"
    if entry["hooks"]:
        return (
            f"{entry['host']}: {entry['runbook']} did not come to its end: nothing followed the hook {entry['hooks']} "
            f"in phase {where} (it ended the host or the play by meta, could not be loaded, or the run was stopped)"
        )
    return f"{entry['host']}: {entry['runbook']} did not come to its end: the run was stopped in phase {where}"


def unended(entry: dict[str, Any]) -> list[str]:
    """The end table of a run whose role can't show it any more."""
    seconds = durations(entry["phases"], entry["at"])
    lines = [*table(entry, seconds, failed=True), *cause_and_resume(entry, unended_cause(entry))]
    return of_host(entry["host"], lines)


def resume_command(runbook: str, host: str, settings: list[str], scrub: Callable[[str], str] = str) -> str:
    """The command that goes on from here.

    :param settings: variables (C(name=value)) that it needs besides the target.
    :param scrub: takes secrets out of a word. A shell's quotes within one would hide it.
    """
    words = ["ansible-playbook"]
    for path in filter(None, context.CLIARGS.get("inventory") or []):
        words += ["-i", path if path.endswith(",") else os.path.relpath(path)]
    words.append(f"dbfleet.cluster.{runbook}")
    for setting in [*_own_variables(settings), f"target={host}", *settings]:
        words += ["-e", setting]
    return " ".join(shlex.quote(scrub(word)) for word in words)


def _own_variables(settings: list[str]) -> list[str]:
    """The user's own `-e`, which the next run needs as well; not what must be said anew, and no credentials."""
    kept: list[str] = []
    anew = ("target", "confirm", *(setting.partition("=")[0] for setting in settings))
    for given in map(plain, context.CLIARGS.get("extra_vars") or []):
        if given.startswith(("@", "{", "[")):
            kept += [] if SECRETIVE.search(given) and not given.startswith("@") else [given]
            continue
        pairs = parse_kv(given).items()
        kept += [f"{name}={value}" for name, value in pairs if name not in anew and not SECRETIVE.search(name)]
    return kept
