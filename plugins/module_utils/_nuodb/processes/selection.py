# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""Which single processes a task starts or ends: by start ID, by archive, or by a number per server."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Optional

from ..._errors import ClusterError, NoSuchObject, Refused
from ..._options import refuse_unknown
from ..._wording import listing
from .. import external, serving
from ..api.objects import GOING, SM, TE, Process, in_order
from ..view import DomainView, Snapshot
from .start import TES_FIRST, Slot, server_of, transaction_slots

RUNNING = "running"
STOPPED = "stopped"
KILLED = "killed"
EVICTED = "evicted"

KEYS = ("start_id", "archive_id", "db_name", "engine_type", "server_id", "count")


@dataclass(frozen=True)
class WantedProcess:
    """One element of the option `processes`."""

    start_id: Optional[str] = None
    archive_id: Optional[int] = None
    db_name: Optional[str] = None
    engine_type: Optional[str] = None
    server_id: Optional[str] = None
    count: Optional[int] = None

    def is_for(self, process: Process) -> bool:
        if self.start_id is not None:
            return process.start_id == self.start_id
        if self.archive_id is not None:
            return process.archive_id == self.archive_id
        wanted = (self.db_name, self.engine_type, self.server_id)
        found = (process.db_name, TE if process.engine_type == TE else SM, process.server_id)
        return all(value in (None, there) for value, there in zip(wanted, found))


def entries(cluster: str, given: list[dict[str, Any]], state: str) -> list[WantedProcess]:
    """The option, checked.

    :raises ClusterError: an entry doesn't identify a process.
    """
    found = [WantedProcess(**{key: one.get(key) for key in KEYS}) for one in given]
    for entry in found:
        ways = [entry.start_id is not None, entry.archive_id is not None, entry.db_name is not None]
        if sum(ways) != 1:
            raise ClusterError(f"{cluster}: processes: each entry needs exactly one of start_id, archive_id, db_name")
        if state == RUNNING and entry.db_name and (entry.engine_type != TE or not entry.server_id):
            raise ClusterError(
                f"{cluster}: processes: {entry.db_name}: state=running with db_name needs engine_type TE and a "
                "server_id; for an SM, give its archive_id instead"
            )
        if state != RUNNING and entry.count is not None:
            raise ClusterError(f"{cluster}: processes: count needs state=running; exact=true stops surplus TEs")
    return found


# -- running


def slots(view: DomainView, snapshot: Snapshot, given: list[WantedProcess], allow_partial: bool) -> list[Slot]:
    """The processes that should run.

    :raises ClusterError: something doesn't exist, or a process would only wait for others and time out.
    """
    found = [slot for entry in given for slot in _slots(view, snapshot, entry)]
    for name in dict.fromkeys(slot.db_name for slot in found):
        _refuse_ending(view, snapshot, name)
        _refuse_pods(view, snapshot, name, [slot for slot in found if slot.db_name == name])
        idle = [slot.archive_id for slot in found if slot.db_name == name and slot.archive_id is not None]
        lacking = {number for number in idle if not snapshot.storage_of(number)}
        serving.refuse_joining(view, snapshot, name, lacking, TES_FIRST)
        if not allow_partial:
            _refuse_lonely(view, snapshot, name, [slot for slot in found if slot.db_name == name])
    with_storage = {slot.db_name for slot in found if slot.archive_id is not None}
    with_storage |= {process.db_name for process in snapshot.processes.values() if process.is_storage}
    return [replace(slot, alone=slot.db_name not in with_storage) for slot in found]


def _slots(view: DomainView, snapshot: Snapshot, entry: WantedProcess) -> list[Slot]:
    if entry.start_id is not None:
        process = snapshot.processes.get(entry.start_id)
        if process is None:
            raise NoSuchObject(
                f"{view.name}: no process with start ID {entry.start_id} runs, and start IDs are never used twice",
                hint="name the archive_id of an SM, or the db_name, engine_type and server_id of a TE",
                failed_object=entry.start_id,
            )
        return [Slot(process.db_name, process.engine_type, process.server_id, process.archive_id)]
    if entry.archive_id is not None:
        archive = snapshot.archives.get(entry.archive_id)
        if archive is None:
            known = listing([str(number) for number in snapshot.archives], 20)
            raise NoSuchObject(
                f"{view.name}: there is no archive {entry.archive_id}; there are: {known or 'none'}",
                failed_object=str(entry.archive_id),
            )
        return [Slot(archive.db_name, SM, server_of(snapshot, archive), archive.archive_id)]
    name, server = str(entry.db_name), str(entry.server_id)
    refuse_unknown(view.name, "database", [name], snapshot.databases)
    refuse_unknown(view.name, "server", [server], snapshot.servers)
    return transaction_slots(name, [server] * (1 if entry.count is None else entry.count))


def _refuse_ending(view: DomainView, snapshot: Snapshot, name: str) -> None:
    database = snapshot.databases.get(name)
    if database is None:
        raise NoSuchObject(f"{view.name}: there is no database {name} yet", failed_object=name)
    if database.state in GOING:
        raise Refused(
            f"{view.name}: {name} is {database.state}, and a process that is requested while its database shuts down "
            "would shut down with it or be refused",
            hint="nuodb_database state=running waits for the end of the shutdown, then starts the database; nothing "
            "overrides this",
            failed_object=name,
            last_state=database.state,
            number="DBF-6502",
        )


def _refuse_pods(view: DomainView, snapshot: Snapshot, name: str, wanted: list[Slot]) -> None:
    """Refuses processes that only pods can start. The SM of an archive with a server can be requested anyway."""
    lacking: list[str] = []
    taken: set[str] = set()
    for slot in wanted:
        start_id = slot.bound(snapshot.processes, taken)
        taken.add(start_id or "")
        if start_id is None and slot.archive_id is None:
            lacking.append(f"a TE on {slot.server_id}")
        elif start_id is None and not slot.server_id:
            lacking.append(f"the SM of archive {slot.archive_id}")
    external.refuse_start(view.name, snapshot, name, lacking)


def _refuse_lonely(view: DomainView, snapshot: Snapshot, name: str, wanted: list[Slot]) -> None:
    database = snapshot.databases[name]
    if database.is_up:
        return
    if not snapshot.archives_of(name) and not any(one.is_storage for one in snapshot.processes_of(name)):
        raise Refused(
            f"{view.name}: {name} is {database.state} and has no archive, so there is no SM that a TE could join: the "
            "TE would wait for an SM and time out",
            hint="nuodb_archive state=present creates an archive, nuodb_database state=running starts the database; "
            "allow_partial: true accepts the wait",
            failed_object=name,
            last_state=database.state,
            number="DBF-6502",
        )
    named = {slot.archive_id for slot in wanted}
    lacking = [
        archive.archive_id
        for archive in snapshot.archives_of(name)
        if archive.archive_id not in named and snapshot.storage_of(archive.archive_id) is None
    ]
    if lacking:
        numbers = listing([str(number) for number in lacking])
        raise Refused(
            f"{view.name}: {name} is {database.state}, and the requested processes would wait for the SM of archive "
            f"{numbers} and time out: a database starts with the SMs of all its archives",
            hint="nuodb_database state=running starts all SMs; or name the missing ones too, or accept the wait with "
            "allow_partial: true",
            failed_object=name,
            last_state=database.state,
            number="DBF-6502",
        )


def redundant(snapshot: Snapshot, wanted: list[Slot]) -> list[str]:
    """The databases that would get an SM beside another one."""
    new = Counter(
        slot.db_name
        for slot in wanted
        if slot.archive_id is not None and snapshot.storage_of(slot.archive_id) is None
    )
    there = Counter(one.db_name for one in snapshot.processes.values() if one.is_storage)
    return sorted(name for name, count in new.items() if there[name] + count > 1)


def surplus(snapshot: Snapshot, given: list[WantedProcess]) -> list[Process]:
    """The TEs beyond the count of an entry, which keeps the oldest, and those that are already shutting down."""
    found: list[Process] = []
    for entry in given:
        if entry.count is not None:
            there = [one for one in snapshot.processes.values() if entry.is_for(one)]
            kept = in_order([process.start_id for process in there if not process.is_leaving])[: entry.count]
            found += [process for process in there if process.start_id not in kept]
    return found


# -- ending


def chosen(view: DomainView, snapshot: Snapshot, given: list[WantedProcess]) -> list[Process]:
    """The processes that the entries name and that still exist.

    :raises NoSuchObject: the domain never had a start ID.
    """
    found: dict[str, Process] = {}
    for entry in given:
        found.update({one.start_id: one for one in snapshot.processes.values() if entry.is_for(one)})
        if entry.start_id is not None and entry.start_id not in found and view.process(entry.start_id) is None:
            raise NoSuchObject(
                f"{view.name}: there is no process with start ID {entry.start_id}, and none has left a tombstone",
                failed_object=entry.start_id,
            )
    return list(found.values())
