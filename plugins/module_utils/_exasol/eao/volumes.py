# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Volumes with EXAoperation's calls (EAO-76, EAO-85, EAO-86, EAO-87, EAO-91, EAO-92, EAO-93).

EXAoperation only numbers volumes. A label keeps the name of a volume, in the same form as with ConfD.
"""

from __future__ import annotations

import re
from typing import Any, Optional

from ..._convergence.workers import gather
from ..._errors import ClusterError, NoSuchObject, Unsupported
from ..api import capabilities as can
from ..api.providers import EAO
from ..api.sizes import GIB, whole
from ..api.volume_names import FIRST_REMOTE, short
from ..api.volumes import ARCHIVE, DATA, NAME_LABEL, RemoteVolume, RemoteVolumeApi, Volume, VolumeApi, name_in, texts
from .connection import EaoConnection

STORAGE = "storage"

EDIT = "editStorageVolume"

BY_OPTION = ("s3", "webdav", "webhdfs")
BY_URL = ("ftp", "sftp", "smb")
"""Types of remote volumes: an option shows the first ones, the scheme of the URL the others."""


def volume_names(eao: EaoConnection, letter: str) -> list[str]:
    """The names of all volumes that begin with this letter: v for volumes of EXAStorage, r for remote ones."""
    found = eao.read("getVolumeList", of=STORAGE)
    names = list(found) if isinstance(found, (list, dict)) else None
    eao.expect(names is not None, "getVolumeList", found)
    return [str(name) for name in names or () if re.fullmatch(rf"{letter}\d+", str(name))]


def volume_info(eao: EaoConnection, name: str) -> dict[str, Any]:
    """The server's information about a volume."""
    found = eao.read("getVolumeInfo", name, of=STORAGE)
    eao.expect(isinstance(found, dict), "getVolumeInfo", found)
    return dict(found)


def unsupported(eao: EaoConnection, capability: str) -> Unsupported:
    return Unsupported(f"{eao.name}: {EAO.lacking[capability]}", failed_object=capability)


class EaoVolumes(VolumeApi):
    """The volumes of one cluster."""

    needs = ("disk", "nodes", "redundancy", "size", "allowed_users")
    grain = GIB
    names_are_labels = True
    calls = {
        "create": "addStorageVolume",
        "delete": "volumeRemove",
        "enlarge": "resizeVolume",
        "shrink": "resizeVolume",
        "append": EDIT,
        "move": "moveNodes",
        "raise": EDIT,
        "lower": EDIT,
        "add_labels": EDIT,
        "remove_labels": EDIT,
        "priority": EDIT,
        "allowed_users": EDIT,
        "readonly_users": EDIT,
        "io": "setIoState",
    }

    def __init__(self, eao: EaoConnection) -> None:
        self._eao = eao

    # -- reads

    def all(self) -> list[Volume]:
        names = volume_names(self._eao, "v")
        return list(gather(names, self._volume).values())

    def _volume(self, name: str) -> Volume:
        row = volume_info(self._eao, name)
        segments = row.get("segments")
        layers = [layer for layer in segments if isinstance(layer, list)] if isinstance(segments, list) else []
        named = row.get("nodes") or [node for layer in layers for node in layer]
        nodes = tuple(dict.fromkeys(str(node) for node in named))
        labels = texts(row.get("labels")) if "labels" in row else None
        number = whole(self._eao.name, row.get("id", name[1:]), f"getVolumeInfo of {name}: id")
        size = row.get("size")
        self._eao.expect(isinstance(size, (int, float)) and not isinstance(size, bool), "getVolumeInfo", row)
        users = row.get("users")
        priority = row.get("priority")
        return Volume(
            number,
            name_in(labels) or name,
            ARCHIVE if str(row.get("type", "")).lower() == "archive" else DATA,
            str(row.get("state") or ""),
            round(float(size or 0) * GIB),
            whole(self._eao.name, row.get("redundancy", 1), f"getVolumeInfo of {name}: redundancy"),
            nodes,
            whole(
                self._eao.name, row.get("masternodes") or len(layers[0] if layers else nodes), f"{name}: masternodes"
            ),
            disk=None if row.get("disk") is None else str(row["disk"]),
            users=len(users) if isinstance(users, list) else 0,
            labels=labels,
            app_io=row["app_io"] if isinstance(row.get("app_io"), bool) else None,
            int_io=row["int_io"] if isinstance(row.get("int_io"), bool) else None,
            priority=priority if isinstance(priority, int) else None,
            allowed_users=texts(row.get("allowed_users")),
            readonly_users=texts(row.get("readonly_users")),
            also=(name, *(labels or ())),
            copies={
                str(index): tuple(str(layer[index]) for layer in layers if index < len(layer))
                for index in range(max(map(len, layers), default=0))
            },
        )

    def known(self, change: str) -> None:
        """Every version has the same calls. For calls that none has, the provider lacks a capability."""

    def databases_of(self, volume: Volume) -> list[str]:
        found = []
        for name in self._eao.databases():
            try:
                info = self._eao.read("getDatabaseInfo", of=f"db_{name}")
            except NoSuchObject:  # older than 6.0: any database may use the volume
                return self._eao.databases()
            self._eao.expect(isinstance(info, dict), "getDatabaseInfo", info)
            if {str(info.get("persistent volume")), str(info.get("temporary volume"))} & set(volume.numbers):
                found.append(name)
        return found

    # -- changes

    @staticmethod
    def _v(volume: Volume) -> str:
        """The number of a volume in the form that calls take. Every existing volume has one."""
        return volume.numbers[1]

    def _path(self, volume: Volume) -> str:
        return f"{STORAGE}/{self._v(volume)}"

    def _edit(self, volume: Volume, **more: Any) -> None:
        """Changes some values of a volume. The call always needs the users and the redundancy too."""
        if volume.allowed_users is None:
            permissions = self._eao.read("getPermissions", of=self._path(volume))
            known = texts(permissions.get("allowed_users")) if isinstance(permissions, dict) else None
            self._eao.expect(known is not None, "getPermissions", permissions)
            volume = volume.with_(allowed_users=known)
        always = {"allowed_users": list(volume.allowed_users or ()), "redundancy": volume.redundancy}
        self._eao.change(EDIT, {**always, **more}, of=self._path(volume))

    def create(self, volume: Volume) -> None:
        given = {
            "allowed_users": list(volume.allowed_users or ()),
            "hdd_type": volume.disk,
            "labels": [f"{NAME_LABEL}{volume.name}"],
            "masternodes": volume.masters,
            "nodes_list": list(volume.nodes),
            "redundancy": volume.redundancy,
            "size": (volume.size or 0) // GIB,
            "volume_type": volume.type.capitalize(),
            "priority": volume.priority,
            "readonly_users": None if volume.readonly_users is None else list(volume.readonly_users),
        }
        self._eao.change(
            "addStorageVolume", {key: value for key, value in given.items() if value is not None}, of=STORAGE
        )

    def delete(self, volume: Volume) -> None:
        self._eao.change("volumeRemove", self._v(volume), of=STORAGE)

    def resize(self, volume: Volume, size: int) -> None:
        more = (size - (volume.size or 0)) // GIB
        if more < 0:
            raise unsupported(self._eao, can.VOLUME_SHRINK)
        self._eao.change("resizeVolume", more, of=self._path(volume))

    def append_nodes(self, volume: Volume, nodes: list[str]) -> None:
        self._edit(volume, add_nodes_list=nodes, add_master_nodes=len(nodes))

    def move_nodes(self, volume: Volume, pairs: list[tuple[str, str]]) -> None:
        self._eao.change("moveNodes", dict(pairs), of=self._path(volume))

    def set_redundancy(self, volume: Volume, redundancy: int) -> None:
        self._edit(volume, redundancy=redundancy)

    def set_labels(self, volume: Volume, add: list[str], remove: list[str]) -> None:
        kept = [label for label in volume.labels or () if label not in remove]
        self._edit(volume, labels=[*kept, *add])

    def set_io(self, volume: Volume, app_io: bool, int_io: bool) -> None:
        self._eao.change("setIoState", app_io, int_io, of=self._path(volume))

    def assign(self, volume: Volume, what: str, value: Any) -> None:
        if what not in self.calls:
            raise unsupported(self._eao, can.VOLUME_OWNER)
        self._edit(volume, **{what: list(value) if isinstance(value, tuple) else value})

    def lock(self, volume: Volume) -> None:
        raise unsupported(self._eao, can.VOLUME_LOCK)

    def unlock(self, volume: Volume) -> None:
        raise unsupported(self._eao, can.VOLUME_LOCK)

    def clear(self, volume: Volume, num_bytes: int, nodes: list[str]) -> None:
        raise unsupported(self._eao, can.VOLUME_CLEAR)


class EaoRemoteVolumes(RemoteVolumeApi):
    """The remote volumes of one cluster."""

    needs = ("url", "allowed_users")
    calls = {"create": "addRemoteVolume", "delete": "deleteSubObject", "edit": "editRemoteVolume"}

    def __init__(self, eao: EaoConnection) -> None:
        self._eao = eao
        self._objects: Optional[dict[int, str]] = None

    def all(self) -> list[RemoteVolume]:
        self._objects = None
        return [self._volume(name) for name in volume_names(self._eao, "r")]

    def _volume(self, name: str) -> RemoteVolume:
        row = volume_info(self._eao, name)
        labels = texts(row.get("labels"))
        number = whole(self._eao.name, row.get("id", FIRST_REMOTE + int(name[1:])), f"getVolumeInfo of {name}: id")
        options = texts(row.get("options"))
        kind = next((option for option in options or () if option in BY_OPTION), None)
        scheme = str(row.get("url") or "").partition(":")[0].lower()
        return RemoteVolume(
            number,
            name_in(labels) or name,
            str(row.get("object") or self._object(number)),
            kind or (scheme if scheme in BY_URL else None),
            None if row.get("url") is None else str(row["url"]),
            None if row.get("user") is None else str(row["user"]),
            labels=labels,
            options=None if options is None else tuple(option for option in options if option not in BY_OPTION),
            allowed_users=texts(row.get("allowed_users")),
            readonly_users=texts(row.get("readonly_users")),
            also=(name, *(labels or ())),
        )

    def _object(self, number: int) -> str:
        """The name of the object of the remote volume with this number.

        :raises ClusterError: if the server lists no such object.
        """
        if self._objects is None:
            names = self._eao.read("listObjects")
            self._eao.expect(isinstance(names, list), "listObjects", names)
            self._objects = {}
            for name in names:
                if re.fullmatch(r"remote\d+", str(name)):
                    said = str(self._eao.read("getVolumeId", of=str(name)))
                    known = whole(self._eao.name, said.lstrip("r"), f"getVolumeId of {name}")
                    self._objects[known + (FIRST_REMOTE if said.startswith("r") else 0)] = str(name)
        if number not in self._objects:
            raise ClusterError(
                f"{self._eao.name}: EXAoperation lists no object of remote volume {short(number)}", number="DBF-3001"
            )
        return self._objects[number]

    def states(self, volume: RemoteVolume) -> list[str]:
        said = self._eao.read("state", of=volume.key)
        return [str(word) for word in said] if isinstance(said, list) else [str(said)]

    def _settings(self, volume: RemoteVolume, password: Optional[str]) -> dict[str, Any]:
        options = [*(volume.options or ()), *([volume.vol_type] if volume.vol_type in BY_OPTION else ())]
        given = {
            "allowed_users": list(volume.allowed_users or ()),
            "readonly_users": list(volume.readonly_users or ()),
            "url": volume.url,
            "labels": list(volume.labels or ()),
            "options": ",".join(dict.fromkeys(options)),
            "user": volume.username,
            "password": password,
        }
        return {key: value for key, value in given.items() if value is not None}

    def refusal(self, volume: RemoteVolume) -> Optional[str]:
        if volume.s3_access_key is not None:
            return "EXAoperation has no s3_access_key; give username and password"
        kind, scheme = volume.vol_type, (volume.url or "").partition(":")[0].lower()
        if kind is None or kind in BY_OPTION or (kind in BY_URL and scheme == kind):
            return None
        if kind in BY_URL:
            return f"EXAoperation takes the type {kind} from the URL, which must begin with {kind}://"
        return f"EXAoperation has no remote volumes of type {kind}; it has {', '.join((*BY_URL, *BY_OPTION))}"

    def create(self, volume: RemoteVolume, password: Optional[str]) -> None:
        named = volume.with_(labels=(f"{NAME_LABEL}{volume.name}", *(volume.labels or ())))
        self._eao.change("addRemoteVolume", self._settings(named, password))

    def edit(self, volume: RemoteVolume, password: Optional[str]) -> None:
        self._eao.change("editRemoteVolume", self._settings(volume, password), of=volume.key)

    def delete(self, volume: RemoteVolume) -> None:
        self._eao.change("deleteSubObject", volume.key)
