# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Database processes (SMs and TEs): from the request to the tombstone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Callable

from ..clock import Timer
from .exits import summary

if TYPE_CHECKING:
    from .archives import Archive
    from .databases import Database
    from .domain import Domain
    from .servers import Server

CLOSED = "Engine connection to admin process closed"
GRACEFUL = "Gracefully shutdown engine"
SERVICE_REQUEST = "Removing process from domain state due to service request"
NO_LEADER = "local agent connection was rejected: ArchiveHistory failed: Timed out while awaiting leader assignment"
NO_ENTRY = "database entry request was rejected: EntryRequest failed: Timed out while awaiting entry node"
OFFLINE_GROUP = (
    "EXIT: SM serving storage group '{}' attempting to join a database containing TEs while the storage group "
    + "is offline"
)
REPLAY, SAVE = 0.6, 0.2
"""Shares of the time that the first SM needs; in the rest, it joins."""
KILLED, ABORTED = 137, 134
_CONNECTED = ("CONFIGURED", "TRACKED", "MONITORED", "REQUESTED_SHUTDOWN")


class Process:
    """REQUESTED -> STARTED -> CONFIGURED -> TRACKED -> MONITORED -> REQUESTED_SHUTDOWN -> a tombstone.

    Every state may end in a tombstone. An engine is connected from CONFIGURED on.
    """

    def __init__(
        self, domain: Domain, start_id: int, database: Database, kind: str, server: Server, archive: Archive | None
    ) -> None:
        self.domain, self.number, self.database, self.kind = domain, start_id, database, kind
        self.start_id = str(start_id)
        self.server, self.archive = server, archive
        self.labels: dict[str, str] = {}
        self.override_options: dict[str, str] = {}
        self.release = server.version
        self.external = False
        self.durable, self.engine = "REQUESTED", "UNKNOWN"
        self.node_id: int | None = start_id if domain.settings["node_id_is_start_id"] else None
        self.has_joined = False
        self.connected = False
        self.history_here = False
        self.incarnation = list(database.incarnation)
        self.configured_at = 0.0
        self.first_start = archive is not None and archive.state == "PROVISIONED"
        self.call_n = domain.current_call
        self._pid: int | None = None
        self._port: int | None = None
        self._timer: Timer | None = None
        self._limit: Timer | None = None
        self._pending: Callable[[], None] | None = None

    # -- what is seen --------------------------------------------------------------------------------

    @property
    def storage_manager(self) -> bool:
        return self.kind != "TE"

    @property
    def serving(self) -> bool:
        """Whether a storage manager serves its data."""
        return self.storage_manager and self.durable == "MONITORED" and self.engine == "RUNNING"

    @property
    def port(self) -> int | None:
        return self._port

    def options(self) -> dict[str, str]:
        """The options with which its server starts the engine."""
        config = self.domain.servers.config(self.server)
        made = {
            **({"ext-start": "true"} if self.external else {}),
            "agent": f"{self.server.host}:{config['agentPort']}",
            "commit": "safe",
            "database": self.database.name,
            "engine-type": self.kind,
            "geo-region": "0",
            "log-over-conn": "enable",
            "region-name": "Default",
            "user-data": json.dumps(
                {
                    "incarnation": {"major": self.incarnation[0], "minor": self.incarnation[1]},
                    "startId": self.start_id,
                    "labels": self.labels,
                }
            ),
            "verbose": "error,flush,warn",
        }
        if self.archive is not None:
            made.update({"archive": self.archive.path, "archive-id": str(self.archive.id)})
            if self.archive.journal_path:
                made["journal-dir"] = str(self.archive.journal_path)
            if self.first_start:
                made["initialize"] = "true"
        if self.connected and self._port is not None:
            made["node-port"] = str(self._port)
        return {**made, **self.database.options, **self.override_options}

    def heard(self) -> int:
        """Milliseconds since the engine's last message."""
        now = self.domain.clock.now()
        return round(1000 * (now % 1.0 if self.domain.servers.manages(self.server) else now - self.server.left_at))

    def obeys(self) -> bool:
        """Whether the process would end if it were asked to."""
        fits = [
            row
            for row in self.domain.faults.rows()
            if row["kind"] == "stays" and row["object"] in ("*", *self._names())
        ]
        hangs = any(row["state"] in ("", "REQUESTED_SHUTDOWN") for row in fits)
        return self.durable == "MONITORED" and self.domain.servers.manages(self.server) and not hangs

    def row(self) -> dict[str, Any]:
        """The object as the API shows it."""
        row: dict[str, Any] = {
            "dbName": self.database.name,
            "durableState": self._shown(),
            "host": self.server.id,
            "isExternalStartup": self.external,
            "labels": dict(self.labels),
            "options": self.options(),
            "regionId": self.domain.regions.of(self.database.name, self.server.id),
            "regionName": self.domain.regions.name(self.domain.regions.of(self.database.name, self.server.id)),
            "startId": self.start_id,
            "state": self.engine,
            "storageGroups": f"{self.domain.base_url}/processes/{self.start_id}/storageGroups",
            "type": self.kind,
        }
        if self.archive is not None:
            row.update(archiveId=self.archive.id, archiveDir=self.archive.path)
        if self.connected:
            row.update(
                address=self.server.host,
                hostname=self.server.host,
                ipAddress=self.server.host,
                pid=self._pid,
                port=self._port,
                lastHeardFrom=self.heard(),
                version=self.release,
            )
            if self._recovering():
                row.update(self._recovery())
        if self.node_id is not None:
            row["nodeId"] = self.node_id
        return row

    def _shown(self) -> str:
        """Its durable state in this version: an SM whose history is awaited may be TRACKED (NUODB-296)."""
        waits = self.storage_manager and self.durable == "STARTED" and self._pid is not None
        return str(self.domain.settings["awaiting_histories"]) if waits else self.durable

    def _recovery(self) -> dict[str, float]:
        """The progress of the recovery: first the SM replays the journal, then it saves the changes."""
        share = (self.domain.clock.now() - self.configured_at) / max(0.001, self._seconds("sm_start"))
        found = {"journalRecoveryProgress": min(1.0, round(share / REPLAY, 4))}
        if share > REPLAY:
            found["archiveSaveProgress"] = min(0.99, round((share - REPLAY) / SAVE, 4))
        return found

    def _recovering(self) -> bool:
        return bool(
            self.domain.settings["recovery_progress"]
            and self.storage_manager
            and not self.first_start
            and self.durable == "CONFIGURED"
        )

    def summary(self) -> dict[str, Any]:
        """The object in the form of a topology."""
        return summary(self.row())

    # -- its beginning -------------------------------------------------------------------------------

    def resume(self, row: dict[str, Any]) -> None:
        """Takes its state from a topology, and continues what was under way."""
        self.labels = {str(key): str(value) for key, value in (row.get("labels") or {}).items()}
        self.durable, self.release = str(row["durable_state"]), str(row.get("version") or self.release)
        self.external = bool(row.get("external"))
        self.engine = str(row.get("engine_state", "RUNNING" if self.durable == "MONITORED" else "UNKNOWN"))
        self.first_start = False
        if self.durable in _CONNECTED:
            self.connected = True
            self._pid = int(row["pid"]) if row.get("pid") else self.domain.new_pid()
            address = str(row.get("address") or "")
            port = address.rpartition(":")[2]
            self._port = self.domain.ports(self.server).take(int(port) if port.isdecimal() else None)
            self.node_id = None if row.get("node_id") is None else int(row["node_id"])
            self.has_joined = self.durable == "MONITORED" or self.engine == "SHUTTING_DOWN"
        if self.archive is not None and self.durable in _CONNECTED:
            self.archive.state = "RUNNING"
        if self.durable == "MONITORED" and self.engine == "UNKNOWN":
            self.engine = "RUNNING"

    def go_on(self) -> None:
        """Continues what was under way, after every object of a topology was loaded."""
        going = {
            "REQUESTED": self.begin,
            "STARTED": self._fork,
            "CONFIGURED": self._recover,
            "TRACKED": self._tracked,
            "REQUESTED_SHUTDOWN": self._stop,
        }.get(self.durable)
        if going is not None:
            going()
        elif self.engine == "SYNCING":
            self._later("sync", self._synced)

    def begin(self) -> None:
        """Lets the server start the process, when it applies the request."""
        self._when_managed(lambda: self._wait(self._seconds("process_start") / 2, self._started))

    def _when_managed(self, action: Callable[[], None]) -> None:
        """Acts now, or once its server follows the domain's state again: until then nothing reaches the engine."""
        if self.domain.servers.manages(self.server):
            action()
        else:
            self._pending = action

    def server_came(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            pending()

    def _started(self) -> None:
        if self._held(self._started):
            return
        self.durable = "STARTED"
        self._fork()

    def _fork(self) -> None:
        self._wait(self._seconds("process_start") / 2, self._forked)

    def _forked(self) -> None:
        fault = self.domain.faults.on_machine("never_starts", self._names())
        if fault is not None:
            code = 1 if fault.exit_code is None else fault.exit_code
            self.exit(f"{fault.text or 'Engine exited at its start'}: {self.domain.stamp()} {CLOSED}", code)
            return
        self._pid = self.domain.new_pid()
        if not self.storage_manager:
            self._configure_te()
            return
        self._limit_by(self._assignment_over)
        if self.archive is not None and self.archive.state == "NOT_RUNNING":
            self._wait(self._seconds("archive_history"), self._history)
        else:
            self._history()

    def _history(self) -> None:
        if self.archive is not None and self.domain.stuck("loses_history", (str(self.archive.id),), self._history):
            return
        self.history_here = True
        self.database.assign()

    # -- its way into the database -------------------------------------------------------------------

    def _configure_te(self) -> None:
        if self._held(self._configure_te):
            return
        self._connect()
        self._tracked()

    def configure(self) -> None:
        """Gives an SM its parameters, once leader assignment is done or not needed."""
        self._unlimit()
        if self._held(self.configure):
            return
        self._connect()
        if self.archive is not None:
            self.archive.state = "RUNNING"
        self._recover()

    def _connect(self) -> None:
        self._unlimit()
        # not at the fork: if all are requested at once, TEs have lower ports than SMs (NUODB-239)
        self._port = self.domain.ports(self.server).take()
        self.durable, self.connected = "CONFIGURED", True
        self.configured_at = self.domain.clock.now()

    def _recover(self) -> None:
        if self.database.first is self:
            self._wait(self._seconds("sm_start") * 0.8, self._tracked)
        else:
            self._tracked()

    def _tracked(self) -> None:
        if self._held(self._tracked):
            return
        self.durable = "TRACKED"
        if self.database.first is self:
            self._wait(self._seconds("sm_start") * 0.2, self._joined)
        elif self.database.formed:
            self.join()
        else:
            self._limit_by(self._entry_over)

    def join(self) -> None:
        """Joins the peers, once the database has an entry node."""
        self._unlimit()
        offline = self.domain.storage_groups.offline(self) if self.storage_manager else set()
        if offline:
            text = OFFLINE_GROUP.format(min(offline))
            self.exit(f"{text}: {self.domain.stamp()} {CLOSED}", self.domain.settings["offline_group_exit"])
        elif self.storage_manager:
            self._joined()
        else:
            self._later("te_start", self._joined)

    def _joined(self) -> None:
        if self._held(self._joined):
            return
        self.durable = "MONITORED"
        self.has_joined = True
        self.node_id = self.database.new_node_id(self)
        if self.storage_manager and self.database.first is not self:
            self.engine = "SYNCING"
            self._later("sync", self._synced)
            return
        self.engine = "RUNNING"
        self.database.joined(self)

    def _synced(self) -> None:
        if self._held(self._synced):
            return
        self.engine = "RUNNING"
        self.database.joined(self)

    # -- its end -------------------------------------------------------------------------------------

    def request_shutdown(self) -> None:
        """Shuts down for the user, or with its database. A process that is only requested is cancelled."""
        if self.durable == "REQUESTED":
            self.exit(SERVICE_REQUEST, None, tombstone=self.domain.settings["cancelled_tombstone"])
        elif self.durable != "REQUESTED_SHUTDOWN":
            self._halt()
            self.durable = "REQUESTED_SHUTDOWN"
            if self.connected and (self.has_joined or self.domain.settings["unjoined_tells_shutdown"]):
                self.engine = "SHUTTING_DOWN"
            self._stop()

    def _stop(self) -> None:
        name = "sm_shutdown" if self.storage_manager else "te_shutdown"
        self._when_managed(lambda: self._later(name, self._stopped))

    def _stopped(self) -> None:
        if not self._held(self._stopped):
            self.exit(f"{self.domain.stamp()} {GRACEFUL}", 0)

    def kill(self, core: bool = False) -> None:
        """Ends the process by kill -9 of its server (or with a core dump), which takes a moment."""
        self._halt()
        code = ABORTED if core else KILLED

        def gone() -> None:
            self.exit(f"{SERVICE_REQUEST}: {self.domain.stamp()} {CLOSED}", code)

        if self.durable == "REQUESTED":
            self.request_shutdown()
        else:
            self._when_managed(lambda: self._later("kill", gone))

    def evict(self) -> None:
        """Removes the process from the domain's state, whether the engine answers or not."""
        self.exit(SERVICE_REQUEST, None, disconnected=False)

    def die(self, code: int, text: str = "") -> None:
        """Ends the process as by a signal from outside, so that it can't report a reason."""
        self.exit(f"{text}: {self.domain.stamp()} {CLOSED}" if text else f"{self.domain.stamp()} {CLOSED}", code)

    def exit(self, reason: str, code: int | None, disconnected: bool = True, tombstone: bool = True) -> None:
        self._halt()
        self.domain.exited(self, reason, code, disconnected, tombstone)

    def _assignment_over(self) -> None:
        self.database.assignment_over(self.call_n)
        self.exit(f"{NO_LEADER} ({self.domain.patience_ms} ms): {self.domain.stamp()} {CLOSED}", 2)

    def _entry_over(self) -> None:
        if self.database.first is not None and not self.domain.settings["entry_timeout_during_sm_start"]:
            self._limit_by(self._entry_over)
            return
        self.exit(f"{NO_ENTRY} ({self.domain.patience_ms} ms): {self.domain.stamp()} {CLOSED}", 127)

    # -- time ----------------------------------------------------------------------------------------

    def _seconds(self, name: str) -> float:
        if self.archive is not None:
            return self.archive.seconds(name)
        return self.domain.seconds(self.database.name, name)

    def _wait(self, seconds: float, action: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.domain.clock.after(seconds, action, self.database.key)
        self.domain.wake()

    def _later(self, name: str, action: Callable[[], None]) -> None:
        self._wait(self._seconds(name), action)

    def _limit_by(self, action: Callable[[], None]) -> None:
        self._unlimit()
        self._limit = self.domain.clock.limit(self.domain.patience_ms / 1000, action)
        self.domain.wake()

    def _unlimit(self) -> None:
        if self._limit is not None:
            self._limit.cancel()

    def _halt(self) -> None:
        self._unlimit()
        self._pending = None
        if self._timer is not None:
            self._timer.cancel()

    # -- faults --------------------------------------------------------------------------------------

    def _names(self) -> tuple[str, ...]:
        own = () if self.archive is None else (str(self.archive.id),)
        return (*own, self.kind, self.database.name, self.server.id, f"start_id {self.start_id}")

    def _held(self, again: Callable[[], None]) -> bool:
        """Whether a fault keeps the process in its state; `again` continues it when the fault is removed."""

        def on() -> None:
            if self.start_id in self.domain.processes and self.durable == state:
                again()

        state = self.durable
        return self.domain.stuck("stays", self._names(), on, lambda fault: fault.state in ("", state))
