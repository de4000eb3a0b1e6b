# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Work on many clusters, in which a slow cluster doesn't delay the others."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import Any, Callable, Optional

TICK = 0.5
"""The most seconds until the caller gets a chance to show something."""

Answer = tuple[str, Optional[dict[str, Any]], float]
"""A cluster's name, its result (None if the time is up), and how many seconds it took."""


def answers(
    names: Iterable[str],
    work: Callable[[str], dict[str, Any]],
    most: int,
    timeout: float = math.inf,
    slow: float = math.inf,
) -> Iterator[Optional[Answer]]:
    """The results as they arrive; None from time to time if none has arrived.

    The threads are daemons. A thread whose time is up is abandoned, and another thread takes its place.

    :param names: the clusters. The caller's thread takes each name when its turn comes.
    :param work: the work on a cluster; raises nothing.
    :param most: how many clusters are worked on at a time.
    :param timeout: the seconds for each cluster.
    :param slow: the seconds after which a cluster no longer counts in C(most).
    """
    following, is_more, began = iter(names), True, dict[str, float]()
    queue: SimpleQueue[tuple[str, dict[str, Any]]] = SimpleQueue()

    def run(name: str) -> None:
        queue.put((name, work(name)))

    while is_more or began:
        while is_more and _busy(began, slow) < most:
            following_name = next(following, None)
            is_more = following_name is not None
            if following_name is not None:
                began[following_name] = time.monotonic()
                threading.Thread(target=run, args=(following_name,), daemon=True).start()
        if not began:
            return
        left = min(began.values()) + timeout - time.monotonic()
        try:
            name, result = queue.get(timeout=min(TICK, max(left, 0.001)))
        except Empty:
            yield None
        else:
            if name in began:
                yield name, result, time.monotonic() - began.pop(name)
        now = time.monotonic()
        for name in [one for one, since in began.items() if now - since >= timeout]:
            yield name, None, now - began.pop(name)


def _busy(began: dict[str, float], slow: float) -> int:
    """How many clusters are worked on, without slow ones."""
    now = time.monotonic()
    return sum(now - since < slow for since in began.values())
