# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What XML-RPC has no integer for is refused in one sentence, by the admin endpoint and in a topology."""

from __future__ import annotations

import xmlrpc.client
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.checks import TopologyError
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.common.numbers import LARGEST, too_large
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.topology import load
from ansible_collections.dbfleet.cluster.tests.unit.simulator.conftest import UP, Live

BIG = LARGEST + 1
CONFD: dict[str, Any] = {"product": "exasol", "provider": "confd", "name": "exa-unit"}


def refused(one: Live, **rule: Any) -> str:
    answer = one.admin("POST", "/faults", rule)
    assert answer.get("status") == 400, answer
    assert one.admin("GET", "/faults") == []
    return str(answer["error"])


@pytest.mark.parametrize("value", [BIG, -BIG - 1, [1, {"a": [True, BIG]}], {"id": 10**20}])
def test_an_answer_that_could_not_be_sent(live: Callable[..., Live], value: Any) -> None:
    one = live(UP)
    said = refused(one, kind="wrong_state", method="getDatabaseList", value=value)
    assert said == f"The value of wrong_state has {too_large(value)}, and an integer of XML-RPC has 32 bits."
    one.admin("POST", "/faults", {"kind": "wrong_state", "method": "getDatabaseList", "value": [LARGEST, -BIG, 1e20]})
    assert one.proxy().getDatabaseList() == [LARGEST, -BIG, 1e20]


def test_a_code_that_could_not_be_sent(live: Callable[..., Live]) -> None:
    """ConfD's large values go as texts, and its codes can't."""
    one = live(CONFD)
    said = refused(one, kind="fault", method="job_list", status=BIG)
    assert said == f"The status of fault is {BIG}, and an integer of XML-RPC has 32 bits."
    assert one.admin("POST", "/faults", {"kind": "wrong_state", "method": "job_list", "value": BIG})["id"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"volumes": {"v0001": {"id": BIG}}}, f"volumes: id is {BIG}"),
        ({"volumes": {"v0001": {"id": str(BIG)}}}, f"volumes: id is {BIG}"),
        ({"volumes": {"v0001": {"priority": BIG}}}, f"volumes: priority is {BIG}"),
        ({"volumes": {"v0001": {"size": f"{BIG} GiB"}}}, f"volumes: size is {BIG} GiB"),
        ({"remote_volumes": {"r0001": {"vid": BIG}}}, f"remote_volumes: vid is {BIG}"),
        ({"backups": {"DB1": [{"bid": BIG}]}}, f"backups: bid is {BIG}"),
        ({"backups": {"DB1": [{"id": f"{BIG} DB1/id_1 DB1"}]}}, f"backups: id is {BIG} DB1/id_1 DB1"),
        ({"schedules": {"DB1": [{"level": BIG}]}}, f"schedules: level is {BIG}"),
        ({"schedules": {"DB1": {"daily": {"minute": BIG}}}}, f"schedules: minute is {BIG}"),
        ({"databases": {"DB1": {"used": f"{BIG} GiB"}}}, f"databases: used is {BIG} GiB"),
        ({"nodes": {f"n{BIG}": {}}}, f"n{BIG} has a number"),
    ],
)
def test_a_topology_that_could_not_be_told(change: dict[str, Any], words: str) -> None:
    with pytest.raises(TopologyError, match=f"^Cluster exa-unit: {words}.* 32 bits\\.$"):
        load({**UP, **change})


def test_what_is_no_integer_of_an_answer_may_be_large() -> None:
    row = {"size": 2**50, "labels": [str(BIG)], "state": "ONLINE"}
    spec = load({**UP, "volumes": {"v0001": row}, "settings": {"seed": BIG}})[0]
    assert spec.volumes["v0001"]["size"] == 2**50


@pytest.mark.parametrize("text", [f"{BIG} EPERM no", "EPERM no"])
def test_a_refusal_of_confd_begins_with_a_code(text: str) -> None:
    code = text.partition(" ")[0]
    with pytest.raises(
        TopologyError, match=f"settings: permission must begin with a code of at most 32 bits, not '{code}'"
    ):
        load({**CONFD, "settings": {"permission": text}})


def test_what_a_call_makes_too_large_is_a_fault(lab: Callable[..., Any]) -> None:
    one = lab()
    one.fault(kind="wrong_state", method="getDatabaseList", value=[BIG])  # past the endpoint
    with pytest.raises(xmlrpc.client.Fault, match="OverflowError"):
        one.call("", "getDatabaseList")
