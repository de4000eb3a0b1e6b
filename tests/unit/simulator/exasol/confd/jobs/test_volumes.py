# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a job of volumes refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.simulator.exasol.confd.conftest import Lab

VOLUME = {"name": "new", "type": "data", "size": "1 GiB", "disk": "disk1", "nodes": [11, 12], "redundancy": 2}


def test_a_volume_is_as_it_was_wanted(lab: Callable[..., Lab]) -> None:
    one = lab()
    wanted = {
        "block_size": "64 KiB",
        "stripe_size": 1048576,
        "priority": "0",
        "owner": [1, 2],
        "permissions": "rwxr-----",
    }
    number = one.ok("st_volume_create", **VOLUME, **wanted)
    info = one.ok("st_volume_info", vid=number)
    assert (info["block_size"], info["bytes_per_block"], info["stripe_size"]) == ("64 KiB", 65536, "1 MiB")
    assert (info["size"], info["segments"][0]["end_block"]) == ("1 GiB", str(2**29 // 65536 - 1))
    assert (info["priority"], info["owner"], info["group"], info["permissions"]) == (0, 1, 2, "rwxr-----")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("disk", "nope"), ("priority", "abc"), ("priority", 99), ("priority", -1), ("owner", ["a", "b"]),
        ("owner", [1]), ("permissions", "zzz"), ("block_size", "much"), ("stripe_size", "x"), ("stripe_size", 0),
        ("nodes", [11, 11]), ("num_master_nodes", 0), ("redundancy", 3),
    ],
)  # fmt: skip
def test_what_a_volume_cannot_be(lab: Callable[..., Lab], name: str, value: Any) -> None:
    one = lab()
    before = one.ok("st_volume_list")
    assert one.refused("st_volume_create", **{**VOLUME, name: value}) == f"Parameter {name} can not be {value}"
    assert one.ok("st_volume_list") == before


def test_a_volume_needs_nodes_that_are_online(lab: Callable[..., Lab]) -> None:
    one = lab(nodes={"n11": {}, "n12": {}, "n13": {"state": "offline"}}, databases={})
    assert one.refused("st_volume_create", **{**VOLUME, "nodes": [11, 13]}) == "Node n13 is not online"
