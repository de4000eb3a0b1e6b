# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Domains that Kubernetes manages: what only restarts there is refused before the first change; the rest works."""

from __future__ import annotations

from typing import Any

import pytest
from domains import QUICK, all_run, database, domain, running, start_ids
from world import play, until

SCALED = "scale its StatefulSets and Deployments"


def kubernetes(name: str = "nuo-kube", **more: Any) -> dict[str, Any]:
    """A domain of two servers, whose database's processes are those of pods."""
    found = domain(name, databases={"shop": database(up=True)}, **more)
    found["settings"] = {"kubernetes": True, "leaderAssignmentTimeout": 900000}
    found["timing"] = {**QUICK, "pod_restart": 0.3}
    for row in found["archives"].values():
        row["server_id"] = None
    for key, row in found["processes"].items():
        row.update(external=True, labels={"pod-name": f"pod-{key}"})
    return found


def scaled_down(name: str) -> dict[str, Any]:
    """One of whose database one SM's pod isn't there."""
    found = kubernetes(name)
    found["archives"]["1"]["state"] = "NOT_RUNNING"
    del found["processes"]["1"]
    return found


@pytest.mark.parametrize("check", [(), ("--check",)])
@pytest.mark.parametrize("servers", [False, True])
def test_a_shutdown_is_refused_at_preflight(simulate, ansible, check, servers):
    simulator = simulate(kubernetes())
    hosts = simulator.inventory(nuodb_graceful_shutdown_servers=servers)
    run = ansible.run("nuodb_graceful_shutdown", hosts, *check, variables={"confirm": "nuo-kube"}).failed()
    assert simulator.changes() == []
    (cause,) = set(run.failures())
    assert cause.startswith("nuo-kube: shop: it is started from outside the domain, for example by Kubernetes")
    assert "so a shutdown would only restart it" in cause
    assert ("Kubernetes manages the domain, and the AP's pod" in cause) is servers
    assert run.lines(f"hint: .*{SCALED} to 0")
    assert len(running(simulator)) == 4


@pytest.mark.parametrize("check", [(), ("--check",)])
@pytest.mark.parametrize("state", ["stopped", "restarted"])
def test_a_database_is_neither_stopped_nor_restarted(simulate, ansible, check, state):
    simulator = simulate(kubernetes())
    chosen = {"nuodb_database_state_databases": ["shop"], "nuodb_database_state_state": state, "confirm": "nuo-kube"}
    run = ansible.run("nuodb_database_state", simulator.inventory(), *check, variables=chosen).failed()
    assert "so a shutdown would only restart it" in run.failures()[0]
    assert simulator.changes() == []


@pytest.mark.parametrize("check", [(), ("--check",)])
def test_its_pods_are_not_restarted_one_by_one(simulate, ansible, check):
    simulator = simulate(kubernetes())
    given = {"confirm": "nuo-kube", "nuodb_rolling_restart_databases": ["shop"]}
    run = ansible.run("nuodb_rolling_restart", simulator.inventory(), *check, variables=given).failed()
    assert "shop is started from outside the domain" in run.failures()[0]
    assert "so each process would be started a second time" in run.failures()[0]
    assert run.lines("kubectl rollout restart")
    assert simulator.changes() == []


@pytest.mark.parametrize("check", [(), ("--check",)])
@pytest.mark.parametrize("runbook", ["nuodb_cold_start", "nuodb_recover", "nuodb_database_state"])
def test_what_would_start_something_is_refused(simulate, ansible, check, runbook):
    simulator = simulate(scaled_down("nuo-kube"))
    chosen = {"nuodb_database_state_databases": ["shop"]} if runbook == "nuodb_database_state" else {}
    run = ansible.run(runbook, simulator.inventory(), *check, variables=chosen).failed()
    (cause,) = set(run.failures())
    assert "nothing started: shop is started from outside the domain" in cause
    assert "so the SM of archive 1 can't be started here" in cause
    assert run.lines(f"hint: .*{SCALED} up")
    assert not run.lines(r"state=purged")
    assert simulator.changes() == []


def test_what_works_there(simulate, ansible):
    """Status, check, a cold start of what runs, a hot copy, and the restart of a single process."""
    simulator = simulate(kubernetes())
    hosts = simulator.inventory()
    status = ansible.run("status", hosts).ok()
    assert status.lines(r"started from outside the domain \(Kubernetes\): shop")
    check = ansible.run("check", hosts).ok()
    assert check.lines("refused: .*so a shutdown would only restart it")
    assert ansible.run("nuodb_cold_start", hosts).ok().changed() == 0
    assert ansible.run("nuodb_recover", hosts).ok().changed() == 0
    assert simulator.changes() == []

    (before,) = start_ids(simulator, archive_id=1)
    tasks = [
        {"dbfleet.cluster.nuodb_hotcopy": {"db_name": "shop", "default_backup_dir": "/backup/one"}},
        {
            "dbfleet.cluster.nuodb_process": {
                "processes": [{"archive_id": 1}], "state": "stopped", "allow_restart": True,
            }
        },
    ]  # fmt: skip
    ansible.run([play(tasks, "nuodb")], hosts).ok()
    until("all run again", lambda: all_run(simulator))
    assert start_ids(simulator, archive_id=1) != [before]
    assert [one.split()[0] for one in simulator.changes()] == ["POST", "DELETE"]
