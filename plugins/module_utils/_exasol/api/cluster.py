# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an Exasol cluster can do: the interface that every provider speaks, and the states in our words.

No module asks which provider it talks to. What a provider can't do, it says itself: `Cluster.lacks`.
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

    Every method may raise `ClusterError`: `Unreachable` and `Garbled` when the read got no usable answer, `Denied`,
    `Fault` when the server said no, and for the changing ones `AnswerLost`. Names are as the cluster spells them.

    :param name: what messages call the cluster.
    :param use_infra: whether nodes may be powered on and off by the deployment's own jobs for its instances.
    """

    name: str
    provider: Provider
    use_infra: bool = False

    # -- what it can

    def lacks(self, capability: str) -> Optional[str]:
        """Why its API has no call for something and what to do instead; None where it has."""
        return self.provider.lacks(capability, self.use_infra, self.infra_refusal)

    def unsupported(self, capability: str) -> Unsupported:
        """What a call raises that the provider hasn't, whatever the cluster."""
        return Unsupported(f"{self.name}: {self.provider.lacking[capability]}", failed_object=capability)

    def require(self, capability: str) -> None:
        """Makes sure of a capability.

        :raises Unsupported: with `lacks`.
        """
        why = self.lacks(capability)
        if why:
            raise Unsupported(f"{self.name}: {why}", failed_object=capability)

    def infra_refusal(self) -> Optional[str]:
        """What the server said when it was asked whether the deployment's jobs for instances may be used.

        Nothing is changed to learn it. Empty where it has no such jobs, None where they may be used.
        """
        return ""

    # -- reads

    @abstractmethod
    def nodes(self) -> list[str]:
        """All defined nodes but the license servers. Says nothing about their state."""

    def identity(self) -> list[str]:
        """What no other cluster has, whichever way this one is reached; nothing where the server doesn't tell."""
        return []

    @abstractmethod
    def node_is_online(self, node: str) -> bool:
        """Whether the node is up, by its hardware inventory."""

    @abstractmethod
    def node_status(self, node: str) -> str:
        """The server's own word for the node's state, or an empty string where it has none."""

    def node_told(self, node: str) -> Optional[str]:
        """As `node_status`, but None where the server fails to tell, as it may of a node that boots."""
        return self.node_status(node)

    def seen_online(self) -> Optional[frozenset[str]]:
        """The nodes that one call shows online; None where there is no such call. It decides nothing."""
        return None

    def node_states(self) -> dict[str, str]:
        """The states of all nodes by one call: `ONLINE`, `OFFLINE` or `SUSPENDED`.

        Only where the provider `tells_nodes_together`.
        """
        raise Unsupported(f"{self.name}: {self.provider.server} reports one node at a time")

    def booting(self, nodes: list[str]) -> list[str]:
        """Those of the offline nodes whose hosts are known to be on."""
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
        """One database in as few calls as the server allows: for a report, not for a decision."""

    @abstractmethod
    def database_layout(self, name: str) -> DatabaseConfigState:
        """A database with its nodes, its data volume and what else the server tells of its configuration."""

    def database_nodes(self, name: str) -> list[str]:
        """The nodes that a database is active on; none where the server doesn't tell."""
        return list(self.database_layout(name).active)

    @abstractmethod
    def database_errors(self, name: str) -> str:
        """Why a database does not start, in the server's words; empty where it does not say."""

    def failure_of(self, _name: str) -> str:
        """What the change failed with that the server accepted for this object last; empty where it doesn't say."""
        return ""

    @abstractmethod
    def master(self) -> str:
        """The machine that holds the API, as `n0010`."""

    @abstractmethod
    def version(self) -> Optional[str]:
        """The version of the software, or None where the server does not tell."""

    @abstractmethod
    def login_role(self) -> Optional[str]:
        """The role of the user that we are, or None where the server does not tell."""

    def rights(self) -> Optional[str]:
        """What the user may do, where the API is of use to us at all."""
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
        """Which nodes could be seen to be off. All, where something that is no node tells of them."""
        return Reachability(self.urls)

    def license_server_states(self, _names: list[str]) -> dict[str, str]:
        """The machines that are no nodes: those that are named, and those that could hold the API.

        :return: `ONLINE`, `OFFLINE`, `BOOTING`, `LEAVING`, or `UNKNOWN` where the server knows no such machine.
        """
        return {}

    @abstractmethod
    def answers(self) -> str:
        """What is still heard of the cluster, and where; empty where nothing is."""

    def license_end(self) -> str:
        """Until when the cluster's license holds, in the server's words."""
        raise self.unsupported(can.LICENSE_END)

    def news(self, names: list[str]) -> list[str]:
        """What the server did for these objects since it was asked last, a line each."""
        return []

    # -- parts: each raises Unsupported where the provider lacks it

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
        """Shuts nodes, or a license server, down and powers them off; more than one as with `start_nodes`."""

    @abstractmethod
    def suspend_nodes(self, nodes: list[str], disable: bool = False) -> None:
        """Marks nodes as offline for good; more than one as with `start_nodes`.

        :param disable: marks them as disabled in the configuration too.
        """

    def collect(self, seconds: float) -> list[str]:
        """Fetches the results of what this run has begun at the server, as far as it is over in that time.

        :returns: a sentence for each that goes on.
        """
        return []

    def suspend_without_quorum(self, nodes: list[str]) -> None:
        """Marks nodes as offline for good while the quorum is lost, and nothing can be read."""
        raise self.unsupported(can.JOBS)

    def heard(self) -> list[str]:
        """Those of its URLs at which anything is heard."""
        raise self.unsupported(can.JOBS)

    @abstractmethod
    def resume_nodes(self, nodes: list[str], enable: bool = False) -> None:
        """Takes suspended nodes back; more than one as with `start_nodes`.

        :param enable: marks them as enabled in the configuration too.
        """

    @abstractmethod
    def node_is_suspended(self, node: str) -> bool:
        """Whether a node is marked as offline for good. Only where `node_states` doesn't tell."""

    def start_storage(self, ignored_nodes: list[str]) -> None:
        """Starts EXAStorage. May answer only when it is up."""
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
