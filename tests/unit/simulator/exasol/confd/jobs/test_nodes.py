# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a job of nodes refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.simulator.exasol.confd.conftest import Lab


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"priv_net": "hello"}, "priv_net can not be hello"),
        ({"priv_net": "10.50.1.11/24"}, "priv_net can not be 10.50.1.11/24, which node 11 has"),
        ({"pub_net": "10.50.1/24"}, "pub_net can not be 10.50.1/24"),
        ({"nid": -3}, "nid can not be -3"),
        ({"nid": 0}, "nid can not be 0"),
        ({"nid": 11}, "Node 11 exists already"),
    ],
)
def test_what_an_added_node_cannot_be(lab: Callable[..., Lab], changed: dict[str, Any], text: str) -> None:
    one = lab()
    assert text in one.refused("node_add", **{"priv_net": "10.50.1.20/24", **changed})
    assert list(one.ok("node_list")) == ["11", "12", "13"]
