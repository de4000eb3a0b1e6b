# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Volumes as EXAoperation administers and shows them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..common import volumes
from ..common.databases import Database
from ..common.sizes import GIB, gib

if TYPE_CHECKING:
    from .cluster import Cluster

DISK = "d03_storage"
_VOLUME = re.compile(r"^v(\d+)$")
_PROVED = ("disk", "name", "redundancy", "segments", "size", "state", "type")


class Volume(volumes.Volume):
    default_disk = DISK
    default_size = 100 * GIB

    def __init__(self, cluster: Cluster, number: int, name: str, options: dict[str, Any]) -> None:
        super().__init__(cluster, number, name, options)
        self.allowed_users = list(options.get("allowed_users") or [user.name for user in cluster.spec.users[:1]])
        self.readonly_users = list(options.get("readonly_users") or [])

    def layers(self) -> list[list[str]]:
        """The names of the nodes of each copy."""
        rows: list[list[str]] = [[] for _level in range(self.redundancy)]
        for index, segment in enumerate(self.segments()):
            rows[index // self.masters].append(segment["node"])
        return rows

    def info(self) -> dict[str, Any]:
        row = {
            "allowed_users": list(self.allowed_users),
            "app_io": self.app_io,
            "block_size": self.block_size // 1024,
            "disk": self.disk,
            "id": self.id,
            "int_io": self.int_io,
            "labels": list(self.labels),
            "masternodes": self.masters,
            "name": self.name,
            "nodes": list(self.nodes),
            "priority": self.priority,
            "readonly_users": list(self.readonly_users),
            "redundancy": self.redundancy,
            "segments": self.layers(),
            "size": gib(self.size),
            "state": self.state(),
            "type": "Data" if self.kind == "data" else "Archive",
            "users": self.users(),
        }
        if self.cluster.settings["volume_info_more"]:
            return row
        return {key: row[key] for key in _PROVED}

    def topology(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.kind,
            "disk": self.disk,
            "size": f"{round(self.size / GIB, 3)} GiB",
            "nodes": list(self.nodes),
            "num_master_nodes": self.masters,
            "redundancy": self.redundancy,
            "labels": list(self.labels),
            "priority": self.priority,
            "app_io_enabled": self.app_io,
            "int_io_enabled": self.int_io,
            "allowed_users": list(self.allowed_users),
            "readonly_users": list(self.readonly_users),
            "state": self.state(),
        }


class Volumes(volumes.Volumes):
    """The volumes by their numbers. Another name in a topology is a label."""

    volume = Volume

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self.suspended = {name for name, node in cluster.spec.nodes.items() if node.get("storage_suspended")}
        self._called: dict[str, int] = {}

    def build(self, rows: dict[str, dict[str, Any]]) -> None:
        wanted = {
            name: number_of(_VOLUME, name, options.get("id", options.get("vid"))) for name, options in rows.items()
        }
        # volumes with a number come first: the others take free numbers
        for name in sorted(rows, key=lambda one: wanted[one] is None):
            options = rows[name]
            if "labels" not in options and not _VOLUME.match(name):
                options = {**options, "labels": [f"#Name#{name}"]}
            self._called[name] = self.add("", {"labels": [], **options}, wanted[name]).id

    def known(self, which: Any) -> Volume | None:
        """A volume by its number, its name or its name in the topology."""
        number = which if isinstance(which, int) else number_of(_VOLUME, str(which), self._called.get(str(which)))
        found = self.all.get(number) if number is not None else None
        return found if isinstance(found, Volume) else None

    def suspend(self, node: str) -> None:
        """Raises UsageError."""
        cluster = self.cluster
        if node in self.suspended:
            raise cluster.refusal("node_suspended_already", name=node)
        if node in cluster.down:
            raise cluster.refusal("node_not_online", name=node)
        used = [one for one in cluster.databases.values() if one.up and self._serves(node, one)]
        if used:
            names = ", ".join(one.name for one in used)
            cluster.broken("storage-node-suspended-under-database", node, f"Up: {names}.")
            if cluster.settings["storage_suspend_in_use"] == "refuse":
                raise cluster.refusal("node_in_use", name=node, what=f"database {used[0].name}")
        self.suspended.add(node)
        for database in used:
            database.volume_lost(f"storage node {node} was suspended")
        cluster.wake()

    def resume(self, node: str) -> None:
        """Raises UsageError."""
        if node not in self.suspended:
            raise self.cluster.refusal("node_not_suspended", name=node)
        self.suspended.discard(node)
        self.node_came(node)
        self.cluster.wake()

    def _serves(self, node: str, database: Database) -> bool:
        return any(database.uses(volume) and node in volume.nodes for volume in self.all.values())


def number_of(pattern: re.Pattern[str], name: str, given: Any) -> int | None:
    if given is not None:
        return int(given)
    match = pattern.match(name)
    return int(match.group(1)) if match else None
