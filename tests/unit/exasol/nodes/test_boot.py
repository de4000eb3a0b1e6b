# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nodes are powered on, and awaited."""

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
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Fault, Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.log import Log
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.nodes import boot


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
