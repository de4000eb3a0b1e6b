# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""The wire: who is the master, redirects, credentials, XML and JSON, methods, what is refused."""

from __future__ import annotations

import json
import xmlrpc.client
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.simulator.exasol.confd.calls import STATE, body
from ansible_collections.dbfleet.cluster.tests.unit.simulator.exasol.confd.conftest import PASSWORD, Lab

DEEP = b"<methodCall><methodName>job_exec</methodName><params><param>%s</param></params></methodCall>" % (
    b"<value><array><data>" * 20000 + b"</data></array></value>" * 20000
)
LIST = xmlrpc.client.dumps(("db_list",), "job_exec").encode()


def test_the_master_is_told_by_every_node_without_credentials(lab: Callable[..., Lab]) -> None:
    one = lab(settings={"master_answer": "{address} {name}"}, master="n12")
    for node in ("n11", "n12", "n13"):
        assert one.http("GET", "/master", node=node).body == b"10.50.1.12 n12"
        assert one.http("GET", "/master?info_type=name", node=node).body == b"n12"
    assert one.http("GET", "/is_master", node="n12").status == 200
    assert one.http("GET", "/is_master", node="n11").status == 503
    assert one.http("GET", "/elsewhere").status == 404


@pytest.mark.parametrize("path", ["/", "/rpc2", "/RPC2", "/json"])
def test_others_redirect_to_the_master(lab: Callable[..., Lab], path: str) -> None:
    one = lab(settings={"redirect_location": "https://{address}:20003{path}"})
    body = LIST if path != "/json" else b"[]"
    answer = one.post(body, path=path, node="n13")
    assert (answer.status, answer.headers["Location"]) == (302, f"https://10.50.1.11:20003{path}")
    assert one.post(body, path=path, node="n13", password="wrong").status == 302


def test_credentials(lab: Callable[..., Lab]) -> None:
    one = lab(authentication_token="secret-token", clock="immediate")
    for user, password in (("admin", "wrong"), ("nobody", "x"), ("root", "")):
        assert one.post(LIST, user=user, password=password).status == 401
    for header in ("", "Basic", "Basic !!!", "Bearer", "Bearer wrong", "Digest x"):
        answer = one.http("POST", "/", LIST, header)
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Basic realm="ConfD"')
    assert one.http("POST", "/", LIST, "Bearer secret-token").status == 200
    assert PASSWORD not in str(one.cluster.record.calls())


def test_json_is_the_same_at_its_path(lab: Callable[..., Lab]) -> None:
    one = lab(clock="immediate")
    answer = one.json("job_exec", "db_list")
    assert answer == {"jsonrpc": "2.0", "id": 7, "result": {**answer["result"], "result_output": ["DB1", "DB2"]}}
    with pytest.raises(xmlrpc.client.Fault):
        one.call("job_help", "nothing")
    assert one.json("job_help", "nothing")["error"] == {"code": 1, "message": "Job nothing does not exist"}
    elsewhere = lab(clock="immediate", settings={"json_path": "/rpc"})
    assert elsewhere.json("job_list", path="/rpc")["result"] == elsewhere.call("job_list")
    assert elsewhere.post(b"{}", path="/json").status == 404


@pytest.mark.parametrize(("path", "body"), [("/", b""), ("/", b"<a/>"), ("/", DEEP)])
def test_what_is_no_rpc_is_a_bad_request(lab: Callable[..., Lab], path: str, body: bytes) -> None:
    assert lab().post(body, path=path).status == 400


@pytest.mark.parametrize(
    ("body", "code", "number"),
    [
        ('{"jsonrpc": "2.0", "method"', -32700, None),
        ("\xff", -32700, None),
        ("[" * 90000 + "]" * 90000, -32700, None),
        ('{"jsonrpc": "2.0", "id": NaN}', -32700, None),
        ('{"jsonrpc": "2.0", "id": 1e999}', -32700, None),
        ("[]", -32600, None),
        ("7", -32600, None),
        ('{"method": "job_list", "id": 1}', -32600, 1),
        ('{"jsonrpc": "2.0", "method": 1, "id": "a"}', -32600, "a"),
        ('{"jsonrpc": "2.0", "method": "job_list", "params": "x"}', -32600, None),
        ('{"jsonrpc": "2.0", "method": "job_list", "id": []}', -32600, None),
        ('{"jsonrpc": "2.0", "method": "nothing", "id": 2}', -32601, 2),
        ('{"jsonrpc": "2.0", "method": "nothing", "params": {"a": 1}, "id": 2}', -32601, 2),
        ('{"jsonrpc": "2.0", "method": "job_list", "params": [1], "id": 3}', -32602, 3),
        ('{"jsonrpc": "2.0", "method": "job_exec", "id": 3}', -32602, 3),
        ('{"jsonrpc": "2.0", "method": "job_exec", "params": {"kwargs": {}}, "id": 3}', -32602, 3),
        ('{"jsonrpc": "2.0", "method": "job_exec", "params": {"req": "db_list", "x": 1}, "id": 3}', -32602, 3),
    ],
)
def test_errors_of_json_rpc(lab: Callable[..., Lab], body: str, code: int, number: Any) -> None:
    one = lab()
    answer = one.post(body.encode("latin-1"), path="/json")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    told = json.loads(answer.body)
    assert (told["jsonrpc"], told["id"], told["error"]["code"]) == ("2.0", number, code)
    assert one.post(body.encode("latin-1"), path="/json", password="wrong").status == 401


def test_json_rpc_by_name_and_without_an_answer(lab: Callable[..., Lab]) -> None:
    one = lab(clock="immediate")
    params = {"kwargs": {"params": {"db_name": "DB2"}}, "req": "db_start"}
    call = {"jsonrpc": "2.0", "method": "job_exec", "params": params}
    answer = one.post(json.dumps(call).encode(), path="/json")
    assert (answer.status, answer.body) == (200, b"")
    params["req"] = "db_state"
    answer = one.post(json.dumps({**call, "id": None}).encode(), path="/json")
    assert json.loads(answer.body)["result"]["result_output"] == "running"
    untold = {"jsonrpc": "2.0", "method": "user_state", "params": {"anything": 1}, "id": 1}
    assert json.loads(one.post(json.dumps(untold).encode(), path="/json").body)["result"] is True


def test_json_rpc_in_batches(lab: Callable[..., Lab]) -> None:
    one = lab(clock="immediate")
    call = {"jsonrpc": "2.0", "method": "job_exec", "params": ["db_list"]}
    rows = [{**call, "id": 1}, call, 5, {**call, "id": 2, "method": "nothing"}]
    answer = one.post(json.dumps(rows).encode(), path="/json")
    told = json.loads(answer.body)
    assert [(row["id"], row.get("error", {}).get("code")) for row in told] == [(1, None), (None, -32600), (2, -32601)]
    assert told[0]["result"]["result_output"] == ["DB1", "DB2"]
    assert [row["method"] for row in one.cluster.record.calls()] == ["job_exec", "job_exec", "", "nothing"]
    assert one.post(json.dumps([call, call]).encode(), path="/json").body == b""
    assert one.post(json.dumps(rows).encode(), path="/json", node="n12").status == 302
    one.fault(method="job_exec", kind="server_error", after=1, max_count=1)
    assert one.post(json.dumps(rows).encode(), path="/json").status == 500


def test_calls_are_recorded(lab: Callable[..., Lab]) -> None:
    one = lab(clock="immediate")
    one.call(*STATE)
    one.call("job_exec", "db_stop", {"params": {"db_name": "DB1"}})
    one.post(body(*STATE), node="n12")
    rows = one.cluster.record.calls()
    assert [(row["method"], row["job"], row["node"], row["changing"]) for row in rows] == [
        ("job_exec", "db_state", "n11", False),
        ("job_exec", "db_stop", "n11", True),
        ("job_exec", "db_state", "n12", False),
    ]
    assert rows[2]["fault"].startswith("302 ")
