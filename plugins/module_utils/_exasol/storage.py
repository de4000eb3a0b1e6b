# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts EXAStorage when every node is online, and stops it when every database is stopped."""

from __future__ import annotations

from .._convergence.stage import SOMEBODY, Act, Decision, Done, Each, Fail, History, Stage, Wait
from .._errors import Refused
from .._wording import bare, listing
from .api import capabilities as can
from .api.states import NOT_RUNNING, OFFLINE, OK, STORAGED
from .guards import refuse_while_databases_run
from .nodes.selection import offline_nodes, without
from .view import ClusterView

NAME = "EXAStorage"
Services = dict[str, str]


def service_words(services: Services) -> str:
    """The services that aren't OK with their states, or `OK`."""
    bad = [f"{name} {bare(state)}" for name, state in services.items() if state != OK]
    return ", ".join(bad) or OK


def _goes_down(services: Services) -> bool:
    return any(word in services.get(STORAGED, "").lower() for word in ("stop", "shut"))


def started(cluster: ClusterView, ignored: list[str]) -> Stage:
    """The stage that starts EXAStorage and waits until every service is OK. If no call can start it, it only waits."""

    def start() -> None:
        cluster.start_storage([cluster.provider.node_name(node, []) for node in ignored])

    def decide(_name: str, services: Services, history: History) -> Decision:
        if all(state == OK for state in services.values()):
            return Done()
        if _goes_down(services):
            if history.acted:
                return Fail(
                    f"being stopped ({service_words(services)}), and not by this run", hint=SOMEBODY, number="DBF-6151"
                )
            then = () if cluster.lacks(can.START_STORAGE) else (cluster.provider.calls["start_storage"],)
            return Wait(service_words(services), then=then, against=True)
        by_itself = cluster.lacks(can.START_STORAGE)
        if services.get(STORAGED) == NOT_RUNNING and not by_itself:
            return Act(cluster.provider.calls["start_storage"], start)
        return Wait(f"{service_words(services)}; {by_itself}" if by_itself else service_words(services))

    return Stage(
        noun="services",
        done=OK,
        names=[NAME],
        read=Each(lambda _name: cluster.services()),
        decide=decide,
        words=service_words,
        target=lambda _name, services: dict.fromkeys(services, OK),
        falls_back=True,
        guard=lambda: refuse_unless_all_online(cluster, ignored),
    )


def stopped(cluster: ClusterView) -> Stage:
    """The stage that stops EXAStorage and waits until its state is `not running`.

    `decide` raises Unsupported if no call can stop it.
    """

    def decide(_name: str, services: Services, history: History) -> Decision:
        state = services.get(STORAGED, "unknown")
        if state == NOT_RUNNING:
            return Done()
        if _goes_down(services):
            return Wait(f"{STORAGED} {bare(state)}")
        if "start" in state.lower():
            if history.acted:
                return Fail(
                    f"being started ({STORAGED} {bare(state)}), and not by this run", hint=SOMEBODY, number="DBF-6151"
                )
            return Wait(f"{STORAGED} {bare(state)}", then=(cluster.provider.calls["stop_storage"],), against=True)
        cluster.require(can.STOP_STORAGE)
        return Act(cluster.provider.calls["stop_storage"], cluster.stop_storage)

    return Stage(
        noun="services",
        done=NOT_RUNNING,
        names=[NAME],
        read=Each(lambda _name: cluster.services()),
        decide=decide,
        words=service_words,
        target=lambda _name, services: {**services, STORAGED: NOT_RUNNING},
        falls_back=True,
        guard=lambda: refuse_while_databases_run(
            cluster, "EXAStorage not stopped", "a database that loses its storage can lose data", "DBF-6155"
        ),
    )


def refuse_unless_all_online(cluster: ClusterView, ignored: list[str]) -> None:
    """The rule before EXAStorage is started (EAO-136: all nodes must be up before the next step)."""
    nodes = without(cluster, ignored)
    if not nodes:
        raise Refused(
            f"{cluster.name}: EXAStorage not started: the cluster names no nodes",
            failed_object="nodes",
            number="DBF-6101",
        )
    off = offline_nodes(cluster, nodes)
    if off:
        raise Refused(
            f"{cluster.name}: EXAStorage not started: {listing(off)} offline, "
            "and volumes that start without their nodes lose redundancy or stay offline",
            hint="bring them online (exa_node state=online), or name them in ignore_nodes",
            failed_object=" ".join(off),
            last_state=dict.fromkeys(off, OFFLINE),
            number="DBF-6101",
        )
