# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases: none -> setup -> startup -> running (connectible later) -> shutdown -> setup; backups and restores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...clock import Timer
from .backups import RESTORES, Backup, Backups, find, reachable, trouble
from .sizes import GIB, size_of

if TYPE_CHECKING:
    from .base import ExasolCluster
    from .volumes import Volume

PORT = 8563


class Database:
    """`volume_id` is its data volume's number in EXAStorage."""

    schedules: Any

    def __init__(self, cluster: ExasolCluster, name: str, options: dict[str, Any], index: int, volume_id: int) -> None:
        timing = cluster.timing
        self.cluster, self.name, self.key = cluster, name, f"db {name}"
        self.active = list(options.get("nodes") or cluster.spec.nodes)
        self.reserve = list(options.get("reserve") or [])
        self.nodes = {*self.active, *self.reserve}
        self.volume_id = volume_id
        self.temporary: int | None = None
        self.used = size_of(options.get("used")) or 0
        self.start_seconds = float(options.get("start", timing["database_start"]))
        self.connect_seconds = float(options.get("connect", timing["connect"]))
        self.stop_seconds = float(options.get("stop", timing["database_stop"]))
        self.connection_string = str(options.get("connection_string") or addresses(self.active, PORT + index))
        state = options["state"]
        self.state = "setup" if state in ("startup", "shutdown") else state
        self.connectible = self.state == "running" and str(options.get("connectible", "Yes")) == "Yes"
        self.maintenance = False
        self.operation = str(options.get("operation") or "None")
        self.errors: list[str] = []
        self.progress: dict[str, Any] | None = None
        self.history = Backups(self, cluster.spec.backups.get(name, []))
        self._timer: Timer | None = None
        self._operation_timer: Timer | None = None
        self._backup: dict[str, Any] | None = None
        self._began = 0.0
        self._blocking = False
        # a topology may begin while something is under way
        if state == "startup":
            self._go("startup", self.start_seconds, self._started)
        elif state == "shutdown":
            self._go("shutdown", self.stop_seconds, self._stopped)
        elif self.state == "running" and not self.connectible:
            self._timer = cluster.clock.after(self.connect_seconds, self._connected, self.key)
        seconds = options.get("operation_time")
        if self.operation != "None" and seconds is not None:
            self._operation_timer = cluster.clock.after(float(seconds), self._operation_done, self.key)
        if self.up:
            self._open()

    # -- what is seen --------------------------------------------------------------------------------

    def shown_state(self) -> str:
        if self.state == "startup":
            return str(self.cluster.settings["database_starting"])
        if self.state == "shutdown":
            return str(self.cluster.settings["database_stopping"])
        return self.state

    def running(self) -> bool:
        """False only if the database is completely stopped: then the vendor's stop script continues with EXAStorage."""
        if self.state == "startup":
            return bool(self.cluster.settings["running_in_startup"])
        return self.state in ("running", "shutdown")

    @property
    def up(self) -> bool:
        """Whether the database is up or starting."""
        return self.state not in ("none", "setup")

    @property
    def data_volume(self) -> Volume | None:
        return self.cluster.volumes.all.get(self.volume_id)

    @property
    def volume(self) -> str:
        """The name of the data volume, or its number if the volume is gone."""
        volume = self.data_volume
        return str(self.volume_id) if volume is None else volume.name

    @property
    def temporary_volume(self) -> Volume | None:
        return None if self.temporary is None else self.cluster.volumes.all.get(self.temporary)

    def uses(self, volume: Volume) -> bool:
        return volume.id in (self.volume_id, self.temporary)

    def summary(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "connectible": "Yes" if self.connectible else "No",
            "operation": self.operation,
            "connection_string": self.connection_string,
        }

    # -- calls -----------------------------------------------------------------------------------------

    def create(self) -> None:
        if self.state != "none":
            raise self.cluster.refuse(f"Database {self.name} exists already")
        self.state = "setup"

    def start(self, maintenance: bool = False) -> None:
        cluster = self.cluster
        if self.state in ("startup", "running"):
            cluster.broken("database-start-repeated", self.name, f"{self.name} was {self.state}.")
            raise cluster.refuse(
                f"Database {self.name} is already {'running' if self.state == 'running' else 'starting'}"
            )
        if self.state == "none":
            raise cluster.refuse(f"Database {self.name} does not exist")
        if self.state == "shutdown":
            raise cluster.refuse(f"Database {self.name} is being stopped")
        sick = [f"{name} {state!r}" for name, state in cluster.services() if state != "OK"]
        if sick:
            cluster.broken("database-started-with-sick-service", self.name, f"Not OK: {', '.join(sick)}.")
        self._may_come_up()
        self.maintenance = maintenance
        self._begin_start()

    def _may_come_up(self) -> None:
        """Checks the conditions of a start and a restore."""
        cluster, volume = self.cluster, self.data_volume
        no = f"Could not start database {self.name}"
        if cluster.storage.state != "online":
            raise cluster.refuse(f"{no}: EXAStorage is not online")
        if volume is None:
            raise cluster.refusal("unknown_volume", name=self.volume)
        volume.workable()
        if not volume.app_io:
            raise volume.refusal("volume_io")
        if self.volume_is_in_use():
            raise cluster.refuse(f"{no}: data volume is in use")
        if not self.active or len(self.nodes - self._gone()) < len(self.active):
            text = "Could not start database: system does not have enough active nodes"
            self.errors = [text]
            raise cluster.refuse(text)
        if volume.lost_without(cluster.volumes.gone()):
            raise cluster.refuse(f"{no}: data volume is not online")

    def volume_is_in_use(self) -> bool:
        """Whether another database uses the volume."""
        volume = self.data_volume
        return volume is not None and any(name != self.name for name in volume.users())

    def _gone(self) -> set[str]:
        """The nodes on which the database can't start."""
        return self.cluster.down

    def _fail_over(self) -> None:
        """Lets reserve nodes take over, if the server does that by itself."""

    def _begin_start(self) -> None:
        self.errors = []
        self._fail_over()
        self._open()
        self._go("startup", self.start_seconds, self._started)
        self._log("Database startup was requested.")

    def _started(self) -> None:
        fault = self.cluster.faults.on_machine("fails_to_start", self._names())
        if fault is not None:
            self.state = "setup"
            self._close()
            self.errors = [fault.text or "DWAd was not able to create startup parameters for system"]
            self._log(f"Could not start database: {self.errors[0]}", "Error")
            return
        self.state = "running"
        self._log("System is ready to receive client connections.")
        self._timer = self.cluster.clock.after(self.connect_seconds, self._connected, self.key)

    def _connected(self) -> None:
        if self.state != "running" or self.cluster.stuck("never_connects", self._names(), self._connected):
            return
        self.connectible = not self.maintenance
        if self.connectible:
            self._log(f"EXASolution {self.name} is accepting connections.")

    def stop(self) -> None:
        self._may_stop()
        self._begin_stop(self._stopped)

    def restart(self) -> None:
        self._may_stop()
        self._begin_stop(self._restarted)

    def _may_stop(self) -> None:
        cluster = self.cluster
        if self.state == "shutdown":
            cluster.broken("database-stop-repeated", self.name, "")
            raise cluster.refuse(f"Database {self.name} is already being stopped")
        if self.state != "running":
            raise cluster.refuse(f"Database {self.name} is not running")
        if self._is_stopped_during_operation():
            if cluster.settings["database_stop_during_operation"] == "refuse":
                raise cluster.refuse(f"Database {self.name} can't be stopped during operation {self.operation}")
            self._end_operation()

    def _is_stopped_during_operation(self) -> bool:
        busy = self.operation != "None"
        if busy:
            self.cluster.broken("database-stopped-during-operation", self.name, f"Operation: {self.operation}.")
        return busy

    def _begin_stop(self, done: Any) -> None:
        self._log("User 0 requested shutdown of system")
        self._log(f"EXASolution {self.name} is rejecting connections")
        self._go("shutdown", self.stop_seconds, done)

    def _stopped(self) -> None:
        if self.state != "shutdown" or self.cluster.stuck("never_stops", self._names(), self._stopped):
            return
        self._down()
        self._log("System marked as stopped.")

    def _restarted(self) -> None:
        self._stopped()
        if self.state == "setup":
            self._begin_start()

    def force_stop(self) -> None:
        """Stops the database at once, whatever it does."""
        if self.state in ("none", "setup"):
            raise self.cluster.refuse(f"Database {self.name} is not running")
        self._down()
        self._log("System was shut down by force.", "Warning")

    def begin_operation(self, operation: str, seconds: float | None) -> None:
        """Makes the database busy for seconds, or (None) until the operation is ended."""
        if self.operation != "None":
            raise self.cluster.refuse(f"Database {self.name} is busy with operation {self.operation}")
        self.operation = operation
        if seconds is not None:
            self._operation_timer = self.cluster.clock.after(seconds, self._operation_done, self.key)
        self.cluster.wake()

    # -- backups and restores ------------------------------------------------------------------------------

    def scheduled(self) -> list[dict[str, Any]]:
        rows = self.schedules
        return list(rows.values() if isinstance(rows, dict) else rows)

    def writes_to(self, volume: str) -> bool:
        """Whether a backup to this volume is under way, or a schedule has it as its target."""
        return (self._backup or {}).get("volume") == volume or any(
            row.get("volume") == volume for row in self.scheduled()
        )

    def begin_backup(self, volume: str, volume_id: int, level: int, expires: float | None) -> None:
        cluster = self.cluster
        if self.state != "running":
            raise cluster.refusal("database_not_running", name=self.name)
        if self.operation != "None":
            raise cluster.refusal("database_busy", name=self.name, operation=self.operation)
        if level and self.history.base(volume, level) is None:
            raise cluster.refusal("no_base", name=self.name, volume=volume)
        self.begin_operation("Backup", cluster.timing["backup"])
        self._backup = {"volume": volume, "volume_id": volume_id, "level": level, "expires": expires}
        self._show("Backup", volume_id, level, cluster.timing["backup"])
        self._log("Backup started.")

    def _operation_done(self) -> None:
        backup, self._backup = self._backup, None
        if backup is not None:
            fault = self.cluster.faults.on_machine("fails_backup", self._names())
            away = trouble(self.cluster, backup["volume"])
            if fault is not None or away is not None:
                text = (fault and fault.text) or f"Backup has failed{'' if away is None else f': {away}'}"
                self._ended(text)
                self._log(text, "Error")
            else:
                self.history.add(**backup)
                if self.cluster.settings["backup_expiry_removal"]:
                    self.history.remove_expired()
                self._ended("Backup has been successfully finished", 100)
                self._log("Backup finished.")
        elif self.operation == "Restore":
            self._ended("Restore has been successfully finished", 100)
        self._end_operation()

    def abort_operation(self) -> None:
        if self.operation == "None":
            raise self.cluster.refuse(f"No operation of database {self.name} is running")
        if self.progress is not None:
            self._ended(f"{self.operation} has been aborted")
        self._log(f"{self.operation} was aborted.", "Warning")
        self._end_operation()

    def abort_backup(self) -> None:
        # "Storage Backup" is a backup as well
        if "backup" not in self.operation.lower():
            raise self.cluster.refusal("no_backup", name=self.name)
        self.abort_operation()

    def restore(self, identity: Any, kind: str) -> None:
        """Restores the stopped database from a backup, by its id. The database starts with the data of the backup."""
        timing = self.cluster.timing
        owner, backup = find(self.cluster, identity)
        if kind not in RESTORES:
            raise self.cluster.refusal("bad_value", name="restore_type", value=kind)
        reachable(self.cluster, backup.volume)
        if not owner.history.usable(backup):
            raise self.cluster.refusal("unusable_backup", name=backup.id)
        if self.state != "setup":
            raise self.cluster.refusal("database_not_offline", name=self.name)
        self._suits(backup, owner.history.all, kind)
        if self.volume_is_in_use():
            self.cluster.broken("restored-into-used-volume", self.name, f"Volume: {self.volume}.")
        self._may_come_up()
        self._fail_over()
        self.errors = []
        self._open()
        seconds = self.start_seconds if kind != "blocking" else self.start_seconds + timing["restore"]
        self._go("startup", seconds, self._restored)
        if kind != "virtual access":
            self.operation = "Restore"
            self._show("Restore", backup.volume_id, backup.level, timing["restore"])
            if kind == "nonblocking":
                seconds = self.start_seconds + timing["restore"]
                self._operation_timer = self.cluster.clock.after(seconds, self._operation_done, self.key)
        self._blocking = kind == "blocking"
        self._log("Restore has been started.")

    def _suits(self, backup: Backup, every: list[Backup], kind: str) -> None:
        """Raises UsageError if a backup can't be restored in this way."""
        remote = backup.volume in self.cluster.remote_volumes.all
        if remote and kind != "blocking" and self.cluster.settings["remote_restore"] == "blocking":
            raise self.cluster.refusal("restore_remote", name=backup.volume, kind=kind)
        used = [one for one in every if one.bid in (backup.bid, *backup.bases)]
        for one in used if kind == "virtual access" else []:
            if one.expires is not None:
                raise self.cluster.refusal("restore_expiring", name=one.id)

    def _restored(self) -> None:
        fault = self.cluster.faults.on_machine("fails_backup", self._names())
        if fault is not None:
            self._ended(fault.text or "Restore has failed")
            self._down()
            self.errors = [fault.text or "Restore has failed"]
            return
        if self._blocking:
            self._operation_done()
        self._started()

    def _show(self, kind: str, volume_id: int, level: int, seconds: float) -> None:
        self._began = self.cluster.clock.now()
        self.progress = {
            "Comment": f"{kind} has been started",
            "Files": 1,
            "Level": level,
            "Name": self.name,
            "Progress": 0,
            "Type": kind,
            "Volume ID": volume_id,
            "seconds": seconds,
        }

    def _ended(self, comment: str, percent: int | None = None) -> None:
        if self.progress is not None:
            now = self.shown_progress()["Progress"] if percent is None else percent
            self.progress = {**self.progress, "Comment": comment, "Progress": now, "seconds": 0}

    def shown_progress(self) -> dict[str, Any]:
        """The progress in the form of db_backup_progress; empty without a backup or restore."""
        if self.progress is None:
            return {}
        row = dict(self.progress)
        seconds = row.pop("seconds")
        if seconds:
            row["Progress"] = min(99, int((self.cluster.clock.now() - self._began) / seconds * 100))
        return row

    def _end_operation(self) -> None:
        self.operation = "None"
        self._backup = None
        if self._operation_timer is not None:
            self._operation_timer.cancel()
            self._operation_timer = None
        self.cluster.wake()

    # -- failures ----------------------------------------------------------------------------------------

    def node_lost(self, node: str, why: str) -> None:
        if node in self.active:
            self.crash(f"node {node} is offline: {why}")

    def volume_lost(self, why: str) -> None:
        """Stops the database, because its data is lost."""
        if self.loses_data(self.cluster.volumes.gone()):
            self.crash(f"data volume {self.volume} is not online: {why}")

    def loses_data(self, without: set[str]) -> bool:
        """Whether the database is up and has data only on these nodes."""
        volume = self.data_volume
        return self.up and volume is not None and volume.lost_without(without)

    def crash(self, why: str) -> None:
        if self.state in ("none", "setup"):
            return
        self._down()
        self.errors = [f"Database failed: {why}"]
        self._log(f"Database failed: {why}.", "Error")

    # -- its temporary volume --------------------------------------------------------------------------------

    def _open(self) -> None:
        """Makes or removes the temporary volume, which exists while the database is up."""
        if self.temporary is None:
            labels = ["temporary", f"pub:{self.name}_temporary"]
            options = {"labels": labels, "size": GIB * len(self.active), "nodes": self.active}
            self.temporary = self.cluster.volumes.add("", options).id

    def _close(self) -> None:
        if self.temporary is not None:
            self.cluster.volumes.remove(self.temporary)
            self.temporary = None

    # -- from state to state ---------------------------------------------------------------------------------

    def _down(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.state, self.connectible, self.maintenance = "setup", False, False
        self._close()
        self._end_operation()

    def _go(self, state: str, seconds: float, done: Any) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.state, self.connectible = state, False
        self._timer = self.cluster.clock.after(seconds, done, self.key)
        self.cluster.wake()

    def _names(self) -> tuple[str, ...]:
        return (self.name, f"db_{self.name}")

    def _log(self, message: str, priority: str = "Information") -> None:
        node = self.active[0] if self.active else self.cluster.administration.master
        self.cluster.log.add(self.name, node, message, priority)


def address(node: str) -> str:
    """The public address of a node, made up from its number."""
    number = int(node[1:]) if node[1:].isdigit() else 0
    return f"10.50.{1 + number // 256}.{number % 256}"


def addresses(nodes: list[str], port: int) -> str:
    """The nodes' public addresses and the port."""
    return ranges([address(node) for node in sorted(nodes)], port)


def ranges(names: list[str], port: int) -> str:
    """'10.50.1.11..14:8563': neighbouring addresses are written as a range."""
    runs: list[tuple[str, int, int]] = []
    for name in names:
        prefix, _dot, last = name.rpartition(".")
        if not last.isdigit():
            return f"{','.join(names)}:{port}"
        number = int(last)
        if runs and runs[-1][0] == prefix and runs[-1][2] + 1 == number:
            runs[-1] = (prefix, runs[-1][1], number)
        else:
            runs.append((prefix, number, number))
    texts = [f"{prefix}.{first}" + (f"..{last}" if last != first else "") for prefix, first, last in runs]
    return f"{','.join(texts)}:{port}"
