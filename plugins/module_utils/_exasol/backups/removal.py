# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How backups are deleted, which of them may be deleted, and how a running backup is aborted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import partial
from typing import Any, Optional

from ..._convergence.stage import Act, Decision, Done, Each, Fail, History, Stage, Wait
from ..._errors import ClusterError, NoSuchObject, Refused
from ..._wording import listing
from ..api.backups import ArchiveVolume, Backup
from ..api.states import IDLE, Database
from ..guards import refuse_unconfirmed
from ..view import ClusterView
from .catalogue import Catalogue
from .expiry_comparison import ZONE_HINT, age
from .operation import WAIT_HINT, busy_words, is_backup


@dataclass(frozen=True)
class WantedRemoval:
    """Which backups to delete.

    :param ids: ids or numbers; the other conditions don't count then.
    :param older_than: seconds.
    :param volume: name or id.
    """

    ids: tuple[str, ...] = ()
    older_than: Optional[int] = None
    level: Optional[int] = None
    volume: Optional[str] = None
    expired: bool = False
    zone: Optional[tzinfo] = None

    @property
    def is_empty(self) -> bool:
        return not (self.ids or self.expired or (self.older_than, self.level, self.volume) != (None, None, None))


@dataclass(frozen=True)
class RemovalState:
    """The state of a database whose backups are deleted: the selected backups that still exist."""

    database: Database
    backups: tuple[Backup, ...] = ()

    @property
    def words(self) -> str:
        if not self.backups:
            return "gone"
        return f"{len(self.backups)} to delete: " + listing([one.label for one in self.backups], 8, ", ")

    def as_dict(self) -> list[dict[str, Any]]:
        return [one.as_dict() for one in self.backups]


class _RemoveBackups:
    """What all deletions share.

    :param on_operation: `refuse` or `wait`: what to do while another operation runs.
    """

    call = ""

    def __init__(self, cluster: ClusterView, catalogue: Catalogue, on_operation: str) -> None:
        self._cluster = cluster
        self._catalogue = catalogue
        self._api = catalogue.api
        self._on_operation = on_operation
        self.chosen: dict[str, list[Backup]] = {}

    def _left(self, name: str, rows: list[Backup]) -> tuple[Backup, ...]:
        raise NotImplementedError

    def _send(self, name: str, backups: tuple[Backup, ...]) -> None:
        raise NotImplementedError

    def guard(self) -> None:
        raise NotImplementedError

    def read(self, name: str) -> RemovalState:
        database = self._cluster.database(name)
        return RemovalState(database, self._left(name, self._catalogue.look(name)))

    def decide(self, name: str, state: RemovalState, history: History) -> Decision:
        if not state.backups:
            return Done()
        if state.database.operation != IDLE and not history.acted:
            words = busy_words(state.database, None)
            if self._on_operation == "wait":
                return Wait(f"{words} must end first", then=(self._api.calls[self.call],))
            return Fail(f"{words} is running, and it may need the backups to delete", hint=WAIT_HINT, number="DBF-6402")
        return Act(self._api.calls[self.call], partial(self._send, name, state.backups))

    def stages(self) -> list[Stage]:
        """The stage that deletes them from every database."""
        return [
            Stage(
                noun="backups",
                done="gone",
                names=self._catalogue.names,
                read=Each(self.read),
                decide=self.decide,
                words=lambda state: state.words,
                target=lambda _name, state: replace(state, backups=()),
                guard=self.guard,
                causes=self._api.trouble,
            )
        ]


class DeleteBackups(_RemoveBackups):
    """Deletes backups.

    :param dependents: whether to delete the backups that build on them too.
    :param confirm: the databases whose backups may be deleted; None in check mode, which sends nothing.
    """

    call = "delete"

    def __init__(
        self,
        cluster: ClusterView,
        catalogue: Catalogue,
        selection: WantedRemoval,
        dependents: bool,
        confirm: Optional[list[str]],
        on_operation: str,
    ) -> None:
        super().__init__(cluster, catalogue, on_operation)
        self._selection = selection
        self._dependents = dependents
        self._confirm = confirm
        if selection.is_empty:
            ways = "backup_ids, older_than, level, volume or expired"
            raise ClusterError(f"{self._api.name}: nothing selects the backups to delete: give {ways}")
        if selection.older_than is not None and selection.zone is None:
            raise ClusterError(
                f"{self._api.name}: older_than: the age of a backup can't be known without the cluster's time zone",
                hint=ZONE_HINT,
                number="DBF-7008",
            )
        catalogue.look_at_all()
        self._volume = self._place(selection.volume) if selection.volume else None
        self._find()

    def _place(self, volume: str) -> ArchiveVolume:
        try:
            return self._api.volume(volume, clearly=True)
        except NoSuchObject:  # the volume may be gone while its backups are still listed
            if not any(one.volume == volume for one in self._catalogue.everything()):
                raise
            return ArchiveVolume(volume)

    def _find(self) -> None:
        selection, rows = self._selection, self._catalogue.rows
        if selection.ids:
            found = [self._catalogue.find(one) for one in selection.ids]
            wanted = [one for one in found if one is not None]
            self.chosen = {name: [one for one in rows[name] if one in wanted] for name in self._catalogue.names}
        else:
            own = {name: [one for one in rows[name] if one.system == name] for name in self._catalogue.names}
            self.chosen = {name: [one for one in own[name] if self._fits(one)] for name in own}
        if self._dependents:
            for name, chosen in self.chosen.items():
                chosen += [one for one in self._needing(name) if one not in chosen]

    def _fits(self, backup: Backup) -> bool:
        wanted = self._selection
        if wanted.expired and not backup.expired:
            return False
        if wanted.level is not None and backup.level != wanted.level:
            return False
        if wanted.older_than is not None and wanted.zone is not None:
            seconds = age(backup.timestamp, wanted.zone)
            if seconds is None or seconds < wanted.older_than:
                return False
        return self._volume is None or self._volume.holds(backup.volume, backup.volume_id)

    def _needing(self, name: str) -> list[Backup]:
        """The other backups of a database that build on the chosen ones, directly or indirectly."""
        rows, found = self._catalogue.rows[name], list(self.chosen[name])
        for base in found:  # the loop extends this list
            found += [one for one in rows if one.needs(base, rows) and one not in found]
        return [one for one in found if one not in self.chosen[name]]

    def _left(self, name: str, rows: list[Backup]) -> tuple[Backup, ...]:
        ids = [one.id for one in self.chosen[name]]
        return tuple(one for one in rows if one.id in ids)

    def _send(self, name: str, backups: tuple[Backup, ...]) -> None:
        """Deletes the highest level first, so that no backup is ever left without its base."""
        self._api.delete(name, sorted(backups, key=lambda one: (-one.level, one.timestamp)))

    def guard(self) -> None:
        """The rules before backups are deleted: confirmed, no base of others, and never the last one by a condition."""
        going = [name for name in self._catalogue.names if self._left(name, self._catalogue.look(name))]
        if self._confirm is not None:
            what = f"no backup of {listing(going)} deleted, because deleted backups can't be brought back"
            refuse_unconfirmed(self._api.name, what, self._confirm, self._catalogue.names, "DBF-6405")
        for name in going:
            self._refuse_bases(name)
            self._refuse_last(name)

    def _refuse_bases(self, name: str) -> None:
        needing = self._needing(name)
        if needing:
            raise Refused(
                f"{self._api.name}: {name}: no backup deleted: {listing([one.label for one in needing], 8, ', ')} "
                "would lose the backup they build on and be useless",
                hint="name them too, or set delete_dependents: true to delete them with the backups that they build on",
                failed_object=" ".join(one.id for one in needing),
                last_state=[one.as_dict() for one in needing],
                number="DBF-6406",
            )

    def _refuse_last(self, name: str) -> None:
        """A condition such as older_than may select all backups if nobody has noticed that backups stopped."""
        if self._selection.ids:
            return
        good = [one for one in self._catalogue.rows[name] if one.is_good and one.system == name]
        if good and all(one in self.chosen[name] for one in good):
            raise Refused(
                f"{self._api.name}: {name}: no backup deleted: the database would have no usable backup left",
                hint="take a backup first (exa_backup state=present), or name the backups to delete in backup_ids",
                failed_object=name,
                last_state=[one.as_dict() for one in good],
                number="DBF-6406",
            )


class PruneBackups(_RemoveBackups):
    """Deletes backups that can't be restored."""

    call = "prune"

    def __init__(self, cluster: ClusterView, catalogue: Catalogue, on_operation: str) -> None:
        super().__init__(cluster, catalogue, on_operation)
        catalogue.look_at_all()
        self.chosen = {name: list(self._left(name, rows)) for name, rows in catalogue.rows.items()}

    def _left(self, name: str, rows: list[Backup]) -> tuple[Backup, ...]:
        return tuple(one for one in rows if not one.usable and one.system == name)

    def _send(self, name: str, _backups: tuple[Backup, ...]) -> None:
        self._api.delete_unusable(name)

    def guard(self) -> None:
        """The rule against unreachable volumes: backups on them may only seem to be unusable."""
        lost: dict[str, str] = {}
        for name in self._catalogue.names:
            for volume in {one.volume for one in self._left(name, self._catalogue.look(name)) if one.volume}:
                why = self._trouble(volume)
                if why:
                    lost[volume] = why
        if lost:
            words = "; ".join(f"volume {volume} is {why}" for volume, why in lost.items())
            raise Refused(
                f"{self._api.name}: no unusable backup deleted: {words}, so backups there may only seem to be unusable",
                hint="repair the volume first (exa_remote_volume shows its state), or delete the backups by id "
                "(state=absent, backup_ids)",
                failed_object=" ".join(lost),
                number="DBF-6407",
            )

    def _trouble(self, volume: str) -> str:
        try:
            return self._api.volume(volume).trouble
        except NoSuchObject:
            return ""


class AbortBackups:
    """Aborts running backups."""

    def __init__(self, cluster: ClusterView, catalogue: Catalogue) -> None:
        self._cluster = cluster
        self._catalogue = catalogue

    def decide(self, name: str, database: Database, history: History) -> Decision:
        if database.operation == IDLE:
            return Done()
        if is_backup(database.operation):
            return Act(self._cluster.provider.calls["abort_backup"], lambda: self._cluster.abort_backup(name))
        if history.acted:
            return Wait(busy_words(database, None))
        return Fail(
            f"{busy_words(database, None)} is running, and it is not a backup",
            hint="state=aborted aborts only backups",
            number="DBF-6408",
        )

    def stages(self) -> list[Stage]:
        """The stage after which no backup runs."""
        return [
            Stage(
                noun="backups",
                done="aborted",
                names=self._catalogue.names,
                read=Each(self._cluster.database),
                decide=self.decide,
                words=lambda database: f"operation {database.operation}" if database.operation != IDLE else "none runs",
                target=lambda _name, database: database.with_(operation=IDLE),
            )
        ]
