# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a simulator's process needs for many clusters and many objects: time to start, threads, memory, answers.

Exits with 1 when a limit is broken. docs/simulator/README.md has figures. It reads /proc, so it wants Linux.
"""

from __future__ import annotations

import argparse
import base64
import os
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench_nuodb import domain
from rig import Simulator, Table, measured, simulators, topology

THREADS = 16
"""Of the process, with a connection open to each cluster, at most."""


class Process:
    """What Linux tells of a simulator's process."""

    def __init__(self, simulator: Simulator) -> None:
        self._place = Path(f"/proc/{simulator.ready['pid']}")

    def _status(self, name: str) -> int:
        rows = dict(line.split(":", 1) for line in (self._place / "status").read_text().splitlines())
        return int(rows[name].split()[0])

    @property
    def threads(self) -> int:
        return self._status("Threads")

    @property
    def megabytes(self) -> float:
        return self._status("VmRSS") / 1024

    @property
    def cpu(self) -> float:
        """Seconds since it began, user and system."""
        fields = (self._place / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def connections(served: dict[str, Simulator]) -> Iterator[None]:
    """A connection to each cluster, on which one call was answered, and which stays open."""
    with ExitStack() as stack:
        for name, simulator in served.items():
            one = simulator.ready["clusters"][name]
            url = urlsplit(one["api_url"][0])
            client = HTTPSConnection(url.hostname or "", url.port, context=_context(one["ca_path"]), timeout=600)
            stack.callback(client.close)
            _asked(client, one, simulator.topologies[name])
        yield


_contexts: dict[str, ssl.SSLContext] = {}


def _context(ca_path: str) -> ssl.SSLContext:
    if ca_path not in _contexts:
        _contexts[ca_path] = ssl.create_default_context(cafile=ca_path)
    return _contexts[ca_path]


def _asked(client: HTTPSConnection, one: dict[str, Any], cluster: dict[str, Any]) -> None:
    """Asks for all nodes, or all databases. Ends the benchmark where that isn't answered."""
    token = base64.b64encode(f"{one['username']}:{one['password']}".encode()).decode()
    headers = {"Authorization": f"Basic {token}"}
    if cluster.get("product") == "nuodb":
        client.request("GET", "/api/1/databases", headers=headers)
    else:
        body = "<methodCall><methodName>getNodeList</methodName></methodCall>"
        client.request("POST", "/cluster1", body, headers)
    answer = client.getresponse()
    answer.read()
    if answer.status != 200:
        raise SystemExit(f"HTTP {answer.status} {answer.reason}")


def _alike(clusters: int, nodes: int, databases: int) -> list[dict[str, Any]]:
    return [topology(f"bench{number:04d}", nodes, databases, True) for number in range(clusters)]


def _large(nodes: int, databases: int) -> dict[str, Any]:
    """A cluster whose databases have eight nodes each."""
    cluster = topology("large", nodes, databases, True)
    names = list(cluster["nodes"])
    for number, row in enumerate(cluster["databases"].values()):
        row["nodes"] = [names[(number * 8 + one) % len(names)] for one in range(8)]
    return cluster


CASES = {
    "1,000 clusters, 5 objects each": lambda: _alike(1000, 4, 1),
    "1,000 clusters, 100 objects each": lambda: _alike(1000, 60, 40),
    "a cluster of 50,000 nodes and 50,000 databases": lambda: [_large(50000, 50000)],
    "a domain of 105,000 databases, archives, processes": lambda: [domain(15000, 2, 60.0, "large", True)],
}


def size(_given: argparse.Namespace) -> bool:
    """Threads, memory and time of one process."""
    table = Table(
        f"One process of the simulator; limit: {THREADS} threads with a connection open to each cluster",
        *("topology", "start, s", "CPU, s", "threads", "MB", "all asked, s", "connected", "MB then", "verdict", "load"),
        first=50,
    )
    for about, make in CASES.items():
        clusters, began = make(), time.perf_counter()
        with simulators(clusters, 1.0) as served:
            process, started = Process(next(iter(served.values()))), time.perf_counter() - began
            row = [started, process.cpu, process.threads, process.megabytes]
            began = time.perf_counter()
            with connections(served):
                asked = time.perf_counter() - began
                time.sleep(1)  # longer than a connection keeps its thread
                threads = process.threads
                table.row(about, *row, asked, threads, process.megabytes, kept=threads <= THREADS)
    return table.kept


if __name__ == "__main__":
    sys.exit(measured(__doc__, {"size": size}))
