# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Brings the reserve nodes and the active nodes of an existing database to the wanted state."""

from __future__ import annotations

from functools import partial
from typing import Callable, Optional

from ..._convergence.stage import Act, Decision, Done, Fail, History, Wait
from ..._wording import listing
from ..api.cluster import Cluster
from ..api.databases import DatabaseConfigApi, DatabaseConfigState
from ..api.states import RUNNING, SETUP, STARTING, STOPPING, Database
from .configuration import WantedDatabase
from .seen import State, busy, not_there
from .start_stop import database_words


class DatabaseNodes:
    """The nodes of a database that should exist.

    :param wanted: the wanted configuration; only `nodes` and `number` count here.
    :param enlarge: whether the database may get active nodes, after which the server starts it.
    """

    def __init__(self, cluster: Cluster, api: DatabaseConfigApi, wanted: WantedDatabase, enlarge: bool) -> None:
        self._cluster, self._api, self._wanted, self._enlarge = cluster, api, wanted, enlarge
        self._was_up = False

    def moves(self, there: DatabaseConfigState) -> tuple[list[str], list[str]]:
        """The reserve nodes to add, and the reserve nodes to remove."""
        wanted = self._wanted.nodes
        if wanted is None:
            return [], []
        return [node for node in wanted if node not in there.nodes], [
            node for node in there.reserve if node not in wanted
        ]

    def more(self, there: DatabaseConfigState) -> int:
        """How many active nodes are missing; less than 0 if there are too many."""
        number = self._wanted.number
        return number - there.number if number is not None and there.number is not None else 0

    def comes_up(self, there: DatabaseConfigState) -> bool:
        """Whether the server starts a database that has its active nodes: an earlier run has enlarged it."""
        database = there.database
        coming = database.phase in (RUNNING, *STARTING) and not database.accepts_connections
        return self._enlarge and coming and self._wanted.number is not None and not self.more(there)

    def refusal(self, there: DatabaseConfigState) -> Optional[Fail]:
        """Why the nodes can't be changed as wanted; None if they can."""
        wanted, more = self._wanted, self.more(there)
        active = [
            node for node in (*there.active, *there.failed) if wanted.nodes is not None and node not in wanted.nodes
        ]
        if active:
            return Fail(
                f"{listing(active)} is an active node of the database and missing in config.nodes, "
                "and no job removes an active node from a database",
                hint="name it in config.nodes too; db_suspend_nodes (exa_job) lets a reserve node take over from it",
                number="DBF-6204",
            )
        if more < 0:
            return Fail(
                f"it has {there.number} active nodes, not {wanted.number}, and no job removes an active node",
                hint="leave num_active_nodes out, or create a new database and restore a backup there",
                number="DBF-6204",
            )
        added, removed = self.moves(there)
        spare = [node for node in (*there.reserve, *added) if node not in removed]
        if more > len(spare):
            return Fail(
                f"it has {there.number} active nodes, not {wanted.number}, and only {len(spare)} in reserve",
                hint="name more nodes in config.nodes",
                number="DBF-6204",
            )
        if more and not self._enlarge:
            return Fail(
                f"it has {there.number} active nodes, not {wanted.number}; if it gets more, the server starts it",
                hint="to allow this, set enlarge: true (the database runs then)",
                number="DBF-6204",
            )
        if more and there.database.phase != SETUP and there.database.phase not in STOPPING:
            return Fail(
                f"{database_words(there.database)}; a database gets active nodes only while it is stopped",
                hint="stop it first (exa_database state=stopped)",
                number="DBF-6204",
            )
        return None

    def with_reserve(self, name: str, there: State, history: History) -> Decision:
        """Decides which reserve nodes to add."""
        return self._moved(name, there, history, "add_reserve", self._api.add_reserve)

    def without_reserve(self, name: str, there: State, history: History) -> Decision:
        """Decides which reserve nodes to remove."""
        return self._moved(name, there, history, "remove_reserve", self._api.remove_reserve)

    def _moved(
        self, name: str, there: State, history: History, change: str, call: Callable[[str, list[str]], None]
    ) -> Decision:
        if there is None:
            return not_there(history)
        refusal = None if history.acted else self.refusal(there)
        if refusal:
            return refusal
        nodes = self.moves(there)[0 if change == "add_reserve" else 1]
        return Act(self._api.calls[change], partial(call, name, nodes)) if nodes else Done()

    def enlarged(self, name: str, there: State, history: History) -> Decision:
        """Decides how the database gets its active nodes, and waits until it runs with them."""
        step = self._api.calls["enlarge"]
        if there is None:
            return not_there(history)
        database, more = there.database, self.more(there)
        if not more and (step in history.acted or self._was_up or self.comes_up(there)):
            return self._coming_up(name, database)
        if not more:
            return Done()
        refusal = None if step in history.acted else self.refusal(there) or busy(database)
        if refusal:
            return refusal
        if database.phase != SETUP:
            return Wait(database_words(database), then=(step,))
        return Act(step, partial(self._api.enlarge, name, more))

    def _coming_up(self, name: str, database: Database) -> Decision:
        """Waits until the server has started the database with its new nodes."""
        if database.accepts_connections:
            return Done()
        why = self._cluster.database_errors(name) if database.phase == SETUP else ""
        if why or (database.phase == SETUP and self._was_up):
            return Fail(
                "it has its new nodes but did not start",
                hint="start it (exa_database state=started)",
                number="DBF-6204",
            )
        self._was_up = self._was_up or database.phase != SETUP
        return Wait(database_words(database))
