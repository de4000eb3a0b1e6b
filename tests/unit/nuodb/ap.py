# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An admin process behind the client's own HTTP layer: it answers each request of the wire, and keeps the changes."""

from __future__ import annotations

import json
from typing import Any, Optional
from urllib.parse import parse_qs, urlsplit

from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.api.domain import Domain
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import (
    archive_row,
    database_row,
    page,
    process_row,
    server_row,
    wired,
)


def no(text: str, status: int = 409) -> tuple[int, dict[str, Any]]:
    """A refusal of the server's."""
    return status, {"code": status, "messages": [text]}


class Ap:
    """Two servers, and the database C(test) with an archive and an SM on each, unless the test says otherwise.

    :ivar odd: C(VERB first-segment) -> the answers given instead, one after another: an error is raised, and one in a
        list of one is raised after the request was carried out.
    :ivar told: start ID of an SM -> the hot copies that it tells of; where it is empty, each tells of all.
    :ivar stages: what a hot copy that is asked for by its ID tells of itself, one reading after another.
    """

    def __init__(self) -> None:
        self.servers = [server_row("server0", local=True), server_row("server1")]
        self.databases = [database_row("test")]
        self.archives = {0: archive_row(0), 1: archive_row(1, host="server1")}
        self.removed: dict[int, dict[str, Any]] = {}
        self.processes = [process_row("0"), process_row("1", archiveId=1, host="server1", nodeId=2)]
        self.groups: dict[str, dict[str, Any]] = {}
        self.after_call: dict[str, list[Optional[str]]] = {}
        self.copies: list[dict[str, Any]] = []
        self.stages: list[dict[str, Any]] = []
        self.told: dict[str, Any] = {}
        self.users: Any = page()
        self.exited: dict[str, Any] = {}
        self.odd: dict[str, list[Any]] = {}
        self.changes: list[tuple[Any, ...]] = []
        self.asked: list[str] = []

    @property
    def domain(self) -> Domain:
        return wired(self)[0]

    def __call__(self, request: Any) -> Any:
        url = urlsplit(request.path_url)
        parts = url.path.removeprefix("/api/1/").split("/")
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        body = json.loads(request.body) if request.body else None
        name = f"{request.method} {parts[0]}"
        self.asked.append(f"{request.method} {'/'.join(parts)}")
        if request.method != "GET":
            self.changes.append((request.method, request.path_url, body))
        odd = self.odd.get(name)
        instead = odd.pop(0) if odd else None
        if isinstance(instead, list):
            self._answer(request.method, parts, query, body)
            raise instead[0]
        if isinstance(instead, Exception):
            raise instead
        return instead or self._answer(request.method, parts, query, body)

    def _answer(self, verb: str, parts: list[str], query: dict[str, str], body: Any) -> Any:
        handler = getattr(self, f"_{verb.lower()}_{parts[0]}", None)
        return handler(parts[1:], query, body) if handler else no("no such call", 404)

    # -- reads

    def _get_peers(self, *_more: Any) -> Any:
        return page(*self.servers)

    def _get_processes(self, parts: list[str], *_more: Any) -> Any:
        if parts:
            row = next((row for row in self.processes if row["startId"] == parts[0]), None)
            return (200, row) if row else (404, self.exited.get(parts[0], no("no such process", 404)[1]))
        return page(*self.processes)

    def _get_policies(self, *_more: Any) -> Any:
        return self.users

    def _get_archives(self, _parts: list[str], query: dict[str, str], _body: Any) -> Any:
        return page(*(self.removed if query["removed"] == "True" else self.archives).values())

    def _get_databases(self, parts: list[str], query: dict[str, str], _body: Any) -> Any:
        if not parts:
            return page(*self.databases)
        if parts[-1] == "storageGroups":
            self._turn()
            return page(*self.groups.values())
        if parts == ["hotCopyStatus"]:
            if self.stages:
                row = next(row for row in self.copies if row["hotCopyId"] == query["hotCopyId"])
                row.update(self.stages.pop(0))
            found = next((row for row in self.copies if row["hotCopyId"] == query["hotCopyId"]), None)
            return (200, found) if found else no("no such hot copy", 404)
        told = {row["startId"]: self.copies for row in self.processes if row["type"] == "SM"}
        return 200, {"errors": {}, "hotCopyStatuses": self.told or told}

    # -- archives

    def _post_archives(self, parts: list[str], _query: dict[str, str], body: Any) -> Any:
        if parts:
            return self._storage_group(parts[0], body)
        number = max([*self.archives, *self.removed], default=-1) + 1
        return self._made(number, body)

    def _made(self, number: int, body: Any) -> Any:
        more = {"host": body["host"], "path": body["path"], "state": "PROVISIONED"}
        more["observerStorageGroups"] = body.get("storageGroupObservers", [])
        more.update({key: body[key] for key in ("journalPath", "snapshotArchivePath") if key in body})
        self.archives[number] = archive_row(number, body["dbName"], **more)
        return 200, self.archives[number]

    def _put_archives(self, parts: list[str], _query: dict[str, str], body: Any) -> Any:
        number = int(parts[0])
        self.removed.pop(number)
        return self._made(number, body)

    def _delete_archives(self, parts: list[str], query: dict[str, str], _body: Any) -> Any:
        number = int(parts[0])
        row = self.archives.pop(number, None) or self.removed.pop(number)
        if query["purge"] == "False":
            self.removed[number] = row
        return 200, row

    # -- storage groups

    def _storage_group(self, call: str, body: Any) -> Any:
        row = self.groups.setdefault(body["sgName"], group_row(body["sgName"]))
        courses = {"addStorageGroup": ["ADDING", "ADDED"], "removeStorageGroup": ["REMOVING", None]}
        self.after_call[f"{body['sgName']} {body['archiveId']}"] = list(courses[call])
        return 200, row

    def _turn(self) -> None:
        for key, course in self.after_call.items():
            name, archive_id = key.split()
            if course and name in self.groups:
                states = self.groups[name]["archiveStates"]
                states[archive_id] = course.pop(0)
                self.groups[name]["archiveStates"] = {key: state for key, state in states.items() if state}

    def _delete_databases(self, parts: list[str], *_more: Any) -> Any:
        self.groups.pop(parts[-1])
        return 200, b""

    # -- hot copies

    def _post_databases(self, parts: list[str], query: dict[str, str], body: Any) -> Any:
        if parts == ["cancelHotCopy"]:
            row = next(row for row in self.copies if row["hotCopyId"] == query["hotCopyId"])
            row.update(status="cancelled", message="Hot copy cancelled")
            return 200, row
        simple = parts[-1] == "hotCopySimple"
        place = next(iter((body.get("backupLocations") or {}).values()), None) or body.get("defaultBackupLocation")
        sets = list((body.get("backupSetDirs") or {}).values())
        directory = place["copyArchiveDir"] if simple else f"{(sets or [body.get('defaultBackupSetDir')])[0]}"
        parts = {"full": "full", "incremental": f"{len(self.copies)}.inc", "journal": f"{len(self.copies)}.jnl"}
        inner = ".incomplete" if simple else f"/tmp/{parts[body['type']]}/data"  # noqa: S108 - the server's own name
        self.copies.append(copy_row(f"hc{len(self.copies)}", directory + inner))
        return 200, dict(self.copies[-1])


def group_row(name: str, **states: str) -> dict[str, Any]:
    """A storage group; C(states) are C(a0="ADDED") and the like."""
    return {
        "sgId": 10,
        "sgName": name,
        "dbName": "test",
        "state": "Available",
        "archiveStates": {key[1:]: state for key, state in states.items()},
        "processStates": {"0": "RUNNING"},
        "leaderCandidates": ["0"],
    }


def copy_row(hotcopy_id: str, directory: str, status: str = "running", **more: Any) -> dict[str, Any]:
    return {
        "beginTimestamp": "2021-05-19 09:04:06",
        "coordinatorStartId": "0",
        "destinationDirectory": directory,
        "hotCopyId": hotcopy_id,
        "message": "Stage1: Begin",
        "stage": 1,
        "status": status,
        **more,
    }


DONE = {"status": "completed", "stage": 3, "message": "Hot copy successfully completed"}
FAILED = {"status": "failed", "message": "Hot copy failed: Node 6: /b: No space left on device"}
