# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Adds nodes to a cluster and removes them from it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Callable, Optional

from ..._convergence.stage import Act, Decision, Done, Fail, History, Stage, Together
from ..._errors import ClusterError, Refused
from ..._options import refuse_unprintable
from ..._wording import listing, near
from ..api import capabilities as can
from ..api.cluster import Cluster
from ..api.nodes import NodeRow, WantedNode
from ..api.states import OFFLINE, SUSPENDED
from ..view import ClusterView
from .suspension import refuse_to_take

COMPARED = ("priv_net", "pub_net", "space_warn_threshold", "bg_rec_limit")
"""The settings that are compared with an existing node. The other settings count only when a node is added."""

NETS = ("priv_net", "pub_net")

FIELDS = tuple(asdict(WantedNode()))


def texts(cluster: ClusterView, nodes: list[Any], state: str) -> list[str]:
    """The names of nodes, for a state that takes only names.

    :raises ClusterError: if a node is given as a mapping.
    """
    if any(isinstance(node, dict) for node in nodes):
        raise ClusterError(f"{cluster.name}: state={state} takes the names of nodes, not mappings")
    return [str(node) for node in nodes]


def named(cluster: ClusterView, nodes: list[Any], state: str) -> list[Any]:
    """The nodes that the options name.

    :raises ClusterError: if there are none, or `all` is among them.
    """
    if not nodes or "all" in nodes:
        raise ClusterError(f"{cluster.name}: state={state} takes nodes by name, not all")
    return nodes


def wanted_of(cluster: ClusterView, given: list[Any]) -> list[WantedNode]:
    """The nodes that should exist, read from a name, a number or a mapping each.

    :raises ClusterError: if a value is wrong, or two nodes are the same.
    """
    wanted = [_new(cluster, row if isinstance(row, dict) else _by_text(row)) for row in given]
    labels = [label(node) for node in wanted]
    twice = [name for name in labels if labels.count(name) > 1]
    if twice:
        raise ClusterError(f"{cluster.name}: nodes: {twice[0]} is listed twice")
    for key in ("name", "nid", *NETS):
        values = [_address(getattr(node, key)) if key in NETS else getattr(node, key) for node in wanted]
        same = [name for name, value in zip(labels, values) if value and values.count(value) > 1]
        if same:
            raise ClusterError(f"{cluster.name}: nodes: {listing(same)} have the same {key}")
    return wanted


def _by_text(row: Any) -> dict[str, Any]:
    text = str(row).strip()
    return {"nid": text} if text.isdecimal() else {"name": text}


def _new(cluster: ClusterView, row: Mapping[str, Any]) -> WantedNode:
    given = {str(key): value for key, value in row.items() if value is not None}
    unknown = [key for key in given if key not in FIELDS]
    if unknown:
        known = near(unknown[0], list(FIELDS)) or f" (a node has {', '.join(FIELDS)})"
        raise ClusterError(f"{cluster.name}: nodes: a node has no {unknown[0]!r}{known}")
    for key in ("nid", "space_warn_threshold", "bg_rec_limit"):
        if key in given:
            given[key] = _number(cluster, key, given[key])
    for key in ("offline", "no_partition_extend"):
        if key in given and not isinstance(given[key], bool):
            raise ClusterError(f"{cluster.name}: nodes: {key} must be true or false, not {given[key]!r}")
    for key in ("name", *NETS):
        if key in given:
            given[key] = str(given[key]).strip()
    for key in NETS:
        if key in given and not _is_address(given[key]):
            raise ClusterError(
                f"{cluster.name}: nodes: {key} must be an address such as 10.10.10.14/24, not {given[key]!r}"
            )
    if given.get("name") == "":
        raise ClusterError(f"{cluster.name}: nodes: a name is empty")
    refuse_unprintable(f"{cluster.name}: node", given.get("name", ""))
    if given.get("nid") == 0 or given.get("space_warn_threshold", 0) > 100:
        raise ClusterError(f"{cluster.name}: nodes: nid must be more than 0, and space_warn_threshold at most 100")
    if not {"name", "nid", "priv_net"} & set(given):
        raise ClusterError(f"{cluster.name}: nodes: each node needs a name, nid or priv_net, and one node has none")
    return WantedNode(**given)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_interface(text)
    except ValueError:
        return False
    return True


def _number(cluster: ClusterView, key: str, value: Any) -> int:
    if isinstance(value, bool) or not str(value).strip().isdecimal():
        raise ClusterError(f"{cluster.name}: nodes: {key} must be a number, not {value!r}")
    return int(value)


def label(node: WantedNode) -> str:
    """How messages name a node that may not exist yet."""
    return node.name or (f"n{node.nid}" if node.nid is not None else str(node.priv_net))


def _address(net: Any) -> str:
    return str(net or "").partition("/")[0]


def _is_same_net(wanted: str, there: Any) -> bool:
    return str(there) == wanted if "/" in wanted else _address(there) == wanted


def there_is(node: WantedNode, rows: Mapping[str, NodeRow]) -> Optional[NodeRow]:
    """The existing node that the task describes: found by its number, else by its name, else by its address."""
    by_number = {row.nid: row for row in rows.values()}
    if node.nid is not None:
        return by_number.get(node.nid)
    if node.name is not None:
        return rows.get(node.name) or next((row for row in rows.values() if f"n{row.nid}" == node.name), None)
    return next((row for row in rows.values() if _is_same_net(str(node.priv_net), row.settings.get("priv_net"))), None)


class NodesPresent:
    """Nodes that should be part of the cluster.

    :param warn: takes a warning about settings that can't be compared.
    """

    def __init__(self, cluster: Cluster, wanted: list[WantedNode], warn: Callable[[str], None]) -> None:
        cluster.require(can.NODE_CONFIG)
        self._cluster = cluster
        self._api = cluster.node_config()
        self._wanted = {label(node): node for node in wanted}
        self._missing: dict[str, int] = {}
        """The nodes to add, each with the number of the stage that adds it."""
        rows = self._api.read()
        for name, node in self._wanted.items():
            row = there_is(node, rows)
            if row is None:
                self._refuse_taken(name, node, rows)
                self._api.check(node)
                self._missing[name] = 0 if node.nid is not None else 1 if node.name is not None else 2
                continue
            unseen = [key for key in COMPARED if key in node.given() and key not in row.settings]
            if unseen:
                warn(f"{cluster.name}: {name}: this run can't compare {listing(unseen)}: the server doesn't show it")

    def _refuse_taken(self, name: str, node: WantedNode, rows: Mapping[str, NodeRow]) -> None:
        """Refuses a new node with a name or address that another node already has."""
        for row in rows.values():
            taken = [key for key in NETS if self._meets(node, row, key)]
            if taken or row.name == node.name:
                what = f"{taken[0]} {row.settings[taken[0]]}" if taken else "that name"
                raise Refused(
                    f"{self._cluster.name}: {name} not added: node {row.nid} ({row.name}) already has {what}",
                    hint="choose another name or address, or name the node that is there",
                    failed_object=name,
                    last_state=row.as_dict(),
                    number="DBF-6210",
                )

    @staticmethod
    def _meets(node: WantedNode, row: NodeRow, key: str) -> bool:
        address = _address(getattr(node, key))
        return bool(address) and address == _address(row.settings.get(key))

    def read_all(self, names: list[str]) -> dict[str, Optional[NodeRow]]:
        """The existing nodes that these names describe, read with one call."""
        rows = self._api.read()
        return {name: there_is(self._wanted[name], rows) for name in names}

    def decide(self, name: str, row: Optional[NodeRow], history: History) -> Decision:
        node = self._wanted[name]
        if row is None:
            return Act(self._api.calls["add"], partial(self._api.add, node))
        if history.acted:
            other = self._differences(node, row, COMPARED if history.unsure else NETS)
            if other:
                return Fail(
                    f"somebody else has added node {row.nid} in its place: its {', '.join(other)}",
                    hint="give the values of that node, or choose another number or name",
                    number="DBF-6211",
                )
            return Done()
        other = self._differences(node, row, COMPARED)
        if other:
            return Fail(
                f"{', '.join(other)}, and this module can't change that of a node that is there",
                hint="change addresses with node_ip_batch (exa_job); give all other values when you add a node",
                number="DBF-6210",
            )
        return Done()

    @staticmethod
    def _differences(node: WantedNode, row: NodeRow, keys: tuple[str, ...]) -> list[str]:
        found = []
        if node.name is not None and node.name not in (row.name, f"n{row.nid}"):
            found.append(f"name is {row.name}, not {node.name}")
        for key in keys:
            value, there = getattr(node, key), row.settings.get(key)
            if value is None or there is None:
                continue
            equal = _is_same_net(value, there) if isinstance(value, str) else str(value) == str(there)
            found += [] if equal else [f"{key} is {there}, not {value}"]
        return found

    def stages(self) -> list[Stage]:
        """The stages. Nodes that ask for a number or a name come first: otherwise another new node could get it."""

        def target(name: str, row: Optional[NodeRow]) -> NodeRow:
            node = self._wanted[name]
            given = {key: value for key, value in node.given().items() if key in COMPARED}
            return row or NodeRow(node.name or name, node.nid or 0, given)

        first = min(self._missing.values(), default=0)
        ranks = {name: self._missing.get(name, first) for name in self._wanted}
        return [
            Stage(
                noun="nodes",
                done="present",
                names=names,
                read=Together(self.read_all),
                decide=self.decide,
                words=lambda row: f"present, {row.settings.get('priv_net', 'of unknown address')}" if row else "absent",
                target=target,
            )
            for names in ([name for name in ranks if ranks[name] == rank] for rank in sorted({*ranks.values()}))
        ]


@dataclass(frozen=True)
class MembershipState:
    """The state of a node that should be removed.

    :param row: None if the node doesn't exist any more.
    """

    row: Optional[NodeRow]
    state: str = OFFLINE

    def as_dict(self) -> Optional[dict[str, Any]]:
        return {**self.row.as_dict(), "state": self.state} if self.row else None


class NodesAbsent:
    """Nodes that should not be part of the cluster any more.

    :param confirmed: the names of the nodes that may be removed.
    :param force: whether nodes are removed although a volume or a stopped database uses them.
    """

    def __init__(self, cluster: Cluster, nodes: list[str], confirmed: list[str], force: bool) -> None:
        cluster.require(can.NODE_CONFIG)
        self._cluster, self._force = cluster, force
        self._api = cluster.node_config()
        known = list(self._api.read())
        self.names = list(dict.fromkeys(cluster.provider.node_name(node, known) for node in nodes))
        self._confirmed = [cluster.provider.node_name(node, known) for node in confirmed]

    def read_all(self, names: list[str]) -> dict[str, MembershipState]:
        """The nodes with their states, read with two calls."""
        rows = self._api.read()
        states = self._cluster.node_states() if any(name in rows for name in names) else {}
        return {name: MembershipState(rows.get(name), states.get(name, OFFLINE)) for name in names}

    def decide(self, name: str, member: MembershipState, history: History) -> Decision:
        if member.row is None:
            return Done()
        if name not in self._confirmed and not history.acted:
            return Fail(
                "state=absent removes it from the cluster, and confirm doesn't name it",
                hint=f"to allow this, set confirm: [{name}]",
                number="DBF-6209",
            )
        if member.state == SUSPENDED:
            return Fail(
                "suspended, and a suspended node can't be removed",
                hint="resume it first (state=resumed)",
                number="DBF-6209",
            )
        remove = partial(self._api.remove, force=self._force)
        return Act(self._api.calls["remove"], partial(remove, [name]), remove)

    def guard(self) -> None:
        """Refuses to remove nodes that the cluster, a volume or a database still needs."""
        rows = self._api.read()
        there = [name for name in self.names if name in rows]
        refuse_to_take(self._cluster, there, "removed", remain=False)
        users = self._api.users()
        used = {name: users[name] for name in there if users.get(name)}
        if used and not self._force:
            says = "; ".join(f"{name} has {listing(what)}" for name, what in used.items())
            raise Refused(
                f"{self._cluster.name}: {listing(list(used))} not removed: {says}, and without the node these lose "
                "redundancy or data",
                hint="move the volume to other nodes and remove the node from the database first; force: true removes "
                "the node anyway",
                failed_object=" ".join(used),
                last_state=used,
                number="DBF-6209",
            )

    def stages(self) -> list[Stage]:
        """The stage that removes all the nodes."""
        return [
            Stage(
                noun="nodes",
                done="absent",
                names=self.names,
                read=Together(self.read_all),
                decide=self.decide,
                words=lambda member: member.state if member.row else "absent",
                target=lambda _name, _member: MembershipState(None),
                guard=self.guard,
            )
        ]
