# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The admin endpoint."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.common.rules import RULES
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.common.settings import SETTINGS, TIMING
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.eao.faults import ON_MACHINES
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.faults import ON_CALLS
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.topology import load

from .conftest import UP, Live


def test_about_tells_everything(live: Callable[..., Live]) -> None:
    one = live({**UP, "settings": {"node_off": "Gone"}})
    about = one.admin("GET", "/about")
    assert about == one.admin("GET", "/")
    assert set(about["settings"]) == set(SETTINGS)
    assert about["settings"]["node_off"]["value"] == "Gone"
    assert set(about["timing"]) == set(TIMING)
    assert set(about["rules"]) == set(RULES)
    assert about["faults"] == {"calls": ON_CALLS, "machines": ON_MACHINES}
    assert "getHardwareInformation" in about["calls"]["cluster"]
    assert "addUser" in about["calls_not_supported"]["cluster"]
    assert not set(about["calls"]["cluster"]) & set(about["calls_not_supported"]["cluster"])
    assert all(row["meaning"] for row in about["settings"].values())


def test_state_is_a_topology_and_no_read(live: Callable[..., Live]) -> None:
    one = live(UP, "polls:1")
    one.proxy("/db_DB1").startDatabase()
    for _turn in range(3):
        state = one.admin("GET", "/state")
        assert state["databases"]["DB1"]["state"] == "startup"
    assert load(state)[0].databases["DB1"]["state"] == "startup"
    one.admin("POST", "/power", {"node": "n0012", "on": False})
    assert load(one.admin("GET", "/state"))[0].nodes["n0012"]["state"] == "offline"


def test_several_clusters(live: Callable[..., Live]) -> None:
    one = live({"clusters": [{**UP, "name": "a"}, {**UP, "name": "b"}]})
    one.admin("POST", "/power?cluster=b", {"node": "n0013", "on": False})
    assert one.admin("GET", "/state?cluster=b")["nodes"]["n0013"]["state"] == "off"
    assert one.admin("GET", "/state")["nodes"]["n0013"]["state"] == "online"
    assert one.admin("GET", "/rules?cluster=a") == []
    assert [row["rule"] for row in one.admin("GET", "/rules?cluster=b")] == ["node-off-under-storage"]
    assert set(one.admin("GET", "/about")["clusters"]) == {"a", "b"}


def test_operation_move_and_clock(live: Callable[..., Live]) -> None:
    one = live(UP, "immediate")
    assert one.admin("POST", "/operation", {"database": "DB2", "operation": "Restore"})["operation"] == "Restore"
    assert one.proxy("/db_DB2").getDatabaseOperation() == "Restore"
    assert one.admin("POST", "/operation", {"database": "DB2", "operation": "None"})["operation"] == "None"
    assert one.admin("POST", "/move", {"master": "n0011"})["master"] == "n0011"
    assert one.proxy().getEXAoperationMaster() == "n0011"
    assert one.admin("POST", "/clock", {"clock": "polls:3"}) == {"clock": "polls:3"}
    one.admin("DELETE", "/calls")
    assert one.admin("GET", "/calls") == []


def test_dies_over_the_wire(live: Callable[..., Live]) -> None:
    one = live()
    one.admin("POST", "/faults", {"kind": "dies", "object": "DB2", "text": "core dump"})
    assert one.admin("GET", "/state")["databases"]["DB2"]["state"] == "setup"
    assert one.proxy("/db_DB2").getCurrentErrors() == ["Database failed: core dump"]
    assert [row["hit"] for row in one.admin("GET", "/faults")] == [1]


def test_faults_can_be_listed_and_removed(live: Callable[..., Live]) -> None:
    one = live()
    ids = one.admin("POST", "/faults", [{"kind": "slow"}, {"kind": "html", "method": "x"}])["ids"]
    assert [row["kind"] for row in one.admin("GET", "/faults")] == ["slow", "html"]
    assert one.admin("DELETE", f"/faults?id={ids[0]}") == {"removed": 1}
    assert [row["id"] for row in one.admin("GET", "/faults")] == [ids[1]]
    assert one.admin("DELETE", "/faults") == {"removed": 1}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("GET", "/nope", None, 404, "There is no /nope"),
        ("POST", "/state", {}, 405, "doesn't take POST"),
        ("GET", "/state?cluster=zz", None, 404, "no cluster zz"),
        ("POST", "/clock", {"clock": "fast"}, 400, "not one of: immediate"),
        ("POST", "/power", {"node": "n0099", "on": True}, 400, "Power needs"),
        ("POST", "/power", {"node": "n0011", "on": 1}, 400, "Power needs"),
        ("POST", "/operation", {"database": "x"}, 400, "Operation needs"),
        ("POST", "/move", {"master": "n0099"}, 400, "n0099 is not online"),
        ("POST", "/clock", [], 400, "must be a mapping"),
        ("POST", "/faults", {"kind": "odd"}, 400, "'odd' is not one of"),
        ("POST", "/faults", {"kind": "slow", "speed": 1}, 400, "no speed"),
        ("POST", "/faults", {"kind": "slow", "delay": "x"}, 400, "can't be read"),
        ("POST", "/faults", {"kind": "truncate", "variant": "x"}, 400, "'short' or 'xml'"),
        ("POST", "/faults", {"kind": "dies"}, 400, "must name its object"),
        ("DELETE", "/faults?id=x", None, 400, "must be a number"),
        ("DELETE", f"/faults?id={'9' * 5000}", None, 400, "must be a number"),
        ("POST", "/faults", {"kind": []}, 400, "kind must be a text"),
        ("POST", "/faults", {"kind": "dies", "object": {}}, 400, "object must be a text"),
        ("POST", "/faults", {"kind": "slow", "after": 1e308, "delay": 1e300}, 400, "must be 0 to 31536000"),
        ("POST", "/faults", {"kind": "slow", "delay": -1}, 400, "must be 0 to 31536000"),
        ("POST", "/clock", {"clock": "seconds:1e-320"}, 400, "neither beyond 1000000"),
        ("POST", "/clock", {"clock": f"polls:{10**20}"}, 400, "neither beyond 1000000"),
    ],
)
def test_what_it_cannot_do_is_one_sentence(
    live: Callable[..., Live], method: str, path: str, body: Any, status: int, words: str
) -> None:
    answer = live().admin(method, path, body)
    assert answer["status"] == status
    assert words in answer["error"]
    assert answer["error"].endswith(".") or "online" in answer["error"]


HEADERS = {"Content-Type": "application/json"}
BAD = {
    "a name that leads here": ({"Host": "rebound.example"}, 403, "The Host header names rebound.example"),
    "another port": ({"Host": "127.0.0.1:1"}, 403, "The Host header names 127.0.0.1:1"),
    "no host": ({"Host": ""}, 403, "The Host header names nothing"),
    "an origin": ({"Origin": "https://bad.example"}, 403, "Origin comes from another site"),
    "an origin that is hidden": ({"Origin": "null"}, 403, "Origin comes from another site"),
    "a page": ({"Referer": "http://127.0.0.1:1/x"}, 403, "Referer comes from another site"),
    "a browser": ({"Sec-Fetch-Site": "cross-site"}, 403, "Sec-Fetch-Site comes from another site"),
    "no token": ({"Simulator-Token": ""}, 403, "Simulator-Token is missing"),
    "a wrong token": ({"Simulator-Token": "\u00e9"}, 403, "Simulator-Token isn't this simulator's"),
    "a form": ({"Content-Type": "text/plain"}, 415, "application/json, not text/plain"),
}
"""What a web page in somebody's browser could send, and what is told of it."""


def send(one: Live, method: str, path: str, body: bytes | None, given: dict[str, str]) -> tuple[int, Any, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", one.simulator.ready()["admin_url"].rpartition(":")[2])
    headers = {"Simulator-Token": one.simulator.admin_token, **HEADERS, **given}
    connection.request(method, path, body, {name: value.encode("latin-1") for name, value in headers.items()})
    answer = connection.getresponse()
    told = (answer.status, dict(answer.getheaders()), json.loads(answer.read()))
    connection.close()
    return told


@pytest.mark.parametrize("what", BAD)
def test_a_web_page_can_neither_read_nor_stop_it(live: Callable[..., Live], what: str) -> None:
    one = live()
    given, status, words = BAD[what]
    for method, path in (("POST", "/stop"), ("POST", "/power"), ("GET", "/calls"), ("DELETE", "/rules")):
        told, headers, body = send(one, method, path, b"{}", given)
        assert (told, list(body)) == (status, ["error"])
        assert words in body["error"]
        assert not [name for name in headers if name.lower().startswith("access-control")]
    assert not one.simulator.stopping.is_set()
    told, headers, _body = send(one, "OPTIONS", "/stop", None, {**given, "Access-Control-Request-Method": "POST"})
    assert told in (403, 405)
    assert not [name for name in headers if name.lower().startswith("access-control")]


def test_its_own_clients_are_answered(live: Callable[..., Live]) -> None:
    one = live()
    own = one.simulator.admin_url.partition("//")[2]
    for given in (
        {}, {"Host": own.replace("127.0.0.1", "LOCALHOST")}, {"Origin": f"http://{own}", "Sec-Fetch-Site": "none"},
        {"Referer": f"http://{own}/state", "Sec-Fetch-Site": "same-origin"},
    ):  # fmt: skip
        told, headers, body = send(one, "GET", "/rules", None, given)
        assert (told, body) == (200, [])
        assert not [name for name in headers if name.lower().startswith("access-control")]
    kind = {"Content-Type": "Application/JSON; charset=utf-8"}
    told, _headers, body = send(one, "POST", "/clock", b'{"clock": "immediate"}', kind)
    assert (told, body) == (200, {"clock": "immediate"})


@pytest.mark.parametrize(
    "body", [b"[" * 200000, b"[" * 90000 + b"]" * 90000, b'{"a":' * 500 + b"1" + b"}" * 500, b"NaN", b"1e999",
             b"9" * 5000, b"\xff\xfe", b'{"clock": Infinity}'],
)  # fmt: skip
def test_a_body_that_is_no_json_is_one_sentence(
    live: Callable[..., Live], capfd: pytest.CaptureFixture[str], body: bytes
) -> None:
    status, _headers, told = send(live(), "POST", "/clock", body, {})
    assert status == 400
    assert told["error"].startswith("The body isn't JSON: ")
    assert len(told["error"]) < 200
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("length", "status"), [("-5", 400), ("x", 400), ("9" * 5000, 413), (str(10**11), 413)]
)
def test_a_length_that_is_none_is_one_sentence(live: Callable[..., Live], length: str, status: int) -> None:
    told, _headers, body = send(live(), "POST", "/stop", None, {"Content-Length": length})
    assert (told, list(body)) == (status, ["error"])
    assert body["error"].startswith("The request can't be handled: ")


def test_what_it_does_not_expect_is_one_sentence_too(
    live: Callable[..., Live], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = live()
    monkeypatch.setattr(one.simulator._admin, "_handle", lambda _request: 1 / 0)
    assert one.admin("GET", "/about") == {
        "status": 500, "error": "The request can't be handled: Internal Server Error.",
    }  # fmt: skip
    assert "ZeroDivisionError" in capfd.readouterr().err  # for us, in its log


def test_stop(live: Callable[..., Live]) -> None:
    one = live()
    assert one.admin("POST", "/stop", {}) == {"ok": True}
    assert one.simulator.stopping.wait(5)
