# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits that end: by their deadline, or at once where they can't succeed any more."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

from world import cluster

WHY = "Could not start database: license limit is exceeded"


def phases(run, host):
    return re.findall(rf"^\[{host}\] \(\d/\d\) (\w+): ", run.out, re.MULTILINE)


def test_cold_starts_that_cannot_end(simulate, ansible):
    simulator = simulate(
        *(
            cluster(name, databases=2)
            for name in ("lame-node", "sick-service", "hung-storage", "mute-database", "broken-database", "well")
        )
    )
    simulator.fault("never_boots", cluster="lame-node", object="n0012")
    simulator.fault("service_sick", cluster="sick-service", object="Lockd", value="not running")
    simulator.fault("hang", cluster="hung-storage", method="startEXAStorage")
    simulator.fault("never_connects", cluster="mute-database", object="DB2")
    simulator.fault("fails_to_start", cluster="broken-database", object="DB1", text=WHY)
    hosts = simulator.inventory(exa_wait_timeout=4)
    hosts["broken-database"]["exa_wait_timeout"] = 600
    run = ansible.run("exa_cold_start", hosts).failed()

    assert {name: row["failures"] for name, row in run.stats.items()} == {name: int(name != "well") for name in hosts}
    assert simulator.all_connectable("well")
    assert run.custom["well"]["result"] == "ok"

    lame = run.one("Every node is online", "lame-node")
    assert lame["failure"] == "timed_out"
    assert lame["failed_object"] == "n0012"
    assert lame["last_state"] == "booting"
    assert lame["msg"].startswith("lame-node: nodes: not online after 4 s: n0012 is booting")
    assert phases(run, "lame-node") == ["power", "api", "nodes"]
    assert not simulator.calls("startEXAStorage", "startDatabase", cluster="lame-node")

    sick = run.one("EXAStorage is started", "sick-service")
    assert sick["failed_object"] == "EXAStorage"
    assert sick["last_state"]["Lockd"] == "not running"
    assert "Lockd not running" in sick["msg"]
    assert phases(run, "sick-service") == ["power", "api", "nodes", "storage"]
    assert not simulator.calls("startDatabase", cluster="sick-service")

    hung = run.one("EXAStorage is started", "hung-storage")
    assert hung["failed_object"] == "EXAStorage"
    assert hung["last_state"]["Storaged"] == "not running"
    assert len(simulator.calls("startEXAStorage", cluster="hung-storage")) == 1
    assert not simulator.calls("startDatabase", cluster="hung-storage")

    mute = run.one("Every database accepts", "mute-database")
    assert mute["failed_object"] == "DB2"
    assert (mute["last_state"]["state"], mute["last_state"]["connectible"]) == ("running", "No")
    assert "DB2 is running, not connectable yet" in mute["msg"]
    assert phases(run, "mute-database")[-1] == "databases"
    assert not simulator.calls("callPlugin", cluster="mute-database")

    broken = run.one("Every database accepts", "broken-database")
    assert broken["failure"] == "failed"  # at once: its deadline was ten minutes away
    assert broken["failed_object"] == "DB1"
    assert broken["last_state"]["state"] == "setup"
    assert f"; the server says: {WHY}" in broken["msg"]

    for name in set(hosts) - {"well"}:
        assert run.custom[name]["result"] == "failed"
        assert run.lines(rf"^\[{name}\] exa_cold_start: failed")
        assert run.lines(rf"^\[{name}\]   {run.custom[name]['phase']} .* failed here")
        assert run.lines(rf"^\[{name}\] cause: {name}: ")

    # The command that each end table shows goes on from there.
    simulator.mend()
    for name in ("lame-node", "broken-database"):
        (line,) = run.lines(rf"^\[{name}\] resume: ")
        words = shlex.split(line.split("resume: ")[1], comments=True)
        assert words[0] == "ansible-playbook"
        result = subprocess.run(
            [sys.executable, "-m", "ansible", "playbook", *words[1:]],
            env=ansible.environment(DBFLEET_DUMP=os.devnull),
            cwd=ansible.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        assert simulator.all_connectable(name)


def test_shutdowns_that_cannot_end(simulate, ansible):
    simulator = simulate(
        *(cluster(name, up=True) for name in ("lame-database", "lame-storage", "lame-node", "lame-server"))
    )
    for name, object_ in (("lame-database", "DB1"), ("lame-storage", "storage"), ("lame-node", "n0011")):
        simulator.fault("never_stops", cluster=name, object=object_)
    # the machine takes the order and goes on
    simulator.fault("wrong_state", cluster="lame-server", method="shutdownNode", object="n0010", value=None)
    hosts = simulator.inventory(exa_wait_timeout=4)
    run = ansible.run("exa_graceful_shutdown", hosts, variables={"confirm": simulator.names}).failed()
    assert all(row["failures"] == 1 for row in run.stats.values())

    database = run.one("Every database is stopped", "lame-database")
    assert database["failed_object"] == "DB1"
    assert database["last_state"]["state"] == "shutdown"
    assert phases(run, "lame-database") == ["preflight", "databases"]
    assert not simulator.calls("stopEXAStorage", "shutdownNode", cluster="lame-database")

    storage = run.one("EXAStorage is stopped", "lame-storage")
    assert storage["last_state"]["Storaged"] == "stopping"
    assert not simulator.calls("shutdownNode", cluster="lame-storage")

    node = run.one("Every node is off", "lame-node")
    assert node["failed_object"] == "n0011"
    assert node["last_state"] == "shutting down"
    assert "shutdownNode n0010" not in simulator.changes("lame-node")

    server = run.one("The license servers are off", "lame-server")
    assert server["failed_object"] == "n0010"
    assert "n0010 is online" in server["msg"]
    assert all(run.lines(rf"^\[{name}\] cause: {name}: ") for name in hosts)
