# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remote volumes as ConfD's jobs show them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.simulator.exasol.confd.conftest import Lab


def test_remote_volumes(lab: Callable[..., Lab]) -> None:
    one = lab()
    where = {"vol_type": "s3", "url": "http://there", "username": "me", "password": "hush-hush"}
    result = one.run("remote_volume_add", **where)
    assert result["result_output"] == [["r0002", "admin", "/exa/etc/remote_volumes/admin.1.conf"]]
    assert result["result_revision"] == 2
    assert one.ok("remote_volume_info", remote_volume_id=10002) == {
        "name": "r0002", "owner": "admin", "type": "s3", "url": "http://there", "vid": "10002", "username": "me",
    }  # fmt: skip
    assert one.ok("remote_volume_list") == ["RemoteVolume1", "r0002"]
    assert "hush-hush" not in str(one.cluster.record.calls()) + str(one.call("job_info", "11.1"))
    assert "10000" not in one.refused("remote_volume_add", remote_volume_id=9999, **where)
    assert "exists already" in one.refused("remote_volume_add", remote_volume_name="RemoteVolume1", **where)
    assert "vol_type" in one.refused("remote_volume_add", vol_type="tape", url="x")
    one.ok("remote_volume_remove", remote_volume_name="r0002")
    assert "could not be found" in one.refused("remote_volume_info", remote_volume_name="r0002")


def test_remote_volumes_are_reached_by_each_node_or_not(lab: Callable[..., Lab]) -> None:
    one = lab()
    assert one.ok("remote_volume_state", remote_volume_name="RemoteVolume1") == ["Online"] * 3
    one.act("/remote", volume="RemoteVolume1", node="n12", state="broken")
    states = ["Online", "Connection problem", "Online"]
    assert one.ok("remote_volume_state", remote_volume_name="RemoteVolume1") == states
    one.act("/remote", volume="RemoteVolume1", state="unmounted")
    assert one.ok("remote_volume_state", remote_volume_name="RemoteVolume1") == ["Unmounted"] * 3
    text = one.refused("db_backup_start", db_name="DB1", backup_volume_name="RemoteVolume1", level=0)
    assert text == "Remote volume RemoteVolume1 is not online"


@pytest.mark.parametrize("state", ["unmounted", {"n11": "broken", "n13": "Unmounted"}])
def test_a_topology_says_how_they_are_reached(lab: Callable[..., Lab], state: Any) -> None:
    key = "state" if isinstance(state, str) else "states"
    one = lab(remote_volumes={"far": {key: state}})
    expected = ["Unmounted"] * 3 if key == "state" else ["Connection problem", "Online", "Unmounted"]
    assert one.ok("remote_volume_state", remote_volume_name="far") == expected


def test_keys_of_s3_are_two_and_nobody_tells_them(lab: Callable[..., Lab]) -> None:
    one, old = lab(), lab(settings={"parameter_names": "6.2"})
    new = {"vol_type": "s3", "url": "http://b", "remote_volume_name": "keyed", "s3_access_key": "AK-told"}
    assert "s3_access_key can not be" in one.refused("remote_volume_add", **new)
    one.ok("remote_volume_add", **new, s3_secret_key="SK-told")
    assert "told" not in str(one.ok("remote_volume_list_details"))
    assert "unknown parameter s3_access_key" in old.refused("remote_volume_add", **new)
