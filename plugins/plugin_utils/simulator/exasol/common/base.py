# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of a cluster that databases, volumes and backups use, with either server."""

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
    """A cluster of either provider. `administration` is the server that administers it."""

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
        """The refusal of that name, with the text of the settings."""

    @abstractmethod
    def node_called(self, value: Any) -> str:
        """The name of a node, from any form that a topology uses."""

    @abstractmethod
    def archive_name(self, name: str) -> str:
        """The name of an archive volume, from any form that a topology or a client uses."""

    @abstractmethod
    def archive_id(self, name: str) -> int | None:
        """The number of an archive volume."""

    @abstractmethod
    def services(self) -> list[list[str]]:
        """The name and state of each service."""

    @abstractmethod
    def machine_left(self, machine: Any, why: str) -> None:
        """Reacts to a machine that is no longer online: it shuts down, or has lost its power."""

    @abstractmethod
    def machine_came(self, machine: Any) -> None:
        """Reacts to a machine that is online."""

    def number(self, node: str) -> int:
        """The id of a node."""
        return int(node[1:]) if node[1:].isdigit() else 0
