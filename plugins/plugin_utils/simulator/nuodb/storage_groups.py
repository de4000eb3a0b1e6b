# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage groups: which archives contain them, and which processes serve them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..clock import Timer

if TYPE_CHECKING:
    from .archives import Archive
    from .domain import Domain
    from .processes import Process

ALL, UNPARTITIONED, FIRST = 1, 2, 10


class StorageGroup:
    """`archives`: archive id -> ADDING, ADDED or REMOVING."""

    def __init__(self, sg_id: int, name: str) -> None:
        self.id, self.name = sg_id, name
        self.archives: dict[int, str] = {}
        self.timers: dict[int, Timer] = {}


class StorageGroups:
    """The storage groups of users, by database. ALL and UNPARTITIONED are on every archive."""

    def __init__(self, domain: Domain, rows: dict[str, dict[str, dict[str, Any]]]) -> None:
        self.domain = domain
        self.of: dict[str, dict[str, StorageGroup]] = {}
        for db_name, groups in rows.items():
            for name, options in groups.items():
                if name.upper() in ("ALL", "UNPARTITIONED"):
                    continue
                group = self._new(db_name, name.upper(), options.get("sg_id"))
                for archive, state in (options.get("archive_states") or {}).items():
                    group.archives[int(archive)] = str(state)

    def _new(self, db_name: str, name: str, sg_id: Any = None) -> StorageGroup:
        groups = self.of.setdefault(db_name, {})
        number = max([FIRST - 1, *[one.id for one in groups.values()]]) + 1 if sg_id is None else int(sg_id)
        group = groups[name] = StorageGroup(number, name)
        return group

    def find(self, db_name: str, name: str) -> StorageGroup | None:
        return self.of.get(db_name, {}).get(name.upper())

    def held_by(self, archive: Archive) -> set[str]:
        """The names of the groups of an archive, without the predefined ones."""
        groups = self.of.get(archive.db_name, {}).values()
        return {one.name for one in groups if archive.id in one.archives}

    def unserved(self, archive: Archive | None, without: Process | None = None) -> set[str]:
        """The groups of an archive that no running SM serves, apart from a given one."""
        if archive is None:
            return set()
        served: set[str] = set()
        for process in self.domain.processes.of(archive.db_name):
            if process.serving and process.archive is not None and process is not without:
                served |= self.held_by(process.archive)
        return self.held_by(archive) - served

    def served_alone(self, process: Process) -> set[str]:
        """The groups that only this SM serves."""
        return self.unserved(process.archive, without=process) if process.serving else set()

    def offline(self, process: Process) -> set[str]:
        """The groups with which an SM can't join now: TEs run, and no SM serves these groups (NUODB-287)."""
        tes = any(one.durable == "MONITORED" and one.engine == "RUNNING" for one in process.database.processes("TE"))
        return self.unserved(process.archive) if tes else set()

    def changed(self, db_name: str) -> None:
        """Continues SMs that waited for a group, after a process has joined."""
        database = self.domain.databases.get(db_name)
        if database is not None and database.formed:
            database.assign()

    def add(self, db_name: str, name: str, archive: Archive) -> StorageGroup:
        group = self.find(db_name, name) or self._new(db_name, name.upper())
        if group.archives.get(archive.id) != "ADDED":
            group.archives[archive.id] = "ADDING"
            self._later(group, archive, "ADDED")
        return group

    def remove(self, group: StorageGroup, archive: Archive) -> None:
        if archive.id in group.archives:
            group.archives[archive.id] = "REMOVING"
            self._later(group, archive, None)

    def _later(self, group: StorageGroup, archive: Archive, state: str | None) -> None:
        def done() -> None:
            if state is None:
                group.archives.pop(archive.id, None)
            elif archive.id in group.archives:
                group.archives[archive.id] = state
            self.domain.wake()

        if archive.id in group.timers:
            group.timers[archive.id].cancel()
        seconds = self.domain.timing["storage_group"]
        group.timers[archive.id] = self.domain.clock.after(seconds, done, f"storage_groups {archive.db_name}")

    def delete(self, db_name: str, name: str) -> None:
        self.of.get(db_name, {}).pop(name.upper(), None)

    def forget_archive(self, archive: Archive) -> None:
        for group in self.of.get(archive.db_name, {}).values():
            group.archives.pop(archive.id, None)

    def rows(self, db_name: str) -> list[dict[str, Any]]:
        """The objects as the API shows them."""
        database = self.domain.databases.get(db_name)
        if database is None:
            return []
        archives = {one.id: one for one in database.archives()}
        everywhere = dict.fromkeys(archives, "ADDED")
        shown = [(ALL, "ALL", everywhere), (UNPARTITIONED, "UNPARTITIONED", everywhere)]
        shown += [(one.id, one.name, one.archives) for one in self.of.get(db_name, {}).values()]
        rows = []
        for number, name, states in shown:
            processes = {}
            for process in database.processes("SM"):
                if process.archive is not None and process.archive.id in states:
                    processes[process.start_id] = process.engine
            running = sorted((key for key, state in processes.items() if state == "RUNNING"), key=int)
            leaving = [state for state in states.values() if state == "REMOVING"]
            state = "Available" if running else "Unavailable"
            if leaving and len(leaving) == len(states):
                state = "PENDING_REMOVAL"
            rows.append(
                {
                    "sgId": number,
                    "sgName": name,
                    "dbName": db_name,
                    "state": state,
                    "archiveStates": {str(key): value for key, value in states.items()},
                    "processStates": processes,
                    "leaderCandidates": running,
                }
            )
        return rows

    def row(self, db_name: str, name: str) -> dict[str, Any] | None:
        return next((row for row in self.rows(db_name) if row["sgName"] == name.upper()), None)

    def summary(self) -> dict[str, dict[str, dict[str, Any]]]:
        """The objects in the form of a topology."""
        return {
            db_name: {
                row["sgName"]: {
                    "sg_id": row["sgId"],
                    "sg_name": row["sgName"],
                    "db_name": row["dbName"],
                    "state": row["state"],
                    "archive_states": row["archiveStates"],
                    "process_states": row["processStates"],
                    "leader_candidates": row["leaderCandidates"],
                }
                for row in self.rows(db_name)
            }
            for db_name in self.domain.databases
        }
