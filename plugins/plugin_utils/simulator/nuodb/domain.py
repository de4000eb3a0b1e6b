# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated domain: its parts, its clock, its lock, and how the parts affect each other."""

from __future__ import annotations

import copy
from typing import Any, Callable

from .. import cluster
from ..clock import Clock
from ..faults import Fault
from ..lowest import Lowest
from .archives import Archive
from .balancers import Balancers
from .databases import Database
from .exits import Tombstone, buried, stamp
from .grouped import Grouped
from .hotcopies import HotCopies
from .license import License
from .pods import Pods
from .policies import Policies
from .processes import KILLED, Process
from .refusals import Refused, refusal
from .regions import Regions
from .rules import RULES
from .servers import Server, Servers
from .storage_groups import StorageGroups
from .topology import DomainSpec

FIRST_PORT = 48006
POLLS_AT_MOST = 10000


class Domain(cluster.Cluster):
    """Everything behind the APs of one domain."""

    rules = RULES

    def __init__(self, spec: DomainSpec, clock: Clock) -> None:
        super().__init__(spec, clock, [user.password for user in spec.users])
        self.base_url = "https://localhost:8888/api/1"
        self.processes: Grouped[str, Process] = Grouped(lambda one: one.database.name)
        self._ports: dict[str, Lowest] = {}
        self.tombstones: dict[str, Tombstone] = {}
        self._next_start_id, self._next_archive_id, self._next_pid = spec.next_start_id, spec.next_archive_id, 100
        with self.lock:
            self._build(spec)

    def _build(self, spec: DomainSpec) -> None:
        self.policies = Policies(self)
        self.pods = Pods(self)
        self.regions = Regions(spec.regions)
        self.balancers = Balancers()
        self.license = License(spec.license)
        self.values = dict(spec.values)
        self.trusted: dict[str, str] = {}
        self.databases: dict[str, Database] = {}
        self.archives: Grouped[int, Archive] = Grouped(lambda one: one.db_name)
        self.servers = Servers(self, spec.servers)
        for name, options in spec.databases.items():
            self.databases[name] = Database(self, name)
            self.databases[name].load(options)
        for key, options in spec.archives.items():
            self.archives[int(key)] = Archive(self, int(key), options)
        self.storage_groups = StorageGroups(self, spec.storage_groups)
        self.hotcopies = HotCopies(self, spec.hotcopies)
        for start_id, row in spec.processes.items():
            self._load(int(start_id), row)
        for archive in self.archives.values():
            if archive.state == "RUNNING" and archive.process is None:
                archive.state = "NOT_RUNNING"
        for start_id, options in spec.tombstones.items():
            self.tombstones[start_id] = buried(start_id, options)
        for name, options in spec.databases.items():
            self.databases[name].go_on(str(options.get("state", "")))
        for process in list(self.processes.values()):
            process.go_on()

    def _load(self, start_id: int, row: dict[str, Any]) -> None:
        archive = None if row["engine_type"] == "TE" else self.archives[int(row["archive_id"])]
        database, server = self.databases[row["db_name"]], self.servers.all[row["server_id"]]
        process = Process(self, start_id, database, row["engine_type"], server, archive)
        self.processes[process.start_id] = process
        process.resume(row)

    def refuse(self, which: str, extra: dict[str, Any] | None = None, /, **values: Any) -> Refused:
        return refusal(self.settings, which, extra, **values)

    # -- what its parts ask ----------------------------------------------------------------------------

    @property
    def patience_ms(self) -> int:
        return int(self.settings["leaderAssignmentTimeout"])

    def seconds(self, db_name: str, name: str) -> float:
        """A time of a database, or else of the domain."""
        database = self.databases.get(db_name)
        own = None if database is None else database.overrides.get(name)
        return float(self.timing[name] if own is None else own)

    def stamp(self) -> str:
        return stamp(self.clock.wall())

    def new_pid(self) -> int:
        self._next_pid += 7
        return self._next_pid

    def ports(self, server: Server) -> Lowest:
        """The ports on the host of a server."""
        return self._ports.setdefault(server.host, Lowest(FIRST_PORT))

    def wait(self, done: Callable[[], bool], seconds: float, key: str) -> bool:
        """Lets a call wait at the server. With the polls clock, the wait counts as all the reads."""
        if self.clock.kind == "polls":
            reads = 0
            while not done() and reads < POLLS_AT_MOST:
                reads += 1
                self.clock.read(key)
            return done()
        return self.wait_for(done, seconds)

    # -- what happens to its parts ---------------------------------------------------------------------

    def request(self, database: Database, kind: str, server: Server, archive: Archive | None) -> Process:
        """Makes a process, in state REQUESTED; its server continues with begin()."""
        database.requested(archive)
        process = Process(self, self._next_start_id, database, kind, server, archive)
        self._next_start_id += 1
        self.processes[process.start_id] = process
        return process

    def new_archive(self, options: dict[str, Any]) -> Archive:
        archive = Archive(self, self._next_archive_id, options)
        self._next_archive_id += 1
        self.archives[archive.id] = archive
        return archive

    def exited(self, process: Process, reason: str, code: int | None, disconnected: bool, tombstone: bool) -> None:
        """Replaces a process that is gone by its tombstone, with the reason."""
        if self.processes.pop(process.start_id, None) is None:
            return
        if process.port is not None:
            self.ports(process.server).release(process.port)
        database = process.database
        before = list(database.incarnation)
        database.incarnation[1] += 1
        if tombstone:
            chosen = before if self.settings["tombstone_incarnation"] == "before" else database.incarnation
            row: dict[str, Any] = {
                "databaseIncarnation": {"major": chosen[0], "minor": chosen[1]},
                "hasDisconnected": disconnected,
                "process": process.row(),
                "reason": reason,
            }
            if code is not None:
                row["exitCode"] = code
            self.tombstones[process.start_id] = Tombstone(row)
        archive = process.archive
        if archive is not None and archive.state == "RUNNING":
            archive.state = "NOT_RUNNING"
            archive.epoch = database.epoch
            if any(not one.storage_manager for one in database.processes()):
                database.epoch += 1  # TEs may still write: this archive stays behind the others
        self.hotcopies.exited(process)
        database.exited(process)
        self.pods.exited(process)
        self.wake()

    def purge(self, archive: Archive) -> None:
        """Removes an archive for good."""
        del self.archives[archive.id]
        self.storage_groups.forget_archive(archive)
        database = self.databases.get(archive.db_name)
        if database is not None:
            database.assign()  # nobody waits for its history any more

    def forget(self, database: Database) -> None:
        """Removes a database for good, with its archives and its past."""
        del self.databases[database.name]
        for archive in self.archives.of(database.name):
            self.purge(archive)
        stones = {key: one for key, one in self.tombstones.items() if one.row["process"]["dbName"] != database.name}
        self.tombstones = stones

    # -- safety rules ----------------------------------------------------------------------------------

    def check_server_stop(self, server: Server) -> None:
        """Record which safety rules the stop of a server breaks."""
        running = [one.start_id for one in server.processes()]
        if running:
            self.broken("server-stopped-under-processes", server.id, f"Processes: {', '.join(running)}.")
        databases = sorted({one.database.name for one in self.processes.values()})
        if databases and self.servers.loses_majority(server):
            self.broken("majority-lost-under-database", server.id, f"Databases: {', '.join(databases)}.")

    def check_process_stop(self, process: Process, kill: bool) -> None:
        """Record which safety rules the stop of a process breaks."""
        database = process.database
        if kill and process.obeys():
            self.broken("process-killed", process.start_id, f"It was {process.durable}:{process.engine}.")
        others = [one for one in database.processes("SM") if one.serving and one is not process]
        tes = [one.start_id for one in database.processes("TE") if one.durable == "MONITORED"]
        if process.serving and not others and tes and not database.stopping:
            self.broken("last-sm-stopped-under-tes", process.start_id, f"TEs: {', '.join(tes)}.")
            return
        alone = self.storage_groups.served_alone(process)
        if alone and tes and not database.stopping:
            self.broken("last-sm-of-group-stopped-under-tes", process.start_id, f"Groups: {', '.join(sorted(alone))}.")

    # -- faults ------------------------------------------------------------------------------------------

    def die(self, name: str, fault: Fault) -> None:
        code = KILLED if fault.exit_code is None else fault.exit_code
        if name in self.processes:
            self.processes[name].die(code, fault.text)
        elif name in self.databases:
            for process in self.databases[name].processes():
                if process.start_id in self.processes:
                    process.die(code, fault.text)
        elif name in self.servers.all:
            self.servers.all[name].stop()

    # -- what is seen ----------------------------------------------------------------------------------

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """The state that the servers agree on, as the API shows it."""
        if kind == "processes":
            return [one.row() for one in self.processes.values()]
        if kind == "exited":
            return [one.row for one in self.tombstones.values()]
        if kind == "databases":
            return [one.row() for one in self.databases.values()]
        return [one.row() for one in self.archives.values() if one.removed == (kind == "removed")]

    def snapshot(self) -> dict[str, list[dict[str, Any]]]:
        """The whole present state."""
        kinds = ("processes", "exited", "databases", "archives", "removed")
        return copy.deepcopy({kind: self.rows(kind) for kind in kinds})

    def state(self) -> dict[str, Any]:
        leader = self.servers.leader
        return {
            "product": "nuodb",
            "name": self.spec.name,
            "version": self.spec.version,
            "leader": None if leader is None else leader.id,
            "servers": self.servers.summary(),
            "databases": {name: one.summary() for name, one in self.databases.items()},
            "archives": {str(key): one.summary() for key, one in self.archives.items()},
            "processes": {key: one.summary() for key, one in self.processes.items()},
            "tombstones": {key: one.summary() for key, one in self.tombstones.items()},
            "storage_groups": self.storage_groups.summary(),
            "hotcopies": self.hotcopies.summary(),
            "values": dict(self.values),
            "license": self.license.summary(),
            "regions": {str(key): name for key, name in self.regions.names.items()},
            "next_start_id": self._next_start_id,
            "next_archive_id": self._next_archive_id,
            "clock": self.clock.text,
            "cluster_time": round(self.clock.now(), 3),
        }
