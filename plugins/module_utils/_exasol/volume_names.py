# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which volume a name or a number means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional, Protocol, TypeVar

from .._errors import ClusterError
from .._wait import listing


class Numbered(Protocol):
    """A volume, or a remote one."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def numbers(self) -> tuple[str, ...]:
        """What else it is called."""


AnyVolume = TypeVar("AnyVolume", bound=Numbered)


def found_in(cluster: str, volumes: Iterable[AnyVolume], name: str) -> Optional[AnyVolume]:
    """The volume of that name, else of that number.

    :raises ClusterError: several are meant.
    """
    rows = list(volumes)
    for fits in (lambda row: row.name == name, lambda row: name in row.numbers):
        found = [row for row in rows if fits(row)]
        if len(found) > 1:
            also = listing([row.numbers[1] if len(row.numbers) > 1 else row.name for row in found])
            raise ClusterError(f"{cluster}: several volumes are called {name}: {also}", failed_object=name)
        if found:
            return found[0]
    return None
