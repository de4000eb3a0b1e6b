# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way to ConfD's master: who is asked what, how often, with or without the password."""

from __future__ import annotations

import base64
import threading
import xmlrpc.client
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    AnswerLost,
    ClusterError,
    Denied,
    Fault,
    Garbled,
    NotSent,
    Unreachable,
    Untrusted,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd import session as confd_session
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.codec import Json
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.session import HOPS, Session, is_own
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.connection import candidates
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.client import Http
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.trust import Trust
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.fake_nodes import LOGIN_PAGE, Nodes, turns
from ansible_collections.dbfleet.cluster.tests.unit.fake_transport import HUNG, LOST, NOBODY, REFUSED, UNTRUSTED

THREE = ("n11:443", "n12:443", "n13:443")
STRANGER = "10.9.9.9:443"


def places(nodes: Nodes) -> list[tuple[str, str, str]]:
    return [(one.verb, one.place, one.path) for one in nodes.sent]


def one_sentence(error: ClusterError) -> str:
    assert error.message.startswith("exa-unit: ")
    assert "\n" not in error.message
    assert "s3cret" not in error.message
    return error.message


# -- URLs


def test_http_is_refused():
    with pytest.raises(ClusterError, match="api_url http://n11:80 is not https, but ConfD accepts only https"):
        Session(Http("exa-unit", ["http://n11"], trust=Trust(validate=False)))


# -- the request


def test_the_request():
    nodes = Nodes(job_list=["db_list"])
    assert nodes.session().read("job_list") == ["db_list"]
    assert places(nodes) == [("GET", "n11:443", "/master"), ("POST", "n11:443", "/")]
    asked, sent = nodes.sent
    assert (asked.authorized, asked.body) == (False, b"")
    assert sent.content_type == "text/xml"
    assert sent.authorized
    assert sent.body == xmlrpc.client.dumps((), "job_list").encode()


def test_over_real_sockets(serve, reply, authority):
    """The second node is the master. The first sends the call on, with TLS checked on both."""
    urls: dict[str, str] = {}

    def answer(asked: Any) -> bytes:
        if asked.line.startswith("GET /master "):
            return reply(b"127.0.0.1\n")
        return reply(b"", "302 Found", f"Location: {urls['master']}/")

    def master(asked: Any) -> bytes:
        assert asked.headers.get("authorization") in (None, "Basic " + base64.b64encode(b"admin:s3cret").decode())
        if asked.line.startswith("GET /master "):
            return reply(b"127.0.0.1")
        args, method = xmlrpc.client.loads(asked.body)
        return reply(xmlrpc.client.dumps(([method, *args],), methodresponse=True, allow_none=True).encode())

    identity = authority.sign("confd", "127.0.0.1")
    first, second = serve(answer, identity.context()), serve(master, identity.context())
    urls["master"] = second.url
    http = Http("exa-unit", candidates([first.url]), "admin", "s3cret", Trust(ca_path=str(authority.ca_path)),
                is_own=is_own)  # fmt: skip
    session = Session(http)
    assert session.change("job_start", "x", {"params": {"a": None}}) == ["job_start", "x", {"params": {"a": None}}]
    assert session.url == second.url
    assert sum(b"job_start" in asked.body for asked in second.asked) == 1


def test_json_goes_to_its_own_path():
    nodes = Nodes(job_list=["db_list"])
    nodes.paths = ("/api/json",)
    assert nodes.session(codec=Json("api/json")).read("job_list") == ["db_list"]
    assert nodes.sent[-1].path == "/api/json"
    assert nodes.sent[-1].content_type == "application/json"


# -- the path


@pytest.mark.parametrize("path", ["/", "/rpc2", "/RPC2"])
def test_the_path_that_the_server_knows_is_found_once(path):
    nodes = Nodes(job_list=[])
    nodes.paths = (path,)
    session = nodes.session()
    session.read("job_list")
    before = len(nodes.sent)
    session.read("job_list")
    assert [one.path for one in nodes.sent[before:]] == [path]


def test_a_changing_call_tries_no_paths():
    nodes = Nodes(job_start="11.1")
    nodes.paths = ("/RPC2",)
    nodes.session().change("job_start", "db_start")
    assert [one.path for one in nodes.sent if one.body and one.call[0] == "job_start"] == ["/RPC2"]


def test_no_path_at_all():
    nodes = Nodes()
    nodes.paths = ()
    with pytest.raises(Garbled, match=r"nothing answers to XML-RPC at / or /rpc2 or /RPC2 \(HTTP 404\)") as caught:
        nodes.session().read("job_list")
    one_sentence(caught.value)


@pytest.mark.parametrize("gone", ["for good", "for once"])
def test_a_changing_call_that_finds_nothing_at_its_path_was_not_carried_out(gone):
    """As behind a proxy that loses its way for a moment."""
    nodes = Nodes(job_start="11.1")
    session = nodes.session()
    session.read("system.listMethods")
    nodes.paths = ()
    if gone == "for once":
        nodes.before[len(nodes.sent) + 2] = lambda: setattr(nodes, "paths", ("/",))
        assert session.change("job_start", "db_start") == "11.1"
        return
    with pytest.raises(
        Garbled, match=r"nothing answers to XML-RPC at / .*; nothing was carried out$|was not sent$"
    ) as caught:
        session.change("job_start", "db_start")
    assert caught.value.unsent
    one_sentence(caught.value)


def test_a_server_without_listmethods_gets_its_changing_call():
    nodes = Nodes(job_start="11.1")
    del nodes.rpc["system.listMethods"]
    assert nodes.session().change("job_start", "db_start") == "11.1"


# -- which port


def test_the_second_port():
    nodes = Nodes("n11:20003", job_list=[])
    session = nodes.session("n11")
    session.read("job_list")
    assert session.url == "https://n11:20003"
    assert places(nodes)[:2] == [("GET", "n11:443", "/master"), ("GET", "n11:20003", "/master")]


@pytest.mark.parametrize(
    "other", [LOGIN_PAGE, (200, b"OK"), (200, b""), (200, b"{}"), (404, b""), (500, b""), (401, b""), (200, b"a b.c")]
)
def test_another_service_at_the_first_port(other):
    nodes = Nodes("n11:20003", job_list=[])
    nodes.odd["n11:443"] = other
    session = nodes.session("n11")
    session.read("job_list")
    assert session.url == "https://n11:20003"
    assert not any(one.verb == "POST" and one.place == "n11:443" for one in nodes.sent)


def test_another_service_that_redirects_its_visitors_gets_no_password():
    nodes = Nodes("n11:20003", job_list=[])
    nodes.odd["n11:443"] = (302, b"", "https://login.example.com/")
    nodes.odd["login.example.com:443"] = LOGIN_PAGE
    nodes.session("n11").read("job_list")
    assert {one.place for one in nodes.sent if one.authorized} == {"n11:20003"}
    assert "login.example.com:443" not in {one.place for one in nodes.sent}


def test_a_port_that_was_found_is_asked_first_from_then_on():
    nodes = Nodes("n11:20003", "n12:20003", job_list=[])
    session = nodes.session("n11", "n12")
    session.read("job_list")
    nodes.odd["n11:20003"] = REFUSED
    nodes.master = "n12:20003"
    before = len(nodes.sent)
    session.read("job_list")
    assert all(one.place.endswith(":20003") for one in nodes.sent[before:])


# -- the master


def test_the_master_is_asked_once_and_called_directly():
    nodes = Nodes(*THREE, master="n13:443", job_list=[])
    session = nodes.session()
    for _call in range(3):
        session.read("job_list")
    assert places(nodes) == [("GET", "n11:443", "/master")] + 3 * [("POST", "n13:443", "/")]
    assert session.api_calls == 4


def test_a_dead_first_url():
    nodes = Nodes(*THREE, master="n13:443", job_list=[])
    nodes.odd["n11:443"] = REFUSED
    nodes.session().read("job_list")
    assert places(nodes)[1:] == [("GET", "n12:443", "/master"), ("POST", "n13:443", "/")]


def test_a_master_that_no_url_names_is_asked_whether_it_is_of_the_cluster():
    nodes = Nodes("n11:443", "10.0.0.12:443", master="10.0.0.12:443", job_list=[])
    nodes.session("n11:443").read("job_list")
    assert places(nodes) == [
        ("GET", "n11:443", "/master"),
        ("GET", "n11:443", "/is_master"),
        ("GET", "10.0.0.12:443", "/master"),
        ("POST", "10.0.0.12:443", "/"),
    ]


ALONE, WITH_PORT = (
    ["fd00::12", "[fd00::12]", "fd00::12\n", '"FD00::12"'],
    ["[FD00:0::12]:20003", "https://[fd00::12]:20003/"],
)


@pytest.mark.parametrize(("named", "port"), [*((one, 443) for one in ALONE), *((one, 20003) for one in WITH_PORT)])
def test_an_address_of_version_6(named, port):
    nodes = Nodes("n11:443", f"fd00::12:{port}", master=f"fd00::12:{port}", job_list=[])
    nodes.names = named
    session = nodes.session("n11:443")
    session.read("job_list")
    assert session.url == f"https://[fd00::12]:{port}"


def test_a_master_that_is_named_with_a_zone_is_looked_for_without():
    """The zone is the node's own."""
    nodes = Nodes("n11:443", "fe80::12:443", master="fe80::12:443", job_list=[])
    nodes.names = "fe80::12%eth0"
    session = nodes.session("n11:443")
    session.read("job_list")
    assert session.url == "https://[fe80::12]:443"


@pytest.mark.parametrize("named", ["n12:20003", "https://n12:20003/", "N12:20003\n"])
def test_a_master_with_its_port(named):
    nodes = Nodes("n11:443", "n12:20003", master="n12:20003", job_list=[])
    nodes.names = named
    session = nodes.session("n11:443")
    session.read("job_list")
    assert session.url == "https://n12:20003"


@pytest.mark.parametrize(
    "odd", ["n12:0", "n12:99999", "n12:x", "a..b", "-n.12", "http://n12", "n 12", "u@n12", "n12/x", "é.b"]
)
def test_what_names_no_node(odd):
    nodes = Nodes("n11:443")
    nodes.names = odd.encode()
    with pytest.raises(Garbled, match=r"no ConfD answered \(the answer names no node\)"):
        nodes.session().read("job_list")


def test_the_master_by_its_inner_address_is_the_node_that_was_asked():
    nodes = Nodes("public:443", job_list=[])
    nodes.names = "10.0.0.11"
    session = nodes.session()
    session.read("job_list")
    assert session.url == "https://public:443"
    assert not any(one.place.startswith("10.") for one in nodes.sent)


@pytest.mark.parametrize("weather", [REFUSED, UNTRUSTED, HUNG, LOGIN_PAGE, (401, b""), (503, b"")])
def test_the_master_by_its_inner_address_is_found_by_is_master(weather):
    nodes = Nodes("public1:443", "public2:443", master="public2:443", job_list=[])
    nodes.names = "10.0.0.12"
    nodes.odd["10.0.0.12:443"] = weather
    session = nodes.session()
    session.read("job_list")
    assert session.url == "https://public2:443"
    assert not any(one.authorized for one in nodes.sent if one.place.startswith("10."))


@pytest.mark.parametrize("answer", [(200, b"False"), (404, b""), (302, b"", "https://10.0.0.12/")])
def test_older_nodes_are_told_by_who_doesnt_redirect(answer):
    nodes = Nodes("public1:443", "public2:443", master="public2:443", job_list=[])
    nodes.names = "10.0.0.12"
    nodes.is_master = {True: answer, False: answer}
    session = nodes.session()
    session.read("job_list")
    assert session.url == "https://public2:443"


@pytest.mark.parametrize("places", [("public1:443", "public2:443"), ("public2:443", "public1:443")])
def test_where_each_node_answers_is_master_alike_the_one_that_takes_calls_is_it(places):
    nodes = Nodes(*places, master="public2:443", job_list=[])
    nodes.names = "10.0.0.12"
    nodes.is_master = {True: (200, b"ok"), False: (200, b"ok")}
    nodes.location = "https://10.0.0.12/"
    session = nodes.session()
    session.read("job_list")
    assert session.url == "https://public2:443"
    assert not any(one.authorized for one in nodes.sent if one.place.startswith("10."))


def test_a_password_that_the_master_by_its_inner_address_refuses_is_tried_once():
    nodes = Nodes("public:443", job_list=[])
    nodes.names = "10.0.0.11"
    nodes.rpc["system.listMethods"] = nodes.rpc["job_list"] = (401, b"")
    with pytest.raises(Denied, match="https://public:443"):
        nodes.session().read("job_list")
    assert sum(one.authorized for one in nodes.sent) == 1


def test_another_service_that_answers_all_paths_isnt_the_master():
    nodes = Nodes("public1:20003", "public2:20003", master="public2:20003", job_list=[])
    nodes.names = "10.0.0.12"
    nodes.odd = {"public1:443": LOGIN_PAGE, "public2:443": LOGIN_PAGE}
    session = nodes.session("public1", "public2")
    session.read("job_list")
    assert session.url == "https://public2:20003"
    assert {one.place for one in nodes.sent if one.authorized} == {"public2:20003"}


def test_a_stranger_at_the_inner_address_gets_no_password():
    """An address of an inner network may be another machine's where we are."""
    nodes = Nodes("public1:443", "public2:443", master="public2:443", job_list=[])
    nodes.names = "10.0.0.12"
    nodes.odd["10.0.0.12:443"] = (200, b"10.7.7.7")
    nodes.session().read("job_list")
    assert {one.place for one in nodes.sent if one.authorized} == {"public2:443"}


def test_a_master_that_cant_be_reached():
    nodes = Nodes("public1:443", master="10.0.0.12:443")
    nodes.odd["10.0.0.12:443"] = REFUSED
    with pytest.raises(Unreachable) as caught:
        nodes.session().change("job_start", "db_start")
    assert "GET /master at https://10.0.0.12:443: connection refused" in one_sentence(caught.value)
    assert (
        "(https://public1:443 names it as the master, and no URL in api_url leads to the master)"
        in caught.value.message
    )
    assert caught.value.hint
    assert nodes.count("job_start") == 0


def test_the_masters_name():
    nodes = Nodes("n11:443")
    assert nodes.session().master_name() == "n11"
    assert nodes.sent[-1].path == "/master?info_type=name"
    nodes.names = LOGIN_PAGE
    with pytest.raises(Garbled, match="no ConfD answered"):
        nodes.session().master_name()
    session = Nodes("n11:443").session()
    session.master()
    session._http._transport = nodes  # type: ignore[assignment]
    with pytest.raises(Garbled, match="the answer is not a node name"):
        session.master_name()


def test_the_masters_name_is_asked_for_again():
    """A reset, and a master that has gone since."""
    nodes = Nodes(*THREE, master="n12:443")
    session = nodes.session()
    session.master()
    nodes.odd["n12:443"] = LOST
    nodes.master = "n13:443"
    assert session.master_name() == "n13"


@pytest.mark.parametrize("weather", [LOST, LOGIN_PAGE])
def test_the_search_for_a_master_goes_on_after_one_bad_answer(weather):
    nodes = Nodes("n11:443", job_list=[])
    nodes.odd["n11:443"] = weather
    nodes.before = {2: nodes.odd.clear}
    assert nodes.session().read("job_list") == []


@pytest.mark.parametrize(("answer", "asked"), [(REFUSED, 1), ((503, b""), 1), (LOST, 2)])
def test_a_search_that_nobody_answers_is_made_once(answer, asked):
    nodes = Nodes("n11:443")
    nodes.odd["n11:443"] = answer
    with pytest.raises(Unreachable):
        nodes.session().master()
    assert len(nodes.sent) == asked


def test_a_master_whose_answers_are_cut_off_is_asked_four_times():
    nodes = Nodes("n11:443", job_list=turns(LOST, b"<html>", LOST, ["db_start"]))
    assert nodes.session().read("job_list") == ["db_start"]
    nodes = Nodes("n11:443", job_list=LOST)
    with pytest.raises(Unreachable, match="closed before the answer"):
        nodes.session().read("job_list")
    assert nodes.count("job_list") == 4


def test_a_call_that_never_left_goes_to_the_master_that_follows():
    nodes = Nodes("n11:443", "n12:443", job_start="11.1")
    session = nodes.session()
    session.read("system.listMethods")
    nodes.odd["n11:443"] = NOBODY
    nodes.master = "n12:443"
    assert session.change("job_start", "db_start") == "11.1"
    nodes.odd["n12:443"] = NOBODY
    with pytest.raises(NotSent, match="job_start at https://n12:443: .* refused; the call was not sent$") as caught:
        session.change("job_start", "db_start")
    assert caught.value.unsent
    assert [one.place for one in nodes.sent if one.verb == "POST" and one.call[0] == "job_start"] == [
        "n11:443", "n12:443", "n12:443",
    ]  # fmt: skip


def test_many_threads_ask_for_the_master_once():
    nodes = Nodes(*THREE, master="n12:443", job_list=[])
    session = nodes.session()
    threads = [threading.Thread(target=session.read, args=("job_list",)) for _number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one.path == "/master" for one in nodes.sent) == 1


# -- nobody there


def test_nobody():
    nodes = Nodes("n11:443", "n12:443")
    nodes.odd = dict.fromkeys(nodes.places, REFUSED)
    with pytest.raises(Unreachable) as caught:
        nodes.session().read("job_list")
    for place in nodes.places:
        assert f"GET /master at https://{place}: connection refused" in one_sentence(caught.value)


@pytest.mark.parametrize(
    ("weather", "kind"),
    [
        (UNTRUSTED, Untrusted),
        (HUNG, Unreachable),
        (LOGIN_PAGE, Garbled),
        ((401, b""), Denied),
        ((503, b""), Unreachable),
    ],
)
def test_weather_everywhere(weather, kind):
    nodes = Nodes()
    nodes.odd["n11:443"] = weather
    for call in ("read", "change"):
        with pytest.raises(kind) as caught:
            getattr(nodes.session(), call)("job_exec", "db_list")
        one_sentence(caught.value)
    assert not any(one.verb == "POST" for one in nodes.sent)


def test_no_master_at_all():
    nodes = Nodes(*THREE)
    nodes.master, nodes.names = None, (503, b"")
    with pytest.raises(Unreachable, match="HTTP 503"):
        nodes.session().read("job_list")


def test_nodes_without_a_quorum_give_a_hint():
    with pytest.raises(Unreachable, match="HTTP 503") as caught:
        Nodes(job_list=(503, b"")).session().read("job_list")
    assert "majority" in str(caught.value.hint)


def test_whether_anybody_speaks():
    nodes = Nodes()
    assert nodes.session().answers()
    assert not any(one.authorized for one in nodes.sent)
    nodes.odd["n11:443"] = REFUSED
    assert nodes.session().answers() == ""


@pytest.mark.parametrize("said", [(503, b""), (502, b""), (404, b""), (302, b"", ""), HUNG, LOST, UNTRUSTED])
def test_whoever_says_anything_isnt_silent(said):
    """Also without a master or a quorum: ConfD's own HTTP 503 comes from a node that is on."""
    nodes = Nodes("n11:443", "n12:443")
    nodes.odd = {"n11:443": REFUSED, "n12:443": said}
    assert nodes.session().answers().startswith("https://n12:443")


def test_a_node_that_api_url_doesnt_name_may_be_watched():
    nodes = Nodes("n11:443", "n12:443")
    session = nodes.session("https://n11")
    session.watch(["https://n12:443", "https://n11:443"])
    nodes.odd["n11:443"] = REFUSED
    assert session.answers().startswith("https://n12:443")
    nodes.odd["n12:443"] = REFUSED
    assert session.answers() == ""


# -- redirects


def moved(nodes: Nodes, to: str) -> None:
    nodes.master = to


@pytest.mark.parametrize("call", ["read", "change"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_with_method_and_body(call, status):
    nodes = Nodes(*THREE, job_exec="done")
    session = nodes.session()
    session.read("system.listMethods")
    moved(nodes, "n12:443")
    nodes.odd["n11:443"] = (status, b"", "https://n12:443/other/path?x=1")
    before = len(nodes.sent)
    assert getattr(session, call)("job_exec", "db_list", {"params": {"a": 1}}) == "done"
    assert places(nodes)[before:] == [("POST", "n11:443", "/"), ("GET", "n12:443", "/master"), ("POST", "n12:443", "/")]
    first, _look, second = nodes.sent[before:]
    assert first.body == second.body
    assert session.url == "https://n12:443"


@pytest.mark.parametrize("location", ["https://n12/", "https://n12", "https://u:p@N12:443/", "//n12:443/"])
def test_forms_of_a_location(location):
    nodes = Nodes(*THREE, job_exec="done")
    session = nodes.session()
    session.read("system.listMethods")
    moved(nodes, "n12:443")
    nodes.location = location
    assert session.change("job_exec", "db_list") == "done"
    assert session.url == "https://n12:443"
    assert nodes.count("job_exec") == 2


@pytest.mark.parametrize(
    "location", ["https://[fd00::12]/", "https://[FD00:0::12]:443", "https://fd00::12/", "//u:p@[fd00::12]:443/x"]
)
@pytest.mark.parametrize("trusted", [["https://[fd00::0:12]"], []])
def test_a_redirect_to_an_address_of_version_6(location, trusted):
    """Known by api_url, or by node_list, however either writes it."""
    nodes = Nodes("n11:443", "fd00::12:443", job_exec="done")
    nodes.names = "n11"
    session = nodes.session("n11:443", *trusted)
    session.trust([] if trusted else ["FD00::0012"])
    session.read("system.listMethods")
    moved(nodes, "fd00::12:443")
    nodes.location = location
    assert session.change("job_exec", "db_list") == "done"
    assert session.url == "https://[fd00::12]:443"


def test_a_redirect_of_the_look_for_the_master_to_an_address_of_version_6():
    nodes = Nodes("n11:443", "fd00::12:443", master="fd00::12:443", job_list=[])
    nodes.names = "fd00::12"
    nodes.odd["n11:443"] = (302, b"", "https://fd00::12/master")
    session = nodes.session("n11:443", "[fd00::12]:443")
    session.read("job_list")
    assert session.url == "https://[fd00::12]:443"


@pytest.mark.parametrize(
    ("location", "cause"),
    [
        ("https://[fe80::12%25eth0]/", "redirects, but names no target"),
        ("https://[fd00::99]/", "redirects to fd00::99, which neither api_url nor the cluster names"),
        ("http://n12:443/", "redirects to http, but ConfD accepts only https"),
        ("ftp://n12/", "redirects to ftp"),
        ("", "redirects, but names no target"),
        ("/RPC2", "redirects, but names no target"),
        ("https://", "redirects, but names no target"),
        ("https://n12:port/", "redirects, but names no target"),
        ("https://[::1", "redirects, but names no target"),
        ("https://n12:99999/", "redirects, but names no target"),
        (f"https://{STRANGER}/", "redirects to 10.9.9.9, which neither api_url nor the cluster names"),
        ("https://evil.example.com/", "nothing was sent there"),
        ("https://n12@evil.example.com/", "redirects to evil.example.com"),
        ("https://n12.evil.example.com/", "redirects to n12.evil.example.com"),
    ],
)
@pytest.mark.parametrize("call", ["read", "change"])
def test_a_redirect_that_isnt_followed(location, cause, call):
    nodes = Nodes("n11:443", "n12:443", job_exec="done")
    session = nodes.session()
    session.read("system.listMethods")
    nodes.names = "n11"
    moved(nodes, "n12:443")
    nodes.location = location
    with pytest.raises(Garbled) as caught:
        getattr(session, call)("job_exec", "db_list")
    assert cause in one_sentence(caught.value)
    if call == "change":
        assert caught.value.message.endswith("; job_exec was not sent")
    assert {one.place for one in nodes.sent} <= {"n11:443", "n12:443"}


def test_a_redirect_to_a_node_that_the_cluster_names_by_now():
    nodes = Nodes("n11:443", "10.0.0.12:443", job_exec="done")
    session = nodes.session("n11:443")
    session.read("system.listMethods")
    moved(nodes, "10.0.0.12:443")
    assert session.change("job_exec", "db_list") == "done"
    assert session.url == "https://10.0.0.12:443"


def test_a_redirect_to_a_node_of_node_list():
    nodes = Nodes("n11:443", "10.0.0.12:443", job_exec="done")
    session = nodes.session("n11:443")
    session.trust([" 10.0.0.12", "", None])
    session.read("system.listMethods")
    moved(nodes, "10.0.0.12:443")
    assert session.read("job_exec", "db_list") == "done"


@pytest.mark.parametrize("call", ["read", "change"])
def test_nodes_that_redirect_in_circles(call):
    nodes = Nodes("n11:443", "n12:443")
    session = nodes.session()
    session.read("system.listMethods")
    send = nodes._answer

    def circling(one: Any) -> Any:
        other = "n12" if one.place == "n11:443" else "n11"
        return (302, b"", f"https://{other}/") if one.verb == "POST" else send(one)

    nodes._answer = circling  # type: ignore[method-assign]
    with pytest.raises(Unreachable, match="each node redirects it to another node") as caught:
        getattr(session, call)("job_exec", "db_list")
    one_sentence(caught.value)
    assert nodes.count("job_exec") == (2 * HOPS if call == "read" else HOPS)


def test_a_changing_call_isnt_sent_after_a_redirect_to_a_dead_node():
    nodes = Nodes(*THREE, job_exec="done")
    session = nodes.session()
    session.read("system.listMethods")
    moved(nodes, "n12:443")
    nodes.odd["n12:443"] = REFUSED
    nodes.names = "n12"
    with pytest.raises(Unreachable) as caught:
        session.change("job_exec", "db_list")
    assert one_sentence(caught.value)
    assert not isinstance(caught.value, AnswerLost)
    assert {one.place for one in nodes.sent if one.body and one.call[0] == "job_exec"} <= {"n11:443", "n13:443"}


def test_a_call_that_was_sent_on_to_a_master_that_died_since_finds_the_next():
    nodes = Nodes(*THREE, job_exec="done")
    session = nodes.session()
    session.read("system.listMethods")
    moved(nodes, "n12:443")
    nodes.odd["n12:443"] = REFUSED
    nodes.before[len(nodes.sent) + 3] = lambda: moved(nodes, "n13:443")  # once n12 was found dead
    assert session.change("job_exec", "db_list") == "done"
    assert session.url == "https://n13:443"
    assert sum(one.place == "n13:443" and b"job_exec" in one.body for one in nodes.sent) == 1


# -- a master that dies


@pytest.mark.parametrize("weather", [REFUSED, LOST, HUNG, UNTRUSTED, LOGIN_PAGE, (502, b""), (500, b"")])
def test_a_read_finds_the_new_master(weather):
    nodes = Nodes(*THREE, job_list=["db_list"])
    session = nodes.session()
    session.read("job_list")
    nodes.odd["n11:443"] = weather
    moved(nodes, "n13:443")
    assert session.read("job_list") == ["db_list"]
    assert session.url == "https://n13:443"


@pytest.mark.parametrize("weather", [REFUSED, LOST, HUNG, (502, b""), (500, b""), LOGIN_PAGE, (200, b"<?xml")])
def test_a_changing_call_whose_answer_is_lost_is_not_sent_again(weather):
    nodes = Nodes(*THREE, job_list=[], job_exec="done")
    session = nodes.session()
    session.read("job_list")
    nodes.odd["n11:443"] = weather
    moved(nodes, "n13:443")
    with pytest.raises(AnswerLost) as caught:
        session.change("job_exec", "db_start", of="DB1", says="db_start")
    assert one_sentence(caught.value).startswith("exa-unit: db_start of DB1 at https://n11:443: ")
    assert caught.value.message.endswith("the server may have carried it out")
    assert caught.value.failed_object == "DB1"
    assert nodes.count("job_exec") == 1
    session.read("job_list")
    assert session.url == "https://n13:443"


def test_a_changing_call_to_an_untrusted_master_is_said():
    nodes = Nodes(*THREE, job_list=[])
    session = nodes.session()
    session.read("job_list")
    nodes.odd["n11:443"] = UNTRUSTED
    with pytest.raises(Untrusted):
        session.change("job_exec", "db_start")
    assert nodes.count("job_exec") == 1


@pytest.mark.parametrize(("status", "kind"), [(401, Denied), (403, Denied)])
@pytest.mark.parametrize("call", ["read", "change"])
def test_a_refused_user_is_asked_once(status, kind, call):
    """A read is asked once more where the user was let in: a directory that restarts knows nobody for a moment."""
    nodes = Nodes(*THREE, job_exec=(status, b""))
    session = nodes.session()
    session.read("system.listMethods")
    with pytest.raises(kind) as caught:
        getattr(session, call)("job_exec", "db_list")
    one_sentence(caught.value)
    assert nodes.count("job_exec") == (2 if (status, call) == (401, "read") else 1)


def test_a_server_that_wants_the_password_for_master_too():
    nodes = Nodes(job_list=[])
    send = nodes._answer
    nodes._answer = lambda one: send(one) if one.authorized else (401, b"")  # type: ignore[method-assign]
    assert nodes.session().read("job_list") == []


@pytest.mark.parametrize("call", ["read", "change"])
def test_a_fault_is_an_answer(call):
    nodes = Nodes(job_exec=xmlrpc.client.Fault(1, "no\n such  thing"))
    with pytest.raises(Fault, match="the server refused: no such thing") as caught:
        getattr(nodes.session(), call)("job_exec", "db_list")
    one_sentence(caught.value)
    assert caught.value.text == "no such thing"
    assert nodes.count("job_exec") == 1


def test_an_answer_that_comes_in_the_second_round():
    nodes = Nodes(job_list=turns(LOST, ["db_list"]))
    assert nodes.session().read("job_list") == ["db_list"]


@pytest.mark.parametrize("value", [2**31, {1, 2}, "a\0b", object(), {"a": {1: 2}}, 1j])
@pytest.mark.parametrize("call", ["read", "change"])
def test_what_cant_be_written_isnt_sent(value, call):
    nodes = Nodes()
    with pytest.raises(ClusterError, match="job_exec can't be sent: ") as caught:
        getattr(nodes.session(), call)("job_exec", value)
    one_sentence(caught.value)
    assert nodes.sent == []


# -- addresses that change


def met_by_one(api_url: str = "n11:20003") -> tuple[Session, Nodes]:
    """A session that has met the cluster by one node alone, before that one goes."""
    nodes = Nodes("n11:20003", "n12:20003", "n13:20003", job_list=["db_list"])
    session = nodes.session(f"https://{api_url}")
    session.read("job_list")
    session.trust(["10.0.0.9", "n12", "n13"])
    return session, nodes


def test_where_no_url_answers_any_more_the_nodes_that_the_cluster_named_are_asked():
    session, nodes = met_by_one()
    nodes.odd, nodes.master = {"n11:20003": NOBODY, "10.0.0.9:20003": NOBODY}, "n13:20003"
    assert session.read("job_list") == ["db_list"]
    assert session.url == "https://n13:20003"


def test_a_stranger_at_such_an_address_is_not_asked():
    session, nodes = met_by_one()
    stranger = (200, b"10.1.1.1")
    nodes.odd = {"n11:20003": NOBODY, "10.0.0.9:20003": stranger, "n12:20003": stranger, "n13:20003": stranger}
    with pytest.raises(Unreachable):
        session.read("job_list")
    assert {one.place for one in nodes.sent if one.authorized} == {"n11:20003"}


def test_where_nobody_is_there_the_addresses_may_have_changed():
    session, nodes = met_by_one()
    nodes.odd = dict.fromkeys(("n11:20003", "n12:20003", "n13:20003", "10.0.0.9:20003"), NOBODY)
    with pytest.raises(Unreachable, match="n11:20003: connection refused") as found:
        session.read("job_list")
    assert "the addresses of the nodes may have changed" in str(found.value.hint)
    assert "10.0.0.9" not in one_sentence(found.value)
    asked = len([one for one in nodes.sent if one.place == "10.0.0.9:20003"])
    with pytest.raises(Unreachable):
        session.read("job_list")
    assert len([one for one in nodes.sent if one.place == "10.0.0.9:20003"]) == asked  # not at every read


def test_what_a_module_before_has_learned_of_the_nodes_is_known(monkeypatch):
    """The module before saw the nodes, and then the only one of api_url went."""
    facts: dict[str, Any] = {}
    monkeypatch.setattr(confd_session, "facts_of", lambda _http: facts)
    _before, nodes = met_by_one()
    nodes.odd, nodes.master = {"n11:20003": NOBODY, "10.0.0.9:20003": NOBODY}, "n12:20003"
    assert nodes.session("https://n11:20003").read("job_list") == ["db_list"]
