# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""The requests that start databases, from the server's start plan, a saved one, or for what is still missing."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any, Optional

from ..._convergence.workers import gather
from ..._errors import ClusterError, Refused
from ..api.objects import TE, Database
from ..processes.start import Slot
from ..view import DomainView, Snapshot
from .wanted import WantedDatabase, plan_archives


class Plans:
    """The requests that start databases: from the server's start plan or a saved one; if a start is already under way,
    for what is still missing.

    :param ask: ask the domain for start plans; a preview without a domain does not.
    """

    def __init__(self, view: DomainView, snapshot: Snapshot, wanted: list[WantedDatabase], ask: bool = True) -> None:
        self._view, self._snapshot = view, snapshot
        self._wanted = {one.db_name: one for one in wanted}
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._tes: dict[str, list[str]] = {}
        self._ask = ask
        self._renewing = threading.Lock()

    def fetch(self, slots: list[Slot]) -> None:
        """Asks the domain for the start plans of the databases that lack a process."""
        lacking = self._lacking(slots)
        self._tes = {name: [one.server_id for one in ours if one.archive_id is None] for name, ours in lacking.items()}
        asked = [name for name in lacking if self._is_asked(name)]
        self._rows = gather(asked, self._ask_for)

    def _ask_for(self, db_name: str) -> list[dict[str, Any]]:
        return self._view.domain.start_plan(db_name, self._tes[db_name])

    def _lacking(self, slots: list[Slot]) -> dict[str, list[Slot]]:
        found: dict[str, list[Slot]] = {}
        for slot in slots:
            if not any(slot.is_for(process) for process in self._snapshot.processes.values()):
                found.setdefault(slot.db_name, []).append(slot)
        return found

    def are_certain(self, slots: list[Slot]) -> bool:
        """Whether the plans prove that nobody else has requested a missing process meanwhile.

        The plan of a database that is down has the SM of each archive, unless one was requested.
        """
        return all(
            self._snapshot.databases[name].is_down
            and all(
                any(_fits(row, slot) for row in self._rows.get(name, []))
                for slot in ours
                if slot.archive_id is not None
            )
            for name, ours in self._lacking(slots).items()
        )

    def _is_asked(self, db_name: str) -> bool:
        database = self._snapshot.databases[db_name]
        return self._ask and self._wanted[db_name].start_plan is None and (database.is_down or database.is_up)

    def request(self, slot: Slot) -> dict[str, Any]:
        """The body of POST processes for a slot."""
        database = self._snapshot.databases[slot.db_name]
        rows = self._wanted[slot.db_name].start_plan or self._rows.get(slot.db_name) or []
        fitting = [row for row in rows if _fits(row, slot)]
        own: dict[str, Any] = {
            "dbName": slot.db_name,
            "engineType": slot.engine_type,
            "host": slot.server_id,
            "labels": {},
        }
        if slot.archive_id is not None:
            own["archiveId"] = slot.archive_id
        row = dict(fitting[min(slot.number, len(fitting)) - 1]) if fitting else own
        row["expectedIncarnation"] = _expected(row, slot, database)
        return row

    def renewed(self, slot: Slot, refused: dict[str, Any]) -> Optional[dict[str, Any]]:
        """Another request for a slot, if the refused one was for an incarnation that is over.

        That happens if a start that was under way has ended meanwhile.

        :returns: None if the database is still in the incarnation of the refused request.
        """
        with self._renewing:
            if self.request(slot) == refused:  # else another slot has renewed it
                try:
                    self._renew(slot.db_name)
                except ClusterError:
                    return None  # the refusal stands
            found = self._snapshot.databases[slot.db_name].next_incarnation
            wanted = refused.get("expectedIncarnation") or {}
            if all(found.get(part) == number for part, number in wanted.items()):
                return None
            anew = self.request(slot)
        return None if anew == refused else anew

    def _renew(self, db_name: str) -> None:
        database = self._view.look("databases").databases.get(db_name)
        if database is None or database == self._snapshot.databases[db_name]:
            return
        self._snapshot = replace(self._snapshot, databases={**self._snapshot.databases, db_name: database})
        self._tes.setdefault(db_name, [])
        self._rows = {**self._rows, db_name: self._ask_for(db_name) if self._is_asked(db_name) else []}


def _fits(row: dict[str, Any], slot: Slot) -> bool:
    if slot.archive_id is not None:
        return str(row.get("archiveId")) == str(slot.archive_id)
    return row.get("engineType") == TE and row.get("host") == slot.server_id


def _expected(row: dict[str, Any], slot: Slot, database: Database) -> dict[str, int]:
    """The incarnation that a request is for. A TE comes later, when the minor number may have changed."""
    expected = row.get("expectedIncarnation") or database.next_incarnation
    is_late = slot.archive_id is None or not database.is_down
    return {"major": expected["major"]} if is_late else expected


def refuse_bad_plan(cluster: str, wanted: WantedDatabase, snapshot: Snapshot, ignored: list[int]) -> None:
    """Refuses a saved start plan that doesn't ask for the SMs of all archives, or asks for others."""
    if wanted.start_plan is None:
        return
    there = {archive.archive_id for archive in snapshot.archives_of(wanted.db_name)}
    named = set(plan_archives(wanted.start_plan))
    lacking, strange = sorted(there - named - set(ignored)), sorted(named - there)
    if lacking or strange:
        found = [f"it lacks archive {number}" for number in lacking]
        found += [f"archive {number} doesn't belong to the database" for number in strange]
        raise Refused(
            f"{cluster}: {wanted.db_name}: the start plan doesn't match the database: {', '.join(found)}; "
            "a start needs the histories of all archives",
            hint="write a new one (nuocmd get startplan), or leave start_plan out",
            failed_object=wanted.db_name,
            last_state={"archives": sorted(there), "start_plan": sorted(named)},
            number="DBF-6503",
        )
