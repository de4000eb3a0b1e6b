# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration of databases: the interface of a provider that can change it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from .states import Database


@dataclass(frozen=True)
class DatabaseConfigState:
    """A database with the configuration that the cluster shows.

    :param active: the nodes on which it runs, or would run; nodes that failed are in `failed`.
    :param number: how many active nodes it should have; None if that is unknown.
    :param settings: option of db_create (CONFD-62) -> its value, as the server writes it.
    :param complete: whether an option that is missing in `settings` is surely not set.
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
        """The database as modules return it."""
        nodes = {"active": list(self.active), "failed": list(self.failed), "reserve": list(self.reserve)}
        config = {**self.settings, "nodes": nodes, "num_active_nodes": self.number}
        return {**self.database.as_dict(), "config": config}


@dataclass(frozen=True)
class DataVolume:
    """A volume for the data of databases.

    :param users: the databases that have their data on it.
    """

    vid: int
    name: str
    users: tuple[str, ...] = ()


class DatabaseConfigApi(ABC):
    """Creates, configures and deletes databases. The methods raise what those of `Cluster` raise.

    Values have the names of db_create's parameters. Nodes are given by name, sizes as texts with a unit, a quota in GiB
    or with a unit, and several values as a list.

    :param calls: our name of a change -> its name in the server's manual.
    """

    calls: Mapping[str, str]

    @abstractmethod
    def read(self, name: str) -> Optional[DatabaseConfigState]:
        """One database, read afresh; None if there is none with this name."""

    @abstractmethod
    def volumes(self) -> list[DataVolume]:
        """The volumes that a database may use."""

    @abstractmethod
    def check(self, change: str, name: str, values: Mapping[str, Any]) -> None:
        """Makes sure that the server would accept these values. Changes nothing.

        :param change: a key of `calls`.
        :raises ClusterError: if a value is unknown, missing or of a wrong type.
        """

    @abstractmethod
    def takes(self, change: str, option: str) -> bool:
        """Whether the server's call for a change has that option."""

    @abstractmethod
    def create(self, name: str, values: Mapping[str, Any]) -> None:
        """Creates a database, which isn't started by that."""

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
        """Makes this number of reserve nodes of a stopped database active. The server then starts the database."""
