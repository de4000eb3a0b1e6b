# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Killed NuoDB runs and lost answers: the next run, or the next look, goes on from where things are."""

from __future__ import annotations

from collections import Counter

import yaml
from domains import all_run, database, die, domain, down, running, start_ids, starts
from world import killed, until

PAUSE = [{"name": "Pause", "ansible.builtin.wait_for": {"timeout": 60}}]
LONG = {"settings": {"leaderAssignmentTimeout": 600000}}


class Runs:
    """Run after run of one runbook; what it began is held up until the next run has joined it."""

    def __init__(self, simulator, ansible, playbook, hosts, **variables):
        self.simulator, self.ansible = simulator, ansible
        self.playbook, self.hosts, self.variables = playbook, hosts, variables
        self.changes = []

    def start(self, **more):
        self.changes += self.simulator.changes()
        self.simulator.forget()
        return self.ansible.start(self.playbook, self.hosts, variables={**self.variables, **more})

    def kill(self, run):
        self.changes += self.simulator.changes()
        killed(self.simulator, run)

    def finish(self, **more):
        run = self.start(**more).finish()
        self.changes += self.simulator.changes()
        self.simulator.forget()
        return run


def hook(folder, tasks):
    (folder / "hook.yml").write_text(yaml.safe_dump(tasks))
    return str(folder / "hook.yml")


def test_cold_start_killed_in_each_phase(simulate, ansible, tmp_path):
    servers = ["server0", "server1", "server2"]
    simulator = simulate(domain(servers=3, databases={"shop": database()}, stopped=servers, **LONG))
    runs = Runs(simulator, ansible, "nuodb_cold_start", simulator.inventory())

    run = runs.start()
    run.wait_line(r"api: \d\d:\d\d  waiting")
    for server in servers[:2]:
        simulator.power(server, True)
    run.wait_line(r"servers: wait for .*server2 \(Disconnected.*\)$")
    runs.kill(run)
    simulator.power("server2", True)

    held = simulator.fault("stays", object="SM", state="CONFIGURED")
    run = runs.start()
    run.wait_line(r"processes: \d\d:\d\d  0/4 running, waiting for .*CONFIGURED:UNKNOWN")
    runs.kill(run)

    tes = simulator.fault("stays", object="TE", state="TRACKED")
    run = runs.start()
    run.wait_line(r"processes: wait for shop:archive0@server0 shop:archive1@server1 \(CONFIGURED:UNKNOWN\)")
    simulator.admin(f"/faults?id={held}", method="DELETE")
    run.wait_for("the TEs are requested", lambda: len(start_ids(simulator, engine_type="TE")) == 2)
    run.wait_line(r"\(3/4\) transactions")
    runs.kill(run)

    run = runs.start(nuodb_cold_start_hooks={"before_verify": hook(tmp_path, PAUSE)})
    run.wait_line(r"processes: wait for shop:TE1@server\d shop:TE1@server\d \(TRACKED:UNKNOWN.*\)$")
    simulator.admin(f"/faults?id={tes}", method="DELETE")
    run.wait_line(r"hooks: before_")
    runs.kill(run)

    runs.finish().ok()
    assert all_run(simulator)
    assert sorted(runs.changes) == starts("shop SM 0", "shop SM 1", "shop TE server0", "shop TE server1")
    assert runs.finish().ok().changed() == 0


def test_shutdown_killed_in_each_phase(simulate, ansible):
    topology = domain(databases={"shop": database(up=True), "hr": database(up=True)}, timing={"hotcopy": 600})
    simulator = simulate(topology)
    hosts = simulator.inventory(
        nuodb_graceful_shutdown_servers=True,
        nuodb_graceful_shutdown_on_hotcopy="wait",
        nuodb_graceful_shutdown_hotcopy={"hr": {"default_backup_dir": "/backup"}},
    )
    runs = Runs(simulator, ansible, "nuodb_graceful_shutdown", hosts, confirm="nuo-prod")

    run = runs.start()
    run.wait_line(r"hot copies: \d\d:\d\d  0/1 completed")
    runs.kill(run)

    held = simulator.fault("stays", object="TE", state="REQUESTED_SHUTDOWN")
    run = runs.start()
    run.wait_line(r"hot copies: wait for hr \(.*running.*\)")
    simulator.clock("seconds:0.001")
    run.wait_for("it is going down", lambda: len(simulator.calls("POST databases/shutdown")) == 2)
    runs.kill(run)
    simulator.clock("seconds:1")

    run = runs.start()
    run.wait_line(r"databases: wait for hr shop \(REQUESTED_TE_SHUTDOWN.*\)")
    simulator.admin(f"/faults?id={held}", method="DELETE")
    run.wait_for("an AP is to stop", lambda: simulator.calls("POST peers/shutdown"))
    runs.kill(run)
    runs.changes = [row for row in runs.changes if "peers" not in row]
    assert down(simulator)

    runs.finish(nuodb_graceful_shutdown_unreachable="down").ok()
    assert Counter(row for row in runs.changes if "peers" not in row) == {
        "POST databases/hotCopy hr": 1,
        "POST databases/shutdown hr": 1,
        "POST databases/shutdown shop": 1,
    }
    assert all(row["state"] != "ACTIVE" for row in simulator.state()["servers"].values())


def test_recovery_killed_in_each_phase(simulate, ansible, tmp_path):
    simulator = simulate(domain(databases={"shop": database(up=True)}, **LONG))
    for archive_id in (1, 0):
        die(simulator, start_ids(simulator, archive_id=archive_id)[0])
    until("it is down", lambda: down(simulator))
    runs = Runs(simulator, ansible, "nuodb_recover", simulator.inventory())

    run = runs.start(nuodb_recover_hooks={"before_restart": hook(tmp_path, PAUSE)})
    run.wait_line(r"found: shop is down: the SM of archive 1")
    run.wait_line(r"hooks: before_")
    runs.kill(run)

    held = simulator.fault("loses_history", object="0")
    run = runs.start()
    run.wait_line(r"processes: \d\d:\d\d  0/4 running, waiting for .*STARTED:UNKNOWN")
    runs.kill(run)

    tes = simulator.fault("stays", object="TE", state="TRACKED")
    run = runs.start()
    run.wait_line(r"found: shop is being started \(AWAITING_ARCHIVE_HISTORIES_MSG\)")
    run.wait_line(r"processes: wait for shop:archive0@server0 shop:archive1@server1 \(STARTED:UNKNOWN.*\)")
    simulator.admin(f"/faults?id={held}", method="DELETE")
    run.wait_for("the TEs are requested", lambda: len(start_ids(simulator, engine_type="TE")) == 2)
    runs.kill(run)

    simulator.admin(f"/faults?id={tes}", method="DELETE")
    until("the TEs run by themselves", lambda: len(running(simulator)) == 4)
    last = runs.finish().ok()
    assert last.changed() == 0
    assert all_run(simulator)
    assert sorted(runs.changes) == starts("shop SM 0", "shop SM 1", "shop TE server0", "shop TE server1")


LOSSES = {
    "lost": {"kind": "reset_after"},
    "unsent": {"kind": "reset"},
    "hanging": {"kind": "hang"},
    "cut": {"kind": "truncate"},
}


def lose(simulator, *calls):
    """The first call of each kind loses its answer, in every domain in another way."""
    simulator.mend()
    for name, fault in LOSSES.items():
        for method, target in calls:
            simulator.fault(**fault, cluster=name, method=method, object=target, max_count=1)


def test_lost_answers(simulate, ansible):
    """A request whose answer is lost is sent again only after a look that shows that it wasn't carried out."""
    two = {"shop": database(tes=["server2", "server2"])}
    simulator = simulate(*(domain(name, 3, databases=two, **LONG) for name in LOSSES))
    hosts = simulator.inventory(nuodb_request_timeout=1)

    def times(name, method, want):
        rows = [row for row in simulator.calls(method, cluster=name) if want(row["args"])]
        # Between two sendings the domain was read.
        every = simulator.calls(cluster=name)
        places = [every.index(row) for row in rows]
        assert all(any(row["method"] == "GET processes" for row in every[a:b]) for a, b in zip(places, places[1:]))
        return len(rows)

    lose(simulator, ("POST processes", "1"), ("POST processes", "server2"))
    ansible.run("nuodb_cold_start", hosts).ok()
    for name in LOSSES:
        assert running(simulator, name) == ["shop SM 0", "shop SM 1", "shop TE server2", "shop TE server2"], name
        assert simulator.state(name)["next_start_id"] == 4 + 4, name
        more = name in ("unsent", "hanging")
        assert times(name, "POST processes", lambda args: args["body"].get("archiveId") == 1) == 1 + more, name

    simulator.forget()
    lose(simulator, ("POST databases/shutdown", "shop"))
    ansible.run("nuodb_graceful_shutdown", hosts, variables={"confirm": list(LOSSES)}).ok()
    for name in LOSSES:
        assert down(simulator, name)
        assert times(name, "POST databases/shutdown", lambda _args: True) == 1 + (name in ("unsent", "hanging")), name
