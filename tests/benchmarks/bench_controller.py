# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much CPU and time the runbooks cost the machine that runs Ansible, beside an older state of the collection.

Exits with 1 when a limit is broken. docs/benchmarks.md says what each figure means.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Callable

from bench_exasol import TASKS, plain_call, task_plays, timed_cold_start, timed_fleet, unlike_clusters, uri_call
from bench_nuodb import domain, wanted
from rig import (
    COLLECTIONS,
    OWN,
    Build,
    Run,
    Simulator,
    Table,
    collection_of,
    core_python,
    measured,
    own_time,
    play,
    playbook,
    simulators,
    topology,
)

LEAST = {0: 5.0, 1: 3.0, 8: 2.0}
"""How many times less CPU than the old build a run must take, by its number of hooks."""

STATUS_LEAST, CHECK_LEAST = 10.0, 12.0
"""How many times less CPU than the old build a status and a check take."""

FLEET = 100
"""Clusters of such a status or check."""

LOOPED, LOOK_CALLS = 5, 10
"""Clusters of a loop of uri, and the calls to each: as many as a status makes."""

MANY, MANY_CPU, MANY_MEMORY = 1000, 20.0, 120.0
"""A status of so many clusters takes so many CPU-seconds, and processes of so many megabytes, at most."""

MAINTENANCE_MORE = 2.0
"""CPU-seconds per cluster that maintenance may add to the runbooks that it includes."""

POLL = "[defaults]\ninternal_poll_interval = 0.05\n"
"""As the shipped example of an ansible.cfg has it."""

TASK_LIMIT = 0.035
LATER = 1.05, 3.0
"""A cluster among many ends by its own time x the first, plus the second in seconds."""

DOMAIN_SECONDS = 60.0
"""Cluster seconds that the slowest database of a domain takes."""

HOOK = "- name: A hook\n  ansible.builtin.debug:\n    msg: a hook\n"


@dataclass(frozen=True)
class Case:
    """A run whose CPU is measured.

    :param runbook: of which product and playbook it is.
    :param up: whether the clusters are up when it begins, and stay as they are. Else it takes them up from cold.
    :param hooks: names of the hooks that are given.
    """

    runbook: str
    up: bool = True
    check: bool = False
    hooks: tuple[str, ...] = ()

    @property
    def product(self) -> str:
        return self.runbook.partition("_")[0]

    @property
    def least(self) -> float:
        return LEAST[len(self.hooks)]


def _with_hooks(name: str, one: str, phases: tuple[str, ...], **case: Any) -> dict[str, Case]:
    """A case without hooks, with one, and with one before and one after each of these phases."""
    eight = tuple(f"{when}_{phase}" for phase in phases for when in ("before", "after"))
    given: tuple[tuple[str, ...], ...] = ((), (one,), eight)
    return {f"{name}+{len(hooks)}" if hooks else name: Case(hooks=hooks, **case) for hooks in given}


def _cold_starts(product: str, prefix: str, phases: tuple[str, ...]) -> dict[str, Case]:
    runbook = f"{prefix}_cold_start"
    found: dict[str, Case] = {}
    for name, case in (("up", {}), ("cold", {"up": False}), ("check", {"check": True})):
        found.update(_with_hooks(f"{product}-{name}", "before_storage", phases, runbook=runbook, **case))
    return found


CASES = {
    **_cold_starts("exasol", "exa", ("api", "nodes", "storage", "databases")),
    **_with_hooks(
        "exasol-shutdown-check", "before_storage", ("preflight", "databases", "storage", "nodes"),
        runbook="exa_graceful_shutdown", check=True,
    ),
    **_cold_starts("nuodb", "nuodb", ("servers", "storage", "transactions", "verify")),
    **_with_hooks(
        "nuodb-shutdown-check", "before_databases", ("preflight", "backup", "databases", "servers"),
        runbook="nuodb_graceful_shutdown", check=True,
    ),
}  # fmt: skip


@contextmanager
def builds(given: argparse.Namespace) -> Iterator[dict[str, tuple[Build, Build]]]:
    """The old build and this one, under each ansible-core."""
    with ExitStack() as stack:
        old = stack.enter_context(collection_of(given.base))
        new = stack.enter_context(collection_of(given.head)) if given.head else COLLECTIONS
        found = {}
        for core in given.core:
            python = core_python(core)
            found[core] = Build(python, old), Build(python, new)
            for build in found[core]:
                place = f"{build.collections}/ansible_collections/dbfleet/cluster/plugins"
                subprocess.run([python, "-m", "compileall", "-q", place], check=True)
        yield found


class Beside:
    """What both builds took, measured in turns."""

    def __init__(self, repeat: int, builds: tuple[Build, Build], measure: Callable[[Build], float]) -> None:
        rounds = [[measure(build) for build in builds] for _round in range(repeat)]
        self.old, self.new = (statistics.median(taken) for taken in zip(*rounds))

    @cached_property
    def ratio(self) -> float:
        return self.old / self.new


def chosen(patterns: list[str]) -> dict[str, Case]:
    """The cases that these patterns name. Ends the benchmark for a pattern that names none."""
    for pattern in patterns:
        if not any(fnmatch(name, pattern) for name in CASES):
            raise SystemExit(f"{pattern} is none of {', '.join(CASES)}")
    return {name: case for name, case in CASES.items() if any(fnmatch(name, pattern) for pattern in patterns)}


class Fleet:
    """Clusters (or domains) of one product, and what is run on them.

    :param given: the command line: their sizes and times.
    :param hook: file of a hook.
    """

    def __init__(self, product: str, count: int, given: argparse.Namespace, hook: Path) -> None:
        self._product, self._count, self._given, self._hook = product, count, given, str(hook)
        self._databases = (given.databases or [3])[0]

    def topologies(self, up: bool) -> tuple[list[dict[str, Any]], float]:
        """The clusters, and the scale on which a cold start takes each `--cold-own` seconds."""
        names = [f"bench{number:03d}" for number in range(self._count)]
        if self._product == "nuodb":
            clusters = [domain(self._databases, 2, DOMAIN_SECONDS, name, up) for name in names]
            return clusters, self._given.cold_own / DOMAIN_SECONDS
        nodes = (self._given.nodes or [8])[0]
        return [topology(name, nodes, self._databases, up) for name in names], self._given.cold_own / OWN

    def run(self, case: Case, served: dict[str, Simulator], build: Build) -> Run:
        """Runs a case. Ends the benchmark where it broke a rule or changed what it should not."""
        more: dict[str, Any] = {f"{case.runbook}_hooks": dict.fromkeys(case.hooks, self._hook)}
        if self._product == "nuodb":
            more["nuodb_databases"] = wanted(self._databases)
        for name, one in served.items():
            one.admin("/calls", name, "DELETE")
        run = playbook(
            f"dbfleet.cluster.{case.runbook}",
            {name: {**one.variables(name), **more} for name, one in served.items()},
            *("--forks", str(self._count), *(["--check"] if case.check else [])),
            build=build,
            config=self._config(build),
        )
        for name, one in served.items():
            one.check(name)
            changed = [row["method"] for row in one.calls(name) if row["changing"]]
            if bool(changed) == case.up:
                raise SystemExit(f"{name}: {case.runbook} called {changed or 'nothing that changes it'}")
        return run

    def _config(self, build: Build) -> str:
        """How ansible-playbook waits: as the build ships it for its users, or as it was asked for."""
        shipped = ConfigParser()
        shipped.read(f"{build.collections}/ansible_collections/dbfleet/cluster/docs/examples/ansible.cfg")
        poll = self._given.poll or shipped.get("defaults", "internal_poll_interval", fallback=None)
        return f"[defaults]\ninternal_poll_interval = {poll}\n" if poll else ""

    def cold(self, case: Case, build: Build) -> Run:
        """Runs a case on clusters of its own, which are down."""
        with simulators(*self.topologies(False)) as served:
            return self.run(case, served, build)


def cost(given: argparse.Namespace) -> bool:
    """CPU of a whole run of a runbook."""
    cases, kept = chosen(given.cases), True
    with builds(given) as pairs, tempfile.TemporaryDirectory() as folder:
        hook = Path(folder) / "hook.yml"
        hook.write_text(HOOK)
        for count in given.clusters:
            table = Table(
                f"CPU-seconds of ansible-playbook and its workers, {count} clusters; limit: the old build's by the new "
                "one's, at least",
                "case", "core", "old", "new", "old/new", "limit", "verdict", "load", first=23,
            )  # fmt: skip
            for product in ("exa", "nuodb"):
                mine = {name: case for name, case in cases.items() if case.product == product}
                if not mine:
                    continue
                fleet = Fleet(product, count, given, hook)
                with simulators(fleet.topologies(True)[0], 1.0) as served:
                    for name, case in mine.items():

                        def measure(
                            build: Build, case: Case = case, fleet: Fleet = fleet, served: dict[str, Simulator] = served
                        ) -> float:
                            return (fleet.run(case, served, build) if case.up else fleet.cold(case, build)).cpu

                        for core, pair in pairs.items():
                            cpu = Beside(given.repeat, pair, measure)
                            enough = cpu.ratio >= case.least
                            table.row(name, core, cpu.old, cpu.new, cpu.ratio, case.least, kept=enough)
            kept = kept and table.kept
    return kept


def waiting(given: argparse.Namespace) -> bool:
    """CPU per second in which all clusters are only waited for: a slow cold start less a fast one."""
    count = given.clusters[0]
    fast, slow = given.own / 2, given.own * 2
    table = Table(
        f"CPU-seconds per second of waiting, {count} clusters: a cold start with an own time of {slow:g} s "
        f"less one with {fast:g} s",
        "case", "core", "poll", "old", "new", "old/new", "verdict", "load", first=23,
    )  # fmt: skip
    with builds(given) as pairs:
        for core, pair in pairs.items():
            for poll in (0.001, 0.05):

                def measure(build: Build, poll: float = poll) -> float:
                    taken = []
                    for own in (fast, slow):
                        sized = argparse.Namespace(**{**vars(given), "poll": poll, "cold_own": own})
                        taken.append(Fleet("exa", count, sized, Path()).cold(CASES["exasol-cold"], build).cpu)
                    return (taken[1] - taken[0]) / (slow - fast)

                cpu = Beside(given.repeat, pair, measure)
                shown = (f"{cpu.old:.3f}", f"{cpu.new:.3f}")
                table.row("exasol-cold", core, poll, *shown, cpu.ratio)
    return table.kept


def _cold_start_time(cluster: dict[str, Any], scale: float, build: Build) -> float:
    return timed_cold_start(cluster, scale, build)[0]


def cold_start(given: argparse.Namespace) -> bool:
    """Wall time of a whole cold start beside the cluster's own time."""
    scale, databases = given.own / OWN, (given.databases or [4])[0]
    table = Table(
        f"Cold start of one cluster with {databases} databases, seconds; limit: new/own",
        "nodes", "core", "own", "old", "new", "old/own", "new/own", "limit", "verdict", "load",
    )  # fmt: skip
    with builds(given) as pairs:
        for nodes in given.nodes or [8, 64, 512]:
            cluster = topology("bench", nodes, databases)
            own, limit = own_time(cluster, scale), 1.06 if nodes <= 64 else 1.10

            for core, pair in pairs.items():
                took = Beside(given.repeat, pair, partial(_cold_start_time, cluster, scale))
                late = took.new / own
                table.row(nodes, core, own, took.old, took.new, took.old / own, late, limit, kept=late <= limit)
    return table.kept


def fleet(given: argparse.Namespace) -> bool:
    """Clusters of unlike speed in one run: how late each ends by its own time."""
    count, scale = given.clusters[0], given.own / OWN
    clusters, (factor, more) = unlike_clusters(count), LATER
    table = Table(
        f"{count} clusters of 8 nodes and 3 databases in one run, seconds from the start of the process to the "
        f"cluster's end table; limit {factor} x own time + {more:g} s",
        "cluster", "core", "own", "old", "new", "limit", "verdict", "load",
    )  # fmt: skip
    with builds(given) as pairs:
        for core, pair in pairs.items():
            rounds = [
                [timed_fleet(clusters, scale, given.processes, build) for build in pair] for _r in range(given.repeat)
            ]
            for cluster in clusters:
                name, own = cluster["name"], own_time(cluster, scale)
                old, new = (statistics.median(one[build][name][0] for one in rounds) for build in range(2))
                limit = factor * own + more
                table.row(name, core, own, old, new, limit, kept=new <= limit)
    return table.kept


def task(given: argparse.Namespace) -> bool:
    """CPU of one task, over the CPU that the same call costs a plain client."""
    table = Table(
        f"CPU of one task, milliseconds (of {TASKS} in a play, without the play's own); limit: new build "
        f"{TASK_LIMIT * 1000:g} ms over the API",
        "task", "core", "old", "new", "API", "old over", "new over", "verdict", "load", first=16,
    )  # fmt: skip
    up = [topology("bench", 8, 3, up=True)]
    with builds(given) as pairs, simulators(up, 1.0) as served, tempfile.TemporaryDirectory() as folder:
        variables = served["bench"].variables("bench")
        paths = task_plays(Path(folder), variables)
        for core, pair in pairs.items():
            for kind in ("exa_cluster_info", "debug"):

                def measure(build: Build, kind: str = kind) -> float:
                    idle, busy = (playbook(paths[one], {"bench": {}}, build=build).cpu for one in ("none", kind))
                    return (busy - idle) / TASKS

                each = Beside(given.repeat, pair, measure)
                api = 0.0
                if kind != "debug":
                    api = statistics.median(plain_call(variables, time.process_time) for _call in range(TASKS))
                figures = (each.old, each.new, api, each.old - api, each.new - api)
                shown = [f"{seconds * 1000:.1f}" for seconds in figures]
                table.row(kind, core, *shown, kept=None if kind == "debug" else each.new - api <= TASK_LIMIT)
    return table.kept


def _looked(what: str, served: dict[str, Simulator], build: Build) -> Run:
    """A status or a check of clusters that are up. Ends the benchmark where it left one out or changed one."""
    hosts = {name: one.variables(name) for name, one in served.items()}
    run = playbook(f"dbfleet.cluster.{what}", hosts, "--forks", "20", build=build)
    told = {name for _moment, line in run.lines for name in hosts if name in line and "nodes 4/4 online" in line}
    if told != set(hosts) or any(row["changing"] for name, one in served.items() for row in one.calls(name)):
        raise SystemExit(f"a {what} told {len(told)} of {len(hosts)} clusters")
    return run


def _up(count: int) -> list[dict[str, Any]]:
    return [topology(f"bench{number:04d}", 4, 1, True) for number in range(count)]


def _checked(served: dict[str, Simulator], runs: list[Run], build: Build) -> float:
    runs.append(_looked("check", served, build))
    return runs[-1].cpu


def check(given: argparse.Namespace) -> bool:
    """CPU of a check of a fleet beside the old build."""
    table = Table(
        f"CPU-seconds of check, {FLEET} clusters; limit: the old build's by the new one's, at least",
        "clusters", "core", "old", "new", "old/new", "limit", "new MB", "verdict", "load",
    )  # fmt: skip
    with builds(given) as pairs, simulators(_up(FLEET), 1.0) as served:
        for core, pair in pairs.items():
            runs: list[Run] = []
            cpu = Beside(given.repeat, pair, partial(_checked, served, runs))
            row = (FLEET, core, cpu.old, cpu.new, cpu.ratio, CHECK_LEAST, max(run.memory for run in runs[1::2]))
            table.row(*row, kept=cpu.ratio >= CHECK_LEAST)
    return table.kept


def _uri_loop(served: dict[str, Simulator], build: Build) -> float:
    """CPU-seconds of a play that makes as many calls as a status makes, by Ansible's own module in a loop."""
    call = uri_call(*(f"{{{{ exa_{name} }}}}" for name in ("api_url[0]", "api_username", "api_password", "ca_path")))
    hosts = {name: one.variables(name) for name, one in list(served.items())[:LOOPED]}
    before = sum(len(served[name].calls(name)) for name in hosts)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "uri.json"
        path.write_text(json.dumps(play([{"name": "Call", **call, "loop": list(range(LOOK_CALLS))}])))
        spent = playbook(str(path), hosts, "--forks", "20", build=build).cpu
    made = sum(len(served[name].calls(name)) for name in hosts) - before
    if made != LOOPED * LOOK_CALLS:
        raise SystemExit(f"the loops of uri made {made} calls")
    return spent


def status(given: argparse.Namespace) -> bool:
    """CPU of a look at a fleet: of 100 clusters beside the old build, of many the new one's alone.

    Beside it stands what loops of uri take for a few clusters.
    """
    table = Table(
        f"CPU-seconds of status; limit: of {FLEET} clusters {STATUS_LEAST:g} x less than the old build, of {MANY} "
        f"clusters {MANY_CPU:g} CPU-seconds and {MANY_MEMORY:g} MB",
        "clusters", "core", "old", "new", "old/new", "limit", "new MB", f"uri of {LOOPED}", "verdict", "load",
    )  # fmt: skip
    with builds(given) as pairs:
        with simulators(_up(FLEET), 1.0) as served:
            for core, pair in pairs.items():
                cpu = Beside(given.repeat, pair, lambda build: _looked("status", served, build).cpu)
                kept = cpu.ratio >= STATUS_LEAST
                loop = _uri_loop(served, pair[1])
                table.row(FLEET, core, cpu.old, cpu.new, cpu.ratio, STATUS_LEAST, "", loop, kept=kept)
        with simulators(_up(MANY), 1.0, 2) as served:
            for core, (_old, new) in pairs.items():
                runs = [_looked("status", served, new) for _round in range(given.repeat)]
                spent, memory = statistics.median(run.cpu for run in runs), max(run.memory for run in runs)
                kept = spent <= MANY_CPU and memory <= MANY_MEMORY
                table.row(MANY, core, "", spent, "", MANY_CPU, memory, "", kept=kept)
    return table.kept


def _down_and_up(playbooks: list[str], served: dict[str, Simulator], build: Build, config: str) -> Run:
    """Clusters that are up, taken down and up again by these playbooks; the last run, with the CPU of all."""
    more = {"exa_graceful_shutdown_power": "none", "maintenance_work": "none"}
    hosts = {name: {**one.variables(name), **more} for name, one in served.items()}
    arguments = ("--forks", "20", "-e", f"confirm={','.join(hosts)}", "-e", "maintenance_serial=50%")
    runs = [playbook(f"dbfleet.cluster.{name}", hosts, *arguments, build=build, config=config) for name in playbooks]
    for name, one in served.items():
        one.check(name)
    runs[-1].cpu = sum(run.cpu for run in runs)
    return runs[-1]


def maintenance(given: argparse.Namespace) -> bool:
    """CPU of maintenance, beside the shutdown and the cold start of the same clusters by themselves."""
    count = given.clusters[0]
    table = Table(
        f"CPU-seconds per cluster of {count}; limit: maintenance takes {MAINTENANCE_MORE:g} more than both runbooks",
        "core", "shutdown + cold start", "maintenance", "more", "limit", "verdict", "load",
    )  # fmt: skip
    clusters = [topology(f"bench{number:03d}", 4, 1, True) for number in range(count)]
    with builds(given) as pairs, simulators(clusters, 0.02) as served:
        for core, (_old, new) in pairs.items():
            alone, whole = (
                statistics.median(_down_and_up(books, served, new, POLL).cpu for _round in range(given.repeat)) / count
                for books in (["exa_graceful_shutdown", "exa_cold_start"], ["maintenance"])
            )
            kept = whole - alone <= MAINTENANCE_MORE
            table.row(core, alone, whole, whole - alone, MAINTENANCE_MORE, kept=kept)
    return table.kept


BENCHMARKS = {
    "status": status,
    "maintenance": maintenance,
    "check": check,
    "task": task,
    "cost": cost,
    "waiting": waiting,
    "cold-start": cold_start,
    "fleet": fleet,
}

OPTIONS: dict[str, dict[str, Any]] = {
    "base": {"default": "824d41e", "help": "revision of the old build (default 824d41e)"},
    "head": {"help": "revision of the new build (default: the files as they are)"},
    "core": {"nargs": "+", "default": ["2.16", "2.21"], "help": "versions of ansible-core (default 2.16 2.21)"},
    "cases": {
        "nargs": "+", "default": ["*[!0-9]", "*-up+*"],
        "help": f"patterns of cases of cost (default: all without hooks, and *-up with them): {', '.join(CASES)}",
    },
    "clusters": {"type": int, "nargs": "+", "default": [20], "help": "how many clusters; all but cost take the first"},
    "cold_own": {"type": float, "default": 5.0, "help": "seconds that the clusters of *-cold need (default 5)"},
    "poll": {"type": float, "help": "internal_poll_interval of both builds in cost (default: what each build ships)"},
    "repeat": {"type": int, "default": 3, "help": "how often each is measured; medians are shown (default 3)"},
    "processes": {"type": int, "default": 1, "help": "simulator processes of fleet"},
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(measured(__doc__, BENCHMARKS, **OPTIONS))
