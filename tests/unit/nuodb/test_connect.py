# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The domain that a task names."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import connect as nuodb_connect
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.connection import endpoints
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.given_options import validated


@pytest.fixture
def connect(new_task):
    def go(**given):
        task = new_task(**validated(**given))
        go.task = task
        return nuodb_connect.connect(task)

    return go


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("ap0", "https://ap0:8888"),
        ("ap0:9999", "https://ap0:9999"),
        ("localhost:8888", "https://localhost:8888"),
        ("https://ap0", "https://ap0:8888"),
        ("https://ap0:443/api/1", "https://ap0:443"),
        ("http://ap0", "http://ap0:8888"),
        ("[fd00::1]", "https://[fd00::1]:8888"),
        ("fd00::1", "https://[fd00::1]:8888"),
        ("[fd00::1]:9999", "https://[fd00::1]:9999"),
        ("https://fd00::1/api/1", "https://[fd00::1]:8888"),
        ("http://[fd00::1]:9999/", "http://[fd00::1]:9999"),
    ],
)
def test_http_is_spoken_only_where_it_is_written(connect, given, wanted):
    domain = connect(api_url=[given])
    assert domain.urls == endpoints([given]) == [wanted]
    assert bool(connect.task.warnings) == given.startswith("http://")


def test_neither_a_key_nor_a_ca_is_needed_for_https(connect, monkeypatch):
    monkeypatch.setenv("NUOCMD_API_SERVER", "ap0:8888")
    assert connect().url == "https://ap0:8888"


@pytest.mark.parametrize("option", ["ca_path", "client_cert", "client_key"])
def test_a_file_that_is_missing_is_an_error(connect, option, tmp_path):
    there = tmp_path / "there.pem"
    there.write_text("")
    given = {"client_cert": str(there)} if option == "client_key" else {}
    with pytest.raises(ClusterError, match=f"ap0:8888: {option} names /nowhere.pem, which is not a readable file"):
        connect(api_url=["ap0"], **{**given, option: "/nowhere.pem"})


@pytest.mark.parametrize(
    ("variable", "option"), [("NUOCMD_CLIENT_KEY", "client_cert"), ("NUOCMD_VERIFY_SERVER", "ca_path")]
)
def test_a_file_that_nuocmd_would_pass_over_in_silence_is_an_error(connect, monkeypatch, variable, option):
    monkeypatch.setenv(variable, "/nowhere.pem")
    with pytest.raises(ClusterError, match=f"{option} names /nowhere.pem"):
        connect(api_url=["ap0"])


def test_one_file_may_hold_key_and_certificate(connect, authority, serve, reply):
    """A server that wants a client certificate is shown the one of the file."""
    mine, theirs = authority.sign("admin", None), authority.sign("ap", "127.0.0.1")
    both = authority.folder / "both.pem"
    both.write_bytes(mine.cert.read_bytes() + mine.key.read_bytes())
    ap = serve(reply(b'{"data": [], "hasNext": false}'), theirs.context(client_ca=authority.ca_path))
    given = {"api_url": [ap.url], "ca_path": str(authority.ca_path)}
    for option in ("client_key", "client_cert"):
        assert connect(**given, **{option: str(both)}).databases() == {}
    with pytest.raises(ClusterError):
        connect(**given).databases()


def test_the_certificates_host_name_may_be_left_unchecked_but_not_the_ca(connect, authority, serve, reply):
    other = serve(reply(b'{"data": []}'), authority.sign("other", "other.example.com").context())
    given = {"api_url": [other.url], "ca_path": str(authority.ca_path)}
    with pytest.raises(ClusterError, match="for another host name"):
        connect(**given).databases()
    assert connect(**given, verify_hostname=False).databases() == {}
    assert connect.task.warnings == []
    stranger = serve(reply(b'{"data": []}'), authority.sign("x", "127.0.0.1", self_signed=True).context())
    with pytest.raises(ClusterError, match="not trusted"):
        connect(api_url=[stranger.url], ca_path=str(authority.ca_path), verify_hostname=False).databases()


def test_a_hint_names_the_option_by_which_the_host_name_is_left_unchecked(connect, authority, serve, reply):
    ap = serve(reply(b'{"data": []}'), authority.sign("all-aps", None).context())
    with pytest.raises(ClusterError, match="names no host") as caught:
        connect(api_url=[ap.url], ca_path=str(authority.ca_path)).databases()
    assert "verify_hostname to false" in caught.value.hint


def test_an_address_with_a_zone_is_one_sentence(connect):
    with pytest.raises(ClusterError, match="nuo-unit: api_url 'fe80::1%eth0' is an address with a zone"):
        connect(api_url=["fe80::1%eth0"], cluster_name="nuo-unit")


def test_no_url_is_an_error(connect):
    with pytest.raises(ClusterError, match="no api_url is given .* NUODB_API_URL"):
        connect()


def test_credentials_in_a_url_are_refused_and_not_repeated(connect):
    with pytest.raises(ClusterError, match="contains credentials") as caught:
        connect(api_url=["https://admin:s3cret@ap0"], cluster_name="nuo-unit")
    assert "s3cret" not in caught.value.message
    with pytest.raises(ClusterError) as caught:
        connect(api_url=["https://admin:s3cret@ap0"])
    assert "s3cret" not in caught.value.message
