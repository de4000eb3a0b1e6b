# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Daemon threads that put answers into a queue, and parallel reads."""

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
"""Seconds after which the other objects are read again, although the answer about one is still missing."""


FIRST_WORKERS = 8
"""Parallel calls at first. Each thread needs its own TLS handshake, so few are best with a quick server."""


READERS = 2
"""Parallel reads at first. A quick server answers the other reads before another handshake would end."""


FEW = 8
"""So many reads are made one after another, as long as the server is quick."""


SLOW = 0.1
"""A call that takes more seconds is slow, and doubles the threads."""


WORKERS = 32
"""Most parallel calls."""


T = TypeVar("T")


class Pool:
    """Threads that put answers into a queue. At the end, nobody waits for them.

    They are daemons, unlike the threads of concurrent.futures. Otherwise a hanging call would keep the task's worker
    process alive after the task's end, and so block one of the forks.

    :param first: parallel calls while the server is quick.
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
        """Starts more threads, if the present ones seem to hang."""
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
        """Begins no more calls, and waits for none, so that the task keeps its own `timeout`."""
        with self._lock:  # a thread that begins later would get no None, and never end
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
    """Marks this thread's read as one of many parallel ones. While the server is quick, it then opens no further
    connections, which would cost more time than they save."""
    token = _among_others.set(True)
    try:
        yield
    finally:
        _among_others.reset(token)


def gather(names: list[str], read: Callable[[str], T]) -> dict[str, T]:
    """Reads several objects, in parallel if the server is slow or they are many. Raises the first error.

    :returns: the answers by name.
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
