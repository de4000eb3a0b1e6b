# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every call is recorded."""

from __future__ import annotations

import json
from collections.abc import Callable

from ansible_collections.dbfleet.cluster.tests.unit.simulator.conftest import PASSWORD, Lab


def test_record(lab: Callable[..., Lab]) -> None:
    """Every call with what came of it, and no password anywhere."""
    one = lab()
    one.call("", "getNodeList")
    one.refused("/db_DB2", "startDatabase")
    one.refused("", "addUser", {"user_login": "x", "password": "other", "comment": f"it is {PASSWORD}"})
    rows = one.cluster.record.calls()
    assert [row["n"] for row in rows] == [1, 2, 3]
    assert [row["changing"] for row in rows] == [False, True, False]
    assert rows[0]["result"] == ["n0011", "n0012", "n0013"]
    assert rows[1]["fault"] == "Database DB2 is already running"
    assert {"n", "time", "user", "path", "method", "args", "changing", "fault_injected"} <= set(rows[0])
    text = json.dumps(rows)
    assert PASSWORD not in text
    assert json.dumps(PASSWORD)[1:-1] not in text
    assert "other" not in text
    one.cluster.record.clear()
    one.call("", "getNodeList")
    assert [row["n"] for row in one.cluster.record.calls()] == [4]
