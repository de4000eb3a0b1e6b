# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of a fleet, shown while the answers come."""

from __future__ import annotations

import time
from typing import Optional

from ...module_utils._wording import listing
from .. import progress
from .condition import DEGRADED, UP
from .look import Row, in_order
from .output import heading, line

BATCH = 2.0
"""Seconds for which rows are held back, to show them in order: for a quick fleet, all rows."""

HEARTBEAT = 30.0
"""The most seconds without a line."""


class Show:
    """Shows rows as they arrive, those that need attention first.

    :param names: the names of all clusters.
    :param place: see C(progress).
    """

    def __init__(self, names: list[str], place: str) -> None:
        self._names, self._place = names, place
        self._held: list[tuple[str, Row]] = []
        self._shown: list[tuple[str, Row]] = []
        self._since = self._spoke = time.monotonic()
        self._batches = 0

    def add(self, row: Optional[tuple[str, Row]]) -> None:
        """Takes a row; without a row, it may show the rows that it has."""
        if row:
            self._held.append(row)
        now = time.monotonic()
        if now - self._since >= BATCH:
            self._since = now
            self._flush()
        if now - self._spoke >= HEARTBEAT:
            known = {name for name, _row in self._shown}
            waiting = [name for name in self._names if name not in known]
            self._say(
                f"{len(known)}/{len(self._names)} clusters have reported their state, waiting for {listing(waiting)}"
            )

    def end(self, total: str) -> None:
        """Shows the remaining rows, again those that need attention if they are not together, and a line for all."""
        self._flush()
        ill = [(name, row) for name, row in self._shown if row["state"] != UP]
        if self._batches > 1 and ill:
            self._say("Clusters that are not up:")
            self._rows(ill)
        if len(self._names) > 1:
            self._say(total)

    def _flush(self) -> None:
        if not self._held:
            return
        if not self._batches and len(self._names) > 1:
            self._say(heading(self._names))
        self._batches += 1
        self._rows(self._held)
        self._shown += self._held
        self._held = []

    def _rows(self, rows: list[tuple[str, Row]]) -> None:
        for name, row in in_order(rows):
            self._say(line(name, row, self._names), _colour(row["state"]))

    def _say(self, text: str, colour: Optional[str] = None) -> None:
        self._spoke = time.monotonic()
        progress.show(text, self._place, colour)


def _colour(state: str) -> str:
    """The colour in which ansible-core shows a result that is good, notable, or bad."""
    if state == UP:
        return progress.GOOD
    return progress.NOTED if state == DEGRADED else progress.BAD
