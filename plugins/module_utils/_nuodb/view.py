# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""A domain at one moment: as it is, as earlier tasks of a preview would have left it, or as a report shows it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Optional, Union

from .._convergence.pace import PollInterval
from .._convergence.preview import NoCluster
from .._convergence.workers import gather
from .api.domain import Domain, has_quorum
from .api.objects import TOMBSTONE, Archive, Database, Process, Server, Tombstone, as_plain, each_once, from_plain

POLL_INTERVAL = PollInterval(1.0, 1.0, 4.0)
"""After 1, 2, 4, 8 and then every 4 s: a look shows all processes, and nuocmd's waits cost no less (NUODB-397)."""

KINDS: dict[str, Any] = {
    "servers": Server,
    "databases": Database,
    "archives": Archive,
    "processes": Process,
}
"""The parts of a snapshot."""


@dataclass
class Snapshot:
    """The objects of a domain, by their IDs."""

    servers: dict[str, Server] = field(default_factory=dict)
    databases: dict[str, Database] = field(default_factory=dict)
    archives: dict[int, Archive] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)
    tombstones: list[Tombstone] = field(default_factory=list)

    def archives_of(self, db_name: str) -> list[Archive]:
        return [archive for archive in self.archives.values() if archive.db_name == db_name and not archive.removed]

    def processes_of(self, db_name: str) -> list[Process]:
        return [process for process in self.processes.values() if process.db_name == db_name]

    def storage_of(self, archive_id: int) -> Optional[Process]:
        """The SM of an archive."""
        return next((process for process in self.processes.values() if process.archive_id == archive_id), None)

    def tombstones_of(self, db_name: str) -> list[Tombstone]:
        return [stone for stone in self.tombstones if stone.process.db_name == db_name]

    def is_connected(self, server_id: Optional[str]) -> bool:
        server = self.servers.get(server_id or "")
        return server is not None and server.is_connected

    @property
    def has_quorum(self) -> bool:
        return has_quorum(self.servers)

    def as_plain(self) -> dict[str, Any]:
        """The objects as modules return them."""
        return {part: {str(key): as_plain(thing) for key, thing in getattr(self, part).items()} for part in KINDS}


def read(domain: Domain, parts: tuple[str, ...] = tuple(KINDS), db_names: Optional[list[str]] = None) -> Snapshot:
    """The domain now, with one call per part.

    :param db_names: only the archives and processes of these databases.
    """
    readers: dict[str, Any] = {
        "databases": domain.databases,
        "archives": partial(domain.archives, dbName=db_names or []),
        "processes": partial(domain.processes, dbName=db_names or []),
    }
    found: dict[str, Any] = {}
    if "servers" in parts:  # first and alone: it decides which AP gets the calls
        found["servers"] = domain.servers()
    return Snapshot(**found, **gather([part for part in parts if part in readers], lambda part: readers[part]()))


def of_report(known: dict[str, Any]) -> Snapshot:
    """The domain of a report of nuodb_domain_info."""
    found: dict[str, Any] = {}
    for part, kind in KINDS.items():
        rows = known.get(part) or {}
        things = {key: from_plain(kind, row) for key, row in rows.items()}
        found[part] = {int(key): thing for key, thing in things.items()} if part == "archives" else things
    stones = [from_plain(Tombstone, row) for row in (known.get("tombstones") or {}).values()]
    stones.sort(key=lambda stone: stone.incarnation, reverse=True)
    return Snapshot(**found, tombstones=stones)


class DomainView:
    """The domain as the steps of a task see it.

    :param domain: answers for the parts that aren't known.
    :param known: in check mode, whole parts as earlier tasks would have left them.
    """

    def __init__(self, domain: Domain, known: Optional[dict[str, Any]] = None) -> None:
        self.domain = domain
        self._known = {part: rows for part, rows in (known or {}).items() if part in KINDS or part == "tombstones"}

    @property
    def name(self) -> str:
        return self.domain.name

    def first_look(self) -> AbstractContextManager[None]:
        """Within this context, a look may use what the task before has read. See `Domain.first_look`."""
        return self.domain.first_look()

    def look(self, *parts: str, db_names: Optional[list[str]] = None) -> Snapshot:
        """These parts of the domain, or all if none is named. See `read`."""
        wanted = parts or tuple(KINDS)
        told = of_report(self._known)
        asked = read(self.domain, tuple(part for part in wanted if part not in self._known), db_names)
        for part in wanted:
            if part in self._known:
                setattr(asked, part, getattr(told, part))
        return asked

    def databases_and_deleted(self) -> dict[str, Database]:
        """The databases, also those that are deleted and not purged or that an earlier task of a preview deletes."""
        every = self.domain.databases(deleted=True)
        if "databases" not in self._known:
            return every
        gone = {name: replace(one, state=TOMBSTONE) for name, one in every.items()}
        return {**gone, **of_report(self._known).databases}

    def removed_archives(self) -> dict[int, Archive]:
        """The archives that were removed and not purged, or that an earlier task of a preview would remove."""
        found = self.domain.archives(removed=True)
        if "archives" not in self._known:
            return found
        there = of_report(self._known).archives
        gone = {key: replace(one, removed=True) for key, one in self.domain.archives().items()}
        return {key: one for key, one in {**found, **gone}.items() if key not in there}

    def own_urls(self) -> dict[str, str]:
        """The servers whose APs the URLs name, with their URLs."""
        return self.domain.own_urls()

    def answers(self) -> bool:
        """Whether an AP still answers at any URL."""
        return self.domain.answers()

    def process(self, start_id: str) -> Union[Process, Tombstone, None]:
        """One process, or its tombstone."""
        return self.domain.process(start_id)

    def tombstones(self, db_names: list[str]) -> list[Tombstone]:
        """The tombstones of these databases, with those that earlier tasks of a preview would leave; each once."""
        would = [stone for stone in of_report(self._known).tombstones if stone.process.db_name in db_names]
        known = {stone.process.start_id for stone in would}
        return would + [one for one in self.domain.tombstones(dbName=db_names) if one.process.start_id not in known]

    def hotcopies(self, db_name: str) -> list[dict[str, Any]]:
        """The hot copies of a database."""
        return each_once(self.domain.hotcopies(db_name))

    def hotcopies_by_sm(self, db_name: str) -> dict[str, list[dict[str, Any]]]:
        """The hot copies that each SM of a database reports."""
        return self.domain.hotcopies_by_sm(db_name)

    def storage_groups(self, db_name: str) -> dict[str, dict[str, Any]]:
        """The storage groups of a database."""
        return self.domain.storage_groups(db_name)

    def server_properties(self) -> dict[str, str]:
        """The properties of the AP that answers."""
        return self.domain.server_properties()

    def in_kubernetes(self) -> bool:
        """Whether Kubernetes manages the domain: by its own answer, or by archives if this user may not read that."""
        return self.domain.in_kubernetes() or any(one.external for one in self.look("archives").archives.values())


class ReportedDomain(DomainView):
    """A domain that gets no calls: all is known from one report.

    :param known: the `domain` of nuodb_domain_info.
    """

    def __init__(self, known: dict[str, Any]) -> None:
        super().__init__(NoCluster())  # type: ignore[arg-type]
        self._report = known

    @property
    def name(self) -> str:
        return str(self._report.get("name") or "the domain")

    def look(self, *parts: str, db_names: Optional[list[str]] = None) -> Snapshot:
        return of_report(self._report)

    def own_urls(self) -> dict[str, str]:
        return dict.fromkeys(of_report(self._report).servers, "")  # they aren't known

    def answers(self) -> bool:
        return True

    def process(self, start_id: str) -> Union[Process, Tombstone, None]:
        return None

    def tombstones(self, db_names: list[str]) -> list[Tombstone]:
        return [stone for stone in of_report(self._report).tombstones if stone.process.db_name in db_names]

    def hotcopies(self, db_name: str) -> list[dict[str, Any]]:
        return (self._report.get("hotcopies") or {}).get(db_name) or []

    def storage_groups(self, db_name: str) -> dict[str, dict[str, Any]]:
        return (self._report.get("storage_groups") or {}).get(db_name) or {}

    def server_properties(self) -> dict[str, str]:
        return {}

    def in_kubernetes(self) -> bool:
        """Whether Kubernetes manages the domain, by its report or by the processes that pods have started."""
        told = of_report(self._report)
        processes = any(one.external for one in told.processes.values())
        archives = any(one.external for one in told.archives.values())
        return processes or archives or bool(self._report.get("kubernetes"))
