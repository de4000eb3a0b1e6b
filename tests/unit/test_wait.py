# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When to look again, when to speak, and how a wait reads."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.pace import (
    FIRST_INTERVAL,
    LAST_INTERVAL,
    SHARE,
    Pace,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage_run import progress
from ansible_collections.dbfleet.cluster.plugins.module_utils._wording import clock_text, listing


class Clock:
    now = 50.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


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


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "00:00"), (-5, "00:00"), (59.9, "00:59"), (130, "02:10"), (3600, "1:00:00"), (90061, "25:01:01")],
)
def test_times(seconds, text):
    assert clock_text(seconds) == text


@pytest.mark.parametrize(
    ("names", "text"), [([], ""), (["a"], "a"), (list("abc"), "a b c"), (list("abcde"), "a b c and 2 more")]
)
def test_listings(names, text):
    assert listing(names, most=3) == text


def test_a_progress_line_groups_by_state(clock):
    pace = Pace(1200, clock=clock)
    clock.now += 130
    waiting = {"n0014": "booting", "n0015": "offline", "n0016": "booting"}
    assert progress("nodes", pace, 5, waiting, "online") == (
        "nodes: 02:10  5/8 online, waiting for n0014 n0016 (booting), n0015 (offline), 17:50 left"
    )
    assert progress("nodes", pace, 8, {}, "online") == "nodes: 02:10  8/8 online"
    assert progress("nodes", pace, 8, {}, "online", "well") == "nodes: 02:10  8/8 online, well"
