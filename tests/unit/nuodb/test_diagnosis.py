# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happened, in words: every kind of finding; first the failures NUODB-335, NUODB-336, NUODB-337."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import diagnosis
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.api.objects import Tombstone
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.databases.wanted import WantedDatabase
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.diagnosis import cause, findings, own_reason
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import (
    BEGUN_WITHOUT_ONE,
    CLOSED,
    KILLED,
    NO_ENTRY,
    NO_LEADER,
    ONE_OF_TWO,
    REFERENCE,
    TE_ALONE,
    died,
    server,
    sm,
    snapshot,
    te,
    went,
)

SM2_DIED = (
    "the SM of archive 1 on server1 (start ID 2) died at 2019-05-16 16:55:33 UTC without leaving a reason; the domain "
    "only saw the connection close, with exit code 137 (SIGKILL, as kill -9 or the kernel's out-of-memory killer "
    "leaves it)"
)
TIMED_OUT = (
    "the SM of archive 0 on server0 (start ID 4) gave up at 2019-05-16 17:22:25 UTC: the histories of all archives did "
    "not arrive in time; the SMs of all archives must be requested together (local agent connection was rejected: "
    "ArchiveHistory failed: Timed out while awaiting leader assignment (10000 ms))"
)
NO_ENTRY_NODE = (
    "the TE on server0 (start ID 5) gave up at 2019-05-16 17:59:24 UTC: no SM that it could join was running in "
    "time (database entry request was rejected: EntryRequest failed: Timed out while awaiting entry node (10000 ms))"
)
NON_DURABLE = "with its last SM gone, the database became non-durable and its TEs were shut down"

BY = "(nuodb_cold_start or nuodb_database_state starts it)"


def found(state, incarnation, stones, *processes, wanted=None, **more):
    there = snapshot(state, incarnation, tombstones=list(stones), processes=list(processes), **more)
    return [(one.kind, one.text, one.brings_back) for one in findings(there, wanted or WantedDatabase("test"))]


# -- one exit


@pytest.mark.parametrize(
    ("reason", "wanted"),
    [
        (KILLED, ""),
        (CLOSED, ""),
        (NO_LEADER, NO_LEADER.partition(": (2019")[0]),
        (NO_ENTRY, NO_ENTRY.partition(": (2019")[0]),
        ("(2019-05-16T02:24:26.401+0000) Gracefully shutdown engine", "Gracefully shutdown engine"),
        (f"Disk  full\n on /data: {CLOSED}", "Disk full on /data"),
        ("", ""),
    ],
)
def test_the_engines_own_reason(reason, wanted):
    assert own_reason(Tombstone(sm("0"), (1, 1), 1, reason)) == wanted


def test_each_exit_of_the_reference_document_in_words():
    assert cause(REFERENCE[0]) == (
        "the SM of archive 0 on server0 (start ID 0) was shut down on request at 2019-05-16 02:24:26 UTC"
    )
    assert cause(REFERENCE[1]) == SM2_DIED
    assert cause(ONE_OF_TWO) == TIMED_OUT
    assert cause(TE_ALONE) == NO_ENTRY_NODE


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (None, "no exit code"),
        (0, "exit code 0"),
        (1, "exit code 1"),
        (134, "exit code 134 (SIGABRT)"),
        (139, "exit code 139 (SIGSEGV)"),
        (137, "exit code 137 (SIGKILL, as kill -9 or the kernel's out-of-memory killer leaves it)"),
        (255, "exit code 255"),
        (-9, "exit code -9"),
    ],
)
def test_exit_codes_in_words(code, says):
    stone = Tombstone(te("3"), (1, 1), code, f"Out of disk: {CLOSED}")
    assert cause(stone) == f"the TE on server0 (start ID 3) exited at 2019-05-16 16:55:33 UTC with {says}: Out of disk"


def test_an_exit_without_a_time():
    assert "died at an unknown time without leaving a reason" in cause(Tombstone(te("3"), (1, 1), 137, ""))
    other = Tombstone(te("3"), (1, 1), 1, "(2026-01-02T03:04:05+0530) Crash")
    assert "exited at 2026-01-02 03:04:05 +0530 with exit code 1: Crash" in cause(other)


# -- a database that is down


def test_the_reference_document_after_the_kill():
    assert found("NOT_RUNNING", (1, 4), REFERENCE) == [
        ("not_durable", f"test is down: {SM2_DIED}; {NON_DURABLE}", True)
    ]


def test_the_reference_document_after_one_archive_of_two_was_started():
    assert found("NOT_RUNNING", (2, 1), [*REFERENCE, ONE_OF_TWO]) == [
        (
            "partly_started",
            f"test is down: it was started in part: {TIMED_OUT}; before that, {SM2_DIED}; {NON_DURABLE}",
            True,
        )
    ]


def test_the_reference_document_after_a_te_was_started_alone():
    ((kind, text, back),) = found("NOT_RUNNING", (3, 1), [*REFERENCE, ONE_OF_TWO, TE_ALONE])
    assert (kind, back) == ("partly_started", True)
    assert text == (
        f"test is down: it was started in part: {TIMED_OUT}; {NO_ENTRY_NODE}; before that, {SM2_DIED}; {NON_DURABLE}"
    )


def test_a_crash_of_several_sms_names_each():
    other = died(sm("0", 0), (1, 1), "2019-05-16T16:40:00.000")
    ((kind, text, _back),) = found("NOT_RUNNING", (1, 4), [other, *REFERENCE[1:]])
    assert kind == "not_durable"
    assert "archive 0 on server0 (start ID 0) died at 2019-05-16 16:40:00" in text
    assert SM2_DIED in text


def test_what_was_shut_down_on_purpose_stays_down():
    stones = [went(te("1"), (1, 1)), went(sm("0"), (1, 2)), went(sm("2", 1, "server1"), (1, 3))]
    assert found("NOT_RUNNING", (1, 3), stones) == [
        (
            "on_purpose",
            f"test was shut down on purpose, and stays down {BY}: the SM of archive 1 on server1 (start ID 2) was shut "
            "down on request at 2019-05-16 16:55:34 UTC",
            False,
        )
    ]


def test_a_start_in_part_after_a_shutdown_on_purpose_is_completed_and_no_crash_is_told():
    stones = [went(te("1"), (1, 1)), went(sm("0"), (1, 2)), ONE_OF_TWO]
    ((kind, text, back),) = found("NOT_RUNNING", (2, 1), stones)
    assert (kind, back) == ("partly_started", True)
    assert "before that" not in text


def test_a_start_that_was_called_off_stays_down():
    off = went(sm("6", node_id=None, born=(2, 0)), (2, 1))
    ((kind, text, back),) = found("NOT_RUNNING", (2, 1), [*REFERENCE, off])
    assert (kind, back) == ("on_purpose", False)
    assert text.startswith(f"test is down {BY}: its start was called off: the SM of archive 0")


def test_nothing_ever_ran():
    assert found("NOT_RUNNING", (0, 0), []) == [
        ("never_ran", f"test is down {BY}; its tombstones don't show that it ever ran", False)
    ]
    ((kind, text, back),) = found("NOT_RUNNING", (2, 1), [ONE_OF_TWO])
    assert (kind, text, back) == ("partly_started", f"test is down: it was started in part: {TIMED_OUT}", True)


# -- a database that runs


UP = [sm("0"), sm("2", 1, "server1"), te("1")]


def test_all_is_well():
    assert found("RUNNING", (1, 0), [], *UP) == []


def test_an_sm_that_died_costs_redundancy():
    assert found("AWAITING_ARCHIVE_HISTORIES_INC", (1, 2), REFERENCE[1:2], UP[0], UP[2]) == [
        (
            "lost_redundancy",
            "test runs on 1 of 2 archives, its redundancy is lost: archive 1 (server1:/archive/1): " + SM2_DIED,
            True,
        )
    ]


def test_an_sm_that_was_shut_down_costs_it_too():
    ((kind, text, back),) = found("AWAITING_ARCHIVE_HISTORIES_INC", (1, 1), REFERENCE[:1], *UP[1:])
    assert (kind, back) == ("lost_redundancy", True)
    assert (
        "archive 0 (server0:/archive/0): the SM of archive 0 on server0 (start ID 0) was shut down on request" in text
    )


def test_two_archives_down_must_be_started_together():
    ((kind, text, _back),) = found("AWAITING_ARCHIVE_HISTORIES_INC", (1, 2), REFERENCE[1:2], *UP[:1], UP[2], archives=3)
    assert kind == "lost_redundancy"
    assert text.startswith("test runs on 1 of 3 archives")
    assert "archive 2 (server2:/archive/2) is RUNNING and has no SM" in text
    assert text.endswith("their SMs must be requested together, for one alone may wait for the history of the other")


def test_the_last_exit_of_an_archive_is_the_one_that_counts():
    older = replace(REFERENCE[0], process=sm("9", 1, "server1"), incarnation=(1, 1))
    ((_kind, text, _back),) = found("RUNNING", (1, 2), [REFERENCE[1], older], UP[0], UP[2])
    assert "start ID 9" not in text
    assert "start ID 2" in text


def test_tes_that_died_and_were_not_replaced():
    lost = died(te("7", "server1"), (1, 1))
    ((kind, text, back),) = found("RUNNING", (1, 1), [lost], *UP)
    assert (kind, back) == ("lost_transactions", True)
    assert text.startswith("test has 1 of 2 TEs: the TE on server1 (start ID 7) died at ")
    assert found("RUNNING", (1, 1), [lost], *UP, te("8", "server1", born=(1, 1))) == []
    assert found("RUNNING", (1, 1), [went(te("7", "server1"), (1, 1))], *UP) == []


def test_tes_below_the_number_that_is_wanted():
    three = WantedDatabase("test", te_count=3)
    assert found("RUNNING", (1, 0), [], *UP, wanted=three) == [("lost_transactions", "test has 1 of 3 TEs", True)]
    assert found("RUNNING", (1, 0), [], *UP, wanted=WantedDatabase("test", te_server_ids=[])) == []


def test_tes_of_which_nobody_knows_whether_they_were_replaced():
    lost = died(te("7", "server1"), (1, 1))
    ((kind, text, _back),) = found("RUNNING", (1, 1), [lost], *UP[:2], te("1", born=None))
    assert kind == "lost_transactions"
    assert "don't show which of them were replaced: the TE on server1 (start ID 7) died" in text


def test_a_database_without_a_te_is_not_well_though_nothing_tells_of_any():
    text = "test runs without a TE, and its tombstones don't show where its TEs should run"
    assert found("RUNNING", (1, 0), [], *UP[:2]) == [("lost_transactions", text, True)]
    never = replace(TE_ALONE, incarnation=(1, 1))
    assert found("RUNNING", (1, 1), [never], *UP[:2]) == [("lost_transactions", f"{text}: {NO_ENTRY_NODE}", True)]
    assert found("RUNNING", (1, 0), [], *UP[:2], wanted=WantedDatabase("test", te_server_ids=[])) == []


def test_tes_that_never_joined_are_missed():
    never = replace(TE_ALONE, incarnation=(2, 1))
    ((kind, text, back),) = found("RUNNING", (2, 1), [*REFERENCE, never], *UP[:2])
    assert (kind, back) == ("lost_transactions", True)
    assert text == f"test has 0 of 2 TEs: {NO_ENTRY_NODE}"


def test_a_te_that_runs_on_the_wrong_server_does_not_make_up_for_one():
    """Two are wanted and two are there: that both are on one server is nothing that happened."""
    assert (
        found("RUNNING", (1, 0), [], *UP, te("3"), wanted=WantedDatabase("test", te_server_ids=["server0", "server1"]))
        == []
    )


def test_what_was_requested_of_a_database_that_runs_is_brought_to_its_end():
    """A recovery that was cut off behind its request: the SM still has to join, and may give up."""
    coming = sm("4", 1, "server1", durable_state="STARTED", engine_state="UNKNOWN")
    assert found("AWAITING_ARCHIVE_HISTORIES_INC", (1, 2), REFERENCE[1:2], UP[0], UP[2], coming) == [
        ("partly_started", "test: requested, but not running yet: SM of archive 1 on server1 (start ID 4)", True)
    ]
    joined = [sm("4", 1, "server1", engine_state="SYNCING"), te("8", "server1", durable_state="REQUESTED_SHUTDOWN")]
    assert found("RUNNING", (1, 2), [], UP[0], UP[2], *joined) == []


# -- a database on its way


def test_a_start_under_way():
    coming = [sm("4", durable_state="STARTED"), sm("5", 1, "server1", durable_state="REQUESTED")]
    assert found("AWAITING_ARCHIVE_HISTORIES_MSG", (2, 0), [], *coming) == [
        (
            "partly_started",
            "test is being started (AWAITING_ARCHIVE_HISTORIES_MSG); its SMs are requested",
            True,
        )
    ]
    ((kind, text, back),) = found("AWAITING_ARCHIVE_HISTORIES_MSG", (2, 0), [], coming[0])
    assert (kind, back) == ("partly_started", True)
    assert "test is half started" in text
    assert "wait for the history of archive 1, whose SM wasn't requested" in text


@pytest.mark.parametrize("state", ["REQUESTED_TE_SHUTDOWN", "REQUESTED_SM_SHUTDOWN"])
def test_a_shutdown_under_way_is_left_alone(state):
    assert found(state, (1, 0), [], *UP) == [("on_purpose", f"test is being shut down ({state})", False)]


@pytest.mark.parametrize("state", ["REQUESTED_TE_SHUTDOWN", "REQUESTED_SM_SHUTDOWN"])
def test_a_database_that_goes_down_because_its_last_sm_died_was_not_shut_down(state):
    """The state is the same; the SM's tombstone tells it, while the TEs go."""
    leaving = te("1", durable_state="REQUESTED_SHUTDOWN", engine_state="SHUTTING_DOWN")
    assert found(state, (1, 2), REFERENCE[:2], leaving) == [
        ("not_durable", f"test is going down ({state}): {SM2_DIED}; {NON_DURABLE}", True)
    ]
    syncing = sm("9", 0, engine_state="SYNCING")
    ((kind, _text, _back),) = found(state, (1, 2), REFERENCE[:2], leaving, syncing)
    assert kind == "not_durable", "one that has no data yet keeps no database"


@pytest.mark.parametrize(
    ("stones", "storage"),
    [
        ([died(sm("2", 1, "server1"), (1, 1)), went(sm("0"), (1, 2))], []),
        ([died(sm("2", 1, "server1"), (1, 1))], [sm("0")]),
        ([died(sm("2", 1, "server1"), (1, 1))], [sm("0", durable_state="REQUESTED_SHUTDOWN")]),
        ([replace(died(sm("2", 1, "server1"), (1, 1)), incarnation=(0, 5))], []),
    ],
)
def test_an_sm_that_died_before_the_shutdown_does_not_make_it_a_crash(stones, storage):
    leaving = te("1", durable_state="REQUESTED_SHUTDOWN")
    ((kind, _text, back),) = found("REQUESTED_TE_SHUTDOWN", (1, 2), stones, leaving, *storage)
    assert (kind, back) == ("on_purpose", False)


def test_what_runs_where_nobody_looks():
    away = {"server0": server("server0", local=True), "server1": server("server1", connected=False)}
    first, *_others = found("RUNNING", (1, 0), [], *UP, servers=away)
    assert first == (
        "unreachable",
        "test: server server1 isn't connected, so nobody can know whether these processes still run: "
        "SM of archive 1 on server1 (start ID 2)",
        False,
    )


def test_a_database_that_runs_with_fewer_tes_than_it_once_had_is_told_and_not_brought_back():
    now = {"born": (3, 0)}
    up = [sm("20", **now), sm("21", 1, "server1", **now), te("22", **now)]
    ((kind, text, back),) = found("RUNNING", (3, 0), [*REFERENCE, *BEGUN_WITHOUT_ONE], *up)
    assert (kind, back) == ("fewer_transactions", False)
    assert "TEs that an earlier one had (on server1)" in text
    said = WantedDatabase("test", ["server0"])
    assert found("RUNNING", (3, 0), [*REFERENCE, *BEGUN_WITHOUT_ONE], *up, wanted=said) == []


@pytest.mark.parametrize("state", ["QUIESCED", "UNKNOWN", ""])
def test_a_state_of_a_later_version_brings_nothing_back(state):
    text = f"test is in state {state!r}, which this collection doesn't know, and is left as it is"
    assert found(state, (1, 4), REFERENCE, *UP) == [("unknown_state", text, False)]


def test_databases_to_bring_back_once_each():
    kinds = [("a", "lost_redundancy"), ("a", "lost_transactions"), ("b", "on_purpose"), ("c", "unreachable")]
    told = [diagnosis.Finding(name, kind, "") for name, kind in kinds]
    assert diagnosis.to_bring_back(told) == ["a"]
    assert told[0].as_dict() == {"db_name": "a", "kind": "lost_redundancy", "text": "", "brings_back": True}


def test_many_exits_are_told_in_short():
    stones = [died(sm(str(number), number), (1, number + 1)) for number in range(7)]
    ((_kind, text, _back),) = found("NOT_RUNNING", (1, 7), stones)
    assert text.count("start ID") == 4
    assert "and 3 more" in text
