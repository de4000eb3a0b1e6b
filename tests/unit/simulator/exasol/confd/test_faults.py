# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of calls, of the master's address, and of what a cluster is made of."""

from __future__ import annotations

import xmlrpc.client
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.faults import parse
from ansible_collections.dbfleet.cluster.tests.unit.simulator.exasol.confd.calls import STATE, body
from ansible_collections.dbfleet.cluster.tests.unit.simulator.exasol.confd.conftest import Lab


@pytest.mark.parametrize(
    ("rule", "status", "breakage"),
    [
        ({"kind": "reset"}, 0, "reset"),
        ({"kind": "refuse"}, 0, "reset"),
        ({"kind": "hang"}, 0, "hang"),
        ({"kind": "html"}, 502, ""),
        ({"kind": "unauthorized"}, 401, ""),
        ({"kind": "server_error"}, 500, ""),
        ({"kind": "truncate"}, 200, "short"),
        ({"kind": "truncate", "variant": "xml"}, 200, ""),
        ({"kind": "slow"}, 200, ""),
    ],
)
def test_faults_of_calls(lab: Callable[..., Lab], rule: dict[str, Any], status: int, breakage: str) -> None:
    one = lab(clock="immediate")
    one.fault(method="db_state", object="DB1", max_count=1, **rule)
    assert one.post(body("job_exec", "db_state", {"params": {"db_name": "DB2"}})).status == 200
    answer = one.post(body(*STATE))
    assert (answer.status, answer.breakage) == (status, breakage)
    assert one.cluster.record.calls()[-1]["fault_injected"] == rule["kind"]
    assert one.call(*STATE)["result_output"] == "running"


def test_faults_that_are_answers(lab: Callable[..., Lab]) -> None:
    one = lab(clock="immediate")
    one.fault(method="job_exec", kind="wrong_state", value="setup", max_count=1)
    one.fault(method="job_exec", kind="fault", text="internal error", max_count=1)
    one.fault(method="job_start", kind="fault", text="queue is full", max_count=1)
    assert one.call(*STATE)["result_output"] == "setup"
    result = one.call(*STATE)
    assert (result["result_code"], result["result_desc"]) == (1, "internal error")
    with pytest.raises(xmlrpc.client.Fault, match="queue is full"):
        one.call("job_start", *STATE[1:])


def test_an_answer_that_is_lost_was_carried_out(lab: Callable[..., Lab]) -> None:
    one = lab(clock="immediate")
    one.fault(method="db_stop", kind="reset_after", max_count=1)
    answer = one.post(body("job_exec", "db_stop", {"params": {"db_name": "DB1"}}))
    assert answer.breakage == "reset"
    assert one.call(*STATE)["result_output"] == "setup"


def test_faults_of_the_master_s_address(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.fault(method="master", kind="wrong_state", value="10.9.9.9")
    assert one.http("GET", "/master").body == b"10.9.9.9"
    one.fault(method="is_master", object="n12", kind="server_error")
    assert [one.http("GET", "/is_master", node=node).status for node in ("n11", "n12")] == [200, 500]


def test_what_dies(lab: Callable[..., Lab]) -> None:
    one = lab()
    for name in ("DB1", "n13", "storage"):
        with one.cluster.lock:
            one.cluster.dies(parse({"kind": "dies", "object": name}, one.service.on_machines))
    assert one.cluster.databases["DB1"].state == "setup"
    assert one.ok("node_state")["13"] == "offline"
    assert one.run("st_volume_list")["result_name"] == "STE_MINORITY"
    assert one.rules() == []
