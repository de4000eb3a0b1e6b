# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user is told where the inventory names something else than what is there."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
from domains import database, domain
from world import cluster, confd

OPTIONS = ("api_url", "api_username", "api_password", "ca_path")


@pytest.fixture
def three(simulate: Any) -> Any:
    return simulate(
        cluster("exa-a", up=True), confd("exa-b"), domain("nuo-a", servers=2, databases={"shop": database(up=True)})
    )


def lent(hosts: dict[str, Any], lender: str, product: str) -> dict[str, Any]:
    """A host of one product with the connection of the other's."""
    own = "nuodb" if product == "exa" else "exa"
    return {f"{product}_{name}": hosts[lender][f"{own}_{name}"] for name in OPTIONS}


@pytest.mark.parametrize(
    ("lender", "product", "playbook"),
    [
        ("nuo-a", "exa", "exa_cold_start"),
        ("exa-a", "nuodb", "nuodb_cold_start"),
        ("exa-b", "nuodb", "nuodb_cold_start"),
    ],
)
def test_the_server_of_another_product(three: Any, ansible: Any, lender: str, product: str, playbook: str) -> None:
    """Said once for all URLs, with what to look at; and by check, whose hint is no JSON."""
    host = {"strange": lent(three.inventory(), lender, product)}
    run = ansible.run(playbook, host, "--check").failed()
    (cause,) = run.failures()
    assert len(re.findall("HTTP 404|is not JSON|an HTML page", cause)) == 1, cause
    assert run.lines(r"hint: the server at this URL does not have this API: check whether api_url, or the profile")
    checked = ansible.run("check", host).failed()
    assert "the server at this URL does not have this API" in checked.failures()[0], checked.out
    assert three.changes() == []


def test_a_host_that_is_reached_by_ssh(three: Any, ansible: Any) -> None:
    """The default of ansible-core: the end table is shown, and says what was forgotten."""
    hosts = {"exa-a": {**three.inventory()["exa-a"], "ansible_connection": "ssh", "ansible_host": "127.0.0.1"}}
    hosts["exa-a"].update(ansible_port=1, ansible_ssh_retries=0)
    run = ansible.run("exa_cold_start", hosts, "--check").failed()
    assert "set ansible_connection: local for this host" in run.custom["exa-a"]["cause"]
    assert "by ssh" in run.custom["exa-a"]["cause"]


def test_servers_that_need_not_be_there(simulate: Any, ansible: Any) -> None:
    """The wait names the variable that ends it."""
    simulator = simulate(domain(servers=3, databases={"shop": database()}, stopped=["server2"]))
    hosts = simulator.inventory(nuodb_cold_start_servers_timeout=2)
    run = ansible.run("nuodb_cold_start", hosts).failed()
    assert "nuodb_cold_start_require" in run.custom["nuo-prod"]["cause"], run.out
    ansible.run("nuodb_cold_start", hosts, variables={"nuodb_cold_start_require": "quorum"}).ok()


def test_a_database_that_was_stopped_on_purpose(simulate: Any, ansible: Any) -> None:
    simulator = simulate(domain(databases={"shop": database(up=True)}))
    hosts = simulator.inventory()
    ansible.run("nuodb_graceful_shutdown", hosts, variables={"confirm": "nuo-prod"}).ok()
    simulator.forget()
    run = ansible.run("nuodb_recover", hosts).ok()
    assert run.lines(r"shop was shut down on purpose, and stays down \(nuodb_cold_start or nuodb_database_state starts")
    assert simulator.changes() == []


@pytest.mark.parametrize(
    ("module", "variable"),
    [("exa_cluster_info", "exa_profile"), ("exa_cluster_info", "exa_api_url"), ("nuodb_domain_info", "nuodb_profile")],
)
def test_a_module_alone_says_that_it_reads_no_variables_of_a_host(ansible: Any, module: str, variable: str) -> None:
    """Run by hand, it would take another connection without a word."""
    inventory = ansible.write_inventory({"by-hand": {variable: "https://db.example"}})
    command = [sys.executable, "-m", "ansible", "adhoc", "-i", str(inventory), "-m", f"dbfleet.cluster.{module}", "all"]
    elsewhere = {f"{module.partition('_')[0].upper()}_API_URL": "http://127.0.0.1:1"}
    done = subprocess.run(
        command, env=ansible.environment(**elsewhere), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2, done.stdout
    assert f"by-hand: {variable} is set for this host, but this task has no connection options" in done.stdout
    option = variable.partition("_")[2]
    assert f"set {option} in the task, or use the role" in done.stdout
