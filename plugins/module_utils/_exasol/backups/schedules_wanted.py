# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks the options of exa_backup_schedule."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import Any, Callable, Optional

from ..._errors import ClusterError
from ..._options import refuse_unprintable
from ..api.backups import TIMES, Schedule
from .expiry_comparison import Lifetime

RANGES = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 7)}

NAMES = {
    "month": "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*",
    "weekday": "(sun|mon|tue|wed|thu|fri|sat)[a-z]*",
}
"""The names that two of the five parts may have. Only the server knows whether it accepts names."""


@dataclass(frozen=True)
class WantedSchedule:
    """A schedule as the options describe it. None keeps the present value, or the default of a new schedule."""

    name: str
    volume: Optional[str] = None
    level: Optional[int] = None
    expire: Optional[str] = None
    minute: Optional[str] = None
    hour: Optional[str] = None
    day: Optional[str] = None
    month: Optional[str] = None
    weekday: Optional[str] = None
    enabled: Optional[bool] = None

    def over(self, found: Optional[Schedule], volume: str) -> Schedule:
        """The schedule as it should be.

        :param found: the present schedule.
        :param volume: the wanted volume, by the server's name.
        """
        base = found or Schedule(self.name, volume, 0)
        said = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in ("name", "volume")}
        changes = {name: value for name, value in said.items() if value is not None}
        return replace(base, name=self.name, volume=volume if self.volume else base.volume, **changes)

    def unsaid(self, found: Schedule) -> dict[str, Any]:
        """The values of a schedule that would be lost if it were added again with these options alone, by option."""
        usual = Schedule(found.name, found.volume, 0)
        had = {"level": (found.level, usual.level), "expire": (found.expire, usual.expire)}
        had.update({part: (getattr(found, part), getattr(usual, part)) for part in TIMES})
        had["enabled"] = (found.enabled, usual.enabled)
        same: dict[str, Callable[[Any], Any]] = {"expire": comparable_expiry, **dict.fromkeys(TIMES, comparable_time)}
        unlike = {
            name: now
            for name, (now, default) in had.items()
            if getattr(self, name) is None and same.get(name, int)(now) != same.get(name, int)(default)
        }
        return unlike if self.volume else {"volume": found.volume, **unlike}

    @property
    def left_out(self) -> list[str]:
        """The options that the task leaves out."""
        return [one.name for one in fields(self) if getattr(self, one.name) is None]


def wanted_of(rows: list[dict[str, Any]]) -> list[WantedSchedule]:
    """The options, checked.

    :raises ClusterError: an option is wrong or missing.
    """
    found = [_wanted(row) for row in rows]
    names = [one.name for one in found]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if not names or twice:
        raise ClusterError(f"schedules names {twice[0]} twice" if twice else "no schedule is named (schedules)")
    return found


def _wanted(row: dict[str, Any]) -> WantedSchedule:
    name, level, expire = str(row["name"]).strip(), row.get("level"), row.get("expire")
    if not name:
        raise ClusterError("a schedule has an empty name")
    refuse_unprintable("schedule", name)
    if level is not None and not 0 <= level <= 9:
        raise ClusterError(f"schedule {name}: level {level}: levels are 0 to 9")
    if expire is not None:
        lifetime = Lifetime(expire, None)
        if not lifetime.is_plain:
            raise ClusterError(
                f"schedule {name}: expire {expire!r} must be a duration in weeks and days (1w 3d), or never"
            )
        expire = lifetime.text
    times = {part: str(row[part]).strip() for part in TIMES if row.get(part) is not None}
    odd = [part for part, text in times.items() if not all(_is_time(part, one) for one in text.split(","))]
    if odd:
        raise ClusterError(f"schedule {name}: {odd[0]} {times[odd[0]]!r} is not a time as crontab writes it")
    volume = str(row["volume"]).strip() if row.get("volume") else None
    return WantedSchedule(name, volume, level, expire, enabled=row.get("enabled"), **times)


def _is_time(part: str, text: str) -> bool:
    """Whether crontab accepts such an item: `*`, 5, 1-5 or mon-fri, each with or without a step."""
    found = re.fullmatch(r"(?:\*|([^\W_]+)(?:-([^\W_]+))?)(?:/0*[1-9]\d*)?", text, re.ASCII)
    if not found:
        return False
    least, most = RANGES[part]
    ends = [one for one in found.groups() if one is not None]
    numbers = [int(one) for one in ends if one.isdigit()]
    names = [one for one in ends if not one.isdigit()]
    return (
        all(least <= one <= most for one in numbers)
        and numbers == sorted(numbers)
        and all(re.fullmatch(NAMES.get(part, "(?!)"), one, re.IGNORECASE) for one in names)
    )


def comparable_time(text: str) -> str:
    """A part of a schedule's time, to compare: 05 is 5, and Monday is monday."""
    return ",".join(part.lstrip("0") or "0" if part.isdigit() else part for part in text.strip().lower().split(","))


def comparable_expiry(expire: str) -> Any:
    """A duration to compare: 1w is 7d. A text that can't be read stays as it is."""
    try:
        return Lifetime(expire, None).seconds
    except ClusterError:
        return expire
