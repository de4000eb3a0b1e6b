# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tombstones tell: the working example's own (NUODB-341), and TEs of the last incarnation that ran."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.api.objects import Tombstone
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.databases import tombstones
from ansible_collections.dbfleet.cluster.tests.answers import fixtures
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import (
    KILLED,
    NO_ENTRY,
    NO_LEADER,
    ONE_OF_TWO,
    REFERENCE,
    TE_ALONE,
    died,
    graceful,
    sm,
    snapshot,
    te,
    went,
    wired,
)


def of(reason):
    return Tombstone(sm("0"), (1, 1), 0, reason)


@pytest.mark.parametrize(
    ("reason", "wanted"),
    [
        (graceful("2019-05-16T02:24:26.401"), datetime(2019, 5, 16, 2, 24, 26, 401000, timezone.utc)),
        (KILLED, datetime(2019, 5, 16, 16, 55, 33, 945000, timezone.utc)),
        (NO_LEADER, datetime(2019, 5, 16, 17, 22, 25, 465000, timezone.utc)),
        (NO_ENTRY, datetime(2019, 5, 16, 17, 59, 24, 560000, timezone.utc)),
        ("(2026-01-02T03:04:05+0530) x", datetime(2026, 1, 2, 3, 4, 5, 0, timezone(timedelta(hours=5.5)))),
        ("(2026-01-02T03:04:05.1234567-0100) x", datetime(2026, 1, 2, 3, 4, 5, 123456, timezone(timedelta(hours=-1)))),
        ("", None),
        ("killed at 12:00", None),
    ],
)
def test_the_time_of_an_exit_stands_in_its_reason(reason, wanted):
    assert tombstones.moment(of(reason)) == wanted


def test_exits_by_cold_start_the_newest_first():
    found = tombstones.by_incarnation([TE_ALONE, *reversed(REFERENCE), ONE_OF_TWO])
    assert list(found) == [3, 2, 1]
    assert [stone.process.start_id for stone in found[1]] == ["0", "2", "3", "1"]
    assert tombstones.by_incarnation([]) == {}


def test_how_the_incarnations_of_the_reference_document_ended():
    assert tombstones.reached_running(REFERENCE)
    assert not tombstones.ended_on_purpose(REFERENCE), "its last SM was killed"
    assert tombstones.ended_on_purpose(REFERENCE[:1])
    for failed in (ONE_OF_TWO, TE_ALONE):
        assert not tombstones.reached_running([failed])
        assert not tombstones.ended_on_purpose([failed])


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_last_sm_decides_whether_an_end_was_on_purpose(order):
    ends = [went, died]
    stones = [ends[kind](sm(str(number), number), (1, number + 1)) for number, kind in enumerate(order)]
    assert tombstones.ended_on_purpose([*stones, went(te("9"), (1, 9))]) is (order[-1] == 0)


def test_who_was_asked_to_go_before_it_had_joined_never_served():
    assert went(te("1"), (1, 1)).process.had_joined
    assert not went(te("1", node_id=None), (1, 1)).process.had_joined
    assert not TE_ALONE.process.had_joined


# -- where the TEs were


def where(state, incarnation, stones, *processes):
    found = tombstones.te_servers_of_last_run(
        snapshot(state, incarnation, tombstones=list(stones), processes=list(processes)), "test"
    )
    return None if found is None else sorted(found)


@pytest.mark.parametrize(
    ("incarnation", "stones"),
    [
        ((1, 4), REFERENCE),
        ((2, 1), [*REFERENCE, ONE_OF_TWO]),
        ((3, 1), [TE_ALONE, ONE_OF_TWO, *REFERENCE]),
    ],
)
def test_the_tes_of_the_reference_document_are_found_after_each_of_its_failures(incarnation, stones):
    assert where("NOT_RUNNING", incarnation, stones) == ["server0", "server1"]


EARLY, LATE = "2019-05-16T10:00:00.000", "2019-05-16T16:55:34.000"


def ended(*tes, at=LATE):
    """An incarnation that ended with the shutdown of these TEs and of one SM."""
    stones = [went(process, (1, number + 5), at) for number, process in enumerate(tes)]
    return [*stones, went(sm("50"), (1, 50), at)]


def test_tes_at_the_end_count_once_for_each():
    assert where("NOT_RUNNING", (1, 9), ended(te("1"), te("2"), te("3", "server1"))) == [
        "server0",
        "server0",
        "server1",
    ]


def test_an_end_without_a_te_does_not_tell_that_none_is_wanted():
    """Not one of SMs alone, not one whose TEs never joined, and not one whose TEs had gone long before."""
    never = went(te("7", "server1", node_id=None), (1, 1), EARLY)
    scaled = went(te("7", "server1"), (1, 1), EARLY)
    for stones in (ended(), [never, *ended()], [scaled, *ended()]):
        assert where("NOT_RUNNING", (1, 9), stones) is None
    assert where("RUNNING", (1, 0), [], sm("0")) is None
    assert where("RUNNING", (1, 1), [scaled], sm("0")) == [], "it runs, and somebody has shut its TE down"


def test_a_te_that_was_shut_down_long_before_the_end_is_left_out():
    scaled = went(te("7", "server1"), (1, 1), EARLY)
    assert where("NOT_RUNNING", (1, 9), [scaled, *ended(te("1"))]) == ["server0"]


def test_a_te_that_had_died_and_was_not_replaced_is_wanted():
    lost = died(te("7", "server1"), (1, 1), EARLY)
    assert where("NOT_RUNNING", (1, 9), [lost, *ended(te("1"))]) == ["server0", "server1"]


def test_a_te_that_another_replaced_is_not():
    lost, instead = died(te("7", "server1"), (1, 1), EARLY), te("8", "server2", born=(1, 1))
    assert where("NOT_RUNNING", (1, 9), [lost, *ended(te("1"), instead)]) == ["server0", "server2"]


def test_one_te_replaces_one():
    lost = [died(te("6", "server1"), (1, 1), EARLY), died(te("7", "server2"), (1, 2), EARLY)]
    instead = te("8", "server0", born=(1, 2))
    assert len(where("NOT_RUNNING", (1, 9), [*lost, *ended(instead)])) == 2


def test_a_te_that_never_joined_is_not_wanted():
    never = replace(TE_ALONE, incarnation=(1, 1))
    assert where("NOT_RUNNING", (1, 9), [never, *ended(te("1"))]) == ["server0"]


@pytest.mark.parametrize("gap", [599, 600, 601])
def test_exits_belong_to_the_same_end_while_they_follow_each_other_closely(gap):
    end = datetime(2019, 5, 16, 16, 55, 34, tzinfo=timezone.utc)
    before = (end - timedelta(seconds=gap)).strftime("%Y-%m-%dT%H:%M:%S.000")
    stones = [went(te("7", "server1"), (1, 1), before), *ended(te("1"))]
    assert where("NOT_RUNNING", (1, 9), stones) == (["server0", "server1"] if gap <= 600 else ["server0"])


def test_times_that_are_not_told_leave_it_open():
    stones = [replace(stone, reason="gone") for stone in ended(te("1"))]
    assert where("NOT_RUNNING", (1, 9), stones) is None
    assert where("NOT_RUNNING", (1, 0), []) is None
    assert where("NOT_RUNNING", (2, 1), [ONE_OF_TWO]) is None


def test_a_te_of_which_nobody_knows_when_it_was_born_leaves_it_open():
    lost = died(te("7", "server1"), (1, 1), EARLY)
    assert where("NOT_RUNNING", (1, 9), [lost, *ended(te("1", born=None))]) is None
    assert where("NOT_RUNNING", (1, 9), ended(te("1", born=None))) == ["server0"]


def test_of_a_running_database_those_count_that_run_or_died_unreplaced():
    up = [sm("0"), te("1"), te("2", "server1")]
    lost = died(te("3", "server1"), (1, 1), EARLY)
    assert where("RUNNING", (1, 0), [], *up) == ["server0", "server1"]
    assert where("RUNNING", (1, 1), [lost], *up) == ["server0", "server1", "server1"]
    assert where("AWAITING_ARCHIVE_HISTORIES_INC", (1, 1), [lost], *up) == ["server0", "server1", "server1"]
    replaced = [*up[:2], te("4", "server1", born=(1, 1))]
    assert where("RUNNING", (1, 1), [lost], *replaced) == ["server0", "server1"]
    scaled = went(te("3", "server1"), (1, 1), EARLY)
    assert where("RUNNING", (1, 1), [scaled], *up) == ["server0", "server1"]


def test_a_te_that_is_leaving_is_not_wanted():
    leaving = te("2", "server1", durable_state="REQUESTED_SHUTDOWN")
    assert where("RUNNING", (1, 0), [], sm("0"), te("1"), leaving) == ["server0"]


def test_what_died_in_a_past_incarnation_is_not_held_against_one_that_runs():
    lost = died(te("7", "server1"), (1, 1), EARLY)
    gone = went(te("9", "server1", born=(2, 0)), (2, 1), EARLY)
    assert where("RUNNING", (2, 1), [lost, gone], sm("0", born=(2, 0)), te("1", born=(2, 0))) == ["server0"]


def test_a_start_that_got_no_further_than_its_sms_goes_on_with_the_tes_of_before():
    assert where("RUNNING", (2, 0), REFERENCE, sm("6"), sm("7", 1, "server1")) == ["server0", "server1"]
    assert where("RUNNING", (2, 0), REFERENCE, sm("6"), te("8", "server0", born=(2, 0))) == ["server0", "server1"]
    elsewhere = te("8", "server2", born=(2, 0))
    assert where("RUNNING", (2, 0), REFERENCE, sm("6"), elsewhere) == ["server2"], "somebody has chosen otherwise"


def later(stone, major):
    return replace(stone, incarnation=(major, stone.incarnation[1]))


FAILED_TE = replace(TE_ALONE, incarnation=(2, 1), reason=KILLED)


def test_tes_that_failed_at_their_start_are_still_wanted():
    up = [sm("6"), sm("7", 1, "server1")]
    assert where("RUNNING", (2, 1), [*REFERENCE, FAILED_TE], *up) == ["server0", "server1"]
    one = te("8", "server1", born=(2, 0))
    assert where("RUNNING", (2, 1), [*REFERENCE, FAILED_TE], *up, one) == ["server0", "server1"]
    joined = died(one, (2, 2))
    assert where("RUNNING", (2, 2), [*REFERENCE, FAILED_TE, joined], *up) == ["server0", "server1"]
    assert where("RUNNING", (2, 1), [FAILED_TE], *up) is None, "nobody knows whether it was the only one"


@pytest.mark.parametrize("tes", [[], [te("8", "server0", node_id=None), te("9", "server1")]])
def test_an_incarnation_that_got_no_further_than_a_part_of_its_tes_is_passed_over(tes):
    """As a restart leaves it that was killed behind its SMs, or before all TEs had joined, and that was run again."""
    half = [later(stone, 2) for stone in ended(*tes)]
    assert where("NOT_RUNNING", (2, 9), [*REFERENCE, *half]) == ["server0", "server1"]
    assert where("RUNNING", (3, 0), [*REFERENCE, *half], sm("20")) == ["server0", "server1"]


def test_an_incarnation_with_other_tes_or_fewer_on_purpose_counts():
    fewer = [later(stone, 2) for stone in ended(te("8", "server1"))]
    assert where("NOT_RUNNING", (2, 9), [*REFERENCE, *fewer]) == ["server1"]
    elsewhere = [later(stone, 2) for stone in ended(te("8", "server2"))]
    assert where("NOT_RUNNING", (2, 9), [*REFERENCE, *elsewhere]) == ["server2"]
    scaled = [later(stone, 2) for stone in [went(te("7", "server1"), (1, 1), EARLY), *ended(te("8"))]]
    assert where("NOT_RUNNING", (2, 9), [*REFERENCE, *scaled]) == ["server0"]
    again = [later(stone, 3) for stone in ended(te("9"))]
    assert where("NOT_RUNNING", (3, 9), [*REFERENCE, *scaled, *again]) == ["server0"]


def left_out(state, incarnation, stones, *processes):
    return tombstones.te_servers_left_out(
        snapshot(state, incarnation, tombstones=list(stones), processes=list(processes)), "test"
    )


def begun(major, *tes):
    """An incarnation that had these TEs from its start to its end."""
    return [later(stone, major) for stone in ended(*tes)]


def test_a_te_that_an_incarnation_began_without_is_in_doubt():
    """As a start that was cut off between two TEs leaves it; where it ran last counts, until somebody has decided."""
    half = begun(2, te("8"))
    assert where("NOT_RUNNING", (2, 9), [*REFERENCE, *half]) == ["server0"]
    assert left_out("NOT_RUNNING", (2, 9), [*REFERENCE, *half]) == ["server1"]
    assert left_out("RUNNING", (3, 0), [*REFERENCE, *half], sm("20")) == ["server1"]
    assert left_out("RUNNING", (3, 0), [*REFERENCE, *half], sm("20"), te("21", born=(3, 0))) == ["server1"]
    again = begun(3, te("9"))
    assert left_out("NOT_RUNNING", (3, 9), [*REFERENCE, *half, *again]) == ["server1"], "it isn't forgotten"
    three = begun(1, te("1"), te("2", "server1"), te("3", "server1"))
    assert left_out("NOT_RUNNING", (3, 9), [*three, *half, *again]) == ["server1", "server1"]
    more = begun(3, te("9"), te("10", "server1"))
    assert left_out("NOT_RUNNING", (3, 9), [*three, *half, *more]) == ["server1"], "cut off again, and later"


def test_what_somebody_has_decided_is_in_no_doubt():
    half, scaled = begun(2, te("8")), later(went(te("7", "server1"), (1, 1), EARLY), 2)
    assert left_out("NOT_RUNNING", (2, 9), [*REFERENCE, scaled, *half]) == []
    assert left_out("NOT_RUNNING", (3, 9), [*REFERENCE, scaled, *half, *begun(3, te("9"))]) == []
    now = later(went(te("22", "server1"), (1, 1), EARLY), 3)
    assert left_out("RUNNING", (3, 1), [*REFERENCE, *half, now], sm("20"), te("21", born=(3, 0))) == []
    back = begun(3, te("9"), te("10", "server1"))
    assert left_out("NOT_RUNNING", (3, 9), [*REFERENCE, *half, *back]) == []
    elsewhere = begun(3, te("9"), te("10", "server2"))
    assert left_out("NOT_RUNNING", (3, 9), [*REFERENCE, *half, *elsewhere]) == []
    up = [sm("20"), te("21", born=(3, 0)), te("22", "server2", born=(3, 0))]
    assert left_out("RUNNING", (3, 0), [*REFERENCE, *half], *up) == []


def test_where_the_one_before_tells_nothing_is_left_out():
    assert left_out("RUNNING", (2, 0), REFERENCE, sm("6"), te("8", born=(2, 0))) == [], "it goes on with both"
    assert left_out("NOT_RUNNING", (1, 4), REFERENCE) == []
    assert left_out("NOT_RUNNING", (1, 0), []) == []
    unknown = [replace(stone, reason="gone") for stone in REFERENCE]
    assert left_out("NOT_RUNNING", (2, 9), [*unknown, *begun(2, te("8"))]) == []


def test_a_te_that_came_back_is_in_place_of_itself_and_not_of_one_that_died():
    """As a server leaves it that was taken out and back after a TE elsewhere had died."""
    lost = died(te("3", "server1"), (1, 1), EARLY)
    out = went(te("4", "server0"), (1, 2), EARLY)
    back = te("9", "server0", born=(1, 2))
    assert where("RUNNING", (1, 2), [lost, out], sm("0"), back) == ["server0", "server1"]
    elsewhere = te("9", "server2", born=(1, 2))
    assert where("RUNNING", (1, 2), [lost, out], sm("0"), elsewhere) == ["server2"]


def asked(stones, *processes):
    found = tombstones.asked_to_go(
        snapshot("RUNNING", (1, 9), tombstones=list(stones), processes=list(processes)), "test"
    )
    return None if found is None else [stone.process.start_id for stone in found]


def test_tes_that_were_asked_to_go_and_that_no_other_replaced():
    one, two = went(te("3"), (1, 1)), went(te("4", "server1"), (1, 2))
    assert asked([one, two], sm("0"), te("2")) == ["3", "4"]
    assert asked([one, two], te("2"), te("9", "server1", born=(1, 2))) == ["3"], "it is back where it was"
    assert asked([one], te("9", "server2", born=(1, 1))) == [], "moved"
    again = went(te("9", born=(1, 1)), (1, 3))
    assert asked([one, again], te("10", born=(1, 3))) == [], "out and back twice"
    assert asked([one, again]) == ["9"]
    assert asked([went(te("8", node_id=None), (1, 1)), died(te("7"), (1, 2))]) == []
    assert asked([later(one, 2)], te("2")) == [], "of another incarnation"


def test_without_the_birth_of_a_te_nobody_knows_whether_it_replaced_another():
    assert asked([went(te("3"), (1, 1))], te("4", born=None)) is None
    assert asked([], te("4", born=None)) == []


@pytest.mark.parametrize(
    ("node_id", "engine_state", "joined"),
    [
        (0, "SHUTTING_DOWN", True),
        (0, "UNKNOWN", True),  # another number than the start ID: given when it joined
        (7, "SHUTTING_DOWN", True),
        (7, "UNKNOWN", False),  # from protocol 7.0 on it is the start ID, known from the request on
        (None, "SHUTTING_DOWN", False),
    ],
)
def test_what_a_node_id_proves_of_a_process_that_was_asked_to_go(node_id, engine_state, joined):
    process = te("7", durable_state="REQUESTED_SHUTDOWN", engine_state=engine_state, node_id=node_id)
    assert process.had_joined is joined
    assert tombstones.reached_running([Tombstone(process, (1, 1), 0, graceful())]) is joined


def test_node_ids_of_a_new_domain_of_7():
    domain, _adapter = wired((200, fixtures.answer("nuodb/processes_of_7")))
    found = domain.processes()
    assert [one.node_id for one in found.values()] == [0, 4]
    assert all(one.had_joined for one in found.values())
