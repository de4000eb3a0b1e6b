# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which processes an expression chooses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.nuodb.lbquery import QueryError, choose
from ansible_collections.dbfleet.cluster.tests.unit.simulator.nuodb.conftest import Lab


def test_processes_by_query(lab: Callable[..., Lab]) -> None:
    rows = lab().ok("GET", "processes?filterQuery=label%28zone+a%29&filterBy=type&type=TE")["data"]
    assert [row["startId"] for row in rows] == ["3"]


ROWS: list[dict[str, Any]] = [
    {"startId": "0", "host": "server0", "labels": {"zone": "a"}},
    {"startId": "1", "host": "server1", "labels": {"zone": "b", "rack": "1"}},
    {"startId": "2", "host": "server1", "labels": {}},
]


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        ("any", "012"),
        ("random(any)", "012"),
        ("round_robin(label(zone b))", "1"),
        ("random(first(label(pod ${pod:-}) label(zone ${zone:-a}) any))", "012"),
        ("first(label(pod x) label(zone ${zone}))", "1"),
        ("label(zone ${none:-a})", "0"),
        ("not(label(zone a))", "12"),
        ("or(label(zone a) start_id(2))", "02"),
        ("and(server_id(server1) label(rack 1))", "1"),
        ("first(label(zone c))", ""),
    ],
)
def test_what_a_query_chooses(query: str, chosen: str) -> None:
    assert "".join(row["startId"] for row in choose(query, ROWS, {"zone": "b"})) == chosen


@pytest.mark.parametrize("query", ["", "odd", "label", "label(a", "any any", "random(any any)", "(", "start_id(1 2)"])
def test_what_is_no_query(query: str) -> None:
    with pytest.raises(QueryError):
        choose(query, ROWS)
