# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Databases as ConfD administers them: the shared states, and volumes, parameters, backups, restores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..databases import PORT, Database, ranges
from .backups import Backups
from .refusals import refusal
from .sizes import size_of, size_text

if TYPE_CHECKING:
    from .cluster import ConfdCluster
    from .volumes import Volume

PARAMETERS = (
    "version", "mem_size", "port", "auto_start", "enable_auditing", "interfaces", "jdbc_urls", "ldap_server",
    "master_database", "owner", "params", "volume_quota", "volume_move_delay", "initial_sql", "cache_volume_disk",
    "cloud_data_volume_name", "cloud_data_storage", "db_uuid", "oracle_url", "snapshot_sync_volume",
    "max_system_heap_memory", "default_sys_passwd_hash", "additional_sys_passwd_hashes",
)  # fmt: skip
_HASHES = ("default_sys_passwd_hash", "additional_sys_passwd_hashes")
_GIB = 2**30


class ConfdDatabase(Database):
    cluster: ConfdCluster  # type: ignore[assignment]

    def __init__(self, cluster: ConfdCluster, name: str, options: dict[str, Any], index: int) -> None:
        config = {key: options[key] for key in PARAMETERS if options.get(key) is not None}
        config.setdefault("port", PORT + index)
        config.setdefault("version", cluster.spec.version)
        config.setdefault("mem_size", "2 GiB")
        self.config = config
        self.given_string = options.get("connection_string")
        self.temporary: int | None = None
        self.used = size_of(options.get("used") or "6.7109 MiB") or 0
        self.suspended: set[str] = set(options.get("suspended_nodes") or [])
        self.stop_tried = False
        self.progress: dict[str, Any] | None = None
        self._began = 0.0
        self._blocking = False
        volume = self._volume_of(cluster, options, index)
        active = options.get("nodes") or list(cluster.spec.nodes)
        string = self.given_string or ranges([cluster.machines[one].address for one in active], int(config["port"]))
        super().__init__(
            cluster,  # type: ignore[arg-type]
            name,
            {**options, "nodes": active, "volume": str(volume.id), "connection_string": string},
            index,
        )
        self.history = Backups(self, cluster.spec.backups.get(name, []))
        self.schedules = {key: dict(row or {}) for key, row in cluster.spec.schedules.get(name, {}).items()}
        labels = volume.labels
        if f"pub:{name}_persistent" not in labels:
            labels.append(f"pub:{name}_persistent")
        if self.state != "setup":
            self._open()

    def _volume_of(self, cluster: ConfdCluster, options: dict[str, Any], index: int) -> Volume:
        name = options.get("data_volume_name") or options.get("persistent volume")
        if options.get("data_volume_id") is not None:
            return cluster.volumes.all[int(options["data_volume_id"])]
        name = str(name or f"DataVolume{index + 1}")
        return cluster.volumes.named(name) or cluster.volumes.add(name, {"nodes": options.get("nodes")})

    # -- what is seen ------------------------------------------------------------------------------------

    @property
    def data_volume(self) -> Volume | None:
        return self.cluster.volumes.all.get(int(self.volume))

    def uses(self, volume: Volume) -> bool:
        return str(volume.id) == self.volume or volume.id == self.temporary

    def auto_start(self) -> bool:
        return bool(self.config.get("auto_start", self.cluster.settings["auto_start"]))

    def seen(self) -> ConfdDatabase:
        """Count one read of it."""
        self.cluster.clock.read(self.key)
        return self

    def info(self) -> dict[str, Any]:
        down = self.cluster.down | self.suspended
        volume, temporary = self.data_volume, self.cluster.volumes.all.get(self.temporary or -1)
        up = self.state != "setup"
        row: dict[str, Any] = {
            "connectible": "Yes" if self.connectible else "No",
            "connection string": self.connection_string,
            "info": self._told(volume),
            "name": self.name,
            "nodes": {
                "active": [one for one in self.active if one not in down],
                "failed": [one for one in self.active if one in down],
                "reserve": list(self.reserve),
            },
            "operation": self.operation,
            "persistent volume": "None" if volume is None else volume.name,
            "quota": self.config.get("volume_quota", 0),
            "state": self.shown_state(),
            "temporary volume": "None" if temporary is None else temporary.name,
            "usage persistent": self._usage(volume, self.used) if up else 0,
            "usage temporary": self._usage(temporary, 0) if up else 0,
        }
        if self.cluster.new_names:
            row["config"] = self._config()
        return row

    def _config(self) -> dict[str, Any]:
        config = {key: value for key, value in self.config.items() if key not in _HASHES}
        nodes = [self.cluster.number(one) for one in (*self.active, *self.reserve)]
        config.update(name=self.name, nodes=nodes, num_active_nodes=len(self.active))
        config.setdefault("owner", [500, 500])
        if self.data_volume is not None:
            config["data_volume"] = self.data_volume.name
        if self.cluster.settings["schedules_in_db_info"]:
            config["backups"] = {name: dict(row) for name, row in self.schedules.items()}
        return config

    def _told(self, volume: Volume | None) -> str:
        if self.errors:
            return "; ".join(self.errors)
        missing = 0 if volume is None else sum(row["state"] != "ONLINE" for row in volume.segments())
        return f"{missing} segments of the database volume are not online (missing redundancy)" if missing else ""

    def _usage(self, volume: Volume | None, used: int) -> list[dict[str, Any]]:
        if volume is None:
            return []
        share = size_text(volume.size // len(self.active))
        return [
            {"host": one, "size": share, "used": size_text(used), "volume id": str(volume.id)} for one in self.active
        ]

    def topology(self) -> dict[str, Any]:
        row = {key: value for key, value in self.config.items() if key not in _HASHES}
        row.update(self.summary(), nodes=list(self.active), reserve=list(self.reserve))
        if self.data_volume is not None:
            row["data_volume_name"] = self.data_volume.name
        if self.suspended:
            row["suspended_nodes"] = sorted(self.suspended)
        return row

    # -- states --------------------------------------------------------------------------------------------

    def forget(self, node: str) -> None:
        """A node isn't part of the cluster any more."""
        self.active = [one for one in self.active if one != node]
        self.reserve = [one for one in self.reserve if one != node]
        self.nodes.discard(node)
        self.suspended.discard(node)

    def tell_address(self) -> None:
        """The connection string follows nodes and port."""
        addresses = [self.cluster.machines[one].address for one in self.active]
        self.connection_string = ranges(addresses, int(self.config["port"]))

    def start(self, maintenance: bool = False) -> None:
        self._fail_over()
        volume = self.data_volume
        if volume is not None and volume.locked:
            raise refusal(self.cluster.settings, "volume_locked", name=volume.name)
        if len(self.nodes - self.cluster.down - self.suspended) < len(self.active) and self.suspended:
            raise self.cluster.refuse("Could not start database: system does not have enough active nodes")
        super().start(maintenance)

    def _fail_over(self) -> None:
        """Reserve nodes stand in for active ones that are gone."""
        if self.state != "setup":
            return
        gone = self.cluster.down | self.suspended
        for index, node in enumerate(self.active):
            spare = next((one for one in self.reserve if one not in gone), None)
            if node in gone and spare is not None:
                self.active[index] = spare
                self.reserve[self.reserve.index(spare)] = node

    def stop(self) -> None:
        self.stop_tried = True
        super().stop()

    def force_stop(self) -> None:
        if self.state == "running" and not self.stop_tried:
            self.cluster.broken("database-stopped-by-force", self.name, "")
        super().force_stop()

    def abort_start(self, why: str) -> None:
        if self.state == "startup":
            self._down()
            self.errors = [why]

    def _begin_start(self) -> None:
        self.stop_tried = False
        self._fail_over()
        self._open()
        super()._begin_start()

    def _open(self) -> None:
        """The temporary volume is there while the database is up."""
        if self.temporary is None:
            labels = ["temporary", f"pub:{self.name}_temporary"]
            options = {"labels": labels, "size": _GIB * len(self.active), "nodes": self.active}
            self.temporary = self.cluster.volumes.add("", options).id

    def _started(self) -> None:
        super()._started()
        if self.state == "setup":
            self._close()

    def _down(self) -> None:
        super()._down()
        self._close()

    def _close(self) -> None:
        if self.temporary is not None:
            self.cluster.volumes.all.pop(self.temporary, None)
            self.temporary = None

    def writes_to(self, volume: str) -> bool:
        """Whether a backup is on its way there, or a schedule sends some."""
        return (self._backup or {}).get("volume") == volume or any(
            row.get("volume") == volume for row in self.schedules.values()
        )

    # -- backups and restores ------------------------------------------------------------------------------

    def begin_backup(self, volume: str, volume_id: int, level: int, expires: float | None) -> None:
        cluster = self.cluster
        if self.state != "running":
            raise refusal(cluster.settings, "database_not_running", name=self.name)
        if self.operation != "None":
            raise refusal(cluster.settings, "database_busy", name=self.name, operation=self.operation)
        if level and self.history.base(volume, level) is None:
            raise refusal(cluster.settings, "no_base", name=self.name, volume=volume)
        self.begin_operation("Backup", cluster.timing["backup"])
        self._backup = {"volume": volume, "volume_id": volume_id, "level": level, "expires": expires}
        self._show("Backup", volume_id, level, cluster.timing["backup"])
        self._log("Backup started.")

    def _operation_done(self) -> None:
        backup, self._backup = self._backup, None
        if backup is not None:
            fault = self.cluster.faults.on_machine("fails_backup", self._names())
            if fault is not None:
                self._ended(fault.text or "Backup has failed")
                self._log(fault.text or "Backup has failed.", "Error")
            else:
                self.history.add(**backup)
                if self.cluster.settings["backup_expiry_removal"]:
                    self.history.remove_expired()
                self._ended("Backup has been successfully finished", 100)
                self._log("Backup finished.")
        elif self.operation == "Restore":
            self._ended("Restore has been successfully finished", 100)
        super()._operation_done()

    def abort_operation(self) -> None:
        if self.progress is not None:
            self._ended(f"{self.operation} has been aborted")
        super().abort_operation()

    def restore(self, backup: Any, kind: str) -> None:
        """Down it must be; it comes up with the backup's data."""
        timing = self.cluster.timing
        if self.state != "setup":
            raise refusal(self.cluster.settings, "database_not_offline", name=self.name)
        if self.cluster.storage.state != "online":
            raise refusal(self.cluster.settings, "storage_offline")
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
        """db_backup_progress; empty where there was neither backup nor restore."""
        if self.progress is None:
            return {}
        row = dict(self.progress)
        seconds = row.pop("seconds")
        if seconds:
            row["Progress"] = min(99, int((self.cluster.clock.now() - self._began) / seconds * 100))
        return row
