# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One thread that calls functions when they are due, for any number of clusters."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
import traceback
from typing import Callable

Tick = Callable[[], "float | None"]
"""A function that does what is due. It returns the seconds until its next call; None if nothing is known to come."""


SAME = 0.001
"""Moments that differ by fewer seconds count as the same: each poke calculates the next moment again."""


class Ticker:
    """Calls the added functions one after another: when they are due, and soon after a `poke`."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._order = itertools.count()
        self._poked: dict[Tick, None] = {}
        self._heap: list[tuple[float, int, Tick]] = []
        self._due: dict[Tick, float] = {}
        """The next call of each function. Other entries of the function in the heap are outdated."""
        self._is_running = False

    def add(self, tick: Tick) -> None:
        """Adds `tick`, and also calls it at once. `tick` must not block for long."""
        with self._changed:
            self._due[tick] = float("inf")
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="simulator: clocks", daemon=True).start()
        self.poke(tick)

    def remove(self, tick: Tick) -> None:
        """Removes `tick`. One call may still be under way when this returns."""
        with self._changed:
            self._due.pop(tick, None)
            self._poked.pop(tick, None)

    def poke(self, tick: Tick) -> None:
        """Calls `tick` soon, because something may be due."""
        with self._changed:
            if tick in self._due:
                self._poked[tick] = None
                self._changed.notify()

    def _run(self) -> None:
        while True:
            tick = self._next()
            try:
                seconds = tick()
            except Exception:  # an error of one cluster; the others continue
                traceback.print_exc()
                seconds = None
            if seconds is not None:
                self._again(tick, seconds)

    def _again(self, tick: Tick, seconds: float) -> None:
        with self._changed:
            now, before = time.monotonic(), self._due.get(tick)
            is_known = before is not None and before > now and abs(before - now - seconds) < SAME
            if before is not None and not is_known:
                self._due[tick] = now + seconds
                heapq.heappush(self._heap, (now + seconds, next(self._order), tick))

    def _next(self) -> Tick:
        """Waits for the next function that is due, and returns it."""
        with self._changed:
            while True:
                if self._poked:
                    tick = next(iter(self._poked))
                    del self._poked[tick]
                    return tick
                while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
                    heapq.heappop(self._heap)
                left = self._heap[0][0] - time.monotonic() if self._heap else None
                if left is not None and left <= 0:
                    return heapq.heappop(self._heap)[2]
                self._changed.wait(timeout=left)


TICKER = Ticker()
"""The ticker of this process."""
