# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lists of a domain that the modules of a `shared_session` hand on to each other."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Callable, Optional

from ..._session import Kept, Readings

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class _Key:
    """What identifies a list.

    :param url: the AP that returned it. Each AP has its own view of the others.
    :param filters: field -> the values that were let through.
    """

    url: str
    which: tuple[Hashable, ...]
    filters: frozenset[tuple[str, frozenset[str]]]

    def holds(self, url: str, which: tuple[Hashable, ...], filters: dict[str, list[str]]) -> bool:
        """Whether this list contains all of a list that is asked for."""
        return (self.url, self.which) == (url, which) and all(
            field in filters and set(filters[field]) <= values for field, values in self.filters
        )


class SharedLists:
    """The shared lists of one module: it hands on each list that it reads, and its first look may use handed-on lists.

    It uses one only within `first_look`, if the module began after the list was read, from the same AP, and while
    `Readings.is_good`. So such a list never answers a wait, a guard or the look at the end.

    :param readings: None if nothing is shared.
    :param url: the AP that answered last.
    """

    def __init__(self, readings: Optional[Readings], url: Callable[[], str]) -> None:
        self._readings = readings
        self._url = url
        self._handed_on: dict[Hashable, Kept] = readings.handed_on() if readings else {}
        self._is_first_look = False

    @contextmanager
    def first_look(self) -> Iterator[None]:
        """Within this context, lists may come from an earlier module."""
        self._is_first_look = True
        try:
            yield
        finally:
            self._is_first_look = False

    def leave(self, what: str, value: Any) -> None:
        """Hands on another value that this module knows at its end."""
        if self._readings:
            self._readings.keep(what, value, self._readings.mark())

    def left(self, what: str) -> Any:
        """What the module before has handed on by this name; None if it is missing or no longer good."""
        kept = self._handed_on.get(what)
        return kept.value if kept and self._readings and self._readings.is_good(kept) else None

    def rows(self, which: tuple[Hashable, ...], filters: dict[str, list[str]], ask: Callable[[], Rows]) -> Rows:
        """The rows of a list, handed on or read now.

        :param which: what is asked for.
        :param filters: field -> the values that it may have.
        """
        if self._readings is None:
            return ask()
        kept = self._newest(which, filters) if self._is_first_look else None
        if kept and self._readings.is_good(kept):
            there: Rows = kept.value
            return there
        mark = self._readings.mark()
        rows = ask()
        narrowed = frozenset((field, frozenset(values)) for field, values in filters.items())
        self._readings.keep(_Key(self._url(), which, narrowed), rows, mark)
        return rows

    def _newest(self, which: tuple[Hashable, ...], filters: dict[str, list[str]]) -> Optional[Kept]:
        """The newest handed-on list that contains what is asked for, such as that of all databases for one of them."""
        url = self._url()
        fitting = [
            kept for key, kept in self._handed_on.items() if isinstance(key, _Key) and key.holds(url, which, filters)
        ]
        return sorted(fitting, key=lambda kept: kept.mark.began)[-1] if fitting else None
