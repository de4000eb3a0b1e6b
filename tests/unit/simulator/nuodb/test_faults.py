# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of calls, and the record of what was called."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.simulator.nuodb.conftest import UP, Lab


@pytest.mark.parametrize(
    ("rule", "status", "body", "breakage", "gone"),
    [
        ({"kind": "reset"}, 0, b"", "reset", False),
        ({"kind": "hang"}, 0, b"", "hang", False),
        ({"kind": "refuse", "after": 0}, 0, b"", "reset", False),
        ({"kind": "reset_after"}, 200, b"{", "reset", True),
        ({"kind": "truncate"}, 200, b"{", "short", True),
        ({"kind": "truncate", "variant": "json"}, 200, b"{", "", True),
        ({"kind": "html"}, 502, b"<html>", "", False),
        ({"kind": "html", "status": 200, "text": "<p>"}, 200, b"<p>", "", False),
        ({"kind": "unauthorized"}, 401, b'{"code": 401', "", False),
        ({"kind": "server_error"}, 500, b"Server error", "", False),
        ({"kind": "fault", "text": "no", "status": 409}, 409, b'{"code": 409, "messages": ["no"]}', "", False),
        ({"kind": "wrong_state", "value": {"x": 1}}, 200, b'{"x": 1}', "", False),
        ({"kind": "wrong_state"}, 200, b"", "", False),
        ({"kind": "slow"}, 200, b"{", "", True),
    ],
)
def test_a_call_goes_wrong(
    lab: Callable[..., Lab], rule: dict[str, Any], status: int, body: bytes, breakage: str, gone: bool
) -> None:
    one = lab()
    one.fault(method="DELETE processes", **rule)
    reply = one.send("DELETE", "processes/3?timeout=0")
    assert (reply.status, reply.breakage) == (status, breakage)
    assert reply.body.startswith(body)
    one.forgive()
    if rule.get("variant") == "json":
        with pytest.raises(ValueError, match="."):
            json.loads(reply.body)
    assert (one.processes()["3"] != "MONITORED:RUNNING") is gone
    row = one.domain.record.calls()[0]
    assert (row["fault_injected"], row["changing"], row["method"]) == (rule["kind"], True, "DELETE processes")


@pytest.mark.parametrize(
    ("rule", "hit"),
    [
        ({"method": "GET processes", "object": "2"}, {"processes/2"}),
        ({"method": "GET processes"}, {"processes", "processes/2", "processes/3"}),
        ({"method": "*", "object": "test"}, {"databases/test", "databases/test/hotCopyStatus"}),
        ({"method": "GET peers", "object": "server1"}, {"peers/server1"}),
        ({"method": "GET databases/hotCopyStatus"}, {"databases/test/hotCopyStatus"}),
        ({"object": "server0"}, {"processes", "processes/2", "processes/3", "databases/test", "peers/server1",
                                 "databases/test/hotCopyStatus"}),
        ({"object": "server2"}, set()),
    ],
)  # fmt: skip
def test_which_calls_a_rule_means(lab: Callable[..., Lab], rule: dict[str, Any], hit: set[str]) -> None:
    one = lab()
    one.fault(kind="server_error", **rule)
    paths = (
        "processes",
        "processes/2",
        "processes/3",
        "databases/test",
        "peers/server1",
        "databases/test/hotCopyStatus",
    )
    assert {path for path in paths if one.send("GET", path).status == 500} == hit


def test_objects_in_a_body(lab: Callable[..., Lab]) -> None:
    one = lab()
    for name in ("test", "server2"):
        one.fault(kind="fault", method="POST processes", object=name, max_count=1)
    body = {"dbName": "test", "host": "server2"}
    assert [one.send("POST", "processes", body).status for dummy in range(3)] == [400, 400, 200]


def test_the_record(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.ok("GET", "processes?filterBy=type&filterBy=dbName&type=TE&dbName=test", server="server1")
    one.refused("DELETE", "processes/77?kill=False")
    one.ok("PUT", "databases/x", {"databaseDbaUser": "u", "databaseDbaPassword": "hush hush"})
    one.ok("POST", "databases/test/startplan", {"reusable": True})
    one.refused("GET", "nowhere")
    calls = one.domain.record.calls()
    assert [(row["n"], row["method"], row["server"], row["changing"]) for row in calls] == [
        (1, "GET processes", "server1", False),
        (2, "DELETE processes", "server0", True),
        (3, "PUT databases", "server0", True),
        (4, "POST databases/startplan", "server0", False),
        (5, "GET /api/1/nowhere", "server0", False),
    ]
    assert calls[0]["args"] == {"query": {"filterBy": ["type", "dbName"], "type": "TE", "dbName": "test"}}
    assert calls[0]["result"]["data"] == "(2 rows)"
    assert calls[1]["args"] == {"startId": "77", "query": {"kill": "False"}}
    assert calls[1]["fault"].startswith("Process not found")
    assert calls[2]["args"]["body"] == {"databaseDbaUser": "u", "databaseDbaPassword": "********"}
    assert "hush" not in str(calls)
    assert {row["user"] for row in calls} == {"admin"}


def test_a_password_that_is_a_name_does_not_blot_it_out(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.ok("PUT", "databases/next", {"databaseDbaUser": "next", "databaseDbaPassword": "next"})
    row = one.domain.record.calls()[0]
    assert (row["path"], row["args"]["dbName"]) == ("/api/1/databases/next", "next")
    assert row["args"]["body"]["databaseDbaPassword"] == "********"


def test_polls_and_immediate(lab: Callable[..., Lab]) -> None:
    one = lab(UP, "polls:2")
    one.stop(3)
    assert one.state() == "RUNNING"
    assert one.ok("GET", "processes/3")["durableState"] == "REQUESTED_SHUTDOWN"
    assert one.send("GET", "processes/3").status == 404
    row = one.ok("POST", "databases/test/hotCopy", {"type": "full", "defaultBackupSetDir": "/b"})
    path = f"databases/hotCopyStatus?coordinatorStartId=0&hotCopyId={row['hotCopyId']}"
    assert [one.ok("GET", path)["status"] for dummy in range(7)] == [*["running"] * 6, "completed"]
    one = lab(UP, "immediate")
    assert one.start()["durableState"] == "REQUESTED"
    assert one.processes()["4"] == "MONITORED:RUNNING"
    one.ok("POST", "databases/test/shutdown")
    assert one.state() == "NOT_RUNNING"
    # a time-out has no place in a time that stands still: the second archive may still come
    one.start(0)
    assert one.processes() == {"5": "STARTED:UNKNOWN"}
    one.start(1)
    assert one.state() == "RUNNING"
    one.ok("POST", "databases/test/shutdown")
    one.start(0)
    one.pass_time(10.1)
    assert one.tombstone(7)["exitCode"] == 2


def test_a_database_that_is_not_named_is_not_polled(lab: Callable[..., Lab]) -> None:
    one = lab(UP, "polls:1", databases={"test": {"incarnation": [1, 0]}, "other": {}})
    one.stop(3)
    for path in ("databases/other", "processes?filterBy=dbName&dbName=other", "peers", "diagnostics/config"):
        one.ok("GET", path)
    assert "3" in one.domain.processes
    one.ok("GET", "databases/test")
    assert "3" not in one.domain.processes


def test_a_wait_at_the_server_stands_for_the_reads(lab: Callable[..., Lab]) -> None:
    one = lab(UP, "polls:3")
    assert one.stop(3, timeout=10) is None
    row = one.ok("POST", "databases/test/hotCopy", {"type": "full", "defaultBackupSetDir": "/b", "timeoutSec": 1})
    assert row["status"] == "completed"
