# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NuoDB domains for tests: rows as the Admin REST API writes them, and a domain in memory that changes with time."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any, Optional, Union

from ansible_collections.dbfleet.cluster.plugins.module_utils._http.client import Http
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.trust import Trust
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.api.domain import Domain
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.api.objects import (
    Archive,
    Database,
    Process,
    Server,
    Tombstone,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.api.wire import is_own
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.view import Snapshot
from ansible_collections.dbfleet.cluster.tests.unit.fake_transport import FakeTransport, response

CLOSED = "(2019-05-16T16:55:33.945+0000) Engine connection to admin process closed"
KILLED = f"Removing process from domain state due to service request: {CLOSED}"
NO_LEADER = (
    "local agent connection was rejected: ArchiveHistory failed: Timed out while awaiting leader assignment "
    "(10000 ms): (2019-05-16T17:22:25.465+0000) Engine connection to admin process closed"
)
NO_ENTRY = (
    "database entry request was rejected: EntryRequest failed: Timed out while awaiting entry node (10000 ms): "
    "(2019-05-16T17:59:24.560+0000) Engine connection to admin process closed"
)


def graceful(at: str = "2019-05-16T16:55:34.246") -> str:
    return f"({at}+0000) Gracefully shutdown engine"


# -- rows of the wire (NUODB-255, NUODB-240, NUODB-248, NUODB-228, NUODB-331)


def server_row(server_id: str = "server0", leader: Optional[str] = "server0", **more: Any) -> dict[str, Any]:
    return {
        "id": server_id,
        "address": f"{server_id}:48005",
        "isLocal": more.get("local", False),
        "isEvicted": more.get("evicted", False),
        "isPassive": False,
        "peerState": "ADDED",
        "version": "0:10000",
        "fullVersion": "4.2.1-3-abc",
        "labels": {},
        "connectedState": {
            "state": more.get("connected", "Connected"),
            "latency": 1234567,
            "lastAckDeltaMillis": 1020,
        },
        "localRoleInfo": {
            "role": "LEADER" if leader == server_id else "FOLLOWER",
            "leaderServerId": leader,
            "lifeCycle": more.get("life", "ACTIVE"),
            "localPeerTermIndexInfo": {"currentTerm": 1, "commitIndex": 42, "valid": True},
        },
    }


def database_row(name: str = "test", state: str = "RUNNING", major: int = 1, minor: int = 2) -> dict[str, Any]:
    return {
        "incarnation": {"major": major, "minor": minor},
        "name": name,
        "state": state,
        "databaseOptions": {"mem": "1G"},
        "defaultRegionId": 0,
        "hostAssignments": {},
        "uri": f"https://localhost:8888/api/1/databases/{name}",
    }


def archive_row(archive_id: int = 0, db_name: str = "test", **more: Any) -> dict[str, Any]:
    return {
        "id": archive_id,
        "dbName": db_name,
        "host": "server0",
        "path": "/var/opt/nuodb/archive/test",
        "state": "RUNNING",
        "observerStorageGroups": [],
        **more,
    }


def process_row(start_id: str = "0", db_name: str = "test", **more: Any) -> dict[str, Any]:
    born = {"incarnation": {"major": 1, "minor": 0}, "startId": start_id, "labels": {}}
    return {
        "address": "172.17.0.6",
        "archiveId": 0,
        "dbName": db_name,
        "durableState": "MONITORED",
        "host": "server0",
        "hostname": "engine0",
        "labels": {"zone": "a"},
        "lastHeardFrom": 3611,
        "nodeId": 1,
        "options": {"engine-type": "SM", "user-data": json.dumps(born, separators=(",", ":"))},
        "pid": 39,
        "port": 48006,
        "startId": start_id,
        "state": "RUNNING",
        "type": "SM",
        "version": "4.0.1-1",
        **more,
    }


def exited_row(start_id: str = "2", **more: Any) -> dict[str, Any]:
    return {
        "databaseIncarnation": {"major": 1, "minor": 3},
        "exitCode": 137,
        "hasDisconnected": True,
        "process": process_row(start_id),
        "reason": KILLED,
        **more,
    }


# -- a domain behind an HTTP layer that has no sockets


class Adapter(FakeTransport):
    """Stands for the sockets: keeps the requests as they would be sent, and gives the answers in their order.

    :param answers: C(status, body) pairs; a body that isn't bytes is sent as JSON; an exception is raised. The last
        answer is given for ever. Instead of a pair, a function of the request.
    """

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.sent: list[Any] = []

    def send(self, request: Any, **_how: Any) -> Any:
        self.sent.append(request)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        found = found(request) if callable(found) else found
        if isinstance(found, Exception):
            raise found
        status, body = found
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return response(status, content)

    @property
    def requests(self) -> list[tuple[str, str, Any]]:
        """Verb, path with query, and body of what was sent."""
        return [(one.method, one.path_url, json.loads(one.body) if one.body else None) for one in self.sent]


def wired(*answers: Any, urls: tuple[str, ...] = ("https://ap0:8888",)) -> tuple[Domain, Adapter]:
    """A domain whose answers the test sets. See C(Adapter)."""
    adapter = Adapter(*answers)
    trust = Trust(validate=False)  # to load the CAs of the system takes long
    http = Http("nuo-unit", list(urls), "admin", "pw", trust, is_own=is_own)
    http._transport = adapter  # type: ignore[assignment]
    return Domain(http), adapter


def page(*rows: Any, **more: Any) -> tuple[int, dict[str, Any]]:
    return 200, {"data": list(rows), "hasNext": False, **more}


# -- objects


def server(server_id: str, leader: Optional[str] = "server0", connected: bool = True, local: bool = False) -> Server:
    state = "Connected" if connected else "Disconnected"
    role = "LEADER" if server_id == leader else "FOLLOWER"
    return Server(server_id, f"{server_id}:48005", role, leader, "ACTIVE", state, local=local, version="4.2.1")


def sm(start_id: str, archive_id: int = 0, server_id: str = "server0", **more: Any) -> Process:
    db_name, durable = more.pop("db_name", "test"), more.pop("durable_state", "MONITORED")
    full = {"engine_state": "RUNNING", "node_id": 1, "born": (1, 0), "last_heard_from": 100, **more}
    return Process(start_id, db_name, "SM", server_id, durable, archive_id=archive_id, **full)


def te(start_id: str, server_id: str = "server0", **more: Any) -> Process:
    db_name, durable = more.pop("db_name", "test"), more.pop("durable_state", "MONITORED")
    full = {"engine_state": "RUNNING", "node_id": 2, "born": (1, 0), "last_heard_from": 100, **more}
    return Process(start_id, db_name, "TE", server_id, durable, **full)


def went(process: Process, incarnation: tuple[int, int], at: str = "2019-05-16T16:55:34.246") -> Tombstone:
    """The tombstone of a process that was asked to go."""
    end = replace(process, durable_state="REQUESTED_SHUTDOWN", engine_state="SHUTTING_DOWN")
    return Tombstone(end, incarnation, 0, graceful(at))


def died(process: Process, incarnation: tuple[int, int], at: str = "2019-05-16T16:55:33.945") -> Tombstone:
    """The tombstone of a process that was killed."""
    return Tombstone(process, incarnation, 137, KILLED.replace("2019-05-16T16:55:33.945", at))


REFERENCE = [
    went(sm("0", 0, "server0"), (1, 1), "2019-05-16T02:24:26.401"),
    died(sm("2", 1, "server1", node_id=3), (1, 2)),
    went(te("3", "server0", node_id=4), (1, 3), "2019-05-16T16:55:34.236"),
    went(te("1", "server1"), (1, 4), "2019-05-16T16:55:34.246"),
]
"""The tombstones of the working example after its SM was killed (NUODB-341)."""

ONE_OF_TWO = Tombstone(
    sm("4", 0, "server0", durable_state="STARTED", engine_state="UNKNOWN", node_id=None, born=(2, 0)),
    (2, 1),
    2,
    NO_LEADER,
)
TE_ALONE = Tombstone(
    te("5", "server0", durable_state="TRACKED", engine_state="UNKNOWN", node_id=None, born=(3, 0)),
    (3, 1),
    127,
    NO_ENTRY,
)

BEGUN_WITHOUT_ONE = [
    went(te("10", born=(2, 0)), (2, 1)),
    went(sm("6", born=(2, 0)), (2, 2)),
    went(sm("7", 1, "server1", born=(2, 0)), (2, 3)),
]
"""Those of an incarnation after it that began without its TE on server1, and was shut down."""


def snapshot(state: str = "RUNNING", incarnation: tuple[int, int] = (1, 4), **more: Any) -> Snapshot:
    """A domain of two servers and the database C(test) with an archive on each."""
    down = state == "NOT_RUNNING"
    return Snapshot(
        servers=more.get("servers", {"server0": server("server0", local=True), "server1": server("server1")}),
        databases={"test": Database("test", state, incarnation)},
        archives={
            number: Archive(
                number, "test", f"server{number}", f"/archive/{number}", "NOT_RUNNING" if down else "RUNNING"
            )
            for number in range(more.get("archives", 2))
        },
        processes={process.start_id: process for process in more.get("processes", [])},
        tombstones=more.get("tombstones", []),
    )


# -- a domain in memory


class Memory:
    """A domain that lives in the test's time, with the state machines of docs/sources/nuodb_objects.md in short.

    :param time: its clock.
    :param databases: name -> the servers of its archives.
    """

    name, url, api_calls = "nuo-unit", "https://ap0:8888", 0
    sm_start, te_start, sm_stop, te_stop, patience = 20.0, 5.0, 3.0, 2.0, 10.0

    def __init__(self, time: Callable[[], float], databases: Optional[dict[str, list[str]]] = None) -> None:
        self.time = time
        self.log: list[tuple[Any, ...]] = []
        self.reads: list[str] = []
        self.odd: dict[str, Any] = {}
        self.slow: dict[str, float] = {}
        self.servers_now = {f"server{number}": server(f"server{number}", local=not number) for number in range(3)}
        self.databases_now: dict[str, Database] = {}
        self.deleted: dict[str, Database] = {}
        """Deleted and not purged."""
        self.archives_now: dict[int, Archive] = {}
        self.processes_now: dict[str, Process] = {}
        self.stones: list[Tombstone] = []
        self.copies: dict[str, list[dict[str, Any]]] = {}
        self.values: dict[str, str] = {}
        self.overrides: dict[str, dict[str, str]] = {}
        """Start ID -> the options that a process was started with."""
        self.license_now: dict[str, Any] = {"type": "ENTERPRISE", "expires": "2999-01-31T15:33:40.465134"}
        self.versions_now: dict[str, Any] = {"version": "7.0", "version_id": 1769472, "available": [], "releases": {}}
        self.silent = self.kubernetes = False
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._count = self._next_id = 0
        for name, places in (databases or {"test": ["server0", "server1"]}).items():
            self.databases_now[name] = Database(name, "NOT_RUNNING", (1, 4))
            for place in places:
                number = len(self.archives_now)
                self.archives_now[number] = Archive(number, name, place, f"/archive/{number}", "NOT_RUNNING")

    # time

    def collect(self, _seconds: float) -> list[str]:
        return []

    def after(self, seconds: float, what: Callable[[float], None], now: Optional[float] = None) -> None:
        self._count += 1
        self._events.append(((self.time() if now is None else now) + seconds, self._count, what))

    def _pass(self) -> None:
        while True:
            self._events.sort(key=lambda event: event[:2])
            if not self._events or self._events[0][0] > self.time():
                return
            at, _number, what = self._events.pop(0)
            what(at)

    def _asked(self, what: str) -> None:
        self._pass()
        self.reads.append(what)
        self.api_calls += 1
        odd = self.odd.get(what)
        odd = odd.pop(0) if isinstance(odd, list) and odd else odd
        if isinstance(odd, Exception):
            raise odd

    def _did(self, what: str, *about: Any) -> None:
        self._pass()
        self.api_calls += 1
        self.log.append((what, *about))

    def _lost(self, what: str) -> None:
        """The answer to a call that was carried out."""
        error = self.odd.get(what)
        error = error.pop(0) if isinstance(error, list) and error else error
        if isinstance(error, Exception):
            raise error

    # processes that change

    def run(self, *processes: Process, name: str = "test") -> Memory:
        """These run already."""
        for process in processes:
            self.processes_now[process.start_id] = process
            self._next_id = max(self._next_id, int(process.start_id) + 1)
            if process.archive_id is not None and process.is_running:
                number = process.archive_id
                self.archives_now[number] = replace(self.archives_now[number], state="RUNNING")
        self._settle(name)
        return self

    def _of(self, name: str) -> list[Process]:
        return [process for process in self.processes_now.values() if process.db_name == name]

    def _settle(self, name: str) -> None:
        """The state of a database by its processes."""
        database, ours = self.databases_now[name], self._of(name)
        if database.state.endswith("SHUTDOWN") and ours:
            return
        runs = [one for one in ours if one.is_storage and one.is_running]
        idle = [one for one in self.archives_now.values() if one.db_name == name and one.state == "NOT_RUNNING"]
        state = "NOT_RUNNING" if not ours else "RUNNING" if runs and not idle else "AWAITING_ARCHIVE_HISTORIES_INC"
        if ours and not runs:
            waits = [one for one in ours if one.durable_state in ("REQUESTED", "STARTED") or not one.is_storage]
            state = "AWAITING_ARCHIVE_HISTORIES_MSG" if waits else "STARTED"
        self.databases_now[name] = replace(database, state=state)

    def _to(self, start_id: str, durable: str, engine: str = "UNKNOWN") -> None:
        process = self.processes_now[start_id]
        heard = 100 if durable == "MONITORED" else process.last_heard_from
        process = replace(process, durable_state=durable, engine_state=engine, last_heard_from=heard)
        self.processes_now[start_id] = process
        self._settle(process.db_name)

    def exits(self, start_id: str, code: int = 137, reason: str = KILLED) -> None:
        """A process is gone."""
        process = self.processes_now.pop(start_id, None)
        if process is None:
            return
        major, minor = self.databases_now[process.db_name].incarnation
        self.databases_now[process.db_name] = replace(
            self.databases_now[process.db_name], incarnation=(major, minor + 1)
        )
        self.stones.append(Tombstone(process, (major, minor + 1), code, reason))
        if process.archive_id is not None:
            number = process.archive_id
            self.archives_now[number] = replace(self.archives_now[number], state="NOT_RUNNING")
        self._settle(process.db_name)

    def start_process(self, request: dict[str, Any], of: str) -> Process:
        self._did("start", of, dict(request))
        refused = self.odd.get("refuse start")
        if isinstance(refused, Exception):
            raise refused
        name, archive = request["dbName"], request.get("archiveId")
        database = self.databases_now[name]
        if database.is_down:
            self.databases_now[name] = replace(database, incarnation=(database.incarnation[0] + 1, 0))
        start_id, self._next_id = str(self._next_id), self._next_id + 1
        process = Process(start_id, name, request["engineType"], request["host"], "REQUESTED", archive_id=archive)
        process = replace(process, born=self.databases_now[name].incarnation)
        self.processes_now[start_id] = process
        self._settle(name)
        self.after(1.0, lambda at: self._forked(start_id, at))
        self._lost("start")
        return process

    def _forked(self, start_id: str, at: float) -> None:
        process = self.processes_now.get(start_id)
        if process is None:
            return
        self._to(start_id, "STARTED" if process.is_storage else "TRACKED")
        self.after(self.patience, lambda _at: self._times_out(start_id), at)
        for one in self._of(process.db_name):
            self._goes_on(one, at)

    def _goes_on(self, process: Process, at: float) -> None:
        name = process.db_name
        runs = [one for one in self._of(name) if one.is_storage and one.is_running]
        if process.durable_state == "STARTED" and process.is_storage:
            ready = {one.archive_id for one in self._of(name) if one.durable_state not in ("REQUESTED",)}
            every = {one.archive_id for one in self.archives_now.values() if one.db_name == name}
            if runs or every <= ready:
                self._to(process.start_id, "CONFIGURED")
                takes = self.slow.get(name, self.sm_start)
                self.after(takes, lambda then: self._runs(process.start_id, then), at)
        elif process.durable_state == "TRACKED" and runs:
            self.after(self.te_start, lambda then: self._runs(process.start_id, then), at)

    def _runs(self, start_id: str, at: float) -> None:
        process = self.processes_now.get(start_id)
        if process is None or process.is_running:
            return
        if process.archive_id is not None:
            number = process.archive_id
            self.archives_now[number] = replace(self.archives_now[number], state="RUNNING")
        self.processes_now[start_id] = replace(process, node_id=7)
        self._to(start_id, "MONITORED", "RUNNING")
        for one in self._of(process.db_name):
            self._goes_on(one, at)

    def _times_out(self, start_id: str) -> None:
        process = self.processes_now.get(start_id)
        if process is not None and process.durable_state == "STARTED":
            self.exits(start_id, 2, NO_LEADER)
        elif process is not None and process.durable_state == "TRACKED":
            runs = [one for one in self._of(process.db_name) if one.is_storage and one.is_running]
            if not runs:
                self.exits(start_id, 127, NO_ENTRY)

    def shutdown_process(self, start_id: str, kill: bool = False, evict: bool = False) -> None:
        self._did("kill" if kill else "evict" if evict else "shutdown", start_id)
        if kill or evict:
            self.after(0.5, lambda _at: self.exits(start_id))
        else:
            self._leaves(start_id, self.sm_stop)
        self._lost("shutdown")

    def _leaves(self, start_id: str, seconds: float, now: Optional[float] = None) -> None:
        self._to(start_id, "REQUESTED_SHUTDOWN", "SHUTTING_DOWN")
        self.after(seconds, lambda _at: self.exits(start_id, *self.odd.get("exit", (0, graceful()))), now)

    def shutdown_database(self, db_name: str) -> None:
        self._did("shutdown database", db_name)
        self.databases_now[db_name] = replace(self.databases_now[db_name], state="REQUESTED_TE_SHUTDOWN")
        tes = [one.start_id for one in self._of(db_name) if not one.is_storage]
        for start_id in tes:
            self._leaves(start_id, self.te_stop)
        for start_id in [one.start_id for one in self._of(db_name) if one.is_storage]:
            self.after(self.te_stop if tes else 0, lambda at, one=start_id: self._storage_leaves(one, at))
        self._lost("shutdown database")

    def _storage_leaves(self, start_id: str, at: float) -> None:
        if start_id in self.processes_now:
            name = self.processes_now[start_id].db_name
            self.databases_now[name] = replace(self.databases_now[name], state="REQUESTED_SM_SHUTDOWN")
            self._leaves(start_id, self.sm_stop, at)

    # reading

    def first_look(self) -> AbstractContextManager[None]:
        return nullcontext()

    def left(self, what: str) -> None:
        return None

    @property
    def urls(self) -> list[str]:
        return [self.url]

    def answers(self) -> bool:
        self._asked("answers")
        return not self.silent

    def servers(self) -> dict[str, Server]:
        self._asked("servers")
        return dict(self.servers_now)

    def own_urls(self) -> dict[str, str]:
        self._asked("own servers")
        return {name: f"https://{name}:8888" for name, one in self.servers_now.items() if one.local}

    def databases(self, deleted: bool = False) -> dict[str, Database]:
        self._asked("databases")
        return {**(self.deleted if deleted else {}), **self.databases_now}

    def archives(self, removed: bool = False, **filters: list[str]) -> dict[int, Archive]:
        self._asked("archives")
        names = filters.get("dbName")
        return {key: one for key, one in self.archives_now.items() if not names or one.db_name in names}

    def processes(self, **filters: list[str]) -> dict[str, Process]:
        self._asked("processes")
        names = filters.get("dbName")
        return {key: one for key, one in self.processes_now.items() if not names or one.db_name in names}

    def process(self, start_id: str) -> Union[Process, Tombstone, None]:
        self._asked("process")
        stone = next((one for one in self.stones if one.process.start_id == start_id), None)
        return self.processes_now.get(start_id) or stone

    def tombstones(self, **filters: list[str]) -> list[Tombstone]:
        self._asked("tombstones")
        names = filters.get("dbName")
        return [one for one in self.stones if not names or one.process.db_name in names]

    def hotcopies(self, db_name: str) -> list[dict[str, Any]]:
        self._asked("hotcopies")
        return list(self.copies.get(db_name, []))

    def value(self, key: str) -> Optional[str]:
        self._asked("value")
        return self.values.get(key)

    def set_value(self, key: str, value: str, expected: Optional[str]) -> None:
        assert self.values.get(key) == expected
        self.values[key] = value

    def license(self) -> dict[str, Any]:
        self._asked("license")
        return dict(self.license_now)

    def versions(self, db_name: str) -> dict[str, Any]:
        self._asked("versions")
        return dict(self.versions_now)

    def storage_groups(self, db_name: str) -> dict[str, Any]:
        self._asked("storage groups")
        return {}

    def server_properties(self, server_id: Optional[str] = None) -> dict[str, str]:
        self._asked("properties")
        return {"leaderAssignmentTimeout": "10000"}

    def in_kubernetes(self) -> bool:
        self._asked("kubernetes")
        return self.kubernetes

    def start_plan(self, db_name: str, te_server_ids: list[str]) -> list[dict[str, Any]]:
        self._asked("startplan")
        database = self.databases_now[db_name]
        major, minor = database.incarnation
        expected = {"major": major + 1, "minor": 0} if database.is_down else {"major": major, "minor": minor}
        there = {one.archive_id for one in self._of(db_name)}
        rows: list[dict[str, Any]] = [
            {"archiveId": number, "engineType": "SM", "host": one.server_id}
            for number, one in self.archives_now.items()
            if one.db_name == db_name and number not in there
        ]
        rows += [{"engineType": "TE", "host": place} for place in te_server_ids]
        shared = {"dbName": db_name, "labels": {}, "overrideOptions": {}, "expectedIncarnation": expected}
        return [{**row, **shared} for row in rows]

    def capture(self, db_name: str) -> list[dict[str, Any]]:
        self._asked("capture")
        return [
            {
                "dbName": db_name,
                "engineType": one.engine_type,
                "host": one.server_id,
                "labels": dict(one.labels),
                "overrideOptions": dict(self.overrides.get(start_id, {})),
                **({} if one.archive_id is None else {"archiveId": one.archive_id}),
            }
            for start_id, one in self.processes_now.items()
            if one.db_name == db_name
        ]

    # other changes

    def cancel_hotcopy(self, coordinator_start_id: str, hotcopy_id: str) -> None:
        self._did("cancel hot copy", coordinator_start_id, hotcopy_id)
        for rows in self.copies.values():
            for row in rows:
                if row["hotCopyId"] == hotcopy_id:
                    row["status"] = "cancelled"

    def create_database(self, db_name: str, body: dict[str, Any]) -> None:
        self._did("create database", db_name, body)
        self.databases_now[db_name] = Database(db_name, "NOT_RUNNING", (0, 0), body.get("defaultOptions") or {})

    def delete_database(self, db_name: str, purge: bool) -> None:
        self._did("delete database", db_name, purge)
        one = self.databases_now.pop(db_name, None) or self.deleted.pop(db_name)
        if purge:
            self.archives_now = {key: row for key, row in self.archives_now.items() if row.db_name != db_name}
        else:
            self.deleted[db_name] = replace(one, state="TOMBSTONE")

    def set_options(self, db_name: str, options: dict[str, str]) -> None:
        self._did("set options", db_name, options)
        before = self.databases_now[db_name]
        self.databases_now[db_name] = replace(before, default_options={**before.default_options, **options})

    def shutdown_server(self, server_id: str, evict_local: bool, url: Optional[str] = None) -> None:
        self._did("shutdown server", server_id, evict_local, *([url] if url else []))
        self.after(2.0, lambda _at: self._goes_dark(server_id))
        self._lost("shutdown server")

    def _goes_dark(self, server_id: str) -> None:
        self.servers_now[server_id] = replace(self.servers_now[server_id], connected="Disconnected")
        self.silent = self.silent or self.servers_now[server_id].local

    def delete_server(self, server_id: str) -> None:
        self._did("delete server", server_id)
        del self.servers_now[server_id]

    def remove_server_state(self, server_id: str) -> None:
        self._did("remove state", server_id)
        self.archives_now = {key: one for key, one in self.archives_now.items() if one.server_id != server_id}
        self.processes_now = {key: one for key, one in self.processes_now.items() if one.server_id != server_id}
