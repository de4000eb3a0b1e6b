# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks whether a cluster can be reached, and what each runbook would do and refuse now. It only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .definition import Phase, Runbook, nobody
from .exasol import cold_start as exa_cold_start, graceful_shutdown as exa_graceful_shutdown
from .nuodb import (
    cold_start as nuodb_cold_start,
    common,
    graceful_shutdown as nuodb_graceful_shutdown,
    recover as nuodb_recover,
)

if TYPE_CHECKING:
    from .run import Run

EXASOL = (exa_cold_start.RUNBOOK, exa_graceful_shutdown.RUNBOOK)
NUODB = (nuodb_cold_start.RUNBOOK, nuodb_graceful_shutdown.RUNBOOK, nuodb_recover.RUNBOOK)


def _connection(run: Run, module: str, task: str) -> bool:
    """Whether any URL can be used."""
    return any(url["ok"] for url in run.module("connection", module, task)["urls"])


def _plans(run: Run, books: tuple[Runbook, ...], module: str, **report: Any) -> None:
    for book in books:
        short = book.name.partition("_")[2]
        task = f"What the {short.replace('_', ' ')} would do and refuse now"
        run.module(f"plan of {short}", module, task, runbook=short, **report, **book.plan(run.seen_by(book)))


def _refuse_bad_urls(run: Run) -> None:
    """Fails with all problems of the connection at once."""
    connection = run.found("connection")
    if connection["problems"]:
        run.fail(". ".join(["; ".join(connection["problems"]), *connection["hints"]]), "DBF-1010")


def _exasol(run: Run) -> None:
    if _connection(run, "exa_connection_info", "Each URL, its certificate, the user's role"):
        _exasol_plans(run)
    _refuse_bad_urls(run)


def _exasol_plans(run: Run) -> None:
    power = {book.name: run.seen_by(book).own("power", "exaoperation") for book in EXASOL}
    parts = ["nodes", "services", "databases", "version", "log_services", "plugins", "volume_states"]
    parts += ["infra"] if "infra" in power.values() else []
    parts += ["sight"] if power["exa_graceful_shutdown"] != "none" else []
    servers = run.shared("license_servers")
    info = run.module(
        "info", "exa_cluster_info", "The cluster", license_servers=servers, gather=parts, on_denied="leave_out"
    )
    run.say(info["summary"])
    if info["denied"]:
        unread = ", ".join(part for part in info["denied"] if part != "sight")
        run.say(f"this user may not read {unread}, so this user can't run runbooks for whole clusters")
    else:
        log = run.shared("log_service")
        _plans(run, EXASOL, "exa_plan", cluster=info["cluster"], license_servers=servers, log_service=log)


def _nuodb(run: Run) -> None:
    if _connection(run, "nuodb_connection_info", "Each URL, its certificate, what the user may do"):
        info = run.module(
            "info",
            "nuodb_domain_info",
            "The domain, and what became of its processes",
            gather=[
                "servers",
                "databases",
                "archives",
                "processes",
                "tombstones",
                "hotcopies",
                "kubernetes",
                "license",
                "versions",
            ],
            incarnations="all",
        )
        run.say(info["summary"])
        for note in info["notes"]:
            run.say(f"note: {note}")
        _plans(run, NUODB, "nuodb_plan", domain={**info["domain"], **common.groups(run, info["domain"])})
    _refuse_bad_urls(run)


def _stats(run: Run) -> dict[str, Any]:
    problems = run.found("connection").get("problems", ["the check did not finish"])
    info = run.found("info")
    notes = {"notes": info["notes"]} if "notes" in info else {}
    return {"problems": problems, "summary": info.get("summary", ""), **notes}


def _check(product: str, look: Any, reads: tuple[Runbook, ...]) -> Runbook:
    about = "each URL, its certificate, what the user may do; what each runbook would do and refuse"
    phase = Phase("look", "look at it", about, (look,))
    return Runbook("check", product, (phase,), takes_down=nobody, stats=_stats, reads=reads, quiet=True)


CHECKS = {"exasol": _check("exa", _exasol, EXASOL), "nuodb": _check("nuodb", _nuodb, NUODB)}
"""By the product."""
