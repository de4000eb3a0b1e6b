# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may use the admin endpoint. What comes over the wire is in test_admin.py."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.gate import refusal
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.http import Request


def told(port: int = 8080, body: bytes = b"", **headers: str) -> int | None:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    given = {"host": f"localhost:{port}", "simulator-token": "t", **more}
    found = refusal(Request("POST", "/stop", given, body), port, "t")
    return None if found is None else found[0]


def test_a_port_that_is_left_out() -> None:
    assert told(80, host="localhost") is None
    assert told(8080, host="localhost") == 403


@pytest.mark.parametrize("origin", ["http://[", "https://localhost:8080", "http://localhost:8080.bad.example", "", "file://"])
def test_an_origin_that_is_nearly_its_own(origin: str) -> None:
    assert told(origin=origin) == 403
    assert told(referer=origin) == 403


def test_a_body_needs_a_type_and_nothing_else_does() -> None:
    assert told() is None
    assert told(body=b"{}") == 415
    assert told(body=b"{}", content_type="application/json") is None
    assert told(body=b"{}", content_type="application/x-www-form-urlencoded") == 415
