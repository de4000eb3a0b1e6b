# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls on processes."""

from __future__ import annotations

from typing import Any

from ..archives import Archive
from ..databases import Database
from ..processes import Process
from ..servers import Server
from .balancers import chosen
from .paging import last, page
from .routes import Call, route

ENGINE_OPTIONS = {
    "--archive": "PROCESS_ONLY",
    "--archive-id": "PROCESS_ONLY",
    "--commit": "DATABASE_ONLY",
    "--journal-dir": "PROCESS_ONLY",
    "--max-lost-archives": "DATABASE_ONLY",
    "--mem": "SIMPLE",
    "--ping-timeout": "DATABASE_ONLY",
    "--verbose": "SIMPLE",
}


@route("GET", "processes")
def processes(call: Call) -> Any:
    rows, query = call.rows("processes"), last(call.query, "filterQuery")
    if query is not None:
        rows = chosen(call, query, rows)
    return page(rows, call.query, call.domain.settings)


@route("GET", "processes/exited")
def exited(call: Call) -> Any:
    return page(call.rows("exited"), call.query, call.domain.settings)


@route("GET", "processes/availableOptions")
def available_options(call: Call) -> Any:
    return {"options": dict(ENGINE_OPTIONS)}


@route("GET", "processes/{startId}")
def process(call: Call) -> Any:
    name = call.parameters["startId"]
    for row in call.rows("processes"):
        if row["startId"] == name:
            return row
    for row in call.rows("exited"):
        if row["process"]["startId"] == name:
            raise call.domain.refuse("process_exited", row, name=name)
    raise call.domain.refuse("unknown_process", name=name)


@route("GET", "processes/{startId}/options")
def options(call: Call) -> Any:
    return _process(call).options()


@route("GET", "processes/{startId}/storageGroups")
def storage_groups(call: Call) -> Any:
    one = _process(call)
    rows = [row for row in call.domain.storage_groups.rows(one.database.name) if one.start_id in row["processStates"]]
    return page(rows, call.query, call.domain.settings)


def _process(call: Call) -> Process:
    one = call.domain.processes.get(call.parameters["startId"])
    if one is None:
        process(call)  # says whether it ever was
        raise call.domain.refuse("unknown_process", name=call.parameters["startId"])
    return one


@route("POST", "processes")
def start(call: Call) -> Any:
    refuses = call.domain.settings["start_of_external_archive"] == "refuse"
    number = call.body.get("archiveId")
    if refuses and number is not None and call.archive(number).server_id is None:
        raise call.domain.refuse("archive_external", name=number)
    return _requested(call).row()


@route("POST", "processes/externalStartup")
def start_external(call: Call) -> Any:
    one = _requested(call, external=True)
    arguments = [text for key, value in one.options().items() for text in (f"--{key}", value)]
    return {**one.row(), "commandLineArgs": arguments}


def _requested(call: Call, external: bool = False) -> Process:
    domain, body = call.domain, call.body
    database = call.database(call.need("dbName"))
    kind = str(body.get("engineType") or "TE")
    if kind not in ("TE", "SM", "SSM"):
        raise call.bad("engineType", kind)
    archive = None if kind == "TE" else call.archive(call.need("archiveId"))
    server = _server(call, archive)
    labels, override = call.mapping("labels"), call.mapping("overrideOptions")
    if database.stopping and domain.settings["start_while_stopping"] == "refuse":
        raise domain.refuse("database_stopping", name=database.name)
    _check_incarnation(call, database)
    if archive is not None:
        _check_archive(call, database, server, archive)
        _check_license(call, database)
    one = domain.request(database, kind, server, archive)
    one.labels, one.override_options, one.external = labels, override, external
    one.begin()
    return one


def _check_license(call: Call, database: Database) -> None:
    domain = call.domain
    refuses = domain.settings["several_sms_unlicensed"] == "refuse" and not domain.license.allows_several_sms
    if refuses and any(one.storage_manager for one in database.processes()):
        raise domain.refuse("license_sm", name=domain.license.type)


def _server(call: Call, archive: Archive | None) -> Server:
    host = call.body.get("host")
    if host is None:
        host = call.server.id if archive is None or archive.server_id is None else archive.server_id
    server = call.peer(host)
    refuses = call.domain.settings["start_on_stopped_server"] == "refuse"
    if refuses and not call.domain.servers.hears(call.server, server):
        raise call.domain.refuse("server_not_connected", name=host)
    return server


def _check_incarnation(call: Call, database: Database) -> None:
    expected = call.body.get("expectedIncarnation")
    if expected is None:
        return
    actual = database.next_incarnation()
    if not isinstance(expected, dict) or not isinstance(expected.get("major"), int):
        raise call.bad("expectedIncarnation", expected)
    wanted = (expected["major"], actual[1] if expected.get("minor") is None else expected["minor"])
    if wanted != actual:
        raise call.domain.refuse("wrong_incarnation", name=database.name, expected=wanted, actual=actual)


def _check_archive(call: Call, database: Database, server: Server, archive: Archive) -> None:
    if archive.db_name != database.name or archive.server_id not in (None, server.id):
        raise call.domain.refuse("archive_mismatch", name=archive.id)
    other = archive.process
    if other is not None:
        text = f"Archive {archive.id} had the process {other.start_id} ({other.durable})."
        call.domain.broken("archive-start-repeated", str(archive.id), text)
        raise call.domain.refuse("archive_in_use", name=archive.id, start_id=other.start_id)


@route("DELETE", "processes/{startId}")
def stop(call: Call) -> Any:
    """Stops a process. The answer is the process if it still exists then, otherwise nothing."""
    domain, one = call.domain, _process(call)
    kill, core, evict = call.flag("kill"), call.flag("killWithCore"), call.flag("evict")
    seconds = call.number("timeout") or 0
    domain.check_process_stop(one, kill or core)
    if evict:
        one.evict()
    elif kill or core:
        one.kill(core)
    else:
        one.request_shutdown()
    if seconds > 0:
        domain.wait(lambda: one.start_id not in domain.processes, seconds, one.database.key)
    return one.row() if one.start_id in domain.processes else None
