# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How fast, and with how many calls, the real ansible-playbook takes simulated ConfD clusters up.

Exits with 1 when a limit is broken. docs/benchmarks.md says what each figure means.
"""

from __future__ import annotations

import argparse
import socket
import sys
from itertools import product
from typing import Any

import rig
from rig import BOOT, CONNECT, START, Table, measured, playbook, simulators

LIMIT = 1.15

OWN = BOOT + START + CONNECT
"""Cluster seconds that a cold start takes at least: EXAStorage runs with the majority."""


def topology(nodes: int, databases: int, up: bool = False) -> dict[str, Any]:
    """The cluster of the other benchmarks, on instances of a cloud, with an address of its own for each node.

    Where it isn't up, the majority that ConfD needs to be asked is, and the slowest nodes are off.
    """
    source = rig.topology("bench", nodes, databases, up)
    names = {node: f"n{int(node[1:])}" for node in source["nodes"]}
    with socket.create_server(("127.0.0.11", 0)) as listener:
        port = listener.getsockname()[1]
    slowest = sorted(source["nodes"], key=lambda node: source["nodes"][node]["boot"])[nodes // 2 + 1 :]
    off = set() if up else {names[node] for node in slowest}
    rows = {names[node]: row for node, row in source["nodes"].items()}
    return {
        "product": "exasol",
        "provider": "confd",
        "name": "bench",
        "deployment": "cloud",
        "nodes": {name: {**row, "state": "offline" if name in off else "online"} for name, row in rows.items()},
        "databases": source["databases"],
        "addresses": {name: f"127.0.0.{name[1:]}" for name in rows},
        "ports": dict.fromkeys(rows, port),
        "settings": {"auto_start": False},
    }


def cold_start(given: argparse.Namespace) -> bool:
    """Wall time of a whole cold start beside the cluster's own time."""
    scale = given.own / OWN
    table = Table(
        f"Cold start of one ConfD cluster, seconds; limit {LIMIT} x own time",
        "nodes", "databases", "own", "run", "run/own", "calls", "verdict", "load",
    )  # fmt: skip
    for nodes, databases in product(given.nodes or [4, 16, 64], given.databases or [1, 4, 16]):
        cluster = topology(nodes, databases)
        boot = max(row["boot"] for row in cluster["nodes"].values())
        own = scale * (boot + max(row["start"] + row["connect"] for row in cluster["databases"].values()))
        with simulators([cluster], scale) as served:
            one = served["bench"]
            variables = {**one.variables("bench"), "exa_cold_start_power": "infra"}
            run = playbook("dbfleet.cluster.exa_cold_start", {"bench": variables})
            one.check("bench")
            table.row(nodes, databases, own, run.seconds, run.seconds / own, len(one.calls("bench")),
                      kept=run.seconds / own <= LIMIT)  # fmt: skip
    return table.kept


def calls(given: argparse.Namespace) -> bool:
    """Calls of a cold start of a cluster that is up, and of a status, by `provider: confd` and `auto`."""
    table = Table(
        "Calls to a ConfD cluster that is up; limits 3M + 20 (cold start), M + 10 (status), whatever the nodes",
        "run", "provider", "nodes", "databases", "calls", "limit", "verdict", "load", first=12,
    )  # fmt: skip
    for nodes, databases in product(given.nodes or [4, 64], given.databases or [1, 4, 16]):
        with simulators([topology(nodes, databases, up=True)], given.own / OWN) as served:
            one = served["bench"]
            for provider, (name, limit) in product(
                ("confd", "auto"), (("exa_cold_start", 3 * databases + 20), ("status", databases + 10))
            ):
                one.admin("/calls", "bench", "DELETE")
                variables = {**one.variables("bench"), "exa_provider": provider, "exa_cold_start_power": "infra"}
                playbook(f"dbfleet.cluster.{name}", {"bench": variables})
                one.check("bench")
                found, limited = len(one.calls("bench")), provider == "confd"
                shown = limit if limited else "-"
                table.row(name, provider, nodes, databases, found, shown, kept=found <= limit if limited else None)
    return table.kept


BENCHMARKS = {"calls": calls, "cold-start": cold_start}


if __name__ == "__main__":
    sys.exit(measured(__doc__, BENCHMARKS))
