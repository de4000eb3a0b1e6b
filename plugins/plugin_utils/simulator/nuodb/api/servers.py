# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls on servers."""

from __future__ import annotations

from typing import Any

from .paging import page
from .routes import Call, route


@route("GET", "peers")
def peers(call: Call) -> Any:
    return page(call.domain.servers.rows(call.server), call.query, call.domain.settings)


@route("GET", "peers/{serverId}")
def peer(call: Call) -> Any:
    server = call.peer(call.parameters["serverId"])
    return next(row for row in call.domain.servers.rows(call.server) if row["id"] == server.id)


@route("POST", "peers/{serverId}/shutdown")
def shutdown(call: Call) -> None:
    domain, server = call.domain, call.peer(call.parameters["serverId"])
    domain.check_server_stop(server)
    if call.flag("evictLocal"):
        for process in server.processes():
            process.evict()
    server.request_stop()


@route("DELETE", "peers/{serverId}")
def remove(call: Call) -> None:
    domain, server = call.domain, call.peer(call.parameters["serverId"])
    if domain.servers.hears(call.server, server):
        domain.broken("server-removed-while-connected", server.id, f"{server.id} was {server.state}.")
    domain.servers.remove(server)


@route("POST", "peers/{serverId}/removeDomainState")
def remove_state(call: Call) -> None:
    name = call.parameters["serverId"]
    server = call.domain.servers.all.get(name)
    if server is None:
        raise call.domain.refuse("unknown_server", name=name)
    for process in server.processes():
        process.evict()
    for archive in call.domain.archives.values():
        if archive.server_id == name:
            archive.removed = True
