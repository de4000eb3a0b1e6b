# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runbook nuodb_database_state: the named databases, and nothing else."""

from __future__ import annotations

import re

from domains import database, domain, running, starts
from world import killed


def choose(*databases, state=None, **more):
    wanted = {"nuodb_database_state_databases": list(databases), **more}
    return {**wanted, "nuodb_database_state_state": state} if state else wanted


def test_started_stopped_restarted(simulate, ansible):
    simulator = simulate(domain(databases={"hr": database(up=True), "shop": database(up=True)}))
    hosts = simulator.inventory()
    confirmed = {"confirm": "nuo-prod"}

    def run(*databases, state=None, **more):
        simulator.forget()
        return ansible.run("nuodb_database_state", hosts, variables=choose(*databases, state=state, **more))

    refused = run("shop", state="stopped").failed()
    assert "takes nuo-prod down and nothing is confirmed" in refused.failures()[0]
    assert simulator.calls() == []

    run("shop", state="stopped", **confirmed).ok()
    assert simulator.changes() == ["POST databases/shutdown shop"]
    assert len(running(simulator)) == 4
    assert run("shop", state="stopped", **confirmed).ok().changed() == 0
    assert simulator.changes() == []

    run({"name": "shop", "te_server_ids": ["server1"]}).ok()
    four = starts("shop SM 2", "shop SM 3", "shop TE server1")
    assert sorted(simulator.changes()) == four
    assert len(running(simulator)) == 7

    fewer = {"nuodb_databases": ["hr", {"name": "shop", "te_server_ids": ["server1"]}]}
    run("shop", state="restarted", **confirmed, **fewer).ok()
    assert simulator.changes()[0] == "POST databases/shutdown shop"
    assert sorted(simulator.changes()[1:]) == four
    assert len(running(simulator)) == 7

    simulator.forget()
    preview = ansible.run(
        "nuodb_database_state", hosts, "--check", variables=choose("all", state="restarted", **fewer)
    ).ok()
    for name in ("hr", "shop"):
        assert preview.lines(rf"databases: would shutdown database .*: {name}$")
    assert preview.lines(r"processes: would start SM .*: hr:archive0@server0 .*shop:archive3@server1$")
    assert simulator.changes() == []

    unknown = run("shoppe").failed()
    assert "there is no database shoppe (did you mean shop?); there are: hr shop" in unknown.failures()[0]
    assert unknown.lines("resume: ansible-playbook .*nuodb_database_state_databases")


def test_a_restart_that_was_killed_between_two_tes_is_completed(simulate, ansible):
    """What the cut-off incarnation was to have is looked up before it is stopped: afterwards nothing tells it."""
    simulator = simulate(domain(databases={"shop": database(["server0"], up=True)}))
    hosts, wanted = simulator.inventory(), choose("shop", state="restarted", confirm="nuo-prod")
    simulator.fault("hang", method="POST processes", object="server1", max_count=1)
    run = ansible.start("nuodb_database_state", hosts, variables=wanted)
    run.wait_for("a TE is on its way", lambda: simulator.admin("/faults")[0]["hit"])
    run.wait_for("the other runs", lambda: running(simulator) == ["shop SM 0", "shop TE server0"])
    killed(simulator, run)
    simulator.mend()

    all_three = starts("shop SM 0", "shop TE server0", "shop TE server1")
    preview = ansible.run("nuodb_database_state", hosts, "--check", variables=wanted).ok()
    (tes,) = preview.lines(r"processes: would .*start TE")
    assert sorted(re.findall(r"shop:TE1@\w+", tes)) == ["shop:TE1@server0", "shop:TE1@server1"]
    assert simulator.changes() == []
    again = ansible.run("nuodb_database_state", hosts, variables=wanted).ok()
    assert not again.lines("would")
    assert [simulator.changes()[0], *sorted(simulator.changes()[1:])] == ["POST databases/shutdown shop", *all_three]


def test_a_restart_of_a_database_whose_tes_are_in_doubt_stops_nothing(simulate, ansible):
    """Its last start, by somebody else, had a TE fewer than the one before; on purpose or not, nothing tells."""
    simulator = simulate(domain(databases={"shop": database(["server0"], up=True)}))
    hosts = simulator.inventory()

    def run(*databases, state=None, **more):
        simulator.forget()
        return ansible.run("nuodb_database_state", hosts, variables=choose(*databases, state=state, **more))

    run("shop", state="stopped", confirm="nuo-prod").ok()
    run({"name": "shop", "te_server_ids": ["server0"]}).ok()
    run("shop", state="stopped", confirm="nuo-prod").ok()

    said = r"shop: its last incarnation began without TEs that an earlier one had \(on server1\)"
    started = run("shop").ok()
    assert simulator.changes() == starts("shop SM 0", "shop TE server0")
    assert started.lines(rf"^\[nuo-prod\] {said}")
    (warning,) = started.one("The named databases run")["warnings"]
    kept = r"A start keeps the TEs of the last one \(on server0\)"
    assert re.fullmatch(rf"nuo-prod: {said}.* {kept}; .*nuodb_databases\)", warning)

    for more in ({}, {"nuodb_databases": ["shop"]}):
        refused = run("shop", state="restarted", confirm="nuo-prod", **more).failed()
        assert re.search(said, refused.failures()[0])
        assert refused.lines("say where its TEs should run: .*nuodb_databases")
        assert simulator.changes() == []
    both = {"nuodb_databases": [{"name": "all", "te_count": 2}]}
    run("shop", state="restarted", confirm="nuo-prod", **both).ok()
    assert sorted(running(simulator)) == ["shop SM 0", "shop TE server0", "shop TE server1"]


def test_a_restart_whose_start_would_be_refused_stops_nothing(simulate, ansible):
    """A database that runs without TEs: nobody knows which ones it should have, so it stays up."""
    simulator = simulate(domain(databases={"shop": database(tes=[], up=True)}))
    wanted = choose("shop", state="restarted", confirm="nuo-prod")
    run = ansible.run("nuodb_database_state", simulator.inventory(), variables=wanted).failed()
    assert "shop: no option says where its TEs should run" in run.failures()[0]
    assert simulator.changes() == []
