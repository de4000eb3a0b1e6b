# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls that every object has."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.dbfleet.cluster.tests.unit.simulator.conftest import Lab


def test_generic_calls(lab: Callable[..., Lab]) -> None:
    one = lab()
    objects = one.call("", "listObjects")
    assert objects == ["bfsdefault", "logservice1", "n0011", "n0012", "n0013", "db_DB1", "db_DB2", "storage", "support"]
    for name in [f"/{name}" for name in objects] + [""]:
        assert "methodHelp" in one.call(name, "listMethods")
        assert one.call(name, "getPath")[0] == f"/cluster1{name}"
    assert "Start EXAStorage" in one.call("/storage", "methodHelp", "startEXAStorage")
    assert one.call("", "methodHelp", "getServiceState") is None
    assert one.call("", "methodSignature", "callPlugin") == ["plugin", "node", "command", "extra"]
    assert one.call("/storage", "getListValues", "Nodes") == ["n0011", "n0012", "n0013"]
    assert one.refused("", "getListValues", "Nope") == "List Nope could not be found"
