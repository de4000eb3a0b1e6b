# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ConfD clusters: waits that end by their deadline, bad networks, wrong users, and the playbooks that only read."""

from __future__ import annotations

import json
import os
import re

from secrecy import PASSWORD, WRONG, assert_silent
from world import confd, power_hook

WHY = "not enough main memory"
EVERY = {"method": "*"}


def down(name, **more):
    return confd(name, **{"databases": {"DB1": {"state": "setup"}}, "settings": {"auto_start": False}, **more})


def test_waits_that_cannot_end(simulate, ansible, tmp_path):
    names = ("lame-node", "mute-database", "broken-database", "lame-database", "lame-host")
    cold = [down(name, deployment="cloud") for name in names[:3]]
    cold[0]["nodes"]["n13"]["state"] = "offline"
    simulator = simulate(*cold, confd("lame-database"), confd("lame-host", databases={}))
    simulator.fault("never_boots", cluster="lame-node", object="n13")
    simulator.fault("never_connects", cluster="mute-database", object="DB1")
    simulator.fault("fails_to_start", cluster="broken-database", object="DB1", text=WHY)
    simulator.fault("never_stops", cluster="lame-database", object="DB1")
    hosts = simulator.inventory(
        exa_wait_timeout=4, **simulator.hook(), exa_cold_start_power="infra"
    )
    hosts["broken-database"]["exa_wait_timeout"] = 600
    run = ansible.run("exa_cold_start", {name: hosts[name] for name in names[:3]}).failed()
    lame = run.one("Every node is online", "lame-node")
    assert (lame["failure"], lame["failed_object"], lame["last_state"]) == ("timed_out", "n13", "booting")
    assert lame["msg"].startswith("lame-node: nodes: not online after 4 s: n13 is booting")
    mute = run.one("Every database accepts connections", "mute-database")
    assert (mute["failed_object"], mute["last_state"]["state"], mute["last_state"]["connectible"]) == (
        "DB1", "running", "No",
    )  # fmt: skip
    broken = run.one("Every database accepts connections", "broken-database")
    assert broken["failure"] == "failed"  # at once: its deadline was ten minutes away
    assert broken["last_state"]["state"] == "setup"
    assert WHY in broken["msg"]
    for name in names[:3]:
        assert run.lines(rf"^\[{name}\] cause: {name}: ")

    some = power_hook(tmp_path, "some", ["n11", "n13"], on=False)
    hosts["lame-database"]["exa_graceful_shutdown_power"] = "none"
    hosts["lame-host"].update(exa_graceful_shutdown_power="hook", exa_graceful_shutdown_hooks={"power_off_nodes": some})
    hosts = {name: hosts[name] for name in names[3:]}
    run = ansible.run("exa_graceful_shutdown", hosts, variables={"confirm": list(hosts)}).failed()
    database = run.one("Every database is stopped", "lame-database")
    assert (database["failed_object"], database["last_state"]["state"]) == ("DB1", "shutdown")
    host = run.one("Every node is off", "lame-host")
    assert host["failure"] == "timed_out"
    assert "n12" in host["failed_object"]
    assert "n12 is not silent yet" in host["msg"]


SAYS = {
    "wrong-password": r"the server refused user 'admin' and its password \(HTTP 401\)",
    "looker": r"may not do this",
    "minority": r"HTTP 503",
    "html": r"the answer is an HTML page|no ConfD answered|a gateway answered HTTP 502|HTTP 502",
    "reset": r"the connection was closed before the answer",
    "hang": r"no answer",
    "unknown-database": r"there is no database DB11 \(did you mean DB1\?\)",
    "unknown-node": r"there is no node n99",
    "plain-http": r"https",
}


def test_one_sentence_each_and_no_password(simulate, ansible):
    """At the highest verbosity; the one cluster that is well comes up, for all the others."""
    users = [
        {"name": "admin", "password": PASSWORD, "groups": ["exaadm"]},
        {"name": "looker", "password": PASSWORD, "groups": ["exausers"]},
    ]
    simulator = simulate(*(down(name, users=users) for name in (*SAYS, "well")))
    for name, kind in (("html", "html"), ("reset", "reset"), ("hang", "hang")):
        simulator.fault(kind, cluster=name, **EVERY)
    for node in ("n12", "n13"):
        simulator.power(node, False, cluster="minority")
    hosts = simulator.inventory(exa_wait_timeout=3, exa_provider="confd")
    hosts["well"]["exa_wait_timeout"] = 60
    hosts["wrong-password"]["exa_api_password"] = WRONG
    hosts["looker"]["exa_api_username"] = "looker"
    hosts["hang"]["exa_request_timeout"] = 1
    hosts["unknown-database"]["exa_cold_start_databases"] = ["DB11"]
    hosts["unknown-node"]["exa_cold_start_ignore_nodes"] = ["n99"]
    hosts["plain-http"]["exa_api_url"] = hosts["plain-http"]["exa_api_url"][0].replace("https:", "http:")
    run = ansible.run("exa_cold_start", hosts, "-vvvv", "--diff").failed()
    run.said_well()
    assert {name for name, row in run.stats.items() if not row["failures"]} == {"well"}
    wrong = {}
    for name, pattern in SAYS.items():
        cause = run.failures(name)[0]
        if not re.search(pattern, cause) or not cause.startswith(f"{name}: "):
            wrong[name] = cause
        assert simulator.changes(name) == []
    assert not wrong, "\n".join(wrong.values())
    assert simulator.all_connectable("well")
    assert_silent(run.out, "output")
    assert_silent(json.dumps(run.rows), "results")


def test_weather_that_clears(simulate, ansible):
    """Reads that fail now and then, here in JSON, delay a run and change nothing of what it does."""
    simulator = simulate(down("exa-confd", databases={"DB1": {"state": "setup"}, "DB2": {"state": "setup"}}))
    for kind in ("reset", "truncate", "html", "server_error"):
        for method in ("db_info", "node_state", "db_list", "st_volume_list"):
            simulator.fault(kind, method=method, probability=0.05)
    ansible.run("exa_cold_start", simulator.inventory(exa_rpc_format="json")).ok()
    assert sorted(simulator.changes()) == ["db_start DB1", "db_start DB2"]


def test_check_and_status(simulate, ansible):
    """Each URL with the port that answers, the user's rights in words, what would be refused; auto as confd."""
    looker = {"name": "looker", "password": "looks", "groups": ["exadbadm"]}
    admin = {"name": "admin", "password": "all", "groups": ["exaadm"]}
    block = f"127.{20 + os.getpid() % 200}.{os.getpid() // 200 % 250}"
    given = {f"n{number}": f"{block}.{number}" for number in (11, 12, 13)}
    busy = {"DB1": {"state": "running", "operation": "Backup"}}
    simulator = simulate(
        confd("plain", addresses=given, ports=dict.fromkeys(given, 20003)),
        confd("busy", databases=busy, deployment="cloud"),
        confd("limited", users=[admin, looker]),
    )
    hosts = simulator.inventory()
    hosts["plain"]["exa_api_url"] = [f"https://{given['n11']}", given["n12"]]
    hosts["busy"].update(exa_graceful_shutdown_power="infra", exa_cold_start_power="infra")
    hosts["limited"].update(exa_api_username="looker", exa_api_password="looks")
    run = ansible.run("check", hosts, variables={"check_details": True})
    for node in ("n11", "n12"):
        assert run.lines(rf"\[plain\] https://{given[node]}:20003.*every runbook"), run.out
    assert run.lines(r"\[limited\] .*no runbook for whole clusters")
    assert run.lines(r"\[busy\] refused: .*operation Backup is running")
    assert run.lines(r"\[plain\] refused: .*ConfD has no job that powers a host off")
    assert run.one("The cluster", "busy")["summary"].startswith("busy: nodes 3/3 online")
    for name in simulator.names:
        assert simulator.changes(name) == []

    both = {name: {**hosts["busy"], "exa_provider": name} for name in ("auto", "confd")}
    found = {}
    for name, host in both.items():
        status = ansible.run("status", {"busy": host}, variables={"status_details": True}).ok()
        found[name] = status.one("Look at every cluster")["fleet"]["busy"]["cluster"]
    assert found["auto"] == found["confd"]


def test_databases_by_both_providers(simulate, ansible):
    simulator = simulate(confd("auto", databases=2), confd("confd", databases=2))
    hosts = simulator.inventory()
    hosts["confd"]["exa_provider"] = "confd"

    def run(state, *arguments):
        simulator.forget()
        chosen = {"exa_database_state_databases": ["DB2"], "exa_database_state_state": state}
        variables = {**chosen, "confirm": ["auto", "confd"]}
        return ansible.run("exa_database_state", hosts, *arguments, variables=variables).ok()

    for state, wanted in (("stopped", ["db_stop DB2"]), ("started", ["db_start DB2"]), ("restarted", None)):
        done = run(state)
        for name in hosts:
            assert simulator.changes(name) == (wanted or ["db_stop DB2", "db_start DB2"]), (name, state)
        steps = [done.one("The named databases", name)["steps"] for name in hosts]
        assert [[row["step"] for row in rows] for rows in steps][0] == [row["step"] for row in steps[1]]
    assert run("started").changed() == 0
    assert simulator.changes("auto") == simulator.changes("confd") == []
