# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When which object was seen in which state, and what went wrong meanwhile: for a report of the run."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Callable

THERE, WAITS, DUE, FAILED = ("there", "waits", "due", "failed")
"""How an object stands: as it should be, on its way, with a step to be taken, and unable to get there."""

CALL, FAULT, RETRY = ("step", "fault", "retry")
"""What is marked: a call that changes something, an answer that was none or a refusal, and a call that is repeated."""

MOST = 20_000
"""Entries that are kept. What comes later is counted."""


@dataclass
class Timeline:
    """What a run has seen, by the monotonic clock.

    :ivar seen: per object, by what it is and its name: since when it is how, and in words. A state that stays has one
        entry.
    :ivar marks: when, of what, its name, which kind of mark, and why.
    :ivar lost: entries that were too many.
    """

    clock: Callable[[], float] = time.monotonic
    seen: dict[tuple[str, str], list[tuple[float, str, str]]] = field(default_factory=dict)
    marks: list[tuple[float, str, str, str, str]] = field(default_factory=list)
    lost: int = 0
    _count: int = 0

    def saw(self, noun: str, name: str, how: str, words: str) -> None:
        """An object is in a state.

        :param noun: what it is, plural (`nodes`).
        """
        row = self.seen.setdefault((noun, name), [])
        if (not row or row[-1][1:] != (how, words)) and self._has_room():
            row.append((self.clock(), how, words))

    def mark(self, noun: str, name: str, kind: str, why: str) -> None:
        """Something happened to an object. The same twice in a row is one mark."""
        same = (noun, name, kind, why)
        if kind == FAULT and any(one[1:] == same for one in self.marks[-1:]):
            return
        if self._has_room():
            self.marks.append((self.clock(), *same))

    def _has_room(self) -> bool:
        self._count += 1
        self.lost = max(0, self._count - MOST)
        return not self.lost
