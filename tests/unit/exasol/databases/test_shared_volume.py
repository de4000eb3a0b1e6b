# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Of databases on one data volume at most one is started, and nobody guesses which."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.states import Database
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.databases.shared_volume import to_start


def sites(new_cluster, **states):
    """PROD and PROD_DR share a volume, OTHER has its own."""
    volumes = {"PROD": "v0000", "PROD_DR": "v0000", "OTHER": "v0001", "NONE": "", "EITHER": ""}
    return new_cluster(
        databases={name: Database(name, state, data_volume_name=volumes[name]) for name, state in states.items()}
    )


def started(cluster, *wanted):
    said = []
    return to_start(cluster, list(wanted), cluster.databases(), said.append), said


def test_none_is_started_where_nobody_says_which(new_cluster):
    cluster = sites(new_cluster, PROD="setup", PROD_DR="setup", OTHER="setup")
    with pytest.raises(Refused) as caught:
        started(cluster, "all")
    assert caught.value.message == (
        "exa-unit: PROD PROD_DR not started: they are on data volume v0000 together, and the task doesn't say which of "
        "them to start: two databases that run on one data volume damage it"
    )
    assert "exa_cold_start_databases" in caught.value.hint
    with pytest.raises(Refused):
        started(cluster, "PROD", "PROD_DR")
    assert started(cluster, "PROD", "OTHER") == (["PROD", "OTHER"], [])


@pytest.mark.parametrize("state", ["running", "startup", "shutdown", "strange"])
def test_one_that_runs_is_the_one(new_cluster, state):
    cluster = sites(new_cluster, PROD=state, PROD_DR="setup", OTHER="setup")
    names, said = started(cluster, "all")
    assert names == ["PROD", "OTHER"]
    assert said == ["[exa-unit] databases: PROD_DR stays down: its data volume v0000 is in use by PROD"]
    with pytest.raises(Refused, match="PROD_DR not started: it is on data volume v0000, and PROD runs on it") as caught:
        started(cluster, "PROD_DR")
    assert caught.value.hint == "stop PROD first (exa_database_state)"


def test_databases_without_a_known_volume_share_none(new_cluster):
    cluster = sites(new_cluster, NONE="setup", EITHER="setup")
    assert started(cluster, "all") == (["NONE", "EITHER"], [])


def test_all_that_run_already_stay(new_cluster):
    cluster = sites(new_cluster, PROD="running", PROD_DR="running")
    assert started(cluster, "all") == (["PROD", "PROD_DR"], [])


def test_a_name_that_is_none(new_cluster):
    with pytest.raises(ClusterError, match="PRDO"):
        started(sites(new_cluster, PROD="setup"), "PRDO")
