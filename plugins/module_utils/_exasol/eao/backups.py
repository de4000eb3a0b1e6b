# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups with EXAoperation's calls (EAO-112, EAO-113, EAO-114, EAO-115, EAO-116, EAO-117, EAO-118).

EXAoperation numbers volumes: v0003 is a volume of EXAStorage. r0001 is a remote volume, whose object below the cluster
has a name such as remote1. A label keeps the name that a user gives.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import tzinfo
from typing import Any, Optional

from ..._errors import ClusterError, Denied, Fault, Garbled, NoSuchObject
from ..._foreign import beginning
from ..._wording import listing, near
from ..api.backups import TIMES, ArchiveVolume, Backup, BackupApi, Progress, Schedule, ScheduleApi, blocked, unreached
from ..api.expiry import ZONE_HINT, moment
from ..api.volume_names import number_of
from .connection import EaoConnection

STORAGE = "storage"

LONG = 20.0
"""How many times `request_timeout` a deletion may take, because the answer may come only when it is done."""

FIELDS = ("volume", "level", "expire", *TIMES, "enabled")
"""The fields of a schedule's definition, in the order of its list form (INFERRED: no source shows one, EAO-118)."""


def _of(database: str) -> str:
    return f"db_{database}"


class EaoBackups(BackupApi):
    """The backups of one cluster."""

    calls = {
        "start": "backupDatabase",
        "expire": "changeBackupExpiration",
        "delete": "deleteBackups",
        "prune": "deleteUnusableBackups",
        "restore": "restoreDatabase",
    }

    def __init__(self, eao: EaoConnection) -> None:
        self._eao = eao
        self.name = eao.name

    # -- volumes

    def volume(self, which: str, clearly: bool = False) -> ArchiveVolume:
        text = which.strip()
        number = number_of(text)
        try:
            names = self._archives()
        except (Denied, NoSuchObject):  # the server will refuse the later call if the volume doesn't exist
            return ArchiveVolume(text, number)
        found = [name for name in names if name == text or (number is not None and number_of(name) == number)]
        if clearly or not found:
            found += [name for name in names if name not in found and self._is_called(name, text)]
        if not found:
            raise NoSuchObject(
                f"{self.name}: there is no archive volume {text}{near(text, names)}; "
                f"there are: {listing(names, 20) or 'none'}",
                failed_object=text,
            )
        if len(found) > 1:
            raise ClusterError(
                f"{self.name}: {text} means more than one archive volume: {listing(found)}",
                hint="use a name that only one of them has",
                failed_object=text,
                number="DBF-3002",
            )
        name = found[0]
        return ArchiveVolume(name, number_of(name), self._trouble(name))

    def _archives(self) -> list[str]:
        found = self._eao.read("getAllArchiveVolumes")
        self._eao.expect(isinstance(found, (list, dict)), "getAllArchiveVolumes", found)
        rows = [row.get("name") if isinstance(row, dict) else row for row in found]
        self._eao.expect(all(isinstance(row, str) for row in rows), "getAllArchiveVolumes", found)
        return [str(row) for row in rows]

    def _is_called(self, name: str, text: str) -> bool:
        """Whether the text is a label of the volume, or the name of its object."""
        try:
            info = self._eao.read("getVolumeInfo", name, of=STORAGE)
        except Fault:
            return False
        if not isinstance(info, dict):
            return False
        labels = info.get("labels")
        called = [str(label) for label in labels] if isinstance(labels, (list, tuple)) else str(labels or "").split(",")
        return text in called or f"#Name#{text}" in called or (name[:1] == "r" and text == self._object(name))

    def _object(self, name: str) -> Optional[str]:
        """The object of a remote volume; None if it can't be found."""
        try:
            objects = self._eao.read("listObjects")
            for one in objects if isinstance(objects, list) else []:
                if re.fullmatch(r"remote\d+", str(one)):
                    identity = str(self._eao.read("getVolumeId", of=str(one)))
                    if number_of(identity) == number_of(name):
                        return str(one)
        except Fault:
            pass
        return None

    def _trouble(self, name: str) -> str:
        """Why the volume can't be used: from a remote volume's connection, or another volume's state."""
        try:
            if name[:1] == "r":
                found = self._object(name)
                states = self._eao.read("state", of=found) if found else None
            else:
                info = self._eao.read("getVolumeInfo", name, of=STORAGE)
                return blocked(info.get("state"), info.get("app_io")) if isinstance(info, dict) else ""
        except Fault:
            return ""
        return unreached(map(str, states) if isinstance(states, (list, tuple)) else [str(states or "")])

    # -- reads

    def backups(self, database: str, foreign: bool = False) -> list[Backup]:
        rows = self._eao.read("getBackups", foreign, True, of=_of(database))
        self._eao.expect(isinstance(rows, list), "getBackups", rows)
        found = [Backup.of(row) if isinstance(row, dict) else None for row in rows]
        if None in found:
            self._eao.expect(False, "getBackups", rows[found.index(None)])
        return [one for one in found if one is not None]

    def progress(self, database: str) -> Optional[Progress]:
        try:
            return Progress.of(self._eao.read("getPddProgress", of=_of(database)))
        except (Fault, Garbled):  # the progress is only a supplement to the operation
            return None

    # -- changes

    def check_start(self, database: str, volume: ArchiveVolume, level: int, expire: str) -> None:
        """No source describes which values the server accepts; ConfD accepts durations (CONFD-82)."""

    def start(self, database: str, volume: ArchiveVolume, level: int, expire: str) -> None:
        self._eao.change("backupDatabase", volume.name, level, expire, of=_of(database))

    def check_expiry(self, backup: Backup, expire: str, zone: Optional[tzinfo]) -> None:
        self._epoch(expire, zone)
        self._volume_id(backup)

    def _epoch(self, expire: str, zone: Optional[tzinfo]) -> int:
        """The expiry in seconds since 1970, 0 for never, as in the vendor's own scripts (EAO-113)."""
        at = moment(expire)
        if at is None:
            return 0
        if zone is None:
            raise ClusterError(
                f"{self.name}: the server takes an expiry in seconds since 1970, and {expire} can't be converted "
                "without the cluster's time zone",
                hint=ZONE_HINT,
                number="DBF-7008",
            )
        return int(at.replace(tzinfo=zone).timestamp())

    def _volume_id(self, backup: Backup) -> int:
        number = backup.volume_id if backup.volume_id is not None else number_of(backup.volume)
        if number is None:
            raise Garbled(f"{self.name}: getBackups: the volume of {backup.id} has no number", failed_object=backup.id)
        return number

    def change_expiry(self, backup: Backup, expire: str, zone: Optional[tzinfo]) -> None:
        sent = (self._volume_id(backup), backup.files, self._epoch(expire, zone))
        self._eao.change("changeBackupExpiration", *sent, of=_of(backup.system))

    def delete(self, database: str, backups: list[Backup]) -> None:
        self._eao.change("deleteBackups", [one.id for one in backups], of=_of(database), patience=LONG)

    def delete_unusable(self, database: str) -> None:
        self._eao.change("deleteUnusableBackups", False, of=_of(database), patience=LONG)

    def restore(self, database: str, backup: Backup, kind: str) -> None:
        self._eao.change("restoreDatabase", backup.id, kind, of=_of(database))

    def schedules(self) -> ScheduleApi:
        return EaoSchedules(self._eao)


class EaoSchedules(ScheduleApi):
    """Schedules by `getBackupSchedule` and `setBackupSchedule`, which always sets all schedules of a database.

    A definition of unknown form is sent back unchanged.
    """

    named = False
    runs = False
    calls = {"add": "setBackupSchedule", "modify": "setBackupSchedule", "remove": "setBackupSchedule"}

    def __init__(self, eao: EaoConnection) -> None:
        self._eao = eao
        self._one_at_a_time = threading.Lock()

    def _rows(self, database: str) -> list[Any]:
        rows = self._eao.read("getBackupSchedule", of=_of(database))
        self._eao.expect(rows is None or isinstance(rows, list), "getBackupSchedule", rows)
        return rows or []

    @staticmethod
    def _read(row: Any) -> Optional[Schedule]:
        table = dict(zip(FIELDS, row)) if isinstance(row, (list, tuple)) and len(row) == len(FIELDS) else row
        found = Schedule.of("", table)
        return found.with_(raw=row) if found else None

    def schedules(self, database: str) -> Optional[list[Schedule]]:
        found = [self._read(row) for row in self._rows(database)]
        return [one for one in found if one is not None]

    def check(self, database: str, schedule: Schedule) -> None:
        """No source describes which values the server accepts."""

    def add(self, database: str, schedule: Schedule) -> None:
        def added(rows: list[Any], form: type) -> list[Any]:
            return [*rows, _row(schedule, form)]

        with self._one_at_a_time:
            rows = self._rows(database)
            forms = {tuple if isinstance(row, (list, tuple)) else dict for row in rows}
            odd = [row for row in rows if self._read(row) is None]
            if odd:
                raise Garbled(
                    f"{self._eao.name}: getBackupSchedule of {database}: a definition has an unknown form "
                    f"({beginning(str(odd[0]), 80)!r}), so no schedule can be added",
                    failed_object=database,
                )
            if forms:
                self._set(database, added(rows, forms.pop()))
                return
            try:
                self._set(database, added(rows, dict))
            except (Denied, NoSuchObject):
                raise
            except Fault as fault:  # no definition shows the form; a refused list has changed nothing
                self._again(fault, lambda: self._set(database, added(rows, tuple)))

    @staticmethod
    def _again(fault: Fault, other: Callable[[], None]) -> None:
        try:
            other()
        except Fault:
            raise fault from None

    def modify(self, database: str, old: Schedule, new: Schedule) -> None:
        self._exchange(database, old, new)

    def remove(self, database: str, schedule: Schedule) -> None:
        self._exchange(database, schedule, None)

    def _exchange(self, database: str, old: Schedule, new: Optional[Schedule]) -> None:
        with self._one_at_a_time:
            rows = self._rows(database)
            places = [place for place, row in enumerate(rows) if row == old.raw]
            if not places:
                raise NoSuchObject(
                    f"{self._eao.name}: {database}: its schedule {old.words} isn't there any more",
                    failed_object=database,
                )
            place, row = places[0], rows[places[0]]
            put = [] if new is None else [_row(new, tuple if isinstance(row, (list, tuple)) else dict, row)]
            self._set(database, [*rows[:place], *put, *rows[place + 1 :]])

    def _set(self, database: str, rows: list[Any]) -> None:
        self._eao.change("setBackupSchedule", rows, of=_of(database))


def _row(schedule: Schedule, form: type, like: Any = None) -> Any:
    """A definition in one of its two forms.

    :param like: the definition that it replaces, whose other keys stay.
    """
    known = {name: getattr(schedule, name) for name in FIELDS}
    if form is not dict:
        return list(known.values())
    return {**(like if isinstance(like, dict) else {}), **known}
