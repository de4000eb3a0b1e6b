# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When which object was seen in which state, and what went wrong meanwhile: for a report of the run."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Callable

THERE, WAITS, DUE, FAILED = ("there", "waits", "due", "failed")
"""How an object stands: as it should be, on its way, with a step to be taken, and unable to get there."""

CALL, FAULT, RETRY = ("step", "fault", "retry")
"""What is marked: a call that changes something, an answer that was none or a refusal, and a call that is repeated."""

WANTED = "DBFLEET_TIMELINE"
"""The variable of the environment by which a module that runs elsewhere learns that its timeline is wanted."""

SEEN = "timeline"
"""The part of such a module's result that has it. The action takes it out."""

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

    def sent(self) -> dict[str, Any]:
        """All of it for another machine, whose clock is another: times are seconds ago."""
        now = self.clock()
        seen = [
            [noun, name, [[round(now - at, 3), how, words] for at, how, words in row]]
            for (noun, name), row in self.seen.items()
        ]
        return {"seen": seen, "marks": [[round(now - at, 3), *more] for at, *more in self.marks]}

    def take(self, sent: Any) -> None:
        """Takes over what was just sent from another machine; nothing of what is no timeline."""
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
