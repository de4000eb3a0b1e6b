# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A database and its configuration as they are looked at before they are changed."""

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
    """A database with its configuration, in the state that an earlier task of a preview would have left it in."""
    there = cluster.database_config().read(name)
    return there if there is None or view is cluster else replace(there, database=view.database(name))


def busy(database: Database) -> Optional[Fail]:
    """The rule before anything is changed."""
    if database.operation == IDLE:
        return None
    return Fail(
        f"operation {database.operation} is running", hint="wait for its end; nothing overrides this", number="DBF-6202"
    )


def not_there(history: History, *then: str) -> Decision:
    """What is decided of a database that isn't there, in the stages after its creation."""
    if history.first is not None:
        return Fail("it was there when this run began and is gone now", number="DBF-6203")
    return Wait("created first", then=then, by_this_run=True)
