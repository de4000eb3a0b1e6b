# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The outputs of reading jobs, as far as something is concluded from them. Source: docs/sources/confd.md.

What has another form is refused whole: half of a list, taken for all of it, would be a wrong picture of the cluster.
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
    """db_list, remote_volume_list."""
    return isinstance(value, list) and all(isinstance(name, str) and name.strip() for name in value)


def or_none(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Takes nil for an empty list too, where a list that is missing leads to no harm.

    Not of databases, volumes and nodes: what isn't there would be shut down without.
    """
    return lambda value: value is None or fits(value)


def is_rows(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def is_nodes(value: Any) -> bool:
    """node_list: no cluster is without nodes."""
    if not isinstance(value, dict) or not value or not all(isinstance(row, dict) for row in value.values()):
        return False
    return all(_number_of(key, row).isdecimal() for key, row in value.items())


@dataclass(frozen=True)
class NodeAnswer:
    """A node as node_list tells of it."""

    number: int
    name: str
    row: Mapping[str, Any]


def nodes_of(told: Mapping[Any, Mapping[str, Any]]) -> list[NodeAnswer]:
    """The nodes of node_list, and of st_node_list, whose keys are other numbers than those of nodes (CONFD-159)."""
    numbered = [(int(_number_of(key, row)), row) for key, row in told.items()]
    return [NodeAnswer(number, str(row.get("name") or f"n{number}"), row) for number, row in numbered]


def _number_of(key: Any, row: Mapping[str, Any]) -> str:
    """By its own `id`, by its name, or by its key, whichever there is first."""
    if row.get("id") is not None:
        return str(row["id"])
    named = re.fullmatch(r"n0*(\d+)", str(row.get("name") or ""))
    return named.group(1) if named else str(key)


def node_named(value: Any) -> str:
    """The name of a node, for one that is told by its number too."""
    return f"n{int(value)}" if str(value).isdecimal() else str(value)


def is_node_states(value: Any) -> bool:
    """node_state. What isn't under the number of a node, such as `booted`, is of no node (CONFD-103)."""
    words = list(words_of_nodes(value).values()) if isinstance(value, dict) else []
    return bool(words) and all(isinstance(word, str) for word in words)


def words_of_nodes(told: dict[Any, Any]) -> dict[str, Any]:
    """What node_state says, by the number of the node."""
    return {str(key): word for key, word in told.items() if str(key).isdecimal()}


def is_database(value: Any) -> bool:
    """db_info."""
    if not isinstance(value, dict) or not isinstance(value.get("state"), str) or not value["state"].strip():
        return False
    nodes = value.get("nodes")
    return not isinstance(nodes, dict) or all(_is_list(nodes.get(key)) for key in ("active", "failed", "reserve"))


def database_of(name: str, info: Mapping[str, Any]) -> Database:
    """What db_info says of a database's state."""
    return Database(
        name,
        str(info["state"]),
        connectible(info.get("connectible")),
        str(info.get("operation") or IDLE),
        str(info.get("connection string") or ""),
        info=info_text(info.get("info")),
    )


def is_volumes(value: Any) -> bool:
    """st_volume_list."""
    lists = ("volume_nodes", "nodes_list", "segments")
    return is_rows(value) and all("id" in row and all(_is_list(row.get(key)) for key in lists) for row in value)


def is_words(value: Any) -> bool:
    """remote_volume_state: a word for all nodes, or a list of one for each."""
    words = value if isinstance(value, list) else [value]
    return bool(words) and all(isinstance(word, str) and word.strip() for word in words)


def _is_list(value: Any) -> bool:
    return value is None or isinstance(value, list)


def kind(value: Any) -> str:
    """What an unknown answer is, without what it holds: that may be somebody's password."""
    if isinstance(value, dict):
        return f"a struct of {listing([beginning(str(key), 40) for key in value]) or 'nothing'}"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}" if value else "an empty list"
    if isinstance(value, str):
        return f"a text of {len(value)} characters" if value else "an empty text"
    return "nothing" if value is None else beginning(str(value), 40)
