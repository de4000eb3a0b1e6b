# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Exasol as an application on hosts (as-app): the jobs for instances are refused there, and hooks take their place."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.dbfleet.cluster.tests.admin import headers
from world import ROOT, confd

EXAMPLES = ROOT / "docs/examples/hooks"
NODES = ("n11", "n12", "n13")

SYSTEMCTL = """#!{python}
import json, sys
from urllib.request import ProxyHandler, Request, build_opener

scope, verb, service = [word.strip("'") for word in sys.argv[1:4]]
assert scope == "--user", sys.argv
asked = {{"node": "{node}", "service": service, **({{"on": verb == "start"}} if verb in ("start", "stop") else {{}})}}
request = Request("{admin}/service?cluster={cluster}", json.dumps(asked).encode(), {headers}, method="POST")
told = json.loads(build_opener(ProxyHandler({{}})).open(request, timeout=30).read())
with open("{log}", "a") as log:
    log.write(f"{{verb}} {{service}} {node}\\n" if "on" in asked else "")
if verb == "show":
    print(f"LoadState=loaded\\nActiveState={{'active' if told['on'] else 'inactive'}}\\nUnitFileState=enabled")
"""


@pytest.fixture
def hosts_of(tmp_path):
    """An inventory of the hosts: systemctl of each turns the services of its node on and off; a log of that."""

    def make(simulator, cluster):
        log, machines = tmp_path / "systemctl.log", {}
        log.touch()
        for node in NODES:
            folder = tmp_path / node
            folder.mkdir()
            known = {"admin": simulator.ready["admin_url"], "node": node, "cluster": cluster, "log": log}
            known["headers"] = headers(simulator.ready)
            script(folder / "systemctl", SYSTEMCTL.format(python=sys.executable, **known))
            script(folder / "python", f'#!/bin/sh\nPATH="{folder}:$PATH" exec "{sys.executable}" "$@"\n')
            python = str(folder / "python")
            machines[f"host-{node}"] = {"ansible_connection": "local", "ansible_python_interpreter": python}
        path = tmp_path / "machines.yml"
        path.write_text(yaml.safe_dump({"exa_machines": {"hosts": machines}}))
        return str(path), log

    return make


def script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def states(simulator):
    return {row["state"] for row in simulator.state()["nodes"].values()}


def test_the_jobs_for_instances_are_refused_before_the_first_change(simulate, ansible):
    """Both runbooks say what works instead, previewed or not; the databases still run."""
    down = {"DB1": {"state": "setup"}}
    off = confd("cold", databases=down, deployment="host", settings={"auto_start": False})
    off["nodes"]["n13"]["state"] = "offline"
    simulator = simulate(confd("warm", deployment="host"), off)
    hosts = simulator.inventory(exa_graceful_shutdown_power="infra", exa_cold_start_power="infra", exa_wait_timeout=5)
    for runbook, name, job, instead in (
        ("exa_graceful_shutdown", "warm", "infra_instances_stop", "exa_graceful_shutdown_power: hook"),
        ("exa_cold_start", "cold", "infra_instances_start", "exa_cold_start_power: hook"),
    ):
        for arguments in (["--check"], []):
            run = ansible.run(
                runbook, {name: hosts[name]}, *arguments, variables={"confirm": [name], "target": name}
            ).failed()
            (cause,) = set(run.failures(name))
            assert f"{job} can't be used, because the server refuses the jobs for instances of this deployment" in cause
            assert "infra_deployment_metadata_get is not supported on this deployment" in cause
            assert instead in run.out, run.out
            assert simulator.calls(cluster=name, changing=True) == []
            asked = {row["job"] for row in simulator.calls("job_start", "job_exec", cluster=name)}
            assert "infra_deployment_metadata_get" in asked
            assert not asked & {"infra_instances_stop", "infra_instances_start", "db_stop", "db_start"}
    assert simulator.phases("warm") == {"DB1": "running"}
    assert {row["state"] for row in simulator.state("warm")["nodes"].values()} == {"online"}


def test_check_says_it_of_both_runbooks(simulate, ansible):
    simulator = simulate(confd("warm", deployment="host"))
    hosts = simulator.inventory(exa_graceful_shutdown_power="infra", exa_cold_start_power="infra")
    run = ansible.run("check", hosts).ok()
    assert run.lines(r"\[warm\] refused: warm: infra_instances_stop can't be used"), run.out
    assert simulator.changes() == []


def test_the_services_of_the_hosts_are_stopped_and_started(simulate, ansible, hosts_of):
    """By the examples: in order on each host, a suspended node comes back with them, and again nothing is done."""
    databases = {"DB1": {"state": "running", "nodes": ["n11", "n12"]}}
    one = confd("exa-hosts", deployment="host", databases=databases, settings={"auto_start": False})
    one["nodes"]["n13"]["state"] = "suspended"
    simulator = simulate(one)
    machines, log = hosts_of(simulator, "exa-hosts")
    hosts = simulator.inventory(
        exa_hosts={node: f"host-{node}" for node in NODES},
        exa_graceful_shutdown_power="hook",
        exa_graceful_shutdown_hooks={"power_off_nodes": str(EXAMPLES / "stop_host_services.yml")},
        exa_cold_start_power="hook",
        exa_cold_start_hooks={"power": str(EXAMPLES / "start_host_services.yml")},
    )
    given = {"confirm": ["exa-hosts"], "target": "exa-hosts"}
    ansible.run("exa_graceful_shutdown", hosts, "--check", "-i", machines, variables=given).ok()
    assert (states(simulator), log.read_text()) == ({"online", "suspended"}, "")

    ansible.run("exa_graceful_shutdown", hosts, "-i", machines, variables=given).ok()
    assert (states(simulator), simulator.changes()) == ({"off"}, ["db_stop DB1"])
    rows = log.read_text().splitlines()
    assert {row.rpartition(" ")[0] for row in rows[:3]} == {"stop c4_cloud_command"}
    assert {row.rpartition(" ")[0] for row in rows[3:]} == {"stop c4"}
    assert {row.rpartition(" ")[2] for row in rows[3:]} == set(NODES)

    preview = ansible.run("exa_cold_start", hosts, "--check", "-i", machines, variables=given).ok()
    assert preview.lines("the steps can't be previewed until the API answers")
    assert len(log.read_text().splitlines()) == 6
    ansible.run("exa_cold_start", hosts, "-i", machines, variables=given).ok()
    assert (states(simulator), simulator.all_connectable()) == ({"online"}, True)
    rows = [row.rpartition(" ")[0] for row in log.read_text().splitlines()[6:]]
    assert rows == ["start c4"] * 3 + ["start c4_cloud_command"] * 3
    again = ansible.run("exa_cold_start", hosts, "-i", machines, variables=given).ok()
    assert (again.changed(), len(log.read_text().splitlines())) == (0, 12)
