# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show what failed in a NuoDB domain, and start the missing processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..definition import Phase, Runbook
from . import common, lease
from .cold_start import START_SERVERS, plan_options as started

if TYPE_CHECKING:
    from ..run import Run


def plan_options(run: Run) -> dict[str, Any]:
    """The options of nuodb_plan for this runbook."""
    return {**started(run), "stop_tes": run.own("stop_tes")}


def _diagnosis(run: Run) -> None:
    if common.is_unknown(run):
        return
    common.info(run)
    common.plan(run, "recover", "What failed, and the plan", plan_options(run))


def _wanted(run: Run) -> list[Any]:
    """The databases to recover, each with the user's description if it has one. Makes the plan if it is missing."""
    if not run.found("plan"):
        _diagnosis(run)
    names = run.found("plan").get("databases", [])
    described = [one for one in run.own("databases") if isinstance(one, dict) and one.get("name") in names]
    return described + [name for name in names if name not in [one["name"] for one in described]]


def _leaves_alone(run: Run, failed: dict[str, Any]) -> bool:
    return failed.get("failure") == "refused" and run.own("on_lease") == "leave_alone"


def _left_alone(run: Run) -> str:
    """Why the run recovers nothing: another run has the lease, and the user allows that. Otherwise an empty text."""
    found = run.found(lease.TAKEN)
    return str(found["msg"]) if found.get("failed") else ""


def _restart(run: Run) -> None:
    wanted = _wanted(run)
    if not wanted:
        return
    lease.take(run, recovers=True, brings_up=True, tolerate=lambda failed: _leaves_alone(run, failed))
    if _left_alone(run):
        run.say(_left_alone(run))
        return
    run.module(
        "restart",
        "nuodb_database",
        "What was missing runs again",
        databases=wanted,
        state="running",
        engine_types=["SM", "TE"],
        ignore_archives=run.own("ignore_archives"),
        stop_tes=run.own("stop_tes") or None,
        assume=run.predicted("servers"),
        followed=run.goes_on_to("verify", "after_restart", "before_verify"),
        **run.waits("databases_timeout"),
    )


def _verify(run: Run) -> None:
    common.verify(run, [] if _left_alone(run) else _wanted(run))


def _stops_tes(run: Run) -> bool:
    return bool(run.own("stop_tes"))


def _resume(run: Run) -> list[str]:
    return ["nuodb_recover_stop_tes=true", *run.confirmation()] if _stops_tes(run) else []


def _stats(run: Run) -> dict[str, Any]:
    plan = run.found("plan")
    return {
        "findings": [finding["text"] for finding in plan.get("findings", [])],
        "left_alone": _left_alone(run),
        "recovered": plan.get("databases", []) if run.found("restart").get("changed") else [],
    }


RUNBOOK = Runbook(
    "nuodb_recover",
    "nuodb",
    (
        Phase(
            "servers",
            "your hook, if any, starts the admin processes; a leader and a quorum",
            "as in `nuodb_cold_start`, with this runbook's own hook `start_servers`; the next phase prints the plan",
            (START_SERVERS, common.servers),
        ),
        Phase(
            "diagnosis",
            "what died, when, why and with what consequence",
            "reads the tombstones of all incarnations; reports for each database which process died, when, why and "
            "with which consequence; prints the plan",
            (_diagnosis,),
        ),
        Phase(
            "restart",
            "what is missing, all archives together",
            "starts the missing processes of the databases to recover: SMs of all archives in parallel, then TEs. "
            "With `nuodb_recover_stop_tes: true`, and if a storage group is offline, it first stops the TEs of that "
            "database, and starts them again afterwards",
            (_restart,),
        ),
        Phase(
            "verify",
            "what was brought back is MONITORED:RUNNING",
            "as in `nuodb_cold_start`, for the recovered databases",
            (_verify,),
        ),
    ),
    takes_down=_stops_tes,
    plan=plan_options,
    stats=_stats,
    resume=_resume,
    settle=lease.settled(),
)
