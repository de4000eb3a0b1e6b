# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Volumes are cleared and deleted."""

from __future__ import annotations

import re

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.exasol.volumes.fake_api import VOL, Api, Cluster, brought, refused


@pytest.mark.parametrize("state", ["cleared", "absent"])
def test_data_goes_only_where_the_volume_is_named_twice(new_task, state):
    api = Api(VOL, VOL.with_(id=2, name="Other"))
    refusal = refused(new_task, api, name=["Vol", "Other"], state=state, confirm=["Vol"])
    assert "Other: state=" in refusal.message
    assert "Vol: " not in refusal.message
    assert refusal.hint == "to allow this, set confirm: [Other]"
    assert not brought(new_task, Cluster(api), name="Gone", state="absent").changed


@pytest.mark.parametrize("state", ["cleared", "absent"])
def test_a_number_confirms_nothing(new_task, state):
    """It may be that of another volume by the time the task runs again."""
    api = Api(VOL)
    for name in ("1", "v0001"):
        refusal = refused(new_task, api, name=name, state=state, confirm=[name])
        assert re.search(f"{name}: it is Vol; state={state} .*, and confirm doesn't name it", refusal.message)
        assert refusal.hint == "to allow this, set confirm: [Vol]"
    assert brought(new_task, Cluster(api), name="v0001", state=state, confirm=["Vol"]).changed


def test_clearing(new_task):
    api = Api(VOL)
    for _again in range(2):
        done = brought(new_task, Cluster(api), state="cleared", confirm=["Vol"], nodes=["n12"], num_bytes=512)
        assert done.diff["after"] == {"Vol": {"data": "cleared"}}
    assert api.did == 2 * [("clear", "Vol", 512, ["n12"])], "nobody can see that it was done"
    assert "it isn't on n14" in refused(new_task, Api(VOL), state="cleared", confirm=["Vol"], nodes=["n14"]).message
    locked = VOL.with_(state="LOCKED")
    assert "it is locked" in refused(new_task, Api(locked), state="cleared", confirm=["Vol"]).message


LOST = VOL.with_(state="LOCKED", unlock_conditions=(), copies={"0": (), "1": ("n11",)})
AUTOMATIC = VOL.with_(state="LOCKED", unlock_conditions=("node 12 is resumed",), away=("n12 OFFLINE",))


@pytest.mark.parametrize(
    ("row", "cause"),
    [
        (AUTOMATIC, "unlock condition: node 12 is resumed"),
        (LOST, "no copy of segment 0 is online"),
        (VOL.with_(state="LOCKED", away=("n12 OFFLINE",)), "n12 OFFLINE"),
    ],
)
def test_what_exastorage_has_locked_is_unlocked_only_where_that_is_meant(new_task, row, cause):
    refusal = refused(new_task, Api(row), state="unlocked")
    assert f"Vol: EXAStorage itself has locked it ({cause}): unlocking clears the conditions" in refusal.message
    assert "ignore_unlock_conditions: true unlocks it anyway" in str(refusal.hint)
    api = Api(row)
    assert brought(new_task, Cluster(api), state="unlocked", ignore_unlock_conditions=True).changed
    assert api.did == [("unlock", "Vol")]


def test_what_somebody_has_locked_is_unlocked(new_task):
    """Also where a copy of it is away meanwhile."""
    for row in (VOL.with_(state="LOCKED"), VOL.with_(state="LOCKED", unlock_conditions=(), away=("n12 OFFLINE",))):
        api = Api(row)
        assert brought(new_task, Cluster(api), state="unlocked").changed
        assert api.did == [("unlock", "Vol")]


def test_of_several_none_is_unlocked_where_one_may_not_be(new_task):
    api = Api(VOL.with_(state="LOCKED"), AUTOMATIC.with_(id=2, name="Other"))
    refusal = refused(new_task, api, name=["Vol", "Other"], state="unlocked")
    assert "Other: EXAStorage itself has locked it" in refusal.message
    assert api.did == []
