# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table while the answers come."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils import progress
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.fleet import show


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(show.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    lines: list[tuple[str, Any]] = []
    monkeypatch.setattr(progress, "show", lambda text, _place, colour=None: lines.append((text, colour)))
    return lines


def row(name: str, state: str) -> tuple[str, Any]:
    return name, {"state": state, "summary": f"{name}: so it is"}


def test_a_quick_fleet_is_one_table_in_order(clock: list[float], said: list[Any]) -> None:
    table = show.Show(["a", "b", "c"], "auto")
    for one in (row("c", "up"), None, row("a", "degraded"), row("b", "unreachable")):
        table.add(one)
    assert said == []
    table.end("3 clusters")
    assert [text for text, _colour in said] == [
        "STATE        CLUSTER  WHAT",
        "unreachable  b        so it is",
        "degraded     a        so it is",
        "up           c        so it is",
        "3 clusters",
    ]
    assert len({colour for _text, colour in said[1:4]}) == 3


def test_of_a_slow_fleet_what_came_is_shown_and_at_the_end_what_needs_attention(
    clock: list[float], said: list[Any]
) -> None:
    table = show.Show(["a", "b", "c"], "auto")
    table.add(row("b", "up"))
    clock[0] += 3
    table.add(row("a", "down"))
    table.add(None)
    assert [text.split()[0] for text, _colour in said] == ["STATE", "down", "up"]
    clock[0] += 31
    table.add(None)
    assert said[-1][0] == "2/3 clusters have reported their state, waiting for c"
    table.add(row("c", "up"))
    table.end("3 clusters")
    assert [text for text, _colour in said[4:]] == [
        "up           c        so it is", "Clusters that are not up:", "down         a        so it is", "3 clusters",
    ]  # fmt: skip


def test_one_cluster_is_one_line(clock: list[float], said: list[Any]) -> None:
    table = show.Show(["exa-prod"], "auto")
    table.add(row("exa-prod", "up"))
    table.end("1 cluster")
    assert [text for text, _colour in said] == ["up           exa-prod  so it is"]
