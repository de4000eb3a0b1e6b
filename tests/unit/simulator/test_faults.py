# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which calls a fault meets, and how they go wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.simulator.conftest import Lab


@pytest.mark.parametrize(
    ("rule", "status", "words", "carried_out"),
    [
        ({"kind": "html"}, 502, b"<html>", False),
        ({"kind": "html", "status": 200, "text": "<html>proxy</html>"}, 200, b"proxy", False),
        ({"kind": "unauthorized"}, 401, b"Unauthorized", False),
        ({"kind": "server_error"}, 500, b"error", False),
        ({"kind": "fault", "text": "no, thanks"}, 200, b"no, thanks", False),
        ({"kind": "wrong_state", "value": "odd"}, 200, b"<string>odd</string>", False),
        ({"kind": "slow", "delay": 0.01}, 200, b"<nil/>", True),
    ],
)
def test_faults_of_calls(
    lab: Callable[..., Lab], rule: dict[str, Any], status: int, words: bytes, carried_out: bool
) -> None:
    one = lab()
    one.fault(method="startDatabase", object="DB1", max_count=1, **rule)
    body = b"<methodCall><methodName>startDatabase</methodName></methodCall>"
    answer = one.post("/cluster1/db_DB1", body)
    assert answer.status == status
    assert words in answer.body
    assert (one.database("DB1") == "startup") is carried_out
    assert one.cluster.record.calls()[0]["fault_injected"] == rule["kind"]
    assert one.call("/db_DB1", "getDatabaseState") == ("startup" if carried_out else "setup")


@pytest.mark.parametrize(
    ("rule", "hits"),
    [
        ({}, 4),
        ({"max_count": 2}, 2),
        ({"after": 3}, 1),
        ({"object": "n0012"}, 2),
        ({"object": "n0099"}, 0),
        ({"method": "getServiceState"}, 0),
        ({"probability": 0.0}, 0),
    ],
)
def test_which_calls_a_fault_meets(lab: Callable[..., Lab], rule: dict[str, Any], hits: int) -> None:
    one = lab()
    one.fault(**{"kind": "wrong_state", "method": "getNodeState", "value": "odd", **rule})
    answers = [one.call("", "getNodeState", node) for node in ("n0011", "n0012")]
    answers += [one.call(f"/{node}", "getNodeState") for node in ("n0011", "n0012")]
    assert answers.count("odd") == hits


def test_the_draw_is_the_same_each_time(lab: Callable[..., Lab]) -> None:
    def draw() -> list[Any]:
        one = lab()
        one.fault(kind="wrong_state", value=1, probability=0.5)
        return [one.call("", "getDatabaseList") for _turn in range(30)]

    first = draw()
    assert 5 < first.count(1) < 25
    assert draw() == first
