# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long backups are kept, and how old they are, compared in the cluster's own time.

The servers write times without an offset. A comparison that needs the offset is refused unless the cluster's time zone
is known.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Optional

from ..._errors import ClusterError
from ..api.expiry import STAMP, TIMESTAMP, ZONE_HINT, Expiry, moment, refuse_months

NEVER = "never"


LOOSE = 0.1
"""Share of a duration by which an expiry may differ: the server may count from the begin or the end of the backup."""

HOURS = 7200.0
"""Seconds by which the expiry may always differ: daylight saving time, and the time that the backup takes."""

EAST, WEST = timedelta(hours=14), timedelta(hours=12)
"""How far the time zones of the world are before and after UTC."""


def duration(option: str, text: str) -> int:
    """The seconds of a duration such as `1w 3d`.

    :raises ClusterError: the text is not a duration.
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

    :param text: a duration that begins with the backup, a time, seconds since 1970, or `never`.
    :param zone: the cluster's time zone, if it is known.
    :raises ClusterError: the text is none of these.
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
        """Whether the documents say that servers accept this text: `never`, or a duration in weeks and days."""
        return not self.text or re.fullmatch(r"(\d+\s*[wd]\s*)+", self.text) is not None

    def local(self, taken: str) -> str:
        """When a backup should expire, `YYYY-MM-DD hh:mm:ss` in the cluster's own time, or empty for never.

        :param taken: when the backup was taken, in the same time zone.
        :raises ClusterError: the result isn't certain without the time zone, or `taken` can't be read.
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

        :param exact: compare to the minute; otherwise allow a duration that counts from the end of the backup.
        """
        wanted, found = moment(self.local(taken)), moment(expire)
        if wanted is None or found is None:
            return wanted is None and not expire.strip()
        if exact or self.seconds is None:
            return wanted.replace(second=0) == found.replace(second=0)
        return abs((found - wanted).total_seconds()) <= max(HOURS, self.seconds * LOOSE)


def is_over(stamp: str, zone: Optional[tzinfo], now: Optional[datetime] = None) -> Optional[bool]:
    """Whether a time of the cluster has passed; None if that depends on the time zone, and the zone isn't known."""
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
    """Seconds since a time of the cluster; None if the text can't be read."""
    at = moment(stamp)
    if at is None:
        return None
    return ((now or datetime.now(timezone.utc)) - at.replace(tzinfo=zone)).total_seconds()
