# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How nodes are marked as offline for good, and taken back."""

from __future__ import annotations

from functools import partial
from typing import Callable

from ..._convergence.stage import Act, Decision, Done, Each, Fail, History, Stage, Together
from ..._errors import Refused
from ..._wording import listing
from ..api import capabilities as can
from ..api.states import OFFLINE, ONLINE, SUSPENDED, Database
from ..view import ClusterView
from .selection import online_of


class Suspension:
    """Nodes of one cluster.

    :raises Unsupported: the cluster has no call for it.
    """

    def __init__(self, cluster: ClusterView) -> None:
        cluster.require(can.SUSPEND)
        self._cluster = cluster
        self._together = cluster.provider.tells_nodes_together

    def read(self, node: str) -> str:
        """The state of one node."""
        if self._cluster.node_is_suspended(node):
            return SUSPENDED
        return ONLINE if self._cluster.node_is_online(node) else OFFLINE

    def read_all(self, nodes: list[str]) -> dict[str, str]:
        """The states of several, where the server tells them together."""
        states = self._cluster.node_states()
        return {node: states.get(node, OFFLINE) for node in nodes}

    def suspended(self, node: str, state: str, _history: History) -> Decision:
        if state == SUSPENDED:
            return Done()
        if state == OFFLINE and not self._together:
            return Fail(
                "off, and EXAoperation suspends the storage of a node that is online",
                hint="bring it online first (exa_node state=online), or leave it out",
            )
        return self._act("suspend_node", self._cluster.suspend_nodes, node)

    def resumed(self, node: str, state: str, _history: History) -> Decision:
        if state != SUSPENDED:
            return Done()
        return self._act("resume_node", self._cluster.resume_nodes, node)

    def _act(self, change: str, call: Callable[[list[str]], None], node: str) -> Act:
        return Act(self._cluster.provider.calls[change], partial(call, [node]), call if self._together else None)

    def stages(self, names: list[str], state: str) -> list[Stage]:
        """The stage for `suspended` or `resumed`."""
        away = state == SUSPENDED

        def guard() -> None:
            refuse_to_take(self._cluster, names, "suspended", remain=True)

        return [
            Stage(
                noun="nodes",
                done=SUSPENDED if away else "resumed",
                names=names,
                read=Together(self.read_all) if self._together else Each(self.read),
                decide=self.suspended if away else self.resumed,
                target=lambda _node, now: SUSPENDED if away else ONLINE if now == SUSPENDED else now,
                guard=guard if away else None,
            )
        ]


def refuse_to_take(cluster: ClusterView, names: list[str], what: str, remain: bool, back: tuple[str, ...] = ()) -> None:
    """The rules before nodes that are online are taken from the cluster; read afresh.

    :param what: what would be done to them (`suspended`).
    :param remain: whether they count for the quorum afterwards.
    :param back: nodes that come back before.
    :raises Refused: a database that is up needs one, one is the master, or too few would be left.
    """
    nodes = cluster.nodes()
    online = list(dict.fromkeys([*taking_part(cluster, nodes), *back]))
    taken = [node for node in names if node in online]
    if not taken:
        return
    _refuse_under_database(cluster, taken, what)
    if cluster.lacks(can.LICENSE_SERVERS):
        _refuse_master(cluster, taken, what)
    left = [node for node in online if node not in taken]
    counted = len(nodes) if remain else len([node for node in nodes if node not in names])
    if len(left) * 2 <= counted:
        raise Refused(
            f"{cluster.name}: {listing(taken)} not {what}: {len(left)} of {counted} nodes would be left online, "
            "which is no majority, and without a quorum nothing works and nothing can be taken back",
            hint="bring other nodes online first, or take fewer; nothing overrides this",
            failed_object=" ".join(taken),
            last_state={node: ONLINE if node in online else OFFLINE for node in nodes},
        )


def taking_part(cluster: ClusterView, nodes: list[str]) -> list[str]:
    """Those of the nodes that are online and not suspended, read afresh."""
    return [node for node, up in online_of(cluster, nodes).items() if up and not _rests(cluster, node)]


def _rests(cluster: ClusterView, node: str) -> bool:
    """Whether a node is suspended, where one that is online may be so nonetheless."""
    return not cluster.provider.tells_nodes_together and cluster.node_is_suspended(node)


def _refuse_under_database(cluster: ClusterView, taken: list[str], what: str) -> None:
    up = [db for db in map(cluster.database, cluster.databases()) if not db.is_stopped]
    stand_in = "" if cluster.lacks(can.JOBS) else ", or let a reserve node stand in (db_suspend_nodes, by exa_job)"
    for database in up:
        reasons = needs(cluster, database, taken)
        if reasons:
            raise Refused(
                f"{cluster.name}: {listing(taken)} not {what}: {database.name} is {database.state} and "
                f"{'; '.join(reasons)}: it would lose what it runs on",
                hint=f"stop the database first (exa_database state=stopped){stand_in}; nothing overrides this",
                failed_object=" ".join(taken),
                last_state={database.name: database.as_dict()},
            )


def needs(cluster: ClusterView, database: Database, taken: list[str]) -> list[str]:
    """How a database depends on some nodes."""
    active = [node for node in cluster.database_nodes(database.name) if node in taken]
    reasons = [f"active on {listing(active)}"] if active else []
    volumes = cluster.volumes()
    for volume in volumes.all():
        held = [node for node in volume.nodes if node in taken]
        if held and database.name in volumes.databases_of(volume):
            reasons.append(f"has data on {listing(held)} (volume {volume.name})")
    return reasons


def _refuse_master(cluster: ClusterView, taken: list[str], what: str) -> None:
    master = cluster.provider.node_name(cluster.master(), cluster.nodes())
    if master in taken:
        raise Refused(
            f"{cluster.name}: {master} not {what}: it is the master, whose jobs would break off",
            hint="make another node the master first (job master_change, by exa_job); nothing overrides this",
            failed_object=master,
            last_state=master,
        )
