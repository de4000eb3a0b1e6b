# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration of nodes, and how they are added and removed: the interface of every provider."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Optional


@dataclass(frozen=True)
class NodeRow:
    """A node as configured.

    :param settings: option of node_add (CONFD-107) -> its value, as the server writes it; empty ones are left out.
    """

    name: str
    nid: int
    settings: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The node as modules return it."""
        return {"nid": self.nid, **self.settings}


@dataclass(frozen=True)
class WantedNode:
    """A node to add. An option that isn't given is None."""

    priv_net: Optional[str] = None
    name: Optional[str] = None
    nid: Optional[int] = None
    pub_net: Optional[str] = None
    space_warn_threshold: Optional[int] = None
    bg_rec_limit: Optional[int] = None
    offline: Optional[bool] = None
    no_partition_extend: Optional[bool] = None

    def given(self) -> dict[str, Any]:
        """The options that are given, with the names of node_add's parameters."""
        return {name: value for name, value in asdict(self).items() if value is not None}


class NodeConfigApi(ABC):
    """Adds and removes nodes. The methods raise what those of `Cluster` raise.

    :param calls: our name of a change -> its name in the server's manual.
    """

    calls: Mapping[str, str]

    @abstractmethod
    def read(self) -> dict[str, NodeRow]:
        """All nodes by name, read afresh."""

    @abstractmethod
    def users(self) -> dict[str, list[str]]:
        """Node -> the volumes and databases that use it, in words."""

    @abstractmethod
    def check(self, node: WantedNode) -> None:
        """Makes sure that the server would accept these options of a new node. Changes nothing.

        :raises ClusterError: if an option is unknown, missing or of a wrong type.
        """

    @abstractmethod
    def add(self, node: WantedNode) -> None:
        """Adds a node to the configuration."""

    @abstractmethod
    def remove(self, names: list[str], force: bool = False) -> None:
        """Removes nodes from the configuration.

        :param force: whether to remove nodes that a volume or a database uses.
        """
