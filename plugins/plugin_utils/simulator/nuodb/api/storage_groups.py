# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls on storage groups, and on their observers."""

from __future__ import annotations

from typing import Any

from ..archives import ALL, Archive
from .paging import page
from .rest_answers import Null
from .routes import Call, route


@route("GET", "databases/{dbName}/storageGroups")
def storage_groups(call: Call) -> Any:
    database = call.database(call.parameters["dbName"])
    return page(call.domain.storage_groups.rows(database.name), call.query, call.domain.settings)


@route("DELETE", "databases/{dbName}/storageGroups/{sgName}")
def delete(call: Call) -> None:
    groups, database = call.domain.storage_groups, call.database(call.parameters["dbName"])
    name = call.parameters["sgName"]
    group = groups.find(database.name, name)
    if group is None:
        raise call.domain.refuse("unknown_storage_group", name=name)
    used = any(state != "REMOVING" for state in group.archives.values())
    if used and call.domain.settings["delete_used_storage_group"] == "refuse":
        raise call.domain.refuse("storage_group_in_use", name=group.name)
    groups.delete(database.name, name)


@route("POST", "archives/addStorageGroup")
def add(call: Call) -> Any:
    archive, name = _subject(call)
    group = call.domain.storage_groups.add(archive.db_name, name, archive)
    return _answer(call, archive, name, lambda: group.archives.get(archive.id) == "ADDED")


@route("POST", "archives/removeStorageGroup")
def remove(call: Call) -> Any:
    archive, name = _subject(call)
    group = call.domain.storage_groups.find(archive.db_name, name)
    if group is None or archive.id not in group.archives:
        raise call.domain.refuse("unknown_storage_group", name=name)
    call.domain.storage_groups.remove(group, archive)
    return _answer(call, archive, name, lambda: archive.id not in group.archives)


def _subject(call: Call) -> tuple[Archive, str]:
    database, name = call.database(call.need("dbName")), str(call.need("sgName"))
    archive = call.archive(call.need("archiveId"))
    if archive.db_name != database.name:
        raise call.domain.refuse("archive_mismatch", name=archive.id)
    process = archive.process
    if process is None or process.durable != "MONITORED":
        raise call.domain.refuse("storage_group_not_ready", name=archive.id)
    return archive, name


def _answer(call: Call, archive: Archive, name: str, done: Any) -> Any:
    seconds = call.number("timeout")
    if seconds:
        call.domain.wait(done, seconds, f"storage_groups {archive.db_name}")
    row = call.domain.storage_groups.row(archive.db_name, name)
    return Null() if row is None else row


@route("POST", "archives/modifyObserverStatus/{archiveId}")
def observe(call: Call) -> None:
    archive = call.archive(call.parameters["archiveId"])
    promoted, demoted = call.texts("promoteStorageGroups"), call.texts("demoteStorageGroups")
    left = [] if ALL in promoted else [one for one in archive.observed if one not in promoted]
    archive.observed = [ALL] if ALL in demoted else [*left, *[one for one in demoted if one not in left]]
