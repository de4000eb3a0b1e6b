# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups of a database: levels that build on each other, expiry, what is usable."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .sizes import minute, moment_of

if TYPE_CHECKING:
    from .databases import ConfdDatabase


@dataclass
class Backup:
    """Taken and expiring at seconds of the epoch; `bases` are the bids that it builds on, full backup first."""

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
    def __init__(self, database: ConfdDatabase, rows: list[dict[str, Any]]) -> None:
        self.database, self.cluster = database, database.cluster
        self.all: list[Backup] = []
        for row in rows:
            self.all.append(self._read(row))
        self._last = max((one.bid for one in self.all), default=0)

    def _read(self, row: dict[str, Any]) -> Backup:
        """From db_backup_list's form."""
        volume = str(row.get("volume") or "")
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
        """The newest usable one of a lower level on that volume."""
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
        there = {one.bid for one in self.all if one.complete}
        return backup.complete and all(bid in there for bid in backup.bases)

    def expired(self, backup: Backup) -> bool:
        return backup.expires is not None and backup.expires <= self.cluster.clock.wall()

    def dependents(self, backup: Backup) -> list[Backup]:
        return [one for one in self.all if backup.bid in one.bases]

    def remove(self, backup: Backup) -> None:
        self.all.remove(backup)

    def remove_expired(self) -> None:
        """Those that are over and on which nothing that isn't depends."""
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
