# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Volumes as ConfD's jobs show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..common import volumes
from ..common.sizes import size_of, size_text

if TYPE_CHECKING:
    from ..common.base import ExasolCluster


def row(volume: volumes.Volume, info: bool) -> dict[str, Any]:
    """The volume in the form of st_volume_list, or (`info`) of st_volume_info."""
    segments = volume.segments()
    unrecovered: dict[int, int] = {volume.cluster.number(node): 0 for node in volume.nodes}
    for segment in segments:
        unrecovered[segment["phys_nid"]] += segment["state"] != "ONLINE"
    return {
        "app_io_enabled": volume.app_io,
        "block_distribution": "vertical",
        "block_size": size_text(volume.block_size) if info else volume.block_size,
        "bytes_per_block": volume.block_size,
        "group": volume.group,
        "hdd_type": volume.disk,
        "hdds_per_node": 1,
        "id": str(volume.id),
        "int_io_enabled": volume.int_io,
        "labels": list(volume.labels),
        "name": volume.name,
        "nodes_list": [{"id": number, "unrecovered_segments": count} for number, count in unrecovered.items()],
        "num_master_nodes": volume.masters,
        "owner": volume.owner,
        "permissions": volume.permissions,
        "priority": volume.priority,
        "redundancy": volume.redundancy,
        "segments": [{key: value for key, value in one.items() if key != "node"} for one in segments],
        "shared": volume.shared,
        "size": size_text(volume.size),
        "snapshots": [],
        "state": volume.state(),
        "stripe_size": size_text(volume.stripe_size) if info else volume.stripe_size,
        "type": "MASTER" if volume.kind == "data" else "ARCHIVE",
        "unlock_conditions": volume.conditions(),
        "use_crc": True,
        "users": [[30, False] for _user in volume.users()],
        "volume_nodes": [volume.cluster.number(node) for node in volume.nodes],
    }


class Volume(volumes.Volume):
    default_disk = "disk1"

    def __init__(self, cluster: ExasolCluster, number: int, name: str, options: dict[str, Any]) -> None:
        super().__init__(cluster, number, name, options)
        size = self.size
        self.block_size = size_of(options.get("block_size")) or volumes.BLOCK
        self.stripe_size = size_of(options.get("stripe_size")) or volumes.STRIPE
        self.blocks_per_node = max(1, size // self.block_size // max(1, self.masters))

    def causes(self) -> list[str]:
        suspended = self.cluster.volumes.suspended
        nodes = [self.cluster.number(node) for node in self.nodes if node in suspended]
        return [*(f"node {number} is resumed" for number in nodes), *super().causes()]

    def topology(self) -> dict[str, Any]:
        return {**row(self, info=True), "kind": self.kind, "id": self.id}


class Volumes(volumes.Volumes):
    volume = Volume

    def suspend(self, node: str) -> None:
        """Locks the volumes with a part on it. Raises UsageError."""
        cluster, there = self.cluster, [one for one in self.all.values() if node in one.nodes]
        users = [name for one in there for name in one.users()]
        if node in cluster.down:
            raise cluster.refusal("node_not_online", name=node)
        if users:
            cluster.broken("node-off-under-volume", node, f"Up: {', '.join(users)}.")
            raise cluster.refusal("node_in_use", name=node, what=f"database {users[0]}")
        self.suspended.add(node)

    def resume(self, node: str) -> None:
        """Resumes the volumes with a part on the node. Raises UsageError."""
        if node not in self.suspended:
            raise self.cluster.refusal("node_not_suspended", name=node)
        self.suspended.discard(node)
        self.node_came(node)
