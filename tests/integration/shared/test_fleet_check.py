# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A check of many clusters by one task: what is said of each, hosts that need a task of their own, what is refused."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

import pytest
from domains import database, domain
from world import cluster, confd

ROLE = "dbfleet.cluster.check"


@pytest.fixture
def fleet(simulate: Any) -> Any:
    up = {"shop": database(up=True)}
    return simulate(cluster("exa-a", up=True), cluster("exa-b"), confd("exa-c"), domain("nuo-a", databases=up))


def of_hosts(run: Any) -> list[str]:
    """The hosts of the lines of progress, each once for a row of lines."""
    found = [re.match(r"\[([\w-]+)\] ", line) for line in run.out.splitlines()]
    return [host for host, _lines in groupby(match[1] for match in found if match)]


def test_what_is_said_of_each_stands_together(fleet: Any, ansible: Any) -> None:
    """Each host that fails does so with its own sentence, and the others cost no task."""
    hosts = fleet.inventory()
    hosts["exa-b"]["exa_api_password"] = "no"
    hosts["exa-c"]["exa_cold_start_nodes_timeout"] = "soon"
    run = ansible.run("check", hosts, variables={"check_details": "true", "check_side_by_side": "2"}).failed()
    assert sorted(of_hosts(run)) == ["exa-a", "exa-b", "exa-c", "nuo-a"]
    assert {name: row["failures"] for name, row in run.stats.items()} == {"exa-a": 0, "exa-b": 1}
    (why,) = run.failures("exa-b")
    assert "HTTP 401" in why
    assert run.custom["exa-b"]["problems"][0] in why
    assert run.lines("^4 clusters checked, 1 failed: exa-b$")
    assert "exa_cold_start will refuse this: " in run.out
    for name in ("exa-a", "exa-c", "nuo-a"):
        assert run.custom[name]["problems"] == []
        assert run.custom[name]["summary"].startswith(f"{name}: ")
    plan = run.one("What the graceful shutdown would do and refuse now", "nuo-a")
    assert [step["object"] for step in plan["steps"]][:1] == ["shop"]
    assert all(fleet.changes(name) == [] for name in fleet.names)


def test_hosts_that_are_reached_from_elsewhere_have_a_task_of_their_own(fleet: Any, ansible: Any) -> None:
    """The role alone is that task, and needs no other; the order of the plays' hosts doesn't matter."""
    hosts = fleet.inventory()
    hosts["exa-a"].update(ansible_connection="ssh", ansible_host="127.0.0.1", ansible_port=1, ansible_ssh_retries=0)
    hosts["exa-c"]["ansible_become"] = False
    run = ansible.run("check", hosts).failed()
    assert run.one("Look at every cluster", "exa-a" if "exa-a" in run.stats else "exa-b")["elsewhere"] == ["exa-a"]
    assert "set ansible_connection: local for this host" in run.failures("exa-a")[0]
    assert run.lines(r"\[exa-b\] plan: |\[exa-b\] nodes: ")
    assert run.custom["nuo-a"]["problems"] == []
    alone = ansible.run([{"ansible.builtin.import_role": {"name": ROLE}}], {"nuo-a": hosts["nuo-a"]}).ok()
    assert alone.custom["nuo-a"]["problems"] == []
    assert alone.lines(r"\[nuo-a\] plan of graceful shutdown:"), alone.out


def test_what_is_refused(fleet: Any, ansible: Any) -> None:
    """One cluster under two names, a product that is none, and a slip of the hand; the others are checked."""
    hosts = fleet.inventory()
    hosts["twin"] = hosts["exa-a"]
    hosts["exa-b"]["dbfleet_product"] = "oracle"
    run = ansible.run("check", hosts, "--limit", "!exa-c", "--check").failed()
    shared = "share an API endpoint: they are one cluster under several names; target one of them [DBF-7015]"
    assert run.failures("exa-a") == [f"exa-a and twin {shared}"]
    assert run.failures("twin") == [f"twin and exa-a {shared}"]
    assert run.failures("exa-b") == ["exa-b: dbfleet_product is oracle: it takes exasol or nuodb [DBF-7006]"]
    assert run.custom["nuo-a"]["problems"] == []
    fleet.forget()
    for given, says in (
        ({"check_detials": True}, "there is no variable check_detials (did you mean check_details?)"),
        ({"check_side_by_side": 0}, "side_by_side is 0, and must be above 0"),
    ):
        run = ansible.run("check", hosts, variables=given).failed()
        assert says in run.failures()[0]
        assert len(run.failures()) == 1
    assert all(fleet.calls(cluster=name) == [] for name in fleet.names)
