# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of a connection before it is used."""

from __future__ import annotations

import hashlib
import ssl
from functools import partial

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils import _connection_check
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Denied
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import report


def test_the_fingerprint_is_what_openssl_shows(serve, reply, authority):
    own = authority.sign("shown", "127.0.0.1", self_signed=True)
    server = serve(reply(), own.context())
    der = ssl.PEM_cert_to_DER_cert(own.cert.read_text())
    assert _connection_check.fingerprint(server.url, 5) == own.fingerprint == hashlib.sha256(der).hexdigest()
    assert server.asked == []


def test_the_fingerprint_of_a_server_of_ipv6(serve_v6, reply, authority):
    own = authority.sign("shown-v6", "::1", self_signed=True)
    assert _connection_check.fingerprint(serve_v6(reply(), own.context()).url, 5) == own.fingerprint


def test_no_certificate_no_fingerprint(serve, reply, dead_url):
    server = serve(reply())
    assert _connection_check.fingerprint(server.url, 5) is None
    assert _connection_check.fingerprint(server.url.replace("http:", "https:"), 5) is None
    assert _connection_check.fingerprint(dead_url.replace("http:", "https:"), 5) is None


@pytest.mark.parametrize(("known", "asked"), [(False, ["http://a:1"]), (True, ["http://a:1", "http://b:1"])])
def test_a_refused_password_is_sent_to_no_other_url(known, asked):
    """A user is locked out by some servers who is wrong several times; a right that is missing is another matter."""
    urls = []

    def role(url):
        urls.append(url)
        raise Denied("exa-unit: refused", known=known)

    found = list(_connection_check.examine(["http://a:1", "http://b:1"], role, 1))
    assert urls == asked
    assert [entry["ok"] for entry in found] == [False, False]
    assert ("http://b:1: not tried, because http://a:1 refused" in found[1]["problem"]) is not known


def test_each_url_is_examined_by_itself(dead_url, new_cluster):
    def role(url):
        if url != dead_url:
            raise Denied("exa-unit: 401", hint="password?")
        return "Administrator"

    found = list(_connection_check.examine([dead_url, "http://127.0.0.1:1"], role, 1))
    assert [(entry["ok"], entry["role"]) for entry in found] == [(True, "Administrator"), (False, None)]
    assert (found[1]["problem"], found[1]["hint"]) == ("exa-unit: 401 [DBF-2002]", "password?")
    enough = partial(report.role_is_enough_for, new_cluster())
    assert "every runbook" in _connection_check.words(found[0], enough)
    assert "NOT USABLE" in _connection_check.words(found[1], enough)
