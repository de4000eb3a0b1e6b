# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One thread for what is due."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.ticker import Ticker


def test_it_calls_again_when_it_is_due_and_when_it_is_poked() -> None:
    ticker, calls, done = Ticker(), Counter[str](), {name: threading.Event() for name in ("soon", "poked", "never")}

    def soon() -> float:
        calls["soon"] += 1
        if calls["soon"] == 5:
            done["soon"].set()
        return 0.01

    def poked() -> None:
        calls["poked"] += 1
        if calls["poked"] == 2:
            done["poked"].set()

    def never() -> float:
        calls["never"] += 1
        done["never"].set()
        return 3600

    for tick in (soon, poked, never):
        ticker.add(tick)
    assert done["soon"].wait(30)
    assert done["never"].wait(30)
    ticker.poke(poked)
    assert done["poked"].wait(30)
    assert (calls["poked"], calls["never"]) == (2, 1)
    for tick in (soon, poked, never):
        ticker.remove(tick)
    ticker.poke(never)
    assert calls["never"] == 1


def test_pokes_leave_nothing_behind() -> None:
    """A cluster whose next moment stays the same is known once, however often it is asked."""
    ticker, answered = Ticker(), threading.Semaphore(0)

    def tick() -> float:
        answered.release()
        return 1e6

    ticker.add(tick)
    for _turn in range(100):
        assert answered.acquire(timeout=30)
        ticker.poke(tick)
    assert answered.acquire(timeout=30)
    assert len(ticker._heap) <= 3
    ticker.remove(tick)


def test_one_that_fails_ends_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    ticker, called = Ticker(), threading.Event()

    def fails() -> Any:
        raise ValueError("of one cluster")

    def goes() -> None:
        called.set()

    ticker.add(fails)
    ticker.add(goes)
    assert called.wait(30)
    assert "of one cluster" in capsys.readouterr().err
