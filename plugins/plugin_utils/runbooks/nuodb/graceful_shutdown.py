# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shut down the databases of a NuoDB domain, TEs before SMs, and its admin processes if the user asks for that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import kept
from ..definition import Phase, Runbook, always, is_unreachable
from . import common, lease

if TYPE_CHECKING:
    from ..run import Run

KEPT = ("product", "name", "version", *common.AT_THE_END)
"""The parts of a domain that a later start compares with. Each file would otherwise contain the tombstones of years."""

HOTCOPY = (
    "type",
    "default_backup_dir",
    "backup_dirs",
    "shared",
    "max_rate",
    "partial_storage_groups",
    "once",
    "on_running",
)
"""The options of nuodb_hotcopy that the variable may contain."""


def _is_down(run: Run) -> bool:
    """Whether the domain is down: nothing answers, and the user has declared that as expected."""
    info = run.found("info")
    return is_unreachable(info) and run.own("unreachable") == "down" and not info.get("answered")


def plan_options(run: Run) -> dict[str, Any]:
    """The options of nuodb_plan for this runbook."""
    return {
        "databases": run.own("databases"),
        "on_hotcopy": run.own("on_hotcopy"),
        "require_graceful": run.own("require_graceful"),
        "stop_servers": run.own("servers"),
    }


def _preflight(run: Run) -> None:
    off_for = run.own("off_for")
    info = run.module(
        "info",
        "nuodb_domain_info",
        "The domain as it is",
        tolerate=is_unreachable,
        gather=[
            *common.AT_THE_END,
            "tombstones",
            "hotcopies",
            *(["kubernetes"] if _are_meant(run) else []),  # pods restart the APs
            *(["runout"] if off_for else []),
        ],
        incarnations="all",
        heartbeat=run.shared("heartbeat"),
    )
    if _is_down(run):
        return
    if "failure" in info:
        heard = info.get("answered")
        says = (
            f"the domain is not down: {heard}"
            if heard
            else "the domain is unreachable or already down "
            "(if you expect that: -e nuodb_graceful_shutdown_unreachable=down)"
        )
        run.fail(f"{info['msg']}; {says}", "DBF-1001")
    off = {"off_for": off_for, "on_runout": run.own("on_runout"), "runout": info["runout"]} if off_for else {}
    run.module(
        "plan",
        "nuodb_plan",
        "The plan, and all reasons to refuse it",
        domain=info["domain"],
        runbook="graceful_shutdown",
        refuse=True,
        **plan_options(run),
        **off,
    )
    kept.keep(run, {part: info["domain"][part] for part in KEPT if part in info["domain"]})


def _backup(run: Run) -> None:
    databases = run.found("info").get("domain", {}).get("databases", {})
    for name, wanted in run.own("hotcopy").items():
        if _is_down(run) or databases.get(name, {}).get("state", "RUNNING") not in common.UP:
            continue  # a database that is down or goes down allows no hot copy
        lease.take(run)
        options: dict[str, Any] = {option: (wanted or {}).get(option) for option in HOTCOPY}
        run.module(
            f"hot copy of {name}",
            "nuodb_hotcopy",
            "A hot copy is complete",
            db_name=name,
            state="completed",
            **options,
            **run.waits("backup_timeout"),
        )


def _takes_down(run: Run) -> bool:
    """Whether the run takes anything down, as far as its plan shows."""
    return bool(run.found("plan").get("steps", True))


def _databases(run: Run) -> None:
    if _is_down(run):
        return
    if _takes_down(run):
        lease.take(run)
    run.module(
        "databases",
        "nuodb_database",
        "Every database is stopped",
        databases=run.own("databases"),
        state="stopped",
        on_hotcopy=run.own("on_hotcopy"),
        require_graceful=run.own("require_graceful"),
        **run.waits("databases_timeout"),
    )


def _are_meant(run: Run) -> bool:
    return bool(run.own("servers"))


def _servers(run: Run) -> None:
    if _is_down(run):
        return
    if _takes_down(run):
        lease.take(run)
    lease.keep(run)
    run.module(
        "servers",
        "nuodb_server",
        "The admin processes are stopped",
        servers=["all"],
        state="stopped",
        assume=run.predicted("databases"),
        **run.waits("servers_timeout"),
    )


def _servers_text(run: Run) -> str:
    return "the leader last" if _are_meant(run) else "left running (nuodb_graceful_shutdown_servers=true stops them)"


def _is_wanted_down(run: Run) -> bool:
    return any(run.found(part).get("changed") for part in ("databases", "servers"))


def _resume(run: Run) -> list[str]:
    # A preview takes nothing down, so its next run need not expect a domain that is down.
    last = not run.check and _are_meant(run) and any(phase["phase"] == "servers" for phase in run.phases)
    return run.confirmation() + (["nuodb_graceful_shutdown_unreachable=down"] if last else [])


RUNBOOK = Runbook(
    "nuodb_graceful_shutdown",
    "nuodb",
    (
        Phase(
            "preflight",
            "all reasons to refuse the run, in one list",
            "prints the plan, and all reasons to refuse it at once",
            (_preflight,),
        ),
        Phase(
            "backup",
            "hot copies, if you ask for any",
            "takes the hot copies that `nuodb_graceful_shutdown_hotcopy` lists, of databases that run",
            (_backup,),
        ),
        Phase(
            "databases",
            "TEs, then SMs; the tombstones prove a graceful end",
            "requests `shutdown database` for all databases, in parallel: their TEs exit first, then their SMs. The "
            "tombstone of each process must prove that its exit was requested and that its exit code was 0",
            (_databases,),
        ),
        Phase(
            "servers",
            _servers_text,
            "with `nuodb_graceful_shutdown_servers: true`, shuts the APs down, the leader last, and succeeds when no "
            "URL answers any more; otherwise does nothing",
            (_servers,),
            due=_are_meant,
        ),
    ),
    takes_down=always,
    plan=plan_options,
    resume=_resume,
    settle=lease.settled(_is_wanted_down),
)
