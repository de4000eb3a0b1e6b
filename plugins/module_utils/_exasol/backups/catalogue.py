# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The backups of databases, and how the run finds one of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional

from ..._convergence.workers import gather
from ..._errors import ClusterError, NoSuchObject
from ..._wording import listing, near
from ..api.backups import Backup, BackupApi


@dataclass
class Catalogue:
    """The backups of some databases, as they were read last.

    :param foreign: whether to list backups of other databases too.
    """

    api: BackupApi
    names: list[str]
    foreign: bool = False
    rows: dict[str, list[Backup]] = field(default_factory=dict)

    def look(self, name: str) -> list[Backup]:
        """Reads the backups of one database again."""
        self.rows[name] = self.api.backups(name, self.foreign)
        return self.rows[name]

    def look_at_all(self) -> None:
        self.rows.update(gather(self.names, lambda name: self.api.backups(name, self.foreign)))

    def everything(self) -> list[Backup]:
        """All backups that were read, each once."""
        return list({backup.id: backup for rows in self.rows.values() for backup in rows}.values())

    def find(self, wanted: str, name: Optional[str] = None) -> Optional[Backup]:
        """The backup with an ID, or with a number that only one backup has.

        :param name: the database; None searches the backups of all databases that were read.
        :raises ClusterError: several backups have that number.
        """
        rows = self.rows.get(name, []) if name else self.everything()
        text = wanted.strip()
        found = [row for row in rows if row.id == text]
        if not found and text.isdigit():
            found = [row for row in rows if row.bid == int(text)]
        if len(found) > 1:
            raise ClusterError(
                f"{self.api.name}: several backups have number {text}: {listing([row.id for row in found], 8, ', ')}",
                hint="name the backup by its id",
                failed_object=text,
                number="DBF-3002",
            )
        return found[0] if found else None

    def found(self, wanted: str, name: Optional[str] = None) -> Backup:
        """The backup with an ID or number. Other than in `find`, it must exist.

        :raises NoSuchObject: it doesn't; the message names a similar ID.
        """
        backup = self.find(wanted, name)
        if backup is None:
            rows = self.rows.get(name, []) if name else self.everything()
            there = [row.id for row in rows]
            numbers = [f"{row.bid} ({row.id})" for row in rows]
            raise NoSuchObject(
                f"{self.api.name}: {name or listing(self.names)}: there is no backup {wanted!r}{near(wanted, there)}; "
                f"there are: {listing(numbers, 8, ', ') or 'none'}",
                failed_object=wanted,
            )
        return backup

    def as_dict(self) -> dict[str, list[dict[str, Any]]]:
        return {name: [row.as_dict() for row in self.rows.get(name, [])] for name in self.names}
