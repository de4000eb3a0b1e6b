# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a whole runbook from one report, and that the modules then do just that."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, NoSuchObject, Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import report
from ansible_collections.dbfleet.cluster.plugins.modules import nuodb_plan
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import (
    BEGUN_WITHOUT_ONE,
    ONE_OF_TWO,
    REFERENCE,
    TE_ALONE,
    died,
    sm,
    te,
    went,
)

PURPOSE = [went(te("10", "server2", db_name="sales"), (1, 1)), went(sm("11", 2, "server2", db_name="sales"), (1, 2))]
DATABASES = {"test": ["server0", "server1"], "sales": ["server2"]}


def told_of(domain):
    """What nuodb_domain_info would tell, through JSON as a playbook hands it on."""
    found = report.of(domain, [*report.DEFAULT_PARTS, "hotcopies"], report.ReportScope([], []), True)
    return json.loads(json.dumps(found))


@pytest.fixture
def plan(new_task):
    """Runs nuodb_plan on the report of a domain; C(plan.lines) is what it said, C(plan.warnings) of what it warned."""

    def go(domain, runbook, refuse=False, **choice):
        known = told_of(domain) if not isinstance(domain, dict) else domain
        before = copy.deepcopy(known)
        params = {name: spec.get("default") for name, spec in nuodb_plan.SPEC["argument_spec"].items()}
        task = new_task(True, **{**params, "domain": known, "runbook": runbook, "refuse": refuse, **choice})
        go.lines, go.warnings = task.lines, task.warnings
        found = nuodb_plan.run(task)
        assert known == before, "the report was changed"
        return found

    return go


def steps(result):
    return sorted((step["object"], step["step"]) for step in result["steps"])


@pytest.fixture
def crashed(memory):
    """The working example's database after its SM was killed (NUODB-341), beside one that was shut down on purpose."""
    domain = memory(DATABASES)
    domain.stones = [*REFERENCE, *PURPOSE]
    domain._next_id = 20
    return domain


COLD = [
    ("sales:TE1@server2", "start TE"), ("sales:archive2@server2", "start SM"), ("test:TE1@server0", "start TE"),
    ("test:TE1@server1", "start TE"), ("test:archive0@server0", "start SM"), ("test:archive1@server1", "start SM"),
]  # fmt: skip


# -- cold start


def test_a_cold_start_is_planned_without_a_call_and_done_as_planned(plan, bring, crashed):
    known = told_of(crashed)
    reads = len(crashed.reads)
    found = plan(known, "cold_start")
    assert len(crashed.reads) == reads
    assert steps(found) == COLD
    assert (found["refusals"], found["databases"]) == ([], ["test", "sales"])
    assert {step["part"] for step in found["steps"]} == {"databases"}
    assert steps(bring("nuodb_database", crashed, databases=["all"])) == COLD
    again = plan(crashed, "cold_start")
    assert (again["steps"], again["refusals"]) == ([], [])
    assert plan.lines[-1] == "[nuo-unit] plan: nothing to do"


def test_only_the_databases_that_are_meant(plan, crashed):
    found = plan(crashed, "cold_start", databases=[{"name": "test", "te_server_ids": []}])
    assert steps(found) == [row for row in COLD if row[0].startswith("test:archive")]
    with pytest.raises(NoSuchObject, match="no database tset"):
        plan(crashed, "cold_start", databases=["tset"])


def away(domain, *names):
    for name in names:
        domain.servers_now[name] = replace(domain.servers_now[name], connected="Disconnected")
    return domain


def test_an_archive_whose_server_is_away_is_refused_by_plan_and_module_alike(plan, bring, crashed):
    away(crashed, "server1")
    found = plan(crashed, "cold_start", databases=["test"])
    ((part, why),) = [(refusal["part"], refusal["why"]) for refusal in found["refusals"]]
    assert part == "databases"
    assert "test:archive1@server1: server server1 isn't connected" in why
    assert any(line.startswith("[nuo-unit] refused: ") for line in plan.lines)
    with pytest.raises(Refused) as caught:
        bring("nuodb_database", crashed, databases=["test"])
    assert caught.value.as_result()["msg"] == why
    with pytest.raises(Refused, match="server1 isn't connected"):
        plan(crashed, "cold_start", databases=["test"], refuse=True)


def test_tes_of_which_nobody_knows_are_refused(plan, memory):
    found = plan(memory(), "cold_start")
    assert "no option says where its TEs should run" in found["refusals"][0]["why"]
    assert found["steps"] == []


# -- graceful shutdown


def running(memory):
    domain = memory(DATABASES).run(sm("0"), sm("2", 1, "server1"), te("1"))
    return domain.run(sm("4", 2, "server2", db_name="sales"), te("5", db_name="sales"), name="sales")


def test_a_shutdown_is_planned_and_done_as_planned(plan, bring, memory):
    domain = running(memory)
    found = plan(domain, "graceful_shutdown")
    assert steps(found) == [("sales", "shutdown database"), ("test", "shutdown database")]
    assert found["refusals"] == []
    assert steps(bring("nuodb_database", domain, databases=["all"], state="stopped")) == steps(found)
    assert plan(domain, "graceful_shutdown")["steps"] == []


def test_servers_go_after_their_databases_the_leader_last(plan, memory):
    found = plan(running(memory), "graceful_shutdown", stop_servers=True)
    assert found["refusals"] == []
    assert [(step["part"], step["object"]) for step in found["steps"]] == [
        ("databases", "test"), ("databases", "sales"),
        ("servers", "server1"), ("servers", "server2"), ("servers", "server0"),
    ]  # fmt: skip


def test_a_database_that_is_left_running_keeps_its_servers(plan, memory):
    found = plan(running(memory), "graceful_shutdown", databases=["test"], stop_servers=True)
    ((part, why),) = [(refusal["part"], refusal["why"]) for refusal in found["refusals"]]
    assert part == "servers"
    assert "SM of archive 2 on server2" in why


@pytest.mark.parametrize(
    ("how", "wanted", "refusals"),
    [
        ("refuse", ["shutdown database"], 1),
        ("wait", ["shutdown database"], 0),
        ("cancel", ["cancel hot copy e5b8", "shutdown database"], 0),
    ],
)
def test_a_hot_copy_stands_in_the_way_or_not(plan, memory, how, wanted, refusals):
    domain = running(memory)
    domain.copies["test"] = [{"coordinatorStartId": "0", "hotCopyId": "e5b8", "status": "running"}]
    found = plan(domain, "graceful_shutdown", on_hotcopy=how)
    assert len(found["refusals"]) == refusals
    if how == "refuse":
        assert "hot copy e5b8 is running" in found["refusals"][0]["why"]
    else:
        assert {step["step"] for step in found["steps"]} <= set(wanted)


def test_a_crash_is_no_shutdown(plan, crashed):
    found = plan(crashed, "graceful_shutdown")
    assert "test: it is down, but nobody shut it down" in found["refusals"][0]["why"]
    assert plan(crashed, "graceful_shutdown", require_graceful=False)["refusals"] == []


def test_fewer_tes_than_before_are_told_once_by_whoever_starts_them(plan, bring, memory):
    domain = memory({"test": ["server0", "server1"]})
    domain.stones, domain._next_id = [*REFERENCE, *BEGUN_WITHOUT_ONE], 20
    domain.databases_now["test"] = replace(domain.databases_now["test"], incarnation=(2, 3))
    plan(domain, "cold_start")
    (said,) = plan.warnings
    begins = "nuo-unit: test: its last incarnation began without TEs that an earlier one had (on server1)"
    assert said.startswith(begins)
    line = said.replace("nuo-unit:", "[nuo-unit]", 1)
    assert plan.lines.count(line) == 1
    bring("nuodb_database", domain, databases=["test"], engine_types=["SM"])
    assert bring.task.warnings == []
    for check, lines in ((True, 0), (False, 1), (True, 0)):
        bring("nuodb_database", domain, check, databases=["test"])
        assert (bring.task.warnings, bring.task.lines.count(line)) == ([said], lines)
    found = plan(domain, "recover")
    assert (plan.warnings, found["steps"]) == ([said], [])
    assert "[nuo-unit] found: " + said.partition(": ")[2] in plan.lines
    domain.exits("21")
    plan(domain, "recover")
    assert (plan.warnings, plan.lines.count(line)) == ([said], 0), "the finding has said it"


# -- recovery


@pytest.mark.parametrize(
    ("stones", "kind"),
    [
        (REFERENCE, "not_durable"),
        ([*REFERENCE, ONE_OF_TWO], "partly_started"),
        ([*REFERENCE, ONE_OF_TWO, TE_ALONE], "partly_started"),
    ],
)
def test_what_crashed_is_brought_back_and_what_was_shut_down_is_not(plan, bring, crashed, stones, kind):
    crashed.stones = [*stones, *PURPOSE]
    crashed.databases_now["test"] = replace(crashed.databases_now["test"], incarnation=stones[-1].incarnation)
    found = plan(crashed, "recover")
    assert [(one["db_name"], one["kind"]) for one in found["findings"]] == [("test", kind), ("sales", "on_purpose")]
    assert found["databases"] == ["test"]
    assert steps(found) == [row for row in COLD if row[0].startswith("test")]
    assert all(f"[nuo-unit] found: {one['text']}" in plan.lines for one in found["findings"])
    assert steps(bring("nuodb_database", crashed, databases=found["databases"])) == steps(found)
    after = plan(crashed, "recover")
    assert (after["databases"], after["steps"]) == ([], [])


def test_all_archives_that_are_down_come_back_together(plan, bring, memory):
    domain = memory({"test": ["server0", "server1", "server2"]}).run(sm("0"), te("5"))
    domain.stones = [died(sm("2", 1, "server1"), (1, 1)), died(sm("3", 2, "server2"), (1, 2))]
    found = plan(domain, "recover")
    assert [one["kind"] for one in found["findings"]] == ["lost_redundancy"]
    assert steps(found) == [("test:archive1@server1", "start SM"), ("test:archive2@server2", "start SM")]
    began = domain.time()
    bring("nuodb_database", domain, databases=found["databases"])
    assert [row[1] for row in domain.log] == ["test:archive1@server1", "test:archive2@server2"]
    assert domain.time() - began < 40


def test_a_te_that_died_comes_back(plan, bring, memory):
    domain = memory({"test": ["server0"]}).run(sm("0"), te("5"), te("6", "server1"))
    domain.exits("6")
    found = plan(domain, "recover")
    assert [one["kind"] for one in found["findings"]] == ["lost_transactions"]
    assert steps(found) == [("test:TE1@server1", "start TE")]
    assert steps(bring("nuodb_database", domain, databases=found["databases"])) == steps(found)
    assert plan(domain, "recover")["findings"] == []


def test_a_database_that_is_going_down_is_planned_as_it_will_be_then(plan, bring, memory):
    domain = running(memory)
    domain.shutdown_database("test")
    found = plan(domain, "cold_start", databases=["test"])
    tes = [("test:TE1@server0", "start TE")]
    assert steps(found) == sorted([("test:archive0@server0", "start SM"), ("test:archive1@server1", "start SM"), *tes])
    assert found["refusals"] == []
    assert any("would wait for test (REQUESTED_TE_SHUTDOWN, being shut down" in line for line in plan.lines)
    assert plan(domain, "recover")["databases"] == []
    assert steps(bring("nuodb_database", domain, databases=["test"])) == steps(found)


def test_nothing_happened(plan, memory):
    found = plan(running(memory), "recover")
    assert (found["findings"], found["databases"], found["steps"], found["refusals"]) == ([], [], [], [])


# -- reports


def test_a_domain_without_databases(plan, memory):
    domain = memory({"test": ["server0"]})
    domain.databases_now, domain.archives_now = {}, {}
    for runbook in ("cold_start", "graceful_shutdown", "recover"):
        found = plan(domain, runbook)
        assert (found["steps"], found["refusals"], found["databases"]) == ([], [], [])


@pytest.mark.parametrize("part", ["servers", "databases", "archives", "processes", "tombstones"])
def test_a_report_without_a_part_is_told(plan, memory, part):
    known = told_of(memory())
    del known[part]
    with pytest.raises(ClusterError, match=f"nuo-unit: its report has no {part}: add them to gather"):
        plan(known, "recover")


def test_without_tombstones_a_cold_start_is_planned_where_the_tes_are_said(plan, memory):
    known = told_of(memory({"test": ["server0"], "sales": ["server2"]}))
    whole = copy.deepcopy(known)
    del known["tombstones"]
    said = [{"name": "test", "te_count": 1}, {"name": "sales", "te_server_ids": ["server1"]}]
    assert plan(known, "cold_start", databases=said) == plan(whole, "cold_start", databases=said)
    for runbook, databases in [("cold_start", [said[0], "sales"]), ("graceful_shutdown", said), ("recover", said)]:
        with pytest.raises(ClusterError, match="nuo-unit: its report has no tombstones: add them to gather"):
            plan(known, runbook, databases=databases)
