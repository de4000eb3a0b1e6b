# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Volumes of EXAStorage and remote ones, and what can be done to them: the interface that every provider speaks.

What a server doesn't tell is None, which isn't the same as empty.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Optional

from ..._secrets import MASK
from .sizes import GIB, VISIBLE, size_text
from .volume_names import numbers_of

DATA = "data"
ARCHIVE = "archive"

ONLINE = "ONLINE"
OFFLINE = "OFFLINE"
LOCKED = "LOCKED"
DEGRADED = "DEGRADED"
RECOVERING = "RECOVERING"
"""States of a volume; the first and the last are those of a segment too (EXA-24, CONFD-131; OFFLINE is a guess)."""

TEMPORARY = "temporary"
"""The label of a database's own volume, which comes and goes with it (CONFD-132)."""

NAME_LABEL = "#Name#"
"""EXAStorage has numbers alone: a volume's name is kept as a label (CONFD-132)."""

MANAGED = re.compile(r"#Name#|pub:|temporary$")
"""Labels that the cluster itself puts on volumes (CONFD-132)."""


@dataclass(frozen=True)
class Volume:
    """A volume of EXAStorage.

    :param id: None where it isn't there yet.
    :param state: in the server's own word.
    :param size: bytes of all master segments, that is without copies.
    :param masters: how many nodes hold master segments.
    :param block: bytes of a block, one on each master node, by which the size changes; None where it does by GiB.
    :param slack: bytes by which the server may make it larger than it is told.
    :param away: segments that aren't online, a text each.
    :param users: how many have it open.
    :param unlock_conditions: with which the lock that EXAStorage has put there goes by itself, a text each.
    :param copies: by the number of a segment the nodes that have it; only those whose copy is good, where that is told.
    :param also: other words by which it may be meant.
    """

    id: Optional[int]
    name: str
    type: str
    state: str = ONLINE
    size: Optional[int] = None
    redundancy: int = 1
    nodes: tuple[str, ...] = ()
    masters: int = 1
    block: Optional[int] = None
    slack: int = 0
    disk: Optional[str] = None
    away: tuple[str, ...] = ()
    users: int = 0
    labels: Optional[tuple[str, ...]] = None
    app_io: Optional[bool] = None
    int_io: Optional[bool] = None
    priority: Optional[int] = None
    shared: Optional[bool] = None
    permissions: Optional[str] = None
    owner: Optional[tuple[int, ...]] = None
    allowed_users: Optional[tuple[str, ...]] = None
    readonly_users: Optional[tuple[str, ...]] = None
    also: tuple[str, ...] = ()
    unlock_conditions: Optional[tuple[str, ...]] = None
    copies: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)

    @property
    def is_locked(self) -> bool:
        return self.state.upper() == LOCKED

    @property
    def lost_segments(self) -> list[str]:
        """The numbers of those of which no node has a good copy, where the server tells of them."""
        return sorted(index for index, holders in self.copies.items() if not holders)

    @property
    def lacks_data(self) -> bool:
        """Whether some of it can't be read now. A segment that is being moved is read where it was (EXA-25)."""
        return self.state.upper() == OFFLINE or (self.is_locked and bool(self.lost_segments))

    @property
    def lock_causes(self) -> list[str]:
        """Why EXAStorage itself has locked it; none where somebody has done so by hand (CONFD-142, CONFD-144)."""
        if not self.is_locked:
            return []
        found = [f"unlock condition: {text}" for text in self.unlock_conditions or ()]
        found += [f"no copy of segment {index} is online" for index in self.lost_segments]
        # Where the server doesn't tell of conditions, what is away may be the cause.
        return found + (list(self.away) if self.unlock_conditions is None else [])

    @property
    def is_whole(self) -> bool:
        """Whether every segment is online."""
        return not self.away and self.state.upper() in (ONLINE, LOCKED)

    @property
    def is_recovering(self) -> bool:
        return RECOVERING in " ".join((self.state, *self.away)).upper()

    @property
    def numbers(self) -> tuple[str, ...]:
        """What else than its name it is called."""
        return (*numbers_of(self.id), *self.also)

    @property
    def grain(self) -> int:
        """Bytes by which its size changes at a time."""
        return GIB if self.block is None else self.block * self.masters

    def has_size(self, size: int) -> bool:
        """Whether it has a size, or what the server has made of it: it rounds down where it creates one."""
        return self.size is not None and -min(self.grain, VISIBLE) < self.size - size <= self.slack

    def with_(self, **changes: Any) -> Volume:
        return replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        """What modules return of it."""
        row = {
            "id": self.id,
            "type": self.type,
            "state": self.state,
            "size": None if self.size is None else size_text(self.size),
            "size_bytes": self.size,
            "redundancy": self.redundancy,
            "nodes": list(self.nodes),
            "num_master_nodes": self.masters,
            "disk": self.disk,
            "not_online": list(self.away),
            "users": self.users,
            "priority": self.priority,
            "shared": self.shared,
            "permissions": self.permissions,
            "app_io": self.app_io,
            "int_io": self.int_io,
        }
        names = ("labels", "owner", "allowed_users", "readonly_users", "unlock_conditions")
        lists = {name: getattr(self, name) for name in names}
        return {**row, **{name: None if value is None else list(value) for name, value in lists.items()}}


@dataclass(frozen=True)
class RemoteVolume:
    """An archive volume on storage outside of the cluster. What isn't told is None.

    :param key: by which calls know it.
    :param states: how nodes reach it, a word for each, or one for all.
    :param also: other words by which it may be meant.
    :param s3_access_key: in place of a username; the password is its secret key then (CONFD-154).
    """

    id: Optional[int]
    name: str
    key: str = ""
    vol_type: Optional[str] = None
    url: Optional[str] = None
    username: Optional[str] = None
    owner: Optional[str] = None
    labels: Optional[tuple[str, ...]] = None
    options: Optional[tuple[str, ...]] = None
    allowed_users: Optional[tuple[str, ...]] = None
    readonly_users: Optional[tuple[str, ...]] = None
    states: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    s3_access_key: Optional[str] = None

    @property
    def numbers(self) -> tuple[str, ...]:
        """What else than its name it is called."""
        return (*numbers_of(self.id), self.key, *self.also)

    def as_dict(self) -> dict[str, Any]:
        """What modules return of it."""
        row = {"id": self.id, "vol_type": self.vol_type, "url": without_password(self.url), "username": self.username}
        lists = {name: getattr(self, name) for name in ("labels", "options", "allowed_users", "readonly_users")}
        return {
            **row,
            "owner": self.owner,
            **{name: None if value is None else list(value) for name, value in lists.items()},
        }

    def with_(self, **changes: Any) -> RemoteVolume:
        return replace(self, **changes)


class VolumeApi(ABC):
    """Volumes of EXAStorage. Every method raises what those of `Cluster` do.

    :cvar needs: options without which none can be created.
    :cvar grain: bytes of which the size of a new one is a multiple.
    :cvar names_are_labels: whether a volume has no other name than its number and a label.
    :cvar calls: what we call a change -> how the manual calls it.
    """

    needs: tuple[str, ...]
    grain: int = 4096
    names_are_labels: bool = False
    calls: Mapping[str, str]

    @abstractmethod
    def all(self) -> list[Volume]:
        """All volumes, read afresh."""

    @abstractmethod
    def known(self, change: str) -> None:
        """Makes sure that the server has the call for a change. Changes nothing.

        :param change: in `calls`.
        :raises ClusterError: it hasn't.
        """

    @abstractmethod
    def databases_of(self, volume: Volume) -> list[str]:
        """The names of the databases that keep data on it, whether they are up or not."""

    @abstractmethod
    def create(self, volume: Volume) -> None:
        """Makes one like this; its labels and I/O are set afterwards."""

    @abstractmethod
    def delete(self, volume: Volume) -> None:
        """Deletes it with all data."""

    @abstractmethod
    def resize(self, volume: Volume, size: int) -> None:
        """Makes it larger or smaller; the size is a multiple of its grain."""

    @abstractmethod
    def append_nodes(self, volume: Volume, nodes: list[str]) -> None:
        """Spreads it to more nodes, by which it grows."""

    @abstractmethod
    def move_nodes(self, volume: Volume, pairs: list[tuple[str, str]]) -> None:
        """Moves its segments from the first node of each pair to the second."""

    @abstractmethod
    def set_redundancy(self, volume: Volume, redundancy: int) -> None:
        """Makes copies, or gives them up."""

    @abstractmethod
    def set_labels(self, volume: Volume, add: list[str], remove: list[str]) -> None:
        """Adds labels and removes others."""

    @abstractmethod
    def set_io(self, volume: Volume, app_io: bool, int_io: bool) -> None:
        """Switches I/O of applications, and internal I/O."""

    @abstractmethod
    def assign(self, volume: Volume, what: str, value: Any) -> None:
        """Sets `priority`, `shared`, `permissions`, `owner`, `allowed_users` or `readonly_users`."""

    @abstractmethod
    def lock(self, volume: Volume) -> None:
        """Locks it, by which it is closed for all who use it."""

    @abstractmethod
    def unlock(self, volume: Volume) -> None:
        """Takes the lock away."""

    @abstractmethod
    def clear(self, volume: Volume, num_bytes: int, nodes: list[str]) -> None:
        """Overwrites data with zeroes and awaits the end.

        :param num_bytes: of each segment; 0 are all.
        :param nodes: whose segments; none are all.
        """

    def error_of(self, name: str) -> str:
        """What was begun of a volume failed with, empty where it didn't."""
        return ""

    def news(self, names: list[str]) -> list[str]:
        """What the server did for these volumes since this was asked last, a line each."""
        return []


class RemoteVolumeApi(ABC):
    """Remote volumes. Every method raises what those of `Cluster` do.

    :cvar needs: options without which none can be created.
    :cvar calls: what we call a change -> how the manual calls it.
    """

    needs: tuple[str, ...]
    calls: Mapping[str, str]

    @abstractmethod
    def all(self) -> list[RemoteVolume]:
        """All remote volumes, read afresh, without `states`."""

    @abstractmethod
    def states(self, volume: RemoteVolume) -> list[str]:
        """How nodes reach it: a word for each node that is online in the order of nodes, or one for all."""

    def refusal(self, volume: RemoteVolume) -> Optional[str]:
        """Why there can be none like this, in words; None where there can."""
        return None

    @abstractmethod
    def create(self, volume: RemoteVolume, password: Optional[str]) -> None:
        """Makes the cluster know one."""

    @abstractmethod
    def edit(self, volume: RemoteVolume, password: Optional[str]) -> None:
        """Makes the one that is there be like this.

        :param password: None leaves it as it is.
        """

    @abstractmethod
    def delete(self, volume: RemoteVolume) -> None:
        """Makes the cluster forget it; what is stored there stays."""


def texts(value: Any) -> Optional[tuple[str, ...]]:
    """A list of texts as servers write one: a list, or one text with commas; None where there is nothing to be read."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    return tuple(str(item) for item in value) if isinstance(value, (list, tuple)) else None


def without_password(url: Optional[str]) -> Optional[str]:
    """A URL with asterisks for the password that somebody wrote into it."""
    head, mark, rest = (url or "").partition("://")
    credentials, at, host = rest.rpartition("@")
    user, colon, password = credentials.partition(":")
    return f"{head}{mark}{user}{colon}{MASK}{at}{host}" if password else url


def name_in(labels: Optional[tuple[str, ...]]) -> Optional[str]:
    """The name that labels give."""
    return next((label[len(NAME_LABEL) :] for label in labels or () if label.startswith(NAME_LABEL)), None)
