# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects of databases: states, backups, backup schedules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..common import backups, redundancy
from ..common.sizes import minute
from .resource import Resource, call

if TYPE_CHECKING:
    from .cluster import Cluster
    from .databases import ManagedDatabase

SCHEDULE = ("volume", "level", "expire", *backups.TIMES, "enabled")
MOST_SCHEDULES = 100


class DatabaseObject(Resource):
    zope_class = "database.Database"

    def __init__(self, cluster: Cluster, database: str) -> None:
        super().__init__(cluster, f"db_{database}")
        self.database: ManagedDatabase = cluster.databases[database]

    def _read(self, value: Any) -> Any:
        self.cluster.clock.read(self.database.key)
        return value

    @call("getDatabaseState")
    @call("stateDatabase")
    def get_database_state(self) -> str:
        """The runtime state."""
        return str(self._read(self.database.shown_state()))

    @call("runningDatabase")
    def running_database(self) -> bool:
        """Whether the database runs."""
        return bool(self._read(self.database.running()))

    @call("existDatabase")
    def exist_database(self) -> bool:
        """Whether the database was created."""
        return self.database.state != "none"

    @call("getDatabaseConnectionState")
    def get_database_connection_state(self) -> str:
        """'Yes' where clients can connect, else 'No'."""
        return str(self._read("Yes" if self.database.connectible else "No"))

    @call("getDatabaseConnectionString")
    def get_database_connection_string(self) -> str:
        """Where clients connect."""
        return self.database.connection_string

    @call("getDatabaseOperation")
    @call("operationGetCurrent")
    def get_database_operation(self) -> str:
        """The operation that runs, or 'None'."""
        return str(self._read(self.database.operation))

    @call("getCurrentErrors")
    def get_current_errors(self) -> list[str]:
        """Why the database doesn't start."""
        return list(self.database.errors)

    @call("maintenanceDatabase")
    def maintenance_database(self) -> bool:
        """Whether the database runs in maintenance mode."""
        return self.database.maintenance

    @call("getDatabaseVersion")
    def get_database_version(self) -> str:
        """Version of the database."""
        return str(self.cluster.spec.version or "4.2.0")

    @call("getDatabaseNodes")
    def get_database_nodes(self) -> dict[str, list[str]]:
        """Active, failed and reserve nodes."""
        return self._nodes()

    @call("getNodeState")
    def get_node_state(self, node: Any) -> str:
        """State of one of the database's nodes: online, offline or failed."""
        machine = self.machine(node)
        if machine.name not in self.database.nodes:
            raise self.cluster.refuse(f"Node {machine.name} is not a node of database {self.database.name}")
        if machine.online:
            return "online"
        return "failed" if self.database.state == "running" else "offline"

    @call("getDatabaseInfo")
    def get_database_info(self) -> dict[str, Any]:
        """Everything about the database at once."""
        database, temporary = self.database, self.database.temporary_volume
        return dict(
            self._read(
                {
                    "connectible": "Yes" if database.connectible else "No",
                    "connection string": database.connection_string,
                    "info": self._info(),
                    "name": database.name,
                    "nodes": self._nodes(),
                    "operation": database.operation,
                    "persistent volume": database.volume,
                    "quota": 0,
                    "state": database.shown_state(),
                    "temporary volume": "None" if temporary is None else temporary.name,
                    "usage persistent": database.usage(database.data_volume, database.used),
                    "usage temporary": database.usage(temporary, 0),
                }
            )
        )

    def _info(self) -> str:
        told = self.cluster.settings["database_info"] == "told"
        return "; ".join(self.database.errors) or (redundancy.told(self.database) if told else "")

    def _nodes(self) -> dict[str, list[str]]:
        down = self.cluster.down
        return {
            "active": [node for node in self.database.active if node not in down],
            "failed": [node for node in self.database.active if node in down],
            "reserve": list(self.database.reserve),
        }

    @call("createDatabase", changing=True)
    def create_database(self) -> None:
        """Create the database; it is stopped then."""
        self.database.create()

    @call("startDatabase", changing=True)
    def start_database(self) -> None:
        """Start the database; it must exist and must not be running."""
        self.database.start()

    @call("startDatabaseMaintenance", changing=True)
    def start_database_maintenance(self) -> None:
        """Start the database in maintenance mode: nobody can connect."""
        self.database.start(maintenance=True)

    @call("stopDatabase", changing=True)
    @call("shutdownDatabase", changing=True)
    def stop_database(self) -> None:
        """Stop the database; it must be running."""
        self.database.stop()

    @call("forceShutdownDatabase", changing=True)
    def force_shutdown_database(self) -> None:
        """Stop the database at once, whatever it does."""
        self.database.force_stop()

    @call("restartDatabase", changing=True)
    def restart_database(self) -> None:
        """Stop and start the database; it must be running."""
        self.database.restart()

    # -- backups -----------------------------------------------------------------------------------------

    @call("backupDatabase", changing=True)
    @call("startStorageBackup", changing=True)
    def backup_database(self, volume: Any, level: int = 0, expire: str = "") -> None:
        """Begin a backup to an archive volume (name or id), with its level and how long it is kept, like '1w 3d'."""
        cluster = self.cluster
        name, number = backups.archive_of(cluster, volume)
        moment = backups.expiry(cluster, expire)
        self._level(level)
        backups.reachable(cluster, name)
        self.database.begin_backup(name, number, level, moment)

    def _level(self, level: Any) -> None:
        if isinstance(level, bool) or not isinstance(level, int) or not 0 <= level <= 9:
            raise self.cluster.refusal("bad_value", name="level", value=level)

    @call("abortBackup", changing=True)
    def abort_backup(self) -> None:
        """Abort the backup that runs."""
        self.database.abort_backup()

    @call("getPddProgress")
    def get_pdd_progress(self) -> list[dict[str, Any]]:
        """The backup or restore that runs."""
        progress = self.database.shown_progress() if self.database.operation != "None" else {}
        return list(self._read([progress] if progress else []))

    @call("getBackupList")
    def get_backup_list(self) -> list[list[int]]:
        """[id, volume id] of each backup."""
        return [[one.bid, one.volume_id] for one in self._own()]

    def _own(self) -> list[backups.Backup]:
        return [one for one in self.database.history.all if one.system == self.database.name]

    @call("getBackups")
    def get_backups(self, show_all: bool = False, show_expired: bool = True) -> list[dict[str, Any]]:
        """The backups with all that is known of each: of this database or of all, expired ones among them or not."""
        rows = []
        for database in self.cluster.databases.values():
            rows += database.history.rows() if show_all or database is self.database else []
        self._read(None)
        return [
            row
            for row in rows
            if (show_all or row["system"] == self.database.name) and (show_expired or not row["expired"])
        ]

    @call("getBackupInfo")
    @call("backupInfo")
    def get_backup_info(self, backup: Any) -> dict[str, Any]:
        """What is known of one backup, by its id, its timestamp, or id and volume."""
        found = [one for one in self._own() if self._is(one, backup)]
        if not found:
            raise self.cluster.refusal("unknown_backup", name=backup)
        one = found[-1]
        return {
            "usable": self.database.history.usable(one),
            "id": one.bid,
            "volume": [one.volume],
            "dependencies": list(one.bases),
            "timestamp": minute(one.taken),
            "expire date": "" if one.expires is None else minute(one.expires),
            "files": [f"{one.path}.{node}" for node in range(len(self.database.active))],
        }

    def _is(self, one: backups.Backup, wanted: Any) -> bool:
        if isinstance(wanted, (list, tuple)):
            bid, volume = [*wanted, None, None][:2]
            return one.bid == bid and volume in (one.volume, one.volume_id)
        return wanted in (one.bid, minute(one.taken), minute(one.taken, "%Y%m%d%H%M"))

    @call("changeBackupExpiration", changing=True)
    def change_backup_expiration(self, volume: int, backup_files: str, expire_time: int) -> None:
        """Have a backup (id of its volume, beginning of its files) expire at seconds of the epoch; 0 is never."""
        if isinstance(expire_time, bool) or not isinstance(expire_time, int):
            raise self.cluster.refusal("bad_value", name="expire_time", value=expire_time)
        moment = float(expire_time) if expire_time else None
        backups.change_expiration(self.cluster, volume, str(backup_files), moment)

    @call("deleteBackups", changing=True)
    def delete_backups(self, backup_list: list[str]) -> None:
        """Delete backups by their ids."""
        if not isinstance(backup_list, list):
            raise self.cluster.refusal("bad_value", name="backup_list", value=backup_list)
        backups.delete(self.cluster, backup_list, self.database.name)

    @call("deleteUnusableBackups", changing=True)
    def delete_unusable_backups(self, use_all_databases: bool = False) -> None:
        """Delete the backups that can't be restored, of this database or of all."""
        if not use_all_databases:
            self.database.history.remove_unusable(self.database.name)
            return
        for database in self.cluster.databases.values():
            database.history.remove_unusable()

    @call("restoreDatabase", changing=True)
    def restore_database(self, backup_id: str, restore_type: str) -> None:
        """Restore the database, which must be stopped, from a backup: blocking, nonblocking or virtual access."""
        self.database.restore(backup_id, restore_type)

    # -- backup schedules --------------------------------------------------------------------------------

    @call("getBackupSchedule")
    def get_backup_schedule(self) -> list[Any]:
        """The definitions of all scheduled backups."""
        return [self._shown(row) for row in self.database.schedules]

    def _shown(self, row: dict[str, Any]) -> Any:
        plain = {key: row[key] for key in SCHEDULE}
        return plain if self.cluster.settings["schedule_form"] == "dict" else list(plain.values())

    @call("setBackupSchedule", changing=True)
    def set_backup_schedule(self, schedules: list[Any]) -> None:
        """Set the definitions of all scheduled backups."""
        if not isinstance(schedules, list):
            raise self.cluster.refusal("bad_value", name="schedule", value=schedules)
        self.database.schedules = [self._schedule(row) for row in schedules]

    def _schedule(self, row: Any) -> dict[str, Any]:
        cluster = self.cluster
        if cluster.settings["schedule_form"] == "list" and isinstance(row, list) and len(row) == len(SCHEDULE):
            row = dict(zip(SCHEDULE, row))
        if not isinstance(row, dict):
            raise cluster.refusal("bad_value", name="schedule", value=row)
        for key in row:
            if key not in SCHEDULE:
                raise cluster.refusal("unknown_field", name=key)
        for key in ("volume", "level"):
            if key not in row:
                raise cluster.refusal("missing_field", name=key)
        name, _number = backups.archive_of(cluster, row["volume"])
        self._level(row["level"])
        backups.expiry(cluster, row.get("expire"))
        times = {**backups.TIMES, **backups.times_of(cluster, row)}
        expire, enabled = row.get("expire") or "", bool(row.get("enabled", True))
        return {"volume": name, "level": row["level"], "expire": expire, **times, "enabled": enabled}

    @call("getNextSchedules")
    def get_next_schedules(self) -> list[list[Any]]:
        """When which scheduled backup begins next, the soonest first."""
        now = self.cluster.clock.wall() // 60 * 60
        minutes = range(1, int(self.cluster.settings["next_schedules_days"]) * 1440 + 1)
        rows = self.database.schedules
        found = [(now + 60 * one, row) for one in minutes for row in rows if backups.due(row, now + 60 * one)]
        return [[minute(at), self._shown(row)] for at, row in found[:MOST_SCHEDULES]]
