# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A domain's topology: what nuodb_domain_info returns is one, and so is /state; a bad one is a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.checks import TopologyError
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.topology import load

from .conftest import BARE, DOWN, PATH, UP, Lab

INFO: dict[str, Any] = {
    "product": "nuodb",
    "name": "nuo-prod",
    "version": None,
    "servers": {
        "server0": {
            "server_id": "server0", "address": "10.0.0.1:48005", "role": "LEADER", "leader": "server0",
            "state": "ACTIVE", "connected": "Connected", "evicted": False, "local": True, "labels": {"rack": "1"},
            "version": "4.2.1-3-abc",
        },
        "server1": {"server_id": "server1", "role": "FOLLOWER", "state": "ACTIVE", "connected": "Disconnected"},
    },
    "databases": {
        "test": {"db_name": "test", "state": "RUNNING", "incarnation": [1, 4], "default_options": {"mem": "1G"}},
        "old": {"db_name": "old", "state": "TOMBSTONE", "incarnation": [7, 0], "default_options": {}},
    },
    "archives": {
        "0": {
            "archive_id": 0, "db_name": "test", "server_id": "server0", "archive_path": PATH, "journal_path": None,
            "snapshot_archive_path": None, "observer_storage_groups": [], "state": "RUNNING", "removed": False,
        },
        "1": {"archive_id": 1, "db_name": "test", "server_id": "server1", "archive_path": PATH, "removed": True},
    },
    "processes": {
        "0": {
            "start_id": "0", "db_name": "test", "engine_type": "SM", "server_id": "server0", "archive_id": 0,
            "durable_state": "MONITORED", "engine_state": "RUNNING", "node_id": 1, "pid": 144,
            "address": "server0:48006", "labels": {}, "version": "4.2.1", "last_heard_from": 123,
        },
    },
    "tombstones": {
        "2": {"start_id": "2", "db_name": "test", "engine_type": "TE", "server_id": "server1", "archive_id": None,
              "incarnation": [1, 3], "exit_code": 137, "reason": "gone", "address": None},
    },
    "storage_groups": {
        "test": {
            "SGEAST": {
                "sg_id": 10, "sg_name": "SGEAST", "db_name": "test", "state": "Available",
                "archive_states": {"0": "ADDED"}, "process_states": {"0": "RUNNING"}, "leader_candidates": ["0"],
            },
        },
    },
    "hotcopies": {
        "test": [
            {"hotCopyId": "h1", "coordinatorStartId": "0", "status": "completed", "stage": 3, "message": "done",
             "beginTimestamp": "2021-05-19 09:04:06", "endTimestamp": "2021-05-19 09:04:07"},
            {"hotCopyId": "h2", "coordinatorStartId": "0", "status": "running", "stage": 1, "message": "Stage1: Begin",
             "beginTimestamp": "2021-05-19 09:05:06"},
        ],
    },
}  # fmt: skip


def test_what_the_module_returns_is_a_topology(lab: Callable[..., Lab]) -> None:
    assert load({"domain": INFO, "changed": False})[0].name == "nuo-prod"
    one = lab({**INFO, "users": BARE["users"]})
    rows = {row["id"]: row for row in one.ok("GET", "peers")["data"]}
    assert rows["server1"]["connectedState"]["state"] == "Disconnected"
    assert (rows["server0"]["address"], rows["server0"]["labels"]) == ("10.0.0.1:48005", {"rack": "1"})
    assert rows["server0"]["fullVersion"] == "4.2.1-3-abc"
    # one of two is no majority
    assert rows["server0"]["localRoleInfo"]["leaderServerId"] is None
    assert one.state("old") == "TOMBSTONE"
    assert [row["id"] for row in one.ok("GET", "archives?removed=True")["data"]] == [1]
    assert one.tombstone(2)["exitCode"] == 137
    group = one.ok("GET", "databases/test/storageGroups")["data"][-1]
    assert (group["sgName"], group["sgId"], group["archiveStates"]) == ("SGEAST", 10, {"0": "ADDED"})
    copies = one.ok("GET", "databases/test/hotCopyStatus")["hotCopyStatuses"]["0"]
    assert [row["status"] for row in copies] == ["completed", "running"]
    assert copies[0]["endTimestamp"] == "2021-05-19 09:04:07"
    one.pass_time(60)
    assert one.ok("GET", "databases/test/hotCopyStatus")["hotCopyStatuses"]["0"][1]["status"] == "completed"
    one.power(1, True)
    one.pass_time(10)
    # ids go on after those that were
    assert one.start()["startId"] == "3"


def test_products_are_told_apart() -> None:
    mixed = {"clusters": [{"name": "a", "nodes": ["n0011"]}, {"name": "b", "servers": ["s0"]}, {"domain": INFO}]}
    assert [(spec.product, spec.name) for spec in load(mixed)] == [
        ("exasol", "a"), ("nuodb", "b"), ("nuodb", "nuo-prod"),
    ]  # fmt: skip
    assert load({"product": "nuodb"})[0].listeners == ["server0"]


def test_a_default_user_has_a_password_of_its_own() -> None:
    first, second = (load({"servers": ["s0"]})[0].users[0] for dummy in range(2))
    assert (first.name, first.roles) == ("admin", None)
    assert first.password != second.password


def test_state_is_a_topology(lab: Callable[..., Lab]) -> None:
    one = lab(license={"type": "LIMITED"}, regions={"0": "Default", "1": "east"})
    one.ok("PUT", "kvstore/k", {"newValue": "v", "expectedAbsent": True})
    one.ok("POST", "databases/test/hotCopy", {"type": "full", "defaultBackupSetDir": "/b"})
    one.act("/die", start_id="1")
    one.start()
    one.power(2, False)
    with one.domain.lock:
        state = one.domain.state()
    copy = lab({**state, "users": BARE["users"]})
    # what a topology doesn't hold, of processes that are gone above all
    lost = ("lastHeardFrom", "options", "archiveDir", "isExternalStartup", "ipAddress", "storageGroups")
    for path in ("databases", "archives", "processes", "processes/exited", "databases/test/storageGroups", "regions",
                 "policies/license", "kvstore/k", "databases/hotCopyStatus?coordinatorStartId=0"):  # fmt: skip
        before, after = (_without(which.ok("GET", path), lost) for which in (one, copy))
        assert before == after, path
    assert copy.domain.servers.all["server2"].state == "stopped"
    assert copy.start()["startId"] == one.start()["startId"]


def _without(value: Any, names: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {key: _without(one, names) for key, one in value.items() if key not in names}
    return [_without(one, names) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("durable", "then"),
    [
        ("REQUESTED", "MONITORED:RUNNING"),
        ("STARTED", "MONITORED:RUNNING"),
        ("CONFIGURED", "MONITORED:RUNNING"),
        ("TRACKED", "MONITORED:RUNNING"),
        ("REQUESTED_SHUTDOWN", None),
    ],
)
def test_what_was_under_way_goes_on(lab: Callable[..., Lab], durable: str, then: str | None) -> None:
    processes = {**UP["processes"]}
    for name in ("1", "3"):
        processes[name] = {**processes[name], "durable_state": durable, "engine_state": "UNKNOWN", "node_id": None}
    one = lab(processes=processes)
    one.pass_time(30)
    assert [one.processes().get(name) for name in ("1", "3")] == [then, then]


def test_a_cold_start_goes_on(lab: Callable[..., Lab]) -> None:
    one = lab(DOWN)
    for archive in (0, 1):
        one.start(archive)
    one.start()
    one.pass_time(5)
    copy = lab({**one.domain.state(), "users": BARE["users"]})
    assert copy.state() == "STARTED"
    copy.pass_time(40)
    assert set(copy.processes().values()) == {"MONITORED:RUNNING"}


def test_times_of_objects(lab: Callable[..., Lab]) -> None:
    archives = {"0": {**DOWN["archives"]["0"], "sm_start": 90, "history": 5}}
    one = lab(DOWN, archives=archives, databases={"test": {"te_start": 1, "sm_shutdown": 0}}, timing={"te_shutdown": 0})
    one.start(0)
    one.start()
    one.pass_time(5)
    assert one.processes()["0"] == "STARTED:UNKNOWN"
    one.pass_time(90)
    assert one.processes()["0"] == "TRACKED:UNKNOWN"
    one.pass_time(3)
    assert one.processes() == {"0": "MONITORED:RUNNING", "1": "MONITORED:RUNNING"}
    one.ok("POST", "databases/test/shutdown")
    assert one.state() == "NOT_RUNNING"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tempo": 1}, "unknown key tempo"),
        ({"servers": {}}, "there is no server"),
        ({"servers": {"s": {"state": "tired"}}}, "server s can't be in state 'tired'"),
        ({"servers": {"s": 7}}, "servers s must be a mapping"),
        ({"databases": {"test": {"te_start": -1}}}, "te_start can't be -1"),
        ({"archives": {"x": {}}}, "keys of archives must be numbers"),
        ({"archives": {"0": {"archive_path": "/a"}}}, "archive 0 has no db_name"),
        ({"archives": {"0": {**DOWN["archives"]["0"], "server_id": "s9"}}}, "is on s9"),
        ({"archives": {"0": {**DOWN["archives"]["0"], "state": "odd"}}}, "can't be in state 'odd'"),
        ({"processes": {"0": {"db_name": "x"}}}, "belongs to no database"),
        ({"processes": {"0": {"db_name": "test", "server_id": "x"}}}, "is on no server"),
        ({"processes": {"0": {"db_name": "test", "server_id": "server0"}}}, "engine_type None"),
        ({"processes": {"0": {**UP["processes"]["0"], "archive_id": 9}}}, "has no archive"),
        ({"processes": {"0": {**UP["processes"]["0"], "durable_state": "odd"}}}, "durable_state 'odd'"),
        ({"tombstones": {"x": {}}}, "keys of tombstones must be numbers"),
        ({"authentication": "odd"}, "authentication must be one of"),
        ({"ports": {"s9": 1}}, "ports names s9"),
        ({"users": ["x"]}, "a user must be a mapping"),
        ({"users": [{"roles": ["x"]}]}, "the topology has no role 'x'"),
        ({"users": [{"roles": "x"}]}, "must be a list"),
        ({"timing": {"x": 1}}, "timing has no x"),
        ({"settings": {"x": 1}}, "settings has no x"),
        ({"settings": {"no_leader": "x"}}, "no_leader must be one of error, hang"),
        ({"settings": {"empty_status": 201}}, "empty_status must be one of 200, 204"),
        ({"settings": {"unknown_user": "nobody"}}, "must be an HTTP status"),
    ],
)
def test_a_bad_topology_is_one_sentence(change: dict[str, Any], words: str) -> None:
    with pytest.raises(TopologyError, match=words):
        load({**DOWN, **change})
