# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Code that the runbooks of NuoDB share: the servers, reading the domain, the check at the end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Optional

from ansible.utils.vars import merge_hash

from ..definition import is_unreachable

if TYPE_CHECKING:
    from ..run import Run

UP = ("RUNNING", "AWAITING_ARCHIVE_HISTORIES_INC")
"""States of databases that can be used. In the second state, an archive is down, but not the database."""

AT_THE_END = ["servers", "databases", "archives", "processes"]
"""The parts of a domain that its summary at the end needs."""


def is_unknown(run: Run) -> bool:
    """Whether the state of the domain is unknown: in check mode, the run doesn't wait for an API that is down."""
    return run.check and is_unreachable(run.found("servers"))


def servers(run: Run) -> None:
    """Waits until the servers are connected and one of them leads."""
    result = run.module(
        "servers",
        "nuodb_server",
        "The servers are connected, one of them leads",
        tolerate=lambda failed: run.check and is_unreachable(failed),
        servers=["all"],
        state="active",
        require=run.own("require"),
        api_timeout=run.own("servers_timeout"),
        **run.waits("servers_timeout"),
    )
    if is_unknown(run):
        run.say(f"the steps can't be previewed until the API answers: {result['msg']}")


def info(run: Run, parts: Optional[list[str]] = None) -> dict[str, Any]:
    """Reads the domain, and how its processes ended.

    :param parts: the parts to read; without it, all parts that nuodb_domain_info reads by default.
    """
    found = run.module(
        "info",
        "nuodb_domain_info",
        "The domain as it is, and what became of its processes",
        gather=parts,
        incarnations="all",
        heartbeat=run.shared("heartbeat"),
    )
    groups(run, found["domain"])
    return found


def groups(run: Run, domain: dict[str, Any]) -> dict[str, Any]:
    """Reads the storage groups of databases that run without some of their archives: TEs may keep the archives down.

    :returns: that part of the domain.
    """
    archives, databases = domain.get("archives", {}).values(), domain.get("databases", {})
    idle = {row["db_name"] for row in archives if row["state"] != "RUNNING" and not row.get("removed")}
    names = [name for name, row in databases.items() if name in idle and row["state"] in UP]
    if not names:
        return {}
    task = "The storage groups of databases that run in part"
    found = run.module("groups", "nuodb_domain_info", task, gather=["storage_groups"], db_names=names)
    return {"storage_groups": found["domain"]["storage_groups"]}


def plan(run: Run, runbook: str, task: str, options: dict[str, Any]) -> None:
    """Shows the plan of a runbook for the domain as it will be after phase servers, and fails if the plan is refused.

    :param options: the options of nuodb_plan for the runbook.
    """
    domain = merge_hash(run.found("info")["domain"], run.predicted("servers") or {}, recursive=True)
    run.module(
        "plan",
        "nuodb_plan",
        task,
        domain={**domain, **run.found("groups").get("domain", {})},
        runbook=runbook,
        refuse=True,
        **options,
    )


def verify(run: Run, databases: list[Any]) -> None:
    """Fails if a start of the databases would still have something to do. A preview only shows the summary."""
    if databases and not run.check:
        result = run.module(
            "verify",
            "nuodb_database",
            "Nothing is left to be started",
            foresees=True,
            databases=databases,
            state="running",
            ignore_archives=run.own("ignore_archives"),
        )
        missing = [f"{step['object']}: {step['step']}" for step in result["steps"]]
        missing += [f"{name} is {row['state']}" for name, row in result["databases"].items() if not _is_up(run, row)]
        if missing:
            run.fail(f"{run.host}: not everything runs: {', '.join(missing)}", "DBF-5009")
    if not is_unknown(run):
        end = run.module("end", "nuodb_domain_info", "The domain at the end", gather=AT_THE_END)
        run.say(end["summary"])


def _is_up(run: Run, row: dict[str, Any]) -> bool:
    """Whether a database is up. If an archive is ignored, a database that waits for it is up as well."""
    waiting = ["AWAITING_ARCHIVE_HISTORIES_INC"] if run.own("ignore_archives") else []
    return row["state"] in ("RUNNING", *waiting)


def described(run: Run) -> list[Any]:
    """The named databases, each with the description of the run, or else of `nuodb_databases`."""
    named, shared = run.own("databases"), run.shared("databases", [])
    known = {one["name"]: one for one in shared if isinstance(one, dict) and isinstance(one.get("name"), str)}
    others = known.get("all", {})

    def instead(one: Any) -> Any:
        if isinstance(one, dict):
            return one
        return known.get(one) or ({**others, "name": one} if others else one)

    rest = [one for name, one in known.items() if name not in names(named)] if "all" in names(named) else []
    return [*map(instead, named), *rest]


def names(databases: list[Any]) -> list[Any]:
    """The names of the entries of an option `databases`."""
    return [one.get("name") if isinstance(one, dict) else one for one in databases]


def named_databases(run: Run) -> str:
    """The databases that the runbook was given, as a variable of the command that resumes it."""
    name, databases = f"{run.book.name}_databases", run.own("databases", [])
    # Names as a user types them, descriptions as JSON.
    if any(isinstance(one, dict) for one in databases):
        return json.dumps({name: databases})
    return f"{name}={','.join(map(str, databases))}"
