# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""What a topology of a ConfD cluster may say, and what is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.checks import TopologyError
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.topology import load
from ansible_collections.dbfleet.cluster.tests.unit.simulator.exasol.confd.conftest import UP, Lab


def test_next_to_nothing_will_do() -> None:
    (spec,) = load({"provider": "confd"})
    assert (list(spec.nodes), spec.master, spec.listeners) == (["n11"], "n11", ["n11"])
    assert (spec.users[0].name, spec.users[0].groups) == ("admin", ["exaadm"])
    assert len(spec.users[0].password) > 10
    assert spec.settings["parameter_names"] == "8"
    (old,) = load({"provider": "confd", "version": "6.2.7"})
    assert (old.users[0].name, old.users[0].groups) == ("root", ["root"])
    assert old.settings["parameter_names"] == "6.2"


def test_what_the_module_returns_is_a_topology() -> None:
    reported = {
        "product": "exasol", "provider": "confd", "name": "exa-unit", "version": None, "master": "n11",
        "license_servers": [], "nodes": {"n11": {"state": "online"}, "n12": {"state": "suspended"}},
        "services": {"Storaged": "OK"}, "log_services": [], "plugins": [], "infra": True,
        "databases": {
            "DB1": {"state": "running", "connectible": "Yes", "operation": "None", "connection_string": "n11:8563"}
        },
    }  # fmt: skip
    (spec,) = load({"cluster": reported})
    assert (spec.master, spec.deployment, list(spec.databases)) == ("n11", "cloud", ["DB1"])
    assert spec.nodes["n12"]["state"] == "suspended"
    (of_hosts,) = load({"cluster": {**reported, "infra": False, "infra_refused": "not here"}})
    assert of_hosts.deployment == "host"
    with pytest.raises(TopologyError, match="deployment must be cloud or host, not 'moon'"):
        load({"cluster": {**reported, "deployment": "moon"}})


@pytest.mark.parametrize(
    ("nodes", "active", "reserve"),
    [
        (None, ["n11", "n12", "n13"], []),
        ([11, 12], ["n11", "n12"], []),
        (["n12", "13"], ["n12", "n13"], []),
        ({"active": ["n11"], "failed": [], "reserve": ["n13"]}, ["n11"], ["n13"]),
    ],
)
def test_nodes_of_a_database(lab: Callable[..., Lab], nodes: Any, active: list[str], reserve: list[str]) -> None:
    one = lab(databases={"DB1": {} if nodes is None else {"nodes": nodes}})
    shown = one.ok("db_info", db_name="DB1")["nodes"]
    assert shown == {"active": active, "failed": [], "reserve": reserve}
    some = lab(databases={"DB1": {"nodes": [11, 12, 13], "num_active_nodes": 2}})
    assert some.ok("db_info", db_name="DB1")["nodes"]["reserve"] == ["n13"]


def test_a_cluster_may_begin_in_the_middle(lab: Callable[..., Lab]) -> None:
    databases = {"DB1": {"state": "starting"}, "DB2": {"state": "Shutdown"}}
    one = lab(databases=databases, nodes={"n11": {}, "n12": {}, "n13": {"state": "booting", "boot": 50}})
    assert [one.ok("db_state", db_name=name) for name in databases] == ["startup", "shutdown"]
    assert one.ok("node_state")["13"] == "offline"
    one.pass_time(50)
    assert one.ok("node_state")["13"] == "online"
    one.pass_time(100)
    assert [one.ok("db_state", db_name=name) for name in databases] == ["running", "setup"]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"tempo": 1}, "unknown key tempo"),
        ({"nodes": []}, "there is no node"),
        ({"nodes": ["n0011"]}, "has a name such as n11"),
        ({"nodes": {"n11": {"state": "asleep"}}}, "node n11 can't be in state 'asleep'"),
        ({"master": "n12"}, "n12 isn't a node"),
        ({"listeners": ["n12"]}, "n12 isn't a node"),
        ({"databases": {"DB1": {"state": "odd"}}}, "database DB1 can't be in state 'odd'"),
        ({"databases": {"DB1": {"nodes": [12]}}}, "database DB1 names 12, which isn't a node"),
        ({"backups": {"DB1": []}}, "backups names DB1, which isn't a database"),
        ({"databases": ["DB1"], "schedules": {"DB1": []}}, "schedules of DB1 must be a mapping"),
        ({"users": [5]}, "a user must be a mapping"),
        ({"settings": {"colour": 1}}, "settings has no colour"),
        ({"settings": {"parameter_names": "7"}}, "parameter_names must be one of '', '6.2', '8'"),
    ],
)
def test_what_is_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(TopologyError) as caught:
        load({"provider": "confd", "name": "c", **changes})
    assert text in str(caught.value)
    assert str(caught.value).startswith("Cluster c: ")


def test_the_state_is_a_topology(lab: Callable[..., Lab]) -> None:
    row = {"bid": 11, "volume": "RemoteVolume1", "timestamp": "2020-07-07 14:05"}
    schedules = {"DB1": {"weekly": {"volume": "RemoteVolume1", "level": 0}}}
    one = lab(backups={"DB1": [row]}, schedules=schedules)
    one.ok("node_suspend", nid=13)
    state = one.cluster.state()
    again = Lab({**state, "users": UP["users"]}, "seconds:1")
    told = again.cluster.state()
    for part in ("nodes", "databases", "volumes", "remote_volumes", "backups", "schedules", "master", "settings"):
        assert told[part] == state[part], part
