# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What makes a status fail: of clusters of all kinds of server that are up, degraded, down or unreachable."""

from __future__ import annotations

import re
from typing import Any, Optional

import pytest
from domains import database, domain
from world import cluster, confd

STATES = ("up", "degraded", "down", "unreachable")
KINDS = ("eao", "confd", "nuodb")

FAILS: dict[Optional[str], tuple[str, ...]] = {
    None: ("unreachable",),
    "": ("unreachable",),
    "unreachable": ("unreachable",),
    "degraded": ("degraded", "down", "unreachable"),
    "down": ("down", "unreachable"),
}
"""By what the variable says: the clusters for which the run fails."""

COLD = r"dbfleet.cluster.exa_cold_start -e target={name} --check shows the steps that would repair it"
RECOVER = COLD.replace("exa_cold_start", "nuodb_recover")
SEE = r"unreachable \(for the cause, see the line of {name}\)"

PROBLEMS = {
    "eao-degraded": rf"degraded: nodes n0013 offline; services Storaged degraded: {COLD}",
    "eao-down": rf"down: no database accepts connections; nodes n0011 offline, .*; databases DB1 setup: {COLD}",
    "confd-degraded": rf"degraded: databases DB2 setup: {COLD}",
    "confd-down": rf"down: no database accepts connections; databases DB1 setup: {COLD}",
    "nuodb-degraded": rf"degraded: servers not active: server2: {RECOVER}",
    "nuodb-down": rf"down: .*connections; databases shop NOT_RUNNING; archives not running: 0 1: {RECOVER}",
    "confd-unreachable": rf"{SEE}: .* may have changed, .*: put the new .*",
    "unreachable": rf"{SEE}: dbfleet.cluster.check -e target={{name}} looks at each URL",
}
"""By cluster or state, what its failure says behind its name."""


@pytest.fixture
def fleet(simulate: Any) -> tuple[Any, dict[str, dict[str, Any]]]:
    """Of each kind of server a cluster in each state."""
    nodes = {"n0011": {"state": "online"}, "n0012": {"state": "online"}, "n0013": {"state": "offline"}}
    spare = {"DB1": {"state": "running", "nodes": ["n0011", "n0012"]}}
    up, shut = {"shop": database(up=True)}, {"shop": database()}
    simulator = simulate(
        cluster("eao-up", up=True),
        cluster("eao-degraded", up=True, nodes=3, databases=spare) | {"nodes": nodes},
        cluster("eao-down"),
        confd("confd-up"),
        confd("confd-degraded", databases={"DB1": {"state": "running"}, "DB2": {"state": "setup"}}),
        confd("confd-down", databases={"DB1": {"state": "setup"}}),
        domain("nuodb-up", databases=up),
        domain("nuodb-degraded", 3, databases=up, stopped=["server2"]),
        domain("nuodb-down", databases=shut),
    )
    hosts = simulator.inventory()
    for kind in KINDS:
        options = hosts[f"{kind}-up"]
        url = "nuodb_api_url" if kind == "nuodb" else "exa_api_url"
        hosts[f"{kind}-unreachable"] = {**options, url: ["https://127.0.0.1:1"]}
    hosts["confd-unreachable"]["exa_provider"] = "confd"
    return simulator, hosts


@pytest.mark.parametrize("given", FAILS)
def test_what_a_status_fails_on(fleet: Any, ansible: Any, given: Optional[str]) -> None:
    """Each cluster has its line, whatever becomes of the others; each failure says what is wrong."""
    _simulator, hosts = fleet
    variables = {} if given is None else {"fail_on": given}
    run = ansible.run("status", hosts, variables=variables).failed()
    failed = {name for name, row in run.stats.items() if row["failures"]}
    assert failed == {f"{kind}-{state}" for kind in KINDS for state in FAILS[given]}, run.out
    for name in hosts:
        summary = run.custom[name]["summary"]
        assert summary.startswith(f"{name}: ")
        assert len(run.lines(rf"^(up|degraded|down|unreachable) +{name}  ")) == 1, run.out
        assert summary.startswith(f"{name}: unreachable: ") == name.endswith("-unreachable")
        assert len(run.failures(name)) == (name in failed)
    for name in failed:
        (says,) = run.failures(name)
        wanted = PROBLEMS.get(name) or PROBLEMS[name.rpartition("-")[2]]
        assert re.fullmatch(f"{name}: {wanted.replace('{name}', name)}", says), says
    assert run.changed() == 0

    well = {name: row for name, row in hosts.items() if name not in failed}
    assert set(ansible.run("status", well, variables=variables).ok().custom) == set(well)


def test_a_value_that_is_none_is_refused_before_the_first_call(fleet: Any, ansible: Any) -> None:
    simulator, hosts = fleet
    simulator.forget()
    for given, shown in (("degrade", "degrade"), (False, "false"), ("up", "up")):
        run = ansible.run("status", hosts, variables={"fail_on": given}).failed()
        (says,) = run.failures()
        must = "must be one of unreachable, down, degraded; nothing was looked at [DBF-7001]"
        assert says.endswith(f": fail_on is {shown}, and {must}"), run.out
        assert len(run.lines(f"fail_on is {shown}")) <= 2, run.out
        assert run.custom == {}
    for slip in ("failon=down", "fail-on=down"):
        run = ansible.run("status", hosts, "-e", slip).failed()
        assert "(did you mean fail_on?)" in " ".join(run.out.split())
    assert all(simulator.calls(cluster=name) == [] for name in simulator.names)


def test_what_a_fleet_sets_for_each_of_its_clusters(fleet: Any, ansible: Any) -> None:
    """A host's own value holds, None of a prompt is none, and the cold start's ignored node is nothing amiss."""
    _simulator, hosts = fleet
    hosts["eao-degraded"].update(fail_on="degraded", exa_cold_start_ignore_nodes="13")
    hosts["confd-degraded"]["fail_on"] = " Degraded"
    hosts["nuodb-degraded"]["fail_on"] = "None"
    some = {f"{kind}-degraded": hosts[f"{kind}-degraded"] for kind in KINDS}
    run = ansible.run("status", some).failed()
    assert {name for name, row in run.stats.items() if row["failures"]} == {"eao-degraded", "confd-degraded"}, run.out
    (says,) = run.failures("eao-degraded")
    assert says.startswith("eao-degraded: degraded: services Storaged degraded: "), says


def test_a_cluster_that_lets_nobody_read_it(fleet: Any, ansible: Any) -> None:
    """A wrong password is no matter of the network, and fails with each value."""
    _simulator, hosts = fleet
    some = {f"{kind}-up": hosts[f"{kind}-up"] for kind in KINDS}
    for row in some.values():
        row["nuodb_api_password" if "nuodb_api_url" in row else "exa_api_password"] = "no"
    run = ansible.run("status", some, variables={"fail_on": "down"}).failed()
    for name in some:
        assert run.custom[name]["summary"].startswith(f"{name}: refused: "), run.out
        assert run.lines(rf"^refused +{name} +\S.* the server refused user '[^']+' and its password \(HTTP 401\)"), (
            run.out
        )
        assert "HTTP 401" in run.custom[name]["summary"]
        assert run.failures(name)[0].startswith(f"{name}: the user or the password was refused: ")
    assert "3 clusters: 3 refused" in run.out
