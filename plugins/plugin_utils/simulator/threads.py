# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets that are waited for by one thread, whatever their number, and threads for those on which something comes."""

from __future__ import annotations

import asyncio
import queue
import threading
from typing import Any, Callable, Optional

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
        self._lock = threading.Lock()
        self._running: Optional[asyncio.AbstractEventLoop] = None

    def once(self, socket: Any, act: Work) -> None:
        """Call `act` in the thread of all sockets as soon as something comes on one. It must not block."""

        loop = self._loop()

        def ready() -> None:
            loop.remove_reader(socket)
            act()

        loop.call_soon_threadsafe(loop.add_reader, socket, ready)

    def always(self, socket: Any, act: Work) -> None:
        """The same each time that something comes, until `forget`."""
        loop = self._loop()
        loop.call_soon_threadsafe(loop.add_reader, socket, act)

    def forget(self, socket: Any) -> None:
        """Not in the thread of all sockets. When this returns, `act` isn't called any more."""
        done, loop = threading.Event(), self._loop()

        def remove() -> None:
            loop.remove_reader(socket)
            done.set()

        loop.call_soon_threadsafe(remove)
        done.wait()

    def _loop(self) -> asyncio.AbstractEventLoop:
        """Not made before something is served: who only imports this would have to close it."""
        with self._lock:
            if self._running is None:
                self._running = asyncio.new_event_loop()
                threading.Thread(target=self._running.run_forever, name="simulator: sockets", daemon=True).start()
            return self._running


THREADS, SOCKETS = Threads(), Sockets()
"""Those of this process."""
