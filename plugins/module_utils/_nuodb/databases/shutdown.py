# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""How databases are shut down, with the tombstones as proof."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import partial
from typing import Any

from ..._convergence.stage import SOMEBODY, Act, Decision, Done, Fail, History, Stage, Together, Wait
from ..._convergence.workers import gather
from ..._errors import Fault
from ..._wording import listing
from .. import external
from ..api.objects import (
    COMING,
    GOING,
    NOT_RUNNING,
    REQUESTED_SHUTDOWN,
    RUNNING,
    UP,
    Database,
    Process,
    Tombstone,
    in_order,
)
from ..guards import refuse_without_quorum
from ..view import POLL_INTERVAL, DomainView, Snapshot
from . import tombstones

ON_HOTCOPY = ("refuse", "wait", "cancel", "ignore")
"""What can be done about a hot copy of a database that should stop."""

SHUTDOWN = "shutdown database"
"""The step."""

LEAVE_OUT = "to leave this database out, name only the others (databases: [...])"


def running_hotcopies(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The hot copies that aren't over (NUODB-345)."""
    return [row for row in rows if str(row.get("status")).lower() == "running"]


@dataclass(frozen=True)
class DatabaseState:
    """A database that should stop.

    :param left: how many processes of each type there are.
    :param hotcopies: (start ID of the SM, ID) of the hot copies that run.
    :param ungraceful: the processes that did not exit gracefully, in the words of their tombstones.
    :param external: the sign that it is started from outside the domain; empty if it isn't.
    """

    state: str
    left: tuple[tuple[str, int], ...] = ()
    hotcopies: tuple[tuple[str, str], ...] = ()
    ungraceful: tuple[str, ...] = ()
    external: str = ""

    def as_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {"state": self.state, "processes": dict(self.left)}
        if self.hotcopies:
            found["hotcopies"] = [hotcopy_id for _start_id, hotcopy_id in self.hotcopies]
        return {**found, "ungraceful": list(self.ungraceful)} if self.ungraceful else found


class ShutDownDatabases:
    """Shuts databases down.

    :param on_hotcopy: one of `ON_HOTCOPY`.
    :param require_graceful: whether each process must have left a tombstone with exit code 0.
    """

    def __init__(self, view: DomainView, on_hotcopy: str = "refuse", require_graceful: bool = True) -> None:
        self._view = view
        self._on_hotcopy = on_hotcopy
        self._require_graceful = require_graceful
        self._known: dict[str, set[str]] = {}
        self._asked_to_go: set[str] = set()
        self._proofs: dict[str, DatabaseState] = {}

    def read(self, names: list[str]) -> dict[str, DatabaseState]:
        """Reads all databases with one look, and their hot copies until the shutdown was requested."""
        seen = self._view.look("databases", "processes", db_names=names)
        found: dict[str, DatabaseState] = {}
        for name in names:
            database = seen.databases.get(name) or Database(name, NOT_RUNNING)
            processes = seen.processes_of(name)
            self._known.setdefault(name, set()).update(process.start_id for process in processes)
            left = tuple(sorted(Counter(process.engine_type for process in processes).items()))
            found[name] = DatabaseState(database.state, left, external=external.sign(seen, name))
        up = [name for name in names if found[name].state in UP]
        copies = gather([name for name in up if name not in self._asked_to_go], self._running_copies)
        found.update({name: replace(found[name], hotcopies=rows) for name, rows in copies.items()})
        down = [name for name in names if found[name].state == NOT_RUNNING]
        self._proofs.update(self._proven([name for name in down if name not in self._proofs]))
        return {name: self._proofs.get(name, state) if name in down else state for name, state in found.items()}

    def _running_copies(self, name: str) -> tuple[tuple[str, str], ...]:
        if self._on_hotcopy == "ignore":
            return ()
        try:
            rows = running_hotcopies(self._view.hotcopies(name))
        except Fault as error:
            error.hint = "on_hotcopy: ignore shuts down without checking for hot copies; one that runs breaks off"
            raise
        return tuple((str(row.get("coordinatorStartId")), str(row.get("hotCopyId"))) for row in rows)

    def _proven(self, names: list[str]) -> dict[str, DatabaseState]:
        if not names or not self._require_graceful:
            return {}
        stones: dict[str, list[Tombstone]] = {name: [] for name in names}
        for stone in self._view.tombstones(names):
            stones[stone.process.db_name].append(stone)
        return {name: DatabaseState(NOT_RUNNING, (), (), self._ungraceful(name, stones[name])) for name in names}

    def _ungraceful(self, name: str, stones: list[Tombstone]) -> tuple[str, ...]:
        by_id = {stone.process.start_id: stone for stone in stones}
        known = self._known[name]
        if not known:
            return _crash(stones)
        lost = [f"start ID {start_id} left no tombstone" for start_id in in_order(list(known - set(by_id)))]
        exits = [by_id[start_id] for start_id in in_order(list(known & set(by_id)))]
        # A process that gave up before it joined served nothing, so its end damaged nothing.
        seen = [stone for stone in exits if stone.process.had_joined]
        # If a database went down because its last SM died, this run has seen only the TEs.
        before = () if any(stone.process.is_storage for stone in seen) else _crash(stones)
        return (*before, *(stone.words for stone in seen if not stone.is_graceful), *lost)

    def decide(self, name: str, closing: DatabaseState, history: History) -> Decision:
        if closing.state == NOT_RUNNING:
            return self._left(closing, history)
        if closing.external:
            return Fail(
                f"{external.says('it', closing.external)}, so a shutdown would only restart it",
                hint=f"{external.TO_STOP}; nothing overrides this here",
                number="DBF-6559",
            )
        if closing.state in GOING:
            return Wait(self.words(closing))
        if closing.state in COMING and history.acted:
            return Fail(f"being started ({closing.state}), and not by this run", hint=SOMEBODY, number="DBF-6151")
        if closing.state in COMING:
            return Wait(f"{closing.state}: a start is under way", then=(SHUTDOWN,))
        if closing.hotcopies:
            return self._copying(closing)
        if closing.state not in UP and not history.joined:
            return Fail(
                f"a shutdown is not known to be safe in state {closing.state!r}",
                hint=LEAVE_OUT,
                number="DBF-6510",
            )
        return Act(SHUTDOWN, partial(self._shutdown, name))

    def _left(self, closing: DatabaseState, history: History) -> Decision:
        if not closing.ungraceful:
            return Done()
        said = listing(list(closing.ungraceful), 4, "; ")
        if history.acted or history.joined:
            return Fail(
                f"it is down, but not every process shut down gracefully: {said}",
                hint="its next start (nuodb_recover) shows what was lost; require_graceful: false accepts this",
                number="DBF-6552",
            )
        return Fail(
            f"it is down, but nobody shut it down: {said}",
            hint="bring it back first (nuodb_recover), then shut it down; or accept how it ended with "
            "require_graceful: false; or, " + LEAVE_OUT,
            number="DBF-6552",
        )

    def _copying(self, closing: DatabaseState) -> Decision:
        ids = listing([hotcopy_id for _start_id, hotcopy_id in closing.hotcopies])
        if self._on_hotcopy == "wait":
            return Wait(f"busy: hot copy {ids} is running", then=(SHUTDOWN,))
        if self._on_hotcopy == "cancel":
            return Act(f"cancel hot copy {ids}", partial(self._cancel, closing.hotcopies), then=(SHUTDOWN,))
        return Fail(
            f"hot copy {ids} is running, and stopping now would break it off",
            hint="wait for its end (on_hotcopy: wait), or cancel it (on_hotcopy: cancel)",
            number="DBF-6551",
        )

    def _cancel(self, copies: tuple[tuple[str, str], ...]) -> None:
        for start_id, hotcopy_id in copies:
            self._view.domain.cancel_hotcopy(start_id, hotcopy_id)

    def _shutdown(self, name: str) -> None:
        self._asked_to_go.add(name)
        self._view.domain.shutdown_database(name)

    @staticmethod
    def words(closing: DatabaseState) -> str:
        """The state for people."""
        left = ", ".join(f"{count} {kind}" for kind, count in closing.left)
        return f"{closing.state} ({left})" if left else closing.state

    def guard(self) -> None:
        refuse_without_quorum(self._view.name, self._view.look("servers"))

    def stages(self, names: list[str]) -> list[Stage]:
        """The stage that brings all of them to NOT_RUNNING."""
        return [
            Stage(
                noun="databases",
                done=NOT_RUNNING,
                names=names,
                read=Together(self.read),
                decide=self.decide,
                words=self.words,
                target=lambda _name, _state: DatabaseState(NOT_RUNNING),
                guard=self.guard,
                falls_back=True,
                poll=POLL_INTERVAL,
            )
        ]


def _crash(stones: list[Tombstone]) -> tuple[str, ...]:
    """How the last SM of a database that was found down ended, if it did not shut down gracefully."""
    for ended in tombstones.by_incarnation(stones).values():
        if tombstones.reached_running(ended):
            last = [stone for stone in ended if stone.process.is_storage][-1:]
            return tuple(stone.words for stone in last if not stone.is_graceful)
    return ()


def predicted(snapshot: Snapshot, names: list[str]) -> Snapshot:
    """The domain as it would be when these databases are down."""
    stays = {key: process for key, process in snapshot.processes.items() if process.db_name not in names}
    archives = {
        key: replace(one, state=NOT_RUNNING) if one.db_name in names and one.state == RUNNING else one
        for key, one in snapshot.archives.items()
    }
    databases = {
        key: replace(one, state=NOT_RUNNING) if key in names else one for key, one in snapshot.databases.items()
    }
    gone = [process for process in snapshot.processes.values() if process.db_name in names]
    stones = snapshot.tombstones + [_graceful(process, snapshot.databases[process.db_name]) for process in gone]
    return replace(snapshot, processes=stays, archives=archives, databases=databases, tombstones=stones)


def _graceful(process: Process, database: Database) -> Tombstone:
    """The predicted tombstone of a process that shuts down on request."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    major, minor = database.incarnation
    # A process that was itself predicted has no node ID, which shows that a process had joined.
    node_id = 0 if process.node_id is None and process.is_running else process.node_id
    gone = replace(process, durable_state=REQUESTED_SHUTDOWN, node_id=node_id)
    return Tombstone(gone, (major, minor + (2 if process.is_storage else 1)), 0, f"({now}) predicted")
