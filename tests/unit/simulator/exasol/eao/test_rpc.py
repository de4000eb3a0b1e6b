# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EAO XML-RPC as a client sees it, without sockets."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.simulator.conftest import PASSWORD, UP, Lab


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
    deep = b"<value><array><data>" * 20000 + b"</data></array></value>" * 20000
    deep = b"<methodCall><methodName>x</methodName><params><param>%s</param></params></methodCall>" % deep
    for bad in (b"<methodCall>", deep):
        assert b"ExpatError" in one.post("/cluster1", bad).body


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
