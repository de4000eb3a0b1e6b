# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""The requests that start databases, by start plans of the server, saved ones, or what is still missing."""

from __future__ import annotations

from typing import Any

from ..._convergence.workers import gather
from ..._errors import Refused
from ..api.objects import TE, Database
from ..processes.start import Slot
from ..view import DomainView, Snapshot
from .wanted import WantedDatabase, plan_archives


class Plans:
    """The requests that start databases: by the server's start plan, by a saved one, or, of a start that is under way
    already, by what is still missing.

    :param ask: asks the domain for start plans; not done in a preview without a domain.
    """

    def __init__(self, view: DomainView, snapshot: Snapshot, wanted: list[WantedDatabase], ask: bool = True) -> None:
        self._view, self._snapshot = view, snapshot
        self._wanted = {one.db_name: one for one in wanted}
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._ask = ask

    def fetch(self, slots: list[Slot]) -> None:
        """Asks the domain for the start plans of the databases that lack a process."""
        lacking: dict[str, list[str]] = {}
        for slot in slots:
            if not any(slot.is_for(process) for process in self._snapshot.processes.values()):
                servers = lacking.setdefault(slot.db_name, [])
                if slot.archive_id is None:
                    servers.append(slot.server_id)
        asked = [name for name in lacking if self._is_asked(name)]
        self._rows = gather(asked, lambda name: self._view.domain.start_plan(name, lacking[name]))

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


def _fits(row: dict[str, Any], slot: Slot) -> bool:
    if slot.archive_id is not None:
        return str(row.get("archiveId")) == str(slot.archive_id)
    return row.get("engineType") == TE and row.get("host") == slot.server_id


def _expected(row: dict[str, Any], slot: Slot, database: Database) -> dict[str, int]:
    """The incarnation that a request is meant for. A TE comes later, when the minor number may have moved on."""
    expected = row.get("expectedIncarnation") or database.next_incarnation
    is_late = slot.archive_id is None or not database.is_down
    return {"major": expected["major"]} if is_late else expected


def refuse_bad_plan(cluster: str, wanted: WantedDatabase, snapshot: Snapshot, ignored: list[int]) -> None:
    """A saved start plan must ask for the SMs of all archives, and of no other."""
    if wanted.start_plan is None:
        return
    there = {archive.archive_id for archive in snapshot.archives_of(wanted.db_name)}
    named = set(plan_archives(wanted.start_plan))
    lacking, strange = sorted(there - named - set(ignored)), sorted(named - there)
    if lacking or strange:
        found = [f"it lacks archive {number}" for number in lacking]
        found += [f"archive {number} isn't one of the database" for number in strange]
        raise Refused(
            f"{cluster}: {wanted.db_name}: the start plan isn't of this database as it is: {', '.join(found)}; "
            "the histories of all archives are wanted",
            hint="write a new one (nuocmd get startplan), or leave start_plan out",
            failed_object=wanted.db_name,
            last_state={"archives": sorted(there), "start_plan": sorted(named)},
        )
