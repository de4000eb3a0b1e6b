# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads JSON that a server sent, so that it can be shown, written and sent on: not too deep, no half characters."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Callable, Optional

DEPTH = 100
"""Most levels of an answer. A deeper one could not be printed or copied either."""

HALF = re.compile(r"[\ud800-\udfff]|\\u[dD][89a-fA-F]")
"""Finds what may be half of a surrogate pair. A half is no character, and no encoding can write it."""


class TooDeep(ValueError):
    """The text is JSON, but nested too deep to be shown."""

    def __init__(self) -> None:
        super().__init__(f"the JSON of the answer is nested more than {DEPTH} levels deep")


def value_of(body: bytes, constant: Optional[Callable[[str], Any]] = None) -> Any:
    """The value of a JSON text. Halves of surrogate pairs become visible escapes.

    :param constant: called for NaN and Infinity, which are not JSON.
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
    """The same data, with each half of a surrogate pair written as C(\\ud800)."""
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
