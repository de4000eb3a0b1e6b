# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deletes databases."""

from __future__ import annotations

from functools import partial

from ..._convergence.stage import Act, Decision, Done, Each, Fail, History, Stage, Wait
from ..api import capabilities as can
from ..api.cluster import Cluster
from ..api.states import STOPPING
from ..view import ClusterView
from .seen import State, busy, read
from .start_stop import database_words


class DatabasesAbsent:
    """Deletes databases with their data.

    :param confirmed: the names of the databases that may be deleted.
    """

    def __init__(self, cluster: Cluster, view: ClusterView, confirmed: list[str]) -> None:
        cluster.require(can.DATABASE_CONFIG)
        self._cluster, self._view, self._confirmed = cluster, view, confirmed
        self._api = cluster.database_config()

    def decide(self, name: str, there: State, history: History) -> Decision:
        """Decides how a database is deleted, and whether it may be."""
        if there is None:
            return Done()
        database = there.database
        if name not in self._confirmed and not history.acted:
            return Fail(
                "state=absent deletes it with all its data, and confirm doesn't name it",
                hint=f"to allow this, set confirm: [{name}]",
                number="DBF-6205",
            )
        if database.phase in STOPPING:
            return Wait(database_words(database), then=(self._api.calls["delete"],))
        if not database.is_stopped:
            return Fail(
                f"{database_words(database)}; a database is deleted only while it is stopped",
                hint="stop it first (exa_database state=stopped); nothing overrides this",
                number="DBF-6205",
            )
        return busy(database) or Act(self._api.calls["delete"], partial(self._api.delete, name))

    def stages(self, names: list[str]) -> list[Stage]:
        """The stage that deletes all the databases."""
        return [
            Stage(
                noun="databases",
                done="absent",
                names=names,
                read=Each(partial(read, self._cluster, self._view)),
                decide=self.decide,
                words=lambda there: database_words(there.database) if there else "absent",
                target=lambda _name, _there: None,
            )
        ]
