# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a change to a volume is made of, before it is planned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Optional

from ..._convergence.stage import Fail
from ..._errors import ClusterError
from ..._wording import listing
from ..api.volumes import Volume

Row = Optional[Volume]


@dataclass(frozen=True)
class Change:
    """One thing that may have to be done to a volume.

    :param key: in `VolumeApi.calls`.
    :param done: what it is then, in words.
    :param needed: whether it has to be done; decided on what was seen last.
    :param forbidden: why it can't be.
    :param moves_data: whether EXAStorage must be at rest for it, and works in the background after it.
    :param risk: what it would do to a database that uses the volume; empty where it does nothing to it.
    :param onto: the nodes that must be online for it.
    :param capability: what the API must be able to do for it.
    """

    key: str
    done: str
    needed: Callable[[Row], bool]
    words: Callable[[Volume], str]
    target: Callable[[str, Row], Row]
    call: Callable[[str, Row], Any]
    forbidden: Callable[[str, Row], Optional[Fail]] = lambda _name, _volume: None
    moves_data: bool = False
    risk: str = ""
    onto: Callable[[Row], list[str]] = lambda _volume: []
    capability: Optional[str] = None


def there(row: Row) -> Volume:
    """A volume that has been looked at."""
    if row is None:
        raise ClusterError("a volume that was there a moment ago is gone", number="DBF-5005")
    return row


def state_words(row: Row) -> str:
    """A volume's state for people, with the segments that aren't online."""
    if row is None:
        return "not there"
    return (row.state or "of unknown state") + (f" ({listing(list(row.away), 6, ', ')})" if row.away else "")


def locked(row: Row) -> Optional[Fail]:
    """The rule before data is changed."""
    if row is not None and row.is_locked:
        causes = listing(row.lock_causes, 6, ", ")
        if causes:
            return Fail(
                f"EXAStorage itself has locked it ({causes}), and the data of a locked volume can't be changed",
                hint="bring its nodes back (exa_node state=online or resumed): EXAStorage removes the lock when the "
                "cause is gone",
                number="DBF-6312",
            )
        return Fail(
            "it is locked, and the data of a locked volume can't be changed",
            hint="if somebody has locked it, unlock it first (exa_volume state=unlocked); if EXAStorage has, bring its "
            "nodes back first",
            number="DBF-6312",
        )
    if row is not None and row.int_io is False:
        return Fail(
            "its internal I/O is off, and without internal I/O its data can't be changed",
            hint="int_io: true switches it on",
            number="DBF-6312",
        )
    return None
