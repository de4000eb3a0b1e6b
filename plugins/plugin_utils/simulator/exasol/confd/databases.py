# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Databases as ConfD administers them: the shared states, and volumes, parameters, backups, restores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..common import redundancy
from ..common.databases import PORT, Database, ranges
from ..common.sizes import size_text

if TYPE_CHECKING:
    from ..common.volumes import Volume
    from .cluster import ConfdCluster

PARAMETERS = (
    "version", "mem_size", "port", "auto_start", "enable_auditing", "interfaces", "jdbc_urls", "ldap_server",
    "master_database", "owner", "params", "volume_quota", "volume_move_delay", "initial_sql", "cache_volume_disk",
    "cloud_data_volume_name", "cloud_data_storage", "db_uuid", "oracle_url", "snapshot_sync_volume",
    "max_system_heap_memory", "default_sys_passwd_hash", "additional_sys_passwd_hashes",
)  # fmt: skip
_HASHES = ("default_sys_passwd_hash", "additional_sys_passwd_hashes")


class ConfdDatabase(Database):
    cluster: ConfdCluster

    def __init__(self, cluster: ConfdCluster, name: str, options: dict[str, Any], index: int) -> None:
        config = {key: options[key] for key in PARAMETERS if options.get(key) is not None}
        config.setdefault("port", PORT + index)
        config.setdefault("version", cluster.spec.version)
        config.setdefault("mem_size", "2 GiB")
        self.config = config
        self.given_string = options.get("connection_string")
        self.told_up = False
        """Whether it was connectable when the quorum was lost, and nothing has changed that state since (EXA-3)."""
        self.suspended: set[str] = set(options.get("suspended_nodes") or [])
        volume = self._volume_of(cluster, options, index)
        active = options.get("nodes") or list(cluster.spec.nodes)
        string = self.given_string or ranges([cluster.machines[one].address for one in active], int(config["port"]))
        super().__init__(
            cluster,
            name,
            {"used": "6.7109 MiB", **options, "nodes": active, "connection_string": string},
            index,
            volume.id,
        )
        self.schedules = {key: dict(row or {}) for key, row in cluster.spec.schedules.get(name, {}).items()}
        self.keep_on(volume)

    def _volume_of(self, cluster: ConfdCluster, options: dict[str, Any], index: int) -> Volume:
        name = options.get("data_volume_name") or options.get("persistent volume")
        if options.get("data_volume_id") is not None:
            return cluster.volumes.all[int(options["data_volume_id"])]
        name = str(name or f"DataVolume{index + 1}")
        return cluster.volumes.named(name) or cluster.volumes.add(name, {"nodes": options.get("nodes")})

    def keep_on(self, volume: Volume) -> None:
        """Puts its data on this volume, whose label names the database."""
        if volume.id != self.volume_id:
            self.leave_volume()
        self.volume_id = volume.id
        if self._label not in volume.labels:
            volume.labels.append(self._label)

    def leave_volume(self) -> None:
        """Removes the label of the volume."""
        volume = self.data_volume
        if volume is not None and self._label in volume.labels:
            volume.labels.remove(self._label)

    @property
    def _label(self) -> str:
        return f"pub:{self.name}_persistent"

    # -- what is seen ------------------------------------------------------------------------------------

    def auto_start(self) -> bool:
        return bool(self.config.get("auto_start", self.cluster.settings["auto_start"]))

    def seen(self) -> ConfdDatabase:
        """Counts a read of the database."""
        self.cluster.clock.read(self.key)
        return self

    def info(self) -> dict[str, Any]:
        down = self._gone()
        volume, temporary = self.data_volume, self.temporary_volume
        up = self.state != "setup"
        row: dict[str, Any] = {
            "connectible": "Yes" if self.connectible or self._seems_up() else "No",
            "connection string": self.connection_string,
            "info": "; ".join(self.errors) or redundancy.told(self),
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

    def _usage(self, volume: Volume | None, used: int) -> list[dict[str, Any]]:
        if volume is None:
            return []
        share = size_text(volume.size // len(self.active))
        number = volume.id if self.cluster.settings["volume_id"] == "number" else str(volume.id)
        return [{"host": one, "size": share, "used": size_text(used), "volume id": number} for one in self.active]

    def topology(self) -> dict[str, Any]:
        row = {key: value for key, value in self.config.items() if key not in _HASHES}
        row.update(self.summary(), nodes=list(self.active), reserve=list(self.reserve))
        if self.data_volume is not None:
            row["data_volume_name"] = self.data_volume.name
        if self.suspended:
            row["suspended_nodes"] = sorted(self.suspended)
        return row

    def shown_state(self) -> str:
        return "running" if self._seems_up() else super().shown_state()

    def _seems_up(self) -> bool:
        return self.told_up and not self.cluster.quorum() and bool(self.cluster.settings["connectible_without_quorum"])

    # -- states --------------------------------------------------------------------------------------------

    def forget(self, node: str) -> None:
        """Removes a node that is no longer part of the cluster."""
        self.active = [one for one in self.active if one != node]
        self.reserve = [one for one in self.reserve if one != node]
        self.nodes.discard(node)
        self.suspended.discard(node)

    def tell_address(self) -> None:
        """Updates the connection string to the nodes and the port."""
        addresses = [self.cluster.machines[one].address for one in self.active]
        self.connection_string = ranges(addresses, int(self.config["port"]))

    def _gone(self) -> set[str]:
        return self.cluster.down | self.suspended

    def _fail_over(self) -> None:
        """Lets reserve nodes replace active nodes that are gone."""
        if self.state != "setup":
            return
        gone = self._gone()
        for index, node in enumerate(self.active):
            spare = next((one for one in self.reserve if one not in gone), None)
            if node in gone and spare is not None:
                self.active[index] = spare
                self.reserve[self.reserve.index(spare)] = node

    def force_stop(self) -> None:
        if self.state == "running":  # an orderly stop that isn't refused changes the state to shutdown
            self._is_stopped_during_operation()
            self.cluster.broken("database-stopped-by-force", self.name, "")
        super().force_stop()

    def abort_start(self, why: str) -> None:
        if self.state == "startup":
            self._down()
            self.errors = [why]
