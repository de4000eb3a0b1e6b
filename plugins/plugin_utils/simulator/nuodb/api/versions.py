# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls on a database's versions, its encryption, and its hand-over to another data centre."""

from __future__ import annotations

import hmac
import time
from typing import Any

from ..databases import Database
from .paging import last
from .routes import Call, route


def _pairs(call: Call, setting: str) -> dict[str, str]:
    texts = [text for text in str(call.domain.settings[setting]).split(",") if text.strip()]
    pairs = [text.partition("=") for text in texts]
    return {key.strip(): name.strip() for key, _mark, name in pairs}


class _Versions:
    """The versions of a database: the one in use, and those that its processes support."""

    def __init__(self, call: Call, database: Database) -> None:
        if not call.domain.settings["versions_call"]:
            raise call.domain.refuse("no_route")
        self.names = _pairs(call, "database_versions")  # by their ids, with the one in use first
        newest, known = list(self.names)[-1], _pairs(call, "release_versions")
        self.now = database.version_id or next(iter(self.names))
        self.releases: dict[str, list[str]] = {}
        for process in database.processes():
            self.releases.setdefault(process.release, []).append(process.start_id)
        self.known = {release: known.get(release, newest) for release in self.releases or [call.server.version]}
        self.most = min(self.known.values(), key=int)
        self.available = [key for key in self.names if int(self.now) < int(key) <= int(self.most)]


@route("GET", "databases/{dbName}/versions")
def versions(call: Call) -> Any:
    database = call.database(call.parameters["dbName"])
    told = _Versions(call, database)
    return {
        "dbName": database.name,
        "effectiveVersion": told.now,
        "version": told.names.get(told.now, told.now),
        "maxVersion": told.most,
        "availableVersions": [{"versionId": key, "name": told.names[key]} for key in told.available],
        "allVersions": {
            release: {"version": told.names.get(key, key), "versionId": key} for release, key in told.known.items()
        },
        "processVersions": told.releases,
    }


@route("POST", "databases/{dbName}/upgrade")
def upgrade(call: Call) -> None:
    database = call.database(call.parameters["dbName"])
    told = _Versions(call, database)
    wanted = told.most if call.flag("maxVersion") else str(last(call.query, "version"))
    if wanted not in (told.now, *told.available):
        raise call.domain.refuse("bad_version", name=wanted)
    if not database.formed:
        raise call.domain.refuse("database_not_running", name=database.name)
    database.version_id = wanted


@route("POST", "databases/dataEncryption")
def encrypt(call: Call) -> None:
    """Sets a new storage password; if old and new are the same, it only checks the password."""
    database, new = call.database(call.need("dbName")), str(call.need("newTargetStoragePassword"))
    current = call.body.get("currentTargetStoragePassword")
    known = database.storage_password
    if known is not None:
        right = current is not None and hmac.compare_digest(known.encode(), str(current).encode())
    else:
        right = current is None
    if not right:
        raise call.domain.refuse("wrong_storage_password")
    database.storage_password = new


@route("GET", "databases/{dbName}/reportTimestamp")
def report_timestamp(call: Call) -> Any:
    database = call.database(call.parameters["dbName"])
    archives = [call.archive(one) for one in call.texts("archiveIds")] or database.archives()
    index = call.domain.servers.index
    return {
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(call.domain.clock.wall())),
        "commits": ",".join(str(index) for dummy in archives),
        "epoch": database.incarnation[0],
        "leaders": {"1": archives[0].id if archives else 0},
    }


@route("POST", "databases/{dbName}/resetState")
def reset_state(call: Call) -> None:
    call.database(call.parameters["dbName"])
    for name in ("commits", "epoch", "leaders"):
        call.need(name)
