# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One thread that does things when they are due, for any number of clusters."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
import traceback
from typing import Callable

Tick = Callable[[], "float | None"]
"""Does what is due. Returns the seconds until it is to be called next, None where nothing is known to come."""


SAME = 0.001
"""Seconds between two moments that are one: each poke works out anew when the next is due."""


class Ticker:
    """Calls what was added, one after another: when it is due, and soon after a `poke`."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._order = itertools.count()
        self._poked: dict[Tick, None] = {}
        self._heap: list[tuple[float, int, Tick]] = []
        self._due: dict[Tick, float] = {}
        """Of each, when it is called next. What else the heap has of it is of the past."""
        self._is_running = False

    def add(self, tick: Tick) -> None:
        """`tick` must not block for long. It is called at once, too."""
        with self._changed:
            self._due[tick] = float("inf")
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="simulator: clocks", daemon=True).start()
        self.poke(tick)

    def remove(self, tick: Tick) -> None:
        """One call may still be under way when this returns."""
        with self._changed:
            self._due.pop(tick, None)
            self._poked.pop(tick, None)

    def poke(self, tick: Tick) -> None:
        """Something may be due."""
        with self._changed:
            if tick in self._due:
                self._poked[tick] = None
                self._changed.notify()

    def _run(self) -> None:
        while True:
            tick = self._next()
            try:
                seconds = tick()
            except Exception:  # of one cluster; the others go on
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
        """The next that is due, waited for."""
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
"""That of this process."""
