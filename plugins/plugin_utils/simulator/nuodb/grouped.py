# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects by their IDs, with a quick way to find those of a database."""

from __future__ import annotations

from typing import Any, Callable, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Grouped(dict[K, V], Generic[K, V]):
    """`database` returns the name of an object's database, which never changes."""

    def __init__(self, database: Callable[[V], str]) -> None:
        super().__init__()
        self._database = database
        self._of: dict[str, dict[K, V]] = {}

    def of(self, name: str) -> list[V]:
        """The objects of a database, in the order in which they were added."""
        return list(self._of.get(name, {}).values())

    def __setitem__(self, key: K, value: V) -> None:
        if key in self and self._database(self[key]) != self._database(value):
            del self[key]
        super().__setitem__(key, value)
        self._of.setdefault(self._database(value), {})[key] = value

    def __delitem__(self, key: K) -> None:
        del self._of[self._database(self[key])][key]
        super().__delitem__(key)

    def pop(self, key: K, default: Any = None) -> Any:
        """Removes and returns the object; the default if it doesn't exist."""
        found = self.get(key, default)
        if key in self:
            del self[key]
        return found
