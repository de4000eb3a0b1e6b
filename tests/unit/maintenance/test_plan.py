# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run is going to do, in words."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.maintenance import plan
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.maintenance.settings import settings_of


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "WIDTH", None)


def of(*waves: list[str], accepted: str = "", **given: Any) -> plan.Plan:
    hosts = [host for wave in waves for host in wave]
    found = {host: settings_of(host, {"maintenance_work": "f", **given}) for host in hosts}
    return plan.Plan(dict.fromkeys(hosts), found, list(waves), set(accepted))  # type: ignore[arg-type]


ROWS = {
    "a": {"state": "up", "summary": "a: nodes 2/2 online"},
    "b": {"state": "degraded", "summary": "b: nodes 1/2 online"},
    "c": {"state": "unreachable", "summary": "c: unreachable: refused"},
}


def test_the_plan_in_words() -> None:
    assert [text for text, _colour in plan.lines_of(of(["a"], ["b", "c"], accepted="b"), ROWS)] == [
        "maintenance: 3 clusters in 2 waves; the next wave begins when every cluster before it is healthy",
        "WAVE  CLUSTER  STATE                WHAT",
        "1     a        up                   nodes 2/2 online",
        "2     b        degraded (accepted)  nodes 1/2 online",
        "2     c        unreachable          unreachable: refused",
    ]


def test_what_lets_the_next_wave_begin() -> None:
    one = plan.lines_of(of(["a"]), ROWS)[0][0]
    assert one == "maintenance: 1 cluster in 1 wave"
    two = plan.lines_of(of(["a"], ["b"], maintenance_max_failures=2), ROWS)[0][0]
    assert two.endswith("in 2 waves; the next wave begins when no more than 2 of the clusters before it are sick")


def test_who_is_sick() -> None:
    found = of(["a", "b", "c"], accepted="b")
    assert [host for host in "abc" if found.is_sick(host, ROWS[host])] == ["c"]
    assert found.number_of("c") == 1
