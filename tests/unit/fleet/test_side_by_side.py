# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A slow cluster holds nobody up."""

from __future__ import annotations

import threading
from typing import Any

from ansible_collections.dbfleet.cluster.plugins.plugin_utils.fleet.side_by_side import answers


def test_each_comes_once_with_its_result() -> None:
    names = [f"exa-{number}" for number in range(50)]
    found = [answer for answer in answers(names, lambda name: {"name": name}, 4, 60) if answer]
    assert sorted(name for name, _result, _seconds in found) == sorted(names)
    assert all(result == {"name": name} and seconds >= 0 for name, result, seconds in found)


def test_so_many_at_a_time() -> None:
    lock, now, most = threading.Lock(), [0], [0]
    gate = threading.Barrier(3, timeout=30)

    def work(_name: str) -> dict[str, Any]:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        gate.wait()  # three are there at once, or this breaks
        with lock:
            now[0] -= 1
        return {}

    assert len([one for one in answers([str(number) for number in range(9)], work, 3, 60) if one]) == 9
    assert most == [3]


def test_those_whose_time_is_up_hold_nobody_up_and_come_once() -> None:
    """Two hang in the only two places; the others are told all the same, and what comes late is left out."""
    late = threading.Event()

    def work(name: str) -> dict[str, Any]:
        if name.startswith("hangs"):
            late.wait(30)
        return {"name": name}

    found = []
    for answer in answers(["hangs-1", "hangs-2", "well", "hangs-3", "good"], work, 2, 1.5):
        if answer:
            found.append(answer[:2])
            if answer[0] == "hangs-3":
                late.set()
    assert sorted(found, key=lambda pair: pair[0]) == [
        ("good", {"name": "good"}), ("hangs-1", None), ("hangs-2", None), ("hangs-3", None), ("well", {"name": "well"}),
    ]  # fmt: skip


def test_the_caller_gets_a_chance_to_speak() -> None:
    gate = threading.Event()
    turns = answers(["slow"], lambda _name: {"waited": gate.wait(30)}, 1, 60)
    assert next(turns) is None
    gate.set()
    assert [one[:2] for one in turns if one] == [("slow", {"waited": True})]


def test_one_that_is_slow_gives_its_place_away_and_is_waited_for() -> None:
    gate = threading.Event()
    found = []
    for one in answers(["slow", "a", "b"], lambda name: {"waited": name != "slow" or gate.wait(30)}, 1, slow=0.05):
        if one:
            found.append(one[0])
        if len(found) == 2:
            gate.set()
    assert found == ["a", "b", "slow"]


def test_each_name_is_taken_by_the_caller_when_its_turn_comes() -> None:
    taken, gates = [], [threading.Event(), threading.Event()]

    def names() -> Any:
        for number in range(2):
            taken.append((number, threading.current_thread() is threading.main_thread()))
            yield str(number)

    turns = answers(names(), lambda name: {"waited": gates[int(name)].wait(30)}, 1)
    assert next(turns) is None
    assert taken == [(0, True)]
    for gate in gates:
        gate.set()
    assert [one[0] for one in turns if one] == ["0", "1"]
    assert taken == [(0, True), (1, True)]
