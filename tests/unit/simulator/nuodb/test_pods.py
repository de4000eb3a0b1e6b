# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A domain that Kubernetes manages: what exits comes again, and nothing but a pod starts it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.simulator.nuodb.conftest import BARE, PATH, Lab, engine

PODS: dict[str, Any] = {
    **BARE,
    "settings": {"kubernetes": True, "leaderAssignmentTimeout": 900000},
    "databases": {"test": {"incarnation": [1, 4]}},
    "archives": {"0": {"db_name": "test", "server_id": None, "archive_path": PATH, "state": "RUNNING"}},
    "processes": {
        "0": engine("SM", 0, 1, archive_id=0, external=True, labels={"pod-name": "sm-0"}),
        "1": engine("TE", 1, 2, external=True, labels={"pod-name": "te-0"}),
    },
}


def test_a_shutdown_is_a_restart(lab: Callable[..., Lab]) -> None:
    one = lab(PODS)
    one.ok("POST", "databases/test/shutdown")
    one.pass_time(60)
    assert one.state() == "RUNNING"
    rows = one.ok("GET", "processes?orderBy=startId")["data"]
    assert {row["labels"]["pod-name"] for row in rows} == {"sm-0", "te-0"}
    assert all(row["isExternalStartup"] and row["options"]["ext-start"] == "true" for row in rows)
    assert not {"0", "1"} & {row["startId"] for row in rows}
    assert one.incarnation()[0] == 2
    stone = one.tombstone(1)["process"]
    assert stone["isExternalStartup"] is True


def test_the_pod_of_an_ap_starts_it_again(lab: Callable[..., Lab]) -> None:
    one = lab(PODS)
    one.ok("POST", "peers/server2/shutdown")
    one.pass_time(2)
    assert one.domain.servers.all["server2"].state == "stopped"
    one.pass_time(10)
    assert one.domain.servers.all["server2"].state == "ACTIVE"


@pytest.mark.parametrize("choice", ["refuse", "accept"])
def test_only_its_pod_starts_an_archive_without_a_host(lab: Callable[..., Lab], choice: str) -> None:
    settings = {"start_of_external_archive": choice}
    one = lab({**PODS, "processes": {}, "settings": settings})
    body = {"dbName": "test", "engineType": "SM", "archiveId": 0, "host": "server0"}
    if choice == "refuse":
        assert one.refused("POST", "processes", body) == (400, "Archive has no host: archiveId=0")
        assert one.ok("POST", "processes/externalStartup", body)["isExternalStartup"] is True
    else:
        assert one.ok("POST", "processes", body)["isExternalStartup"] is False
    assert one.ok("GET", "archives")["data"][0].get("host") is None


def test_of_other_domains_nothing_comes_again(lab: Callable[..., Lab]) -> None:
    one = lab({**PODS, "settings": {}})
    one.ok("POST", "databases/test/shutdown")
    one.pass_time(60)
    assert one.state() == "NOT_RUNNING"
