# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words for the states of nodes, services and databases, whichever server tells them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Optional

ONLINE = "online"


BOOTING = "booting"


LEAVING = "shutting down"


OFFLINE = "offline"


UNKNOWN = "unknown"
"""Of a machine that the server doesn't know."""


SUSPENDED = "suspended"
"""Marked as offline for good (CONFD-110); it comes back when it starts anew or is resumed (EXA-19, CONFD-111)."""


OFF_WORDS = ("", "unknown", "offline", "off", "down")
"""What getNodeState says of a node that is off, in lower case (EXA-16; the others are a guess, EXA-17)."""


LEAVING_WORDS = ("shut", "stop", "halt")
"""Parts of what it says of a node that goes down (a guess, EXA-17)."""


OK = "OK"


NOT_RUNNING = "not running"


STORAGED = "Storaged"
"""The service behind EXAStorage, as getServiceState spells it and its two known states (EXA-23)."""


IDLE = "None"
"""getDatabaseOperation of an idle database (EAO-101)."""


RUNNING = "running"


SETUP = "setup"


NEVER_CREATED = "none"


STARTING = ("startup", "starting")


STOPPING = ("shutdown", "stopping")
"""Database states, in lower case: sources differ in the case and in the names in between (EXA-1, EXA-4)."""


def power_by(status: Optional[str]) -> str:
    """What a word of getNodeState tells of a machine's power: only a word that says so shows that it is off.

    :param status: None where the call fails, as it may while a node boots (EAO-122).
    """
    word = "booting" if status is None else status.lower()
    if word in OFF_WORDS:
        return OFFLINE
    if any(part in word for part in LEAVING_WORDS):
        return LEAVING
    # A machine whose cluster services are stopped has its power (EXA-15).
    return ONLINE if word in (ONLINE, RUNNING, SUSPENDED) else BOOTING


WITHOUT_QUORUM = "No: the cluster has lost its quorum"
"""Stands for a `Yes` that isn't believed: nobody can connect then, whatever the database says of itself (EXA-3)."""


def connectible(told: Any) -> str:
    """`Yes` or `No`, whatever its case; another word as it is, which is no yes."""
    word = str("No" if told is None else told).strip()
    return word.capitalize() if word.lower() in ("yes", "no") else word


def info_text(told: Any) -> str:
    """What a database's own `info` says, in one line (EXA-60); empty where it says nothing."""
    parts = told if isinstance(told, (list, tuple)) else [told]
    lines = [" ".join(str(part).split()) for part in parts if part is not None]
    return " ".join(line for line in lines if line not in ("", "None"))


@dataclass(frozen=True)
class Database:
    """One database as the cluster tells of it.

    :param state: in the server's own spelling; compare `phase`.
    :param connectible: `Yes` or `No`, or why a `Yes` isn't believed.
    :param operation: `None` when idle, any other word when busy.
    :param data_volume_name: empty where it isn't known: only a summary tells it.
    :param info: what the server says of it besides, in its words; empty where it says nothing, or wasn't asked.
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
        unsaid = [key for key in ("data_volume_name", "info") if not getattr(self, key)]
        return {key: value for key, value in asdict(self).items() if key not in ("name", *unsaid)}

    @classmethod
    def of(cls, name: str, row: Mapping[str, Any]) -> Database:
        """One as a report has it, which may hold more of it."""
        return cls(name, **{one.name: row[one.name] for one in fields(cls) if one.name in row})

    def with_(self, **changes: str) -> Database:
        return replace(self, **changes)


@dataclass(frozen=True)
class Reachability:
    """Which nodes could be seen to be off from here, now that they are on.

    :param urls: all that must be silent then.
    :param unseen: nodes of which none of them is; suspended ones, too.
    """

    urls: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
