# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start, stop or restart databases of a NuoDB domain, and touch nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..definition import Phase, Runbook

if TYPE_CHECKING:
    from ..run import Run


def _foresee(run: Run) -> None:
    """What stands against the start of a restart leaves the databases as they are: up."""
    down = run.module(
        "foreseen stop",
        "nuodb_database",
        "What the stop would leave",
        check=True,
        databases=run.own("databases"),
        state="stopped",
        on_hotcopy=run.own("on_hotcopy"),
        require_graceful=run.own("require_graceful"),
    )
    run.module(
        "foreseen start",
        "nuodb_database",
        "What stands against the start",
        check=True,
        databases=run.own("databases"),
        state="running",
        ignore_archives=run.own("ignore_archives"),
        assume=down.get("predicted"),
    )


def _databases(run: Run) -> None:
    state, databases = run.own("state"), run.own("databases")
    if state == "restarted" and not run.check:
        _foresee(run)
    if state in ("stopped", "restarted"):
        run.module(
            "stopped",
            "nuodb_database",
            "The named databases are stopped",
            databases=databases,
            state="stopped",
            on_hotcopy=run.own("on_hotcopy"),
            require_graceful=run.own("require_graceful"),
            wait_timeout=run.own("timeout"),
            **run.waits(),
        )
    if state in ("running", "restarted"):
        run.module(
            "running",
            "nuodb_database",
            "The named databases run",
            databases=databases,
            state="running",
            ignore_archives=run.own("ignore_archives"),
            wait_timeout=run.own("timeout"),
            assume=run.predicted("stopped"),
            **run.waits(),
        )


def _resume(run: Run) -> list[str]:
    state, databases = run.own("state"), run.own("databases", [])
    described = any(isinstance(one, dict) for one in databases)
    # Names as one would type them; descriptions as JSON.
    given = (
        json.dumps({"nuodb_database_state_databases": databases})
        if described
        else f"nuodb_database_state_databases={','.join(map(str, databases))}"
    )
    confirm = run.confirmation() if state != "running" else []
    return [given, f"nuodb_database_state_state={state}", *confirm]


RUNBOOK = Runbook(
    "nuodb_database_state",
    "nuodb",
    (
        Phase(
            "databases",
            "take the named databases to the state that is wanted",
            "stops and starts them together; waits until each is as wanted",
            (_databases,),
        ),
    ),
    takes_down=lambda run: run.own("state") != "running",
    resume=_resume,
)
