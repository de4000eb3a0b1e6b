# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When is looked again, when something is said, when a wait ends."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.pace import (
    FIRST_INTERVAL,
    LAST_INTERVAL,
    SHARE,
    Pace,
    PollInterval,
)


@pytest.mark.parametrize(
    ("elapsed", "cost", "wanted"),
    [
        (0, 0, FIRST_INTERVAL),
        (1, 0, FIRST_INTERVAL),
        (100, 0, 100 * SHARE),
        (1e6, 0, LAST_INTERVAL),
        (0, 3, 3),
        (1e6, 30, 30),
    ],
)
def test_looks_begin_fast_and_back_off(clock, elapsed, cost, wanted):
    pace = Pace(60, clock=clock)
    clock.now += elapsed
    assert pace.interval(cost) == pytest.approx(wanted)


def test_the_deadline(clock):
    pace = Pace(60, clock=clock)
    clock.now += 45
    assert (pace.elapsed(), pace.left()) == (45, 15)
    clock.now += 20
    assert pace.left() == -5


def test_a_heartbeat_is_due_after_silence(clock):
    pace = Pace(600, heartbeat=30, clock=clock)
    clock.now += 20
    assert pace.until_heartbeat() == 10
    pace.line_shown()
    assert pace.until_heartbeat() == 30


@pytest.mark.parametrize("heartbeat", [0, -1])
def test_no_heartbeat(clock, heartbeat):
    pace = Pace(600, heartbeat=heartbeat, clock=clock)
    clock.now += 1e9
    assert pace.until_heartbeat() == float("inf")


def test_the_last_look_comes_before_the_deadline() -> None:
    """With seldom looks, what came after the last one would be called late."""
    now = [0.0]
    pace = Pace(10.0, poll=PollInterval(first=4.0, share=0.5, last=7.0), clock=lambda: now[0])
    looks = []
    while pace.left() > 0:
        now[0] += pace.interval()
        looks.append(now[0])
    assert looks == [4.0, 8.0, 9.0, 13.5]


def test_a_deadline_that_moves_on(clock):
    pace = Pace(60, clock=clock)
    clock.now += 45
    pace.extend(10)
    assert pace.left() == 15
    pace.extend(100)
    assert (pace.timeout, pace.left()) == (145, 100)


@pytest.mark.parametrize(
    ("rested", "stood_still", "left"), [(5, False, 55), (14, False, 46), (50, True, 30), (9000, True, 30)]
)
def test_who_stood_still_has_time_to_look_once_more(clock, rested, stood_still, left):
    pace = Pace(60, clock=clock)
    before = clock()
    clock.now += rested
    assert pace.rested(before, 5) is stood_still
    assert pace.left() == left


def test_who_stood_still_early_has_the_time_that_is_left(clock):
    pace = Pace(3600, clock=clock)
    before = clock()
    clock.now += 600
    assert pace.rested(before, 5)
    assert pace.left() == 3000
