# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the expiry of a backup as people write it, and times as servers write them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Optional, Union

from ..._errors import ClusterError

STAMP = "%Y-%m-%d %H:%M:%S"


def moment(stamp: str) -> Optional[datetime]:
    """Reads `2026-12-24 18:00`, with or without seconds, without an offset; None for anything else."""
    try:
        return datetime.fromisoformat(stamp.strip()) if stamp.strip() else None
    except ValueError:
        return None


ZONE_HINT = "set time_zone to the cluster's own time zone, such as Europe/Berlin"


EPOCH = "epoch"


TIMESTAMP = "timestamp"


DURATION = "duration"


SHOWN = {EPOCH: "seconds since 1970", TIMESTAMP: "a time (YYYY-MM-DD hh:mm:ss)", DURATION: "a duration (1w 3d)"}


SECONDS = {"w": 604800, "d": 86400, "h": 3600, "s": 1}
"""The units of a duration, without `m`: a server reads it as months (CONFD-82, CONFD-83), people mean minutes."""


DURATIONS = re.compile(r"(\d{1,9}\s*[wdhms]\s*)+")


TIMES = re.compile(r"\d{4}-\d\d-\d\d([ tT]\d\d:\d\d(:\d\d(\.\d{3,6})?)?([zZ]|[+-]\d\d:\d\d)?)?", re.ASCII)
"""The form of a time. Without this check, newer Pythons read nearly any digits as a time."""


WEST = timedelta(hours=12)
"""The most that a local clock is behind UTC."""


def refuse_months(what: str, text: str) -> None:
    """:raises ClusterError: if a duration uses `m`, whose length is unknown."""
    if re.search(r"\d\s*m(?![a-z])", text.lower()):
        raise ClusterError(
            f"{what} {text!r}: m could be minutes or months; write it in s, h, d or w", number="DBF-7009"
        )


def as_duration(shown: str) -> str:
    """Turns a duration in seconds, as a server may show it (CONFD-96, CONFD-97), into words: 777600 is `1w 2d`.

    :returns: the text unchanged if it is not a number of whole hours.
    """
    if not shown.isdecimal() or int(shown) % SECONDS["h"]:
        return shown
    left, parts = int(shown), []
    for unit in ("w", "d", "h"):
        count, left = divmod(left, SECONDS[unit])
        parts += [f"{count}{unit}"] if count else []
    return " ".join(parts)


class Expiry:
    """The expiry of a backup as the task gives it.

    :param value: `1w 3d`, `2026-12-24 18:00:00` with or without an offset, seconds since 1970, or an empty text for
        never.
    :param zone: the cluster's time zone, if it is known. A time without an offset is in that zone.
    :raises ClusterError: for anything else.
    """

    def __init__(self, value: Union[str, int], zone: Optional[tzinfo] = None) -> None:
        self._zone = zone
        self._text = str(value).strip()
        self._at: Optional[datetime] = None
        self._naive = False
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise self._odd()
        if not self._text or DURATIONS.fullmatch(self._text.lower()):
            return
        try:
            if re.fullmatch(r"\d{9,11}", self._text):
                self._at = datetime.fromtimestamp(int(self._text), timezone.utc)
                return
            if not TIMES.fullmatch(self._text):
                raise ValueError
            read = re.sub(r"[zZ]$", "+00:00", self._text)
            self._at = datetime.fromisoformat(read if len(read) > 10 else f"{read} 00:00:00")
        except (ValueError, OverflowError, OSError):
            raise self._odd() from None
        if self._at.tzinfo is None:
            self._naive = True
            self._at = self._at.replace(tzinfo=zone) if zone else self._at

    def _odd(self) -> ClusterError:
        return ClusterError(
            f"the expiry {self._text!r} is neither a duration (1w 3d), nor a time (2026-12-24 18:00:00), "
            "nor seconds since 1970",
            number="DBF-7009",
        )

    @property
    def is_never(self) -> bool:
        return not self._text

    @property
    def seconds(self) -> Optional[int]:
        """The length of a duration; None for a time.

        :raises ClusterError: if the duration uses `m`.
        """
        if self._at is not None or self.is_never:
            return None
        refuse_months("the expiry", self._text)
        pairs = re.findall(r"(\d+)\s*([wdhs])", self._text.lower())
        return sum(int(count) * SECONDS[unit] for count, unit in pairs)

    def is_over(self, now: datetime) -> bool:
        """Whether the expiry has passed. If the zone is unknown, only a time that has passed everywhere counts.

        :param now: the current time, with an offset.
        """
        if self._at is None:
            return bool(self._text) and not any(map(int, re.findall(r"\d+", self._text)))
        if self._at.tzinfo is None:
            return self._at.replace(tzinfo=timezone.utc) <= now - WEST
        return self._at <= now

    def as_(self, form: str, now: Optional[datetime] = None) -> Union[str, int]:
        """This expiry in a form that a server takes.

        :param now: when a duration begins, if the server takes a time; with an offset.
        :raises ClusterError: if the result would not be certain.
        """
        if self.is_never and form != EPOCH:
            return ""  # documented for a timestamp (CONFD-90), and the answers write 'expire': '' (CONFD-86)
        if self.is_never:
            raise ClusterError(
                "this server takes seconds since 1970, and how to write 'never' there is not known", number="DBF-7009"
            )
        if form == DURATION:
            if self._at is not None:
                raise ClusterError(
                    f"this server takes {SHOWN[form]}, and the expiry {self._text!r} is a time", number="DBF-7009"
                )
            if "s" in self._text.lower():
                raise ClusterError(
                    f"this server takes a duration in w, d and h; the expiry {self._text!r} has seconds",
                    number="DBF-7009",
                )
            return self._text
        try:
            return self._as_time(form, self._moment(form, now))
        except (ValueError, OverflowError):
            raise self._odd() from None

    def _as_time(self, form: str, at: datetime) -> Union[str, int]:
        if form == EPOCH:
            if at.tzinfo is None:
                raise self._no_zone(form)
            self._refuse_twofold(form, at)
            return int(at.timestamp())
        if self._naive:
            self._refuse_twofold(form, at)
            return at.strftime("%Y-%m-%d %H:%M:%S")  # it is in the cluster's own time, whatever its zone is
        if self._zone is None:
            raise self._no_zone(form)
        local = at.astimezone(self._zone)
        if self._at is not None:  # one hour more or less doesn't matter for a duration
            self._refuse_twofold(form, local)
        return local.strftime("%Y-%m-%d %H:%M:%S")

    def _refuse_twofold(self, form: str, at: datetime) -> None:
        """:raises ClusterError: if the clocks' change repeats or leaves out the hour of this time."""
        if at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset():
            way_out = "add an offset (+01:00) to make it clear" if form == EPOCH else "choose another hour"
            raise ClusterError(
                f"the expiry {self._text!r} is in an hour that a change of the clocks repeats or leaves out: {way_out}",
                number="DBF-7009",
            )

    def _moment(self, form: str, now: Optional[datetime]) -> datetime:
        if self._at is not None:
            return self._at
        if now is None or now.tzinfo is None:
            raise ClusterError(
                f"this server takes {SHOWN[form]}, and the expiry {self._text!r} is a duration", number="DBF-7009"
            )
        return now + timedelta(seconds=self.seconds or 0)

    def _no_zone(self, form: str) -> ClusterError:
        return ClusterError(
            f"this server takes {SHOWN[form]}, and without the cluster's time zone the expiry {self._text!r} can't be "
            "converted safely",
            hint=ZONE_HINT,
            number="DBF-7008",
        )
