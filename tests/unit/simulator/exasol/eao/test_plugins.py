# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Services of EXAoperation's plugins."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.dbfleet.cluster.tests.unit.simulator.conftest import UP, Lab


def test_plugins(lab: Callable[..., Lab]) -> None:
    plugin = "Administration.vmware-tools"
    one = lab(UP, plugin_nodes={plugin: {"n0012": "running"}}, timing={"plugin": 2})
    assert one.call("", "havePlugins") is True
    assert one.call("", "showPluginList") == [plugin]
    assert set(one.call("", "showPluginFunctions", plugin)) == {"START", "STOP", "RESTART", "STATUS"}
    assert one.call("", "callPlugin", plugin, "n0012", "STATUS") == [0, "vmtoolsd is running"]
    status, text = one.call("", "callPlugin", plugin, "n11", "STATUS")
    assert status == 256
    assert "is running" not in text
    assert one.call("", "callPlugin", plugin, "n0011", "START")[0] == 0
    assert one.call("", "callPlugin", plugin, "n0011", "STATUS")[0] == 256
    one.pass_time(2)
    assert one.call("", "callPlugin", plugin, "n0011", "STATUS")[1] == "vmtoolsd is running"
    one.call("", "callPlugin", plugin, "n0011", "RESTART")
    one.call("", "callPlugin", plugin, "n0011", "STOP")
    one.pass_time(2)
    assert one.call("", "callPlugin", plugin, "n0011", "STATUS")[0] == 256
    one.power("n0012", False)
    assert one.call("", "callPlugin", plugin, "n0012", "STATUS") == [256, "node n0012 is not online"]
    assert one.refused("", "callPlugin", "No.such", "n0011", "STATUS") == "Plugin No.such could not be found"
    assert "has no function DANCE" in one.refused("", "callPlugin", plugin, "n0011", "DANCE")
    rows = [row for row in one.cluster.record.calls() if row["method"] == "callPlugin"]
    assert [row["args"][2] for row in rows if row["changing"]] == ["START", "RESTART", "STOP", "DANCE"]
