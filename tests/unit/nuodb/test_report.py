# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a domain, its line, and the wait for an AP to make it of."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence import pace
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Denied, Fault, TimedOut, Unreachable
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import report
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.view import Snapshot, of_report
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.ap import Ap
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import ONE_OF_TWO, REFERENCE, database_row, sm, te

EVERY = report.ReportScope([], [])
DATABASES = {"test": ["server0", "server1"], "sales": ["server2"]}


@pytest.fixture
def domain(memory):
    found = memory(DATABASES).run(sm("6", born=(3, 0)), te("7", "server1", born=(3, 0)))
    found.stones = [*REFERENCE, ONE_OF_TWO]
    found.databases_now["test"] = replace(found.databases_now["test"], incarnation=(2, 1))
    return found


def test_what_is_gathered_and_no_more(domain):
    for part in ("servers", "archives", "processes"):
        domain.reads.clear()
        found = report.of(domain, [part], EVERY, False)
        assert sorted(found) == sorted(["product", "name", "version", part])
        assert domain.reads == (["servers"] if part == "servers" else ["servers", part])
    found = report.of(domain, list(report.PARTS), EVERY, False)
    assert set(found) == {"product", "name", "version", *report.PARTS}
    assert (found["product"], found["name"], found["version"]) == ("nuodb", "nuo-unit", "4.2.1")
    assert list(found["archives"]) == ["0", "1", "2"]
    assert [row["host"] for row in found["start_plans"]["sales"]] == ["server2"]


def test_tombstones_of_the_present_incarnation_or_of_all(domain):
    assert list(report.of(domain, ["tombstones"], EVERY, False)["tombstones"]) == ["4"]
    found = report.of(domain, ["tombstones"], EVERY, True)["tombstones"]
    assert sorted(found) == ["0", "1", "2", "3", "4"]
    assert found["4"] == {
        "start_id": "4", "db_name": "test", "engine_type": "SM", "server_id": "server0", "durable_state": "STARTED",
        "engine_state": "UNKNOWN", "archive_id": 0, "node_id": None, "pid": None, "address": None, "labels": {},
        "version": None, "last_heard_from": 100, "born": [2, 0], "external": False, "recovery": None, "saved": None,
        "incarnation": [2, 1], "exit_code": 2, "reason": ONE_OF_TWO.reason,
    }  # fmt: skip


def test_a_report_comes_back_as_the_objects_it_was_made_of(domain):
    told = json.loads(json.dumps(report.of(domain, list(report.DEFAULT_PARTS), EVERY, True)))
    back = of_report(told)
    assert back.servers == domain.servers_now
    assert back.databases == domain.databases_now
    assert back.archives == domain.archives_now
    assert back.processes == domain.processes_now
    assert sorted(stone.words for stone in back.tombstones) == sorted(stone.words for stone in domain.stones)
    assert [stone.incarnation for stone in back.tombstones] == [(2, 1), (1, 4), (1, 3), (1, 2), (1, 1)]
    assert back.has_quorum
    assert of_report({}) == Snapshot()


def test_a_selection_of_databases_and_servers(domain):
    domain.archives = lambda removed=False, **filters: domain.asked.append((removed, filters)) or {}
    domain.asked = []
    found = report.of(
        domain,
        ["servers", "databases", "archives", "removed_archives"],
        report.ReportScope(["sales"], ["server1"]),
        False,
    )
    assert list(found["databases"]) == ["sales"]
    assert list(found["servers"]) == ["server1"]
    wanted = {"dbName": ["sales"], "host": ["server1"]}
    assert domain.asked == [(False, wanted), (True, wanted)]
    assert found["version"] == "4.2.1", "of the AP that was asked, whichever servers are shown"


def test_a_database_without_an_sm_has_no_hot_copies_to_tell(domain):
    def hotcopies(db_name):
        if db_name == "sales":
            raise Fault("nuo-unit: No RUNNING SMs found", "No RUNNING SMs found")
        return [{"hotCopyId": "e5b8"}]

    domain.hotcopies = hotcopies
    assert report.of(domain, ["hotcopies"], EVERY, False)["hotcopies"] == {"test": [{"hotCopyId": "e5b8"}], "sales": []}


def test_the_line_of_a_domain(domain):
    found = report.of(domain, list(report.DEFAULT_PARTS), EVERY, False)
    assert report.summary(found) == (
        "nuo-unit: servers 3/3 active; leader server0; databases 1/2 up (test AWAITING_ARCHIVE_HISTORIES_INC, sales "
        "NOT_RUNNING); archives not running: 1 2; 1 SM, 1 TE running; NuoDB 4.2.1"
    )


def test_the_line_of_a_domain_that_is_not_well(domain):
    domain.servers_now = {name: replace(one, leader=None) for name, one in domain.servers_now.items()}
    domain.servers_now["server2"] = replace(domain.servers_now["server2"], connected="Disconnected")
    found = report.of(domain, ["servers", "databases"], EVERY, False)
    assert report.summary(found).startswith("nuo-unit: servers 2/3 active (not: server2); no leader; databases 1/2 up")


def test_the_line_says_nothing_of_what_was_not_gathered(domain):
    assert report.summary(report.of(domain, ["archives"], EVERY, False)) == (
        "nuo-unit: archives not running: 1 2; NuoDB 4.2.1"
    )
    assert report.summary({"name": "x"}) == "x: nothing was gathered"


def test_the_leader_is_known_although_the_ap_that_was_asked_is_not_shown(domain):
    found = report.of(domain, ["servers"], report.ReportScope([], ["server1"]), False)
    assert report.summary(found) == "nuo-unit: servers 1/1 active; leader server0; NuoDB 4.2.1"


def test_what_of_a_domain_is_not_up(memory, domain):
    well = memory({"test": ["server0"]}).run(sm("1"), te("2", "server1"))
    found = report.of(well, list(report.DEFAULT_PARTS), EVERY, False)
    assert (report.lacking(found), report.is_down(found)) == ([], False)
    found = report.of(domain, list(report.DEFAULT_PARTS), EVERY, False)
    assert report.lacking(found) == [
        "databases test AWAITING_ARCHIVE_HISTORIES_INC, sales NOT_RUNNING", "archives not running: 1 2",
    ]  # fmt: skip
    assert not report.is_down(found)
    domain.servers_now = {name: replace(one, leader=None) for name, one in domain.servers_now.items()}
    domain.servers_now["server2"] = replace(domain.servers_now["server2"], connected="Disconnected")
    lacks = report.lacking(report.of(domain, list(report.DEFAULT_PARTS), EVERY, False))
    assert lacks[:2] == ["servers not active: server2", "no leader"]


def test_a_domain_is_down_when_no_database_has_a_running_te(memory):
    deaf = memory({"test": ["server0"]}).run(sm("1"))
    found = report.of(deaf, list(report.DEFAULT_PARTS), EVERY, False)
    assert report.lacking(found) == ["databases without a running TE: test"]
    assert report.is_down(found)
    found = report.of(memory(DATABASES), list(report.DEFAULT_PARTS), EVERY, False)
    assert report.is_down(found)
    assert not report.is_down({**found, "databases": {}})


# -- the wait for an AP


@pytest.fixture
def answering(domain, monkeypatch):
    monkeypatch.setattr(pace, "FIRST_INTERVAL", 0.001)

    def go(*answers):
        asked = []

        def servers():
            asked.append(1)
            answer = answers[min(len(asked), len(answers)) - 1]
            if isinstance(answer, Exception):
                raise answer
            return answer

        domain.servers = servers
        return asked

    return go


def test_an_ap_is_awaited_until_it_names_its_servers(domain, answering, new_task):
    task = new_task()
    asked = answering(Unreachable("nuo-unit: connection refused"), {}, {"server0": 1})
    report.await_api(task, domain, 60, 30)
    assert len(asked) == 3
    assert "connection refused" in task.lines[0]
    assert "the API answers, but names no servers" in task.lines[1]
    assert task.lines[2].endswith("answers at https://ap0:8888")


def test_a_wait_for_an_ap_ends(domain, answering, new_task):
    answering(Unreachable("nuo-unit: connection refused"))
    with pytest.raises(TimedOut, match="nuo-unit: connection refused; the wait timed out after 0.05 s"):
        report.await_api(new_task(), domain, 0.05, 30)
    asked = answering(Denied("nuo-unit: wrong password"))
    with pytest.raises(Denied):
        report.await_api(new_task(), domain, 60, 30)
    assert asked == [1]


def test_no_wait_is_wanted(domain, answering, new_task):
    asked = answering({})
    report.await_api(new_task(), domain, 0, 30)
    assert asked == []


# -- the module


def test_the_module_tells_all_of_it(bring, domain):
    found = bring("nuodb_domain_info", domain, incarnations="all", db_names=["test"])
    assert found["api_url"] == "https://ap0:8888"
    assert found["api_calls"] == 5
    assert list(found["domain"]["databases"]) == ["test"]
    assert found["summary"].startswith("nuo-unit: servers 3/3 active")
    assert "changed" not in found


@pytest.mark.parametrize(
    ("databases", "gather", "asked"),
    [
        ([database_row(state="NOT_RUNNING"), database_row("hr", "NOT_RUNNING")], ["databases", "processes"], False),
        ([database_row(state="NOT_RUNNING"), database_row("hr", "RUNNING")], ["databases", "processes"], True),
        ([database_row(state="STARTED")], ["databases", "processes"], True),
        ([], ["databases", "processes"], True),
        ([database_row(state="NOT_RUNNING")], ["processes"], True),
    ],
)
def test_of_databases_that_do_not_run_no_processes_are_asked_for(databases, gather, asked):
    ap = Ap()
    ap.databases, ap.processes = databases, []
    found = report.of(ap.domain, gather, EVERY, False)
    assert found["processes"] == {}
    assert ("GET processes" in ap.asked) == asked


def test_what_was_lost(memory):
    """A TE may have come up on another server; fewer of them are a loss."""
    parts = ["servers", "databases", "archives", "processes"]

    def told(*processes, away=()):
        domain = memory(DATABASES).run(*processes)
        for server in away:
            domain.servers_now[server] = replace(domain.servers_now[server], connected="Disconnected")
        return report.of(domain, parts, EVERY, False)

    before = told(sm("1"), te("2", "server0"), te("3", "server1"))
    assert report.lost(before, before) == []
    assert report.lost(before, told(sm("11"), te("12", "server1"), te("13", "server1"))) == []
    fewer = told(sm("11"), te("12", "server0"), away=["server2"])
    assert report.lost(before, fewer) == [
        "servers not active: server2",
        "test has 1 of 2 TEs (missing on server1)",
    ]
    none = report.lost(before, told())
    assert none == ["databases that accept no connections: test", "archives not running: 0"]
