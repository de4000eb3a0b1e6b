# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start, stop or restart databases of a NuoDB domain, and touch nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..definition import Phase, Runbook
from . import lease

if TYPE_CHECKING:
    from ..run import Run


def _meant(run: Run) -> list[Any]:
    """The named databases, each as `nuodb_databases` describes it where the run doesn't."""
    named, shared = run.own("databases"), run.shared("databases", [])
    described = {one["name"]: one for one in shared if isinstance(one, dict) and isinstance(one.get("name"), str)}
    others = described.get("all", {})

    def instead(one: Any) -> Any:
        if isinstance(one, dict):
            return one
        return described.get(one) or ({**others, "name": one} if others else one)

    rest = [one for name, one in described.items() if name not in _names(named)] if "all" in _names(named) else []
    return [*map(instead, named), *rest]


def _names(databases: list[Any]) -> list[Any]:
    return [one.get("name") if isinstance(one, dict) else one for one in databases]


def _foreseen(run: Run) -> list[Any]:
    """The databases that a restart is to start, each with the TEs that it should have as long as it runs: when it is
    down, an incarnation that had a part of them looks like one that was to have no more. What stands against the start
    leaves the databases as they are: up.
    """
    meant = _meant(run)
    ignored = {"ignore_archives": run.own("ignore_archives")}
    now = run.module(
        "foreseen now",
        "nuodb_database",
        "Which TEs the databases should have",
        foresees=True,
        databases=meant,
        state="running",
        require_known_tes=True,
        **ignored,
    )
    described = {one["name"]: one for one in meant if isinstance(one, dict)}
    servers = now.get("te_servers", {})
    restarted = [
        described.get(name) or (name if servers.get(name) is None else {"name": name, "te_server_ids": servers[name]})
        for name in (servers if "all" in meant else _names(meant))
    ]
    if not run.check:
        down = run.module(
            "foreseen stop",
            "nuodb_database",
            "What the stop would leave",
            foresees=True,
            databases=restarted,
            state="stopped",
            on_hotcopy=run.own("on_hotcopy"),
            require_graceful=run.own("require_graceful"),
        )
        run.module(
            "foreseen start",
            "nuodb_database",
            "What stands against the start",
            foresees=True,
            databases=restarted,
            state="running",
            assume=down.get("predicted"),
            **ignored,
        )
    return restarted


def _databases(run: Run) -> None:
    state = run.own("state")
    databases = run.own("databases")
    if state != "stopped":
        databases = _foreseen(run) if state == "restarted" else _meant(run)
    lease.take(run, brings_up=state != "stopped")
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


def _is_wanted_down(run: Run) -> bool:
    return run.own("state") == "stopped" and bool(run.found("stopped").get("changed"))


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
    settle=lease.settled(_is_wanted_down),
)
