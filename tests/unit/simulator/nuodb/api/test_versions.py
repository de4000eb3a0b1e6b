# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions of a database, its encryption, and its hand-over."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.dbfleet.cluster.tests.unit.simulator.nuodb.conftest import Lab


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
