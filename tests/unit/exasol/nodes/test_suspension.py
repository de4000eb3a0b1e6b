# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nodes are marked as offline for good."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import Act, Fail, History
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.nodes.suspension import Suspension
from ansible_collections.dbfleet.cluster.tests.unit.exasol.nodes.fake_cluster import cluster


def test_a_quorum_is_counted_with_the_nodes_that_are_suspended() -> None:
    four = cluster(n11="online", n12="online", n13="online", n14="online")
    guard = Suspension(four).stages(["n11", "n12"], "suspended")[0].guard
    assert guard is not None
    with pytest.raises(Refused, match="n11 n12 not suspended: 2 of 4 nodes would be left online"):
        guard()


def test_a_storage_node_that_is_off_is_refused_before_another_is_suspended() -> None:
    """EAO takes them one by one; ConfD takes one that is off, by one call for all."""
    one = cluster(n11="online", n12="offline")
    one.suspend_nodes = lambda _nodes: None
    assert isinstance(Suspension(one).suspended("n12", "offline", History()), Act)
    one.provider = SimpleNamespace(tells_nodes_together=False, calls={"suspend_node": "suspendNode"})
    refused = Suspension(one).suspended("n12", "offline", History())
    assert isinstance(refused, Fail)
    assert refused.why.startswith("off, and EXAoperation suspends the storage of a node that is online")
    assert isinstance(Suspension(one).suspended("n11", "online", History()), Act)
