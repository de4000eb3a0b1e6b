# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls on hot copies."""

from __future__ import annotations

from typing import Any

from ..databases import Database
from ..hotcopies import HotCopy
from .paging import last
from .rest_answers import Late
from .routes import Call, route


@route("POST", "databases/{dbName}/hotCopy")
def hot_copy(call: Call) -> Any:
    kind = str(call.need("type"))
    if kind not in ("full", "incremental", "journal"):
        raise call.bad("type", kind)
    sets = {_archive_id(call, key): value for key, value in call.mapping("backupSetDirs").items()}
    default = call.body.get("defaultBackupSetDir")
    shared = bool(call.body.get("shared"))
    return _start(call, kind, sets, None if default is None else str(default), shared)


@route("POST", "databases/{dbName}/hotCopySimple")
def hot_copy_simple(call: Call) -> Any:
    places = {} if call.body.get("backupLocations") is None else call.body["backupLocations"]
    if not isinstance(places, dict):
        raise call.bad("backupLocations", places)
    sets = {_archive_id(call, key): _directory(call, value) for key, value in places.items()}
    default = call.body.get("defaultBackupLocation")
    return _start(call, "simple", sets, None if default is None else _directory(call, default), False)


def _archive_id(call: Call, value: Any) -> int:
    if not str(value).isdecimal():
        raise call.bad("archiveId", value)
    return int(value)


def _directory(call: Call, place: Any) -> str:
    if not isinstance(place, dict) or not place.get("copyArchiveDir"):
        raise call.domain.refuse("missing_field", name="copyArchiveDir")
    return str(place["copyArchiveDir"])


def _start(call: Call, kind: str, sets: dict[int, str], default: str | None, shared: bool) -> Any:
    domain, database = call.domain, call.database(call.parameters["dbName"])
    if not sets and default is None:
        raise domain.refuse("hotcopy_no_location")
    serving = {one.archive.id: one for one in database.processes("SM") if one.serving and one.archive is not None}
    if default is not None:
        for archive in serving:
            sets.setdefault(archive, f"{default}/{archive}" if shared else default)
    if not serving or any(archive not in serving for archive in sets):
        raise domain.refuse("hotcopy_no_sm", name=database.name)
    if call.body.get("checkContainsAllSgs"):
        _check_groups(call, database, set(sets))
    one = domain.hotcopies.start(database, kind, sets, serving)
    seconds = call.body.get("timeoutSec")
    return _waited(call, one, None if seconds is None else int(seconds))


def _check_groups(call: Call, database: Database, archives: set[int]) -> None:
    held: set[str] = set()
    wanted: set[str] = set()
    for archive in database.archives():
        names = call.domain.storage_groups.held_by(archive)
        wanted |= names
        if archive.id in archives:
            held |= names
    if wanted - held:
        raise call.domain.refuse("hotcopy_partial", name=", ".join(sorted(wanted - held)))


def _waited(call: Call, one: HotCopy, seconds: int | None) -> Any:
    """The hot copy; as a late answer if it still runs after these seconds."""
    if seconds is None:
        return one.row()
    done = call.domain.wait(lambda: not one.running, seconds, f"hotcopies {one.db_name}")
    return one.row() if done else Late(one.row())


@route("GET", "databases/{dbName}/hotCopyStatus")
def statuses(call: Call) -> Any:
    database = call.database(call.parameters["dbName"])
    start_ids = [one.start_id for one in database.processes("SM") if one.serving]
    return {"errors": {}, "hotCopyStatuses": call.domain.hotcopies.rows(start_ids, call.number("minSecondsRunning"))}


@route("GET", "databases/hotCopyStatus")
def status(call: Call) -> Any:
    start_id, hotcopy_id = last(call.query, "coordinatorStartId"), last(call.query, "hotCopyId")
    if start_id is None:
        raise call.domain.refuse("missing_field", name="coordinatorStartId")
    if hotcopy_id is None:
        return {"errors": {}, "hotCopyStatuses": call.domain.hotcopies.rows([start_id])}
    return _waited(call, call.domain.hotcopies.find(start_id, hotcopy_id), call.number("timeoutSec"))


@route("POST", "databases/cancelHotCopy")
def cancel(call: Call) -> Any:
    one = call.domain.hotcopies.find(last(call.query, "coordinatorStartId") or "", last(call.query, "hotCopyId") or "")
    if one.running:
        one.end("cancelled", "Hot copy cancelled")
    return one.row()
