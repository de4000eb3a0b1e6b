# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON that a server sent: never so deep, and with no character, that it can't be shown, written or sent on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Callable, Optional

DEPTH = 100
"""How deep an answer may be nested: what is deeper can't be printed or copied either."""

HALF = re.compile(r"[\ud800-\udfff]|\\u[dD][89a-fA-F]")
"""What may be half of a surrogate pair. Alone it is no character, and no encoding has it."""


class TooDeep(ValueError):
    """It is JSON, and nested so deep that nobody could show it."""

    def __init__(self) -> None:
        super().__init__(f"the JSON of the answer is nested more than {DEPTH} levels deep")


def value_of(body: bytes, constant: Optional[Callable[[str], Any]] = None) -> Any:
    """The value of a text in JSON. Halves of surrogate pairs in it are made visible.

    :param constant: takes NaN and Infinity, which JSON doesn't have.
    :raises TooDeep: it is nested too deep.
    :raises ValueError: it is no JSON.
    """
    text = body.decode(json.detect_encoding(body), "surrogatepass")
    try:
        found = json.loads(text, parse_constant=constant)
    except RecursionError:
        raise TooDeep from None
    _refuse_depth(found)
    return visible(found) if HALF.search(text) else found


def visible(value: Any) -> Any:
    """The same data, in whose texts half of a surrogate pair is written as C(\\ud800)."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {visible(key): visible(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [visible(item) for item in value]
    return value


def _refuse_depth(value: Any) -> None:
    level = [value]
    for _depth in range(DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return
    raise TooDeep
