# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EXAStorage volumes: nodes, redundancy, segments, who uses them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .sizes import size_of, size_text
from .topology import node_of

if TYPE_CHECKING:
    from .cluster import ConfdCluster

BLOCK = 4096
STRIPE = 262144
_GIB = 2**30


class Volume:
    """`blocks_per_node` is what one node's master segment holds; the size is that of all master segments."""

    def __init__(self, cluster: ConfdCluster, number: int, name: str, options: dict[str, Any]) -> None:
        self.cluster, self.id, self.name = cluster, number, name
        labels = options.get("labels")
        self.labels = [f"#Name#{name}"] if labels is None else list(labels)
        self.kind = str(options.get("kind") or options.get("type") or "data").lower()
        if self.kind == "master":  # as st_volume_info has it
            self.kind = "data"
        self.disk = str(options.get("disk") or options.get("hdd_type") or "disk1")
        nodes = options.get("volume_nodes") or options.get("nodes") or list(cluster.spec.nodes)
        self.nodes = [node_of(one) or str(one) for one in nodes]
        self.masters = int(options.get("num_master_nodes") or len(self.nodes))
        self.redundancy = int(options.get("redundancy") or 1)
        self.block_size = BLOCK
        size = size_of(options.get("size") or 10 * _GIB) or 10 * _GIB
        self.blocks_per_node = max(1, size // BLOCK // self.masters)
        self.app_io = bool(options.get("app_io_enabled", True))
        self.int_io = bool(options.get("int_io_enabled", True))
        self.priority = int(options.get("priority") or 10)
        self.owner, self.group = int(options.get("owner", 500)), int(options.get("group", 500))
        self.permissions = str(options.get("permissions") or "rwx------")
        self.shared = bool(options.get("shared", True))
        self.locked = str(options.get("state", "")).upper() == "LOCKED"
        self.temporary = "temporary" in self.labels

    @property
    def size(self) -> int:
        return self.blocks_per_node * self.block_size * self.masters

    def users(self) -> list[str]:
        """Databases that have it open."""
        return [one.name for one in self.cluster.databases.values() if one.state != "setup" and one.uses(self)]

    def assigned(self) -> list[str]:
        return [one.name for one in self.cluster.databases.values() if one.uses(self)]

    def segments(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for level in range(self.redundancy):
            for index in range(self.masters):
                node = self.nodes[(index + level) % len(self.nodes)]
                rows.append(
                    {
                        "end_block": str(self.blocks_per_node * (index + 1) - 1),
                        "index": str(index),
                        "nid": (index + level) % len(self.nodes),
                        "partitions": [],
                        "phys_nid": self.cluster.number(node),
                        "sid": str(len(rows)),
                        "start_block": str(self.blocks_per_node * index),
                        "state": self.cluster.volumes.node_state(node),
                        "type": "MASTER" if level == 0 else str(self.cluster.settings["redundancy_type"]),
                        "vid": str(self.id),
                    }
                )
        return rows

    def state(self, segments: list[dict[str, Any]]) -> str:
        if self.locked:
            return "LOCKED"
        if all(row["state"] == "ONLINE" for row in segments):
            return "ONLINE"
        whole = {row["index"] for row in segments if row["state"] == "ONLINE"}
        if len(whole) < self.masters:
            return "OFFLINE"
        recovering = any(row["state"] == "RECOVERING" for row in segments)
        return "RECOVERING" if recovering else str(self.cluster.settings["degraded_state"])

    def row(self, info: bool) -> dict[str, Any]:
        """As st_volume_list, or (`info`) as st_volume_info shows it."""
        segments = self.segments()
        unrecovered: dict[int, int] = {self.cluster.number(node): 0 for node in self.nodes}
        for segment in segments:
            unrecovered[segment["phys_nid"]] += segment["state"] != "ONLINE"
        return {
            "app_io_enabled": self.app_io,
            "block_distribution": "vertical",
            "block_size": size_text(self.block_size) if info else self.block_size,
            "bytes_per_block": self.block_size,
            "group": self.group,
            "hdd_type": self.disk,
            "hdds_per_node": 1,
            "id": str(self.id),
            "int_io_enabled": self.int_io,
            "labels": list(self.labels),
            "name": self.name,
            "nodes_list": [{"id": number, "unrecovered_segments": count} for number, count in unrecovered.items()],
            "num_master_nodes": self.masters,
            "owner": self.owner,
            "permissions": self.permissions,
            "priority": self.priority,
            "redundancy": self.redundancy,
            "segments": segments,
            "shared": self.shared,
            "size": size_text(self.size),
            "snapshots": [],
            "state": self.state(segments),
            "stripe_size": size_text(STRIPE) if info else STRIPE,
            "type": "MASTER" if self.kind == "data" else "ARCHIVE",
            "unlock_conditions": [],
            "use_crc": True,
            "users": [[30, False] for _user in self.users()],
            "volume_nodes": [self.cluster.number(node) for node in self.nodes],
        }

    def topology(self) -> dict[str, Any]:
        row = self.row(info=True)
        return {**row, "kind": self.kind, "id": self.id}


class Volumes:
    def __init__(self, cluster: ConfdCluster) -> None:
        self.cluster = cluster
        self.all: dict[int, Volume] = {}
        self.recovering: set[str] = set()

    def build(self, rows: dict[str, dict[str, Any]]) -> None:
        for name, options in rows.items():
            number = options.get("id", options.get("vid"))
            self.add(name, options, None if number is None else int(number))

    def add(self, name: str, options: dict[str, Any], number: int | None = None) -> Volume:
        if number is None:
            number = next(one for one in range(len(self.all) + 1) if one not in self.all)
        volume = Volume(self.cluster, number, name or f"v{number:04d}", options)
        self.all[number] = volume
        return volume

    def named(self, name: str) -> Volume | None:
        return next((one for one in self.all.values() if one.name == name), None)

    def node_state(self, node: str) -> str:
        if node in self.cluster.down or self.cluster.storage.state != "online":
            return "OFFLINE"
        return "RECOVERING" if node in self.recovering else "ONLINE"

    def node_came(self, node: str) -> None:
        """Its segments are brought up to date."""
        if any(volume.redundancy > 1 and node in volume.nodes for volume in self.all.values()):
            self.recovering.add(node)
            seconds = self.cluster.timing["recovery"]
            self.cluster.clock.after(seconds, lambda: self.recovering.discard(node), "storage")
