# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""How SMs and TEs are requested and watched until they run: the SMs of all archives together, then the TEs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Optional

from ..._convergence.pace import PollInterval
from ..._convergence.stage import SOMEBODY, Act, Decision, Done, Fail, History, Stage, Together, Wait
from ..._errors import AnswerLost, ClusterError, Fault
from .. import serving
from ..api.objects import MONITORED, RUNNING, SM, STARTED, TE, TRACKED, Archive, Process, Tombstone, in_order
from ..guards import refuse_without_quorum
from ..view import DomainView, Snapshot

POLL_INTERVAL = PollInterval(2.0, 2.0, 7.0)
"""Looks after 2, 6, 13 and then every 7 s: on average a change is seen 3.5 s late. nuocmd looks every 5 s, at each
database separately, with one or two calls (NUODB-397)."""

SETTLED = 60.0
"""Seconds for which a look at the servers stays good, unless an answer is lost."""

PURGE = "purge the archive (nuodb_archive state=purged): what was committed only there is lost"
"""What overrides the rule that a database starts with all its archives."""

START = {SM: "start SM", TE: "start TE"}

AGAIN = " again"
"""The end of the name of a step that is done once more, after the processes that waited in vain have ended."""

TES_FIRST = (
    "the TEs must be stopped first: nuodb_recover with nuodb_recover_stop_tes: true (stop_tes: true of nuodb_database) "
    "stops them, starts the SMs and starts the TEs again; nobody can use the database meanwhile"
)
"""What brings an offline storage group back (NUODB-288)."""

TIMEOUT_PROPERTY = "leaderAssignmentTimeout"
"""A property of an AP, in milliseconds; it limits the wait for the entry node too (NUODB-310)."""


@dataclass(frozen=True)
class Slot:
    """A process that should run: the SM of an archive, or one TE of a database on a server.

    :param only_requested: it is enough that the process was requested.
    :param alone: a TE that is requested although there is no SM that it could join.
    :param external: its pod starts it, so that the run sends no request.
    """

    db_name: str
    engine_type: str
    server_id: str
    archive_id: Optional[int] = None
    number: int = 1
    only_requested: bool = False
    alone: bool = False
    external: bool = False

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

    def bound(self, processes: dict[str, Process], taken: set[str]) -> Optional[str]:
        """The start ID of the oldest of these processes that fits this slot and isn't taken; None if there is none."""
        fitting = [one for one, process in processes.items() if one not in taken and self.is_for(process)]
        return next(iter(in_order(fitting)), None)


@dataclass(frozen=True)
class ProcessState:
    """What the domain shows of a slot.

    :param durable: the durable state of its process; empty if there is none.
    :param unheard: the process is silent.
    :param connected: the AP of its server is connected.
    :param entry: the database has an SM that runs, so that others can join it.
    :param way: how far an SM has recovered its journal, from 0 to 2: replayed, then saved.
    :param groups: storage groups with an SM that is being started and could not join beside TEs.
    """

    start_id: Optional[str] = None
    durable: str = ""
    engine: str = ""
    unheard: bool = False
    connected: bool = True
    entry: bool = False
    groups: tuple[str, ...] = ()
    way: Optional[float] = field(default=None, repr=False)
    tombstone: Optional[Tombstone] = None

    @property
    def runs(self) -> bool:
        return (self.durable, self.engine) == (MONITORED, RUNNING) and self.connected and not self.unheard

    def as_dict(self) -> dict[str, Any]:
        found = {"start_id": self.start_id, "durable_state": self.durable or None, "engine_state": self.engine or None}
        return {**found, "tombstone": self.tombstone.as_dict()} if self.tombstone else found


class StartProcesses:
    """The processes that a task starts. `seen` has all processes of the slots' databases at the last look.

    :param slots: what should run.
    :param snapshot: the domain as it was read just now, including servers.
    :param requests: slot -> the body of its POST processes.
    :param renewed: another body for a slot whose first one was refused; None if the refusal stands.
    :param look_again: whether somebody else may have requested a process since the snapshot.
    :param leaving: processes that end before the first of these slots is started, so that they fill none.
    """

    def __init__(
        self,
        view: DomainView,
        slots: list[Slot],
        snapshot: Snapshot,
        requests: Callable[[Slot], dict[str, Any]],
        renewed: Callable[[Slot, dict[str, Any]], Optional[dict[str, Any]]] = lambda _slot, _refused: None,
        look_again: bool = False,
        leaving: Sequence[Process] = (),
    ) -> None:
        self._view = view
        self.leaving = list(leaving)
        snapshot = self._staying(snapshot)
        self.slots = slots
        self._slots = {slot.name: slot for slot in slots}
        self._servers = snapshot
        self._settled = time.monotonic()
        self._fresh = True
        self.seen = self._latest = snapshot
        self._requests = requests
        self._renewed = renewed
        self._look_again = look_again
        self._requested: set[str] = set()
        self._left_over: set[str] = set()
        self._again: set[str] = set()
        self._occupied: set[str] = set()
        self._bound: dict[str, str] = {}
        self._timeout: Optional[str] = None
        self._awaiting: dict[str, int] = {}
        self._looks = 0
        self._groups: dict[str, serving.Groups] = {}

    def continued(self, view: DomainView, slots: list[Slot], seen: Snapshot) -> StartProcesses:
        """The same start, for the task that waits for its end. The look at the servers keeps its age.

        :param seen: the processes now.
        """
        seen = replace(self._servers, processes=seen.processes)
        work = StartProcesses(view, slots, seen, self._requests, self._renewed)
        work._settled, work._requested = self._settled, self._requested
        return work

    @property
    def lacks_nothing(self) -> bool:
        """Whether each slot has a process, so that none would be requested."""
        self._bind(self.seen)
        return len(self._bound) == len(self._slots)

    # -- reading

    def read(self, names: list[str]) -> dict[str, ProcessState]:
        """Reads all slots with one look at the processes."""
        self._settle()
        if not self._fresh:
            self.seen = self._look()
            self._looks += 1
        self._fresh, seen = False, self.seen
        self._bind(seen)
        self._latest = seen
        entries = {p.db_name for p in seen.processes.values() if p.is_storage and p.is_running}
        states = {name: self._engine(name, seen, entries) for name in names}
        held_back = {self._slots[name].db_name for name, one in states.items() if self._lacks_te(name, one)}
        groups = {name: self._awaited(name, seen) for name in held_back}
        states = {name: replace(one, groups=groups.get(self._slots[name].db_name, ())) for name, one in states.items()}
        return self._without_left_over(states)

    def _lacks_te(self, name: str, state: ProcessState) -> bool:
        return self._slots[name].archive_id is None and not state.start_id and state.entry

    def _awaited(self, db_name: str, seen: Snapshot) -> tuple[str, ...]:
        """The storage groups of a database that TEs would keep from coming back (NUODB-287): none of their SMs has
        joined yet, and an SM of each is among the slots."""
        joined = {one.archive_id for one in seen.processes_of(db_name) if one.durable_state == MONITORED}
        coming = {slot.archive_id for slot in self.slots if slot.db_name == db_name} - joined - {None}
        if not coming or serving.tes(seen, db_name):
            return ()
        if db_name not in self._groups:
            self._groups[db_name] = serving.groups(self._view, db_name)
        held = {name: serving.held(row) for name, row in self._groups[db_name].items()}
        return tuple(sorted(name for name, ids in held.items() if ids & coming and not ids & joined))

    def _look(self) -> Snapshot:
        return self._staying(
            self._view.look("processes", db_names=sorted({slot.db_name for slot in self._slots.values()}))
        )

    def _staying(self, seen: Snapshot) -> Snapshot:
        gone = {process.start_id for process in self.leaving}
        return replace(seen, processes={key: one for key, one in seen.processes.items() if key not in gone})

    def _without_left_over(self, states: dict[str, ProcessState]) -> dict[str, ProcessState]:
        """Drops the tombstones of processes that gave up because an earlier start failed: another request is enough.

        The same goes, once, for processes of this run that had waited for them.
        """
        gave_up = {name for name, state in states.items() if state.tombstone and state.tombstone.gave_up}
        ours = gave_up & self._requested
        self._left_over |= {self._slots[name].db_name for name in gave_up - ours}
        in_vain = {self._slots[name].db_name for name in ours & self._again}
        mended = self._left_over - in_vain
        self._again |= {name for name in ours if self._slots[name].db_name in mended}
        self._occupied = {self._slots[name].db_name for name, state in states.items() if state.start_id}
        return {
            name: replace(one, tombstone=None) if name in gave_up and self._slots[name].db_name in mended else one
            for name, one in states.items()
        }

    def _settle(self) -> None:
        if time.monotonic() - self._settled > SETTLED:
            self._servers = self._view.look("servers")
            self._settled = time.monotonic()

    def _bind(self, seen: Snapshot) -> None:
        taken = set(self._bound.values())
        for name, slot in self._slots.items():
            if name in self._bound:
                continue
            start_id = slot.bound(seen.processes, taken)
            if start_id is not None:
                self._bound[name] = start_id
                taken.add(start_id)

    def _engine(self, name: str, seen: Snapshot, entries: set[str]) -> ProcessState:
        slot, start_id = self._slots[name], self._bound.get(name)
        state = ProcessState(connected=self._servers.is_connected(slot.server_id), entry=slot.db_name in entries)
        if start_id is None:
            return state
        found: Any = seen.processes.get(start_id) or self._view.process(start_id)
        if isinstance(found, Process):
            awaits = found.durable_state == STARTED or (found.durable_state == TRACKED and not state.entry)
            if awaits and found.is_storage and self._timeout is None:
                self._note_awaiting(start_id)
            connected = self._servers.is_connected(found.server_id) if slot.external else state.connected
            return replace(
                state,
                connected=connected,
                start_id=start_id,
                durable=found.durable_state,
                engine=found.engine_words,
                way=None if found.recovery is None else found.recovery + (found.saved or 0.0),
                unheard=found.is_unheard,
            )
        del self._bound[name]
        return replace(state, tombstone=found)

    def _note_awaiting(self, start_id: str) -> None:
        """Asks for the time-out of the leader assignment at the second look: most SMs are past it by then."""
        if self._awaiting.setdefault(start_id, self._looks) < self._looks:
            self._timeout = self._ask_timeout()

    def _ask_timeout(self) -> str:
        try:
            milliseconds = self._view.server_properties().get(TIMEOUT_PROPERTY)
            return f", at most {int(str(milliseconds)) / 1000:g} s" if milliseconds else ""
        except (ClusterError, ValueError):
            return ""

    def outcome(self, db_names: list[str], survey: Optional[Snapshot]) -> Snapshot:
        """The databases at the end, with their processes as the last look showed them.

        :param survey: the look at the beginning, if nothing was requested. If the run also waited for nothing, it is
            the result.
        """
        if survey is not None and not self._looks:
            return survey
        return replace(self._view.look("databases", "archives", db_names=db_names), processes=self.seen.processes)

    # -- deciding

    def decide(self, name: str, engine: ProcessState, history: History) -> Decision:
        slot = self._slots[name]
        stone = engine.tombstone
        if stone and stone.is_graceful and history.acted:
            return Fail(
                f"{stone.words}; it was asked to shut down, and not by this run", hint=SOMEBODY, number="DBF-6151"
            )
        if stone and not stone.is_graceful:
            return Fail(stone.words, hint=TES_FIRST if stone.offline_group else None, number="DBF-6508")
        if engine.runs or (slot.only_requested and engine.start_id):
            return Done()
        if slot.external and not engine.start_id:
            return Wait("its pod starts it")
        if not engine.connected:
            return self._unconnected(slot, engine, history)
        if engine.start_id:
            return Wait(self.words(engine))
        if slot.archive_id is None and not engine.entry and not slot.alone:
            return Wait("held back until an SM of its database runs", then=(START[TE],), by_this_run=True)
        if slot.archive_id is None and engine.groups and not slot.alone:
            why = (
                f"held back until an SM of storage group {' '.join(engine.groups)} has joined, because it can't join "
                "while TEs run"
            )
            return Wait(why, then=(START[TE],), by_this_run=True)
        is_storage = slot.archive_id is not None
        step = START[SM if is_storage else TE]
        if name not in self._again:
            return Act(step, lambda: self._start(name), shows_at_once=is_storage)
        if slot.db_name in self._occupied and not engine.entry:
            return Wait("held back until the processes that wait in vain have ended: an earlier start had failed")
        return Act(step + AGAIN, lambda: self._start(name), shows_at_once=is_storage, again=step)

    def _start(self, name: str) -> None:
        slot = self._slots[name]
        there = slot.bound(self._latest.processes, set(self._bound.values()))
        if there is not None:
            text = f"somebody else has requested it meanwhile (start ID {there})"
            raise Fault(f"{self._view.name}: {name}: {text}", text, failed_object=name)
        try:
            start_id = self._sent(slot, name)
        except AnswerLost:
            self._requested.add(name)
            self._left_over.add(slot.db_name)  # the others may give up before this one is there
            # The AP may be cut off: the run looks at the servers before it sends anything again.
            self._settled = float("-inf")
            raise
        self._requested.add(name)
        # A look before this answer may have given the process to another TE of the same server.
        other = next((one for one, bound in self._bound.items() if bound == start_id and one != name), None)
        mine = self._bound.pop(name, None)
        if other is not None:
            self._bound.pop(other)
            self._bound.update({other: mine} if mine else {})
        self._bound[name] = start_id

    def _sent(self, slot: Slot, name: str) -> str:
        request = self._requests(slot)
        try:
            return self._view.domain.start_process(request, name).start_id
        except Fault:
            anew = self._renewed(slot, request)
            if anew is None or slot.bound(self._look().processes, set(self._bound.values())) is not None:
                raise
        return self._view.domain.start_process(anew, name).start_id

    @staticmethod
    def _unconnected(slot: Slot, engine: ProcessState, history: History) -> Decision:
        if history.acted or history.joined:
            return Wait(f"cut off: server {slot.server_id} isn't connected")
        if engine.start_id:
            return Fail(
                f"the domain records its process (start ID {engine.start_id}) as {engine.durable}:{engine.engine}, "
                f"but server {slot.server_id} isn't connected, so nobody can know whether the process still runs",
                hint=f"start the nuoadmin service of {slot.server_id}, or, where that machine is gone for good, evict "
                "its processes (nuodb_process state=evicted)",
                number="DBF-6507",
            )
        if slot.archive_id is None:
            return Fail(
                f"server {slot.server_id} isn't connected",
                hint="run the TE on another server (te_server_ids or te_count)",
                number="DBF-6507",
            )
        if engine.entry:
            return Fail(
                f"server {slot.server_id} isn't connected, so the archive's SM can't be started",
                hint=f"start the nuoadmin service of {slot.server_id}; ignore_archives: [{slot.archive_id}] leaves the "
                "archive down",
                number="DBF-6507",
            )
        return Fail(
            f"server {slot.server_id} isn't connected, and a database that is down starts only with the SMs of all its "
            "archives: their histories show which archive has the newest data, so without this one the others would "
            "time out",
            hint=f"start the nuoadmin service of {slot.server_id}; where that machine is gone for good, {PURGE}",
            number="DBF-6501",
        )

    def words(self, engine: ProcessState) -> str:
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
            # In today's NuoDB, SMs wait in TRACKED for the histories too (NUODB-296).
            return f"{state}, waits for the first SM to run, or for the histories of all archives{self._timeout or ''}"
        return f"{state}, silent" if engine.unheard else state

    def guard(self) -> None:
        """The rule before something is requested: no majority of the APs, no change.

        It also takes a last look, so that a process that somebody else requested meanwhile isn't requested again.
        """
        self._settle()
        refuse_without_quorum(self._view.name, self._servers)
        if self._look_again:
            self.seen = self._latest = self._look()
            self._look_again = False

    def stages(self, wait: bool = True) -> list[Stage]:
        """The stages that bring all slots to run.

        :param wait: whether the run waits for the end. If not, SMs and TEs are two stages, because TEs can only join
            SMs that run.
        """
        names = list(self._slots)
        if wait:
            return [self._stage(names)]
        storage = [name for name in names if self._slots[name].archive_id is not None]
        return [self._stage(part) for part in (storage, [name for name in names if name not in storage]) if part]

    def _stage(self, names: list[str]) -> Stage:
        running = ProcessState(None, MONITORED, RUNNING, entry=True)
        return Stage(
            noun="processes",
            done="running",
            names=names,
            read=Together(self.read),
            decide=self.decide,
            words=self.words,
            target=lambda _name, _state: running,
            guard=self.guard,
            poll=POLL_INTERVAL,
            way=lambda state: state.way,
        )


def storage_slots(snapshot: Snapshot, db_name: str, ignored: list[int]) -> list[Slot]:
    """The SMs of all archives of a database."""
    archives = [one for one in snapshot.archives_of(db_name) if one.archive_id not in ignored]
    return [Slot(db_name, SM, server_of(snapshot, one), one.archive_id) for one in archives]


def server_of(snapshot: Snapshot, archive: Archive) -> str:
    """The server of an archive, or of its SM if the archive has none; empty if there is no SM either."""
    storage = snapshot.storage_of(archive.archive_id)
    return archive.server_id or (storage.server_id if storage else "")


def transaction_slots(db_name: str, server_ids: list[str], only_requested: bool = False) -> list[Slot]:
    """One TE for each server ID in the list."""
    return [
        Slot(db_name, TE, server_id, None, number, only_requested)
        for server_id, count in Counter(server_ids).items()
        for number in range(1, count + 1)
    ]
