# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nodes that a task acts on, and their states."""

from __future__ import annotations

from typing import Any, Optional

from ..._convergence.workers import gather
from ..._errors import ClusterError
from ..._wording import listing
from ..api import capabilities as can
from ..api.states import BOOTING, LEAVING, LEAVING_WORDS, OFF_WORDS, OFFLINE, ONLINE, power_by
from ..log import Log
from ..selection import chosen
from ..view import ClusterView


def without(cluster: ClusterView, ignored: list[str]) -> list[str]:
    """All nodes of the cluster except the ignored ones.

    :raises ClusterError: if an ignored node doesn't exist, or no node is left.
    """
    nodes = cluster.nodes()
    if "all" in ignored:
        raise ClusterError(f"{cluster.name}: ignore_nodes: all would ignore every node; name the nodes to ignore")
    left_out = chosen_nodes(cluster, ignored, nodes) if ignored else []
    left = [node for node in nodes if node not in left_out]
    if nodes and not left:
        raise ClusterError(f"{cluster.name}: every node is ignored ({listing(nodes)}), so no node is left to use")
    return left


def chosen_nodes(cluster: ClusterView, wanted: list[str], known: list[str], others: tuple[str, ...] = ()) -> list[str]:
    """The nodes that the task names, in any spelling. See `selection.chosen`.

    :raises ClusterError: if the task names all nodes, and the server lists none.
    """
    spelt = [name if name == "all" else cluster.provider.node_name(name, known) for name in wanted]
    if "all" in spelt and not known:
        raise ClusterError(f"{cluster.name}: the server lists no nodes", number="DBF-3001")
    return chosen(cluster, spelt, known, "node", others)


def state_of(cluster: ClusterView, node: str, log: Optional[Log] = None) -> str:
    """The state of a node that should come up: online by its inventory, else by its status and the log."""
    if cluster.node_is_online(node):
        return ONLINE
    status = cluster.node_status(node).lower()
    if any(word in status for word in LEAVING_WORDS):
        return LEAVING
    if status not in OFF_WORDS and status != "suspended":
        return BOOTING
    return BOOTING if log and log.is_booting(node) else OFFLINE


def power_of(cluster: ClusterView, node: str) -> str:
    """The state of a node that should go down: online by its inventory, and off only if its status is a word for off.

    A missing inventory doesn't prove that a node is off: a node that boots has none yet, and a node that shuts down
    has none any more before its power is off.
    """
    up, power = cluster.node_is_online(node), power_by(cluster.node_told(node))
    return ONLINE if up and power != LEAVING else power


def still_on(cluster: ClusterView, nodes: list[str]) -> dict[str, str]:
    """The nodes that aren't off, with their states. A node whose status says that it is off costs only one call."""

    def read(node: str) -> str:
        told = cluster.node_told(node)
        return OFFLINE if told and power_by(told) == OFFLINE else power_of(cluster, node)

    return {node: state for node, state in gather(nodes, read).items() if state != OFFLINE}


def online_of(cluster: ClusterView, nodes: list[str]) -> dict[str, bool]:
    """Which of the nodes are online, read afresh, in as few calls as the server allows."""
    if not nodes:  # a user who may change volumes may have no right to list nodes
        return {}
    if cluster.provider.tells_nodes_together:
        states = cluster.node_states()
        return {node: states.get(node) == ONLINE for node in nodes}
    return gather(nodes, cluster.node_is_online)


def offline_nodes(cluster: ClusterView, nodes: list[str]) -> list[str]:
    """The nodes that aren't online, read afresh."""
    return [node for node, up in online_of(cluster, nodes).items() if not up]


def license_servers_of(cluster: ClusterView, names: list[Any]) -> list[str]:
    """The license servers as the cluster spells them; an empty list if such a cluster has no license servers."""
    if cluster.lacks(can.LICENSE_SERVERS):
        return []
    return list(dict.fromkeys(cluster.provider.node_name(name, []) for name in names))
