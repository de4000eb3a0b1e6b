# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts databases until they accept connections, and stops them while no operation runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Callable, Optional

from ..._convergence.pace import PollInterval
from ..._convergence.stage import SOMEBODY, Act, Decision, Done, Each, Fail, History, Stage, Wait
from ..._errors import ClusterError, Denied, Fault, NotSent, Refused
from ..api.states import IDLE, OK, RUNNING, SETUP, STARTING, STOPPING, WITHOUT_QUORUM, Database
from ..log import Log
from ..storage import service_words
from ..view import ClusterView

POLL_INTERVAL = PollInterval(first=0.4, share=0.03)
"""A database takes minutes to start, and each look costs two calls or more."""

LEAVE_OUT = "name only the other databases (databases: [...]) to leave it out."


def database_words(db: Database) -> str:
    """The state of a database for messages."""
    busy = f", operation {db.operation}" if db.operation != IDLE else ""
    if db.phase != RUNNING:
        return db.state + busy
    if db.connectible == WITHOUT_QUORUM:
        return f"{db.state}, not connectable while the cluster has no quorum{busy}"
    return db.state + (", accepts connections" if db.accepts_connections else ", not connectable yet") + busy


def say_where(databases: Iterable[Database], cluster: str, say: Callable[..., None]) -> None:
    """Prints the addresses of the databases that accept connections."""
    open_ones = [db for db in databases if db.accepts_connections and db.connection_string]
    say(*(f"[{cluster}] databases: {db.name} accepts connections at {db.connection_string}" for db in open_ones))


def _elsewhere(db: Database, history: History) -> Decision:
    """The decision for a state that no source describes (EXA-4).

    After a change of this run the database counts as on its way. A database that was found in such a state is refused.
    """
    if history.acted or history.joined:
        return Wait(db.state)
    why = "shows that it was never created" if db.phase == "none" else "is not one in which this is known to be safe"
    return Fail(f"state {db.state!r} {why}", hint=LEAVE_OUT, number="DBF-6105")


@dataclass
class Databases:
    """Starts, stops or restarts the databases of one cluster.

    :param on_operation: `refuse`, `wait` or `abort_backup`: what to do if an operation runs in a database to stop.
    :param force: whether databases are stopped at once, without care.
    :param warn: takes a warning about a check that couldn't be made.
    """

    cluster: ClusterView
    on_operation: str = "refuse"
    force: bool = False
    log: Optional[Log] = None
    warn: Callable[[str], object] = str

    def _call(self, change: str) -> str:
        """The server's name for one of our changes. The step has the same name."""
        return self.cluster.provider.calls[change]

    def _acted(self, history: History, *changes: str) -> bool:
        return any(self._call(change) in history.acted for change in changes)

    def started(self, name: str, db: Database, history: History) -> Decision:
        if db.accepts_connections:
            return Done()
        if db.phase == SETUP:
            if db.operation != IDLE and not history.acted:
                return Fail(
                    f"operation {db.operation} is running", hint=f"wait for its end, or {LEAVE_OUT}", number="DBF-6103"
                )
            return Act(self._call("start_database"), lambda: self.cluster.start_database(name))
        if db.phase in STOPPING and self._acted(history, "start_database"):
            return Fail(f"being stopped ({db.state}), and not by this run", hint=SOMEBODY, number="DBF-6151")
        if db.phase in STOPPING:
            return Wait(database_words(db), then=(self._call("start_database"),), against=True)
        if db.phase == RUNNING or db.phase in STARTING:
            return Wait(database_words(db))
        return _elsewhere(db, history)

    def stopped(self, name: str, db: Database, history: History) -> Decision:
        stopping = db.phase in STOPPING and self._acted(history, "force_stop_database")
        if self.force and db.phase in (RUNNING, *STARTING, *STOPPING) and not stopping:
            return Act(self._call("force_stop_database"), lambda: self.cluster.force_stop_database(name))
        if db.phase == SETUP and db.operation == IDLE:
            return Done()
        if db.phase in (RUNNING, SETUP) and db.operation != IDLE:
            return self._busy(name, db, history)
        if db.phase == RUNNING:
            return Act(self._call("stop_database"), partial(self._stop, name))
        if db.phase in STARTING and self._acted(history, "stop_database", "force_stop_database"):
            return Fail(f"being started ({db.state}), and not by this run", hint=SOMEBODY, number="DBF-6151")
        if db.phase in STARTING:
            return Wait(database_words(db), then=(self._call("stop_database"),), against=True)
        if db.phase in STOPPING:
            return Wait(database_words(db))
        return _elsewhere(db, history)

    def _stop(self, name: str) -> None:
        """Stops a database. If the server refuses because an operation has just begun, `on_operation` decides."""
        try:
            self.cluster.stop_database(name)
        except Fault as refused:
            if self.on_operation == "refuse" or not self._is_busy(name):
                raise
            raise NotSent(refused.message, failed_object=name, number=refused.number) from None

    def _is_busy(self, name: str) -> bool:
        try:
            return self.cluster.database(name).operation != IDLE
        except ClusterError:
            return False

    def _busy(self, name: str, db: Database, history: History) -> Decision:
        if self._acted(history, "stop_database", "force_stop_database"):
            return Wait(database_words(db))
        then = (self._call("stop_database"),) if db.phase == RUNNING else ()
        if self.on_operation == "wait":
            return Wait(f"operation {db.operation} is running", then=then)
        if self.on_operation == "abort_backup" and "backup" in db.operation.lower():
            return Act(self._call("abort_backup"), lambda: self.cluster.abort_backup(name), then=then)
        return Fail(
            f"operation {db.operation} is running, and stopping the database now would abort it",
            hint="wait for its end (on_operation: wait), or abort a backup (on_operation: abort_backup).",
            number="DBF-6154",
        )

    def restarted(self, name: str, db: Database, history: History) -> Decision:
        first: Database = history.first
        stopped_by_us = self._acted(history, "stop_database", "force_stop_database")
        if (
            self._acted(history, "start_database")
            or first.phase in STARTING
            or first.phase in STOPPING
            or db.phase == SETUP
        ):
            return self.started(name, db, history)
        if stopped_by_us and db.phase in STARTING:
            return self.started(name, db, history)
        decision = self.stopped(name, db, history)
        if not isinstance(decision, (Act, Wait)):
            return decision
        return replace(decision, then=(*decision.then, self._call("start_database")))

    def refuse_unless_services_ok(self) -> None:
        """Refuses to start a database unless every service is OK (EAO-137)."""
        try:
            services = self.cluster.services()
        except Denied as denied:
            # A user who may start databases may have no right to read services; this server checks EXAStorage itself.
            if not self.cluster.provider.starts_on_storage_alone:
                raise
            start = self._call("start_database")
            self.warn(f"{denied}; this run can't see whether EXAStorage runs: if not, the server refuses {start}")
            return
        if any(state != OK for state in services.values()):
            raise Refused(
                f"{self.cluster.name}: no database started: {service_words(services)}, "
                "and every service must be OK first",
                hint="run exa_cold_start, start EXAStorage alone (exa_storage state=started), or repair the service; "
                "nothing overrides this",
                failed_object=" ".join(name for name, state in services.items() if state != OK),
                last_state=services,
                number="DBF-6102",
            )

    def _news(self, names: list[str]) -> list[str]:
        return (self.log.news_of(names) if self.log else []) + self.cluster.news(names)

    def stages(self, names: list[str], state: str) -> list[Stage]:
        """The stage for `started`, `stopped` or `restarted`."""
        up = state != "stopped"

        def target(_name: str, db: Database) -> Database:
            return (
                db.with_(state=RUNNING, connectible="Yes")
                if up
                else db.with_(state=SETUP, connectible="No", operation=IDLE, connection_string="")
            )

        return [
            Stage(
                noun="databases",
                done="connectable" if up else SETUP,
                names=names,
                read=Each(self.cluster.database),
                decide=getattr(self, state),
                words=database_words,
                target=target,
                guard=self.refuse_unless_services_ok if up else None,
                causes=self.cluster.database_errors if up else self.cluster.failure_of,
                follow=partial(self._news, names),
                falls_back=True,
                poll=POLL_INTERVAL,
            )
        ]
