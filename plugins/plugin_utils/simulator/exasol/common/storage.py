# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EXAStorage: offline -> starting -> online -> stopping -> offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...clock import Timer

if TYPE_CHECKING:
    from .base import ExasolCluster

KEY = "storage"


class Storage:
    def __init__(self, cluster: ExasolCluster, online: bool) -> None:
        self.cluster = cluster
        self.state = "online" if online else "offline"
        self.ignored: set[str] = set()
        self.auto_restart = False
        self.failed_with = ""
        self._timer: Timer | None = None

    def missing(self) -> list[str]:
        """The nodes that should serve EXAStorage and aren't online."""
        return sorted(self.cluster.down - self.ignored)

    def service(self) -> str:
        """The state of Storaged in getServiceState."""
        settings = self.cluster.settings
        if self.state == "online":
            return str(settings["storage_degraded"]) if self.missing() else "OK"
        names = {"offline": "stopped", "starting": "starting", "stopping": "stopping"}
        return str(settings[f"storage_{names[self.state]}"])

    def quorum(self) -> bool:
        nodes = len(self.cluster.spec.nodes)
        return self.state == "online" and (nodes - len(self.cluster.down)) * 2 > nodes

    def start(self, ignored: list[str]) -> None:
        """Begins a start. Raises UsageError if the server refuses."""
        cluster, settings = self.cluster, self.cluster.settings
        if self.state in ("online", "starting"):
            cluster.broken("storage-start-repeated", KEY, f"It was {self.state}.")
            if self.state == "online" and settings["storage_start_when_online"] == "ok":
                return
            raise cluster.refuse(f"EXAStorage is already {'running' if self.state == 'online' else 'starting'}")
        if self.state == "stopping":
            raise cluster.refuse("EXAStorage is being stopped")
        for name in ignored:
            if name not in cluster.spec.nodes:
                raise cluster.refuse(f"Node {name} could not be found")
        missing = sorted(cluster.down - set(ignored))
        if missing:
            cluster.broken("storage-started-without-node", KEY, f"Not online: {', '.join(missing[:5])}.")
            if settings["storage_start_without_node"] == "refuse":
                raise cluster.refuse(f"EXAStorage can't be started: node {missing[0]} is not online")
        nodes = len(cluster.spec.nodes)
        if nodes and (nodes - len(cluster.down)) * 2 <= nodes:
            raise cluster.refuse("EXAStorage can't be started: only a minority of the nodes is online")
        self.ignored = set(ignored)
        self.state = "starting"
        self.failed_with = ""
        cluster.log.add("Storage", cluster.administration.master, "EXAStorage is starting.")
        self._timer = cluster.clock.after(cluster.timing["storage_start"], self._started, KEY)
        if settings["storage_start_blocks"] and cluster.clock.kind == "polls":
            # a client that waits in the call can't poll: the call counts as all the reads
            cluster.clock.finish(self._timer)
        cluster.wake()

    def _started(self) -> None:
        fault = self.cluster.faults.on_machine("fails_to_start", (KEY, "Storaged"))
        if fault is not None:
            self.state = "offline"
            self.failed_with = fault.text or "EXAStorage could not be started"
            self.cluster.log.add("Storage", self.cluster.administration.master, self.failed_with, "Error")
        else:
            self.state = "online"
            self.cluster.log.add("Storage", self.cluster.administration.master, "EXAStorage is online.")
        self.cluster.wake()

    def stop(self) -> None:
        """Begins a stop. Raises UsageError if the server refuses."""
        cluster, settings = self.cluster, self.cluster.settings
        if self.state == "stopping":
            cluster.broken("storage-stop-repeated", KEY, "")
            raise cluster.refuse("EXAStorage is already being stopped")
        if self.state == "offline":
            raise cluster.refuse("EXAStorage is not running")
        users = [database for database in cluster.databases.values() if database.state not in ("none", "setup")]
        if users:
            names = ", ".join(f"{database.name} ({database.state})" for database in users)
            cluster.broken("storage-stopped-under-database", KEY, f"Up: {names}.")
            if settings["storage_stop_under_database"] == "refuse":
                raise cluster.refuse(f"EXAStorage is used by database {users[0].name}")
            for database in users:
                database.crash("EXAStorage was stopped")
        self._cancel()
        self.state = "stopping"
        cluster.log.add("Storage", cluster.administration.master, "EXAStorage is stopping.")
        self._timer = cluster.clock.after(cluster.timing["storage_stop"], self._stopped, KEY)
        if settings["storage_stop_blocks"] and cluster.clock.kind == "polls":
            cluster.clock.finish(self._timer)
        cluster.wake()

    def _stopped(self) -> None:
        if self.state != "stopping" or self.cluster.stuck("never_stops", (KEY, "Storaged"), self._stopped):
            return
        self.state = "offline"
        self.cluster.log.add("Storage", self.cluster.administration.master, "EXAStorage is offline.")
        self.cluster.wake()

    def node_lost(self, name: str, why: str) -> None:
        if self.state in ("online", "starting", "stopping") and name not in self.ignored:
            self.cluster.log.add("Storage", name, f"Storage node is offline: {why}.", "Warning")
        if self.state != "offline" and len(self.cluster.down) == len(self.cluster.spec.nodes):
            self.crash("no node is left")

    def crash(self, why: str) -> None:
        if self.state == "offline":
            return
        self._cancel()
        self.state = "offline"
        self.cluster.log.add("Storage", self.cluster.administration.master, f"EXAStorage failed: {why}.", "Error")
        for database in self.cluster.databases.values():
            database.crash(f"EXAStorage failed: {why}")
        self.cluster.wake()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
