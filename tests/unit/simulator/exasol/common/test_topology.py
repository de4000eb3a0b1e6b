# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How nodes are written in a topology."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.common.topology import node_name


@pytest.mark.parametrize("value", ["n0011", "n11", "11", 11])
def test_a_node_may_be_its_name_or_its_number(value: Any) -> None:
    assert node_name(value) == "n0011"


@pytest.mark.parametrize("value", [None, True, "x", "n", -1, 1.5, ["n0011"]])
def test_what_is_no_node(value: Any) -> None:
    assert node_name(value) is None
