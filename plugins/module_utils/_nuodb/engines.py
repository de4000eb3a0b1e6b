# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""How SMs and TEs are requested and watched until they run: the SMs of all archives together, then the TEs."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Callable, Optional

from .._converge import Act, Decision, Done, Fail, History, Join, Stage, gather
from .._errors import ClusterError, NoSuchObject, Refused, near
from .._wait import Rhythm, listing
from .objects import (
    COMING,
    GOING,
    MONITORED,
    NOT_RUNNING,
    PROVISIONED,
    RUNNING,
    SM,
    STARTED,
    TE,
    TRACKED,
    Database,
    Process,
    Tombstone,
    in_order,
)
from .view import Snapshot, View
from .wanted import SAY_WHERE, Wanted, chosen, need_tombstones, plan_archives, te_servers

RHYTHM = Rhythm(1.0, 1.0, 4.0)
"""After 1, 2, 4, 8 and then every 4 s: a look tells of all processes, and nuocmd's own waits cost as many calls."""

SETTLED = 60.0
"""Seconds for which what was seen of the servers is good: then it is seen to that the AP isn't cut off."""

PURGE = "purge the archive (nuodb_archive state=purged): what was committed only there is lost"
"""What overrides the rule that a database starts with all its archives."""

START = {SM: "start SM", TE: "start TE"}

TIMEOUT_PROPERTY = "leaderAssignmentTimeout"
"""Of an AP, in milliseconds; it limits the wait for the entry node too (reference; facts 4.4)."""


@dataclass(frozen=True)
class Slot:
    """A process that should run: the SM of an archive, or one TE of a database on a server.

    :param only_requested: that it was requested is enough.
    """

    db_name: str
    engine_type: str
    server_id: str
    archive_id: Optional[int] = None
    number: int = 1
    only_requested: bool = False

    @property
    def name(self) -> str:
        what = f"{TE}{self.number}" if self.archive_id is None else f"archive{self.archive_id}"
        return f"{self.db_name}:{what}@{self.server_id}"

    def is_for(self, process: Process) -> bool:
        if process.db_name != self.db_name:
            return False
        if self.archive_id is not None:
            return process.archive_id == self.archive_id
        return process.engine_type == TE and process.server_id == self.server_id and not process.is_leaving


@dataclass(frozen=True)
class Engine:
    """What is seen of a slot.

    :param durable: durable state of its process, empty where there is none.
    :param unheard: the process is silent.
    :param connected: its server's AP is.
    :param entry: the database has an SM that runs, so that others can join it.
    """

    start_id: Optional[str] = None
    durable: str = ""
    engine: str = ""
    unheard: bool = False
    connected: bool = True
    entry: bool = False
    tombstone: Optional[Tombstone] = None

    @property
    def runs(self) -> bool:
        return (self.durable, self.engine) == (MONITORED, RUNNING) and self.connected and not self.unheard

    def as_dict(self) -> dict[str, Any]:
        found = {"start_id": self.start_id, "durable_state": self.durable or None, "engine_state": self.engine or None}
        return {**found, "tombstone": self.tombstone.as_dict()} if self.tombstone else found


class Engines:
    """The processes of one task. C(seen) are all of the slots' databases, as the last look showed them.

    :param slots: what should run.
    :param snapshot: what was seen of the domain just now, servers included.
    :param requests: slot -> the body of its POST processes.
    """

    def __init__(
        self, view: View, slots: list[Slot], snapshot: Snapshot, requests: Callable[[Slot], dict[str, Any]]
    ) -> None:
        self._view = view
        self.slots = slots
        self._slots = {slot.name: slot for slot in slots}
        self._servers = snapshot
        self._settled = time.monotonic()
        self._fresh = True
        self.seen = snapshot
        self._requests = requests
        self._bound: dict[str, str] = {}
        self._timeout: Optional[str] = None

    # -- reading

    def read(self, names: list[str]) -> dict[str, Engine]:
        """All slots by one look at the processes."""
        self._settle()
        db_names = sorted({slot.db_name for slot in self._slots.values()})
        if not self._fresh:
            self.seen = self._view.look("processes", db_names=db_names)
        self._fresh, seen = False, self.seen
        self._bind(seen)
        entries = {p.db_name for p in seen.processes.values() if p.is_storage and p.is_running}
        return {name: self._engine(name, seen, entries) for name in names}

    def _settle(self) -> None:
        if time.monotonic() - self._settled > SETTLED:
            self._servers = self._view.look("servers")
            self._settled = time.monotonic()

    def _bind(self, seen: Snapshot) -> None:
        taken = set(self._bound.values())
        for name, slot in self._slots.items():
            if name in self._bound:
                continue
            fitting = [start_id for start_id, process in seen.processes.items() if slot.is_for(process)]
            free = in_order([start_id for start_id in fitting if start_id not in taken])
            if free:
                self._bound[name] = free[0]
                taken.add(free[0])

    def _engine(self, name: str, seen: Snapshot, entries: set[str]) -> Engine:
        slot, start_id = self._slots[name], self._bound.get(name)
        state = Engine(connected=self._servers.is_connected(slot.server_id), entry=slot.db_name in entries)
        if start_id is None:
            return state
        found: Any = seen.processes.get(start_id) or self._view.process(start_id)
        if isinstance(found, Process):
            if found.durable_state == STARTED and found.is_storage and self._timeout is None:
                self._timeout = self._ask_timeout()
            return replace(
                state,
                start_id=start_id,
                durable=found.durable_state,
                engine=found.engine_state,
                unheard=found.is_unheard,
            )
        del self._bound[name]
        return replace(state, tombstone=found)

    def _ask_timeout(self) -> str:
        try:
            milliseconds = self._view.server_properties().get(TIMEOUT_PROPERTY)
            return f", at most {int(str(milliseconds)) / 1000:g} s" if milliseconds else ""
        except (ClusterError, ValueError):
            return ""

    def outcome(self, db_names: list[str]) -> Snapshot:
        """The databases at the end; their processes as the last look showed them."""
        return replace(self._view.look("databases", "archives", db_names=db_names), processes=self.seen.processes)

    def after(self, snapshot: Snapshot) -> Snapshot:
        """The domain as it would be with all slots running."""
        return predicted(snapshot, self.slots)

    # -- deciding

    def decide(self, name: str, engine: Engine, history: History) -> Decision:
        slot = self._slots[name]
        stone = engine.tombstone
        if stone and (history.acted or not stone.is_graceful):
            return Fail(stone.words)
        if engine.runs or (slot.only_requested and engine.start_id):
            return Done()
        if not engine.connected:
            return self._unconnected(slot, engine, history)
        if engine.start_id:
            return Join(self.words(engine))
        if slot.archive_id is None and not engine.entry:
            return Join("held back until an SM of it runs", then=START[TE])
        return Act(START[SM if slot.archive_id is not None else TE], lambda: self._start(name))

    def _start(self, name: str) -> None:
        slot = self._slots[name]
        process = self._view.domain.start_process(self._requests(slot), name)
        self._bound[name] = process.start_id

    @staticmethod
    def _unconnected(slot: Slot, engine: Engine, history: History) -> Decision:
        if history.acted or history.joined:
            return Join(f"cut off: server {slot.server_id} isn't connected")
        if engine.start_id:
            return Fail(
                f"its process (start ID {engine.start_id}) is {engine.durable}:{engine.engine} by the domain's state, "
                f"but server {slot.server_id} isn't connected, so whether it still runs can't be known",
                hint=f"start the nuoadmin service of {slot.server_id}, or, where that machine is gone for good, evict "
                "its processes (nuodb_process state=evicted)",
            )
        if slot.archive_id is None:
            return Fail(
                f"server {slot.server_id} isn't connected", hint="have the TE run elsewhere (te_server_ids or te_count)"
            )
        if engine.entry:
            return Fail(
                f"server {slot.server_id} isn't connected, so the archive's SM can't be started",
                hint=f"start the nuoadmin service of {slot.server_id}; ignore_archives: [{slot.archive_id}] leaves the "
                "archive down",
            )
        return Fail(
            f"server {slot.server_id} isn't connected, and a database that is down starts only with the SMs of all its "
            "archives: their histories tell which has the newest data, so without this one the others would time out",
            hint=f"start the nuoadmin service of {slot.server_id}; where that machine is gone for good, {PURGE}",
        )

    def words(self, engine: Engine) -> str:
        """The state of a slot for people."""
        if engine.tombstone:
            return "exited"
        if not engine.durable:
            return "not running"
        state = f"{engine.durable}:{engine.engine}"
        if engine.durable == STARTED and engine.entry:
            return f"{state}, the history of its archive is asked for"
        if engine.durable == STARTED:
            return f"{state}, the leader assignment awaits the histories of all archives{self._timeout or ''}"
        if engine.durable == TRACKED and not engine.entry:
            return f"{state}, waits for the first SM to run"
        return f"{state}, silent" if engine.unheard else state

    def guard(self) -> None:
        """The rule before something is requested: no majority of the APs, no change."""
        if time.monotonic() - self._settled > RHYTHM.first:
            self._settled = 0.0
            self._settle()
        refuse_without_quorum(self._view.name, self._servers)

    def stages(self, wait: bool = True) -> list[Stage]:
        """All slots running.

        :param wait: whether the end is awaited; where it isn't, the SMs must run all the same before TEs can join them.
        """
        names = list(self._slots)
        if wait:
            return [self._stage(names)]
        storage = [name for name in names if self._slots[name].archive_id is not None]
        return [self._stage(part) for part in (storage, [name for name in names if name not in storage]) if part]

    def _stage(self, names: list[str]) -> Stage:
        running = Engine(None, MONITORED, RUNNING, entry=True)
        return Stage(
            "processes",
            "running",
            names,
            self._one,
            self.decide,
            self.words,
            target=lambda _name, _state: running,
            guard=self.guard,
            read_all=self.read,
            rhythm=RHYTHM,
        )

    def _one(self, name: str) -> Engine:
        return self.read([name])[name]


def refuse_without_quorum(cluster: str, snapshot: Snapshot) -> None:
    """The rule before anything is changed: the APs must be able to agree on it."""
    if snapshot.has_quorum:
        return
    says = ", ".join(f"{server.server_id} {server.words}" for server in snapshot.servers.values()) or "no server"
    raise Refused(
        f"{cluster}: nothing changed: the APs have no quorum ({says}), so no change could be agreed on",
        hint="start the nuoadmin services that are down (nuodb_server state=active waits for them); "
        "nothing overrides this",
        failed_object=" ".join(server.server_id for server in snapshot.servers.values() if not server.is_active),
        last_state={server.server_id: server.words for server in snapshot.servers.values()},
    )


def storage_slots(snapshot: Snapshot, db_name: str, ignored: list[int]) -> list[Slot]:
    """The SMs of all archives of a database."""
    archives = [one for one in snapshot.archives_of(db_name) if one.archive_id not in ignored]
    return [Slot(db_name, SM, one.server_id or "", one.archive_id) for one in archives]


def transaction_slots(db_name: str, server_ids: list[str], only_requested: bool = False) -> list[Slot]:
    """So many TEs on each server."""
    return [
        Slot(db_name, TE, server_id, None, number, only_requested)
        for server_id, count in Counter(server_ids).items()
        for number in range(1, count + 1)
    ]


class Plans:
    """The requests that start databases: by the server's start plan, by a saved one, or, of a start that is under way
    already, by what is still missing.

    :param ask: asks the domain for start plans; not done in a preview without a domain.
    """

    def __init__(self, view: View, snapshot: Snapshot, wanted: list[Wanted], ask: bool = True) -> None:
        self._view, self._snapshot = view, snapshot
        self._wanted = {one.db_name: one for one in wanted}
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._ask = ask

    def fetch(self, slots: list[Slot]) -> None:
        """Asks the domain for the start plans of the databases that lack a process."""
        lacking: dict[str, list[str]] = {}
        for slot in slots:
            if not any(slot.is_for(process) for process in self._snapshot.processes.values()):
                servers = lacking.setdefault(slot.db_name, [])
                if slot.archive_id is None:
                    servers.append(slot.server_id)
        asked = [name for name in lacking if self._is_asked(name)]
        self._rows = gather(asked, lambda name: self._view.domain.start_plan(name, lacking[name]))

    def _is_asked(self, db_name: str) -> bool:
        database = self._snapshot.databases[db_name]
        return self._ask and self._wanted[db_name].start_plan is None and (database.is_down or database.is_up)

    def request(self, slot: Slot) -> dict[str, Any]:
        """The body of POST processes for a slot."""
        database = self._snapshot.databases[slot.db_name]
        rows = self._wanted[slot.db_name].start_plan or self._rows.get(slot.db_name) or []
        fitting = [row for row in rows if _fits(row, slot)]
        own: dict[str, Any] = {
            "dbName": slot.db_name,
            "engineType": slot.engine_type,
            "host": slot.server_id,
            "labels": {},
        }
        if slot.archive_id is not None:
            own["archiveId"] = slot.archive_id
        row = dict(fitting[min(slot.number, len(fitting)) - 1]) if fitting else own
        row["expectedIncarnation"] = _expected(row, slot, database)
        return row


def _fits(row: dict[str, Any], slot: Slot) -> bool:
    if slot.archive_id is not None:
        return str(row.get("archiveId")) == str(slot.archive_id)
    return row.get("engineType") == TE and row.get("host") == slot.server_id


def _expected(row: dict[str, Any], slot: Slot, database: Database) -> dict[str, int]:
    """The incarnation that a request is meant for. A TE comes later, when the minor number may have moved on."""
    expected = row.get("expectedIncarnation") or database.next_incarnation
    is_late = slot.archive_id is None or not database.is_down
    return {"major": expected["major"]} if is_late else expected


def refuse_bad_plan(cluster: str, wanted: Wanted, snapshot: Snapshot, ignored: list[int]) -> None:
    """A saved start plan must ask for the SMs of all archives, and of no other."""
    if wanted.start_plan is None:
        return
    there = {archive.archive_id for archive in snapshot.archives_of(wanted.db_name)}
    named = set(plan_archives(wanted.start_plan))
    lacking, strange = sorted(there - named - set(ignored)), sorted(named - there)
    if lacking or strange:
        found = [f"it lacks archive {number}" for number in lacking]
        found += [f"archive {number} isn't one of the database" for number in strange]
        raise Refused(
            f"{cluster}: {wanted.db_name}: the start plan isn't of this database as it is: {', '.join(found)}; "
            "the histories of all archives are wanted",
            hint="write a new one (nuocmd get startplan), or leave start_plan out",
            failed_object=wanted.db_name,
            last_state={"archives": sorted(there), "start_plan": sorted(named)},
        )


@dataclass(frozen=True)
class Choice:
    """What of the databases should run.

    :param te_early: TEs are requested too, and not awaited, where C(engine_types) has none.
    :param ignored: archives whose SMs are left out.
    """

    engine_types: list[str]
    te_early: bool = False
    ignored: tuple[int, ...] = ()


def survey(view: View, given: list[Any], whole: bool) -> tuple[list[Wanted], Snapshot]:
    """The databases that are meant, and what must be known of the domain to start them.

    :param given: the option C(databases).
    :param whole: all of the domain, for a prediction; else only what concerns these databases.
    """
    snapshot = view.look("servers", "databases")
    meant = chosen(view.name, given, snapshot)
    names = [one.db_name for one in meant]
    # A database that isn't running has no processes: that is what the state means (reference).
    is_down = all(snapshot.databases[name].state == NOT_RUNNING for name in names)
    parts = ("archives",) if is_down and not whole else ("archives", "processes")
    more = view.look(*parts, db_names=None if whole else names)
    stones = view.tombstones(names) if need_tombstones(meant) else []
    return meant, replace(snapshot, archives=more.archives, processes=more.processes, tombstones=stones)


def ending(view: View, snapshot: Snapshot, meant: list[Wanted]) -> Optional[Stage]:
    """Databases that are being shut down, to be started when they are down; None where none is."""
    names = [one.db_name for one in meant if snapshot.databases[one.db_name].state in GOING]

    def read(names: list[str]) -> dict[str, str]:
        seen = view.look("databases").databases
        return {name: seen[name].state if name in seen else NOT_RUNNING for name in names}

    def decide(_name: str, state: str, _history: History) -> Decision:
        return Join(f"{state}, being shut down") if state in GOING else Done()

    return (
        Stage(
            "databases",
            NOT_RUNNING,
            names,
            lambda name: read([name])[name],
            decide,
            target=lambda _name, _state: NOT_RUNNING,
            read_all=read,
            rhythm=RHYTHM,
        )
        if names
        else None
    )


def starting(view: View, snapshot: Snapshot, wanted: list[Wanted], choice: Choice, ask: bool = True) -> Engines:
    """The processes that databases should have.

    :param snapshot: all parts of the domain, seen just now.
    :param ask: asks the domain for start plans.
    :raises Refused: an archive that can't be started, or TEs of which nobody knows where they should be.
    """
    slots: list[Slot] = []
    for one in wanted:
        refuse_bad_plan(view.name, one, snapshot, list(choice.ignored))
        slots += _slots_of(view, snapshot, one, choice)
    plans = Plans(view, snapshot, wanted, ask)
    plans.fetch(slots)
    return Engines(view, slots, snapshot, plans.request)


def _slots_of(view: View, snapshot: Snapshot, wanted: Wanted, choice: Choice) -> list[Slot]:
    name, slots = wanted.db_name, []
    _refuse_unknown_state(view.name, snapshot.databases[name])
    if SM in choice.engine_types:
        _refuse_ignoring(view.name, snapshot, name, choice.ignored)
        slots = storage_slots(snapshot, name, list(choice.ignored))
        if not slots:
            raise Refused(
                f"{view.name}: {name} has no archive, so nothing of it can be started",
                hint="nuodb_archive state=present creates one",
                failed_object=name,
            )
    if TE not in choice.engine_types and not choice.te_early:
        return slots
    servers = te_servers(wanted, snapshot)
    if servers is None and TE in choice.engine_types:
        raise Refused(
            f"{view.name}: {name}: where its TEs should run isn't said, and its tombstones don't tell where they were "
            "when it last ran",
            hint=SAY_WHERE,
            failed_object=name,
            last_state=snapshot.databases[name].state,
        )
    _refuse_unknown_servers(view.name, snapshot, name, servers or [])
    return slots + transaction_slots(name, servers or [], TE not in choice.engine_types)


def _refuse_unknown_state(cluster: str, database: Database) -> None:
    if not database.is_up and not database.is_down and database.state not in COMING:
        raise Refused(
            f"{cluster}: {database.db_name}: state {database.state!r} is not one in which a start is known to be safe",
            hint="name the databases that are meant (databases: [...]) to leave it out",
            failed_object=database.db_name,
            last_state=database.state,
        )


def _refuse_unknown_servers(cluster: str, snapshot: Snapshot, name: str, servers: list[str]) -> None:
    known = list(snapshot.servers)
    unknown = [server for server in dict.fromkeys(servers) if server not in known]
    if unknown:
        names = ", ".join(f"{server}{near(server, known)}" for server in unknown)
        raise NoSuchObject(
            f"{cluster}: {name}: a TE should run on {names}, but there is no such server, only {listing(known, 20)}",
            hint=SAY_WHERE,
            failed_object=" ".join(unknown),
        )


def _refuse_ignoring(cluster: str, snapshot: Snapshot, name: str, ignored: tuple[int, ...]) -> None:
    """An archive that has data can be left out only of a database that runs already."""
    left_out = [
        archive
        for archive in snapshot.archives_of(name)
        if archive.archive_id in ignored and archive.state != PROVISIONED
    ]
    if left_out and not snapshot.databases[name].is_up:
        numbers = listing([f"{archive.archive_id} ({archive.where})" for archive in left_out])
        raise Refused(
            f"{cluster}: {name} is {snapshot.databases[name].state}, and without the SM of archive {numbers} "
            "the others would time out: the domain awaits the histories of all archives to find the newest data",
            hint=f"leave it out of ignore_archives and start its server; or {PURGE}",
            failed_object=name,
            last_state={archive.archive_id: archive.state for archive in left_out},
        )


def predicted(snapshot: Snapshot, slots: list[Slot]) -> Snapshot:
    """The domain as it would be when these slots run."""
    processes, archives, databases = {**snapshot.processes}, {**snapshot.archives}, {**snapshot.databases}
    for slot in slots:
        databases[slot.db_name] = replace(databases[slot.db_name], state=RUNNING)
        if slot.archive_id is not None:
            archives[slot.archive_id] = replace(archives[slot.archive_id], state=RUNNING)
        there = next((p for p in processes.values() if slot.is_for(p)), None)
        start_id = there.start_id if there else f"new {slot.name}"
        processes[start_id] = Process(
            start_id, slot.db_name, slot.engine_type, slot.server_id, MONITORED, RUNNING, slot.archive_id
        )
    return replace(snapshot, processes=processes, archives=archives, databases=databases)
