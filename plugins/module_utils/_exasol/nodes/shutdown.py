# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How nodes and license servers are brought online, and taken down in the safe order."""

from __future__ import annotations

import time
from functools import partial
from typing import Any, Callable, Optional

from ..._convergence.stage import Act, Decision, Done, Fail, History, Join, Stage
from ..._convergence.workers import gather
from ..._errors import ClusterError, Garbled, Refused, Unreachable, Untrusted
from ..._options import refuse_unknown
from ..._wording import listing
from ..api import capabilities as can
from ..api.addresses import places
from ..api.states import BOOTING, LEAVING, NOT_RUNNING, OFFLINE, ONLINE, STORAGED, SUSPENDED
from ..guards import refuse_under_databases
from ..log import Log
from ..view import AnyCluster

FINISHING = "up, its boot process not finished"
SILENT = "silent"
SPEAKING = "not silent yet"
SILENCE = 2.0
"""Seconds for which every URL must be silent before the last machine counts as down."""

NOBODY_TELLS = (Unreachable, Garbled, Untrusted)
"""What a read comes to where no majority of equal nodes is left that could tell of single ones."""

OFF_WORDS = ("", "unknown", "offline", "off", "down")
"""What getNodeState says of a node that is off, in lower case (facts 3.2, partly inferred)."""

LEAVING_WORDS = ("shut", "stop", "halt")
"""Parts of what it says of a node that goes down (inferred, facts 6.2)."""


def chosen(
    cluster: AnyCluster, wanted: list[str], known: list[str], noun: str, others: tuple[str, ...] = ()
) -> list[str]:
    """The names that are meant; C(all) are all that are known.

    :param others: names that may be named, but aren't among C(all).
    :raises ClusterError: no name, or one that isn't there.
    """
    if noun == "node":
        wanted = [name if name == "all" else cluster.provider.node_name(name, known) for name in wanted]
    if not wanted:
        raise ClusterError(f"{cluster.name}: no {noun} is named; name them, or say all")
    if "all" in wanted:
        if not known and noun == "node":
            raise ClusterError(f"{cluster.name}: the cluster names no nodes")
        return known
    refuse_unknown(cluster.name, noun, [name for name in wanted if name not in others], known)
    return list(dict.fromkeys(wanted))


def without(cluster: AnyCluster, ignored: list[str]) -> list[str]:
    """All nodes but these.

    :raises ClusterError: one that isn't there, or all of them.
    """
    nodes = cluster.nodes()
    if "all" in ignored:
        raise ClusterError(f"{cluster.name}: ignore_nodes: all would ignore every node; name them")
    left_out = chosen(cluster, ignored, nodes, "node") if ignored else []
    left = [node for node in nodes if node not in left_out]
    if nodes and not left:
        raise ClusterError(f"{cluster.name}: every node is ignored ({listing(nodes)}), so there is none left to use")
    return left


def state_of(cluster: AnyCluster, node: str, log: Optional[Log] = None) -> str:
    """The state of a node that should come up: online by its inventory, else booting where that can be told."""
    if cluster.node_is_online(node):
        return ONLINE
    status = cluster.node_status(node).lower()
    if any(word in status for word in LEAVING_WORDS):
        return LEAVING
    if status not in OFF_WORDS and status != "suspended":
        return BOOTING
    return BOOTING if log and log.is_booting(node) else OFFLINE


def online_of(cluster: AnyCluster, nodes: list[str]) -> dict[str, bool]:
    """Which of the nodes are online, read afresh, in as few calls as the server allows."""
    if not nodes:  # who may change volumes needn't be allowed to see nodes
        return {}
    if cluster.provider.tells_nodes_together:
        states = cluster.node_states()
        return {node: states.get(node) == ONLINE for node in nodes}
    return gather(nodes, cluster.node_is_online)


def offline_nodes(cluster: AnyCluster, nodes: list[str]) -> list[str]:
    """Those of the nodes that aren't online, read afresh."""
    return [node for node, up in online_of(cluster, nodes).items() if not up]


class Arrival:
    """Reads nodes that are coming up, and asks the log whether their boot process finished.

    The message is asked of no node that was online when the run began. Where it doesn't come, that delays by
    C(patience) seconds and is then said: it may have come before the run began to look.
    """

    def __init__(self, cluster: AnyCluster, log: Optional[Log], patience: float, warn: Callable[[str], None]) -> None:
        self._cluster, self._log, self._patience, self._warn = cluster, log, patience, warn
        self._sent: set[str] = set()
        self._was_up: dict[str, bool] = {}
        self._up_since: dict[str, float] = {}

    def start(self, nodes: list[str]) -> None:
        """Powers nodes on. From the answer on they are known to boot; where that is lost, the server is asked."""
        self._sent.difference_update(nodes)
        self._cluster.start_nodes(nodes)
        self._sent.update(nodes)

    def read_all(self, nodes: list[str]) -> dict[str, str]:
        """Where the server tells of all nodes together."""
        states = self._cluster.node_states()
        found = {node: states.get(node, OFFLINE) for node in nodes}
        off = [node for node, state in found.items() if state == OFFLINE]
        booting = {*self._sent.intersection(off), *self._cluster.booting([n for n in off if n not in self._sent])}
        return {node: BOOTING if node in booting else state for node, state in found.items()}

    def read(self, node: str) -> str:
        if node in self._sent:
            state = ONLINE if self._cluster.node_is_online(node) else BOOTING
        else:
            state = state_of(self._cluster, node, self._log)
        was_up = self._was_up.setdefault(node, state == ONLINE)
        if state != ONLINE or was_up or self._log is None:
            return state
        since = self._up_since.setdefault(node, time.monotonic())
        if self._log.boot_finished(node):
            return ONLINE
        if time.monotonic() - since < self._patience:
            return FINISHING
        self._was_up[node] = True
        self._warn(
            f"{self._cluster.name}: {node} is online, but no message 'Boot process finished' came from it "
            f"in {self._patience:g} s"
        )
        return ONLINE


def online(cluster: AnyCluster, names: list[str], arrival: Arrival, power_on: bool, again: bool) -> Stage:
    """Nodes on.

    :param power_on: power them on; otherwise something else does and we only wait.
    :param again: do so for nodes that seem to be booting too.
    """
    cannot = cluster.lacks(can.POWER_ON) if power_on else None
    together = cluster.provider.tells_nodes_together

    def decide(node: str, state: str, history: History) -> Decision:
        if state == ONLINE:
            return Done()
        if state == SUSPENDED:
            return Fail(
                "suspended, so it doesn't come online", hint="take it back (exa_node state=resumed), or ignore it"
            )
        if state == OFFLINE or (state == BOOTING and again and not history.acted):
            if cannot:
                return Fail(f"{state}, and {cannot.partition(': ')[0]}", hint=cannot.partition(": ")[2])
            call = partial(arrival.start, [node])
            return (
                Act(_step(cluster, "start_node"), call, arrival.start if together else None)
                if power_on
                else Join(state)
            )
        return Join(state)

    return Stage(
        "nodes",
        ONLINE,
        names,
        arrival.read,
        decide,
        target=lambda _node, _state: ONLINE,
        read_all=arrival.read_all if together else None,
    )


def _step(cluster: AnyCluster, change: str) -> str:
    return cluster.provider.calls[change]


def offline(cluster: AnyCluster, names: list[str], license_servers: list[str], power_off: bool = True) -> list[Stage]:
    """Nodes off, in the safe order.

    :param names: nodes, and license servers where they are meant too.
    :param license_servers: all that the cluster has.
    :param power_off: power them off; otherwise something else does and we only wait.
    :raises Unsupported: nothing can power them off.
    """
    if power_off:
        cluster.require(can.POWER_OFF)
    departure = _Departure(cluster, power_off)
    if cluster.lacks(can.LICENSE_SERVERS):
        return departure.of_equals(names)
    return departure.behind_license_servers(names, license_servers)


def gone(cluster: AnyCluster, names: list[str]) -> list[Stage]:
    """Nodes that something else powers off, where the cluster tells of none any more.

    :raises ClusterError: fewer URLs than nodes, or nobody knows how many nodes there are.
    """
    seen = len(places(cluster.urls))
    if "all" in names or seen < len(set(names)):
        raise ClusterError(
            f"{cluster.name}: nothing tells of nodes any more, and the silence of api_url ({seen} of them) says "
            "nothing of " + ("nodes that it may not name" if "all" in names else f"{len(set(names))} nodes"),
            hint="name the nodes, and each of them in api_url",
        )
    return _Departure(cluster, power_off=False).of_silence(names)


def refuse_unseen(cluster: AnyCluster, states: dict[str, str]) -> None:
    """The rule before nodes that are equal go, all of them: each could be seen to be off."""
    unseen = [node for node in cluster.sight().unseen if states.get(node) == ONLINE]
    if unseen:
        raise Refused(
            f"{cluster.name}: nodes not powered off: nobody could tell whether {listing(unseen)} went off: api_url "
            "doesn't name every node, and they don't answer here at the addresses in node_list",
            hint=(
                "name every node in api_url, each by its own URL; or leave the hosts on "
                "(exa_graceful_shutdown_power: none) and power them off yourself"
            ),
            failed_object=" ".join(unseen),
            last_state=dict.fromkeys(unseen, ONLINE),
        )


class _Departure:
    """Nodes that are going down."""

    def __init__(self, cluster: AnyCluster, power_off: bool) -> None:
        self._cluster = cluster
        self._power_off = power_off

    def of_equals(self, names: list[str]) -> list[Stage]:
        """Every node may hold the API: once all that are on are named, they are down when nothing answers any more."""
        cluster = self._cluster
        told = cluster.node_states()
        every = all(node in names or told.get(node) != ONLINE for node in cluster.nodes())
        # What something else powers off may be going already: then it's the number of URLs that counts.
        if every and (self._power_off or len(places(cluster.urls)) < len(names)):
            refuse_unseen(cluster, told)

        def guard() -> None:
            refuse_under_databases(
                cluster, f"{listing(names)} not shut down", "a database that loses its nodes can lose data"
            )

        def states(nodes: list[str]) -> dict[str, str]:
            told = cluster.node_states()
            return {node: OFFLINE if told.get(node, OFFLINE) == OFFLINE else ONLINE for node in nodes}

        def leaving(nodes: list[str]) -> dict[str, str]:
            try:
                found = {node: SILENT if state == OFFLINE else state for node, state in states(nodes).items()}
            except NOBODY_TELLS:
                return self._silence(nodes)
            # Somebody told it, and that one is on.
            return found if set(found.values()) != {SILENT} else self._silence(nodes)

        if every:
            return [self._stage("nodes", SILENT, names, guard, read_all=leaving, steady=SILENCE)]
        return [self._stage("nodes", OFFLINE, names, guard, read_all=states)]

    def of_silence(self, names: list[str]) -> list[Stage]:
        """Nodes that may be gone already, and nobody is left who could tell."""
        return [self._stage("nodes", SILENT, names, None, read_all=self._silence, steady=SILENCE)]

    def _silence(self, nodes: list[str]) -> dict[str, str]:
        heard = self._cluster.answers()
        return dict.fromkeys(nodes, f"{SPEAKING} ({heard})" if heard else SILENT)

    def behind_license_servers(self, names: list[str], license_servers: list[str]) -> list[Stage]:
        """Nodes, then license servers, the one that holds EXAoperation at the very end."""
        cluster = self._cluster
        master = cluster.master()
        nodes = [name for name in names if name not in license_servers]
        others = [name for name in license_servers if name in names and name != master]
        last = [name for name in license_servers if name in names and name == master]

        def read(node: str) -> str:
            up, status = cluster.node_is_online(node), cluster.node_status(node).lower()
            if any(word in status for word in LEAVING_WORDS):
                return LEAVING  # its inventory goes before its power does
            return ONLINE if up or status == "running" else OFFLINE

        def read_last(_node: str) -> str:
            return ONLINE if cluster.answers() else SILENT

        def guard(noun: str, names: list[str]) -> None:
            refuse_unless_master_is(cluster, license_servers)
            _refuse_under_storage(cluster, names)
            if noun != "nodes":
                _refuse_before_nodes(cluster, names)

        stages = (("nodes", OFFLINE, nodes, read), ("license servers", OFFLINE, others, read))
        return [
            *(
                self._stage(noun, done, them, partial(guard, noun, them), read=reader)
                for noun, done, them, reader in stages
            ),
            self._stage(
                "EXAoperation", SILENT, last, partial(guard, "EXAoperation", last), read=read_last, steady=SILENCE
            ),
        ]

    def _stage(self, noun: str, done: str, names: list[str], guard: Optional[Callable[[], None]], **more: Any) -> Stage:
        more.setdefault("read", None)
        return Stage(noun, done, names, decide=self._decide, target=lambda _n, _s: done, guard=guard, **more)

    def _decide(self, node: str, state: str, _history: History) -> Decision:
        if state in (OFFLINE, SILENT):
            return Done()
        if state == LEAVING or state.startswith(SPEAKING):
            return Join(state)
        if not self._power_off:
            return Join(f"{state}, to be powered off by something else")
        stop = self._cluster.stop_nodes
        together = stop if self._cluster.provider.tells_nodes_together else None
        return Act(_step(self._cluster, "stop_node"), partial(stop, [node]), together)


def refuse_unless_master_is(cluster: AnyCluster, license_servers: list[str]) -> None:
    """The rule before anything is taken down (SOL-80): EXAoperation would move, or end, with the node that holds it."""
    master = cluster.master()
    if master not in license_servers:
        raise Refused(
            f"{cluster.name}: nothing shut down: EXAoperation is held by {master}, not by license server "
            f"{listing(license_servers)}, and it would end or move with that node in the middle of the shutdown",
            hint="move EXAoperation to the license server first; license_servers names the machines that count as such",
            failed_object=master,
            last_state=master,
        )


def _refuse_under_storage(cluster: AnyCluster, names: list[str]) -> None:
    state = cluster.services().get(STORAGED, "unknown")
    if state != NOT_RUNNING:
        raise Refused(
            f"{cluster.name}: {listing(names)} not shut down: {STORAGED} is {state!r}, "
            "and powering a node off under running EXAStorage can lose data",
            hint="stop EXAStorage first (exa_storage state=stopped); nothing overrides this",
            failed_object=STORAGED,
            last_state=state,
        )


def _refuse_before_nodes(cluster: AnyCluster, names: list[str]) -> None:
    nodes = [node for node in cluster.nodes() if node not in names]
    off = offline_nodes(cluster, nodes)
    up = [node for node in nodes if node not in off]
    if up:
        raise Refused(
            f"{cluster.name}: license server {listing(names)} not shut down: {listing(up)} still online, "
            "and nodes without a license server can neither be watched nor shut down in order",
            hint="shut the nodes down first (exa_node state=offline, nodes: all); nothing overrides this",
            failed_object=" ".join(names),
            last_state=dict.fromkeys(up, ONLINE),
        )


def license_servers_of(cluster: AnyCluster, names: list[Any]) -> list[str]:
    """Them as the cluster spells them; none where a cluster has none."""
    if cluster.lacks(can.LICENSE_SERVERS):
        return []
    return list(dict.fromkeys(cluster.provider.node_name(name, []) for name in names))


def refuse_unless_all_online(cluster: AnyCluster, ignored: list[str]) -> None:
    """The rule before EXAStorage is started (SOL-80: all nodes must be up before you proceed)."""
    nodes = without(cluster, ignored)
    if not nodes:
        raise Refused(f"{cluster.name}: EXAStorage not started: the cluster names no nodes", failed_object="nodes")
    off = offline_nodes(cluster, nodes)
    if off:
        raise Refused(
            f"{cluster.name}: EXAStorage not started: {listing(off)} offline, "
            "and volumes that start without their nodes lose redundancy or stay offline",
            hint="bring them online (exa_node state=online), or name them in ignore_nodes",
            failed_object=" ".join(off),
            last_state=dict.fromkeys(off, OFFLINE),
        )
