# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long backups are kept, and how old they are, compared in the cluster's own time.

The servers write times without an offset, so what depends on one is refused where the cluster's time zone isn't known.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Optional

from ..._errors import ClusterError
from ..api.expiry import STAMP, TIMESTAMP, ZONE_HINT, Expiry, moment, refuse_months

NEVER = "never"


LOOSE = 0.1
"""Share of a duration by which the server's reckoning may differ: from the begin, or from the end of the backup."""

HOURS = 7200.0
"""Seconds by which the reckoning of a short duration may differ: daylight saving, and the backup's own time."""

EAST, WEST = timedelta(hours=14), timedelta(hours=12)
"""How far the clocks of the world go before and after UTC."""


def duration(option: str, text: str) -> int:
    """Seconds of `1w 3d`.

    :raises ClusterError: it is none.
    """
    refuse_months(option, text)
    try:
        seconds = Expiry(text).seconds
    except ClusterError:
        seconds = None
    if not seconds:
        raise ClusterError(f"{option} {text!r} is not a duration (such as 1w 3d, or 24h)", number="DBF-7009")
    return seconds


class Lifetime:
    """The option `expire`.

    :param text: a duration from when the backup is taken, a time, seconds since 1970, or `never`.
    :param zone: the cluster's time zone, where it is known.
    :raises ClusterError: it is none of these.
    """

    def __init__(self, text: str, zone: Optional[tzinfo]) -> None:
        self.text = "" if text.strip().lower() == NEVER else text.strip()
        refuse_months("expire", self.text)
        self._zone = zone
        self._expiry = Expiry(self.text, zone)
        self.seconds = self._expiry.seconds
        if self.seconds == 0:
            says = "a backup can't expire at the moment it is taken: give a longer time"
            raise ClusterError(f"expire {self.text!r}: {says}", number="DBF-7009")

    @property
    def is_time(self) -> bool:
        return bool(self.text) and self.seconds is None

    @property
    def is_plain(self) -> bool:
        """Whether servers are documented to take it as it is: never, or a duration in weeks and days."""
        return not self.text or re.fullmatch(r"(\d+\s*[wd]\s*)+", self.text) is not None

    def local(self, taken: str) -> str:
        """When a backup should expire, `YYYY-MM-DD hh:mm:ss` in the cluster's own time, or empty for never.

        :param taken: when it was taken, in that time.
        :raises ClusterError: that can't be known for sure.
        """
        if not self.text:
            return ""
        if self.seconds is None:
            try:
                return str(self._expiry.as_(TIMESTAMP))
            except ClusterError:
                if self._zone is not None:
                    raise
                raise ClusterError(
                    f"expire {self.text!r} can't be compared with the cluster's times, because its zone isn't known",
                    hint=ZONE_HINT,
                    number="DBF-7008",
                ) from None
        began = moment(taken)
        if began is None:
            raise ClusterError(
                f"expire {self.text!r}: the time of the backup ({taken!r}) can't be read", number="DBF-7009"
            )
        span = timedelta(seconds=self.seconds)
        if self._zone is None:
            return (began + span).strftime(STAMP)
        ends = began.replace(tzinfo=self._zone).astimezone(timezone.utc) + span
        return ends.astimezone(self._zone).strftime(STAMP)

    def is_met(self, expire: str, taken: str, exact: bool = True) -> bool:
        """Whether a backup expires as it should.

        :param exact: to the minute; otherwise a duration may be reckoned from the begin or the end of the backup.
        """
        wanted, found = moment(self.local(taken)), moment(expire)
        if wanted is None or found is None:
            return wanted is None and not expire.strip()
        if exact or self.seconds is None:
            return wanted.replace(second=0) == found.replace(second=0)
        return abs((found - wanted).total_seconds()) <= max(HOURS, self.seconds * LOOSE)


def is_over(stamp: str, zone: Optional[tzinfo], now: Optional[datetime] = None) -> Optional[bool]:
    """Whether a time of the cluster's own has passed; None where that depends on the zone, and it isn't known."""
    at, now = moment(stamp), now or datetime.now(timezone.utc)
    if at is None:
        return False
    if zone is not None:
        return at.replace(tzinfo=zone) <= now
    at = at.replace(tzinfo=timezone.utc)
    if at + WEST <= now:
        return True
    return False if at - EAST > now else None


def age(stamp: str, zone: tzinfo, now: Optional[datetime] = None) -> Optional[float]:
    """Seconds since a time of the cluster's own; None where it can't be read."""
    at = moment(stamp)
    if at is None:
        return None
    return ((now or datetime.now(timezone.utc)) - at.replace(tzinfo=zone)).total_seconds()
