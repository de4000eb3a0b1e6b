# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The texts at the end of a runbook: the table of phases, the cause, the command that resumes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...module_utils._errors import numbered
from ...module_utils._wording import clock_text, listing

DONE, FAILED, STOPPED = "done", "failed here", "stopped here"
"""How a phase of a run ended; the last is for a run that was stopped from outside."""


def durations(phases: list[dict[str, Any]], now: float) -> dict[str, float]:
    """The seconds of each phase that began: 0 if the clock was set back meanwhile."""
    ends = [*(phase["began"] for phase in phases[1:]), now]
    return {phase["phase"]: round(max(0.0, end - phase["began"]), 1) for phase, end in zip(phases, ends)}


def last_phase(entry: dict[str, Any]) -> str:
    """The last phase that a run has reached."""
    return str(entry["phases"][-1]["phase"]) if entry["phases"] else "begin"


def table(entry: dict[str, Any], seconds: dict[str, float], failed: bool, end: str = FAILED) -> list[str]:
    """The phases with their durations.

    :param entry: of the journal. With `through`, every phase was done before the run failed.
    :param end: how the last phase of a failed run ended.
    """
    check = " (check mode: nothing was changed)" if entry["check"] else ""
    lines = [f"{entry['runbook']}: {'failed' if failed else 'ok'}{check}"]
    last = 0 if entry.get("through") else len(seconds)
    for number, (phase, took) in enumerate(seconds.items(), 1):
        lines.append(f"  {phase:<16} {clock_text(took):>8}  {end if failed and number == last else DONE}")
    return lines


def cause_and_resume(entry: dict[str, Any], cause: str, hint: str = "") -> list[str]:
    """Why the run failed, and how to resume it."""
    lines = [f"cause: {cause}"] + ([f"hint: {hint}"] if hint else [])
    # The reader may have started the command from AWX in any case, so the line names both ways.
    # It names AWX in a shell's comment, so that the whole line can be pasted.
    also = "   # AWX: relaunch on failed hosts" if entry["resume"].startswith("ansible-playbook ") else ""
    return [*lines, f"resume: {entry['resume']}{also}"]


def of_host(host: str, lines: Iterable[str]) -> list[str]:
    return [f"[{host}] {line}" for line in lines]


def unended_cause(entry: dict[str, Any]) -> str:
    """Why a run that has shown no end table did not finish."""
    if entry.get("cause"):  # the run had failed, and was stopped before its end table
        return str(entry["cause"])
    where = last_phase(entry)
    if entry["hooks"]:
        return numbered(
            f"{entry['host']}: {entry['runbook']} did not finish: it stopped at the hook {entry['hooks']} in phase "
            f"{where} (the hook ended the host or the play by meta, the hook can't be loaded, or the run was stopped)",
            "DBF-6807",
        )
    return numbered(
        f"{entry['host']}: {entry['runbook']} did not finish: the run was stopped in phase {where}", "DBF-6807"
    )


def under_way(entry: dict[str, Any]) -> list[str]:
    """A line about what continues on the cluster after the run was stopped."""
    if entry["check"] or "begun" not in entry:  # the run never reached a phase
        return []
    begun = entry["begun"]
    if begun is None:
        said = (
            "the module of this phase runs in its own process, which ends soon after its connection; what the module "
            "has started continues on the cluster without this run, and the next run joins it"
        )
    elif begun:
        steps = ", ".join(f"{step} {listing(names)}" for step, names in begun.items())
        said = (
            f"{steps}: what is not finished yet continues on the cluster without this run; no further step follows, "
            "and the next run joins it"
        )
    else:
        waited = "what the hook has started may continue" if entry["hooks"] else "what the run waited for continues"
        said = f"no step of this run; {waited}, and no further step follows"
    return [f"under way: {said}"]


def unended(entry: dict[str, Any]) -> list[str]:
    """The end table of a run whose role can't show it any more; if it was shown, a line about the hooks after it."""
    if entry.get("told"):
        said = "the hooks at the end of the failed run did not finish"
        return of_host(entry["host"], [f"{entry['runbook']}: {said}"])
    seconds = durations(entry["phases"], entry["at"])
    cause, resume = cause_and_resume(entry, unended_cause(entry))
    lines = [*table(entry, seconds, failed=True, end=STOPPED), cause, *under_way(entry), resume]
    return of_host(entry["host"], lines)
