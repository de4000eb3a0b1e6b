# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ConfD clusters that have lost their quorum: nobody believes their databases, and their dead half is suspended."""

from __future__ import annotations

import pytest
from world import confd, until

HERE = {"DB1": {"state": "running", "nodes": ["n11", "n12"]}}


@pytest.fixture
def half_dead(simulate):
    """A cluster two of whose four nodes have died."""

    def start(**settings):
        given = {"auto_start": False, **settings}
        simulator = simulate(
            confd("half", nodes=4, databases=HERE, settings=given), broken=("quorum-lost-under-database",)
        )
        for node in ("n13", "n14"):
            simulator.power(node, False)
        until("n14 is off", lambda: simulator.state()["nodes"]["n14"]["state"] == "off")
        return simulator

    return start


def suspend(nodes, **more):
    options = {"nodes": nodes, "state": "suspended", "wait_timeout": 30, **more}
    return [{"name": "Suspend", "dbfleet.cluster.exa_node": options}]


def test_the_dead_half_is_suspended_knowingly(half_dead, ansible):
    simulator = half_dead()
    hosts = simulator.inventory(exa_provider="confd", exa_request_timeout=5)
    dead = ["n13", "n14"]
    for options, says in (
        ({}, "HTTP 503"),
        ({"without_quorum": True}, "half: n13 n14 not suspended without a quorum: confirm names nothing"),
    ):
        run = ansible.run(suspend(dead, **options), hosts).failed()
        assert says in run.failures()[0], run.out
        assert simulator.changes() == []
    unknowing = ansible.run(suspend(dead), hosts).failed()
    assert "without_quorum: true, and name them in confirm" in unknowing.one("Suspend")["hint"]
    knowing = {"without_quorum": True, "confirm": dead}
    alive = ansible.run(suspend(["n11", "n14"], without_quorum=True, confirm=["n11", "n14"]), hosts).failed()
    assert "n11 is alive" in alive.failures()[0]
    few = {"half": {**hosts["half"], "exa_api_url": hosts["half"]["exa_api_url"][:3]}}
    blind = ansible.run(suspend(dead, **knowing), few).failed()
    assert "2 of 3 nodes in api_url answer, so one of the nodes to suspend may be alive" in blind.failures()[0]
    preview = ansible.run(suspend(dead, **knowing), hosts, "--check").ok()
    assert {row["state"] for row in preview.one("Suspend")["nodes"].values()} == {"suspended"}
    assert simulator.changes() == []

    run = ansible.run(suspend(dead, **knowing), hosts).ok()
    assert simulator.changes() == ["node_suspend"]
    assert run.one("Suspend")["nodes"] == {name: {"state": "suspended"} for name in dead}
    again = ansible.run(suspend(dead, **knowing), hosts).ok()
    assert (again.changed(), simulator.changes()) == (0, ["node_suspend"])


def test_a_suspension_that_the_server_does_not_take_fails(half_dead, ansible):
    simulator = half_dead(suspend_without_quorum=False)
    hosts = simulator.inventory(exa_provider="confd", exa_request_timeout=5)
    options = {"without_quorum": True, "confirm": ["n13", "n14"], "wait_timeout": 20}
    run = ansible.run(suspend(["n13", "n14"], **options), hosts).failed()
    assert "node_suspend of n13 n14" in run.failures()[0]
    assert "HTTP 503" in run.failures()[0]


def test_a_database_that_seems_connectable_is_not_believed(half_dead, ansible):
    """status, check, the module for databases and the cold start's verification."""
    simulator = half_dead(quorum_lost="answer")
    hosts = simulator.inventory(
        exa_wait_timeout=4, exa_cold_start_ignore_nodes=["n13", "n14"], exa_cold_start_power="hook",
        exa_graceful_shutdown_power="none",
    )  # fmt: skip
    status = ansible.run("status", hosts).ok()
    says = r"^down +half +nodes 2/4 online .*databases 0/1 connectable \(DB1 running without a quorum\)"
    assert status.lines(says), status.out
    assert "DB1 running without a quorum" in ansible.run("check", hosts).out
    options = {"databases": ["all"], "state": "started", "wait_timeout": 4}
    tasks = [{"name": "Start", "dbfleet.cluster.exa_database": options}]
    for playbook in (tasks, "exa_cold_start"):
        run = ansible.run(playbook, hosts).failed()
        assert any("no quorum" in text or "Storaged" in text for text in run.failures()), run.out
    assert simulator.changes() == []
