# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which booting nodes are worth a call: EXAoperation reports one node per call, and there may be hundreds."""

from __future__ import annotations

import threading
import time
from typing import Callable, Optional

from ..view import ClusterView

ROUND = 0.2
"""Seconds for which the result of one glance is used for all nodes."""

AGAIN = 0.5
"""Seconds between two calls for a node that the glance shows online, or for every node if there is no glance."""

WHATEVER_IT_SHOWS = 10.0
"""Seconds after which a node gets its own call, even if the glance doesn't show it online."""

SLOW = 1.0
"""Seconds that one glance may take. A slower one costs more than the calls that it saves."""


class Glance:
    """One call that lists nodes that are online (EAO-73). It only decides which nodes to read, never their state."""

    def __init__(self, cluster: ClusterView, clock: Callable[[], float] = time.monotonic) -> None:
        self._cluster, self._clock = cluster, clock
        self._seen: Optional[frozenset[str]] = frozenset()
        self._at = -ROUND
        self._asked: dict[str, float] = {}
        self._looking = threading.Lock()

    def begin(self, nodes: list[str]) -> None:
        """Notes that these nodes have just begun to boot, so that they can't be online yet."""
        self._asked.update(dict.fromkeys(nodes, self._clock()))

    def is_worth_a_call(self, node: str) -> bool:
        """Whether to read this node's own state now. The caller must do that if the answer is true."""
        self._look()
        seen = self._seen
        pause = WHATEVER_IT_SHOWS if seen is not None and node not in seen else AGAIN
        now = self._clock()
        worth = now - self._asked.get(node, now - WHATEVER_IT_SHOWS) >= pause
        if worth:
            self._asked[node] = now
        return worth

    def _look(self) -> None:
        # If the glance of another thread hangs, this thread uses the last result.
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
