# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run over a bastion shows: the same lines as one of the controller, in order, once."""

from __future__ import annotations

import re
from typing import Any

from domains import database, domain
from world import Run, cluster, play

OFF = "dbfleet_progress"


def lines_of(run: Run, name: str) -> list[str]:
    """What was said of a cluster, without what another run would say differently."""
    found = [line.partition("] ")[2] for line in run.out.splitlines() if line.startswith(f"[{name}] ")]
    return [re.sub(r"127\.0\.0\.1:\d+|\b\d\d:\d\d\b|\b[0-9a-f]{64}\b", "", line) for line in found]


def pair(simulate: Any, bastion: Any, version: str, *clusters: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Simulated clusters, each twice: C(here-x) is reached from the controller, C(far-x) over the bastion."""
    twice = [{**one, "name": f"{side}-{one['name']}"} for one in clusters for side in ("here", "far")]
    simulator = simulate(*twice)
    hosts = simulator.inventory()
    for name in hosts:
        hosts[name].update(bastion.variables(version) if name.startswith("far") else {"ansible_connection": "local"})
    return simulator, hosts


def same(run: Run, name: str) -> list[str]:
    here, far = lines_of(run, f"here-{name}"), lines_of(run, f"far-{name}")
    assert [line.replace(f"here-{name}", f"far-{name}") for line in here] == far, run.out
    return far


def test_a_check(simulate: Any, ansible: Any, bastion: Any, version: str, pipelining: bool) -> None:
    blocked = cluster("exa", up=True, databases={"DB1": {"state": "running", "operation": "Backup"}})
    shop = domain("nuo", databases={"shop": database(up=True)})
    _simulator, hosts = pair(simulate, bastion, version, blocked, shop)
    run = ansible.run("check", hosts, environment=bastion.environment(pipelining)).ok()
    exa, nuo = same(run, "exa"), same(run, "nuo")
    assert any("certificate sha256:" in line and "role Administrator" in line for line in exa), run.out
    assert any(line.startswith("refused: ") and "Backup is running" in line for line in exa), run.out
    assert any("would stopEXAStorage" in line for line in exa), run.out
    assert any("plan of recover" in line for line in nuo), run.out


def test_a_check_that_can_t_be_made_fails_and_says_why(simulate: Any, ansible: Any, bastion: Any, version: str) -> None:
    simulator, hosts = pair(simulate, bastion, version, cluster("exa", up=True))
    for given in hosts.values():
        given["exa_api_password"] = "wr0ng!!"
    run = ansible.run("check", hosts).failed()
    assert any("NOT USABLE" in line for line in same(run, "exa")), run.out
    for name in hosts:
        assert any("refused user" in text for text in run.failures(name)), run.out
    assert "wr0ng!!" not in run.out
    assert not simulator.changes("far-exa")


def test_a_check_that_is_refused_fails(simulate: Any, ansible: Any, bastion: Any) -> None:
    """As a misspelt variable is."""
    simulator, hosts = pair(simulate, bastion, "3.13", cluster("exa", up=True))
    for given in hosts.values():
        given["exa_lisence_servers"] = ["n0010"]
        given["exa_request_timeout"] = "soon"
    run = ansible.run("check", hosts).failed()
    for name in hosts:
        assert any("exa_request_timeout" in text for text in run.failures(name)), run.out
        assert simulator.calls(cluster=name) == []


def test_a_preview_of_a_runbook(simulate: Any, ansible: Any, bastion: Any, version: str, pipelining: bool) -> None:
    simulator, hosts = pair(simulate, bastion, version, cluster("exa"), domain("nuo", databases={"shop": database()}))
    plays = {"exa_cold_start": "exa", "nuodb_cold_start": "nuo"}
    for book, name in plays.items():
        some = {host: given for host, given in hosts.items() if host.endswith(name)}
        arguments = ("--check",)
        run = ansible.run(book, some, *arguments, environment=bastion.environment(pipelining)).ok()
        found = same(run, name)
        assert any("would " in line for line in found), run.out
        assert any(line.startswith(f"{book}: ok (check mode") for line in found), run.out
    for host in hosts:
        assert simulator.changes(host) == []


def test_progress_of_a_run_comes_with_each_module(
    simulate: Any, ansible: Any, bastion: Any, version: str, pipelining: bool
) -> None:
    simulator, hosts = pair(simulate, bastion, version, cluster("exa"))
    run = ansible.run("exa_cold_start", hosts, environment=bastion.environment(pipelining)).ok()
    assert simulator.all_connectable("far-exa")
    far = lines_of(run, "far-exa")
    places = []
    for pattern in (
        r"\(3/6\) nodes:", r"nodes: startupNode", r"nodes:   2/2 online", r"\(4/6\) storage:",
        r"services: startEXAStorage", r"\(5/6\) databases:", r"databases: startDatabase", r"exa_cold_start: ok",
    ):  # fmt: skip
        (place,) = [number for number, line in enumerate(far) if re.match(pattern, line)]
        places.append(place)
    assert places == sorted(places), run.out


def test_what_isn_t_to_be_shown_is_not(simulate: Any, ansible: Any, bastion: Any, version: str) -> None:
    simulator = simulate(cluster("far-exa", up=True), cluster("off-exa", up=True))
    hosts = simulator.inventory(**bastion.variables(version))
    hosts["off-exa"][OFF] = "off"
    task = {"dbfleet.cluster.exa_database": {"databases": ["DB1"], "state": "stopped"}, "check_mode": True}
    run = ansible.run([play([{"name": "shown", **task}, {"name": "hidden", **task, "no_log": True}])], hosts).ok()
    assert len(run.lines(r"^\[far-exa\] .*would stopDatabase")) == 1, run.out
    assert not run.lines(r"^\[off-exa\]"), run.out
    assert "said" not in run.one("shown", "far-exa")


def test_become_and_async(simulate: Any, ansible: Any, bastion: Any, version: str) -> None:
    simulator = simulate(cluster("far-exa", up=True))
    hosts = simulator.inventory(**bastion.variables(version))
    task = {"dbfleet.cluster.exa_database": {"databases": ["DB1"], "state": "stopped"}, "check_mode": True}
    tasks = [{"name": "behind", "dbfleet.cluster.exa_cluster_info": {}, "async": 60, "poll": 1}]
    if bastion.sudo:
        tasks.append({"name": "as root", **task, "become": True})
    run = ansible.run([play(tasks)], hosts).ok()
    assert run.one("behind")["cluster"]["databases"]["DB1"]["state"] == "running"
    if bastion.sudo:
        assert len(run.lines(r"^\[far-exa\] .*would stopDatabase")) == 1, run.out
