# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Powers nodes on and waits until they take part in the cluster."""

from __future__ import annotations

import time
from functools import partial
from typing import Callable, Optional

from ..._convergence.pace import PollInterval
from ..._convergence.stage import Act, Decision, Done, Each, Fail, History, Stage, Together, Wait
from ..api import capabilities as can
from ..api.states import BOOTING, LEAVING, OFFLINE, ONLINE, SUSPENDED
from ..log import Log
from ..view import ClusterView
from .glance import Glance
from .selection import state_of

POLL_INTERVAL = PollInterval(first=0.4, share=0.02)
"""A machine takes minutes to boot, and one call shows whether single nodes are worth a call each."""

FINISHING = "up, but its boot process has not finished"


class NodeBoot:
    """Reads the states of nodes that boot, and looks in the log for the end of their boot process.

    A node that was online when the run began needs no message. If the message of another node is missing, the run
    waits `patience` seconds, then warns and goes on: the message may be older than the run.
    """

    def __init__(self, cluster: ClusterView, log: Optional[Log], patience: float, warn: Callable[[str], None]) -> None:
        self._cluster, self._log, self._patience, self._warn = cluster, log, patience, warn
        self._sent: set[str] = set()
        self._was_up: dict[str, bool] = {}
        self._up_since: dict[str, float] = {}
        self._glance = Glance(cluster)
        self._came: set[str] = set()

    def start(self, nodes: list[str]) -> None:
        """Powers nodes on. After the answer they count as booting; if the answer is lost, the server is asked."""
        self._sent.difference_update(nodes)
        self._cluster.start_nodes(nodes)
        self._glance.begin(nodes)
        self._sent.update(nodes)

    def read_all(self, nodes: list[str]) -> dict[str, str]:
        """The states of these nodes, where one call of the server shows all nodes."""
        states = self._cluster.node_states()
        found = {node: states.get(node, OFFLINE) for node in nodes}
        off = [node for node, state in found.items() if state == OFFLINE]
        self._came.update(node for node in self._sent if found.get(node) == ONLINE)
        sent = self._sent.intersection(off) - self._came
        booting = {*sent, *self._cluster.booting([node for node in off if node not in sent])}
        return {node: BOOTING if node in booting else state for node, state in found.items()}

    def read(self, node: str) -> str:
        if node in self._sent:
            asks = node in self._came or self._glance.is_worth_a_call(node)
            state = ONLINE if asks and self._cluster.node_is_online(node) else BOOTING
            if state == ONLINE:  # the node must stay online, so each look reads its state
                self._came.add(node)
            elif node in self._came:
                state = state_of(self._cluster, node, self._log)
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


def online(cluster: ClusterView, names: list[str], node_boot: NodeBoot, power_on: bool, again: bool) -> Stage:
    """The stage that brings nodes online.

    :param power_on: whether we power the nodes on; otherwise something else does and we only wait.
    :param again: whether we also power on nodes that seem to be booting.
    """
    cannot = cluster.lacks(can.POWER_ON) if power_on else None
    together = cluster.provider.tells_nodes_together

    def decide(node: str, state: str, history: History) -> Decision:
        if state == ONLINE:
            return Done()
        if state == SUSPENDED:
            return Fail(
                "suspended, so it doesn't come online",
                hint="resume it (exa_node state=resumed), or leave it out (ignore_nodes)",
                number="DBF-6159",
            )
        if state == LEAVING:
            return Wait(state, against=True)
        if state == OFFLINE or (state == BOOTING and again and not history.acted):
            if cannot:
                return Fail(
                    f"{state}, and {cannot.partition(': ')[0]}", hint=cannot.partition(": ")[2], number="DBF-6159"
                )
            call = partial(node_boot.start, [node])
            return (
                Act(cluster.provider.calls["start_node"], call, node_boot.start if together else None)
                if power_on
                else Wait(state)
            )
        return Wait(state)

    return Stage(
        noun="nodes",
        done=ONLINE,
        names=names,
        read=Together(node_boot.read_all) if together else Each(node_boot.read),
        decide=decide,
        target=lambda _node, _state: ONLINE,
        causes=cluster.failure_of,
        poll=POLL_INTERVAL,
    )
