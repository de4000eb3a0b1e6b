# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The processes of a database restarted one by one: the order, what stands against it, and how a run goes on."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    ClusterError,
    Denied,
    Failed,
    Fault,
    NoSuchObject,
    Refused,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.serving import lost_without
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import died, server, sm, te, went

NOW = {"born": (1, 4)}
UP = [
    sm("0", **NOW),
    sm("1", 1, "server1", **NOW),
    te("2", **NOW),
    te("10", "server1", **NOW),
    te("9", "server1", **NOW),
]
KEY = "dbfleet.cluster/rolling_restart/test"


@pytest.fixture
def domain(memory):
    """Three servers; the database has an archive on two of them, and three TEs there."""
    return memory().run(*UP)


@pytest.fixture
def module(bring):
    def go(domain, state="planned", check=False, **more):
        return bring("nuodb_rolling_restart", domain, check, state=state, **{"databases": ["test"], **more})

    return go


@pytest.fixture
def planned(module):
    return lambda domain, **more: module(domain, **more)["plan"]


def restart_all(module, domain, rows):
    for row in rows:
        module(domain, "restarted", process=row)


def refusal(planned, domain, **more):
    with pytest.raises(Refused) as refused:
        planned(domain, **more)
    assert domain.log == []
    return refused.value


def names(rows):
    return [row["name"] for row in rows]


def test_the_highest_start_ids_first_by_number(bring, module, planned, domain):
    rows = planned(domain)
    assert names(rows) == [
        "test:TE@server1/10", "test:TE@server1/9", "test:TE@server0/2", "test:SM@server1/1", "test:SM@server0/0",
    ]  # fmt: skip
    assert rows[0] == {
        "name": "test:TE@server1/10",
        "db_name": "test",
        "start_id": "10",
        "process": {"db_name": "test", "engine_type": "TE", "server_id": "server1", "count": 2},
        "up_to": 10,
    }
    assert rows[3]["process"] == {"archive_id": 1}
    assert (domain.log, domain.values) == ([], {})


def test_one_after_another_each_in_sync_before_the_next(module, planned, domain):
    before = sorted((one.engine_type, one.server_id) for one in domain.processes_now.values())
    rows = planned(domain)
    for number, row in enumerate(rows, 1):
        found = module(domain, "restarted", process=row)
        assert [step["step"] for step in found["steps"]] == ["shutdown", f"start {row['name'][5:7]}"]
        assert all(one.is_running for one in domain.processes_now.values())
        assert len(names(planned(domain))) == len(rows) - number, "what was started since is left alone"
    assert [row[0] for row in domain.log] == ["shutdown", "start"] * 5
    assert [row[1] for row in domain.log if row[0] == "shutdown"] == ["10", "9", "2", "1", "0"]
    assert sorted((one.engine_type, one.server_id) for one in domain.processes_now.values()) == before
    assert module(domain, "done")["changed"] is False
    assert domain.values == {KEY: "ended"}
    assert len(planned(domain)) == 5, "the next one begins anew"


def test_a_preview_shows_each_and_keeps_nothing(module, planned, domain):
    rows = planned(domain)
    steps = [
        (step["object"], step["step"])
        for row in rows
        for step in module(domain, "restarted", True, process=row)["steps"]
    ]
    assert steps[:2] == [("test:TE@server1/10", "shutdown"), ("test:TE2@server1", "start TE")]
    assert steps[-2:] == [("test:SM@server0/0", "shutdown"), ("test:archive0@server0", "start SM")]
    assert len(steps) == 10
    module(domain, "done", True)
    assert (domain.log, domain.values) == ([], {})


@pytest.mark.parametrize(("which", "again"), [(0, "test:TE2@server1"), (3, "test:archive1@server1")])
def test_a_run_that_was_killed_goes_on_with_what_it_had_shut_down(module, planned, domain, which, again):
    """It ended between the shutdown of a process and its start."""
    rows = planned(domain)
    restart_all(module, domain, rows[:which])
    domain.odd["refuse start"] = ClusterError("killed here")
    with pytest.raises(ClusterError, match="killed here"):
        module(domain, "restarted", process=rows[which])
    del domain.odd["refuse start"]
    domain.log.clear()
    left = planned(domain)
    assert names(left) == names(rows)[which:]
    assert [row["start_id"] is None for row in left] == [True] + [False] * (len(left) - 1)
    restart_all(module, domain, left)
    assert [row[1] for row in domain.log if row[0] == "start"][0] == again
    assert len([row for row in domain.log if row[0] == "shutdown"]) == len(rows) - which - 1
    module(domain, "done")


def test_what_was_kept_of_an_incarnation_that_is_over_does_not_count(module, planned, domain):
    module(domain, "restarted", process=planned(domain)[0])
    assert len(planned(domain)) == 4
    assert len(planned(domain, unfinished="anew")) == 5
    database = domain.databases_now["test"]
    domain.databases_now["test"] = type(database)("test", "RUNNING", (2, 0))
    assert len(planned(domain)) == 5


def test_a_start_id_can_be_said_instead_and_then_nothing_is_kept(module, planned, domain):
    def away(*_args):
        raise NoSuchObject("nuo-unit: there is no such call")

    domain.value = domain.set_value = away
    with pytest.raises(
        ClusterError, match="a rolling restart stores its progress in the key-value store"
    ) as error:
        planned(domain)
    assert "nuodb_rolling_restart_up_to" in error.value.hint
    rows = planned(domain, up_to=2)
    assert names(rows) == ["test:TE@server0/2", "test:SM@server1/1", "test:SM@server0/0"]
    for row in rows:
        module(domain, "restarted", process=row, up_to=2)
    module(domain, "done", up_to=2)
    assert planned(domain, up_to=2) == []


@pytest.mark.parametrize("error", [Denied("not for you"), Fault("no", "no")])
def test_what_cannot_be_kept_ends_the_run_before_anything_is_shut_down(module, planned, domain, error):
    rows = planned(domain)

    def refuse(*_args):
        raise error

    domain.set_value = refuse
    with pytest.raises(ClusterError, match="can't be"):
        module(domain, "restarted", process=rows[0])
    assert domain.log == []


def test_a_key_that_holds_something_else(planned, domain):
    domain.values[KEY] = '{"up_to": "many"}'
    assert "contains something that no rolling restart wrote" in refusal(planned, domain).message


def test_the_only_one_of_something_stays(planned, memory, domain):
    alone = memory({"test": ["server0"]}).run(sm("0", **NOW), te("1", "server1", **NOW))
    told = refusal(planned, alone)
    assert "the SM on server0 is the only SM of test that runs" in told.message
    assert "the TE on server1 is the only TE of test that runs" in told.message
    assert "nuodb_database_state, state restarted" in told.hint
    assert "no other TE" not in refusal(planned, alone, allow_last_te=True).message

    two = memory().run(sm("0", **NOW), sm("1", 1, "server1", **NOW), te("2", **NOW))
    assert "the TE on server0 is the only TE of test that runs" in refusal(planned, two).message
    assert len(planned(two, allow_last_te=True)) == 3


def test_the_last_sm_of_a_storage_group_stays(planned, domain):
    held = {"0": "ADDED", "1": "ADDED"}
    domain.storage_groups = lambda _name: {"EAST": {"archive_states": held}}
    assert planned(domain)
    held["1"] = "ADDING"
    assert (
        "archive 0 is the only archive that runs with storage group EAST of test" in refusal(planned, domain).message
    )
    groups = {"EAST": {"archive_states": {"1": "ADDED"}}, "WEST": {"archive_states": {"0": "ADDED", "1": "ADDED"}}}
    assert lost_without(groups, {1}, {0}) == ["EAST"]
    assert lost_without(groups, {0}, {1}) == []


def test_all_that_stands_against_it_is_said_at_once(planned, domain):
    domain.exits("9")
    domain.exits("1")
    told = refusal(planned, domain)
    for says in (
        "no process restarted: archive 1 of test (server1:/archive/1) has no SM",
        "test lacks a TE on server1",
        "the SM on server0 is the only SM of test that runs",
    ):
        assert says in told.message, says
    assert "nuodb_recover" in told.hint
    assert "cut_off" not in told.hint


def test_without_a_quorum_nothing_is_restarted(planned, domain):
    domain.servers_now["server1"] = server("server1", connected=False)
    domain.servers_now["server2"] = server("server2", connected=False)
    assert "no quorum" in refusal(planned, domain).message


def test_a_hot_copy_is_not_broken_off(planned, domain):
    domain.copies["test"] = [{"coordinatorStartId": "0", "hotCopyId": "7", "status": "running"}]
    assert refusal(planned, domain).message.count("a hot copy of test is running") == 1


def test_a_database_that_is_down(planned, memory):
    told = refusal(planned, memory())
    assert "test is NOT_RUNNING" in told.message


@pytest.mark.parametrize(
    "happens",
    [
        lambda domain: domain.exits("2"),
        lambda domain: domain.exits("1"),
        lambda domain: domain.processes_now.update({"1": sm("1", 1, "server1", engine_state="SYNCING", **NOW)}),
    ],
)
def test_a_failure_between_two_processes_ends_it(module, planned, domain, happens):
    rows = planned(domain)
    module(domain, "restarted", process=rows[0])
    domain.log.clear()
    happens(domain)
    with pytest.raises(ClusterError) as error:
        module(domain, "restarted", process=rows[1])
    assert domain.log == []
    assert "nuodb_recover" in error.value.hint


def test_a_process_that_has_gone_since_the_plan(module, planned, domain):
    rows = planned(domain)
    domain.exits("10")
    with pytest.raises(Failed, match="test:TE@server1/10 has ended since the plan was made"):
        module(domain, "restarted", process=rows[0])
    assert domain.log == []


def test_done_is_not_said_of_what_was_left_out(module, planned, domain):
    module(domain, "restarted", process=planned(domain)[0])
    with pytest.raises(Failed, match="not restarted: test:TE@server1/9 test:TE@server0/2"):
        module(domain, "done")


def test_a_te_that_somebody_shut_down_on_purpose_is_not_missed(planned, domain):
    """Nothing but what runs is restarted; which TEs a database should have is asked only of a run without a mark."""
    domain.stones.append(went(te("8", "server2", **NOW), (1, 5), "2026-01-01T12:00:00.000"))
    assert len(planned(domain)) == 5
    assert "has no TE in place of the one on server2" in refusal(planned, domain, up_to=10).message
    domain.stones.append(died(te("7", "server2", **NOW), (1, 6), "2026-01-01T12:00:00.000"))
    assert "test lacks a TE on server2" in refusal(planned, domain).message


def test_it_waits_and_takes_a_row_of_its_plan(module, domain):
    with pytest.raises(ClusterError, match="wait=false"):
        module(domain, wait=False)
    with pytest.raises(ClusterError, match="not an element of the plan"):
        module(domain, "restarted", process={"name": "test:TE@server1/10"})


def requests_of(domain):
    return [row[2] for row in domain.log if row[0] == "start"]


def test_it_comes_back_with_its_labels_and_options(module, planned, domain):
    domain.processes_now["2"] = te("2", labels={"zone": "a"}, **NOW)
    domain.overrides = {"2": {"mem": "2G"}, "1": {"mem": "8G"}}
    for row in planned(domain):
        module(domain, "restarted", process=row)
    assert [(one.get("archiveId"), one["labels"], one["overrideOptions"]) for one in requests_of(domain)] == [
        (None, {}, {}), (None, {}, {}), (None, {"zone": "a"}, {"mem": "2G"}), (1, {}, {"mem": "8G"}), (0, {}, {}),
    ]  # fmt: skip
    assert all(one["expectedIncarnation"] == {"major": 1} for one in requests_of(domain))


def test_labels_tell_tes_of_one_server_apart(module, planned, domain):
    domain.processes_now["10"] = te("10", "server1", labels={"zone": "b"}, **NOW)
    domain.overrides = {"10": {"mem": "2G"}}
    for row in planned(domain)[:2]:
        module(domain, "restarted", process=row)
    assert [(one["labels"], one["overrideOptions"]) for one in requests_of(domain)] == [
        ({"zone": "b"}, {"mem": "2G"}), ({}, {}),
    ]  # fmt: skip


def test_of_tes_that_cant_be_told_apart_none_is_restarted(module, planned, domain):
    rows = planned(domain)
    domain.overrides = {"10": {"mem": "2G"}}
    says = (
        "test:TE@server1/10: not restarted: the labels and options of its start are unknown, because its TEs"
    )
    assert says in refusal(planned, domain).message
    with pytest.raises(Refused, match=says):
        module(domain, "restarted", process=rows[0])
    assert (domain.log, domain.values) == ([], {})
    domain.capture = lambda _name: []
    assert refusal(planned, domain).message.endswith("of its start are unknown")


def test_what_was_shut_down_comes_back_with_them_too(module, planned, domain):
    domain.overrides = {"2": {"mem": "2G"}}
    rows = planned(domain)
    restart_all(module, domain, rows[:2])
    domain.odd["refuse start"] = ClusterError("killed here")
    with pytest.raises(ClusterError, match="killed here"):
        module(domain, "restarted", process=rows[2])
    del domain.odd["refuse start"]
    domain.log.clear()
    module(domain, "restarted", process=planned(domain)[0])
    assert [one["overrideOptions"] for one in requests_of(domain)] == [{"mem": "2G"}]
