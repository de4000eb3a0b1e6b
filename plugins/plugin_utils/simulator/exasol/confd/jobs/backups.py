# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs of backups, restores and backup schedules."""

from __future__ import annotations

from typing import Any

from ...common import backups
from ...common.backups import TIMES
from ...common.sizes import moment_of
from ..catalogue import DATABASE_RIGHTS, NEW, OLD, Call, given, job, may
from .databases import NAME, awaiting_start, database_of

_VOLUME_ID = given("backup_volume_id", "int", "Id of an archive volume.")
_VOLUME_NAME = may("backup_volume_name", "str", "Name of an archive volume.", instead_of="backup_volume_id")
_LEVEL = given("level", "int", "0 is a full backup, 1 to 9 build on one of a lower level.")
_BACKUP_NAME = given("backup_name", "str", "Name of the schedule, of which the database has one.")


def _when(optional: tuple[str, ...]) -> list[Any]:
    return [given(name, "str|int", f"The {name} as crontab has it.", optional=optional) for name in TIMES]


def archive_of(call: Call) -> tuple[str, int]:
    """Name and id of the archive volume; the id goes before the name."""
    number, name = call.get("backup_volume_id"), call.get("backup_volume_name")
    return backups.archive_of(call.cluster, str(name) if number is None else number)


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
    given(
        "expire",
        "str",
        "After how long it expires, like '1w 3d'; never without it.",
        old="expire_time",
        old_desc="After how long it expires, like '1w 3d'; '' is never.",
        optional=(NEW,),
    ),
    changing=True,
    example="{'db_name': 'DB1', 'backup_volume_name': 'RemoteVolume1', 'level': 0}",
)
def db_backup_start(call: Call) -> Any:
    database = database_of(call)
    name, number = archive_of(call)
    level, expires = _level(call), backups.expiry(call.cluster, call.get("expire"))
    backups.reachable(call.cluster, name)
    database.begin_backup(name, number, level, expires)


@job("Abort the backup that runs.", DATABASE_RIGHTS, NAME, changing=True)
def db_backup_abort(call: Call) -> Any:
    database_of(call).abort_backup()


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
    else:
        rows = [row for row in rows if row["system"] == database.name]
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
    ids = [one.get("id") if isinstance(one, dict) else one for one in call["backup_list"]]
    backups.delete(call.cluster, ids, database_of(call).name)


@job("Delete the backups of a database that can't be restored.", DATABASE_RIGHTS, NAME, changing=True)
def db_backup_delete_unusable(call: Call) -> Any:
    database = database_of(call)
    database.history.remove_unusable(database.name)


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
    when = call["expire_time"]
    moment = float(when) if isinstance(when, int) else None if when == "" else moment_of(when)
    if moment is None and when != "":
        raise call.refuse("bad_value", name="expire_time", value=when)
    backups.change_expiration(call.cluster, number, call["backup_files"], moment)


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
    database.restore(call["backup_id"], call["restore_type"])
    return awaiting_start(call, database) if call.cluster.settings["restore_waits"] else None


# -- schedules -------------------------------------------------------------------------------------------------


def _schedule_of(call: Call) -> dict[str, Any]:
    schedules = database_of(call).schedules
    if call["backup_name"] not in schedules:
        raise call.refuse("unknown_schedule", name=call["backup_name"])
    return schedules[call["backup_name"]]


def _kept(call: Call) -> Any:
    """The expiry of a schedule as it is shown."""
    given, now = call.get("expire", ""), call.cluster.clock.wall()
    ends = backups.expiry(call.cluster, given)
    return given if ends is None or call.cluster.settings["schedule_expire"] == "given" else round(ends - now)


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
    expire = _kept(call)
    schedules[call["backup_name"]] = {
        "volume": volume,
        "level": _level(call),
        "expire": expire,
        **TIMES,
        **backups.times_of(call.cluster, call.params),
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
    expire = _kept(call)
    schedule.update(backups.times_of(call.cluster, call.params))
    if call.get("expire") is not None:
        schedule["expire"] = expire
    if call.get("enabled") is not None:
        schedule["enabled"] = call["enabled"]


@job("Remove a backup schedule.", DATABASE_RIGHTS, NAME, _BACKUP_NAME, configures=True)
def db_backup_remove_schedule(call: Call) -> Any:
    _schedule_of(call)
    del database_of(call).schedules[call["backup_name"]]
