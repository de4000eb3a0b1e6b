# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The common part of the topologies of both servers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...checks import TopologyError

_NODE = re.compile(r"^n(\d{1,})$")


def node_name(value: Any) -> str | None:
    """'n0011' for 'n0011', 'n11', '11' or 11, the forms that the server's calls accept; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return f"n{value:04d}" if value >= 0 else None
    match = _NODE.match(value if str(value).startswith("n") else f"n{value}") if isinstance(value, str) else None
    return f"n{int(match.group(1)):04d}" if match else None


def check_choices(cluster: str, settings: dict[str, Any], known: Mapping[str, tuple[str, ...]]) -> None:
    for key, choices in known.items():
        if settings[key] not in choices:
            text = ", ".join(repr(choice) for choice in choices)
            raise TopologyError(f"Cluster {cluster}: settings: {key} must be one of {text}, not {settings[key]!r}.")


def of_databases(
    rows: Any, databases: dict[str, Any], cluster: str, key: str, kinds: tuple[type, ...]
) -> dict[str, Any]:
    """The entries of a topology for each database. Raises TopologyError."""
    rows = rows or {}
    if not isinstance(rows, dict):
        raise TopologyError(f"Cluster {cluster}: {key} must be a mapping of databases.")
    for name, value in rows.items():
        if name not in databases:
            raise TopologyError(f"Cluster {cluster}: {key} names {name}, which isn't a database.")
        if not isinstance(value, kinds):
            noun = "list" if kinds[0] is list else "mapping"
            raise TopologyError(f"Cluster {cluster}: {key} of {name} must be a {noun}.")
    return {str(name): value for name, value in rows.items()}


def of_database(cluster: str, name: str, options: dict[str, Any], nodes: dict[str, Any]) -> None:
    state = str(options.get("state", "setup")).lower()
    state = options["state"] = {"starting": "startup", "stopping": "shutdown"}.get(state, state)
    if state not in ("none", "setup", "startup", "running", "shutdown"):
        raise TopologyError(f"Cluster {cluster}: database {name} can't be in state {state!r}.")
    for node in [*(options.get("nodes") or []), *(options.get("reserve") or [])]:
        if node not in nodes:
            raise TopologyError(f"Cluster {cluster}: database {name} names {node}, which isn't a node.")
