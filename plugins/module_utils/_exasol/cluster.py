# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an Exasol cluster can do: the interface that every provider speaks, and the states in our words.

No module asks which provider it talks to. What a provider can't do, it says itself by raising C(ClusterError).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, replace
from typing import Any, Optional

from .._errors import ClusterError

ONLINE = "online"
BOOTING = "booting"
LEAVING = "shutting down"
OFFLINE = "offline"

OK = "OK"
NOT_RUNNING = "not running"
STORAGED = "Storaged"
"""The service behind EXAStorage, as getServiceState spells it and its two known states (facts 3.3)."""

IDLE = "None"
"""getDatabaseOperation of an idle database (SOL-80)."""

RUNNING = "running"
SETUP = "setup"
NEVER_CREATED = "none"
STARTING = ("startup", "starting")
STOPPING = ("shutdown", "stopping")
"""Database states, in lower case: sources differ in the case and in the names in between (facts 3.1)."""


@dataclass(frozen=True)
class Database:
    """One database as the cluster tells of it.

    :param state: in the server's own spelling; compare C(phase).
    :param connectible: C(Yes) or C(No).
    :param operation: C(None) when idle, any other word when busy.
    """

    name: str
    state: str
    connectible: str = "No"
    operation: str = IDLE
    connection_string: str = ""

    @property
    def phase(self) -> str:
        """The state to compare with."""
        return self.state.lower()

    @property
    def accepts_connections(self) -> bool:
        return self.phase == RUNNING and self.connectible == "Yes"

    @property
    def is_stopped(self) -> bool:
        return self.phase in (SETUP, NEVER_CREATED)

    def as_dict(self) -> dict[str, str]:
        """What modules return of it."""
        return {key: value for key, value in asdict(self).items() if key != "name"}

    def with_(self, **changes: str) -> Database:
        return replace(self, **changes)


class Cluster(ABC):
    """One Exasol cluster.

    Every method may raise C(ClusterError): C(Unreachable) and C(Garbled) when the read got no usable answer, C(Denied),
    C(Fault) when the server said no, and for the changing ones C(AnswerLost). Names are as the cluster spells them.

    :param name: what messages call the cluster.
    """

    name: str
    provider: str

    # -- reads

    @abstractmethod
    def nodes(self) -> list[str]:
        """All defined nodes but the license servers. Says nothing about their state."""

    @abstractmethod
    def node_is_online(self, node: str) -> bool:
        """Whether the node is up, by its hardware inventory."""

    @abstractmethod
    def node_status(self, node: str) -> str:
        """The server's own word for the node's state, or an empty string where it has none."""

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
        """The same in as few calls as the server allows: for a report, not for a decision."""

    @abstractmethod
    def database_errors(self, name: str) -> str:
        """Why a database does not start, in the server's words; empty where it does not say."""

    @abstractmethod
    def master(self) -> str:
        """The machine that holds EXAoperation, as C(n0010)."""

    @abstractmethod
    def version(self) -> Optional[str]:
        """The version of the software, or None where the server does not tell."""

    @abstractmethod
    def login_role(self) -> Optional[str]:
        """The role of the user that we are, or None where the server does not tell."""

    @abstractmethod
    def log_services(self) -> list[str]:
        """The names of the log services."""

    @abstractmethod
    def log_entries(self, service: str) -> list[dict[str, Any]]:
        """The messages of a log service, oldest first."""

    @abstractmethod
    def plugins(self) -> list[str]:
        """The names of the installed plugins."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether anything still speaks at any URL."""

    # -- changes

    @abstractmethod
    def start_node(self, node: str) -> None:
        """Powers a node on."""

    @abstractmethod
    def stop_node(self, node: str) -> None:
        """Shuts a node, or a license server, down and powers it off."""

    @abstractmethod
    def start_storage(self, ignored_nodes: list[str]) -> None:
        """Starts EXAStorage. May answer only when it is up."""

    @abstractmethod
    def stop_storage(self) -> None:
        """Stops EXAStorage."""

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

    @abstractmethod
    def call_plugin(self, plugin: str, node: str, command: str, changing: bool = True) -> tuple[int, str]:
        """Runs a plugin's command on a node.

        :returns: status (0 is good) and output.
        """

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


def node_name(name: Any) -> str:
    """C(n0010) of C(n0010), C(n10), C(10) or the number 10 (facts 1.3).

    :raises ClusterError: for anything else.
    """
    found = re.fullmatch(r"n?0*(\d{1,6})", str(name).strip())
    if not found:
        raise ClusterError(f"{name!r} is not the name of a node (such as n0011)")
    return f"n{int(found.group(1)):04d}"
