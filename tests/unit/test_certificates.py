# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates as servers show them, and as files hold them."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone

from ansible_collections.dbfleet.cluster.plugins.module_utils import _certificates

NOTHING = {"client_cert": None, "ca_path": None}


def days_left(row):
    return (datetime.fromisoformat(row["expires"]) - datetime.now(timezone.utc)) / timedelta(days=1)


def test_all_that_a_connection_rests_on(serve, reply, authority, tmp_path):
    """Of two URLs with one certificate, a client certificate, and a bundle with the CA and one that doesn't matter."""
    own = authority.sign("shown", "127.0.0.1")
    client = authority.sign("me", None)
    stranger = authority.sign("stranger", None, self_signed=True, age=9)
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(stranger.cert.read_bytes() + authority.ca_path.read_bytes())
    servers = [serve(reply(), own.context(authority.ca_path)) for _unused in range(2)]
    shown = {one.url: _certificates.shown(one.url, 5, str(client.cert), str(client.key)) for one in servers}
    unread = []
    given = {"client_cert": str(client.cert), "ca_path": str(bundle)}
    rows = _certificates.merged(_certificates.of_connection(shown, given, unread))
    assert [(row["of"], row["subject"], row["fingerprint"]) for row in rows] == [
        (f"{servers[0].url}, {servers[1].url}", "CN=shown", own.fingerprint),
        (f"the client in {client.cert}", "CN=me", client.fingerprint),
        (f"the CA in {bundle}", "CN=unit test CA", rows[2]["fingerprint"]),
    ]
    assert all(0.9 < days_left(row) < 1.1 for row in rows)
    assert (unread, servers[0].asked) == ([], [])


def test_of_a_ca_that_is_renewed_the_longer_one_counts(serve, reply, authority, tmp_path):
    server = serve(reply(), authority.sign("renewed", "127.0.0.1").context())
    old = authority.sign("old-ca", None, ca=True, age=3)
    bundle = tmp_path / "both.pem"
    bundle.write_bytes(old.cert.read_bytes() + authority.ca_path.read_bytes())
    shown = {server.url: _certificates.shown(server.url, 5)}
    rows = _certificates.of_connection(shown, {**NOTHING, "ca_path": str(bundle)}, [])
    assert [days_left(row) > 0 for row in rows] == [True, True]


def test_one_that_signs_itself_is_told_once(serve, reply, authority):
    own = authority.sign("alone", "127.0.0.1", self_signed=True)
    server = serve(reply(), own.context())
    shown = {server.url: _certificates.shown(server.url, 5)}
    (row,) = _certificates.merged(_certificates.of_connection(shown, {**NOTHING, "ca_path": str(own.cert)}, []))
    assert row["of"] == f"{server.url}, the CA in {own.cert}"


def test_what_can_t_be_read_is_named(serve, reply, authority, tmp_path, dead_url):
    server = serve(reply(), authority.sign("odd", "127.0.0.1").context())
    broken, others = tmp_path / "broken.pem", tmp_path / "others.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n")
    strangers = [authority.sign(name, None, self_signed=True).cert for name in ("x", "y")]
    others.write_bytes(b"".join(path.read_bytes() for path in strangers))
    dead = dead_url.replace("http:", "https:")
    shown = {url: _certificates.shown(url, 5) for url in (server.url, dead)}
    unread = []
    rows = _certificates.of_connection(shown, {"client_cert": str(broken), "ca_path": str(others)}, unread)
    assert [row["of"] for row in rows] == [server.url]
    assert unread == [
        f"the certificate of {dead}: no certificate was received",
        f"the certificate of the client in {broken}: the file contains something that is not a readable certificate",
        f"the certificate of the CA in {others}: no certificate in the file has signed the server's certificate "
        "directly",
    ]
    assert _certificates.shown(server.url.replace("https:", "http:"), 5) is None


def test_without_the_library_that_reads_them(serve, reply, authority, monkeypatch):
    server = serve(reply(), authority.sign("unlibrary", "127.0.0.1").context())
    shown, unread = {server.url: _certificates.shown(server.url, 5)}, []
    monkeypatch.setitem(sys.modules, "cryptography", None)
    assert _certificates.of_connection(shown, NOTHING, unread) == []
    assert unread == [f"the certificate of {server.url}: {_certificates.NO_LIBRARY}"]


def test_fingerprints(authority):
    own = authority.sign("mark", None)
    assert _certificates.fingerprint_of_pem(own.cert.read_text()) == own.fingerprint
    assert [_certificates.fingerprint_of_pem(text) for text in ("", "no PEM")] == ["", ""]


def test_certificates_without_a_fingerprint_stay_apart():
    rows = [_certificates.row(of, "CN=x", "2027-01-01T00:00:00+00:00", "") for of in ("a", "b", "b")]
    assert [row["of"] for row in _certificates.merged(rows)] == ["a", "b, b"]


def test_one_certificate_of_many_nodes():
    rows = [_certificates.row(f"n{number}", "CN=x", "2027-01-01T00:00:00+00:00", "a1") for number in range(40)]
    assert [row["of"] for row in _certificates.merged(rows)] == ["n0, n1, n2, n3 and 36 more"]
