# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Code that the runbooks of Exasol share."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..run import Run

AHEAD = 12.0
"""Seconds that modules wait before they undo what somebody else has done: longer than the time between two reads."""


def license_servers(run: Run) -> list[str]:
    """The license servers, for a module that takes nodes."""
    return run.shared("license_servers", ["n0010"])


def let_others_go_first(run: Run, *earlier: str) -> None:
    """Waits if the last phase joined the work of another run, so that the other run makes the next step, and not both.

    If nobody makes the step, for example because the other run was killed, this run makes it.

    :param earlier: the keys of the results of the earlier phases, in their order.
    """
    last = next((one for one in map(run.found, reversed(earlier)) if one.get("joined") or one.get("steps")), {})
    if last.get("joined") and not run.check:
        run.say(f"this run joined what somebody else had started, and waits {AHEAD:g} s so that they can go on first")
        time.sleep(AHEAD)


def plan(run: Run, runbook: str, info: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Shows the plan of a runbook, and fails if the plan is refused.

    :param info: the result of exa_cluster_info.
    """
    return run.module(
        "plan",
        "exa_plan",
        "The plan, and all reasons to refuse it",
        cluster=info["cluster"],
        runbook=runbook,
        license_servers=run.shared("license_servers"),
        log_service=run.shared("log_service"),
        **options,
    )
