# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start plans."""

from __future__ import annotations

from collections.abc import Callable

from .conftest import BARE, Lab


def test_plans(lab: Callable[..., Lab]) -> None:
    one = lab()
    reusable = one.ok("POST", "databases/test/startplan", {"reusable": True, "smHosts": {}, "teHosts": ["server2"]})
    te = {"dbName": "test", "engineType": "TE", "host": "server2", "labels": {}, "overrideOptions": {}}
    assert reusable == {"incremental": True, "processes": [te]}
    # a TE that is there counts
    body = {"reusable": False, "teHosts": ["server0", "server0", "server1"]}
    plan = one.ok("POST", "databases/test/startplan", body)["processes"]
    assert [(row["host"], row["expectedIncarnation"]) for row in plan] == [("server0", {"major": 1, "minor": 4})]
    one.act("/die", start_id="1")
    plan = one.ok("POST", "databases/test/startplan", {"reusable": True})["processes"]
    assert [(row["engineType"], row["archiveId"], row["host"]) for row in plan] == [("SM", 1, "server1")]


def test_plan_of_an_external_archive(lab: Callable[..., Lab]) -> None:
    one = lab(BARE, databases={"test": {}}, settings={"start_of_external_archive": "accept"})
    body = {"dbName": "test", "host": None, "path": "/a", "remoteStart": True, "restored": True}
    assert "host" not in one.ok("POST", "archives", body)
    plan = one.ok("POST", "databases/test/startplan", {"reusable": True, "smHosts": {"0": "server2"}})
    assert plan["processes"][0]["host"] == "server2"
    body = {"dbName": "test", "engineType": "SM", "archiveId": 0, "host": "server1"}
    assert one.ok("POST", "processes", body)["host"] == "server1"


def test_capture(lab: Callable[..., Lab]) -> None:
    one = lab()
    captured = one.ok("GET", "databases/test/capture?checkState=True")
    assert captured["incremental"] is False
    assert [(row["engineType"], row.get("archiveId"), row["labels"]) for row in captured["processes"]] == [
        ("SM", 0, {}), ("SM", 1, {}), ("TE", None, {}), ("TE", None, {"zone": "a"}),
    ]  # fmt: skip
    one.act("/die", start_id="1")
    assert one.refused("GET", "databases/test/capture?checkState=True")[0] == 409
    assert len(one.ok("GET", "databases/test/capture?checkState=False")["processes"]) == 3
