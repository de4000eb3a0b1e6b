# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Databases are shut down, with tombstones as proof, and their objects are created and deleted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import SOMEBODY, Fail, History, Wait
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    AnswerLost,
    ClusterError,
    Failed,
    Fault,
    NoSuchObject,
    Refused,
    TimedOut,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.databases.shutdown import (
    SHUTDOWN,
    DatabaseState,
    ShutDownDatabases,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.view import DomainView
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import (
    KILLED,
    NO_LEADER,
    ONE_OF_TWO,
    REFERENCE,
    died,
    sm,
    te,
    went,
)

LOST = AnswerLost("nuo-unit: POST databases/shutdown of test: no answer; the server may have carried it out")
COPY = {"coordinatorStartId": "0", "hotCopyId": "e5b8", "status": "running"}


@pytest.fixture
def up(memory):
    """A domain with two databases that run."""

    def make():
        domain = memory({"test": ["server0", "server1"], "sales": ["server2"]})
        domain.run(sm("0"), sm("2", 1, "server1"), te("1"), te("3", "server1"))
        return domain.run(sm("4", 2, "server2", db_name="sales"), te("5", "server2", db_name="sales"), name="sales")

    return make


def stop(bring, domain, *names, **more):
    return bring("nuodb_database", domain, databases=list(names or ["all"]), state="stopped", **more)


def test_databases_go_together_and_tombstones_prove_it(bring, up, time):
    domain = up()
    result = stop(bring, domain)
    assert domain.log == [("shutdown database", "test"), ("shutdown database", "sales")]
    assert result["changed"]
    assert {row["state"] for row in result["databases"].values()} == {"NOT_RUNNING"}
    assert {row["state"] for row in result["archives"].values()} == {"NOT_RUNNING"}
    assert result["processes"] == {}
    assert {stone.exit_code for stone in domain.stones} == {0}
    assert "tombstones" in domain.reads
    assert time.since < 10


def test_others_are_left_alone(bring, up):
    domain = up()
    result = stop(bring, domain, "test")
    assert [row[1] for row in domain.log] == ["test"]
    assert list(result["databases"]) == ["test"]
    assert domain.databases_now["sales"].state == "RUNNING"


def test_a_second_shutdown_changes_nothing(bring, up):
    domain = up()
    stop(bring, domain)
    again = stop(bring, domain)
    assert (again["changed"], again["steps"]) == (False, [])
    assert len(domain.log) == 2


@pytest.mark.parametrize("exit_", [(137, KILLED), (1, "(2026-01-01T00:00:00.000+0000) Assertion failed"), (None, "")])
def test_a_process_that_did_not_go_by_itself_fails_the_run_and_is_shown(bring, up, exit_):
    domain = up()
    domain.odd["exit"] = exit_
    with pytest.raises(Failed, match="sales: it is down, but not every process shut down gracefully") as caught:
        stop(bring, domain, "sales")
    assert "TE on server2 (start ID 5) exited in REQUESTED_SHUTDOWN:SHUTTING_DOWN" in caught.value.message
    assert "SM of archive 2 on server2 (start ID 4)" in caught.value.message
    assert (exit_[1] or "no reason is known") in caught.value.message
    assert "require_graceful: false" in caught.value.hint
    assert caught.value.result["changed"]


def test_an_sm_that_is_killed_on_the_way_is_shown(bring, up):
    domain = up()
    domain.after(1, lambda _at: domain.exits("2", 137))
    with pytest.raises(Failed) as caught:
        stop(bring, domain, "test")
    assert "start ID 2" in caught.value.message
    assert "start ID 0" not in caught.value.message


def test_exit_code_0_of_one_that_was_not_asked_is_no_proof(bring, up):
    domain = up()
    domain.after(0.5, lambda _at: domain.exits("2", 0, "(2026-01-01T00:00:00.000+0000) Exit"))
    with pytest.raises(
        Failed, match=r"SM of archive 1 on server1 \(start ID 2\) exited in MONITORED:RUNNING with exit code 0"
    ):
        stop(bring, domain, "test")


def test_what_left_no_tombstone_is_no_proof(bring, up):
    domain = up()

    def forget(_at):
        domain.stones = [stone for stone in domain.stones if stone.process.start_id != "5"]

    domain.after(3, forget)
    with pytest.raises(Failed, match="start ID 5 left no tombstone"):
        stop(bring, domain, "sales")


def test_how_it_went_may_be_accepted(bring, up):
    domain = up()
    domain.odd["exit"] = (137, KILLED)
    assert stop(bring, domain, require_graceful=False)["changed"]
    assert "tombstones" not in domain.reads


@pytest.mark.parametrize(
    ("stones", "refused"),
    [
        (REFERENCE, True),
        ([*REFERENCE, ONE_OF_TWO], True),
        ([died(sm("2", 1, "server1"), (1, 1)), went(sm("0"), (1, 2))], False),
        ([went(te("1"), (1, 1)), went(sm("0"), (1, 2))], False),
        ([], False),
        ([ONE_OF_TWO], False),
    ],
)
def test_a_database_that_was_found_down_after_a_crash_was_not_shut_down(bring, memory, stones, refused):
    domain = memory()
    domain.stones = list(stones)
    if refused:
        with pytest.raises(
            Refused, match="test: it is down, but nobody shut it down: SM of archive 1 on server1"
        ) as caught:
            stop(bring, domain)
        assert "nuodb_recover" in caught.value.hint
    else:
        assert not stop(bring, domain)["changed"]
    assert not stop(bring, domain, require_graceful=False)["changed"]
    assert domain.log == []


def test_a_shutdown_under_way_is_joined(bring, up):
    domain = up()
    domain.shutdown_database("sales")
    result = stop(bring, domain, "sales")
    assert len(domain.log) == 1
    assert (result["changed"], result["joined"]) == (False, True)


def test_a_crash_under_way_is_no_shutdown(bring, up):
    """Its TEs go gracefully; the SM had died before they were seen."""
    domain = up()
    domain.shutdown_database("sales")  # as the domain does by itself
    domain.exits("4")
    with pytest.raises(
        Failed, match=r"sales: it is down, but not every process shut down gracefully: SM of archive 2 on server2 .*137"
    ):
        stop(bring, domain, "sales")
    assert len(domain.log) == 1


def test_a_start_that_gives_up_on_the_way_is_no_end_in_disorder(bring, memory, time):
    """The one SM of two that was requested timed out: it had never joined, and nothing is worse than before."""
    domain = memory()
    domain.start_process({"dbName": "test", "engineType": "SM", "host": "server0", "archiveId": 0}, "other")
    (start_id,) = [key for key, process in domain.processes_now.items() if process.archive_id == 0]
    domain.after(1, lambda _at: domain.exits(start_id, 2, NO_LEADER))
    result = stop(bring, domain, "test")
    assert result["databases"]["test"]["state"] == "NOT_RUNNING"
    assert [row[0] for row in domain.log if "shutdown" in str(row[0])] == []


def test_a_start_under_way_is_awaited_and_then_shut_down(bring, memory, time):
    domain = memory()
    for number in (0, 1):
        request = {"dbName": "test", "engineType": "SM", "host": f"server{number}", "archiveId": number}
        domain.start_process(request, "other")
    result = stop(bring, domain)
    assert domain.log[2:] == [("shutdown database", "test")]
    assert result["joined"]
    assert time.since > domain.sm_start


def test_a_lost_answer_is_read_and_not_sent_again(bring, up):
    domain = up()
    domain.odd["shutdown database"] = LOST
    assert stop(bring, domain, "test")["changed"]
    assert len(domain.log) == 1


def test_a_refused_shutdown_fails_with_the_servers_words(bring, up, time):
    domain = up()

    def refuse(_name):
        raise Fault("nuo-unit: POST databases/shutdown of test: no leader (HTTP 503)", "no leader")

    domain.shutdown_database = refuse
    with pytest.raises(Fault, match="no leader"):
        stop(bring, domain, "test")
    assert time.since < 10


def test_without_a_quorum_nothing_is_shut_down(bring, up):
    domain = up()
    domain.servers_now = {name: replace(one, leader=None) for name, one in domain.servers_now.items()}
    with pytest.raises(Refused, match="no quorum"):
        stop(bring, domain)
    assert domain.log == []


@pytest.mark.parametrize("state", ["QUIESCED", "", "UNKNOWN"])
def test_a_state_of_a_later_version_is_not_shut_down(bring, up, state):
    domain = up()
    domain.databases_now["test"] = replace(domain.databases_now["test"], state=state)
    with pytest.raises(
        Refused, match=f"test: a shutdown is not known to be safe in state {state!r}"
    ) as caught:
        stop(bring, domain)
    assert "to leave this database out" in caught.value.hint
    assert domain.log == []


def test_the_deadline_tells_what_is_left(bring, up):
    domain = up()
    domain.te_stop = 1e9
    with pytest.raises(
        TimedOut, match=r"databases: not NOT_RUNNING after 60 s: test is REQUESTED_TE_SHUTDOWN \(2 SM, 2 TE\)"
    ):
        stop(bring, domain, "test", wait_timeout=60)


def test_a_shutdown_that_is_predicted(bring, up, time):
    domain = up()
    result = stop(bring, domain, check_mode=True)
    assert (domain.log, time.since) == ([], 0.0)
    assert [(step["object"], step["step"]) for step in result["steps"]] == [
        ("test", "shutdown database"), ("sales", "shutdown database"),
    ]  # fmt: skip
    told = result["predicted"]
    assert {row["state"] for row in told["databases"].values()} == {"NOT_RUNNING"}
    assert told["processes"] == {}
    assert len(told["tombstones"]) == 6
    again = stop(bring, domain, check_mode=True, assume=told)
    assert (again["changed"], again["steps"]) == (False, [])


def test_after_a_predicted_shutdown_the_same_tes_would_be_started(bring, up):
    domain = up()
    told = stop(bring, domain, check_mode=True)["predicted"]
    result = bring("nuodb_database", domain, check_mode=True, databases=["all"], assume=told)
    assert sorted(step["object"] for step in result["steps"] if step["step"] == "start TE") == [
        "sales:TE1@server2", "test:TE1@server0", "test:TE1@server1",
    ]  # fmt: skip


# -- hot copies


def test_a_hot_copy_is_not_broken_off(bring, up):
    domain = up()
    domain.copies["test"] = [{**COPY, "hotCopyId": "old", "status": "completed"}, COPY]
    with pytest.raises(Refused, match="test: hot copy e5b8 is running, and stopping now would break it off") as caught:
        stop(bring, domain)
    assert "on_hotcopy: wait" in caught.value.hint
    assert "on_hotcopy: cancel" in caught.value.hint
    assert domain.log == []


def test_a_hot_copy_is_awaited(bring, up, time):
    domain = up()
    domain.copies["test"] = [dict(COPY)]
    domain.after(50, lambda _at: domain.copies.clear())
    result = stop(bring, domain, "test", on_hotcopy="wait")
    assert domain.log == [("shutdown database", "test")]
    assert 50 < time.since < 70
    assert any("hot copy e5b8 is running" in line for line in bring.task.lines)
    assert result["changed"]


def test_a_hot_copy_is_cancelled_before_the_shutdown(bring, up):
    domain = up()
    domain.copies["test"] = [dict(COPY), {**COPY, "coordinatorStartId": "2", "hotCopyId": "f6"}]
    result = stop(bring, domain, "test", on_hotcopy="cancel")
    assert domain.log == [
        ("cancel hot copy", "0", "e5b8"), ("cancel hot copy", "2", "f6"), ("shutdown database", "test"),
    ]  # fmt: skip
    assert [step["step"] for step in result["steps"]] == ["cancel hot copy e5b8 f6", "shutdown database"]


@pytest.mark.parametrize("how", ["wait", "cancel"])
def test_a_shutdown_that_nobody_awaits_does_nothing_about_hot_copies(bring, up, how):
    domain = up()
    with pytest.raises(ClusterError, match="on_hotcopy=.* takes several steps, and .*: don't set wait=false"):
        stop(bring, domain, on_hotcopy=how, wait=False)
    assert domain.log == []


def test_a_shutdown_that_nobody_awaits(bring, up, time):
    domain = up()
    assert stop(bring, domain, wait=False)["changed"]
    assert len(domain.log) == 2
    assert time.since < 1


def test_hot_copies_are_not_asked_for_once_the_shutdown_was_requested(bring, up):
    domain = up()
    shut = domain.shutdown_database
    domain.shutdown_database = lambda name: domain.after(6, lambda _at: shut(name))
    stop(bring, domain, "sales")
    assert domain.reads.count("hotcopies") == 1


# -- database objects


def test_an_unknown_database_is_not_shut_down(bring, up):
    with pytest.raises(NoSuchObject, match=r"no database tset \(did you mean test\?\)"):
        stop(bring, up(), "tset", "sales")


def test_where_hot_copies_cannot_be_known_the_shutdown_stops_unless_they_are_ignored(bring, up):
    domain = up()
    domain.odd["hotcopies"] = NoSuchObject("nuo-unit: GET databases/hotCopyStatus of test: not found (HTTP 404)")
    with pytest.raises(NoSuchObject) as caught:
        stop(bring, domain)
    assert "on_hotcopy: ignore" in caught.value.hint
    assert domain.log == []
    domain.reads.clear()
    stop(bring, domain, on_hotcopy="ignore")
    assert ("shutdown database", "test") in domain.log
    assert "hotcopies" not in domain.reads


def test_what_somebody_starts_again_ends_the_shutdown():
    """It isn't shut down a second time: two runs would go on for ever."""
    work = ShutDownDatabases(DomainView(None))
    decision = work.decide("test", DatabaseState("STARTED"), History(acted=[SHUTDOWN]))
    assert decision == Fail("being started (STARTED), and not by this run", hint=SOMEBODY, number="DBF-6151")
    assert isinstance(work.decide("test", DatabaseState("STARTED"), History()), Wait)
    (stage,) = work.stages(["test"])
    assert stage.falls_back
