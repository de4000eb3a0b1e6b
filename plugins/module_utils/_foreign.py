# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts that others wrote: what of them a terminal would obey is written out, and what is too long is cut.

A server's names stay what they are wherever they are compared or sent. They pass here on their way to a reader.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

CUT = " ..."
"""What follows a text of which only the beginning is shown."""

PIECE = 500
"""Characters of what a server said, within a sentence of ours."""

LINE = 4000
"""Characters of a line, or of a sentence with all that it is about."""

NOTE = 40
"""Characters that the note of a cut may take."""

JOINERS = "\u200c\u200d"
"""They have no glyph, but some scripts can't be spelled without them, and they move nothing."""

ODD_IN_JSON = re.compile(
    "[\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""What a terminal obeys or hides, and JSON, as ansible-core writes it, does not escape."""

SENTENCES = frozenset(("msg", "hint", "cause", "why", "summary", "problem", "problems", "warnings", "total"))
"""What our results call texts that are sentences. Everything else of a result is data."""


def beginning(text: str, most: int) -> str:
    """So much of a text at most, marked where there is more: the mark lets a secret that is cut off be found."""
    return text if len(text) <= most else f"{text[:most]}{CUT}"


def visible(text: str) -> str:
    """A text on one line that a terminal shows as it stands: `\\n`, `\\x1b` and `\\u202e` are written as here."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in JOINERS else repr(one)[1:-1] for one in text)


def shown(text: str, most: int = LINE) -> str:
    """A text as one line that may be shown. What was made by this stays as it is when it passes again.

    :param most: characters; a longer one says at its end how many there were.
    """
    head = visible(text[: most + NOTE])
    if len(head) <= most + NOTE and len(text) <= most + NOTE:
        return head
    return f"{head[:most]}{CUT} ({len(text)} characters in all)"


def one_line(text: Any, most: int = PIECE) -> str:
    """What a server said, fit for a sentence."""
    return shown(" ".join(str("" if text is None else text).split()), most)


def told(value: Any, name: str = "") -> Any:
    """A result, or a part of it, as it leaves us for whoever shows it.

    Sentences become single lines. Data stays as the server has it, for plays compare it, but for what JSON would hand
    on to a terminal.

    :param name: what the part is called.
    """
    if isinstance(value, str):
        return shown(value) if name in SENTENCES else in_json(value)
    if isinstance(value, Mapping):
        return {in_json(key) if isinstance(key, str) else key: told(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [told(item, name) for item in value]
    return value


def in_json(text: str) -> str:
    """Data as JSON may hold it on its way to a terminal."""
    return text if text.isprintable() else ODD_IN_JSON.sub(lambda found: repr(found[0])[1:-1], text)
