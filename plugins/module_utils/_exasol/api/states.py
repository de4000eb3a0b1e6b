# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our words for the states of nodes, services and databases, for every provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Optional

ONLINE = "online"


BOOTING = "booting"


LEAVING = "shutting down"


OFFLINE = "offline"


UNKNOWN = "unknown"
"""The state of a machine that the server doesn't know."""


SUSPENDED = "suspended"
"""Marked as offline for good (CONFD-110). The node comes back when it restarts or is resumed (EXA-19, CONFD-111)."""


OFF_WORDS = ("", "unknown", "offline", "off", "down")
"""Words of getNodeState for a node that is off, in lower case (EXA-16; the others are a guess, EXA-17)."""


LEAVING_WORDS = ("shut", "stop", "halt")
"""Parts of its words for a node that shuts down (a guess, EXA-17)."""


OK = "OK"


NOT_RUNNING = "not running"


STORAGED = "Storaged"
"""The service of EXAStorage, as getServiceState spells it and its two known states (EXA-23)."""


IDLE = "None"
"""The answer of getDatabaseOperation for an idle database (EAO-101)."""


RUNNING = "running"


SETUP = "setup"


NEVER_CREATED = "none"


STARTING = ("startup", "starting")


STOPPING = ("shutdown", "stopping")
"""States of databases, in lower case: sources differ in case and in the words for starting and stopping (EXA-1,
EXA-4)."""


def power_by(status: Optional[str]) -> str:
    """The state of a machine's power, from a word of getNodeState. Only a word for off counts as off.

    :param status: the word; None if the call fails, as it may while a node boots (EAO-122).
    """
    word = "booting" if status is None else status.lower()
    if word in OFF_WORDS:
        return OFFLINE
    if any(part in word for part in LEAVING_WORDS):
        return LEAVING
    # A machine whose cluster services are stopped still has power (EXA-15).
    return ONLINE if word in (ONLINE, RUNNING, SUSPENDED) else BOOTING


WITHOUT_QUORUM = "No: the cluster has lost its quorum"
"""Replaces a `Yes` of the server without a quorum: nobody can connect then, whatever the server shows (EXA-3)."""


def connectible(told: Any) -> str:
    """`Yes` or `No`, from any case. Another word stays unchanged, and doesn't count as yes."""
    word = str("No" if told is None else told).strip()
    return word.capitalize() if word.lower() in ("yes", "no") else word


def info_text(told: Any) -> str:
    """The text of a database's `info` in one line (EXA-60); empty if there is none."""
    parts = told if isinstance(told, (list, tuple)) else [told]
    lines = [" ".join(str(part).split()) for part in parts if part is not None]
    return " ".join(line for line in lines if line not in ("", "None"))


@dataclass(frozen=True)
class Database:
    """The state of one database.

    :param state: in the server's own spelling; use `phase` for comparisons.
    :param connectible: `Yes` or `No`, or why a `Yes` doesn't count.
    :param operation: `None` when idle, any other word when busy.
    :param data_volume_name: empty if it is unknown: only a summary shows it.
    :param info: the server's remarks about the database; empty if there are none, or they weren't read.
    """

    name: str
    state: str
    connectible: str = "No"
    operation: str = IDLE
    connection_string: str = ""
    data_volume_name: str = ""
    info: str = ""

    @property
    def phase(self) -> str:
        """The state in lower case, for comparisons."""
        return self.state.lower()

    @property
    def accepts_connections(self) -> bool:
        return self.phase == RUNNING and self.connectible == "Yes"

    @property
    def is_stopped(self) -> bool:
        return self.phase in (SETUP, NEVER_CREATED)

    def as_dict(self) -> dict[str, str]:
        """The state as modules return it."""
        unsaid = [key for key in ("data_volume_name", "info") if not getattr(self, key)]
        return {key: value for key, value in asdict(self).items() if key not in ("name", *unsaid)}

    @classmethod
    def of(cls, name: str, row: Mapping[str, Any]) -> Database:
        """Reads a database from a report, whose row may have more keys."""
        return cls(name, **{one.name: row[one.name] for one in fields(cls) if one.name in row})

    def with_(self, **changes: str) -> Database:
        return replace(self, **changes)


@dataclass(frozen=True)
class Reachability:
    """Which nodes could be seen to be off from here. It is found out while the nodes are still on.

    :param urls: the URLs that must all be silent once the nodes are off.
    :param unseen: the nodes that have none of these URLs, suspended ones included.
    """

    urls: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
