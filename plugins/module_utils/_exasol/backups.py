# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How backups are chosen, taken, and given another expiry."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import tzinfo
from functools import partial
from time import monotonic
from typing import Any, Optional

from .._converge import Act, Decision, Done, Fail, History, Join, Stage, gather
from .._errors import ClusterError, Failed, NoSuchObject, Refused, near
from .._wait import listing
from .assumed import AnyCluster
from .backup_api import BACKUP, Backup, BackupApi, Progress
from .backup_times import ZONE_HINT, Lifetime, age, is_over
from .cluster import IDLE, RUNNING, Database

UNLISTED = 5.0
"""Seconds for which a backup may be over and not listed yet."""

WAIT_HINT = "wait for its end (on_operation: wait)"


def is_backup(operation: str) -> bool:
    return BACKUP in operation.lower()


def busy_words(database: Database, progress: Optional[Progress]) -> str:
    """An operation for people."""
    return f"operation {database.operation}" + (f", {progress.percent} %" if progress and not progress.is_over else "")


@dataclass
class Catalogue:
    """The backups of some databases, as they were read last.

    :param foreign: those of other databases too.
    """

    api: BackupApi
    names: list[str]
    foreign: bool = False
    rows: dict[str, list[Backup]] = field(default_factory=dict)

    def look(self, name: str) -> list[Backup]:
        """Those of one database, read afresh."""
        self.rows[name] = self.api.backups(name, self.foreign)
        return self.rows[name]

    def look_at_all(self) -> None:
        self.rows.update(gather(self.names, lambda name: self.api.backups(name, self.foreign)))

    def everything(self) -> list[Backup]:
        """All that were read, each once."""
        return list({backup.id: backup for rows in self.rows.values() for backup in rows}.values())

    def find(self, wanted: str, name: Optional[str] = None) -> Optional[Backup]:
        """The backup of an ID, or of a number where just one has it.

        :param name: the database; all that are known where none is said.
        :raises ClusterError: several have that number.
        """
        rows = self.rows.get(name, []) if name else self.everything()
        text = wanted.strip()
        found = [row for row in rows if row.id == text]
        if not found and text.isdigit():
            found = [row for row in rows if row.bid == int(text)]
        if len(found) > 1:
            raise ClusterError(
                f"{self.api.name}: backup {text} is more than one: {listing([row.id for row in found], 8, ', ')}",
                hint="name it by its id",
                failed_object=text,
            )
        return found[0] if found else None

    def found(self, wanted: str, name: Optional[str] = None) -> Backup:
        """The same, where it must be there.

        :raises NoSuchObject: with a near one.
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


@dataclass(frozen=True)
class Wanted:
    """The backup that the options describe.

    :param volume: name or id.
    :param lifetime: None where nothing is said of it.
    :param max_age: seconds; a backup that isn't older is enough.
    :param once: one of any age is.
    :param zone: the cluster's time zone, where it is known.
    :param on_operation: C(refuse) or C(wait): what to do about another operation that runs.
    """

    volume: str
    level: int = 0
    lifetime: Optional[Lifetime] = None
    max_age: Optional[int] = None
    once: bool = False
    zone: Optional[tzinfo] = None
    on_operation: str = "refuse"


@dataclass(frozen=True)
class Taking:
    """What is seen of a database that should have a backup.

    :param own: the backup, once it is there.
    :param unlisted: it is over, and the list doesn't have it yet.
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


class Take:
    """Backups that should be there.

    :param preview: nothing is sent.
    """

    def __init__(self, cluster: AnyCluster, catalogue: Catalogue, wanted: Wanted, preview: bool = False) -> None:
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
                f"{self._api.name}: max_age: how old a backup is can't be known without the cluster's time zone",
                hint=ZONE_HINT,
            )
        for name in catalogue.names:
            self._check(name)

    def _check(self, name: str) -> None:
        """Nothing is begun where it isn't sure that it will expire when it should."""
        lifetime, api = self._wanted.lifetime, self._api
        try:
            api.check_start(name, self._volume, self._wanted.level, self._at_start)
            if lifetime and lifetime.is_time:
                stamp = lifetime.local("")
                _refuse_over(f"{api.name}: {name}", stamp, self._wanted.zone)
                alike = Backup("", 0, self._wanted.level, name, self._volume.name, self._volume.id, name)
                api.check_expiry(alike, stamp, self._wanted.zone)
        except ClusterError as error:
            raise error.of(api.name) from None

    @property
    def _at_start(self) -> str:
        """What is said of the expiry when it begins; a time is set when it is over."""
        lifetime = self._wanted.lifetime
        return "" if lifetime is None or lifetime.is_time else lifetime.text

    # -- reading

    def read(self, name: str) -> Taking:
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
        return Taking(database, progress, own, not own and not busy and self._is_unlisted(name))

    def _is_unlisted(self, name: str) -> bool:
        if name not in self._known:
            return False
        return monotonic() - self._over_since.setdefault(name, monotonic()) < UNLISTED

    def _mine(self, name: str, rows: list[Backup]) -> Optional[Backup]:
        """The one that was taken since, or one from before that is enough."""
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
        years = age(row.timestamp, wanted.zone)
        return years is not None and years <= wanted.max_age

    # -- deciding

    def decide(self, name: str, state: Taking, history: History) -> Decision:
        if state.own:
            return self._expiring(name, state.own)
        if state.busy:
            return self._busy(state, history)
        if state.unlisted:
            return Join("over, not listed yet")
        return Act(self._api.calls["start"], partial(self._start, name))

    def _expiring(self, name: str, own: Backup) -> Decision:
        """A backup that was just taken must expire when it should, whatever the server made of what it was told."""
        lifetime = self._wanted.lifetime
        new = own.id not in self._known.get(name, {own.id})
        if new and not own.usable:
            return Fail(f"{own.label} was taken and can't be used{f': {own.comment}' if own.comment else ''}")
        if not new or lifetime is None or lifetime.is_met(own.expire, own.timestamp, exact=lifetime.is_time):
            return Done()
        call = partial(change, self._api, self._catalogue, name, own, lifetime, self._wanted.zone)
        return Act(self._api.calls["expire"], call)

    def _busy(self, state: Taking, history: History) -> Decision:
        database, progress = state.database, state.progress
        words = busy_words(database, progress)
        if self._api.calls["start"] in history.acted:
            return Join(words)
        if not is_backup(database.operation):
            why = f"{words} is running, and a backup would have to wait for it"
        elif self._is_other(progress):
            why = f"another backup is running ({words}, {_to(progress)}), and a second one would have to wait for it"
        else:
            return Join(words)
        return Join(f"{words} first") if self._wanted.on_operation == "wait" else Fail(why, hint=WAIT_HINT)

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
        """The rules before one begins: the database runs, its volume takes it, and what it builds on is there."""
        self._volume = self._api.volume(self._wanted.volume)
        states = gather(self._catalogue.names, self.read)
        begin = [name for name, state in states.items() if self._begins(name, state)]
        found = {name: self._against(name, states[name].database) for name in begin}
        bad = {name: why for name, why in found.items() if why}
        if bad:
            raise Refused(
                f"{self._api.name}: no backup begun: " + "; ".join(f"{name}: {why}" for name, why in bad.items()),
                hint="start the database (exa_database state=started), mend the volume (exa_remote_volume tells), "
                "or take a backup of a lower level first; nothing overrides this",
                failed_object=" ".join(bad),
                last_state={name: states[name].as_dict() for name in bad},
            )

    def _begins(self, name: str, state: Taking) -> bool:
        decision = self.decide(name, state, History(state))
        return isinstance(decision, Act) and decision.name == self._api.calls["start"]

    def _against(self, name: str, database: Database) -> str:
        level, volume = self._wanted.level, self._volume
        if database.phase != RUNNING:
            return f"it is {database.state}, and only a running database is backed up"
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
        return f"there is no usable backup of a lower level on {volume.name} for level {level} to build on{broken}"

    def causes(self, name: str) -> str:
        """Why a backup that was begun isn't there."""
        progress = self._api.progress(name)
        return progress.trouble if progress and progress.kind == BACKUP else ""

    def stage(self) -> Stage:
        """Every database with its backup."""
        return Stage(
            "backups",
            "taken",
            self._catalogue.names,
            self.read,
            self.decide,
            lambda state: state.words,
            self._target,
            guard=self.guard,
            causes=self.causes,
            falls_back=True,
        )

    def _target(self, name: str, state: Taking) -> Taking:
        like = Backup("", 0, self._wanted.level, name, self._volume.name, self._volume.id, timestamp="now")
        return replace(state, own=state.own or like, progress=None)


def _to(progress: Optional[Progress]) -> str:
    return f"level {progress.level} to volume {progress.volume_id}" if progress else "of unknown level"


def _refuse_over(where: str, stamp: str, zone: Optional[tzinfo]) -> None:
    """An expiry that has passed would have the backup removed (ours).

    :param where: cluster and object.
    :raises Refused: it has, or may have.
    """
    over = is_over(stamp, zone) if stamp else False
    if over is None:
        raise Refused(
            f"{where}: expiry {stamp}: whether that has passed can't be known without the cluster's time zone, and a "
            "backup that has expired is removed",
            hint=ZONE_HINT,
        )
    if over:
        raise Refused(
            f"{where}: expiry {stamp} has passed, and a backup that has expired is removed",
            hint="exa_backup state=absent deletes a backup; nothing overrides this",
        )


def change(
    api: BackupApi, catalogue: Catalogue, name: str, backup: Backup, lifetime: Lifetime, zone: Optional[tzinfo]
) -> None:
    """Has a backup expire when it should, and reads that back.

    :raises Failed: the server made something else of it.
    """
    stamp = lifetime.local(backup.timestamp)
    api.change_expiry(backup, stamp, zone)
    now = next((row for row in catalogue.look(name) if row.id == backup.id), None)
    if now is None or not lifetime.is_met(now.expire, backup.timestamp):
        says = "it isn't listed any more" if now is None else f"it expires {now.expire or 'never'}"
        raise Failed(
            f"{api.name}: {api.calls['expire']} of {backup.id} was accepted for {stamp or 'never'}, and now {says}",
            hint="look at the time zone (time_zone), and set it again before it is removed",
            failed_object=backup.id,
            last_state=now.as_dict() if now else None,
        )


class Expiring:
    """Backups that should expire at another time.

    :param ids: their ids or numbers.
    :raises ClusterError: one isn't there, or what it should be can't be told to the server for sure.
    """

    def __init__(self, catalogue: Catalogue, ids: list[str], lifetime: Lifetime, zone: Optional[tzinfo]) -> None:
        self._catalogue = catalogue
        self._api = catalogue.api
        self._lifetime = lifetime
        self._zone = zone
        catalogue.look_at_all()
        self._names: dict[str, str] = {}
        self.chosen: dict[str, Backup] = {}
        for wanted in ids:
            backup = catalogue.found(wanted)
            self.chosen[backup.id] = backup
            self._names[backup.id] = next(name for name, rows in catalogue.rows.items() if backup in rows)
        for backup in self.chosen.values():
            self._check(backup)
        self._told = False

    def _check(self, backup: Backup) -> None:
        try:
            if not self._is_met(backup):
                self._api.check_expiry(backup, self._lifetime.local(backup.timestamp), self._zone)
        except ClusterError as error:
            error.failed_object = error.failed_object or backup.id
            raise error.of(self._api.name) from None

    def _is_met(self, backup: Backup) -> bool:
        return self._lifetime.is_met(backup.expire, backup.timestamp)

    def read(self, ids: list[str]) -> dict[str, Optional[Backup]]:
        """All of them by one look at each database."""
        if self._told:
            self._catalogue.look_at_all()
        self._told = True
        there = {row.id: row for row in self._catalogue.everything()}
        self.chosen.update({one: there[one] for one in ids if one in there})
        return {one: there.get(one) for one in ids}

    def decide(self, _id: str, backup: Optional[Backup], _history: History) -> Decision:
        if backup is None:
            return Fail("it is gone: it was deleted, or has expired")
        if self._is_met(backup):
            return Done()
        name = self._names[backup.id]
        call = partial(change, self._api, self._catalogue, name, backup, self._lifetime, self._zone)
        return Act(self._api.calls["expire"], call)

    def guard(self) -> None:
        """The rules before an expiry is changed: nothing is removed by it, and no other backup gets it too."""
        late = [one for one in self.chosen.values() if not self._is_met(one)]
        for backup in late:
            _refuse_over(f"{self._api.name}: {backup.id}", self._lifetime.local(backup.timestamp), self._zone)
            if not backup.files:
                raise Refused(
                    f"{self._api.name}: the server doesn't tell by which files the expiry of {backup.id} is changed",
                    failed_object=backup.id,
                )
            self._refuse_others(backup)

    def _refuse_others(self, backup: Backup) -> None:
        others = [
            one
            for one in self._catalogue.everything()
            if one.files == backup.files and one.on(backup) and one.id not in self.chosen and not self._is_met(one)
        ]
        if others:
            names = listing([one.id for one in others], 8, ", ")
            raise Refused(
                f"{self._api.name}: {backup.id}: its files ({backup.files}) are those of {names} as well, which would "
                "expire with it",
                hint="name them too (backup_ids)",
                failed_object=backup.id,
            )

    def warnings(self) -> list[str]:
        """Bases that would be over before what builds on them."""
        every = self._catalogue.everything()
        said = []
        for base in self.chosen.values():
            end = self._lifetime.local(base.timestamp)
            on_it = [one for one in every if end and one.needs(base, every) and one.id not in self.chosen]
            longer = [one for one in on_it if not one.expire or one.expire > end[:16]]
            if longer:
                said.append(
                    f"{self._api.name}: {base.label} would expire before "
                    f"{listing([one.label for one in longer], 4, ', ')}, which build on it"
                )
        return said

    def stage(self) -> Stage:
        """All of them as they should be."""

        def target(_id: str, backup: Optional[Backup]) -> Optional[Backup]:
            return replace(backup, expire=self._lifetime.local(backup.timestamp)[:16]) if backup else None

        return Stage(
            "backups",
            "kept as wanted",
            list(self.chosen),
            None,
            self.decide,
            lambda backup: f"expires {backup.expire or 'never'}" if backup else "gone",
            target,
            guard=self.guard,
            read_all=self.read,
        )
