# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wanted of a cluster's nodes, and what stands against their removal, without a server."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.nodes import WantedNode
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.nodes.membership import NodesAbsent, wanted_of
from ansible_collections.dbfleet.cluster.tests.unit.exasol.nodes.fake_cluster import cluster


@pytest.mark.parametrize(
    ("states", "taken", "left"),
    [
        ({"n11": "online", "n12": "online", "n13": "online", "n14": "online"}, ["n11", "n12"], ""),
        ({"n11": "offline", "n12": "online", "n13": "online"}, ["n11", "n12"], ""),
        (
            {"n11": "online", "n12": "offline", "n13": "offline", "n14": "online", "n15": "online"},
            ["n11"],
            "2 of 4 nodes",
        ),
    ],
)
def test_a_quorum_is_counted_without_the_nodes_that_are_removed(
    states: dict[str, str], taken: list[str], left: str
) -> None:
    guard = NodesAbsent(cluster(**states), taken, taken, False).guard
    if not left:
        guard()
        return
    with pytest.raises(Refused, match=f"n11 not removed: {left} would be left online, which is no majority"):
        guard()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"nid": 15, "priv_net": "banana"}], "priv_net is an address, as 10.10.10.14/24, not 'banana'"),
        ([{"nid": 15, "priv_net": "10.0.0.300/24"}], "priv_net is an address"),
        ([{"nid": 15, "priv_net": "10.0.0.3/24", "pub_net": ""}], "pub_net is an address"),
        ([{"nid": 0, "priv_net": "10.0.0.3/24"}], "nid is more than 0"),
        (["0"], "nid is more than 0"),
        ([{"nid": 15, "space_warn_threshold": 101}], "space_warn_threshold 100 at most"),
        ([" "], "a name is empty"),
        (
            [{"nid": 19, "priv_net": "10.0.0.19/24"}, {"nid": 20, "priv_net": "10.0.0.19/8"}],
            "n19 n20 have the same priv_net",
        ),
        (
            [{"nid": 19, "pub_net": "10.0.0.19/24"}, {"nid": 20, "pub_net": "10.0.0.19/24"}],
            "n19 n20 have the same pub_net",
        ),
        ([{"nid": 19, "name": "a"}, {"nid": 19, "name": "b"}], "a b have the same nid"),
        ([{"nid": 19}, "n19"], "names n19 twice"),
    ],
)
def test_nodes_that_make_no_sense(rows: list[Any], said: str) -> None:
    with pytest.raises(ClusterError, match=said):
        wanted_of(cluster(n11="online"), rows)


def test_nodes_that_do() -> None:
    rows = [{"nid": 19, "priv_net": "10.0.0.19/24"}, {"nid": 20, "priv_net": "fd00::20/64"}, "n11", 12]
    found = wanted_of(cluster(n11="online"), rows)
    assert found[1:] == [WantedNode("fd00::20/64", nid=20), WantedNode(name="n11"), WantedNode(nid=12)]
