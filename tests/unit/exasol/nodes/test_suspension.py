# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nodes are marked as offline for good."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import (
    Act,
    Done,
    Fail,
    History,
    Wait,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    ClusterError,
    Refused,
    Unreachable,
    Unsupported,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api import capabilities as can
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.nodes.suspension import (
    NOT_TOLD,
    Suspension,
    without_quorum,
)
from ansible_collections.dbfleet.cluster.tests.unit.conftest import FakeCluster
from ansible_collections.dbfleet.cluster.tests.unit.exasol.nodes.fake_cluster import cluster


def test_a_quorum_is_counted_with_the_nodes_that_are_suspended() -> None:
    four = cluster(n11="online", n12="online", n13="online", n14="online")
    guard = Suspension(four).stages(["n11", "n12"], "suspended")[0].guard
    assert guard is not None
    with pytest.raises(Refused, match="n11 n12 not suspended: only 2 of 4 nodes would stay online"):
        guard()


def test_a_storage_node_that_is_off_is_refused_before_another_is_suspended() -> None:
    """EAO takes them one by one; ConfD takes one that is off, by one call for all."""
    one = cluster(n11="online", n12="offline")
    one.suspend_nodes = lambda _nodes: None
    assert isinstance(Suspension(one).suspended("n12", "offline", History()), Act)
    one.provider = SimpleNamespace(tells_nodes_together=False, calls={"suspend_node": "suspendNode"})
    refused = Suspension(one).suspended("n12", "offline", History())
    assert isinstance(refused, Fail)
    assert refused.why.startswith("off, and EXAoperation suspends the storage only of a node that is online")
    assert isinstance(Suspension(one).suspended("n11", "online", History()), Act)


def test_exaoperation_marks_no_node_in_its_configuration() -> None:
    one = cluster(n11="online")
    asked: list[str] = []
    one.require = asked.append
    Suspension(one)
    Suspension(one, marks=("disable",))
    assert asked == [can.SUSPEND, can.SUSPEND, can.JOBS]


FOUR = [f"https://n{number}:443" for number in (11, 12, 13, 14)]


def half_dead(heard: list[str], urls: list[str], master: Any = "n11") -> Any:
    """A cluster that has lost its quorum."""
    one = cluster()

    def master_name() -> str:
        if isinstance(master, ClusterError):
            raise master
        return str(master)

    one.urls, one.heard, one.master = urls, lambda: heard, master_name
    one.suspend_without_quorum = lambda nodes: None
    return one


@pytest.mark.parametrize(
    ("heard", "urls", "names", "confirm", "refused"),
    [
        (FOUR[:2], FOUR, ["n13", "n14"], ["n13", "14"], ""),
        (FOUR[:1], FOUR[:3], ["n0012", "13"], ["n12", "n13"], ""),
        (FOUR[:2], FOUR, ["n13", "n14"], [], "confirm names nothing"),
        (FOUR[:2], FOUR, ["n13", "n14"], ["n13"], "confirm names n13, not n13 n14"),
        (
            FOUR[:2],
            FOUR[:3],
            ["n13", "n14"],
            ["n13", "n14"],
            "2 of 3 nodes in api_url answer, so one of the nodes to suspend may",
        ),
        (FOUR[:3], FOUR, ["n14"], ["n14"], "3 of 4 nodes in api_url answer, so the quorum isn't lost"),
        (FOUR[:2], FOUR, ["n12", "n14"], ["n12", "n14"], "n12 is alive"),
        (["https://10.0.0.1"], ["https://10.0.0.1", "https://10.0.0.2"], ["n11"], ["n11"], "n11 is alive"),
    ],
)
def test_without_a_quorum_only_what_is_silent_is_suspended(
    heard: list[str], urls: list[str], names: list[str], confirm: list[str], refused: str
) -> None:
    guard = without_quorum(half_dead(heard, urls), names, confirm)[0].guard
    assert guard is not None
    if not refused:
        guard()
        return
    with pytest.raises(Refused, match=refused):
        guard()


def test_a_suspension_without_a_quorum_is_waited_for_until_it_is_seen() -> None:
    one = half_dead(FOUR[:2], FOUR, Unreachable("no master"))
    told: list[Any] = [Unreachable("HTTP 503"), {"n11": "online", "n13": "suspended"}]

    def states() -> Any:
        found = told.pop(0)
        if isinstance(found, ClusterError):
            raise found
        return found

    one.node_states = states
    (stage,) = without_quorum(one, ["n13"], ["n13"])
    assert stage.look(["n13"]) == {"n13": NOT_TOLD}
    act = stage.decide("n13", NOT_TOLD, History())
    assert isinstance(act, Act)
    assert act.name == "node_suspend"
    sent = History(acted=["node_suspend"])
    assert isinstance(stage.decide("n13", NOT_TOLD, sent), Wait)
    assert isinstance(stage.decide("n13", "offline", sent), Wait)
    assert isinstance(stage.decide("n13", NOT_TOLD, History(acted=["node_suspend"], unsure=True)), Act)
    assert stage.look(["n13"]) == {"n13": "suspended"}
    assert isinstance(stage.decide("n13", "suspended", sent), Done)
    assert isinstance(stage.decide("n13", "online", sent), Fail)


def test_exaoperation_has_no_such_job() -> None:
    eao = FakeCluster()
    eao.unsupported = lambda what: Unsupported(f"no {what}")  # type: ignore[attr-defined]
    with pytest.raises(Unsupported):
        without_quorum(eao, ["n0012"], ["n0012"])  # type: ignore[arg-type]
