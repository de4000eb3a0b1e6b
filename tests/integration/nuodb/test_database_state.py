# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runbook nuodb_database_state: the named databases, and nothing else."""

from __future__ import annotations

from domains import database, domain, running, starts


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

    run("shop", state="restarted", **confirmed).ok()
    assert simulator.changes()[0] == "POST databases/shutdown shop"
    assert sorted(simulator.changes()[1:]) == four
    assert len(running(simulator)) == 7

    simulator.forget()
    preview = ansible.run("nuodb_database_state", hosts, "--check", variables=choose("all", state="restarted")).ok()
    for name in ("hr", "shop"):
        assert preview.lines(rf"databases: would shutdown database .*: {name}$")
    assert preview.lines(r"processes: would start SM .*: hr:archive0@server0 .*shop:archive3@server1$")
    assert simulator.changes() == []

    unknown = run("shoppe").failed()
    assert "there is no database shoppe (did you mean shop?); there are: hr shop" in unknown.failures()[0]
    assert unknown.lines("resume: ansible-playbook .*nuodb_database_state_databases")
