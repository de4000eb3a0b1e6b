# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which nodes could be seen to be off: those that answer at api_url, or at an address that the cluster tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.cluster import ConfdCluster
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.jobs import ConfdJobs
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.fake_nodes import Nodes, result
from ansible_collections.dbfleet.cluster.tests.unit.fake_transport import REFUSED

ADDRESSES = {"n11": "10.0.0.11", "n12": "10.0.0.12", "n13": "10.0.0.13"}


def cluster(
    *urls: str, reach: bool = True, addresses: Optional[Mapping[str, str]] = None, **states: str
) -> tuple[ConfdCluster, Nodes]:
    """Three nodes whose addresses can be reached from here, or can't."""
    table = {name[1:]: {"name": name, "private_ip": address} for name, address in (addresses or ADDRESSES).items()}
    told = {name[1:]: states.get(name, "online") for name in ADDRESSES}
    rpc = {"node_list": table, "node_state": {**told, "booted": {}}}
    places_ = [f"{address}:20003" for address in ADDRESSES.values()] if reach else []
    names = [url.partition("//")[2] for url in urls]
    nodes = Nodes(*dict.fromkeys([*names, *places_]), job_exec=lambda job, _given=None: result(rpc[job]))
    return ConfdCluster(ConfdJobs(nodes.session(*urls))), nodes


def test_every_node_has_its_own_url_whatever_its_address():
    found, _nodes = cluster(*(f"https://exa{number}.example:20003" for number in (1, 2, 3)), reach=False)
    assert found.reachability().unseen == []


def test_the_others_are_reached_at_their_addresses():
    found, nodes = cluster("https://10.0.0.11:20003")
    sight = found.reachability()
    assert (sight.unseen, sight.urls) == ([], [f"https://{address}:20003" for address in ADDRESSES.values()])
    assert not any(one.authorized for one in nodes.sent if "10.0.0.11" not in one.place)
    nodes.odd = {f"{address}:20003": REFUSED for address in list(ADDRESSES.values())[:2]}
    assert found.answers().startswith("https://10.0.0.13:20003")
    nodes.odd["10.0.0.13:20003"] = REFUSED
    assert found.answers() == ""


def test_the_others_are_reached_at_their_addresses_of_version_6():
    written = {"n11": "FD00::0011", "n12": "fd00:0:0::12", "n13": "fd00::13"}
    found, nodes = cluster("https://[fd00::11]:20003", reach=False, addresses=written)
    nodes.places = tuple(f"fd00::{number}:20003" for number in (11, 12, 13))
    nodes.master, nodes.names = nodes.places[0], "fd00::11"
    sight = found.reachability()
    assert (sight.unseen, sight.urls) == ([], [f"https://[fd00::{number}]:20003" for number in (11, 12, 13)])


def test_what_cannot_be_reached_is_out_of_sight():
    found, _nodes = cluster("https://10.0.0.11:20003", reach=False)
    assert found.reachability().unseen == ["n12", "n13"]
    one_name, _nodes = cluster("https://exa.example:20003", reach=False)
    assert one_name.reachability().unseen == ["n11", "n12", "n13"]  # whose name it is nobody knows


def test_a_stranger_at_an_address_is_no_node():
    found, nodes = cluster("https://10.0.0.11:20003")
    nodes.odd["10.0.0.12:20003"] = (200, b"10.99.99.99")
    assert found.reachability().unseen == ["n12"]


def test_a_url_that_nothing_answers_at_is_nobodys():
    urls = [f"https://exa{number}.example:20003" for number in (1, 2, 3)]
    found, nodes = cluster(*urls, reach=False)
    nodes.odd["exa3.example:20003"] = REFUSED
    assert found.reachability().unseen == ["n11", "n12", "n13"]


@pytest.mark.parametrize(("state", "unseen"), [("offline", []), ("suspended", ["n13"]), ("joining", ["n13"])])
def test_a_node_that_is_off_need_not_be_seen(state, unseen):
    found, _nodes = cluster("https://10.0.0.11:20003", "https://10.0.0.12:20003", reach=False, n13=state)
    assert found.reachability().unseen == unseen
    assert found.node_states()["n13"] == state
