# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress is seen while it is waited for: the simulator goes on only after the test has read the line."""

from __future__ import annotations

import re

import pytest
from world import HERE, cluster, until


def held(simulate):
    """A cluster whose nodes and databases come one at a time, each when the test lets it."""
    simulator = simulate(cluster(nodes=3, databases=2))
    faults = {node: simulator.fault("never_boots", object=node) for node in ("n0012", "n0013")}
    faults["DB2"] = simulator.fault("never_connects", object="DB2")

    def release(name):
        simulator.admin(f"/faults?id={faults[name]}", method="DELETE")

    return simulator, release


@pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])
def test_lines_come_during_the_wait(simulate, ansible, terminal):
    simulator, release = held(simulate)
    run = ansible.start(
        "exa_cold_start", simulator.inventory(), environment={"DBFLEET_HEARTBEAT": "0.5"}, terminal=terminal
    )
    line = r"\[exa-prod\] nodes: \d\d:\d\d  1/3 online, waiting for n0012 n0013 \(booting\), times out in \d\d:\d\d"
    run.wait_line(line)
    release("n0012")
    run.wait_line(r"nodes: \d\d:\d\d  2/3 online, waiting for n0013 \(booting\)")
    # Nothing changes now, and still it is said that it waits.
    run.wait_for("heartbeats", lambda: len(re.findall(r"2/3 online", run.out)) >= 3)
    assert simulator.state()["nodes"]["n0013"]["state"] == "booting"
    release("n0013")
    run.wait_line(r"databases: \d\d:\d\d  1/2 connectable, waiting for DB2 \(running, not connectable yet\)")
    release("DB2")
    result = run.finish().ok()
    assert result.lines(r"nodes: \d\d:\d\d  3/3 online$")
    assert result.lines(r"databases: \d\d:\d\d  2/2 connectable$")


def test_events_of_ansible_runner(simulate, ansible, tmp_path):
    ansible_runner = pytest.importorskip("ansible_runner")
    simulator, release = held(simulate)
    inventory = ansible.write_inventory(simulator.inventory())
    environment = ansible.environment(DBFLEET_DUMP=str(tmp_path / "dump.jsonl"), DBFLEET_HEARTBEAT="0.5")
    environment.pop("ANSIBLE_CALLBACK_PLUGINS")
    environment.pop("ANSIBLE_CALLBACKS_ENABLED")
    verbose = []

    def handle(event):
        if event["event"] == "verbose":
            verbose.append(event["stdout"])
        return False

    private = tmp_path / "runner"
    private.mkdir()
    thread, runner = ansible_runner.run_async(
        private_data_dir=str(private), playbook="dbfleet.cluster.exa_cold_start", inventory=str(inventory),
        envvars=environment, event_handler=handle, quiet=True, project_dir=str(HERE), extravars={"target": "all"},
    )  # fmt: skip
    until("an event of the nodes", lambda: any("1/3 online" in line for line in verbose))
    assert thread.is_alive()
    release("n0012")
    release("n0013")
    until("an event of the databases", lambda: any("1/2 connectable" in line for line in verbose))
    assert thread.is_alive()
    release("DB2")
    thread.join(120)
    assert runner.status == "successful"
    assert any("3/3 online" in line for line in verbose)
