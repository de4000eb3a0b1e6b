# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restart each process of NuoDB databases, one by one, while the databases run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..definition import Phase, Runbook, always
from . import common, lease

if TYPE_CHECKING:
    from ..run import Run


def _module(run: Run, key: str, task: str, state: str, **options: Any) -> dict[str, Any]:
    return run.module(
        key,
        "nuodb_rolling_restart",
        task,
        databases=common.described(run),
        state=state,
        up_to=run.own("up_to"),
        unfinished=run.own("unfinished"),
        ignore_archives=run.own("ignore_archives"),
        allow_last_te=run.own("allow_last_te"),
        **options,
    )


def _preflight(run: Run) -> None:
    _module(run, "plan", "Which processes, and all reasons to refuse it", "planned")


def _restart(run: Run) -> None:
    if not run.found("plan"):
        _preflight(run)
    rows = run.found("plan")["plan"]
    if not rows:
        return
    # If this run is killed, no process is down on purpose.
    lease.take(run, brings_up=True)
    missing = [row["name"] for row in rows if _is_missing(row)]
    for number, row in enumerate(rows, 1):
        if run.check and missing and not _is_missing(row):
            # A process is missing, so the guard would refuse restarts that the run makes once that process is back.
            run.found("plan")["partly"] = (
                f"{run.host}: the next steps can't be previewed until {' '.join(missing)} is back"
            )
            run.say(run.found("plan")["partly"])
            break
        key = f"restart {number}"
        run.say(f"restart {number}/{len(rows)}: {row['name']}")
        waits = run.waits("timeout")
        _module(run, key, f"{row['name']} is restarted", "restarted", process=row, **waits)


def _is_missing(row: dict[str, Any]) -> bool:
    """Whether an earlier run has shut the process down and the process doesn't run yet."""
    return row.get("start_id", "") is None


def _verify(run: Run) -> None:
    _module(run, "done", "Every process was restarted, and all is well", "done")
    end = run.module("end", "nuodb_domain_info", "The domain at the end", gather=common.AT_THE_END)
    run.say(end["summary"])


def _stats(run: Run) -> dict[str, Any]:
    done = [
        row["plan"][0]["name"]
        for key, row in run.results.items()
        if key.startswith("restart ") and not row.get("failed") and not run.check
    ]
    planned = [row["name"] for row in run.found("plan").get("plan", [])]
    return {"restarted": done, "left": planned[len(done) :]}


def _resume(run: Run) -> list[str]:
    # The resumed run must not begin anew again.
    anew = ["nuodb_rolling_restart_unfinished=resume"] if run.own("unfinished") == "anew" else []
    return [common.named_databases(run), *anew, *run.confirmation()]


RUNBOOK = Runbook(
    "nuodb_rolling_restart",
    "nuodb",
    (
        Phase(
            "preflight",
            "which processes, in which order, and all reasons to refuse it",
            "prints the processes in their order, highest start IDs first, and all reasons to refuse any of them at "
            "once",
            (_preflight,),
        ),
        Phase(
            "restart",
            "one process after another, each in sync before the next",
            "shuts one process down, starts it again on the same server, waits until it is `MONITORED:RUNNING`; "
            "continues with the next one only when the whole database is complete",
            (_restart,),
        ),
        Phase(
            "verify",
            "each process was restarted, and the databases are well",
            "proves by the start IDs that each process was restarted, and checks that no SM or TE is missing; prints a "
            "one-line summary of the domain",
            (_verify,),
        ),
    ),
    takes_down=always,
    resume=_resume,
    only_named=True,
    stats=_stats,
    settle=lease.settled(),
)
