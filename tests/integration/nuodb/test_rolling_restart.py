# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runbook nuodb_rolling_restart: each process of a database, one by one."""

from __future__ import annotations

import re

import pytest
from domains import all_run, connection, database, die, domain, forgive, running
from world import killed, until

SHOP = {"hr": database(up=True), "shop": database(up=True)}
"""SMs of shop have the start IDs 4 and 5, its TEs 6 and 7."""

KEY = "dbfleet.cluster/rolling_restart/shop"


def wanted(*databases, **more):
    return {"nuodb_rolling_restart_databases": list(databases or ["shop"]), "confirm": "nuo-prod", **more}


def pairs(*names):
    """The changes of these processes: start ID that goes, process that comes."""
    return [change for old, new in names for change in (f"DELETE processes {old}", f"POST processes {new}")]


def of_processes(simulator):
    return [change for change in simulator.changes() if " processes " in change]


WHOLE = pairs(("7", "shop TE server1"), ("6", "shop TE server0"), ("5", "shop SM 3"), ("4", "shop SM 2"))


def test_each_process_once_and_in_sync_before_the_next(simulate, ansible):
    simulator = simulate(domain(databases=SHOP))
    before, hosts = running(simulator), simulator.inventory()

    refused = ansible.run("nuodb_rolling_restart", hosts, variables=wanted(confirm="")).failed()
    assert "takes nuo-prod down and nothing is confirmed" in refused.failures()[0]
    assert simulator.calls() == []

    preview = ansible.run("nuodb_rolling_restart", hosts, "--check", variables=wanted()).ok()
    assert preview.lines(
        r"shop: 4 to restart, one after another: shop:TE@server1/7 shop:TE@server0/6 shop:SM@server1/5 "
        r"shop:SM@server0/4$"
    )
    plan = preview.custom["nuo-prod"]["plan"]["nuodb_rolling_restart"]
    assert [row["step"] for row in plan["steps"]] == ["shutdown", "start TE", "start SM"]
    assert preview.custom["nuo-prod"]["restarted"] == []
    assert simulator.changes() == []
    assert connection(simulator).get_value(KEY) is None

    run = ansible.run("nuodb_rolling_restart", hosts, variables=wanted()).ok()
    assert of_processes(simulator) == WHOLE
    assert running(simulator) == before
    assert all_run(simulator)
    assert connection(simulator).get_value(KEY) == "ended"
    assert len(run.custom["nuo-prod"]["restarted"]) == 4
    assert run.custom["nuo-prod"]["left"] == []
    assert run.lines(r"restart 2/4: shop:TE@server0/6$")
    assert run.lines(r"nuodb_rolling_restart: ok")
    assert not run.lines("start IDs above")

    left_out = ansible.run("nuodb_rolling_restart", hosts, variables=wanted(nuodb_rolling_restart_up_to=7)).ok()
    assert left_out.lines("shop: all its processes have start IDs above 7: nothing is left to restart")
    assert left_out.changed() == 0


@pytest.mark.parametrize("which", ["TE server1", "SM 3"])
def test_a_run_that_was_killed_between_a_shutdown_and_a_start_goes_on(simulate, ansible, which):
    """The TE of server1 is the first process, the SM of archive 3 the third."""
    simulator = simulate(domain(databases=SHOP))
    before, hosts = running(simulator), simulator.inventory()
    old, place = {"TE server1": ("7", "server1"), "SM 3": ("5", "3")}[which]
    simulator.fault("hang", method="POST processes", object=place, max_count=1)
    run = ansible.start("nuodb_rolling_restart", hosts, variables=wanted())
    run.wait_for("its start hangs", lambda: simulator.admin("/faults")[0]["hit"])
    assert f"DELETE processes {old}" in simulator.changes()
    assert f"shop {which}" not in running(simulator)
    killed(simulator, run)
    simulator.mend()

    again = ansible.run("nuodb_rolling_restart", hosts, variables=wanted()).ok()
    assert again.lines(r"shop: goes on with the rolling restart of 20\d\d-.*Z: \d to restart")
    assert running(simulator) == before
    assert all_run(simulator)
    number = WHOLE.index(f"DELETE processes {old}")
    assert of_processes(simulator) == WHOLE[number + 1 :], "what was restarted before stays as it is"
    assert connection(simulator).get_value(KEY) == "ended"


def test_a_failure_between_two_processes_stops_the_run(simulate, ansible):
    """A TE of the database dies while another one is restarted; nothing more is taken out."""
    shop = database(["server0", "server1"], ["server0", "server1", "server2"], up=True)
    simulator = simulate(domain(servers=3, databases={"shop": shop}))
    hosts = simulator.inventory()
    simulator.fault("stays", object="TE", state="TRACKED")
    run = ansible.start("nuodb_rolling_restart", hosts, variables=wanted())
    run.wait_for("the first is on its way", lambda: "POST processes shop TE server2" in simulator.changes())
    die(simulator, "2")
    simulator.mend()
    failed = run.finish().failed()
    forgive(simulator)
    (cause,) = failed.failures()
    found = r"shop:TE@server2/4 is back, but the domain is not as it was before: shop lacks a TE on server0"
    assert re.search(found, cause)
    assert failed.lines("hint: .*run nuodb_recover, which shows what failed and starts it")
    assert failed.lines("resume: ansible-playbook .*nuodb_rolling_restart_databases=shop .*confirm=nuo-prod")
    assert of_processes(simulator) == pairs(("4", "shop TE server2"))
    assert failed.custom["nuo-prod"]["left"][0].startswith("shop:TE@server2/4")

    simulator.forget()
    refused = ansible.run("nuodb_rolling_restart", hosts, variables=wanted()).failed()
    assert "no process restarted: shop lacks a TE on server0" in refused.failures()[0]
    assert of_processes(simulator) == []

    ansible.run("nuodb_recover", hosts).ok()
    simulator.forget()
    ansible.run("nuodb_rolling_restart", hosts, variables=wanted()).ok()
    left = pairs(("3", "shop TE server1"), ("1", "shop SM 1"), ("0", "shop SM 0"))
    assert of_processes(simulator) == left, "neither what was restarted, nor what was started since"


def test_what_stands_against_it_is_refused_before_anything_is_restarted(simulate, ansible):
    one = database(["server0"], ["server1"], up=True)
    simulator = simulate(domain(databases={"hr": one, "off": database(), "shop": database(tes=["server0"], up=True)}))
    hosts = simulator.inventory()

    def run(*databases, **more):
        return ansible.run("nuodb_rolling_restart", hosts, variables=wanted(*databases, **more))

    refused = run("hr", "off").failed()
    (cause,) = refused.failures()
    for says in (
        "hr, off: no process restarted: off is NOT_RUNNING",
        "the TE on server1 is the only TE of hr that runs, so nobody could use hr meanwhile",
        "the SM on server0 is the only SM of hr that runs, so all TEs of hr would be shut down with it",
    ):
        assert says in cause
    assert refused.lines("hint: .*nuodb_database_state, state restarted")
    assert "is the only TE of shop that runs" in run("shop").failed().failures()[0]
    assert "there is no database shoppe" in run("shoppe").failed().failures()[0]
    assert simulator.changes() == []
    run("shop", nuodb_rolling_restart_allow_last_te=True).ok()
    assert all_run(simulator) is False, "off stays down"
    assert len(of_processes(simulator)) == 6


def test_another_run_has_the_lease(simulate, ansible):
    simulator = simulate(domain(databases=SHOP))
    lease = [
        {
            "name": "Lease",
            "dbfleet.cluster.nuodb_lease": {
                "state": "taken",
                "run": "another",
                "about": "another",
                "lease_timeout": 600,
            },
        }
    ]
    hosts = simulator.inventory()
    ansible.run(lease, hosts).ok()
    simulator.forget()
    refused = ansible.run("nuodb_rolling_restart", hosts, variables=wanted()).failed()
    assert "maintenance by" in refused.failures()[0]
    assert of_processes(simulator) == []


def test_labels_and_options_of_a_process_stay_also_where_the_run_was_killed(simulate, ansible):
    """A load balancer chooses by labels. The one that is killed has shut down the TE with labels."""
    simulator = simulate(domain(servers=3, databases={"shop": database(up=True)}))
    hosts, vendor = simulator.inventory(), connection(simulator)
    vendor.start_process("shop", "server2", labels={"zone": "b"}, mem="2G")
    until("it runs", lambda: "shop TE server2" in running(simulator))

    def started():
        rows = vendor.get_processes("shop", type="TE")
        return {one.server_id: (dict(one.labels), one.options.get("mem")) for one in rows}

    before = started()
    assert before["server2"] == ({"zone": "b"}, "2G")
    simulator.forget()
    simulator.fault("hang", method="POST processes", object="server2", max_count=1)
    run = ansible.start("nuodb_rolling_restart", hosts, variables=wanted())
    run.wait_for("its start hangs", lambda: simulator.admin("/faults")[0]["hit"])
    killed(simulator, run)
    simulator.mend()
    assert "server2" not in started()
    ansible.run("nuodb_rolling_restart", hosts, variables=wanted()).ok()
    assert started() == before
    ansible.run("nuodb_rolling_restart", hosts, variables=wanted()).ok()
    assert started() == before


def test_an_upgrade_from_new_software_to_the_new_protocol(simulate, ansible):
    """check says which processes hold it up, the rolling restart brings them to it, and nuocmd's library raises it."""
    topology = domain(
        databases={"shop": database(up=True)},
        version="7.0-2",
        license={"type": "LIMITED"},
        settings={
            "database_versions": "1703936=6.0,1769472=7.0",
            "release_versions": "6.0-1=1703936",
            "several_sms_unlicensed": "allow",
        },
    )
    for start_id, row in topology["processes"].items():
        row["version"] = "7.0-2" if start_id == "3" else "6.0-1"
    simulator = simulate(topology)
    hosts = simulator.inventory()

    run = ansible.run("check", hosts).ok()
    notes = run.custom["nuo-prod"]["notes"]
    assert [text.partition(",")[0] for text in notes if "license" in text] == ["the license is LIMITED"]
    assert run.lines(
        r"note: shop: the upgrade of its protocol from 6.0 to 7.0 waits .*6.0-1 \(start IDs .*knows 6.0 at most"
    )

    ansible.run("nuodb_rolling_restart", hosts, variables=wanted()).ok()
    run = ansible.run("check", hosts).ok()
    assert run.lines(r"note: shop: its protocol is 6.0, and all of its processes know 7.0: .*client 2.6.0 or newer")
    connection(simulator).upgrade_database_version("shop", "1769472")
    assert not ansible.run("check", hosts).ok().lines("note: shop")


def test_a_second_sm_without_the_license_for_it_is_said_before(simulate, ansible):
    one = database(["server0"], ["server1"], up=True)
    simulator = simulate(domain(databases={"shop": one}, license={"type": "LIMITED"}))
    hosts = simulator.inventory()
    said = "the license is LIMITED, and several SMs of a database need an ENTERPRISE license"
    archive = {"db_name": "shop", "server_id": "server1", "archive_path": "/archive/second"}
    tasks = [
        {"name": "Archive", "dbfleet.cluster.nuodb_archive": {"archives": [archive]}},
        {"name": "SM", "dbfleet.cluster.nuodb_process": {"processes": [{"archive_id": 1}]}},
    ]
    run = ansible.run(tasks, hosts).failed()
    assert [said in text for text in run.one("Archive")["warnings"]] == [True]
    assert run.lines(rf"^\[nuo-prod\] {said}")
    assert "License does not allow several SMs: type=LIMITED" in run.failures()[0]
    assert len(running(simulator)) == 2
    whole = domain("nuo-whole", databases={"shop": one}, license={"type": "ENTERPRISE"})
    other = simulate(whole)
    assert not ansible.run(tasks, other.inventory()).ok().lines("need an ENTERPRISE license")
