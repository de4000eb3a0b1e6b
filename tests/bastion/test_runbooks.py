# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole runbooks over a bastion, of both products; killed in each phase, too."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest
from domains import all_run, database, domain, down
from far_side import FarSide
from test_end import LATER, all_but_ssh
from world import Simulator, Started, cluster, spoken, until


class Runs:
    """Run after run of one runbook over a bastion.

    :ivar changes: of all runs so far.
    """

    def __init__(self, simulator: Simulator, ansible: Any, bastion: FarSide, pipelining: bool, version: str) -> None:
        self.simulator, self.ansible, self.bastion = simulator, ansible, bastion
        self.environment = bastion.environment(pipelining)
        self.hosts = simulator.inventory(**bastion.variables(version))
        self.changes: list[str] = []

    def start(self, playbook: str, **variables: Any) -> Started:
        started: Started = self.ansible.start(playbook, self.hosts, variables=variables, environment=self.environment)
        return started

    def kill(self, run: Started) -> None:
        """Its ssh stays, as does the connection that others may use; the module on the far side ends."""
        all_but_ssh(run, self.bastion)
        until("the module has ended", lambda: not self.bastion.modules())
        self.changes += self.simulator.changes()
        self.simulator.forget()
        time.sleep(LATER)
        late = [spoken(row) for row in self.simulator.calls()]
        assert late == [], f"a module goes on without its ansible-playbook: {late}"
        assert self.bastion.left() == []

    def finish(self, playbook: str, **variables: Any) -> None:
        self.start(playbook, **variables).finish().ok()
        self.changes += self.simulator.changes()
        self.simulator.forget()
        assert self.bastion.left() == []


@pytest.mark.parametrize("pipelining", [False, pytest.param(True, marks=pytest.mark.long)], indirect=True)
def test_an_exasol_cluster_goes_up_and_down(
    simulate: Any, ansible: Any, bastion: FarSide, newest: str, pipelining: bool
) -> None:
    runs = Runs(simulate(cluster()), ansible, bastion, pipelining, newest)
    runs.finish("exa_cold_start")
    assert runs.simulator.all_connectable()
    runs.finish("exa_graceful_shutdown", confirm="exa-prod")
    assert runs.simulator.phases() == {"DB1": "setup"}


@pytest.mark.parametrize(
    ("version", "pipelining"),
    [
        ("3.9", True),
        ("3.13", False),
        pytest.param("3.9", False, marks=pytest.mark.long),
        pytest.param("3.13", True, marks=pytest.mark.long),
    ],
    indirect=True,
)
def test_a_domain_goes_up_and_down(
    simulate: Any, ansible: Any, bastion: FarSide, version: str, pipelining: bool
) -> None:
    runs = Runs(simulate(domain(databases={"shop": database()})), ansible, bastion, pipelining, version)
    runs.finish("nuodb_cold_start")
    assert all_run(runs.simulator)
    runs.finish("nuodb_graceful_shutdown", confirm="nuo-prod")
    assert down(runs.simulator)


@pytest.mark.long
def test_an_exasol_cold_start_killed_in_each_phase(
    simulate: Any, ansible: Any, bastion: FarSide, newest: str, pipelining: bool
) -> None:
    simulator = simulate(cluster(databases=2))
    runs = Runs(simulator, ansible, bastion, pipelining, newest)
    simulator.fault("never_boots", object="n0012")
    run = runs.start("exa_cold_start")
    run.wait_for("its nodes boot", lambda: len(simulator.calls("startupNode")) == 2)
    runs.kill(run)

    simulator.mend()
    simulator.clock("seconds:200")
    run = runs.start("exa_cold_start")
    run.wait_for("EXAStorage is starting", lambda: simulator.state()["storage_state"] == "starting")
    runs.kill(run)

    simulator.fault("never_connects", object="DB2")
    simulator.clock("seconds:1")
    run = runs.start("exa_cold_start")
    run.wait_for("its databases start", lambda: len(simulator.calls("startDatabase")) == 2)
    runs.kill(run)

    simulator.mend()
    runs.finish("exa_cold_start")
    assert simulator.all_connectable()
    count = Counter(runs.changes)
    assert set(count.values()) == {1}, count
    assert len(count) == 2 + 1 + 2


@pytest.mark.long
def test_an_exasol_shutdown_killed_in_each_phase(
    simulate: Any, ansible: Any, bastion: FarSide, newest: str, pipelining: bool
) -> None:
    simulator = simulate(cluster(up=True))
    runs = Runs(simulator, ansible, bastion, pipelining, newest)
    simulator.fault("never_stops", object="DB1")
    run = runs.start("exa_graceful_shutdown", confirm="exa-prod")
    run.wait_for("the database stops", lambda: simulator.calls("stopDatabase"))
    runs.kill(run)

    simulator.fault("never_stops", object="storage")
    simulator.admin("/faults?id=1", method="DELETE")
    run = runs.start("exa_graceful_shutdown", confirm="exa-prod")
    run.wait_for("EXAStorage is stopping", lambda: simulator.state()["storage_state"] == "stopping")
    runs.kill(run)

    simulator.mend()
    runs.finish("exa_graceful_shutdown", confirm="exa-prod")
    assert simulator.phases() == {"DB1": "setup"}
    count = Counter(runs.changes)
    assert set(count.values()) == {1}, count


@pytest.mark.long
def test_a_domains_cold_start_and_restart_killed(
    simulate: Any, ansible: Any, bastion: FarSide, newest: str, pipelining: bool
) -> None:
    simulator = simulate(domain(databases={"shop": database()}))
    runs = Runs(simulator, ansible, bastion, pipelining, newest)
    for engine, stays in (("SM", "CONFIGURED"), ("TE", "TRACKED")):
        simulator.fault("stays", object=engine, state=stays)
        run = runs.start("nuodb_cold_start")
        run.wait_for(
            f"each {engine} is asked for",
            lambda engine=engine: [
                row for row in simulator.calls("POST processes") if row["args"]["body"]["engineType"] == engine
            ],
        )
        runs.kill(run)
        simulator.mend()
    runs.finish("nuodb_cold_start")
    assert all_run(simulator)

    wanted = {"nuodb_database_state_databases": ["shop"], "nuodb_database_state_state": "restarted"}
    simulator.fault("stays", object="TE", state="REQUESTED_SHUTDOWN")
    run = runs.start("nuodb_database_state", confirm="nuo-prod", **wanted)
    run.wait_for("the database is told to stop", lambda: simulator.calls("POST databases/shutdown"))
    runs.kill(run)
    simulator.mend()
    runs.finish("nuodb_database_state", confirm="nuo-prod", **wanted)
    assert all_run(simulator)
