# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start, stop or restart databases of a NuoDB domain, and touch nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..definition import Phase, Runbook, goes_down
from . import common, lease

if TYPE_CHECKING:
    from ..run import Run


def _foreseen(run: Run) -> list[Any]:
    """The databases that a restart must start, each with the TEs that it should have now. They are read while the
    databases run: once a database is down, its last run doesn't show whether TEs were missing. If the start would be
    refused, the run fails before it stops a database.
    """
    meant = common.described(run)
    task = "Which TEs the databases should have"
    now = _module(run, "foreseen now", task, meant, **_up(run), foresees=True, require_known_tes=True)
    described = {one["name"]: one for one in meant if isinstance(one, dict)}
    servers = now.get("te_servers", {})
    restarted = [
        described.get(name) or (name if servers.get(name) is None else {"name": name, "te_server_ids": servers[name]})
        for name in (servers if "all" in meant else common.names(meant))
    ]
    if not run.check:
        down = _module(run, "foreseen stop", "What the stop would leave", restarted, **_down(run), foresees=True)
        left = down.get("predicted")
        _module(run, "foreseen start", "Reasons to refuse the start", restarted, **_up(run), foresees=True, assume=left)
    return restarted


def _down(run: Run) -> dict[str, Any]:
    return {"state": "stopped", "on_hotcopy": run.own("on_hotcopy"), "require_graceful": run.own("require_graceful")}


def _up(run: Run) -> dict[str, Any]:
    return {"state": "running", "ignore_archives": run.own("ignore_archives")}


def _module(run: Run, key: str, task: str, databases: list[Any], **options: Any) -> dict[str, Any]:
    return run.module(key, "nuodb_database", task, databases=databases, **options)


def _databases(run: Run) -> None:
    state = run.own("state")
    databases = run.own("databases")
    if state != "stopped":
        databases = _foreseen(run) if state == "restarted" else common.described(run)
    if state != "restarted" and not run.check:
        # A refusal comes before the run takes the lease, so that it leaves everything unchanged.
        direction = _down(run) if state == "stopped" else _up(run)
        _module(run, "foreseen", "Reasons to refuse it", databases, **direction, foresees=True)
    lease.take(run, brings_up=state != "stopped")
    waits = run.waits("timeout")
    if goes_down(run):
        _module(run, "stopped", "The named databases are stopped", databases, **_down(run), **waits)
    if state in ("running", "restarted"):
        assume = run.predicted("stopped")
        _module(run, "running", "The named databases run", databases, **_up(run), assume=assume, **waits)


def _resume(run: Run) -> list[str]:
    state = run.own("state")
    confirm = run.confirmation() if goes_down(run) else []
    return [common.named_databases(run), f"nuodb_database_state_state={state}", *confirm]


def _is_wanted_down(run: Run) -> bool:
    return run.own("state") == "stopped" and bool(run.found("stopped").get("changed"))


RUNBOOK = Runbook(
    "nuodb_database_state",
    "nuodb",
    (
        Phase(
            "databases",
            "bring the named databases to the requested state",
            "stops, starts or restarts the databases in parallel; waits until each has the requested state",
            (_databases,),
        ),
    ),
    takes_down=goes_down,
    resume=_resume,
    only_named=True,
    settle=lease.settled(_is_wanted_down),
)
