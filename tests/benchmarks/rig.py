# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the benchmarks share: topologies with a known own time, simulators, builds, playbooks as processes, tables."""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional

from ansible_collections.dbfleet.cluster.tests.admin import ask

ROOT = Path(__file__).resolve().parents[2]
COLLECTIONS = os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(os.pathsep)[0] or str(ROOT / ".venv/collections")
SIMULATOR = "ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator"
PLUGIN = "Administration.vmware-tools"

BOOT, STORAGE, START, CONNECT = 300.0, 60.0, 120.0, 20.0
"""Cluster seconds of the slowest node, of EXAStorage, and of the slowest database."""

OWN = BOOT + STORAGE + START + CONNECT
"""Cluster seconds that a cold start takes at least: each part waits for the slowest of the part before."""


def topology(name: str, nodes: int, databases: int, up: bool = False, slower: float = 1.0) -> dict[str, Any]:
    """A cluster that is off (but for its license server) or up. Its slowest node and database take the time above.

    The others take 60 to 100 % of that, in an order that is the same in every run.

    :param slower: what all its times are multiplied by.
    """
    dice = random.Random(f"{name} {nodes} {databases}")

    def spread(count: int, most: float) -> list[float]:
        times = [most * slower * (1 - 0.4 * number / count) for number in range(count)]
        dice.shuffle(times)
        return times

    boots, starts = spread(nodes, BOOT), spread(databases, START)
    machines = [f"n{number:04d}" for number in range(11, 11 + nodes)]
    return {
        "name": name,
        "version": "6.2.1",
        "nodes": {node: {"state": "online" if up else "offline", "boot": boot} for node, boot in zip(machines, boots)},
        "storage_online": up,
        "databases": {
            f"DB{number}": {"state": "running" if up else "setup", "start": start, "connect": CONNECT * slower}
            for number, start in enumerate(starts, 1)
        },
        "log_services": ["logservice1"],
        "plugins": [PLUGIN],
        "plugin_nodes": {PLUGIN: dict.fromkeys(["n0010", *machines], "running")} if up else {},
        "timing": {"storage_start": STORAGE * slower, "plugin": 0},
    }


def own_time(cluster: dict[str, Any], scale: float) -> float:
    """Seconds that a cold start of this topology takes at least, on a clock with this scale."""
    boot = max(node["boot"] for node in cluster["nodes"].values())
    database = max(row["start"] + row["connect"] for row in cluster["databases"].values())
    return (boot + cluster["timing"]["storage_start"] + database) * scale


def _is_up(row: dict[str, Any]) -> bool:
    return str(row["state"]).lower() == "running"


class Simulator:
    """A simulator's process with these clusters."""

    def __init__(self, folder: Path, clusters: list[dict[str, Any]], scale: float) -> None:
        folder.mkdir(parents=True)
        (folder / "topology.json").write_text(json.dumps({"clusters": clusters}))
        self.topologies = {one["name"]: one for one in clusters}
        self.scale = scale
        ready = folder / "ready.json"
        command = [sys.executable, "-m", SIMULATOR, "--topology", str(folder / "topology.json"), "--quiet"]
        command += ["--clock", f"seconds:{scale}", "--directory", str(folder), "--ready-file", str(ready)]
        command += ["--starter", str(os.getpid())]
        self._process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": COLLECTIONS})
        while not ready.exists():
            if self._process.poll() is not None:
                raise SystemExit("the simulator ended before it was ready")
            time.sleep(0.02)
        self.ready = json.loads(ready.read_text())

    def admin(self, path: str, cluster: str, method: str = "GET") -> Any:
        return ask(self.ready, f"{path}?cluster={cluster}", method=method)

    def calls(self, cluster: str) -> list[dict[str, Any]]:
        return self.admin("/calls", cluster)

    def connectable_at(self, cluster: str) -> float:
        """When the last database began to accept connections, in seconds of the epoch."""
        ends = []
        for row in self.calls(cluster):
            if row["method"] == "startDatabase":
                database = self.topologies[cluster]["databases"][row["path"].rpartition("db_")[2]]
                ends.append(row["time"] + (database["start"] + database["connect"]) * self.scale)
        return max(ends)

    def check(self, cluster: str) -> None:
        """Ends the benchmark when a safety rule was broken, or something isn't up: its figures would mean nothing."""
        rules = self.admin("/rules", cluster)
        rows = self.admin("/state", cluster)["databases"]
        down = [name for name, row in rows.items() if row.get("connectible", "Yes") != "Yes" or not _is_up(row)]
        if rules or down:
            raise SystemExit(f"{cluster}: broken rules: {rules}; not up: {down}")

    def variables(self, cluster: str) -> dict[str, Any]:
        """Inventory variables that reach a cluster."""
        one = self.ready["clusters"][cluster]
        prefix = "nuodb" if self.topologies[cluster].get("product") == "nuodb" else "exa"
        names = {"api_url": "api_url", "username": "api_username", "password": "api_password", "ca_path": "ca_path"}
        return {f"{prefix}_{option}": one[name] for name, option in names.items()}

    def stop(self) -> None:
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(10)


@contextmanager
def simulators(clusters: list[dict[str, Any]], scale: float, processes: int = 1) -> Iterator[dict[str, Simulator]]:
    """Serves the clusters.

    :returns: the simulator of each cluster, by the cluster's name.
    """
    with tempfile.TemporaryDirectory(prefix="dbfleet-bench-") as folder:
        parts = [clusters[number::processes] for number in range(processes)]
        running: list[Simulator] = []
        try:
            for number, part in enumerate(parts):
                running.append(Simulator(Path(folder) / str(number), part, scale))
            yield {name: one for one in running for name in one.topologies}
        finally:
            for one in running:
                one.stop()


@dataclass(frozen=True)
class Build:
    """A state of the collection, and the ansible-core that runs it.

    :param python: of the environment that has the ansible-core.
    :param collections: the folder that holds `ansible_collections`.
    """

    python: str = sys.executable
    collections: str = COLLECTIONS


HERE = Build()


def core_python(core: str) -> str:
    """The Python of an environment with this ansible-core (2.16, say), which is made where it is missing."""
    subprocess.run([str(ROOT / "tests/gates/core_venv.sh"), core], check=True, stdout=sys.stderr)
    return str(ROOT / f".venv-{core}/bin/python")


@contextmanager
def collection_of(revision: str) -> Iterator[str]:
    """The collection as it was at a revision, beside the other collections of the checkout.

    :returns: the folder that holds `ansible_collections`.
    """
    with tempfile.TemporaryDirectory(prefix="dbfleet-bench-") as folder:
        packed, base = Path(folder) / "tree.tar", Path(folder) / "collections"
        subprocess.run(["git", "archive", f"--output={packed}", revision], cwd=ROOT, check=True)
        place = base / "ansible_collections/dbfleet/cluster"
        place.mkdir(parents=True)
        shutil.unpack_archive(packed, place)
        for other in (Path(COLLECTIONS) / "ansible_collections").iterdir():
            if other.name != "dbfleet":
                (base / "ansible_collections" / other.name).symlink_to(other)
        yield str(base)


class Run:
    """A finished ansible-playbook.

    :param started: when its process was started, in seconds of the epoch.
    :param seconds: how long the process ran.
    :param cpu: CPU-seconds of the process and all its workers, user and system.
    :param memory: megabytes of the largest of these processes.
    :param lines: what it printed, each with the moment in which it came.
    """

    def __init__(
        self, started: float, seconds: float, cpu: float, memory: float, lines: list[tuple[float, str]]
    ) -> None:
        self.started, self.seconds, self.cpu, self.memory, self.lines = started, seconds, cpu, memory, lines

    def when(self, text: str) -> float:
        """The moment of the first line that holds this text."""
        return next(moment for moment, line in self.lines if text in line)


def playbook(
    name: str, hosts: dict[str, dict[str, Any]], *arguments: str, build: Build = HERE, config: str = ""
) -> Run:
    """Runs a playbook, a file or one of the collection's, and ends the benchmark where it fails.

    :param config: text of the ansible.cfg.
    """
    with tempfile.TemporaryDirectory(prefix="dbfleet-bench-") as folder:
        inventory = Path(folder) / "inventory.json"
        shared = {"ansible_connection": "local", "ansible_python_interpreter": build.python}
        inventory.write_text(json.dumps({"bench": {"hosts": hosts, "vars": shared}}))
        ours = ("ANSIBLE_", "EXA_", "NUODB_", "NUOCMD_", "DBFLEET_", "PYTHONDONTWRITEBYTECODE")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
        settings = Path(folder) / "ansible.cfg"
        settings.write_text(config)
        environment = {
            **kept,
            "PYTHONPATH": build.collections,
            "ANSIBLE_COLLECTIONS_PATH": build.collections,
            "ANSIBLE_CONFIG": str(settings),
            "ANSIBLE_HOME": folder,
            "XDG_STATE_HOME": folder,
            "ANSIBLE_NOCOLOR": "1",
            "LC_ALL": "C.UTF-8",
        }
        lines, started, clock = [], time.time(), time.perf_counter()
        process = subprocess.Popen(
            [str(Path(build.python).parent / "ansible-playbook"), "-i", str(inventory), "-e", "target=bench", name,
             *arguments],
            env=environment, cwd=folder, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            lines.append((time.time(), line.rstrip("\n")))
        # Not process.wait(), which keeps the usage to itself. A worker counts once ansible-playbook has waited for it.
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - clock
    if process.returncode:
        raise SystemExit("\n".join(line for _moment, line in lines))
    return Run(started, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, lines)


def play(tasks: list[dict[str, Any]], **more: Any) -> list[dict[str, Any]]:
    return [{"hosts": "bench", "gather_facts": False, "tasks": tasks, **more}]


class Table:
    """Rows that are printed as they are measured, and whether each kept its limit."""

    def __init__(self, title: str, *columns: str, first: int = 9) -> None:
        """:param first: width of the first column."""
        self._widths = [first, *(max(9, len(column)) for column in columns[1:])]
        self.kept = True
        print(f"\n{title}\n")
        self._print(columns)
        self._print(["-" * width for width in self._widths])

    def _print(self, cells: Sequence[Any]) -> None:
        print("| " + " | ".join(f"{cell!s:>{width}}" for cell, width in zip(cells, self._widths)) + " |", flush=True)

    def row(self, *cells: Any, kept: Optional[bool] = None) -> None:
        """:param kept: whether the limit was kept, or None where the row has none."""
        self.kept = self.kept and kept is not False
        verdict = "" if kept is None else "ok" if kept else "BROKEN"
        shown = [f"{cell:.2f}" if isinstance(cell, float) else cell for cell in cells]
        self._print([*shown, verdict, f"{os.getloadavg()[0]:.1f}"])


def measured(about: str, benchmarks: Mapping[str, Callable[[argparse.Namespace], bool]], **more: dict[str, Any]) -> int:
    """Runs those benchmarks that the command line names, with its sizes.

    :param about: what the script is for.
    :param benchmarks: what each does; it tells whether its limits are kept.
    :param more: options of this script alone.
    :return: the exit code.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("what", nargs="*", metavar="WHAT", help=f"{', '.join(benchmarks)} (default: all)")
    add("--nodes", type=int, nargs="+", help="sizes")
    add("--databases", type=int, nargs="+", help="sizes")
    add("--own", type=float, default=20.0, help="seconds that the (fastest) cluster needs itself (default 20)")
    for name, option in more.items():
        add(f"--{name.replace('_', '-')}", **option)
    given = parser.parse_args()
    unknown = [what for what in given.what if what not in benchmarks]
    if unknown:
        parser.error(f"{unknown[0]} is none of {', '.join(benchmarks)}")
    kept = [benchmarks[what](given) for what in given.what or benchmarks]
    return 0 if all(kept) else 1
