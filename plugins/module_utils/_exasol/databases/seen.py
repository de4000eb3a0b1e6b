# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a database and its configuration, with the rules that all changes share."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from ..._convergence.stage import Decision, Fail, History, Wait
from ..api.cluster import Cluster
from ..api.databases import DatabaseConfigState
from ..api.states import IDLE, Database
from ..view import ClusterView

State = Optional[DatabaseConfigState]


def read(cluster: Cluster, view: ClusterView, name: str) -> State:
    """A database with its configuration. In a preview it has the state that earlier tasks would have left."""
    there = cluster.database_config().read(name)
    return there if there is None or view is cluster else replace(there, database=view.database(name))


def busy(database: Database) -> Optional[Fail]:
    """The refusal of any change while an operation runs; None if none runs."""
    if database.operation == IDLE:
        return None
    return Fail(
        f"operation {database.operation} is running", hint="wait for its end; nothing overrides this", number="DBF-6202"
    )


def not_there(history: History, *then: str) -> Decision:
    """The decision about a missing database, in the stages after its creation."""
    if history.first is not None:
        return Fail("it was there when this run began and is gone now", number="DBF-6203")
    return Wait("created first", then=then, by_this_run=True)
