# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks the outputs of reading jobs from which a run draws conclusions. Source: docs/sources/confd.md.

An output in another form is refused whole, because half of a list taken for all of it would misrepresent the cluster.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..._foreign import beginning
from ..._wording import listing
from ..api.states import IDLE, Database, connectible, info_text


def is_names(value: Any) -> bool:
    """Whether the output is that of db_list or remote_volume_list: a list of names."""
    return isinstance(value, list) and all(isinstance(name, str) and name.strip() for name in value)


def or_none(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Makes a check accept nil as an empty list, for lists that may be missing without harm.

    Never for databases, volumes and nodes: a shutdown would leave out those that a missing list doesn't name.
    """
    return lambda value: value is None or fits(value)


def is_rows(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def is_nodes(value: Any) -> bool:
    """Whether the output is that of node_list. It is never empty, because every cluster has nodes."""
    if not isinstance(value, dict) or not value or not all(isinstance(row, dict) for row in value.values()):
        return False
    return all(_number_of(key, row).isdecimal() for key, row in value.items())


@dataclass(frozen=True)
class NodeAnswer:
    """A node as node_list shows it."""

    number: int
    name: str
    row: Mapping[str, Any]


def nodes_of(told: Mapping[Any, Mapping[str, Any]]) -> list[NodeAnswer]:
    """The nodes in node_list or st_node_list. The keys of st_node_list aren't the numbers of nodes (CONFD-159)."""
    numbered = [(int(_number_of(key, row)), row) for key, row in told.items()]
    return [NodeAnswer(number, str(row.get("name") or f"n{number}"), row) for number, row in numbered]


def _number_of(key: Any, row: Mapping[str, Any]) -> str:
    """The number of a node: its `id`, else the number in its name, else its key."""
    if row.get("id") is not None:
        return str(row["id"])
    named = re.fullmatch(r"n0*(\d+)", str(row.get("name") or ""))
    return named.group(1) if named else str(key)


def node_named(value: Any) -> str:
    """The name of a node that the server gives by its name or by its number."""
    return f"n{int(value)}" if str(value).isdecimal() else str(value)


def is_node_states(value: Any) -> bool:
    """Whether the output is that of node_state. Only keys that are numbers belong to nodes (CONFD-103)."""
    words = list(words_of_nodes(value).values()) if isinstance(value, dict) else []
    return bool(words) and all(isinstance(word, str) for word in words)


def words_of_nodes(told: dict[Any, Any]) -> dict[str, Any]:
    """The words of node_state, by the number of the node."""
    return {str(key): word for key, word in told.items() if str(key).isdecimal()}


def is_database(value: Any) -> bool:
    """Whether the output is that of db_info."""
    if not isinstance(value, dict) or not isinstance(value.get("state"), str) or not value["state"].strip():
        return False
    nodes = value.get("nodes")
    return not isinstance(nodes, dict) or all(_is_list(nodes.get(key)) for key in ("active", "failed", "reserve"))


def database_of(name: str, info: Mapping[str, Any]) -> Database:
    """The state of a database from the output of db_info."""
    return Database(
        name,
        str(info["state"]),
        connectible(info.get("connectible")),
        str(info.get("operation") or IDLE),
        str(info.get("connection string") or ""),
        info=info_text(info.get("info")),
    )


def is_volumes(value: Any) -> bool:
    """Whether the output is that of st_volume_list."""
    lists = ("volume_nodes", "nodes_list", "segments")
    return is_rows(value) and all("id" in row and all(_is_list(row.get(key)) for key in lists) for row in value)


def is_words(value: Any) -> bool:
    """Whether the output is that of remote_volume_state: one word for all nodes, or a list with one per node."""
    words = value if isinstance(value, list) else [value]
    return bool(words) and all(isinstance(word, str) and word.strip() for word in words)


def _is_list(value: Any) -> bool:
    return value is None or isinstance(value, list)


def kind(value: Any) -> str:
    """The kind of an unknown answer, without its values: one may be somebody's password."""
    if isinstance(value, dict):
        return f"a struct of {listing([beginning(str(key), 40) for key in value]) or 'nothing'}"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}" if value else "an empty list"
    if isinstance(value, str):
        return f"a text of {len(value)} characters" if value else "an empty text"
    return "nothing" if value is None else beginning(str(value), 40)
