# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How single processes are shut down, killed and evicted, and what prevents it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Optional, Union

from ..._convergence.stage import Act, Decision, Done, Fail, History, Stage, Together, Wait
from ..._errors import Refused
from ..._wording import listing
from .. import external, serving
from ..api.objects import AWAITING_SOME, MONITORED, NOT_RUNNING, RUNNING, Process, Tombstone, in_order
from ..guards import refuse_without_quorum
from ..view import POLL_INTERVAL, DomainView, Snapshot
from .selection import EVICTED, KILLED, STOPPED


def title(process: Process) -> str:
    """The name of a process in progress lines and results."""
    return f"{process.db_name}:{process.engine_type}@{process.server_id}/{process.start_id}"


@dataclass(frozen=True)
class ProcessEndState:
    """A process that should end.

    :param durable: its durable state; empty when it has ended.
    """

    durable: str
    engine: str = ""
    tombstone: Optional[Tombstone] = None

    def as_dict(self) -> dict[str, Any]:
        if self.tombstone:
            return self.tombstone.as_dict()
        return {"durable_state": self.durable or None, "engine_state": self.engine or None}


class EndProcesses:
    """Shuts down, kills or evicts processes.

    :param state: `stopped`, `killed` or `evicted`.
    :param allow_non_durable: go on although a database would lose its last SM.
    :param evict_alive: evict a process although it answers.
    :param allow_offline_group: go on although a storage group would lose its last SM while TEs run.
    :param allow_restart: go on although a pod or the like starts the process again, and wait for that.
    """

    def __init__(
        self,
        view: DomainView,
        processes: list[Process],
        state: str,
        allow_non_durable: bool = False,
        evict_alive: bool = False,
        allow_restart: bool = False,
        allow_offline_group: bool = False,
    ) -> None:
        self._view = view
        self._processes = {title(process): process for process in processes}
        self._state = state
        self._allow_non_durable = allow_non_durable
        self._evict_alive = evict_alive
        self._allow_restart = allow_restart
        self._allow_offline_group = allow_offline_group
        self._before: set[str] = set()

    @property
    def lost(self) -> list[Process]:
        """The processes that nothing starts again."""
        return [process for process in self._processes.values() if not self._comes_again(process)]

    def read(self, names: list[str]) -> dict[str, ProcessEndState]:
        seen = self._view.look("processes").processes
        return {name: self._leave(self._processes[name].start_id, seen) for name in names}

    def _leave(self, start_id: str, seen: dict[str, Process]) -> ProcessEndState:
        found: Union[Process, Tombstone, None] = seen.get(start_id) or self._view.process(start_id)
        if isinstance(found, Process):
            return ProcessEndState(found.durable_state, found.engine_state)
        return ProcessEndState("", tombstone=found)

    def decide(self, name: str, leave: ProcessEndState, history: History) -> Decision:
        stone, start_id = leave.tombstone, self._processes[name].start_id
        if not leave.durable:
            asked = self._state == STOPPED and (history.acted or history.joined)
            if asked and stone and stone.process.had_joined and not stone.is_graceful:
                return Fail(f"it did not shut down gracefully: {stone.words}", number="DBF-6552")
            return Done()  # a process that had not joined served nothing, so its end damaged nothing
        if self._comes_again(self._processes[name]) and not self._allow_restart:
            return Fail(
                "it is started from outside the domain, for example by Kubernetes, so a stop would only restart it",
                hint=f"allow_restart: true accepts a restart, and waits for its end; {external.TO_STOP}",
                number="DBF-6559",
            )
        domain = self._view.domain
        if self._state == KILLED:
            return Act("kill", partial(domain.shutdown_process, start_id, kill=True))
        if self._state == EVICTED:
            return Act("evict", partial(domain.shutdown_process, start_id, evict=True))
        if leave.durable == "REQUESTED_SHUTDOWN":
            return Wait(self.words(leave))
        return Act("shutdown", partial(domain.shutdown_process, start_id))

    def _comes_again(self, process: Process) -> bool:
        """Whether a pod or the like starts it again. An evicted process may belong to a pod that is gone."""
        return process.external and self._state != EVICTED

    @staticmethod
    def words(leave: ProcessEndState) -> str:
        """The state for people."""
        return f"{leave.durable}:{leave.engine}" if leave.durable else "gone"

    def guard(self) -> None:
        """The rules before a process ends: the database and its storage groups keep an SM, and only a process that
        doesn't answer is evicted."""
        snapshot = self._view.look()
        refuse_without_quorum(self._view.name, snapshot)
        ours = [
            snapshot.processes[one.start_id] for one in self._processes.values() if one.start_id in snapshot.processes
        ]
        if not self._allow_non_durable:
            self._refuse_last_storage(snapshot, ours)
        if not self._allow_offline_group:
            stay = without(snapshot, ours)  # with the last SM of a database, its TEs end too
            serving.refuse_taking_last(self._view, snapshot, stay, ours, "allow_offline_group: true")
        if self._state == EVICTED and not self._evict_alive:
            self._refuse_alive(snapshot, ours)

    def _refuse_last_storage(self, snapshot: Snapshot, ours: list[Process]) -> None:
        going = {process.start_id for process in ours}
        for name in dict.fromkeys(process.db_name for process in ours if process.is_storage):
            database = snapshot.databases.get(name)
            stay = [one for one in snapshot.processes_of(name) if one.is_storage and one.is_running]
            stay = [one for one in stay if one.start_id not in going]
            if database is not None and database.is_up and not stay:
                raise Refused(
                    f"{self._view.name}: nothing {self._state}: {name} would lose its last SM, become non-durable, and "
                    "all of its TEs would be shut down with it",
                    hint="nuodb_database state=stopped shuts a database down in order; allow_non_durable: true "
                    "accepts this",
                    failed_object=name,
                    last_state=database.state,
                    number="DBF-6553",
                )

    def _refuse_alive(self, snapshot: Snapshot, ours: list[Process]) -> None:
        alive = [one for one in ours if snapshot.is_connected(one.server_id) and not one.is_unheard]
        if alive:
            raise Refused(
                f"{self._view.name}: nothing evicted: {listing([one.title for one in alive], 4, ', ')} answers, and an "
                "engine that is evicted while it runs continues to write to its archive",
                hint="shut it down (state=stopped) or kill it (state=killed); evict_alive: true evicts it anyway",
                failed_object=" ".join(one.start_id for one in alive),
                last_state={one.start_id: one.state for one in alive},
                number="DBF-6555",
            )

    def stages(self) -> list[Stage]:
        """The stages: all processes ended, then those of pods running again."""
        again = [name for name, process in self._processes.items() if self._comes_again(process)]
        return [self._gone(), *([self._back(again)] if again and self._allow_restart else [])]

    def _gone(self) -> Stage:
        return Stage(
            noun="processes",
            done="gone",
            names=list(self._processes),
            read=Together(self.read),
            decide=self.decide,
            words=self.words,
            target=lambda _name, _state: ProcessEndState(""),
            guard=self.guard,
            poll=POLL_INTERVAL,
        )

    def _back(self, names: list[str]) -> Stage:
        def read(names: list[str]) -> dict[str, ProcessEndState]:
            seen = self._view.look("processes").processes
            self._before = self._before or set(seen)  # this stage takes its first look before any process ends
            return {name: self._successor(name, seen) for name in names}

        def decide(_name: str, there: ProcessEndState, _history: History) -> Decision:
            runs = (there.durable, there.engine) == (MONITORED, RUNNING)
            return Done() if runs else Wait(f"{self.words(there)}, its pod starts it again", by_this_run=True)

        return Stage(
            noun="processes",
            done="running again",
            names=names,
            read=Together(read),
            decide=decide,
            words=self.words,
            target=lambda _name, _state: ProcessEndState(MONITORED, RUNNING),
            poll=POLL_INTERVAL,
        )

    def _successor(self, name: str, seen: dict[str, Process]) -> ProcessEndState:
        """The process that came in place of one of ours."""
        mine = self._processes[name]
        alike = [one.start_id for one in self._processes.values() if _place(one) == _place(mine)]
        later = [key for key, one in seen.items() if _place(one) == _place(mine) and key not in self._before]
        came = in_order(later)[in_order(alike).index(mine.start_id) :]
        found = seen[came[0]] if came else None
        return ProcessEndState(found.durable_state, found.engine_state) if found else ProcessEndState("")


def _place(process: Process) -> tuple[Any, ...]:
    """What a process has in common with the one that its pod starts after it (NUODB-36)."""
    return process.db_name, process.engine_type, process.archive_id, process.labels.get("pod-name")


def without(snapshot: Snapshot, gone: list[Process]) -> Snapshot:
    """The domain as it would be without these processes: where a database loses its last SM, without its TEs too."""
    start_ids = {process.start_id for process in gone}
    stay = {key: process for key, process in snapshot.processes.items() if key not in start_ids}
    durable = {process.db_name for process in stay.values() if process.is_storage}
    lost = {process.db_name for process in gone if process.is_storage} - durable
    stay = {key: process for key, process in stay.items() if process.db_name not in lost}
    archives, databases = {**snapshot.archives}, {**snapshot.databases}
    for process in gone:
        number, name = process.archive_id, process.db_name
        if number in archives and archives[number].state == RUNNING:
            archives[number] = replace(archives[number], state=NOT_RUNNING)
        if name in databases and not any(one.db_name == name for one in stay.values()):
            databases[name] = replace(databases[name], state=NOT_RUNNING)
        elif name in databases and process.is_storage and databases[name].is_up:
            databases[name] = replace(databases[name], state=AWAITING_SOME)
    return replace(snapshot, processes=stay, archives=archives, databases=databases)
