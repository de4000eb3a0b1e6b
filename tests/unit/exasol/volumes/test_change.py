# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What no change may touch: the data of a locked volume."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.exasol.volumes.fake_api import VOL, Api, Cluster, brought, refused


@pytest.mark.parametrize(
    "given",
    [{"size": "60 GiB"}, {"redundancy": 3}, {"redundancy": 1}, {"nodes": ["n11", "n12", "n14"]}, {"nodes": ["all"]}],
)
def test_data_of_a_locked_volume_stays(new_task, given):
    refusal = refused(new_task, Api(VOL.with_(state="LOCKED")), **given)
    assert "it is locked" in refusal.message
    assert "state=unlocked" in str(refusal.hint)
    refusal = refused(new_task, Api(VOL.with_(int_io=False)), **given)
    assert "its internal I/O is off, and without internal I/O its data can't be changed" in refusal.message
    assert brought(new_task, Cluster(Api(VOL.with_(int_io=False))), check=True, int_io=True, **given).steps[0] == "io"
    api = Api(VOL.with_(state="LOCKED"))
    brought(new_task, Cluster(api), priority=3)
    assert api.did == [("priority", "Vol", 3)]


@pytest.mark.parametrize("given", [{"size": "60 GiB"}, {"redundancy": 1}, {"nodes": ["all"]}])
def test_a_lock_of_its_own_is_not_to_be_taken_away_first(new_task, given):
    row = VOL.with_(state="LOCKED", unlock_conditions=("node 12 is resumed",))
    refusal = refused(new_task, Api(row), **given)
    assert "EXAStorage itself has locked it (unlock condition: node 12 is resumed)" in refusal.message
    assert "state=unlocked" not in str(refusal.hint)
    assert "EXAStorage removes the lock" in str(refusal.hint)
