# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's log, as its log services show it."""

from __future__ import annotations

import time
from collections import deque
from typing import Any, Callable


class Log:
    """The log of the whole cluster, stored with the oldest entry first and returned with the newest first."""

    def __init__(self, wall: Callable[[], float], limit: int) -> None:
        self._wall = wall
        self._entries: deque[dict[str, Any]] = deque(maxlen=max(1, limit))
        self._count = 0
        self._seen: dict[str, int] = {}

    def add(self, system: str, node: str, message: str, priority: str = "Information") -> None:
        stamp = self._wall()
        text = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(stamp)) + f".{int(stamp % 1 * 1e6):06d}"
        self._entries.append(
            {"strtime": text, "system": system, "node": node, "message": message, "priority": priority}
        )
        self._count += 1

    def entries(self) -> list[Any]:
        """[from, until, entries newest first]: only the third element's place was seen (EAO-125, EAO-127)."""
        rows = list(self._entries)
        rows.reverse()
        return self._answer(rows)

    def tagged(self, tag: str) -> list[Any]:
        """The entries that are new since the last call with this tag."""
        fresh = min(self._count - self._seen.get(tag, 0), len(self._entries))
        self._seen[tag] = self._count
        rows = [self._entries[-index] for index in range(1, fresh + 1)]
        return self._answer(rows)

    def _answer(self, rows: list[dict[str, Any]]) -> list[Any]:
        if not rows:
            return ["", "", []]
        return [rows[-1]["strtime"], rows[0]["strtime"], rows]
