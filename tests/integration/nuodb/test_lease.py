# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lease of a domain: a recovery doesn't fight maintenance, and two runs keep off each other."""

from __future__ import annotations

import json
import time

from domains import all_run, connection, database, die, domain, running, start_ids
from world import killed

KEY = "dbfleet.cluster/lease"
UP = {"shop": database(up=True)}
LEAVE_ALONE = {"nuodb_recover_on_lease": "leave_alone"}
WITHOUT_TES = ["shop SM 0", "shop SM 1"]


def value(simulator, name=None):
    return connection(simulator, name).get_value(KEY)


def take(simulator, name, seconds):
    """Somebody else's lease."""
    now = int(time.time())
    row = {"run": "theirs", "about": "patching", "by": "ben@two", "process": "", "kept": False, "since": now}
    connection(simulator, name).set_value(KEY, json.dumps({**row, "until": now + seconds}), None, False)


def start_storage(simulator, name):
    """Both SMs of a database that is down, and no TE."""
    for archive in range(2):
        assert connection(simulator, name).start_process("shop", f"server{archive}", "SM", archive)


def of_lease(simulator, name):
    return [row["method"] for row in simulator.calls("PUT kvstore", "GET kvstore", cluster=name)]


def test_whom_it_keeps_off(simulate, ansible):
    simulator = simulate(domain("held", databases=UP), domain("over", databases=UP))
    hosts = simulator.inventory()
    for name in hosts:
        die(simulator, start_ids(simulator, name, engine_type="TE", server_id="server1")[0], name)
    take(simulator, "held", 600)
    take(simulator, "over", -61)  # no longer than clocks may differ
    simulator.forget()
    refused = ansible.run("nuodb_recover", hosts).failed()
    (says,) = {text for text in refused.failures("held") if "maintenance" in text}
    assert "held: maintenance by ben@two since 20" in says
    assert "(patching) is under way: nothing is recovered" in says
    assert refused.lines(r"hint: wait until it ends; its lease ends by itself at 20.*nuodb_lease=take_over")
    assert simulator.changes("held") == []
    assert len(simulator.changes("over")) == 1
    assert all_run(simulator, "over")
    assert value(simulator, "over") == "returned"

    held = {"held": hosts["held"]}
    left = ansible.run("nuodb_recover", held, variables=LEAVE_ALONE).ok()
    assert left.lines(r"^\[held\] maintenance by ben@two since .* nothing is recovered")
    assert "ben@two" in left.custom["held"]["left_alone"]
    assert left.custom["held"]["recovered"] == []
    assert simulator.changes("held") == []

    # A preview is refused as the run would be, and takes nothing.
    assert "ben@two" in " ".join(ansible.run("nuodb_cold_start", held, "--check").failed().failures())
    assert "theirs" in value(simulator, "held")
    ansible.run("nuodb_recover", held, variables={"nuodb_lease": "take_over"}).ok()
    assert all_run(simulator, "held")
    assert value(simulator, "held") == "returned"


def test_a_shutdown_under_way_is_not_fought_and_one_that_was_killed_lets_others_go_on(simulate, ansible):
    simulator = simulate(
        domain(databases={"hr": database(up=True), "shop": database(up=True)}, timing={"te_shutdown": 900})
    )
    hosts, hr = simulator.inventory(), {"nuodb_databases": ["hr"]}
    shop = {"confirm": "nuo-prod", "nuodb_graceful_shutdown_databases": ["shop"]}
    run = ansible.start("nuodb_graceful_shutdown", hosts, variables=shop)
    run.wait_for("it shuts down", lambda: simulator.changes() == ["POST databases/shutdown shop"])
    die(simulator, start_ids(simulator, db_name="hr", engine_type="TE", server_id="server1")[0])
    simulator.forget()
    for book, nothing in (("nuodb_recover", "nothing is recovered"), ("nuodb_cold_start", "nothing changed")):
        said = " ".join(ansible.run(book, hosts, variables=hr).failed().failures())
        assert f"(nuodb_graceful_shutdown) is under way: {nothing}" in said
    assert simulator.changes() == []

    killed(simulator, run)
    # A recovery can't tell what was meant; who begins a cold start can.
    assert "nothing is recovered" in " ".join(ansible.run("nuodb_recover", hosts, variables=hr).failed().failures())
    simulator.forget()
    assert ansible.run("nuodb_cold_start", hosts, variables=hr).ok().changed()
    assert of_lease(simulator, "nuo-prod") == ["PUT kvstore", "GET kvstore", "PUT kvstore", "PUT kvstore"]
    assert value(simulator) == "returned"
    simulator.forget()
    assert ansible.run("nuodb_cold_start", hosts, variables=hr).ok().changed() == 0
    assert of_lease(simulator, "nuo-prod") == []


def test_what_a_failed_shutdown_has_taken_down_stays_down(simulate, ansible, tmp_path):
    simulator = simulate(domain(databases=UP))
    hosts = simulator.inventory()
    hook = tmp_path / "broken.yml"
    hook.write_text("- name: It breaks\n  ansible.builtin.fail: {msg: it broke}\n")
    broken = {"confirm": "nuo-prod", "nuodb_graceful_shutdown_hooks": {"after_databases": str(hook)}}
    ansible.run("nuodb_graceful_shutdown", hosts, variables=broken).failed()
    assert json.loads(value(simulator))["kept"]
    start_storage(simulator, "nuo-prod")
    left = ansible.run("nuodb_recover", hosts, variables=LEAVE_ALONE).ok()
    assert "left the domain down on purpose" in left.custom["nuo-prod"]["left_alone"]
    ansible.run("nuodb_cold_start", hosts).ok()
    assert all_run(simulator)
    assert running(simulator)[:2] == WITHOUT_TES
    assert value(simulator) == "returned"


def test_a_maintenance_holds_it_to_its_end_and_one_that_was_killed_is_made_again(simulate, ansible, tmp_path):
    """Also while the user works between the shutdown and the cold start, and while servers are out one by one."""
    simulator = simulate(domain(databases=UP))
    begun, go, work = tmp_path / "begun", tmp_path / "go", tmp_path / "work.yml"
    wait = {"ansible.builtin.wait_for": {"path": str(go), "sleep": 1}}
    work.write_text(json.dumps([{"ansible.builtin.file": {"path": str(begun), "state": "touch"}}, wait]))
    hosts = simulator.inventory(maintenance_work=str(work))
    run = ansible.start("maintenance", hosts, variables={"confirm": "nuo-prod"})
    run.wait_for("the user works", begun.exists)
    held = json.loads(value(simulator))
    assert (held["about"], held["kept"]) == ("maintenance", False)
    assert running(simulator) == []
    # Somebody's task has begun to bring it up: that alone looks like a database that failed.
    start_storage(simulator, "nuo-prod")
    simulator.forget()
    left = ansible.run("nuodb_recover", hosts, variables=LEAVE_ALONE).ok()
    assert "(maintenance) is under way: nothing is recovered" in left.custom["nuo-prod"]["left_alone"]
    assert "nothing changed" in " ".join(ansible.run("nuodb_cold_start", hosts).failed().failures())
    assert simulator.changes() == []

    killed(simulator, run)
    assert "nothing is recovered" in " ".join(ansible.run("nuodb_recover", hosts).failed().failures())
    assert simulator.changes() == []
    go.touch()
    simulator.forget()
    again = {"confirm": "nuo-prod", "maintenance_accept": "nuo-prod"}
    ansible.run("maintenance", hosts, variables=again).ok()
    # Taken from the run that is gone, and given back: the runbooks within leave it alone.
    assert of_lease(simulator, "nuo-prod") == ["PUT kvstore", "GET kvstore", "PUT kvstore", "PUT kvstore"]
    assert value(simulator) == "returned"
    assert all_run(simulator)


def test_a_maintenance_that_failed_keeps_recovery_off_what_it_left_down(simulate, ansible, tmp_path):
    three = [f"server{number}" for number in range(3)]
    simulator = simulate(
        domain("whole", databases=UP), domain("part", servers=3, databases={"shop": database(three, three, up=True)})
    )
    work = tmp_path / "work.yml"
    work.write_text(json.dumps([{"ansible.builtin.fail": {"msg": "no"}, "when": "broken | default(true)"}]))
    hosts = simulator.inventory(maintenance_work=str(work), maintenance_serial=2, maintenance_canary=0)
    hosts["part"]["maintenance_rolling"] = True
    confirm = {"confirm": "whole,part"}
    ansible.run("maintenance", hosts, variables=confirm).failed()
    assert [json.loads(value(simulator, name))["kept"] for name in hosts] == [True, True]
    start_storage(simulator, "whole")
    simulator.forget()
    left = ansible.run("nuodb_recover", hosts, variables=LEAVE_ALONE).ok()
    assert all("left the domain down on purpose" in left.custom[name]["left_alone"] for name in hosts)
    assert simulator.changes() == []
    hosts["part"]["maintenance_rolling_cut_off"] = "server1"  # the leader, server0, comes last
    ansible.run("maintenance", hosts, variables={**confirm, "maintenance_accept": "whole,part", "broken": False}).ok()
    assert [value(simulator, name) for name in hosts] == ["returned", "returned"]
    assert all_run(simulator, "whole")
    assert all_run(simulator, "part")
