# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the runbooks of NuoDB share: the servers, the look at the domain, the proof at the end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Optional

from ansible.utils.vars import merge_hash

from ..definition import is_unreachable

if TYPE_CHECKING:
    from ..run import Run

UP = ("RUNNING", "AWAITING_ARCHIVE_HISTORIES_INC")
"""States of databases that can be used: with the second, an archive is down, not the database."""

AT_THE_END = ["servers", "databases", "archives", "processes"]
"""What of a domain its last line is about."""


def is_unknown(run: Run) -> bool:
    """Under check mode an API that is down isn't awaited, and nothing behind it can be known."""
    return run.check and is_unreachable(run.found("servers"))


def servers(run: Run) -> None:
    """The servers are connected, and one of them leads."""
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
    """The domain as it is, and what became of its processes.

    :param parts: what of it is wanted; the default is all that nuodb_domain_info reads by default.
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
    """The storage groups of databases that run without some of their archives: TEs may keep these from coming back.

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
    """Shows the plan of a runbook for the domain as the servers will have left it, and refuses what stands against it.

    :param options: what nuodb_plan has to know of the runbook.
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
    """What already runs as it should leaves nothing to do; a preview has changed nothing that could be looked at."""
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
    """With an archive left out, a database stays as the server calls it then."""
    waiting = ["AWAITING_ARCHIVE_HISTORIES_INC"] if run.own("ignore_archives") else []
    return row["state"] in ("RUNNING", *waiting)


def described(run: Run) -> list[Any]:
    """The named databases, each as `nuodb_databases` describes it where the run doesn't."""
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
    """What the entries of an option `databases` are called."""
    return [one.get("name") if isinstance(one, dict) else one for one in databases]


def named_databases(run: Run) -> str:
    """The databases of a runbook that must be told them, as a variable of the command that resumes."""
    name, databases = f"{run.book.name}_databases", run.own("databases", [])
    # Names as one would type them; descriptions as JSON.
    if any(isinstance(one, dict) for one in databases):
        return json.dumps({name: databases})
    return f"{name}={','.join(map(str, databases))}"
