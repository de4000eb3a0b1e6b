# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nodes as they are configured, and how they are added and removed: the interface that every provider speaks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Optional


@dataclass(frozen=True)
class NodeRow:
    """A node as configured.

    :param settings: option of node_add (CONFD-107) -> its value, as the server writes it; what is empty is left out.
    """

    name: str
    nid: int
    settings: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """What modules return of it."""
        return {"nid": self.nid, **self.settings}


@dataclass(frozen=True)
class WantedNode:
    """A node to be added; what is None isn't given."""

    priv_net: Optional[str] = None
    name: Optional[str] = None
    nid: Optional[int] = None
    pub_net: Optional[str] = None
    space_warn_threshold: Optional[int] = None
    bg_rec_limit: Optional[int] = None
    offline: Optional[bool] = None
    no_partition_extend: Optional[bool] = None

    def given(self) -> dict[str, Any]:
        """What is given, by the names of node_add's parameters."""
        return {name: value for name, value in asdict(self).items() if value is not None}


class NodeConfigApi(ABC):
    """Nodes as configured. Its methods raise what those of `Cluster` do.

    :param calls: what we call a change -> how the server's manual calls it.
    """

    calls: Mapping[str, str]

    @abstractmethod
    def read(self) -> dict[str, NodeRow]:
        """All nodes by name, read afresh."""

    @abstractmethod
    def users(self) -> dict[str, list[str]]:
        """Node -> what has its data there or runs there, in words."""

    @abstractmethod
    def check(self, node: WantedNode) -> None:
        """Makes sure that the server would take this of a new node. Changes nothing.

        :raises ClusterError: for what is unknown, missing or of a wrong type.
        """

    @abstractmethod
    def add(self, node: WantedNode) -> None:
        """Adds a node to the configuration."""

    @abstractmethod
    def remove(self, names: list[str], force: bool = False) -> None:
        """Removes nodes from the configuration.

        :param force: even those that a volume or a database has.
        """
