# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cluster that a task names."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import connect as exasol_connect
from ansible_collections.dbfleet.cluster.tests.unit.exasol.given_options import validated


@pytest.mark.parametrize(
    ("given", "warning"),
    [
        ({"api_url": ["http://n10"]}, "the password travels unencrypted"),
        ({"api_url": ["n10"], "validate_certs": False}, "who answers is not checked"),
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


def test_no_url_is_an_error(task):
    task.params = validated()
    with pytest.raises(ClusterError, match="no api_url"):
        exasol_connect.connect(task)
