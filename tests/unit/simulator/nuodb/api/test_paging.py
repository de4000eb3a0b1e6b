# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists as the API gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.simulator.nuodb.conftest import BARE, Lab


def _dead(number: int, name: str = "test") -> dict[str, Any]:
    row = {"db_name": name, "engine_type": "TE", "server_id": f"server{number % 3}", "address": "server0:48006"}
    return {**row, "incarnation": [number % 2, number], "exit_code": number % 5, "archive_id": None}


@pytest.fixture
def long(lab: Callable[..., Lab]) -> Lab:
    archives = {
        str(n): {"db_name": "test" if n % 2 else "test2", "server_id": "server0", "archive_path": f"/a/{n}"}
        for n in range(250)
    }
    return lab(BARE, archives=archives, tombstones={str(n): _dead(n) for n in range(25)})


def ids(one: Lab, query: str, path: str = "archives") -> list[Any]:
    rows = one.ok("GET", f"{path}?{query}")["data"]
    return [row["id"] if path == "archives" else row["process"]["startId"] for row in rows]


def test_pages(long: Lab) -> None:
    first = long.ok("GET", "archives?offset=0&limit=20&orderBy=id")
    assert (len(first["data"]), first["hasNext"], first["maxLimit"]) == (20, True, 100)
    assert ids(long, "offset=20&limit=40&orderBy=id") == list(range(20, 60))
    assert len(long.ok("GET", "archives?limit=1000")["data"]) == 100
    last = long.ok("GET", "archives?offset=240&limit=10")
    assert (len(last["data"]), last["hasNext"]) == (10, False)
    assert long.ok("GET", "archives?offset=900")["data"] == []


def test_filters_are_expressions_that_match_the_whole(long: Lab, lab: Callable[..., Lab]) -> None:
    assert len(ids(long, "limit=100&filterBy=dbName&dbName=test&filterBy=id&id=1.")) == 5
    assert ids(long, "filterBy=id&id=7") == [7]
    assert ids(long, "filterBy=dbName&dbName=tes") == []
    assert ids(long, "filterBy=nothing&nothing=.*") == []
    assert ids(long, "filterBy=path&path=%2Fa%2F2%5B01%5D") == [20, 21]
    dead = "filterBy=process.dbName&process.dbName=test&filterBy=exitCode&exitCode=3"
    assert ids(long, dead, "processes/exited") == ["3", "8", "13", "18", "23"]
    part = lab(BARE, archives={"0": {"db_name": "test", "archive_path": "/a"}}, settings={"filter_match": "part"})
    assert ids(part, "filterBy=dbName&dbName=es") == [0]


def test_order(long: Lab, lab: Callable[..., Lab]) -> None:
    assert ids(long, "limit=100&orderBy=process.startId", "processes/exited") == [str(n) for n in range(25)]
    fields = "databaseIncarnation.major,databaseIncarnation.minor,process.startId"
    down = "databaseIncarnation.major,databaseIncarnation.minor"
    rows = ids(long, f"limit=100&orderBy={fields}&descendingFields={down}", "processes/exited")
    assert rows == [str(n) for n in (*range(23, 0, -2), *range(24, -1, -2))]
    rows = ids(long, "limit=100&orderBy=databaseIncarnation", "processes/exited")
    assert rows == [str(n) for n in (*range(0, 25, 2), *range(1, 25, 2))]
    texts = lab(BARE, tombstones={str(n): _dead(n) for n in (9, 10)}, settings={"start_id_order": "text"})
    assert ids(texts, "orderBy=process.startId", "processes/exited") == ["10", "9"]
