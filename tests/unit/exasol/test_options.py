# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shared options: environment fall-backs, and the cluster that they name."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import connect as exasol_connect, options
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.view import PreviewedCluster
from ansible_collections.dbfleet.cluster.tests.unit.exasol.given_options import SPEC, validated


def test_the_option_wins_over_the_variable(monkeypatch):
    monkeypatch.setenv("EXA_API_USERNAME", "other")
    assert validated(api_username="admin")["api_username"] == "admin"


def test_the_heartbeat_has_a_variable(monkeypatch):
    monkeypatch.setenv("DBFLEET_HEARTBEAT", "5")
    assert validated()["heartbeat"] == 5


def test_only_the_password_is_secret():
    assert [name for name, option in SPEC.items() if option.get("no_log")] == ["api_password"]


@pytest.mark.parametrize("option", ["request_timeout", "wait_timeout", "wait_stable", "heartbeat"])
@pytest.mark.parametrize("value", ["nan", "inf", -1, "1e300"])
def test_a_time_that_cannot_be_waited_is_refused_before_anything_is_sent(task, option, value):
    task.params = validated(cluster_name="exa-unit", api_url=["n10"], **{option: value})
    with pytest.raises(ClusterError, match=f"^exa-unit: {option} is .*: it takes a number of seconds"):
        exasol_connect.connect(task)


def test_a_request_takes_time_and_a_wait_may_take_none(task):
    task.params = validated(api_url=["n10"], wait_timeout=0, wait_stable=0, heartbeat=0)
    exasol_connect.connect(task)
    task.params = validated(cluster_name="exa-unit", api_url=["n10"], request_timeout=0)
    with pytest.raises(ClusterError, match="^exa-unit: request_timeout is 0: it takes a number of seconds above 0"):
        exasol_connect.connect(task)


def test_assumptions_count_under_check_mode_only(task):
    task.params = validated(api_url=["n10"], assume={"nodes": {}, "services": {"Storaged": "OK"}})
    cluster = exasol_connect.connect(task)
    assert options.view_of(task, cluster) is cluster
    task.check_mode = True
    assert isinstance(options.view_of(task, cluster), PreviewedCluster)
    task.params["assume"] = {}
    assert options.view_of(task, cluster) is cluster
