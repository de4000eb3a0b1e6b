# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""How hot copies are begun, joined, awaited and cancelled."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Optional

from ..._convergence.stage import Act, Decision, Done, Fail, History, Join, Stage
from ..._errors import ClusterError, Fault, NoSuchObject, Refused
from ..._wording import listing, near
from ..api.objects import Process, Tombstone
from ..databases.wanted import chosen
from ..view import RHYTHM, View

COMPLETED = "completed"
FAILED = "failed"
CANCELLED = "cancelled"
OVER = (COMPLETED, FAILED, CANCELLED)
"""Statuses that stay (facts 2.6)."""

GONE = "gone"
"""Our own word: the SM that coordinates it has exited, so nobody tells of it any more."""

SIMPLE = "simple"
ONCE = ("full", SIMPLE)
"""Types of which one copy fills its directory, so that there is nothing to be repeated."""

KINDS = ("full", "incremental", "journal")

MEGABYTE = 1_000_000
"""nuocmd's (facts 2.6)."""


@dataclass(frozen=True)
class Wanted:
    """The hot copy that the options describe.

    :param directories: archive ID -> its directory.
    :param max_rate: megabytes a second.
    :param once: a complete one in the same directory is enough.
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
        """The body of the request, as nuocmd sends it."""
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

    def holds(self, copy: Copy) -> bool:
        """Whether a hot copy goes into the wanted directory and isn't known to be one of another type."""
        for path in self.all_directories:
            inner = _inside(copy.directory, path)
            if inner is not None:
                kind = copy.type or next((part for part in inner.split("/") if part in KINDS), None)
                return kind is None or kind == self.type
        return False


def _inside(path: str, directory: str) -> Optional[str]:
    """What follows a directory in a path, None where the path isn't in it."""
    path, directory = posixpath.normpath(path or "."), posixpath.normpath(directory)
    if path == directory:
        return ""
    return path[len(directory) + 1 :] if path.startswith(directory.rstrip("/") + "/") else None


def wanted_of(cluster: str, given: dict[str, Any]) -> Wanted:
    """The options, checked.

    :raises ClusterError: they make no sense.
    """
    directories = {str(key): str(path) for key, path in (given["backup_dirs"] or {}).items()}
    if not given["default_backup_dir"] and not directories:
        raise ClusterError(f"{cluster}: where should the hot copy go? (default_backup_dir or backup_dirs)")
    strange = [key for key in directories if not key.isdigit()]
    if strange:
        raise ClusterError(f"{cluster}: backup_dirs: {strange[0]!r} is not an archive ID")
    if given["type"] == SIMPLE and given["shared"]:
        raise ClusterError(f"{cluster}: a simple hot copy can't be told that its directory is shared")
    if given["max_rate"] is not None and given["max_rate"] <= 0:
        raise ClusterError(f"{cluster}: max_rate is in megabytes a second, and must be more than 0")
    if given["once"] and given["type"] not in ONCE:
        raise ClusterError(
            f"{cluster}: once is for full and simple hot copies; {given['type']} ones add what came later"
        )
    if given["on_running"] == "wait" and not given["wait"]:
        raise ClusterError(f"{cluster}: on_running=wait can't wait with wait=false")
    return Wanted(
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
class Copy:
    """A hot copy as the API tells of it (facts 3.7).

    :param type: where the server tells of it.
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
    def of(cls, row: dict[str, Any]) -> Copy:
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


@dataclass(frozen=True)
class Copying:
    """What is seen of the hot copy that is wanted.

    :param own: it, once it has begun.
    :param others: those that run beside it.
    """

    own: Optional[Copy] = None
    others: tuple[Copy, ...] = ()

    def as_dict(self) -> Optional[dict[str, Any]]:
        return self.own.as_dict() if self.own else None


class HotCopy:
    """One hot copy that should be completed.

    :param on_running: C(refuse) or C(wait): what to do about another one that runs.
    :param preview: the domain may not be yet as earlier tasks would leave it.
    """

    def __init__(self, view: View, wanted: Wanted, on_running: str, preview: bool = False) -> None:
        self._view = view
        self._wanted = wanted
        self._on_running = on_running
        self._preview = preview
        self._own: Optional[tuple[str, str]] = None
        self._known: Optional[set[tuple[str, str]]] = None
        self._seen: set[tuple[str, str]] = set()
        self.row: Optional[dict[str, Any]] = None
        """The hot copy as the API told of it last."""
        snapshot = view.look("databases", "archives", "processes", db_names=[wanted.db_name])
        chosen(view.name, [wanted.db_name], snapshot)
        there = [str(archive.archive_id) for archive in snapshot.archives_of(wanted.db_name)]
        unknown = [key for key in wanted.directories if key not in there]
        if unknown:
            raise NoSuchObject(
                f"{view.name}: backup_dirs: {wanted.db_name} has no archive {listing(unknown)}; "
                f"it has {listing(there, 20) or 'none'}",
                failed_object=" ".join(unknown),
            )
        self._runs = any(one.is_storage and one.is_running for one in snapshot.processes_of(wanted.db_name))

    # -- reading

    def read(self, _name: str) -> Copying:
        """The hot copy alone once it is known, else all of the database."""
        if self._own:
            return Copying(self._follow(*self._own))
        rows = self._rows()
        every = {copy.key: copy for copy in map(Copy.of, rows)}
        self._seen = set(every)
        own = self._mine(list(every.values()))
        if own:
            self.row = next(row for row in rows if Copy.of(row).key == own.key)
            self._own = own.key
        return Copying(own, tuple(copy for copy in every.values() if not copy.is_over and copy != own))

    def _rows(self) -> list[dict[str, Any]]:
        if not self._runs:  # nobody to ask; the guard says so
            return []
        try:
            return self._view.hotcopies(self._wanted.db_name)
        except Fault:
            if self._preview:
                return []
            raise

    def _mine(self, copies: list[Copy]) -> Optional[Copy]:
        """The one that runs already, that was made before, or whose answer was lost."""
        copies = sorted((copy for copy in copies if self._wanted.holds(copy)), key=lambda copy: copy.began)
        known = self._known
        if known is not None:
            return next((copy for copy in reversed(copies) if copy.key not in known), None)
        running = [copy for copy in copies if not copy.is_over]
        done = [copy for copy in copies if copy.status == COMPLETED and self._wanted.once]
        return next(iter([*reversed(running), *reversed(done)]), None)

    def _follow(self, start_id: str, hotcopy_id: str) -> Copy:
        try:
            self.row = self._view.domain.hotcopy(start_id, hotcopy_id)
            return Copy.of(self.row)
        except Fault:
            process = self._view.process(start_id)
            if isinstance(process, Process):
                raise
            says = process.words if isinstance(process, Tombstone) else f"start ID {start_id} is gone"
            return Copy(start_id, hotcopy_id, GONE, None, f"the SM that made it exited: {says}")

    @property
    def words(self) -> str:
        """The one that is enough, for people."""
        row = self.row or {}
        return f"there is a complete one in {row.get('destinationDirectory')}, begun at {row.get('beginTimestamp')}"

    # -- deciding

    def decide(self, _name: str, copying: Copying, history: History) -> Decision:
        own, step = copying.own, f"begin {self._wanted.type} hot copy"
        if own is not None:
            if own.status == COMPLETED:
                return Done()
            if own.status in (FAILED, CANCELLED, GONE):
                return Fail(f"hot copy {own.hotcopy_id} {own.words}")
            return Join(f"{own.words} (hot copy {own.hotcopy_id})")
        if copying.others and not history.acted:
            says = "; ".join(f"{copy.hotcopy_id} into {copy.directory} is {copy.words}" for copy in copying.others)
            if self._on_running == "wait":
                return Join(f"another hot copy first: {says}", then=(step,))
            return Fail(
                f"another hot copy runs: {says}; a second one would be refused or slow both down",
                hint="on_running: wait begins behind it; nuodb_hotcopy state=cancelled ends it",
            )
        return Act(step, self._begin)

    def _begin(self) -> None:
        self._known = set(self._seen)
        wanted = self._wanted
        row = self._view.domain.start_hotcopy(wanted.db_name, wanted.body(), wanted.type == SIMPLE)
        copy = Copy.of(row)
        if row.get("hotCopyId") and row.get("coordinatorStartId") is not None:
            self.row, self._own = row, copy.key

    def guard(self) -> None:
        """The rule before it begins: an SM runs, and those of the archives that are named."""
        wanted = self._wanted
        snapshot = self._view.look("processes", db_names=[wanted.db_name])
        running = [one for one in snapshot.processes_of(wanted.db_name) if one.is_storage and one.is_running]
        states = {process.title: process.state for process in snapshot.processes_of(wanted.db_name)}
        if not running:
            raise Refused(
                f"{self._view.name}: {wanted.db_name}: no hot copy begun: no SM of it runs, and SMs are what copies",
                hint="start the database first (nuodb_database state=running)",
                failed_object=wanted.db_name,
                last_state=states,
            )
        copying = {str(process.archive_id) for process in running}
        idle = [key for key in wanted.directories if key not in copying]
        if idle:
            raise Refused(
                f"{self._view.name}: {wanted.db_name}: no hot copy begun: backup_dirs names archive {listing(idle)}, "
                "whose SM does not run, so its data would be missing from the copy",
                hint="start it first (nuodb_database state=running), or leave that archive out of backup_dirs",
                failed_object=" ".join(idle),
                last_state=states,
            )

    def stage(self) -> Stage:
        """It, completed."""
        return Stage(
            "hot copies",
            COMPLETED,
            [self._wanted.db_name],
            self.read,
            self.decide,
            lambda copying: copying.own.words if copying.own else "none",
            target=self._target,
            guard=self.guard,
            rhythm=RHYTHM,
        )

    def _target(self, _name: str, copying: Copying) -> Copying:
        own = copying.own or Copy("", "", COMPLETED, directory=self._wanted.all_directories[0])
        return Copying(Copy(own.start_id, own.hotcopy_id, COMPLETED, directory=own.directory))

    def rows(self) -> list[dict[str, Any]]:
        """The hot copy, as the API told of it last, or as it would be."""
        if self.row is not None:
            return [self.row]
        directory = self._wanted.all_directories[0]
        return [{"status": COMPLETED, "destinationDirectory": directory}] if self._preview else []


class Cancelling:
    """Hot copies that should end.

    :param hotcopy_id: which one; all that run where none is named.
    """

    def __init__(self, view: View, db_name: str, hotcopy_id: Optional[str]) -> None:
        self._view = view
        self._db_name = db_name
        snapshot = view.look("databases", "processes", db_names=[db_name])
        chosen(view.name, [db_name], snapshot)
        runs = any(one.is_storage and one.is_running for one in snapshot.processes_of(db_name))
        self._rows: dict[str, dict[str, Any]] = {}
        if runs:  # else nobody makes one
            self._look()
        copies = {name: Copy.of(row) for name, row in self._rows.items()}
        self.names = [name for name, copy in copies.items() if not copy.is_over]
        if hotcopy_id is not None:
            if runs and hotcopy_id not in copies:
                raise NoSuchObject(
                    f"{view.name}: {db_name} has no hot copy {hotcopy_id}{near(hotcopy_id, list(copies))}; "
                    f"it tells of {listing(list(copies), 20) or 'none'}",
                    failed_object=hotcopy_id,
                )
            self.names = [hotcopy_id] if hotcopy_id in copies else []
        self._told = False

    def _look(self) -> None:
        self._rows.update({str(row.get("hotCopyId")): row for row in self._view.hotcopies(self._db_name)})

    def read(self, names: list[str]) -> dict[str, Copy]:
        """All of them by one look."""
        if self._told:
            self._look()
        self._told = True
        return {name: Copy.of(self._rows[name]) for name in names}

    def decide(self, _name: str, copy: Copy, _history: History) -> Decision:
        if copy.is_over:
            return Done()
        return Act("cancel hot copy", partial(self._view.domain.cancel_hotcopy, *copy.key))

    def stage(self) -> Stage:
        """All of them over."""
        return Stage(
            "hot copies",
            CANCELLED,
            self.names,
            None,
            self.decide,
            lambda copy: copy.words,
            target=lambda _name, copy: Copy(copy.start_id, copy.hotcopy_id, CANCELLED, directory=copy.directory),
            read_all=self.read,
        )

    def rows(self, preview: bool) -> list[dict[str, Any]]:
        """The hot copies as the API told of them last, or as they would be."""
        found = [self._rows[name] for name in self.names]
        return [row if Copy.of(row).is_over else {**row, "status": CANCELLED} for row in found] if preview else found
