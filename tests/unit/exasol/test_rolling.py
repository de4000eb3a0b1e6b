# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nodes of a cluster out and back: the order, and what stands against it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import Done, History, Wait
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, Failed, NoSuchObject, Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.nodes import NodeRow
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.states import Database
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.volumes import Volume
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.rolling import Rolling, RollingChoice
from ansible_collections.dbfleet.cluster.tests.unit.exasol.nodes.fake_cluster import cluster

STOPPED = Database("DB1", "setup")
RUNNING = Database("DB1", "running", "Yes")
DATA = Volume(0, "Data", "data", redundancy=2, nodes=("n12", "n13"))


def confd(database: Any = STOPPED, volumes: Any = (DATA,), **states: str) -> Any:
    """Five nodes, of which n15 is the master; one database on n12 and n13."""
    one = cluster(**{**dict.fromkeys(("n11", "n12", "n13", "n14", "n15"), "online"), **states})
    one.databases, one.database = (lambda: ["DB1"]), (lambda _name: database)
    one.database_nodes = lambda _name: ["n12", "n13"]
    one.services = lambda: {"Storaged": "OK"}
    one.volumes = lambda: SimpleNamespace(all=lambda: list(volumes), databases_of=lambda _volume: ["DB1"])
    one.lacks = lambda what: None if what == "node_config" else "none"
    rows = {"n12": NodeRow("n12", 12, {"priv_net": "10.0.0.12/24"}), "n13": NodeRow("n13", 13)}
    one.node_config = lambda: SimpleNamespace(read=lambda: rows)
    return one


def refusal(one: Any, *named: str, **more: Any) -> Refused:
    work = Rolling(one, RollingChoice(list(named), **more))
    with pytest.raises(Refused) as refused:
        work.refuse(work.order())
    return refused.value


def test_those_that_a_database_is_active_on_or_those_that_are_named() -> None:
    work = Rolling(confd(), RollingChoice([]))
    assert work.order() == ["n12", "n13"]
    assert work.addresses(work.order()) == {"n12": "10.0.0.12", "n13": "n13"}
    work.refuse(work.order())
    assert Rolling(confd(), RollingChoice(["14", "n11"])).order() == ["n14", "n11"]
    assert Rolling(confd(), RollingChoice(["n14"], cut_off="n13")).order() == ["n13", "n14"]
    with pytest.raises(NoSuchObject, match="there is no node n91"):
        Rolling(confd(), RollingChoice(["n91"]))
    nowhere = confd()
    nowhere.database_nodes = lambda _name: []
    with pytest.raises(ClusterError, match="so name the nodes to work on"):
        Rolling(nowhere, RollingChoice([])).order()


def test_a_database_that_is_up_keeps_its_nodes_and_one_sentence_says_so() -> None:
    told = refusal(confd(RUNNING))
    assert told.message == (
        "exa-unit: n12 n13: no node taken out: DB1 is running and active on n12 n13; has data on n12 n13 (volume Data)"
    )
    assert "no call takes a node from a database that is up" in str(told.hint)
    work = Rolling(confd(RUNNING), RollingChoice(["n14"]))
    work.refuse(work.order())


def test_the_master_and_the_majority_stay() -> None:
    assert "n15 not taken out: it is the master" in refusal(confd(), "n15").message
    two_away = confd(n13="suspended", n14="suspended")
    assert "only 2 of 5 nodes would stay online" in refusal(two_away, "n12", ignored=("n13", "n14")).message


def test_a_copy_that_is_the_only_one_stays() -> None:
    alone = DATA.with_(redundancy=1)
    assert "volume Data has no second copy of the data on n12" in refusal(confd(volumes=[alone]), "n12").message
    work = Rolling(confd(volumes=[alone]), RollingChoice(["n14"]))
    work.refuse(work.order())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"n14": "offline"}, "n14 is offline"),
        ({"n13": "suspended"}, "n13 is suspended"),
        ({"volumes": [DATA.with_(state="RECOVERING")]}, "volume Data is RECOVERING"),
        ({"volumes": [DATA.with_(away=("segment 1 OFFLINE",))]}, "volume Data is ONLINE (segment 1 OFFLINE)"),
        ({"volumes": [DATA.with_(state="LOCKED")]}, "volume Data is LOCKED"),
        ({"database": STOPPED.with_(operation="Restore")}, "DB1 has operation Restore"),
        ({"database": RUNNING.with_(connectible="No")}, "DB1 is running and accepts no connections"),
    ],
)
def test_not_all_is_well(change: dict[str, Any], says: str) -> None:
    assert says in refusal(confd(**change), "n11").message
    with pytest.raises(Failed, match="n12 is back, but the cluster is not as well as before"):
        Rolling(confd(**change), RollingChoice(["n12"])).fail_unless_well("n12")


def test_a_service_that_is_not_well() -> None:
    one = confd()
    one.services = lambda: {"Storaged": "OK", "Lockd": "failed"}
    assert "services Lockd failed" in refusal(one, "n11").message


def test_where_a_run_was_cut_off_nothing_else_may_be_missing() -> None:
    hurt = [DATA.with_(state="DEGRADED", away=("segment 1 OFFLINE",))]
    work = Rolling(confd(volumes=hurt, n13="suspended"), RollingChoice([], cut_off="n13"))
    work.refuse(work.order())
    assert work.order() == ["n13", "n12"]
    other = refusal(confd(volumes=hurt, n13="suspended", n14="offline"), cut_off="n13")
    assert other.message.endswith("no node taken out: n14 is offline")
    assert "cut_off" in str(other.hint)
    work.refuse(["n13"])
    two = confd(n11="suspended", n13="suspended")
    assert "3 of 5" not in refusal(two, cut_off="n13").message, "n13 is back before the others go"


def test_nodes_of_exaoperation_go_with_the_whole_cluster() -> None:
    one = confd()
    one.lacks = lambda _what: None
    with pytest.raises(Refused, match="are switched off only when EXAStorage isn't running"):
        Rolling(one, RollingChoice([]))


def test_services_and_volumes_are_awaited() -> None:
    services, volumes = Rolling(confd(), RollingChoice(["n12"])).whole()
    assert services.decide("services", services.one("services"), History()) == Done()
    assert services.decide("services", {"Lockd": "failed"}, History()) == Wait("Lockd failed")
    assert (volumes.names, volumes.decide("Data", volumes.one("Data"), History())) == (["Data"], Done())
    assert volumes.decide("Data", DATA.with_(state="RECOVERING"), History()) == Wait("RECOVERING")
    assert volumes.decide("Data", None, History()) == Done(), "somebody has deleted it"
    assert Rolling(confd(), RollingChoice(["n14"], ignored=("n13",))).whole()[1].names == []


def test_out_and_back() -> None:
    work = Rolling(confd(n12="suspended"), RollingChoice(["n12"]))
    assert [stage.done for stage in (*work.suspended("n12"), *work.resumed("n12"))] == ["suspended", "resumed"]
    (stage,) = Rolling(confd(), RollingChoice(["n12"])).would_be_resumed("n12")
    assert stage.one("n12") == "suspended", "as the preview before it would leave it"
