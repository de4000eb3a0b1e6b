# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is configured of databases: the interface that a provider speaks, where it can change that."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from .states import Database


@dataclass(frozen=True)
class DatabaseConfigState:
    """A database, and what the cluster tells of its configuration.

    :param active: the nodes it runs on, or would; those that failed are in `failed`.
    :param number: how many active nodes it should have; None where that can't be told.
    :param settings: option of db_create (CONFD-62) -> its value, as the server writes it.
    :param complete: whether what isn't in `settings` isn't set either.
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
    """Databases as configured. Its methods raise what those of `Cluster` do.

    Values are by the names of db_create's parameters; nodes by name, sizes as texts with a unit, a quota in GiB or with
    a unit, what may be several as lists.

    :param calls: what we call a change -> how the server's manual calls it.
    """

    calls: Mapping[str, str]

    @abstractmethod
    def read(self, name: str) -> Optional[DatabaseConfigState]:
        """One database, read afresh; None where there is none of that name."""

    @abstractmethod
    def volumes(self) -> list[DataVolume]:
        """The volumes that a database may use."""

    @abstractmethod
    def check(self, change: str, name: str, values: Mapping[str, Any]) -> None:
        """Makes sure that the server would take these values. Changes nothing.

        :param change: in `calls`.
        :raises ClusterError: for what is unknown, missing or of a wrong type.
        """

    @abstractmethod
    def takes(self, change: str, option: str) -> bool:
        """Whether the server's call for a change has that option."""

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
