# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration of nodes, by ConfD's jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..api.nodes import NodeConfigApi, NodeRow, WantedNode
from .answers import NodeAnswer, is_database, is_names, is_nodes, is_volumes, nodes_of
from .databases import configured
from .jobs import ConfdJobs


class ConfdNodeConfig(NodeConfigApi):
    """Uses node_list, node_add and node_remove."""

    calls = {"add": "node_add", "remove": "node_remove"}

    def __init__(self, jobs: ConfdJobs, node_ids: Callable[[list[str]], list[int]]) -> None:
        self._jobs = jobs
        self._node_ids = node_ids

    def read(self) -> dict[str, NodeRow]:
        rows = self._jobs.read("node_list", fits=is_nodes)
        found = [_node(node) for node in nodes_of(rows)]
        return {node.name: node for node in found}

    def users(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in self._jobs.read("db_list", fits=is_names):
            info = self._jobs.read("db_info", {"db_name": name}, of=name, fits=is_database)
            for node in configured(name, info).nodes:
                found.setdefault(node, []).append(f"database {name}")
        names = {str(node.nid): node.name for node in self.read().values()}
        for row in self._jobs.read("st_volume_list", fits=is_volumes):
            for node in _volume_nodes(row):
                found.setdefault(names.get(node, node), []).append(f"volume {row.get('name') or row.get('id')}")
        return found

    def check(self, node: WantedNode) -> None:
        self._jobs.parameters("node_add", node.given(), of=_called(node))

    def add(self, node: WantedNode) -> None:
        self._jobs.execute("node_add", node.given(), of=_called(node))

    def remove(self, names: list[str], force: bool = False) -> None:
        given = {"force": True} if force else {}
        self._jobs.execute_on("node_remove", dict(zip(names, self._node_ids(names))), **given)


def _called(node: WantedNode) -> str:
    return node.name or str(node.nid or node.priv_net)


def _volume_nodes(row: Mapping[str, Any]) -> list[str]:
    listed = [one.get("id") if isinstance(one, dict) else one for one in row.get("nodes_list") or []]
    return list(dict.fromkeys(str(one) for one in [*listed, *(row.get("volume_nodes") or [])]))


def _node(node: NodeAnswer) -> NodeRow:
    """A row of node_list, with the names of node_add's parameters."""
    row = node.row
    known = {
        "priv_net": row.get("private_net"),
        "pub_net": row.get("public_net"),
        "space_warn_threshold": row.get("space_warn_threshold"),
        "bg_rec_limit": row.get("bg_rec_limit"),
    }
    settings = {key: value for key, value in known.items() if value not in (None, "")}
    return NodeRow(node.name, node.number, settings)
