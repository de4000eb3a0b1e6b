# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs after a start or a recovery that came to nothing, or only half of the way."""

from __future__ import annotations

from functools import partial

from domains import all_run, connection, database, die, domain, down, running, start_ids, starts, steps_of
from world import spoken, until

TES = ["shop TE server0", "shop TE server1"]
ALL = ["shop SM 0", "shop SM 1", *TES]


def storage_runs(simulator, name):
    """Somebody started the SMs, and no TE."""
    for archive_id in (0, 1):
        connection(simulator, name).start_process("shop", f"server{archive_id}", "SM", archive_id)
    until(f"the SMs of {name} run", lambda: len(running(simulator, name)) == 2)


def tes_failed(simulator, name):
    """Both TEs exited before they had joined."""
    fault = simulator.fault("never_starts", cluster=name, object="TE")
    for server in ("server0", "server1"):
        connection(simulator, name).start_process("shop", server, "TE")
    until(f"the TEs of {name} have failed", lambda: len(simulator.state(name)["tombstones"]) == 6)
    simulator.admin(f"/faults?id={fault}", method="DELETE", cluster=name)


def test_an_end_without_tes_does_not_tell_that_none_is_wanted(simulate, ansible):
    """TEs that never joined, or SMs alone: the TEs of before are started, or the variable is named."""
    down_before, unknown = {"shop": database()}, {"shop": database(tes=[], up=True)}
    simulator = simulate(
        domain("tes-failed", databases=down_before),
        domain("sms-alone", databases=down_before),
        domain("unknown", databases=unknown),
        domain("recover", databases=down_before),
        domain("recover-unknown", databases=unknown),
    )
    for name in ("tes-failed", "sms-alone", "recover"):
        storage_runs(simulator, name)
    for name in ("tes-failed", "recover"):
        tes_failed(simulator, name)
    connection(simulator, "sms-alone").shutdown_database("shop")
    until("sms-alone is down", lambda: down(simulator, "sms-alone"))
    simulator.forget()

    hosts = simulator.inventory()
    for playbook, wanted in (
        ("nuodb_cold_start", {"tes-failed": TES, "sms-alone": ALL, "unknown": []}),
        ("nuodb_recover", {"recover": TES, "recover-unknown": []}),
    ):
        run = ansible.run(playbook, {name: hosts[name] for name in wanted}).failed()
        assert {name for name, row in run.stats.items() if row["failures"]} == {list(wanted)[-1]}, run.out
        for name, missing in wanted.items():
            assert sorted(simulator.changes(name)) == starts(*missing), name
            if missing:
                assert all_run(simulator, name)
                assert running(simulator, name) == ALL
            else:
                assert f"{name}: shop: no option says where its TEs should run" in run.failures(name)[0]
                assert run.lines(rf"\[{name}\] hint: .*te_server_ids.*nuodb_databases")


def is_going(simulator, name):
    return simulator.phases(name) == {"shop": "REQUESTED_TE_SHUTDOWN"}


def going_down(simulate, *names):
    """Domains whose database is on its way down, its last TE held."""
    one = {"shop": database(["server0"], ["server0", "server1"], up=True)}
    simulator = simulate(*(domain(name, databases=one) for name in names))
    for name in names:
        simulator.fault("stays", cluster=name, object="TE", state="REQUESTED_SHUTDOWN")
        if name == "crashed":
            die(simulator, start_ids(simulator, name, archive_id=0)[0], name)
        else:
            connection(simulator, name).shutdown_database("shop")
        until("its TEs are going", partial(is_going, simulator, name))
    simulator.forget()
    return simulator


def has_started(simulator, name, run):
    return (
        sorted(simulator.changes(name)) == starts("shop SM 0", *TES)
        and all_run(simulator, name)
        and len(running(simulator, name)) == 3
        and run.custom[name]["result"] == "ok"
    )


def test_a_cold_start_waits_for_a_database_that_is_being_shut_down(simulate, ansible):
    simulator = going_down(simulate, "started")
    hosts = simulator.inventory()
    preview = ansible.run("nuodb_cold_start", hosts, "--check").ok()
    start = ansible.start("nuodb_cold_start", hosts)
    start.wait_line(r"databases: wait for shop \(REQUESTED_TE_SHUTDOWN, being shut down\)")
    simulator.mend()
    started = start.finish().ok()
    assert has_started(simulator, "started", started)
    did = steps_of(started, "The plan", "started")
    assert len(did) == 3
    assert steps_of(preview, "The plan", "started") == did


def test_a_recovery_tells_a_crash_from_a_shutdown_while_the_last_tes_go(simulate, ansible):
    """The state is the same: the SM's tombstone tells what it is."""
    simulator = going_down(simulate, "crashed", "on-purpose")
    recovery = ansible.start("nuodb_recover", simulator.inventory())
    recovery.wait_line(r"\[crashed\] databases: wait for shop \(REQUESTED_TE_SHUTDOWN, being shut down\)")
    simulator.mend()
    recovered = recovery.finish().ok()
    (says,) = recovered.custom["crashed"]["findings"]
    assert says.startswith("shop is going down (REQUESTED_TE_SHUTDOWN): the SM of archive 0")
    assert recovered.custom["on-purpose"]["findings"] == ["shop is being shut down (REQUESTED_TE_SHUTDOWN)"]
    assert has_started(simulator, "crashed", recovered)
    assert simulator.changes("on-purpose") == []


GAVE_UP = "ArchiveHistory failed: Timed out while awaiting leader assignment (600000 ms)"


def gives_up(simulator, name):
    """The SM of archive 0, which waits for the history of the other, gives up."""
    die(simulator, start_ids(simulator, name, archive_id=0)[0], name, exit_code=2, text=GAVE_UP)


def was_met(simulator, name):
    return any(row["hit"] for row in simulator.admin("/faults", cluster=name))


def test_what_changes_between_the_look_and_the_request(simulate, ansible):
    """What a failed start has left gives up late, or at the worst moment; another run requests the same."""
    patient = {"settings": {"leaderAssignmentTimeout": 600000}}
    half = database(up=True)
    simulator = simulate(
        domain("joined", databases={"shop": database()}, **patient),
        domain("over", databases={"shop": database()}, **patient),
        domain("raced", databases={"shop": half}),
    )
    for name in ("joined", "over"):
        connection(simulator, name).start_process("shop", "server0", "SM", 0)
        until("it waits", partial(start_ids, simulator, name, durable_state="STARTED"))
    die(simulator, start_ids(simulator, "raced", archive_id=1)[0], "raced")
    simulator.forget()
    simulator.fault("loses_history", cluster="joined", object="1")
    simulator.fault("slow", cluster="over", method="POST processes", object="1", delay=2, max_count=1)
    simulator.fault("slow", cluster="raced", method="POST databases/startplan", delay=4, max_count=1)

    run = ansible.start("nuodb_cold_start", simulator.inventory())
    run.wait_for("the request of over is on its way", partial(was_met, simulator, "over"))
    gives_up(simulator, "over")
    run.wait_for("the plan of raced is asked for", partial(was_met, simulator, "raced"))
    connection(simulator, "raced", 1).start_process("shop", "server1", "SM", 1)
    run.wait_for("it is joined", partial(start_ids, simulator, "joined", archive_id=1, durable_state="STARTED"))
    gives_up(simulator, "joined")
    simulator.mend("joined")
    run.finish().ok()
    for name in simulator.names:
        assert all_run(simulator, name)
        assert running(simulator, name) == ALL
    assert sorted(simulator.changes("joined")) == starts(*ALL)
    requests = simulator.calls("POST processes", cluster="over")
    refused = [row for row in requests if row.get("fault")]
    assert {row["args"]["body"]["expectedIncarnation"]["major"] for row in refused} == {2}
    assert sorted(spoken(row) for row in requests if row not in refused) == starts(*ALL)
    assert simulator.changes("raced") == starts("shop SM 1"), "the other's alone"


def test_a_request_that_hangs_is_made_again_before_the_other_sm_gives_up(simulate, ansible):
    simulator = simulate(domain(databases={"shop": database()}))
    simulator.fault("hang", method="POST processes", object="1", max_count=1)
    run = ansible.run("nuodb_cold_start", simulator.inventory()).ok()
    assert all_run(simulator)
    assert running(simulator) == ALL
    assert len(simulator.state()["tombstones"]) == 4, "none of this start"
    assert run.lines("start SM of shop:archive1@server1 is sent again: its answer was lost and nothing has changed")
