# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The admin endpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.common.rules import RULES
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.common.settings import SETTINGS, TIMING
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.eao.faults import ON_MACHINES
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.faults import ON_CALLS
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.topology import load

from .conftest import UP, Live


def test_about_tells_everything(live: Callable[..., Live]) -> None:
    one = live({**UP, "settings": {"node_off": "Gone"}})
    about = one.admin("GET", "/about")
    assert about == one.admin("GET", "/")
    assert set(about["settings"]) == set(SETTINGS)
    assert about["settings"]["node_off"]["value"] == "Gone"
    assert set(about["timing"]) == set(TIMING)
    assert set(about["rules"]) == set(RULES)
    assert about["faults"] == {"calls": ON_CALLS, "machines": ON_MACHINES}
    assert "getHardwareInformation" in about["calls"]["cluster"]
    assert "addUser" in about["calls_not_supported"]["cluster"]
    assert not set(about["calls"]["cluster"]) & set(about["calls_not_supported"]["cluster"])
    assert all(row["meaning"] for row in about["settings"].values())


def test_state_is_a_topology_and_no_read(live: Callable[..., Live]) -> None:
    one = live(UP, "polls:1")
    one.proxy("/db_DB1").startDatabase()
    for _turn in range(3):
        state = one.admin("GET", "/state")
        assert state["databases"]["DB1"]["state"] == "startup"
    assert load(state)[0].databases["DB1"]["state"] == "startup"
    one.admin("POST", "/power", {"node": "n0012", "on": False})
    assert load(one.admin("GET", "/state"))[0].nodes["n0012"]["state"] == "offline"


def test_several_clusters(live: Callable[..., Live]) -> None:
    one = live({"clusters": [{**UP, "name": "a"}, {**UP, "name": "b"}]})
    one.admin("POST", "/power?cluster=b", {"node": "n0013", "on": False})
    assert one.admin("GET", "/state?cluster=b")["nodes"]["n0013"]["state"] == "off"
    assert one.admin("GET", "/state")["nodes"]["n0013"]["state"] == "online"
    assert one.admin("GET", "/rules?cluster=a") == []
    assert [row["rule"] for row in one.admin("GET", "/rules?cluster=b")] == ["node-off-under-storage"]
    assert set(one.admin("GET", "/about")["clusters"]) == {"a", "b"}


def test_operation_move_and_clock(live: Callable[..., Live]) -> None:
    one = live(UP, "immediate")
    assert one.admin("POST", "/operation", {"database": "DB2", "operation": "Restore"})["operation"] == "Restore"
    assert one.proxy("/db_DB2").getDatabaseOperation() == "Restore"
    assert one.admin("POST", "/operation", {"database": "DB2", "operation": "None"})["operation"] == "None"
    assert one.admin("POST", "/move", {"master": "n0011"})["master"] == "n0011"
    assert one.proxy().getEXAoperationMaster() == "n0011"
    assert one.admin("POST", "/clock", {"clock": "polls:3"}) == {"clock": "polls:3"}
    one.admin("DELETE", "/calls")
    assert one.admin("GET", "/calls") == []


def test_dies_over_the_wire(live: Callable[..., Live]) -> None:
    one = live()
    one.admin("POST", "/faults", {"kind": "dies", "object": "DB2", "text": "core dump"})
    assert one.admin("GET", "/state")["databases"]["DB2"]["state"] == "setup"
    assert one.proxy("/db_DB2").getCurrentErrors() == ["Database failed: core dump"]


def test_faults_can_be_listed_and_removed(live: Callable[..., Live]) -> None:
    one = live()
    ids = one.admin("POST", "/faults", [{"kind": "slow"}, {"kind": "html", "method": "x"}])["ids"]
    assert [row["kind"] for row in one.admin("GET", "/faults")] == ["slow", "html"]
    assert one.admin("DELETE", f"/faults?id={ids[0]}") == {"removed": 1}
    assert [row["id"] for row in one.admin("GET", "/faults")] == [ids[1]]
    assert one.admin("DELETE", "/faults") == {"removed": 1}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("GET", "/nope", None, 404, "There is no /nope"),
        ("POST", "/state", {}, 405, "doesn't take POST"),
        ("GET", "/state?cluster=zz", None, 404, "no cluster zz"),
        ("POST", "/clock", {"clock": "fast"}, 400, "none of: immediate"),
        ("POST", "/power", {"node": "n0099", "on": True}, 400, "Power wants"),
        ("POST", "/power", {"node": "n0011", "on": 1}, 400, "Power wants"),
        ("POST", "/operation", {"database": "x"}, 400, "Operation wants"),
        ("POST", "/move", {"master": "n0099"}, 400, "n0099 is not online"),
        ("POST", "/clock", [], 400, "is a mapping"),
        ("POST", "/faults", {"kind": "odd"}, 400, "'odd' is none of"),
        ("POST", "/faults", {"kind": "slow", "speed": 1}, 400, "no speed"),
        ("POST", "/faults", {"kind": "slow", "delay": "x"}, 400, "can't be read"),
        ("POST", "/faults", {"kind": "truncate", "variant": "x"}, 400, "'short' or 'xml'"),
        ("POST", "/faults", {"kind": "dies"}, 400, "names its object"),
        ("DELETE", "/faults?id=x", None, 400, "is a number"),
    ],
)
def test_what_it_cannot_do_is_one_sentence(
    live: Callable[..., Live], method: str, path: str, body: Any, status: int, words: str
) -> None:
    answer = live().admin(method, path, body)
    assert answer["status"] == status
    assert words in answer["error"]
    assert answer["error"].endswith(".") or "online" in answer["error"]


def test_stop(live: Callable[..., Live]) -> None:
    one = live()
    assert one.admin("POST", "/stop", {}) == {"ok": True}
    assert one.simulator.stopping.wait(5)
