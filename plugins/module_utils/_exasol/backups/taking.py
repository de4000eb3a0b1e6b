# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How backups are taken."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import partial
from time import monotonic
from typing import Any, Optional

from ..._convergence.stage import Act, Decision, Done, Each, Fail, History, Stage, Wait
from ..._convergence.workers import gather
from ..._errors import ClusterError
from ..._wording import listing
from ..api.backups import BACKUP, Backup, Progress
from ..api.states import IDLE, RUNNING, Database
from ..view import ClusterView
from .catalogue import Catalogue
from .change_expiry import change, refuse_over
from .expiry_comparison import ZONE_HINT, Lifetime, age
from .operation import WAIT_HINT, busy_words, is_backup, refuse_all

UNLISTED = 5.0
"""Seconds for which a finished backup may be missing in the list."""


@dataclass(frozen=True)
class WantedBackup:
    """The backup that the options describe.

    :param volume: name or id.
    :param lifetime: None if the task doesn't give expire.
    :param max_age: seconds; a backup that isn't older is enough.
    :param once: a backup of any age is enough.
    :param zone: the cluster's time zone, if it is known.
    :param on_operation: `refuse` or `wait`: what to do while another operation runs.
    """

    volume: str
    level: int = 0
    lifetime: Optional[Lifetime] = None
    max_age: Optional[int] = None
    once: bool = False
    zone: Optional[tzinfo] = None
    on_operation: str = "refuse"


@dataclass(frozen=True)
class BackupState:
    """The state of a database that should have a backup.

    :param own: the backup, once it is listed.
    :param unlisted: whether the backup is finished, but not listed yet.
    """

    database: Database
    progress: Optional[Progress] = None
    own: Optional[Backup] = None
    unlisted: bool = False

    @property
    def busy(self) -> bool:
        return self.database.operation != IDLE

    @property
    def words(self) -> str:
        if self.own:
            return self.own.label
        return busy_words(self.database, self.progress) if self.busy else "idle"

    def as_dict(self) -> Optional[dict[str, Any]]:
        return self.own.as_dict() if self.own else {**self.database.as_dict()}


class TakeBackups:
    """Takes backups.

    :param preview: whether nothing is sent.
    """

    def __init__(self, cluster: ClusterView, catalogue: Catalogue, wanted: WantedBackup, preview: bool = False) -> None:
        self._cluster = cluster
        self._catalogue = catalogue
        self._api = catalogue.api
        self._wanted = wanted
        self._preview = preview
        self._volume = self._api.volume(wanted.volume)
        self._known: dict[str, set[str]] = {}
        self._over_since: dict[str, float] = {}
        self.own: dict[str, Backup] = {}
        if (wanted.max_age is not None) and wanted.zone is None:
            raise ClusterError(
                f"{self._api.name}: max_age: the age of a backup can't be known without the cluster's time zone",
                hint=ZONE_HINT,
                number="DBF-7008",
            )
        for name in catalogue.names:
            self._check(name)

    def _check(self, name: str) -> None:
        """Checks before the start that the backup will expire at the wanted time."""
        lifetime, api = self._wanted.lifetime, self._api
        try:
            api.check_start(name, self._volume, self._wanted.level, self._at_start)
            if lifetime and lifetime.is_time:
                stamp = lifetime.local("")
                refuse_over(f"{api.name}: {name}", stamp, self._wanted.zone)
                alike = Backup("", 0, self._wanted.level, name, self._volume.name, self._volume.id, name)
                api.check_expiry(alike, stamp, self._wanted.zone)
        except ClusterError as error:
            raise error.of(api.name) from None

    @property
    def _at_start(self) -> str:
        """The expiry that the start call gets. A point in time is set when the backup is finished."""
        lifetime = self._wanted.lifetime
        return "" if lifetime is None or lifetime.is_time else lifetime.text

    # -- reading

    def read(self, name: str) -> BackupState:
        database = self._cluster.database(name)
        busy = database.operation != IDLE
        progress = self._api.progress(name) if busy else None
        rows = self._catalogue.rows.get(name) if busy else None
        rows = self._catalogue.look(name) if rows is None else rows
        own = self._mine(name, rows)
        if own:
            self.own[name] = own
        elif busy and is_backup(database.operation):
            self._known.setdefault(name, {row.id for row in rows})
            self._over_since.pop(name, None)
        return BackupState(database, progress, own, not own and not busy and self._is_unlisted(name))

    def _is_unlisted(self, name: str) -> bool:
        if name not in self._known:
            return False
        return monotonic() - self._over_since.setdefault(name, monotonic()) < UNLISTED

    def _mine(self, name: str, rows: list[Backup]) -> Optional[Backup]:
        """The backup that was taken since, or an earlier one that is enough."""
        wanted, known = self._wanted, self._known.get(name)
        here = [row for row in rows if row.system == name and self._volume.holds(row.volume, row.volume_id)]
        new = [row for row in here if known is not None and row.id not in known and row.level == wanted.level]
        if new:
            return new[-1]
        enough = [row for row in here if row.is_good and row.level <= wanted.level and self._is_young(row)]
        return max(enough, key=lambda row: row.timestamp, default=None)

    def _is_young(self, row: Backup) -> bool:
        wanted = self._wanted
        if wanted.once:
            return True
        if wanted.max_age is None or wanted.zone is None:
            return False
        seconds = age(row.timestamp, wanted.zone)
        return seconds is not None and seconds <= wanted.max_age

    # -- deciding

    def decide(self, name: str, state: BackupState, history: History) -> Decision:
        if state.own:
            return self._expiring(name, state.own)
        if state.busy:
            return self._busy(state, history)
        if state.unlisted:
            return Wait("finished, but not listed yet")
        lifetime = self._wanted.lifetime
        then = (self._api.calls["expire"],) if lifetime and lifetime.is_time else ()
        return Act(self._api.calls["start"], partial(self._start, name), then=then)

    def _expiring(self, name: str, own: Backup) -> Decision:
        """Corrects the expiry of a new backup if the server has set another one than the task wants."""
        lifetime, new = self._wanted.lifetime, self._is_new(name, own)
        if new and not own.usable:
            return Fail(
                f"{own.label} was taken, but can't be used{f': {own.comment}' if own.comment else ''}",
                number="DBF-6404",
            )
        if not new or lifetime is None or lifetime.is_met(own.expire, own.timestamp, exact=lifetime.is_time):
            return Done()
        call = partial(change, self._api, self._catalogue, name, own, lifetime, self._wanted.zone)
        return Act(self._api.calls["expire"], call)

    def _is_new(self, name: str, own: Backup) -> bool:
        return own.id not in self._known.get(name, {own.id})

    def warnings(self) -> list[str]:
        """A warning for each earlier backup that was enough. Its expiry stays, because another run has set it."""
        lifetime, told = self._wanted.lifetime, []
        for name, own in self.own.items():
            if lifetime is None or self._is_new(name, own):
                continue
            try:
                met = lifetime.is_met(own.expire, own.timestamp, exact=lifetime.is_time)
            except ClusterError:  # the expiries can't be compared
                continue
            if not met:
                told.append(
                    f"{self._api.name}: {name}: {own.label} is enough, but it expires {own.expire or 'never'}, "
                    "unlike the option expire: change it with expire and backup_ids"
                )
        return told

    def _busy(self, state: BackupState, history: History) -> Decision:
        database, progress = state.database, state.progress
        words, start = busy_words(database, progress), self._api.calls["start"]
        if start in history.acted:
            return Wait(words)
        if not is_backup(database.operation):
            why = f"{words} is running, and a backup would have to wait for it"
        elif self._is_other(progress):
            why = f"another backup is running ({words}, {_to(progress)}), and a second one would have to wait for it"
        else:
            return Wait(words)
        if self._wanted.on_operation == "wait":
            return Wait(f"{words} must end first", then=(start,))
        return Fail(why, hint=WAIT_HINT, number="DBF-6402")

    def _is_other(self, progress: Optional[Progress]) -> bool:
        """Whether the backup that runs is certainly not the wanted one."""
        if progress is None or progress.kind != BACKUP:
            return False
        level, volume = progress.level, progress.volume_id
        elsewhere = volume is not None and self._volume.id is not None and volume != self._volume.id
        return elsewhere or (level is not None and level != self._wanted.level)

    def _start(self, name: str) -> None:
        self._known[name] = {row.id for row in self._catalogue.rows.get(name, [])}
        self._over_since.pop(name, None)
        self._api.start(name, self._volume, self._wanted.level, self._at_start)

    def guard(self) -> None:
        """The rules before a backup begins: the database runs, its volume is usable, and the base exists."""
        self._volume = self._api.volume(self._wanted.volume)
        states = gather(self._catalogue.names, self.read)
        begin = [name for name, state in states.items() if self._begins(name, state)]
        refuse_all(
            f"{self._api.name}: no backup begun",
            {name: self._against(name, states[name].database) for name in begin},
            "start the database (exa_database state=started), repair the volume (exa_remote_volume shows its state), "
            "or take a backup of a lower level first; nothing overrides this",
            states,
            "DBF-6401",
        )

    def _begins(self, name: str, state: BackupState) -> bool:
        decision = self.decide(name, state, History(state))
        return isinstance(decision, Act) and decision.name == self._api.calls["start"]

    def _against(self, name: str, database: Database) -> str:
        level, volume = self._wanted.level, self._volume
        if database.phase != RUNNING:
            return f"it is {database.state}, and only a running database can be backed up"
        if volume.trouble:
            return f"volume {volume.name} is {volume.trouble}"
        lower = [
            row
            for row in self._catalogue.rows[name]
            if row.system == name and row.level < level and volume.holds(row.volume, row.volume_id)
        ]
        if level == 0 or any(row.usable for row in lower):
            return ""
        broken = f"; {listing([row.label for row in lower], 4, ', ')} can't be used" if lower else ""
        return (
            f"a backup of level {level} needs a usable one of a lower level on {volume.name}, and there is none{broken}"
        )

    def causes(self, name: str) -> str:
        """Why a backup that was started doesn't exist."""
        progress = self._api.progress(name)
        return progress.trouble if progress and progress.kind == BACKUP else ""

    def stages(self) -> list[Stage]:
        """The stage after which every database has its backup."""
        return [
            Stage(
                noun="backups",
                done="taken",
                names=self._catalogue.names,
                read=Each(self.read),
                decide=self.decide,
                words=lambda state: state.words,
                target=self._target,
                guard=self.guard,
                causes=self.causes,
                falls_back=True,
            )
        ]

    def _target(self, name: str, state: BackupState) -> BackupState:
        like = Backup("", 0, self._wanted.level, name, self._volume.name, self._volume.id, timestamp="now")
        return replace(state, own=state.own or like, progress=None)


def _to(progress: Optional[Progress]) -> str:
    return f"level {progress.level} to volume {progress.volume_id}" if progress else "of unknown level"
