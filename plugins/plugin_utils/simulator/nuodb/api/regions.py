# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls on regions."""

from __future__ import annotations

from typing import Any

from .paging import page
from .routes import Call, route


def _region(call: Call, value: Any) -> int:
    regions = call.domain.regions
    if not str(value).isdecimal() or int(value) not in regions.names:
        raise call.domain.refuse("unknown_region", name=value)
    return int(value)


def _row(call: Call, region: int) -> dict[str, Any]:
    return {"id": region, "name": call.domain.regions.names[region]}


def _new_name(call: Call) -> str:
    name = str(call.need("name"))
    if name in call.domain.regions.names.values():
        raise call.domain.refuse("region_exists", name=name)
    return name


@route("GET", "regions")
def regions(call: Call) -> Any:
    return page(call.domain.regions.rows(), call.query, call.domain.settings)


@route("GET", "regions/{id}")
def region(call: Call) -> Any:
    return _row(call, _region(call, call.parameters["id"]))


@route("POST", "regions")
def create(call: Call) -> Any:
    return _row(call, call.domain.regions.new(_new_name(call)))


@route("PUT", "regions/{id}")
def rename(call: Call) -> Any:
    one, name = _region(call, call.parameters["id"]), _new_name(call)
    call.domain.regions.names[one] = name
    return _row(call, one)


@route("DELETE", "regions/{id}")
def delete(call: Call) -> None:
    one = _region(call, call.parameters["id"])
    if one == 0 or call.domain.regions.used(one):
        raise call.domain.refuse("region_in_use", name=one)
    del call.domain.regions.names[one]


@route("PUT", "databases/{dbName}/defaultRegion")
def default_region(call: Call) -> None:
    database = call.database(call.parameters["dbName"])
    call.domain.regions.defaults[database.name] = _region(call, call.need("regionId"))


@route("PUT", "databases/{dbName}/hosts")
def assign(call: Call) -> None:
    database, server = call.database(call.parameters["dbName"]), call.peer(call.need("serverId"))
    one = _region(call, call.need("regionId"))
    call.domain.regions.assignments.setdefault(database.name, {})[server.id] = one


@route("DELETE", "databases/{dbName}/hosts")
def unassign(call: Call) -> None:
    database = call.database(call.parameters["dbName"])
    call.domain.regions.assignments.get(database.name, {}).pop(str(call.need("serverId")), None)
