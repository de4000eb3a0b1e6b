# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is trusted, by which certificate, through which proxy; answers that are slow or too large."""

from __future__ import annotations

import base64
import gzip
import socket
import ssl
import threading
import time
import urllib.request
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    AnswerLost,
    ClusterError,
    Garbled,
    NotSent,
    Unreachable,
    Untrusted,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._http import transport, trust
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.client import Call, Request
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.proxies import Proxy, proxy_for
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.trust import Trust
from ansible_collections.dbfleet.cluster.tests.unit.http.calls import CHANGE, READ, ask, connect
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from urllib3.util import connection

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


def test_a_pin_beside_a_ca_replaces_neither_ca_nor_name(serve, reply, authority, new_authority, monkeypatch, tunnel):
    ca_path, owns = str(authority.ca_path), {}
    owns["good"], owns["elsewhere"] = authority.sign("both", "127.0.0.1"), authority.sign("both2", "elsewhere.example")
    owns["foreign"] = new_authority().sign("both3", "127.0.0.1")
    servers = {name: serve(reply(), own.context()) for name, own in owns.items()}
    given = {name: {"ca_path": ca_path, "fingerprint": own.fingerprint} for name, own in owns.items()}
    for proxy in ("", tunnel):
        monkeypatch.setenv("https_proxy", proxy)
        assert ask(connect(servers["good"].url, **given["good"])) == b"<ok/>"
        for name, cause in (("elsewhere", "for another host name"), ("foreign", "not signed by a trusted CA")):
            with pytest.raises(Untrusted, match=cause):
                ask(connect(servers[name].url, **given[name]))
            assert servers[name].asked == []
        assert ask(connect(servers["elsewhere"].url, hostname=False, **given["elsewhere"])) == b"<ok/>"
        servers["elsewhere"].asked.clear()


@pytest.mark.parametrize("bad", ["ab" * 31, "zz" * 32, "md5:" + "ab" * 16])
def test_what_is_no_fingerprint_is_said(bad):
    with pytest.raises(ClusterError, match="64 hexadecimal digits"):
        Trust(fingerprint=bad)


def test_a_client_certificate(serve, reply, authority):
    mine = authority.sign("mine", None)
    server = serve(reply(), authority.sign("mutual", "127.0.0.1").context(client_ca=authority.ca_path))
    ca_path = str(authority.ca_path)
    assert ask(connect(server.url, ca_path=ca_path, client_cert=str(mine.cert), client_key=str(mine.key))) == b"<ok/>"
    with pytest.raises(Untrusted):
        ask(connect(server.url, ca_path=ca_path))
    assert len(server.asked) == 1


@pytest.mark.parametrize("call", [READ, CHANGE])
@pytest.mark.parametrize("size", [10, 3_000_000])
def test_a_client_certificate_that_is_wanted_and_not_given(serve, reply, authority, call, size):
    """In TLS 1.3 the server says so when the handshake seems to be over: while the request is written, or later."""
    server = serve(reply(), authority.sign("wants", "127.0.0.1").context(client_ca=authority.ca_path))
    for _time in range(8):  # which of the two it is, is chance
        with pytest.raises(Untrusted) as caught:
            connect(server.url, ca_path=str(authority.ca_path)).post(call, "/cluster1", b"x" * size)
        assert caught.value.message == (
            f"exa-unit: {call} at {server.url}: the server requires a client certificate, and got none"
        )
        assert "client_cert" in caught.value.hint
        assert "ca_path" not in caught.value.hint
    assert server.asked == []


def test_a_client_certificate_that_is_wanted_by_tls_1_2(serve, reply, authority):
    """The alert of OpenSSL doesn't say what the server missed."""
    context = authority.sign("wants2", "127.0.0.1").context(client_ca=authority.ca_path)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(Untrusted, match="refused the TLS handshake .it may want a client certificate") as caught:
        ask(connect(serve(reply(), context).url, ca_path=str(authority.ca_path)))
    assert "client_cert" in caught.value.hint


@pytest.mark.parametrize("call", [READ, CHANGE])
@pytest.mark.parametrize(
    ("page", "cause"),
    [
        ("No required SSL certificate was sent", "the server requires a client certificate, and got none (HTTP 400)"),
        ("The SSL certificate error", "the server refused the client certificate"),
    ],
)
def test_a_client_certificate_that_nginx_misses(serve, reply, call, page, cause):
    html = f"<html><head><title>400 {page}</title></head><center>{page}</center></html>".encode()
    server = serve(reply(html, "400 Bad Request"))
    with pytest.raises(Untrusted) as caught:
        ask(connect(server.url, is_own=lambda _status, _body: True), call)
    assert caught.value.message.startswith(f"exa-unit: {call} at {server.url}: {cause}")
    assert "client_cert" in caught.value.hint
    with pytest.raises((Garbled, AnswerLost), match="HTTP 400 Bad Request"):
        ask(connect(serve(reply(b"odd call", "400 Bad Request")).url), call)


def test_a_key_that_does_not_belong_to_the_certificate(authority, serve, reply):
    mine, other = authority.sign("one", None), authority.sign("two", None)
    server = serve(reply(), authority.sign("s", "127.0.0.1").context())
    http = connect(server.url, ca_path=str(authority.ca_path), client_cert=str(mine.cert), client_key=str(other.key))
    with pytest.raises(Untrusted):
        ask(http)


def test_a_key_with_a_password_is_refused_without_a_question(authority, serve, reply, tmp_path):
    mine = authority.sign("locked", None)
    key = serialization.load_pem_private_key(mine.key.read_bytes(), None)
    locked = tmp_path / "locked.key"
    coding = serialization.BestAvailableEncryption(b"pw")
    locked.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, coding))
    server = serve(reply(), authority.sign("s3", "127.0.0.1").context())
    with pytest.raises(Untrusted, match="client_key is encrypted, and a task can't ask for its password$") as caught:
        ask(connect(server.url, ca_path=str(authority.ca_path), client_cert=str(mine.cert), client_key=str(locked)))
    assert "without a password" in caught.value.hint


def test_a_ca_file_that_is_gone(authority, serve, reply, tmp_path):
    ca_path = tmp_path / "ca.pem"
    ca_path.write_bytes(authority.ca_path.read_bytes())
    http = connect(serve(reply(), authority.sign("s4", "127.0.0.1").context()).url, ca_path=str(ca_path))
    ca_path.unlink()
    with pytest.raises(Untrusted, match="the TLS connection can't be prepared: .*No such file"):
        ask(http)


def test_one_context_serves_all_and_nothing_is_set_in_it_later(authority, serve, reply, monkeypatch):
    """Python lets other threads go on while it copies a context: what is set meanwhile garbles a handshake."""
    made = []

    class Context(ssl.SSLContext):
        def set_alpn_protocols(self, alpn_protocols):
            made.append(alpn_protocols)
            super().set_alpn_protocols(alpn_protocols)

    monkeypatch.setattr(trust, "create_default_context", lambda cafile: _loaded(Context, cafile))
    trust._shared_context.cache_clear()
    try:
        for number in range(3):
            server = serve(reply(), authority.sign(f"shared{number}", "127.0.0.1").context())
            assert ask(connect(server.url, ca_path=str(authority.ca_path))) == b"<ok/>"
    finally:
        trust._shared_context.cache_clear()
    assert made == [["http/1.1"]]


def _loaded(kind, cafile):
    context = kind(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile)
    return context


def test_a_ca_file_without_a_certificate(serve, reply, authority, tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    server = serve(reply(), authority.sign("s2", "127.0.0.1").context())
    with pytest.raises(Untrusted, match="contains no certificate"):
        ask(connect(server.url, ca_path=str(tmp_path / "ca.pem")))


@pytest.mark.parametrize("option", ["ca_path", "client_cert", "client_key"])
def test_a_missing_file_is_no_silent_downgrade(option, tmp_path):
    with pytest.raises(ClusterError, match=f"{option} names .*not a readable file"):
        Trust(**{option: str(tmp_path / "missing.pem")})


def test_plain_http_behind_https(serve, reply):
    server = serve(reply())
    with pytest.raises(Untrusted, match="does not speak TLS"):
        ask(connect(server.url.replace("http:", "https:")))


def distrusted(monkeypatch, text, says):
    """A call that the library fails with this text; what came of it."""
    http = connect("https://127.0.0.1:1")

    def fail(*_args, **_kwargs):
        raise ssl.SSLError(text)

    monkeypatch.setattr(http._transport, "exchange", fail)
    with pytest.raises(Untrusted, match=says) as caught:
        ask(http)
    return caught


@pytest.mark.parametrize(
    ("text", "says", "about"),
    [
        ("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] alert", "requires a client certificate, and got", "client_cert"),
        ("[SSL: SSLV3_ALERT_BAD_CERTIFICATE] alert", "requires a client certificate, and got none", "client_cert"),
        ("[SSL: SSLV3_ALERT_CERTIFICATE_EXPIRED] alert", "refused the client certificate", "client_cert"),
        ("[SSL: TLSV1_ALERT_UNKNOWN_CA] alert", "refused the client certificate", "client_cert"),
        ("[SSL] PEM lib (_ssl.c:3900)", "are not a certificate and its key", "client_cert"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] unable to get issuer", "not signed by a trusted CA", "ca_path"),
    ],
)
def test_the_hint_is_about_the_certificate_that_is_wrong(monkeypatch, text, says, about):
    caught = distrusted(monkeypatch, text, says)
    assert about in caught.value.hint


@pytest.mark.parametrize(
    ("text", "says", "about"),
    [
        ("[SSL: TLSV1_ALERT_PROTOCOL_VERSION] alert", "the server does not support TLS 1.2 or newer", "TLS 1.2"),
        ("[SSL: UNSUPPORTED_PROTOCOL] unsupported protocol", "the server does not support TLS 1.2 or newer", "TLS 1.2"),
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: CA signature digest algorithm too weak",
            "a signature of the server's certificate or of its CA is too weak .SHA-1 or MD5.",
            "tls_fingerprint, without ca_path",
        ),
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: EE certificate key too weak",
            "the key of the server's certificate is too weak",
            "tls_fingerprint, without ca_path",
        ),
        ("[SSL: EE_KEY_TOO_SMALL] ee key too small", "client_cert is too weak", "new client certificate"),
        (
            "[SSL: DH_KEY_TOO_SMALL] dh key too small",
            "the TLS connection failed .dh key too small.",
            "openssl s_client",
        ),
        ("Fingerprints did not match", "not the one that tls_fingerprint names", "all URLs must show the same"),
        ("no appropriate subjectAltName fields were found", "names no host", "tls_fingerprint, without ca_path"),
        ("certificate is not yet valid", "has expired or is not valid yet", "clock"),
    ],
)
def test_each_cause_has_its_own_next_step(monkeypatch, text, says, about):
    caught = distrusted(monkeypatch, text, says)
    assert caught.value.message.startswith("exa-unit: getNodeList at https://127.0.0.1:1: ")
    assert about in caught.value.hint
    assert "put the CA's certificate in ca_path" not in caught.value.hint


def test_a_server_of_old_tls_alone():
    """Its alert, for not every OpenSSL can still be such a server."""
    listener = socket.create_server(("127.0.0.1", 0))

    def refusing():
        connection, _address = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"\x15\x03\x01\x00\x02\x02\x46")
            connection.recv(4096)

    threading.Thread(target=refusing, daemon=True).start()
    url = f"https://127.0.0.1:{listener.getsockname()[1]}"
    try:
        with pytest.raises(Untrusted) as caught:
            ask(connect(url))
    finally:
        listener.close()
    assert caught.value.message == f"exa-unit: getNodeList at {url}: the server does not support TLS 1.2 or newer"


@pytest.fixture
def contexts(monkeypatch):
    """Changes the contexts as Python or the system would make them."""

    def change(how):
        made = trust.create_default_context

        def create(**given):
            context = made(**given)
            how(context)
            return context

        monkeypatch.setattr(trust, "create_default_context", create)
        trust._shared_context.cache_clear()

    yield change
    trust._shared_context.cache_clear()


def test_a_ca_with_a_weak_key(serve, reply, new_authority, contexts):
    contexts(lambda context: context.set_ciphers("DEFAULT:@SECLEVEL=2"))  # as of most systems
    weak = new_authority(key=rsa.generate_private_key(65537, 1024))
    own = weak.sign("weakly", "127.0.0.1")
    server = serve(reply(), own.context())
    with pytest.raises(Untrusted, match="the key of the CA that signed the server's certificate is too weak") as caught:
        ask(connect(server.url, ca_path=str(weak.ca_path)))
    assert "tls_fingerprint, without ca_path" in caught.value.hint
    assert ask(connect(server.url, fingerprint=own.fingerprint)) == b"<ok/>"


def test_a_signer_that_is_no_ca(serve, reply, new_authority):
    server_only = new_authority(is_ca=False)
    own = server_only.sign("strange", "127.0.0.1")
    server = serve(reply(), own.context())
    with pytest.raises(Untrusted, match="that signed the server's certificate is not a CA certificate$") as caught:
        ask(connect(server.url, ca_path=str(server_only.ca_path)))
    assert "basicConstraints" in caught.value.hint
    assert ask(connect(server.url, fingerprint=own.fingerprint)) == b"<ok/>"


@pytest.mark.parametrize("optional", [False, True])
def test_a_certificate_that_names_no_host(serve, reply, authority, optional):
    """Only NuoDB's modules have an option verify_hostname. The check that tells the two apart sends nothing."""
    own = authority.sign("nameless", None)
    server = serve(reply(), own.context())
    given = {"ca_path": str(authority.ca_path), "optional_hostname": optional}
    with pytest.raises(Untrusted) as caught:
        ask(connect(server.url, **given))
    assert caught.value.message == (
        f"exa-unit: getNodeList at {server.url}: the server's certificate names no host (it has no subjectAltName)"
    )
    assert ("verify_hostname to false" in caught.value.hint) is optional
    assert "tls_fingerprint, without ca_path" in caught.value.hint
    assert server.asked == []
    assert ask(connect(server.url, hostname=False, **given)) == b"<ok/>"
    assert ask(connect(server.url, fingerprint=own.fingerprint)) == b"<ok/>"
    elsewhere = serve(reply(), authority.sign("named", "elsewhere.example").context())
    with pytest.raises(Untrusted, match="is for another host name") as caught:
        ask(connect(elsewhere.url, **given))
    assert ("verify_hostname to false" in caught.value.hint) is optional


def test_a_nameless_certificate_of_a_server_that_wants_one_too(serve, reply, authority):
    mine = authority.sign("mine2", None)
    server = serve(reply(), authority.sign("nameless2", None).context(client_ca=authority.ca_path))
    files = {"ca_path": str(authority.ca_path), "client_cert": str(mine.cert), "client_key": str(mine.key)}
    with pytest.raises(Untrusted, match="names no host"):
        ask(connect(server.url, **files))


def test_a_nameless_certificate_behind_a_proxy_is_not_looked_at_past_it(serve, reply, authority, monkeypatch, tunnel):
    server = serve(reply(), authority.sign("nameless3", None).context())
    monkeypatch.setenv("https_proxy", tunnel)
    with pytest.raises(Untrusted, match="for another host name"):
        ask(connect(server.url, ca_path=str(authority.ca_path)))


def test_a_ca_without_a_key_usage(serve, reply, new_authority, contexts):
    """As nuocmd makes them. Python 3.13 sets the flag by default; here it is set whatever the Python."""
    contexts(lambda context: setattr(context, "verify_flags", context.verify_flags | ssl.VERIFY_X509_STRICT))
    nuodb = new_authority(usage=False)
    server = serve(reply(), nuodb.sign("ap", "127.0.0.1").context())
    assert ask(connect(server.url, ca_path=str(nuodb.ca_path))) == b"<ok/>"
    elsewhere = serve(reply(), nuodb.sign("ap1", "elsewhere.example").context())
    with pytest.raises(Untrusted, match="for another host name"):
        ask(connect(elsewhere.url, ca_path=str(nuodb.ca_path)))
    with pytest.raises(Untrusted, match="not signed by a trusted CA"):
        ask(connect(server.url))


def test_only_the_strict_flag_is_taken_away(contexts):
    everything = ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_TRUSTED_FIRST | ssl.VERIFY_CRL_CHECK_LEAF | 0x80000
    contexts(lambda context: setattr(context, "verify_flags", everything))
    context = trust.context_of(Trust())
    assert context.verify_flags == everything & ~ssl.VERIFY_X509_STRICT
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED


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


def test_a_proxy_that_wants_to_know_us(serve, reply, monkeypatch):
    user = "http://us%40er:p%C3%A4ss@"
    wanted = "Basic " + base64.b64encode("us@er:päss".encode()).decode()
    proxy = serve(reply(b"<proxied/>"))
    monkeypatch.setenv("http_proxy", proxy.url.replace("http://", user))
    monkeypatch.setenv("https_proxy", proxy.url.replace("http://", user))
    assert ask(connect("http://exa.invalid")) == b"<proxied/>"
    with pytest.raises(Unreachable):  # it says 200, and then no TLS
        ask(connect("https://[fd00::10]:8443", rounds=1))
    plain, secure = proxy.asked[0], proxy.asked[1]
    assert plain.headers["proxy-authorization"] == secure.headers["proxy-authorization"] == wanted
    assert plain.headers["authorization"] == "Basic " + base64.b64encode(b"admin:pw").decode()
    assert secure.line.startswith("CONNECT [fd00::10]:8443 HTTP/1.")
    assert "authorization" not in secure.headers


def test_a_proxy_of_all_schemes_without_a_scheme_of_its_own(serve, reply, monkeypatch):
    monkeypatch.setenv("all_proxy", serve(reply(b"<proxied/>")).url.removeprefix("http://"))
    assert ask(connect("http://exa.invalid")) == b"<proxied/>"


@pytest.mark.parametrize("proxy", ["https://127.0.0.1:1", "socks5://127.0.0.1:1", "http://127.0.0.1:x", "http://"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_spoken_to_by_http(monkeypatch, proxy, scheme):
    monkeypatch.setenv(f"{scheme}_proxy", proxy)
    with pytest.raises(NotSent, match="the proxy could not be used; the call was not sent$"):
        ask(connect(f"{scheme}://exa.invalid"), CHANGE)


def test_the_system_is_not_asked_for_proxies(serve, reply, monkeypatch):
    """On macOS the question crashes a forked worker."""

    def asked(*_given):
        raise AssertionError

    for name in ("getproxies", "proxy_bypass"):
        monkeypatch.setattr(urllib.request, name, asked)
    server = serve(reply())
    assert ask(connect(server.url)) == b"<ok/>"
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("http_proxy", "http://proxy.invalid")
    assert ask(connect(server.url)) == b"<ok/>"


@pytest.mark.parametrize(
    ("url", "without", "proxied"),
    [
        ("https://n10.example.com:443", "example.com", False),
        ("https://n10.example.com:443", ".example.com", False),
        ("https://n10.example.com:443", "other, N10.Example.com", False),
        ("https://n10.example.com:8443", "n10.example.com:8443", False),
        ("https://n10.example.com:8443", "n10.example.com:443", True),
        ("https://n10.badexample.com:443", "example.com", True),
        ("https://10.1.2.3:443", "10.1.0.0/16", False),
        ("https://10.1.2.3:443", "10.1.2.3/8", False),
        ("https://10.2.2.3:443", "10.1.0.0/16,x/y", True),
        ("https://[fd00::10]:443", "fd00::10", False),
        ("https://[fd00::10]:443", "fd00:0::0010", False),
        ("https://[fd00::10]:443", "fd00::/8", False),
        ("https://[fd00::10]:443", "10.0.0.0/8", True),
        ("https://n10:443", "", True),
    ],
)
def test_who_is_reached_without_a_proxy(url, without, proxied):
    found = proxy_for(url, {"https": "http://proxy:3128", "no": without})
    assert found == (Proxy("http://proxy:3128", {}) if proxied else None)


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
    with pytest.raises(AnswerLost, match="no answer within 0.2 s; the server may have carried it out"):
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
    monkeypatch.setattr(transport, "LARGEST", 100_000)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" if chunked else b"HTTP/1.1 200 OK\r\n\r\n"
    again = b"2710\r\n" + b"x" * 10_000 + b"\r\n" if chunked else b"x" * 10_000
    http = connect(stream(head, again, 0.0).url, timeout=20, rounds=1)
    with pytest.raises(Garbled, match=r"the answer is larger than \d+ MiB"):
        ask(http)
    with pytest.raises(AnswerLost, match="larger than"):
        ask(http, CHANGE)


def test_an_answer_that_grows_when_it_is_unpacked(serve, monkeypatch):
    monkeypatch.setattr(transport, "LARGEST", 100_000)
    packed = gzip.compress(b"x" * 1_000_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    with pytest.raises(Garbled, match="larger than"):
        ask(connect(serve(head.encode() + packed).url, rounds=1))


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_an_answer_that_is_packed_unasked(serve, coding):
    packed = gzip.compress(b"<ok/>") if coding == "gzip" else zlib.compress(b"<ok/>")
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nConnection: close\r\nContent-Length: {len(packed)}\r\n\r\n"
    )
    assert ask(connect(serve(head.encode() + packed).url)) == b"<ok/>"
    with pytest.raises(Unreachable, match="the answer was cut off"):
        ask(connect(serve(head.encode() + b"x" * len(packed)).url))


@pytest.mark.parametrize("half", [b"Content-Length: 9\r\n\r\n<half", b"Transfer-Encoding: chunked\r\n\r\n9\r\n<half"])
def test_half_an_answer_is_none(serve, half):
    with pytest.raises(Unreachable, match="the answer was cut off$"):
        ask(connect(serve(b"HTTP/1.1 200 OK\r\n" + half).url))


def test_a_length_that_is_promised_takes_no_memory(serve):
    with pytest.raises(Unreachable, match="the answer was cut off$"):
        ask(connect(serve(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n<").url))
    with pytest.raises(Unreachable, match="the answer was cut off$"):
        ask(connect(serve(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffff\r\n<").url))


# -- what is sent


def test_head_and_body_leave_in_one_piece(serve, reply, monkeypatch):
    pieces = []
    send = socket.socket.sendall

    def sent(sock, data):
        if sock.getpeername()[1] == server.port:
            pieces.append(data)
        return send(sock, data)

    server = serve(reply())
    monkeypatch.setattr(socket.socket, "sendall", sent)
    http = connect(server.url)
    ask(http)
    http.ask(server.url, READ, Request("/a?b=%20c", verb="GET", anonymous=True))
    http.ask(server.url, READ, Request("/x y\r\nInjected: é", verb="DELETE"))
    us = {"Authorization": "Basic YWRtaW46cHc="}
    host = {"Host": f"127.0.0.1:{server.port}", "User-Agent": "dbfleet.cluster", "Accept-Encoding": "identity"}
    text = {"Content-Type": "text/xml"}
    assert [_parts(piece) for piece in pieces] == [
        ("POST /cluster1 HTTP/1.1", {**host, **us, **text, "Content-Length": "7"}, "<call/>"),
        ("GET /a?b=%20c HTTP/1.1", {**host, **text}, ""),
        ("DELETE /x%20y%0D%0AInjected:%20%C3%A9 HTTP/1.1", {**host, **us}, ""),
    ]


def _parts(sent):
    """Of a request: its first line, its headers, its body."""
    head, _blank, body = sent.decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    return first, dict(line.split(": ", 1) for line in lines), body


@pytest.mark.parametrize(
    ("url", "named"),
    [("http://n10:80", "n10"), ("http://n10:8080", "n10:8080"), ("http://[fd00::80]:80", "[fd00::80]")],
)
def test_a_host_is_named_without_the_usual_port(serve, reply, monkeypatch, url, named):
    server, reach = serve(reply()), socket.create_connection
    monkeypatch.setattr(connection, "create_connection", lambda *_given, **_how: reach(("127.0.0.1", server.port)))
    ask(connect(url))
    assert server.asked[0].headers["host"] == named


@pytest.mark.parametrize("secure", [False, True])
def test_a_connection_that_the_server_has_ended_is_not_used_again(authority, secure):
    """A change must not be lost to it."""
    context = authority.sign("ending", "127.0.0.1").context() if secure else None
    listener, ended, asked = socket.create_server(("127.0.0.1", 0)), threading.Semaphore(0), []

    def serving():
        while True:
            try:
                connection, _address = listener.accept()
            except OSError:
                return
            with context.wrap_socket(connection, server_side=True) if context else connection as stream:
                asked.append(stream.recv(4096))
                stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<ok/>")
            ended.release()

    threading.Thread(target=serving, daemon=True).start()
    url = f"{'https' if secure else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
    http = connect(url, ca_path=str(authority.ca_path))
    try:
        for call in (READ, CHANGE, CHANGE):
            assert ask(http, call) == b"<ok/>"
            assert ended.acquire(timeout=10)
    finally:
        listener.close()
    assert len(asked) == 3


def test_a_connection_serves_many_answers_and_the_time_begins_with_each():
    class Kept(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        places: ClassVar[set[object]] = set()

        def do_POST(self):
            self.places.add(self.client_address)
            self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(0.7)
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with ThreadingHTTPServer(("127.0.0.1", 0), Kept) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        http = connect(f"http://127.0.0.1:{server.server_port}", timeout=2, rounds=1)
        assert [ask(http) for _call in range(4)] == [b"ok"] * 4
        server.shutdown()
    assert len(Kept.places) == 1


class Open(BaseHTTPRequestHandler):
    """Keeps connections open."""

    protocol_version = "HTTP/1.1"
    places: ClassVar[list[object]] = []

    def log_message(self, *_given):
        pass

    def do_POST(self):
        self.places.append(self.client_address)
        self.rfile.read(int(self.headers["Content-Length"]))
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def test_a_connection_that_was_not_used_for_long_is_left(monkeypatch):
    """As behind the sleep of a laptop, when nobody at the other end knows it any more."""
    now = [1000.0]
    monkeypatch.setattr(transport, "_now", lambda: now[0])
    with ThreadingHTTPServer(("127.0.0.1", 0), Open) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        http = connect(f"http://127.0.0.1:{server.server_port}")
        for seconds in (0.0, 30.0, transport.IDLE + 1, 30.0):
            now[0] += seconds
            assert ask(http) == b"ok"
        server.shutdown()
    first, second, third, last = Open.places
    assert first == second
    assert third == last
    assert third != first


def test_a_machine_that_sleeps_grows_older():
    assert transport._now() >= time.monotonic() - 1
