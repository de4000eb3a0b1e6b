# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives: the domain's objects for the directories that contain the data."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .domain import Domain
    from .processes import Process

ALL = "*"

_KIND = re.compile("^(lsa|file):", re.IGNORECASE)


class Archive:
    """PROVISIONED -> RUNNING (its SM reached CONFIGURED) -> NOT_RUNNING (its SM exited) -> RUNNING ..."""

    def __init__(self, domain: Domain, archive_id: int, options: dict[str, Any]) -> None:
        self.domain, self.id = domain, archive_id
        self.options = options
        self.db_name = str(options["db_name"])
        self.server_id = options.get("server_id")
        self.path = str(options["archive_path"])
        self.journal_path = options.get("journal_path")
        self.snapshot_archive_path = options.get("snapshot_archive_path")
        self.observed = [str(group) for group in options.get("observer_storage_groups") or []]
        self.state = str(options.get("state", "PROVISIONED"))
        self.removed = bool(options.get("removed"))
        self.epoch = int(options.get("epoch", 0))
        """Logical time of the last data; the archive with the highest leads a cold start."""

    @property
    def place(self) -> str:
        """The directory, without the kind of archive in it (NUODB-251)."""
        return re.sub("^//+", "/", posixpath.normpath(_KIND.sub("", self.path)))

    @property
    def process(self) -> Process | None:
        """The SM of the archive, requested or running."""
        return next((one for one in self.domain.processes.of(self.db_name) if one.archive is self), None)

    @property
    def observer(self) -> bool:
        return bool(self.observed)

    def seconds(self, name: str) -> float:
        """A time of this archive's SM: that of the archive, else of its database, else of the domain."""
        own = self.options.get("history" if name == "archive_history" else name)
        return float(own) if own is not None else self.domain.seconds(self.db_name, name)

    def row(self) -> dict[str, Any]:
        """The object as the API shows it."""
        row = {
            "id": self.id,
            "dbName": self.db_name,
            "host": self.server_id,
            "path": self.path if self.domain.settings["archive_path"] == "given" else _KIND.sub("", self.path),
            "state": self.state,
            "journalPath": self.journal_path,
            "snapshotArchivePath": self.snapshot_archive_path,
            "observerStorageGroups": list(self.observed),
        }
        return {key: value for key, value in row.items() if value is not None}

    def summary(self) -> dict[str, Any]:
        """The object in the form of a topology."""
        return {
            "archive_id": self.id,
            "db_name": self.db_name,
            "server_id": self.server_id,
            "archive_path": self.path,
            "journal_path": self.journal_path,
            "snapshot_archive_path": self.snapshot_archive_path,
            "observer_storage_groups": list(self.observed),
            "state": self.state,
            "removed": self.removed,
            "epoch": self.epoch,
        }
