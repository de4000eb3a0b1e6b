# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes that lock, unlock, clear and delete volumes."""

from __future__ import annotations

from typing import Optional

from ..._convergence.stage import Fail
from ..._wording import listing
from ..api import capabilities as can
from ..api.volumes import LOCKED, ONLINE, VolumeApi
from .change import Change, Row, locked, there
from .wanted import WantedVolume


def lock(api: VolumeApi) -> Change:
    """The change that locks a volume, so that nobody reads or writes it."""
    return Change(
        "lock",
        LOCKED,
        lambda row: row is not None and not row.is_locked,
        lambda row: row.state,
        lambda _name, row: row and row.with_(state=LOCKED),
        lambda _name, row: api.lock(there(row)),
        risk="the lock would close it while it is in use",
        capability=can.VOLUME_LOCK,
    )


def unlock(api: VolumeApi, ignore_conditions: bool) -> Change:
    """The change that unlocks a volume.

    :param ignore_conditions: whether a lock that EXAStorage itself has set is removed too.
    """

    def locked_by_itself(_name: str, row: Row) -> Optional[Fail]:
        """Refuses to remove a lock of EXAStorage: its cause stays (CONFD-143), so data may be missing."""
        causes = there(row).lock_causes
        if not causes or ignore_conditions:
            return None
        return Fail(
            f"EXAStorage itself has locked it ({listing(causes, 6, ', ')}): unlocking clears the conditions but not "
            "the cause, so databases would need segments that no node has",
            hint="repair the cause: bring its nodes back (exa_node state=online or resumed, job st_node_resume), or "
            "replace a failed device (job st_device_info shows it); EXAStorage then removes the lock. "
            "ignore_unlock_conditions: true unlocks it anyway",
            number="DBF-6313",
        )

    return Change(
        "unlock",
        "unlocked",
        lambda row: row is not None and row.is_locked,
        lambda row: row.state,
        lambda _name, row: row and row.with_(state=ONLINE),
        lambda _name, row: api.unlock(there(row)),
        locked_by_itself,
        capability=can.VOLUME_LOCK,
    )


def clear(api: VolumeApi, wanted: WantedVolume) -> Change:
    """The change that overwrites the data: once per run, because no call shows that a volume was cleared."""
    cleared: set[Optional[int]] = set()
    nodes = list(wanted.nodes or ())

    def call(_name: str, row: Row) -> None:
        api.clear(there(row), wanted.num_bytes, nodes)
        cleared.add(there(row).id)

    def forbidden(name: str, row: Row) -> Optional[Fail]:
        strange = [node for node in nodes if row and node not in row.nodes]
        if strange:
            return Fail(
                f"it isn't on {listing(strange)}, it is on {listing(list(there(row).nodes), 20)}", number="DBF-6314"
            )
        return _unconfirmed(wanted, name, row, "state=cleared overwrites its data with zeroes") or locked(row)

    return Change(
        "clear",
        "cleared",
        lambda row: row is not None and row.id not in cleared,
        lambda row: "cleared" if row.id in cleared else "written",
        lambda _name, row: row,
        call,
        forbidden,
        risk="its data would be gone",
        capability=can.VOLUME_CLEAR,
    )


def delete(api: VolumeApi, wanted: WantedVolume) -> Change:
    """The change that deletes a volume with its data."""
    return Change(
        "delete",
        "gone",
        lambda row: row is not None,
        lambda row: row.state,
        lambda _name, _row: None,
        lambda _name, row: api.delete(there(row)),
        lambda name, row: _unconfirmed(wanted, name, row, "state=absent deletes it with all its data"),
        risk="its data would be gone",
    )


def _unconfirmed(wanted: WantedVolume, name: str, row: Row, what: str) -> Optional[Fail]:
    """The refusal to delete data unless `confirm` has the volume's name.

    A number confirms nothing, because another volume may have it by now.
    """
    if row is None or row.name in wanted.confirm:
        return None
    called = "" if row.name == name else f"it is {row.name}; "
    return Fail(
        f"{called}{what}, and confirm doesn't name it",
        hint=f"to allow this, set confirm: [{row.name}]",
        number="DBF-6301",
    )
