# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Single modules over a bastion."""

from __future__ import annotations

from typing import Any

from domains import database, domain
from far_side import FarSide
from world import cluster, play

INFO = {"exasol": "exa_cluster_info", "nuodb": "nuodb_domain_info"}


def test_modules_of_both_products(
    simulate: Any, ansible: Any, bastion: FarSide, version: str, pipelining: bool
) -> None:
    simulator = simulate(cluster("exa-a", up=True), domain("nuo-a", databases={"shop": database(up=True)}))
    hosts = simulator.inventory(**bastion.variables(version))
    look = {"name": "where", "ansible.builtin.command": {"argv": ["id", "-un"]}, "changed_when": False}
    plays = [
        play([{"name": "look", f"dbfleet.cluster.{module}": {}}, look], product) for product, module in INFO.items()
    ]
    run = ansible.run(plays, hosts, environment=bastion.environment(pipelining)).ok()
    for host in hosts:
        assert run.one("where", host)["stdout"] == bastion.user
    assert run.one("look", "exa-a")["cluster"]["databases"]["DB1"]["state"] == "running"
    assert run.one("look", "nuo-a")["domain"]["databases"]["shop"]["state"] == "RUNNING"
    assert bastion.left() == []


def test_a_module_that_fails_leaves_nothing_behind(
    simulate: Any, ansible: Any, bastion: FarSide, newest: str, pipelining: bool
) -> None:
    """In its work, and before it: then ansible-core alone removes what was sent along."""
    simulator = simulate(cluster("exa-a"))
    hosts = simulator.inventory(**bastion.variables(newest))
    tasks = [
        {"name": f"{name} {way}", f"dbfleet.cluster.{module}": args, "ignore_errors": True, **more}
        for name, module, args in (
            ("refused", "exa_storage", {"state": "started"}),
            ("wrong", "exa_storage", {"state": "begun"}),
        )
        for way, more in (("as ever", {}), ("with async", {"async": 60, "poll": 1}))
    ]
    run = ansible.run([play(tasks)], hosts, environment=bastion.environment(pipelining)).ok()
    for task in tasks:
        assert run.went(task["name"], "exa-a") == "failed"
    assert bastion.files_sent() == []
