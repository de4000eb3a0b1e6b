# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which TE a client is given."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.dbfleet.cluster.tests.unit.simulator.nuodb.conftest import Lab


def test_connections(lab: Callable[..., Lab]) -> None:
    one = lab()
    assert one.ok("GET", "databases/test/sqlConnection")["startId"] == "2"
    assert one.ok("GET", "databases/test/sqlConnection?LBQuery=random(label(zone%20a))")["startId"] == "3"
    assert one.send("GET", "databases/test/sqlConnection?LBQuery=label(zone%20x)").body == b""
    one.ok("POST", "databases/loadBalancerPolicy/near", {"policyName": "near", "lbQuery": "label(zone ${zone:-b})"})
    assert one.ok("GET", "databases/test/sqlConnection?LBPolicy=near") is None
    assert one.ok("GET", "databases/test/sqlConnection?LBPolicy=near&zone=a")["startId"] == "3"
    assert one.ok("GET", "databases/loadBalancerPolicies")["data"][0]["policyName"] == "near"
    one.ok("DELETE", "databases/loadBalancerPolicy/near")
    config = {"isGlobal": False, "dbName": "test", "defaultLbQuery": "label(zone a)", "prefilter": None}
    one.ok("POST", "databases/loadBalancerConfig", config)
    assert one.ok("GET", "databases/test/sqlConnection")["startId"] == "3"
    one.ok("POST", "databases/loadBalancerConfig", {"isGlobal": True, "dbName": None, "prefilter": "start_id(2)"})
    assert one.ok("GET", "databases/test/sqlConnection") is None
    path = "databases/loadBalancerConfig?unregisterDefaultLbQuery=True&unregisterPrefilter=True"
    one.ok("POST", path, {"dbName": "test", "defaultLbQuery": None, "prefilter": None})
    assert one.ok("GET", "databases/test/sqlConnection")["startId"] == "2"
    assert [row["isGlobal"] for row in one.ok("GET", "databases/loadBalancerConfigs")["data"]] == [False, True]
