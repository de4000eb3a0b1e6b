# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names and numbers of volumes: which volume a text means, and how to find the same volume later in the run.

The cluster reuses a number as soon as its volume is gone. So the run decides only once which volume a text means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Optional, Protocol, TypeVar

from ..._errors import ClusterError, Refused
from ..._wording import listing

FIRST_REMOTE = 10000
"""The ids of remote volumes start at this number (CONFD-152): r0001 is 10001."""

NUMBERED = re.compile(r"\d+|[vr]\d{4,}")
"""The number of a volume as an id, or in the form that clusters use in names."""


def number_of(text: str) -> Optional[int]:
    """The id in `10001`, `r0001` or `v0003`; None for any other text."""
    found = re.fullmatch(r"([rv]?)(\d{1,9})", text.strip())
    if not found:
        return None
    return int(found.group(2)) + (FIRST_REMOTE if found.group(1) == "r" else 0)


def short(number: int) -> str:
    """An id in the form that clusters use in names: `v0003`, or `r0001` for a remote volume."""
    return f"r{number - FIRST_REMOTE:04d}" if number >= FIRST_REMOTE else f"v{number:04d}"


def numbers_of(number: Optional[int]) -> tuple[str, ...]:
    """Both forms of an id; empty for None."""
    return () if number is None else (str(number), short(number))


class Numbered(Protocol):
    """A volume, or a remote one."""

    @property
    def id(self) -> Optional[int]:
        """Its number; None if the server doesn't show it."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def numbers(self) -> tuple[str, ...]:
        """The other texts that mean it."""


AnyVolume = TypeVar("AnyVolume", bound=Numbered)


def found_in(cluster: str, volumes: Iterable[AnyVolume], name: str, clearly: bool = False) -> Optional[AnyVolume]:
    """The volume with this name, or else with this number; None if there is neither.

    :param clearly: whether to refuse a text that is the name of one volume and the number of another.
    :raises Refused: if the text is both.
    :raises ClusterError: if the text means several volumes.
    """
    rows = list(volumes)
    named, numbered = ([row for row in rows if row.name == name], [row for row in rows if name in row.numbers])
    other = [row for row in numbered if row not in named]
    if clearly and named and other:
        raise Refused(
            f"{cluster}: {name} is the name of one volume and also means {listing([row.name for row in other])}, "
            "so data of the wrong volume could be lost",
            hint=f"write {_also(named[0], name)} for the volume with the name {name}, and its own name for the other",
            failed_object=name,
            number="DBF-6302",
        )
    found = named or numbered
    if len(found) > 1:
        also = listing([_also(row, name) for row in found])
        raise ClusterError(
            f"{cluster}: several volumes are called {name}: {also}", failed_object=name, number="DBF-3002"
        )
    return found[0] if found else None


def _also(row: Numbered, name: str) -> str:
    """Another text that means the volume, if possible in the form v0000."""
    return next((number for number in (*row.numbers[1:], *row.numbers) if number != name), row.name)


def same_in(volumes: Iterable[AnyVolume], known: AnyVolume, renamed: bool = False) -> Optional[AnyVolume]:
    """The same volume in a newer read; None if it is gone, even if another volume has its number now.

    :param renamed: whether this run may change its name.
    """
    for row in volumes:
        if row.id == known.id and (row.name == known.name or (renamed and known.id is not None)):
            return row
    return None
