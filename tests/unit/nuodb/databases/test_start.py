# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a start of databases is about, and what stands against it. Nothing waits for real."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, Failed, NoSuchObject, Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.api.objects import Database
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import REFERENCE, died, sm, te
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.starts import ONE_TE, TWO_TES, away, starts

# -- a cold start


def test_tes_where_they_were_when_nothing_is_said(bring, memory):
    domain = memory()
    domain.stones = list(REFERENCE)
    domain._next_id = 4
    bring("nuodb_database", domain, databases=["all"])
    assert sorted(starts(domain))[:2] == ["test:TE1@server0", "test:TE1@server1"]


def test_tes_of_which_nobody_knows_are_refused_before_anything_is_requested(bring, memory):
    domain = memory()
    with pytest.raises(Refused, match="nuo-unit: test: no option says where its TEs should run") as caught:
        bring("nuodb_database", domain, databases=["test"])
    assert "te_count" in caught.value.hint
    assert caught.value.failed_object == "test"
    assert domain.log == []


def test_sms_alone_need_no_word_of_tes(bring, memory):
    domain = memory()
    bring("nuodb_database", domain, databases=["test"], engine_types=["SM"])
    assert sorted(starts(domain)) == ["test:archive0@server0", "test:archive1@server1"]


def test_early_tes_are_requested_and_not_awaited(bring, memory, time):
    domain = memory()
    domain.te_start = 1e6
    bring("nuodb_database", domain, databases=TWO_TES, engine_types=["SM"], te_early=True)
    assert len(starts(domain)) == 4
    assert time.since < 2 * domain.sm_start
    assert {one.durable_state for one in domain.processes_now.values() if one.engine_type == "TE"} == {"TRACKED"}


def test_early_tes_of_which_nobody_knows_are_left_for_later(bring, memory):
    domain = memory()
    bring("nuodb_database", domain, databases=["test"], engine_types=["SM"], te_early=True)
    assert len(starts(domain)) == 2


def test_early_tes_of_a_quick_database_do_not_wait_for_a_slow_one(bring, timed):
    domain = timed({"test": ["server0"], "sales": ["server1"]})
    domain.slow["sales"] = 300.0
    wanted = [{"name": "test", "te_count": 1}, {"name": "sales", "te_count": 1}]
    bring("nuodb_database", domain, databases=wanted, engine_types=["SM"], te_early=True)
    times = {row[2]: row[0] for row in domain.times}
    assert times["test:TE1@server1"] < 30
    assert times["sales:TE1@server0"] > 300


def test_wall_time_is_that_of_the_slowest_database(bring, memory, time):
    domain = memory({"test": ["server0"], "sales": ["server1"]})
    domain.slow["sales"] = 300.0
    domain.te_start = 10.0
    bring("nuodb_database", domain, databases=[{"name": "all", "te_count": 1}])
    assert 311 < time.since < 1.15 * 311


# -- servers that are away


def test_an_archive_of_a_server_that_is_away_is_refused(bring, memory):
    domain = away(memory(), "server1")
    with pytest.raises(Refused, match="test:archive1@server1: server server1 isn't connected") as caught:
        bring("nuodb_database", domain, databases=ONE_TE)
    assert "start the nuoadmin service of server1" in caught.value.hint
    assert "nuodb_archive state=purged" in caught.value.hint
    assert domain.log == []


def test_of_a_database_that_is_down_no_archive_can_be_ignored(bring, memory):
    domain = away(memory(), "server1")
    with pytest.raises(Refused, match=r"without the SM of archive 1 \(server1:/archive/1\) the others would time out"):
        bring("nuodb_database", domain, databases=ONE_TE, ignore_archives=[1])
    assert domain.log == []


def test_of_a_database_that_runs_an_archive_is_left_down_by_naming_it(bring, memory):
    domain = away(memory().run(sm("0")), "server1")
    with pytest.raises(Refused, match="server1 isn't connected") as caught:
        bring("nuodb_database", domain, databases=ONE_TE)
    assert "ignore_archives: [1]" in caught.value.hint
    bring("nuodb_database", domain, databases=ONE_TE, ignore_archives=[1])
    assert starts(domain) == ["test:TE1@server0"]


def test_a_te_on_a_server_that_is_away(bring, memory):
    domain = away(memory(), "server2")
    with pytest.raises(Refused, match="test:TE1@server2: server server2 isn't connected") as caught:
        bring("nuodb_database", domain, databases=[{"name": "test", "te_server_ids": ["server2"]}])
    assert "te_count" in caught.value.hint
    bring("nuodb_database", domain, databases=[{"name": "test", "te_count": 3}])
    assert sum("TE" in name for name in starts(domain)) == 3
    assert not [name for name in starts(domain) if "server2" in name]


def test_a_process_on_a_server_that_is_away_may_run_or_not(bring, memory):
    domain = away(memory().run(sm("0"), sm("2", 1, "server1")), "server1")
    with pytest.raises(Refused, match="nobody can know whether the process still runs") as caught:
        bring("nuodb_database", domain, databases=["test"], engine_types=["SM"])
    assert "evict" in caught.value.hint


def test_a_server_that_nobody_knows(bring, memory):
    domain = memory()
    with pytest.raises(NoSuchObject, match="test: a TE should run on elsewhere, but there is no such server"):
        bring("nuodb_database", domain, databases=[{"name": "test", "te_server_ids": ["elsewhere"]}])
    assert domain.log == []


@pytest.mark.parametrize("lonely", ["cut off", "no leader"])
def test_without_a_quorum_nothing_is_requested(bring, memory, lonely):
    domain = memory({"test": ["server0"]})
    if lonely == "cut off":
        away(domain, "server1", "server2")
    else:
        domain.servers_now = {name: replace(one, leader=None) for name, one in domain.servers_now.items()}
    with pytest.raises(Refused, match="the APs have no quorum") as caught:
        bring("nuodb_database", domain, databases=ONE_TE)
    assert "nothing overrides this" in caught.value.hint
    assert domain.log == []


def test_where_all_runs_no_quorum_is_needed(bring, memory):
    domain = away(memory({"test": ["server0"]}).run(sm("0"), te("1")), "server1", "server2")
    assert not bring("nuodb_database", domain, databases=ONE_TE)["changed"]


# -- bad input


def test_a_database_without_archives(bring, memory):
    domain = memory()
    domain.databases_now["new"] = Database("new", "NOT_RUNNING")
    with pytest.raises(Refused, match="new has no archive, so none of its processes can be started") as caught:
        bring("nuodb_database", domain, databases=["new"])
    assert "nuodb_archive" in caught.value.hint


@pytest.mark.parametrize("check_mode", [True, False])
def test_tes_alone_of_a_database_that_is_down(bring, memory, check_mode):
    domain = memory()
    given = {"databases": [{"name": "test", "te_count": 1}], "engine_types": ["TE"], "check_mode": check_mode}
    with pytest.raises(Refused, match="test is NOT_RUNNING, and none of its SMs is being started") as caught:
        bring("nuodb_database", domain, **given)
    assert "engine_types" in caught.value.hint
    assert domain.log == []
    domain.run(sm("0"), sm("1", 1, "server1"))
    assert bring("nuodb_database", domain, **given)["changed"]


def test_an_unknown_database(bring, memory):
    with pytest.raises(NoSuchObject, match=r"there is no database tset \(did you mean test\?\); there are: test"):
        bring("nuodb_database", memory(), databases=["tset"])


def test_a_database_in_a_state_of_a_later_version_is_not_touched(bring, memory):
    domain = memory({"test": ["server0"]}).run(sm("0"))
    domain.databases_now["test"] = replace(domain.databases_now["test"], state="QUIESCED")
    with pytest.raises(ClusterError, match="a start is not known to be safe in state 'QUIESCED'"):
        bring("nuodb_database", domain, databases=ONE_TE)
    assert domain.log == []


def test_a_database_that_is_not_up_although_all_runs_is_a_failure(bring, memory):
    domain = memory({"test": ["server0"]}).run(sm("0"), te("1"))
    domain.databases_now["test"] = replace(domain.databases_now["test"], state="STARTED")
    with pytest.raises(Failed, match="the processes run, but test is STARTED") as caught:
        bring("nuodb_database", domain, databases=ONE_TE)
    assert json.loads(json.dumps(caught.value.as_result()))["failed_object"] == "test"


# -- check mode


def test_check_mode_changes_nothing_and_shows_the_tes_too(bring, memory, time):
    domain = memory()
    result = bring("nuodb_database", domain, check_mode=True, databases=TWO_TES)
    assert (domain.log, time.since) == ([], 0.0)
    assert [(step["object"], step["step"]) for step in result["steps"]] == [
        ("test:archive0@server0", "start SM"), ("test:archive1@server1", "start SM"),
        ("test:TE1@server0", "start TE"), ("test:TE1@server1", "start TE"),
    ]  # fmt: skip
    assert bring.task.lines == [
        "[nuo-unit] processes: would start SM (not running -> running): test:archive0@server0 test:archive1@server1",
        "[nuo-unit] processes: would wait for test:TE1@server0 test:TE1@server1 (held back until an SM of its database "
        "runs, then start TE)",
    ]
    real = bring("nuodb_database", memory(), databases=TWO_TES)
    assert sorted((step["object"], step["step"]) for step in real["steps"]) == sorted(
        (step["object"], step["step"]) for step in result["steps"]
    )


def test_what_is_predicted_of_two_tes_on_one_server_are_two(bring, memory):
    twins = [{"name": "test", "te_server_ids": ["server0", "server0"]}]
    for domain in (memory(), memory().run(sm("0"), sm("2", 1, "server1"), te("1"))):
        told = bring("nuodb_database", domain, check_mode=True, databases=twins, engine_types=["SM"], te_early=True)
        told = told["predicted"]
        assert [row["engine_type"] for row in told["processes"].values()].count("TE") == 2
        again = bring("nuodb_database", domain, check_mode=True, databases=twins, assume=told)
        assert (again["changed"], again["steps"]) == (False, [])


def test_what_is_predicted_keeps_when_a_process_was_requested(bring, memory):
    """So a TE that was replaced is known, and a cold start is told from the incarnation before."""
    up = memory().run(sm("0"), sm("2", 1, "server1"), te("1"), te("3", "server1", born=(1, 5)))
    up.stones = [died(te("9", "server1"), (1, 5))]
    told = bring("nuodb_database", up, check_mode=True, databases=["test"], engine_types=["SM"], te_early=True)
    assert bring("nuodb_database", up, check_mode=True, databases=["test"], assume=told["predicted"])["steps"] == []

    down = memory()
    down.stones = [*REFERENCE]
    told = bring("nuodb_database", down, check_mode=True, databases=["test"], engine_types=["SM"], te_early=True)
    told = told["predicted"]
    assert told["databases"]["test"]["incarnation"] == [2, 0]
    assert {tuple(row["born"]) for row in told["processes"].values()} == {(2, 0)}
    assert bring("nuodb_database", down, check_mode=True, databases=["test"], assume=told)["steps"] == []
    stopped = bring("nuodb_database", down, check_mode=True, databases=["test"], state="stopped", assume=told)
    again = bring("nuodb_database", down, check_mode=True, databases=["test"], assume=stopped["predicted"])
    assert len(again["steps"]) == 4


def test_what_check_mode_predicts_leaves_nothing_to_do(bring, memory):
    domain = memory()
    told = bring("nuodb_database", domain, check_mode=True, databases=TWO_TES)["predicted"]
    assert told["databases"]["test"]["state"] == "RUNNING"
    assert {row["state"] for row in told["archives"].values()} == {"RUNNING"}
    again = bring("nuodb_database", domain, check_mode=True, databases=TWO_TES, assume=told)
    assert (again["changed"], again["steps"]) == (False, [])
    assert domain.log == []


def test_check_mode_refuses_what_the_run_would(bring, memory):
    with pytest.raises(Refused, match="server server1 isn't connected"):
        bring("nuodb_database", away(memory(), "server1"), check_mode=True, databases=ONE_TE)


# -- decisions


def test_a_start_waits_for_a_shutdown_that_is_under_way(bring, memory, time):
    """And 12 seconds longer: who shuts it down must see that it is down."""
    domain = memory().run(sm("0"), sm("2", 1, "server1"), te("1", "server1"))
    domain.shutdown_database("test")
    result = bring("nuodb_database", domain, databases=ONE_TE)
    assert len(starts(domain)) == 3
    assert result["changed"]
    assert {row["durable_state"] for row in result["processes"].values()} == {"MONITORED"}
    assert any("being shut down" in line for line in bring.task.lines)
    assert time.since > domain.te_stop + domain.sm_stop + 12


def test_a_preview_starts_what_is_being_shut_down(bring, memory):
    domain = memory().run(sm("0"), sm("2", 1, "server1"), te("1", "server1"))
    domain.shutdown_database("test")
    result = bring("nuodb_database", domain, check_mode=True, databases=ONE_TE)
    assert starts(domain) == []
    assert sorted(step["step"] for step in result["steps"]) == ["start SM", "start SM", "start TE"]
