# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start plans: the requests that start a database, or that would start it as it runs now."""

from __future__ import annotations

from typing import Any

from .databases import Database


def start_plan(database: Database, te_servers: list[str], sm_servers: dict[str, str], reusable: bool) -> dict[str, Any]:
    """SMs on every archive without a process, and TEs on the servers. A plan for one use has the incarnation."""
    major, minor = database.next_incarnation()
    rows: list[dict[str, Any]] = []
    for archive in sorted(database.archives(), key=lambda one: one.id):
        if archive.process is None:
            host = sm_servers.get(str(archive.id), archive.server_id)
            rows.append({"archiveId": archive.id, "dbName": database.name, "engineType": "SM", "host": host})
    running = [process.server.id for process in database.processes("TE")]
    for server in te_servers:
        if server in running:
            running.remove(server)  # existing processes aren't started again
        else:
            rows.append({"dbName": database.name, "engineType": "TE", "host": server})
    for row in rows:
        row.update(labels={}, overrideOptions={})
        if not reusable:
            row["expectedIncarnation"] = {"major": major, "minor": minor}
    return {"incremental": bool(database.processes()), "processes": rows}


def captured(database: Database) -> dict[str, Any]:
    """The running processes, as a plan."""
    rows = []
    for process in sorted(database.processes(), key=lambda one: (not one.storage_manager, one.number)):
        row: dict[str, Any] = {
            "dbName": database.name,
            "engineType": process.kind,
            "host": process.server.id,
            "labels": dict(process.labels),
            "overrideOptions": dict(process.override_options),
        }
        if process.archive is not None:
            row["archiveId"] = process.archive.id
        rows.append(row)
    return {"incremental": False, "processes": rows}
