# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wire: who is trusted, what is sent how often, and one sentence for each kind of bad weather."""

from __future__ import annotations

import base64
import gzip
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
import requests
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    AnswerLost,
    ClusterError,
    Denied,
    Garbled,
    Unreachable,
    Untrusted,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._http import adapters, client
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.adapters import Trust
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.client import Call, Http, Request, normalized

READ = Call("getNodeList")
CHANGE = Call("startDatabase", "db_DB1", changing=True)
PASSWORDS = ["p w'\"@%&:/+", "pässwörd€", "a:b:c", "%41", "\\n", "x" * 300, ""]


@pytest.fixture(autouse=True)
def _quick_and_alone(monkeypatch):
    monkeypatch.setattr(client, "PAUSE", 0.0)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def connect(*urls, **options):
    trust = Trust(**{key: options.pop(key) for key in list(options) if key in Trust.__dataclass_fields__})
    return Http(
        "exa-unit", list(urls), options.pop("username", "admin"), options.pop("password", "pw"), trust, **options
    )


def ask(http, call=READ):
    return http.post(call, "/cluster1", b"<call/>")


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
    assert "whether it was carried out is not known" in caught.value.message


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
    with pytest.raises(AnswerLost, match="connection refused; whether it was carried out is not known"):
        http.ask(dead_url, CHANGE, Request("/"))
    assert [len(server.asked) for server in servers] == [0, 1]


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
    ("error", "silent"),
    [
        (requests.exceptions.ConnectTimeout("timed out"), True),
        (requests.exceptions.ConnectionError("[Errno 113] No route to host"), True),
        (requests.exceptions.ConnectionError("[Errno 111] Connection refused"), True),
        (requests.exceptions.ProxyError("Tunnel connection failed: 503 Service Unavailable"), True),
        (requests.exceptions.ProxyError("[Errno 111] Connection refused"), False),
        (requests.exceptions.ConnectionError("[Errno 101] Network is unreachable"), False),
        (requests.exceptions.ConnectionError("NameResolutionError"), False),
        (requests.exceptions.ConnectionError("Connection aborted"), False),
        (requests.exceptions.SSLError("EOF occurred in violation of protocol"), False),
    ],
)
def test_what_is_silence(monkeypatch, error, silent):
    """What says nothing of the machine, as a lost name server or proxy, doesn't tell that it is off."""
    http = connect("https://n11.invalid")

    def fail(*_args, **_kwargs):
        raise error

    monkeypatch.setattr(http._adapters["https"], "send", fail)
    assert (http.sign_of_life("https://n11.invalid:443", "/") == "") is silent


def test_a_call_that_answers_when_its_work_is_done_is_waited_for(serve, reply):
    server = serve(lambda _asked: server.over.wait(0.6) or reply())
    with pytest.raises(AnswerLost):
        ask(connect(server.url, timeout=0.2), CHANGE)
    patient = Call("startEXAStorage", "storage", changing=True, patience=50)
    assert ask(connect(server.url, timeout=0.2), patient) == b"<ok/>"


def test_a_server_that_is_not_trusted_speaks(serve, reply, authority):
    server = serve(reply(), authority.sign("speaks", "127.0.0.1", self_signed=True).context())
    assert connect(server.url).answers()


# -- TLS


def test_a_ca(serve, reply, authority):
    server = serve(reply(), authority.sign("good", "127.0.0.1").context())
    assert ask(connect(server.url, ca_path=str(authority.ca_path))) == b"<ok/>"


def test_self_signed(serve, reply, authority):
    own = authority.sign("own", "127.0.0.1", self_signed=True)
    server = serve(reply(), own.context())
    with pytest.raises(Untrusted, match="self-signed and not trusted") as caught:
        ask(connect(server.url))
    assert "tls_fingerprint" in caught.value.hint
    assert ask(connect(server.url, ca_path=str(own.cert))) == b"<ok/>"
    assert ask(connect(server.url, validate=False)) == b"<ok/>"


def test_untrusted_gets_no_password_and_is_not_asked_again(serve, reply, authority):
    server = serve(reply(), authority.sign("unknown", "127.0.0.1").context())
    http = connect(server.url)
    with pytest.raises(Untrusted, match="not signed by a trusted CA"):
        ask(http)
    assert server.asked == []
    assert http.calls == 1


@pytest.mark.parametrize(
    ("host", "age", "cause"),
    [
        ("10.9.9.9", 0, "for another host name"),
        ("elsewhere.example", 0, "for another host name"),
        ("127.0.0.1", 3, "has expired"),
    ],
)
def test_a_certificate_that_does_not_fit(serve, reply, authority, host, age, cause):
    server = serve(reply(), authority.sign(f"bad-{host}-{age}", host, age=age).context())
    with pytest.raises(Untrusted, match=cause):
        ask(connect(server.url, ca_path=str(authority.ca_path)))
    assert server.asked == []


@pytest.mark.parametrize(
    "write", [str, str.upper, lambda d: "sha256:" + ":".join(d[i : i + 2] for i in range(0, 64, 2))]
)
@pytest.mark.parametrize("validate", [True, False])
def test_a_pin_replaces_ca_and_name(serve, reply, authority, write, validate):
    own = authority.sign("pinned", "elsewhere.example", self_signed=True)
    server = serve(reply(), own.context())
    assert ask(connect(server.url, fingerprint=write(own.fingerprint), validate=validate)) == b"<ok/>"


@pytest.mark.parametrize("validate", [True, False])
@pytest.mark.parametrize("beside_ca", [True, False])
def test_another_certificate_than_the_pinned_one(serve, reply, authority, validate, beside_ca):
    server = serve(reply(), authority.sign("other", "127.0.0.1").context())
    ca_path = str(authority.ca_path) if beside_ca else None
    with pytest.raises(Untrusted, match="not the one that tls_fingerprint names"):
        ask(connect(server.url, fingerprint="ab" * 32, validate=validate, ca_path=ca_path))
    assert server.asked == []


@pytest.mark.parametrize("bad", ["ab" * 31, "zz" * 32, "md5:" + "ab" * 16])
def test_what_is_no_fingerprint_is_said(bad):
    with pytest.raises(ClusterError, match="64 hexadecimal digits"):
        Trust(fingerprint=bad)


def test_a_client_certificate(serve, reply, authority):
    mine = authority.sign("mine", None)
    server = serve(reply(), authority.sign("mutual", "127.0.0.1").context(client_ca=authority.ca_path))
    ca_path = str(authority.ca_path)
    assert ask(connect(server.url, ca_path=ca_path, client_cert=str(mine.cert), client_key=str(mine.key))) == b"<ok/>"
    with pytest.raises((Untrusted, Unreachable)):
        ask(connect(server.url, ca_path=ca_path))
    assert len(server.asked) == 1


def test_a_key_that_does_not_belong_to_the_certificate(authority, serve, reply):
    mine, other = authority.sign("one", None), authority.sign("two", None)
    server = serve(reply(), authority.sign("s", "127.0.0.1").context())
    http = connect(server.url, ca_path=str(authority.ca_path), client_cert=str(mine.cert), client_key=str(other.key))
    with pytest.raises(Untrusted):
        ask(http)


def test_a_ca_file_without_a_certificate(serve, reply, authority, tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    server = serve(reply(), authority.sign("s2", "127.0.0.1").context())
    with pytest.raises(Untrusted, match="holds no certificate"):
        ask(connect(server.url, ca_path=str(tmp_path / "ca.pem")))


@pytest.mark.parametrize("option", ["ca_path", "client_cert", "client_key"])
def test_a_missing_file_is_no_silent_downgrade(option, tmp_path):
    with pytest.raises(ClusterError, match=f"{option} names .*not a readable file"):
        Trust(**{option: str(tmp_path / "missing.pem")})


def test_plain_http_behind_https(serve, reply):
    server = serve(reply())
    with pytest.raises(Untrusted, match="does not speak TLS"):
        ask(connect(server.url.replace("http:", "https:")))


@pytest.mark.parametrize(
    ("text", "says", "about"),
    [
        ("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] alert", "may want a client certificate", "client_cert"),
        ("[SSL: SSLV3_ALERT_CERTIFICATE_EXPIRED] alert", "refused the client certificate", "client_cert"),
        ("[SSL: TLSV1_ALERT_UNKNOWN_CA] alert", "refused the client certificate", "client_cert"),
        ("[SSL] PEM lib (_ssl.c:3900)", "no certificate with its key", "client_cert"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] unable to get issuer", "not signed by a trusted CA", "ca_path"),
    ],
)
def test_the_hint_is_about_the_certificate_that_is_wrong(monkeypatch, text, says, about):
    http = connect("https://127.0.0.1:1")

    def fail(*_args, **_kwargs):
        raise requests.exceptions.SSLError(text)

    monkeypatch.setattr(http._adapters["https"], "send", fail)
    with pytest.raises(Untrusted, match=says) as caught:
        ask(http)
    assert about in caught.value.hint


def test_a_handshake_that_is_hung_up_is_no_distrust():
    """A gateway whose server boots accepts connections and closes them: a wait must go on."""
    listener = socket.create_server(("127.0.0.1", 0))

    def hanging_up():
        while True:
            try:
                connection, _address = listener.accept()
            except OSError:
                return
            connection.recv(4096)
            connection.close()

    threading.Thread(target=hanging_up, daemon=True).start()
    http = connect(f"https://127.0.0.1:{listener.getsockname()[1]}")
    try:
        with pytest.raises(Unreachable, match="closed before the answer"):
            ask(http)
        assert not http.answers()
        with pytest.raises(AnswerLost):
            ask(http, CHANGE)
    finally:
        listener.close()


# -- proxies


def test_a_proxy_of_the_environment(serve, reply, monkeypatch):
    proxy = serve(reply(b"<proxied/>"))
    monkeypatch.setenv("http_proxy", proxy.url)
    assert ask(connect("http://exa.invalid")) == b"<proxied/>"
    assert proxy.asked[0].line == "POST http://exa.invalid:80/cluster1 HTTP/1.1"


@pytest.mark.parametrize("without", ["127.0.0.1", "*", "127.0.0.0/8"])
def test_no_proxy(serve, reply, monkeypatch, dead_url, without):
    monkeypatch.setenv("http_proxy", dead_url)
    monkeypatch.setenv("no_proxy", without)
    assert ask(connect(serve(reply()).url)) == b"<ok/>"


def test_a_proxy_that_is_away(monkeypatch, dead_url):
    monkeypatch.setenv("http_proxy", dead_url)
    with pytest.raises(Unreachable):
        ask(connect("http://exa.invalid"))


@pytest.fixture
def tunnel():
    """A proxy that knows CONNECT."""
    listener = socket.create_server(("127.0.0.1", 0))

    def copy(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        sink.close()

    def accept():
        while True:
            try:
                connection, _address = listener.accept()
            except OSError:
                return
            host, port = connection.recv(65536).split()[1].decode().split(":")
            server = socket.create_connection((host, int(port)))
            connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            for pair in ((connection, server), (server, connection)):
                threading.Thread(target=copy, args=pair, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()


def test_the_pin_holds_behind_a_proxy_too(serve, reply, authority, monkeypatch, tunnel):
    own = authority.sign("tunnelled", "elsewhere.example", self_signed=True)
    server = serve(reply(), own.context())
    monkeypatch.setenv("https_proxy", tunnel)
    with pytest.raises(Untrusted, match="tls_fingerprint"):
        ask(connect(server.url, fingerprint="ab" * 32))
    assert server.asked == []
    assert ask(connect(server.url, fingerprint=own.fingerprint)) == b"<ok/>"


# -- answers without end


DRIPS = {
    "a status line": (b"HTTP/1.1 20", b"0"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
    "continuations": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x"),
    "a body without length": (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "an error's body": (b"HTTP/1.1 500 Oops\r\nContent-Length: 1000\r\n\r\n", b"x"),
}


@pytest.fixture
def stream(serve):
    """Makes servers that send something at first, then something else again and again."""

    def make(first, again, pause, context=None):
        def forever(asked):
            yield first
            while not server.over.wait(pause):
                yield again

        server = serve(forever, context)
        return server

    return make


@pytest.mark.parametrize(("first", "again"), DRIPS.values(), ids=DRIPS)
@pytest.mark.parametrize("secure", [False, True])
def test_a_server_that_drips_does_not_hold_up_the_time_for_an_answer(stream, authority, first, again, secure):
    identity = authority.sign("drip", "127.0.0.1")
    server = stream(first, again, 0.02, identity.context() if secure else None)
    http = connect(server.url, timeout=0.2, ca_path=str(authority.ca_path), rounds=1)
    began = time.monotonic()
    with pytest.raises(Unreachable, match="no answer within 0.2 s") as caught:
        ask(http)
    assert caught.value.hung
    with pytest.raises(AnswerLost, match="no answer within 0.2 s; whether it was carried out is not known"):
        ask(http, CHANGE)
    assert time.monotonic() - began < 3


def test_a_slow_answer_has_all_the_time_that_its_call_has(serve):
    def slow(_asked):
        for part in (b"HTTP/1.1 200 OK\r\nContent-", b"Length: 4\r\n", b"\r\n", b"a", b"bc", b"d"):
            time.sleep(0.05)
            yield part

    server = serve(slow)
    with pytest.raises(Unreachable):
        ask(connect(server.url, timeout=0.15, rounds=1))
    assert ask(connect(server.url, timeout=0.15), Call("x", patience=20)) == b"abcd"


@pytest.mark.parametrize("chunked", [False, True])
def test_an_answer_that_is_too_large_is_not_read(stream, monkeypatch, chunked):
    monkeypatch.setattr(adapters, "LARGEST", 100_000)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" if chunked else b"HTTP/1.1 200 OK\r\n\r\n"
    again = b"2710\r\n" + b"x" * 10_000 + b"\r\n" if chunked else b"x" * 10_000
    http = connect(stream(head, again, 0.0).url, timeout=20, rounds=1)
    with pytest.raises(Garbled, match=r"the answer is larger than \d+ MiB"):
        ask(http)
    with pytest.raises(AnswerLost, match="larger than"):
        ask(http, CHANGE)


def test_an_answer_that_grows_when_it_is_unpacked(serve, monkeypatch):
    monkeypatch.setattr(adapters, "LARGEST", 100_000)
    packed = gzip.compress(b"x" * 1_000_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    with pytest.raises(Garbled, match="larger than"):
        ask(connect(serve(head.encode() + packed).url, rounds=1))


def test_a_connection_serves_many_answers_and_the_time_begins_with_each():
    class Kept(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        places: ClassVar[set[object]] = set()

        def do_POST(self):
            self.places.add(self.client_address)
            self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(0.15)
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with ThreadingHTTPServer(("127.0.0.1", 0), Kept) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        http = connect(f"http://127.0.0.1:{server.server_port}", timeout=0.4, rounds=1)
        assert [ask(http) for _call in range(4)] == [b"ok"] * 4
        server.shutdown()
    assert len(Kept.places) == 1
