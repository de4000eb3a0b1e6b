# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is configured of databases and nodes: the interface that a provider speaks, where it can change that."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Optional

from .cluster import Database


@dataclass(frozen=True)
class Configured:
    """A database, and what the cluster tells of its configuration.

    :param active: the nodes it runs on, or would; those that failed are in C(failed).
    :param number: how many active nodes it should have; None where that can't be told.
    :param settings: option of db_create (facts 2.3) -> its value, as the server writes it.
    :param complete: whether what isn't in C(settings) isn't set either.
    """

    database: Database
    active: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    reserve: tuple[str, ...] = ()
    number: Optional[int] = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    complete: bool = False

    @property
    def nodes(self) -> tuple[str, ...]:
        """All of its nodes."""
        return tuple(dict.fromkeys((*self.active, *self.failed, *self.reserve)))

    def as_dict(self) -> dict[str, Any]:
        """What modules return of it."""
        nodes = {"active": list(self.active), "failed": list(self.failed), "reserve": list(self.reserve)}
        config = {**self.settings, "nodes": nodes, "num_active_nodes": self.number}
        return {**self.database.as_dict(), "config": config}


@dataclass(frozen=True)
class DataVolume:
    """A volume that may hold a database.

    :param users: the databases whose data it holds.
    """

    vid: int
    name: str
    users: tuple[str, ...] = ()


class DatabaseConfigApi(ABC):
    """Databases as configured. Its methods raise what those of C(Cluster) do.

    Values are by the names of db_create's parameters; nodes by name, sizes as texts with a unit, a quota in GiB or with
    a unit, what may be several as lists.

    :param calls: what we call a change -> how the server's manual calls it.
    """

    calls: Mapping[str, str]

    @abstractmethod
    def read(self, name: str) -> Optional[Configured]:
        """One database, read afresh; None where there is none of that name."""

    @abstractmethod
    def volumes(self) -> list[DataVolume]:
        """The volumes that a database may use."""

    @abstractmethod
    def check(self, change: str, name: str, values: Mapping[str, Any]) -> None:
        """Makes sure that the server would take these values. Changes nothing.

        :param change: in C(calls).
        :raises ClusterError: for what is unknown, missing or of a wrong type.
        """

    @abstractmethod
    def create(self, name: str, values: Mapping[str, Any]) -> None:
        """Creates a database. It isn't started."""

    @abstractmethod
    def configure(self, name: str, values: Mapping[str, Any]) -> None:
        """Changes the configuration of a database that is stopped."""

    @abstractmethod
    def delete(self, name: str) -> None:
        """Deletes a database that is stopped, with its data."""

    @abstractmethod
    def add_reserve(self, name: str, nodes: list[str]) -> None:
        """Gives a database reserve nodes."""

    @abstractmethod
    def remove_reserve(self, name: str, nodes: list[str]) -> None:
        """Takes reserve nodes from a database."""

    @abstractmethod
    def enlarge(self, name: str, number: int) -> None:
        """Makes so many reserve nodes of a stopped database active. The server starts it then."""


@dataclass(frozen=True)
class NodeRow:
    """A node as configured.

    :param settings: option of node_add (facts 2.3) -> its value, as the server writes it; what is empty is left out.
    """

    name: str
    nid: int
    settings: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """What modules return of it."""
        return {"nid": self.nid, **self.settings}


@dataclass(frozen=True)
class NewNode:
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
    """Nodes as configured. Its methods raise what those of C(Cluster) do.

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
    def check(self, node: NewNode) -> None:
        """Makes sure that the server would take this of a new node. Changes nothing.

        :raises ClusterError: for what is unknown, missing or of a wrong type.
        """

    @abstractmethod
    def add(self, node: NewNode) -> None:
        """Adds a node to the configuration."""

    @abstractmethod
    def remove(self, names: list[str], force: bool = False) -> None:
        """Removes nodes from the configuration.

        :param force: even those that a volume or a database has.
        """
