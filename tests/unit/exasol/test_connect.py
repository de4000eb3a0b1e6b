# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cluster that a task names."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import connect as exasol_connect
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.connection import endpoints
from ansible_collections.dbfleet.cluster.tests.unit.exasol.given_options import validated


@pytest.mark.parametrize(
    ("given", "warning"),
    [
        ({"api_url": ["http://n10"]}, "the password travels unencrypted"),
        ({"api_url": ["n10"], "validate_certs": False}, "certificate is not checked"),
        ({"api_url": ["n10"], "validate_certs": False, "tls_fingerprint": "ab" * 32}, None),
        ({"api_url": ["n10"]}, None),
    ],
)
def test_what_is_unsafe_is_warned_of(task, given, warning):
    task.params = validated(cluster_name="exa-unit", **given)
    cluster = exasol_connect.connect(task)
    assert cluster.name == "exa-unit"
    assert cluster.api_calls == 0
    assert [warning in text for text in task.warnings] == ([True] if warning else [])


def test_without_a_name_the_url_names_the_cluster(task):
    task.params = validated(api_url=["https://n10:8443"])
    assert exasol_connect.connect(task).name == "n10:8443"


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("2001:db8::10", ["https://[2001:db8::10]:443", "https://[2001:db8::10]:20003"]),
        ("https://[2001:DB8::10]/", ["https://[2001:db8::10]:443", "https://[2001:db8::10]:20003"]),
        ("[2001:db8::10]:20003", ["https://[2001:db8::10]:20003"]),
        ("https://[2001:db8::10]:8443", ["https://[2001:db8::10]:8443"]),
    ],
)
def test_an_address_of_ipv6(task, given, wanted):
    assert list(dict.fromkeys(endpoints([given]))) == wanted
    task.params = validated(api_url=[given], provider="confd")
    cluster = exasol_connect.connect(task)
    assert cluster.urls == wanted
    assert cluster.name == wanted[0].partition("://")[2]
    task.params = validated(api_url=[given], provider="exaoperation")
    assert exasol_connect.connect(task).urls == wanted[:1]


def test_a_hint_names_no_option_that_exasol_has_not(task, authority, serve, reply):
    node = serve(reply(), authority.sign("all-nodes", None).context())
    task.params = validated(api_url=[node.url], ca_path=str(authority.ca_path), provider="exaoperation")
    with pytest.raises(ClusterError, match="names no host") as caught:
        exasol_connect.connect(task).nodes()
    assert "verify_hostname" not in caught.value.hint
    assert "tls_fingerprint" in caught.value.hint


def test_no_url_is_an_error(task):
    task.params = validated()
    with pytest.raises(ClusterError, match="no api_url"):
        exasol_connect.connect(task)
