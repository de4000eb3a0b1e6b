# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remote volumes as EXAoperation administers them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ansible_collections.dbfleet.cluster.tests.unit.simulator.conftest import Lab
from ansible_collections.dbfleet.cluster.tests.unit.simulator.exasol.common.volume_rows import SPARE, info

REMOTE: dict[str, Any] = {
    "allowed_users": ["admin"],
    "readonly_users": [],
    "url": "https://bucket.s3.amazonaws.com",
    "options": "s3,noverifypeer",
    "user": "key-id",
    "password": "geheim",
}


def test_remote_volumes_come_and_go(lab: Callable[..., Lab]) -> None:
    one = lab(SPARE)
    assert one.call("", "addRemoteVolume", REMOTE) == "remote2"
    assert one.call("", "listObjects")[-2:] == ["remote1", "remote2"]
    assert one.call("/remote2", "getVolumeId") == 10002
    assert one.call("/remote2", "state") == "Online"
    assert info(one, "remote2") == info(one, "r0002") == info(one, 10002) == {
        "allowed_users": ["admin"], "id": 10002, "labels": [], "name": "r0002", "object": "remote2",
        "options": "s3,noverifypeer", "readonly_users": [], "type": "Remote",
        "url": "https://bucket.s3.amazonaws.com", "user": "key-id",
    }  # fmt: skip
    assert "geheim" not in json.dumps([one.cluster.record.calls(), one.cluster.state()])
    assert one.call("/remote2", "editRemoteVolume", {**REMOTE, "url": "ftp://x", "labels": ["L"]}) == [
        "labels",
        "password",
        "url",
    ]
    plain = {key: value for key, value in REMOTE.items() if key != "password"}
    assert one.call("/remote2", "editRemoteVolume", {**plain, "url": "ftp://x"}) == []
    assert set(one.call("/remote2", "getProperties")) == {*REMOTE, "labels"}
    assert one.call("", "deleteSubObject", "remote2") is None
    assert "NotFound" in one.refused("/remote2", "state")
    assert "can not be deleted" in one.refused("", "deleteSubObject", "remote2")


def test_what_a_remote_volume_refuses(lab: Callable[..., Lab]) -> None:
    one = lab(SPARE)
    for change, text in (
        ({"url": None}, "Required field url"),
        ({"readonly_users": None}, "Required field readonly_users"),
        ({"username": "x"}, "Unknown field username"),
        ({"options": ["s3"]}, "options can not be"),
        ({"password": 12345}, "password can not be that"),
    ):
        assert text in one.refused("", "addRemoteVolume", {**REMOTE, **change})
    assert "Unauthorized" in one.refused("", "addRemoteVolume", REMOTE, user="watch", password="watching")
    one.call("/db_DB2", "backupDatabase", "r0001", 0, "")
    assert one.refused("", "deleteSubObject", "remote1") == "Volume r0001 is in use"


def test_states_of_a_remote_volume(lab: Callable[..., Lab]) -> None:
    rows = {"remote1": {"url": "x", "states": {"n0012": "unmounted"}}}
    assert lab(SPARE, remote_volumes=rows).call("/remote1", "state") == "Unmounted"
    settings = {"remote_state": "list", "remote_volume_id": "name", "add_remote_returns": "volume"}
    one = lab(SPARE, remote_volumes=rows, settings=settings)
    assert one.call("/remote1", "state") == ["Online", "Unmounted", "Online", "Online"]
    assert one.call("/remote1", "getVolumeId") == "r0001"
    assert one.call("", "addRemoteVolume", REMOTE) == "r0002"
    one.power("n0012", False)
    assert one.call("/remote1", "state") == ["Online"] * 3
