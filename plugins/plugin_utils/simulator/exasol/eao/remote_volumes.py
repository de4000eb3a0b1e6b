# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remote volumes as EXAoperation administers them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..common import remote_volumes
from .volumes import number_of

if TYPE_CHECKING:
    from .cluster import Cluster


_REMOTE = re.compile(r"^r(\d+)$")

_OBJECT = re.compile(r"^remote\d+$")


class RemoteVolume(remote_volumes.RemoteVolume):
    """A remote volume. `name` is its own name (r0001), `object` its name below /cluster1 (remote1)."""

    def __init__(self, cluster: Cluster, number: int, name: str, options: dict[str, Any]) -> None:
        super().__init__(cluster, number, name, options)
        self.object = ""
        self.allowed_users = list(options.get("allowed_users") or [user.name for user in cluster.spec.users[:1]])
        self.readonly_users = list(options.get("readonly_users") or [])
        if isinstance(self.options, list):
            self.options = ",".join(str(one) for one in self.options)

    def info(self) -> dict[str, Any]:
        return {
            "allowed_users": list(self.allowed_users),
            "id": self.id,
            "labels": list(self.labels),
            "name": self.name,
            "object": self.object,
            "options": self.options,
            "readonly_users": list(self.readonly_users),
            "type": "Remote",
            "url": self.url,
            "user": self.username,
        }

    def topology(self) -> dict[str, Any]:
        row = {key: value for key, value in self.info().items() if key not in ("id", "name", "type", "user")}
        return {**row, "vid": self.id, "type": self.type, "username": self.username, "states": dict(self.states)}

    def shown_state(self) -> Any:
        """The worst state of all nodes, or the state of each node."""
        states = self.shown_states()
        if self.cluster.settings["remote_state"] == "list":
            return states
        return next((one for one in states if one != "Online"), "Online")


class RemoteVolumes(remote_volumes.RemoteVolumes):
    volume = RemoteVolume

    def __init__(self, cluster: Cluster) -> None:
        self._called: dict[str, int] = {}
        super().__init__(cluster)

    def add(self, name: str, options: dict[str, Any], number: int | None = None) -> Any:
        if number is None:
            given = number_of(_REMOTE, name, None)
            number = None if given is None else given + remote_volumes.FIRST
        named = bool(name) and not _REMOTE.match(name) and not _OBJECT.match(name)
        if named and "labels" not in options:
            options = {**options, "labels": [name]}
        volume: Any = super().add("", options, number)
        taken = {one.object for one in self.objects().values()}
        wanted = str(options.get("object") or (name if _OBJECT.match(name) else ""))
        free = (f"remote{one}" for one in range(1, len(self.all) + 1))
        volume.object = wanted or next(one for one in free if one not in taken)
        if name:
            self._called[name] = volume.id
        return volume

    def objects(self) -> dict[str, RemoteVolume]:
        """The volumes by their object names."""
        return {one.object: one for one in self.all.values() if isinstance(one, RemoteVolume) and one.object}

    def known(self, which: Any) -> RemoteVolume | None:
        """A volume by its number, name, object name or name in the topology."""
        number = which if isinstance(which, int) else self._called.get(str(which))
        found = self.all.get(str(which)) or self.objects().get(str(which)) or self.by_id(number)
        return found if isinstance(found, RemoteVolume) else None
