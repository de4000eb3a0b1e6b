# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Previews of a NuoDB cold start: the steps that the real run makes, and no changing call."""

from __future__ import annotations

from domains import all_run, connection, database, die, domain, running, start_ids, starts, steps_of
from world import until

PHASES = ("The plan", "The SMs of every archive run", "The TEs run")
SMS = ["shop:archive0@server0", "shop:archive1@server1"]
TES = ["shop:TE1@server0", "shop:TE1@server1"]


def test_the_same_steps_as_the_real_run(simulate, ansible):
    both = ["server0", "server1"]
    simulator = simulate(
        domain("off", databases={"shop": database()}),
        domain("on", databases={"shop": database(up=True)}),
        domain("part", databases={"shop": database(tes=["server0"], up=True)}),
        domain("refused", databases={"shop": database(never=True)}),
        domain("dark", databases={"shop": database()}, stopped=both),
    )
    hosts = simulator.inventory()
    hosts["part"]["nuodb_databases"] = [{"name": "shop", "te_server_ids": both}]
    states = {name: simulator.state(name) for name in hosts}
    preview = ansible.run("nuodb_cold_start", hosts, "--check", "--diff").failed()
    assert {name for name, row in preview.stats.items() if row["failures"]} == {"refused"}
    for name, state in states.items():
        assert simulator.changes(name) == []
        assert simulator.state(name)["processes"].keys() == state["processes"].keys()
    assert preview.lines(r"\[off\] nuodb_cold_start: ok \(check mode: nothing was changed\)")
    assert preview.lines(r"\[dark\] the steps can't be previewed until the API answers")
    assert steps_of(preview, "The plan", "dark") == []
    plans = {name: row["plan"]["nuodb_cold_start"] for name, row in preview.custom.items()}
    assert {name for name, plan in plans.items() if plan["refusals"]} == {"refused"}
    assert {name for name, plan in plans.items() if plan["unknown"]} == {"dark"}
    assert plans["on"]["text"] == "on: nuodb_cold_start would change nothing"
    assert plans["part"]["text"].splitlines()[1:] == ["  storage: start TE shop:TE1@server1 (not running -> running)"]
    for before, after in (
        (r"^-.*archive0.*not running", r"^\+.*archive0.*MONITORED:RUNNING"),
        (r"^-.*TE1", r"^\+.*TE1"),
    ):
        assert preview.lines(before), preview.out
        assert preview.lines(after), preview.out

    for server in both:
        simulator.power(server, True, "dark")
    run = ansible.run("nuodb_cold_start", hosts).failed()
    wanted = [(name, "start SM") for name in SMS] + [(name, "start TE") for name in TES]
    assert steps_of(run, "The plan", "off") == sorted(wanted)
    for name in ("off", "on", "part"):
        for phase in PHASES:
            assert steps_of(preview, phase, name) == steps_of(run, phase, name), (name, phase)
    assert preview.failures("refused")[0] == run.failures("refused")[0]
    assert all(all_run(simulator, name) for name in set(hosts) - {"refused"})
    assert simulator.changes("part") == starts("shop TE server1")


def test_one_phase_alone(simulate, ansible):
    """A phase previewed by its tag, then run by it: the TEs of the last time, though the SMs run already."""
    simulator = simulate(domain(databases={"shop": database()}))
    hosts = simulator.inventory()
    preview = ansible.run("nuodb_cold_start", hosts, "--check", "--tags", "transactions").ok()
    assert [name for name, _step in steps_of(preview, "The TEs run", "nuo-prod")] == sorted([*SMS, *TES])
    assert simulator.changes() == []

    ansible.run("nuodb_cold_start", hosts, "--tags", "servers,storage").ok()
    assert sorted(simulator.changes()) == starts("shop SM 0", "shop SM 1")
    assert not start_ids(simulator, engine_type="TE")
    ansible.run("nuodb_cold_start", hosts, "--tags", "transactions").ok()
    assert len(simulator.changes()) == 4
    assert running(simulator)[2:] == ["shop TE server0", "shop TE server1"]


def test_what_is_predicted_is_what_comes(simulate, ansible):
    """Two TEs on one server are two; a TE that was replaced isn't missed, and one that wasn't is missed once."""
    one = {"shop": database(["server0"], ["server0", "server1"], up=True)}
    simulator = simulate(
        domain("twins", databases={"shop": database(tes=["server0", "server0"])}),
        domain("replaced", databases=one),
        domain("died", databases=one),
    )
    for name in ("replaced", "died"):
        die(simulator, start_ids(simulator, name, engine_type="TE", server_id="server1")[0], name)
    connection(simulator, "replaced").start_process("shop", "server1", "TE")
    until("another TE runs instead", lambda: len(running(simulator, "replaced")) == 3)
    simulator.forget()

    hosts = simulator.inventory()
    preview = ansible.run("nuodb_cold_start", hosts, "--check").ok()
    run = ansible.run("nuodb_cold_start", hosts).ok()
    for name in hosts:
        for phase in PHASES:
            assert steps_of(preview, phase, name) == steps_of(run, phase, name), (name, phase)
    assert len(simulator.changes("twins")) == 4
    assert simulator.changes("replaced") == []
    assert simulator.changes("died") == starts("shop TE server1")
