# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the expiry of backups is changed, and when the change is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import tzinfo
from functools import partial
from typing import Optional

from ..._convergence.stage import Act, Decision, Done, Fail, History, Stage, Together
from ..._errors import ClusterError, Failed, Refused
from ..._wording import listing
from ..api.backups import Backup, BackupApi
from .catalogue import Catalogue
from .expiry_comparison import ZONE_HINT, Lifetime, is_over


def refuse_over(where: str, stamp: str, zone: Optional[tzinfo]) -> None:
    """The rule against an expiry in the past: the server would remove the backup (ours).

    :param where: cluster and object, for the message.
    :raises Refused: the expiry has passed, or may have passed.
    """
    over = is_over(stamp, zone) if stamp else False
    if over is None:
        raise Refused(
            f"{where}: without the cluster's time zone the run can't know whether expiry {stamp} has passed, and the "
            "server removes a backup that has expired",
            hint=ZONE_HINT,
            number="DBF-6403",
        )
    if over:
        raise Refused(
            f"{where}: expiry {stamp} has passed, and the server removes a backup that has expired",
            hint="exa_backup state=absent deletes a backup; nothing overrides this",
            number="DBF-6403",
        )


def change(
    api: BackupApi, catalogue: Catalogue, name: str, backup: Backup, lifetime: Lifetime, zone: Optional[tzinfo]
) -> None:
    """Changes the expiry of a backup, and reads it back.

    :raises Failed: the backup has another expiry afterwards, or is gone.
    """
    stamp = lifetime.local(backup.timestamp)
    api.change_expiry(backup, stamp, zone)
    now = next((row for row in catalogue.look(name) if row.id == backup.id), None)
    if now is None or not lifetime.is_met(now.expire, backup.timestamp):
        says = "the backup is no longer listed" if now is None else f"the backup expires {now.expire or 'never'}"
        raise Failed(
            f"{api.name}: {api.calls['expire']} of {backup.id}: the server accepted {stamp or 'never'}, but now {says}",
            hint="check the time zone (time_zone), and set the expiry again before the server removes the backup",
            failed_object=backup.id,
            last_state=now.as_dict() if now else None,
            number="DBF-5006",
        )


class ChangeExpiry:
    """Backups whose expiry should change.

    :param ids: their ids or numbers.
    :raises ClusterError: a backup doesn't exist, or the server might understand its new expiry as another time.
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
        """All chosen backups, by one read of each database."""
        if self._told:
            self._catalogue.look_at_all()
        self._told = True
        there = {row.id: row for row in self._catalogue.everything()}
        self.chosen.update({one: there[one] for one in ids if one in there})
        return {one: there.get(one) for one in ids}

    def decide(self, _id: str, backup: Optional[Backup], _history: History) -> Decision:
        if backup is None:
            return Fail("the backup is gone: it was deleted, or it has expired", number="DBF-6404")
        if self._is_met(backup):
            return Done()
        name = self._names[backup.id]
        call = partial(change, self._api, self._catalogue, name, backup, self._lifetime, self._zone)
        return Act(self._api.calls["expire"], call)

    def guard(self) -> None:
        """The rules before an expiry is changed: it removes no backup, and it changes no other backup."""
        late = [one for one in self.chosen.values() if not self._is_met(one)]
        for backup in late:
            refuse_over(f"{self._api.name}: {backup.id}", self._lifetime.local(backup.timestamp), self._zone)
            if not backup.files:
                raise Refused(
                    f"{self._api.name}: the server doesn't report which files the expiry of {backup.id} applies to",
                    failed_object=backup.id,
                    number="DBF-6403",
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
                f"{self._api.name}: {backup.id}: its files ({backup.files}) also belong to {names}, which would "
                "expire with it",
                hint="name them in backup_ids too",
                failed_object=backup.id,
                number="DBF-6403",
            )

    def warnings(self) -> list[str]:
        """A warning for each base that would expire before the backups that build on it."""
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

    def stages(self) -> list[Stage]:
        """The stage that changes them all."""

        def target(_id: str, backup: Optional[Backup]) -> Optional[Backup]:
            return replace(backup, expire=self._lifetime.local(backup.timestamp)[:16]) if backup else None

        return [
            Stage(
                noun="backups",
                done="kept as wanted",
                names=list(self.chosen),
                read=Together(self.read),
                decide=self.decide,
                words=lambda backup: f"expires {backup.expire or 'never'}" if backup else "gone",
                target=target,
                guard=self.guard,
            )
        ]
