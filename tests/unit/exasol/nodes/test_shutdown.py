# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nodes and license servers go in the safe order."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.run import Converge
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import (
    Act,
    Done,
    Fail,
    History,
    Settings,
    Wait,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    ClusterError,
    Refused,
    Unreachable,
    Unsupported,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.states import Database
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.nodes import shutdown

DOWN = {"services": {"Storaged": "not running"}}


def test_the_order_of_a_shutdown(new_cluster):
    names = ["n0010", "n0011", "n0009", "n0012"]
    stages = shutdown.offline(new_cluster(**DOWN), names, ["n0009", "n0010"])
    assert [(stage.noun, stage.names) for stage in stages] == [
        ("nodes", ["n0011", "n0012"]),
        ("license servers", ["n0009"]),
        ("EXAoperation", ["n0010"]),
    ]
    assert stages[2].steady == shutdown.SILENCE


@pytest.mark.parametrize(
    ("up", "status", "wanted"),
    [(True, "", "online"), (True, "Running", "online"), (False, "Running", "online"), (False, "", "offline"),
     (False, "Shutdown", "shutting down"), (True, "stopping", "shutting down")],
)  # fmt: skip
def test_a_node_counts_as_on_until_its_power_is_off(new_cluster, up, status, wanted):
    cluster = new_cluster(online={"n0011": up}, status={"n0011": status}, **DOWN)
    assert shutdown.offline(cluster, ["n0011"], ["n0010"])[0].one("n0011") == wanted


@pytest.mark.parametrize("status", ["Booting", "stage 2 of 3", None])
def test_a_node_that_boots_is_joined_and_then_told_to_go(new_cluster, status):
    """A call that fails tells as little of its power as a word that nobody knows: it may boot."""
    cluster = new_cluster(online={"n0011": False}, status={"n0011": status}, **DOWN)
    (stage, _others, _last) = shutdown.offline(cluster, ["n0011"], ["n0010"])
    assert stage.one("n0011") == "booting"
    why = "booting, to be shut down once it is online"
    assert stage.decide("n0011", "booting", History()) == Wait(why, then=("shutdownNode",), against=True)
    by_hook = shutdown.offline(cluster, ["n0011"], ["n0010"], power_off=False)[0]
    assert by_hook.decide("n0011", "booting", History()) == Wait("booting, to be powered off by something else")


@pytest.mark.parametrize("state", ["booting", "shutting down"])
def test_license_servers_stay_while_a_node_boots_or_goes(new_cluster, state):
    cluster = new_cluster(online={"n0011": False, "n0012": False}, status={"n0011": state, "n0012": "Unknown"}, **DOWN)
    with pytest.raises(Refused, match=f"n0011 still {state}") as caught:
        shutdown.offline(cluster, ["n0010"], ["n0010"])[2].guard()
    assert caught.value.last_state == {"n0011": state}


def test_the_last_machine_that_goes_already_is_joined(new_cluster):
    cluster = new_cluster(status={"n0010": "Shutting down"}, **DOWN)
    last = shutdown.offline(cluster, ["n0010"], ["n0010"])[2]
    assert last.one("n0010") == "shutting down"
    assert last.decide("n0010", "shutting down", History()) == Wait("shutting down")
    cluster.status = {"n0010": "Running"}
    act = last.decide("n0010", last.one("n0010"), History())
    act.call()
    assert cluster.calls == [("stop_nodes", ["n0010"])]
    cluster.status = {"n0010": "Shutting down"}
    assert last.one("n0010") == "online"  # that we have told it ourselves need not be asked


def test_the_last_machine_is_down_when_nobody_speaks(new_cluster):
    cluster = new_cluster(**DOWN)
    last = shutdown.offline(cluster, ["n0010"], ["n0010"])[2]
    assert isinstance(last.decide("n0010", last.one("n0010"), History()), Act)
    cluster.speaks = False
    assert isinstance(last.decide("n0010", last.one("n0010"), History()), Done)


def test_exaoperation_that_moves_to_another_machine_is_no_silence_to_wait_for(new_cluster):
    cluster = new_cluster(**DOWN)
    last = shutdown.offline(cluster, ["n0010"], ["n0010"])[2]
    cluster.master_name = "n0009"
    decision = last.decide("n0010", last.one("n0010"), History())
    assert isinstance(decision, Fail)
    assert decision.why.startswith("EXAoperation moved to n0009, which is not among the license servers")


@pytest.mark.parametrize(
    ("states", "wrong"),
    [
        ({"n0010": "online", "n0099": "unknown"}, "the cluster doesn't know n0099, which would count as off"),
        ({"n0010": "online", "n0099": "offline", "n0009": "online"}, "n0009 is online and can run EXAoperation"),
    ],
)
def test_license_servers_that_are_not_those_of_the_cluster(new_cluster, states, wrong):
    cluster = new_cluster(server_states=states, **DOWN)
    with pytest.raises(Refused, match=wrong) as caught:
        shutdown.offline(cluster, ["n0011", "n0010"], ["n0010", "n0099"])
    there = " ".join(name for name, state in states.items() if state != "unknown")
    assert caught.value.hint.endswith(
        f"every license server of the cluster in exa_license_servers (license_servers): {there}"
    )
    assert cluster.calls == []
    assert len(shutdown.offline(cluster, ["n0011"], ["n0010", "n0099"])) == 3  # a node alone needs no license server


@pytest.mark.parametrize("states", [{"n0010": "online", "n0009": "offline"}, {"n0010": "online"}, {}])
def test_license_servers_that_are(new_cluster, states):
    assert shutdown.offline(new_cluster(server_states=states, **DOWN), ["n0010"], ["n0010"])


@pytest.mark.parametrize("number", [0, 1, 2])
def test_every_stage_wants_the_master_where_it_belongs_and_storage_down(new_cluster, number):
    def guard(cluster):
        shutdown.offline(cluster, ["n0011", "n0009", "n0010"], ["n0009", "n0010"])[number].guard()

    online = {"n0011": number == 0, "n0009": number < 2, "n0010": True}
    guard(new_cluster(online=online, **DOWN))
    with pytest.raises(Refused, match="EXAoperation runs on n0011"):
        guard(new_cluster(online=online, master="n0011", **DOWN))
    for state in ("OK", "stopping", "Not running"):
        with pytest.raises(Refused, match=f"Storaged is '{state}'"):
            guard(new_cluster(online=online, services={"Storaged": state}))
    with pytest.raises(Refused, match="Storaged is 'unknown'"):
        guard(new_cluster(online=online, services={"Lockd": "OK"}))


def test_license_servers_stay_while_a_node_is_on(new_cluster):
    cluster = new_cluster(online={"n0011": True, "n0012": False}, **DOWN)
    with pytest.raises(Refused, match="n0011 still online"):
        shutdown.offline(cluster, ["n0010"], ["n0010"])[2].guard()


def test_a_shutdown_of_the_license_server_alone_is_refused_before_the_call(new_cluster, task):
    cluster = new_cluster(online={"n0011": True}, **DOWN)
    with pytest.raises(Refused):
        Converge(task, "exa-unit", Settings()).run(shutdown.offline(cluster, ["n0010"], ["n0010"]))
    assert cluster.calls == []


def test_equals_go_only_under_databases_that_are_down(equals):
    up = {"DB1": Database("DB1", "running", "Yes")}
    cluster = equals(True, {"n11": "online"}, databases=up)
    (stage,) = shutdown.offline(cluster, ["n11"], [])
    with pytest.raises(Refused, match="n11 not shut down: DB1 is running"):
        stage.guard()
    cluster.database_states["DB1"] = Database("DB1", "setup")
    stage.guard()


def test_all_equals_are_gone_when_nothing_answers(equals):
    cluster = equals(True, {"n11": "online", "n12": "online"})
    (stage,) = shutdown.offline(cluster, ["n11", "n12"], [])
    assert stage.look(stage.names) == {"n11": "online", "n12": "online"}
    cluster.states["n11"] = "offline"
    assert stage.look(stage.names) == {"n11": "silent", "n12": "online"}

    def minority():
        raise Unreachable("exa-unit: the quorum is lost")

    cluster.node_states = minority
    heard = "not silent yet (https://n10:443 answers)"
    assert stage.look(stage.names) == {"n11": heard, "n12": heard}
    assert isinstance(stage.decide("n12", heard, History()), Wait)
    cluster.speaks = False
    assert stage.look(stage.names) == {"n11": "silent", "n12": "silent"}
    (gone,) = shutdown.already_off(cluster, ["n11"])
    assert gone.look(["n11"]) == {"n11": "silent"}


def test_a_majority_that_is_left_tells_again(equals):
    """The API moved while the first look came: what it tells then counts, as it does where the first look found it."""
    cluster = equals(True, {"n11": "offline", "n12": "online"}, urls=("https://n11:443", "https://n12:443"))
    (stage,) = shutdown.already_off(cluster, ["n11", "n12"])
    assert stage.look(stage.names) == {"n11": "silent", "n12": "online"}
    assert stage.decide("n12", "online", History()) == Wait("online, to be powered off by something else")


def test_who_tells_that_all_are_off_is_on(equals):
    cluster = equals(True, {"n11": "online", "n12": "online"})
    (stage,) = shutdown.offline(cluster, ["n11", "n12"], [])
    cluster.states = dict.fromkeys(cluster.states, "offline")
    assert set(stage.look(stage.names).values()) == {"not silent yet (https://n10:443 answers)"}


@pytest.mark.parametrize("names", [["all"], ["n11", "n12"]])
def test_silence_of_some_says_nothing_of_the_others(equals, names):
    cluster = equals(True, {"n11": "online"}, speaks=False)
    with pytest.raises(ClusterError, match="api_url names only 1 of them, so their silence"):
        shutdown.already_off(cluster, names)


def test_equals_that_nobody_could_see_to_be_off_stay_on(equals):
    cluster = equals(True, {"n11": "online", "n12": "online", "n13": "suspended", "n14": "offline"})
    cluster.unseen = ["n13"]
    shutdown.offline(cluster, ["n11", "n12", "n13", "n14"], [])
    cluster.unseen = ["n12", "n13"]
    for names in (["n11", "n12", "n13", "n14"], ["n11", "n12"]):
        with pytest.raises(Refused, match="nothing could confirm that n12 went off") as refusal:
            shutdown.offline(cluster, names, [])
    assert "api_url" in refusal.value.hint
    assert shutdown.offline(cluster, ["n12"], [])[0].done == "offline"  # n11 tells
    cluster.urls = cluster.urls[:1]
    with pytest.raises(Refused, match="nothing could confirm that n12"):
        shutdown.offline(cluster, ["n11", "n12"], [], power_off=False)


def test_those_that_go_already_are_watched_by_their_urls(equals):
    cluster = equals(False, {"n11": "online", "n12": "online"})
    cluster.unseen = ["n12"]
    assert shutdown.offline(cluster, ["n11", "n12"], [], power_off=False)[0].done == "silent"


def test_some_equals_are_gone_when_the_others_say_so(equals):
    cluster = equals(True, {"n11": "online", "n12": "offline"})
    (stage,) = shutdown.offline(cluster, ["n12"], [])
    assert stage.look(["n12"]) == {"n12": "offline"}


def test_what_nothing_can_power_off_is_said(equals):
    with pytest.raises(Unsupported, match="exa_graceful_shutdown_power: hook"):
        shutdown.offline(equals(False, {"n11": "online"}), ["n11"], [])
    (stage,) = shutdown.offline(equals(False, {"n11": "online"}), ["n11"], [], power_off=False)
    assert isinstance(stage.decide("n11", "online", History()), Wait)


def test_nodes_that_stay_on_are_told_with_the_cause(equals):
    cluster = equals(True, {"n11": "online"}, failures={"n11": "no such instance type"})
    (stage,) = shutdown.offline(cluster, ["n11"], [])
    assert stage.causes("n11") == "no such instance type"
