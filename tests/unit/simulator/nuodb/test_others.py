# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values, load balancers, regions, certificates, versions, encryption, diagnostics."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from urllib.parse import quote

import pytest

from .conftest import Lab


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


def test_certificates(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.ok("POST", "peers/certificates?remove=False&waitFullyReplicatedSec=3", {"alias": "a", "certificatePem": "PEM"})
    found = one.ok("GET", "peers/certificates")
    assert found["trustedCertificates"]["a"]["certificatePem"] == "PEM"
    assert set(found["serverCertificates"]) == {"server0", "server1", "server2"}
    assert set(found["processCertificates"]) == {"0", "1", "2", "3"}
    one.ok("POST", "peers/certificates?remove=True", {"alias": "a", "certificatePem": None})
    assert one.ok("GET", "peers/certificates")["trustedCertificates"] == {}


def test_versions(lab: Callable[..., Lab]) -> None:
    one = lab(settings={"database_versions": "1769472=7.0, 1835008=8.0"})
    row = one.ok("GET", "databases/test/versions")
    assert (row["effectiveVersion"], row["version"], row["maxVersion"]) == ("1769472", "7.0", "1835008")
    assert row["availableVersions"] == [{"versionId": "1835008", "name": "8.0"}]
    assert row["processVersions"] == {"4.2.1-1": ["0", "2", "1", "3"]}
    one.ok("POST", "databases/test/upgrade?maxVersion=True")
    assert one.ok("GET", "databases/test/versions")["version"] == "8.0"
    assert one.refused("POST", "databases/test/upgrade?version=1769472")[0] == 400


def test_encryption_and_handover(lab: Callable[..., Lab]) -> None:
    one = lab()

    def encrypt(new: str, current: str | None) -> int:
        body = {"dbName": "test", "newTargetStoragePassword": new, "currentTargetStoragePassword": current}
        return one.send("POST", "databases/dataEncryption?configUpdateTimeoutSec=10", body).status

    passwords = (("n1", None), ("n1", "n1"), ("n2", "xx"), ("n2", "n1"), ("n1", "n1"))
    assert [encrypt(new, current) for new, current in passwords] == [200, 200, 400, 200, 400]
    assert "n2" not in str([row["args"] for row in one.domain.record.calls()])
    row = one.ok("GET", "databases/test/reportTimestamp", {"archiveIds": ["1"], "timeoutMs": 10000})
    assert row["leaders"] == {"1": 1}
    assert {"timestamp", "commits", "epoch"} <= set(row)
    assert one.ok("POST", "databases/test/resetState", {"commits": [1], "epoch": 1, "leaders": {"1": 1}}) is None


def test_diagnostics(lab: Callable[..., Lab]) -> None:
    one = lab(settings={"license_type": "Community"})
    row = one.ok("POST", "diagnostics/log", {"message": "hi"})
    assert (row["licenseType"], row["serverTimeMillis"] > 1e12) == ("Community", True)
    assert one.ok("GET", "diagnostics/kube")["pods"] == {}
    assert one.ok("GET", "diagnostics/captureDomainState")["name"] == "nuo-unit"
    reply = one.send("GET", "diagnostics/logs?includeThreadDump=False")
    assert "filename=" in reply.headers["Content-Disposition"]
    assert "server0/nuoadmin.log" in zipfile.ZipFile(io.BytesIO(reply.body)).namelist()
