# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which nodes are meant, and what state they are in."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, NoSuchObject
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import selection
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.log import Log
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.nodes import selection as nodes_selection

STAGES = {"node": "n0011", "message": "Boot process stages 1 to 3 took 121 seconds.", "strtime": "1"}
FINISHED = {"node": "n0011", "message": "Boot process finished after 300 seconds", "strtime": "2"}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["all"], ["n0011", "n0012"]),
        (["all", "n0010"], ["n0011", "n0012"]),
        (["n0012", "n0012"], ["n0012"]),
        (["n0010"], ["n0010"]),
    ],
)
def test_chosen(new_cluster, wanted, found):
    assert nodes_selection.chosen_nodes(new_cluster(), wanted, ["n0011", "n0012"], ("n0010",)) == found


def test_all_that_are_missing_are_named(new_cluster):
    with pytest.raises(NoSuchObject, match=r"no database DB3 \(did you mean DB1\?\), zzz; there are: DB1") as caught:
        selection.chosen(new_cluster(), ["DB1", "DB3", "zzz"], ["DB1"], "database")
    assert caught.value.failed_object == "DB3 zzz"


@pytest.mark.parametrize(("wanted", "known", "says"), [([], ["n0011"], "no node is named"), (["all"], [], "no nodes")])
def test_nothing_chosen(new_cluster, wanted, known, says):
    with pytest.raises(ClusterError, match=says):
        nodes_selection.chosen_nodes(new_cluster(), wanted, known)


def test_a_cluster_may_have_no_databases(new_cluster):
    assert selection.chosen(new_cluster(), ["all"], [], "database") == []


@pytest.mark.parametrize(
    ("up", "status", "entries", "wanted"),
    [
        (True, "Running", [], "online"),
        (True, "", [], "online"),
        (False, "", [], "offline"),
        (False, "Unknown", [], "offline"),
        (False, "Suspended", [], "offline"),
        (False, "Booting", [], "booting"),
        (False, "Running", [], "booting"),
        (False, "Shutdown", [], "shutting down"),
        (False, "Stopping", [], "shutting down"),
        (False, "", [STAGES], "booting"),
        (False, "", [STAGES, FINISHED], "offline"),
        (False, "", [FINISHED, STAGES], "booting"),
        (False, "", [{**STAGES, "node": "n0012"}], "offline"),
        (False, "", [{**STAGES, "node": "11"}], "booting"),
    ],
)
def test_the_state_of_a_node(new_cluster, up, status, entries, wanted):
    cluster = new_cluster(online={"n0011": up}, status={"n0011": status}, entries=entries)
    assert nodes_selection.state_of(cluster, "n0011", Log(cluster, "logservice1")) == wanted


def test_names_of_license_servers(new_cluster):
    assert nodes_selection.license_servers_of(new_cluster(), [10, "n0010", "n9"]) == ["n0010", "n0009"]


def test_ignored_nodes_must_be_there(new_cluster):
    cluster = new_cluster()
    assert nodes_selection.without(cluster, []) == ["n0011", "n0012"]
    assert nodes_selection.without(cluster, ["n12"]) == ["n0011"]
    with pytest.raises(NoSuchObject, match="no node n0013"):
        nodes_selection.without(cluster, ["n0013"])
    with pytest.raises(ClusterError, match="every node"):
        nodes_selection.without(cluster, ["all"])
    with pytest.raises(ClusterError, match=r"every node is ignored \(n0011 n0012\)"):
        nodes_selection.without(cluster, ["n0011", "n12"])


@pytest.mark.parametrize(
    ("up", "told", "wanted"),
    [
        (True, "", "online"),
        (True, None, "online"),
        (False, "Suspended", "online"),
        (True, "Stopping", "shutting down"),
        (False, "Unknown", "offline"),
        (False, "", "offline"),
        (False, "Booting", "booting"),
        (False, None, "booting"),
    ],
)
def test_what_is_known_of_a_nodes_power(new_cluster, up, told, wanted):
    cluster = new_cluster(online={"n0011": up, "n0012": False}, status={"n0011": told})
    assert nodes_selection.power_of(cluster, "n0011") == wanted
    assert nodes_selection.still_on(cluster, ["n0011", "n0012"]) == ({} if wanted == "offline" else {"n0011": wanted})
