# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runbook exa_graceful_shutdown: its order, its refusals and their overrides."""

from __future__ import annotations

from world import cluster, in_order

DOWN = {"confirm": "exa-prod"}


def everything_is_off(simulator, name=None):
    state = simulator.state(name)
    machines = [row["state"] for row in (*state["nodes"].values(), *state["machines"].values())]
    return (
        set(machines) <= {"off", "shutting_down"} and not state["storage_online"] and not state["exaoperation_running"]
    )


def test_order_and_second_run(simulate, ansible):
    """Two license servers; the answer to the very last call is lost with the connection."""
    two = {"license_servers": ["n0009", "n0010"], "master": "n0010", "exaoperation_nodes": ["n0010"]}
    simulator = simulate(cluster(nodes=3, databases=2, up=True, **two))
    simulator.fault("reset_after", method="shutdownNode", object="n0010")
    hosts = simulator.inventory(exa_license_servers=["n0009", "n0010"], exa_log_service="logservice1")
    run = ansible.run("exa_graceful_shutdown", hosts, variables=DOWN).ok()

    in_order(
        simulator.changes(),
        ["stopDatabase db_DB1", "stopDatabase db_DB2"],
        ["stopEXAStorage storage"],
        ["shutdownNode n0011", "shutdownNode n0012", "shutdownNode n0013"],
        ["shutdownNode n0009"],
        ["shutdownNode n0010"],
    )
    assert len(simulator.changes()) == 8
    assert everything_is_off(simulator)
    assert run.lines(r"databases: log: .*DB1 .*requested shutdown")
    assert list(run.custom["exa-prod"]["phases"]) == ["preflight", "databases", "storage", "nodes", "license_servers"]

    simulator.forget()
    again = ansible.run("exa_graceful_shutdown", hosts, variables=DOWN).failed()
    (cause,) = set(again.failures())
    assert cause.startswith("exa-prod: ")
    assert "unreachable or already down" in cause
    assert "exa_graceful_shutdown_unreachable=down" in cause
    expected = ansible.run(
        "exa_graceful_shutdown", hosts, variables={**DOWN, "exa_graceful_shutdown_unreachable": "down"}
    ).ok()
    assert expected.changed() == 0
    assert simulator.changes() == []


def test_a_booting_node_is_joined_and_then_shut_down(simulate, ansible):
    """In one cluster getNodeState says that it boots, in the other it fails; a preview promises what is done then."""
    simulator = simulate(cluster("told"), cluster("untold", settings={"node_booting": "fault"}))
    for name in simulator.names:
        simulator.fault("never_boots", cluster=name, object="n0012")
        simulator.power("n0012", on=True, cluster=name)
    hosts, variables = simulator.inventory(), {"confirm": simulator.names}
    promised = ansible.run("exa_graceful_shutdown", hosts, "--check", variables=variables).ok()
    assert all(simulator.changes(name) == [] for name in simulator.names)

    run = ansible.start("exa_graceful_shutdown", hosts, variables=variables)
    for name in simulator.names:
        why = "booting, to be shut down once it is online, then shutdownNode"
        run.wait_line(rf"\[{name}\] nodes: wait for n0012 \({why}\)")
    simulator.mend()
    done = run.finish().ok()
    for name in simulator.names:
        assert simulator.changes(name) == ["shutdownNode n0012", "shutdownNode n0010"]
        assert everything_is_off(simulator, name)
        taken = [[step["step"], step["object"]] for step in done.one("Every node is off", name)["steps"]]
        assert taken == [["shutdownNode", "n0012"]]
        for task in ("Every node is off", "The plan, and all reasons to refuse it"):
            steps = [row for row in promised.one(task, name)["steps"] if row.get("part", "nodes") == "nodes"]
            assert [[step["step"], step["object"]] for step in steps][:1] == taken, task


def test_what_stands_against_it(simulate, ansible):
    """Each cluster in another condition, all in one run."""
    backup = {"state": "running", "operation": "Backup"}
    short = {**backup, "operation_time": 6}
    conditions = {
        "busy": {"databases": {"DB1": backup, "DB2": {"state": "running"}}},
        "patient": {"databases": {"DB1": short}},
        "impatient": {"databases": {"DB1": backup}},
        "forced": {"databases": {"DB1": backup}, "settings": {"database_stop_during_operation": "allow"}},
        "uncreated": {"databases": {"DB1": {"state": "running"}, "DB9": {"state": "none"}}},
        "left-out": {"databases": {"DB1": {"state": "running"}, "DB9": {"state": "none"}}},
        "strange": {},
        "moved": {"master": "n0012", "listeners": ["n0010", "n0012"]},
        "arriving": {"databases": {"DB1": {"state": "startup", "start": 4}}},
        "leaving": {"databases": {"DB1": {"state": "shutdown", "stop": 4}}},
    }
    simulator = simulate(*(cluster(name, up=True, **more) for name, more in conditions.items()))
    simulator.fault("wrong_state", cluster="strange", method="getDatabaseState", object="DB1", value="migrating")
    strange_info = {"state": "migrating", "connectible": "No", "operation": "None", "connection string": ""}
    simulator.fault("wrong_state", cluster="strange", method="getDatabaseInfo", object="DB1", value=strange_info)
    hosts = simulator.inventory()
    hosts["patient"]["exa_graceful_shutdown_on_operation"] = "wait"
    hosts["impatient"]["exa_graceful_shutdown_on_operation"] = "abort_backup"
    hosts["forced"]["exa_graceful_shutdown_force"] = True
    hosts["left-out"]["exa_graceful_shutdown_databases"] = ["DB1"]
    run = ansible.run("exa_graceful_shutdown", hosts, variables={"confirm": simulator.names}).failed()

    refused = {"busy", "uncreated", "strange", "moved"}
    assert {host for host, row in run.stats.items() if row["failures"]} == refused, run.out
    for name in refused:
        assert simulator.changes(name) == []
    for name in set(conditions) - refused:
        assert everything_is_off(simulator, name), name

    says = {name: run.failures(name)[0] for name in refused}
    assert "busy: DB1: operation Backup is running" in says["busy"]
    assert "DB2" not in says["busy"]
    assert run.lines(r"\[busy\] hint: .*on_operation: wait.*on_operation: abort_backup")
    assert "uncreated: DB9: state 'none' shows that it was never created" in says["uncreated"]
    assert "strange: DB1: state 'migrating'" in says["strange"]
    assert "EXAoperation runs on n0012" in says["moved"]
    assert run.lines(r"\[moved\] hint: move EXAoperation to the license server")

    assert "abortBackup db_DB1" not in simulator.changes("patient")
    in_order(
        simulator.changes("impatient"), ["abortBackup db_DB1"], ["stopDatabase db_DB1"], ["stopEXAStorage storage"]
    )
    assert simulator.changes("forced")[0] == "forceShutdownDatabase db_DB1"
    assert not any("stopDatabase" in row for row in simulator.changes("forced"))
    for name in set(conditions) - {"forced"}:
        assert not simulator.calls("forceShutdownDatabase", cluster=name)
    assert simulator.changes("arriving").count("stopDatabase db_DB1") == 1
    assert simulator.calls("stopDatabase", cluster="leaving") == []


def test_all_refusals_at_once(simulate, ansible):
    busy = {"DB1": {"state": "running", "operation": "Backup"}, "DB2": {"state": "none"}}
    simulator = simulate(cluster(up=True, databases=busy, master="n0012", listeners=["n0010", "n0012"]))
    run = ansible.run("exa_graceful_shutdown", simulator.inventory(), variables=DOWN).failed()
    cause = run.failures()[0]
    for part in ("EXAoperation runs on n0012", "DB1: operation Backup", "DB2: state 'none'"):
        assert part in cause
    assert simulator.changes() == []


def test_confirmation_by_name(simulate, ansible):
    simulator = simulate(cluster("exa-a", up=True), cluster("exa-b", up=True))
    hosts = simulator.inventory()
    for confirm in ({}, {"confirm": "exa-a"}, {"confirm": ["exa-a", "exa-c"]}, {"confirm": "yes"}):
        run = ansible.run("exa_graceful_shutdown", hosts, variables=confirm).failed()
        assert set(run.stats) == {"exa-a", "exa-b"}
        first, then = sorted((run.failures(name)[0] for name in hosts), key=lambda cause: "refused together" in cause)
        assert "takes exa-a exa-b down" in first
        assert "confirm=exa-a,exa-b" in first
        assert then.endswith("gives the reason [DBF-7015]")
    assert simulator.calls() == [] == simulator.calls(cluster="exa-b")

    run = ansible.run("exa_graceful_shutdown", hosts, "-e", "confirm=exa-b", "-e", "target=exa-b").ok()
    assert everything_is_off(simulator, "exa-b")
    assert simulator.calls(cluster="exa-a") == []
    assert list(run.stats) == ["exa-b"]


def test_no_way_in_leads_around_the_confirmation(simulate, ansible):
    """A run that begins in the middle is asked, too, before the hooks of its first phase; once confirmed it goes on."""
    simulator = simulate(cluster("exa-a", up=True), cluster("exa-b", up=True))
    hosts = simulator.inventory()
    stopped = {"exa_database_state_databases": "all", "exa_database_state_state": "stopped"}
    ways = [
        ("exa_graceful_shutdown", "(2/5) databases"),
        ("exa_graceful_shutdown", "(4/5) nodes"),
        ("exa_database_state", "(1/1) databases"),
    ]
    for runbook, task in ways:
        run = ansible.run(runbook, hosts, "--start-at-task", task, variables=stopped).failed()
        causes = [run.failures(name)[0] for name in hosts]
        assert sum("takes exa-a exa-b down and nothing is confirmed" in cause for cause in causes) == 1, causes
        assert sum("refused together with" in cause for cause in causes) == 1, causes
    tags = ("--tags", "databases", "--skip-tags", "always")
    ansible.run("exa_graceful_shutdown", hosts, *tags).failed()
    assert simulator.calls() == [] == simulator.calls(cluster="exa-b")

    confirmed = {"confirm": simulator.names}
    run = ansible.run("exa_graceful_shutdown", hosts, "--start-at-task", ways[0][1], variables=confirmed).ok()
    assert everything_is_off(simulator, "exa-a")
    assert everything_is_off(simulator, "exa-b")
    assert len(run.of("Every phase up to the first hook", "exa-a")) == 1


def test_license_servers_are_held_against_the_cluster(simulate, ansible):
    """One that isn't named would take EXAoperation over; one that the cluster doesn't know would count as off."""
    two = {"license_servers": ["n0009", "n0010"], "master": "n0010"}
    simulator = simulate(
        cluster("unnamed", up=True, **two), cluster("unknown", up=True), cluster("right", up=True, **two)
    )
    hosts = simulator.inventory()
    hosts["unknown"]["exa_license_servers"] = ["n0010", "n0099"]
    hosts["right"]["exa_license_servers"] = ["n0010", "n0009"]
    confirm = {"confirm": simulator.names}
    wanted = {
        "unnamed": "with license servers n0010: n0009 is online and can run EXAoperation, but is neither a node nor",
        "unknown": "with license servers n0010 n0099: the cluster doesn't know n0099, which would count as off",
    }
    for arguments in (["--check"], [], ["--tags", "license_servers"]):
        run = ansible.run("exa_graceful_shutdown", hosts, *arguments, variables=confirm).failed()
        for name, text in wanted.items():
            assert text in run.custom[name]["cause"]
            assert not simulator.changes(name)
    assert everything_is_off(simulator, "right")


def test_exaoperation_that_moves_all_the_same(simulate, ansible):
    """A server that doesn't tell where EXAoperation can run: what comes of it ends the wait at once, and says why."""
    two = {"license_servers": ["n0009", "n0010"], "master": "n0010"}
    simulator = simulate(cluster(up=True, **two), broken=["exaoperation-off-before-license-server"])
    simulator.fault("fault", method="getEXAoperationNodes", text="not implemented")
    run = ansible.run("exa_graceful_shutdown", simulator.inventory(), variables=DOWN).failed()
    assert "EXAoperation moved to n0009, which is not among the license servers" in run.custom["exa-prod"]["cause"]
    assert "exa_license_servers" in run.out
