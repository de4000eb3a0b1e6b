# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""APs: who leads, what is known without a majority, what can be changed then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import BARE, UP, Lab


def peers(one: Lab, server: str = "server0") -> dict[str, tuple[str, str, Any]]:
    """Connection, role and leader, as a server sees them."""
    rows = one.ok("GET", "peers?orderBy=id", server=server)["data"]
    return {
        row["id"]: (
            row["connectedState"]["state"], row["localRoleInfo"]["role"], row["localRoleInfo"]["leaderServerId"]
        )
        for row in rows
    }  # fmt: skip


def test_all_are_one_domain(lab: Callable[..., Lab]) -> None:
    one = lab(servers={"server0": {}, "server1": {"role": "LEADER", "address": "10.0.0.1:48005"}, "server2": {}})
    for server in ("server0", "server1", "server2"):
        assert peers(one, server) == {
            "server0": ("Connected", "FOLLOWER", "server1"),
            "server1": ("Connected", "LEADER", "server1"),
            "server2": ("Connected", "FOLLOWER", "server1"),
        }
        rows = one.ok("GET", "peers", server=server)["data"]
        assert [row["id"] for row in rows if row["isLocal"]] == [server]
        assert len({row["localRoleInfo"]["localPeerTermIndexInfo"]["commitIndex"] for row in rows}) == 1
    row = one.ok("GET", "peers/server1")
    assert (row["address"], row["labels"], row["isEvicted"], row["peerState"]) == ("10.0.0.1:48005", {}, False, "ADDED")
    # a change through one is seen by the others, and raises the commit index
    before = one.ok("GET", "peers/server0")["localRoleInfo"]["localPeerTermIndexInfo"]["commitIndex"]
    one.ok("PUT", "kvstore/k", {"newValue": "v", "expectedAbsent": True}, server="server2")
    assert one.ok("GET", "kvstore/k", server="server1")["value"] == "v"
    after = one.ok("GET", "peers/server0")["localRoleInfo"]["localPeerTermIndexInfo"]["commitIndex"]
    assert after == before + 1


def test_a_passive_one_has_no_vote_and_knows_what_the_others_agree_on(lab: Callable[..., Lab]) -> None:
    one = lab(servers={"server0": {}, "server1": {"passive": True, "role": "LEADER"}, "server2": {"passive": True}})
    assert [row["isPassive"] for row in one.ok("GET", "peers")["data"]] == [False, True, True]
    assert peers(one, "server1")["server0"] == ("Connected", "LEADER", "server0")
    one.ok("PUT", "kvstore/k", {"newValue": "v", "expectedAbsent": True}, server="server2")
    one.power(2, False)
    one.power(1, False)
    one.ok("PUT", "kvstore/l", {"newValue": "v", "expectedAbsent": True})
    one.power(1, True)
    one.power(2, True)
    one.pass_time(60)
    one.power(0, False)
    one.pass_time(60)
    assert {row[2] for row in peers(one, "server1").values()} == {None}
    assert one.refused("POST", "regions", {"name": "x"}, server="server1")[0] == 503


def test_the_leader_moves(lab: Callable[..., Lab]) -> None:
    one = lab(BARE)
    one.power(0, False)
    assert not one.service.listens("server0")
    assert peers(one, "server1")["server1"] == ("Connected", "CANDIDATE", None)
    assert one.refused("POST", "regions", {"name": "x"}, server="server1")[0] == 503
    one.pass_time(2)
    assert peers(one, "server2") == {
        "server0": ("Disconnected", "FOLLOWER", None),
        "server1": ("Connected", "LEADER", "server1"),
        "server2": ("Connected", "FOLLOWER", "server1"),
    }
    assert one.ok("POST", "regions", {"name": "x"}, server="server2")["id"] == 1
    one.power(0, True)
    assert one.domain.state()["servers"]["server0"]["state"] == "starting"
    one.pass_time(5)
    assert one.service.listens("server0")
    assert peers(one)["server0"] == ("Connected", "FOLLOWER", "server1")
    assert one.act("/move", leader="server2") == {"leader": "server2"}
    assert peers(one)["server2"][1] == "LEADER"


def test_without_a_majority_reads_answer_what_was(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.power(1, False)
    one.power(2, False)
    one.act("/die", start_id="2")
    assert one.processes()["2"] == "MONITORED:RUNNING"
    assert peers(one)["server0"] == ("Connected", "CANDIDATE", None)
    assert one.refused("POST", "databases/test/shutdown")[0] == 503
    # these change nothing
    assert one.ok("POST", "databases/test/startplan", {"reusable": True})["incremental"] is True
    assert one.ok("POST", "diagnostics/log", {"message": "m"})["serverVersion"] == "4.2.1-1"
    one.power(1, True)
    one.pass_time(10)
    assert "2" not in one.processes()
    assert one.ok("DELETE", "processes/3")["durableState"] == "REQUESTED_SHUTDOWN"


def test_a_partition(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.act("/partition", server="server0", isolated=True)
    one.pass_time(2)
    assert peers(one) == {
        "server0": ("Connected", "CANDIDATE", None),
        "server1": ("Disconnected", "FOLLOWER", None),
        "server2": ("Disconnected", "FOLLOWER", None),
    }
    assert peers(one, "server1")["server1"] == ("Connected", "LEADER", "server1")
    assert one.refused("DELETE", "processes/2")[0] == 503
    one.ok("DELETE", "processes/3", server="server1")
    one.pass_time(3)
    assert "3" in one.processes()
    assert one.send("GET", "processes/3", server="server1").status == 404
    one.act("/partition", server="server0", isolated=False)
    assert "3" not in one.processes()
    assert peers(one)["server0"] == ("Connected", "FOLLOWER", "server1")


def test_a_call_without_a_leader_may_hang(lab: Callable[..., Lab]) -> None:
    one = lab(clock="immediate", settings={"no_leader": "hang"})
    one.act("/partition", server="server0", isolated=True)
    one.domain.closing = True
    assert one.refused("POST", "regions", {"name": "x"})[0] == 408
    one.domain.closing = False
    one.act("/partition", server="server0", isolated=False)
    assert one.ok("POST", "regions", {"name": "x"})["id"] == 1


def test_shutdown_of_a_server(lab: Callable[..., Lab]) -> None:
    one = lab()
    assert one.ok("POST", "peers/server2/shutdown?evictLocal=False") is None
    assert one.service.listens("server2")
    one.pass_time(1)
    assert not one.service.listens("server2")
    assert one.rules() == []
    one.ok("POST", "peers/server1/shutdown?evictLocal=True")
    assert set(one.processes()) == {"0", "2"}


def test_removal_of_a_server(lab: Callable[..., Lab]) -> None:
    one = lab(UP, servers={"server0": {}, "server1": {}, "server2": "stopped"})
    one.power(1, False)
    assert one.refused("DELETE", "peers/server2")[0] == 503
    one.power(1, True)
    one.pass_time(10)
    one.domain.record.forgive()
    one.ok("POST", "peers/server1/removeDomainState")
    assert set(one.processes()) == {"0", "2"}
    assert [row["id"] for row in one.ok("GET", "archives?removed=True")["data"]] == [1]
    assert one.ok("DELETE", "peers/server2") is None
    assert list(peers(one)) == ["server0", "server1"]
    assert one.refused("GET", "peers/server2")[0] == 404
    one.ok("DELETE", "peers/server1")
    one.pass_time(1)
    assert not one.service.listens("server1")
    assert one.rules() == [("server-removed-while-connected", "server1")]
    # who is alone is a majority
    assert one.ok("POST", "regions", {"name": "x"})["id"] == 1


def test_configuration(lab: Callable[..., Lab]) -> None:
    one = lab(settings={"leaderAssignmentTimeout": 900000})
    own = one.ok("GET", "diagnostics/config", server="server2")
    assert own["properties"]["ThisServerId"] == "server2"
    other = one.ok("GET", "diagnostics/config/server1")
    assert {key: other["properties"][key] for key in ("ThisServerId", "altAddr", "agentPort", "adminPort")} == {
        "ThisServerId": "server1", "altAddr": "server1", "agentPort": "48004", "adminPort": "48005",
    }  # fmt: skip
    assert other["properties"]["leaderAssignmentTimeout"] == "900000"
    assert set(other["initialMembership"]) == {"server0", "server1", "server2"}


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("/power", {"node": "nowhere", "on": True}),
        ("/power", {"node": "server0", "on": 1}),
        ("/partition", {"server": "server0"}),
        ("/move", {"leader": "nowhere"}),
        ("/die", {"start_id": "77"}),
        ("/die", {"start_id": "1", "exit_code": "x"}),
    ],
)
def test_what_the_admin_endpoint_refuses(lab: Callable[..., Lab], action: str, body: dict[str, Any]) -> None:
    from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.cluster import UsageError

    with pytest.raises(UsageError, match=r"needs .*\.$"):
        lab().act(action, **body)


def test_a_stopped_server_cannot_lead(lab: Callable[..., Lab]) -> None:
    from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.cluster import UsageError

    one = lab()
    one.power(2, False)
    with pytest.raises(UsageError, match="hears a majority"):
        one.act("/move", leader="server2")


def test_a_start_of_a_server_can_be_broken_off(lab: Callable[..., Lab]) -> None:
    one = lab(BARE)
    one.power(2, False)
    one.power(2, True)
    one.power(2, False)
    one.pass_time(10)
    assert one.domain.state()["servers"]["server2"]["state"] == "stopped"


def test_a_server_shuts_itself_down_although_nobody_leads(lab: Callable[..., Lab]) -> None:
    one = lab(clock="immediate")
    one.act("/partition", server="server0", isolated=True)
    assert one.refused("POST", "peers/server1/shutdown?evictLocal=False")[0] == 503
    assert one.ok("POST", "peers/server0/shutdown?evictLocal=False") is None
    assert not one.service.listens("server0")
    strict = lab(clock="immediate", settings={"shutdown_without_leader": "refuse"})
    strict.act("/partition", server="server0", isolated=True)
    assert strict.refused("POST", "peers/server0/shutdown?evictLocal=False")[0] == 503
