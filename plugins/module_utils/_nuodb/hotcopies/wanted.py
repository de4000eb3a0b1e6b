# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What nuodb_hotcopy asks for, checked, and a hot copy as the domain shows it."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import Any, Optional

from ..._errors import ClusterError

COMPLETED = "completed"

FAILED = "failed"

CANCELLED = "cancelled"

OVER = (COMPLETED, FAILED, CANCELLED)
"""The statuses that are final (NUODB-345)."""

GONE = "gone"
"""Our own word: the SM that coordinates it has exited, so nobody reports it any more."""

SIMPLE = "simple"

ONCE = ("full", SIMPLE)
"""The types of which one copy fills its directory, so that a complete one is enough."""

_PART = re.compile(r"(?:tmp/)?(?:(?P<full>full)|\d+\.(?:(?P<incremental>inc)|(?P<journal>jnl)))(?:/data)?")
"""A part of a backup set within its directory; it is in `tmp` while it is made (NUODB-351, NUODB-352, NUODB-353)."""

INCOMPLETE = ".incomplete"
"""The ending of the directory of a simple hot copy while it is made (NUODB-354)."""

MEGABYTE = 1_000_000
"""Bytes of a megabyte, as nuocmd counts it (NUODB-222)."""


@dataclass(frozen=True)
class WantedHotCopy:
    """The hot copy that the options describe.

    :param directories: archive ID -> its directory.
    :param max_rate: megabytes per second.
    :param once: a complete one in the same directory is enough, if it is known to contain all of these archives.
    """

    db_name: str
    type: str
    default_dir: Optional[str] = None
    directories: dict[str, str] = field(default_factory=dict)
    shared: bool = False
    max_rate: Optional[int] = None
    partial: bool = False
    once: bool = False

    def body(self) -> dict[str, Any]:
        """The body of the request, as nuocmd sends it (NUODB-220, NUODB-221)."""
        body: dict[str, Any] = {"checkContainsAllSgs": not self.partial}
        if self.max_rate is not None:
            body["maxRate"] = str(self.max_rate * MEGABYTE)
        if self.type == SIMPLE:
            body["backupLocations"] = {key: {"copyArchiveDir": path} for key, path in self.directories.items()}
            default: dict[str, Any] = {"defaultBackupLocation": {"copyArchiveDir": self.default_dir}}
        else:
            body.update(type=self.type, shared=self.shared, backupSetDirs=self.directories)
            default = {"defaultBackupSetDir": self.default_dir}
        return {**body, **(default if self.default_dir else {})}

    @property
    def all_directories(self) -> list[str]:
        return [path for path in (self.default_dir, *self.directories.values()) if path]

    def holds(self, copy: HotCopy) -> bool:
        """Whether a hot copy goes into a wanted directory and isn't known to be one of another type."""
        for path in self.all_directories:
            inner = _inside(copy.directory, path)
            if inner is not None:
                return (copy.type or (_shown_type(inner) if inner else None)) in (None, self.type)
        return False

    def is_of(self, copy: HotCopy, archive_id: int) -> bool:
        """Whether a hot copy that an archive's SM reports is the wanted one of that archive, as far as it shows."""
        path = self.directories.get(str(archive_id))
        if path is None and self.default_dir:
            path = posixpath.join(self.default_dir, str(archive_id)) if self.shared else self.default_dir
        inner = None if path is None else _inside(copy.directory, path)
        return inner is not None and _shown_type(inner) == self.type and copy.type in (None, self.type)


def _shown_type(inner: str) -> Optional[str]:
    """The type of a hot copy by its path within the directory that was named for it; None if the path doesn't show it.

    The path never has the words incremental and journal. A simple hot copy is the directory itself (NUODB-354).
    """
    found = _PART.fullmatch(inner)
    return (found.lastgroup if found else None) if inner else SIMPLE


def _inside(path: str, directory: str) -> Optional[str]:
    """What follows a directory in a path; None if the path isn't in it."""
    path, directory = posixpath.normpath(path or "."), posixpath.normpath(directory)
    if path in (directory, directory + INCOMPLETE):
        return ""
    return path[len(directory) + 1 :] if path.startswith(directory.rstrip("/") + "/") else None


def wanted_of(cluster: str, given: dict[str, Any]) -> WantedHotCopy:
    """The options, checked.

    :raises ClusterError: they make no sense.
    """
    directories = {str(key): str(path) for key, path in (given["backup_dirs"] or {}).items()}
    if not given["default_backup_dir"] and not directories:
        raise ClusterError(f"{cluster}: no directory is given for the hot copy: set default_backup_dir or backup_dirs")
    strange = [key for key in directories if not key.isdigit()]
    if strange:
        raise ClusterError(f"{cluster}: backup_dirs: {strange[0]!r} is not an archive ID")
    if given["type"] == SIMPLE and given["shared"]:
        raise ClusterError(f"{cluster}: a simple hot copy has no option for a shared directory")
    if given["max_rate"] is not None and given["max_rate"] <= 0:
        raise ClusterError(f"{cluster}: max_rate is in megabytes per second, and must be more than 0")
    if given["once"] and given["type"] not in ONCE:
        raise ClusterError(
            f"{cluster}: once is for full and simple hot copies; {given['type']} ones add what came later"
        )
    if given["on_running"] == "wait" and not given["wait"]:
        raise ClusterError(f"{cluster}: on_running=wait can't wait with wait=false")
    return WantedHotCopy(
        given["db_name"],
        given["type"],
        given["default_backup_dir"] or None,
        directories,
        given["shared"],
        given["max_rate"],
        given["partial_storage_groups"],
        given["once"],
    )


@dataclass(frozen=True)
class HotCopy:
    """A hot copy as the API reports it (NUODB-342, NUODB-343).

    :param type: its type; None if the server doesn't report it.
    """

    start_id: str
    hotcopy_id: str
    status: str
    stage: Optional[int] = None
    message: str = ""
    directory: str = ""
    began: str = ""
    type: Optional[str] = None

    @classmethod
    def of(cls, row: dict[str, Any]) -> HotCopy:
        return cls(
            str(row.get("coordinatorStartId")),
            str(row.get("hotCopyId")),
            str(row.get("status") or "unknown").lower(),
            row.get("stage"),
            str(row.get("message") or ""),
            str(row.get("destinationDirectory") or ""),
            str(row.get("beginTimestamp") or ""),
            row.get("type"),
        )

    @property
    def key(self) -> tuple[str, str]:
        return self.start_id, self.hotcopy_id

    @property
    def is_over(self) -> bool:
        return self.status in OVER

    @property
    def words(self) -> str:
        stage = f", stage {self.stage}" if self.stage is not None and not self.is_over else ""
        return f"{self.status}{stage}" + (f": {self.message}" if self.message else "")

    def as_dict(self) -> dict[str, Any]:
        known = {"hotcopy_id": self.hotcopy_id, "status": self.status, "stage": self.stage, "message": self.message}
        return {**known, "destination_directory": self.directory}
