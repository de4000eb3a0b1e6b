# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How EXAStorage is started when every node is there, and stopped when no database needs it."""

from __future__ import annotations

from .._converge import Act, Decision, Done, History, Join, Stage
from .._errors import Refused
from .cluster import IDLE, NOT_RUNNING, OK, STORAGED
from .nodes import AnyCluster, refuse_unless_all_online

NAME = "EXAStorage"
Services = dict[str, str]


def words(services: Services) -> str:
    """The services that aren't well, or C(OK)."""
    bad = [f"{name} {state!r}" for name, state in services.items() if state != OK]
    return ", ".join(bad) or OK


def started(cluster: AnyCluster, ignored: list[str]) -> Stage:
    """EXAStorage on, and every service OK."""

    def decide(_name: str, services: Services, _history: History) -> Decision:
        if all(state == OK for state in services.values()):
            return Done()
        if services.get(STORAGED) == NOT_RUNNING:
            return Act("startEXAStorage", lambda: cluster.start_storage(ignored))
        return Join(words(services))

    return Stage(
        "services",
        OK,
        [NAME],
        lambda _name: cluster.services(),
        decide,
        words,
        target=lambda _name, services: dict.fromkeys(services, OK),
        guard=lambda: refuse_unless_all_online(cluster, ignored),
    )


def stopped(cluster: AnyCluster) -> Stage:
    """EXAStorage off: C(not running) is seen."""

    def decide(_name: str, services: Services, _history: History) -> Decision:
        state = services.get(STORAGED, "unknown")
        if state == NOT_RUNNING:
            return Done()
        if any(word in state.lower() for word in ("stop", "shut")):
            return Join(f"{STORAGED} {state!r}")
        return Act("stopEXAStorage", cluster.stop_storage)

    return Stage(
        "services",
        NOT_RUNNING,
        [NAME],
        lambda _name: cluster.services(),
        decide,
        words,
        target=lambda _name, services: {**services, STORAGED: NOT_RUNNING},
        guard=lambda: _refuse_under_databases(cluster),
    )


def _refuse_under_databases(cluster: AnyCluster) -> None:
    found = [cluster.database(name) for name in cluster.databases()]
    busy = [db for db in found if not db.is_stopped or db.operation != IDLE]
    if busy:
        says = ", ".join(
            f"{db.name} is {db.state}" + (f" (operation {db.operation})" if db.operation != IDLE else "") for db in busy
        )
        raise Refused(
            f"{cluster.name}: EXAStorage not stopped: {says}, and a database that loses its storage can lose data",
            hint="stop the databases first (exa_database state=stopped); nothing overrides this",
            failed_object=" ".join(db.name for db in busy),
            last_state={db.name: db.as_dict() for db in busy},
        )
