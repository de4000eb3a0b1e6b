# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The three clocks."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.clock import Clock, ClockError


class Hand:
    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def test_seconds_end_in_the_order_in_which_they_fell_due() -> None:
    hand, seen = Hand(), []
    clock = Clock("seconds:0.5", monotonic=hand)
    clock.after(20, lambda: seen.append(("b", clock.now())))
    clock.after(10, lambda: seen.append(("a", clock.now())))
    assert clock.due_in() == pytest.approx(5)
    hand.time += 4.9
    assert clock.settle() == 0
    hand.time += 100
    assert clock.settle() == 2
    assert seen == [("a", 10.0), ("b", 20.0)]
    assert clock.due_in() is None


def test_a_chain_goes_on_from_where_the_first_fell_due() -> None:
    """However late somebody looks, the second transition begins when the first ended."""
    hand, seen = Hand(), []
    clock = Clock("seconds:1", monotonic=hand)
    clock.after(10, lambda: clock.after(5, lambda: seen.append(clock.now())))
    hand.time += 60
    assert clock.settle() == 2
    assert seen == [15.0]


def test_immediate_ends_everything_in_order() -> None:
    clock, seen = Clock("immediate"), []
    clock.after(300, lambda: clock.after(1, lambda: seen.append("last")))
    clock.after(20, lambda: seen.append("first"))
    assert clock.due_in() == 0.0
    clock.settle()
    assert seen == ["first", "last"]


def test_polls_count_the_reads_of_their_object_only() -> None:
    clock, seen = Clock("polls:2"), []
    clock.after(300, lambda: seen.append("n0011"), "node n0011")
    clock.after(300, lambda: seen.append("n0012"), "node n0012")
    clock.after(300, lambda: seen.append("nobody"))
    clock.settle()
    assert seen == ["nobody"]  # nobody reads it, so it can't wait for reads
    clock.read("node n0011")
    clock.read("node n0012")
    assert seen == ["nobody"]
    clock.read("node n0011")
    assert seen == ["nobody", "n0011"]
    assert clock.due_in() is None


def test_a_cancelled_transition_never_ends() -> None:
    hand, seen = Hand(), []
    clock = Clock("seconds:1", monotonic=hand)
    clock.after(10, lambda: seen.append(1)).cancel()
    hand.time += 20
    assert clock.settle() == 0
    assert seen == []


def test_another_clock_takes_over_what_is_under_way() -> None:
    hand, seen = Hand(), []
    clock = Clock("polls:5", monotonic=hand)
    clock.after(30, lambda: seen.append("a"), "x")
    clock.set("seconds:0.1")
    hand.time += 2.9
    clock.settle()
    assert seen == []
    hand.time += 0.2
    clock.settle()
    assert seen == ["a"]
    clock.after(1000, lambda: seen.append("b"), "x")
    clock.set("immediate")
    clock.settle()
    assert seen == ["a", "b"]


def test_finish_ends_one_whatever_the_clock() -> None:
    clock, seen = Clock("polls:9"), []
    timer = clock.after(30, lambda: seen.append(1), "x")
    clock.finish(timer)
    clock.finish(timer)
    assert seen == [1]


@pytest.mark.parametrize(
    "text", ["", "seconds:0", "seconds:x", "seconds:-1", "polls:0", "polls:1.5", "never", "seconds:inf"]
)
def test_a_bad_clock_is_one_sentence(text: str) -> None:
    words = r"not one of: immediate, seconds:<scale above 0>, polls:<n from 1> \(neither beyond 1000000\)\.$"
    with pytest.raises(ClockError, match=words):
        Clock(text)


@pytest.mark.parametrize(("text", "scale"), [("seconds:0.5", 0.5), ("immediate", 1.0), ("polls:1", 1.0)])
def test_a_limit_is_cluster_time_or_real_seconds(text: str, scale: float) -> None:
    time = [0.0]
    clock = Clock(text, monotonic=lambda: time[0])
    fired: list[str] = []
    clock.limit(10, lambda: fired.append("limit"))
    cancelled = clock.limit(5, lambda: fired.append("never"))
    cancelled.cancel()
    clock.settle()
    clock.read("limit")
    assert fired == []
    assert clock.due_in() == 10 * scale
    time[0] = 9.9 * scale
    clock.after(0, lambda: fired.append("step"))
    clock.settle()
    assert fired == ["step"]
    time[0] = 10 * scale
    clock.settle()
    assert fired == ["step", "limit"]
    assert clock.due_in() is None
