# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups by ConfD's jobs. Source: docs/sources/confd.md, backup jobs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import tzinfo
from typing import Any, Optional

from ..._errors import Denied, Fault, NoSuchObject, Unsupported
from ..._wording import listing, near
from ..api.backups import ArchiveVolume, Backup, BackupApi, Progress, Schedule, ScheduleApi, blocked, unreached
from ..api.volume_names import FIRST_REMOTE, found_in, number_of
from .answers import is_database, is_names, is_rows, is_words, or_none
from .jobs import ConfdJobs
from .jobs_under_way import JobsUnderWay
from .parameters import EXPIRY


class ConfdBackups(BackupApi):
    """The jobs whose names begin with `db_backup`, and `db_restore`."""

    remote_is_blocking = True
    calls = {
        "start": "db_backup_start",
        "expire": "db_backup_change_expiration",
        "delete": "db_backups_delete",
        "prune": "db_backup_delete_unusable",
        "restore": "db_restore",
    }

    def __init__(self, jobs: ConfdJobs, work: JobsUnderWay) -> None:
        self._jobs = jobs
        self._work = work
        self.name = jobs.name
        self._tells_progress: Optional[bool] = None

    # -- volumes

    def volume(self, which: str, clearly: bool = False) -> ArchiveVolume:
        text = which.strip()
        names = self._or_denied(lambda: self._jobs.read("remote_volume_list", fits=or_none(is_names)))
        remote = self._remotes(text, names or [], clearly)
        if not clearly and any(one.name == text for one in remote):
            rows: Any = []
        else:
            rows = self._or_denied(lambda: self._jobs.read("st_volume_list", fits=is_rows))
        local = {self._local(row): row for row in rows or []}
        found = found_in(self.name, [*remote, *local], text, clearly)
        if found is None:
            if names is None or rows is None:  # the server itself will report whether the volume exists
                return ArchiveVolume(text, number_of(text))
            there = [*names, *(one.name for one, row in local.items() if not _is_data(row))]
            raise NoSuchObject(
                f"{self.name}: there is no archive volume {text}{near(text, there)}; "
                f"there are: {listing(there, 20) or 'none'}",
                failed_object=text,
            )
        if found in remote:
            return replace(found, trouble=self._trouble(found.name))
        if _is_data(local[found]):
            raise NoSuchObject(
                f"{self.name}: {text} is a volume of a database, not an archive volume", failed_object=text
            )
        return found

    @staticmethod
    def _or_denied(read: Callable[[], Any]) -> Any:
        """What was read; None if the user may not read volumes. Backups work without that right."""
        try:
            return read()
        except Denied:
            return None

    def _remotes(self, text: str, names: list[str], clearly: bool) -> list[ArchiveVolume]:
        """The remote volumes that a text may mean. To find a number, each volume must be read."""
        numbered = (number_of(text) or 0) >= FIRST_REMOTE
        found = []
        for name in names if numbered and (clearly or text not in names) else [text] if text in names else []:
            info = self._jobs.read("remote_volume_info", {"remote_volume_name": name}, of=name)
            identity = number_of(str(info.get("vid", ""))) if isinstance(info, dict) else None
            found.append(ArchiveVolume(name, identity))
        return found

    def _trouble(self, name: str) -> str:
        given = {"remote_volume_name": name}
        states = self._or_denied(lambda: self._jobs.read("remote_volume_state", given, of=name, fits=is_words))
        return unreached(states if isinstance(states, list) else [states or ""])

    @staticmethod
    def _local(row: dict[str, Any]) -> ArchiveVolume:
        number = number_of(str(row.get("id", "")))
        return ArchiveVolume(str(row.get("name") or ""), number, blocked(row.get("state"), row.get("app_io_enabled")))

    @staticmethod
    def _place(volume: ArchiveVolume) -> dict[str, Any]:
        """The parameter that gives the volume to a job."""
        if volume.id is not None and number_of(volume.name) == volume.id:
            return {"backup_volume_id": volume.id}
        return {"backup_volume_name": volume.name}

    # -- reads

    def backups(self, database: str, foreign: bool = False) -> list[Backup]:
        given: dict[str, Any] = {"db_name": database}
        if foreign:
            if "show_foreign" not in self._jobs.help("db_backup_list").parameters:
                raise Unsupported(
                    f"{self.name}: db_backup_list of this version lists only a database's own backups",
                    failed_object=database,
                )
            given["show_foreign"] = True
        rows = self._jobs.read("db_backup_list", given, of=database, fits=_are_backups)
        return [one for one in map(Backup.of, rows) if one is not None]

    def progress(self, database: str) -> Optional[Progress]:
        if self._tells_progress is None:
            self._tells_progress = "db_backup_progress" in self._jobs.names()
        if not self._tells_progress:  # 6.2 has no such job
            return None
        try:
            return Progress.of(self._jobs.read("db_backup_progress", {"db_name": database}, of=database))
        except Fault:  # the progress only adds to the operation, which is known
            return None

    # -- changes

    def _start(self, database: str, volume: ArchiveVolume, level: int, expire: str) -> dict[str, Any]:
        given = {"db_name": database, **self._place(volume), "level": level}
        return {**given, **_kept(self._jobs, "db_backup_start", expire)}

    def check_start(self, database: str, volume: ArchiveVolume, level: int, expire: str) -> None:
        self._jobs.parameters("db_backup_start", self._start(database, volume, level, expire), of=database)

    def start(self, database: str, volume: ArchiveVolume, level: int, expire: str) -> None:
        self._jobs.execute("db_backup_start", self._start(database, volume, level, expire), of=database)

    @staticmethod
    def _expiry(backup: Backup, expire: str) -> dict[str, Any]:
        place: dict[str, Any] = {"backup_volume_id": backup.volume_id} if backup.volume_id is not None else {}
        named = place or {"backup_volume_name": backup.volume}
        return {"backup_files": backup.files, **named, "expire_time": expire}

    def check_expiry(self, backup: Backup, expire: str, zone: Optional[tzinfo]) -> None:
        self._jobs.parameters("db_backup_change_expiration", self._expiry(backup, expire), of=backup.id)

    def change_expiry(self, backup: Backup, expire: str, zone: Optional[tzinfo]) -> None:
        self._jobs.execute("db_backup_change_expiration", self._expiry(backup, expire), of=backup.id)

    def delete(self, database: str, backups: list[Backup]) -> None:
        given = {"db_name": database, "backup_list": [backup.id for backup in backups]}
        self._work.submit("db_backups_delete", given, of=database)

    def delete_unusable(self, database: str) -> None:
        self._work.submit("db_backup_delete_unusable", {"db_name": database}, of=database)

    def restore(self, database: str, backup: Backup, kind: str) -> None:
        given = {"db_name": database, "backup_id": backup.id, "restore_type": kind}
        self._work.submit("db_restore", given, of=database)

    def trouble(self, database: str) -> str:
        return self._work.error_of(database)

    def schedules(self) -> ScheduleApi:
        return ConfdSchedules(self._jobs)


def _kept(jobs: ConfdJobs, job: str, expire: str) -> dict[str, str]:
    """The parameter for the expiry. An empty one (never) is only sent to jobs that require it, as in 6.2."""
    taken = jobs.help(job).parameters
    needed = any(taken[name].mandatory for name in EXPIRY if name in taken)
    return {"expire": expire} if expire or needed else {}


def _are_backups(value: Any) -> bool:
    return is_rows(value) and None not in map(Backup.of, value)


def _is_data(row: dict[str, Any]) -> bool:
    """Whether a volume certainly belongs to a database. Its labels show that more clearly than its type (CONFD-132)."""
    labels = [str(label) for label in row.get("labels") or []]
    return "temporary" in labels or any(
        label.startswith("pub:") and label.endswith(("_persistent", "_temporary")) for label in labels
    )


class ConfdSchedules(ScheduleApi):
    """The jobs `db_backup_*_schedule`. Only db_info of newer versions lists the schedules."""

    calls = {
        "add": "db_backup_add_schedule",
        "modify": "db_backup_modify_schedule",
        "remove": "db_backup_remove_schedule",
    }

    def __init__(self, jobs: ConfdJobs) -> None:
        self._jobs = jobs

    @property
    def fixed(self) -> tuple[str, ...]:  # type: ignore[override]
        expires = set(EXPIRY) & set(self._jobs.help("db_backup_modify_schedule").parameters)
        return ("volume", "level") if expires else ("volume", "level", "expire")

    def schedules(self, database: str) -> Optional[list[Schedule]]:
        info = self._jobs.read("db_info", {"db_name": database}, of=database, fits=is_database)
        config = info.get("config")
        rows = config.get("backups") if isinstance(config, dict) else None
        if isinstance(rows, list):
            rows = {str(row.get("backup_name") or row.get("name")): row for row in rows if isinstance(row, dict)}
        if not isinstance(rows, dict):
            return None
        found = [Schedule.of(str(name), row) for name, row in rows.items()]
        return None if None in found else [one for one in found if one is not None]

    @staticmethod
    def _given(database: str, schedule: Schedule, names: tuple[str, ...]) -> dict[str, Any]:
        given: dict[str, Any] = {"db_name": database, "backup_name": schedule.name}
        given.update({name: getattr(schedule, name) for name in names})
        return given

    def _whole(self, database: str, schedule: Schedule) -> dict[str, Any]:
        number = number_of(schedule.volume) if schedule.volume.isdigit() else None
        place: dict[str, Any] = {"backup_volume_name": schedule.volume}
        if number is not None:
            place = {"backup_volume_id": number}
        rest = ("level", "minute", "hour", "day", "month", "weekday", "enabled")
        given = {**self._given(database, schedule, rest), **place}
        return {**given, **_kept(self._jobs, "db_backup_add_schedule", schedule.expire)}

    def check(self, database: str, schedule: Schedule) -> None:
        of = f"{database} {schedule.name}"
        self._jobs.parameters("db_backup_add_schedule", self._whole(database, schedule), of=of)

    def add(self, database: str, schedule: Schedule) -> None:
        self._jobs.execute("db_backup_add_schedule", self._whole(database, schedule), of=f"{database} {schedule.name}")

    def modify(self, database: str, old: Schedule, new: Schedule) -> None:
        fields = ("minute", "hour", "day", "month", "weekday", "enabled", "expire")
        changed = tuple(name for name in fields if getattr(old, name) != getattr(new, name))
        given = self._given(database, new, changed)
        self._jobs.execute("db_backup_modify_schedule", given, of=f"{database} {new.name}")

    def remove(self, database: str, schedule: Schedule) -> None:
        given = {"db_name": database, "backup_name": schedule.name}
        self._jobs.execute("db_backup_remove_schedule", given, of=f"{database} {schedule.name}")
