# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster whose nodes are told by one call."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.nodes import NodeRow
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.providers import CONFD


def cluster(**states: str) -> Any:
    """A ConfD cluster whose last node is its master, and on which no database is."""
    rows = {name: NodeRow(name, int(name[1:])) for name in states}
    config = SimpleNamespace(calls={"remove": "node_remove"}, read=lambda: rows, users=dict)
    return SimpleNamespace(
        name="exa-unit", provider=CONFD, require=lambda _what: None, lacks=lambda _what: "none",
        node_config=lambda: config, nodes=lambda: list(states), node_states=lambda: states, databases=list,
        database=None, master=lambda: list(states)[-1],
    )  # fmt: skip
