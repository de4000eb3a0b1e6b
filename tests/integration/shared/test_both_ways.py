# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules in-process and as ordinary ones over a real connection: each of the collection in one of three suites.

The first two are `exasol/test_two_ways.py` and `nuodb/test_two_ways.py`. What a module needs there must travel with it,
so each travels once at least. How much more both ways have in common is in `tests/reliability/test_both_ways.py`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from domains import database, domain
from world import ROOT, Run, confd, plain, play

PREFIX = "dbfleet.cluster."

OF_EXASOL: list[tuple[str, dict[str, Any]]] = [
    ("exa_job", {"job": "db_state", "params": {"db_name": "DB1"}}),
    ("exa_job", {"job": "db_strat", "params": {"db_name": "DB1"}}),
    ("exa_job_info", {"jobs": ["db_start"]}),
    ("exa_volume", {"name": "A", "size": "12 GiB", "vol_type": "archive", "nodes": ["n12"], "redundancy": 1}),
    ("exa_volume", {"name": "A", "state": "absent"}),
    ("exa_remote_volume", {"name": "R", "vol_type": "s3", "url": "http://r", "labels": ["x"], "state": "absent"}),
    ("exa_backup", {"databases": "DB1", "volume": "B"}),
    ("exa_backup", {"databases": "DB1", "volume": "A", "expire": "1w"}),
    (
        "exa_backup_schedule",
        {"db_name": "DB1", "schedules": [{"name": "n", "volume": "A", "level": 0, "hour": "3", "minute": "0"}]},
    ),
    ("exa_rolling", {"state": "planned"}),
    ("exa_rolling", {"state": "out", "nodes": ["n99"]}),
]
OF_NUODB: list[tuple[str, dict[str, Any]]] = [
    ("nuodb_lease", {"state": "taken", "run": "patch-4711"}),
    ("nuodb_rolling", {"state": "planned"}),
    ("nuodb_rolling", {"state": "out", "servers": ["server7"]}),
    ("nuodb_rolling_restart", {"state": "planned", "databases": ["shop"]}),
    ("nuodb_rolling_restart", {"state": "done", "databases": ["shoppe"]}),
]

ELSEWHERE = {
    "exa_connection_info", "exa_cluster_info", "exa_plan", "exa_node", "exa_storage", "exa_database", "exa_plugin",
    "exa_log_info", "nuodb_connection_info", "nuodb_domain_info", "nuodb_plan", "nuodb_server", "nuodb_process",
    "nuodb_database", "nuodb_archive", "nuodb_storage_group", "nuodb_hotcopy", "simulator",
}  # fmt: skip
"""Modules of the other suites."""

OF_CONTROLLER = {"fleet_check", "fleet_info", "maintenance", "profile", "rehearsal", "runbook", "runs_info"}
"""They run on the controller; those that reach a cluster call others for a host by its connection."""


def tasks_of(suite: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    return [
        {"name": f"{module} {number}", PREFIX + module: {**args, "cluster_name": "one"}, "ignore_errors": True}
        for number, (module, args) in enumerate(suite)
    ]


def without_address(result: Any) -> str:
    """And without the moments of a lease."""
    return re.sub(r'127.0.0.[0-9]+|"(since|until)": \d+', "", json.dumps(result, sort_keys=True))


def same(run: Run, task: str, names: list[str], ports: list[str]) -> None:
    """A task came to the same on these hosts."""
    assert len({run.went(task, name) for name in names}) == 1, run.out
    here, there = (plain(run.one(task, name), ports) for name in names)
    for result in (here, there):
        for name in ("ca_path", "api_url"):  # the CA's file is sent along
            result.get("invocation", {}).get("module_args", {}).pop(name, None)
    assert without_address(here) == without_address(there), task


def test_module_suite(simulate: Any, ansible: Any) -> None:
    exasol, nuodb = ["exa-here", "exa-there"], ["nuo-here", "nuo-there"]
    shop = {"shop": database(up=True)}
    parts = {"remote_volumes": {"R": {"vol_type": "s3", "url": "http://r"}}}
    simulator = simulate(*(confd(name, **parts) for name in exasol), *(domain(name, databases=shop) for name in nuodb))
    hosts = simulator.inventory()
    for name, given in hosts.items():
        given["ansible_connection"] = "elsewhere" if name.endswith("there") else "local"
    suites = {"exasol": (tasks_of(OF_EXASOL), exasol), "nuodb": (tasks_of(OF_NUODB), nuodb)}
    run = ansible.run([play(tasks, product) for product, (tasks, _names) in suites.items()], hosts)
    run.said_well()
    urls = [url for given in hosts.values() for name, value in given.items() if "api_url" in name for url in value]
    ports = [url.rpartition(":")[2] for url in urls]
    for tasks, names in suites.values():
        for task in tasks:
            same(run, task["name"], names, ports)
        assert {run.went(task["name"], names[0]) for task in tasks} == {"ok", "failed"}
        assert sorted(simulator.changes(names[0])) == sorted(simulator.changes(names[1]))
    assert simulator.changes("exa-here")


def test_every_module_is_in_a_suite() -> None:
    there = {path.stem for path in (ROOT / "plugins/modules").glob("[a-z]*.py")}
    ours = {module for module, _args in [*OF_EXASOL, *OF_NUODB]}
    assert there == ours | ELSEWHERE | OF_CONTROLLER
    texts = [(ROOT / f"tests/integration/{name}/test_two_ways.py").read_text() for name in ("exasol", "nuodb")]
    assert [module for module in ELSEWHERE if f'"{module}"' not in "".join(texts)] == []
