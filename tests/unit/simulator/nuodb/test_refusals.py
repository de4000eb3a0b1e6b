# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every refusal: its status and text on the wire, and that settings word it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.nuodb.settings import REFUSALS

from .conftest import BARE, DOWN, PATH, UP, Lab

ROLES = [{"name": "reader", "authorizedRequests": [{"method": "GET", "url": "/api/1/*"}]}]
BOB = [*UP["users"], {"name": "bob", "password": "b", "roles": ["reader"]}]
REGIONS = {"0": "Default", "1": "east"}
SM = {"dbName": "test", "engineType": "SM", "host": "server0", "archiveId": 0}
TE = {"dbName": "test", "engineType": "TE", "host": "server0"}
CREATE = {"databaseDbaUser": "u", "databaseDbaPassword": "p"}
GROUP = {"dbName": "test", "sgName": "a", "archiveId": 0}
GROUPS = {"test": {"A": {"archive_states": {"0": "ADDED"}}, "B": {"archive_states": {"1": "ADDED"}}}}
TWO = {**UP, "databases": {"test": {"incarnation": [1, 0]}, "o": {}}}
NO_HOST = {"0": {"db_name": "test", "server_id": None, "archive_path": "/a"}}
TOMBSTONE = {"7": {"db_name": "test", "engine_type": "TE", "server_id": "server0", "incarnation": [1, 1]}}

CASES: list[tuple[str, dict[str, Any], str, str, Any]] = [
    ("no_route", UP, "GET", "nowhere", None),
    ("no_method", UP, "POST", "peers", None),
    ("bad_body", UP, "POST", "processes", b"{"),
    ("bad_body", UP, "POST", "processes", []),
    ("bad_body", UP, "POST", "processes", b"[" * 90000 + b"]" * 90000),
    ("bad_body", UP, "POST", "processes", b'{"dbName": NaN}'),
    ("missing_field", UP, "POST", "processes", {}),
    ("missing_field", UP, "PUT", "databases/x", {"databaseDbaUser": "u"}),
    ("missing_field", UP, "POST", "archives", {"dbName": "test", "path": "/a"}),
    ("missing_field", UP, "POST", "processes", {**SM, "archiveId": None}),
    ("missing_field", UP, "GET", "databases/hotCopyStatus", None),
    ("missing_field", UP, "POST", "databases/test/hotCopySimple", {"backupLocations": {"0": {}}}),
    ("missing_field", UP, "POST", "databases/loadBalancerConfig", {"defaultLbQuery": "any"}),
    ("bad_value", UP, "POST", "processes", {**TE, "engineType": "XX"}),
    ("bad_value", UP, "POST", "processes", {**TE, "labels": []}),
    ("bad_value", UP, "POST", "processes", {**TE, "expectedIncarnation": 1}),
    ("bad_value", UP, "GET", "processes?limit=0", None),
    ("bad_value", UP, "GET", "processes?offset=x", None),
    ("bad_value", UP, "GET", "processes?filterBy=dbName&dbName=%28", None),
    ("bad_value", UP, "GET", "processes?filterQuery=label(", None),
    ("bad_value", UP, "DELETE", "processes/2?timeout=x", None),
    ("bad_value", UP, "POST", "databases/test/startplan", {"teHosts": "server0"}),
    ("bad_value", UP, "POST", "databases/test/hotCopy", {"type": "odd"}),
    ("bad_value", UP, "POST", "databases/test/hotCopy", {"type": "full", "backupSetDirs": {"x": "/b"}}),
    ("bad_value", UP, "POST", "databases/test/hotCopySimple", {"backupLocations": []}),
    ("bad_value", UP, "POST", "databases/loadBalancerPolicy/x", {"lbQuery": "odd(any)"}),
    ("bad_value", UP, "PUT", "policies/roles/x", {"authorizedRequests": ["x"]}),
    ("unknown_server", UP, "GET", "peers/nowhere", None),
    ("unknown_server", UP, "POST", "peers/nowhere/removeDomainState", None),
    ("unknown_server", UP, "GET", "diagnostics/config/nowhere", None),
    ("unknown_server", UP, "POST", "processes", {**TE, "host": "nowhere"}),
    ("unknown_database", UP, "GET", "databases/nope", None),
    ("unknown_database", UP, "POST", "processes", {**TE, "dbName": "nope"}),
    ("unknown_database", UP, "GET", "databases/nope/capture", None),
    ("database_exists", UP, "PUT", "databases/test?mayExist=False", CREATE),
    ("database_running", UP, "DELETE", "databases/test?purge=False", None),
    ("database_not_running", DOWN, "POST", "databases/test/shutdown", None),
    ("database_not_running", DOWN, "POST", "databases/test/upgrade?maxVersion=True", None),
    ("capture_not_running", DOWN, "GET", "databases/test/capture?checkState=True", None),
    ("unknown_archive", UP, "GET", "archives/77?removed=False", None),
    ("unknown_archive", UP, "DELETE", "archives/x?purge=False", None),
    ("unknown_archive", UP, "POST", "processes", {**SM, "archiveId": "77"}),
    ("archive_in_use", UP, "POST", "processes", SM),
    ("archive_mismatch", DOWN, "POST", "processes", {**SM, "host": "server1"}),
    ("archive_mismatch", TWO, "POST", "archives/addStorageGroup",
     {**GROUP, "dbName": "o"}),
    ("archive_exists", DOWN, "POST", "archives", {"dbName": "test", "host": "server0", "path": PATH}),
    ("archive_exists", DOWN, "PUT", "archives/0", {"dbName": "test", "host": "server0", "path": PATH}),
    ("archive_running", UP, "DELETE", "archives/0?purge=False", None),
    ("unknown_process", UP, "GET", "processes/77", None),
    ("unknown_process", UP, "DELETE", "processes/77?kill=True", None),
    ("unknown_process", UP, "GET", "processes/77/options", None),
    ("process_exited", {**UP, "tombstones": TOMBSTONE}, "GET", "processes/7", None),
    ("process_exited", {**UP, "tombstones": TOMBSTONE}, "DELETE", "processes/7", None),
    ("wrong_incarnation", DOWN, "POST", "processes", {**TE, "expectedIncarnation": {"major": 1, "minor": 4}}),
    ("unknown_storage_group", UP, "DELETE", "databases/test/storageGroups/x", None),
    ("unknown_storage_group", UP, "POST", "archives/removeStorageGroup", GROUP),
    ("storage_group_not_ready", DOWN, "POST", "archives/addStorageGroup", GROUP),
    ("hotcopy_no_location", UP, "POST", "databases/test/hotCopy", {"type": "full", "backupSetDirs": {}}),
    ("hotcopy_no_location", UP, "POST", "databases/test/hotCopySimple", {}),
    ("hotcopy_no_sm", DOWN, "POST", "databases/test/hotCopy", {"type": "full", "defaultBackupSetDir": "/b"}),
    ("hotcopy_no_sm", UP, "POST", "databases/test/hotCopy", {"type": "full", "backupSetDirs": {"9": "/b"}}),
    ("hotcopy_no_full", UP, "POST", "databases/test/hotCopy", {"type": "incremental", "backupSetDirs": {"0": "/b"}}),
    ("hotcopy_no_base", UP, "POST", "databases/test/hotCopy", {"type": "journal", "backupSetDirs": {"0": "/b"}}),
    ("hotcopy_partial", {**UP, "storage_groups": GROUPS}, "POST", "databases/test/hotCopy",
     {"type": "full", "backupSetDirs": {"0": "/b"}, "checkContainsAllSgs": True}),
    ("unknown_hotcopy", UP, "GET", "databases/hotCopyStatus?coordinatorStartId=0&hotCopyId=x", None),
    ("unknown_hotcopy", UP, "POST", "databases/cancelHotCopy?coordinatorStartId=0&hotCopyId=x", None),
    ("kv_conflict", {**BARE, "values": {"k": "v"}}, "PUT", "kvstore/k", {"newValue": "w", "expectedAbsent": True}),
    ("user_exists", UP, "PUT", "policies/users/admin", {"password": "x"}),
    ("unknown_user", UP, "DELETE", "policies/users/nobody", None),
    ("unknown_user", UP, "POST", "policies/users/nobody/credentials", {"newPassword": "x"}),
    ("role_exists", {**UP, "roles": ROLES}, "PUT", "policies/roles/reader", {}),
    ("unknown_role", UP, "GET", "policies/roles/none", None),
    ("unknown_role", UP, "PUT", "policies/users/eve", {"password": "x", "roles": ["none"]}),
    ("role_in_use", {**UP, "roles": ROLES, "users": BOB}, "DELETE", "policies/roles/reader", None),
    ("unknown_certificate", UP, "POST", "peers/certificates?remove=True", {"alias": "a", "certificatePem": None}),
    ("unknown_policy", UP, "DELETE", "databases/loadBalancerPolicy/none", None),
    ("unknown_policy", UP, "GET", "databases/test/sqlConnection?LBPolicy=none", None),
    ("unknown_region", UP, "GET", "regions/9", None),
    ("unknown_region", UP, "PUT", "databases/test/hosts", {"serverId": "server0", "regionId": "9"}),
    ("region_exists", UP, "POST", "regions", {"name": "Default"}),
    ("region_in_use", UP, "DELETE", "regions/0", None),
    ("archive_external", {**DOWN, "archives": NO_HOST}, "POST", "processes", SM),
    ("no_kubernetes", UP, "GET", "diagnostics/kube", None),
    ("bad_license", UP, "POST", "policies/license?update=True", {"encodedLicense": "nonsense"}),
    ("bad_version", UP, "POST", "databases/test/upgrade?version=1", None),
    ("wrong_storage_password", UP, "POST", "databases/dataEncryption",
     {"dbName": "test", "newTargetStoragePassword": "n", "currentTargetStoragePassword": "x"}),
]  # fmt: skip


def text_of(name: str) -> tuple[int, str]:
    status, _blank, text = REFUSALS[name][0].partition(" ")
    return int(status), text.partition("{")[0]


@pytest.mark.parametrize(("name", "topology", "method", "path", "body"), CASES)
def test_refused(
    lab: Callable[..., Lab], name: str, topology: dict[str, Any], method: str, path: str, body: Any
) -> None:
    status, text = text_of(name)
    got = lab(topology).refused(method, path, body)
    assert (got[0], got[1][: len(text)]) == (status, text)
    assert "{" not in got[1].replace("{'major'", "")


def test_refused_in_a_state_of_its_own(lab: Callable[..., Lab]) -> None:
    seen = set()

    def check(name: str, got: tuple[int, str]) -> None:
        assert (got[0], got[1][: len(text_of(name)[1])]) == text_of(name)
        seen.add(name)

    one = lab(DOWN)
    assert one.ok("DELETE", "archives/1?purge=False")["id"] == 1
    check("last_archive", one.refused("DELETE", "archives/0?purge=True"))
    one = lab(settings={"start_on_stopped_server": "refuse", "shutdown_repeated": "refuse"})
    one.power(2, False)
    check("server_not_connected", one.refused("POST", "processes", {**TE, "host": "server2"}))
    one.ok("POST", "databases/test/shutdown")
    check("database_stopping", one.refused("POST", "databases/test/shutdown"))
    check("database_stopping", one.refused("POST", "processes", TE))
    full = {"type": "full", "defaultBackupSetDir": "/b"}
    one = lab(storage_groups=GROUPS, settings={"delete_used_storage_group": "refuse", "multi_field_order": False})
    one.ok("POST", "databases/test/hotCopy", full)
    check("hotcopy_busy", one.refused("POST", "databases/test/hotCopy", full))
    check("storage_group_in_use", one.refused("DELETE", "databases/test/storageGroups/A"))
    check("order_by", one.refused("GET", "processes?orderBy=host,startId"))
    one = lab(users=BOB, roles=ROLES)
    check("unauthorized", one.refused("GET", "peers", password=None))
    check("forbidden", one.refused("DELETE", "processes/2", user="bob", password="b"))
    one.power(1, False)
    one.power(2, False)
    check("no_leader_text", one.refused("DELETE", "processes/2"))
    hung = lab(clock="seconds:0.00001", settings={"no_leader": "hang"}, servers={"server0": {}, "server1": "stopped"})
    check("request_timeout", hung.refused("DELETE", "processes/2"))
    one = lab(license={"type": "LIMITED"}, processes={"0": UP["processes"]["0"]})
    sm = {"dbName": "test", "engineType": "SM", "archiveId": 1}
    check("license_sm", one.refused("POST", "processes", sm))
    allowed = lab(
        license={"type": "LIMITED"},
        processes={"0": UP["processes"]["0"]},
        settings={"several_sms_unlicensed": "allow"},
    )
    assert allowed.ok("POST", "processes", sm)["archiveId"] == 1
    # every setting of a refusal is one that a test meets
    assert {row[0] for row in CASES} | seen == set(REFUSALS)


def test_settings_word_them(lab: Callable[..., Lab]) -> None:
    one = lab(DOWN, settings={"unknown_database": "410 No {name} here", "error_form": "message"})
    reply = one.send("GET", "databases/x")
    assert (reply.status, reply.json) == (410, {"code": 410, "message": "No x here"})


@pytest.mark.parametrize(("kind", "body"), [("html", b"<html>"), ("empty", b""), ("json", b'{"code": 401')])
def test_401_comes_in_three_forms(lab: Callable[..., Lab], kind: str, body: bytes) -> None:
    reply = lab(settings={"unauthorized_body": kind}).send("GET", "peers", password="wrong")
    assert reply.status == 401
    assert reply.body.startswith(body)
    assert bool(reply.body) == bool(body)
    assert reply.headers["WWW-Authenticate"].startswith("Basic ")


def test_answers_without_a_body(lab: Callable[..., Lab]) -> None:
    assert lab().send("POST", "databases/test/shutdown").status == 200
    reply = lab(settings={"empty_status": 204}).send("POST", "databases/test/shutdown")
    assert (reply.status, reply.body) == (204, b"")
