# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts of one change to a volume, and the rules that many changes share."""

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
    """One change that a volume may need.

    :param key: its key in `VolumeApi.calls`.
    :param done: the state of the volume after the change, in words.
    :param needed: whether the volume, as it was read last, needs the change.
    :param words: the state of the volume now, in words that go with `done`.
    :param target: the volume as it is after the change.
    :param call: sends the change.
    :param forbidden: the reason why the change can't be made; None if it can.
    :param moves_data: whether EXAStorage must be at rest before the change, and goes on working after it.
    :param risk: what the change would do to a database that uses the volume; empty if it is harmless.
    :param onto: the nodes that must be online for the change.
    :param capability: the capability that the API needs for the change.
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
    """The volume that a read has found.

    :raises ClusterError: if it is gone.
    """
    if row is None:
        raise ClusterError("a volume that was there a moment ago is gone", number="DBF-5005")
    return row


def state_words(row: Row) -> str:
    """The state of a volume for messages, with the segments that aren't online."""
    if row is None:
        return "not there"
    return (row.state or "of unknown state") + (f" ({listing(list(row.away), 6, ', ')})" if row.away else "")


def locked(row: Row) -> Optional[Fail]:
    """The refusal of a change to data while the volume is locked or its internal I/O is off; None if it is neither."""
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
