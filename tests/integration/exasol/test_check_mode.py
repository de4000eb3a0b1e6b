# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Previews: every step in order, and no changing call."""

from __future__ import annotations

import re

from world import PLUGIN, cluster

UP = [
    r"nodes: would startupNode \(offline -> online\): n0011 n0012",
    r"services: would startEXAStorage \(Storaged not running -> OK\): EXAStorage",
    r"databases: would startDatabase \(setup -> connectable\): DB1 DB2",
]
DOWN = [
    r"databases: would stopDatabase \(running, accepts connections -> setup\): DB1 DB2",
    r"services: would stopEXAStorage \(OK -> not running\): EXAStorage",
    r"nodes: would shutdownNode \(online -> offline\): n0011 n0012",
    r"EXAoperation: would shutdownNode \(online -> silent\): n0010",
]


def steps(run, host):
    return [line.split("] ", 1)[1] for line in run.lines(rf"^\[{host}\] .*: would ")]


def matches(lines, patterns):
    assert len(lines) == len(patterns), lines
    for line, pattern in zip(lines, patterns):
        assert re.search(pattern, line), (line, pattern)


def test_every_step_and_no_change(simulate, ansible):
    """Both runbooks from all-off and all-on: the plan, then the same steps phase by phase."""
    simulator = simulate(cluster("off", databases=2), cluster("on", databases=2, up=True))
    hosts = simulator.inventory(exa_log_service="logservice1", exa_plugins=[{"name": PLUGIN}])
    states = {name: simulator.state(name) for name in simulator.names}

    up = ansible.run("exa_cold_start", hosts, "--check", "--diff").ok()
    plugins = [
        rf"plugin {PLUGIN}: would START \(not running -> running\): {nodes}" for nodes in ("n0010", "n0011 n0012")
    ]
    matches(steps(up, "off"), [*UP, *UP, *plugins])
    matches(steps(up, "on"), plugins)
    assert up.lines(r"\[off\] exa_cold_start: ok \(check mode: nothing was changed\)")
    for number, phase in enumerate(["power", "api", "nodes", "storage", "databases", "plugins"], 1):
        assert len(up.lines(rf"^\[off\] \({number}/6\) {phase}: ")) == 1
    for before, after in ((r"^-.*n0011.*offline", r"^\+.*n0011.*online"), (r"^-.*DB1.*setup", r"^\+.*DB1.*running")):
        assert up.lines(before), up.out
        assert up.lines(after), up.out
    assert up.stats["off"]["changed"] > 0

    # A cluster that is off already but for its license server has only that to lose.
    down = ansible.run("exa_graceful_shutdown", hosts, "--check", "--diff").ok()
    matches(steps(down, "on"), [*DOWN, *DOWN])
    matches(steps(down, "off"), [DOWN[3], DOWN[3]])
    assert down.lines(r"^-.*Storaged|^-.*EXAStorage.*OK")

    # Whoever approves it reads the same in the stats.
    for run, book, name, falls in (
        (up, "exa_cold_start", "off", []),
        (down, "exa_graceful_shutdown", "on", ["DB1", "DB2", "EXAStorage", "n0011", "n0012", "n0010"]),
        (down, "exa_graceful_shutdown", "off", ["n0010"]),
    ):
        plan = run.custom[name]["plan"][book]
        assert (plan["down"], plan["refusals"], plan["unknown"]) == (falls, [], [])
    assert down.custom["on"]["plan"]["exa_graceful_shutdown"]["text"].splitlines() == [
        "on: exa_graceful_shutdown takes down: DB1 DB2 EXAStorage n0011 n0012 n0010",
        "  databases: stopDatabase DB1 DB2 (running, accepts connections -> setup)",
        "  storage: stopEXAStorage EXAStorage (OK -> not running)",
        "  nodes: shutdownNode n0011 n0012 (online -> offline)",
        "  license_servers: shutdownNode n0010 (online -> silent)",
    ]
    assert [step["objects"] for step in up.custom["off"]["plan"]["exa_cold_start"]["steps"]][:3] == [
        ["n0011", "n0012"], ["EXAStorage"], ["DB1", "DB2"],
    ]  # fmt: skip

    for name, state in states.items():
        assert simulator.changes(name) == []
        now = simulator.state(name)
        assert (now["nodes"], now["databases"]) == (state["nodes"], state["databases"])


def test_one_phase_alone(simulate, ansible):
    """A phase previewed by its tag says what would be refused now, and doesn't fail."""
    simulator = simulate(cluster(databases=2))
    hosts = simulator.inventory()
    run = ansible.run("exa_cold_start", hosts, "--check", "--tags", "storage").ok()
    matches(steps(run, "exa-prod"), [UP[1]])
    warnings = run.one("EXAStorage is started")["warnings"]
    assert any("would be refused now" in text and "n0011 n0012 offline" in text for text in warnings)
    assert simulator.changes() == []

    run = ansible.run("exa_cold_start", hosts, "--tags", "storage").failed()
    assert any("EXAStorage not started: n0011 n0012 offline" in text for text in run.failures())
    assert simulator.changes() == []

    run = ansible.run("exa_cold_start", hosts, "--tags", "api,nodes").ok()
    assert set(simulator.changes()) == {"startupNode n0011", "startupNode n0012"}
    assert {row["state"] for row in simulator.state()["nodes"].values()} == {"online"}


def test_an_api_that_is_down(simulate, ansible):
    """It isn't awaited: what would be done cannot be known."""
    simulator = simulate(cluster("dark", machines={"n0010": {"state": "offline"}}), cluster("bright"))
    hosts = simulator.inventory()
    up = ansible.run("exa_cold_start", hosts, "--check").ok()
    assert up.lines(r"\[dark\] the steps can't be previewed until the API answers")
    matches(steps(up, "dark"), [])
    assert len(steps(up, "bright")) == 6
    down = ansible.run("exa_graceful_shutdown", hosts, "--check").failed()
    assert down.stats["dark"]["failures"] == 1
    assert down.stats["bright"]["failures"] == 0
    assert "unreachable or already down" in down.failures("dark")[0]
    foreseen, refused = (
        up.custom["dark"]["plan"]["exa_cold_start"],
        down.custom["dark"]["plan"]["exa_graceful_shutdown"],
    )
    assert "exa_cold_start can't be foreseen: " in foreseen["text"]
    assert refused["refusals"] == [down.failures("dark")[0]]
    assert simulator.changes("dark") == simulator.changes("bright") == []


def test_plugins(simulate, ansible):
    """A restart is foretold whole, and seen in the diff; nothing is started where one of the nodes is off."""
    world = cluster(up=True, databases={}, storage_online=False)
    world["nodes"]["n0012"]["state"] = "offline"
    simulator = simulate(world)
    module = "dbfleet.cluster.exa_plugin"
    one, both = ({"plugin": PLUGIN, "nodes": nodes} for nodes in (["n0011"], ["n0011", "n0012"]))
    tasks = [
        {"name": "both", module: both, "ignore_errors": True},
        {"name": "preview both", module: both, "check_mode": True},
        {"name": "started", module: one},
        {"name": "preview", module: {**one, "state": "restarted"}, "check_mode": True, "diff": True},
        {"name": "restarted", module: {**one, "state": "restarted"}, "diff": True},
    ]
    run = ansible.run(tasks, simulator.inventory(exa_provider="exaoperation")).ok()
    assert f"plugin {PLUGIN} not started: n0012 offline" in run.one("both")["msg"]
    assert not run.one("both")["changed"]
    assert "would be refused now" in str(run.one("preview both")["warnings"])
    foretold, done = run.one("preview"), run.one("restarted")
    assert [step["step"] for step in foretold["steps"]] == [step["step"] for step in done["steps"]] == ["STOP", "START"]
    assert (
        foretold["diff"]
        == done["diff"]
        == {"before": {"n0011": "running"}, "after": {"n0011": "running (STOP, START)"}}
    )
    assert [row["args"][2] for row in simulator.calls(changing=True)] == ["START", "STOP", "START"]
