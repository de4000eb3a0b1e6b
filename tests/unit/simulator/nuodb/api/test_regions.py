# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Regions."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.dbfleet.cluster.tests.unit.simulator.nuodb.conftest import Lab


def test_regions(lab: Callable[..., Lab]) -> None:
    one = lab()
    assert one.ok("POST", "regions", {"name": "east"}) == {"id": 1, "name": "east"}
    assert one.ok("PUT", "regions/1", {"oldName": "east", "name": "west"})["name"] == "west"
    assert one.ok("GET", "regions/1")["name"] == "west"
    one.ok("PUT", "databases/test/hosts", {"regionId": "1", "serverId": "server1"})
    one.ok("PUT", "databases/test/defaultRegion", {"regionId": 1})
    row = one.ok("GET", "databases/test")
    assert (row["hostAssignments"], row["defaultRegionId"]) == ({"server1": 1}, 1)
    assert one.ok("GET", "processes/1")["regionName"] == "west"
    assert one.refused("DELETE", "regions/1")[0] == 409
    one.ok("DELETE", "databases/test/hosts", {"serverId": "server1"})
    one.ok("PUT", "databases/test/defaultRegion", {"regionId": "0"})
    one.ok("DELETE", "regions/1")
    assert one.ok("GET", "regions")["data"] == [{"id": 0, "name": "Default"}]
