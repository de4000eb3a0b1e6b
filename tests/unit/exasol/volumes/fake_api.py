# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster whose volumes are plain data, and tasks on it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Optional

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.run import Converge
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import Settings
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    ClusterError,
    NoSuchObject,
    Refused,
    Unsupported,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.providers import CONFD
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.states import Database
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.volumes import RemoteVolume, Volume
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.volumes import (
    plan,
    remote as remote_volumes,
    remote_wanted,
    wanted as volume_wanted,
)
from ansible_collections.dbfleet.cluster.plugins.modules import exa_remote_volume, exa_volume

GIB = 2**30
NODES = ("n11", "n12", "n13")
VOL = Volume(
    1, "Vol", "data", size=30 * GIB, redundancy=2, nodes=NODES, masters=3, block=4096, slack=3 * 262144, disk="disk1",
    labels=("#Name#Vol", "pub:x", "old"), app_io=True, int_io=True, priority=10, shared=True, permissions="rwx------",
    owner=(500, 500),
)  # fmt: skip


class Api:
    """Volumes in memory; what is done to them is kept, and happens."""

    needs = ("disk", "nodes", "redundancy", "size")
    grain = 4096
    names_are_labels = False
    calls: dict[str, str] = {}

    def __init__(self, *rows: Volume, users: tuple[str, ...] = ()) -> None:
        self.rows = list(rows)
        self.owners = list(users)
        self.did: list[tuple[Any, ...]] = []
        self.then: list[Any] = []
        self.error = ""
        self.unknown = ""

    def known(self, change: str) -> None:
        if change == self.unknown:
            raise NoSuchObject(f"exa-unit: there is no job for {change}")

    def all(self) -> list[Volume]:
        if self.then:
            change = self.then.pop(0)
            self.rows = [row.with_(**change) for row in self.rows]
        return list(self.rows)

    def databases_of(self, _volume: Volume) -> list[str]:
        return self.owners

    def error_of(self, _name: str) -> str:
        return self.error

    def news(self, _names: list[str]) -> list[str]:
        return []

    def _becomes(self, what: str, volume: Volume, *args: Any, **changes: Any) -> None:
        self.did.append((what, volume.name, *args))
        self.rows = [row.with_(**changes) if row.id == volume.id else row for row in self.rows]

    def create(self, volume: Volume) -> None:
        self.did.append(("create", volume.name))
        self.rows.append(volume.with_(id=9, block=4096))

    def delete(self, volume: Volume) -> None:
        self.did.append(("delete", volume.name))
        self.rows = [row for row in self.rows if row.id != volume.id]

    def resize(self, volume: Volume, size: int) -> None:
        self._becomes("resize", volume, size, size=size)

    def append_nodes(self, volume: Volume, nodes: list[str]) -> None:
        now = (*volume.nodes, *nodes)
        size = (volume.size or 0) * len(now) // len(volume.nodes)
        self._becomes("append", volume, nodes, nodes=now, masters=len(now), size=size)

    def move_nodes(self, volume: Volume, pairs: list[tuple[str, str]]) -> None:
        by = dict(pairs)
        self._becomes("move", volume, pairs, nodes=tuple(by.get(node, node) for node in volume.nodes))

    def set_redundancy(self, volume: Volume, redundancy: int) -> None:
        self._becomes("redundancy", volume, redundancy, redundancy=redundancy)

    def set_labels(self, volume: Volume, add: list[str], remove: list[str]) -> None:
        kept = tuple(label for label in volume.labels or () if label not in remove)
        self._becomes("labels", volume, add, remove, labels=(*kept, *add))

    def set_io(self, volume: Volume, app_io: bool, int_io: bool) -> None:
        self._becomes("io", volume, app_io, int_io, app_io=app_io, int_io=int_io)

    def assign(self, volume: Volume, what: str, value: Any) -> None:
        self._becomes(what, volume, value, **{what: value})

    def lock(self, volume: Volume) -> None:
        self._becomes("lock", volume, state="LOCKED")

    def unlock(self, volume: Volume) -> None:
        self._becomes("unlock", volume, state="ONLINE")

    def clear(self, volume: Volume, num_bytes: int, nodes: list[str]) -> None:
        self.did.append(("clear", volume.name, num_bytes, nodes))


class Cluster:
    """Answers what volumes want to know of one."""

    name, provider = "exa-unit", CONFD

    def __init__(self, api: Any, off: tuple[str, ...] = (), lacking: tuple[str, ...] = (), state: str = "running"):
        self.api, self.off, self.lacking, self.state = api, off, lacking, state
        self.operation = "None"
        self.scheduled: list[Any] = []

    def volumes(self) -> Any:
        return self.api

    def remote_volumes(self) -> Any:
        return self.api

    def nodes(self) -> list[str]:
        return ["n11", "n12", "n13", "n14", "n15"]

    def node_is_online(self, node: str) -> bool:
        return node not in self.off

    def node_states(self) -> dict[str, str]:
        return {node: "offline" if node in self.off else "online" for node in self.nodes()}

    def database(self, name: str) -> Database:
        return Database(name, self.state, operation=self.operation)

    def databases(self) -> list[str]:
        return ["DB1", "DB2"]

    def backups(self) -> Any:
        schedules = SimpleNamespace(schedules=lambda name: self.scheduled if name == "DB1" else None)
        return SimpleNamespace(backups=self.backups_of, schedules=lambda: schedules)

    def backups_of(self, _name: str) -> list[Any]:
        return []

    def lacks(self, capability: str) -> Optional[str]:
        return f"there is no call for {capability}" if capability in self.lacking else None

    def require(self, capability: str) -> None:
        why = self.lacks(capability)
        if why:
            raise Unsupported(f"{self.name}: {why}")


def options(module: Any, **given: Any) -> dict[str, Any]:
    spec = {name: row for name, row in module.SPEC["argument_spec"].items() if "fallback" not in row}
    validated = ArgumentSpecValidator(spec).validate({"name": "Vol", **given})
    assert not validated.error_messages
    return validated.validated_parameters


def brought(new_task: Any, cluster: Any, check: bool = False, timeout: float = 5, **given: Any) -> SimpleNamespace:
    """What came of a task of exa_volume."""
    task = new_task(check_mode=check)
    work = plan.Volumes(cluster, volume_wanted.wanted_of(cluster, options(exa_volume, **given)))
    result = Converge(task, cluster.name, Settings(timeout=timeout)).run(work.stages())
    rows = work.rows(check, result["changed"])
    steps = [step["step"] for step in result["steps"]]
    diff = work.diff(step["object"] for step in result["steps"])
    return SimpleNamespace(steps=steps, rows=rows, diff=diff, task=task, changed=result["changed"])


def refused(new_task: Any, api: Any, *, cluster: Any = None, **given: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        brought(new_task, cluster or Cluster(api), **given)
    assert api.did == []
    assert caught.value.message.startswith("exa-unit: ")
    return caught.value


def raising(error):
    raise error


REMOTE = RemoteVolume(10001, "Vol", "Vol", "s3", "http://b", "u", "root", labels=("#Name#Vol", "a"), options=("x",))


class RemoteApi:
    needs = ("vol_type", "url")
    calls = {"create": "add", "delete": "remove", "edit": "edit"}

    def __init__(self, *rows: RemoteVolume, words: tuple[str, ...] = ("Online",) * 5) -> None:
        self.rows, self.words = list(rows), [list(words)]
        self.did: list[tuple[Any, ...]] = []

    def all(self) -> list[RemoteVolume]:
        return list(self.rows)

    def states(self, _volume: RemoteVolume) -> list[str]:
        return self.words.pop(0) if len(self.words) > 1 else self.words[0]

    def refusal(self, volume: RemoteVolume) -> Optional[str]:
        return "no such type" if volume.vol_type == "file" else None

    def create(self, volume: RemoteVolume, password: Optional[str]) -> None:
        self.did.append(("add", volume.name, password))
        self.rows.append(volume.with_(id=volume.id or 10009))

    def edit(self, volume: RemoteVolume, password: Optional[str]) -> None:
        self.did.append(("edit", volume.name, password))
        self.rows = [volume]

    def delete(self, volume: RemoteVolume) -> None:
        self.did.append(("remove", volume.name))
        self.rows = [row for row in self.rows if row.id != volume.id]


def remote(new_task: Any, cluster: Any, check: bool = False, timeout: float = 5, **given: Any) -> SimpleNamespace:
    """What came of a task of exa_remote_volume."""
    task = new_task(check_mode=check)
    wanted = remote_wanted.wanted_of(cluster, options(exa_remote_volume, **given))
    work = remote_volumes.RemoteVolumes(cluster, wanted, task.warn, task.say)
    try:
        result = Converge(task, cluster.name, Settings(timeout=timeout)).run(work.stages())
    except ClusterError as error:
        raise work.told(error) from None
    row, diff = work.row(check, result["changed"]), work.diff(result["changed"])
    steps = [step["step"] for step in result["steps"]]
    return SimpleNamespace(steps=steps, row=row, diff=diff, task=task, changed=result["changed"], work=work)


RIGHT = {"vol_type": "s3", "url": "http://b", "username": "u", "labels": ["a"], "options": ["x"], "password": "p"}
