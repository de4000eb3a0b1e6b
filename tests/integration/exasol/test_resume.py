# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Killed runs and lost answers: the next run, or the next look, goes on from where things are."""

from __future__ import annotations

from collections import Counter

import yaml
from ansible_collections.dbfleet.cluster.tests.admin import press
from world import PLUGIN, cluster, in_order, killed, until

NODES = ["n0011", "n0012", "n0013"]


def test_cold_start_killed_in_each_phase(simulate, ansible, tmp_path):
    """Run after run is killed, each in the next phase; what it began is held up until the next run has joined it."""
    simulator = simulate(cluster(nodes=3, databases=2, machines={"n0010": {"state": "offline"}}, timing={"plugin": 2}))
    task = {
        "name": "Power",
        "ansible.builtin.uri": press("/power", {"node": "n0010", "on": True}),
        "changed_when": False,
    }
    (tmp_path / "power.yml").write_text(yaml.safe_dump([task]))
    hosts = simulator.inventory(
        exa_log_service="logservice1",
        exa_plugins=[{"name": PLUGIN}],
        exa_cold_start_hooks={"power": str(tmp_path / "power.yml")},
        **simulator.hook(),
    )
    changes = []

    def start():
        changes.extend(simulator.changes())
        simulator.forget()
        return ansible.start("exa_cold_start", hosts)

    def kill(run):
        changes.extend(simulator.changes())
        killed(simulator, run)

    simulator.fault("never_boots", object="n0010")
    run = start()
    run.wait_line(r"api: \d\d:\d\d  waiting")
    kill(run)

    simulator.fault("never_boots", object="n0013")
    run = start()
    run.wait_line(r"api: \d\d:\d\d  waiting")
    until("n0010 is booting", lambda: simulator.state()["machines"]["n0010"]["state"] == "booting")
    simulator.admin("/faults?id=1", method="DELETE")
    run.wait_line(r"nodes: \d\d:\d\d  2/3 online")
    kill(run)

    run = start()
    run.wait_line(r"nodes: wait for n0013 \(booting\)")
    simulator.clock("seconds:1000")
    simulator.admin("/faults?id=2", method="DELETE")
    run.wait_for("EXAStorage is starting", lambda: simulator.state()["storage_state"] == "starting")
    killed(simulator, run)

    simulator.fault("never_connects", object="DB2")
    run = start()
    run.wait_line(r"services: wait for EXAStorage \(Storaged starting\)")
    simulator.clock("seconds:1")
    run.wait_line(r"databases: \d\d:\d\d  1/2 connectable")
    kill(run)

    run = start()
    run.wait_line(r"databases: wait for DB2 \(running, not connectable yet\)")
    simulator.mend()
    run.wait_for("a plugin is started", lambda: any("START" in row for row in simulator.changes()))
    kill(run)

    start().finish().ok()
    changes.extend(simulator.changes())
    assert simulator.all_connectable()
    assert set(simulator.state()["plugin_nodes"][PLUGIN].values()) == {"running"}
    count = Counter(row for row in changes if not row.startswith("callPlugin"))
    assert set(count.values()) == {1}, count
    assert len(count) == 3 + 1 + 2

    last = start().finish().ok()
    assert last.changed() == 0
    assert simulator.changes() == []


def test_shutdown_killed_in_each_phase(simulate, ansible):
    simulator = simulate(cluster(nodes=3, databases=2, up=True))
    hosts = simulator.inventory()
    changes = []

    def start(**more):
        changes.extend(simulator.changes())
        simulator.forget()
        return ansible.start("exa_graceful_shutdown", hosts, variables={"confirm": "exa-prod", **more})

    def kill(run):
        changes.extend(simulator.changes())
        killed(simulator, run)

    simulator.fault("never_stops", object="DB2")
    run = start()
    run.wait_line(r"databases: \d\d:\d\d  1/2 setup")
    kill(run)

    run = start()
    run.wait_line(r"databases: wait for DB2 \(shutdown\)")
    simulator.fault("never_stops", object="storage")
    simulator.admin("/faults?id=1", method="DELETE")
    run.wait_for("EXAStorage is stopping", lambda: simulator.state()["storage_state"] == "stopping")
    kill(run)

    run = start()
    run.wait_line(r"services: wait for EXAStorage \(Storaged stopping\)")
    simulator.fault("never_stops", object="n0012")
    simulator.admin("/faults?id=2", method="DELETE")
    run.wait_line(r"nodes: \d\d:\d\d  2/3 offline")
    kill(run)

    run = start()
    run.wait_line(r"nodes: wait for n0012 \(shutting down\)")
    simulator.mend()
    run.wait_for("the last call", lambda: simulator.calls("shutdownNode"))
    run.kill()
    changes.extend(simulator.changes())
    simulator.forget()
    until("it is silent", lambda: not simulator.state()["exaoperation_running"])

    start().finish().failed()
    start(exa_graceful_shutdown_unreachable="down").finish().ok()
    changes.extend(simulator.changes())
    in_order(
        changes,
        ["stopDatabase db_DB1", "stopDatabase db_DB2"],
        ["stopEXAStorage storage"],
        [f"shutdownNode {node}" for node in NODES],
        ["shutdownNode n0010"],
    )
    assert len(changes) == 7, changes


def test_shutdown_killed_after_its_last_call(simulate, ansible):
    """EXAoperation answers for a while on the machine that goes: the next run joins it, and tells it nothing."""
    simulator = simulate(cluster(nodes=1, databases=0, timing={"api_stop": 300, "shutdown": 300}))
    hosts = simulator.inventory()

    def start():
        return ansible.start("exa_graceful_shutdown", hosts, variables={"confirm": "exa-prod"})

    run = start()
    run.wait_for("the last call", lambda: simulator.calls("shutdownNode"))
    run.kill()
    run = start()
    run.wait_line(r"EXAoperation: wait for n0010 \(shutting down\)")
    simulator.clock("seconds:0.001")
    run.finish().ok()
    assert simulator.changes() == ["shutdownNode n0010"]


LOSSES = {
    "lost": {"kind": "reset_after"},
    "unsent": {"kind": "reset"},
    "hanging": {"kind": "hang"},
    "cut": {"kind": "truncate", "variant": "xml"},
}


def lose(simulator, calls):
    """The first call of each kind on one object loses its answer, in every cluster in another way."""
    simulator.mend()
    for name, fault in LOSSES.items():
        for method, target in calls.items():
            if (name, target) != ("hanging", "storage"):  # it may answer only when its work is done: see the deadlines
                simulator.fault(**fault, cluster=name, method=method, object=target, max_count=1)


def looked_between(simulator, name, method, target, reads):
    """Between two sendings of a call the object's state was read."""
    rows = [row for row in simulator.calls(cluster=name) if target in (row["path"] + str(row["args"]))]
    sent = [index for index, row in enumerate(rows) if row["method"] == method]
    return all(any(row["method"] in reads for row in rows[a:b]) for a, b in zip(sent, sent[1:]))


def test_lost_answers(simulate, ansible):
    """A call whose answer is lost is sent again only after a look that shows that it wasn't carried out."""
    simulator = simulate(*(cluster(name) for name in LOSSES))
    hosts = simulator.inventory(exa_request_timeout=1)
    starts = {"startupNode": "n0012", "startEXAStorage": "storage", "startDatabase": "DB1"}
    reads = {
        "startupNode": "getHardwareInformation",
        "startEXAStorage": "getServiceState",
        "startDatabase": "getDatabaseState",
        "stopDatabase": "getDatabaseState",
        "stopEXAStorage": "getServiceState",
        "shutdownNode": "getHardwareInformation",
    }
    expected = {"lost": 1, "cut": 1, "unsent": 2, "hanging": 2}

    def check(run, calls):
        for name in LOSSES:
            for method, target in calls.items():
                found = [
                    row for row in simulator.calls(method, cluster=name) if target in (row["path"] + str(row["args"]))
                ]
                times = 1 if (name, target) == ("hanging", "storage") else expected[name]
                assert len(found) == times, (name, method)
                about = "" if target == "storage" else target
                if target != "storage":
                    assert looked_between(simulator, name, method, about, reads[method])
        repeats = run.lines("is sent again: its answer was lost and nothing has changed")
        assert len(repeats) == 2 * len(calls) - 1

    lose(simulator, starts)
    run = ansible.run("exa_cold_start", hosts).ok()
    assert all(simulator.all_connectable(name) for name in LOSSES)
    check(run, starts)

    simulator.forget()
    stops = {"stopDatabase": "DB1", "stopEXAStorage": "storage", "shutdownNode": "n0012"}
    lose(simulator, stops)
    run = ansible.run("exa_graceful_shutdown", hosts, variables={"confirm": list(LOSSES)}).ok()
    check(run, stops)
    assert not any(simulator.state(name)["exaoperation_running"] for name in LOSSES)
