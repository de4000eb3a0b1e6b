# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is decided about volumes: on data alone, without a server."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any, Optional

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.run import Converge
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import Settings
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    AnswerLost,
    ClusterError,
    Denied,
    Failed,
    Fault,
    NoSuchObject,
    Refused,
    TimedOut,
    Unsupported,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.providers import CONFD
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.sizes import size_of, size_text
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.states import Database
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.volumes import (
    RemoteVolume,
    Volume,
    VolumeApi,
    without_password,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.volumes import (
    plan,
    remote as remote_volumes,
    remote_wanted,
    wanted as volume_wanted,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import secrets_of
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
        return Database(name, self.state)

    def databases(self) -> list[str]:
        return ["DB1", "DB2"]

    def backups(self) -> Any:
        return SimpleNamespace(backups=self.backups_of)

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


EVERYTHING: dict[str, Any] = {
    "size": "60 GiB", "nodes": ["n11", "12", "n0014", "n15"], "redundancy": 3, "labels": ["new"],
    "exact_labels": True, "absent_labels": ["pub:x"], "priority": 0, "shared": False, "permissions": "rwxrwx---",
    "owner": [1, 2], "app_io": False,
}  # fmt: skip


def test_everything_in_a_safe_order_and_nothing_twice(new_task):
    """The preview tells the same steps and the same diff, and calls nothing; a second run has nothing to do."""
    api = Api(VOL.with_(redundancy=1, int_io=False))
    wanted = {**EVERYTHING, "int_io": True, "redundancy": 2}
    preview = brought(new_task, Cluster(api), check=True, **wanted)
    assert api.did == []
    done = brought(new_task, Cluster(api), **wanted)
    assert [row[0] for row in api.did] == [
        "io", "move", "append", "redundancy", "resize", "priority", "shared", "permissions", "owner", "labels",
        "labels", "io",
    ]  # fmt: skip
    assert api.did[1:3] == [("move", "Vol", [("n13", "n14")]), ("append", "Vol", ["n15"])]
    assert api.did[4] == ("resize", "Vol", 60 * GIB)
    assert api.rows[0].labels == ("#Name#Vol", "new"), "what the cluster put there stays unless it is named"
    assert preview.steps == done.steps
    assert preview.diff == done.diff
    assert preview.changed
    again = brought(new_task, Cluster(api), **wanted)
    assert (again.changed, again.steps, again.diff) == (False, [], {"before": {}, "after": {}})


def test_redundancy_goes_down_before_nodes_come_and_up_after(new_task):
    api = Api(VOL)
    brought(new_task, Cluster(api), redundancy=1, nodes=["n11", "n12", "n13", "n14"])
    brought(new_task, Cluster(api), redundancy=2, nodes=["all"])
    assert [row[0] for row in api.did] == ["redundancy", "append", "append", "redundancy"]


def test_a_new_volume(new_task):
    api = Api(VOL)
    new = {"name": "New", "size": "10 GiB", "disk": "d", "nodes": ["n14", "n15"], "redundancy": 2, "labels": ["x"]}
    assert brought(new_task, Cluster(api), **new).steps == ["create", "add_labels"]
    assert not brought(new_task, Cluster(api), **new).changed
    for name in new.keys() - {"name", "labels"}:
        with pytest.raises(Refused, match=f"to create it {name} must be given"):
            brought(new_task, Cluster(Api()), **{key: value for key, value in new.items() if key != name})
    with pytest.raises(Refused, match="no such volume .did you mean Vol.., and to create it disk nodes"):
        brought(new_task, Cluster(api), name="Voll")
    with pytest.raises(Refused, match="2 nodes are too few for redundancy 3"):
        brought(new_task, Cluster(Api()), **{**new, "redundancy": 3})
    with pytest.raises(Refused, match="can't be had exactly, for it changes by 4 KiB at a time"):
        brought(new_task, Cluster(Api()), **{**new, "size": "10241 B"})


def test_names_kept_as_labels_that_nobody_tells(new_task):
    """Each run would create one more."""
    api = Api(VOL.with_(labels=None))
    api.names_are_labels = True
    new = {"name": "New", "size": "10 GiB", "disk": "d", "nodes": ["n14"], "redundancy": 1}
    with pytest.raises(Refused, match="this server doesn't tell labels: the next run would create another one"):
        brought(new_task, Cluster(api), **new)
    assert api.did == []


@pytest.mark.parametrize("name", ["Vol", "1", "v0001"])
def test_a_volume_by_name_and_number(new_task, name):
    api = Api(VOL)
    assert brought(new_task, Cluster(api), name=name, state="locked").rows[name]["state"] == "LOCKED"


def test_names_that_mean_nothing_or_too_much(new_task):
    with pytest.raises(NoSuchObject, match="there is no volume Voll .did you mean Vol..; there are: Vol"):
        brought(new_task, Cluster(Api(VOL)), name="Voll", state="locked")
    with pytest.raises(NoSuchObject, match="there is no volume v0007.*; numbers are given by the cluster"):
        brought(new_task, Cluster(Api(VOL)), name="v0007", size="1 GiB")
    with pytest.raises(ClusterError, match="named twice, by name and by number"):
        brought(new_task, Cluster(Api(VOL)), name=["Vol", "1"])
    with pytest.raises(ClusterError, match="several volumes are called x: v0001 v0002"):
        brought(new_task, Cluster(Api(VOL.with_(also=("x",)), VOL.with_(id=2, also=("x",)))), name="x")
    with pytest.raises(NoSuchObject, match="there is no node n99"):
        brought(new_task, Cluster(Api(VOL)), nodes=["n99"])


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"name": [""]}, "no volume is named"),
        ({"size": "10"}, "size: '10' is not a size with its unit"),
        ({"size": "0 GiB"}, "is not a size"),
        ({"permissions": "777"}, "is not of the form rwx------"),
        ({"owner": [1]}, "owner is the id of a user and that of a group"),
        ({"priority": 21}, "priority is from 0 to 20, and 21 is wanted"),
        ({"redundancy": 0}, "redundancy is from 1"),
        ({"labels": ["a"], "absent_labels": ["a"]}, "label 'a' is in labels and in absent_labels"),
        ({"size": "1 GiB", "state": "locked"}, "size means nothing with state=locked"),
        ({"app_io": False, "labels": ["x"], "state": "unlocked"}, "labels and app_io mean nothing with state=unlocked"),
        ({"redundancy": 1, "nodes": ["n11"], "state": "cleared"}, "redundancy means nothing with state=cleared"),
        ({"labels": [""]}, "a label is empty"),
        ({"absent_labels": [" "]}, "a label is empty"),
        ({"num_bytes": 2**31, "state": "cleared"}, "2147483648 is more than XML-RPC can write .2147483647.; 0 is all"),
        ({"nodes": []}, "no node is named .nodes."),
        ({"nodes": [], "state": "cleared", "confirm": ["Vol"]}, "no node is named .nodes."),
        ({"num_bytes": -1}, "num_bytes is a number from 0"),
        ({"num_bytes": True}, "num_bytes is a number from 0"),
        ({"priority": True}, "priority is from 0 to 20, and True is wanted"),
        ({"name": ["New\nOther"]}, r"volume 'New.nOther': the name holds a character that can't be seen"),
    ],
)
def test_options_that_make_no_sense(new_task, given, why):
    with pytest.raises(ClusterError, match=f"^exa-unit: .*{why}"):
        brought(new_task, Cluster(Api(VOL)), **given)


# -- what is refused; each changes nothing


def refused(new_task: Any, api: Any, *, cluster: Any = None, **given: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        brought(new_task, cluster or Cluster(api), **given)
    assert api.did == []
    assert caught.value.message.startswith("exa-unit: ")
    return caught.value


def test_what_a_volume_cannot_become(new_task):
    for given, why in (
        ({"type": "archive"}, "its type is data, archive is wanted"),
        ({"disk": "disk2"}, "its disk is disk1, disk2 is wanted"),
        ({"num_master_nodes": 2}, "its num_master_nodes is 3, 2 is wanted"),
        ({"redundancy": 4}, "redundancy 4 needs as many nodes, and it is on 3"),
        ({"readonly_users": ["x"]}, "doesn't tell its readonly_users"),
    ):
        assert why in refused(new_task, Api(VOL), **given).message
    poor = VOL.with_(labels=None, app_io=None)
    why = refused(new_task, Api(poor), labels=["x"], app_io=True).message
    assert "doesn't tell its app_io labels, which can't be compared" in why


def test_sizes_that_cannot_be_had(new_task):
    refusal = refused(new_task, Api(VOL.with_(block=None)), size="30.5 GiB")
    assert "can't be had exactly, for it changes by 1 GiB at a time" in refusal.message
    assert "the nearest sizes are" in str(refusal.hint)
    assert "its size can't be read" in refused(new_task, Api(VOL.with_(size=None)), size="1 GiB").message


def test_a_size_is_rounded_down_to_whole_blocks(new_task):
    api = Api(VOL)
    assert brought(new_task, Cluster(api), size="100 GiB").changed
    assert 0 <= 100 * GIB - api.rows[0].size < VOL.grain
    assert not brought(new_task, Cluster(api), size="100 GiB").changed


def test_what_the_server_has_rounded_is_right(new_task):
    for size in (30 * GIB + 262144, 30 * GIB - 4096):
        assert not brought(new_task, Cluster(Api(VOL.with_(size=size))), size="30 GiB").changed


def test_a_volume_is_made_smaller_only_where_that_is_meant(new_task):
    refusal = refused(new_task, Api(VOL), size="20 GiB")
    assert "it has 30 GiB and would be made smaller, to 20 GiB" in refusal.message
    assert "allow_shrink" in str(refusal.hint)
    api = Api(VOL)
    brought(new_task, Cluster(api), size="15 GiB", allow_shrink=True)
    assert api.did == [("resize", "Vol", 15 * GIB)]
    grown = {"nodes": ["all"], "redundancy": 1}
    assert "it has 50 GiB" in refused(new_task, Api(VOL), size="40 GiB", **grown).message, "nodes make it grow first"


def test_nodes_that_cannot_leave_or_come(new_task):
    refusal = refused(new_task, Api(VOL), nodes=["n11", "n14"])
    assert "2 would leave and 1 come" in refusal.message
    refusal = refused(new_task, Api(VOL), nodes=["n11", "n12", "n13", "n14"])
    assert "1 more node is too few: with redundancy 2" in refusal.message
    off = Cluster(api := Api(VOL), off=("n14",))
    refusal = refused(new_task, api, cluster=off, nodes=["n11", "n12", "n14"])
    assert "n14 not online, or suspended, and segments can only come to nodes that take part" in refusal.message
    resting = Cluster(api)
    resting.provider = replace(CONFD, tells_nodes_together=False)  # as EXAoperation
    resting.node_is_suspended = lambda node: node == "n14"  # type: ignore[attr-defined]
    assert (
        "n14 not online, or suspended" in refused(new_task, api, cluster=resting, nodes=["n11", "n12", "n14"]).message
    )
    new = {"name": "New", "size": "1 GiB", "disk": "d", "nodes": ["n14"], "redundancy": 1}
    assert "n14 not online" in refused(new_task, api, cluster=off, **new).message


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"redundancy": 1, "state": "OFFLINE", "away": ("n13 OFFLINE",)}, "OFFLINE (n13 OFFLINE)"),
        ({"redundancy": 1, "state": "DEGRADED", "away": ("n13 OFFLINE",)}, "DEGRADED (n13 OFFLINE)"),
        ({"redundancy": 1, "state": "OFFLINE", "away": ("n12 OFFLINE",)}, "OFFLINE (n12 OFFLINE)"),
        ({"state": "OFFLINE"}, "OFFLINE"),  # EXAoperation tells no more
    ],
)
def test_an_only_copy_is_not_left_behind(new_task, row, said):
    refusal = refused(new_task, Api(VOL.with_(**row)), nodes=["n11", "n12", "n14"])
    assert f"its segments aren't moved while it is {said}: data that no other node has" in refusal.message
    assert "nothing overrides this" in str(refusal.hint)


def test_what_another_node_has_too_leaves_a_node_that_is_off(new_task):
    api = Api(VOL.with_(state="DEGRADED", away=("n13 OFFLINE",)))
    api.then = [{}, {}, {"state": "ONLINE", "away": ()}]
    brought(new_task, Cluster(api), nodes=["n11", "n12", "n14"])
    assert api.did == [("move", "Vol", [("n13", "n14")])]


def test_redundancy_stays_while_a_segment_is_away(new_task):
    degraded = VOL.with_(state="DEGRADED", away=("n12 OFFLINE",))
    refusal = refused(new_task, Api(degraded), redundancy=1)
    assert "isn't lowered while it is DEGRADED (n12 OFFLINE)" in refusal.message
    assert "nothing overrides this" in str(refusal.hint)


@pytest.mark.parametrize(
    "given",
    [{"size": "60 GiB"}, {"redundancy": 3}, {"redundancy": 1}, {"nodes": ["n11", "n12", "n14"]}, {"nodes": ["all"]}],
)
def test_data_of_a_locked_volume_stays(new_task, given):
    refusal = refused(new_task, Api(VOL.with_(state="LOCKED")), **given)
    assert "it is locked" in refusal.message
    assert "state=unlocked" in str(refusal.hint)
    refusal = refused(new_task, Api(VOL.with_(int_io=False)), **given)
    assert "its internal I/O is off, and its data can't be changed then" in refusal.message
    assert brought(new_task, Cluster(Api(VOL.with_(int_io=False))), check=True, int_io=True, **given).steps[0] == "io"
    api = Api(VOL.with_(state="LOCKED"))
    brought(new_task, Cluster(api), priority=3)
    assert api.did == [("priority", "Vol", 3)]


TAKING = [
    ({"state": "locked"}, "lock"),
    ({"state": "cleared", "confirm": ["Vol"]}, "clear"),
    ({"state": "absent", "confirm": ["Vol"]}, "delete"),
    ({"size": "15 GiB", "allow_shrink": True}, "shrink"),
    ({"app_io": False}, "io"),
    ({"int_io": False}, "io"),
]


@pytest.mark.parametrize(("given", "step"), TAKING)
def test_nothing_is_taken_from_under_a_database(new_task, given, step):
    api = Api(VOL, users=("DB1",))
    refusal = refused(new_task, api, **given)
    assert f"Vol: no {step}: database DB1 uses it (running)" in refusal.message
    assert "nothing overrides this" in str(refusal.hint)
    assert f"no {step}: 1 have it open" in refused(new_task, Api(VOL.with_(users=1)), **given).message
    preview = brought(new_task, Cluster(Api(VOL, users=("DB1",))), check=True, **given)
    assert "would be refused as things are" in preview.task.warnings[0]
    stopped = Cluster(api, state="setup")
    if step == "delete":
        assert "database DB1 keeps its data on it" in refused(new_task, api, cluster=stopped, **given).message
        assert "exa_database state=absent" in str(refused(new_task, api, cluster=stopped, **given).hint)
        elsewhere = Cluster(api, state="setup", lacking=("database_config",))
        assert "exa_database" not in str(refused(new_task, api, cluster=elsewhere, **given).hint)
    else:
        assert brought(new_task, stopped, **given).changed


def test_the_guard_of_a_later_change_holds_before_the_first(new_task):
    refused(new_task, Api(VOL, users=("DB1",)), priority=1, redundancy=3, app_io=False)


@pytest.mark.parametrize("state", ["cleared", "absent"])
def test_data_goes_only_where_the_volume_is_named_twice(new_task, state):
    api = Api(VOL, VOL.with_(id=2, name="Other"))
    refusal = refused(new_task, api, name=["Vol", "Other"], state=state, confirm=["Vol"])
    assert "Other: that " in refusal.message
    assert "Vol: " not in refusal.message
    assert refusal.hint == "confirm: [Other] says that it is meant"
    assert not brought(new_task, Cluster(api), name="Gone", state="absent").changed


@pytest.mark.parametrize("state", ["cleared", "absent"])
def test_a_number_confirms_nothing(new_task, state):
    """It may be that of another volume by the time the task runs again."""
    api = Api(VOL)
    for name in ("1", "v0001"):
        refusal = refused(new_task, api, name=name, state=state, confirm=[name])
        assert re.search(f"{name}: it is Vol; that .*, and confirm doesn't name it", refusal.message)
        assert refusal.hint == "confirm: [Vol] says that it is meant"
    assert brought(new_task, Cluster(api), name="v0001", state=state, confirm=["Vol"]).changed


@pytest.mark.parametrize(
    "given", [{"state": "cleared"}, {"state": "absent"}, {"size": "1 GiB", "allow_shrink": True}], ids=str
)
def test_a_name_that_is_the_number_of_another_volume(new_task, given):
    api = Api(VOL, VOL.with_(id=5, name="v0001"))
    confirm = {} if "size" in given else {"confirm": ["v0001", "Vol"]}
    refusal = refused(new_task, api, name="v0001", **given, **confirm)
    assert "v0001 is the name of one volume and another name of Vol, and data could go" in refusal.message
    assert refusal.hint == "say v0005 for the one that is called v0001, and its own name for the other"
    assert brought(new_task, Cluster(api), name="v0001", priority=1).changed
    assert api.did == [("priority", "v0001", 1)]
    assert brought(new_task, Cluster(api), name="v0005", **given, **confirm).changed
    assert {row[1] for row in api.did} == {"v0001"}


def test_another_volume_with_the_number_of_the_one_that_is_gone(new_task):
    """The one that was meant is gone, and that is all that was wanted."""

    def and_another(api: Api, delete: Any, other: dict[str, Any], volume: Volume) -> None:
        delete(volume)
        api.rows.append(VOL.with_(**{"id": 5, **other}))

    for other in ({"name": "Other"}, {"name": "v0005", "id": 1}):
        api = Api(VOL.with_(id=5, name="v0001"), VOL.with_(id=7))
        api.delete = partial(and_another, api, api.delete, other)
        done = brought(new_task, Cluster(api), name="v0001", state="absent", confirm=["v0001"])
        assert (api.did, done.rows) == ([("delete", "v0001")], {"v0001": None})


def test_a_volume_is_followed_while_its_name_changes(new_task):
    api = Api(VOL.with_(also=("old",)))
    api.set_labels = lambda row, _add, _gone: api._becomes("labels", row, name="v0001", labels=(), also=())
    done = brought(new_task, Cluster(api), name="Vol", absent_labels=["#Name#Vol", "pub:x", "old"])
    assert done.rows["Vol"]["labels"] == []
    api = Api(VOL.with_(name="v0001", also=("old",), labels=("old",)))
    done = brought(new_task, Cluster(api), name="old", absent_labels=["old"])
    assert done.rows["old"]["labels"] == []


def test_a_volume_that_goes_meanwhile_is_not_as_it_should_be(new_task):
    """Nothing is left to be done to it, which is no success."""
    for last, given in (
        ("labels", {"labels": ["new"], "priority": 3}),
        ("move", {"nodes": ["n11", "n12", "n14"]}),
    ):
        api = Api(VOL)
        becomes = api._becomes
        api._becomes = lambda what, *args, api=api, becomes=becomes, last=last, **changes: (
            becomes(what, *args, **changes), api.rows.clear() if what == last else None
        )  # fmt: skip
        with pytest.raises(ClusterError, match="^exa-unit: Vol: it was there, and is gone"):
            brought(new_task, Cluster(api), **given)
        assert api.did, "that it is gone is seen after the change"


def test_clearing(new_task):
    api = Api(VOL)
    for _again in range(2):
        done = brought(new_task, Cluster(api), state="cleared", confirm=["Vol"], nodes=["n12"], num_bytes=512)
        assert done.diff["after"] == {"Vol": {"data": "cleared"}}
    assert api.did == 2 * [("clear", "Vol", 512, ["n12"])], "nobody can see that it was done"
    assert "it isn't on n14" in refused(new_task, Api(VOL), state="cleared", confirm=["Vol"], nodes=["n14"]).message
    locked = VOL.with_(state="LOCKED")
    assert "it is locked" in refused(new_task, Api(locked), state="cleared", confirm=["Vol"]).message


@pytest.mark.parametrize("check", [True, False])
def test_a_change_that_the_server_has_no_job_for_is_said_before_the_first_one(new_task, check):
    api = Api(VOL)
    api.unknown = "priority"
    with pytest.raises(NoSuchObject, match="no job for priority"):
        brought(new_task, Cluster(api), check=check, name=["Vol"], size="60 GiB", priority=0)
    assert api.did == []
    assert brought(new_task, Cluster(api), check=check, name=["Vol"], size="60 GiB", priority=10).changed


def test_what_the_api_lacks(new_task):
    lacking = ("volume_lock", "volume_clear", "volume_shrink", "volume_owner", "volume_users")
    for given, capability in (
        ({"state": "locked"}, "volume_lock"),
        ({"state": "cleared", "confirm": ["Vol"]}, "volume_clear"),
        ({"size": "15 GiB", "allow_shrink": True}, "volume_shrink"),
        ({"owner": [500, 500]}, "volume_owner"),
        ({"allowed_users": ["x"]}, "volume_users"),
    ):
        with pytest.raises(Unsupported, match=capability):
            brought(new_task, Cluster(Api(VOL), lacking=lacking), **given)
    assert not brought(new_task, Cluster(Api(VOL), lacking=lacking), state="unlocked").changed


# -- waiting


RECOVERING = {"state": "RECOVERING", "away": ("n14 RECOVERING",)}
BOTH = {"state": "RECOVERING", "away": ("n12 RECOVERING", "n14 RECOVERING")}
AT_REST = {"state": "ONLINE", "away": ()}


def test_segments_are_waited_for_after_a_move(new_task):
    api = Api(VOL)
    move = api.move_nodes
    api.move_nodes = lambda *args: (move(*args), api.then.extend([BOTH, BOTH, RECOVERING, RECOVERING, AT_REST]))
    done = brought(new_task, Cluster(api), nodes=["n11", "n12", "n14"])
    assert done.rows["Vol"]["state"] == "ONLINE"
    assert any("segments: " in line and "RECOVERING (n14 RECOVERING)" in line for line in done.task.lines)


def test_a_recovery_of_before_is_waited_for(new_task):
    api = Api(VOL.with_(**RECOVERING))
    api.then = [{}, {}, AT_REST]
    done = brought(new_task, Cluster(api))
    assert (done.changed, done.rows["Vol"]["nodes"]) == (False, list(NODES))
    api = Api(VOL.with_(**RECOVERING))
    api.then = [{}, {}, {}, AT_REST]
    assert brought(new_task, Cluster(api), redundancy=1).changed, "what comes next waits for it"


def test_a_recovery_that_does_not_end(new_task):
    with pytest.raises(TimedOut, match=r"segments: not ONLINE after 0.3 s: Vol is RECOVERING .n14 RECOVERING") as late:
        brought(new_task, Cluster(Api(VOL.with_(**RECOVERING))), timeout=0.3)
    assert late.value.failed_object == "Vol"


def test_a_volume_whose_node_is_away_is_left_alone(new_task):
    degraded = VOL.with_(state="DEGRADED", away=("n12 OFFLINE",))
    assert not brought(new_task, Cluster(Api(degraded)), size="30 GiB").changed


@pytest.mark.parametrize("away", [("n12 OFFLINE",), ()])
def test_what_was_away_before_is_not_waited_for(new_task, away):
    degraded = VOL.with_(state="DEGRADED", away=away)
    assert brought(new_task, Cluster(Api(degraded)), size="60 GiB").changed
    api = Api(degraded)
    api.then = [{}, {}, {"away": (*away, "n13 OFFLINE")}]
    with pytest.raises(TimedOut, match="segments: not ONLINE after 0.3 s: Vol is DEGRADED .*n13 OFFLINE"):
        brought(new_task, Cluster(api), timeout=0.3, size="60 GiB")


def test_new_copies_are_waited_for_though_a_node_was_away_before(new_task):
    api = Api(VOL.with_(state="DEGRADED"))  # EXAoperation tells no more
    api.then = [{}, {}, {}, {"state": "RECOVERING"}, {}, {"state": "ONLINE"}]
    done = brought(new_task, Cluster(api), redundancy=3)
    assert done.rows["Vol"]["state"] == "ONLINE"


def raising(error):
    raise error


def test_what_fails(new_task):
    """A refused call, one that goes on and fails, and one whose answer is lost."""
    api = Api(VOL)
    api.resize = lambda *_args: raising(Fault("exa-unit: st_volume_enlarge of Vol: no space"))
    with pytest.raises(Fault, match="no space"):
        brought(new_task, Cluster(api), size="60 GiB")
    api = Api(VOL)
    api.move_nodes, api.error = lambda *_args: None, "disk full"
    with pytest.raises(Failed, match="Vol: move was accepted, but it is n11 n12 n13 again; the server says: disk full"):
        brought(new_task, Cluster(api), timeout=20, nodes=["n11", "n12", "n14"])
    api = Api(VOL)
    resize = api.resize

    def lost(*args: Any) -> None:
        resize(*args)
        raise AnswerLost("exa-unit: the answer is lost")

    api.resize = lost
    assert brought(new_task, Cluster(api), size="60 GiB").changed
    assert api.did == [("resize", "Vol", 60 * GIB)], "it isn't sent again where it was carried out"


def test_what_another_did_at_the_same_time_is_told(new_task):
    api = Api(VOL)
    work = plan.Volumes(Cluster(api), volume_wanted.wanted_of(Cluster(api), options(exa_volume, size="60 GiB")))
    Converge(new_task(), "exa-unit", Settings(timeout=5)).run(work.stages())
    work.rows(False, True)
    work.check_end({})
    api.rows = [row.with_(size=90 * GIB) for row in api.rows]
    work.rows(False, True)
    with pytest.raises(Failed, match="now it is 90 GiB, not 60 GiB: somebody else has changed it") as caught:
        work.check_end({"changed": True})
    assert caught.value.as_result()["changed"] is True
    api.rows = [row.with_(id=7) for row in api.rows]
    with pytest.raises(ClusterError, match="Vol: it was there, and is gone: somebody else has deleted it"):
        work.rows(False, True)


def seen_one_after_the_other(api: Any) -> Any:
    """Once one is created, first another's of that name is seen, and then both."""
    create, everything, looks = api.create, api.all, []

    def created(volume: Any, *more: Any) -> None:
        create(volume, *more)
        api.rows.append(api.rows[-1].with_(id=8))
        looks.append(1)

    api.create = created
    api.all = lambda: everything() if not looks or looks.append(1) or len(looks) > 2 else everything()[-1:]
    return api


def test_two_that_were_created_at_the_same_time_are_told(new_task):
    """Where names are labels, nothing keeps the server from taking both."""
    local = seen_one_after_the_other(Api())
    with pytest.raises(ClusterError, match="several volumes are called New"):
        brought(new_task, Cluster(local), name="New", size="1 GiB", disk="d", nodes=["n11"], redundancy=1)
    away = seen_one_after_the_other(RemoteApi())
    with pytest.raises(ClusterError, match="several volumes are called Vol"):
        remote(new_task, Cluster(away), **RIGHT)


def test_the_interface_is_whole():
    assert {name for name in dir(VolumeApi) if not name.startswith("_")} - {"news"} <= set(dir(Api))


# -- sizes


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("10 GiB", 10 * GIB), ("1.5GiB", 3 * GIB // 2), (" 512 mib ", GIB // 2), ("7 B", 7), ("2 TiB", 2048 * GIB),
        ("10", None), ("10 GB", None), ("-1 GiB", None), ("1.0000001 KiB", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_sizes(text, count):
    assert size_of(text) == count
    if count is not None:
        assert size_of(size_text(count)) == count


def test_size_texts():
    assert [size_text(count) for count in (10 * GIB, 1536, 1537, 0, None)] == [
        "10 GiB", "1536 B", "1537 B", "0 B", "of unknown size",
    ]  # fmt: skip


# -- remote volumes


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
    work = remote_volumes.RemoteVolumes(cluster, wanted, task.warn)
    try:
        result = Converge(task, cluster.name, Settings(timeout=timeout)).run(work.stages())
    except ClusterError as error:
        raise work.without_secrets(error) from None
    row, diff = work.row(check, result["changed"]), work.diff(result["changed"])
    steps = [step["step"] for step in result["steps"]]
    return SimpleNamespace(steps=steps, row=row, diff=diff, task=task, changed=result["changed"], work=work)


RIGHT = {"vol_type": "s3", "url": "http://b", "username": "u", "labels": ["a"], "options": ["x"], "password": "p"}
CANT_EDIT = ("remote_volume_edit",)


def test_a_remote_volume_is_added_once(new_task):
    api = RemoteApi()
    assert remote(new_task, Cluster(api), check=True, **RIGHT).steps == ["add"]
    assert api.did == []
    done = remote(new_task, Cluster(api), **RIGHT)
    assert (done.steps, api.did) == (["add"], [("add", "Vol", "p")])
    assert done.row["states"] == dict.fromkeys(Cluster(api).nodes(), "Online")
    again = remote(new_task, Cluster(api), **RIGHT)
    assert (again.changed, again.work.not_compared, again.task.warnings) == (False, ["password"], [])
    assert "p" not in str(done.diff).split("'")


@pytest.mark.parametrize("more", [{"state": "absent"}, {"url": "http://c", "recreate": True, "password": "p"}])
@pytest.mark.parametrize("place", [{"volume": "Vol"}, {"volume": "x", "volume_id": 10001}, {"volume": "r0001"}])
def test_a_remote_volume_with_backups_goes_only_where_it_is_confirmed(new_task, more, place):
    held = SimpleNamespace(bid=7, **{"volume_id": None, **place})
    for confirm in ([], ["10001"], ["Vol", "Other"]):
        cluster = Cluster(api := RemoteApi(REMOTE), lacking=CANT_EDIT)
        cluster.backups_of = lambda name: [held] if name == "DB2" else []
        with pytest.raises(Refused, match="Vol not removed: backups are on it, .*: DB2 7: confirm names") as caught:
            remote(new_task, cluster, **more, confirm=confirm)
        assert (api.did, caught.value.hint) == ([], "confirm: [Vol]")
    remote(new_task, cluster, **more, confirm=["Vol"])
    assert api.did[0] == ("remove", "Vol")


def test_backups_that_may_not_be_seen_may_be_there(new_task):
    cluster = Cluster(api := RemoteApi(REMOTE))

    def denied(_name: str) -> Any:
        raise Denied("no right")

    cluster.backups_of = denied
    with pytest.raises(Refused, match="Vol not removed: whether backups are on it can't be seen .no right.: confirm"):
        remote(new_task, cluster, state="absent")
    remote(new_task, cluster, state="absent", confirm=["Vol"])
    assert api.did == [("remove", "Vol")]


def test_what_is_other_is_edited_where_the_api_can(new_task):
    for given in ({"url": "http://c"}, {"labels": ["b"]}, {"options": []}, {"vol_type": "ftp"}):
        api = RemoteApi(REMOTE)
        done = remote(new_task, Cluster(api), **{**RIGHT, **given})
        assert api.did == [("edit", "Vol", None)]
        assert list(done.diff["after"]["Vol"]) == list(given)
        assert not remote(new_task, Cluster(api), **{**RIGHT, **given}).changed
    assert api.rows[0].labels == ("#Name#Vol", "a")


def test_what_is_other_is_made_anew_only_where_that_is_meant(new_task):
    api = RemoteApi(REMOTE)
    other = {**RIGHT, "url": "http://c"}
    with pytest.raises(Refused, match="its url is http://b, http://c is wanted: there is no call") as refusal:
        remote(new_task, Cluster(api, lacking=CANT_EDIT), **other)
    assert "recreate" in str(refusal.value.hint)
    assert api.did == []
    preview = remote(new_task, Cluster(api, lacking=CANT_EDIT), check=True, recreate=True, **other)
    assert (preview.steps, api.did) == (["remove", "add"], [])
    done = remote(new_task, Cluster(api, lacking=CANT_EDIT), recreate=True, **other)
    assert (done.steps, api.did) == (["remove", "add"], [("remove", "Vol"), ("add", "Vol", "p")])
    with pytest.raises(Refused, match="its id is 10001, 10002 is wanted"):
        remote(new_task, Cluster(api), **other, remote_volume_id=10002)
    with pytest.raises(Refused, match="its username is u, v is wanted") as refusal:
        remote(new_task, Cluster(api, lacking=CANT_EDIT), name="Vol", username="v")
    assert "there is no such" not in str(refusal.value)


@pytest.mark.parametrize("name", ["Vol", "r0001"])
def test_what_is_made_anew_keeps_what_the_task_does_not_say(new_task, name):
    """And the diff tells all that is other than before."""
    api = RemoteApi(REMOTE)
    other = {"name": name, "url": "http://c", "labels": ["b"], "password": "p", "recreate": True}
    preview = remote(new_task, Cluster(api, lacking=CANT_EDIT), check=True, **other)
    done = remote(new_task, Cluster(api, lacking=CANT_EDIT), **other)
    assert done.steps == preview.steps == ["remove", "add"]
    assert api.rows == [REMOTE.with_(url="http://c", labels=("b",))], "the cluster names it anew by itself"
    assert done.diff["before"] == {name: {"url": "http://b", "labels": ["#Name#Vol", "a"]}}
    assert done.diff["after"] == {name: {"url": "http://c", "labels": ["b"]}}
    assert preview.diff["after"] == {name: {"url": "http://c", "labels": ["#Name#Vol", "b"]}}
    assert not remote(new_task, Cluster(api, lacking=CANT_EDIT), **{**other, "url": "http://c"}).changed


def test_a_label_that_goes_is_in_the_diff(new_task):
    api = RemoteApi(REMOTE)
    api.create = lambda row, password: RemoteApi.create(api, row.with_(username=None, id=None), password)
    done = remote(new_task, Cluster(api, lacking=CANT_EDIT), **{**RIGHT, "url": "http://c"}, recreate=True)
    assert done.diff["after"]["Vol"] == {"id": 10009, "url": "http://c", "username": None, "labels": ["a"]}


def test_nothing_is_made_anew_without_its_password(new_task):
    api = RemoteApi(REMOTE)
    other = {"url": "http://c", "recreate": True}
    with pytest.raises(Refused, match="to add it anew for user u the password must be given, for no server") as found:
        remote(new_task, Cluster(api, lacking=CANT_EDIT), check=True, **other)
    assert (api.did, found.value.hint) == ([], "password: '' says that there is none")
    open_to_all = RemoteApi(REMOTE.with_(username=None, options=None))
    done = remote(new_task, Cluster(open_to_all, lacking=CANT_EDIT), labels=["a"], **other)
    assert open_to_all.did[-1] == ("add", "Vol", None)
    (lost,) = done.task.warnings
    assert "the server doesn't tell its username options allowed_users readonly_users; if it has any, that is" in lost


def test_one_that_is_removed_and_cannot_be_added(new_task):
    api = RemoteApi(REMOTE)
    api.create = lambda *_args: raising(Fault("exa-unit: add of Vol: no space"))
    with pytest.raises(Fault, match="no space; it was removed before, and is missing now .it had ") as found:
        remote(new_task, Cluster(api, lacking=CANT_EDIT), url="http://c", password="p", recreate=True)
    assert "username u, owner root, labels #Name#Vol a, options x)" in found.value.message
    assert found.value.result["changed"]


HIDES = {"url": "https://me:hunter22@h/x"}


def test_a_password_in_a_url_is_shown_nowhere(new_task):
    """Neither the server's nor the task's; that of the task is taken out of everything by C(secrets_of)."""
    told = REMOTE.with_(url="https://me:s3cret99@h/x")
    with pytest.raises(Refused) as found:
        remote(new_task, Cluster(RemoteApi(told), lacking=CANT_EDIT), **HIDES)
    assert "its url is https://me:********@h/x, https://me:********@h/x is wanted" in found.value.message
    for check in (True, False):
        done = remote(new_task, Cluster(RemoteApi(told)), check=check, **HIDES)
        assert done.diff["before"] == done.diff["after"] == {"Vol": {"url": "https://me:********@h/x"}}
        assert done.row["url"] == "https://me:********@h/x"
    assert "s3cret99" not in str(remote(new_task, Cluster(RemoteApi(told)), state="absent").diff)
    api = RemoteApi(told)
    api.create = lambda row, _password: raising(Fault(f"exa-unit: no way to {row.url}"))
    with pytest.raises(Fault) as fault:
        remote(new_task, Cluster(api, lacking=CANT_EDIT), vol_type="sftp", password="", recreate=True)
    assert fault.value.message.startswith("exa-unit: no way to https://me:********@h/x; it was removed before")
    assert "s3cret99" not in str(fault.value.as_result())
    assert secrets_of(exa_remote_volume.SPEC, options(exa_remote_volume, **HIDES)).text("hunter22") == "********"


@pytest.mark.parametrize("url", ["https://h/x", "https://me@h:8/x", "", None, "smb://h/x"])
def test_urls_without_a_password(url):
    assert without_password(url) == url


def test_the_password_is_set_where_that_is_meant(new_task):
    api = RemoteApi(REMOTE)
    done = remote(new_task, Cluster(api), update_password="always", **RIGHT)
    assert (done.changed, api.did) == (True, [("edit", "Vol", "p")])
    assert list(done.diff["after"]["Vol"]) == ["password"]
    with pytest.raises(Unsupported, match="remote_volume_edit"):
        remote(new_task, Cluster(api, lacking=CANT_EDIT), update_password="always", **RIGHT)
    new = RemoteApi()
    remote(new_task, Cluster(new, lacking=CANT_EDIT), update_password="always", **RIGHT)
    assert new.did == [("add", "Vol", "p")]


def test_what_is_not_told_is_not_compared(new_task):
    done = remote(new_task, Cluster(RemoteApi(RemoteVolume(None, "Vol", "Vol"))), **RIGHT)
    assert not done.changed
    assert set(done.work.not_compared) == set(RIGHT)
    assert "the server doesn't tell its vol_type url username labels options: not compared" in done.task.warnings[0]


def test_one_of_which_nothing_is_told_is_not_shown_as_gone_before(new_task):
    api = RemoteApi(RemoteVolume(None, "Vol", "Vol"))
    done = remote(new_task, Cluster(api), check=True, state="absent")
    assert (done.changed, done.diff) == (True, {"before": {"Vol": {}}, "after": {"Vol": None}})


def test_every_node_must_reach_it(new_task):
    api = RemoteApi(REMOTE)
    bad = ["Online", "Unmounted", "Connection problem", "Online", "Online"]
    api.words = [bad, bad, ["Online"] * 5]
    assert not remote(new_task, Cluster(api)).changed, "it is waited for"
    api.words = [bad]
    with pytest.raises(TimedOut, match=r"not Online after 0.3 s: Vol is Unmounted on n12, Connection problem on n13$"):
        remote(new_task, Cluster(api), timeout=0.3)
    assert remote(new_task, Cluster(api), require_online=False).row["states"]["n12"] == "Unmounted"


def denied(*_given: Any) -> Any:
    raise Denied("exa-unit: the user may not do this")


def test_who_administers_storage_alone_may_not_ask_for_nodes(new_task, monkeypatch):
    for call in ("nodes", "node_states", "node_is_online", "databases"):
        monkeypatch.setattr(Cluster, call, denied)
    api = RemoteApi(REMOTE)
    api.words = [["Online", "Unmounted"]]
    with pytest.raises(TimedOut, match="Vol is Unmounted on node 2"):
        remote(new_task, Cluster(api), timeout=0.1)
    api.words = [["Online", "Online"]]
    assert remote(new_task, Cluster(api)).row["states"] == {"node 1": "Online", "node 2": "Online"}
    given = {"name": ["Vol"], "priority": 3, "labels": ["x"], "size": "60 GiB"}
    assert brought(new_task, Cluster(Api(VOL)), **given).changed


@pytest.mark.parametrize(
    ("words", "off", "states"),
    [
        (["Online"], ("n15",), {"all nodes": "Online"}),
        (["Online"] * 3, ("n12", "n15"), {"n11": "Online", "n13": "Online", "n14": "Online"}),
        (["Online"] * 2, (), {"node 1": "Online", "node 2": "Online"}),
    ],
)
def test_whose_words_they_are(new_task, words, off, states):
    api = RemoteApi(REMOTE)
    api.words = [words]
    assert remote(new_task, Cluster(api, off=off)).row["states"] == states


def test_that_no_node_tells_is_not_online(new_task):
    api = RemoteApi(REMOTE)
    api.words = [[]]
    with pytest.raises(TimedOut, match="Vol is told of by no node"):
        remote(new_task, Cluster(api), timeout=0.3)


def test_a_remote_volume_is_removed_once(new_task):
    api = RemoteApi(REMOTE)
    assert remote(new_task, Cluster(api), state="absent").row is None
    assert not remote(new_task, Cluster(api), state="absent").changed
    assert api.did == [("remove", "Vol")]


def test_a_remote_volume_that_has_the_number_of_another_as_its_name(new_task):
    api = RemoteApi(REMOTE, REMOTE.with_(id=10007, name="r0001", key="r0001"))
    for given in ({"state": "absent"}, {**RIGHT, "recreate": True}):
        with pytest.raises(Refused, match="r0001 is the name of one volume and another name of Vol, and data") as found:
            remote(new_task, Cluster(api), name="r0001", **given)
        assert found.value.hint == "say r0007 for the one that is called r0001, and its own name for the other"
    assert not remote(new_task, Cluster(api), name="r0001", **RIGHT).changed
    assert remote(new_task, Cluster(api), name="10007", state="absent").changed
    assert api.did == [("remove", "r0001")]


@pytest.mark.parametrize("name", ["r0007", "10007"])
def test_another_remote_volume_with_the_number_of_the_one_that_is_gone(new_task, name):
    api = RemoteApi(REMOTE.with_(id=10007, name="r0007" if name == "r0007" else "Vol"))
    delete = api.delete
    api.delete = lambda row: (delete(row), api.rows.append(REMOTE.with_(id=10007, name="Other", key="Other")))
    done = remote(new_task, Cluster(api), name=name, state="absent")
    assert (len(api.did), done.row) == (1, None)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (
            {"name": "Voll"},
            "there is no such remote volume .did you mean Vol.., and to add it vol_type url must be given",
        ),
        ({"name": "r0007", "url": "x"}, "there is no remote volume r0007"),
        ({"name": " "}, "no remote volume is named"),
        ({"name": "New", "vol_type": "s3", "url": ""}, "New: url is empty"),
        ({"labels": ["a", ""]}, "Vol: a label is empty"),
        ({"remote_volume_id": 7}, "at least 10000, and 7 is wanted"),
        ({"name": "New", "vol_type": "file"}, "New: no such type"),
    ],
)
def test_bad_options_of_remote_volumes(new_task, given, why):
    with pytest.raises(ClusterError, match=f"^exa-unit: .*{why}"):
        remote(new_task, Cluster(RemoteApi(REMOTE)), **given)


def test_a_remote_volume_may_choose_its_number(new_task):
    api = RemoteApi()
    given = {"name": "r0007", "remote_volume_id": 10007, "vol_type": "s3", "url": "x"}
    assert remote(new_task, Cluster(api), **given).row["id"] == 10007
    with pytest.raises(Unsupported, match="remote_volume_owner"):
        remote(new_task, Cluster(RemoteApi(), lacking=("remote_volume_owner",)), **given)
