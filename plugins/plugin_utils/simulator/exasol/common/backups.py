# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups of a database: levels that build on each other, expiry, usable backups."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .sizes import minute, moment_of, span_of

if TYPE_CHECKING:
    from ...cluster import UsageError
    from .base import ExasolCluster
    from .databases import Database


@dataclass
class Backup:
    """A backup. Its times are in seconds since 1970; `bases` are the bids on which it builds, full backup first."""

    bid: int
    volume: str
    volume_id: int
    level: int
    taken: float
    expires: float | None = None
    bases: list[int] = field(default_factory=list)
    usage: str = "0.001 GiB"
    comment: str = ""
    system: str = ""
    complete: bool = True

    @property
    def prefix(self) -> str:
        return f"{self.system}/id_{self.bid}/level_{self.level}"

    @property
    def path(self) -> str:
        return f"{self.prefix}/node_0/backup_{minute(self.taken, '%Y%m%d%H%M')}"

    @property
    def id(self) -> str:
        return f"{self.volume_id} {self.path} {self.system}"


class Backups:
    def __init__(self, database: Database, rows: list[dict[str, Any]]) -> None:
        self.database, self.cluster = database, database.cluster
        self.all: list[Backup] = []
        for row in rows:
            self.all.append(self._read(row))
        self._last = max((one.bid for one in self.all), default=0)

    def _read(self, row: dict[str, Any]) -> Backup:
        """Reads the form of db_backup_list, which getBackups uses as well."""
        volume = self.cluster.archive_name(str(row.get("volume") or ""))
        identity = str(row.get("id") or "").split(" ")
        number = identity[0] if identity[0].isdigit() else (self.cluster.archive_id(volume) or 0)
        depends = row.get("dependencies") or "-"
        if isinstance(depends, str):
            depends = [part for part in depends.replace(",", " ").split() if part != "-"]
        now = self.cluster.clock.wall()
        taken = moment_of(str(row.get("timestamp") or "")) or now
        return Backup(
            bid=int(row.get("bid", len(self.all) + 1)),
            volume=volume,
            volume_id=int(number),
            level=int(row.get("level") or 0),
            taken=taken,
            expires=moment_of(str(row.get("expire") or "")),
            bases=[int(part) for part in depends],
            usage=str(row.get("usage") or "0.001 GiB"),
            comment=str(row.get("comment") or ""),
            system=str(row.get("system") or self.database.name),
            complete=bool(row.get("usable", True)),
        )

    def base(self, volume: str, level: int) -> Backup | None:
        """The newest usable backup of a lower level on that volume."""
        rows = [one for one in self.all if one.volume == volume and one.level < level and self.usable(one)]
        return rows[-1] if rows else None

    def add(self, volume: str, volume_id: int, level: int, expires: float | None) -> Backup:
        self._last += 1
        base = self.base(volume, level) if level else None
        bases = [] if base is None else [*base.bases, base.bid]
        now = self.cluster.clock.wall()
        backup = Backup(self._last, volume, volume_id, level, now, expires, bases, system=self.database.name)
        self.all.append(backup)
        return backup

    def usable(self, backup: Backup) -> bool:
        there = {one.bid for one in self.all if self._is_whole(one)}
        return backup.bid in there and all(bid in there for bid in backup.bases)

    def _is_whole(self, backup: Backup) -> bool:
        asked = self.cluster.settings["unreachable_backups"] == "unusable"
        return backup.complete and not (asked and trouble(self.cluster, backup.volume))

    def expired(self, backup: Backup) -> bool:
        return backup.expires is not None and backup.expires <= self.cluster.clock.wall()

    def dependents(self, backup: Backup) -> list[Backup]:
        return [one for one in self.all if backup.bid in one.bases]

    def remove(self, backup: Backup) -> None:
        self.all.remove(backup)

    def remove_unusable(self, system: str | None = None) -> None:
        """Removes the backups that can't be restored; of one database, if it is named."""
        for backup in [one for one in self.all if system in (None, one.system) and not self.usable(one)]:
            self.all.remove(backup)

    def remove_expired(self) -> None:
        """Removes expired backups, unless a backup that hasn't expired depends on them."""
        for backup in [one for one in self.all if self.expired(one)]:
            if all(self.expired(one) for one in self.dependents(backup)):
                self.all.remove(backup)

    def rows(self) -> list[dict[str, Any]]:
        separator = str(self.cluster.settings["dependencies_separator"])
        return [
            {
                "bid": one.bid,
                "comment": one.comment,
                "dependencies": separator.join(str(bid) for bid in one.bases) or "-",
                "expire": "" if one.expires is None else minute(one.expires),
                "expire_alterable": f"{one.volume_id} {one.prefix}",
                "expired": self.expired(one),
                "id": one.id,
                "last_item": index == len(self.all) - 1,
                "level": one.level,
                "path": one.path,
                "system": one.system,
                "timestamp": minute(one.taken),
                "ts": minute(one.taken, "%Y%m%d%H%M"),
                "usable": self.usable(one),
                "usage": one.usage,
                "volume": one.volume,
            }
            for index, one in enumerate(self.all)
        ]


def find(cluster: ExasolCluster, identity: Any) -> tuple[Database, Backup]:
    """A backup by its id, whatever database it is listed under. Raises UsageError."""
    for database in cluster.databases.values():
        for backup in database.history.all:
            if backup.id == identity:
                return database, backup
    raise cluster.refusal("unknown_backup", name=identity)


def delete(cluster: ExasolCluster, identities: list[Any], asked: str) -> None:
    """Deletes backups, or none if one of them can't be deleted. `asked` is the database of the call."""
    rows = [find(cluster, one) for one in identities]
    doomed = [backup for _owner, backup in rows]
    for owner, backup in rows:
        if any(one not in doomed for one in owner.history.dependents(backup)):
            cluster.broken("backup-base-deleted", backup.id, f"Database: {asked}.")
            if cluster.settings["delete_backup_base"] == "refuse":
                raise cluster.refusal("base_needed", name=backup.id)
    for owner, backup in rows:
        if backup in owner.history.all:
            owner.history.remove(backup)


def change_expiration(cluster: ExasolCluster, volume_id: int, prefix: str, moment: float | None) -> None:
    """Lets the backups of these files expire at a time in seconds since 1970, or never (None). Raises UsageError."""
    found = [
        backup
        for database in cluster.databases.values()
        for backup in database.history.all
        if backup.prefix == prefix.rstrip("/") and backup.volume_id == volume_id
    ]
    if not found:
        raise cluster.refusal("unknown_backup", name=prefix)
    for backup in found:
        if moment is not None and moment <= cluster.clock.wall():
            cluster.broken("backup-expired-at-once", backup.id, f"Expiry: {minute(moment)}.")
        backup.expires = moment


def expiry(cluster: ExasolCluster, text: Any) -> float | None:
    """The end of a time span such as '1w 3d', or of seconds; None (never) without one. Raises UsageError."""
    if text in (None, ""):
        return None
    is_number = isinstance(text, int) and not isinstance(text, bool)
    seconds = float(text) if is_number else span_of(text, cluster.settings["expire_m_seconds"])
    if seconds is None:
        raise cluster.refusal("bad_value", name="expire", value=text)
    return float(cluster.clock.wall() + seconds)


TIMES = {"minute": "0", "hour": "*", "day": "*", "month": "*", "weekday": "*"}
_RANGES = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 7)}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
RESTORES = ("blocking", "nonblocking", "virtual access")


def times_of(cluster: ExasolCluster, given: dict[str, Any]) -> dict[str, str]:
    """The given ones of a schedule's five times, as texts in crontab's notation. Raises UsageError."""
    times = {}
    for name, (low, high) in _RANGES.items():
        if given.get(name) is None:
            continue
        text = str(given[name])
        for part in text.replace("-", ",").replace("/", ",").split(","):
            known = part == "*" or (part.isdigit() and low <= int(part) <= high)
            if not known and not (name == "weekday" and part.lower() in _DAYS):
                raise cluster.refusal("bad_value", name=name, value=text)
        times[name] = text
    return times


def due(row: dict[str, Any], at: float) -> bool:
    """Whether a schedule runs in the minute of this time (seconds since 1970)."""
    now = time.localtime(at)
    values = {"minute": now.tm_min, "hour": now.tm_hour, "day": now.tm_mday, "month": now.tm_mon}
    if not row["enabled"] or not all(_fits(name, row[name], values[name]) for name in ("minute", "hour", "month")):
        return False
    day = _fits("day", row["day"], now.tm_mday)
    weekday = any(_fits("weekday", row["weekday"], one) for one in ((now.tm_wday + 1) % 7, now.tm_wday + 1))
    if "*" in (row["day"], row["weekday"]):
        return day and weekday
    return day or weekday  # as cron has it


def _fits(name: str, text: str, value: int) -> bool:
    for part in str(text).split(","):
        span, _slash, step = part.partition("/")
        low, high = _RANGES[name]
        if span != "*":
            first, dash, last = span.partition("-")
            low = _one(first)
            high = _one(last) if dash else (high if step else low)
        if low <= value <= high and (value - low) % (int(step or 1) or 1) == 0:
            return True
    return False


def _one(text: str) -> int:
    return int(text) if text.isdigit() else _DAYS.index(text.lower()) + 1


def archive_of(cluster: ExasolCluster, which: Any) -> tuple[str, int]:
    """The name and id of an archive volume, found by either. Raises UsageError."""
    number = which if isinstance(which, int) and not isinstance(which, bool) else cluster.archive_id(str(which))
    if number is not None:
        remote = cluster.remote_volumes.by_id(number)
        if remote is not None:
            return remote.name, remote.id
        local = cluster.volumes.all.get(number)
        if local is not None and local.kind == "archive":
            return local.name, local.id
    raise cluster.refusal("unknown_volume", name=which)


def trouble(cluster: ExasolCluster, volume: str) -> UsageError | None:
    """Why backups on an archive volume can be neither written nor read."""
    remote, local = cluster.remote_volumes.all.get(volume), cluster.volumes.named(volume)
    if remote is not None:
        return None if remote.online else cluster.refusal("remote_problem", name=volume)
    if local is None:
        return cluster.refusal("unknown_volume", name=volume)
    if local.locked or (local.conditions() and not local.lost()):
        return cluster.refusal("volume_locked", name=volume)
    if not local.app_io:
        return cluster.refusal("volume_io", name=volume)
    return cluster.refusal("volume_offline", name=volume) if local.lost() else None


def reachable(cluster: ExasolCluster, volume: str) -> None:
    """Raises UsageError if the archive volume can't be reached."""
    why = trouble(cluster, volume)
    if why is not None:
        raise why


def removed(cluster: ExasolCluster, volume: str) -> None:
    """Records that a volume with backups is removed."""
    rows = [
        f"{one.name} {row.bid}" for one in cluster.databases.values() for row in one.history.all if row.volume == volume
    ]
    if rows:
        cluster.broken("volume-with-backups-removed", volume, f"Backups: {', '.join(rows[:5])}.")
