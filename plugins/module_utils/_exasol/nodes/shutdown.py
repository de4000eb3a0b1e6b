# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shuts nodes and license servers down in the safe order."""

from __future__ import annotations

from functools import partial
from typing import Callable, Optional, Union

from ..._convergence.stage import Act, Decision, Done, Each, Fail, History, Stage, Together, Wait
from ..._errors import ClusterError, Garbled, Refused, Unreachable, Untrusted
from ..._wording import listing
from ..api import capabilities as can
from ..api.addresses import places
from ..api.states import BOOTING, LEAVING, NOT_RUNNING, OFFLINE, ONLINE, STORAGED, UNKNOWN, power_by
from ..copies import ALLOW, refuse_last_copy
from ..guards import refuse_while_databases_run
from ..view import ClusterView
from .selection import power_of, still_on

SILENT = "silent"
SPEAKING = "not silent yet"
MOVED = "EXAoperation moved to "
SILENCE = 2.0
"""Seconds for which every URL must be silent before the last machine counts as down."""

NOBODY_TELLS = (Unreachable, Garbled, Untrusted)
"""What a read raises when so few equal nodes are left that no majority can report the states of nodes."""


def offline(
    cluster: ClusterView,
    names: list[str],
    license_servers: list[str],
    power_off: bool = True,
    allow_last_copy: bool = False,
) -> list[Stage]:
    """The stages that shut nodes down in the safe order.

    :param names: the nodes to shut down, and the license servers that should go down too.
    :param license_servers: all license servers of the cluster.
    :param power_off: whether we power the nodes off; otherwise something else does and we only wait.
    :param allow_last_copy: whether a node may go down that has the last good copy of data. It counts only for equal
        nodes, and only if others stay on.
    :raises Unsupported: if the API can't power nodes off.
    """
    if power_off:
        cluster.require(can.POWER_OFF)
    shutdown = NodeShutdown(cluster, power_off)
    if cluster.lacks(can.LICENSE_SERVERS):
        return shutdown.of_peers(names, allow_last_copy)
    return shutdown.nodes_then_license_servers(names, license_servers)


def already_off(cluster: ClusterView, names: list[str]) -> list[Stage]:
    """The stage for nodes that something else powers off, once no node answers any more.

    :raises ClusterError: if there are fewer URLs than nodes, or the number of nodes is unknown.
    """
    seen = len(places(cluster.urls))
    if "all" in names or seen < len(set(names)):
        raise ClusterError(
            f"{cluster.name}: no node answers any more, and api_url names only {seen} of them, so their silence can't "
            "prove " + ("that all nodes are off" if "all" in names else f"that {len(set(names))} nodes are off"),
            hint="name the nodes, and a URL of each of them in api_url",
            number="DBF-6157",
        )
    return NodeShutdown(cluster, power_off=False).by_silence(names)


def refuse_unreachable(cluster: ClusterView, states: dict[str, str]) -> None:
    """Refuses to power off all of the equal nodes if their silence couldn't be seen for each of them."""
    unseen = [node for node in cluster.reachability().unseen if states.get(node) == ONLINE]
    if unseen:
        raise Refused(
            f"{cluster.name}: nodes not powered off: nothing could confirm that {listing(unseen)} went off: api_url "
            "doesn't name every node, and these nodes don't answer here at their addresses in node_list",
            hint=(
                "name every node in api_url, each by its own URL; or leave the hosts on "
                "(exa_graceful_shutdown_power: none) and power them off yourself"
            ),
            failed_object=" ".join(unseen),
            last_state=dict.fromkeys(unseen, ONLINE),
            number="DBF-6157",
        )


class NodeShutdown:
    """Shuts nodes down and waits until they are off."""

    def __init__(self, cluster: ClusterView, power_off: bool) -> None:
        self._cluster = cluster
        self._power_off = power_off
        self._told: set[str] = set()

    def of_peers(self, names: list[str], allow_last_copy: bool) -> list[Stage]:
        """Stages for a cluster whose every node may run the API.

        If all nodes that are on go down, they count as down when nothing answers any more.
        """
        cluster = self._cluster
        told = cluster.node_states()
        every = all(node in names or told.get(node) != ONLINE for node in cluster.nodes())
        # Something else may already be powering the nodes off: then enough URLs are proof, one per node.
        if every and (self._power_off or len(places(cluster.urls)) < len(names)):
            refuse_unreachable(cluster, told)

        def guard() -> None:
            refuse_while_databases_run(
                cluster, f"{listing(names)} not shut down", "a database that loses its nodes can lose data", "DBF-6156"
            )
            if not every and not allow_last_copy:  # if all nodes go down, their disks don't change
                refuse_last_copy(cluster, names, [one for one in told if told[one] == ONLINE], "shut down", ALLOW)

        if every:
            return [self._stage("nodes", SILENT, names, guard, Together(self._leaving), steady=SILENCE)]
        return [self._stage("nodes", OFFLINE, names, guard, Together(self._states))]

    def _states(self, nodes: list[str]) -> dict[str, str]:
        told = self._cluster.node_states()
        return {node: OFFLINE if told.get(node, OFFLINE) == OFFLINE else ONLINE for node in nodes}

    def _leaving(self, nodes: list[str]) -> dict[str, str]:
        try:
            found = {node: SILENT if state == OFFLINE else state for node, state in self._states(nodes).items()}
        except NOBODY_TELLS:
            return self._silence(nodes)
        # A node answered with these states, so at least that node is on.
        return found if set(found.values()) != {SILENT} else self._silence(nodes)

    def by_silence(self, names: list[str]) -> list[Stage]:
        """The stage for nodes that may be off already and whose states nobody reports now.

        If a majority still runs, it will report the states again.
        """
        return [self._stage("nodes", SILENT, names, None, Together(self._leaving), steady=SILENCE)]

    def _silence(self, nodes: list[str]) -> dict[str, str]:
        heard = self._cluster.answers()
        return dict.fromkeys(nodes, f"{SPEAKING} ({heard})" if heard else SILENT)

    def nodes_then_license_servers(self, names: list[str], license_servers: list[str]) -> list[Stage]:
        """The stages for the nodes, then the license servers, and last the one that runs EXAoperation."""
        cluster = self._cluster
        master = cluster.master()
        nodes = [name for name in names if name not in license_servers]
        others = [name for name in license_servers if name in names and name != master]
        last = [name for name in license_servers if name in names and name == master]
        if others or last:
            refuse_strange_license_servers(cluster, license_servers)

        read = partial(power_of, cluster)

        def read_last(node: str) -> str:
            if node in self._told and not cluster.answers():
                return SILENT
            try:
                holder = cluster.master()
            except ClusterError:  # EXAoperation is shutting down, or gone
                return ONLINE if node in self._told or cluster.answers() else SILENT
            if holder != node:
                return f"{MOVED}{holder}"
            # A killed run may have sent the shutdown already: EXAoperation still answers for a while.
            going = node not in self._told and power_by(cluster.node_told(node)) == LEAVING
            return LEAVING if going else ONLINE

        def guard(noun: str, names: list[str]) -> None:
            refuse_unless_master_is(cluster, license_servers)
            _refuse_under_storage(cluster, names)
            if noun != "nodes":
                _refuse_before_nodes(cluster, names)

        return [
            self._stage("nodes", OFFLINE, nodes, partial(guard, "nodes", nodes), Each(read)),
            self._stage("license servers", OFFLINE, others, partial(guard, "license servers", others), Each(read)),
            self._stage("EXAoperation", SILENT, last, partial(guard, "EXAoperation", last), Each(read_last), SILENCE),
        ]

    def _stage(
        self,
        noun: str,
        done: str,
        names: list[str],
        guard: Optional[Callable[[], None]],
        read: Union[Each, Together],
        steady: float = 0.0,
    ) -> Stage:
        def target(_name: str, _state: str) -> str:
            return done

        return Stage(
            noun=noun,
            done=done,
            names=names,
            read=read,
            decide=self._decide,
            target=target,
            guard=guard,
            causes=self._cluster.failure_of,
            steady=steady,
        )

    def _decide(self, node: str, state: str, _history: History) -> Decision:
        if state in (OFFLINE, SILENT):
            return Done()
        if state.startswith(MOVED):
            return Fail(
                f"{state}, which is not among the license servers to shut down, so that machine stays on",
                "name every license server of the cluster in exa_license_servers, then run it again",
                number="DBF-6153",
            )
        if state == LEAVING or state.startswith(SPEAKING):
            return Wait(state)
        if not self._power_off:
            return Wait(f"{state}, to be powered off by something else")
        step = self._cluster.provider.calls["stop_node"]
        if state == BOOTING:
            return Wait(f"{state}, to be shut down once it is online", then=(step,), against=True)
        together = self._stop if self._cluster.provider.tells_nodes_together else None
        return Act(step, partial(self._stop, [node]), together)

    def _stop(self, nodes: list[str]) -> None:
        self._cluster.stop_nodes(nodes)
        self._told.update(nodes)


def refuse_unless_master_is(cluster: ClusterView, license_servers: list[str]) -> None:
    """Refuses a shutdown while EXAoperation runs on a node (EAO-140): it would move or end with that node."""
    master = cluster.master()
    if master not in license_servers:
        raise Refused(
            f"{cluster.name}: nothing shut down: EXAoperation runs on {master}, not on license server "
            f"{listing(license_servers)}, and it would end or move in the middle of the shutdown, with that node",
            hint="move EXAoperation to the license server first; license_servers lists the license servers",
            failed_object=master,
            last_state=master,
            number="DBF-6152",
        )


def refuse_strange_license_servers(cluster: ClusterView, license_servers: list[str]) -> None:
    """Refuses to shut license servers down unless the task names exactly those of the cluster.

    A license server that the cluster doesn't know would count as off. EXAoperation would move to one that the task
    doesn't name, and would never be silent.
    """
    states = cluster.license_server_states(license_servers)
    unknown = [name for name in license_servers if states.get(name) == UNKNOWN]
    unnamed = [name for name, state in states.items() if state == ONLINE and name not in license_servers]
    if not (unknown or unnamed):
        return
    there = [name for name, state in states.items() if state != UNKNOWN]
    found = [
        f"the cluster doesn't know {listing(unknown)}, which would count as off" if unknown else "",
        f"{listing(unnamed)} is online and can run EXAoperation, but is neither a node nor named as license server: "
        "EXAoperation would move there and go on answering"
        if unnamed
        else "",
    ]
    given = f"with license servers {listing(license_servers)}"
    raise Refused(
        f"{cluster.name}: nothing shut down {given}: {'; '.join(filter(None, found))}",
        hint=f"name every license server of the cluster in exa_license_servers (license_servers): {listing(there)}",
        failed_object=" ".join([*unknown, *unnamed]),
        last_state=states,
        number="DBF-6153",
    )


def _refuse_under_storage(cluster: ClusterView, names: list[str]) -> None:
    state = cluster.services().get(STORAGED, "unknown")
    if state != NOT_RUNNING:
        raise Refused(
            f"{cluster.name}: {listing(names)} not shut down: {STORAGED} is {state!r}, "
            "and powering a node off under running EXAStorage can lose data",
            hint="stop EXAStorage first (exa_storage state=stopped); nothing overrides this",
            failed_object=STORAGED,
            last_state=state,
            number="DBF-6160",
        )


def _refuse_before_nodes(cluster: ClusterView, names: list[str]) -> None:
    nodes = [node for node in cluster.nodes() if node not in names]
    up = still_on(cluster, nodes)
    if up:
        states = listing(sorted(set(up.values())), between=", ")
        raise Refused(
            f"{cluster.name}: license server {listing(names)} not shut down: {listing([*up])} still {states}, "
            "and without a license server nobody can watch these nodes or shut them down in order",
            hint="shut the nodes down first (exa_node state=offline, nodes: all); nothing overrides this",
            failed_object=" ".join(names),
            last_state=up,
            number="DBF-6162",
        )
