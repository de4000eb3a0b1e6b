# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the runbooks of Exasol share: the look at the cluster."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..run import Run

AHEAD = 12.0
"""Seconds, as many as the modules wait before they take back what somebody else has done: longer than between looks."""


def license_servers(run: Run) -> list[str]:
    """The license servers, for a module that takes nodes."""
    return run.shared("license_servers", ["n0010"])


def let_others_go_first(run: Run, *earlier: str) -> None:
    """The next step is left to another run whose work was joined in the last phase: both would send it otherwise.

    Where nobody makes it, as behind a run that was killed, this one does.

    :param earlier: the results of the phases before, in their order.
    """
    last = next((one for one in map(run.found, reversed(earlier)) if one.get("joined") or one.get("steps")), {})
    if last.get("joined") and not run.check:
        run.say(f"this run joined what somebody else had started, and waits {AHEAD:g} s so that they can go on first")
        time.sleep(AHEAD)


def plan(run: Run, runbook: str, info: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Shows the plan of a runbook, and refuses what stands against it.

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
