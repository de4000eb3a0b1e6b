# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets that are waited for by one thread, whatever their number, and threads for those on which something comes."""

from __future__ import annotations

import asyncio
import queue
import threading
from typing import Any, Callable

SPARE = 8
"""Threads that are kept for the next request, at most. There are as many as requests under way."""

Work = Callable[[], None]


class Threads:
    """As many threads as there is work at a time: work may hang, and must not hold up any other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle = 0
        self._work: queue.SimpleQueue[Work] = queue.SimpleQueue()

    def run(self, work: Work) -> None:
        """`work` raises nothing."""
        with self._lock:
            is_idle = self._idle > 0
            self._idle -= is_idle
        if is_idle:
            self._work.put(work)
        else:
            threading.Thread(target=self._go_on, args=(work,), name="simulator: a request", daemon=True).start()

    def _go_on(self, work: Work) -> None:
        while True:
            work()
            with self._lock:
                if self._idle >= SPARE:
                    return
                self._idle += 1
            work = self._work.get()


class Sockets:
    """The sockets of this process on which something may come."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._lock = threading.Lock()
        self._is_running = False

    def once(self, socket: Any, act: Work) -> None:
        """Call `act` in the thread of all sockets as soon as something comes on one. It must not block."""

        def ready() -> None:
            self._loop.remove_reader(socket)
            act()

        self._start()
        self._loop.call_soon_threadsafe(self._loop.add_reader, socket, ready)

    def always(self, socket: Any, act: Work) -> None:
        """The same each time that something comes, until `forget`."""
        self._start()
        self._loop.call_soon_threadsafe(self._loop.add_reader, socket, act)

    def forget(self, socket: Any) -> None:
        """Not in the thread of all sockets. When this returns, `act` isn't called any more."""
        done = threading.Event()

        def remove() -> None:
            self._loop.remove_reader(socket)
            done.set()

        self._loop.call_soon_threadsafe(remove)
        done.wait()

    def _start(self) -> None:
        with self._lock:
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._loop.run_forever, name="simulator: sockets", daemon=True).start()


THREADS, SOCKETS = Threads(), Sockets()
"""Those of this process."""
