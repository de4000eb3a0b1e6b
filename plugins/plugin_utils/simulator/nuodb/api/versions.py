# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls on a database's versions, its encryption, and its hand-over to another data centre."""

from __future__ import annotations

import hmac
import time
from typing import Any

from .paging import last
from .routes import Call, route


def _versions(call: Call) -> dict[str, str]:
    """Ids and names, the effective one first."""
    pairs = [text.partition("=") for text in str(call.domain.settings["database_versions"]).split(",")]
    return {key.strip(): name.strip() for key, _mark, name in pairs}


@route("GET", "databases/{dbName}/versions")
def versions(call: Call) -> Any:
    database, known = call.database(call.parameters["dbName"]), _versions(call)
    ids = list(known)
    now = database.version_id or ids[0]
    processes: dict[str, list[str]] = {}
    for process in database.processes():
        processes.setdefault(call.domain.spec.version, []).append(process.start_id)
    return {
        "dbName": database.name,
        "effectiveVersion": now,
        "version": known.get(now, now),
        "maxVersion": ids[-1],
        "availableVersions": [{"versionId": key, "name": known[key]} for key in ids if int(key) > int(now)],
        "allVersions": {call.domain.spec.version: {"version": known[ids[-1]], "versionId": ids[-1]}},
        "processVersions": processes,
    }


@route("POST", "databases/{dbName}/upgrade")
def upgrade(call: Call) -> None:
    database, ids = call.database(call.parameters["dbName"]), list(_versions(call))
    wanted = ids[-1] if call.flag("maxVersion") else str(last(call.query, "version"))
    if wanted not in ids or int(wanted) < int(database.version_id or ids[0]):
        raise call.domain.refuse("bad_version", name=wanted)
    if not database.formed:
        raise call.domain.refuse("database_not_running", name=database.name)
    database.version_id = wanted


@route("POST", "databases/dataEncryption")
def encrypt(call: Call) -> None:
    """A new storage password; with the same twice it is a check."""
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
