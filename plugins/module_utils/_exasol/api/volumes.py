# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Volumes of EXAStorage, remote volumes and their changes: the interface of every provider.

A value that the server doesn't show is None, which is not the same as empty.
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
"""States of a volume. ONLINE and RECOVERING are states of segments too (EXA-24, CONFD-131; OFFLINE is a guess)."""

TEMPORARY = "temporary"
"""The label of a volume that a database creates and deletes with itself (CONFD-132)."""

NAME_LABEL = "#Name#"
"""EXAStorage only has numbers, so a label with this beginning keeps a volume's name (CONFD-132)."""

MANAGED = re.compile(r"#Name#|pub:|temporary$")
"""Labels that the cluster itself puts on volumes (CONFD-132)."""


@dataclass(frozen=True)
class Volume:
    """A volume of EXAStorage.

    :param id: its number; None if it doesn't exist yet.
    :param state: in the server's own word.
    :param size: the bytes of all master segments, that is without copies.
    :param masters: how many nodes have master segments.
    :param block: the bytes of a block. The size changes by one block per master node; None if it changes by GiB.
    :param slack: the bytes by which the server may make the volume larger than requested.
    :param away: the segments that aren't online, as texts.
    :param users: how many users have it open.
    :param unlock_conditions: the conditions under which EXAStorage removes its own lock, as texts.
    :param copies: number of a segment -> the nodes that have it; only nodes with a good copy, if the server shows that.
    :param also: other texts that mean the volume.
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
        """The numbers of the segments without a good copy on any node, as far as the server shows segments."""
        return sorted(index for index, holders in self.copies.items() if not holders)

    @property
    def lacks_data(self) -> bool:
        """Whether some data can't be read now. A segment that is being moved is read at its old place (EXA-25)."""
        return self.state.upper() == OFFLINE or (self.is_locked and bool(self.lost_segments))

    @property
    def lock_causes(self) -> list[str]:
        """Why EXAStorage itself has locked the volume; empty if a person has locked it (CONFD-142, CONFD-144)."""
        if not self.is_locked:
            return []
        found = [f"unlock condition: {text}" for text in self.unlock_conditions or ()]
        found += [f"no copy of segment {index} is online" for index in self.lost_segments]
        # If the server doesn't show conditions, segments that are away may be the cause.
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
        """The texts that mean the volume besides its name."""
        return (*numbers_of(self.id), *self.also)

    @property
    def grain(self) -> int:
        """The bytes of one step of its size."""
        return GIB if self.block is None else self.block * self.masters

    def has_size(self, size: int) -> bool:
        """Whether it has this size, or the size that the server made of it: it rounds down when it creates a volume."""
        return self.size is not None and -min(self.grain, VISIBLE) < self.size - size <= self.slack

    def with_(self, **changes: Any) -> Volume:
        return replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        """The volume as modules return it."""
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
    """An archive volume on storage outside the cluster. A value that the server doesn't show is None.

    :param key: its name in the server's calls.
    :param states: how nodes reach it: a word per node, or one word for all.
    :param also: other texts that mean the volume.
    :param s3_access_key: given instead of a username; the password is the secret key then (CONFD-154).
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
        """The texts that mean the volume besides its name."""
        return (*numbers_of(self.id), self.key, *self.also)

    def as_dict(self) -> dict[str, Any]:
        """The volume as modules return it."""
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
    """Volumes of EXAStorage. The methods raise what those of `Cluster` raise.

    :cvar needs: the options that a new volume needs.
    :cvar grain: the size of a new volume must be a multiple of these bytes.
    :cvar names_are_labels: whether a volume has no name besides its number and a label.
    :cvar calls: our name of a change -> its name in the manual.
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

        :param change: a key of `calls`.
        :raises ClusterError: if the server doesn't have it.
        """

    @abstractmethod
    def databases_of(self, volume: Volume) -> list[str]:
        """The names of the databases that have data on the volume, whether they are up or not."""

    @abstractmethod
    def create(self, volume: Volume) -> None:
        """Creates such a volume. Its labels and I/O are set afterwards."""

    @abstractmethod
    def delete(self, volume: Volume) -> None:
        """Deletes the volume with all its data."""

    @abstractmethod
    def resize(self, volume: Volume, size: int) -> None:
        """Makes the volume larger or smaller. The size is a multiple of its grain."""

    @abstractmethod
    def append_nodes(self, volume: Volume, nodes: list[str]) -> None:
        """Spreads the volume to more nodes. Its size grows with them."""

    @abstractmethod
    def move_nodes(self, volume: Volume, pairs: list[tuple[str, str]]) -> None:
        """Moves the volume's segments from the first node of each pair to the second."""

    @abstractmethod
    def set_redundancy(self, volume: Volume, redundancy: int) -> None:
        """Adds or removes copies of the data."""

    @abstractmethod
    def set_labels(self, volume: Volume, add: list[str], remove: list[str]) -> None:
        """Adds labels and removes others."""

    @abstractmethod
    def set_io(self, volume: Volume, app_io: bool, int_io: bool) -> None:
        """Switches the I/O of applications and the internal I/O on or off."""

    @abstractmethod
    def assign(self, volume: Volume, what: str, value: Any) -> None:
        """Sets `priority`, `shared`, `permissions`, `owner`, `allowed_users` or `readonly_users`."""

    @abstractmethod
    def lock(self, volume: Volume) -> None:
        """Locks the volume, which closes it for all its users."""

    @abstractmethod
    def unlock(self, volume: Volume) -> None:
        """Removes the lock."""

    @abstractmethod
    def clear(self, volume: Volume, num_bytes: int, nodes: list[str]) -> None:
        """Overwrites data with zeroes and waits for the end.

        :param num_bytes: how many bytes of each segment; 0 means all.
        :param nodes: the nodes whose segments are overwritten; an empty list means all.
        """

    def error_of(self, name: str) -> str:
        """Why the change that this run began on a volume failed; empty if it didn't fail."""
        return ""

    def news(self, names: list[str]) -> list[str]:
        """The server's actions for these volumes since the last call of this method, one line each."""
        return []


class RemoteVolumeApi(ABC):
    """Remote volumes. The methods raise what those of `Cluster` raise.

    :cvar needs: the options that a new remote volume needs.
    :cvar calls: our name of a change -> its name in the manual.
    """

    needs: tuple[str, ...]
    calls: Mapping[str, str]

    @abstractmethod
    def all(self) -> list[RemoteVolume]:
        """All remote volumes, read afresh, without `states`."""

    @abstractmethod
    def states(self, volume: RemoteVolume) -> list[str]:
        """How nodes reach the volume: a word per online node, in the order of nodes, or one word for all."""

    def refusal(self, volume: RemoteVolume) -> Optional[str]:
        """Why the provider can't have such a volume, in words; None if it can."""
        return None

    @abstractmethod
    def create(self, volume: RemoteVolume, password: Optional[str]) -> None:
        """Adds a remote volume to the cluster."""

    @abstractmethod
    def edit(self, volume: RemoteVolume, password: Optional[str]) -> None:
        """Gives the existing volume these values.

        :param password: the new password; None leaves it unchanged.
        """

    @abstractmethod
    def delete(self, volume: RemoteVolume) -> None:
        """Removes the volume from the cluster. The data that is stored there stays."""


def texts(value: Any) -> Optional[tuple[str, ...]]:
    """Reads a list of texts as servers write one: a list, or one text with commas; None for anything else."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    return tuple(str(item) for item in value) if isinstance(value, (list, tuple)) else None


def without_password(url: Optional[str]) -> Optional[str]:
    """The URL with asterisks instead of a password in it."""
    head, mark, rest = (url or "").partition("://")
    credentials, at, host = rest.rpartition("@")
    user, colon, password = credentials.partition(":")
    return f"{head}{mark}{user}{colon}{MASK}{at}{host}" if password else url


def name_in(labels: Optional[tuple[str, ...]]) -> Optional[str]:
    """The name of a volume from its labels; None if no label has one."""
    return next((label[len(NAME_LABEL) :] for label in labels or () if label.startswith(NAME_LABEL)), None)
