# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Suspends and resumes the nodes of a cluster one by one: in which order, and when that is refused.

No source says what happens to a running database if a node is suspended on which it runs or has its data (CONFD-110). A
reserve node that takes over costs a restart and changes the nodes of the database (CONFD-70). So only nodes are taken
that no running database needs. EXAoperation has no such nodes: they are switched off only when EXAStorage isn't running
(EAO-143, EXA-12), as in a whole shutdown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from .._convergence.stage import Decision, Done, Stage, Together, Wait
from .._convergence.workers import gather
from .._errors import ClusterError, Failed, Refused
from .._wording import joined, listing
from . import copies
from .api import capabilities as can
from .api.states import IDLE, OK, ONLINE, SUSPENDED
from .api.volumes import ONLINE as WHOLE, Volume
from .nodes.selection import chosen_nodes
from .nodes.suspension import Suspension, needs, refuse_to_take
from .storage import service_words
from .view import ClusterView

GO_ON = "if a run was cut off at a node, name this node in cut_off (maintenance_rolling_cut_off)"

ENOUGH_COPIES = 2
"""The redundancy with which another node has a copy of each segment."""


@dataclass(frozen=True)
class RollingChoice:
    """The options.

    :param named: the nodes, in their order; an empty list is all nodes on which databases are active.
    :param cut_off: the node at which an earlier run was cut off.
    :param ignored: nodes that need not be online.
    """

    named: list[str]
    cut_off: Optional[str] = None
    ignored: tuple[str, ...] = ()


def refuse_under_storage(cluster: ClusterView) -> None:
    """The rule for servers that stop EXAStorage before nodes, such as EXAoperation.

    :raises Refused: the server is one of these.
    """
    if not cluster.lacks(can.STOP_STORAGE):
        raise Refused(
            f"{cluster.name}: no node taken out: nodes of {cluster.provider.server} are switched off only when "
            "EXAStorage isn't running, so you can't work on them one by one while the cluster is up",
            hint="shut the whole cluster down for the work (exa_graceful_shutdown; maintenance without "
            "maintenance_rolling); nothing overrides this",
            failed_object=cluster.name,
            number="DBF-6213",
        )


class Rolling:
    """A cluster whose nodes are suspended one by one.

    :raises Refused: that isn't possible with this server.
    """

    def __init__(self, cluster: ClusterView, choice: RollingChoice) -> None:
        refuse_under_storage(cluster)
        self._cluster = cluster
        self._nodes = cluster.nodes()
        self._cut_off = self._spelt([choice.cut_off])[0] if choice.cut_off else None
        self._ignored = self._spelt(list(choice.ignored))
        self.named = self._spelt(choice.named)
        self._suspension = Suspension(cluster)

    def _spelt(self, names: list[str]) -> list[str]:
        return chosen_nodes(self._cluster, names, self._nodes) if names else []

    def order(self) -> list[str]:
        """The nodes in their order. The node at which an earlier run was cut off comes first."""
        first = [self._cut_off] if self._cut_off else []
        found = self.named
        if not found:
            active = gather(self._cluster.databases(), self._cluster.database_nodes)
            found = [node for node in self._nodes if any(node in nodes for nodes in active.values())]
        if not found and not first:
            raise ClusterError(
                f"{self._cluster.name}: no database reports its active nodes, so name the nodes to work on (nodes)"
            )
        return list(dict.fromkeys([*first, *found]))

    def addresses(self, names: list[str]) -> dict[str, str]:
        """The addresses of the nodes; a name if the server doesn't report the address."""
        if self._cluster.lacks(can.NODE_CONFIG):
            return {name: name for name in names}
        rows = self._cluster.node_config().read()
        told = {name: str(row.settings.get("priv_net") or name) for name, row in rows.items()}
        return {name: told.get(name, name).partition("/")[0] for name in names}

    # -- the rules

    def refuse(self, names: list[str]) -> None:
        """The rules before the first of these nodes is suspended, and again before each of them.

        :raises Refused: the cluster isn't well, apart from the node at which a run was cut off, or it needs a node.
        """
        found, hints = self._ills(self._cut_off)
        needed = self._needed(names)
        if needed:
            found += needed
            hints.append(
                "no call takes a node from a database that is up: stop the database (exa_database state=stopped), or "
                "name nodes that it doesn't need, such as its reserve nodes (maintenance_rolling_nodes); nothing "
                "overrides this"
            )
        for node in [] if needed else names:
            back = (self._cut_off,) if self._cut_off and node != self._cut_off else ()
            try:
                refuse_to_take(
                    self._cluster, [node], "taken out", remain=True, back=back, last_copy="nothing overrides this"
                )
            except Refused as refusal:
                found.append(refusal.message.removeprefix(f"{self._cluster.name}: "))
                hints.append(refusal.hint or "")
        for volume in [] if needed else self._cluster.volumes().all():
            here = [node for node in names if node in volume.nodes]
            if here and volume.redundancy < ENOUGH_COPIES:
                found.append(f"volume {volume.name} has no second copy of the data on {listing(here)}")
                hints.append("raise its redundancy first (exa_volume); nothing overrides this")
        if found:
            raise Refused(
                f"{self._cluster.name}: {' '.join(names)}: no node taken out: {'; '.join(found)}",
                hint=joined(hints),
                failed_object=" ".join(names),
                number="DBF-6212",
            )

    def _needed(self, names: list[str]) -> list[str]:
        """The databases that are up and need one of these nodes, in words."""
        up = [one for one in map(self._cluster.database, self._cluster.databases()) if not one.is_stopped]
        reasons = {f"{one.name} is {one.state}": needs(self._cluster, one, names) for one in up}
        return [f"{words} and {'; '.join(why)}" for words, why in reasons.items() if why]

    def fail_unless_well(self, node: str) -> None:
        """The rule before the next node: the cluster is well again.

        :raises Failed: it isn't.
        """
        found, hints = self._ills(None)
        if found:
            raise Failed(
                f"{self._cluster.name}: {node} is back, but the cluster is not as well as before: {'; '.join(found)}",
                hint=joined(hints),
                failed_object=node,
                number="DBF-5007",
            )

    def _ills(self, cut_off: Optional[str]) -> tuple[list[str], list[str]]:
        """Everything that is not well, and what to do about it."""
        spared = [*self._ignored, *([cut_off] if cut_off else [])]
        away = {node: state for node, state in self._states().items() if state != ONLINE and node not in spared}
        found = [f"{node} is {state}" for node, state in away.items()]
        hints = ["bring the nodes online (exa_node), or name them in ignore_nodes", GO_ON] if away else []
        services = {} if cut_off else self._cluster.services()
        if any(state != OK for state in services.values()):
            found.append(f"services {service_words(services)}")
            hints.append("every service must be OK")
        hurt = [
            volume for volume in self._cluster.volumes().all() if not _is_well(volume) and not _is_on(volume, spared)
        ]
        found += [f"volume {volume.name} is {_volume_words(volume)}" for volume in hurt]
        rows = {volume.name: copies.state_of(volume) for volume in hurt}
        hints += ["wait until each volume is ONLINE", copies.hints(rows)] if hurt else []
        for name in self._cluster.databases():
            database = self._cluster.database(name)
            if not database.is_stopped and not database.accepts_connections:
                found.append(f"{name} is {database.state} and accepts no connections")
            if database.operation != IDLE:
                found.append(f"{name} has operation {database.operation}")
                hints.append("wait until the operation ends")
        return found, hints

    def _states(self) -> dict[str, str]:
        return self._suspension.read_all(self._nodes)

    # -- out and back

    def suspended(self, node: str) -> list[Stage]:
        return self._suspension.stages([node], SUSPENDED)

    def whole(self) -> list[Stage]:
        """The stages that wait until every service is OK and each volume has all of its copies."""
        volumes = self._cluster.volumes()

        def services(_names: list[str]) -> dict[str, dict[str, str]]:
            return {"services": self._cluster.services()}

        def rows(names: list[str]) -> dict[str, Optional[Volume]]:
            there = {volume.name: volume for volume in volumes.all()}
            return {name: there.get(name) for name in names}

        names = [volume.name for volume in volumes.all() if not _is_on(volume, self._ignored)]
        return [
            Stage(
                noun="services",
                done=OK,
                names=["services"],
                read=Together(services),
                decide=lambda _name, row, _history: _awaited(
                    all(state == OK for state in row.values()), service_words(row)
                ),
                words=service_words,
            ),
            Stage(
                noun="volumes",
                done=WHOLE,
                names=names,
                read=Together(rows),
                decide=lambda _name, row, _history: _awaited(row is None or _is_well(row), _volume_words(row)),
                words=_volume_words,
            ),
        ]

    def resumed(self, node: str) -> list[Stage]:
        return self._suspension.stages([node], "resumed")

    def would_be_resumed(self, node: str) -> list[Stage]:
        """The stages of `resumed` for a preview, in which the node was not really suspended."""
        stages = self.resumed(node)
        for stage in stages:
            stage.read = Together(lambda names: dict.fromkeys(names, SUSPENDED))
        return stages


def _awaited(done: bool, words: str) -> Decision:
    return Done() if done else Wait(words)


def _is_well(volume: Volume) -> bool:
    return volume.is_whole and volume.state.upper() == WHOLE


def _is_on(volume: Volume, nodes: list[str]) -> bool:
    return any(node in volume.nodes for node in nodes)


def _volume_words(volume: Optional[Volume]) -> str:
    if volume is None:
        return "gone"
    return f"{volume.state} ({listing(list(volume.away), 4, ', ')})" if volume.away else volume.state
