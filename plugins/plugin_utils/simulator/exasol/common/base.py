# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What databases, volumes and backups ask of their cluster, whoever administers it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ... import cluster
from ...cluster import UsageError

if TYPE_CHECKING:
    from .databases import Database
    from .logs import Log
    from .machines import Machine
    from .remote_volumes import RemoteVolumes
    from .storage import Storage
    from .volumes import Volumes


class ExasolCluster(cluster.Cluster):
    """Either provider's; the machines and databases call who administers it `administration`."""

    log: Log
    machines: Mapping[str, Machine]
    databases: Mapping[str, Database]
    down: set[str]
    storage: Storage
    volumes: Volumes
    remote_volumes: RemoteVolumes
    administration: Any

    def refuse(self, text: str) -> UsageError:
        return UsageError(text)

    @abstractmethod
    def refusal(self, which: str, /, **values: Any) -> UsageError:
        """The refusal of that name as the settings word it."""

    @abstractmethod
    def node_called(self, value: Any) -> str:
        """A node's name, however a topology writes it."""

    @abstractmethod
    def archive_name(self, name: str) -> str:
        """An archive volume's own name, whatever a topology or a client calls it."""

    @abstractmethod
    def archive_id(self, name: str) -> int | None:
        """Its number."""

    @abstractmethod
    def services(self) -> list[list[str]]:
        """Name and state of each service."""

    @abstractmethod
    def machine_left(self, machine: Any, why: str) -> None:
        """A machine is no longer online: it shuts down, or its power is gone."""

    @abstractmethod
    def machine_came(self, machine: Any) -> None:
        """A machine is online."""

    def number(self, node: str) -> int:
        """A node's id."""
        return int(node[1:]) if node[1:].isdigit() else 0
