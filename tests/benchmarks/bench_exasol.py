# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How fast, and with how many calls, the real ansible-playbook takes simulated Exasol clusters up.

Exits with 1 when a limit is broken. docs/benchmarks.md says what each figure means.
"""

from __future__ import annotations

import argparse
import http.client
import json
import ssl
import statistics
import sys
import tempfile
import time
import xmlrpc.client
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any, Callable

import vendor
from rig import HERE, OWN, PLUGIN, Build, Simulator, Table, measured, own_time, play, playbook, simulators, topology

COLD_START_LIMIT = 1.15
FLEET_LIMIT = 1.25
TASK_LIMIT = 0.060
TASKS = 50


def cold_start(given: argparse.Namespace) -> bool:
    """Wall time of a whole cold start beside the cluster's own time and the vendor's procedure."""
    scale = given.own / OWN
    sizes = list(product(given.nodes or [8, 64, 512], given.databases or [1, 4, 16]))
    vendors = {} if given.no_vendor else _vendors(sizes, scale)
    table = Table(
        f"Cold start of one cluster, seconds; limit {COLD_START_LIMIT} x own time",
        "nodes", "databases", "own", "run", "run/own", "to connect", "vendor", "verdict", "load",
    )  # fmt: skip
    for nodes, databases in sizes:
        for _repetition in range(given.repeat):
            cluster = topology("bench", nodes, databases)
            own = own_time(cluster, scale)
            seconds, connected = timed_cold_start(cluster, scale)
            beside = vendors.get((nodes, databases), "-")
            ratio = seconds / own
            table.row(nodes, databases, own, seconds, ratio, connected, beside, kept=ratio <= COLD_START_LIMIT)
    return table.kept


def timed_cold_start(cluster: dict[str, Any], scale: float, build: Build = HERE) -> tuple[float, float]:
    """Seconds of the whole run, and of it from the first change until the last database accepts connections."""
    name = cluster["name"]
    with simulators([cluster], scale) as served:
        one = served[name]
        run = playbook("dbfleet.cluster.exa_cold_start", {name: one.variables(name)}, build=build)
        one.check(name)
        return run.seconds, _to_connect(one, name)


def _to_connect(one: Simulator, name: str) -> float:
    first = next(row["time"] for row in one.calls(name) if row["changing"])
    return one.connectable_at(name) - first


def _vendors(sizes: list[tuple[int, int]], scale: float) -> dict[tuple[int, int], float]:
    """The vendor's procedure on the same topologies. It sleeps most of the time, so all go side by side."""
    clusters = [topology(f"vendor{number}", *size) for number, size in enumerate(sizes)]
    with simulators(clusters, scale) as served, ThreadPoolExecutor(len(sizes)) as pool:

        def take_up(name: str) -> float:
            variables = served[name].variables(name)
            return vendor.cold_start(
                variables["exa_api_url"][0],
                variables["exa_api_username"],
                variables["exa_api_password"],
                variables["exa_ca_path"],
            )

        return dict(zip(sizes, pool.map(take_up, [cluster["name"] for cluster in clusters])))


def fleet(given: argparse.Namespace) -> bool:
    """Many clusters of different speed in one run: how late each ends by its own time."""
    count, scale = given.clusters, given.own / OWN
    clusters = unlike_clusters(count)
    table = Table(
        f"{count} clusters of 8 nodes and 3 databases in one run, seconds; limit {FLEET_LIMIT} x own time, from the "
        "start of the process to the cluster's end table",
        "cluster", "own", "end", "end/own", "to connect", "verdict", "load",
    )  # fmt: skip
    for _repetition in range(given.repeat):
        ends = timed_fleet(clusters, scale, given.processes)
        for cluster in clusters:
            own = own_time(cluster, scale)
            end, connected = ends[cluster["name"]]
            table.row(cluster["name"], own, end, end / own, connected, kept=end / own <= FLEET_LIMIT)
    return table.kept


def unlike_clusters(count: int) -> list[dict[str, Any]]:
    """Clusters of 8 nodes and 3 databases; the slowest takes three times as long as the fastest."""
    return [topology(f"bench{number:02d}", 8, 3, slower=1 + 2 * number / max(1, count - 1)) for number in range(count)]


def timed_fleet(
    clusters: list[dict[str, Any]], scale: float, processes: int, build: Build = HERE
) -> dict[str, tuple[float, float]]:
    """For each cluster, seconds from the run's start to its end table, and what `timed_cold_start` says second."""
    with simulators(clusters, scale, processes) as served:
        hosts = {name: one.variables(name) for name, one in served.items()}
        run = playbook("dbfleet.cluster.exa_cold_start", hosts, "--forks", str(len(clusters)), build=build)
        ends = {}
        for name, one in served.items():
            one.check(name)
            ends[name] = (run.when(f"[{name}] exa_cold_start: ok") - run.started, _to_connect(one, name))
        return ends


def calls(given: argparse.Namespace) -> bool:
    """API calls of a cold start of a cluster that is up, and of a status."""
    table = Table(
        "API calls for a cluster that is up; limits 3N + 6M + 20 (cold start), N + 3M + 6 (status)",
        "run", "nodes", "databases", "calls", "limit", "verdict", "load", first=22,
    )  # fmt: skip
    for nodes, databases in product(given.nodes or [5, 64, 512], given.databases or [1, 3, 16]):
        with simulators([topology("bench", nodes, databases, up=True)], given.own / OWN) as served:
            one = served["bench"]

            def count(name: str, one: Simulator = one, **more: Any) -> int:
                one.admin("/calls", "bench", "DELETE")
                playbook(f"dbfleet.cluster.{name}", {"bench": {**one.variables("bench"), **more}})
                one.check("bench")
                return len(one.calls("bench"))

            most = 3 * nodes + 6 * databases + 20
            found = count("exa_cold_start")
            table.row("cold start", nodes, databases, found, most, kept=found <= most)
            found = count("exa_cold_start", exa_plugins=[{"name": PLUGIN}])
            table.row("cold start with plugin", nodes, databases, found, most, kept=found <= most)
            most, found = nodes + 3 * databases + 6, count("status")
            table.row("status", nodes, databases, found, most, kept=found <= most)
    return table.kept


def task(given: argparse.Namespace) -> bool:
    """What a task costs, over the time that the same call takes a plain client."""
    with simulators([topology("bench", 8, 3, up=True)], 1.0) as served, tempfile.TemporaryDirectory() as folder:
        variables = served["bench"].variables("bench")
        paths = task_plays(Path(folder), variables)

        table = Table(
            f"One task with a local connection, milliseconds (of {TASKS} in a play, without the play's own time); "
            f"limit {TASK_LIMIT * 1000:g} ms over the API",
            "task", "a task", "API", "over API", "verdict", "load", first=16,
        )  # fmt: skip
        for _repetition in range(given.repeat):
            api = statistics.median(plain_call(variables) for _call in range(TASKS))
            idle = playbook(paths["none"], {"bench": {}}).seconds
            for kind in ("exa_cluster_info", "uri", "debug"):
                each = (playbook(paths[kind], {"bench": {}}).seconds - idle) / TASKS
                over = each - (0 if kind == "debug" else api)
                kept = over <= TASK_LIMIT if kind == "exa_cluster_info" else None
                shown = "-" if kind == "debug" else f"{api * 1000:.1f}"
                table.row(kind, f"{each * 1000:.1f}", shown, f"{over * 1000:.1f}", kept=kept)
    return table.kept


CALL = xmlrpc.client.dumps((), "getEXAoperationMaster")


def uri_call(url: str, username: str, password: str, ca_path: str) -> dict[str, Any]:
    """A task that makes one call by Ansible's own module; the values may be templates."""
    options = {
        "url": f"{url}/cluster1", "method": "POST", "body": CALL, "url_username": username, "url_password": password,
        "force_basic_auth": True, "ca_path": ca_path, "headers": {"Content-Type": "text/xml"}, "return_content": True,
    }  # fmt: skip
    return {"ansible.builtin.uri": options}


def task_plays(folder: Path, variables: dict[str, Any]) -> dict[str, str]:
    """Files of plays with `TASKS` tasks of a kind each, and of one with none."""
    url, username, password, ca_path = (
        variables[f"exa_{name}"] for name in ("api_url", "api_username", "api_password", "ca_path")
    )
    kinds: dict[str, Any] = {
        "exa_cluster_info": {
            "dbfleet.cluster.exa_cluster_info": {
                "gather": [], "api_url": url, "api_username": username, "api_password": password, "ca_path": ca_path,
            }
        },
        "uri": uri_call(url[0], username, password, ca_path),
        "debug": {"ansible.builtin.debug": {"msg": "nothing"}},
        "none": None,
    }  # fmt: skip
    paths = {}
    for kind, task in kinds.items():
        path = folder / f"{kind}.json"
        path.write_text(json.dumps(play([{"name": f"{kind} {n}", **task} for n in range(TASKS)] if task else [])))
        paths[kind] = str(path)
    return paths


def plain_call(variables: dict[str, Any], clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds of one call on a connection of its own, as each task makes one."""
    context = ssl.create_default_context(cafile=variables["exa_ca_path"])
    token = b64encode(f"{variables['exa_api_username']}:{variables['exa_api_password']}".encode()).decode()
    began = clock()
    connection = http.client.HTTPSConnection(variables["exa_api_url"][0].partition("://")[2], context=context)
    connection.request("POST", "/cluster1", CALL, {"Authorization": f"Basic {token}", "Content-Type": "text/xml"})
    answer = connection.getresponse().read()
    seconds = clock() - began
    connection.close()
    if xmlrpc.client.loads(answer)[0] != ("n0010",):
        raise SystemExit(f"the simulator answered {answer!r}")
    return seconds


BENCHMARKS = {"calls": calls, "task": task, "cold-start": cold_start, "fleet": fleet}


OPTIONS: dict[str, dict[str, Any]] = {
    "repeat": {"type": int, "default": 1, "help": "how often each time is measured"},
    "clusters": {"type": int, "default": 20, "help": "clusters of fleet"},
    "processes": {"type": int, "default": 1, "help": "simulator processes of fleet"},
    "no_vendor": {"action": "store_true", "help": "leave the vendor's procedure out of cold-start"},
}

if __name__ == "__main__":
    sys.exit(measured(__doc__, BENCHMARKS, **OPTIONS))
