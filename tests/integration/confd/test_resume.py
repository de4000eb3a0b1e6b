# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ConfD clusters: killed runs, lost answers, a master that dies; progress is seen while it is waited for."""

from __future__ import annotations

import re
from collections import Counter

from world import confd, in_order, killed, until


def one_off(name="exa-confd", databases=2, **more):
    """A cluster of a cloud deployment whose last node is off, and whose databases are down."""
    down = {f"DB{number}": {"state": "setup"} for number in range(1, databases + 1)}
    topology = confd(name, databases=down, deployment="cloud", settings={"auto_start": False}, **more)
    topology["nodes"]["n13"]["state"] = "offline"
    return topology


def lift(simulator, number):
    simulator.admin(f"/faults?id={number}", method="DELETE")


def test_cold_start_killed_in_each_phase(simulate, ansible):
    """What a killed run began is joined; the lines come while the simulator holds everything up."""
    simulator = simulate(one_off(timing={"database_start": 3}))
    hosts = simulator.inventory(exa_cold_start_power="infra")
    changes, often = [], {"DBFLEET_HEARTBEAT": "0.5"}

    def kill(run):
        changes.extend(simulator.changes())
        killed(simulator, run)

    boots = simulator.fault("never_boots", object="n13")
    connects = simulator.fault("never_connects", object="DB2")
    starts = simulator.fault("job_stays", object="db_start", state="executed")
    run = ansible.start("exa_cold_start", hosts, environment=often)
    run.wait_line(r"\[exa-confd\] nodes: \d\d:\d\d  2/3 online, waiting for n13 \(booting\), times out in \d\d:\d\d")
    kill(run)

    run = ansible.start("exa_cold_start", hosts, environment=often)
    run.wait_line(r"nodes: wait for n13 \(booting\)")
    lift(simulator, boots)
    run.wait_line(r"databases: .*job \d+\.\d+ \(db_start of DB1\): executed")
    run.wait_for("both are started", lambda: len(simulator.changes()) == 2)
    kill(run)

    run = ansible.start("exa_cold_start", hosts, environment=often)
    lift(simulator, starts)
    run.wait_line(r"databases: \d\d:\d\d  1/2 connectable, waiting for DB2 \(running, not connectable yet\)")
    lift(simulator, connects)
    run.finish().ok()
    changes.extend(simulator.changes())
    assert simulator.all_connectable()
    assert Counter(changes) == {"infra_instances_start": 1, "db_start DB1": 1, "db_start DB2": 1}

    simulator.forget()
    assert ansible.run("exa_cold_start", hosts).ok().changed() == 0
    assert simulator.changes() == []


def test_shutdown_killed_in_each_phase(simulate, ansible):
    timing = {"shutdown": 3, "api_stop": 3}
    simulator = simulate(confd(databases=2, deployment="cloud", timing=timing))
    hosts = simulator.inventory(exa_graceful_shutdown_power="infra")
    changes = []

    def start(**more):
        changes.extend(simulator.changes())
        simulator.forget()
        return ansible.start("exa_graceful_shutdown", hosts, variables={"confirm": "exa-confd", **more})

    simulator.fault("never_stops", object="DB2")
    run = start()
    run.wait_line(r"databases: \d\d:\d\d  1/2 setup, waiting for DB2")
    changes.extend(simulator.changes())
    killed(simulator, run)

    run = start()
    run.wait_line(r"databases: wait for DB2 \(shutdown\)")
    simulator.mend()
    run.wait_for("the instances are stopped", lambda: "infra_instances_stop" in simulator.changes())
    run.kill()

    half_down = start().finish().failed()  # the nodes that still speak have no quorum, or are going just now
    says = "HTTP 503|unreachable or already down|answered a moment before"
    assert re.search(says, half_down.failures()[0]), half_down.out
    until("it is off", lambda: {row["state"] for row in simulator.state()["nodes"].values()} == {"off"})
    down = start().finish().failed()
    assert "unreachable or already down" in down.failures()[0]
    start(exa_graceful_shutdown_unreachable="down").finish().ok()
    changes.extend(simulator.changes())
    in_order(changes, ["db_stop DB1", "db_stop DB2"], ["infra_instances_stop"])
    assert len(changes) == 3, changes


LOSSES = {"cut": ("truncate", 1), "unsent": ("reset", 2)}


def test_lost_answers(simulate, ansible):
    """A job whose answer is lost is sent again only after a look that shows that it wasn't carried out."""
    simulator = simulate(*(one_off(name, databases=1) for name in LOSSES))
    hosts = simulator.inventory(exa_cold_start_power="infra", exa_graceful_shutdown_power="infra")

    def lose(*jobs):
        simulator.mend()
        simulator.forget()
        for name, (kind, _times) in LOSSES.items():
            for job in jobs:
                simulator.fault(kind, cluster=name, method=job, max_count=1, variant="xml")

    def check(run, *jobs):
        for name, (_kind, times) in LOSSES.items():
            assert Counter(simulator.changes(name)) == dict.fromkeys(jobs, times), name
        assert len(run.lines("is sent again: its answer was lost and nothing has changed")) == len(jobs)

    lose("infra_instances_start", "db_start")
    run = ansible.run("exa_cold_start", hosts).ok()
    assert all(simulator.all_connectable(name) for name in LOSSES)
    check(run, "infra_instances_start", "db_start DB1")
    lose("db_stop", "infra_instances_stop")
    ansible.run("exa_graceful_shutdown", hosts, variables={"confirm": list(LOSSES)}).ok()
    for name, (_kind, times) in LOSSES.items():
        assert simulator.changes(name) == ["db_stop DB1"] * times + ["infra_instances_stop"] * times, name
        assert {row["state"] for row in simulator.state(name)["nodes"].values()} <= {"off", "shutting_down"}


def test_the_master_dies_in_the_middle(simulate, ansible):
    """Its jobs are lost with it; another node takes over, and the run goes on there."""
    simulator = simulate(
        confd(databases={"DB1": {"state": "setup", "nodes": [12, 13]}}, settings={"auto_start": False})
    )
    simulator.fault("never_connects", object="DB1")
    run = ansible.start("exa_cold_start", simulator.inventory(exa_wait_timeout=60))
    run.wait_line(r"databases: \d\d:\d\d  0/1 connectable, waiting for DB1 \(running, not connectable yet\)")
    simulator.power("n11", False)
    until("another master", lambda: simulator.state()["master"] != "n11")
    simulator.mend()
    run.finish().ok()
    assert simulator.changes() == ["db_start DB1"]
    assert simulator.calls()[-1]["node"] != "n11"
