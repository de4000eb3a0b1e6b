# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The interface to an Exasol cluster, which every provider implements, with states in our words.

No module asks which provider it uses. The provider itself reports what it can't do: `Cluster.lacks`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Optional

from ..._errors import Unsupported
from . import capabilities as can
from .providers import Provider
from .states import Database, Reachability

if TYPE_CHECKING:
    from .backups import BackupApi
    from .databases import DatabaseConfigApi, DatabaseConfigState
    from .jobs import JobApi
    from .nodes import NodeConfigApi
    from .volumes import RemoteVolumeApi, VolumeApi


class Cluster(ABC):
    """One Exasol cluster.

    Every method may raise `ClusterError`: `Unreachable` and `Garbled` if a read got no usable answer, `Denied` and
    `Fault` if the server refused, and `AnswerLost` for a change. Names are spelt as the cluster spells them.

    :param name: the cluster's name in messages.
    :param use_infra: whether the deployment's own jobs for its instances may power nodes on and off.
    """

    name: str
    provider: Provider
    use_infra: bool = False

    # -- capabilities

    def lacks(self, capability: str) -> Optional[str]:
        """Why the API lacks a capability, and what to do instead; None if it has the capability."""
        return self.provider.lacks(capability, self.use_infra, self.infra_refusal)

    def unsupported(self, capability: str) -> Unsupported:
        """The error of a call that this provider lacks on every cluster."""
        return Unsupported(f"{self.name}: {self.provider.lacking[capability]}", failed_object=capability)

    def require(self, capability: str) -> None:
        """Makes sure that the API has a capability.

        :raises Unsupported: if it lacks the capability, with the text of `lacks`.
        """
        why = self.lacks(capability)
        if why:
            raise Unsupported(f"{self.name}: {why}", failed_object=capability)

    def infra_refusal(self) -> Optional[str]:
        """Why the deployment's jobs for instances can't be used, in the server's words. Changes nothing.

        :returns: an empty text if the deployment has no such jobs, None if they may be used.
        """
        return ""

    # -- reads

    @abstractmethod
    def nodes(self) -> list[str]:
        """All defined nodes, whatever their state, without the license servers."""

    def identity(self) -> list[str]:
        """Values that identify the cluster, whichever URL is used; empty if the server doesn't report any."""
        return []

    @abstractmethod
    def node_is_online(self, node: str) -> bool:
        """Whether the node is up, by its hardware inventory."""

    @abstractmethod
    def node_status(self, node: str) -> str:
        """The server's own word for the node's state, or an empty text if it has none."""

    def node_told(self, node: str) -> Optional[str]:
        """As `node_status`, but None if the call fails, as it may while a node boots."""
        return self.node_status(node)

    def seen_online(self) -> Optional[frozenset[str]]:
        """The nodes that one call shows online; None if there is no such call. No decision may rest on it."""
        return None

    def node_states(self) -> dict[str, str]:
        """The states of all nodes by one call: `ONLINE`, `OFFLINE` or `SUSPENDED`.

        Only where the provider `tells_nodes_together`.
        """
        raise Unsupported(f"{self.name}: {self.provider.server} reports one node at a time")

    def booting(self, nodes: list[str]) -> list[str]:
        """The offline nodes whose hosts are known to be on."""
        return []

    @abstractmethod
    def services(self) -> dict[str, str]:
        """The cluster services and their states."""

    @abstractmethod
    def databases(self) -> list[str]:
        """The names of all databases."""

    @abstractmethod
    def database(self, name: str) -> Database:
        """One database, read afresh."""

    @abstractmethod
    def database_summary(self, name: str) -> Database:
        """One database, read in as few calls as the server allows: good for a report, not for a decision."""

    @abstractmethod
    def database_layout(self, name: str) -> DatabaseConfigState:
        """A database with its nodes, its data volume and the rest of the configuration that the server shows."""

    def database_nodes(self, name: str) -> list[str]:
        """The nodes on which a database is active; empty if the server doesn't show them."""
        return list(self.database_layout(name).active)

    @abstractmethod
    def database_errors(self, name: str) -> str:
        """Why a database does not start, in the server's words; empty if the server gives no reason."""

    def failure_of(self, _name: str) -> str:
        """Why the last change failed that the server had accepted for this object; empty if it gives no reason."""
        return ""

    @abstractmethod
    def master(self) -> str:
        """The machine that runs the API, such as `n0010`."""

    @abstractmethod
    def version(self) -> Optional[str]:
        """The version of the software, or None if the server doesn't show it."""

    @abstractmethod
    def login_role(self) -> Optional[str]:
        """The role of our user, or None if the server doesn't show it."""

    def rights(self) -> Optional[str]:
        """The role of our user, after a read has shown that the API answers this user."""
        self.nodes()
        return self.login_role()

    @abstractmethod
    def log_services(self) -> list[str]:
        """The names of the log services."""

    def log_entries(self, service: str) -> list[dict[str, Any]]:
        """The messages of a log service, oldest first."""
        raise self.unsupported(can.LOG)

    @abstractmethod
    def plugins(self) -> list[str]:
        """The names of the installed plugins."""

    def reachability(self) -> Reachability:
        """Which nodes could be seen to be off: by default all, for an API that doesn't run on the nodes."""
        return Reachability(self.urls)

    def license_server_states(self, _names: list[str]) -> dict[str, str]:
        """The states of the named license servers, and of all other machines that are no nodes and could run the API.

        :return: `ONLINE`, `OFFLINE`, `BOOTING`, `LEAVING`, or `UNKNOWN` for a machine that the server doesn't know.
        """
        return {}

    @abstractmethod
    def answers(self) -> str:
        """The URLs of the cluster that still answer, for messages; empty if none does."""

    def license_end(self) -> str:
        """When the cluster's license ends, in the server's words."""
        raise self.unsupported(can.LICENSE_END)

    def news(self, names: list[str]) -> list[str]:
        """The server's actions for these objects since the last call of this method, one line each."""
        return []

    # -- parts: each raises Unsupported if the provider lacks it

    def jobs(self) -> JobApi:
        """Jobs by name."""
        raise self.unsupported(can.JOBS)

    @abstractmethod
    def backups(self) -> BackupApi:
        """Backups of databases, and their schedules."""

    @abstractmethod
    def volumes(self) -> VolumeApi:
        """EXAStorage volumes."""

    @abstractmethod
    def remote_volumes(self) -> RemoteVolumeApi:
        """Archive volumes on remote storage."""

    def database_config(self) -> DatabaseConfigApi:
        """Creating, configuring and deleting databases."""
        raise self.unsupported(can.DATABASE_CONFIG)

    def node_config(self) -> NodeConfigApi:
        """Adding and removing nodes."""
        raise self.unsupported(can.NODE_CONFIG)

    # -- changes

    @abstractmethod
    def start_nodes(self, nodes: list[str]) -> None:
        """Powers nodes on; more than one only where the provider `tells_nodes_together`."""

    @abstractmethod
    def stop_nodes(self, nodes: list[str]) -> None:
        """Shuts nodes, or a license server, down and powers them off; several only as with `start_nodes`."""

    @abstractmethod
    def suspend_nodes(self, nodes: list[str], disable: bool = False) -> None:
        """Marks nodes as offline for good; several only as with `start_nodes`.

        :param disable: marks them as disabled in the configuration too.
        """

    def collect(self, seconds: float) -> list[str]:
        """Fetches the results of the jobs that this run has begun, if they finish in this time.

        :returns: a sentence for each job that still runs.
        """
        return []

    def suspend_without_quorum(self, nodes: list[str]) -> None:
        """Marks nodes as offline for good while the quorum is lost and no state can be read."""
        raise self.unsupported(can.JOBS)

    def heard(self) -> list[str]:
        """The URLs of the cluster that answer in any way."""
        raise self.unsupported(can.JOBS)

    @abstractmethod
    def resume_nodes(self, nodes: list[str], enable: bool = False) -> None:
        """Resumes suspended nodes; several only as with `start_nodes`.

        :param enable: marks them as enabled in the configuration too.
        """

    @abstractmethod
    def node_is_suspended(self, node: str) -> bool:
        """Whether a node is marked as offline for good. Only for providers whose `node_states` doesn't show it."""

    def start_storage(self, ignored_nodes: list[str]) -> None:
        """Starts EXAStorage. The answer may come only when EXAStorage is up."""
        raise self.unsupported(can.START_STORAGE)

    def stop_storage(self) -> None:
        """Stops EXAStorage."""
        raise self.unsupported(can.STOP_STORAGE)

    @abstractmethod
    def start_database(self, name: str) -> None:
        """Begins to start a database."""

    @abstractmethod
    def stop_database(self, name: str) -> None:
        """Begins to stop a database; sessions end and are rolled back."""

    @abstractmethod
    def force_stop_database(self, name: str) -> None:
        """Begins to stop a database at once, without care."""

    @abstractmethod
    def abort_backup(self, name: str) -> None:
        """Aborts the backup that a database is taking."""

    def call_plugin(self, plugin: str, node: str, command: str, changing: bool = True) -> tuple[int, str]:
        """Runs a plugin's command on a node.

        :returns: status (0 is good) and output.
        """
        raise self.unsupported(can.PLUGINS)

    @property
    @abstractmethod
    def api_calls(self) -> int:
        """How many calls were made so far."""

    @property
    @abstractmethod
    def url(self) -> str:
        """The URL that answered last."""

    @property
    @abstractmethod
    def urls(self) -> list[str]:
        """All its URLs, with scheme and port."""
