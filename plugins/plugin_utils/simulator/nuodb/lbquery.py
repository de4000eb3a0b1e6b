# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Queries of load balancers: which processes an expression such as `random(first(label(zone a) any))` chooses."""

from __future__ import annotations

import re
from typing import Any, Union

_TOKEN = re.compile(r"[()]|[^\s()]+")
_VARIABLE = re.compile(r"\$\{([^}:]*)(?::-([^}]*))?\}")
Tree = Union[str, tuple[str, list[Any]]]
Rows = list[dict[str, Any]]


class QueryError(ValueError):
    """An expression that can't be understood."""


def choose(text: str, rows: Rows, variables: dict[str, str] | None = None) -> Rows:
    """The processes (rows of the API) that the expression chooses, in their order. Raises QueryError."""
    known = variables or {}
    text = _VARIABLE.sub(lambda match: known.get(match.group(1), match.group(2) or ""), text)
    tokens = _TOKEN.findall(text)
    tree, left = _parse(tokens)
    if left:
        raise QueryError(f"unexpected {left[0]!r}")
    return _evaluate(tree, rows)


def _parse(tokens: list[str]) -> tuple[Tree, list[str]]:
    if not tokens or tokens[0] in "()":
        raise QueryError("a name is missing")
    name, left = tokens[0], tokens[1:]
    if not left or left[0] != "(":
        return name, left
    left, arguments = left[1:], []
    while left and left[0] != ")":
        one, left = _parse(left)
        arguments.append(one)
    if not left:
        raise QueryError("a ')' is missing")
    return (name, arguments), left[1:]


def _evaluate(tree: Tree, rows: Rows) -> Rows:
    if isinstance(tree, str):
        if tree == "any":
            return list(rows)
        raise QueryError(f"unknown {tree!r}")
    name, arguments = tree
    if name in ("random", "round_robin"):
        return _evaluate(_only(name, arguments), rows)
    if name == "first":
        return next((found for one in arguments if (found := _evaluate(one, rows))), [])
    if name == "not":
        chosen = _evaluate(_only(name, arguments), rows)
        return [row for row in rows if row not in chosen]
    if name == "or":
        found = [row for one in arguments for row in _evaluate(one, rows)]
        return [row for row in rows if row in found]
    if name == "and":
        for one in arguments:
            rows = _evaluate(one, rows)
        return rows
    return _by_field(name, arguments, rows)


def _only(name: str, arguments: list[Tree]) -> Tree:
    if len(arguments) != 1:
        raise QueryError(f"{name} takes one expression")
    return arguments[0]


def _by_field(name: str, arguments: list[Tree], rows: Rows) -> Rows:
    words = [one for one in arguments if isinstance(one, str)]
    if name == "label" and 1 <= len(words) <= 2:
        key, value = words[0], words[1] if len(words) > 1 else ""
        return [row for row in rows if str(row.get("labels", {}).get(key, "")) == value]
    fields = {"start_id": "startId", "server_id": "host", "node_id": "nodeId", "pid": "pid"}
    if name not in fields or len(words) != 1:
        raise QueryError(f"unknown {name!r}")
    return [row for row in rows if str(row.get(fields[name])) == words[0]]
