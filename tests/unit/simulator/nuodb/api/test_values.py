# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The key-value store."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.simulator.nuodb.conftest import Lab


@pytest.mark.parametrize("key", ["/a/b", "a b%2F?#\u00e4", "peers", "x=1&y"])
def test_keys_are_taken_as_they_are(lab: Callable[..., Lab], key: str) -> None:
    one = lab()
    path = f"kvstore/{quote(key, safe='')}"
    assert one.ok("GET", path) == {"key": key, "value": None}
    one.ok("PUT", path, {"key": key, "newValue": "v1", "expectedValue": None, "expectedAbsent": True})
    assert one.ok("GET", path)["value"] == "v1"


def test_compare_and_set(lab: Callable[..., Lab]) -> None:
    one = lab()

    def put(new: str | None, expected: str | None = None, absent: bool = False) -> int:
        body = {"key": "k", "newValue": new, "expectedValue": expected, "expectedAbsent": absent}
        return one.send("PUT", "kvstore/k", body).status

    assert [put("1", absent=True), put("2", absent=True), put("2", "0"), put("2", "1"), put("3")] == [
        200, 409, 409, 200, 200,
    ]  # fmt: skip
    assert one.ok("GET", "kvstore/k")["value"] == "3"
    assert put(None, "3") == 200
    assert one.domain.values == {}
