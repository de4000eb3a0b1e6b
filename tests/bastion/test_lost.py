# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A bastion that can't be reached, or is lost: one failure of ours, with its end table, its cause and what resumes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from domains import database, domain
from world import Run, cluster, free_port, play

AGAIN = (
    "what the module had started continues on the cluster; run the task again when {} can be reached: "
    "it joins what it finds"
)

BOOKS = (
    "exa_cold_start",
    "exa_graceful_shutdown",
    "nuodb_cold_start",
    "nuodb_graceful_shutdown",
    "nuodb_recover",
)


def made(book: str, name: str) -> dict[str, Any]:
    """A cluster on which a runbook has something to do."""
    if book.startswith("exa"):
        return cluster(name, up=book.endswith("shutdown"))
    return domain(name, databases={"shop": database(up=not book.endswith("cold_start"))})


def end_table(run: Run, host: str, book: str) -> tuple[str, str]:
    """The cause and the command of the one end table."""
    assert len(run.lines(rf"^\[{host}\] {book}: failed")) == 1, run.out
    (cause,) = run.lines(rf"^\[{host}\] cause: ")
    (resume,) = run.lines(rf"^\[{host}\] resume: ansible-playbook ")
    assert f"target={host}" in resume
    assert not run.lines("UNREACHABLE"), run.out
    return cause, resume


@pytest.mark.parametrize("book", BOOKS)
def test_a_runbook_whose_bastion_can_t_be_reached(simulate: Any, ansible: Any, bastion: Any, book: str) -> None:
    simulator = simulate(made(book, "far-a"))
    hosts = simulator.inventory(**bastion.variables("3.13"))
    hosts["far-a"]["ansible_port"] = free_port("127.0.0.1")
    run = ansible.run(book, hosts, variables={"confirm": "far-a"}).failed()
    cause, _resume = end_table(run, "far-a", book)
    module = rf"{book.partition('_')[0]}_\w+"
    assert re.search(
        rf"cause: far-a: {module} was to run on far-a, by ssh, which can't be reached: .*[Cc]onnection refused.*; "
        r"nothing was started there; set ansible_connection: local",
        cause,
    ), run.out
    assert simulator.changes() == []


@pytest.mark.parametrize("others", [False, True], ids=["alone", "beside-another"])
def test_a_cold_start_whose_connection_is_lost(
    simulate: Any, ansible: Any, bastion: Any, pipelining: bool, others: bool
) -> None:
    names = ["far-a", "far-b"] if others else ["far-a"]
    simulator = simulate(*(cluster(name) for name in names))
    hosts = simulator.inventory(**bastion.variables("3.13"))
    if others:
        hosts["far-b"] = {**simulator.variables("far-b"), "ansible_connection": "local"}
    simulator.fault("never_boots", cluster="far-a", object="n0012")
    run = ansible.start("exa_cold_start", hosts, environment=bastion.environment(pipelining))
    run.wait_for("its nodes boot", lambda: simulator.calls("startupNode", cluster="far-a"))
    bastion.cut()
    done = run.finish().failed()
    cause, resume = end_table(done, "far-a", "exa_cold_start")
    assert re.search(r"cause: far-a: exa_node was to run on far-a, by ssh, and the connection was lost: ", cause)
    assert AGAIN.format("far-a") in cause
    assert "exa_cold_start" in resume
    if others:
        assert simulator.all_connectable("far-b")
        assert len(done.lines(r"^\[far-b\] exa_cold_start: ok")) == 1, done.out
        assert done.lines(r"^exa_cold_start: 2 clusters: 1 failed, 1 ok"), done.out
    simulator.mend()
    simulator.power("n0012", True, cluster="far-a")
    ansible.run("exa_cold_start", {"far-a": hosts["far-a"]}, environment=bastion.environment(pipelining)).ok()
    assert simulator.all_connectable("far-a")


UNDER_WAY: dict[str, tuple[dict[str, Any], str]] = {
    "exa_graceful_shutdown": ({}, "stopDatabase"),
    "nuodb_cold_start": ({"object": "SM", "state": "TRACKED"}, "POST processes"),
    "nuodb_graceful_shutdown": ({"object": "TE", "state": "REQUESTED_SHUTDOWN"}, "POST databases/shutdown"),
}
"""What holds a runbook up, and the call behind which it waits. Those of NuoDB keep a lease."""


@pytest.mark.parametrize("book", UNDER_WAY)
def test_another_runbook_whose_connection_is_lost(simulate: Any, ansible: Any, bastion: Any, book: str) -> None:
    stays, call = UNDER_WAY[book]
    simulator = simulate({**made(book, "far-a"), **({} if stays else {"timing": {"database_stop": 600}})})
    hosts = simulator.inventory(**bastion.variables("3.13"))
    if stays:
        simulator.fault("stays", **stays)
    run = ansible.start(book, hosts, variables={"confirm": "far-a"})
    run.wait_for("it is under way", lambda: simulator.calls(call))
    bastion.cut()
    cause, _resume = end_table(run.finish().failed(), "far-a", book)
    assert "the connection was lost" in cause


def test_a_check_whose_bastion_can_t_be_reached(simulate: Any, ansible: Any, bastion: Any) -> None:
    simulator = simulate(cluster("far-a", up=True))
    hosts = simulator.inventory(**bastion.variables("3.13", ansible_port=free_port("127.0.0.1")))
    run = ansible.run("check", hosts).failed()
    assert any("was to run on far-a, by ssh, which can't be reached" in text for text in run.failures()), run.out


def test_a_single_module(simulate: Any, ansible: Any, bastion: Any, pipelining: bool) -> None:
    simulator = simulate(cluster("exa-prod"))
    hosts = {"far-a": {**simulator.variables("exa-prod"), **bastion.variables("3.13")}}
    hosts["gone"] = {**hosts["far-a"], "ansible_port": free_port("127.0.0.1")}
    boot = {"dbfleet.cluster.exa_node": {"state": "online", "cluster_name": "exa-prod"}}
    simulator.fault("never_boots", object="n0012")
    run = ansible.start([play([{"name": "boot", **boot}])], hosts, environment=bastion.environment(pipelining))
    run.wait_for("its nodes boot", lambda: simulator.calls("startupNode"))
    bastion.cut()
    done = run.finish().failed()
    assert done.rc == 4, done.out
    (lost,), (gone,) = done.failures("far-a"), done.failures("gone")
    assert "exa-prod: exa_node was to run on far-a, by ssh, and the connection was lost: " in lost
    assert AGAIN.format("far-a") in lost
    assert "exa-prod: exa_node was to run on gone, by ssh, which can't be reached: " in gone
    assert "nothing was started there; set ansible_connection: local" in gone
