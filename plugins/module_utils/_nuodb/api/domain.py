# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""The operations of a NuoDB domain, as calls of the Admin REST API. Source: docs/sources/nuodb_api.md."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime, timezone
from typing import Any, Optional, Union

from ..._certificates import fingerprint_of_pem, row as certificate_row
from ..._errors import Denied, Fault, NoSuchObject
from ..._foreign import one_line
from ..._http.client import Reply
from .objects import TOMBSTONE, Archive, Database, Process, Server, Tombstone, is_request
from .wire import API, Wire, call_of, json_of, quoted

STARTED_WITHIN = 3.0
"""The longest time of the request of an SM, in seconds. The server answers it at once (NUODB-181), and the other SMs
that were requested give up after 10 s without this one (NUODB-310)."""


class Domain(Wire):
    """One NuoDB domain, through any of its APs.

    Every method may raise `ClusterError`: `Unreachable` and `Garbled` if a read got no usable answer, `Denied` and
    `Fault` if the server refuses, and a method that changes something also `AnswerLost`.
    """

    def answers(self) -> bool:
        """Whether anything still answers at any URL."""
        return self._http.answers(f"{API}peers")

    def collect(self, _seconds: float) -> list[str]:
        """Returns nothing: no AP keeps the result of a call until somebody fetches it."""
        return []

    def first_look(self) -> AbstractContextManager[None]:
        """Within this context, lists may be those that the module before has just read. See `SharedLists`."""
        return self._shared.first_look()

    def leave(self, what: str, value: Any) -> None:
        """Hands a value on to the next module."""
        self._shared.leave(what, value)

    def left(self, what: str) -> Any:
        """What the module before has handed on by this name; None if there is nothing or it is too old."""
        return self._shared.left(what)

    # -- servers

    def servers(self) -> dict[str, Server]:
        """The APs, as seen by an AP that is in touch with a majority; if there is none, as seen by the first.

        From now on that AP gets the calls: an AP that is cut off from the others answers too, with old data.
        """
        first: Optional[tuple[str, dict[str, Server]]] = None
        for _unused in self._http.urls:
            found = {server.server_id: server for server in self._list("peers", "id", Server.of)}
            if has_quorum(found):
                return found
            if first is None:
                first = (self.url, found)
            following = (self._http.urls.index(self.url) + 1) % len(self._http.urls)
            self._http.use(self._http.urls[following])
        url, found = first or (self.url, {})
        self._http.use(url)
        return found

    def own_urls(self) -> dict[str, str]:
        """The servers whose APs answer at the URLs, each with its URL."""
        found: dict[str, str] = {}
        before = self.url
        for url in self._http.urls:
            self._http.use(url)
            servers = self._list("peers", "id", Server.of)
            found.update({server.server_id: self._http.url for server in servers if server.local})
        self._http.use(before)
        return found

    def shutdown_server(self, server_id: str, evict_local: bool, url: Optional[str] = None) -> None:
        """Ends an AP.

        :param url: the URL of this AP, for a call to itself: without a leader it may still end itself (NUODB-68).
        """
        path = f"peers/{quoted(server_id)}/shutdown"
        self._ask("POST", path, of=server_id, changing=True, url=url, evictLocal=evict_local)

    def delete_server(self, server_id: str) -> None:
        """Takes an AP out of the domain's membership."""
        self._ask("DELETE", f"peers/{quoted(server_id)}", of=server_id, changing=True)

    def remove_server_state(self, server_id: str) -> None:
        """Evicts a server's processes and removes its archives."""
        self._ask("POST", f"peers/{quoted(server_id)}/removeDomainState", of=server_id, changing=True)

    def server_properties(self, server_id: Optional[str] = None) -> dict[str, str]:
        """The properties of an AP's configuration, of the AP that answers if none is named."""
        found = self._ask("GET", "diagnostics/config" + (f"/{quoted(server_id)}" if server_id else ""))
        return self._made(lambda row: dict((row or {}).get("properties") or {}), found, "GET", "diagnostics/config")

    def in_kubernetes(self) -> bool:
        """Whether Kubernetes manages the domain (NUODB-207, NUODB-420); False if this user may not read it."""
        try:
            found = self._ask("GET", "diagnostics/kube")
        except (Fault, Denied):
            return False
        return isinstance(found, dict) and any(found.values())

    # -- databases

    def databases(self, deleted: bool = False) -> dict[str, Database]:
        """All databases that exist.

        :param deleted: also those that were deleted and not purged (`TOMBSTONE`, NUODB-321).
        """
        found = self._list("databases", "name", Database.of)
        return {database.db_name: database for database in found if deleted or database.state != TOMBSTONE}

    def database(self, db_name: str) -> Optional[Database]:
        """One database; None if there is none or it was deleted."""
        try:
            row = self._ask("GET", f"databases/{quoted(db_name)}", of=db_name)
        except NoSuchObject:
            return None
        found = self._made(Database.of, row, "GET", "databases")
        return None if found.state == TOMBSTONE else found

    def create_database(self, db_name: str, body: dict[str, Any]) -> None:
        """Creates a database object. Starts nothing."""
        full = {"hostAssignments": {}, "smHosts": {}, **body}
        self._ask("PUT", f"databases/{quoted(db_name)}", full, of=db_name, changing=True, mayExist=False)

    def delete_database(self, db_name: str, purge: bool) -> None:
        """Deletes a database that isn't running."""
        self._ask("DELETE", f"databases/{quoted(db_name)}", of=db_name, changing=True, purge=purge)

    def versions(self, db_name: str) -> dict[str, Any]:
        """The versions of the protocol that a database speaks and could speak, and of its processes (NUODB-247).

        :raises NoSuchObject: there is no such database, or the AP is too old for this call (NUODB-20).
        """
        path = f"databases/{quoted(db_name)}/versions"
        return self._made(_versions, self._ask("GET", path, of=db_name), "GET", "versions")

    def set_options(self, db_name: str, options: dict[str, str]) -> None:
        """Sets these default options of a database, and leaves the others."""
        path = f"databases/{quoted(db_name)}/options"
        self._ask("POST", path, options, of=db_name, changing=True, replaceAll=False)

    def shutdown_database(self, db_name: str) -> None:
        """Asks a database's TEs to shut down, then its SMs."""
        self._ask("POST", f"databases/{quoted(db_name)}/shutdown", of=db_name, changing=True)

    def start_plan(self, db_name: str, te_server_ids: list[str]) -> list[dict[str, Any]]:
        """The requests that start a database, for one use: each names the incarnation that it is for."""
        body = {"reusable": False, "smHosts": {}, **({"teHosts": te_server_ids} if te_server_ids else {})}
        path = f"databases/{quoted(db_name)}/startplan"
        return self._plan(self._ask("POST", path, body, of=db_name), "POST", path)

    def capture(self, db_name: str) -> list[dict[str, Any]]:
        """The requests that would start what runs now, each with its labels and options (NUODB-158)."""
        path = f"databases/{quoted(db_name)}/capture"
        return self._plan(self._ask("GET", path, of=db_name, checkState=False), "GET", path)

    def _plan(self, found: Any, verb: str, path: str) -> list[dict[str, Any]]:
        rows = found.get("processes") if isinstance(found, dict) else None
        if not isinstance(rows, list) or not all(is_request(row) for row in rows):
            raise self._incomplete(verb, path)
        return rows

    # -- processes

    def processes(self, **filters: list[str]) -> dict[str, Process]:
        """The processes that run or were requested.

        :param filters: `dbName`, `host`, `type`: the values that they may have.
        """
        return {process.start_id: process for process in self._list("processes", "startId", Process.of, filters)}

    def process(self, start_id: str) -> Union[Process, Tombstone, None]:
        """One process, or its tombstone; None if the domain never had it, or has forgotten it."""
        path = f"processes/{quoted(start_id)}"
        call = call_of("GET", path, start_id, False)

        def read(reply: Reply, url: str) -> Union[Process, Tombstone, None]:
            if reply.status < 400:
                return self._made(Process.of, self._data(reply, call, url), "GET", path)
            found = json_of(reply.body)
            if "process" in found:
                return self._made(Tombstone.of, found, "GET", path)
            error = self._refusal(reply, call, url)
            if isinstance(error, NoSuchObject):
                return None
            raise error

        return self._send("GET", path, None, start_id, False, {}, read)

    def tombstones(self, **filters: list[str]) -> list[Tombstone]:
        """The tombstones of processes that exited, from the newest incarnation to the oldest.

        :param filters: `dbName`, `host`: the values that the process's fields may have.
        """
        # Sorted here: an AP of an older version refuses to sort by several fields (NUODB-129).
        wanted = {f"process.{field}": values for field, values in filters.items()}
        found = self._list("processes/exited", "process.startId", Tombstone.of, wanted)
        return sorted(found, key=lambda stone: stone.incarnation, reverse=True)

    def start_process(self, request: dict[str, Any], of: str) -> Process:
        """Requests a process.

        :param request: an element of a start plan.
        :param of: its name in messages.
        """
        seconds = None if request.get("archiveId") is None else STARTED_WITHIN
        row = self._ask("POST", "processes", request, of=of, changing=True, seconds=seconds)
        return self._made(Process.of, row, "POST", "processes", of)

    def shutdown_process(self, start_id: str, kill: bool = False, evict: bool = False) -> None:
        """Asks a process to shut down, kills it (kill -9), or evicts it from the domain's state."""
        path = f"processes/{quoted(start_id)}"
        self._ask("DELETE", path, of=start_id, changing=True, evict=evict, kill=kill, killWithCore=False, timeout=0)

    # -- archives

    def archives(self, removed: bool = False, **filters: list[str]) -> dict[int, Archive]:
        """The archive objects, or the removed ones that weren't purged.

        :param filters: `dbName`, `host`: the values that they may have.
        """

        def make(row: dict[str, Any]) -> Archive:
            return Archive.of(row, removed)

        return {archive.archive_id: archive for archive in self._list("archives", "id", make, filters, removed=removed)}

    def create_archive(self, body: dict[str, Any]) -> None:
        """Creates an archive object. The caller reads its new ID afterwards, because the answer may get lost."""
        self._ask("POST", "archives", body, of=f"{body['host']}:{body['path']}", changing=True)

    def resurrect_archive(self, archive_id: int, body: dict[str, Any]) -> None:
        """Brings a removed archive object back under its old ID."""
        self._ask("PUT", f"archives/{archive_id}", body, of=f"archive {archive_id}", changing=True)

    def delete_archive(self, archive_id: int, purge: bool) -> None:
        """Removes an archive object, or forgets it for good; files on its server stay."""
        self._ask("DELETE", f"archives/{archive_id}", of=f"archive {archive_id}", changing=True, purge=purge)

    # -- the key-value store

    def value(self, key: str) -> Optional[str]:
        """The value of a key; None if it has none (NUODB-210)."""
        row = self._ask("GET", f"kvstore/{quoted(key)}", of=key) or {}
        found = self._made(lambda row: row.get("value"), row, "GET", "kvstore")
        return None if found is None else str(found)

    def set_value(self, key: str, value: str, expected: Optional[str]) -> None:
        """Sets a key whose value is the expected one; None is no value. Otherwise the server refuses (NUODB-211)."""
        body = {"key": key, "newValue": value, "expectedValue": expected, "expectedAbsent": expected is None}
        self._ask("PUT", f"kvstore/{quoted(key)}", body, of=key, changing=True)

    # -- users

    def roles_of(self, user: str) -> list[str]:
        """The roles of a user; none if the domain doesn't know that name."""
        users = self._list("policies/users", "", dict)
        return [str(role) for one in users if one.get("name") == user for role in one.get("roles") or []]

    # -- what may expire

    def license(self) -> dict[str, Any]:
        """The license of the domain without its text: `type`, and `expires` if it ends (NUODB-212)."""
        row = self._ask("GET", "policies/license")
        return self._made(_license, row, "GET", "policies/license")

    def certificates(self) -> list[dict[str, Any]]:
        """The certificates of the APs and those that they trust. Those of processes end with them (NUODB-416)."""
        row = self._ask("GET", "peers/certificates")
        return self._made(_certificates, row, "GET", "peers/certificates")

    # -- storage groups

    def storage_groups(self, db_name: str) -> dict[str, dict[str, Any]]:
        """The storage groups of a database by name (upper case), named as nuocmd names them."""
        groups = self._list(f"databases/{quoted(db_name)}/storageGroups", "sgName", _storage_group)
        return {group["sg_name"]: group for group in groups}

    def add_storage_group(self, db_name: str, sg_name: str, archive_id: int) -> None:
        """Lets an archive store a group's data."""
        body = {"dbName": db_name, "sgName": sg_name, "archiveId": archive_id}
        self._ask("POST", "archives/addStorageGroup", body, of=f"{sg_name} on archive {archive_id}", changing=True)

    def remove_storage_group(self, db_name: str, sg_name: str, archive_id: int) -> None:
        """Takes a group's data off an archive."""
        body = {"dbName": db_name, "sgName": sg_name, "archiveId": archive_id}
        self._ask("POST", "archives/removeStorageGroup", body, of=f"{sg_name} on archive {archive_id}", changing=True)

    def delete_storage_group(self, db_name: str, sg_name: str) -> None:
        """Deletes a storage group with its data."""
        path = f"databases/{quoted(db_name)}/storageGroups/{quoted(sg_name)}"
        self._ask("DELETE", path, of=sg_name, changing=True)

    # -- hot copies

    def hotcopies(self, db_name: str) -> list[dict[str, Any]]:
        """The hot copies that a database's SMs report, running and finished."""
        return [copy for copies in self.hotcopies_by_sm(db_name).values() for copy in copies]

    def hotcopies_by_sm(self, db_name: str) -> dict[str, list[dict[str, Any]]]:
        """The hot copies that each SM of a database reports, by the SM's start ID (NUODB-225, NUODB-413)."""
        row = self._ask("GET", f"databases/{quoted(db_name)}/hotCopyStatus", of=db_name) or {}
        errors, copies = self._made(_hotcopies, row, "GET", "hotCopyStatus")
        if errors:
            says = one_line("; ".join(f"start ID {key}: {text}" for key, text in errors.items()))
            raise Fault(
                f"{self.name}: GET hotCopyStatus of {db_name} at {self.url}: {says}", says, failed_object=db_name
            )
        return copies

    def hotcopy(self, coordinator_start_id: str, hotcopy_id: str) -> dict[str, Any]:
        """One hot copy."""
        query: dict[str, Any] = {"coordinatorStartId": coordinator_start_id, "hotCopyId": hotcopy_id}
        row = self._ask("GET", "databases/hotCopyStatus", of=hotcopy_id, **query) or {}
        return self._made(dict, row, "GET", "hotCopyStatus")

    def start_hotcopy(self, db_name: str, body: dict[str, Any], simple: bool) -> dict[str, Any]:
        """Begins a hot copy."""
        path = f"databases/{quoted(db_name)}/" + ("hotCopySimple" if simple else "hotCopy")
        row = self._ask("POST", path, body, of=db_name, changing=True) or {}
        return self._made(dict, row, "POST", path, db_name)

    def cancel_hotcopy(self, coordinator_start_id: str, hotcopy_id: str) -> None:
        """Ends a hot copy that runs."""
        query: dict[str, Any] = {"coordinatorStartId": coordinator_start_id, "hotCopyId": hotcopy_id}
        self._ask("POST", "databases/cancelHotCopy", of=hotcopy_id, changing=True, **query)


def _hotcopies(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """The errors of SMs that gave no answer, and the hot copies that each of the other SMs reported (NUODB-225)."""
    told = dict(row.get("hotCopyStatuses") or {})
    return dict(row.get("errors") or {}), {str(key): [dict(copy) for copy in copies] for key, copies in told.items()}


def _license(row: dict[str, Any]) -> dict[str, Any]:
    decoded = row["decodedLicense"]
    return {"type": decoded.get("type"), "expires": decoded.get("expires")}


def _versions(row: dict[str, Any]) -> dict[str, Any]:
    releases = {
        str(release): {
            "version": str(known["version"]),
            "version_id": int(known["versionId"]),
            "start_ids": [str(one) for one in (row.get("processVersions") or {}).get(release, [])],
        }
        for release, known in (row.get("allVersions") or {}).items()
    }
    return {
        "version": str(row["version"]),
        "version_id": int(row["effectiveVersion"]),
        "available": [
            {"version": str(one["name"]), "version_id": int(one["versionId"])}
            for one in row.get("availableVersions") or []
        ],
        "releases": releases,
    }


def _certificates(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The certificates, named by kind and owner (NUODB-147, NUODB-270)."""
    kinds = (("admin process", row["serverCertificates"]), ("the trusted", row["trustedCertificates"]))
    return [_certificate(f"{kind} {name}", one) for kind, rows in kinds for name, one in (rows or {}).items()]


def _certificate(of: str, row: dict[str, Any]) -> dict[str, Any]:
    expires = datetime.fromtimestamp(int(row["expires"]) / 1000, timezone.utc).isoformat()
    return certificate_row(
        of, str(row["subjectName"]), expires, fingerprint_of_pem(str(row.get("certificatePem") or ""))
    )


def _storage_group(row: dict[str, Any]) -> dict[str, Any]:
    """A storage group (NUODB-279, NUODB-281)."""
    return {
        "sg_id": row.get("sgId"),
        "sg_name": str(row["sgName"]).upper(),
        "db_name": row.get("dbName"),
        "state": row.get("state"),
        "archive_states": {str(int(key)): state for key, state in (row.get("archiveStates") or {}).items()},
        "process_states": row.get("processStates") or {},
        "leader_candidates": row.get("leaderCandidates") or [],
    }


def has_quorum(servers: dict[str, Server]) -> bool:
    """Whether the AP that returned this list knows a leader and is connected with a majority of the voting APs."""
    local = next((server for server in servers.values() if server.local), None)
    voters = [server for server in servers.values() if server.is_voter]
    connected = [server for server in voters if server.is_connected]
    if local is None:
        return False
    return bool(local.leader) and 2 * len(connected) > len(voters)
