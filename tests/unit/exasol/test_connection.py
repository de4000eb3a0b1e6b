# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a cluster is reached: the options of a connection and their variables, and where its API may listen."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.connection import CONNECTION, candidates
from ansible_collections.dbfleet.cluster.tests.unit.exasol.given_options import validated


@pytest.mark.parametrize(
    ("option", "text", "wanted"),
    [
        ("api_url", "n10,n11", ["n10", "n11"]),
        ("api_username", "admin", "admin"),
        ("api_password", "p w'\"@%", "p w'\"@%"),
        ("provider", "exaoperation", "exaoperation"),
        ("validate_certs", "no", False),
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
    monkeypatch.setenv(f"EXA_{option.upper()}", text)
    assert validated()[option] == wanted
    assert set(CONNECTION) - {"cluster_name"} >= {option}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (["n11"], ["https://n11:443", "https://n11:20003"]),
        (["https://n11/"], ["https://n11:443", "https://n11:20003"]),
        (["https://n11:8443"], ["https://n11:8443"]),
        (["n11", "n12:443"], ["https://n11:443", "https://n11:20003", "https://n12:443"]),
        (["n11", "n11:443"], ["https://n11:443", "https://n11:20003"]),
    ],
)
def test_a_url_without_a_port_stands_for_both(given, wanted):
    assert candidates(given) == wanted
