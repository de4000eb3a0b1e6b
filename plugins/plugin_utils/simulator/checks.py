# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of values that the readers of every product's topology share."""

from __future__ import annotations

from typing import Any


class TopologyError(ValueError):
    """A topology that can't be simulated; the message is one sentence."""


def objects_of(value: Any, cluster: str, key: str) -> dict[str, dict[str, Any]]:
    """A mapping of names to options, from a mapping, from a list of names, or from names with only a state."""
    if value is None:
        return {}
    if isinstance(value, list):
        value = {one: {} for one in value}
    if not isinstance(value, dict):
        raise TopologyError(f"Cluster {cluster}: {key} must be a mapping of names.")
    rows = {}
    for name, one in value.items():
        if not (one is None or isinstance(one, (str, dict))):
            raise TopologyError(f"Cluster {cluster}: {key} {name} must be a mapping.")
        rows[str(name)] = {"state": one} if isinstance(one, str) else dict(one or {})
    return rows


def names_of(value: Any, cluster: str, key: str) -> list[str]:
    if not isinstance(value, list):
        raise TopologyError(f"Cluster {cluster}: {key} must be a list of names.")
    return [str(one) for one in value]
