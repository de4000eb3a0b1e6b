# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""How storage groups are put on archives and taken off them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Optional

from .._convergence.stage import Act, Decision, Done, Fail, History, Stage, Together, Wait
from .._errors import ClusterError, Fault, Refused
from .._wording import listing
from .api.objects import Archive
from .databases.wanted import chosen
from .guards import refuse_without_quorum
from .serving import ADDED
from .view import DomainView, Snapshot

PENDING_REMOVAL = "PENDING_REMOVAL"
AVAILABLE = "Available"

ADD = "add storage group"
REMOVE = "remove storage group"
DELETE = "delete storage group"

FORGET = "if its machine is gone for good, purge the archive (nuodb_archive state=purged)"
BY = "nuodb_database state=running, or nuodb_process"
SCALE = "its pod starts it: scale its StatefulSet up"
"""For an archive without a server: only its pod can start its SM, and it belongs to no machine that could be gone."""

PREDEFINED = ("ALL", "UNPARTITIONED")
"""Groups that every database has (NUODB-280)."""


@dataclass(frozen=True)
class WantedStorageGroup:
    """The options.

    :param sg_name: in upper case, as the server keeps it.
    :param archive_ids: empty for all archives that hold the group.
    :param confirm: the group's name, if its data may be lost.
    """

    db_name: str
    sg_name: str
    archive_ids: tuple[int, ...]
    state: str
    confirm: str = ""

    @property
    def is_confirmed(self) -> bool:
        return self.confirm.upper() == self.sg_name


def wanted_of(cluster: str, given: dict[str, Any]) -> WantedStorageGroup:
    """The options, checked.

    :raises ClusterError: they make no sense.
    """
    archive_ids = tuple(dict.fromkeys(given["archive_ids"]))
    if given["state"] == "present" and not archive_ids:
        raise ClusterError(f"{cluster}: archive_ids is missing: name the archives that store {given['sg_name']}")
    name, confirm = given["sg_name"].strip().upper(), (given["confirm"] or "").strip()
    return WantedStorageGroup(given["db_name"], name, archive_ids, given["state"], confirm)


@dataclass(frozen=True)
class StorageGroupState:
    """A storage group on an archive, or, without an archive, in the whole database.

    :param held: `ADDED`, the server's word while that changes, or empty if the group isn't there.
    :param group: the state of the group as a whole.
    :param storage: why no SM of the archive runs; empty if one runs.
    :param others: the archives that hold it, without those that the task names.
    :param running: those among them whose SM runs.
    """

    held: str = ""
    group: str = ""
    archive: Optional[Archive] = None
    storage: str = ""
    others: tuple[int, ...] = ()
    running: tuple[int, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {"archive_state": self.held or None, "state": self.group or None}


class StorageGroups:
    """One storage group.

    :param preview: the domain may not yet be as earlier tasks would leave it.
    """

    def __init__(self, view: DomainView, wanted: WantedStorageGroup, preview: bool) -> None:
        self._view = view
        self._wanted = wanted
        self._preview = preview
        self._known = view.look("databases", "archives")
        chosen(view.name, [wanted.db_name], self._known)
        self.rows: dict[str, dict[str, Any]] = {}
        """All groups of the database when they were last looked at."""
        self._told: set[str] = set()
        self._seen = Snapshot()
        self._look()
        held = (self.rows.get(wanted.sg_name) or {}).get("archive_states") or {}
        self._archive_ids = wanted.archive_ids or tuple(sorted(int(key) for key in held))
        if not wanted.archive_ids and wanted.sg_name in PREDEFINED:
            raise Refused(
                f"{view.name}: {wanted.db_name}: {wanted.sg_name} is a storage group of every database",
                hint="name the archives that should lose it (archive_ids)",
                failed_object=wanted.sg_name,
                number="DBF-6607",
            )

    def _name(self, archive_id: int) -> str:
        return f"{self._wanted.sg_name} on archive {archive_id}"

    # -- reading

    def read(self, names: list[str]) -> dict[str, StorageGroupState]:
        """Reads all of them with one look at the groups and one at the SMs."""
        if self._told & set(names):
            self._look()
        self._told |= set(names)
        by_name = {self._name(archive_id): archive_id for archive_id in self._archive_ids}
        return {name: self._copy(by_name.get(name)) for name in names}

    def _look(self) -> None:
        self._seen = self._view.look("processes", db_names=[self._wanted.db_name])
        try:
            self.rows = self._view.domain.storage_groups(self._wanted.db_name)
        except Fault:
            if not self._preview:
                raise

    def _copy(self, archive_id: Optional[int]) -> StorageGroupState:
        row = self.rows.get(self._wanted.sg_name) or {}
        held = {int(key): str(state) for key, state in (row.get("archive_states") or {}).items()}
        others = tuple(sorted(key for key in held if key not in self._archive_ids and held[key] == ADDED))
        running = tuple(key for key in others if not self._storage(key))
        group = str(row.get("state") or "") or (AVAILABLE if row else "")
        if archive_id is None:
            return StorageGroupState(ADDED if row else "", group, None, "", others, running)
        archive = self._known.archives.get(archive_id)
        return StorageGroupState(held.get(archive_id, ""), group, archive, self._storage(archive_id), others, running)

    def _storage(self, archive_id: int) -> str:
        process = self._seen.storage_of(archive_id)
        if process is None:
            return "has no SM that runs"
        return "" if process.is_running else f"has an SM that is {process.state}"

    # -- deciding

    def present(self, name: str, copy: StorageGroupState, _history: History) -> Decision:
        wanted, archive_id = self._wanted, self._id(name)
        bad = self._bad_archive(archive_id, copy)
        if bad:
            return bad
        if copy.held == ADDED and copy.group != PENDING_REMOVAL:
            return Done()
        if copy.held and not _is_going(copy):
            return Wait(words(copy))
        if copy.storage:
            return Fail(
                f"archive {archive_id} {copy.storage}, and only its SM can store the group's data",
                hint=(SCALE if copy.archive and copy.archive.external else f"start it first ({BY})")
                + "; nothing overrides this",
                number="DBF-6607",
            )
        if copy.held:
            return Wait(words(copy), then=(ADD,))
        return Act(ADD, partial(self._view.domain.add_storage_group, wanted.db_name, wanted.sg_name, archive_id))

    def _id(self, name: str) -> int:
        return next(archive_id for archive_id in self._archive_ids if self._name(archive_id) == name)

    def _bad_archive(self, archive_id: int, copy: StorageGroupState) -> Optional[Fail]:
        db_name = self._wanted.db_name
        if copy.archive is None:
            ids = [str(archive.archive_id) for archive in self._known.archives_of(db_name)]
            return Fail(
                f"there is no archive {archive_id}; database {db_name} has {listing(ids, 20) or 'none'}",
                number="DBF-6607",
            )
        if copy.archive.db_name != db_name:
            return Fail(
                f"archive {archive_id} belongs to database {copy.archive.db_name}, not {db_name}", number="DBF-6607"
            )
        return None

    def absent(self, name: str, copy: StorageGroupState, history: History) -> Decision:
        """Decides the next step to take the group off one archive."""
        wanted, archive_id = self._wanted, self._id(name)
        if copy.archive is not None and copy.archive.db_name != wanted.db_name:
            return self._bad_archive(archive_id, copy) or Done()
        if not copy.held:
            return Done()
        if _is_going(copy):
            return Wait(words(copy))
        if not history.acted:
            bad = self._stale_rest(archive_id, copy) or self._unconfirmed(copy)
            if bad:
                return bad
        if copy.held != ADDED:
            return Wait(words(copy), then=(REMOVE,))
        return Act(REMOVE, partial(self._view.domain.remove_storage_group, wanted.db_name, wanted.sg_name, archive_id))

    def _stale_rest(self, archive_id: int, copy: StorageGroupState) -> Optional[Fail]:
        """The refusal if a copy's SM is down: such a copy can't be taken off, and must not be all that is left."""
        name = self._wanted.sg_name
        if copy.storage:
            return Fail(
                f"archive {archive_id} {copy.storage}, and only its SM can take {name} off it: its copy may lack "
                "the last commits, and would stay when the other copies are gone",
                hint=f"{self._how('it', [archive_id])}; nothing overrides this",
                number="DBF-6608",
            )
        if not copy.others or copy.running:
            return None
        ids = listing([str(other) for other in copy.others])
        return Fail(
            f"the SMs of the other copies of {name} (archive {ids}) aren't running, so these copies may lack the last "
            "commits, and only they would be left",
            hint=f"{self._how('their SMs', list(copy.others))}; nothing overrides this",
            number="DBF-6608",
        )

    def _how(self, whom: str, archive_ids: list[int]) -> str:
        """The hint how to start the SMs of archives."""
        known = [self._known.archives[one] for one in archive_ids if one in self._known.archives]
        if any(one.external for one in known):
            return SCALE
        return f"start {whom} first ({BY}); {FORGET}"

    def _unconfirmed(self, copy: StorageGroupState) -> Optional[Fail]:
        name, confirm = self._wanted.sg_name, self._wanted.confirm
        if copy.others or self._wanted.is_confirmed:
            return None
        said = f"confirm is {confirm!r}, not {name}; " if confirm else ""
        why = f"no other archive would hold {name}, so all of its data would be lost"
        return Fail(said + why, hint=f"confirm: {name} accepts the loss of its data", number="DBF-6607")

    def deleted(self, _name: str, copy: StorageGroupState, history: History) -> Decision:
        """Decides the next step to delete the group, once no archive holds it."""
        wanted = self._wanted
        if not copy.held:
            return Done()
        if copy.group == PENDING_REMOVAL:
            return Wait(words(copy), then=(DELETE,))
        bad = self._unconfirmed(copy) if not self._archive_ids and not history.acted else None
        if bad:
            return bad  # if archives hold the group, `absent` refuses for these
        return Act(DELETE, partial(self._view.domain.delete_storage_group, wanted.db_name, wanted.sg_name))

    def guard(self) -> None:
        refuse_without_quorum(self._view.name, self._view.look("servers"))

    # -- the run

    def stages(self) -> list[Stage]:
        """The stages. A new group is first put on one archive, which creates it. A group to be deleted is first taken
        off all archives, because it can be deleted only when no archive holds it (NUODB-284)."""
        names = [self._name(archive_id) for archive_id in self._archive_ids]
        if self._wanted.state != "present":
            whole = [] if self._wanted.archive_ids else [self._stage([self._wanted.sg_name], self.deleted)]
            return [self._stage(names, self.absent), *whole]
        if self._wanted.sg_name in self.rows:
            return [self._stage(names, self.present)]
        return [self._stage(part, self.present) for part in (names[:1], names[1:]) if part]

    def _stage(self, names: list[str], decide: Any) -> Stage:
        held = StorageGroupState(ADDED, AVAILABLE)
        return Stage(
            noun="storage groups",
            done=self._wanted.state,
            names=names,
            read=Together(self.read),
            decide=decide,
            words=words,
            target=lambda _name, copy: (
                held if self._wanted.state == "present" else StorageGroupState("", "", copy.archive)
            ),
            guard=self.guard,
        )

    def result(self) -> dict[str, dict[str, Any]]:
        """The group as plain data, by its name; empty if it is gone."""
        name = self._wanted.sg_name
        return {name: self.rows[name]} if name in self.rows else {}

    def predicted(self) -> dict[str, dict[str, Any]]:
        """The storage group by its name, as it would be."""
        wanted = self._wanted
        row = self.rows.get(wanted.sg_name)
        held = dict((row or {}).get("archive_states") or {})
        named = [str(archive_id) for archive_id in wanted.archive_ids]
        if wanted.state == "present":
            new = {"sg_name": wanted.sg_name, "db_name": wanted.db_name, "state": AVAILABLE}
            return {wanted.sg_name: {**(row or new), "archive_states": {**held, **dict.fromkeys(named, ADDED)}}}
        stays = {key: state for key, state in held.items() if key not in named} if named else {}
        return {wanted.sg_name: {**row, "archive_states": stays}} if row and stays else {}


def _is_going(copy: StorageGroupState) -> bool:
    """Whether it is being taken off. The server's word for that is `PENDING_REMOVAL` (NUODB-282)."""
    return "REMOV" in copy.held.upper() or copy.group == PENDING_REMOVAL


def words(copy: StorageGroupState) -> str:
    """The state for people."""
    if not copy.held:
        return "absent"
    return PENDING_REMOVAL if copy.group == PENDING_REMOVAL else copy.held
