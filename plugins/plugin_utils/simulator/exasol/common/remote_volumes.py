# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remote (archive) volumes: their data, and whether each node reaches them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, ClassVar

from ...cluster import UsageError
from ...record import without_user
from .backups import removed

if TYPE_CHECKING:
    from .base import ExasolCluster

FIRST = 10000  # an id is this plus a number from 1, and the name contains that number
STATES = {"online": "Online", "unmounted": "Unmounted", "broken": "Connection problem"}
TYPES = ("smb", "ftp", "sftp", "webhdfs", "webdav", "file", "s3", "gs", "azure")


def state_of(word: Any) -> str:
    """The servers' word for a state in the topology."""
    text = str(word)
    return STATES.get(text.lower(), text)


class RemoteVolume:
    def __init__(self, cluster: ExasolCluster, number: int, name: str, options: dict[str, Any]) -> None:
        self.cluster, self.id, self.name = cluster, number, name
        self.type = str(options.get("vol_type") or options.get("type") or "s3")
        self.url = str(options.get("url") or "")
        self.owner: Any = options.get("owner") or "root"
        self.username = str(options.get("username") or options.get("user") or "")
        self.labels = list(options.get("labels") or [])
        self.options: Any = options.get("options") or []
        self.allowed_users = list(options.get("allowed_users") or [])
        given = options.get("states")
        state = state_of(options.get("state", "online"))
        self.states = dict.fromkeys(cluster.spec.nodes, state)
        if isinstance(given, dict):
            self.states.update({str(node): state_of(one) for node, one in given.items()})
        elif isinstance(given, list):
            self.states.update(dict(zip(self.states, (state_of(one) for one in given))))

    def shown_states(self) -> list[str]:
        """The state for each online node, in the order of the nodes."""
        machines = [one for one in self.cluster.machines.values() if one.online and not one.license_server]
        return [self.states.get(one.name, "Online") for one in machines]

    @property
    def online(self) -> bool:
        return all(state == "Online" for state in self.shown_states())

    def info(self) -> dict[str, Any]:
        raise NotImplementedError

    def topology(self) -> dict[str, Any]:
        return {**self.info(), "url": without_user(self.url), "states": dict(self.states)}


class RemoteVolumes:
    volume: ClassVar[type[RemoteVolume]]

    def __init__(self, cluster: ExasolCluster) -> None:
        self.cluster = cluster
        self.all: dict[str, RemoteVolume] = {}
        for name, options in cluster.spec.remote_volumes.items():
            number = options.get("vid", options.get("remote_volume_id", options.get("id")))
            self.add(name, options, None if number is None else int(number))

    def add(self, name: str, options: dict[str, Any], number: int | None = None) -> RemoteVolume:
        taken = {one.id for one in self.all.values()}
        if number is None:
            number = next(one for one in range(FIRST + 1, FIRST + len(taken) + 2) if one not in taken)
        name = name or f"r{number - FIRST:04d}"
        volume = self.all[name] = self.volume(self.cluster, number, name, options)
        return volume

    def by_id(self, number: Any) -> RemoteVolume | None:
        return next((one for one in self.all.values() if str(one.id) == str(number)), None)

    def delete(self, volume: RemoteVolume) -> None:
        """Deletes the volume. Raises UsageError."""
        for database in self.cluster.databases.values():
            if database.writes_to(volume.name):
                raise self.cluster.refusal("volume_in_use", name=volume.name)
        removed(self.cluster, volume.name)
        del self.all[volume.name]

    def press(self, body: dict[str, Any]) -> Callable[[], Any]:
        """The admin endpoint's POST /remote. Raises UsageError."""
        volume, node = self.all.get(str(body.get("volume"))), body.get("node")
        if volume is None or not (node is None or node in volume.states) or "state" not in body:
            raise UsageError("Remote needs a remote volume, a state (online, unmounted, broken), and a node or none.")
        for name in volume.states if node is None else [str(node)]:
            volume.states[name] = state_of(body["state"])
        return lambda: {"volume": volume.name, "states": dict(volume.states)}
