# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls on archives."""

from __future__ import annotations

from typing import Any

from ..archives import Archive
from .paging import page
from .routes import Call, route


@route("GET", "archives")
def archives(call: Call) -> Any:
    rows = call.rows("removed" if call.flag("removed") else "archives")
    return page(rows, call.query, call.domain.settings)


@route("GET", "archives/{archiveId}")
def archive(call: Call) -> Any:
    name = call.parameters["archiveId"]
    for row in call.rows("removed" if call.flag("removed") else "archives"):
        if str(row["id"]) == name:
            return row
    raise call.domain.refuse("unknown_archive", name=name)


@route("POST", "archives")
def create(call: Call) -> Any:
    options = _options(call)
    _check_place(call, options)
    new = call.domain.new_archive(options)
    _watch_place(new)
    return new.row()


@route("PUT", "archives/{archiveId}")
def resurrect(call: Call) -> Any:
    """Brings a removed archive back under its old id."""
    domain, old = call.domain, call.archive(call.parameters["archiveId"], removed=None)
    if not old.removed:
        raise domain.refuse("archive_exists", name=old.id)
    options = _options(call)
    _check_place(call, options)
    new = domain.archives[old.id] = Archive(domain, old.id, options)
    if old.state == "NOT_RUNNING" and old.path == new.path:
        new.state, new.epoch = old.state, old.epoch
    _watch_place(new)
    return new.row()


def _options(call: Call) -> dict[str, Any]:
    body = call.body
    database, path = str(call.need("dbName")), str(call.need("path"))
    host = None if body.get("remoteStart") else call.peer(call.need("host")).id
    return {
        "db_name": database,
        "server_id": host,
        "archive_path": path,
        "journal_path": body.get("journalPath"),
        "snapshot_archive_path": body.get("snapshotArchivePath"),
        "observer_storage_groups": call.texts("storageGroupObservers"),
        "state": call.domain.settings["restored_archive"] if body.get("restored") is True else "PROVISIONED",
    }


def _check_place(call: Call, options: dict[str, Any]) -> None:
    for one in call.domain.archives.values():
        same = (one.server_id, one.path) == (options["server_id"], options["archive_path"])
        if same and not one.removed and one.server_id is not None:
            raise call.domain.refuse("archive_exists", name=one.id)


def _watch_place(new: Archive) -> None:
    """Records a broken rule: two archives in one directory lose their data. The answer of a real server is unknown."""
    for one in new.domain.archives.values():
        is_there = one is not new and not one.removed and one.server_id is not None
        if is_there and (one.server_id, one.place) == (new.server_id, new.place):
            new.domain.broken("archives-in-one-directory", str(new.id), f"Archive {one.id} is in {new.place}.")


@route("DELETE", "archives/{archiveId}")
def delete(call: Call) -> Any:
    domain, purge = call.domain, call.flag("purge")
    one = call.archive(call.parameters["archiveId"], removed=None if purge else False)
    process = one.process
    if process is not None:
        domain.broken("archive-deleted-under-sm", str(one.id), f"Process {process.start_id} was {process.durable}.")
        if domain.settings["delete_running_archive"] == "refuse":
            raise domain.refuse("archive_running", name=one.id)
        process.die(1, "Archive was deleted")
    database = domain.databases.get(one.db_name)
    last = database is not None and not database.tombstone and database.archives() == [one]
    if last and domain.settings["delete_last_archive"] == "refuse":
        raise domain.refuse("last_archive", name=one.id)
    row = one.row()
    if purge:
        domain.purge(one)
    else:
        one.removed = True
    return row
