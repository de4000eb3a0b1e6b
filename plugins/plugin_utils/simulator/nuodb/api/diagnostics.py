# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Diagnostics: the server's log, its configuration, its dumps."""

from __future__ import annotations

import io
import json
import time
import zipfile
from typing import Any

from .rest_answers import Download
from .routes import Call, route


@route("POST", "diagnostics/log", changing=False)
def log(call: Call) -> Any:
    return {
        "serverVersion": call.server.version,
        "serverTimeMillis": int(call.domain.clock.wall() * 1000),
        "licenseType": call.domain.settings["license_type"],
    }


@route("GET", "diagnostics/config")
def config(call: Call) -> Any:
    return _config(call, call.server.id)


@route("GET", "diagnostics/config/{serverId}")
def config_of(call: Call) -> Any:
    return _config(call, call.parameters["serverId"])


def _config(call: Call, name: str) -> dict[str, Any]:
    server, servers = call.peer(name), call.domain.servers
    return {
        "properties": servers.config(server),
        "initialMembership": {one.id: {"transport": one.address, "version": "0:10000"} for one in servers.members()},
        "otherServices": [],
        "statsPlugins": {},
        "loadBalancers": {},
        "labels": dict(server.labels),
    }


@route("GET", "diagnostics/kube")
def kube(call: Call) -> Any:
    if not call.domain.pods.there:
        raise call.domain.refuse("no_kubernetes")
    return call.domain.pods.rows()


@route("GET", "diagnostics/captureDomainState")
def capture_domain(call: Call) -> Any:
    return call.domain.state()


@route("GET", "diagnostics/logs")
def logs(call: Call) -> Any:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{call.server.id}/nuoadmin.log", "simulated\n")
        archive.writestr(f"{call.server.id}/state.json", json.dumps(call.domain.state(), indent=1))
    name = f"diagnostics-{call.server.id}-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}.zip"
    return Download(name, stream.getvalue())
