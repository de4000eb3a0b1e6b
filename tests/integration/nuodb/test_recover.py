# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runbook nuodb_recover: failures NUODB-335, NUODB-336, NUODB-337, the cause of each in words, and the way back."""

from __future__ import annotations

import re

from domains import all_run, connection, database, die, domain, down, forgive, start_ids, starts, steps_of
from world import play, until

IMPATIENT = {"settings": {"leaderAssignmentTimeout": 300}}
PATIENT = {"settings": {"leaderAssignmentTimeout": 600000}}
UP = {"shop": database(up=True)}
DOWN = {"shop": database()}
GROUP = {"SGEAST": {"archive_states": {"1": "ADDED", "2": "ADDED"}}}

ALL = ["shop SM 0", "shop SM 1", "shop TE server0", "shop TE server1"]


def storage(simulator, name, archive_id):
    return start_ids(simulator, name, archive_id=archive_id)[0]


def gone(simulator, name, start_id):
    until(f"{start_id} of {name} has exited", lambda: start_id in simulator.state(name)["tombstones"])


def requested(simulator, name, *, engine_type, archive_id=None):
    """A process that somebody started alone, and how it ends."""
    process = connection(simulator, name).start_process("shop", "server0", engine_type, archive_id)
    gone(simulator, name, process.start_id)
    forgive(simulator, name)


def fail(simulator):
    """Every domain has its failure."""
    # alone: the second SM died first, then the one that was left
    for archive_id in (1, 0):
        die(simulator, storage(simulator, "alone", archive_id), "alone")
    until("alone is down", lambda: down(simulator, "alone"))
    requested(simulator, "one-of-two", engine_type="SM", archive_id=0)
    requested(simulator, "te-only", engine_type="TE")
    die(simulator, storage(simulator, "half", 1), "half")
    die(simulator, start_ids(simulator, "te-died", engine_type="TE", server_id="server1")[0], "te-died", exit_code=134)
    connection(simulator, "on-purpose").shutdown_database("shop")
    until("on-purpose is down", lambda: down(simulator, "on-purpose"))
    connection(simulator, "starting").start_process("shop", "server0", "SM", 0)
    until("it waits", lambda: start_ids(simulator, "starting", durable_state="STARTED"))
    simulator.forget()


def test_each_failure_and_its_cause(simulate, ansible):
    simulator = simulate(
        domain("alone", databases=UP),
        domain("one-of-two", databases=DOWN, **IMPATIENT),
        domain("te-only", databases=DOWN, **IMPATIENT),
        domain("half", databases=UP),
        domain("te-died", databases=UP),
        domain("on-purpose", databases=UP),
        domain("starting", databases=DOWN, **PATIENT),
        domain("healthy", databases=UP),
    )
    fail(simulator)
    hosts = simulator.inventory()
    before = {name: simulator.state(name) for name in hosts}
    brings_back = {
        "alone": ALL,
        "one-of-two": ALL,
        "te-only": ALL,
        "half": ["shop SM 1"],
        "te-died": ["shop TE server1"],
        "on-purpose": [],
        "starting": ALL[1:],
        "healthy": [],
    }

    preview = ansible.run("nuodb_recover", hosts, "--check").ok()
    for name in hosts:
        assert simulator.changes(name) == [], name
        assert simulator.state(name)["processes"].keys() == before[name]["processes"].keys(), name

    run = ansible.run("nuodb_recover", hosts).ok()
    for name, missing in brings_back.items():
        assert sorted(simulator.changes(name)) == starts(*missing), name
        assert all_run(simulator, name) == (name != "on-purpose"), name
        assert run.custom[name]["result"] == "ok"
        assert run.custom[name]["recovered"] == (["shop"] if missing else [])
        # The preview, the plan and the deed are the same steps.
        did = steps_of(run, "What was missing runs again", name)
        for other in (preview, run):
            assert steps_of(other, "What failed, and the plan", name) == did, name
        assert steps_of(preview, "What was missing runs again", name) == did, name
    assert down(simulator, "on-purpose")

    says = {name: " ".join(run.custom[name]["findings"]) for name in hosts}
    for name, text in says.items():
        assert bool(text) == (name != "healthy")
        assert all(run.lines(rf"^\[{name}\] found: {re.escape(one)}") for one in run.custom[name]["findings"])
    killed = (
        "without leaving a reason; the domain only saw the connection close, with exit code 137 (SIGKILL, as kill -9"
    )
    assert re.search(r"shop is down: the SM of archive 1 .* died .*; the SM of archive 0 .* died ", says["alone"])
    assert says["alone"].count(killed) == 2
    assert "its last SM gone, the database became non-durable and its TEs were shut down" in says["alone"]
    for name, who, why in (
        ("one-of-two", "the SM of archive 0", "Timed out while awaiting leader assignment (300 ms)"),
        ("te-only", "the TE on server0", "Timed out while awaiting entry node (300 ms)"),
    ):
        assert re.search(rf"shop is down: it was started in part: {who} .* gave up at ", says[name])
        assert why in says[name]
    assert re.search(r"shop runs on 1 of 2 archives, .* the SM of archive 1 .* died at ", says["half"])
    assert killed in says["half"]
    assert re.search(r"shop has 1 of 2 TEs: the TE on server1 .* exit code 134 \(SIGABRT\)", says["te-died"])
    assert "shop was shut down on purpose, and stays down" in says["on-purpose"]
    assert "half started (AWAITING_ARCHIVE_HISTORIES_MSG)" in says["starting"]
    assert "the history of archive 1, whose SM wasn't requested" in says["starting"]

    simulator.forget()
    again = ansible.run("nuodb_recover", hosts).ok()
    assert again.changed() == 0
    assert all(simulator.changes(name) == [] for name in hosts)


TES = [{"name": "shop", "te_server_ids": ["server0", "server1"]}]


def offline(simulator, name="nuo-prod"):
    """Both SMs of a storage group are lost under TEs, and somebody has tried to start them."""
    before = len(simulator.state(name)["tombstones"])
    for archive_id in (1, 2):
        die(simulator, storage(simulator, name, archive_id), name)
    for archive_id in (1, 2):
        connection(simulator, name).start_process("shop", "server1", "SM", archive_id)
    until("they exited", lambda: len(simulator.state(name)["tombstones"]) == before + 4)
    simulator.forget()


def test_a_storage_group_that_is_offline(simulate, ansible):
    """Its SMs can't join beside TEs. Nobody stops TEs unasked; where that is meant, they come back, after a cut too."""
    three = database(["server0", "server1", "server1"], up=True)
    simulator = simulate(domain(databases={"shop": three}, storage_groups={"shop": GROUP}))
    offline(simulator)
    plain, described = simulator.inventory(), simulator.inventory(nuodb_databases=TES)
    stop = {"nuodb_recover_stop_tes": True, "confirm": "nuo-prod"}

    for runbook, hosts, more in (
        ("nuodb_recover", described, {}),
        ("nuodb_cold_start", described, {}),
        ("nuodb_recover", plain, stop),
    ):
        for check in ((), ("--check",)):
            run = ansible.run(runbook, hosts, *check, variables=more).failed()
            (cause,) = set(run.failures())
            assert "storage group SGEAST (archive 1 2) of shop is offline" in cause
            assert run.lines("hint: .*te_server_ids" if more else "hint: .*nuodb_recover_stop_tes: true")
            assert simulator.changes() == []
    assert run.lines(
        "found: .*storage group SGEAST was offline, and none of its SMs can join while TEs run: stop the TEs"
    )
    unconfirmed = ansible.run("nuodb_recover", described, variables={"nuodb_recover_stop_tes": True}).failed()
    assert "nothing is confirmed" in unconfirmed.failures()[0]

    preview = ansible.run("nuodb_recover", described, "--check", variables=stop).ok()
    assert simulator.changes() == []
    run = ansible.run("nuodb_recover", described, variables=stop).ok()
    assert run.lines("this run stops the TEs, starts the SMs, then starts the TEs again; nobody can use the database")
    changes = simulator.changes()
    assert [one.split()[0] for one in changes] == ["DELETE"] * 2 + ["POST"] * 4
    assert sorted(changes[2:4]) == starts("shop SM 1", "shop SM 2")
    assert sorted(changes[4:]) == starts("shop TE server0", "shop TE server1")
    assert all_run(simulator)
    for other in (preview, run):
        assert steps_of(other, "What failed, and the plan", "nuo-prod") == steps_of(
            run, "What was missing runs again", "nuo-prod"
        )
    assert ansible.run("nuodb_recover", described, variables=stop).ok().changed() == 0

    # A run was cut off between the TEs' end and their start.
    offline(simulator)
    for start_id in start_ids(simulator, engine_type="TE"):
        connection(simulator).shutdown_process(start_id)
    until("the TEs are gone", lambda: not start_ids(simulator, engine_type="TE"))
    simulator.forget()
    ansible.run("nuodb_recover", described, variables=stop).ok()
    assert sorted(simulator.changes()) == sorted(starts("shop SM 1", "shop SM 2", "shop TE server0", "shop TE server1"))
    assert all_run(simulator)


def test_the_last_sm_of_a_storage_group_stays(simulate, ansible):
    group = {"SGEAST": {"archive_states": {"1": "ADDED"}}}
    simulator = simulate(domain(databases=UP, storage_groups={"shop": group}))
    task = {"processes": [{"archive_id": 1}], "state": "stopped"}
    tasks = [{"name": "Stop it", "dbfleet.cluster.nuodb_process": task}]
    run = ansible.run([play(tasks, "nuodb")], simulator.inventory()).failed()
    assert "storage group SGEAST of shop would lose its last SM while TEs run" in run.failures()[0]
    assert "allow_offline_group: true accepts this" in run.one("Stop it", "nuo-prod")["hint"]
    assert simulator.changes() == []
    task["allow_offline_group"] = True
    ansible.run([play(tasks, "nuodb")], simulator.inventory()).ok()
    forgive(simulator)
    assert [one.split()[0] for one in simulator.changes()] == ["DELETE"]
