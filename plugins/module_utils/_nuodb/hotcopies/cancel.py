# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How hot copies are cancelled."""

from __future__ import annotations

from functools import partial
from typing import Any, Optional

from ..._convergence.stage import Act, Decision, Done, History, Stage, Together
from ..._errors import NoSuchObject
from ..._wording import listing, near
from ..databases.wanted import chosen
from ..view import DomainView
from .wanted import CANCELLED, HotCopy


class CancelHotCopies:
    """Cancels hot copies.

    :param hotcopy_id: the hot copy; None for all that run.
    """

    def __init__(self, view: DomainView, db_name: str, hotcopy_id: Optional[str]) -> None:
        self._view = view
        self._db_name = db_name
        snapshot = view.look("databases", "processes", db_names=[db_name])
        chosen(view.name, [db_name], snapshot)
        runs = any(one.is_storage and one.is_running for one in snapshot.processes_of(db_name))
        self._rows: dict[str, dict[str, Any]] = {}
        if runs:  # without an SM, no hot copy runs
            self._look()
        copies = {name: HotCopy.of(row) for name, row in self._rows.items()}
        self.names = [name for name, copy in copies.items() if not copy.is_over]
        if hotcopy_id is not None:
            if runs and hotcopy_id not in copies:
                raise NoSuchObject(
                    f"{view.name}: {db_name} has no hot copy {hotcopy_id}{near(hotcopy_id, list(copies))}; "
                    f"it reports {listing(list(copies), 20) or 'none'}",
                    failed_object=hotcopy_id,
                )
            self.names = [hotcopy_id] if hotcopy_id in copies else []
        self._told = False

    def _look(self) -> None:
        self._rows.update({str(row.get("hotCopyId")): row for row in self._view.hotcopies(self._db_name)})

    def read(self, names: list[str]) -> dict[str, HotCopy]:
        """Reads all of them with one look."""
        if self._told:
            self._look()
        self._told = True
        return {name: HotCopy.of(self._rows[name]) for name in names}

    def decide(self, _name: str, copy: HotCopy, _history: History) -> Decision:
        if copy.is_over:
            return Done()
        return Act("cancel hot copy", partial(self._view.domain.cancel_hotcopy, *copy.key))

    def stages(self) -> list[Stage]:
        """The stage that ends all of them."""
        return [
            Stage(
                noun="hot copies",
                done=CANCELLED,
                names=self.names,
                read=Together(self.read),
                decide=self.decide,
                words=lambda copy: copy.words,
                target=lambda _name, copy: HotCopy(copy.start_id, copy.hotcopy_id, CANCELLED, directory=copy.directory),
            )
        ]

    def rows(self, preview: bool) -> list[dict[str, Any]]:
        """The hot copies as the API reported them last, or as they would be."""
        found = [self._rows[name] for name in self.names]
        return [row if HotCopy.of(row).is_over else {**row, "status": CANCELLED} for row in found] if preview else found
