# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sizes and times as ConfD and EXAoperation write them."""

from __future__ import annotations

import re
import time
from typing import Any

_UNITS = {"B": 1, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
_SIZE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([KMGT]i?B|B)?\s*$", re.IGNORECASE)
_SPAN = re.compile(r"(\d+)\s*([mwdhs])", re.IGNORECASE)
_WHOLE_SPAN = re.compile(r"^\s*(\d+\s*[mwdhs]\s*)+$", re.IGNORECASE)
_SPANS = {"w": 7 * 86400, "d": 86400, "h": 3600, "s": 1}
_STAMPS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M")


def size_of(text: Any) -> int | None:
    """The bytes of '10 GiB' or '2048MiB' (a number alone is bytes); None for anything else."""
    if isinstance(text, bool) or not isinstance(text, (int, str)):
        return None
    match = _SIZE.match(str(text))
    if match is None:
        return None
    unit = (match.group(2) or "B").upper()
    return int(float(match.group(1)) * _UNITS[unit if unit in _UNITS else f"{unit[0]}IB"])


def size_text(count: int) -> str:
    """Bytes as '10 GiB', in the largest unit that gives at least 1, with up to four decimals."""
    for unit, factor in (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= factor:
            return f"{count / factor:.4f}".rstrip("0").rstrip(".") + f" {unit}"
    return f"{count} B"


def span_of(text: Any, seconds_of_m: float) -> float | None:
    """The seconds of '1w 3d'; None if the text is not a time span."""
    if not isinstance(text, str) or not _WHOLE_SPAN.match(text):
        return None
    units = {**_SPANS, "m": seconds_of_m}
    return sum(int(number) * units[unit.lower()] for number, unit in _SPAN.findall(text))


def moment_of(text: str) -> float | None:
    """The seconds since 1970 of 'YYYY-MM-DD hh:mm:ss' in local time; None for anything else."""
    for form in _STAMPS:
        try:
            return time.mktime(time.strptime(text, form))
        except (ValueError, OverflowError):
            continue
    return None


def minute(at: float, form: str = "%Y-%m-%d %H:%M") -> str:
    return time.strftime(form, time.localtime(at))


def gib(count: int) -> float:
    """The GiB of bytes; a whole number if possible."""
    number = round(count / GIB, 3)
    return int(number) if number == int(number) else number


GIB = 2**30
