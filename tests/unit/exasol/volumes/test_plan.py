# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Volumes become what is wanted, one change after another, and what may not be done to them when."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.run import Converge
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import Settings
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    AnswerLost,
    ClusterError,
    Failed,
    Fault,
    NoSuchObject,
    TimedOut,
    Unsupported,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.backups import Schedule
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.volumes import plan, wanted as volume_wanted
from ansible_collections.dbfleet.cluster.plugins.modules import exa_volume
from ansible_collections.dbfleet.cluster.tests.unit.exasol.volumes.fake_api import (
    GIB,
    NODES,
    RIGHT,
    VOL,
    Api,
    Cluster,
    RemoteApi,
    brought,
    options,
    raising,
    refused,
    remote,
)

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


# -- what is refused; each changes nothing

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
    assert f"no {step}: 1 user(s) have it open" in refused(new_task, Api(VOL.with_(users=1)), **given).message
    preview = brought(new_task, Cluster(Api(VOL, users=("DB1",))), check=True, **given)
    assert "would be refused now" in preview.task.warnings[0]
    stopped = Cluster(api, state="setup")
    if step == "delete":
        assert "database DB1 keeps its data on it" in refused(new_task, api, cluster=stopped, **given).message
        assert "exa_database state=absent" in str(refused(new_task, api, cluster=stopped, **given).hint)
        elsewhere = Cluster(api, state="setup", lacking=("database_config",))
        assert "exa_database" not in str(refused(new_task, api, cluster=elsewhere, **given).hint)
    else:
        assert brought(new_task, stopped, **given).changed


@pytest.mark.parametrize(
    ("scheduled", "operation", "said"),
    [
        ([Schedule("n", "Vol", 0)], "None", "schedule n of DB1 sends backups there"),
        ([Schedule("", "v0001", 0)], "None", "schedule of DB1 sends backups there"),
        ([], "Backup", "DB1 is setup (operation Backup), and this backup may go there"),
        ([Schedule("n", "r0001", 0)], "Restore", ""),
    ],
)
def test_no_archive_goes_while_backups_go_there(new_task, scheduled, operation, said):
    """Its server would refuse that, when another volume is deleted already."""
    other = VOL.with_(id=2, name="Other")
    api = Api(other, VOL.with_(type="archive"))
    one = Cluster(api, state="setup")
    one.scheduled, one.operation = scheduled, operation
    given = {"name": ["Other", "Vol"], "state": "absent", "confirm": ["Other", "Vol"]}
    if said:
        assert f"Vol: no delete: {said}" in refused(new_task, api, cluster=one, **given).message
    else:
        assert brought(new_task, one, **given).steps == ["delete", "delete"]


def test_the_guard_of_a_later_change_holds_before_the_first(new_task):
    refused(new_task, Api(VOL, users=("DB1",)), priority=1, redundancy=3, app_io=False)


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
        with pytest.raises(ClusterError, match="^exa-unit: Vol: it was there when this run began and is gone"):
            brought(new_task, Cluster(api), **given)
        assert api.did, "that it is gone is seen after the change"


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


def test_what_fails(new_task):
    """A refused call, one that goes on and fails, and one whose answer is lost."""
    api = Api(VOL)
    api.resize = lambda *_args: raising(Fault("exa-unit: st_volume_enlarge of Vol: no space"))
    with pytest.raises(Fault, match="no space"):
        brought(new_task, Cluster(api), size="60 GiB")
    api = Api(VOL)
    api.move_nodes, api.error = lambda *_args: None, "disk full"
    with pytest.raises(Failed, match="Vol: move was accepted, but Vol is n11 n12 n13 again; .* says: disk full"):
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
    with pytest.raises(Failed, match="now it is 90 GiB, not 60 GiB: somebody else changed it") as caught:
        work.check_end({"changed": True})
    assert caught.value.as_result()["changed"] is True
    api.rows = [row.with_(id=7) for row in api.rows]
    with pytest.raises(
        ClusterError, match="Vol: it was there when this run began and is gone now: somebody else has deleted it"
    ):
        work.rows(False, True)


def test_a_volume_of_another_is_not_the_wanted_one(new_task):
    """The creation was refused, for another one of that name had been made; disk and type are for ever."""
    given = {"name": "New", "size": "1 GiB", "disk": "disk1", "nodes": ["n11"], "redundancy": 1}
    api = Api()
    create = api.create

    def too_late(volume: Any) -> None:
        create(volume.with_(disk="disk2"))
        raise Fault("exa-unit: there is one already")

    api.create = too_late
    work = plan.Volumes(Cluster(api), volume_wanted.wanted_of(Cluster(api), options(exa_volume, **given)))
    Converge(new_task(), "exa-unit", Settings(timeout=5)).run(work.stages())
    work.rows(False, True)
    with pytest.raises(Failed, match="this run did all steps, but now its disk is disk2, not disk1.*: somebody"):
        work.check_end({})


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
