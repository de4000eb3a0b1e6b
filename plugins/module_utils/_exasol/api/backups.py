# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups of databases and their schedules, as every provider speaks of them (CONFD-86, EAO-115)."""

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
    """Where backups go.

    :param name: as the server's rows of backups have it.
    :param id: where it is known.
    :param trouble: why nothing can be written to it or read from it now, in words; empty where nothing is known.
    """

    name: str
    id: Optional[int] = None
    trouble: str = ""

    @property
    def numbers(self) -> tuple[str, ...]:
        """What else than its name it is called."""
        return numbers_of(self.id)

    def holds(self, volume: str, number: Optional[int]) -> bool:
        """Whether a backup, by name and id of its volume, lies here."""
        return self.id == number if self.id is not None and number is not None else self.name == volume


def blocked(state: Any, app_io: Any) -> str:
    """Why nothing is written to an archive volume of EXAStorage, nor read from it; empty where nothing is known.

    :param state: in the server's word.
    :param app_io: whether applications may read and write.
    """
    word = str(state or "")
    if word.upper() in ("LOCKED", "OFFLINE"):
        return word
    return "switched off for applications (app_io)" if app_io is False else ""


def unreached(words: Iterable[str]) -> str:
    """Why a remote volume can't be used, by the words of its nodes; empty where it can."""
    told = [word for word in words if word]
    bad = [word for word in told if word.lower() != "online"]
    return f"not online on every node ({', '.join(told)})" if bad else ""


@dataclass(frozen=True)
class Backup:
    """One backup of one level.

    :param id: by which it is restored and deleted.
    :param bid: its number, unique on a volume at most.
    :param system: the database that it is of.
    :param volume_id: where its rows tell of it.
    :param files: the beginning of its files, by which its expiry is changed.
    :param timestamp: when it was taken, `YYYY-MM-DD hh:mm` in the cluster's own time.
    :param expire: the same of its end; empty where it never expires.
    :param dependencies: the numbers of those that it builds on.
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
        """Whether it can be restored from, and isn't about to be removed."""
        return self.usable and not self.expired

    def needs(self, other: Backup, every: list[Backup]) -> bool:
        """Whether it builds on another one. Numbers are compared on one volume, as far as the base is there."""
        if other.bid not in self.dependencies or other.system != self.system or other == self:
            return False
        near = [one for one in every if one.bid == other.bid and one.system == self.system and one.on(self)]
        return other.on(self) or not near

    def on(self, other: Backup) -> bool:
        """Whether it lies on the volume of another one."""
        return ArchiveVolume(self.volume, self.volume_id).holds(other.volume, other.volume_id)

    def as_dict(self) -> dict[str, Any]:
        """What modules return of it."""
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
        """A row of db_backup_list or getBackups, which have one form; None where it has another.

        The volume's id and the beginning of the files stand in `expire_alterable`: `10001 DB1/id_11/level_0`.
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
    """How far a backup or a restore is, or how the last one ended.

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
        """What is said of one that has ended, unless it is that it went well."""
        return "" if re.search(r"success|started", self.comment, re.I) else self.comment

    @property
    def went_wrong(self) -> bool:
        return bool(re.search(r"fail|abort|error|cancel", self.comment, re.I))

    @classmethod
    def of(cls, row: Any) -> Optional[Progress]:
        """What db_backup_progress and getPddProgress say; None where they say nothing."""
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
    """When a backup is taken by itself.

    :param name: empty where the server keeps none.
    :param expire: a duration, empty for never.
    :param raw: as the server has it, where it must go back as it came.
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
        """What modules return of it."""
        times = {part: getattr(self, part) for part in TIMES}
        known = {"name": self.name, "volume": self.volume, "level": self.level, "expire": self.expire}
        return {**known, **times, "enabled": self.enabled}

    @classmethod
    def of(cls, name: str, row: Any) -> Optional[Schedule]:
        """A row with these keys, in any case (EXAConf writes Volume); None where it can't be understood."""
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
"""How a row may call its volume: no document shows one (EAO-118, CONFD-96)."""


class ScheduleApi(ABC):
    """The backup schedules of databases.

    :param named: whether the server keeps their names; where it doesn't, volume and level tell them apart.
    :param fixed: what a change can't reach, so that a schedule is removed and added instead.
    :param runs: whether a database must run for a schedule of it to be changed.
    :param calls: what we call a change -> how the server's manual calls it.
    """

    named: bool = True
    runs: bool = True
    fixed: tuple[str, ...] = ()
    calls: Mapping[str, str] = {}

    @abstractmethod
    def schedules(self, database: str) -> Optional[list[Schedule]]:
        """Those of a database; None where the server doesn't tell."""

    @abstractmethod
    def check(self, database: str, schedule: Schedule) -> None:
        """Makes sure that the server would take a schedule. Changes nothing.

        :raises ClusterError: it wouldn't.
        """

    @abstractmethod
    def add(self, database: str, schedule: Schedule) -> None:
        """Adds one."""

    @abstractmethod
    def modify(self, database: str, old: Schedule, new: Schedule) -> None:
        """Changes one. What is `fixed` is the same in both."""

    @abstractmethod
    def remove(self, database: str, schedule: Schedule) -> None:
        """Removes one.

        :raises NoSuchObject: it isn't there.
        """


class BackupApi(ABC):
    """The backups of databases. Its methods raise what those of `Cluster` do.

    :param name: of the cluster.
    :param calls: what we call a change -> how the server's manual calls it.
    :param remote_is_blocking: whether a restore from a remote archive volume is known to be blocking alone.
    """

    name: str
    remote_is_blocking: bool = False
    calls: Mapping[str, str] = {}

    @abstractmethod
    def volume(self, which: str, clearly: bool = False) -> ArchiveVolume:
        """The archive volume of that name or id. Where the user may not read volumes, it is taken as it is written.

        :param clearly: whether it may not be the name of one and the number of another.
        :raises NoSuchObject: it isn't there, or holds no backups.
        :raises ClusterError: several are meant.
        """

    @abstractmethod
    def backups(self, database: str, foreign: bool = False) -> list[Backup]:
        """Those of a database, oldest first.

        :param foreign: those of other databases too.
        """

    @abstractmethod
    def progress(self, database: str) -> Optional[Progress]:
        """Of what is under way, or was last; None where there is nothing to tell, or nobody tells."""

    @abstractmethod
    def check_start(self, database: str, volume: ArchiveVolume, level: int, expire: str) -> None:
        """Makes sure that the server would take these. Changes nothing.

        :raises ClusterError: it wouldn't.
        """

    @abstractmethod
    def start(self, database: str, volume: ArchiveVolume, level: int, expire: str) -> None:
        """Begins a backup. It goes on when the answer comes.

        :param expire: a duration (`1w 3d`) from now, or empty for never.
        """

    @abstractmethod
    def check_expiry(self, backup: Backup, expire: str, zone: Optional[tzinfo]) -> None:
        """Makes sure that an expiry can be told to the server for sure. Changes nothing.

        :raises ClusterError: it can't.
        """

    @abstractmethod
    def change_expiry(self, backup: Backup, expire: str, zone: Optional[tzinfo]) -> None:
        """Sets when the files of a backup expire.

        :param expire: `YYYY-MM-DD hh:mm:ss` in the cluster's own time, or empty for never.
        :param zone: that time's zone, where it is known.
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
        """What a deletion under way failed with; empty while it runs, when it went well, and where nobody tells."""
        return ""

    @abstractmethod
    def schedules(self) -> ScheduleApi:
        """The schedules."""
