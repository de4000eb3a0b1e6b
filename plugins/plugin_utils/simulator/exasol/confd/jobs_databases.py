# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Database jobs."""

from __future__ import annotations

from typing import Any

from .catalogue import DATABASE_RIGHTS, NEW, Call, Pending, given, job, may
from .databases import ConfdDatabase

NAME = given("db_name", "str", "Name of an existing database.")
_CLUSTER = may("cluster", "str", "Name of a cluster of the database, '+all' or 'MAIN'.", only=(NEW,))


def database_of(call: Call) -> ConfdDatabase:
    found = call.cluster.databases.get(call["db_name"])
    if found is None:
        raise call.refuse("unknown_database", name=call["db_name"])
    return found


def awaiting_start(call: Call, database: ConfdDatabase, seconds: float = 0) -> Pending:
    """Until it runs, or fell back and tells why."""

    def output() -> None:
        if database.state != "running":
            raise call.cluster.refuse("; ".join(database.errors) or f"Database {database.name} was stopped")

    def late() -> None:
        error = call.refuse("timed_out", name=database.name, seconds=int(seconds))
        if call.cluster.settings["start_timeout"] == "abort":
            database.abort_start(str(error))
        raise error

    return Pending(lambda: database.state != "startup", output, (database.key,), seconds, late)


@job("Names of all databases.", (*DATABASE_RIGHTS, "exausers"))
def db_list(call: Call) -> Any:
    return list(call.cluster.databases)


@job("State of a database.", DATABASE_RIGHTS, NAME)
def db_state(call: Call) -> Any:
    database = database_of(call)
    state = database.shown_state()
    database.seen()
    return state


@job("Parameters and volumes of a database.", DATABASE_RIGHTS, NAME)
def db_info(call: Call) -> Any:
    database = database_of(call)
    info = database.info()
    database.seen()
    return info


@job(
    "Start a database, which must not be running.",
    DATABASE_RIGHTS,
    NAME,
    _CLUSTER,
    may("maintenance", "bool", "Start it in maintenance mode."),
    may("timeout", "int", "Seconds to wait until it runs; 0 is for ever."),
    changing=True,
    example="{'db_name': 'DB1'}",
)
def db_start(call: Call) -> Any:
    database = database_of(call)
    database.start(bool(call.get("maintenance")))
    if call.cluster.settings["db_start_waits"]:
        return awaiting_start(call, database, float(call.get("timeout") or 0))
    return None


@job(
    "Stop a running database. Its nodes stay online.",
    DATABASE_RIGHTS,
    NAME,
    _CLUSTER,
    may("force", "bool", "Stop it at once; sessions are cut."),
    may("timeout", "int", "Seconds to wait until it is down; 0 is for ever."),
    changing=True,
    example="{'db_name': 'DB1'}",
)
def db_stop(call: Call) -> Any:
    database = database_of(call)
    if call.get("force"):
        database.force_stop()
        return None
    database.stop()
    if not call.cluster.settings["db_stop_waits"]:
        return None
    return Pending(lambda: database.state != "shutdown", lambda: None, (database.key,), float(call.get("timeout") or 0))
