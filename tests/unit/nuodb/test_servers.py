# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""APs are awaited, shut down with the leader last, and taken out of the membership."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    ClusterError,
    NoSuchObject,
    Refused,
    TimedOut,
    Unreachable,
)
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import server, sm, te


@pytest.fixture
def silent(memory, monkeypatch):
    """Domains whose servers tell nothing once the AP that is asked is down."""

    def make(*args):
        domain = memory(*args)
        tell = domain.servers

        def servers():
            found = tell()
            if domain.silent:
                raise Unreachable("nuo-unit: connection refused")
            return found

        domain.servers = servers
        return domain

    return make


def away(domain, *names):
    for name in names:
        domain.servers_now[name] = replace(domain.servers_now[name], connected="Disconnected")
    return domain


def back(domain, name, seconds):
    def comes(_at):
        domain.servers_now[name] = replace(domain.servers_now[name], connected="Connected")

    domain.after(seconds, comes)
    return domain


# -- active


def test_all_are_there(bring, memory, time):
    domain = memory()
    result = bring("nuodb_server", domain, state="active")
    assert (result["changed"], time.since) == (False, 0.0)
    assert list(result["servers"]) == ["server0", "server1", "server2"]
    assert domain.reads == ["servers"]
    assert bring("nuodb_server", domain, check_mode=True, state="active")["servers"] == result["servers"]
    assert domain.reads == ["servers"] * 2


def test_one_that_is_away_is_awaited(bring, memory, time):
    domain = back(away(memory(), "server2"), "server2", 30)
    result = bring("nuodb_server", domain, state="active")
    assert 30 <= time.since < 40
    assert (result["changed"], result["joined"]) == (False, True)
    assert "servers: wait for server2 (Disconnected; " in bring.task.lines[0]
    assert "Disconnected; the APs have a quorum: with require: quorum" in bring.task.lines[0]
    assert result["servers"]["server2"]["connected"] == "Connected"


def test_a_quorum_may_be_enough(bring, memory, time):
    bring("nuodb_server", away(memory(), "server2"), state="active", require="quorum")
    assert time.since == 0
    with pytest.raises(TimedOut, match="server1 is Disconnected, no quorum"):
        bring("nuodb_server", away(memory(), "server1", "server2"), state="active", require="quorum", wait_timeout=20)


def test_without_a_leader_there_is_no_quorum(bring, memory):
    domain = memory()
    domain.servers_now = {name: replace(one, leader=None) for name, one in domain.servers_now.items()}
    with pytest.raises(TimedOut, match="server0 is ACTIVE:Connected, no leader"):
        bring("nuodb_server", domain, state="active", require="quorum", wait_timeout=20)


def test_only_the_named_ones_are_awaited(bring, memory):
    domain = away(memory(), "server2")
    bring("nuodb_server", domain, state="active", servers=["server0", "server1"])
    with pytest.raises(TimedOut, match="not active after 20 s: server2 is Disconnected"):
        bring("nuodb_server", domain, state="active", servers=["server2"], wait_timeout=20)


def test_an_evicted_server_is_not_awaited_as_one_of_all(bring, memory):
    domain = memory()
    domain.servers_now["server2"] = replace(domain.servers_now["server2"], evicted=True)
    assert not bring("nuodb_server", domain, state="active")["joined"]


@pytest.mark.parametrize("state", ["CATCHING_UP", "REPLAYING_LOG", ""])
def test_one_that_is_coming_up_is_not_there_yet(bring, memory, state):
    domain = memory()
    domain.servers_now["server1"] = replace(domain.servers_now["server1"], state=state)
    with pytest.raises(TimedOut, match=f"server1 is {state or 'unknown'}:Connected"):
        bring("nuodb_server", domain, state="active", wait_timeout=20)


def test_the_wait_for_servers_is_predicted(bring, memory):
    result = bring("nuodb_server", away(memory(), "server2"), check_mode=True, state="active")
    assert (result["changed"], result["steps"]) == (False, [])
    assert result["predicted"]["servers"]["server2"]["connected"] == "Connected"
    told = bring("nuodb_server", away(memory(), "server2"), check_mode=True, state="active", require="quorum")
    assert told["predicted"]["servers"]["server2"]["connected"] == "Disconnected"


# -- stopped


def test_one_follower_is_shut_down(bring, memory):
    domain = memory()
    result = bring("nuodb_server", domain, state="stopped", servers=["server2"])
    assert domain.log == [("shutdown server", "server2", False)]
    assert result["changed"]
    assert result["servers"]["server2"]["connected"] == "Disconnected"
    assert not bring("nuodb_server", domain, state="stopped", servers=["server2"])["changed"]
    assert len(domain.log) == 1


def test_the_whole_domain_goes_with_the_leader_last_proved_by_silence(bring, silent):
    domain = silent()
    result = bring("nuodb_server", domain, state="stopped")
    assert [row[1] for row in domain.log] == ["server1", "server2", "server0"]
    assert domain.silent
    assert result["servers"] == {}
    assert [step["object"] for step in result["steps"]] == ["server1", "server2", "server0"]


def test_where_the_leader_can_not_be_asked_one_that_can_is_the_last(bring, silent):
    domain = silent()
    domain.servers_now = {name: replace(one, leader="server2") for name, one in domain.servers_now.items()}
    bring("nuodb_server", domain, state="stopped")
    assert [row[1] for row in domain.log] == ["server1", "server2", "server0"]


def test_followers_are_down_before_the_leader_is_asked(bring, silent, time):
    domain = silent()
    seen = []
    shut = domain.shutdown_server

    def shutdown(name, evict):
        seen.append((name, [one.server_id for one in domain.servers_now.values() if one.is_connected]))
        shut(name, evict)

    domain.shutdown_server = shutdown
    bring("nuodb_server", domain, state="stopped")
    assert seen[-1] == ("server0", ["server0"])


def test_of_a_domain_that_has_lost_its_majority_each_ap_is_asked_itself(bring, silent):
    """The rest of a shutdown that was interrupted: without a leader an AP ends nobody but itself (NUODB-68)."""
    domain = silent()
    urls = {name: f"https://{name}:8888" for name in ("server0", "server1")}
    domain.own_urls = lambda: urls
    domain.servers_now = {
        name: server(name, None, name in ("server0", "server1"), name == "server0")
        for name in ("server0", "server1", "server2", "server3")
    }
    bring("nuodb_server", domain, state="stopped")
    assert [row[1:] for row in domain.log] == [("server1", False, "https://server1:8888"), ("server0", False)]


@pytest.mark.parametrize("names", [["server1"], ["all"]])
def test_no_ap_goes_while_processes_run_there(bring, memory, names):
    domain = memory().run(sm("0"), sm("2", 1, "server1"), te("1", "server1"))
    with pytest.raises(
        Refused, match=r"no AP shut down: .*SM of archive 1 on server1 \(start ID 2\), TE on server1"
    ) as caught:
        bring("nuodb_server", domain, state="stopped", servers=names)
    assert "nuodb_database state=stopped" in caught.value.hint
    assert "evict_local: true" in caught.value.hint
    assert domain.log == []


def test_processes_may_be_evicted_with_their_ap(bring, memory):
    domain = memory().run(sm("0"), sm("2", 1, "server1"))
    bring("nuodb_server", domain, state="stopped", servers=["server1"], evict_local=True)
    assert domain.log == [("shutdown server", "server1", True)]


def test_processes_elsewhere_hold_up_nobody(bring, memory):
    domain = memory().run(sm("0"))
    assert bring("nuodb_server", domain, state="stopped", servers=["server2"])["changed"]


def test_a_majority_stays_or_the_whole_domain_goes(bring, memory):
    domain = memory()
    with pytest.raises(Refused, match="no AP shut down: only 1 of 3 APs with a vote would stay") as caught:
        bring("nuodb_server", domain, state="stopped", servers=["server1", "server2"])
    assert "or all of them" in caught.value.hint
    assert domain.log == []
    with pytest.raises(Refused, match="1 of 3 APs with a vote would stay"):
        bring("nuodb_server", away(memory(), "server1"), state="stopped", servers=["server2"])


def test_half_of_the_members_are_no_majority(bring, memory):
    domain = memory()
    domain.servers_now["server3"] = replace(domain.servers_now["server2"], server_id="server3")
    with pytest.raises(Refused, match="2 of 4 APs with a vote would stay, which is no majority"):
        bring("nuodb_server", domain, state="stopped", servers=["server2", "server3"])
    assert domain.log == []


def test_a_passive_server_has_no_vote(bring, memory):
    """Four of seven are passive, as with a vote for one of each of three zones (NUODB-275)."""
    domain = memory()
    passive = {f"server{number}": replace(domain.servers_now["server2"], server_id=f"server{number}", passive=True)
               for number in range(3, 7)}  # fmt: skip
    domain.servers_now = {**domain.servers_now, **passive}
    assert bring("nuodb_server", domain, state="stopped", servers=list(passive))["changed"]
    domain = away(memory(), "server2")
    domain.servers_now = {**domain.servers_now, **passive}
    with pytest.raises(Refused, match="1 of 3 APs with a vote would stay"):
        bring("nuodb_server", domain, state="stopped", servers=["server1"])
    assert domain.log == []


def test_the_whole_domain_are_those_that_are_connected(bring, silent):
    domain = away(silent(), "server2")
    bring("nuodb_server", domain, state="stopped", servers=["server0", "server1"])
    assert [row[1] for row in domain.log] == ["server1", "server0"]


def test_a_shutdown_of_servers_is_predicted(bring, memory):
    domain = memory()
    result = bring("nuodb_server", domain, check_mode=True, state="stopped")
    assert domain.log == []
    assert [step["object"] for step in result["steps"]] == ["server1", "server2", "server0"]
    assert {row["connected"] for row in result["predicted"]["servers"].values()} == {"Disconnected"}


# -- absent


def test_a_server_that_is_gone_for_good_leaves(bring, memory):
    domain = away(memory(), "server2")
    result = bring("nuodb_server", domain, state="absent", servers=["server2", "server9"])
    assert domain.log == [("delete server", "server2")]
    assert "server2" not in result["servers"]
    assert not bring("nuodb_server", domain, state="absent", servers=["server2"])["changed"]


def test_a_server_that_is_connected_does_not_leave(bring, memory):
    domain = memory()
    with pytest.raises(
        Refused, match="server2: it is connected, and taking it out would cut its processes off"
    ) as caught:
        bring("nuodb_server", domain, state="absent", servers=["server2"])
    assert "nothing overrides this" in caught.value.hint
    assert domain.log == []


def test_archives_and_processes_are_not_left_behind_unsaid(bring, memory):
    domain = away(memory().run(sm("0"), sm("2", 1, "server1")), "server1")
    with pytest.raises(
        Refused, match="archive 1 and SM of archive 1 on server1 .* would stay behind without a server"
    ) as caught:
        bring("nuodb_server", domain, state="absent", servers=["server1"])
    assert "remove_state: true" in caught.value.hint
    assert domain.log == []
    preview = bring("nuodb_server", domain, check_mode=True, state="absent", servers=["server1"], remove_state=True)
    assert [step["step"] for step in preview["steps"]] == ["remove its state", "delete server"]
    assert (list(preview["predicted"]["archives"]), list(preview["predicted"]["processes"])) == (["0"], ["0"])
    assert domain.log == []
    result = bring("nuodb_server", domain, state="absent", servers=["server1"], remove_state=True)
    assert domain.log == [("remove state", "server1"), ("delete server", "server1")]
    assert [step["step"] for step in result["steps"]] == ["remove its state", "delete server"]
    assert list(domain.archives_now) == [0]


def test_without_wait_a_server_leaves_with_its_state_all_the_same(bring, memory):
    domain = away(memory().run(sm("0"), sm("2", 1, "server1")), "server1")
    bring("nuodb_server", domain, state="absent", servers=["server1"], remove_state=True, wait=False)
    assert domain.log == [("remove state", "server1"), ("delete server", "server1")]


def test_nobody_leaves_without_a_quorum(bring, memory):
    domain = away(memory(), "server1", "server2")
    with pytest.raises(Refused, match="the APs have no quorum"):
        bring("nuodb_server", domain, state="absent", servers=["server2"])
    assert domain.log == []


def test_leaving_is_predicted(bring, memory):
    domain = away(memory(), "server2")
    result = bring("nuodb_server", domain, check_mode=True, state="absent", servers=["server2"])
    assert (domain.log, result["changed"]) == ([], True)
    assert list(result["predicted"]["servers"]) == ["server0", "server1"]


# -- bad input


def test_all_do_not_leave(bring, memory):
    with pytest.raises(ClusterError, match="state=absent takes the IDs of servers, not the word all"):
        bring("nuodb_server", memory(), state="absent")


@pytest.mark.parametrize("state", ["active", "stopped"])
def test_an_unknown_or_no_server(bring, memory, state):
    domain = memory()
    with pytest.raises(NoSuchObject, match=r"there is no server server01 \(did you mean server[0-2]\?\)"):
        bring("nuodb_server", domain, state=state, servers=["server01"])
    with pytest.raises(ClusterError, match="no server is named"):
        bring("nuodb_server", domain, state=state, servers=[])
    assert domain.log == []
