# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is sent, to whom and how often, and one sentence for each kind of bad weather."""

from __future__ import annotations

import base64
import errno
import ipaddress
import socket
import struct
import threading

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    AnswerLost,
    ClusterError,
    Denied,
    Garbled,
    NotSent,
    Unreachable,
    Untrusted,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._http import client
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.client import Call, Request, normalized
from ansible_collections.dbfleet.cluster.tests.unit.http.calls import CHANGE, READ, ask, connect
from urllib3.util import connection

PASSWORDS = ["p w'\"@%&:/+", "pässwörd€", "a:b:c", "%41", "\\n", "x" * 300, ""]


# -- what is sent


@pytest.mark.parametrize("password", PASSWORDS)
def test_credentials_travel_in_the_header_alone(serve, reply, password):
    server = serve(reply())
    http = connect(server.url, username="ädmin", password=password)
    assert ask(http) == b"<ok/>"
    (asked,) = server.asked
    assert asked.line == "POST /cluster1 HTTP/1.1"
    scheme, coded = asked.headers["authorization"].split()
    assert (scheme, base64.b64decode(coded).decode()) == ("Basic", f"ädmin:{password}")
    assert asked.headers["content-type"] == "text/xml"
    assert asked.body == b"<call/>"


def test_bytes_of_the_environment_that_are_no_text_are_sent_as_they_are(serve, reply):
    server = serve(reply())
    ask(connect(server.url, password=b"p\xff".decode("utf-8", "surrogateescape")))
    assert base64.b64decode(server.asked[0].headers["authorization"].split()[1]) == b"admin:p\xff"


def test_no_user_no_header(serve, reply, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password stolen\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server = serve(reply())
    ask(connect(server.url, username=None))
    assert "authorization" not in server.asked[0].headers


def test_netrc_does_not_replace_credentials(serve, reply, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password stolen\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server = serve(reply())
    ask(connect(server.url))
    assert base64.b64decode(server.asked[0].headers["authorization"].split()[1]) == b"admin:pw"


def test_bodies_of_calls_made_at_once_are_not_mixed_up(serve, reply):
    server = serve(lambda asked: reply(asked.body))
    http = connect(server.url)
    wrong = []

    def one(number):
        body = f"<call>{number}</call>".encode() * (number + 1)
        if http.post(READ, "/cluster1", body) != body:
            wrong.append(number)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert http.calls == len(server.asked) == 24


# -- URLs


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("n10", "https://n10:443"),
        ("n10:8443", "https://n10:8443"),
        ("http://n10", "http://n10:80"),
        ("HTTPS://N10/cluster1/", "https://n10:443"),
        ("https://[fd00::10]:444", "https://[fd00::10]:444"),
        ("  https://n10  ", "https://n10:443"),
        ("2001:db8::10", "https://[2001:db8::10]:443"),
        ("[2001:db8::10]", "https://[2001:db8::10]:443"),
        ("[2001:db8::10]:20003", "https://[2001:db8::10]:20003"),
        ("https://2001:db8::10", "https://[2001:db8::10]:443"),
        ("https://2001:db8::10/cluster1/", "https://[2001:db8::10]:443"),
        ("http://[2001:db8::10]/x:y", "http://[2001:db8::10]:80"),
        ("HTTP://2001:DB8:0::0010?x", "http://[2001:db8::10]:80"),
        ("2001:db8::10:8443", "https://[2001:db8::10:8443]:443"),
        ("[2001:db8::10]:", "https://[2001:db8::10]:443"),
        ("::1", "https://[::1]:443"),
        ("::ffff:10.0.0.1", f"https://[{ipaddress.IPv6Address('::ffff:10.0.0.1')}]:443"),
    ],
)
def test_urls_are_normalized(given, wanted):
    assert normalized(given) == wanted


@pytest.mark.parametrize("bad", ["", "ftp://n10", "https://", "https://n10:port", "https://n10:70000", "https://[::1"])
def test_what_is_no_url_is_said(bad):
    with pytest.raises(ClusterError, match="is not an http or https URL"):
        normalized(bad)


@pytest.mark.parametrize(
    "bad",
    [
        "1:2:3:4:5:6:7:8:443",
        "2001:db8::10]:443",
        "[2001:db8::10]443",
        "[2001:db8::10]:443:443",
        "[2001:db8::10]:70000",
        "[n10]:443",
        "[10.0.0.1]",
        "n10:443:443",
        "https://[2001:db8::g]",
        "https://[v1.x]",
        ":::",
    ],
)
def test_what_is_no_address_is_said_with_the_way_to_write_one(bad):
    with pytest.raises(ClusterError, match="is not an http or https URL") as caught:
        normalized(bad)
    assert caught.value.message == f"api_url {bad!r} is not an http or https URL"
    assert "[2001:db8::10]:443" in caught.value.hint


@pytest.mark.parametrize("given", ["fe80::1%eth0", "[fe80::1%eth0]:8888", "https://[fe80::1%25eth0]/"])
def test_an_address_with_a_zone_is_refused(given):
    with pytest.raises(ClusterError) as caught:
        normalized(given)
    assert caught.value.message == f"api_url {given!r} is an address with a zone, which is valid on one machine only"
    assert "isn't link-local" in caught.value.hint


def test_a_server_of_ipv6(serve_v6, reply):
    server = serve_v6(reply())
    http = connect(f"http://[0:0::1]:{server.port}", server.url)
    assert http.urls == [f"http://[::1]:{server.port}"]
    assert ask(http) == b"<ok/>"
    assert server.asked[0].headers["host"] == f"[::1]:{server.port}"
    assert server.asked[0].line == "POST /cluster1 HTTP/1.1"


def test_tls_with_a_server_of_ipv6(serve_v6, reply, authority):
    server = serve_v6(reply(), authority.sign("v6", "::1").context())
    ca_path = str(authority.ca_path)
    assert ask(connect(server.url, ca_path=ca_path)) == b"<ok/>"
    assert server.asked[0].headers["host"] == f"[::1]:{server.port}"
    other = serve_v6(reply(), authority.sign("v6-other", "2001:db8::10").context())
    with pytest.raises(Untrusted) as caught:
        ask(connect(other.url, ca_path=ca_path))
    assert caught.value.message == (
        f"exa-unit: getNodeList at https://[::1]:{other.port}: the server's certificate is for another host name"
    )
    nameless = serve_v6(reply(), authority.sign("v6-nameless", None).context())
    with pytest.raises(Untrusted, match="names no host"):
        ask(connect(nameless.url, ca_path=ca_path))


def test_messages_of_a_server_of_ipv6(serve_v6, reply):
    server = serve_v6(reply(b"", "302 Found", "Location: https://u:s3cret@[2001:db8::10]:8443/x"))
    with pytest.raises(Garbled) as caught:
        ask(connect(server.url))
    assert caught.value.message == (
        f"exa-unit: getNodeList at http://[::1]:{server.port}: the server redirects to [2001:db8::10]:8443 (HTTP 302)"
    )
    server.close()
    gone = f"http://[::1]:{server.port}"
    with pytest.raises(Unreachable, match="connection refused") as caught:
        ask(connect(gone))
    assert caught.value.message == f"exa-unit: getNodeList at {gone}: connection refused"
    assert connect(gone).sign_of_life(gone, "/") == ""


@pytest.mark.parametrize("without", ["::1", "*"])
def test_no_proxy_for_a_server_of_ipv6(serve_v6, reply, monkeypatch, dead_url, without):
    monkeypatch.setenv("http_proxy", dead_url)
    monkeypatch.setenv("no_proxy", without)
    assert ask(connect(serve_v6(reply()).url)) == b"<ok/>"


@pytest.mark.parametrize(
    "bad",
    [
        "https://admin:s3cret@n10",
        "admin:s3cret@n10",
        "https://admin:s3cret/x@n10",
        "https://:s3cret@[::1",
        "s3cret@n10:x",
    ],
)
def test_credentials_in_a_url_are_refused_and_not_repeated(bad):
    with pytest.raises(ClusterError) as caught:
        normalized(bad)
    assert "api_username" in caught.value.message
    assert "s3cret" not in caught.value.message


def test_no_url_is_refused():
    with pytest.raises(ClusterError, match="exa-unit: no api_url is given"):
        connect()


def test_the_same_url_is_asked_once(dead_url):
    assert connect(dead_url, dead_url + "/").urls == [dead_url]


# -- fail-over and retries


def test_a_read_goes_on_to_the_next_url_and_stays_there(serve, reply, dead_url):
    server = serve(reply())
    http = connect(dead_url, server.url)
    assert ask(http) == b"<ok/>"
    assert http.url == server.url
    assert http.calls == 2
    ask(http)
    assert http.calls == 3


def test_a_read_is_tried_in_two_rounds(serve):
    servers = [serve(None), serve(None)]
    with pytest.raises(Unreachable) as caught:
        ask(connect(*(server.url for server in servers)))
    assert [len(server.asked) for server in servers] == [2, 2]
    for server in servers:
        assert caught.value.message.count(server.url) == 1
    assert "\n" not in caught.value.message


def test_a_read_that_works_in_the_second_round_is_good(serve, reply):
    answers = iter([None, reply()])
    assert ask(connect(serve(lambda _asked: next(answers)).url)) == b"<ok/>"


@pytest.mark.parametrize(
    "weather", [None, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<", "502 Bad Gateway", "500 Internal Server Error"]
)
def test_a_changing_call_is_sent_exactly_once(serve, reply, weather):
    answer = reply(b"", weather) if isinstance(weather, str) else weather
    servers = [serve(answer), serve(reply())]
    http = connect(*(server.url for server in servers))
    with pytest.raises(AnswerLost) as caught:
        ask(http, CHANGE)
    assert [len(server.asked) for server in servers] == [1, 0]
    assert caught.value.failed_object == "db_DB1"
    assert caught.value.message.startswith(f"exa-unit: startDatabase of db_DB1 at {servers[0].url}: ")
    assert "the server may have carried it out" in caught.value.message


def test_a_changing_call_goes_to_the_url_that_answered_last(serve, reply, dead_url):
    server = serve(reply())
    http = connect(dead_url, server.url)
    ask(http)
    assert ask(http, CHANGE) == b"<ok/>"
    assert len(server.asked) == 2


@pytest.mark.parametrize(("status", "kind"), [("401 Unauthorized", Denied), ("403 Forbidden", Denied)])
def test_a_refusal_is_not_tried_elsewhere(serve, reply, status, kind):
    servers = [serve(reply(b"", status)), serve(reply())]
    with pytest.raises(kind):
        ask(connect(*(server.url for server in servers)))
    assert [len(server.asked) for server in servers] == [1, 0]


# -- bad weather, one sentence each


@pytest.mark.parametrize(
    ("status", "kind", "cause"),
    [
        ("401 Unauthorized", Denied, "refused user 'admin' and its password (HTTP 401)"),
        ("403 Forbidden", Denied, "user 'admin' may not do this (HTTP 403)"),
        ("404 Not Found", Garbled, "HTTP 404 Not Found"),
        ("407 Proxy Authentication Required", Garbled, "HTTP 407"),
        ("500 Internal Server Error", Garbled, "HTTP 500 Internal Server Error"),
        ("501 Gateway error", Unreachable, "a gateway answered HTTP 501 Gateway error"),
        ("502 Bad Gateway", Unreachable, "a gateway answered HTTP 502"),
        ("503 Service Unavailable", Unreachable, "HTTP 503"),
        ("504 Gateway Timeout", Unreachable, "HTTP 504"),
    ],
)
def test_a_status_becomes_a_sentence(serve, reply, status, kind, cause):
    server = serve(reply(b"<html>no</html>", status))
    with pytest.raises(kind) as caught:
        ask(connect(server.url))
    assert caught.value.__class__ is kind
    assert caught.value.message.startswith(f"exa-unit: getNodeList at {server.url}: ")
    assert cause in caught.value.message
    assert "pw" not in caught.value.message


def test_a_redirect_to_nowhere(serve, reply):
    """A place that can't be read is none, and no error of the program."""
    server = serve(reply(b"", "302 Found", "Location: https://[::1/:x"))
    with pytest.raises(Garbled, match="the server redirects to another place .HTTP 302."):
        ask(connect(server.url))


def test_a_redirect_is_not_followed_and_shows_no_credentials(serve, reply):
    elsewhere = serve(reply())
    server = serve(reply(b"", "302 Found", f"Location: http://u:s3cret@127.0.0.1:{elsewhere.port}/x"))
    with pytest.raises(Garbled, match=f"redirects to 127.0.0.1:{elsewhere.port}") as caught:
        ask(connect(server.url))
    assert "s3cret" not in str(caught.value)
    assert elsewhere.asked == []


def test_a_redirect_that_the_caller_reads_itself(serve, reply):
    server = serve(reply(b"", "302 Found", "Location: https://n12/"))
    http = connect(server.url, is_own=lambda status, _body: status == 302)
    for call in (READ, CHANGE):
        answer = http.send(call, Request("/", b"<call/>"))
        assert (answer.status, answer.location) == (302, "https://n12/")
    assert len(server.asked) == 2


def test_one_server_is_asked_alone(serve, reply, dead_url):
    servers = [serve(reply()), serve(reply(b"<second/>"))]
    http = connect(servers[0].url)
    assert http.ask(servers[1].url, READ, Request("/", b"<call/>")).body == b"<second/>"
    assert http.url == servers[0].url
    with pytest.raises(Unreachable, match="connection refused"):
        http.ask(dead_url, READ, Request("/"))
    with pytest.raises(NotSent, match="connection refused; the call was not sent$"):
        http.ask(dead_url, CHANGE, Request("/"))
    assert [len(server.asked) for server in servers] == [0, 1]


def test_what_never_left_and_what_may_have(serve, dead_url, monkeypatch):
    """Only where no connection came to stand nothing can have been carried out."""
    for place in (dead_url, "http://no-such-host.invalid:80"):
        with pytest.raises(NotSent, match="; the call was not sent$") as caught:
            ask(connect(place), CHANGE)
        assert caught.value.failed_object == "db_DB1"
    cut = serve(None)
    with pytest.raises(AnswerLost, match="the server may have carried it out") as caught:
        ask(connect(cut.url), CHANGE)
    assert not caught.value.unsent
    for proxy, unsent in ((dead_url, True), (cut.url, False)):
        monkeypatch.setenv("http_proxy", proxy)
        with pytest.raises(AnswerLost) as caught:
            ask(connect("http://exa.invalid:80"), CHANGE)
        assert caught.value.unsent is unsent
    monkeypatch.setenv("https_proxy", serve(b"HTTP/1.1 503 Service Unavailable\r\n\r\n").url)
    with pytest.raises(NotSent, match="; the call was not sent$"):
        ask(connect("https://exa.invalid:443", validate=False), CHANGE)


def test_an_answer_that_cannot_be_read_is_asked_for_again_at_the_next_url(serve, reply):
    servers = [serve(reply(b"<html>")), serve(reply(b"<ok/>"))]
    http = connect(*(server.url for server in servers))

    def read(answer, url):
        if answer.body != b"<ok/>":
            raise Garbled(f"exa-unit: {READ} at {url}: odd")
        return url

    assert http.fetch(READ, Request("/"), read) == http.url == servers[1].url
    alone = connect(servers[0].url)
    with pytest.raises(Garbled, match=f"at {servers[0].url}: odd$"):
        alone.fetch(READ, Request("/"), read)
    assert len(servers[0].asked) == 1 + client.READ_ROUNDS


def test_a_request_without_credentials_among_those_with(serve, reply):
    server = serve(reply())
    http = connect(server.url)
    for anonymous in (False, True, False):
        http.ask(server.url, READ, Request("/", verb="GET", anonymous=anonymous))
    http.answers(anonymous=True)
    assert ["authorization" in asked.headers for asked in server.asked] == [True, False, True, False]


def test_refused(dead_url):
    with pytest.raises(Unreachable, match="connection refused$"):
        ask(connect(dead_url))


def test_closed_without_an_answer(serve):
    with pytest.raises(Unreachable, match="the connection was closed before the answer$"):
        ask(connect(serve(None).url))


def test_reset(monkeypatch):
    listener = socket.create_server(("127.0.0.1", 0))

    def resetting():
        while True:
            try:
                connection, _address = listener.accept()
            except OSError:
                return
            connection.recv(10)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

    threading.Thread(target=resetting, daemon=True).start()
    try:
        with pytest.raises(Unreachable, match="the connection was closed before the answer$"):
            ask(connect(f"http://127.0.0.1:{listener.getsockname()[1]}"))
    finally:
        listener.close()


def test_truncated(serve, reply):
    with pytest.raises(Unreachable, match="cut off|closed before the answer"):
        ask(connect(serve(reply(b"<half", length=100)).url))


@pytest.mark.parametrize("call", [READ, CHANGE])
def test_hang(serve, monkeypatch, call):
    monkeypatch.setattr(client, "READ_ROUNDS", 1)

    def hang(_asked):
        server.over.wait(10)

    server = serve(hang)
    with pytest.raises(AnswerLost if call.changing else Unreachable, match="no answer within 0.1 s"):
        ask(connect(server.url, timeout=0.1), call)
    assert len(server.asked) == 1


def test_not_http_at_all(serve):
    with pytest.raises(Unreachable):
        ask(connect(serve(b"SSH-2.0-OpenSSH_9.6\r\n").url))


def test_unknown_host():
    with pytest.raises(Unreachable, match="the host name can't be resolved"):
        ask(connect("http://no-such-host.invalid"))


# -- does anybody speak


@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized", "404 Not Found", "302 Found", "500 Oops"])
def test_whatever_it_says_it_speaks(serve, reply, dead_url, status):
    server = serve(reply(b"", status))
    assert connect(dead_url, server.url).answers()
    assert server.asked[0].line.startswith("GET / ")


@pytest.mark.parametrize("status", ["502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"])
def test_a_gateway_alone_is_silence(serve, reply, dead_url, status):
    assert not connect(dead_url, serve(reply(b"", status)).url).answers()


def test_nobody_speaks(dead_url, serve):
    assert not connect(dead_url).answers()
    assert not connect(serve(None).url).answers()


def test_a_server_that_hangs_is_not_silent(serve):
    """It took the connection: whatever it is, it is not off."""
    server = serve(lambda _asked: server.over.wait(10) and None)
    assert connect(server.url, timeout=0.2).answers()


@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized", "404 Not Found", "503 Service Unavailable"])
def test_whatever_a_machine_answers_is_a_sign_of_life(serve, reply, status):
    server = serve(reply(b"", status))
    found = connect(server.url).sign_of_life(server.url, "/is_master")
    assert found.startswith(server.url)
    assert "Authorization" not in server.asked[0].headers
    assert status == "200 OK" or status.split()[0] in found


def test_a_connection_that_is_taken_is_a_sign_of_life(serve, dead_url):
    hanging = serve(lambda _asked: hanging.over.wait(10) and None)
    assert "no answer" in connect(hanging.url, timeout=0.2).sign_of_life(hanging.url, "/")
    closing = serve(None)
    assert "closed before the answer" in connect(closing.url).sign_of_life(closing.url, "/")
    assert connect(dead_url).sign_of_life(dead_url, "/") == ""


@pytest.mark.parametrize(
    ("error", "says", "silent"),
    [
        (socket.timeout("timed out"), "no connection within 10 s", True),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "there is no route to the host", True),
        (OSError(errno.EHOSTDOWN, "Host is down"), "there is no route to the host", True),
        (OSError(errno.ECONNREFUSED, "Connection refused"), "connection refused", True),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "there is no route to the host", False),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "the host name can't be resolved", False),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "the host name can't be resolved", False),
        (UnicodeError("label empty or too long"), "the host name can't be resolved", False),
        (OSError(errno.EMFILE, "Too many open files"), "no connection (too many open files)", False),
    ],
)
def test_what_is_silence(monkeypatch, error, says, silent):
    """What says nothing of the machine, as a lost name server, doesn't tell that it is off."""
    http = connect("https://n11.invalid")

    def fail(*_args, **_kwargs):
        raise error

    monkeypatch.setattr(connection, "create_connection", fail)
    assert (http.sign_of_life("https://n11.invalid:443", "/") == "") is silent
    with pytest.raises(NotSent) as caught:
        ask(http, CHANGE)
    assert caught.value.message == (
        f"exa-unit: startDatabase of db_DB1 at https://n11.invalid:443: {says}; the call was not sent"
    )
    monkeypatch.setenv("https_proxy", "http://proxy.invalid:3128")
    proxied = connect("https://n11.invalid")
    assert proxied.sign_of_life("https://n11.invalid:443", "/").endswith(": the proxy could not be used")
    with pytest.raises(NotSent, match="the proxy could not be used; the call was not sent$"):
        ask(proxied, CHANGE)


@pytest.mark.parametrize(("status", "silent"), [(502, True), (503, True), (504, True), (403, False), (407, False)])
def test_a_proxy_that_finds_nobody_is_silence(serve, monkeypatch, status, silent):
    monkeypatch.setenv("https_proxy", serve(f"HTTP/1.1 {status} No\r\n\r\n".encode()).url)
    http = connect("https://n11.invalid")
    assert (http.sign_of_life("https://n11.invalid:443", "/") == "") is silent
    with pytest.raises(NotSent, match="the proxy could not be used; the call was not sent$"):
        ask(http, CHANGE)


def test_a_call_that_answers_when_its_work_is_done_is_waited_for(serve, reply):
    server = serve(lambda _asked: server.over.wait(0.6) or reply())
    with pytest.raises(AnswerLost):
        ask(connect(server.url, timeout=0.2), CHANGE)
    patient = Call("startEXAStorage", "storage", changing=True, patience=50)
    assert ask(connect(server.url, timeout=0.2), patient) == b"<ok/>"


def test_a_server_that_is_not_trusted_speaks(serve, reply, authority):
    server = serve(reply(), authority.sign("speaks", "127.0.0.1", self_signed=True).context())
    assert connect(server.url).answers()


def test_a_library_that_is_missing_is_named(monkeypatch):
    monkeypatch.setattr(client, "MISSING", True)
    with pytest.raises(ClusterError, match="'urllib3', 2.0 or newer, is missing where this task runs") as caught:
        connect("https://n11.invalid")
    assert "pip install 'urllib3>=2'" in caught.value.hint
    assert "ansible_python_interpreter" in caught.value.hint


# -- a server that knows nobody for a moment


def knows(reply, *statuses):
    """Answers with these one after another, the last for ever."""
    rest = list(statuses)
    return lambda _asked: reply(b"<ok/>", rest.pop(0) if len(rest) > 1 else rest[0])


def test_who_was_let_in_asks_once_more(serve, reply):
    server = serve(knows(reply, "200 OK", "401 Unauthorized", "200 OK"))
    http = connect(server.url)
    assert [ask(http), ask(http)] == [b"<ok/>", b"<ok/>"]
    assert len(server.asked) == 3


def test_a_password_that_is_refused_for_good_is_not_sent_again_and_again(serve, reply):
    server = serve(knows(reply, "200 OK", "401 Unauthorized"))
    http = connect(server.url)
    ask(http)
    for sent in (3, 4):
        with pytest.raises(Denied, match="refused user 'admin' and its password"):
            ask(http)
        assert len(server.asked) == sent


def test_a_change_that_was_refused_is_not_sent_again(serve, reply):
    server = serve(knows(reply, "200 OK", "401 Unauthorized"))
    http = connect(server.url)
    ask(http)
    with pytest.raises(Denied):
        ask(http, CHANGE)
    assert len(server.asked) == 2
