# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies as values: JSON, and the XML of XML-RPC. For any wrong body, a reader raises only ValueError."""

from __future__ import annotations

import json
import math
import xmlrpc.client
from collections.abc import Iterable
from typing import Any
from xml.parsers.expat import ExpatError

LEVELS = 100
"""The most levels of nested lists and mappings. A deeper body is not a call, and would overflow a reader's stack."""


def of_json(body: bytes | str) -> Any:
    """The value of a JSON text, without NaN, numbers beyond the range of a float, and deep nesting."""
    try:
        value = json.loads(body, parse_constant=_no_number, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deep") from None
    _refuse_depth(value)
    return value


def of_call(body: bytes) -> tuple[tuple[Any, ...], str | None]:
    """The arguments and the method of a call of XML-RPC."""
    try:
        arguments, method = xmlrpc.client.loads(body)
    except (ExpatError, xmlrpc.client.Error, TypeError, AttributeError, LookupError, ArithmeticError) as error:
        raise ValueError(str(error)) from None
    _refuse_depth(arguments)
    return tuple(arguments), method


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is not a number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number beyond a float's")
    return number


def _refuse_depth(value: Any) -> None:
    """Refuses deeply nested values, without recursion, which they would overflow."""
    level, rows = 0, _nested([value])
    while rows:
        level += 1
        if level > LEVELS:
            raise ValueError("nested too deep")
        rows = [one for row in rows for one in _nested(row.values() if isinstance(row, dict) else row)]


def _nested(items: Iterable[Any]) -> list[Any]:
    return [one for one in items if isinstance(one, (list, tuple, dict))]
