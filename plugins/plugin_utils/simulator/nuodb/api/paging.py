# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists as the API returns them: filtered, sorted, and in pages."""

from __future__ import annotations

import re
from typing import Any

from ..refusals import refusal

Query = dict[str, list[str]]


def last(query: Query, name: str, default: str | None = None) -> str | None:
    values = query.get(name)
    return values[-1] if values else default


def field(row: Any, path: str) -> Any:
    """A value by its dotted path; None if it doesn't exist."""
    for step in path.split("."):
        if not isinstance(row, dict) or step not in row:
            return None
        row = row[step]
    return row


def page(rows: list[dict[str, Any]], query: Query, settings: dict[str, Any]) -> dict[str, Any]:
    """The envelope of one page. Raises Refused."""
    rows = [row for row in rows if _fits(row, query, settings)]
    rows = _sorted(rows, query, settings)
    most = int(settings["max_limit"])
    offset = _number(query, "offset", 0, settings)
    limit = min(_number(query, "limit", 20, settings), most)
    return {"data": rows[offset : offset + limit], "hasNext": offset + limit < len(rows), "maxLimit": most}


def _number(query: Query, name: str, default: int, settings: dict[str, Any]) -> int:
    text = last(query, name)
    if text is None:
        return default
    if not text.isdecimal() or (name == "limit" and int(text) == 0):
        raise refusal(settings, "bad_value", name=name, value=text)
    return int(text)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _fits(row: dict[str, Any], query: Query, settings: dict[str, Any]) -> bool:
    for path in query.get("filterBy", []):
        value = field(row, path)
        for pattern in query.get(path, []):
            try:
                expression = re.compile(pattern)
            except re.error:
                raise refusal(settings, "bad_value", name=path, value=pattern) from None
            match = expression.fullmatch if settings["filter_match"] == "full" else expression.search
            if value is None or match(_text(value)) is None:
                return False
    return True


def _names(query: Query, name: str) -> list[str]:
    return [one for text in query.get(name, []) for one in text.split(",") if one]


def _sorted(rows: list[dict[str, Any]], query: Query, settings: dict[str, Any]) -> list[dict[str, Any]]:
    order = _names(query, "orderBy")
    if len(order) > 1 and not settings["multi_field_order"]:
        raise refusal(settings, "order_by")
    down = set(_names(query, "descendingFields"))
    for path in reversed(order):
        rows = sorted(rows, key=lambda row: _key(field(row, path), path, settings), reverse=path in down)  # noqa: B023
    return rows


def _key(value: Any, path: str, settings: dict[str, Any]) -> Any:
    """The key for sorting: missing values first, then numbers, then texts."""
    if value is None:
        return (0,)
    if isinstance(value, dict):
        return (3, [_key(one, path, settings) for one in value.values()])
    if isinstance(value, (int, float)):
        return (1, value)
    if path.rpartition(".")[2] == "startId" and settings["start_id_order"] == "number" and str(value).isdecimal():
        return (1, int(value))
    return (2, str(value))
