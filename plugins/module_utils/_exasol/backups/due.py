# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which backups fall due, and which expire, while a cluster is off."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, tzinfo
from typing import Any, Optional

from ..._errors import ClusterError
from ..._runout import BACKUP_DUE, BACKUP_EXPIRY, SHOWN, Finding, OffTime, unread
from ..._wording import listing
from ..api.backups import TIMES, Backup, Schedule
from ..api.expiry import moment

MOST = 100
"""How many runs of one schedule are counted at most."""

NO_LIBRARY = "the Python library cronsim, which calculates when schedules run, is not installed (pip install cronsim)"


class ClusterTime:
    """The begin and end of the off time in the cluster's time. The servers write their times without an offset.

    :param zone: the cluster's time zone; None takes that of this machine, and each sentence then says so.
    """

    def __init__(self, off: OffTime, zone: Optional[tzinfo]) -> None:
        self.begin = off.begin.astimezone(zone)
        self.end = off.end.astimezone(self.begin.tzinfo)
        self.note = "" if zone else f" by this machine's clock ({self.begin:%z}), because no time_zone is given"

    def words(self, at: datetime) -> str:
        return f"{at:{SHOWN}}{self.note}"


def runs(schedule: Schedule, begin: datetime, end: datetime) -> list[datetime]:
    """When a schedule runs between two moments of the cluster's time, the first `MOST` times.

    :raises ClusterError: its times aren't in crontab's format, or the library cronsim isn't installed.
    """
    try:
        from cronsim import CronSim, CronSimError  # here, for few runs need it
    except ImportError:
        raise ClusterError(NO_LIBRARY, number="DBF-7004") from None
    words = " ".join(re.sub(r"([a-z]{3})[a-z]*", r"\1", str(getattr(schedule, part)).lower()) for part in TIMES)
    found: list[datetime] = []
    try:
        for at in CronSim(words, begin):
            if at > end or len(found) == MOST:
                break
            found.append(at)
    except CronSimError:
        raise ClusterError(f"{words!r} is not a time as crontab writes it") from None
    return found


def due(database: str, schedules: list[Mapping[str, Any]], time: ClusterTime) -> list[Finding]:
    """The schedules of a database that would run while the cluster is off, one finding per schedule.

    :param schedules: as `Schedule.as_dict`.
    """
    found = []
    for one in (Schedule(**row) for row in schedules):
        called = f"backup schedule {one.name}".rstrip() + f" ({one.words})"
        try:
            at = runs(one, time.begin, time.end) if one.enabled else []
        except ClusterError as error:
            found += unread([f"{database}: {called}: {error}"])
            continue
        if at:
            times = "once" if len(at) == 1 else f"{len(at)} times" + (" or more" if len(at) == MOST else "")
            first = "" if len(at) == 1 else "first "
            says = f"{database}: {called} falls due {times}, {first}at {time.words(at[0])}"
            found.append(Finding(BACKUP_DUE, database, at[0].isoformat(), says))
    return found


def expiring(database: str, rows: list[Mapping[str, Any]], time: ClusterTime) -> list[Finding]:
    """The backups of a database that expire while the cluster is off, in one finding, and what is lost with them.

    :param rows: as `Backup.as_dict`.
    """
    every = [one for one in map(_backup, rows) if one.system == database]
    good = _restorable(every, [one for one in every if one.is_good])
    odd = [one.label for one in good if one.expire and moment(one.expire) is None]
    found = unread([f"{database}: the expiry of {listing(odd, between=', ')}"] if odd else [])
    end = time.end.replace(tzinfo=None)
    gone = sorted((one for one in good if (moment(one.expire) or end) < end), key=lambda one: one.expire)
    if not gone:
        return found
    kept = [one for one in good if one not in gone]
    stay = _restorable(every, kept)
    broken = [one.label for one in kept if one not in stay]
    first = time.words(moment(gone[0].expire) or end)
    says = [f"{database}: expires at {first}: {gone[0].label}"]
    says += [f"later: {listing([one.label for one in gone[1:]], between=', ')}"] if gone[1:] else []
    says += [f"the backups that build on them are lost too: {listing(broken, between=', ')}"] if broken else []
    says += [] if stay else ["after that, no backup is left to restore the database from"]
    return [*found, Finding(BACKUP_EXPIRY, database, gone[0].expire, "; ".join(says))]


def _restorable(every: list[Backup], kept: list[Backup]) -> list[Backup]:
    """The kept backups that can be restored: everything listed that they build on is kept too."""

    def is_whole(backup: Backup) -> bool:
        return all(other in kept and is_whole(other) for other in every if backup.needs(other, every))

    return [one for one in kept if is_whole(one)]


def _backup(row: Mapping[str, Any]) -> Backup:
    names = {one.name for one in fields(Backup)} - {"system", "dependencies"}
    known = {name: value for name, value in row.items() if name in names}
    return Backup(**known, system=row["db_name"], dependencies=tuple(row["dependencies"]))
