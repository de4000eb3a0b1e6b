# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups of databases and their schedules: the interface for every provider (CONFD-86, EAO-115)."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Any, Optional

from .expiry import as_duration
from .volume_names import number_of, numbers_of

TIMES = ("minute", "hour", "day", "month", "weekday")


@dataclass(frozen=True)
class ArchiveVolume:
    """A volume for backups.

    :param name: its name, as in the server's rows of backups.
    :param id: its id, or None if that is unknown.
    :param trouble: why backups can't be written or read there now, in words; empty if no reason is known.
    """

    name: str
    id: Optional[int] = None
    trouble: str = ""

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers that also name the volume."""
        return numbers_of(self.id)

    def holds(self, volume: str, number: Optional[int]) -> bool:
        """Whether a backup with this name and id of its volume is on this volume."""
        return self.id == number if self.id is not None and number is not None else self.name == volume


def blocked(state: Any, app_io: Any) -> str:
    """Why an archive volume of EXAStorage can't be written or read, in words; empty if no reason is known.

    :param state: the volume's state, in the server's word.
    :param app_io: whether applications may read and write.
    """
    word = str(state or "")
    if word.upper() in ("LOCKED", "OFFLINE"):
        return word
    return "switched off for applications (app_io)" if app_io is False else ""


def unreached(words: Iterable[str]) -> str:
    """Why a remote volume can't be used, by the nodes' words for it; empty if it can be used."""
    told = [word for word in words if word]
    bad = [word for word in told if word.lower() != "online"]
    return f"not online on every node ({', '.join(told)})" if bad else ""


@dataclass(frozen=True)
class Backup:
    """One backup of one level.

    :param id: the id that restores and deletions use.
    :param bid: its number. Backups on different volumes may have the same one.
    :param system: the database of the backup.
    :param volume_id: the id of its volume; None if the server's row doesn't have it.
    :param files: the beginning of the names of its files, which a change of the expiry needs.
    :param timestamp: when it was taken, `YYYY-MM-DD hh:mm` in the cluster's own time.
    :param expire: when it expires, in the same form; empty if it never expires.
    :param dependencies: the numbers of the backups that it builds on.
    """

    id: str
    bid: int
    level: int
    system: str
    volume: str
    volume_id: Optional[int] = None
    files: str = ""
    timestamp: str = ""
    expire: str = ""
    expired: bool = False
    usable: bool = False
    dependencies: tuple[int, ...] = ()
    usage: str = ""
    comment: str = ""

    @property
    def label(self) -> str:
        return f"backup {self.bid} (level {self.level}, {self.volume}, {self.timestamp})"

    @property
    def is_good(self) -> bool:
        """Whether the backup can be restored and has not expired."""
        return self.usable and not self.expired

    def needs(self, other: Backup, every: list[Backup]) -> bool:
        """Whether this backup builds on the other one.

        A number means a backup on the same volume; on another volume only if the same volume has none with it.
        """
        if other.bid not in self.dependencies or other.system != self.system or other == self:
            return False
        near = [one for one in every if one.bid == other.bid and one.system == self.system and one.on(self)]
        return other.on(self) or not near

    def on(self, other: Backup) -> bool:
        """Whether this backup is on the same volume as the other one."""
        return ArchiveVolume(self.volume, self.volume_id).holds(other.volume, other.volume_id)

    def as_dict(self) -> dict[str, Any]:
        """The backup as modules return it."""
        return {
            "id": self.id,
            "bid": self.bid,
            "level": self.level,
            "db_name": self.system,
            "volume": self.volume,
            "volume_id": self.volume_id,
            "timestamp": self.timestamp,
            "expire": self.expire,
            "expired": self.expired,
            "usable": self.usable,
            "dependencies": list(self.dependencies),
            "usage": self.usage,
            "comment": self.comment,
        }

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Optional[Backup]:
        """Reads a row of db_backup_list or getBackups, which have the same form; None if it has another form.

        `expire_alterable` has the volume's id and the beginning of the files' names: `10001 DB1/id_11/level_0`.
        """
        identity, bid = row.get("id"), row.get("bid")
        level = row.get("level")
        numbers = all(isinstance(one, int) and not isinstance(one, bool) for one in (bid, level))
        flags = all(isinstance(row.get(key, False), bool) for key in ("expired", "usable"))  # a text "False" isn't one
        if not isinstance(identity, str) or not numbers or not flags:
            return None
        number, _space, files = str(row.get("expire_alterable") or "").partition(" ")
        depends = row.get("dependencies")
        listed = " ".join(map(str, depends)) if isinstance(depends, (list, tuple)) else str(depends or "")
        return cls(
            identity,
            int(str(bid)),
            int(str(level)),
            str(row.get("system") or ""),
            str(row.get("volume") or ""),
            int(number) if number.isdigit() else None,
            files.strip(),
            str(row.get("timestamp") or ""),
            str(row.get("expire") or ""),
            bool(row.get("expired")),
            bool(row.get("usable")),
            tuple(int(one) for one in re.findall(r"\d+", listed)),
            str(row.get("usage") or ""),
            str(row.get("comment") or ""),
        )


BACKUP = "backup"
RESTORE = "restore"


@dataclass(frozen=True)
class Progress:
    """The progress of a backup or a restore, or how the last one ended.

    :param kind: `BACKUP` or `RESTORE`.
    """

    kind: str
    percent: int = 0
    level: Optional[int] = None
    volume_id: Optional[int] = None
    comment: str = ""

    @property
    def is_over(self) -> bool:
        return bool(re.search(r"finished|fail|abort|error|cancel", self.comment, re.I))

    @property
    def trouble(self) -> str:
        """The server's comment, unless it says that the operation succeeded or has started."""
        return "" if re.search(r"success|started", self.comment, re.I) else self.comment

    @property
    def went_wrong(self) -> bool:
        return bool(re.search(r"fail|abort|error|cancel", self.comment, re.I))

    @classmethod
    def of(cls, row: Any) -> Optional[Progress]:
        """Reads an answer of db_backup_progress or getPddProgress; None if it shows no operation."""
        if isinstance(row, (list, tuple)):
            row = row[0] if row else None
        if not isinstance(row, dict) or not row.get("Type"):
            return None
        volume = number_of(str(row.get("Volume ID", "")))
        return cls(
            str(row["Type"]).lower(),
            _int(row.get("Progress")) or 0,
            _int(row.get("Level")),
            volume,
            str(row.get("Comment") or ""),
        )


def _int(value: Any) -> Optional[int]:
    text = str(value).strip().rstrip("%").strip()
    return int(float(text)) if re.fullmatch(r"\d+(\.\d+)?", text) else None


@dataclass(frozen=True)
class Schedule:
    """A backup schedule: when the cluster takes a backup by itself.

    :param name: its name; empty if the server keeps no names of schedules.
    :param expire: a duration, or empty for never.
    :param raw: the server's own form of the schedule, for a server that must get it back unchanged.
    """

    name: str
    volume: str
    level: int
    expire: str = ""
    minute: str = "0"
    hour: str = "*"
    day: str = "*"
    month: str = "*"
    weekday: str = "*"
    enabled: bool = True
    raw: Any = field(default=None, compare=False, repr=False)

    def with_(self, **changes: Any) -> Schedule:
        return replace(self, **changes)

    @property
    def words(self) -> str:
        when = " ".join(getattr(self, part) for part in TIMES)
        kept = f"kept {self.expire}" if self.expire else "kept for ever"
        off = "" if self.enabled else ", disabled"
        return f"level {self.level} to {self.volume} at {when}, {kept}{off}"

    def as_dict(self) -> dict[str, Any]:
        """The schedule as modules return it."""
        times = {part: getattr(self, part) for part in TIMES}
        known = {"name": self.name, "volume": self.volume, "level": self.level, "expire": self.expire}
        return {**known, **times, "enabled": self.enabled}

    @classmethod
    def of(cls, name: str, row: Any) -> Optional[Schedule]:
        """Reads a row whose keys may be in any case (EXAConf writes Volume); None if its form is unknown."""
        if not isinstance(row, dict):
            return None
        raw, row = row, {str(key).lower(): value for key, value in row.items()}
        volume = next((row[key] for key in VOLUME_KEYS if row.get(key) not in (None, "")), None)
        level = _int(row.get("level"))
        if volume is None or level is None:
            return None
        given = {part: str(row[part]).strip() for part in TIMES if row.get(part) not in (None, "")}
        enabled = str(row.get("enabled", True)).strip().lower() not in ("false", "no", "0", "off")
        expire = as_duration(str(row.get("expire") or "").strip())
        return cls(name, str(volume), level, expire, enabled=enabled, raw=raw, **given)


VOLUME_KEYS = ("volume", "backup_volume_name", "backup_volume", "backup_volume_id", "volume_name", "volume_id")
"""The keys that may name the volume in a row. No document shows such a row (EAO-118, CONFD-96)."""


class ScheduleApi(ABC):
    """The backup schedules of databases.

    :param named: whether the server keeps names of schedules. If not, volume and level identify a schedule.
    :param fixed: fields that can't be modified. To change one, the schedule is removed and added again.
    :param runs: whether a database must run when its schedules are changed.
    :param calls: our name of a change -> its name in the server's manual.
    """

    named: bool = True
    runs: bool = True
    fixed: tuple[str, ...] = ()
    calls: Mapping[str, str] = {}

    @abstractmethod
    def schedules(self, database: str) -> Optional[list[Schedule]]:
        """The schedules of a database; None if the server doesn't show them."""

    @abstractmethod
    def check(self, database: str, schedule: Schedule) -> None:
        """Makes sure that the server would accept a schedule. Changes nothing.

        :raises ClusterError: if the server wouldn't accept it.
        """

    @abstractmethod
    def add(self, database: str, schedule: Schedule) -> None:
        """Adds a schedule."""

    @abstractmethod
    def modify(self, database: str, old: Schedule, new: Schedule) -> None:
        """Changes a schedule. The fields in `fixed` are the same in both."""

    @abstractmethod
    def remove(self, database: str, schedule: Schedule) -> None:
        """Removes a schedule.

        :raises NoSuchObject: if it doesn't exist.
        """


class BackupApi(ABC):
    """The backups of databases. Its methods raise what those of `Cluster` do.

    :param name: the cluster's name.
    :param calls: our name of a change -> its name in the server's manual.
    :param remote_is_blocking: whether the server is known to allow only blocking restores from a remote archive volume.
    """

    name: str
    remote_is_blocking: bool = False
    calls: Mapping[str, str] = {}

    @abstractmethod
    def volume(self, which: str, clearly: bool = False) -> ArchiveVolume:
        """The archive volume with this name or id. If the user may not read volumes, the text is used unchecked.

        :param clearly: whether to refuse a text that is the name of one volume and the number of another.
        :raises NoSuchObject: if it doesn't exist, or is not for backups.
        :raises ClusterError: if the text means several volumes.
        """

    @abstractmethod
    def backups(self, database: str, foreign: bool = False) -> list[Backup]:
        """The backups of a database, oldest first.

        :param foreign: whether to include the backups of other databases.
        """

    @abstractmethod
    def progress(self, database: str) -> Optional[Progress]:
        """The progress of the operation that runs, or the end of the last one; None if the server shows neither."""

    @abstractmethod
    def check_start(self, database: str, volume: ArchiveVolume, level: int, expire: str) -> None:
        """Makes sure that the server would accept these values. Changes nothing.

        :raises ClusterError: if the server wouldn't accept them.
        """

    @abstractmethod
    def start(self, database: str, volume: ArchiveVolume, level: int, expire: str) -> None:
        """Begins a backup. The server answers before the backup is finished.

        :param expire: a duration (`1w 3d`) from now, or empty for never.
        """

    @abstractmethod
    def check_expiry(self, backup: Backup, expire: str, zone: Optional[tzinfo]) -> None:
        """Makes sure that the server can get this expiry without doubt about its meaning. Changes nothing.

        :raises ClusterError: if it can't.
        """

    @abstractmethod
    def change_expiry(self, backup: Backup, expire: str, zone: Optional[tzinfo]) -> None:
        """Sets when the files of a backup expire.

        :param expire: `YYYY-MM-DD hh:mm:ss` in the cluster's own time, or empty for never.
        :param zone: the zone of that time, if it is known.
        """

    @abstractmethod
    def delete(self, database: str, backups: list[Backup]) -> None:
        """Deletes backups, in this order."""

    @abstractmethod
    def delete_unusable(self, database: str) -> None:
        """Deletes the backups of a database that can't be restored."""

    @abstractmethod
    def restore(self, database: str, backup: Backup, kind: str) -> None:
        """Begins to restore a database that is stopped.

        :param kind: `blocking`, `nonblocking` or `virtual access`.
        """

    def trouble(self, database: str) -> str:
        """Why the last deletion failed; empty if it runs, succeeded, or the server doesn't show it."""
        return ""

    @abstractmethod
    def schedules(self) -> ScheduleApi:
        """The API of the schedules."""
