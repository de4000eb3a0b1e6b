# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nodes, license servers, and where EXAoperation runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.simulator.conftest import DOWN, NODES, UP, Lab


def test_boot(lab: Callable[..., Lab]) -> None:
    one = lab(DOWN, timing={"boot": 100})
    assert "dmidecode" not in one.call("", "getHardwareInformation", "n0011")
    assert one.call("", "startupNode", "n0011") is None
    assert one.call("", "getNodeState", "n0011") == {"status": "Booting"}
    assert "dmidecode" not in one.call("", "getHardwareInformation", "n0011")
    one.pass_time(99)
    assert one.node("n0011") == "booting"
    one.pass_time(1)
    assert one.call("/n0011", "getNodeState") == {"status": "Running"}
    assert "dmidecode" in one.call("", "getHardwareInformation", 11)
    messages = [(row["node"], row["message"]) for row in one.call("/logservice1", "logEntries")[2]]
    assert messages == [
        ("n0011", "Boot process finished after 100 seconds"),
        ("n0011", "Boot process stages 1 to 3 took 60 seconds."),
    ]


def test_each_node_has_its_own_time(lab: Callable[..., Lab]) -> None:
    one = lab(
        {**DOWN, "nodes": {"n0011": {"state": "offline", "boot": 10}, "n0012": {"state": "offline", "boot": 900}}}
    )
    for node in ("n0011", "n0012"):
        one.call("", "startupNode", node)
    one.pass_time(10)
    assert (one.node("n0011"), one.node("n0012")) == ("online", "booting")


def test_polls(lab: Callable[..., Lab]) -> None:
    one = lab(DOWN, "polls:2")
    one.call("", "startupNode", "n0011")
    assert [one.call("", "getNodeState", "n0011")["status"] for _turn in range(3)] == ["Booting", "Booting", "Running"]


def test_shutdown_and_power(lab: Callable[..., Lab]) -> None:
    one = lab(UP, storage_online=False, databases={})
    one.call("", "shutdownNode", "n0011")
    assert one.call("", "getNodeState", "n0011") == {"status": "Shutting down"}
    one.call("", "startupNode", "n0011")
    assert one.node("n0011") == "shutting_down"
    one.pass_time(60)
    assert one.call("", "getNodeState", "n0011") == {"status": "Unknown"}
    one.power("n0012", False)
    assert one.node("n0012") == "off"
    one.call("/n0013", "poweroffNode")
    assert one.node("n0013") == "off"
    assert one.rules() == []


def test_what_a_state_looks_like_is_a_setting(lab: Callable[..., Lab]) -> None:
    settings = {"node_booting": "fault", "node_off": "Offline", "hardware_offline": "fault"}
    one = lab(DOWN, settings=settings)
    assert one.call("", "getNodeState", "n0011") == {"status": "Offline"}
    assert "not available" in one.refused("", "getHardwareInformation", "n0011")
    one.call("", "startupNode", "n0011")
    assert "not available" in one.refused("/n0011", "getNodeState")


def test_nodes_boot_from_a_license_server(lab: Callable[..., Lab]) -> None:
    """A node that has power waits for its boot image until a license server is up."""
    one = lab(DOWN, machines={"n0010": {"state": "offline"}}, timing={"boot": 100, "api": 30})
    one.power("n0011", True)
    one.pass_time(1000)
    assert one.node("n0011") == "booting"
    one.power("n0010", True)
    one.pass_time(30)
    assert one.cluster.exaoperation.listens("n0010")
    one.pass_time(99)
    assert one.node("n0011") == "booting"
    one.pass_time(1)
    assert one.node("n0011") == "online"


def test_suspended(lab: Callable[..., Lab]) -> None:
    one = lab(UP, storage_online=False, databases={})
    one.call("/n0011", "stopClusterServices")
    assert one.call("/n0011", "getNodeState") == {"status": "Suspended"}
    assert one.call("/n0011", "nodeRunning") is False
    assert one.refused("/n0011", "stopClusterServices") == "Node n0011 is not running"
    one.call("/n0011", "startClusterServices")
    assert one.call("/n0011", "getNodeState") == {"status": "Running"}


@pytest.mark.parametrize("method", ["startupNode", "shutdownNode", "getNodeState", "getHardwareInformation"])
def test_unknown_node(lab: Callable[..., Lab], method: str) -> None:
    assert lab().refused("", method, "n0099") == "Node n0099 could not be found"


def test_license_server_off(lab: Callable[..., Lab]) -> None:
    one = lab(DOWN, timing={"api_stop": 5, "shutdown": 60})
    one.call("", "shutdownNode", "n0010")
    one.pass_time(4)
    assert one.cluster.exaoperation.listens("n0010")
    one.pass_time(1)
    assert not one.cluster.exaoperation.listens("n0010")
    assert one.node("n0010") == "shutting_down"
    one.pass_time(55)
    assert one.node("n0010") == "off"
    one.power("n0010", True)
    one.pass_time(30)
    assert one.call("", "getEXAoperationMaster") == "n0010"


def test_never_boots_until_forgiven(lab: Callable[..., Lab]) -> None:
    one = lab(DOWN)
    one.fault(kind="never_boots", object="n0012")
    for node in NODES:
        one.call("", "startupNode", node)
    one.pass_time(10_000)
    assert [one.node(node) for node in NODES] == ["online", "booting", "online"]
    assert "n0012" not in {row["node"] for row in one.call("/logservice1", "logEntries")[2]}
    one.forgive()
    assert one.node("n0012") == "online"


def test_nodes_are_added_and_removed(lab: Callable[..., Lab]) -> None:
    one = lab(UP)
    new = {
        "number": 14,
        "mac_addr_eth0": "02:00:00:00:00:14",
        "mac_addr_eth1": "02:00:00:00:01:14",
        "spool_disk": "d02",
    }
    assert one.call("", "addNode", {**new, "to_install": True}) == "n0014"
    assert one.call("", "getNodeList")[-1] == "n0014"
    assert "n0014" in one.call("", "listObjects")
    assert one.call("/n0014", "getNodeState") == {"status": "Unknown"}
    assert dict(one.call("", "getServiceState"))["Storaged"] == "OK"
    assert one.refused("", "addNode", new) == "Node n0014 exists already"
    assert "number can not be 10" in one.refused("", "addNode", {**new, "number": 10})
    assert "Required field spool_disk" in one.refused("", "addNode", {**new, "spool_disk": None})
    one.power("n0014", True)
    one.pass_time(300)
    assert one.node("n0014") == "online"
    assert one.refused("", "deleteSubObject", "n0014") == "Node n0014 is not switched off"
    one.power("n0014", False)
    assert one.call("", "deleteSubObject", "n0014") is None
    assert one.call("", "getNodeList") == ["n0011", "n0012", "n0013"]
    assert one.refused("", "deleteSubObject", "n0013") == "Node n0013 is used by database DB1"
    assert one.rules() == []
