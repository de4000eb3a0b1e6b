# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Admin REST API: the exact request and what becomes of each answer, odd ones included."""

from __future__ import annotations

import base64
import contextlib
import json
import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    AnswerLost,
    ClusterError,
    Denied,
    Fault,
    Garbled,
    NoSuchObject,
    Unreachable,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.client import Http
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.proxies import basic
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.api import wire
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.api.domain import Domain, has_quorum
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.api.objects import (
    Archive,
    Database,
    Process,
    Server,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.api.wire import is_own
from ansible_collections.dbfleet.cluster.tests.answers import fixtures
from ansible_collections.dbfleet.cluster.tests.unit.fake_transport import CUT_OFF, HUNG, REFUSED
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.api.rows import ODD, QUOTED, asked
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import (
    archive_row,
    database_row,
    exited_row,
    page,
    process_row,
    server,
    server_row,
    wired,
)
from hypothesis import given, settings, strategies as st

LIST = "offset=0&limit=100&{}orderBy={}"
LOCAL = page(server_row(local=True), server_row("server1"))


# -- the exact requests: verb, path, query, body (as nuocmd's, docs/sources/nuodb_nuocmd.md)

PAGED = [("offset", "0"), ("limit", "100")]
COPY = {"coordinatorStartId": "1", "hotCopyId": "e5b8"}
COPIED = [("coordinatorStartId", "1"), ("hotCopyId", "e5b8")]
GROUP = {"dbName": "test", "sgName": "EAST", "archiveId": 0}
GONE = [("evict", "False"), ("kill", "False"), ("killWithCore", "False"), ("timeout", "0")]


@pytest.mark.parametrize(
    ("method", "args", "verb", "path", "query", "body"),
    [
        ("shutdown_server", ("server1", False), "POST", "peers/server1/shutdown", [("evictLocal", "False")], None),
        ("shutdown_server", (ODD, True), "POST", f"peers/{QUOTED}/shutdown", [("evictLocal", "True")], None),
        ("delete_server", ("server1",), "DELETE", "peers/server1", [], None),
        ("delete_server", (ODD,), "DELETE", f"peers/{QUOTED}", [], None),
        ("remove_server_state", ("server1",), "POST", "peers/server1/removeDomainState", [], None),
        ("server_properties", (), "GET", "diagnostics/config", [], None),
        ("server_properties", (ODD,), "GET", f"diagnostics/config/{QUOTED}", [], None),
        (
            "create_database",
            (ODD, {"databaseDbaUser": "dba", "databaseDbaPassword": "p"}),
            "PUT",
            f"databases/{QUOTED}",
            [("mayExist", "False")],
            {"hostAssignments": {}, "smHosts": {}, "databaseDbaUser": "dba", "databaseDbaPassword": "p"},
        ),
        ("delete_database", ("test", False), "DELETE", "databases/test", [("purge", "False")], None),
        ("delete_database", (ODD, True), "DELETE", f"databases/{QUOTED}", [("purge", "True")], None),
        (
            "set_options",
            ("test", {"mem": "2G"}),
            "POST",
            "databases/test/options",
            [("replaceAll", "False")],
            {"mem": "2G"},
        ),
        ("shutdown_database", ("test",), "POST", "databases/test/shutdown", [], None),
        ("shutdown_database", (ODD,), "POST", f"databases/{QUOTED}/shutdown", [], None),
        ("shutdown_process", ("2",), "DELETE", "processes/2", GONE, None),
        (
            "shutdown_process",
            ("2", True, False),
            "DELETE",
            "processes/2",
            [("evict", "False"), ("kill", "True"), *GONE[2:]],
            None,
        ),
        (
            "shutdown_process",
            ("2", False, True),
            "DELETE",
            "processes/2",
            [("evict", "True"), *GONE[1:]],
            None,
        ),
        ("resurrect_archive", (7, {"path": "/a"}), "PUT", "archives/7", [], {"path": "/a"}),
        ("delete_archive", (7, False), "DELETE", "archives/7", [("purge", "False")], None),
        ("delete_archive", (7, True), "DELETE", "archives/7", [("purge", "True")], None),
        ("add_storage_group", ("test", "EAST", 0), "POST", "archives/addStorageGroup", [], GROUP),
        ("remove_storage_group", ("test", "EAST", 0), "POST", "archives/removeStorageGroup", [], GROUP),
        (
            "delete_storage_group",
            (ODD, "E/W"),
            "DELETE",
            f"databases/{QUOTED}/storageGroups/E%2FW",
            [],
            None,
        ),
        ("hotcopies", (ODD,), "GET", f"databases/{QUOTED}/hotCopyStatus", [], None),
        ("hotcopy", ("1", "e5b8"), "GET", "databases/hotCopyStatus", COPIED, None),
        ("start_hotcopy", ("test", {"type": "full"}, False), "POST", "databases/test/hotCopy", [], {"type": "full"}),
        ("start_hotcopy", ("test", {}, True), "POST", "databases/test/hotCopySimple", [], {}),
        ("cancel_hotcopy", ("1", "e5b8"), "POST", "databases/cancelHotCopy", COPIED, None),
    ],
)
def test_the_request_of_a_call_without_a_list(method, args, verb, path, query, body):
    _found, sent = asked(method, *args)
    assert sent == [(verb, f"/api/1/{path}", query, body)]


@pytest.mark.parametrize(
    ("method", "filters", "path", "query"),
    [
        ("databases", {}, "databases", [*PAGED, ("orderBy", "name")]),
        ("processes", {}, "processes", [*PAGED, ("orderBy", "startId")]),
        ("processes", {"dbName": []}, "processes", [*PAGED, ("orderBy", "startId")]),
        (
            "processes",
            {"dbName": ["test"]},
            "processes",
            [*PAGED, ("orderBy", "startId"), ("filterBy", "dbName"), ("dbName", "test")],
        ),
        (
            "processes",
            {"dbName": ["a.b", "c|d", "e+"], "type": ["SM"]},
            "processes",
            [
                *PAGED, ("orderBy", "startId"), ("filterBy", "dbName"), ("filterBy", "type"),
                ("dbName", r"a\.b|c\|d|e\+"), ("type", "SM"),
            ],
        ),
        ("archives", {}, "archives", [*PAGED, ("removed", "False"), ("orderBy", "id")]),
        (
            "archives",
            {"removed": True, "host": ["server0"]},
            "archives",
            [*PAGED, ("removed", "True"), ("orderBy", "id"), ("filterBy", "host"), ("host", "server0")],
        ),
        (
            "tombstones",
            {"dbName": ["test"]},
            "processes/exited",
            [
                *PAGED, ("orderBy", "process.startId"),
                ("filterBy", "process.dbName"), ("process.dbName", "test"),
            ],
        ),
    ],
)  # fmt: skip
def test_the_request_of_a_list(method, filters, path, query):
    found, sent = asked(method, answer=page(), **filters)
    assert not found
    assert sent == [("GET", f"/api/1/{path}", query, None)]


def test_the_storage_groups_of_a_database_are_a_list():
    found, sent = asked("storage_groups", ODD, answer=page({"sgName": "east", "sgId": 10}))
    assert sent == [("GET", f"/api/1/databases/{QUOTED}/storageGroups", [*PAGED, ("orderBy", "sgName")], None)]
    assert list(found) == ["EAST"]
    assert (found["EAST"]["sg_name"], found["EAST"]["sg_id"]) == ("EAST", 10)


@pytest.mark.parametrize(
    ("servers", "more"), [([], {}), (["server0", "server0", "server1"], {"teHosts": ["server0", "server0", "server1"]})]
)
def test_a_start_plan_is_asked_for_one_use(servers, more):
    rows = [{"archiveId": 0, "dbName": "test", "engineType": "SM", "host": "server0"}]
    found, sent = asked("start_plan", "test", servers, answer=(200, {"incremental": False, "processes": rows}))
    assert found == rows
    assert sent == [("POST", "/api/1/databases/test/startplan", [], {"reusable": False, "smHosts": {}, **more})]


@pytest.mark.parametrize(
    "odd", [7, {}, {"host": None}, {"host": "s", "archiveId": "x"}, {"host": "s", "expectedIncarnation": 5}]
)
def test_a_start_plan_of_another_form_is_none(odd):
    with pytest.raises(Garbled, match="POST databases/test/startplan"):
        asked("start_plan", "test", [], answer=(200, {"processes": [odd]}))


def test_a_process_is_requested_by_the_element_of_a_plan_as_it_is():
    request = {"dbName": "test", "engineType": "TE", "host": "s", "expectedIncarnation": {"major": 5, "minor": 0}}
    row = process_row("4", durableState="REQUESTED", type=None, archiveId=None, pid=None, port=None, state=None)
    found, sent = asked("start_process", request, "test:TE1@s", answer=(200, row))
    assert sent == [("POST", "/api/1/processes", [], request)]
    assert (found.start_id, found.state, found.engine_type) == ("4", "REQUESTED:UNKNOWN", "SM")


def test_an_archive_is_created():
    body = {"dbName": "test", "host": "server0", "path": "/a", "restored": False}
    _found, sent = asked("create_archive", body, answer=(200, archive_row(7, state="PROVISIONED", path="/a")))
    assert sent == [("POST", "/api/1/archives", [], body)]


def test_credentials_and_the_form_of_a_body_are_in_the_headers(serve, reply):
    def answer(one):
        return reply(
            json.dumps(process_row("0")).encode() if "processes" in one.line else json.dumps(LOCAL[1]).encode()
        )

    ap = serve(answer)
    domain = Domain(Http("nuo-unit", [ap.url], "ädmin", "p:w €", is_own=is_own))
    domain.start_process({"dbName": "té"}, "x")
    domain.servers()
    domain.shutdown_server("server1", False)
    post, get, empty = ap.asked
    assert (post.line, get.line) == (
        "POST /api/1/processes HTTP/1.1",
        "GET /api/1/peers?offset=0&limit=100&orderBy=id HTTP/1.1",
    )
    for one in ap.asked:
        scheme, coded = one.headers["authorization"].split()
        assert (scheme, base64.b64decode(coded).decode()) == ("Basic", "ädmin:p:w €")
    assert post.headers["content-type"] == "application/json"
    assert json.loads(post.body) == {"dbName": "té"}
    assert (empty.body, empty.headers["content-length"]) == (b"", "0")
    assert domain.api_calls == 3


def test_what_no_encoding_has_is_visible_in_an_answer(serve, reply):
    body = json.dumps(page(process_row("0", dbName="te\udc80st"))[1]).encode()
    ap = serve(lambda _one: reply(body))
    (found,) = Domain(Http("nuo-unit", [ap.url], is_own=is_own)).processes().values()
    assert found.db_name == r"te\udc80st"


@pytest.mark.parametrize("levels", [150, 50_000])
def test_an_answer_that_is_nested_too_deep_is_one_sentence(serve, reply, levels):
    ap = serve(lambda _one: reply(b'{"a":' * levels + b"1" + b"}" * levels))
    domain = Domain(Http("nuo-unit", [ap.url], is_own=is_own))
    said = "the JSON of the answer is nested more than 100 levels deep"
    with pytest.raises(Garbled, match=f"^nuo-unit: GET peers at {ap.url}.*: {said}"):
        domain.servers()
    with pytest.raises(AnswerLost, match=f"{said}.*the server may have carried it out"):
        domain.start_process({"dbName": "x"}, "x")


@given(name=st.text(min_size=1, max_size=12).filter(lambda text: text.isprintable() and text not in (".", "..")))
def test_a_name_is_one_segment_of_the_path(name):
    _found, sent = asked("shutdown_database", name)
    ((_verb, path, query, _body),) = sent
    assert path.count("/") == len(["", "api", "1", "databases", "x", "shutdown"]) - 1
    assert query == []
    assert unquote(path.split("/")[4]) == name


# -- what becomes of the answers


def test_hotcopies_of_all_sms():
    row = {**COPY, "status": "running"}
    found, _sent = asked(
        "hotcopies", "test", answer=(200, {"errors": {}, "hotCopyStatuses": {"1": [row, row], "2": [row], "3": []}})
    )
    assert found == [row, row, row]
    with pytest.raises(
        Fault, match="GET hotCopyStatus of test at https://ap0:8888: start ID 1: no answer; start ID 2: x"
    ):
        asked("hotcopies", "test", answer=(200, {"errors": {"1": "no answer", "2": "x"}, "hotCopyStatuses": {}}))


@pytest.mark.parametrize("status", [200, 201, 202, 204])
@pytest.mark.parametrize("body", [b"", b" \r\n", b"null", b"{}"])
def test_an_empty_answer_to_a_change_is_its_success(status, body):
    for method, args in (("shutdown_database", ("test",)), ("shutdown_process", ("1",)), ("delete_server", ("s",))):
        assert asked(method, *args, answer=(status, body))[0] is None


def test_properties_of_a_server():
    answer = (200, {"properties": {"ThisServerId": "server0", "leaderAssignmentTimeout": "10000"}})
    assert asked("server_properties", answer=answer)[0]["leaderAssignmentTimeout"] == "10000"
    assert asked("server_properties", answer=(200, {}))[0] == {}


# -- pages and filters


def test_pages_are_asked_for_until_there_is_none_left():
    rows = [process_row(str(number)) for number in range(230)]

    def answer(request):
        query = {key: value[0] for key, value in parse_qs(urlsplit(request.url).query).items()}
        first, limit = int(query["offset"]), min(int(query["limit"]), 40)
        return 200, {"data": rows[first : first + limit], "hasNext": first + limit < 230, "maxLimit": 40}

    domain, adapter = wired(answer)
    assert list(domain.processes()) == [str(number) for number in range(230)]
    asked_for = [re.findall(r"offset=(\d+)&limit=(\d+)", one.url)[0] for one in adapter.sent]
    assert asked_for == [("0", "100"), ("40", "40"), ("80", "40"), ("120", "40"), ("160", "40"), ("200", "40")]


def test_a_larger_limit_is_used():
    domain, adapter = wired(
        (200, {"data": [process_row("0")], "hasNext": True, "maxLimit": 500}), page(process_row("1"))
    )
    assert list(domain.processes()) == ["0", "1"]
    assert "offset=1&limit=500" in adapter.sent[1].url


def test_an_empty_page_is_the_last_whatever_it_says():
    domain, adapter = wired((200, {"data": [process_row("0")], "hasNext": True}), (200, {"data": [], "hasNext": True}))
    assert list(domain.processes()) == ["0"]
    assert len(adapter.sent) == 2


def test_a_list_without_an_end_is_garbled(monkeypatch):
    monkeypatch.setattr(wire, "PAGES", 7)
    domain, adapter = wired((200, {"data": [process_row("0")], "hasNext": True}))
    with pytest.raises(Garbled, match="GET processes at https://ap0:8888: the list has no end"):
        domain.processes()
    assert len(adapter.sent) == 7


@pytest.mark.parametrize("limit", [None, 0, -5, "abc", [], {}, 1.5, True])
def test_an_odd_limit_of_a_page(limit):
    domain, adapter = wired((200, {"data": [process_row("0")], "hasNext": True, "maxLimit": limit}), page())
    with contextlib.suppress(Garbled):
        assert list(domain.processes()) == ["0"]
        assert int(re.findall(r"limit=(\d+)", adapter.sent[1].url)[0]) >= 1


@given(names=st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=4))
def test_a_filter_is_a_pattern_for_these_names_alone(names):
    _found, ((_verb, _path, query, _body),) = asked("processes", dbName=names, answer=page())
    pattern = dict(query)["dbName"]
    assert all(re.fullmatch(pattern, name) for name in names)
    assert not re.fullmatch(pattern, "x".join(names) + "y")


def test_what_a_looser_match_lets_through_is_left_out():
    rows = page(*(process_row(str(n), name) for n, name in enumerate(["test", "test2", "atest", "TEST"])))
    assert list(asked("processes", dbName=["test"], answer=rows)[0]) == ["0"]
    assert list(asked("processes", dbName=["test", "TEST"], answer=rows)[0]) == ["0", "3"]
    stones = page(exited_row("1"), exited_row("2", process=process_row("2", "test2")), {"process": None})
    assert [one.process.start_id for one in asked("tombstones", dbName=["test"], answer=stones)[0]] == ["1"]


# -- refusals

TWO_FORMS = [
    ({"messages": ["Failure", "only one"]}, "Failure: only one"),
    ({"messages": "just text"}, "just text"),
    ({"messages": [], "message": "m"}, "m"),
    ({"message": "m", "details": "d"}, "m: d"),
    ({"message": "m"}, "m"),
    ({"message": ""}, "no reason given"),
    ({"messages": []}, "no reason given"),
    ({"messages": ["first line\n  second\tline\r\n"]}, "first line second line"),
    ({"messages": [7, None]}, "7: None"),
]


@pytest.mark.parametrize(("body", "says"), TWO_FORMS)
@pytest.mark.parametrize(
    ("status", "kind"), [(400, Fault), (404, NoSuchObject), (409, Fault), (500, Fault), (503, Fault)]
)
def test_a_refusal_in_both_forms_is_one_sentence(body, says, status, kind):
    with pytest.raises(kind) as caught:
        asked("shutdown_database", "test", answer=(status, {"code": status, **body}))
    error = caught.value
    assert error.__class__ is kind
    assert error.message == f"nuo-unit: POST databases/shutdown of test at https://ap0:8888: {says} (HTTP {status})"
    assert error.failed_object == "test"


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (401, b"", "the server refused user 'admin' and its password (HTTP 401)"),
        (401, b"<html>Unauthorized</html>", "the server refused user 'admin' and its password (HTTP 401)"),
        (
            401,
            {"code": 401, "messages": ["Bad credentials"]},
            "the server refused user 'admin' and its password (HTTP 401): Bad credentials",
        ),
        (403, b"", "user 'admin' may not do this (HTTP 403)"),
        (403, {"code": 403, "message": "Forbidden", "details": "role x"}, "Forbidden: role x (HTTP 403)"),
        (403, {"code": 403, "messages": []}, "not allowed (HTTP 403)"),
    ],
)
def test_who_may_not_is_told_so(status, body, says):
    for method, args in (("databases", ()), ("shutdown_database", ("test",))):
        domain, adapter = wired((status, body))
        with pytest.raises(Denied) as caught:
            getattr(domain, method)(*args)
        assert caught.value.message.startswith("nuo-unit: ")
        assert caught.value.message.endswith(says)
        assert caught.value.number == ("DBF-2001" if status == 401 else "DBF-2002")
        assert len(adapter.sent) == 1


@pytest.mark.parametrize("body", [b"", b"<html>Not Found</html>", b'{"error": "x"}', b"[404]", b'"404"', b"null"])
def test_a_404_of_somebody_else_does_not_mean_that_there_is_no_such_object(body):
    for method in ("database", "process"):
        with pytest.raises(Garbled, match=r"the server answered HTTP 404"):
            asked(method, "test", answer=(404, body))


@pytest.mark.parametrize("bad", [b"<html>", b'{"startId"'])
def test_one_answer_that_is_no_json_is_asked_for_again(bad):
    domain, adapter = wired((200, bad), page())
    assert domain.databases() == {}
    assert len(adapter.sent) == 2
    domain, adapter = wired((200, bad), (404, {"code": "404", "messages": ["no such process"]}))
    assert domain.process("7") is None
    assert len(adapter.sent) == 2


def test_html_of_a_proxy_is_not_taken_for_an_answer():
    html = b"<html><body>\n<h1>Sign in</h1></body></html>"
    with pytest.raises(Garbled, match="the answer is not JSON: '<html><body> <h1>Sign in"):
        asked("databases", answer=(200, html))
    with pytest.raises(Unreachable, match="a gateway answered HTTP 502"):
        asked("databases", answer=(502, html))
    with pytest.raises(AnswerLost, match="the answer is not JSON.*the server may have carried it out"):
        asked("shutdown_database", "test", answer=(200, html))
    with pytest.raises(AnswerLost, match="a gateway answered HTTP 502.*the server may have carried it out"):
        asked("shutdown_database", "test", answer=(502, html))


def test_a_server_error_of_the_aps_own_is_a_refusal_also_with_a_gateways_status():
    with pytest.raises(Fault, match="no leader"):
        asked("shutdown_database", "test", answer=(503, {"code": 503, "messages": ["no leader"]}))


def test_a_truncated_answer():
    cut = json.dumps(process_row()).encode()[:-20]
    with pytest.raises(Garbled):
        asked("processes", answer=(200, cut))
    with pytest.raises(AnswerLost) as caught:
        asked("start_process", {"dbName": "test"}, "test:archive0@server0", answer=(200, cut))
    assert caught.value.failed_object == "test:archive0@server0"


@pytest.mark.parametrize("body", [b"", b"null", b"{}", b"[]", b"7", b'"x"', b'{"startId": null, "host": 3}'])
def test_a_start_whose_answer_is_none_may_have_been_carried_out(body):
    with contextlib.suppress(AnswerLost):
        found, _sent = asked("start_process", {"dbName": "test"}, "test:archive0@server0", answer=(200, body))
        assert isinstance(found, Process)
        assert found.start_id not in ("", "None")


@pytest.mark.parametrize(
    "error",
    [
        REFUSED,
        HUNG,
        CUT_OFF,
    ],
)
def test_a_lost_answer_to_a_change_is_sent_once_and_to_one_ap(error):
    domain, adapter = wired(error, urls=("https://ap0:8888", "https://ap1:8888"))
    with pytest.raises(AnswerLost, match="the server may have carried it out") as caught:
        domain.shutdown_database("test")
    assert caught.value.failed_object == "test"
    assert [one.url for one in adapter.sent] == ["https://ap0:8888/api/1/databases/test/shutdown"]


def test_reads_are_asked_again_and_a_start_plan_changes_nothing():
    domain, adapter = wired(REFUSED, (200, {"processes": []}))
    assert domain.start_plan("test", []) == []
    assert len(adapter.sent) == 2


NOT_COMMITTED = (500, fixtures.answer("nuodb/not_committed"))


def test_a_read_that_an_ap_could_not_commit_is_asked_of_another_and_again():
    urls = ("https://ap0:8888", "https://ap1:8888")
    domain, adapter = wired(NOT_COMMITTED, NOT_COMMITTED, (200, {"processes": []}), urls=urls)
    assert domain.start_plan("test", []) == []
    assert [one.url.partition("/api")[0] for one in adapter.sent] == [*urls, urls[0]]
    domain, _adapter = wired(NOT_COMMITTED)
    with pytest.raises(Unreachable, match=r"Raft command was not applied \(HTTP 500\)"):
        domain.databases()


@pytest.mark.parametrize("answer", [NOT_COMMITTED, (500, {"code": 500, "messages": ["no"]})])
def test_a_change_that_an_ap_refused_is_not_sent_again(answer):
    domain, adapter = wired(answer)
    with pytest.raises(Fault, match="HTTP 500"):
        domain.shutdown_database("test")
    assert len(adapter.sent) == 1


# -- odd answers: never mistaken for a state, never another exception

NUMBERS = st.integers(-(2**70), 2**70) | st.floats()
WORDS = [
    "data", "hasNext", "maxLimit", "id", "name", "state", "startId", "process", "host", "dbName", "options", "code",
    "messages", "message", "details", "processes", "properties", "errors", "hotCopyStatuses", "localRoleInfo",
    "user-data", "connectedState", "incarnation", "databaseIncarnation", "major", "minor", "archiveId", "exitCode",
    "sgName",
    "lastHeardFrom", "isLocal", "labels", "databaseOptions", "observerStorageGroups", "expectedIncarnation", "nodeId",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text("a1:\n {", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)
ROWS = {
    "servers": server_row, "databases": database_row, "processes": process_row, "archives": archive_row,
    "tombstones": exited_row, "storage_groups": lambda: {"sgName": "EAST", "sgId": 10},
}  # fmt: skip
CALLS = {
    "servers": (), "own_urls": (), "shutdown_server": ("s", False), "delete_server": ("s",),
    "remove_server_state": ("s",), "server_properties": (), "databases": (), "database": ("test",),
    "create_database": ("test", {}), "delete_database": ("test", False), "set_options": ("test", {}),
    "shutdown_database": ("test",), "start_plan": ("test", []), "processes": (), "process": ("1",), "tombstones": (),
    "start_process": ({}, "x"), "shutdown_process": ("1",), "archives": (),
    "create_archive": ({"host": "h", "path": "p"},),
    "resurrect_archive": (1, {}), "delete_archive": (1, False), "storage_groups": ("test",),
    "add_storage_group": ("test", "EAST", 0), "remove_storage_group": ("test", "EAST", 0),
    "delete_storage_group": ("test", "EAST"), "hotcopies": ("test",), "hotcopy": ("1", "e"),
    "start_hotcopy": ("test", {}, False), "cancel_hotcopy": ("1", "e"),
}  # fmt: skip


def outcome(method, *answers):
    """What a call gives, used as its callers use it; a failure must be one sentence that begins with the domain."""
    domain, _adapter = wired(*answers)
    try:
        found = getattr(domain, method)(*CALLS[method])
        for one in found.values() if isinstance(found, dict) else found if isinstance(found, list) else [found]:
            if isinstance(one, (Process, Server, Database, Archive)):
                assert repr([getattr(one, name) for name in dir(type(one)) if not name.startswith("_")])
    except ClusterError as error:
        found = error
    if isinstance(found, ClusterError):
        assert found.message.startswith("nuo-unit: ")
        assert len(found.message.splitlines()) == 1
    return found


@settings(max_examples=400)
@given(answer=JSON, method=st.sampled_from(sorted(CALLS)), status=st.sampled_from([200, 404, 400, 401, 500, 503]))
def test_no_json_makes_another_exception(answer, method, status):
    outcome(method, (status, answer))


@settings(max_examples=400)
@given(data=st.data(), method=st.sampled_from(sorted(ROWS)))
def test_no_row_with_an_odd_part_makes_another_exception(data, method):
    row = ROWS[method]()
    for key in data.draw(st.lists(st.sampled_from(sorted(row)), max_size=3)):
        row[key] = data.draw(JSON)
    outcome(method, page(row, hasNext=data.draw(st.booleans()), maxLimit=data.draw(JSON)), page())


@settings(max_examples=100)
@given(data=st.data(), status=st.sampled_from([200, 404]))
def test_no_process_or_tombstone_with_an_odd_part_makes_another_exception(data, status):
    row = {"code": 404, "messages": ["gone"], **exited_row()} if status == 404 else process_row()
    row[data.draw(st.sampled_from(sorted(row)))] = data.draw(JSON)
    outcome("process", (status, row))


VALID = json.dumps(LOCAL[1]).encode()


@settings(max_examples=150)
@given(
    body=st.binary(max_size=40) | st.integers(0, len(VALID)).map(lambda end: VALID[:end]),
    method=st.sampled_from(sorted(CALLS)),
    status=st.sampled_from([200, 204, 302, 404, 502]),
)
def test_no_bytes_make_another_exception(body, method, status):
    outcome(method, (status, body))


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"data":' * 100_000, b'{"data": ["\\ud800"]}', b"\xff\xfe{}", b"1e999"]
)
@pytest.mark.parametrize("method", ["databases", "start_process", "process", "hotcopies", "server_properties"])
def test_json_that_breaks_readers(method, body):
    assert isinstance(outcome(method, (200, body)), (ClusterError, dict, list))


@pytest.mark.parametrize("method", sorted(ROWS))
@pytest.mark.parametrize(
    "answer", [None, [], {}, {"data": None}, {"data": {}}, {"data": [None]}, {"data": ["x"]}, "x", 7]
)
def test_a_list_of_another_form_is_no_empty_list(method, answer):
    if (method, answer) == ("storage_groups", {"data": ["x"]}):
        answer = {"data": [7]}
    assert isinstance(outcome(method, (200, answer)), Garbled)


# -- several APs


def aps(**answers):
    """APs by host name, each with its answer; and the domain of all."""

    def answer(request):
        found = answers[urlsplit(request.url).hostname]
        return found(request) if callable(found) else found

    return wired(answer, urls=tuple(f"https://{name}:8888" for name in answers))


def cut_off(name, *others):
    """What an AP tells that is alone."""
    return page(
        server_row(name, None, local=True), *(server_row(one, None, connected="Disconnected") for one in others)
    )


WHOLE = page(
    server_row("server0", "server1"), server_row("server1", "server1", local=True), server_row("server2", "server1")
)


def hosts(adapter):
    return [urlsplit(one.url).hostname for one in adapter.sent]


@pytest.mark.parametrize(
    "first",
    [
        REFUSED,
        HUNG,
        (502, b"<html></html>"),
        cut_off("server0", "server1", "server2"),
        page(
            server_row("server0", "server0", local=True),
            *(server_row(f"server{n}", connected="Disconnected") for n in (1, 2)),
        ),
        page(server_row("server0", None, local=True), server_row("server1", None), server_row("server2", None)),
        page(),
    ],
    ids=["refused", "hung", "gateway", "cut off", "no majority", "no leader", "no server"],
)
def test_an_ap_that_can_not_speak_for_the_domain_is_passed_over(first):
    domain, adapter = aps(ap0=first, ap1=WHOLE)
    found = domain.servers()
    assert found["server1"].local
    assert hosts(adapter) == ["ap0", "ap1"]
    assert domain.url == "https://ap1:8888"
    with contextlib.suppress(Garbled):
        domain.databases()
    domain.shutdown_server("server2", False)
    assert set(hosts(adapter)[2:]) == {"ap1"}, "it is asked from now on"


def test_where_no_ap_has_a_majority_the_first_one_tells():
    domain, adapter = aps(ap0=REFUSED, ap1=cut_off("server1", "server2"), ap2=cut_off("server2", "server1"))
    found = domain.servers()
    assert [name for name, one in found.items() if one.local] == ["server1"]
    assert not has_quorum(found)
    assert domain.url == "https://ap1:8888"
    assert "ap2" in hosts(adapter)


def test_where_all_are_well_the_first_is_asked_and_no_other():
    domain, adapter = aps(ap0=page(server_row(local=True), server_row("server1")), ap1=WHOLE)
    domain.servers()
    domain.servers()
    assert hosts(adapter) == ["ap0", "ap0"]


def test_nobody_answers():
    domain, adapter = aps(ap0=REFUSED, ap1=REFUSED)
    with pytest.raises(Unreachable, match="at https://ap0:8888 https://ap1:8888: connection refused$"):
        domain.servers()
    assert hosts(adapter) == ["ap0", "ap1"] * 2


def test_servers_that_fail_alike_share_a_sentence():
    domain, _adapter = aps(ap0=REFUSED, ap1=(404, b"no page"), ap2=REFUSED)
    with pytest.raises(ClusterError) as caught:
        domain.servers()
    assert caught.value.message == (
        "nuo-unit: GET peers at https://ap0:8888 https://ap2:8888: connection refused; "
        "nuo-unit: GET peers at https://ap1:8888: the server answered HTTP 404 Reason"
    )


def test_a_refusal_of_one_ap_is_not_taken_to_another():
    domain, adapter = aps(ap0=(403, b""), ap1=WHOLE)
    with pytest.raises(Denied):
        domain.servers()
    assert hosts(adapter) == ["ap0"]


def test_own_urls_are_those_of_all_and_the_same_ap_is_asked_after():
    domain, _adapter = aps(
        ap0=page(server_row("server0", local=True), server_row("server1")),
        ap1=page(server_row("server0"), server_row("server1", local=True)),
    )
    domain.servers()
    assert domain.own_urls() == {"server0": "https://ap0:8888", "server1": "https://ap1:8888"}
    assert domain.url == "https://ap0:8888"


def test_whether_anybody_answers():
    assert aps(ap0=REFUSED, ap1=WHOLE)[0].answers()
    assert not aps(ap0=REFUSED, ap1=REFUSED)[0].answers()
    assert not aps(ap0=(502, b""))[0].answers()
    assert aps(ap0=(401, b""))[0].answers()
    assert aps(ap0=HUNG)[0].answers(), "who took the call is still on"


@pytest.mark.parametrize(
    ("servers", "wanted"),
    [
        ([server("a", "a", local=True)], True),
        ([server("a", None, local=True)], False),
        ([server("a", "a")], False),
        ([], False),
        ([server("a", "b", local=True), server("b", "b")], True),
        ([server("a", "b", local=True), server("b", "b", connected=False)], False),
        ([server("a", "a", local=True), server("b"), server("c", connected=False)], True),
        ([server("a", "a", local=True), server("b", connected=False), server("c", connected=False)], False),
    ],
)
def test_a_quorum_is_a_majority_of_the_members_with_a_leader(servers, wanted):
    assert has_quorum({one.server_id: one for one in servers}) is wanted


def test_an_evicted_server_is_no_member():
    evicted = Server("c", connected="Connected", evicted=True)
    assert has_quorum({"a": server("a", "a", local=True), "c": evicted})
    alone = {"a": server("a", "a", local=True), "b": server("b", connected=False), "c": evicted}
    assert not has_quorum(alone)


def test_a_passive_server_has_no_vote():
    """Unlike in nuocmd's own check (NUODB-275, NUODB-276)."""
    passive = {name: Server(name, connected="Connected", passive=True) for name in "cd"}
    away = {name: Server(name, connected="Disconnected", passive=True) for name in "cdef"}
    one_of_three = {
        "a": server("a", "a", local=True),
        "b": server("b", connected=False),
        "g": server("g", connected=False),
    }
    assert not has_quorum({**one_of_three, **passive})
    assert has_quorum({"a": server("a", "a", local=True), "b": server("b"), **away})


# -- secrets


@pytest.mark.parametrize(
    "answer", [(401, b""), (403, b""), (500, b"x"), (200, b"<x>"), REFUSED, (400, {"code": 400, "message": "no"})]
)
def test_neither_password_is_in_a_message(answer):
    domain, _adapter = wired(answer)
    domain._http._authorization = {"Authorization": basic("admin", "s3cret-api")}
    with pytest.raises(ClusterError) as caught:
        domain.create_database("test", {"databaseDbaUser": "dba", "databaseDbaPassword": "s3cret-dba"})
    assert "s3cret" not in json.dumps(caught.value.as_result())


@pytest.mark.parametrize(("request_timeout", "seconds"), [(30.0, 3.0), (1.0, 1.0)])
def test_the_request_of_an_sm_is_given_up_in_time(request_timeout, seconds):
    """The SMs beside it give up after 10 s; a TE has time."""
    domain, adapter = wired((200, process_row()))
    domain._http.timeout = request_timeout
    waited = []
    send = adapter.send

    def timed(request, timeout, **how):
        waited.append(timeout[1])
        return send(request, timeout=timeout, **how)

    adapter.send = timed
    domain.start_process({"dbName": "test", "engineType": "SM", "host": "server0", "archiveId": 0}, "x")
    domain.start_process({"dbName": "test", "engineType": "TE", "host": "server0"}, "y")
    assert waited == [pytest.approx(seconds), request_timeout]
