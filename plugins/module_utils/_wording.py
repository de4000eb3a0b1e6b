# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts of sentences: lists, similar names, times, hints."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Optional

from ._foreign import PIECE, shown


def clock_text(seconds: float) -> str:
    """``02:10``, or ``1:02:10`` from one hour on."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    text = f"{rest // 60:02d}:{rest % 60:02d}"
    return f"{hours}:{text}" if hours else text


def listing(names: list[str], most: int = 8, between: str = " ") -> str:
    """The first names, and the number of the others."""
    more = len(names) - most
    return between.join(shown(name, PIECE) for name in names[:most]) + (f" and {more} more" if more > 0 else "")


def bare(word: str) -> str:
    """Plain words unchanged; any other text in quotes, so that the reader sees its end."""
    return word if re.fullmatch(r"\w+( \w+)*", word) else repr(word)


def joined(hints: Iterable[Optional[str]]) -> Optional[str]:
    """Several hints as one text, each once; None if there is no hint."""
    return ". ".join(dict.fromkeys(hint.rstrip(".") for hint in hints if hint)) or None


def near(name: str, known: list[str]) -> str:
    """``" (did you mean DB1?)"`` if one of the known names is similar, else an empty text."""
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1)
    if not close:
        by_case = {item.lower(): item for item in known}
        close = [by_case[name.lower()]] if name.lower() in by_case else []
    return f" (did you mean {close[0]}?)" if close else ""
