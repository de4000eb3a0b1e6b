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
    """The bytes of a text such as `10 GiB` or `1.5TiB`; None for another text, or if they aren't a whole number."""
    found = re.fullmatch(r"\s*(\d{1,15})(?:\.(\d{1,9}))?\s*([KMGTP]i)?B\s*", str(text), re.IGNORECASE)
    if not found:
        return None
    whole, part, prefix = found.group(1), found.group(2) or "", (found.group(3) or "").capitalize()
    count, rest = divmod(int(whole + part) * UNITS[f"{prefix}B"], 10 ** len(part))
    return None if rest else count


def size_text(count: Optional[int]) -> str:
    """Bytes as a text, in the largest unit that gives a whole number."""
    if count is None:
        return "of unknown size"
    unit = next((unit for unit in reversed(UNITS) if count and count % UNITS[unit] == 0), "B")
    return f"{count // UNITS[unit]} {unit}"


LARGEST = 2**31 - 1
"""The largest number that XML-RPC can write."""


VISIBLE = 2**20
"""The smallest difference in bytes that shows in a size as people write it. Smaller differences may be rounded."""


def whole(cluster: str, value: Any, what: str) -> int:
    """A whole number that the server writes as a number or as a text.

    :raises Garbled: if it is not a whole number.
    """
    if isinstance(value, bool) or not re.fullmatch(r"-?\d{1,18}", str(value)):
        raise Garbled(f"{cluster}: {what} is {beginning(str(value), 40)!r}, which is not a number")
    return int(value)


def in_bytes(value: Any, unit: str) -> Optional[int]:
    """The bytes of a size. A number without a unit counts in the given unit; None for anything else."""
    text = str(value).strip()
    return size_of(f"{text} {unit}" if text.replace(".", "", 1).isdecimal() else text)
