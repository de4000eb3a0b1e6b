# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs of backups, restores and backup schedules."""

from __future__ import annotations

from typing import Any

from .backups import Backup
from .catalogue import DATABASE_RIGHTS, NEW, OLD, Call, given, job, may
from .databases import ConfdDatabase
from .jobs_databases import NAME, awaiting_start, database_of
from .sizes import moment_of, span_of

_VOLUME_ID = given("backup_volume_id", "int", "Id of an archive volume.")
_VOLUME_NAME = may("backup_volume_name", "str", "Name of an archive volume.", instead_of="backup_volume_id")
_LEVEL = given("level", "int", "0 is a full backup, 1 to 9 build on one of a lower level.")
_BACKUP_NAME = given("backup_name", "str", "Name of the schedule, of which the database has one.")
_TIMES = {"minute": "0", "hour": "*", "day": "*", "month": "*", "weekday": "*"}
_RANGES = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 7)}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TYPES = ("blocking", "nonblocking", "virtual access")


def _when(optional: tuple[str, ...]) -> list[Any]:
    return [given(name, "str|int", f"The {name} as crontab has it.", optional=optional) for name in _TIMES]


def archive_of(call: Call) -> tuple[str, int]:
    """Name and id of the archive volume; the id goes before the name."""
    cluster = call.cluster
    number, name = call.get("backup_volume_id"), call.get("backup_volume_name")
    remote = cluster.remote_volumes.by_id(number) if number is not None else cluster.remote_volumes.all.get(name)
    if remote is not None:
        return remote.name, remote.id
    local = cluster.volumes.all.get(number) if number is not None else cluster.volumes.named(str(name))
    if local is None or local.kind != "archive":
        raise call.refuse("unknown_volume", name=name if number is None else number)
    return local.name, local.id


def _expiry(call: Call) -> float | None:
    """The moment of a time span like '1w 3d'; None is never."""
    text = call.get("expire")
    if text in (None, ""):
        return None
    seconds = span_of(text, call.cluster.settings["expire_m_seconds"])
    if seconds is None:
        raise call.refuse("bad_value", name="expire", value=text)
    return call.cluster.clock.wall() + seconds


def _level(call: Call) -> int:
    level = call["level"]
    if not 0 <= level <= 9:
        raise call.refuse("bad_value", name="level", value=level)
    return int(level)


@job(
    "Start a backup of a running database. It goes on when the job is finished.",
    DATABASE_RIGHTS,
    NAME,
    _VOLUME_ID,
    _VOLUME_NAME,
    _LEVEL,
    may("expire", "str", "After how long it expires, like '1w 3d'; never without it.", old="expire_time"),
    changing=True,
    example="{'db_name': 'DB1', 'backup_volume_name': 'RemoteVolume1', 'level': 0}",
)
def db_backup_start(call: Call) -> Any:
    database = database_of(call)
    name, number = archive_of(call)
    level, expires = _level(call), _expiry(call)
    remote = call.cluster.remote_volumes.all.get(name)
    if remote is not None and not remote.online:
        raise call.refuse("remote_problem", name=name)
    database.begin_backup(name, number, level, expires)


@job("Abort the backup that runs.", DATABASE_RIGHTS, NAME, changing=True)
def db_backup_abort(call: Call) -> Any:
    database = database_of(call)
    if database.operation != "Backup":
        raise call.refuse("no_backup", name=database.name)
    database.abort_operation()


@job(
    "Backups of a database.",
    DATABASE_RIGHTS,
    NAME,
    may("show_foreign", "bool", "Those of other databases too.", only=(NEW,)),
)
def db_backup_list(call: Call) -> Any:
    database = database_of(call)
    rows = database.history.rows()
    if call.get("show_foreign"):
        for other in call.cluster.databases.values():
            rows += other.history.rows() if other is not database else []
    database.seen()
    return rows


@job("How far a backup or restore is.", DATABASE_RIGHTS, NAME, dialects=(NEW,))
def db_backup_progress(call: Call) -> Any:
    database = database_of(call)
    progress = database.shown_progress()
    database.seen()
    return progress


@job(
    "Delete backups.",
    DATABASE_RIGHTS,
    NAME,
    given("backup_list", "list", "Their ids, as db_backup_list has them."),
    changing=True,
)
def db_backups_delete(call: Call) -> Any:
    database = database_of(call)
    rows = [_of_id(call, one) for one in call["backup_list"]]
    doomed = [backup for _owner, backup in rows]
    for owner, backup in rows:
        if any(one not in doomed for one in owner.history.dependents(backup)):
            call.cluster.broken("backup-base-deleted", backup.id, f"Database: {database.name}.")
            if call.cluster.settings["delete_backup_base"] == "refuse":
                raise call.refuse("base_needed", name=backup.id)
    for owner, backup in rows:
        if backup in owner.history.all:
            owner.history.remove(backup)


def _of_id(call: Call, identity: Any) -> tuple[ConfdDatabase, Backup]:
    """A backup by its id, or by its row of db_backup_list."""
    name = identity.get("id") if isinstance(identity, dict) else identity
    for database in call.cluster.databases.values():
        for backup in database.history.all:
            if backup.id == name:
                return database, backup
    raise call.refuse("unknown_backup", name=name)


@job("Delete the backups of a database that can't be restored.", DATABASE_RIGHTS, NAME, changing=True)
def db_backup_delete_unusable(call: Call) -> Any:
    history = database_of(call).history
    for backup in [one for one in history.all if not history.usable(one)]:
        history.remove(backup)


@job(
    "Change when a backup expires.",
    DATABASE_RIGHTS,
    given("backup_files", "str", "Beginning of its files, like exa_db1/id_1/level_0."),
    _VOLUME_ID,
    _VOLUME_NAME,
    given(
        "expire_time",
        "str",
        "When it expires, as YYYY-MM-DD hh:mm:ss; '' is never.",
        old_kind="int",
        old_desc="When it expires, in seconds since the epoch.",
    ),
    changing=True,
)
def db_backup_change_expiration(call: Call) -> Any:
    _name, number = archive_of(call)
    prefix, when = call["backup_files"].rstrip("/"), call["expire_time"]
    found = [
        backup
        for database in call.cluster.databases.values()
        for backup in database.history.all
        if backup.prefix == prefix and backup.volume_id == number
    ]
    if not found:
        raise call.refuse("unknown_backup", name=prefix)
    moment = float(when) if isinstance(when, int) else None if when == "" else moment_of(when)
    if moment is None and when != "":
        raise call.refuse("bad_value", name="expire_time", value=when)
    for backup in found:
        if moment is not None and moment <= call.cluster.clock.wall():
            call.cluster.broken("backup-expired-at-once", backup.id, f"Expiry: {when}.")
        backup.expires = moment


@job(
    "Restore a database, which must be offline, from a backup.",
    DATABASE_RIGHTS,
    NAME,
    given("backup_id", "str", "Id of the backup, as db_backup_list has it."),
    given("restore_type", "str", "'blocking', 'nonblocking' or 'virtual access'."),
    changing=True,
)
def db_restore(call: Call) -> Any:
    database = database_of(call)
    owner, backup = _of_id(call, call["backup_id"])
    if call["restore_type"] not in _TYPES:
        raise call.refuse("bad_value", name="restore_type", value=call["restore_type"])
    if not owner.history.usable(backup):
        raise call.refuse("unusable_backup", name=backup.id)
    remote = call.cluster.remote_volumes.all.get(backup.volume)
    if remote is not None and not remote.online:
        raise call.refuse("remote_problem", name=backup.volume)
    database.restore(backup, call["restore_type"])
    return awaiting_start(call, database) if call.cluster.settings["restore_waits"] else None


# -- schedules -------------------------------------------------------------------------------------------------


def _schedule_of(call: Call) -> dict[str, Any]:
    schedules = database_of(call).schedules
    if call["backup_name"] not in schedules:
        raise call.refuse("unknown_schedule", name=call["backup_name"])
    return schedules[call["backup_name"]]


def _checked_times(call: Call) -> dict[str, str]:
    """What is given of the five, as text."""
    times = {}
    for name in _TIMES:
        if call.get(name) is None:
            continue
        text = str(call[name])
        for part in text.replace("-", ",").replace("/", ",").split(","):
            low, high = _RANGES[name]
            known = part == "*" or (part.isdigit() and low <= int(part) <= high)
            if not known and not (name == "weekday" and part.lower() in _DAYS):
                raise call.refuse("bad_value", name=name, value=text)
        times[name] = text
    return times


@job(
    "Add a backup schedule to a database.",
    DATABASE_RIGHTS,
    NAME,
    _BACKUP_NAME,
    _VOLUME_ID,
    _VOLUME_NAME,
    _LEVEL,
    given("expire", "str|int", "After how long its backups expire, like '1w 3d'.", optional=(NEW,)),
    *_when((NEW,)),
    given("enabled", "bool", "Whether it runs.", optional=(NEW,)),
    configures=True,
)
def db_backup_add_schedule(call: Call) -> Any:
    schedules = database_of(call).schedules
    if call["backup_name"] in schedules:
        raise call.refuse("schedule_exists", name=call["backup_name"])
    volume, _number = archive_of(call)
    _expiry(call)
    schedules[call["backup_name"]] = {
        "volume": volume,
        "level": _level(call),
        "expire": call.get("expire", ""),
        **_TIMES,
        **_checked_times(call),
        "enabled": call.get("enabled", True),
    }


@job(
    "Change a backup schedule.",
    DATABASE_RIGHTS,
    NAME,
    _BACKUP_NAME,
    may("expire", "str|int", "After how long its backups expire, like '1w 3d'.", only=(NEW,)),
    *_when((OLD, NEW)),
    may("enabled", "bool", "Whether it runs."),
    configures=True,
)
def db_backup_modify_schedule(call: Call) -> Any:
    database = database_of(call)
    if database.state != "running" and call.cluster.settings["modify_schedule_offline"] == "refuse":
        raise call.refuse("database_not_running", name=database.name)
    schedule = _schedule_of(call)
    _expiry(call)
    schedule.update(_checked_times(call))
    for name in ("expire", "enabled"):
        if call.get(name) is not None:
            schedule[name] = call[name]


@job("Remove a backup schedule.", DATABASE_RIGHTS, NAME, _BACKUP_NAME, configures=True)
def db_backup_remove_schedule(call: Call) -> Any:
    _schedule_of(call)
    del database_of(call).schedules[call["backup_name"]]
