# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EAO XML-RPC as a client sees it, without sockets."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from .conftest import PASSWORD, UP, Lab


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/", "getDatabaseList"),
        ("//", "getDatabaseList"),
        ("", "getAllDatabaseNames"),
    ],
)
def test_paths(lab: Callable[..., Lab], path: str, method: str) -> None:
    assert lab().call(path, method) == ["DB1", "DB2"]


def test_dotted_names_and_quoted_paths(lab: Callable[..., Lab]) -> None:
    one = lab(UP, databases={"DB 1/x": {}})
    assert one.call("", "storage.serviceIsOnline") is True
    assert one.call("", "db_DB 1/x.getDatabaseState") == "setup"
    for path in ("//db_DB+1%2Fx", "/db_DB%201%2Fx/"):
        assert one.call(path, "getDatabaseState") == "setup"
    assert one.call("/storage/v0000", "getPath") == ["/cluster1/v0000", "v0000"]
    assert one.call("", "storage.v0000.listObjects") == ["n0011", "n0012", "n0013"]


@pytest.mark.parametrize(
    ("path", "method", "name"),
    [
        ("/db_nope", "getDatabaseState", "u'db_nope'"),
        ("", "noSuchCall", "u'noSuchCall'"),
        ("/n0011", "startDatabase", "u'startDatabase'"),
        ("/db_DB1/deeper", "getDatabaseState", "u'deeper'"),
        ("/db_\u00e4", "getDatabaseState", r"u'db_\xe4'"),
        ("", "addUser", "u'addUser'"),
    ],
)
def test_not_found(lab: Callable[..., Lab], path: str, method: str, name: str) -> None:
    text = lab().refused(path, method)
    assert text.startswith("Unexpected Zope exception: NotFound: Object: <")
    assert text.endswith(f", name: {name}")


def test_faults_are_http_200_and_none_is_nil(lab: Callable[..., Lab]) -> None:
    one = lab()
    body = b"<?xml version='1.0'?><methodCall><methodName>nope</methodName><params/></methodCall>"
    answer = one.post("/cluster1", body)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/xml;charset=utf-8")
    assert b"<int>-1</int>" in answer.body
    body = body.replace(b"nope", b"startDatabase")
    assert b"<nil/>" in one.post("/cluster1/db_DB1", body).body
    assert b"NotFound" in one.post("/elsewhere", body).body
    assert b"ExpatError" in one.post("/cluster1", b"<methodCall>").body


def test_arguments(lab: Callable[..., Lab]) -> None:
    one = lab()
    assert (
        one.refused("", "startupNode")
        == "Unexpected Zope exception: TypeError: Missing argument to startupNode(), node"
    )
    assert one.refused("", "getNodeList", 1) == "Unexpected Zope exception: TypeError: Too many arguments"
    assert one.refused("/storage", "startEXAStorage", 7).startswith("Unexpected Zope exception: TypeError")
    assert one.call("/logservice1", "logEntries", 1, 2, 3)[2] == []


@pytest.mark.parametrize(("user", "password"), [("admin", "wrong"), ("nobody", PASSWORD), ("", "")])
def test_401(lab: Callable[..., Lab], user: str, password: str) -> None:
    answer = lab().post("/cluster1", b"", user, password)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("basic realm=")


def test_roles(lab: Callable[..., Lab]) -> None:
    one = lab()
    assert one.call("", "getLoginRole", user="watch", password="watching") == "Supervisor"
    assert one.call("/db_DB1", "getDatabaseState", user="watch", password="watching") == "setup"
    text = one.refused("/db_DB1", "startDatabase", user="watch", password="watching")
    assert text == "Unexpected Zope exception: Unauthorized: role Supervisor may not call startDatabase"
    assert one.call("", "getNodeList", user="guest", password="visiting") == ["n0011", "n0012", "n0013"]
    assert "Unauthorized" in one.refused("", "getServiceState", user="guest", password="visiting")
    assert one.database("DB1") == "setup"
    plain = lab(UP, settings={"forbidden": "usage_error"})
    assert plain.refused("", "getServiceState", user="guest", password="visiting").startswith("role User may not")
    strict = lab(UP, settings={"forbidden": "401"})
    body = b"<methodCall><methodName>getServiceState</methodName></methodCall>"
    assert strict.post("/cluster1", body, "guest", "visiting").status == 401


def test_generic_calls(lab: Callable[..., Lab]) -> None:
    one = lab()
    objects = one.call("", "listObjects")
    assert objects == ["bfsdefault", "logservice1", "n0011", "n0012", "n0013", "db_DB1", "db_DB2", "storage", "support"]
    for name in [f"/{name}" for name in objects] + [""]:
        assert "methodHelp" in one.call(name, "listMethods")
        assert one.call(name, "getPath")[0] == f"/cluster1{name}"
    assert "Start EXAStorage" in one.call("/storage", "methodHelp", "startEXAStorage")
    assert one.call("", "methodHelp", "getServiceState") is None
    assert one.call("", "methodSignature", "callPlugin") == ["plugin", "node", "command", "extra"]
    assert one.call("/storage", "getListValues", "Nodes") == ["n0011", "n0012", "n0013"]
    assert one.refused("", "getListValues", "Nope") == "List Nope could not be found"


def test_plugins(lab: Callable[..., Lab]) -> None:
    plugin = "Administration.vmware-tools"
    one = lab(UP, plugin_nodes={plugin: {"n0012": "running"}}, timing={"plugin": 2})
    assert one.call("", "havePlugins") is True
    assert one.call("", "showPluginList") == [plugin]
    assert set(one.call("", "showPluginFunctions", plugin)) == {"START", "STOP", "RESTART", "STATUS"}
    assert one.call("", "callPlugin", plugin, "n0012", "STATUS") == [0, "vmtoolsd is running"]
    status, text = one.call("", "callPlugin", plugin, "n11", "STATUS")
    assert status == 256
    assert "is running" not in text
    assert one.call("", "callPlugin", plugin, "n0011", "START")[0] == 0
    assert one.call("", "callPlugin", plugin, "n0011", "STATUS")[0] == 256
    one.pass_time(2)
    assert one.call("", "callPlugin", plugin, "n0011", "STATUS")[1] == "vmtoolsd is running"
    one.call("", "callPlugin", plugin, "n0011", "RESTART")
    one.call("", "callPlugin", plugin, "n0011", "STOP")
    one.pass_time(2)
    assert one.call("", "callPlugin", plugin, "n0011", "STATUS")[0] == 256
    one.power("n0012", False)
    assert one.call("", "callPlugin", plugin, "n0012", "STATUS") == [256, "node n0012 is not online"]
    assert one.refused("", "callPlugin", "No.such", "n0011", "STATUS") == "Plugin No.such could not be found"
    assert "has no function DANCE" in one.refused("", "callPlugin", plugin, "n0011", "DANCE")
    rows = [row for row in one.cluster.record.calls() if row["method"] == "callPlugin"]
    assert [row["args"][2] for row in rows if row["changing"]] == ["START", "RESTART", "STOP", "DANCE"]


def test_tagged_log(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.call("/db_DB1", "startDatabase")
    assert len(one.call("/logservice1", "logEntriesTagged", "a")[2]) == 1
    assert one.call("/logservice1", "logEntriesTagged", "a") == ["", "", []]
    one.pass_time(120)
    assert [row["message"] for row in one.call("/logservice1", "logEntriesTagged", "a")[2]] == [
        "System is ready to receive client connections."
    ]
    assert len(one.call("/logservice1", "logEntriesTagged", "b")[2]) == 2


def test_record(lab: Callable[..., Lab]) -> None:
    """Every call with what came of it, and no password anywhere."""
    one = lab()
    one.call("", "getNodeList")
    one.refused("/db_DB2", "startDatabase")
    one.refused("", "addUser", {"user_login": "x", "password": "other", "comment": f"it is {PASSWORD}"})
    rows = one.cluster.record.calls()
    assert [row["n"] for row in rows] == [1, 2, 3]
    assert [row["changing"] for row in rows] == [False, True, False]
    assert rows[0]["result"] == ["n0011", "n0012", "n0013"]
    assert rows[1]["fault"] == "Database DB2 is already running"
    assert {"n", "time", "user", "path", "method", "args", "changing", "fault_injected"} <= set(rows[0])
    text = json.dumps(rows)
    assert PASSWORD not in text
    assert json.dumps(PASSWORD)[1:-1] not in text
    assert "other" not in text
    one.cluster.record.clear()
    one.call("", "getNodeList")
    assert [row["n"] for row in one.cluster.record.calls()] == [4]


@pytest.mark.parametrize(
    ("rule", "status", "words", "carried_out"),
    [
        ({"kind": "html"}, 502, b"<html>", False),
        ({"kind": "html", "status": 200, "text": "<html>proxy</html>"}, 200, b"proxy", False),
        ({"kind": "unauthorized"}, 401, b"Unauthorized", False),
        ({"kind": "server_error"}, 500, b"error", False),
        ({"kind": "fault", "text": "no, thanks"}, 200, b"no, thanks", False),
        ({"kind": "wrong_state", "value": "odd"}, 200, b"<string>odd</string>", False),
        ({"kind": "slow", "delay": 0.01}, 200, b"<nil/>", True),
    ],
)
def test_faults_of_calls(
    lab: Callable[..., Lab], rule: dict[str, Any], status: int, words: bytes, carried_out: bool
) -> None:
    one = lab()
    one.fault(method="startDatabase", object="DB1", max_count=1, **rule)
    body = b"<methodCall><methodName>startDatabase</methodName></methodCall>"
    answer = one.post("/cluster1/db_DB1", body)
    assert answer.status == status
    assert words in answer.body
    assert (one.database("DB1") == "startup") is carried_out
    assert one.cluster.record.calls()[0]["fault_injected"] == rule["kind"]
    assert one.call("/db_DB1", "getDatabaseState") == ("startup" if carried_out else "setup")


@pytest.mark.parametrize(
    ("rule", "hits"),
    [
        ({}, 4),
        ({"max_count": 2}, 2),
        ({"after": 3}, 1),
        ({"object": "n0012"}, 2),
        ({"object": "n0099"}, 0),
        ({"method": "getServiceState"}, 0),
        ({"probability": 0.0}, 0),
    ],
)
def test_which_calls_a_fault_meets(lab: Callable[..., Lab], rule: dict[str, Any], hits: int) -> None:
    one = lab()
    one.fault(**{"kind": "wrong_state", "method": "getNodeState", "value": "odd", **rule})
    answers = [one.call("", "getNodeState", node) for node in ("n0011", "n0012")]
    answers += [one.call(f"/{node}", "getNodeState") for node in ("n0011", "n0012")]
    assert answers.count("odd") == hits


def test_the_draw_is_the_same_each_time(lab: Callable[..., Lab]) -> None:
    def draw() -> list[Any]:
        one = lab()
        one.fault(kind="wrong_state", value=1, probability=0.5)
        return [one.call("", "getDatabaseList") for _turn in range(30)]

    first = draw()
    assert 5 < first.count(1) < 25
    assert draw() == first
