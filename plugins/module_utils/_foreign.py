# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts that others wrote: characters that a terminal would obey are written as escapes, and long texts are cut.

A server's names stay unchanged wherever code compares or sends them. Only texts for a reader pass through here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

CUT = " ..."
"""The mark at the end of a text that was cut."""

PIECE = 500
"""Most characters of a server's text within one of our sentences."""

LINE = 4000
"""Most characters of a line, or of a whole sentence."""

NOTE = 40
"""Most characters of the note that a text was cut."""

JOINERS = "\u200c\u200d"
"""They have no glyph, but some scripts need them, and they don't move the cursor or change the direction."""

ODD_IN_JSON = re.compile(
    "[\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""Characters that a terminal obeys or hides, and that ansible-core does not escape in JSON."""

SENTENCES = frozenset(("msg", "hint", "cause", "why", "summary", "problem", "problems", "warnings", "total"))
"""Keys in our results whose texts are sentences. Everything else in a result is data."""


def beginning(text: str, most: int) -> str:
    """The beginning of a text, with a mark if it was cut. By the mark, the scrubber finds a secret that was cut off."""
    return text if len(text) <= most else f"{text[:most]}{CUT}"


def visible(text: str) -> str:
    """A text on one line that a terminal shows unchanged: line ends and escapes appear as `\\n`, `\\x1b`, `\\u202e`."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in JOINERS else repr(one)[1:-1] for one in text)


def shown(text: str, most: int = LINE) -> str:
    """A text as one line that is safe to show. A second call doesn't change the result of the first.

    :param most: most characters. A longer text is cut, and its number of characters is added.
    """
    head = visible(text[: most + NOTE])
    if len(head) <= most + NOTE and len(text) <= most + NOTE:
        return head
    return f"{head[:most]}{CUT} ({len(text)} characters in all)"


def one_line(text: Any, most: int = PIECE) -> str:
    """A server's text, on one line and cut, for use within a sentence."""
    return shown(" ".join(str("" if text is None else text).split()), most)


def told(value: Any, name: str = "") -> Any:
    """A result, or a part of it, in the form in which a task returns it.

    Sentences become single lines. Data stays as the server sent it, because plays compare it. Only characters that JSON
    would pass on to a terminal are replaced.

    :param name: the key of the part.
    """
    if isinstance(value, str):
        return shown(value) if name in SENTENCES else in_json(value)
    if isinstance(value, Mapping):
        return {in_json(key) if isinstance(key, str) else key: told(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [told(item, name) for item in value]
    return value


def in_json(text: str) -> str:
    """A text of data, with each character replaced that JSON would pass on and a terminal would obey or hide."""
    return text if text.isprintable() else ODD_IN_JSON.sub(lambda found: repr(found[0])[1:-1], text)
