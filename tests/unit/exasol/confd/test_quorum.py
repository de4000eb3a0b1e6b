# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is made of a cluster without a quorum, at the wire."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import AnswerLost, ClusterError, Fault
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.states import WITHOUT_QUORUM
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.cluster import ConfdCluster
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.quorum import suspend_without_quorum
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.fake_nodes import Nodes, failed, result

RUNS = {"state": "running", "connectible": "Yes", "operation": "None"}


def answering(states: Any) -> tuple[ConfdCluster, Nodes]:
    def run(job: str, *_args: Any) -> Any:
        if job == "db_info":
            return result(RUNS)
        return states if "result_code" in states else result(states)

    nodes = Nodes(job_exec=run)
    return ConfdCluster(nodes.jobs()), nodes


@pytest.mark.parametrize(
    ("states", "connectible"),
    [
        ({"11": "online", "12": "online", "13": "offline"}, "Yes"),
        ({"11": "online", "12": "offline"}, WITHOUT_QUORUM),
        ({"11": "online", "12": "offline", "13": "offline"}, WITHOUT_QUORUM),
        ({"11": "online", "12": "suspended", "13": "deactivated"}, "Yes"),
        ({"11": "Online", "12": "suspended", "13": "offline"}, WITHOUT_QUORUM),
        (failed("only minority of nodes are online"), WITHOUT_QUORUM),
        (failed("internal error"), "Yes"),
        (failed("User dba is not allowed to run job node_state"), "Yes"),
    ],
)
def test_a_database_is_not_believed_without_a_quorum(states: Any, connectible: str) -> None:
    cluster, nodes = answering(states)
    found = cluster.database("DB1")
    assert (found.connectible, found.accepts_connections) == (connectible, connectible == "Yes")
    cluster.database("DB1")
    assert [call[1] for call in nodes.calls] == ["db_info", "node_state", "db_info"]  # one look tells of all


def without_quorum(**rpc: Any) -> Nodes:
    return Nodes("n11:443", "n12:443", **{"system.listMethods": (503, b""), **rpc})


def test_the_job_is_sent_though_nothing_can_be_read() -> None:
    nodes = without_quorum(job_exec=result())
    suspend_without_quorum(nodes.session(), ["n13", "14"])
    assert nodes.calls == [("job_exec", "node_suspend", {"params": {"nid": [13, 14]}})]


def test_each_node_that_is_heard_is_asked_where_none_names_a_master() -> None:
    nodes = without_quorum(job_exec=result())
    nodes.names = (503, b"")
    suspend_without_quorum(nodes.session(), ["n13"])
    assert nodes.count("job_exec") == 1


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (failed("Node 13 is suspended"), Fault, "node_suspend of n13.*Node 13 is suspended"),
        ((503, b""), AnswerLost, "node_suspend of n13.* at https://n1.*HTTP 503"),
    ],
)
def test_what_the_server_says_to_it(answer: Any, error: type[ClusterError], says: str) -> None:
    with pytest.raises(error, match=says):
        suspend_without_quorum(without_quorum(job_exec=answer).session(), ["n13"])


def test_a_name_without_a_number_is_refused_before_a_call() -> None:
    nodes = without_quorum(job_exec=result())
    with pytest.raises(ClusterError, match="the numbers of alpha can't be read"):
        suspend_without_quorum(nodes.session(), ["alpha"])
    assert nodes.sent == []
