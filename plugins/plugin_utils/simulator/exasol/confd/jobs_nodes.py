# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Node jobs."""

from __future__ import annotations

from typing import Any

from .catalogue import NODE_RIGHTS, Call, job


@job("All nodes of the configuration.", NODE_RIGHTS)
def node_list(call: Call) -> Any:
    return {node.id: dict(node.described) for node in call.cluster.machines.values()}


@job("States of all nodes.", NODE_RIGHTS)
def node_state(call: Call) -> Any:
    machines = call.cluster.machines.values()
    states: dict[str, Any] = {node.id: node.shown_state() for node in machines}
    states["booted"] = {node.id: node.booted_at() for node in machines if node.answers and node.booted is not None}
    for node in machines:
        call.cluster.clock.read(f"node {node.name}")
    return states
