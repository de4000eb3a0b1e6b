# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One thread that waits for any number of sockets, and threads for the sockets on which data arrives."""

from __future__ import annotations

import asyncio
import queue
import threading
from typing import Any, Callable, Optional

SPARE = 8
"""The most idle threads that are kept for the next request. Each request under way has its own thread."""

Work = Callable[[], None]


class Threads:
    """One thread per piece of work: work may hang, and must not delay other work."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle = 0
        self._work: queue.SimpleQueue[Work] = queue.SimpleQueue()

    def run(self, work: Work) -> None:
        """Runs `work`, which raises nothing, in a thread."""
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
    """The sockets of this process on which data may arrive."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: Optional[asyncio.AbstractEventLoop] = None

    def once(self, socket: Any, act: Work) -> None:
        """Calls `act` once, in the thread of all sockets, when data arrives on a socket. `act` must not block."""

        loop = self._loop()

        def ready() -> None:
            loop.remove_reader(socket)
            act()

        loop.call_soon_threadsafe(loop.add_reader, socket, ready)

    def always(self, socket: Any, act: Work) -> None:
        """Calls `act` each time that data arrives, until `forget`."""
        loop = self._loop()
        loop.call_soon_threadsafe(loop.add_reader, socket, act)

    def forget(self, socket: Any) -> None:
        """Stops the calls of `act` before it returns. It must not be called in the thread of all sockets."""
        done, loop = threading.Event(), self._loop()

        def remove() -> None:
            loop.remove_reader(socket)
            done.set()

        loop.call_soon_threadsafe(remove)
        done.wait()

    def _loop(self) -> asyncio.AbstractEventLoop:
        """The loop of the thread. It is created with the first served socket, not by an import."""
        with self._lock:
            if self._running is None:
                self._running = asyncio.new_event_loop()
                threading.Thread(target=self._running.run_forever, name="simulator: sockets", daemon=True).start()
            return self._running


THREADS, SOCKETS = Threads(), Sockets()
"""The threads and sockets of this process."""
