# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""How archive objects are created, brought back under their old ID, removed and forgotten."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Optional

from .._convergence.stage import Act, Decision, Done, Fail, History, Stage, Together
from .._errors import ClusterError
from .._wording import listing, near
from .api.objects import NOT_RUNNING, PROVISIONED, RUNNING, Archive, as_plain
from .guards import refuse_without_quorum
from .view import DomainView, Snapshot

EVERY = "*"
"""Instead of names of storage groups: all of them (nuocmd's `--passive`, NUODB-198)."""

ABSENT = "absent"

_KIND = re.compile(r"(?i)(lsa|file):(.*)", re.DOTALL)
"""The kind before an archive's path: `lsa:` or `file:`; none is the same as `file:` (NUODB-251)."""


@dataclass(frozen=True)
class WantedArchive:
    """An entry of the option `archives`; a field that is None was not given."""

    archive_id: Optional[int] = None
    db_name: Optional[str] = None
    server_id: Optional[str] = None
    archive_path: Optional[str] = None
    journal_path: Optional[str] = None
    snapshot_archive_path: Optional[str] = None
    observer_storage_groups: Optional[tuple[str, ...]] = None
    restored: bool = False

    @property
    def name(self) -> str:
        return f"archive {self.archive_id}" if self.archive_path is None else f"{self.server_id}:{self.archive_path}"

    @property
    def directories(self) -> list[str]:
        return _directories(self.archive_path, self.journal_path, self.snapshot_archive_path)

    def is_at(self, archive: Archive) -> bool:
        """Whether the entry names the server and directory of an archive."""
        return self.server_id == archive.server_id and (
            self.archive_path is not None and directory(self.archive_path) == directory(archive.archive_path)
        )

    def differences(self, archive: Archive) -> list[str]:
        """The given fields that differ from an archive, in words."""
        found = []
        for field in ("server_id", "archive_path", "journal_path", "snapshot_archive_path"):
            wanted, there = getattr(self, field), getattr(archive, field)
            if wanted is not None and not _is_as_told(wanted, there):
                found.append(f"its {field} is {there or 'not set'}, not {wanted}")
        groups, there = self.observer_storage_groups, archive.observer_storage_groups
        if groups is not None and not _same_groups(groups, there):
            found.append(
                f"its observer_storage_groups are {listing(list(there)) or 'none'}, not {listing(list(groups))}"
            )
        return found

    def body(self, archive: Optional[Archive] = None) -> dict[str, Any]:
        """The body of the request that creates an archive, or brings one back; what is not given stays as it was."""
        before = archive or Archive(0, "", None, "", "")
        body: dict[str, Any] = {
            "dbName": self.db_name or before.db_name,
            "host": self.server_id or before.server_id,
            "path": _bare(self.archive_path) or before.archive_path,
        }
        if self.restored or archive is None:
            body["restored"] = self.restored
        if body["host"] is None:
            body["remoteStart"] = True
        observed = self.observer_storage_groups
        more = {
            "journalPath": _bare(self.journal_path) or before.journal_path,
            "snapshotArchivePath": _bare(self.snapshot_archive_path) or before.snapshot_archive_path,
            "storageGroupObservers": list(before.observer_storage_groups if observed is None else observed),
        }
        return {**body, **{key: value for key, value in more.items() if value}}


def directory(path: str) -> str:
    """The directory of an archive, without its kind: `lsa:/d`, `file:/d` and `/d` are one directory."""
    found = _KIND.fullmatch(path)
    return re.sub("^//+", "/", posixpath.normpath(found[2] if found else path))


def _kind(path: str) -> str:
    found = _KIND.fullmatch(path)
    return found[1].lower() if found else ""


def _is_as_told(wanted: str, there: Optional[str]) -> bool:
    """Whether a server ID or a path is the same. No source shows whether the server returns the kind of an archive, so
    a missing kind is no difference."""
    if wanted == there or not there:
        return wanted == there
    return directory(wanted) == directory(there) and (not _kind(there) or (_kind(wanted) or "file") == _kind(there))


def _bare(path: Optional[str]) -> Optional[str]:
    """A path without a slash at its end: other programs compare the text."""
    return path and (path.rstrip("/") or "/")


def _same_groups(wanted: tuple[str, ...], there: tuple[str, ...]) -> bool:
    if EVERY in wanted:
        return bool(there)  # the server may return the names of all groups instead
    return {name.upper() for name in wanted} == {name.upper() for name in there}


def _directories(*paths: Optional[str]) -> list[str]:
    return [directory(path) for path in paths if path]


def entries(cluster: str, given: list[dict[str, Any]], db_name: Optional[str], state: str) -> list[WantedArchive]:
    """The option `archives`, checked.

    :param db_name: the database of entries that name none.
    :raises ClusterError: there is no entry, or entries contradict each other.
    """
    found: dict[str, WantedArchive] = {}
    for row in given:
        groups = row.get("observer_storage_groups")
        known = {key: row[key] for key in WantedArchive.__dataclass_fields__ if row.get(key) is not None}
        known["observer_storage_groups"] = None if groups is None else tuple(groups)
        entry = WantedArchive(**{**known, "db_name": row.get("db_name") or db_name})
        if (entry.server_id is None) != (entry.archive_path is None) or entry.name == "archive None":
            raise ClusterError(f"{cluster}: archives: an entry needs an archive_id, or a server_id and an archive_path")
        if state == "present" and entry.archive_id is None and entry.db_name is None:
            raise ClusterError(f"{cluster}: archives: {entry.name}: db_name is missing: name its database")
        if found.setdefault(entry.name, entry) != entry:
            raise ClusterError(f"{cluster}: archives: {entry.name} is listed twice with different options")
    if not found:
        raise ClusterError(f"{cluster}: no archive is named: give an archive_id, or a server_id and an archive_path")
    if state == "present":
        _refuse_shared_directories(cluster, list(found.values()))
    return list(found.values())


def _refuse_shared_directories(cluster: str, wanted: list[WantedArchive]) -> None:
    owners: dict[tuple[Optional[str], str], str] = {}
    for entry in wanted:
        for path in entry.directories:
            if owners.setdefault((entry.server_id, path), entry.name) != entry.name:
                owner = owners[(entry.server_id, path)]
                raise ClusterError(f"{cluster}: archives: {owner} and {entry.name} would share {path}")


@dataclass(frozen=True)
class ArchiveState:
    """What the domain has for an entry.

    :param archive: the archive that exists.
    :param removed: the archives that were removed at its place.
    :param rival: the other archive that uses one of its directories, in words.
    :param storage: the SM of the archive, in words.
    :param last: without it, its database would have no archive.
    :param server_known: the domain knows its server.
    """

    archive: Optional[Archive] = None
    removed: tuple[Archive, ...] = ()
    rival: str = ""
    storage: str = ""
    last: bool = False
    server_known: bool = True

    def as_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {"archive": as_plain(self.archive) if self.archive else None}
        return {**found, "removed": [as_plain(archive) for archive in self.removed]} if self.removed else found


class Archives:
    """The archives of one task.

    :param state: `present`, `absent` or `purged`.
    :param allow_external: remove or purge it although Kubernetes or the like keeps its volume.
    """

    def __init__(self, view: DomainView, wanted: list[WantedArchive], state: str, allow_external: bool = False) -> None:
        self._view = view
        self._wanted = {entry.name: entry for entry in wanted}
        self._state = state
        self._allow_external = allow_external
        self._parts = ("servers", "archives") if state == "present" else ("databases", "archives", "processes")
        self.seen = view.look(*self._parts)
        """The domain when it was last looked at."""
        self._removed: Optional[dict[int, Archive]] = None
        self._told: set[str] = set()

    # -- reading

    def read(self, names: list[str]) -> dict[str, ArchiveState]:
        """Reads all entries with one look, and one more at the removed archives if they matter."""
        if self._told & set(names):
            parts = tuple(part for part in self._parts if part != "servers")
            self.seen, self._removed = replace(self._view.look(*parts), servers=self.seen.servers), None
        self._told |= set(names)
        doomed = {archive.archive_id for entry in self._wanted.values() for archive in self._there(entry)}
        return {name: self._place(self._wanted[name], doomed) for name in names}

    def _there(self, entry: WantedArchive) -> list[Archive]:
        there = [archive for archive in self.seen.archives.values() if not archive.removed]
        if entry.archive_id is not None:
            return [archive for archive in there if archive.archive_id == entry.archive_id]
        return [archive for archive in there if entry.is_at(archive)]

    def _gone(self, entry: WantedArchive) -> tuple[Archive, ...]:
        if self._removed is None:
            self._removed = self._view.removed_archives()
        if entry.archive_id is not None:
            return tuple(archive for archive in self._removed.values() if archive.archive_id == entry.archive_id)
        return tuple(archive for archive in self._removed.values() if entry.is_at(archive))

    def _place(self, entry: WantedArchive, doomed: set[int]) -> ArchiveState:
        archive = next(iter(self._there(entry)), None)
        if self._state == "present":
            return self._wanted_place(entry, archive)
        removed = self._gone(entry) if self._state == "purged" else ()
        if archive is None:
            return ArchiveState(None, removed)
        process = self.seen.storage_of(archive.archive_id)
        stay = [one for one in self.seen.archives_of(archive.db_name) if one.archive_id not in doomed]
        last = archive.db_name in self.seen.databases and not stay
        return ArchiveState(archive, removed, "", f"{process.title} is {process.state}" if process else "", last)

    def _wanted_place(self, entry: WantedArchive, archive: Optional[Archive]) -> ArchiveState:
        if archive is not None:
            return ArchiveState(archive)
        removed = self._gone(entry)
        server_id = entry.server_id or next((one.server_id for one in removed), None)
        known = server_id is None or server_id in self.seen.servers
        return ArchiveState(None, removed, self._rival(entry, removed), "", False, known)

    def _rival(self, entry: WantedArchive, removed: tuple[Archive, ...]) -> str:
        """Which archive uses a directory of this one."""
        wanted, server_id = entry.directories, entry.server_id
        if not wanted and len(removed) == 1:
            wanted, server_id = _directories_of(removed[0]), removed[0].server_id
        for archive in self.seen.archives.values():
            shared = [path for path in _directories_of(archive) if path in wanted]
            if archive.server_id == server_id and shared and not archive.removed:
                return f"archive {archive.archive_id} of database {archive.db_name} uses {shared[0]} on {server_id}"
        return ""

    def redundant(self) -> list[str]:
        """The databases that would get an archive beside another one."""
        new = Counter(str(entry.db_name) for entry in self._wanted.values() if entry.db_name and not self._there(entry))
        return sorted(name for name, count in new.items() if len(self.seen.archives_of(name)) + count > 1)

    # -- deciding

    def present(self, name: str, place: ArchiveState, _history: History) -> Decision:
        entry, archive = self._wanted[name], place.archive
        if archive is not None:
            return _unlike(entry, archive) or Done()
        if entry.archive_id is not None and not place.removed:
            return Fail(
                f"there is no archive {entry.archive_id}, and none with this ID was removed; the domain chooses new "
                "IDs itself",
                hint="leave archive_id out to create a new one",
                number="DBF-6605",
            )
        if not place.server_known:
            server_id = entry.server_id or next(one.server_id for one in place.removed)
            known = list(self.seen.servers)
            there = listing(known, 20) or "none"
            return Fail(
                f"there is no server {server_id}{near(str(server_id), known)}; there are: {there}",
                hint="a server joins the domain when its nuoadmin service starts for the first time",
                number="DBF-6605",
            )
        if place.rival:
            return Fail(
                f"{place.rival}, and two archives in one directory would destroy each other's data",
                hint="name another directory; nothing overrides this",
                number="DBF-6605",
            )
        return self._resurrected(entry, place.removed) or Act(
            "create archive", partial(self._view.domain.create_archive, entry.body())
        )

    def _resurrected(self, entry: WantedArchive, removed: tuple[Archive, ...]) -> Optional[Decision]:
        """What to do about archives that were removed at the same place; None if there are none."""
        if not removed:
            return None
        if len(removed) > 1:
            ids = " ".join(str(archive.archive_id) for archive in removed)
            return Fail(
                f"archives {ids} were all removed from this directory, and its files belong to only one of them",
                hint="set archive_id to the one that should come back, and purge the others (state=purged)",
                number="DBF-6605",
            )
        archive = removed[0]
        bad = _unlike(entry, archive)
        if bad:
            return bad
        back = partial(self._view.domain.resurrect_archive, archive.archive_id, entry.body(archive))
        return Act(f"resurrect archive {archive.archive_id}", back)

    def absent(self, name: str, place: ArchiveState, _history: History) -> Decision:
        entry, archive = self._wanted[name], place.archive
        for one in (archive, *place.removed):
            bad = _unlike(entry, one) if one is not None else None
            if bad:
                return bad
        purge = self._state == "purged"
        pods = [one for one in (archive, *place.removed) if one is not None and one.external]
        if pods and not self._allow_external:
            return Fail(
                f"archive {pods[0].archive_id} has no server: Kubernetes or the like keeps its volume, brings the "
                "archive back under its ID when its pod starts, and takes it out itself when the volume is deleted",
                hint="scale its StatefulSet, or delete its volume claim (kubectl); allow_external: true removes or "
                "purges the archive here, if its volume is gone for good",
                number="DBF-6559",
            )
        if archive is None:
            return self._forget(place.removed) if place.removed else Done()
        if place.storage or archive.state == RUNNING:
            return Fail(
                f"{place.storage or f'archive {archive.archive_id} is {archive.state}'}, and if the archive "
                "were removed, its SM would be left without its data",
                hint="stop the SM first (nuodb_process state=stopped; state=evicted where its machine is gone), or the "
                "whole database (nuodb_database state=stopped); nothing overrides this",
                number="DBF-6604",
            )
        if place.last:
            return Fail(
                f"it is the last archive of database {archive.db_name}, which would be left without its data",
                hint=f"delete the database first (nuodb_database databases=[{archive.db_name}] state=absent); "
                "nothing overrides this",
                number="DBF-6604",
            )
        remove = partial(self._view.domain.delete_archive, archive.archive_id, False)
        return self._forget((archive, *place.removed)) if purge else Act(f"remove archive {archive.archive_id}", remove)

    def _forget(self, archives: tuple[Archive, ...]) -> Act:
        """Purges the archives at one place, one after another."""
        first, *others = [f"purge archive {archive.archive_id}" for archive in archives]
        purge = partial(self._view.domain.delete_archive, archives[0].archive_id, True)
        return Act(first, purge, then=tuple(others))

    def guard(self) -> None:
        """The rule before something changes."""
        refuse_without_quorum(self._view.name, self._view.look("servers"))

    # -- the run

    def stages(self) -> list[Stage]:
        """The stages. New archives are created one after another, so that their IDs follow the order of the entries."""
        names = list(self._wanted)
        if self._state != "present":
            return [self._stage(names)]
        there = [name for name in names if self._there(self._wanted[name])]
        return [self._stage(part) for part in [there, *([name] for name in names if name not in there)] if part]

    def _stage(self, names: list[str]) -> Stage:
        return Stage(
            noun="archives",
            done=self._state,
            names=names,
            read=Together(self.read),
            decide=self.present if self._state == "present" else self.absent,
            words=words,
            target=self._target,
            guard=self.guard,
        )

    def _target(self, name: str, place: ArchiveState) -> ArchiveState:
        if self._state == "purged":
            return ArchiveState()
        if self._state == "absent":
            return ArchiveState(None, (replace(place.archive, removed=True),) if place.archive else place.removed)
        entry = self._wanted[name]
        if place.removed:
            return ArchiveState(replace(place.removed[0], removed=False))
        return ArchiveState(
            Archive(
                -1 - list(self._wanted).index(name),
                entry.db_name or "",
                entry.server_id,
                entry.archive_path or "",
                NOT_RUNNING if entry.restored else PROVISIONED,
                entry.journal_path,
                entry.snapshot_archive_path,
                entry.observer_storage_groups or (),
            )
        )

    def predicted(self, states: dict[str, ArchiveState]) -> Snapshot:
        """The domain as it would be with these."""
        doomed = {one.archive_id for entry in self._wanted.values() for one in self._there(entry)}
        archives = {key: one for key, one in self.seen.archives.items() if key not in doomed}
        for place in states.values():
            if place.archive is not None:
                archives[place.archive.archive_id] = place.archive
        return replace(self.seen, archives=archives)


def _directories_of(archive: Archive) -> list[str]:
    return _directories(archive.archive_path, archive.journal_path, archive.snapshot_archive_path)


def _unlike(entry: WantedArchive, archive: Archive) -> Optional[Fail]:
    """The refusal if an archive differs from its entry; else None."""
    kind = "removed archive" if archive.removed else "archive"
    if entry.db_name is not None and archive.db_name != entry.db_name:
        return Fail(
            f"{kind} {archive.archive_id} at {archive.where} belongs to database {archive.db_name}, not "
            f"{entry.db_name}, and its files contain the data of {archive.db_name}",
            hint="name another directory, or the right db_name"
            + ("; if nobody needs the removed archive any more, purge it (state=purged)" if archive.removed else ""),
            number="DBF-6605",
        )
    different = entry.differences(archive)
    if different:
        return Fail(
            f"{kind} {archive.archive_id} differs from the task, and can't be changed: {'; '.join(different)}",
            hint="give the values of the existing archive; or remove it (state=absent) and create a new archive",
            number="DBF-6605",
        )
    return None


def words(place: ArchiveState) -> str:
    """The state for people."""
    if place.archive is not None:
        number = place.archive.archive_id
        return f"{place.archive.state} (archive {number if number >= 0 else 'whose ID is not known yet'})"
    if place.removed:
        return f"removed (archive {listing([str(archive.archive_id) for archive in place.removed])})"
    return ABSENT


def rows(states: dict[str, ArchiveState]) -> dict[str, dict[str, Any]]:
    """The archives as plain data, by ID."""
    every = [one for place in states.values() for one in (place.archive, *place.removed) if one is not None]
    return {str(one.archive_id): as_plain(one) for one in every}
