# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Work on many clusters, of which a slow one holds nobody up."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import Any, Callable, Optional

TICK = 0.5
"""Seconds between two chances of the caller to say something, at most."""

Answer = tuple[str, Optional[dict[str, Any]], float]
"""A cluster's name, its result (None where the time is up), and how many seconds it took."""


def answers(
    names: Iterable[str],
    work: Callable[[str], dict[str, Any]],
    most: int,
    timeout: float = math.inf,
    slow: float = math.inf,
) -> Iterator[Optional[Answer]]:
    """The results as they come; None now and then, where none has come.

    The threads are daemons, and one whose time is up is left alone: another takes its place.

    :param names: each is taken in the caller's thread, when its turn comes.
    :param work: raises nothing.
    :param most: clusters at a time.
    :param timeout: seconds for each.
    :param slow: seconds after which one is waited for beside those that are worked on at a time.
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
    """How many are worked on, without those that are slow."""
    now = time.monotonic()
    return sum(now - since < slow for since in began.values())
