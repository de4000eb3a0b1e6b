# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cold-start a NuoDB domain: all services may be down, and at the end every process of its databases runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import kept
from ..definition import Hook, Phase, Runbook, nobody
from . import common, lease

if TYPE_CHECKING:
    from ..run import Run

START_SERVERS = Hook("start_servers", "that starts the nuoadmin services. The REST API can't start them.")


def meant(run: Run) -> list[Any]:
    """The databases, for the option of nuodb_database."""
    return run.own("databases", run.shared("databases", ["all"]))


def _says_its_tes(database: Any) -> bool:
    return isinstance(database, dict) and bool({"te_server_ids", "te_count", "start_plan"} & set(database))


def plan_options(run: Run) -> dict[str, Any]:
    """The options of nuodb_plan for this runbook."""
    return {
        "databases": meant(run),
        "ignore_archives": run.own("ignore_archives"),
        "require": run.own("require"),
    }


def _servers(run: Run) -> None:
    common.servers(run)
    if common.is_unknown(run):
        return
    # If every database names its TEs, the run needn't read how the database ran the last time.
    common.info(run, common.AT_THE_END if all(map(_says_its_tes, meant(run))) else None)
    common.plan(run, "cold_start", "The plan", plan_options(run))


def _processes(run: Run, key: str, task: str, **options: Any) -> None:
    if common.is_unknown(run):
        return
    if run.found("plan").get("steps", True):
        lease.take(run, brings_up=True)
    run.module(
        key,
        "nuodb_database",
        task,
        databases=run.own("databases"),
        state="running",
        ignore_archives=run.own("ignore_archives"),
        assume=run.predicted("servers", "storage"),
        **options,
        **run.waits("databases_timeout"),
    )


def _storage(run: Run) -> None:
    # A database's TEs needn't wait for another's SMs, unless phase transactions is skipped or a hook comes between.
    early = run.goes_on_to("transactions", "after_storage", "before_transactions")
    followed = early and _is_verified(run)
    _processes(run, "storage", "The SMs of every archive run", followed=followed, engine_types=["SM"], te_early=early)


def _transactions(run: Run) -> None:
    _processes(run, "transactions", "The TEs run", followed=_is_verified(run), engine_types=["SM", "TE"])


def _is_verified(run: Run) -> bool:
    """Whether phase verify follows phase transactions with no hook between."""
    return run.goes_on_to("verify", "after_transactions", "before_verify")


def _verify(run: Run) -> None:
    common.verify(run, run.own("databases"))


def _conclude(run: Run) -> None:
    if run.found("end"):
        kept.compare(run, run.found("end")["domain"])


RUNBOOK = Runbook(
    "nuodb_cold_start",
    "nuodb",
    (
        Phase(
            "servers",
            "your hook, if any, starts the admin processes; a leader and a quorum",
            "runs the hook `start_servers`; waits until the API answers, every server is connected and there is a "
            "leader; prints the plan, and reports all refusals that it can know now",
            (START_SERVERS, _servers),
        ),
        Phase(
            "storage",
            "SMs on all archives, together",
            "reads the start plan of each database; requests the missing SMs of **all** archives, in parallel; waits "
            "until each is `MONITORED:RUNNING`. It requests the TEs of a database as soon as one of its SMs runs",
            (_storage,),
        ),
        Phase("transactions", "TEs", "waits until each TE is `MONITORED:RUNNING`", (_transactions,)),
        Phase(
            "verify",
            "every process is MONITORED:RUNNING",
            "checks that no process is missing and that each database is `RUNNING`; prints a one-line summary of the "
            "domain",
            (_verify,),
        ),
    ),
    takes_down=nobody,
    plan=plan_options,
    conclude=_conclude,
    settle=lease.settled(),
)
