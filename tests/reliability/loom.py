# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual time, and threads in an order that a seed gives. An hour takes a moment, and a seed repeats what it did.

All threads of a run are greenlets of one real thread. One goes on until it would wait: for a lock, for a moment, for an
answer. Then dice choose among those that can go on, and where none can, the clock jumps to the next moment that one
waits for. Locks and threads are replaced at the bottom of the standard library; events, conditions and queues are made
of them, and stay as they are.

`take_clocks` comes before the first import of the collection: defaults such as `clock=time.monotonic` keep what they
find then.
"""

from __future__ import annotations

import itertools
import queue
import random
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any, Callable, Optional

import time_machine
from greenlet import getcurrent, greenlet

BEGIN = datetime(2026, 3, 1, 2, 0, tzinfo=timezone.utc)
"""When every virtual night begins: three in the morning in Berlin."""

FIRST = 1000.0
"""What the clock shows then."""

PATIENCE = 7 * 86400.0
"""Virtual seconds after which a run counts as one that never ends."""

TICK = 1e-6
"""Seconds that a wait takes at least: one that is lost in rounding would be begun for ever."""

_woven: list[Loom] = []
"""The loom that is in use."""


class Killed(BaseException):
    """The process of the run ends here. Nothing of the collection catches it."""


class Endless(AssertionError):
    """A run that waits for what nobody will do, or that goes on for ever."""


def take_clocks() -> None:
    """Makes the clocks of this process follow the loom that is in use, and else go as ever."""
    real_monotonic, real_sleep = time.monotonic, time.sleep

    def monotonic() -> float:
        return _woven[-1].now if _woven else real_monotonic()

    def sleep(seconds: float) -> None:
        if _woven:
            _woven[-1].rest(seconds)
        else:
            real_sleep(seconds)

    time.monotonic, time.sleep = monotonic, sleep


class Thread:
    """In place of `threading.Thread`."""

    _numbers = itertools.count(1)

    def __init__(
        self,
        group: None = None,
        target: Optional[Callable[..., object]] = None,
        name: Optional[str] = None,
        args: Any = (),
        kwargs: Any = None,
        *,
        daemon: Optional[bool] = None,
    ) -> None:
        self._target, self._args, self._kwargs = target, args, kwargs or {}
        self.name, self.daemon = name or f"Thread-{next(self._numbers)}", bool(daemon)
        self._strand: Optional[Strand] = None

    def start(self) -> None:
        self._strand = _woven[-1].begin(self.run)

    def run(self) -> None:
        if self._target:
            self._target(*self._args, **self._kwargs)

    def is_alive(self) -> bool:
        return self._strand is not None and not self._strand.dead

    def join(self, timeout: Optional[float] = None) -> None:
        until = None if timeout is None else _woven[-1].now + timeout
        while self.is_alive() and (until is None or _woven[-1].now < until):
            _woven[-1].rest(0.01)


class Lock:
    """In place of `threading.Lock`."""

    def __init__(self) -> None:
        self._is_held = False
        self._waiting: list[Strand] = []

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        until = _woven[-1].now + timeout if timeout >= 0 else None
        while self._is_held:
            if not blocking or not _woven[-1].park(self._waiting, until):
                return False
        self._is_held = True
        return True

    def release(self) -> None:
        if not self._is_held:
            raise RuntimeError("release unlocked lock")
        self._is_held = False
        for strand in self._waiting:
            strand.is_ready = True
        self._waiting.clear()

    def locked(self) -> bool:
        return self._is_held

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_error: object) -> None:
        self.release()


class RLock(Lock):
    """In place of `threading.RLock`."""

    def __init__(self) -> None:
        super().__init__()
        self._owner: Any = None
        self._depth = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if self._owner is not getcurrent() or not self._is_held:
            if not super().acquire(blocking, timeout):
                return False
            self._owner = getcurrent()
        self._depth += 1
        return True

    def release(self) -> None:
        self._depth -= 1
        if not self._depth:
            self._owner = None
            super().release()

    def _is_owned(self) -> bool:
        return self._is_held and self._owner is getcurrent()

    def _release_save(self) -> int:
        depth, self._depth = self._depth, 1
        self.release()
        return depth

    def _acquire_restore(self, depth: int) -> None:
        self.acquire()
        self._depth = depth


class Strand(greenlet):
    """A thread of a run.

    :ivar until: the moment at which it goes on by itself.
    """

    def __init__(self, work: Callable[[], Any], parent: greenlet) -> None:
        super().__init__(work, parent)
        self.is_ready = True
        self.until: Optional[float] = None
        self.in_time = True


class Loom:
    """A virtual clock, and the threads that go by it.

    :param seed: of the order in which threads go on.
    :ivar now: virtual seconds.
    """

    def __init__(self, seed: int = 0) -> None:
        self.dice = random.Random(seed)
        self._ids = random.Random(seed)
        self.now = FIRST
        self.is_killed = False
        self._strands: list[Strand] = []
        self._hub: Optional[greenlet] = None
        self._calendar: Any = None

    def monotonic(self) -> float:
        return self.now

    def uuid4(self) -> uuid.UUID:
        """An ID that the seed gives, in place of one by chance."""
        return uuid.UUID(int=self._ids.getrandbits(128), version=4)

    def run(self, work: Callable[[], Any]) -> Any:
        """Runs a program: its main thread, and the threads that it starts.

        What its threads still do when the main one has ended is cut off, as at the end of a process.

        :raises Killed: it was killed.
        :raises Endless: it hangs.
        """
        self._hub, self.is_killed = getcurrent(), False
        limit = self.now + PATIENCE
        result: list[Any] = []
        main = self.begin(lambda: result.append(work()))
        try:
            while not main.dead:
                self._next(limit).switch()
        finally:
            self.is_killed = True
            for strand in self._strands:
                if not strand.dead:
                    self._end(strand)
            self._strands = []
            self._hub = None
        return result[0]

    @staticmethod
    def _end(strand: Strand) -> None:
        try:
            strand.throw(Killed)
        except Killed:
            return

    def begin(self, work: Callable[[], Any]) -> Strand:
        """Starts a thread."""
        assert self._hub is not None, "no run is under way"
        strand = Strand(work, self._hub)
        self._strands.append(strand)
        return strand

    def _next(self, limit: float) -> Strand:
        self._strands = [strand for strand in self._strands if not strand.dead]
        ready = [strand for strand in self._strands if strand.is_ready]
        if not ready:
            waiting = [strand for strand in self._strands if strand.until is not None]
            if not waiting:
                raise Endless("every thread waits for another")
            soonest = min(strand.until for strand in waiting if strand.until is not None)
            self.advance(max(0.0, soonest - self.now))
            if self.now > limit:
                raise Endless(f"it is not over after {PATIENCE / 86400:g} days")
            ready = [strand for strand in waiting if strand.until is not None and strand.until <= self.now]
            for strand in ready:
                strand.is_ready, strand.in_time = True, False
        return self.dice.choice(ready) if len(ready) > 1 else ready[0]

    def park(self, waiting: Optional[list[Strand]], until: Optional[float]) -> bool:
        """The thread that is running waits.

        :param waiting: who is to be woken, where somebody else does that.
        :returns: whether it was woken before the moment came.
        :raises Killed: the process has ended.
        """
        strand = getcurrent()
        if not isinstance(strand, Strand) or self._hub is None:
            raise Endless("nothing else runs that could end this wait")
        if self.is_killed:
            raise Killed
        if until is not None:
            until = max(until, self.now + TICK)
        strand.is_ready, strand.until, strand.in_time = False, until, True
        if waiting is not None:
            waiting.append(strand)
        self._hub.switch()
        strand.until = None
        if waiting is not None and strand in waiting:
            waiting.remove(strand)
        if self.is_killed:
            raise Killed
        return strand.in_time

    def rest(self, seconds: float) -> None:
        """The thread that is running sleeps; outside a run, the time passes."""
        if self._hub is None:
            self.advance(seconds)
        else:
            self.park(None, self.now + max(0.0, seconds))

    def kill(self) -> None:
        """Ends the process of the run. Nothing of it is carried out any more.

        :raises Killed: always.
        """
        self.is_killed = True
        raise Killed

    def advance(self, seconds: float) -> None:
        self.now += seconds
        if self._calendar:
            self._calendar.shift(seconds)

    def set_wall_clock(self, seconds: float) -> None:
        """Somebody sets the time of day on by so much; nothing else moves."""
        if self._calendar:
            self._calendar.shift(seconds)

    @contextmanager
    def in_use(self) -> Iterator[Loom]:
        """Locks, threads and clocks are this one's meanwhile."""
        names: list[tuple[Any, str, Any]] = [
            (threading, "Lock", Lock),
            (threading, "RLock", RLock),
            (threading, "_allocate_lock", Lock),
            (threading, "Thread", Thread),
            (threading, "_time", self.monotonic),
            (queue, "time", self.monotonic),
            (uuid, "uuid4", self.uuid4),
            (queue, "SimpleQueue", queue._PySimpleQueue),  # type: ignore[attr-defined]
        ]
        before = [(owner, name, getattr(owner, name)) for owner, name, _new in names]
        for owner, name, new in names:
            setattr(owner, name, new)
        _woven.append(self)
        try:
            with time_machine.travel(BEGIN + timedelta(seconds=self.now - FIRST), tick=False) as self._calendar:
                yield self
        finally:
            _woven.pop()
            self._calendar = None
            for owner, name, old in before:
                setattr(owner, name, old)
