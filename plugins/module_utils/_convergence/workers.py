# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Daemon threads that answer into a queue, and reads made side by side."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Callable, Optional, TypeVar

HUNG = 3.0
"""Seconds after which the other objects are looked at again, although an answer about one is still outstanding."""


FIRST_WORKERS = 8
"""Calls that are made at a time: each thread has a TLS handshake of its own, so a quick server needs few."""


READERS = 2
"""Reads that are made at a time. A quick server answers the others before a further handshake would have ended."""


FEW = 8
"""Reads that are made one after the other, for as long as the server is quick."""


SLOW = 0.1
"""Seconds after which a call is slow, and worth twice the threads."""


WORKERS = 32
"""Calls that are made at a time, at most."""


T = TypeVar("T")


class Pool:
    """Threads that answer into a queue, and that nobody waits for at the end.

    They are daemons, which those of concurrent.futures are not: a call that hangs would keep the worker process of the
    task alive after its end, and with it one of the forks.

    :param first: calls that are made at a time, while they are answered quickly.
    """

    def __init__(self, first: Optional[int] = None) -> None:
        self._first = FIRST_WORKERS if first is None else first
        self._lock = threading.Lock()
        self._started = 0
        self._closed = False
        self._jobs: queue.SimpleQueue[Optional[tuple[Any, Callable[[], Any]]]] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[tuple[Any, Any, Optional[Exception]]] = queue.SimpleQueue()

    def submit(self, tag: Any, work: Callable[[], Any]) -> None:
        self._jobs.put((tag, work))
        self._grow(self._first)

    def spread(self) -> None:
        """More threads, where those that there are seem to hang."""
        for _unused in range(self._jobs.qsize()):
            self._grow(WORKERS)

    def _grow(self, most: int) -> None:
        with self._lock:
            if self._closed or self._started >= most:
                return
            self._started += 1
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None or self._closed:
                return
            (tag, work), began = job, time.monotonic()
            try:
                self.answers.put((tag, work(), None))
            except Exception as error:  # handed to the main thread, which decides
                self.answers.put((tag, None, error))
            if time.monotonic() - began > SLOW and not self._jobs.empty():
                for _unused in range(min(self._started, self._jobs.qsize())):
                    self._grow(WORKERS)

    def close(self) -> None:
        """Begins nothing more, and waits for nothing: a task's own `timeout` must be kept."""
        with self._lock:  # a thread that began later would find no None for it, and never end
            self._closed = True
        for _unused in range(self._started):
            self._jobs.put(None)


def _next(pool: Pool) -> tuple[Any, Any, Optional[Exception]]:
    while True:
        try:
            return pool.answers.get(timeout=HUNG)
        except queue.Empty:
            pool.spread()


_among_others: ContextVar[bool] = ContextVar("among_others", default=False)


@contextmanager
def among_others() -> Iterator[None]:
    """What this thread reads is one of many things that are read side by side: while the server is quick, another
    connection to it would cost more than it saves."""
    token = _among_others.set(True)
    try:
        yield
    finally:
        _among_others.reset(token)


def gather(names: list[str], read: Callable[[str], T]) -> dict[str, T]:
    """Reads several objects side by side.

    :returns: the answers by name; the first error is raised.
    """
    found: dict[str, T] = {}
    rest, is_quick = list(names), True
    while rest and is_quick and (len(names) <= FEW or _among_others.get()):
        name, began = rest.pop(0), time.monotonic()
        found[name] = read(name)
        is_quick = time.monotonic() - began <= SLOW
    return {**found, **_gathered(rest, read)} if rest else found


def _gathered(names: list[str], read: Callable[[str], T]) -> dict[str, T]:
    pool, found = Pool(READERS), {}
    try:
        for name in names:
            pool.submit(name, partial(read, name))
        for _unused in names:
            name, answer, error = _next(pool)
            if error:
                raise error
            found[name] = answer
    finally:
        pool.close()
    return {name: found[name] for name in names}
