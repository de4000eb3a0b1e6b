# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Volumes that aren't whole: what is said of them, and which node may not go."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import copies
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.volumes import Volume
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.cluster import ConfdCluster
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.nodes import shutdown
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.nodes.suspension import Suspension
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.rolling import Rolling, RollingChoice
from ansible_collections.dbfleet.cluster.tests.answers.fixtures import answer
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.fake_nodes import Nodes, result
from ansible_collections.dbfleet.cluster.tests.unit.exasol.nodes.fake_cluster import cluster

WHOLE = Volume(0, "Data", "data", redundancy=2, nodes=("n11", "n12"), copies={"0": ("n11", "n12"), "1": ("n12", "n11")})
HURT = WHOLE.with_(state="DEGRADED", away=("n12 OFFLINE",), copies={"0": ("n11",), "1": ("n11",)})


def confd(volume: Volume, **states: str) -> Any:
    one = cluster(**{**dict.fromkeys(("n11", "n12", "n13", "n14", "n15"), "online"), **states})
    one.volumes = lambda: SimpleNamespace(all=lambda: [volume], databases_of=lambda _volume: [])
    one.services = lambda: {"Storaged": "OK"}
    one.lacks = lambda what: None if what == "volumes" else "none"
    return one


def test_the_answer_of_a_server_is_read() -> None:
    nodes = Nodes(job_list=[], job_exec=lambda job, *_given: result(
        answer("confd/st_volume_list_degraded") if job == "st_volume_list" else {"11": {"name": "n11"}, "12": {}}
    ))  # fmt: skip
    found = ConfdCluster(nodes.jobs())
    rows = copies.states(found, {"Storaged": "OK"}, lambda: copies.staying(found))
    assert copies.words(rows) == "DataVolume1 DEGRADED (n12 OFFLINE), Archive DEGRADED (n12 OFFLINE)"
    assert "Archive: an archive volume has no volume_move_delay and stays DEGRADED" in copies.hints(rows)
    assert "DataVolume1: bring its nodes back" in copies.hints(rows)
    data = found.volumes().all()[0]
    assert data.copies == {"0": ("n11",)}
    assert copies.last_copies(data, {"n11"}, {"n11"}) == ["segment 0 on n11"]


def _asked() -> list[Any]:
    raise AssertionError("the volumes were read")


def test_where_the_storage_is_down_nobody_is_asked() -> None:
    one = SimpleNamespace(lacks=lambda _what: None)
    assert copies.states(one, {"Storaged": "not running"}, _asked) == {}  # type: ignore[arg-type]


def test_only_what_is_whole_or_not_told_is_well() -> None:
    rows = {
        state: copies.state_of(WHOLE.with_(state=state)) for state in ("ONLINE", "DEGRADED", "RECOVERING", "LOCKED", "")
    }
    assert list(copies.hurt(rows)) == ["DEGRADED", "RECOVERING", "LOCKED"]
    assert list(copies.hurt({"Data": copies.state_of(WHOLE.with_(away=("n12 RECOVERING",)))})) == ["Data"]


def test_nodes_that_need_not_be_online_are_missed_by_nobody() -> None:
    rows = {"Data": copies.state_of(HURT), "Shut": copies.state_of(HURT.with_(state="LOCKED"))}
    assert list(copies.hurt_beside(rows, {"n12"})) == ["Shut"]
    assert list(copies.hurt_beside(rows, {"n13"})) == ["Data", "Shut"]


@pytest.mark.parametrize(
    ("volume", "taken", "lost"),
    [
        (WHOLE, {"n11"}, 0),
        (WHOLE, {"n11", "n12"}, 2),
        (HURT, {"n11"}, 2),
        (HURT, {"n12"}, 0),
        (HURT.with_(redundancy=1), {"n11"}, 0),
        (WHOLE.with_(copies={}), {"n11"}, 0),
        # EXAoperation: of a recovery nothing tells which copy is being made
        (WHOLE.with_(state="RECOVERING"), {"n11"}, 2),
    ],
)
def test_what_would_go_with_a_node(volume: Volume, taken: set[str], lost: int) -> None:
    assert len(copies.last_copies(volume, taken, {"n11", "n12"})) == lost


def test_a_node_that_is_off_holds_nothing() -> None:
    assert len(copies.last_copies(WHOLE, {"n11"}, {"n11"})) == 2


def test_a_node_with_the_last_copy_is_not_suspended() -> None:
    one = confd(HURT, n12="offline")
    guard = Suspension(one).stages(["n11"], "suspended")[0].guard
    assert guard is not None
    with pytest.raises(Refused) as refused:
        guard()
    assert refused.value.message == (
        "exa-unit: n11 not suspended: volume Data DEGRADED (n12 OFFLINE): segment 0 on n11, segment 1 on n11, and no "
        "other node has a copy now, so the last copy would be gone and EXAStorage would lock the volume"
    )
    assert "allow_last_copy: true" in str(refused.value.hint)
    known = Suspension(one, allow_last_copy=True).stages(["n11"], "suspended")[0].guard
    assert known is not None
    known()
    Suspension(confd(WHOLE)).stages(["n11"], "suspended")[0].guard()  # type: ignore[misc]


def test_a_node_with_the_last_copy_is_not_taken_out_of_a_rolling_run() -> None:
    """Neither where the other one is left out of the look."""
    work = Rolling(confd(HURT, n12="offline"), RollingChoice(["n11"], ignored=("n12",)))
    with pytest.raises(Refused, match="n11 not taken out: volume Data DEGRADED") as refused:
        work.refuse(["n11"])
    assert "nothing overrides this" in str(refused.value.hint)
    back = Rolling(confd(HURT, n12="suspended"), RollingChoice(["n11"], cut_off="n12"))
    back.refuse(back.order())


def test_a_node_with_the_last_copy_is_not_switched_off_alone() -> None:
    """Where all go, no copy does."""
    one = confd(HURT, n12="offline")
    one.reachability = lambda: SimpleNamespace(unseen=[])
    one.failure_of = lambda _name: ""
    with pytest.raises(Refused, match="n11 not shut down: volume Data DEGRADED"):
        shutdown.NodeShutdown(one, True).of_peers(["n11"], False)[0].guard()  # type: ignore[misc]
    shutdown.NodeShutdown(one, True).of_peers(["n11"], True)[0].guard()  # type: ignore[misc]
    shutdown.NodeShutdown(one, True).of_peers(one.nodes(), False)[0].guard()  # type: ignore[misc]
