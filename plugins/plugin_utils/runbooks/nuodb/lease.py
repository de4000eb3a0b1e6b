# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lease of the domain, which a runbook of NuoDB has from its first change to its end.

A maintenance has the lease from before its first runbook until after its last one, also while the user works on the
domain that is down. Its runbooks then neither take the lease nor give it back.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Callable

from ... import worker
from ..definition import always, is_unreachable, nobody

if TYPE_CHECKING:
    from ..run import Run

WITHOUT, TAKE_OVER = "without", "take_over"
"""Values of the variable C(nuodb_lease)."""

TAKEN, ENDED = "lease", "end of the lease"
"""The keys of the results."""

OF_MAINTENANCE = "maintenance_lease"
"""The variable in which the role maintenance registers its lease."""


def _options(run: Run) -> dict[str, Any]:
    return {"run": run.play_id, "lease_timeout": run.shared("lease_timeout")}


def _is_held(run: Run) -> bool:
    """Whether the maintenance that contains this runbook has the lease."""
    held = (run.task_vars.get(OF_MAINTENANCE) or {}).get("lease") or {}
    return bool(held) and held.get("run") == run.play_id


def take(
    run: Run,
    recovers: bool = False,
    brings_up: bool = False,
    tolerate: Callable[[dict[str, Any]], bool] = nobody,
) -> None:
    """Takes the lease, unless this run has it already.

    :param brings_up: see nuodb_lease.
    :param recovers: see nuodb_lease.
    :param tolerate: which failures don't end the run.
    """
    choice = run.shared("lease")
    if choice == WITHOUT or run.found(TAKEN) or _is_held(run):
        return
    from ....module_utils._nuodb.lease import process_of  # imported here, because a run of Exasol loads this file too

    pid = worker.playbook_pid()
    module = partial(
        run.module,
        TAKEN,
        "nuodb_lease",
        "Nobody else works on the domain",
        state="taken",
        about=run.book.name,
        pid=pid,
        process=process_of(pid) or None,
        recovers=recovers or None,
        brings_up=brings_up or None,
        take_over=choice == TAKE_OVER or None,
        **_options(run),
    )
    found = module(tolerate=lambda failed: bool(_over(failed)) or tolerate(failed))
    if _over(found):
        module(tolerate=tolerate, ended=_over(found))


def _over(failed: dict[str, Any]) -> str:
    """The process of the run that has the lease, if it has ended. Only the controller can know, not a bastion."""
    from ....module_utils._nuodb.lease import has_ended

    there = failed.get("last_state")
    process = str(there.get("process") or "") if failed.get("failure") == "refused" and isinstance(there, dict) else ""
    return process if has_ended(process) else ""


def keep(run: Run) -> None:
    """Keeps recovery away from the domain after this run, or before the API goes down."""
    _end(run, "kept")


def give_back(run: Run) -> None:
    """Gives the lease back, so that others may work on the domain."""
    _end(run, "returned")


def _end(run: Run, state: str) -> None:
    lease = run.found(TAKEN).get("lease")
    if not lease or run.found(ENDED):
        return
    task = "Others may work on the domain again"
    result = run.module(ENDED, "nuodb_lease", task, tolerate=always, state=state, lease=lease, **_options(run))
    if result.get("failed"):
        run.warnings.append(f"the lease of the domain could not be given back; it expires by itself: {result['msg']}")


def settled(is_wanted_down: Callable[[Run], bool] = nobody) -> Callable[[Run, dict[str, Any]], None]:
    """A function that gives the lease back, or keeps it, at the end of a run.

    :param is_wanted_down: whether a failed run leaves a domain down that nobody should start without being asked.
    """

    def settle(run: Run, failed: dict[str, Any]) -> None:
        if is_unreachable(failed):  # nobody answers, and another attempt would take its time
            return
        if failed and is_wanted_down(run):
            keep(run)
        else:
            give_back(run)

    return settle
