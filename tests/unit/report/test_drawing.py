# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The timeline as plain data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.report.drawing import MOST_TICKS, drawn


def test_bars_follow_each_other_to_the_end(new_row: Callable[..., Any]) -> None:
    found = drawn(new_row())
    bars = found["groups"][0]["rows"][0]["bars"]
    assert [(round(one["x"]), round(one["x"] + one["width"]), one["how"]) for one in bars] == [
        (2, 3, "due"), (3, 12, "waits"), (12, 100, "there"),
    ]  # fmt: skip
    assert [one["text"] for one in found["phases"]] == ["api", "nodes"]


def test_a_failed_object_is_marked_where_the_run_ended(new_row: Callable[..., Any]) -> None:
    marks = {one["name"]: [mark["kind"] for mark in one["marks"]] for one in drawn(new_row())["groups"][0]["rows"]}
    assert marks == {"n0011": ["step", "fault"], "n0012": [], "n0013": ["retry", "failed"]}


def test_of_a_module_without_a_timeline_its_steps_are_known(new_row: Callable[..., Any]) -> None:
    rows = drawn(new_row(objects=[], marks=[]))["groups"][0]["rows"]
    assert [(one["name"], one["end"]) for one in rows] == [("n0011", "unknown"), ("n0013", "unknown")]
    assert rows[0]["words"] == "startupNode: offline -> online (00:05 within this time)"


@pytest.mark.parametrize("seconds", [0.0, 0.3, 7.0, 61.0, 5000.0, 400_000.0])
def test_the_axis_has_few_ticks(new_row: Callable[..., Any], seconds: float) -> None:
    ticks = drawn(new_row(seconds=seconds, objects=[], marks=[], steps=[], phases=[]))["ticks"]
    assert 1 <= len(ticks) <= MOST_TICKS + 1
    assert ticks[0] == {"x": 0.0, "text": "00:00"}
