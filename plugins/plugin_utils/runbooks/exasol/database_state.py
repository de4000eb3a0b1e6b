# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start, stop or restart databases of an Exasol cluster, and touch nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..definition import Phase, Runbook, goes_down

if TYPE_CHECKING:
    from ..run import Run


def _databases(run: Run) -> None:
    if len(run.hosts) > 1:
        info = run.module("info", "exa_cluster_info", "Which cluster it is", gather=[])
        run.only_name_of(info.get("identity", []))
    state = run.own("state")
    run.module(
        "databases",
        "exa_database",
        f"The named databases are {state}",
        databases=run.own("databases"),
        state=state,
        on_operation=run.own("on_operation"),
        force=run.own("force"),
        log_service=run.shared("log_service"),
        **run.waits("timeout"),
    )


def _resume(run: Run) -> list[str]:
    state = run.own("state")
    named = f"exa_database_state_databases={','.join(run.own('databases', []))}"
    confirm = run.confirmation() if goes_down(run) else []
    return [named, f"exa_database_state_state={state}", *confirm]


RUNBOOK = Runbook(
    "exa_database_state",
    "exa",
    (
        Phase(
            "databases",
            "bring the named databases to the requested state",
            "starts, stops or restarts the databases in parallel; waits until each has the requested state",
            (_databases,),
        ),
    ),
    takes_down=goes_down,
    resume=_resume,
    only_named=True,
)
