# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is taken down of the states that a run sees."""

from __future__ import annotations

import json

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils import _timeline
from ansible_collections.dbfleet.cluster.plugins.module_utils._timeline import CALL, FAULT, THERE, WAITS, Timeline


def test_a_state_that_stays_has_one_entry() -> None:
    times = iter(range(100))
    seen = Timeline(lambda: float(next(times)))
    for how, words in ((WAITS, "booting"), (WAITS, "booting"), (THERE, "online"), (WAITS, "booting")):
        seen.saw("nodes", "n11", how, words)
    assert seen.seen == {("nodes", "n11"): [(0.0, WAITS, "booting"), (1.0, THERE, "online"), (2.0, WAITS, "booting")]}


def test_a_fault_that_comes_again_and_again_is_one_mark_and_a_step_never_is() -> None:
    seen = Timeline(lambda: 1.0)
    for kind in (FAULT, FAULT, CALL, CALL, FAULT):
        seen.mark("nodes", "n11", kind, "x")
    assert [one[3] for one in seen.marks] == [FAULT, CALL, CALL, FAULT]


def test_it_does_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_timeline, "MOST", 3)
    seen = Timeline(lambda: 1.0)
    for number in range(5):
        seen.saw("nodes", "n11", WAITS, str(number))
    seen.mark("nodes", "n11", FAULT, "x")
    assert (len(seen.seen["nodes", "n11"]), seen.marks, seen.lost) == (3, [], 3)


def test_it_crosses_to_a_machine_with_another_clock() -> None:
    there, here = Timeline(lambda: 1000.0), Timeline(lambda: 50.0)
    there.seen["nodes", "n11"] = [(990.0, WAITS, "booting"), (997.0, THERE, "online")]
    there.marks.append((991.0, "nodes", "n11", CALL, "startupNode"))
    here.saw("nodes", "n11", WAITS, "offline")
    here.take(json.loads(json.dumps(there.sent())))
    assert here.seen == {
        ("nodes", "n11"): [(50.0, WAITS, "offline"), (40.0, WAITS, "booting"), (47.0, THERE, "online")]
    }
    assert here.marks == [(41.0, "nodes", "n11", CALL, "startupNode")]


@pytest.mark.parametrize(
    "sent", [None, "x", [], {}, {"seen": 1, "marks": []}, {"seen": [["a"]], "marks": []}, {"seen": [], "marks": [[1]]}]
)
def test_what_is_no_timeline_is_not_taken(sent: object) -> None:
    here = Timeline()
    here.take(sent)
    assert (here.seen, here.marks) == ({}, [])
