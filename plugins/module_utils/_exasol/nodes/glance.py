# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of the nodes that boot are worth a call: EXAoperation tells of one at a time, and there may be hundreds."""

from __future__ import annotations

import threading
import time
from typing import Callable, Optional

from ..view import ClusterView

ROUND = 0.2
"""Seconds for which one glance serves the reads of all nodes."""

AGAIN = 0.5
"""Seconds between two calls for a node that the glance shows online, or of which it can't tell."""

WHATEVER_IT_SHOWS = 10.0
"""Seconds after which a node is asked itself all the same."""

SLOW = 1.0
"""Seconds of one glance above which it isn't cheaper than the calls that it spares."""


class Glance:
    """One call that tells which nodes are online (EAO-73): a reason to ask a node, and never its state."""

    def __init__(self, cluster: ClusterView, clock: Callable[[], float] = time.monotonic) -> None:
        self._cluster, self._clock = cluster, clock
        self._seen: Optional[frozenset[str]] = frozenset()
        self._at = -ROUND
        self._asked: dict[str, float] = {}
        self._looking = threading.Lock()

    def begin(self, nodes: list[str]) -> None:
        """They were told to boot just now, and can't be online yet."""
        self._asked.update(dict.fromkeys(nodes, self._clock()))

    def is_worth_a_call(self, node: str) -> bool:
        """Whether to ask a node itself now, which the caller then does."""
        self._look()
        seen = self._seen
        pause = WHATEVER_IT_SHOWS if seen is not None and node not in seen else AGAIN
        now = self._clock()
        worth = now - self._asked.get(node, now - WHATEVER_IT_SHOWS) >= pause
        if worth:
            self._asked[node] = now
        return worth

    def _look(self) -> None:
        # Where another thread's glance hangs, the nodes are read by what was seen before.
        if not self._looking.acquire(blocking=False):
            return
        try:
            began = self._clock()
            if self._seen is None or began - self._at < ROUND:
                return
            self._seen = self._cluster.seen_online()
            self._at = self._clock()
            if self._at - began > SLOW:
                self._seen = None
        finally:
            self._looking.release()
