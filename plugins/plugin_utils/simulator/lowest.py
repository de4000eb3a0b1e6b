# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers for objects: a new object gets the lowest free number, found without a search through the taken ones."""

from __future__ import annotations

from collections import Counter


class Lowest:
    def __init__(self, first: int = 0) -> None:
        self._taken: Counter[int] = Counter()
        self._first = self._lowest = first
        """All numbers from the first up to the lowest are taken."""

    def take(self, wanted: int | None = None) -> int:
        """Takes the given number, even if another object has it; without one, the lowest free number."""
        number = wanted
        if number is None:
            while self._taken[self._lowest]:
                self._lowest += 1
            number = self._lowest
        self._taken[number] += 1
        return number

    def release(self, number: int) -> None:
        """Gives a number back that one object had."""
        self._taken[number] -= 1
        if self._taken[number] <= 0:
            del self._taken[number]
            self._lowest = max(self._first, min(self._lowest, number))
