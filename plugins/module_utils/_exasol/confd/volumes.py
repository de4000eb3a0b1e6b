# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Volumes by ConfD's jobs, local and remote. Source: docs/sources/confd.md, volume jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Optional

from ..._errors import ClusterError, Denied, Unsupported
from ..api import capabilities as can
from ..api.providers import CONFD
from ..api.sizes import LARGEST, size_of, size_text, whole
from ..api.volume_names import short
from ..api.volumes import ARCHIVE, DATA, ONLINE, RemoteVolume, RemoteVolumeApi, Volume, VolumeApi, name_in, texts
from .answers import is_database, is_names, is_nodes, is_rows, is_volumes, is_words, nodes_of, or_none
from .jobs import ConfdJobs
from .jobs_under_way import JobsUnderWay

MASTER = "MASTER"

SETTERS: Mapping[str, tuple[str, Callable[[Any], dict[str, Any]]]] = {
    "priority": ("st_volume_set_priority", lambda value: {"prio": value}),
    "shared": ("st_volume_set_shared", lambda value: {"shared": value}),
    "permissions": ("st_volume_change_permissions", lambda value: {"mode": value}),
    "owner": ("st_volume_change_owner", lambda value: {"vol_user": value[0], "vol_grp": value[1]}),
}

DETAILS = "remote_volume_list_details"
INFO = "remote_volume_info"
"""Jobs that show more of remote volumes than their names. The documents of 6.2 have neither (CONFD-155)."""


class ConfdVolumes(VolumeApi):
    """The volumes of one cluster.

    A change that may take long is submitted, so that no connection has to last as long. The run doesn't wait for jobs
    that move data in the background: the segments show their progress.
    """

    needs = ("disk", "nodes", "redundancy", "size")
    calls = {
        "create": "st_volume_create",
        "delete": "st_volume_delete",
        "enlarge": "st_volume_enlarge",
        "shrink": "st_volume_shrink",
        "append": "st_volume_append_node",
        "move": "st_volume_move_node",
        "raise": "st_volume_increase_redundancy",
        "lower": "st_volume_decrease_redundancy",
        "add_labels": "st_volume_add_label",
        "remove_labels": "st_volume_remove_label",
        "io": "st_volume_set_io_status",
        "lock": "st_volume_lock",
        "unlock": "st_volume_unlock",
        "clear": "st_volume_clear_data",
        **{what: job for what, (job, _params) in SETTERS.items()},
    }

    def __init__(
        self,
        jobs: ConfdJobs,
        work: JobsUnderWay,
        node_ids: Callable[[list[str]], list[int]],
        known: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """
        :param known: node -> number, for the nodes that were read before.
        """
        self._jobs = jobs
        self._work = work
        self._node_ids = node_ids
        self._names: dict[int, str] = {number: name for name, number in known.items()}

    # -- reads

    def all(self) -> list[Volume]:
        return [self._volume(row) for row in self._jobs.read("st_volume_list", fits=is_volumes)]

    def _number(self, row: Mapping[str, Any], key: str) -> Optional[int]:
        value = row.get(key)
        return None if value is None else whole(self._jobs.name, value, f"st_volume_list: {key}")

    def _volume(self, row: Mapping[str, Any]) -> Volume:
        number = whole(self._jobs.name, row["id"], "st_volume_list: id")
        labels = texts(row.get("labels"))
        nodes = [whole(self._jobs.name, node, "st_volume_list: volume_nodes") for node in row.get("volume_nodes") or ()]
        segments = [one for one in row.get("segments") or () if isinstance(one, dict)]
        masters = self._number(row, "num_master_nodes") or len(nodes) or 1
        block = self._number(row, "bytes_per_block") or size_of(row.get("block_size")) or 1
        owner = (self._number(row, "owner"), self._number(row, "group"))
        users = row.get("users")
        stripe = row.get("stripe_size")
        return Volume(
            number,
            str(row.get("name") or name_in(labels) or short(number)),
            ARCHIVE if str(row.get("type", "")).upper() == "ARCHIVE" else DATA,
            str(row.get("state") or ""),
            self._size(segments, block) or size_of(row.get("size")),
            self._number(row, "redundancy") or 1,
            tuple(self._names_of(nodes)),
            masters,
            block,
            (stripe if isinstance(stripe, int) else size_of(stripe) or 0) * masters,
            None if row.get("hdd_type") is None else str(row["hdd_type"]),
            tuple(self._away(segments)),
            len(users) if isinstance(users, list) else 0,
            labels,
            _flag(row.get("app_io_enabled")),
            _flag(row.get("int_io_enabled")),
            self._number(row, "priority"),
            _flag(row.get("shared")),
            None if row.get("permissions") is None else str(row["permissions"]),
            None if None in owner else tuple(part for part in owner if part is not None),
            unlock_conditions=_conditions(row["unlock_conditions"]) if "unlock_conditions" in row else None,
            copies=self._copies(segments),
        )

    def _copies(self, segments: list[dict[str, Any]]) -> dict[str, tuple[str, ...]]:
        """Segment -> the nodes on which it is ONLINE, which may be none."""
        found: dict[str, list[str]] = {}
        for segment in segments:
            index, node = segment.get("index"), self._number(segment, "phys_nid")
            if index is not None and node is not None:
                holders = found.setdefault(str(index), [])
                if str(segment.get("state", ONLINE)).upper() == ONLINE:
                    holders += self._names_of([node])
        return {index: tuple(holders) for index, holders in found.items()}

    def _size(self, segments: list[dict[str, Any]], block: int) -> int:
        """The size by the segments, because the server's text may be rounded."""
        blocks = 0
        for segment in segments:
            if str(segment.get("type", "")).upper() == MASTER:
                first, last = self._number(segment, "start_block"), self._number(segment, "end_block")
                if first is None or last is None:
                    return 0
                blocks += last - first + 1
        return blocks * block

    def _away(self, segments: list[dict[str, Any]]) -> list[str]:
        found = []
        for segment in segments:
            state = str(segment.get("state", ONLINE))
            if state.upper() != ONLINE:
                node = self._number(segment, "phys_nid")
                found.append(f"{self._names_of([node])[0] if node is not None else 'a segment'} {state}")
        return list(dict.fromkeys(found))

    def _names_of(self, numbers: list[int]) -> list[str]:
        """The names of the nodes with these numbers. Reads the nodes if a number is new."""
        if any(number not in self._names for number in numbers):
            try:
                rows = self._jobs.read("node_list", fits=is_nodes)
            except Denied:  # a user who may read volumes may lack the right to read nodes (CONFD-52, CONFD-53)
                rows = {}
            self._names.update({node.number: node.name for node in nodes_of(rows)})
            for number in numbers:
                self._names.setdefault(number, f"n{number}")
        return [self._names[number] for number in numbers]

    def databases_of(self, volume: Volume) -> list[str]:
        called = {volume.name, *volume.numbers}
        found = []
        for name in self._jobs.read("db_list", fits=is_names):
            info = self._jobs.read("db_info", {"db_name": name}, of=name, fits=is_database)
            if {str(info.get("persistent volume")), str(info.get("temporary volume"))} & called:
                found.append(name)
        return found

    # -- changes

    def _run(self, job: str, volume: Volume, **given: Any) -> None:
        self._jobs.run(job, {"vid": volume.id, **given}, of=volume.name)

    def _submit(self, job: str, volume: Volume, **given: Any) -> None:
        self._work.submit(job, {"vid": volume.id, **given}, of=volume.name)

    def error_of(self, name: str) -> str:
        return self._work.error_of(name)

    def news(self, names: list[str]) -> list[str]:
        return self._work.news(names)

    def known(self, change: str) -> None:
        self._jobs.help(self.calls[change])

    def create(self, volume: Volume) -> None:
        given = {
            "name": volume.name,
            "type": volume.type,
            "size": size_text(volume.size),
            "disk": volume.disk,
            "nodes": self._node_ids(list(volume.nodes)),
            "redundancy": volume.redundancy,
            "num_master_nodes": volume.masters,
            "priority": volume.priority,
            "shared": volume.shared,
            "permissions": volume.permissions,
            "owner": None if volume.owner is None else list(volume.owner),
        }
        self._jobs.run(
            "st_volume_create", {key: value for key, value in given.items() if value is not None}, of=volume.name
        )

    def delete(self, volume: Volume) -> None:
        self._run("st_volume_delete", volume)

    def resize(self, volume: Volume, size: int) -> None:
        more = (size - (volume.size or 0)) // volume.grain
        job = "st_volume_enlarge" if more > 0 else "st_volume_shrink"
        left = abs(more)
        while left:
            try:
                self._run(job, volume, blocks_per_node=min(left, LARGEST))
            except ClusterError as error:
                error.partly = left < abs(more)
                raise
            left -= min(left, LARGEST)

    def append_nodes(self, volume: Volume, nodes: list[str]) -> None:
        self._submit("st_volume_append_node", volume, node_num=len(nodes), node_ids=self._node_ids(nodes))

    def move_nodes(self, volume: Volume, pairs: list[tuple[str, str]]) -> None:
        sources, targets = ([pair[side] for pair in pairs] for side in (0, 1))
        self._submit(
            "st_volume_move_node", volume, src_nodes=self._node_ids(sources), dst_nodes=self._node_ids(targets)
        )

    def set_redundancy(self, volume: Volume, redundancy: int) -> None:
        delta = redundancy - volume.redundancy
        job = "st_volume_increase_redundancy" if delta > 0 else "st_volume_decrease_redundancy"
        nodes = self._jobs.help(job).parameters.get("nodes")
        # Without nodes the server spreads the copies over those of the volume. 6.2 requires them.
        where = {"nodes": self._node_ids(list(volume.nodes))} if nodes and nodes.mandatory else {}
        self._submit(job, volume, delta=abs(delta), **where)

    def set_labels(self, volume: Volume, add: list[str], remove: list[str]) -> None:
        for job, labels in (("st_volume_add_label", add), ("st_volume_remove_label", remove)):
            for label in labels:
                self._jobs.execute(job, {"vid": volume.id, "label": label}, of=volume.name)

    def set_io(self, volume: Volume, app_io: bool, int_io: bool) -> None:
        given = {"vid": volume.id, "app_io": app_io, "int_io": int_io}
        self._jobs.execute("st_volume_set_io_status", given, of=volume.name)

    def assign(self, volume: Volume, what: str, value: Any) -> None:
        job, params = SETTERS[what]
        self._jobs.execute(job, {"vid": volume.id, **params(value)}, of=volume.name)

    def lock(self, volume: Volume) -> None:
        self._jobs.execute("st_volume_lock", {"vid": volume.id}, of=volume.name)

    def unlock(self, volume: Volume) -> None:
        self._jobs.execute("st_volume_unlock", {"vid": volume.id}, of=volume.name)

    def clear(self, volume: Volume, num_bytes: int, nodes: list[str]) -> None:
        chosen = self._node_ids(nodes or list(volume.nodes))
        self._run("st_volume_clear_data", volume, num_bytes=num_bytes, node_ids=chosen)


def _conditions(told: Any) -> tuple[str, ...]:
    """Texts stay as they are, structs become names and values, nil is empty: the form isn't known (CONFD-200)."""
    if isinstance(told, dict):
        told = [told] if told else []
    if not isinstance(told, (list, tuple)):
        return () if told in (None, "") else (str(told),)
    return tuple(
        " ".join(f"{key} {value}" for key, value in one.items()) if isinstance(one, dict) else str(one) for one in told
    )


def _flag(value: Any) -> Optional[bool]:
    return value if isinstance(value, bool) else None


def _are_named(value: Any) -> bool:
    return is_rows(value) and all(row.get("name") for row in value)


def _text(value: Any) -> Optional[str]:
    return None if value is None else str(value)


class ConfdRemoteVolumes(RemoteVolumeApi):
    """The remote volumes of one cluster."""

    needs = ("vol_type", "url")
    calls = {"create": "remote_volume_add", "delete": "remote_volume_remove", "edit": ""}

    def __init__(self, jobs: ConfdJobs) -> None:
        self._jobs = jobs
        self._known: Optional[list[str]] = None

    def all(self) -> list[RemoteVolume]:
        if self._known is None:
            self._known = self._jobs.names()
        if DETAILS in self._known:
            return [self._volume(row) for row in self._jobs.read(DETAILS, fits=or_none(_are_named)) or []]
        names = self._jobs.read("remote_volume_list", fits=or_none(is_names)) or []
        if INFO not in self._known:
            return [RemoteVolume(None, name, name) for name in names]
        return [self._volume(self._info(name), name) for name in names]

    def _info(self, name: str) -> Any:
        return self._jobs.read(INFO, {"remote_volume_name": name}, of=name, fits=lambda row: isinstance(row, dict))

    def _volume(self, row: Mapping[str, Any], name: str = "") -> RemoteVolume:
        name = str(row.get("name") or name)
        number = row.get("vid", row.get("id"))
        said = {key: row.get(key) for key in ("url", "username", "owner")}
        lists = {key: texts(row.get(key)) for key in ("labels", "options", "allowed_users")}
        return RemoteVolume(
            None if number is None else whole(self._jobs.name, number, f"remote volume {name}: vid"),
            name,
            name,
            _text(row.get("type", row.get("vol_type"))),
        ).with_(**{key: _text(value) for key, value in said.items()}, **lists)

    def states(self, volume: RemoteVolume) -> list[str]:
        given = {"remote_volume_name": volume.name}
        said = self._jobs.read("remote_volume_state", given, of=volume.name, fits=is_words)
        return said if isinstance(said, list) else [said]

    def create(self, volume: RemoteVolume, password: Optional[str]) -> None:
        given = {
            "vol_type": volume.vol_type,
            "url": volume.url,
            "username": volume.username,
            "s3_access_key": volume.s3_access_key,
            "password" if volume.s3_access_key is None else "s3_secret_key": password,
            "owner": volume.owner,
        }
        lists = {key: getattr(volume, key) for key in ("labels", "options", "allowed_users")}
        sent: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        sent.update({key: list(value) for key, value in lists.items() if value is not None})
        self._jobs.execute("remote_volume_add", {**sent, **self._called(volume)}, of=volume.name)

    def refusal(self, volume: RemoteVolume) -> Optional[str]:
        if volume.s3_access_key is None or "s3_access_key" in self._jobs.help("remote_volume_add").parameters:
            return None
        return "remote_volume_add of this version has no s3_access_key; give username and password"

    def _called(self, volume: RemoteVolume) -> dict[str, Any]:
        if volume.id is None:
            return {"remote_volume_name": volume.name}
        if volume.name == short(volume.id):
            return {"remote_volume_id": volume.id}  # the server makes the name from the number
        return {"remote_volume_name": volume.name, "remote_volume_id": volume.id}

    def edit(self, volume: RemoteVolume, password: Optional[str]) -> None:
        why = CONFD.lacking[can.REMOTE_VOLUME_EDIT]
        raise Unsupported(f"{self._jobs.name}: {why}", failed_object=volume.name)

    def delete(self, volume: RemoteVolume) -> None:
        self._jobs.execute("remote_volume_remove", {"remote_volume_name": volume.name}, of=volume.name)
