# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records when each object was seen in which state, and what went wrong, for the report of a run."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Callable

THERE, WAITS, DUE, FAILED = ("there", "waits", "due", "failed")
"""How an object is: in the wanted state, on its way, in need of a step, unable to get there."""

CALL, FAULT, RETRY = ("step", "fault", "retry")
"""Kinds of marks: a changing call, a missing or refusing answer, a repeated call."""

WANTED = "DBFLEET_TIMELINE"
"""The environment variable that asks a module which runs elsewhere for its timeline."""

SEEN = "timeline"
"""The key of that timeline in the module's result. The action removes it."""

MOST = 20_000
"""Most entries that are kept. Later ones are only counted."""


@dataclass
class Timeline:
    """What a run has seen, with times of the monotonic clock.

    :ivar seen: by noun and name of the object: a row of times, with how the object was from then on, and its state in
        words. A state that lasts has one entry.
    :ivar marks: time, noun, name, kind of mark, and reason.
    :ivar lost: how many entries were too many to keep.
    """

    clock: Callable[[], float] = time.monotonic
    seen: dict[tuple[str, str], list[tuple[float, str, str]]] = field(default_factory=dict)
    marks: list[tuple[float, str, str, str, str]] = field(default_factory=list)
    lost: int = 0
    _count: int = 0

    def saw(self, noun: str, name: str, how: str, words: str) -> None:
        """Records the state of an object.

        :param noun: the kind of the object, plural (`nodes`).
        :param how: one of `THERE`, `WAITS`, `DUE`, `FAILED`.
        """
        row = self.seen.setdefault((noun, name), [])
        if (not row or row[-1][1:] != (how, words)) and self._has_room():
            row.append((self.clock(), how, words))

    def mark(self, noun: str, name: str, kind: str, why: str) -> None:
        """Records a mark of an object. A fault that repeats the last mark is left out."""
        same = (noun, name, kind, why)
        if kind == FAULT and any(one[1:] == same for one in self.marks[-1:]):
            return
        if self._has_room():
            self.marks.append((self.clock(), *same))

    def sent(self) -> dict[str, Any]:
        """The whole timeline for another machine. Its clock differs, so times are seconds before now."""
        now = self.clock()
        seen = [
            [noun, name, [[round(now - at, 3), how, words] for at, how, words in row]]
            for (noun, name), row in self.seen.items()
        ]
        return {"seen": seen, "marks": [[round(now - at, 3), *more] for at, *more in self.marks]}

    def take(self, sent: Any) -> None:
        """Adds a timeline that another machine just sent. Ignores anything that is not a timeline."""
        now = self.clock()
        with suppress(KeyError, TypeError, ValueError):
            seen = {
                (str(noun), str(name)): [(now - float(ago), str(how), str(words)) for ago, how, words in row]
                for noun, name, row in sent["seen"]
            }
            marks = [
                (now - float(ago), str(noun), str(name), str(kind), str(why))
                for ago, noun, name, kind, why in sent["marks"]
            ]
            for key, row in seen.items():
                self.seen.setdefault(key, []).extend(row)
            self.marks += marks

    def _has_room(self) -> bool:
        self._count += 1
        self.lost = max(0, self._count - MOST)
        return not self.lost
