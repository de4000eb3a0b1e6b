# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Volumes of EXAStorage: nodes, redundancy, segments, users, and the conditions of changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Callable, ClassVar

from ...lowest import Lowest
from .backups import removed
from .sizes import GIB, size_of, size_text

if TYPE_CHECKING:
    from .base import ExasolCluster
    from .databases import Database

BLOCK = 4096
STRIPE = 262144


class Volume:
    """A volume. `blocks_per_node` is the size of one master segment; the size of the volume is that of all of them."""

    default_disk: ClassVar[str]
    default_size: ClassVar[int] = 10 * GIB
    stripe_size = STRIPE

    def __init__(self, cluster: ExasolCluster, number: int, name: str, options: dict[str, Any]) -> None:
        self.cluster, self.id, self.name = cluster, number, name
        labels = options.get("labels")
        self.labels = [f"#Name#{name}"] if labels is None else list(labels)
        self.kind = str(options.get("kind") or options.get("type") or "data").lower()
        if self.kind == "master":  # as st_volume_info has it
            self.kind = "data"
        self.disk = str(options.get("disk") or options.get("hdd_type") or self.default_disk)
        nodes = options.get("volume_nodes") or options.get("nodes")
        self.nodes = [cluster.node_called(one) for one in nodes] if nodes else list(cluster.spec.nodes)
        self.masters = int(options.get("num_master_nodes") or len(self.nodes))
        self.redundancy = int(options.get("redundancy") or 1)
        self.block_size = BLOCK
        size = size_of(options.get("size_bytes") or options.get("size") or self.default_size) or self.default_size
        self.blocks_per_node = max(1, size // BLOCK // max(1, self.masters))
        self.app_io = bool(options.get("app_io_enabled", options.get("app_io", True)))
        self.int_io = bool(options.get("int_io_enabled", options.get("int_io", True)))
        self.priority = int(options.get("priority", 10))
        owner = options.get("owner", 500)
        pair = owner if isinstance(owner, list) else [owner, options.get("group", 500)]
        self.owner, self.group = int(pair[0]), int(pair[-1])
        self.permissions = str(options.get("permissions") or "rwx------")
        self.shared = bool(options.get("shared", True))
        # A lock of EXAStorage itself has conditions, which return as long as their cause exists.
        self.locked = str(options.get("state", "")).upper() == "LOCKED" and not options.get("unlock_conditions")
        self.temporary = "temporary" in self.labels
        self._moving: dict[str, str] = {}
        """The nodes to which segments are being copied, each with its source."""
        self._unmade = 0
        """How many of the last copies are still being made."""
        self._lifted: set[str] = set()
        """Unlock conditions that an unlock has cleared, as long as their causes stay."""
        self._broken_off: list[Callable[[], None]] = []
        """Functions that end the recoveries that wait for a node."""

    @property
    def size(self) -> int:
        return self.blocks_per_node * self.block_size * self.masters

    def _of(self, up: bool) -> list[Database]:
        rows = [one for one in self.cluster.databases.values() if one.uses(self)]
        return [one for one in rows if one.up] if up else rows

    def users(self) -> list[str]:
        """The databases that have the volume open."""
        return [one.name for one in self._of(up=True)]

    def assigned(self) -> list[str]:
        return [one.name for one in self._of(up=False)]

    def _placed(self) -> Iterator[tuple[int, int, str, str | None]]:
        """Each segment: its copy, its index, its node, and the node that serves it; None before the copy is made."""
        for level in range(self.redundancy):
            for index in range(self.masters):
                node = self.nodes[(index + level) % len(self.nodes)]
                unmade = level >= self.redundancy - self._unmade
                yield level, index, node, None if unmade else self._moving.get(node, node)

    def segments(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for level, index, node, server in self._placed():
            state = self.cluster.volumes.node_state(node)
            rows.append(
                {
                    "end_block": str(self.blocks_per_node * (index + 1) - 1),
                    "index": str(index),
                    "node": node,
                    "nid": (index + level) % len(self.nodes),
                    "partitions": [],
                    "phys_nid": self.cluster.number(node),
                    "sid": str(len(rows)),
                    "start_block": str(self.blocks_per_node * index),
                    "state": "RECOVERING" if state == "ONLINE" and server != node else state,
                    "type": "MASTER" if level == 0 else str(self.cluster.settings["redundancy_type"]),
                    "vid": str(self.id),
                }
            )
        return rows

    def lost(self) -> list[int]:
        """The segments of which no copy is online."""
        up = self.cluster.volumes.node_state
        served = {index for _level, index, _node, server in self._placed() if server and up(server) == "ONLINE"}
        return sorted(set(range(self.masters)) - served)

    def causes(self) -> list[str]:
        """The causes for which EXAStorage locks the volume, each as the condition that ends the lock."""
        if self.cluster.storage.state != "online":
            return []
        return [f"segment {index} is online" for index in self.lost()]

    def conditions(self) -> list[str]:
        """The conditions that keep the volume locked. They end by themselves, unless a user clears them."""
        causes = self.causes()
        self._lifted &= set(causes)
        return [one for one in causes if one not in self._lifted]

    def unlock(self) -> None:
        """Unlocks the volume, whoever locked it. The causes stay."""
        conditions = self.conditions()
        if not self.locked and not conditions:
            raise self.refusal("volume_unlocked")
        self.locked = False
        self._lifted.update(conditions)

    def state(self) -> str:
        if self.locked or self.conditions():
            return "LOCKED"
        segments = self.segments()
        if all(row["state"] == "ONLINE" for row in segments):
            return "ONLINE"
        if self.lost():
            return str(self.cluster.settings["lost_state"]) if self.cluster.storage.state == "online" else "OFFLINE"
        recovering = any(row["state"] == "RECOVERING" for row in segments)
        return "RECOVERING" if recovering else str(self.cluster.settings["degraded_state"])

    def lost_without(self, nodes: set[str]) -> bool:
        """Whether some data is only on these nodes and on removed nodes."""
        there = set(self.cluster.machines) - nodes
        left = {index for _level, index, _node, server in self._placed() if server in there}
        return len(left) < self.masters

    def topology(self) -> dict[str, Any]:
        raise NotImplementedError

    # -- what may be done to it; each raises UsageError ---------------------------------------------------------

    def refusal(self, which: str, **values: Any) -> Exception:
        return self.cluster.refusal(which, name=self.name, **values)

    def workable(self) -> Volume:
        if self.locked or (self.conditions() and not self.lost()):
            raise self.refusal("volume_locked")
        if not self.int_io:
            raise self.refusal("volume_io")
        return self

    def unused(self) -> Volume:
        """Refuses changes that would take data away from a database that is up."""
        users = self.users()
        if users:
            self.cluster.broken("volume-changed-under-database", self.name, f"Up: {', '.join(users)}.")
            raise self.refusal("volume_in_use")
        return self

    def new_and_online(self, nodes: list[str]) -> None:
        for node in nodes:
            if node in self.nodes:
                raise self.refusal("volume_space", why=f"it is on node {node} already")
            if node in self.cluster.volumes.gone():
                raise self.cluster.refusal("node_not_online", name=node)

    def delete(self) -> None:
        """Deletes the volume, with the backups on it."""
        self.unused()
        databases = list(self.cluster.databases.values())
        if any(one.writes_to(self.name) for one in databases):
            raise self.refusal("volume_in_use")
        kept = self.assigned()
        if kept:
            self.cluster.broken("volume-deleted-under-data", self.name, f"Databases: {', '.join(kept)}.")
            if self.cluster.settings["volume_delete_under_data"] == "refuse":
                raise self.refusal("volume_in_use")
        removed(self.cluster, self.name)
        for database in databases:
            for backup in [one for one in database.history.all if one.volume_id == self.id]:
                database.history.remove(backup)
        self.cluster.volumes.remove(self.id)

    def enlarge(self, blocks: int) -> None:
        """By blocks of each master's segment."""
        self.workable().blocks_per_node += blocks

    def shrink(self, blocks: int) -> None:
        """By blocks of each master's segment."""
        self.workable()
        if blocks >= self.blocks_per_node:
            raise self.refusal("volume_space", why=f"it has {self.blocks_per_node} blocks per node")
        self.unused()
        used = max((one.used for one in self._of(up=False)), default=0)
        if used > (self.blocks_per_node - blocks) * self.block_size * self.masters:
            raise self.refusal("volume_space", why=f"{size_text(used)} of it are used")
        self.blocks_per_node -= blocks

    def append(self, nodes: list[str], masters: int) -> None:
        """Adds nodes, of which a number get master segments."""
        self.workable().new_and_online(nodes)
        self.nodes[self.masters : self.masters] = nodes[:masters]
        self.nodes += nodes[masters:]
        self.masters += masters

    def move(self, pairs: list[tuple[str, str]]) -> None:
        self.workable()
        for source, _target in pairs:
            if source not in self.nodes:
                raise self.refusal("volume_space", why=f"it is not on node {source}")
        self.new_and_online([target for _source, target in pairs])
        gone = self.cluster.volumes.gone()
        dead = [source for source, _target in pairs if source in gone]
        if dead and self.lost_without(gone):
            self.cluster.broken("only-copy-left-behind", self.name, f"Not online: {', '.join(dead)}.")
            if self.cluster.settings["move_only_copy"] == "refuse":
                raise self.refusal("volume_offline")
        for source, target in pairs:
            self.nodes[self.nodes.index(source)] = target
            self._moving[target] = self._moving.pop(source, source)
        self._after_recovery(lambda: self._moved([target for _source, target in pairs]))

    def _moved(self, nodes: list[str]) -> None:
        for node in nodes:
            self._moving.pop(node, None)

    def raise_redundancy(self, delta: int, nodes: list[str] | None = None) -> None:
        self.workable()
        more = [one for one in nodes or [] if one not in self.nodes]
        self.new_and_online(more)
        if self.redundancy + delta > len(self.nodes) + len(more):
            raise self.refusal("volume_space", why="there are not enough nodes")
        self.nodes += more
        self.redundancy += delta
        self._unmade += delta
        self._after_recovery(lambda: self._made(delta))

    def _made(self, copies: int) -> None:
        self._unmade = max(0, self._unmade - copies)

    def _after_recovery(self, action: Callable[[], None]) -> None:
        def end() -> None:
            if self.lost():
                self._broken_off.append(action)
            else:
                action()

        self.cluster.clock.after(self.cluster.timing["recovery"], end, "storage")

    def go_on(self) -> None:
        """Continues the recoveries that were interrupted."""
        actions, self._broken_off = self._broken_off, []
        for action in actions:
            self._after_recovery(action)

    def lower_redundancy(self, delta: int) -> None:
        self.workable()
        if self.redundancy - delta < 1:
            raise self.refusal("volume_space", why=f"its redundancy is {self.redundancy}")
        if self.state() != "ONLINE":
            self.cluster.broken("redundancy-lowered-while-degraded", self.name, "")
        self.redundancy -= delta
        self._made(delta)

    def set_io(self, app_io: bool, int_io: bool) -> None:
        if not app_io:
            for name in self.users():
                self.cluster.broken("volume-changed-under-database", self.name, f"I/O was switched off under {name}.")
        self.app_io, self.int_io = app_io, int_io


class Volumes:
    volume: ClassVar[type[Volume]]

    def __init__(self, cluster: ExasolCluster) -> None:
        self.cluster = cluster
        self.all: dict[int, Volume] = {}
        self._numbers = Lowest()
        self.recovering: set[str] = set()
        self.suspended: set[str] = set()

    def build(self, rows: dict[str, dict[str, Any]]) -> None:
        for name, options in rows.items():
            number = options.get("id", options.get("vid"))
            self.add(name, options, None if number is None else int(number))

    def add(self, name: str, options: dict[str, Any], number: int | None = None) -> Volume:
        number = self._numbers.take(number)
        try:
            self.all[number] = self.volume(self.cluster, number, name or f"v{number:04d}", options)
        except Exception:
            self._numbers.release(number)
            raise
        return self.all[number]

    def remove(self, number: int | None) -> None:
        """Removes the volume; does nothing if it is gone already."""
        if number is not None and self.all.pop(number, None) is not None:
            self._numbers.release(number)

    def named(self, name: str) -> Volume | None:
        return next((one for one in self.all.values() if one.name == name), None)

    def gone(self) -> set[str]:
        """The nodes whose segments can't be reached."""
        return self.cluster.down | self.suspended

    def node_state(self, node: str) -> str:
        removed = node not in self.cluster.machines
        if removed or node in self.gone() or self.cluster.storage.state != "online":
            return "OFFLINE"
        return "RECOVERING" if node in self.recovering else "ONLINE"

    def node_came(self, node: str) -> None:
        """Updates the segments of a node that came back."""
        if any(volume.redundancy > 1 and node in volume.nodes for volume in self.all.values()):
            self.recover(node)
        for volume in self.all.values():
            volume.go_on()

    def recover(self, node: str) -> None:
        self.recovering.add(node)
        self.cluster.clock.after(self.cluster.timing["recovery"], lambda: self.recovering.discard(node), "storage")
