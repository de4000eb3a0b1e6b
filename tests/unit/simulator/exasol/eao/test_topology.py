# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The topology of a cluster that EXAoperation administers."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.checks import TopologyError
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.topology import load

INFO: dict[str, Any] = {
    "product": "exasol",
    "provider": "exaoperation",
    "name": "exa-prod",
    "version": "6.2.1",
    "master": "n0010",
    "license_servers": ["n0010"],
    "nodes": {"n0011": {"state": "online"}, "n0012": {"state": "offline"}},
    "services": {"Loggingd": "OK", "Lockd": "OK", "Storaged": "OK", "DWAd": "OK"},
    "databases": {
        "DB1": {"state": "running", "connectible": "Yes", "operation": "None", "connection_string": "10.0.0.11:8563"}
    },
    "log_services": ["logservice1"],
    "plugins": ["Administration.vmware-tools"],
}


def test_what_the_module_returns_is_a_topology() -> None:
    spec = load({"cluster": INFO, "changed": False, "failed": False})[0]
    assert (spec.name, spec.master, spec.storage_online) == ("exa-prod", "n0010", True)
    assert list(spec.nodes) == ["n0011", "n0012"]
    assert load({**INFO, "services": {"Storaged": "not running"}})[0].storage_online is False


def test_defaults() -> None:
    spec = load({})[0]
    assert (spec.license_servers, spec.listeners, spec.master) == (["n0010"], ["n0010"], "n0010")
    assert spec.users[0].name == "admin"
    assert len(spec.users[0].password) >= 12
    assert spec.users[0].password != load({})[0].users[0].password


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"product": "oracle"}, "only product exasol or nuodb"),
        ({"provider": "dwad"}, "only provider exaoperation or confd"),
        ({"tempo": 1}, "unknown key tempo"),
        ({"license_servers": []}, "no license server"),
        ({"nodes": {"n0010": {}}}, "n0010 is a license server"),
        ({"nodes": {"n0011": {"state": "tired"}}}, "can't be in state 'tired'"),
        ({"machines": {"n0011": {}}}, "isn't a license server"),
        ({"master": "n0099"}, "n0099 is neither a node nor a license server"),
        ({"listeners": "n0010"}, "listeners must be a list"),
        ({"timing": {"boto": 1}}, "timing has no boto"),
        ({"timing": {"boot": -1}}, "boot can't be -1"),
        ({"settings": {"node_off": 1}}, "node_off can't be 1"),
        ({"settings": {"storage_start_blocks": "yes"}}, "storage_start_blocks can't be 'yes'"),
        ({"databases": {"DB1": {"state": "asleep"}}}, "DB1 can't be in state 'asleep'"),
        ({"databases": {"DB1": {"nodes": ["n0099"]}}}, "names n0099"),
        ({"users": [{"role": "King"}]}, "'King' is not one of User"),
        ({"plugin_nodes": {"P": {}}}, "names P"),
    ],
)
def test_a_bad_topology_is_one_sentence(change: dict[str, Any], words: str) -> None:
    with pytest.raises(TopologyError, match=words.replace("(", r"\(")):
        load({**INFO, **change})
