# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits for NuoDB processes that end: by their deadline, or at once where they can't succeed any more."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

from domains import all_run, database, die, domain, down, start_ids
from world import until

WHY = "Error while opening the archive: it is in use by another process"
STORAGE = "The SMs of every archive run"


def phases(run, host):
    return re.findall(rf"^\[{host}\] \(\d/\d\) (\w+): ", run.out, re.MULTILINE)


def test_cold_starts_that_cannot_end(simulate, ansible):
    one = {"shop": database(["server0"], ["server1"])}
    patient = {"settings": {"leaderAssignmentTimeout": 600000}}
    simulator = simulate(
        domain("no-server", 3, databases=one, stopped=["server2"]),
        domain("no-quorum", 3, databases=one, stopped=["server1", "server2"]),
        domain("no-api", databases=one, stopped=["server0", "server1"]),
        domain("no-history", databases={"shop": database()}, **patient),
        domain("stays", databases=one),
        domain("te-stays", databases={"shop": database()}),
        domain("exits", databases=one),
        domain("te-exits", databases=one),
        domain("gives-up", databases=one, settings={"leaderAssignmentTimeout": 300}),
        domain("well", databases=one),
    )
    simulator.fault("loses_history", cluster="no-history", object="1")
    simulator.fault("stays", cluster="stays", object="0", state="CONFIGURED")
    simulator.fault("stays", cluster="te-stays", object="TE", state="TRACKED")
    simulator.fault("never_starts", cluster="exits", object="0", text=WHY, exit_code=3)
    simulator.fault("never_starts", cluster="te-exits", object="TE", text=WHY, exit_code=4)
    simulator.fault("loses_history", cluster="gives-up", object="0")
    hosts = simulator.inventory(nuodb_wait_timeout=4)
    for name in ("exits", "te-exits", "gives-up"):
        hosts[name]["nuodb_wait_timeout"] = 600
    run = ansible.run("nuodb_cold_start", hosts).failed()

    assert {name: row["failures"] for name, row in run.stats.items()} == {name: int(name != "well") for name in hosts}
    assert all_run(simulator, "well")

    servers = run.one("The servers are connected", "no-server")
    assert servers["failure"] == "timed_out"
    assert servers["failed_object"] == "server2"
    assert "server2 is Disconnected" in servers["msg"]
    assert "server0 is ACTIVE:Connected, no leader" in run.one("The servers are connected", "no-quorum")["msg"]
    assert "connection refused" in run.one("The servers are connected", "no-api")["msg"]
    for name in ("no-server", "no-quorum", "no-api"):
        assert phases(run, name) == ["servers"]
        assert simulator.changes(name) == []

    history = run.one(STORAGE, "no-history")
    assert history["failure"] == "timed_out"
    assert history["last_state"]["shop:archive1@server1"]["durable_state"] == "STARTED"
    assert "awaits the histories of all archives, at most 600 s" in history["msg"]

    stays = run.one(STORAGE, "stays")
    assert (stays["failure"], stays["failed_object"]) == ("timed_out", "shop:archive0@server0 shop:TE1@server1")
    assert stays["last_state"]["shop:archive0@server0"]["durable_state"] == "CONFIGURED"
    assert stays["msg"].startswith("stays: processes: not running after 4 s: shop:archive0@server0 is CONFIGURED")
    assert phases(run, "stays") == ["servers", "storage"]

    te_stays = run.one("The TEs run", "te-stays")
    assert {row["durable_state"] for row in te_stays["last_state"].values()} == {"TRACKED"}
    assert phases(run, "te-stays") == ["servers", "storage", "transactions"]

    # At once: the deadline was ten minutes away.
    for name, task, said in (
        ("exits", STORAGE, f"with exit code 3: {WHY}"),
        ("te-exits", "", f"with exit code 4: {WHY}"),
        ("gives-up", STORAGE, "with exit code 2: .*Timed out while awaiting leader assignment"),
    ):
        (cause,) = set(run.failures(name))
        assert re.search(said, cause), cause
        if task:
            failed = run.one(task, name)
            assert failed["failure"] == "failed"
            assert failed["last_state"]["tombstone"]["exit_code"] in (2, 3)

    for name in set(hosts) - {"well"}:
        assert run.custom[name]["result"] == "failed"
        assert run.lines(rf"^\[{name}\] nuodb_cold_start: failed")
        assert run.lines(rf"^\[{name}\] cause: {name}: ")

    # The command that each end table shows goes on from there.
    simulator.mend()
    for name in ("stays", "exits"):
        (line,) = run.lines(rf"^\[{name}\] resume: ")
        words = shlex.split(line.split("resume: ")[1], comments=True)
        result = subprocess.run(
            [sys.executable, "-m", "ansible", "playbook", *words[1:]],
            env=ansible.environment(DBFLEET_DUMP=os.devnull),
            cwd=ansible.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        assert all_run(simulator, name)


def test_shutdowns_and_recoveries_that_cannot_end(simulate, ansible):
    up = {"shop": database(up=True)}
    simulator = simulate(
        domain("lame-te", databases=up),
        domain("lame-server", databases={"shop": database()}, timing={"server_shutdown": 600}),
    )
    simulator.fault("stays", cluster="lame-te", object="TE", state="REQUESTED_SHUTDOWN")
    hosts = simulator.inventory(nuodb_wait_timeout=4, nuodb_graceful_shutdown_servers=True)
    run = ansible.run("nuodb_graceful_shutdown", hosts, variables={"confirm": simulator.names}).failed()
    assert all(row["failures"] == 1 for row in run.stats.values())

    te = run.one("Every database is stopped", "lame-te")
    assert (te["failure"], te["failed_object"]) == ("timed_out", "shop")
    assert te["last_state"]["state"] == "REQUESTED_TE_SHUTDOWN"
    assert te["last_state"]["processes"] == {"SM": 2, "TE": 2}
    assert simulator.changes("lame-te") == ["POST databases/shutdown shop"]

    server = run.one("The admin processes are stopped", "lame-server")
    assert server["failure"] == "timed_out"
    assert (server["failed_object"], server["last_state"]) == ("server1", "active")

    simulator = simulate(domain("held", databases=up), domain("exits", databases=up))
    for name in simulator.names:
        die(simulator, start_ids(simulator, name, archive_id=1)[0], name)
    simulator.fault("stays", cluster="held", object="1", state="TRACKED")
    simulator.fault("never_starts", cluster="exits", object="1", text=WHY, exit_code=3)
    hosts = simulator.inventory(nuodb_wait_timeout=4)
    hosts["exits"]["nuodb_wait_timeout"] = 600
    run = ansible.run("nuodb_recover", hosts).failed()
    held = run.one("What was missing runs again", "held")
    assert (held["failure"], held["failed_object"]) == ("timed_out", "shop:archive1@server1")
    assert held["last_state"]["durable_state"] == "TRACKED"
    exits = run.one("What was missing runs again", "exits")
    assert exits["failure"] == "failed"
    assert f"with exit code 3: {WHY}" in exits["msg"]
    assert all(run.custom[name]["findings"] for name in hosts)
    assert not any(down(simulator, name) for name in hosts)
    simulator.mend()
    until("it goes on by itself", lambda: all_run(simulator, "held"))
