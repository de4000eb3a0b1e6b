# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls on databases."""

from __future__ import annotations

from typing import Any

from ..databases import Database
from ..startplans import captured, start_plan
from .paging import page
from .routes import Call, route


@route("GET", "databases")
def databases(call: Call) -> Any:
    return page(call.rows("databases"), call.query, call.domain.settings)


@route("GET", "databases/{dbName}")
def database(call: Call) -> Any:
    name = call.parameters["dbName"]
    found = [row for row in call.rows("databases") if row["name"] == name]
    if not found:
        raise call.domain.refuse("unknown_database", name=name)
    row = dict(found[0])
    if not call.flag("maskPassword", True):
        row["dbPassword"] = f"engine-password-of-{name}"
    return row


@route("PUT", "databases/{dbName}")
def create(call: Call) -> Any:
    domain, name = call.domain, call.parameters["dbName"]
    user, password = str(call.need("databaseDbaUser")), str(call.need("databaseDbaPassword"))
    options, servers, archives = call.mapping("defaultOptions"), call.texts("teHosts"), call.mapping("smHosts")
    for server in servers:
        call.peer(server)
    assigned = {server: int(region) for server, region in call.mapping("hostAssignments").items()}
    default = call.body.get("defaultRegionId")
    default = None if default is None else int(default)
    old = domain.databases.get(name)
    if old is not None and not old.tombstone:
        if not call.flag("mayExist"):
            raise domain.refuse("database_exists", name=name)
        return start_plan(old, servers, archives, False)
    new = Database(domain, name)
    if old is not None:
        new.overrides = old.overrides
        if domain.settings["recreated_incarnation"] == "continue":
            new.incarnation = list(old.incarnation)
    new.user, new.password, new.options = user, password, options
    domain.databases[name] = new
    if default is not None:
        domain.regions.defaults[name] = default
    domain.regions.assignments[name] = assigned
    return start_plan(new, servers, archives, False)


@route("DELETE", "databases/{dbName}")
def delete(call: Call) -> None:
    domain, purge = call.domain, call.flag("purge")
    one = call.database(call.parameters["dbName"], tombstone=purge)
    if one.processes():
        domain.broken("database-deleted-while-running", one.name, f"It was {one.state}.")
        raise domain.refuse("database_running", name=one.name)
    one.tombstone = True
    if purge:
        domain.forget(one)


@route("POST", "databases/{dbName}/startplan", changing=False)
def plan(call: Call) -> Any:
    one = call.database(call.parameters["dbName"])
    servers = call.texts("teHosts")
    for server in servers:
        call.peer(server)
    return start_plan(one, servers, call.mapping("smHosts"), bool(call.body.get("reusable", True)))


@route("GET", "databases/{dbName}/capture")
def capture(call: Call) -> Any:
    one = call.database(call.parameters["dbName"])
    if call.flag("checkState", True) and one.state != "RUNNING":
        raise call.domain.refuse("capture_not_running", name=one.name)
    return captured(one)


@route("POST", "databases/{dbName}/shutdown")
def shutdown(call: Call) -> None:
    one = call.database(call.parameters["dbName"])
    if not one.processes():
        raise call.domain.refuse("database_not_running", name=one.name)
    if one.stopping and call.domain.settings["shutdown_repeated"] == "refuse":
        raise call.domain.refuse("database_stopping", name=one.name)
    one.shutdown()


@route("POST", "databases/{dbName}/options")
def options(call: Call) -> None:
    one = call.database(call.parameters["dbName"])
    given = {str(key): str(value) for key, value in call.body.items()}
    one.options = given if call.flag("replaceAll") else {**one.options, **given}
