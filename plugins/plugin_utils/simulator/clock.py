# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's time: transitions end at once, after scaled seconds, or after their object was read n times."""

from __future__ import annotations

import heapq
import itertools
import time
from typing import Callable

KINDS = {
    "immediate": "every transition ends within the call that began it",
    "seconds:<scale>": "a transition takes its seconds times the scale (0.01 = a hundred times faster)",
    "polls:<n>": "a transition ends when its object has been read n times",
}


_MOST = 1_000_000
"""The limit of the scale and of the reads. Beyond it, the end of a transition could not be calculated."""


class ClockError(ValueError):
    """A clock's text that can't be understood; the message is one sentence."""


class Timer:
    """A transition under way. `key` names the object whose reads count with the polls clock."""

    __slots__ = ("due", "key", "action", "reads", "open")

    def __init__(self, due: float, key: str | None, action: Callable[[], None]) -> None:
        self.due, self.key, self.action = due, key, action
        self.reads = 0
        self.open = True

    def cancel(self) -> None:
        self.open = False


class Clock:
    """The time of one cluster, in cluster seconds since its start.

    Nothing runs by itself: settle() carries out the transitions that are due, in their order.
    The clock is not thread-safe: the cluster's lock guards it.
    """

    def __init__(self, text: str = "seconds:1", monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._keyed: list[tuple[float, int, Timer]] = []
        self._unkeyed: list[tuple[float, int, Timer]] = []
        self._limits: list[tuple[float, int, Timer]] = []
        self._by_key: dict[str, list[Timer]] = {}
        self._order = itertools.count()
        self._base = 0.0
        self._since = monotonic()
        self._frozen: float | None = None
        self.ended: Callable[[], object] | None = None
        """Called after each transition, at its moment."""
        self.set(text)

    def set(self, text: str) -> None:
        """Changes the clock; transitions under way continue with the new one. Raises ClockError."""
        kind, separator, number = str(text).partition(":")
        scale, polls = 1.0, 1
        try:
            if kind == "seconds":
                scale = float(number) if separator else 1.0
                if not 1 / _MOST <= scale <= _MOST:
                    raise ValueError
            elif kind == "polls":
                polls = int(number) if separator else 1
                if not 1 <= polls <= _MOST:
                    raise ValueError
            elif text != "immediate":
                raise ValueError
        except ValueError:
            known = f"immediate, seconds:<scale above 0>, polls:<n from 1> (neither beyond {_MOST})"
            raise ClockError(f"The clock {text!r} is not one of: {known}.") from None
        if hasattr(self, "scale"):
            self._base, self._since = self._elapsed(), self._monotonic()
        self.text, self.kind, self.scale, self.polls = str(text), kind, scale, polls

    def _elapsed(self) -> float:
        return self._base + (self._monotonic() - self._since) / self.scale

    def now(self) -> float:
        """Cluster seconds; within the action of a transition, the moment at which it was due."""
        return self._elapsed() if self._frozen is None else self._frozen

    def wall(self) -> float:
        """The cluster's time as seconds since 1970, on the controller's clock."""
        return time.time() - (self._elapsed() - self.now()) * self.scale

    def after(self, seconds: float, action: Callable[[], None], key: str | None = None) -> Timer:
        timer = Timer(self.now() + max(0.0, seconds), key, action)
        heapq.heappush(self._unkeyed if key is None else self._keyed, (timer.due, next(self._order), timer))
        if key is not None:
            self._by_key.setdefault(key, []).append(timer)
        return timer

    def limit(self, seconds: float, action: Callable[[], None]) -> Timer:
        """A time-out of a wait for something else. With the clocks immediate and polls, it is in real seconds."""
        timer = Timer(self.now() + max(0.0, seconds), None, action)
        heapq.heappush(self._limits, (timer.due, next(self._order), timer))
        return timer

    def settle(self) -> int:
        """Carries out the transitions that are due; returns how many ended."""
        fired = 0
        until = self._elapsed()
        while (heap := self._next()) is not None:
            due, _order, timer = heap[0]
            if self._timed(heap) and due > until:
                break
            heapq.heappop(heap)
            self._fire(timer, due if self.kind == "seconds" else None)
            fired += 1
        return fired

    def _timed(self, heap: list[tuple[float, int, Timer]]) -> bool:
        return self.kind == "seconds" or heap is self._limits

    def _next(self) -> list[tuple[float, int, Timer]] | None:
        """The heap with the transition that ends first by itself. With the polls clock, reads end keyed transitions."""
        heaps = []
        for heap in (
            (self._unkeyed, self._limits) if self.kind == "polls" else (self._unkeyed, self._keyed, self._limits)
        ):
            while heap and not heap[0][2].open:
                heapq.heappop(heap)
            if heap:
                heaps.append(heap)
        # transitions without a time come before those with time left
        return min(heaps, key=lambda heap: (self._timed(heap), heap[0])) if heaps else None

    def _fire(self, timer: Timer, at: float | None) -> None:
        timer.open = False
        if timer.key is not None:
            siblings = self._by_key.get(timer.key, [])
            if timer in siblings:
                siblings.remove(timer)
        self._frozen = at
        try:
            timer.action()
            if self.ended is not None:
                self.ended()
        finally:
            self._frozen = None

    def read(self, key: str) -> None:
        """Counts a read of an object (polls clock); the n-th read still sees the old state."""
        if self.kind != "polls":
            return
        for timer in list(self._by_key.get(key, ())):
            timer.reads += 1
            if timer.open and timer.reads >= self.polls:
                self._fire(timer, None)
        self._by_key[key] = [timer for timer in self._by_key.get(key, ()) if timer.open]

    def finish(self, timer: Timer) -> None:
        """Ends a transition now, with any clock."""
        if timer.open:
            self._fire(timer, None)

    def due_in(self) -> float | None:
        """Real seconds until the next transition ends by itself; None if none does."""
        heap = self._next()
        if heap is None:
            return None
        return max(0.0, (heap[0][0] - self._elapsed()) * self.scale) if self._timed(heap) else 0.0
