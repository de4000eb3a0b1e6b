# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases: incarnations, leader assignment, and what the exit of one process does to the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .archives import Archive
    from .domain import Domain
    from .processes import Process


class Database:
    """A database of the domain. Its state follows from its processes and archives."""

    def __init__(self, domain: Domain, name: str) -> None:
        self.domain, self.name = domain, name
        self.incarnation = [0, 0]
        self.options: dict[str, str] = {}
        self.overrides: dict[str, Any] = {}
        self.user, self.password = "", ""
        self.tombstone = False
        self.version_id = ""
        self.storage_password: str | None = None
        self.stopping = ""
        """'te' or 'sm' while the database shuts down."""
        self.formed = False
        """The first SM of this incarnation reached MONITORED:RUNNING."""
        self.assigned = False
        self.first: Process | None = None
        """The SM that forms, or formed, this incarnation."""
        self.epoch = 0
        """Logical time of the data; archives that stay behind keep an older one."""
        self._nodes = 0
        self._requested: set[int] = set()
        self._reported = False

    def load(self, options: dict[str, Any]) -> None:
        """Takes its state from a topology."""
        self.incarnation = list(options["incarnation"])
        self.options = {str(key): str(value) for key, value in (options.get("default_options") or {}).items()}
        self.overrides = options
        self.tombstone = options.get("state") == "TOMBSTONE"

    def go_on(self, state: str) -> None:
        """Continues what was under way, after every object of a topology was loaded."""
        running = [one for one in self.processes() if one.durable in ("MONITORED", "REQUESTED_SHUTDOWN")]
        self.formed = any(one.storage_manager for one in running)
        self._nodes = max([one.node_id or 0 for one in self.processes()], default=0)
        for process in running:
            if process.node_id is None:
                process.node_id = self.new_node_id(process)
        self.epoch = max([one.epoch for one in self.archives()], default=0) + (1 if self.formed else 0)
        starting = [one for one in self.processes() if one.storage_manager and one.durable in ("CONFIGURED", "TRACKED")]
        if self.formed:
            self.assigned = True
        elif starting:
            self.assigned, self.first = True, starting[0]
        if state in ("REQUESTED_TE_SHUTDOWN", "REQUESTED_SM_SHUTDOWN"):
            self.shutdown()

    # -- what is seen --------------------------------------------------------------------------------

    @property
    def key(self) -> str:
        return f"database {self.name}"

    def processes(self, kind: str | None = None) -> list[Process]:
        """The processes, all or of type 'TE' or 'SM', in the order in which the servers act on them."""
        rows = self.domain.processes.of(self.name)
        if kind is not None:
            rows = [one for one in rows if one.storage_manager == (kind == "SM")]
        return sorted(rows, key=lambda one: (one.server.id, one.number))

    def archives(self, removed: bool = False) -> list[Archive]:
        rows = self.domain.archives.of(self.name)
        return [one for one in rows if removed or not one.removed]

    @property
    def state(self) -> str:
        if self.tombstone:
            return "TOMBSTONE"
        if not self.processes():
            return "NOT_RUNNING"
        if self.stopping:
            return "REQUESTED_TE_SHUTDOWN" if self.stopping == "te" else "REQUESTED_SM_SHUTDOWN"
        down = any(one.state == "NOT_RUNNING" for one in self.archives())
        if self.formed:
            return "AWAITING_ARCHIVE_HISTORIES_INC" if down else "RUNNING"
        if self.assigned:
            return "STARTED"
        return "AWAITING_ARCHIVE_HISTORIES_MSG" if self._awaited() else "REQUESTED"

    def row(self) -> dict[str, Any]:
        """The object as the API shows it."""
        url = f"{self.domain.base_url}/databases/{self.name}"
        assigned = self.domain.regions.assignments.get(self.name, {})
        return {
            "databaseOptions": dict(self.options),
            "defaultRegionId": self.domain.regions.defaults.get(self.name, 0),
            "hostAssignments": dict(assigned),
            "incarnation": {"major": self.incarnation[0], "minor": self.incarnation[1]},
            "name": self.name,
            "processes": f"{url}/processes",
            "regions": {},
            "servers": {},
            "state": self.state,
            "uri": url,
        }

    def summary(self) -> dict[str, Any]:
        """The object in the form of a topology."""
        return {
            "db_name": self.name,
            "state": self.state,
            "incarnation": list(self.incarnation),
            "default_options": dict(self.options),
        }

    def next_incarnation(self) -> tuple[int, int]:
        """The incarnation to which a start that is requested now will belong."""
        if self.processes():
            return self.incarnation[0], self.incarnation[1]
        return self.incarnation[0] + 1, 0

    # -- its beginning -------------------------------------------------------------------------------

    def requested(self, archive: Archive | None) -> None:
        """Prepares the request of a process. Without other processes, it begins an incarnation."""
        self.incarnation = list(self.next_incarnation())
        if archive is not None:
            self._requested.add(archive.id)

    def new_node_id(self, process: Process) -> int:
        """A new node id. From protocol 7.0 on, it is the start ID (NUODB-306)."""
        if self.domain.settings["node_id_is_start_id"]:
            return process.number
        self._nodes += 1
        return self._nodes

    def _awaited(self) -> list[Archive]:
        """The archives whose histories leader assignment needs."""
        removed = self.domain.settings["removed_archives_awaited"]
        return [one for one in self.archives(removed) if one.state == "NOT_RUNNING"]

    def assign(self) -> None:
        """Assigns leaders of storage groups, as far as the histories that have arrived allow."""
        waiting = [one for one in self.processes("SM") if one.durable == "STARTED" and one.history_here and one.archive]
        if not waiting or self.stopping:
            return
        if self.formed or self.assigned:
            self._assign_to_running(waiting)
            return
        here = {one.archive for one in waiting}
        awaited = self._awaited()
        if any(archive not in here for archive in awaited):
            return
        self.assigned = True
        self.first = max(waiting, key=_leads)
        for one in waiting:
            one.configure()

    def _assign_to_running(self, waiting: list[Process]) -> None:
        """Lets SMs join. An SM with a storage group that no SM serves waits for the other archives."""
        here = {one.archive for one in waiting}
        complete = all(archive in here for archive in self._awaited())
        for one in waiting:
            if complete or not self.domain.storage_groups.unserved(one.archive):
                one.configure()

    def assignment_over(self, call_n: int | None) -> None:
        """Ends a leader assignment that timed out. `call_n` is the call that requested the SM."""
        if self.formed or self.assigned or self._reported:
            return
        missing = [one for one in self.archives() if one.state == "NOT_RUNNING" and one.id not in self._requested]
        if missing:
            names = ", ".join(str(one.id) for one in missing)
            self._reported = True
            self.domain.broken("archives-started-in-part", self.name, f"Not requested: archive {names}.", call_n)

    def joined(self, process: Process) -> None:
        if self.first is process and not self.formed:
            self.formed = True
            for one in self.processes("SM") + self.processes("TE"):
                if one.durable == "TRACKED":
                    one.join()
        self.domain.storage_groups.changed(self.name)
        self.domain.wake()

    # -- its end -------------------------------------------------------------------------------------

    def shutdown(self) -> None:
        """Shuts the database down: TEs first, then SMs."""
        if self.stopping:
            return
        self.stopping = "te"
        for one in self.processes("TE"):
            one.request_shutdown()
        self._go_down()

    def _go_down(self) -> None:
        if self.stopping == "te" and not self.processes("TE"):
            self.stopping = "sm"
            for one in self.processes("SM"):
                one.request_shutdown()

    def exited(self, process: Process) -> None:
        """Reacts to a process that is gone from the domain's state."""
        if not self.processes():
            self._over()
            return
        if self.stopping:
            self._go_down()
            return
        if process is self.first and not self.formed:
            self.first, self.assigned = None, False
        if self.formed and process.storage_manager and not self._durable():
            self.shutdown()
            return
        self.assign()

    def _durable(self) -> bool:
        return any(one.engine in ("RUNNING", "SHUTTING_DOWN") and one.has_joined for one in self.processes("SM"))

    def _over(self) -> None:
        self.formed = self.assigned = False
        self.first, self.stopping, self._nodes = None, "", 0
        self._requested, self._reported = set(), False


def _leads(process: Process) -> tuple[bool, bool, int, int]:
    """The leader of the unpartitioned storage group: not an observer, with the newest data, with the lowest id."""
    archive = process.archive
    if archive is None:
        return False, False, 0, -process.number
    return not archive.observer, archive.state == "NOT_RUNNING", archive.epoch, -archive.id
