# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions of a database, its encryption, and its hand-over."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.dbfleet.cluster.tests.unit.simulator.nuodb.conftest import UP, Lab


def test_versions(lab: Callable[..., Lab]) -> None:
    one = lab(settings={"database_versions": "1769472=7.0, 1835008=8.0"})
    row = one.ok("GET", "databases/test/versions")
    assert (row["effectiveVersion"], row["version"], row["maxVersion"]) == ("1769472", "7.0", "1835008")
    assert row["availableVersions"] == [{"versionId": "1835008", "name": "8.0"}]
    assert row["processVersions"] == {"4.2.1-1": ["0", "2", "1", "3"]}
    one.ok("POST", "databases/test/upgrade?maxVersion=True")
    assert one.ok("GET", "databases/test/versions")["version"] == "8.0"
    assert one.refused("POST", "databases/test/upgrade?version=1769472")[0] == 400


def test_what_a_rolling_upgrade_shows_while_it_is_under_way(lab: Callable[..., Lab]) -> None:
    old = {key: {**row, "version": "6.0-1"} for key, row in UP["processes"].items()}
    settings = {"database_versions": "1703936=6.0,1769472=7.0", "release_versions": "6.0-1=1703936"}
    one = lab(settings=settings, processes=old, version="7.0-2")
    row = one.ok("GET", "databases/test/versions")
    assert (row["maxVersion"], row["availableVersions"]) == ("1703936", [])
    assert one.refused("POST", "databases/test/upgrade?version=1769472")[0] == 400
    for number in ("3", "2", "1", "0"):
        request = {name: one.ok("GET", f"processes/{number}").get(name) for name in ("dbName", "archiveId", "host")}
        kind = {"engineType": "TE" if request["archiveId"] is None else "SM"}
        one.ok("DELETE", f"processes/{number}")
        one.pass_time(60)
        one.ok("POST", "processes", {**request, **kind})
        one.pass_time(60)
        row = one.ok("GET", "databases/test/versions")
        if number == "2":
            assert {key: sorted(ids) for key, ids in row["processVersions"].items()} == {
                "6.0-1": ["0", "1"], "7.0-2": ["4", "5"]
            }  # fmt: skip
            assert row["allVersions"]["7.0-2"] == {"version": "7.0", "versionId": "1769472"}
    assert row["availableVersions"] == [{"versionId": "1769472", "name": "7.0"}]
    assert one.ok("GET", "processes/4")["version"] == "7.0-2"
    one.ok("POST", "databases/test/upgrade?maxVersion=True")
    assert one.ok("GET", "databases/test/versions")["availableVersions"] == []


def test_a_server_that_is_too_old_for_versions(lab: Callable[..., Lab]) -> None:
    one = lab(settings={"versions_call": False})
    assert one.refused("GET", "databases/test/versions")[0] == 404


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
