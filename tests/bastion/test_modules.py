# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Single modules over a bastion."""

from __future__ import annotations

from typing import Any

from domains import database, domain
from world import cluster, play

INFO = {"exasol": "exa_cluster_info", "nuodb": "nuodb_domain_info"}


def test_modules_of_both_products(simulate: Any, ansible: Any, bastion: Any, version: str, pipelining: bool) -> None:
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
