# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sizes as texts and as bytes, and whole numbers as servers write them."""

from __future__ import annotations

import re
from typing import Any, Optional

from ..._errors import Garbled
from ..._foreign import beginning

UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "PiB": 2**50}


GIB = UNITS["GiB"]


def size_of(text: Any) -> Optional[int]:
    """Bytes of `10 GiB` or `1.5TiB`; None of anything else, and of what is no whole number of bytes."""
    found = re.fullmatch(r"\s*(\d{1,15})(?:\.(\d{1,9}))?\s*([KMGTP]i)?B\s*", str(text), re.IGNORECASE)
    if not found:
        return None
    whole, part, prefix = found.group(1), found.group(2) or "", (found.group(3) or "").capitalize()
    count, rest = divmod(int(whole + part) * UNITS[f"{prefix}B"], 10 ** len(part))
    return None if rest else count


def size_text(count: Optional[int]) -> str:
    """A number of bytes in the largest unit of which it is a whole number."""
    if count is None:
        return "of unknown size"
    unit = next((unit for unit in reversed(UNITS) if count and count % UNITS[unit] == 0), "B")
    return f"{count // UNITS[unit]} {unit}"


LARGEST = 2**31 - 1
"""The largest number that XML-RPC can write."""


VISIBLE = 2**20
"""Bytes from which on a difference shows in a size as people write it, so that it isn't rounded away."""


def whole(cluster: str, value: Any, what: str) -> int:
    """A number, whether the server writes it as one or as a text.

    :raises Garbled: it isn't one.
    """
    if isinstance(value, bool) or not re.fullmatch(r"-?\d{1,18}", str(value)):
        raise Garbled(f"{cluster}: {what} is {beginning(str(value), 40)!r}, which is not a number")
    return int(value)


def in_bytes(value: Any, unit: str) -> Optional[int]:
    """A size, where a number alone counts in that unit; None of anything else."""
    text = str(value).strip()
    return size_of(f"{text} {unit}" if text.replace(".", "", 1).isdecimal() else text)
