# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wanted of a cluster's nodes, and what stands against their removal, without a server."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import Done, Fail, History
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.nodes import NodeRow, WantedNode
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.nodes.membership import (
    NodesAbsent,
    NodesPresent,
    wanted_of,
)
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
    with pytest.raises(Refused, match=f"n11 not removed: only {left} would stay online, which is no majority"):
        guard()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"nid": 15, "priv_net": "banana"}], "priv_net must be an address such as 10.10.10.14/24, not 'banana'"),
        ([{"nid": 15, "priv_net": "10.0.0.300/24"}], "priv_net must be an address"),
        ([{"nid": 15, "priv_net": "10.0.0.3/24", "pub_net": ""}], "pub_net must be an address"),
        ([{"nid": 0, "priv_net": "10.0.0.3/24"}], "nid must be more than 0"),
        (["0"], "nid must be more than 0"),
        ([{"nid": 15, "space_warn_threshold": 101}], "space_warn_threshold at most 100"),
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
        ([{"nid": 19}, "n19"], "n19 is listed twice"),
    ],
)
def test_nodes_that_make_no_sense(rows: list[Any], said: str) -> None:
    with pytest.raises(ClusterError, match=said):
        wanted_of(cluster(n11="online"), rows)


def test_nodes_that_do() -> None:
    rows = [{"nid": 19, "priv_net": "10.0.0.19/24"}, {"nid": 20, "priv_net": "fd00::20/64"}, "n11", 12]
    found = wanted_of(cluster(n11="online"), rows)
    assert found[1:] == [WantedNode("fd00::20/64", nid=20), WantedNode(name="n11"), WantedNode(nid=12)]


NET = "10.0.0.15/24"


@pytest.mark.parametrize(
    ("settings", "unsure", "said"),
    [
        ({"priv_net": NET, "bg_rec_limit": 7}, True, ""),
        ({"priv_net": NET}, True, ""),
        ({"priv_net": NET, "bg_rec_limit": 8}, False, ""),
        ({"priv_net": NET, "bg_rec_limit": 8}, True, "its bg_rec_limit is 8, not 7"),
        ({"priv_net": "10.0.0.16/24", "bg_rec_limit": 7}, True, "its priv_net is 10.0.0.16/24, not 10.0.0.15/24"),
        ({"priv_net": "10.0.0.16/24", "bg_rec_limit": 7}, False, "its priv_net is 10.0.0.16/24, not 10.0.0.15/24"),
    ],
)
def test_a_node_that_came_in_its_place_is_not_the_wanted_one(settings: Any, unsure: bool, said: str) -> None:
    """By its address always, and by all of it where the own call was refused or its answer lost."""
    one = cluster(n11="online")
    one.node_config().check = lambda _node: None
    wanted = [WantedNode(nid=15, priv_net=NET, bg_rec_limit=7)]
    decision = NodesPresent(one, wanted, [].append).decide(
        "n15", NodeRow("n15", 15, settings), History(acted=["node_add"], unsure=unsure)
    )
    if not said:
        assert decision == Done()
        return
    assert isinstance(decision, Fail)
    assert decision.why == f"somebody else has added node 15 in its place: {said}"


def test_those_that_ask_for_a_number_are_added_first() -> None:
    one = cluster(n11="online")
    one.node_config().check = lambda _node: None
    nets = [f"10.0.0.{number}/24" for number in (15, 16, 17)]
    wanted = [WantedNode(nets[0]), WantedNode(nets[1], name="one"), WantedNode(nets[2], nid=15), WantedNode(nid=11)]
    stages = NodesPresent(one, wanted, [].append).stages()
    assert [stage.names for stage in stages] == [["n15", "n11"], ["one"], [nets[0]]]
    stages = NodesPresent(one, [wanted[0], wanted[3]], [].append).stages()
    assert [stage.names for stage in stages] == [[nets[0], "n11"]], "one look is enough where nobody asks for a number"
