# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers of a domain out and back: the order, what stands against it, and what belongs where."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, Failed, NoSuchObject, Refused
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import died, server, sm, te, went
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.starts import away

NOW = {"born": (1, 4)}
UP = [
    sm("0", **NOW),
    sm("1", 1, "server1", **NOW),
    te("2", **NOW),
    te("3", "server1", **NOW),
    te("4", "server1", **NOW),
]
GONE = went(te("9", "server2", **NOW), (1, 5), "2026-01-01T12:00:00.000")


@pytest.fixture
def domain(memory):
    """Three servers; the database has an archive on two of them, and three TEs there."""
    return memory().run(*UP)


@pytest.fixture
def planned(bring):
    def go(domain, *servers, **more):
        return bring("nuodb_rolling", domain, state="planned", servers=list(servers), **more)["plan"]

    return go


def refusal(planned, domain, *servers, **more):
    with pytest.raises(Refused) as refused:
        planned(domain, *servers, **more)
    assert domain.log == []
    return refused.value


def test_the_leader_comes_last_and_a_server_without_processes_not_at_all(planned, domain):
    assert [row["name"] for row in planned(domain)] == ["server1", "server0"]
    assert [row["name"] for row in planned(domain, "server2", "server0")] == ["server2", "server0"]
    assert planned(domain, "server1") == [
        {
            "name": "server1",
            "address": "server1",
            "processes": [
                {"archive_id": 1},
                {"db_name": "test", "engine_type": "TE", "server_id": "server1", "count": 2},
            ],
        }
    ]
    with pytest.raises(NoSuchObject, match="there is no server server9"):
        planned(domain, "server9")
    with pytest.raises(ClusterError, match="no server has a process"):
        planned(type(domain)(domain.time))


def test_out_and_in_again_tes_first_and_last(bring, domain):
    out = bring("nuodb_rolling", domain, state="out", servers=["server1"])
    assert [row[:2] for row in domain.log] == [("shutdown", "3"), ("shutdown", "4"), ("shutdown", "1")]
    assert not any(one.server_id == "server1" for one in domain.processes_now.values())
    domain.log.clear()
    back = {"state": "in", "servers": ["server1"], "processes": out["plan"][0]["processes"]}
    assert [step["step"] for step in bring("nuodb_rolling", domain, **back)["steps"]] == [
        "start SM", "start TE", "start TE",
    ]  # fmt: skip
    assert [row[1] for row in domain.log] == ["test:archive1@server1", "test:TE1@server1", "test:TE2@server1"]
    assert bring("nuodb_rolling", domain, **back)["changed"] is False


def test_a_preview_shows_both_ways(bring, domain):
    out = bring("nuodb_rolling", domain, True, state="out", servers=["server0"])
    assert [(step["object"], step["step"]) for step in out["steps"]] == [
        ("test:TE@server0/2", "shutdown"),
        ("test:SM@server0/0", "shutdown"),
    ]
    back = {"servers": ["server0"], "processes": out["plan"][0]["processes"], "assume": out["predicted"]}
    found = bring("nuodb_rolling", domain, True, state="in", **back)
    assert [(step["object"], step["step"]) for step in found["steps"]] == [
        ("test:archive0@server0", "start SM"),
        ("test:TE1@server0", "start TE"),
    ]
    assert domain.log == []


def test_all_that_stands_against_it_is_said_at_once(planned, domain):
    domain.exits("2")
    domain.exits("1")
    away(domain, "server2")
    told = refusal(planned, domain)
    for says in (
        "server server2 is Disconnected",
        "archive 1 of test (server1:/archive/1) has no SM",
        "test lacks a TE on server0",
        "without the AP of server1, only 1 of 3 APs with a vote would stay, which is no majority",
        "all SMs of test that run are on server0",
        "all TEs of test are on server1",
    ):
        assert says in told.message, says
    assert "cut_off" in told.hint


def test_a_server_that_has_the_only_one_of_something_stays(planned, memory, domain):
    alone = memory({"test": ["server0"]}).run(sm("0", **NOW), te("1", "server1", **NOW))
    found = "server0: no server taken out: all SMs of test that run are on server0"
    assert found in refusal(planned, alone, "server0").message
    assert "all TEs of test are on server1" in refusal(planned, alone, "server1").message
    assert planned(alone, "server1", allow_last_te=True)

    held = {"0": "ADDED", "1": "ADDED"}
    domain.storage_groups = lambda _name: {"EAST": {"archive_states": held}}
    assert planned(domain, "server0")
    held["1"] = "ADDING"
    found = "all archives that run with storage group EAST of test are on server0"
    assert found in refusal(planned, domain, "server0").message
    assert planned(domain, "server1")


def test_of_two_servers_none_can_be_spared(planned, domain):
    del domain.servers_now["server2"]
    assert "1 of 2 APs with a vote would stay, which is no majority" in refusal(planned, domain, "server1").message


def test_a_hot_copy_is_not_broken_off(planned, domain):
    domain.copies["test"] = [{"coordinatorStartId": "0", "hotCopyId": "7", "status": "running"}]
    assert "a hot copy of test is running" in refusal(planned, domain).message
    assert planned(domain, "server2"), "no SM of it is there"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"durable_state": "TRACKED", "engine_state": "UNKNOWN"}, "is TRACKED:UNKNOWN"),
        ({"last_heard_from": 30000}, "(start ID 4) of test is MONITORED:RUNNING, silent"),
    ],
)
def test_a_process_that_does_not_run_well(planned, domain, change, says):
    domain.processes_now["4"] = replace(domain.processes_now["4"], **change)
    assert says in refusal(planned, domain, "server0").message


def test_a_database_that_is_down_needs_nothing_and_one_on_its_way_is_awaited(planned, memory):
    domain = memory({"test": ["server0", "server1"], "rest": ["server1"]}).run(*UP)
    assert len(planned(domain)) == 2
    domain.databases_now["rest"] = replace(domain.databases_now["rest"], state="AWAITING_ARCHIVE_HISTORIES_MSG")
    assert "rest is AWAITING_ARCHIVE_HISTORIES_MSG" in refusal(planned, domain, "server0").message


def test_an_archive_can_be_left_down(planned, domain):
    domain.archives_now[7] = replace(domain.archives_now[1], archive_id=7, server_id="server2", state="NOT_RUNNING")
    assert "archive 7 of test" in refusal(planned, domain).message
    assert {"archive_id": 7} not in planned(domain, "server2", ignore_archives=[7])[0]["processes"]


def test_a_te_that_somebody_shut_down_was_meant_to_go_or_cut_off(planned, domain):
    domain.stones = [GONE]
    domain.databases_now["test"] = replace(domain.databases_now["test"], incarnation=(1, 5))
    told = refusal(planned, domain)
    assert "test has no TE in place of the one on server2 that was shut down on request at 2026-01-01 12:00:00 UTC" in (
        told.message
    )
    assert "nuodb_databases" in told.hint
    said = {"name": "test", "te_server_ids": ["server0", "server1", "server1"]}
    assert len(planned(domain, databases=[said])) == 2
    first, *_others = planned(domain, cut_off="server2")
    assert (first["name"], first["processes"]) == (
        "server2",
        [{"db_name": "test", "engine_type": "TE", "server_id": "server2", "count": 1}],
    )
    domain.stones.append(died(te("8", "server0", born=(1, 5)), (1, 6)))
    assert "test lacks a TE on server0" in refusal(planned, domain).message


@pytest.mark.parametrize("said", [{"te_server_ids": ["server0", "server1", "server1", "server2"]}, {"te_count": 4}])
def test_what_belongs_where_a_run_was_cut_off_can_be_said(planned, domain, said):
    rows = planned(domain, "server1", cut_off="server2", databases=[{"name": "test", **said}])
    assert [row["name"] for row in rows] == ["server2", "server1"]
    assert rows[0]["processes"][0]["count"] == 1


def test_where_a_run_was_cut_off_comes_back_before_the_others_go(planned, domain):
    domain.exits("0", 0)
    domain.exits("2", 0)
    domain.stones = [went(stone.process, stone.incarnation) for stone in domain.stones]
    away(domain, "server0")
    assert [row["name"] for row in planned(domain, cut_off="server0")] == ["server0", "server1"]
    told = refusal(planned, domain, "server1", cut_off="server2")
    assert "archive 0 of test" in told.message


def test_when_a_te_was_requested_must_be_known(planned, domain):
    domain.stones = [GONE]
    domain.databases_now["test"] = replace(domain.databases_now["test"], incarnation=(1, 5))
    domain.processes_now["2"] = replace(domain.processes_now["2"], born=None)
    assert "no record shows whether a TE that was shut down was replaced" in refusal(planned, domain).message


def test_which_tes_there_should_be_must_be_known(planned, memory):
    domain = memory().run(*UP[:2])
    assert "test: no option says which TEs it should have" in refusal(planned, domain).message
    assert planned(domain, databases=[{"name": "test", "te_count": 0}])


def test_the_next_server_waits_for_nobody_who_is_missing(bring, domain):
    out = bring("nuodb_rolling", domain, state="out", servers=["server1"])["plan"][0]
    domain.exits("2")
    found = "server1 is back, but the domain is not as it was before: test lacks a TE on server0"
    with pytest.raises(Failed, match=found):
        bring("nuodb_rolling", domain, state="in", servers=["server1"], processes=out["processes"])


def test_the_ap_is_awaited(bring, domain):
    out = bring("nuodb_rolling", domain, state="out", servers=["server1"])["plan"][0]
    away(domain, "server1")
    domain.after(20.0, lambda _at: domain.servers_now.update(server1=server("server1")))
    found = bring("nuodb_rolling", domain, state="in", servers=["server1"], processes=out["processes"])
    assert found["joined"]
    assert not any("quorum" in line for line in bring.task.lines)


@pytest.mark.parametrize("given", [{"servers": []}, {"servers": ["server0", "server1"]}, {"wait": False}])
def test_one_server_at_a_time_and_to_the_end(bring, domain, given):
    with pytest.raises(ClusterError, match="takes exactly one server, and needs wait=true"):
        bring("nuodb_rolling", domain, state="out", **{"servers": ["server1"], **given})
