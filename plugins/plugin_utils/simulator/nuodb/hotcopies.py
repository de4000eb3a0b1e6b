# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hot copies: three stages, then completed; or failed, or cancelled."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from ..clock import Timer

if TYPE_CHECKING:
    from .databases import Database
    from .domain import Domain
    from .processes import Process

MESSAGES = {1: "Stage1: Begin", 2: "Stage2: Copy", 3: "Stage3: Finish"}
DONE = "Hot copy successfully completed"
STAGES = 3
PARTS = {"incremental": "inc", "journal": "jnl"}
"""The names of the parts of a backup set, after their numbers."""
NO_BASE = {"incremental": "hotcopy_no_full", "journal": "hotcopy_no_base"}
"""The refusals of hot copies into a backup set without a completed full one."""


class HotCopy:
    """One hot copy.

    `sets`: archive id -> directory of its backup set. `members`: start id of an SM that takes part -> its archive.
    """

    def __init__(
        self,
        domain: Domain,
        db_name: str,
        kind: str,
        sets: dict[int, str],
        coordinator: str,
        members: dict[str, int] | None = None,
        number: int = 1,
    ) -> None:
        self.domain, self.db_name, self.kind, self.sets, self.coordinator = domain, db_name, kind, sets, coordinator
        self.members, self.number = members or {}, number
        self.id = str(uuid.uuid4())
        self.began = domain.clock.wall()
        self.began_at = domain.clock.now()
        self.ended: float | None = None
        self.stage, self.status, self.message = 1, "running", MESSAGES[1]
        self._timer: Timer | None = None
        self._given: dict[str, Any] = {}

    def load(self, row: dict[str, Any]) -> None:
        """Be what a topology says: the row of the API."""
        self._given = {key: row[key] for key in ("beginTimestamp", "destinationDirectory") if row.get(key)}
        self.id = str(row.get("hotCopyId", self.id))
        self.stage = int(row.get("stage", STAGES))
        self.status, self.message = str(row.get("status", "completed")), str(row.get("message", DONE))
        if row.get("endTimestamp"):
            self._given["endTimestamp"] = row["endTimestamp"]

    @property
    def running(self) -> bool:
        return self.status == "running"

    def go_on(self) -> None:
        seconds = self.domain.seconds(self.db_name, "hotcopy") / STAGES
        self._timer = self.domain.clock.after(seconds, self._staged, f"hotcopies {self.db_name}")

    def _staged(self) -> None:
        fault = self.domain.faults.on_machine("fails_hotcopy", (self.db_name, self.coordinator))
        if fault is not None:
            process = self.domain.processes.get(self.coordinator)
            node = process.node_id if process is not None else 0
            full = f"Node {node}: {self._place()}: File read failed: No space left on device"
            self.end("failed", f"Hot copy failed: {fault.text or full}")
        elif self.stage < STAGES:
            self.stage += 1
            self.message = MESSAGES[self.stage]
            self.go_on()
        else:
            self.end("completed", DONE)

    def end(self, status: str, message: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.status, self.message = status, message
        self.ended = self.domain.clock.wall()
        self.domain.wake()

    def is_told_by(self, start_id: str) -> bool:
        """Whether an SM reports the hot copy."""
        every = self.domain.settings["hotcopy_told_by"] == "every"
        return start_id == self.coordinator or (every and start_id in self.members)

    def _place(self, start_id: str = "") -> str:
        """The directory of the hot copy. A part of a backup set is in its `tmp`, also at the end."""
        archive = self.members.get(start_id or self.coordinator)
        directory = next(iter(self.sets.values()), "") if archive is None else self.sets[archive]
        if self.kind == "simple":
            unfinished = self.status != "completed" and self.domain.settings["simple_hotcopy_path"] == "incomplete"
            return f"{directory}.incomplete" if unfinished else directory
        part = f"{self.number}.{PARTS[self.kind]}" if self.kind in PARTS else self.kind
        return f"{directory}/tmp/{part}/data"  # noqa: S108 - the server's own name for it

    def row(self, start_id: str = "") -> dict[str, Any]:
        """As the API shows it.

        :param start_id: the SM that reports the hot copy.
        """
        query = f"coordinatorStartId={self.coordinator}&hotCopyId={self.id}"
        row = {
            "beginTimestamp": _stamp(self.began),
            "coordinatorStartId": self.coordinator,
            "destinationDirectory": self._place(start_id),
            "hotCopyId": self.id,
            "message": self.message,
            "stage": self.stage,
            "status": self.status,
            "uri": f"{self.domain.base_url}/databases/hotCopyStatus?{query}",
        }
        if self.ended is not None:
            row["endTimestamp"] = _stamp(self.ended)
        return {**row, **self._given}


class HotCopies:
    def __init__(self, domain: Domain, rows: dict[str, list[dict[str, Any]]]) -> None:
        self.domain = domain
        self.all: list[HotCopy] = []
        for db_name, given in rows.items():
            for row in given:
                one = HotCopy(domain, db_name, "full", {}, str(row.get("coordinatorStartId", "0")))
                one.load(row)
                self.all.append(one)
                if one.running:
                    one.go_on()

    def start(self, database: Database, kind: str, sets: dict[int, str], members: dict[int, Process]) -> HotCopy:
        """Starts a hot copy. Raises Refused if another hot copy prevents it.

        :param members: archive id -> its SM.
        """
        own = [one for one in self.all if one.db_name == database.name and set(one.sets) & set(sets)]
        if kind == "full" and any(one.running and one.kind == "full" for one in own):
            raise self.domain.refuse("hotcopy_busy")
        if kind in PARTS and self.domain.settings["incremental_needs_full"]:
            for archive, directory in sets.items():
                there = [one for one in own if one.kind == "full" and one.sets.get(archive) == directory]
                if not any(one.status == "completed" for one in there):
                    raise self.domain.refuse(NO_BASE[kind], name=directory)
        sms = {members[archive].start_id: archive for archive in sets}
        number = 1 + sum(one.kind == kind and one.sets == sets for one in own)
        one = HotCopy(self.domain, database.name, kind, sets, members[min(sets)].start_id, sms, number)
        self.all.append(one)
        one.go_on()
        return one

    def find(self, coordinator: str, hotcopy_id: str) -> HotCopy:
        for one in self.all:
            if one.coordinator == coordinator and one.id == hotcopy_id:
                return one
        raise self.domain.refuse("unknown_hotcopy", name=hotcopy_id)

    def exited(self, process: Process) -> None:
        """Makes the hot copies of an SM that exits fail."""
        archive = process.archive
        if archive is None:
            return
        for one in self.all:
            if one.running and (one.coordinator == process.start_id or archive.id in one.sets):
                one.end("failed", f"Hot copy failed: Node {process.node_id}: Engine exited")

    def rows(self, start_ids: list[str], longer_than: float | None = None) -> dict[str, list[dict[str, Any]]]:
        """The hot copies by the SM that reports them; with `longer_than`, only those that have run for more seconds."""
        now = self.domain.clock.now()
        return {
            start_id: [
                one.row(start_id)
                for one in self.all
                if one.is_told_by(start_id)
                and (longer_than is None or (one.running and now - one.began_at > longer_than))
            ]
            for start_id in start_ids
        }

    def summary(self) -> dict[str, list[dict[str, Any]]]:
        """The objects in the form of a topology."""
        rows: dict[str, list[dict[str, Any]]] = {}
        for one in self.all:
            rows.setdefault(one.db_name, []).append(one.row())
        return rows


def _stamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))
