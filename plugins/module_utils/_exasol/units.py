# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sizes as people and servers write them."""

from __future__ import annotations

import re
from typing import Any, Optional

KIB, MIB, GIB, TIB = (1024**power for power in range(1, 5))

UNITS = {"B": 1, "KIB": KIB, "MIB": MIB, "GIB": GIB, "TIB": TIB, "KB": KIB, "MB": MIB, "GB": GIB, "TB": TIB}
"""EXAConf counts in powers of 1024, whichever way a unit is written."""


def size_of(value: Any, unit: int = 1) -> Optional[int]:
    """Bytes of C(2048MiB), C(2 GiB) or C(0.5 TiB); None of anything else.

    :param unit: what a number alone counts, in bytes.
    """
    if isinstance(value, bool) or value is None:
        return None
    found = re.fullmatch(r"\s*(\d{1,18}(?:\.\d{1,9})?)\s*([KMGT]?i?B?)\s*", str(value), re.IGNORECASE)
    if not found:
        return None
    number, letters = float(found.group(1)), found.group(2).upper()
    if not letters:
        return round(number * unit)
    word = letters if letters in UNITS else f"{letters[0]}IB"
    return round(number * UNITS[word]) if word in UNITS else None


def in_words(count: int) -> str:
    """C(2 GiB) of bytes, in the largest unit in which it is a whole number."""
    for word, factor in (("TiB", TIB), ("GiB", GIB), ("MiB", MIB), ("KiB", KIB)):
        if count and count % factor == 0:
            return f"{count // factor} {word}"
    return f"{count} B"
