# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a domain is reached: the options of a connection and their variables, nuocmd's too."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.given_options import SPEC, validated


@pytest.mark.parametrize(
    ("option", "text", "wanted"),
    [
        ("api_url", "ap0,ap1", ["ap0", "ap1"]),
        ("api_username", "admin", "admin"),
        ("api_password", "p:w'\"@%", "p:w'\"@%"),
        ("validate_certs", "no", False),
        ("verify_hostname", "false", False),
        ("ca_path", "/ca.pem", "/ca.pem"),
        ("client_cert", "/c.pem", "/c.pem"),
        ("client_key", "/k.pem", "/k.pem"),
        ("tls_fingerprint", "ab", "ab"),
        ("request_timeout", "2.5", 2.5),
        ("profile", "prod", "prod"),
        ("profiles_path", "/p.yml", "/p.yml"),
    ],
)
def test_every_connection_option_has_its_variable(monkeypatch, option, text, wanted):
    monkeypatch.setenv(f"NUODB_{option.upper()}", text)
    assert validated()[option] == wanted


NUOCMD = [
    ("NUOCMD_API_SERVER", "https://ap0:8888", {"api_url": ["https://ap0:8888"]}),
    ("NUOCMD_BASIC_CREDS", "admin:p:w", {"api_username": "admin", "api_password": "p:w"}),
    ("NUOCMD_BASIC_CREDS", "admin", {"api_username": "admin", "api_password": None}),
    ("NUOCMD_BASIC_CREDS", "admin:", {"api_username": "admin", "api_password": None}),
    ("NUOCMD_BASIC_CREDS", "", {"api_username": None, "api_password": None}),
    ("NUOCMD_BASIC_CREDS", " : ", {"api_username": None, "api_password": None}),
    ("NUODB_API_USERNAME", " ", {"api_username": None}),
    ("NUOCMD_CLIENT_KEY", "/both.pem", {"client_cert": "/both.pem", "client_key": None}),
    ("NUOCMD_CLIENT_KEY", "/c.pem,/k.pem", {"client_cert": "/c.pem", "client_key": "/k.pem"}),
    ("NUOCMD_VERIFY_SERVER", "/ca.pem", {"ca_path": "/ca.pem"}),
]


@pytest.mark.parametrize(("variable", "text", "wanted"), NUOCMD)
def test_nuocmds_variables_are_understood(monkeypatch, variable, text, wanted):
    monkeypatch.setenv(variable, text)
    found = validated()
    assert {name: found[name] for name in wanted} == wanted


def test_our_own_variable_wins_and_the_option_over_both(monkeypatch):
    monkeypatch.setenv("NUOCMD_API_SERVER", "theirs")
    monkeypatch.setenv("NUOCMD_BASIC_CREDS", "their-user:their-password")
    monkeypatch.setenv("NUODB_API_URL", "ours")
    monkeypatch.setenv("NUODB_API_USERNAME", "our-user")
    found = validated()
    assert (found["api_url"], found["api_username"], found["api_password"]) == (["ours"], "our-user", "their-password")
    assert validated(api_url=["option"], api_username="me")["api_url"] == ["option"]
    assert validated(api_username="me")["api_username"] == "me"


def test_only_the_password_is_secret():
    assert [name for name, option in SPEC.items() if option.get("no_log")] == ["api_password"]
