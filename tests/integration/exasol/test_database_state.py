# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runbook exa_database_state: the named databases, and nothing else."""

from __future__ import annotations

from world import cluster, confd


def choose(*databases, state=None, **more):
    wanted = {"exa_database_state_databases": list(databases), **more}
    return {**wanted, "exa_database_state_state": state} if state else wanted


def test_started_stopped_restarted(simulate, ansible):
    simulator = simulate(cluster(databases=3, up=True))
    hosts = simulator.inventory(exa_log_service="logservice1")
    confirmed = {"confirm": "exa-prod"}

    def run(*databases, state=None, **more):
        simulator.forget()
        return ansible.run("exa_database_state", hosts, variables=choose(*databases, state=state, **more))

    refused = run("DB2", state="stopped").failed()
    assert "takes exa-prod down and nothing is confirmed" in refused.failures()[0]
    assert simulator.calls() == []

    run("DB2", "DB3", state="stopped", **confirmed).ok()
    assert sorted(simulator.changes()) == ["stopDatabase db_DB2", "stopDatabase db_DB3"]
    assert simulator.phases() == {"DB1": "running", "DB2": "setup", "DB3": "setup"}

    assert run("DB2", "DB3", state="stopped", **confirmed).ok().changed() == 0
    assert simulator.changes() == []

    started = run("DB2").ok()
    assert simulator.changes() == ["startDatabase db_DB2"]
    assert started.lines(r"databases: DB2 accepts connections at 10\.50\.")
    assert simulator.phases() == {"DB1": "running", "DB2": "running", "DB3": "setup"}

    run("DB1", state="restarted", **confirmed).ok()
    assert simulator.changes() == ["stopDatabase db_DB1", "startDatabase db_DB1"]
    assert simulator.phases() == {"DB1": "running", "DB2": "running", "DB3": "setup"}

    preview = ansible.run("exa_database_state", hosts, "--check", variables=choose("DB1", state="restarted")).ok()
    assert preview.lines("databases: would stopDatabase, then startDatabase .*: DB1$")
    preview = ansible.run("exa_database_state", hosts, "--check", variables=choose("all", state="stopped")).ok()
    assert preview.lines("databases: would stopDatabase .*: DB1 DB2$")
    assert simulator.phases()["DB1"] == "running"


def test_refusals(simulate, ansible):
    databases = {"DB1": {"state": "running", "operation": "Backup"}, "DB2": {"state": "running"}}
    simulator = simulate(cluster(databases=databases, up=True))
    hosts = simulator.inventory()
    variables = {**choose("all", state="stopped"), "confirm": "exa-prod"}
    run = ansible.run("exa_database_state", hosts, variables=variables).failed()
    assert "exa-prod: DB1: operation Backup is running" in run.failures()[0]
    assert run.lines("resume: ansible-playbook .*exa_database_state_state=stopped -e confirm=exa-prod")
    unknown = ansible.run("exa_database_state", hosts, variables=choose("DB3")).failed()
    assert "there is no database DB3" in unknown.failures()[0]
    assert "there are: DB1 DB2" in unknown.failures()[0]
    assert simulator.changes() == []


def test_by_who_administers_databases_alone(simulate, ansible):
    """ConfD lets such a user start databases and not ask for volumes: whether EXAStorage runs is left to the server."""
    user = {"name": "dba", "password": "only databases", "groups": ["exadbadm"]}
    simulator = simulate(confd("dba", users=[user]), confd("other", users=[user]))
    hosts = simulator.inventory()
    confirmed = {"confirm": simulator.names}
    for state, changes in (
        ("stopped", ["db_stop DB1"]), ("started", ["db_start DB1"]), ("restarted", ["db_stop DB1", "db_start DB1"]),
    ):  # fmt: skip
        simulator.forget()
        run = ansible.run("exa_database_state", hosts, variables={**choose("all", state=state), **confirmed}).ok()
        assert simulator.changes("dba") == simulator.changes("other") == changes
        (result,) = run.of("The named databases are", "dba")
        warned = "this run can't see whether EXAStorage runs: if not, the server refuses db_start"
        assert (warned in " ".join(result.get("warnings", []))) == (state != "stopped")


def test_what_is_being_stopped_is_not_said_to_accept_connections(simulate, ansible):
    simulator = simulate(confd(databases=1, timing={"database_stop": 5}))
    stop = {"dbfleet.cluster.exa_database": {"databases": ["DB1"], "state": "stopped", "wait": False}}
    run = ansible.run([stop], simulator.inventory()).ok()
    assert run.changed() == 1
    assert not run.lines("accepts connections at")
