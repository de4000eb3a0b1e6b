# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EXAStorage and the cluster services."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.simulator.conftest import DOWN, UP, Lab

STOPPED: dict[str, Any] = {**UP, "storage_online": False, "databases": {"DB1": {}}}


def storaged(one: Lab) -> str:
    services = dict(one.call("", "getServiceState"))
    assert list(services) == ["Loggingd", "Lockd", "Storaged", "DWAd"]
    return str(services["Storaged"])


def test_start_blocks_until_it_is_up(lab: Callable[..., Lab]) -> None:
    one = lab(STOPPED, "seconds:1", timing={"storage_start": 60})
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(one.call("/storage", "startEXAStorage")))
    thread.start()
    for _turn in range(500):
        if storaged(one) == "starting":
            break
        thread.join(0.005)
    assert one.call("/storage", "serviceIsOnline") is False
    assert answers == []
    with one.cluster.lock:
        one.time += 60
        one.cluster.wake()
    thread.join(5)
    assert answers == ["OK"]
    assert storaged(one) == "OK"
    assert one.call("/storage", "serviceIsOnline") is True


def test_start_without_blocking(lab: Callable[..., Lab]) -> None:
    one = lab(STOPPED, settings={"storage_start_blocks": False, "storage_starting": "coming"})
    assert one.call("/storage", "startEXAStorage") == "OK"
    assert storaged(one) == "coming"
    one.pass_time(60)
    assert storaged(one) == "OK"


def test_a_blocking_start_stands_for_its_polls(lab: Callable[..., Lab]) -> None:
    one = lab(STOPPED, "polls:7")
    assert one.call("/storage", "startEXAStorage") == "OK"
    assert storaged(one) == "OK"


def test_stop_by_polls(lab: Callable[..., Lab]) -> None:
    one = lab(UP, "polls:2", databases={})
    assert one.call("/storage", "stopEXAStorage") == "OK"
    assert [storaged(one) for _turn in range(3)] == ["stopping", "stopping", "not running"]
    assert one.call("/storage", "serviceIsOnline") is False


def test_refusals(lab: Callable[..., Lab]) -> None:
    one = lab(UP, databases={})
    assert one.refused("/storage", "startEXAStorage") == "EXAStorage is already running"
    one.call("/storage", "stopEXAStorage")
    assert one.refused("/storage", "stopEXAStorage") == "EXAStorage is already being stopped"
    assert one.refused("/storage", "startEXAStorage") == "EXAStorage is being stopped"
    one.pass_time(30)
    assert one.refused("/storage", "stopEXAStorage") == "EXAStorage is not running"
    assert "n0099" in one.refused("/storage", "startEXAStorage", ["n0099"])


def test_a_second_start_may_be_allowed(lab: Callable[..., Lab]) -> None:
    one = lab(UP, settings={"storage_start_when_online": "ok"})
    assert one.call("/storage", "startEXAStorage") == "OK"
    assert one.rules() == [("storage-start-repeated", "storage")]


def test_ignored_nodes(lab: Callable[..., Lab]) -> None:
    nodes = {"n0011": {}, "n0012": {}, "n0013": {"state": "offline"}}
    one = lab(STOPPED, "immediate", nodes=nodes)
    assert one.call("/storage", "startEXAStorage", ["n0013"]) == "OK"
    assert storaged(one) == "OK"
    assert one.rules() == []
    other = lab(STOPPED, "immediate", nodes=nodes)
    assert other.call("/storage", "startEXAStorage", []) == "OK"
    assert storaged(other) == "degraded"
    assert other.rules() == [("storage-started-without-node", "storage")]
    strict = lab(STOPPED, "immediate", nodes=nodes, settings={"storage_start_without_node": "refuse"})
    assert "n0013 is not online" in strict.refused("/storage", "startEXAStorage")


def test_a_minority_is_no_storage(lab: Callable[..., Lab]) -> None:
    one = lab(DOWN, "immediate")
    assert "minority" in one.refused("/storage", "startEXAStorage")


def test_a_node_goes_and_comes(lab: Callable[..., Lab]) -> None:
    one = lab(UP, databases={})
    one.power("n0013", False)
    assert storaged(one) == "degraded"
    assert one.call("/storage", "storageHasQuorum") is True
    one.power("n0012", False)
    assert one.call("/storage", "storageHasQuorum") is False
    for node in ("n0012", "n0013"):
        one.power(node, True)
    one.pass_time(300)
    assert storaged(one) == "OK"
    assert one.rules() == [("node-off-under-storage", "n0013"), ("node-off-under-storage", "n0012")]


def test_volumes(lab: Callable[..., Lab]) -> None:
    one = lab(volumes={"v0000": {"redundancy": 2}})
    # the running DB2 has a temporary one
    assert one.call("/storage", "getVolumeList") == ["v0000", "v0001", "v0002"]
    assert one.call("/storage", "getVolumeInfo", "v0000")["state"] == "ONLINE"
    one.power("n0011", False)
    assert [one.call("/storage", "getVolumeInfo", number)["state"] for number in (0, 1)] == ["DEGRADED", "LOCKED"]
    assert one.call("/storage", "getVolumeList") == ["v0000", "v0001"]
    assert one.refused("/storage", "getVolumeInfo", "v0009") == "Volume could not be found"
    assert "not online" in lab(STOPPED).refused("/storage", "getVolumeList")


@pytest.mark.parametrize("value", ["not running", "Error 7"])
def test_sick_service(lab: Callable[..., Lab], value: str) -> None:
    one = lab()
    one.fault(kind="service_sick", object="Lockd", value=value)
    assert dict(one.call("", "getServiceStates"))["Lockd"] == value
    assert one.cluster.faults.rows()[0]["hit"] > 0
    one.forgive()
    assert dict(one.call("", "getServiceState"))["Lockd"] == "OK"


def test_storage_that_fails_to_start(lab: Callable[..., Lab]) -> None:
    one = lab(STOPPED, "immediate")
    one.fault(kind="fails_to_start", object="storage", text="no quorum", max_count=1)
    assert one.refused("/storage", "startEXAStorage") == "no quorum"
    assert storaged(one) == "not running"
    assert one.call("/storage", "startEXAStorage") == "OK"


def test_storage_that_never_stops(lab: Callable[..., Lab]) -> None:
    one = lab(UP, databases={})
    one.fault(kind="never_stops", object="storage")
    one.call("/storage", "stopEXAStorage")
    one.pass_time(10_000)
    assert storaged(one) == "stopping"
    one.forgive()
    assert storaged(one) == "not running"
