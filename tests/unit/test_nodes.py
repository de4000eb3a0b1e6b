# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nodes: which are meant, what state they are in, and in what order they go."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.run import Converge
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import (
    Act,
    Done,
    History,
    Settings,
    Wait,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    ClusterError,
    Fault,
    NoSuchObject,
    Refused,
    Unreachable,
    Unsupported,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import selection
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.providers import eao_node
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.states import Database
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.log import Log
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.nodes import (
    boot,
    selection as nodes_selection,
    shutdown,
)

STAGES = {"node": "n0011", "message": "Boot process stages 1 to 3 took 121 seconds.", "strtime": "1"}
FINISHED = {"node": "n0011", "message": "Boot process finished after 300 seconds", "strtime": "2"}


@pytest.mark.parametrize("name", ["n0011", "n11", "11", 11, " n0011 ", "n00011"])
def test_names_of_nodes(name):
    assert eao_node(name) == "n0011"


@pytest.mark.parametrize("name", ["", "node11", "n", "-1", None, True, "n0011x", "n1234567", 1.5, "n11\n12"])
def test_what_is_no_name(name):
    with pytest.raises(ClusterError, match="is not the name of a node"):
        eao_node(name)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["all"], ["n0011", "n0012"]),
        (["all", "n0010"], ["n0011", "n0012"]),
        (["n0012", "n0012"], ["n0012"]),
        (["n0010"], ["n0010"]),
    ],
)
def test_chosen(new_cluster, wanted, found):
    assert nodes_selection.chosen_nodes(new_cluster(), wanted, ["n0011", "n0012"], ("n0010",)) == found


def test_all_that_are_missing_are_named(new_cluster):
    with pytest.raises(NoSuchObject, match=r"no database DB3 \(did you mean DB1\?\), zzz; there are: DB1") as caught:
        selection.chosen(new_cluster(), ["DB1", "DB3", "zzz"], ["DB1"], "database")
    assert caught.value.failed_object == "DB3 zzz"


@pytest.mark.parametrize(("wanted", "known", "says"), [([], ["n0011"], "no node is named"), (["all"], [], "no nodes")])
def test_nothing_chosen(new_cluster, wanted, known, says):
    with pytest.raises(ClusterError, match=says):
        nodes_selection.chosen_nodes(new_cluster(), wanted, known)


def test_a_cluster_may_have_no_databases(new_cluster):
    assert selection.chosen(new_cluster(), ["all"], [], "database") == []


@pytest.mark.parametrize(
    ("up", "status", "entries", "wanted"),
    [
        (True, "Running", [], "online"),
        (True, "", [], "online"),
        (False, "", [], "offline"),
        (False, "Unknown", [], "offline"),
        (False, "Suspended", [], "offline"),
        (False, "Booting", [], "booting"),
        (False, "Running", [], "booting"),
        (False, "Shutdown", [], "shutting down"),
        (False, "Stopping", [], "shutting down"),
        (False, "", [STAGES], "booting"),
        (False, "", [STAGES, FINISHED], "offline"),
        (False, "", [FINISHED, STAGES], "booting"),
        (False, "", [{**STAGES, "node": "n0012"}], "offline"),
        (False, "", [{**STAGES, "node": "11"}], "booting"),
    ],
)
def test_the_state_of_a_node(new_cluster, up, status, entries, wanted):
    cluster = new_cluster(online={"n0011": up}, status={"n0011": status}, entries=entries)
    assert nodes_selection.state_of(cluster, "n0011", Log(cluster, "logservice1")) == wanted


class TestArrival:
    """Nodes that come up."""

    @pytest.fixture
    def cluster(self, new_cluster):
        return new_cluster(online={"n0011": False})

    def arrival(self, cluster, task, patience=1000.0):
        return boot.NodeBoot(cluster, Log(cluster, "logservice1"), patience, task.warn)

    def test_one_that_was_online_is_asked_for_no_message(self, cluster, task):
        cluster.online["n0011"] = True
        assert self.arrival(cluster, task).read("n0011") == "online"

    def test_one_that_came_up_waits_for_its_message(self, cluster, task):
        arrival = self.arrival(cluster, task)
        assert arrival.read("n0011") == "offline"
        cluster.online["n0011"] = True
        assert arrival.read("n0011") == boot.FINISHING
        arrival._log.boot_finished = lambda _node: True
        assert arrival.read("n0011") == "online"
        assert task.warnings == []

    def test_a_message_that_never_comes_is_said_and_delays_only(self, cluster, task):
        arrival = self.arrival(cluster, task, patience=0.0)
        arrival.read("n0011")
        cluster.online["n0011"] = True
        assert [arrival.read("n0011"), arrival.read("n0011")] == ["online", "online"]
        assert len(task.warnings) == 1
        assert "Boot process finished" in task.warnings[0]

    def test_without_a_log_the_inventory_decides(self, cluster, task):
        arrival = boot.NodeBoot(cluster, None, 1000, task.warn)
        arrival.read("n0011")
        cluster.online["n0011"] = True
        assert arrival.read("n0011") == "online"

    def test_one_that_was_told_to_start_boots(self, cluster, task):
        arrival = self.arrival(cluster, task)
        assert arrival.read("n0011") == "offline"
        arrival.start(["n0011"])
        assert ("start_nodes", ["n0011"]) in cluster.calls
        assert arrival.read("n0011") == "booting"

    def test_one_that_refused_is_asked_for(self, cluster, task):
        arrival = self.arrival(cluster, task)

        def refuse(_node):
            raise Fault("no card")

        cluster.start_nodes = refuse
        with pytest.raises(Fault):
            arrival.start(["n0011"])
        assert arrival.read("n0011") == "offline"


@pytest.mark.parametrize(
    ("state", "power_on", "again", "acted", "kind"),
    [
        ("online", True, False, [], Done),
        ("offline", True, False, [], Act),
        ("offline", False, False, [], Wait),
        ("booting", True, False, [], Wait),
        ("booting", True, True, [], Act),
        ("booting", True, True, ["startupNode"], Wait),
        ("booting", False, True, [], Wait),
        ("shutting down", True, True, [], Wait),
        (boot.FINISHING, True, True, [], Wait),
    ],
)
def test_online(new_cluster, task, state, power_on, again, acted, kind):
    stage = boot.online(new_cluster(), ["n0011"], boot.NodeBoot(new_cluster(), None, 0, task.warn), power_on, again)
    assert isinstance(stage.decide("n0011", state, History("offline", acted)), kind)


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


def test_the_last_machine_is_down_when_nobody_speaks(new_cluster):
    cluster = new_cluster(**DOWN)
    last = shutdown.offline(cluster, ["n0010"], ["n0010"])[2]
    assert isinstance(last.decide("n0010", last.one("n0010"), History()), Act)
    cluster.speaks = False
    assert isinstance(last.decide("n0010", last.one("n0010"), History()), Done)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_every_stage_wants_the_master_where_it_belongs_and_storage_down(new_cluster, number):
    def guard(cluster):
        shutdown.offline(cluster, ["n0011", "n0009", "n0010"], ["n0009", "n0010"])[number].guard()

    online = {"n0011": number == 0, "n0009": number < 2, "n0010": True}
    guard(new_cluster(online=online, **DOWN))
    with pytest.raises(Refused, match="EXAoperation is held by n0011"):
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


def test_names_of_license_servers(new_cluster):
    assert nodes_selection.license_servers_of(new_cluster(), [10, "n0010", "n9"]) == ["n0010", "n0009"]


def test_ignored_nodes_must_be_there(new_cluster):
    cluster = new_cluster()
    assert nodes_selection.without(cluster, []) == ["n0011", "n0012"]
    assert nodes_selection.without(cluster, ["n12"]) == ["n0011"]
    with pytest.raises(NoSuchObject, match="no node n0013"):
        nodes_selection.without(cluster, ["n0013"])
    with pytest.raises(ClusterError, match="every node"):
        nodes_selection.without(cluster, ["all"])
    with pytest.raises(ClusterError, match=r"every node is ignored \(n0011 n0012\)"):
        nodes_selection.without(cluster, ["n0011", "n12"])


def coming(cluster, task, power_on=True):
    return boot.online(cluster, list(cluster.states), boot.NodeBoot(cluster, None, 0, task.warn), power_on, False)


def test_what_nothing_can_power_on_is_refused_at_once(task, equals):
    with pytest.raises(Refused, match="n12: offline, and ConfD has no job that powers a host on") as refusal:
        Converge(task, "exa-unit", Settings()).run([coming(equals(False, {"n11": "online", "n12": "offline"}), task)])
    assert "exa_cold_start_power: hook" in refusal.value.hint


def test_a_suspended_node_is_not_waited_for(task, equals):
    with pytest.raises(Refused, match="n12: suspended, so it doesn't come online") as refusal:
        Converge(task, "exa-unit", Settings()).run(
            [coming(equals(False, {"n11": "online", "n12": "suspended"}), task, False)]
        )
    assert "state=resumed" in refusal.value.hint


def test_equals_are_powered_on_by_one_call(task, equals):
    cluster = equals(True, {"n11": "online", "n12": "offline", "n13": "offline"})

    def start(names):
        cluster.calls.append(names)
        cluster.states.update(dict.fromkeys(names, "online"))

    cluster.start_nodes = start
    result = Converge(task, "exa-unit", Settings()).run([coming(cluster, task)])
    assert cluster.calls == [["n12", "n13"]]
    assert [step["step"] for step in result["steps"]] == ["infra_instances_start"] * 2


def test_an_equal_whose_host_is_on_already_is_joined(task, equals):
    cluster = equals(True, {"n11": "online", "n12": "offline", "n13": "offline"})
    cluster.hosts_on = {"n13"}
    stage = coming(cluster, task)
    states = stage.look(stage.names)
    assert states == {"n11": "online", "n12": "offline", "n13": "booting"}
    assert isinstance(stage.decide("n13", states["n13"], History()), Wait)


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


def test_who_tells_that_all_are_off_is_on(equals):
    cluster = equals(True, {"n11": "online", "n12": "online"})
    (stage,) = shutdown.offline(cluster, ["n11", "n12"], [])
    cluster.states = dict.fromkeys(cluster.states, "offline")
    assert set(stage.look(stage.names).values()) == {"not silent yet (https://n10:443 answers)"}


@pytest.mark.parametrize("names", [["all"], ["n11", "n12"]])
def test_silence_of_some_says_nothing_of_the_others(equals, names):
    cluster = equals(True, {"n11": "online"}, speaks=False)
    with pytest.raises(ClusterError, match=r"the silence of api_url \(1 of them\) says nothing of"):
        shutdown.already_off(cluster, names)


def test_equals_that_nobody_could_see_to_be_off_stay_on(equals):
    cluster = equals(True, {"n11": "online", "n12": "online", "n13": "suspended", "n14": "offline"})
    cluster.unseen = ["n13"]
    shutdown.offline(cluster, ["n11", "n12", "n13", "n14"], [])
    cluster.unseen = ["n12", "n13"]
    for names in (["n11", "n12", "n13", "n14"], ["n11", "n12"]):
        with pytest.raises(Refused, match="nobody could tell whether n12 went off") as refusal:
            shutdown.offline(cluster, names, [])
    assert "api_url" in refusal.value.hint
    assert shutdown.offline(cluster, ["n12"], [])[0].done == "offline"  # n11 tells
    cluster.urls = cluster.urls[:1]
    with pytest.raises(Refused, match="nobody could tell whether n12"):
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
