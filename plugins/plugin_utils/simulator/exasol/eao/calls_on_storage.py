# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects of EXAStorage: the service, its volumes and nodes, and remote volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..common import storage as storage_module
from ..common.sizes import GIB
from .resource import Blocked, Resource, call
from .volumes import DISK

if TYPE_CHECKING:
    from .cluster import Cluster
    from .remote_volumes import RemoteVolume
    from .volumes import Volume


class Field(NamedTuple):
    """A key of a dict that a call takes."""

    kind: type
    needed: bool
    meaning: str


_USERS = {
    "allowed_users": Field(list, True, "Users who may use the volume."),
    "labels": Field(list, False, "Labels of the volume."),
}
REMOTE_FIELDS = {
    **_USERS,
    "options": Field(str, False, "Options, separated by commas."),
    "password": Field(str, False, "Password there."),
    "readonly_users": Field(list, True, "Users who may read the volume."),
    "url": Field(str, True, "Where it is."),
    "user": Field(str, False, "User there."),
}
_VOLUME_USERS = {**_USERS, "readonly_users": Field(list, False, "Users who may read the volume.")}
VOLUME_FIELDS = {
    **_VOLUME_USERS,
    "block_size": Field(int, False, "KiB of a block."),
    "hdd_type": Field(str, True, "Disk of the nodes."),
    "masternodes": Field(int, True, "How many of the nodes are masters."),
    "nodes_list": Field(list, True, "Its nodes."),
    "priority": Field(int, False, "From 1 to 20, the highest."),
    "redundancy": Field(int, True, "How many copies."),
    "size": Field(int, True, "GiB."),
    "volume_type": Field(str, True, "Data or Archive."),
}
EDIT_VOLUME_FIELDS = {
    **_VOLUME_USERS,
    "add_master_nodes": Field(int, False, "How many of the new nodes are masters."),
    "add_nodes_list": Field(list, False, "Nodes that the volume gets."),
    "priority": Field(int, False, "From 1 to 20, the highest."),
    "redundancy": Field(int, True, "How many copies."),
}


def checked(cluster: Cluster, given: Any, fields: dict[str, Field], edit: bool | None = None) -> dict[str, Any]:
    """What a call was given as a dict, without what is None. Raises UsageError."""
    if not isinstance(given, dict):
        raise cluster.refusal("bad_value", name="settings", value=given)
    edit = fields is EDIT_VOLUME_FIELDS if edit is None else edit
    for name in given:
        if name not in fields:
            raise cluster.refusal("unknown_field", name=name)
    row = {name: value for name, value in given.items() if value is not None}
    for name, field in fields.items():
        if name not in row:
            if field.needed and not (edit and not cluster.settings["edit_needs_all"]):
                raise cluster.refusal("missing_field", name=name)
        elif not isinstance(row[name], field.kind) or (isinstance(row[name], bool) and field.kind is int):
            hidden = name == "password"
            raise cluster.refusal("bad_value", name=name, value="that" if hidden else row[name])
    return row


class StorageObject(Resource):
    zope_class = "storage.Storage"

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster, "storage")

    def child(self, name: str) -> Resource | None:
        if name in self.cluster.spec.nodes:
            return StorageNodeObject(self.cluster, name)
        volume = self.cluster.volumes.known(name)
        return StorageVolumeObject(self.cluster, volume) if volume is not None and volume.name == name else None

    def children(self) -> list[str]:
        return [*_names(self.cluster), *self.cluster.spec.nodes]

    @call("startEXAStorage", changing=True)
    def start_exastorage(self, ignored_nodes: Any = None) -> Any:
        """Start EXAStorage, except on the nodes of a list."""
        storage = self.cluster.storage
        names = [self.machine(node).name for node in ignored_nodes or []]
        storage.start(names)
        if not self.cluster.settings["storage_start_blocks"]:
            return "OK"

        def result() -> str:
            if storage.failed_with:
                raise self.cluster.refuse(storage.failed_with)
            return "OK"

        return Blocked(lambda: storage.state != "starting", result)

    @call("stopEXAStorage", changing=True)
    def stop_exastorage(self) -> Any:
        """Stop EXAStorage."""
        self.cluster.storage.stop()
        answer = self.cluster.settings["storage_stop_returns"]
        if not self.cluster.settings["storage_stop_blocks"]:
            return answer
        return Blocked(lambda: self.cluster.storage.state != "stopping", lambda: answer)

    @call("serviceIsOnline")
    def service_is_online(self) -> bool:
        """Whether EXAStorage is online."""
        answer = self.cluster.storage.state in ("online", "stopping")
        self.cluster.clock.read(storage_module.KEY)
        return answer

    @call("storageHasQuorum")
    def storage_has_quorum(self) -> bool:
        """Whether enough nodes serve EXAStorage."""
        answer = self.cluster.storage.quorum()
        self.cluster.clock.read(storage_module.KEY)
        return answer

    @call("serviceHasAutoRestartFlag")
    def service_has_auto_restart_flag(self) -> bool:
        """Whether the service is started again by itself."""
        return self.cluster.storage.auto_restart

    @call("setAutoRestartFlag", changing=True)
    def set_auto_restart_flag(self, flag: Any = True) -> None:
        """Have the service started again by itself, or not."""
        self.cluster.storage.auto_restart = bool(flag)

    @call("getVolumeList")
    def get_volume_list(self) -> Any:
        """Names of the volumes, remote ones among them."""
        self._need_storage()
        self.cluster.clock.read(storage_module.KEY)
        names = [*_names(self.cluster), *self.cluster.remote_volumes.all]
        if self.cluster.settings["volume_list"] == "list":
            return names
        return {name: self._known(name).info() for name in names}

    @call("getVolumeInfo")
    def get_volume_info(self, volume: Any) -> dict[str, Any]:
        """What is known of a volume, by its name or number, or of a remote one, by its object's name too."""
        self._need_storage()
        self.cluster.clock.read(storage_module.KEY)
        return dict(self._known(volume).info())

    def _known(self, which: Any) -> Any:
        cluster = self.cluster
        found = cluster.volumes.known(which) or cluster.remote_volumes.known(which)
        if found is None:
            raise cluster.refusal("unknown_volume", name=which)
        return found

    @call("getArchiveFilesystems")
    def get_archive_filesystems(self) -> dict[str, list[Any]]:
        """Archive volumes: kind, id and permissions of each."""
        self._need_storage()
        rows = {
            one.name: ["volume", one.id, "rw"] for one in self.cluster.volumes.all.values() if one.kind == "archive"
        }
        return {**rows, **{one.name: ["remote", one.id, "rw"] for one in self.cluster.remote_volumes.all.values()}}

    @call("addStorageVolume", changing=True)
    def add_storage_volume(self, settings: dict[str, Any]) -> str:
        """Create a volume; gives its name."""
        cluster = self.cluster
        self._need_storage()
        given = checked(cluster, settings, VOLUME_FIELDS)
        nodes = [self.machine(node).name for node in given["nodes_list"]]
        fits = {
            "hdd_type": given["hdd_type"] == DISK,
            "masternodes": 0 < given["masternodes"] <= len(nodes),
            "nodes_list": len(set(nodes)) == len(nodes) and not set(nodes) - set(cluster.spec.nodes),
            "redundancy": 0 < given["redundancy"] <= len(nodes),
            "size": given["size"] > 0,
            "volume_type": given["volume_type"] in ("Data", "Archive"),
            "priority": 1 <= given.get("priority", 10) <= 20,
        }
        for key, good in fits.items():
            if not good:
                raise cluster.refusal("bad_value", name=key, value=given.get(key))
        for node in nodes:
            if node in cluster.volumes.gone():
                raise cluster.refusal("node_not_online", name=node)
        options = {key: given[key] for key in given if key not in ("size", "masternodes", "nodes_list", "volume_type")}
        options.update(
            size=given["size"] * GIB,
            num_master_nodes=given["masternodes"],
            nodes=nodes,
            kind=given["volume_type"].lower(),
            labels=given.get("labels") or [],
        )
        return cluster.volumes.add("", options).name

    @call("volumeRemove", changing=True)
    def volume_remove(self, name: Any) -> None:
        """Remove a volume that nobody uses."""
        self._need_storage()
        volume = self.cluster.volumes.known(name)
        if volume is None:
            raise self.cluster.refusal("unknown_volume", name=name)
        volume.delete()

    def _need_storage(self) -> None:
        _need_storage(self.cluster)


class StorageVolumeObject(Resource):
    zope_class = "storage.StorageVolume"

    def __init__(self, cluster: Cluster, volume: Volume) -> None:
        super().__init__(cluster, volume.name)
        self.volume = volume

    def child(self, name: str) -> Resource | None:
        return StorageVolumeNodeObject(self.cluster, self.volume, name) if name in self.volume.nodes else None

    def children(self) -> list[str]:
        return list(self.volume.nodes)

    @call("getPermissions")
    def get_permissions(self) -> dict[str, list[str]]:
        """Who may use the volume, and who may read it."""
        return {"allowed_users": list(self.volume.allowed_users), "readonly_users": list(self.volume.readonly_users)}

    @call("checkPermissions")
    def check_permissions(self) -> bool:
        """Whether who asks may use the volume."""
        return self.caller.role in ("Administrator", "Master") or self.caller.login in self.volume.allowed_users

    @call("resizeVolume", changing=True)
    def resize_volume(self, size: int) -> None:
        """Make the volume larger by so many GiB."""
        _need_storage(self.cluster)
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise self.cluster.refusal("bad_value", name="size", value=size)
        # rounded, so that the size comes out as it was asked for
        wanted = round((self.volume.size + size * GIB) / self.volume.block_size / self.volume.masters)
        self.volume.enlarge(wanted - self.volume.blocks_per_node)

    @call("setIoState", changing=True)
    def set_io_state(self, app_io: bool, int_io: bool) -> None:
        """Switch I/O of applications and internal I/O on or off."""
        for name, value in (("app_io", app_io), ("int_io", int_io)):
            if not isinstance(value, bool):
                raise self.cluster.refusal("bad_value", name=name, value=value)
        _need_storage(self.cluster)
        self.volume.set_io(app_io, int_io)

    @call("moveNodes", changing=True)
    def move_nodes(self, nodes_map: dict[str, str]) -> None:
        """Move what is on nodes to others: a mapping of names."""
        if not isinstance(nodes_map, dict) or not nodes_map:
            raise self.cluster.refusal("bad_value", name="nodes_map", value=nodes_map)
        _need_storage(self.cluster)
        pairs = [(self.machine(one).name, self.machine(other).name) for one, other in nodes_map.items()]
        self.volume.move(pairs)

    @call("editStorageVolume", changing=True)
    def edit_storage_volume(self, settings: dict[str, Any]) -> list[str]:
        """Change a volume; gives the names of what was changed."""
        cluster, volume = self.cluster, self.volume
        _need_storage(cluster)
        given = checked(cluster, settings, EDIT_VOLUME_FIELDS)
        if not 1 <= given.get("priority", volume.priority) <= 20:
            raise cluster.refusal("bad_value", name="priority", value=given["priority"])
        nodes = [self.machine(node).name for node in given.get("add_nodes_list") or []]
        masters = given.get("add_master_nodes") or 0
        if not 0 <= masters <= len(nodes):
            raise cluster.refusal("bad_value", name="add_master_nodes", value=masters)
        delta = given.get("redundancy", volume.redundancy) - volume.redundancy
        if (nodes or delta) and volume.users() and cluster.settings["volume_edit_in_use"] == "refuse":
            raise volume.refusal("volume_in_use")
        if delta < 0:
            volume.lower_redundancy(-delta)
        if nodes:
            volume.append(nodes, masters)
        if delta > 0:
            volume.raise_redundancy(delta)
        changed = [key for key in ("add_master_nodes", "add_nodes_list") if given.get(key)]
        for key in ("allowed_users", "labels", "priority", "readonly_users"):
            if key in given and given[key] != getattr(volume, key):
                setattr(volume, key, given[key])
                changed.append(key)
        return [*changed, "redundancy"] if delta else changed


class StorageVolumeNodeObject(Resource):
    zope_class = "storage.StorageVolumeNode"

    def __init__(self, cluster: Cluster, volume: Volume, node: str) -> None:
        super().__init__(cluster, node)
        self.volume = volume

    def _segments(self) -> list[dict[str, Any]]:
        return [row for row in self.volume.segments() if row["node"] == self.name]

    @call("getAllSegments")
    def get_all_segments(self) -> list[str]:
        """Ids of the segments on this node."""
        return [row["sid"] for row in self._segments()]

    @call("getSegmentsDescriptions")
    def get_segments_descriptions(self) -> list[dict[str, Any]]:
        """The segments on this node."""
        keys = ("end_block", "index", "partitions", "sid", "start_block", "state", "type")
        size = self.volume.blocks_per_node * self.volume.block_size // 1024
        self.cluster.clock.read(storage_module.KEY)
        return [{**{key: row[key] for key in keys}, "segment_size": size} for row in self._segments()]

    @call("moveNode", changing=True)
    def move_node(self, destination: Any) -> None:
        """Move what is on this node to another one."""
        _need_storage(self.cluster)
        self.volume.move([(self.name, self.machine(destination).name)])

    @call("recoverNode", changing=True)
    def recover_node(self) -> None:
        """Make what is on this node again, from the other copies."""
        _need_storage(self.cluster)
        if self.volume.redundancy < 2:
            raise self.volume.refusal("volume_space", why="it has no other copy")
        if self.name in self.cluster.down:
            raise self.cluster.refusal("node_not_online", name=self.name)
        self.cluster.volumes.recover(self.name)

    @call("stopRecoverNode", changing=True)
    def stop_recover_node(self) -> None:
        """End that."""
        self.cluster.volumes.recovering.discard(self.name)


class StorageNodeObject(Resource):
    zope_class = "storage.StorageNode"

    @call("nodeIsSuspended")
    def node_is_suspended(self) -> bool:
        """Whether EXAStorage does without this node."""
        self.cluster.clock.read(storage_module.KEY)
        return self.name in self.cluster.volumes.suspended

    @call("suspendNode", changing=True)
    def suspend_node(self) -> None:
        """Have EXAStorage do without this node."""
        _need_storage(self.cluster)
        self.cluster.volumes.suspend(self.name)

    @call("resumeNode", changing=True)
    def resume_node(self) -> None:
        """Have EXAStorage use this node again."""
        _need_storage(self.cluster)
        self.cluster.volumes.resume(self.name)


class RemoteVolumeObject(Resource):
    zope_class = "storage.RemoteVolume"

    @property
    def _volume(self) -> RemoteVolume:
        return self.cluster.remote_volumes.objects()[self.name]

    @call("getVolumeId")
    def get_volume_id(self) -> Any:
        """The number that the volume has among all volumes."""
        return self._volume.id if self.cluster.settings["remote_volume_id"] == "int" else self._volume.name

    @call("state")
    def state(self) -> Any:
        """Whether the nodes reach the volume."""
        self.cluster.clock.read(f"remote {self._volume.name}")
        return self._volume.shown_state()

    @call("getProperties", role="User")
    def get_properties(self) -> Any:
        """What can be set on this object."""
        return {name: field.meaning for name, field in REMOTE_FIELDS.items()}

    @call("editRemoteVolume", changing=True)
    def edit_remote_volume(self, settings: dict[str, Any]) -> list[str]:
        """Change a remote volume; gives the names of what was changed."""
        volume, given = self._volume, checked(self.cluster, settings, REMOTE_FIELDS, edit=True)
        changed = ["password"] if "password" in given else []
        self.cluster.record.keep_secret(str(given.pop("password", None) or ""))
        for key, value in given.items():
            name = "username" if key == "user" else key
            if getattr(volume, name) != value:
                setattr(volume, name, value)
                changed.append(key)
        return sorted(changed)


def _names(cluster: Cluster) -> list[str]:
    return [volume.name for _number, volume in sorted(cluster.volumes.all.items())]


def _need_storage(cluster: Cluster) -> None:
    if cluster.storage.state not in ("online", "stopping"):
        raise cluster.refusal("storage_offline")
