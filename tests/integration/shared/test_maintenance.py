# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Maintenance of a fleet: waves, what stops them, the table, and the run that goes on."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from domains import database, domain
from world import Run, cluster, confd, until

UP = {"shop": database(up=True)}
STAY = {"exa_graceful_shutdown_power": "none"}
"""The machines of a cluster stay on."""


@pytest.fixture
def work(tmp_path: Path) -> str:
    """The user's task file."""
    path = tmp_path / "work.yml"
    path.write_text("- name: Firmware\n  ansible.builtin.debug:\n    msg: firmware of {{ inventory_hostname }}\n")
    return str(path)


def results(run: Run) -> dict[str, str]:
    """What the table at the end says of each cluster."""
    rows = run.lines(r"^\S+ +(sick|not ended|not begun|done|previewed) +\d+/\d+")
    return {row.split()[0]: re.split(r"  +", row)[1] for row in rows}


def variables(hosts: Any, **more: Any) -> dict[str, Any]:
    return {"target": "all", "confirm": ",".join(hosts), **more}


def goes_on(run: Run) -> dict[str, str]:
    """The variables of the command that goes on, without those that came in a file."""
    (line,) = run.lines("^goes on: ")
    words = shlex.split(line, comments=True)
    given = [words[index + 1] for index, word in enumerate(words) if word == "-e"]
    return dict(one.split("=", 1) for one in given if "=" in one)


def test_a_fleet_of_twenty(simulate: Any, ansible: Any, work: str) -> None:
    """One falls sick in the middle: its wave ends, the next isn't begun, and the next run goes on from there."""
    fleet = simulate(
        *(cluster(f"exa-{number}", nodes=1, up=True) for number in range(8)),
        *(confd(f"confd-{number}", nodes=1) for number in range(6)),
        *(domain(f"nuo-{number}", servers=1, databases={"shop": database(["server0"], ["server0"], up=True)})
          for number in range(6)),
    )  # fmt: skip
    hosts = fleet.inventory(**STAY, maintenance_work=work, maintenance_serial=[6, 7])
    fleet.fault("fails_to_start", cluster="exa-3", object="DB1", text="disk is full")
    run = ansible.run("maintenance", hosts, variables=variables(hosts)).failed()
    assert run.lines(
        "^maintenance: 20 clusters in 4 waves; the next wave begins when every cluster before it is healthy"
    )
    assert run.lines("^maintenance: wave 3/4: exa-1 exa-2 exa-3 exa-4 exa-5 exa-6 exa-7$")
    first = {name for name in hosts if not name.startswith("nuo")}
    assert {name for name in hosts if run.of("Firmware", name)} == first
    assert results(run) == {
        name: "sick" if name == "exa-3" else "done" if name in first else "not begun" for name in hosts
    }
    cause = r"DB1: startDatabase was accepted, .* disk is full \[DBF-\d{4}\]"
    assert run.lines(rf"^exa-3 +sick +3/4 +cold start +\d\d:\d\d +{cause}$")
    assert all("did not begin: wave 4/4 does not begin, because" in run.failures(f"nuo-{n}")[0] for n in range(6))
    assert all(fleet.changes(f"nuo-{number}") == [] for number in range(6))
    assert run.custom["exa-3"]["maintenance"] == {
        **run.custom["exa-3"]["maintenance"], "result": "sick", "wave": 3, "phase": "cold start", "state": "down",
    }  # fmt: skip
    assert {run.custom[f"nuo-{number}"]["maintenance"]["result"] for number in range(6)} == {"not begun"}

    left = ["exa-3", *(f"nuo-{number}" for number in range(6))]
    again = goes_on(run)
    assert again == {"target": ",".join(left), "confirm": ",".join(left), "maintenance_accept": "exa-3"}
    refused = ansible.run("maintenance", hosts, variables={**again, "maintenance_accept": ""}).failed()
    assert refused.failures()[0].startswith("no wave begins, because maintenance_max_failures is 0: exa-3: down: ")
    fleet.mend()
    fleet.forget()
    run = ansible.run("maintenance", hosts, variables=again).ok()
    assert results(run) == dict.fromkeys(left, "done")
    assert run.lines("^maintenance: 7 clusters: 7 done$")
    assert all(fleet.all_connectable(name) for name in hosts if not name.startswith("nuo"))
    assert all(fleet.changes(name) == [] for name in first - {"exa-3"})
    kept = sorted(path.parent.name for path in (ansible.folder / "state").rglob("*.json"))
    assert kept == sorted([*first, *left])


def test_what_stands_against_it(simulate: Any, ansible: Any, work: str, tmp_path: Path) -> None:
    """All of it before the first change of any cluster."""
    fleet = simulate(cluster("exa-a", nodes=1, up=True), cluster("exa-b", nodes=1, databases=2, up=True))
    hosts = fleet.inventory(**STAY, maintenance_work=work)
    bad = tmp_path / "bad.yml"
    bad.write_text("- nothing.of.this.name:\n")
    empty = tmp_path / "empty.yml"
    empty.write_text("---\n")
    for more, says in (
        ({"confirm": "exa-a"}, "maintenance takes exa-a exa-b down and confirm names exa-a, not exa-b"),
        ({"maintenance_wrok": work}, "there is no variable maintenance_wrok (did you mean maintenance_work?)"),
        ({"maintenance_work": ""}, "exa-a: maintenance_work names no file of tasks"),
        ({"maintenance_work": str(tmp_path / "nowhere.yml")}, "exa-a exa-b: maintenance_work: "),
        ({"maintenance_work": str(bad)}, "can't be loaded"),
        ({"maintenance_work": str(empty)}, f"exa-a exa-b: maintenance_work: {empty} has no tasks"),
        ({"maintenance_canary": "exa-c"}, "maintenance_canary names exa-c, which this run does not include"),
        ({"exa_cold_start_ignore_ndoes": "n0011"}, "did you mean exa_cold_start_ignore_nodes?); nothing was changed"),
        ({"exa_cold_start_hooks": {"power": "/no.yml"}}, "exa_cold_start: hook power: /no.yml does not exist"),
        ({"maintenance_serial": "half"}, "maintenance_serial is half, and must be a number of 1 or more"),
    ):  # fmt: skip
        run = ansible.run("maintenance", hosts, variables={**variables(hosts), **more}).failed()
        assert says in run.failures()[0], run.failures()
    for arguments, says in (
        (["--tags", "databases"], "maintenance takes no --tags and no --skip-tags"),
        (["--skip-tags", "always"], "maintenance takes no --tags and no --skip-tags"),
        (["--start-at-task", "*Begin"], "maintenance has no plan"),
    ):
        run = ansible.run("maintenance", hosts, *arguments, variables=variables(hosts)).failed()
        assert says in " ".join(run.out.split()), run.out
    fleet.fault("dies", cluster="exa-b", object="DB2")
    until("DB2 has died", lambda: not fleet.all_connectable("exa-b"))
    run = ansible.run("maintenance", hosts, variables=variables(hosts)).failed()
    assert run.failures()[0].startswith("no wave begins, because maintenance_max_failures is 0: exa-b: ")
    assert "-e maintenance_accept=exa-b" in run.failures()[0]
    assert all(fleet.changes(name) == [] for name in fleet.names)


def test_a_cluster_that_a_task_of_the_user_loses(simulate: Any, ansible: Any, tmp_path: Path) -> None:
    """It became unreachable, its host was ended, or it failed: all count as sick, and the run doesn't end with 0."""
    fleet = simulate(*(cluster(f"exa-{name}", nodes=1, up=True) for name in "abcde"))
    path = tmp_path / "work.yml"
    path.write_text(
        """
- name: A machine that is gone
  ansible.builtin.ping:
  vars:
    ansible_connection: ssh
    ansible_host: 127.0.0.1
    ansible_port: 1
  when: inventory_hostname == 'exa-a'
- name: This one is done, thinks somebody
  ansible.builtin.meta: end_host
  when: inventory_hostname == 'exa-b'
- name: Flash
  ansible.builtin.fail:
    msg: no image
  loop: [disk1, disk2]
  when: inventory_hostname == 'exa-c' and item == 'disk2'
"""
    )
    hosts = fleet.inventory(**STAY, maintenance_work=str(path))
    more = {"maintenance_serial": 4, "maintenance_canary": 0}
    run = ansible.run("maintenance", hosts, variables=variables(hosts, **more)).failed()
    lost = {"exa-a": "not ended", "exa-b": "not ended", "exa-c": "sick"}
    assert results(run) == {**lost, "exa-d": "done", "exa-e": "not begun"}
    assert run.lines("exa-c: task Flash of the work: disk2: no image")
    assert "not done in earlier waves: exa-a exa-b exa-c" in run.failures("exa-e")[0]
    assert goes_on(run)["maintenance_accept"] == "exa-a,exa-b,exa-c"
    alone = ansible.run(
        "maintenance", {"exa-b": hosts["exa-b"]}, variables={**variables(["exa-b"]), "maintenance_accept": "exa-b"}
    ).failed()
    assert results(alone) == {"exa-b": "not ended"}


def test_less_than_before(simulate: Any, ansible: Any, tmp_path: Path) -> None:
    """A cluster that is up without a node that was online before: the comparison tells. Another is done nonetheless."""
    databases = {"DB1": {"state": "running", "nodes": ["n0011", "n0012"]}}
    fleet = simulate(cluster("exa-a", nodes=3, databases=databases, up=True), cluster("exa-b", nodes=1, up=True))
    path = tmp_path / "work.yml"
    url, token = fleet.ready["admin_url"], fleet.ready["admin_token"]
    path.write_text(
        f"""
- name: A node that does not come back
  ansible.builtin.uri:
    url: "{url}/power?cluster=exa-a"
    method: POST
    headers: {{Simulator-Token: "{token}"}}
    body_format: json
    body: {{node: n0013, "on": false}}
  when: inventory_hostname == 'exa-a'
"""
    )
    hosts = fleet.inventory(**STAY, maintenance_work=str(path))
    hosts["exa-a"]["exa_cold_start_ignore_nodes"] = "n0013"
    more = {"maintenance_max_failures": 1, "maintenance_verify_timeout": 1}
    run = ansible.run("maintenance", hosts, variables=variables(hosts, **more)).failed()
    assert results(run) == {"exa-a": "sick", "exa-b": "done"}
    cause = r"up before the maintenance, not up now: nodes n0013 \(offline\) \[DBF-\d{4}\]"
    assert run.lines(rf"^exa-a +sick +1/2 +verify .*{cause}$")
    assert run.lines("^CLUSTER ") == run.lines("^CLUSTER +RESULT +WAVE ")
    assert run.lines(r"^\[exa-a\] up before the shutdown of .*, not up now: nodes n0013 \(offline\) \(")


def test_order_gates_and_a_preview(simulate: Any, ansible: Any, work: str) -> None:
    """A gate that nobody can open stays closed."""
    fleet = simulate(
        cluster("exa-a", nodes=1, up=True),
        domain("nuo-b", servers=1, databases={"shop": database(["server0"], ["server0"], up=True)}),
    )
    hosts = fleet.inventory(**STAY, maintenance_work=work)
    hosts["exa-a"]["maintenance_after"] = "nuodb_domains"
    more = {"maintenance_pause": "after_canary", "maintenance_serial": "100%"}
    preview = ansible.run("maintenance", hosts, "--check", variables={"target": "all", **more}).ok()
    assert results(preview) == {"exa-a": "previewed", "nuo-b": "previewed"}
    plans = {name: preview.custom[name]["plan"] for name in hosts}
    assert plans["exa-a"]["exa_graceful_shutdown"]["down"][0] == "DB1"
    assert plans["nuo-b"]["nuodb_graceful_shutdown"]["down"] == ["shop"]
    assert preview.lines("^maintenance: 2 clusters: 2 previewed \\(check mode: nothing was changed\\)$")
    assert all(fleet.changes(name) == [] for name in fleet.names)
    run = ansible.run("maintenance", hosts, variables=variables(hosts, **more)).failed()
    assert results(run) == {"nuo-b": "done", "exa-a": "not begun"}
    assert "the gate before it stays closed, because nobody answered" in run.failures("exa-a")[0]
    assert fleet.changes("exa-a") == []


def test_server_by_server(simulate: Any, ansible: Any, tmp_path: Path) -> None:
    """The databases of a domain stay up, and each server gets the work while it has no processes."""
    three = [f"server{number}" for number in range(3)]
    databases = {"shop": database(three, three, up=True)}
    fleet = simulate(domain("nuo", servers=3, databases=databases), domain("well", servers=3, databases=databases))
    path = tmp_path / "work.yml"
    patch = {"name": "Patch", "ansible.builtin.debug": {"msg": "{{ maintenance_node }}"}}
    only = "inventory_hostname == 'nuo' and maintenance_node == 'server1'"
    lacks = {"name": "Fetch", "ansible.builtin.fail": {"msg": "no image"}, "when": only}
    path.write_text(yaml.safe_dump([lacks, patch]))
    hosts = fleet.inventory(maintenance_work=str(path), maintenance_rolling=True)
    both = {"maintenance_serial": "100%", "maintenance_canary": 0}
    failed = ansible.run("maintenance", hosts, variables=variables(hosts, **both)).failed()
    assert results(failed) == {"nuo": "sick", "well": "done"}
    assert not failed.lines("verify: waiting for .* to be as before"), "what failed on the way isn't waited for"
    assert failed.lines("sick in phase rolling: nuo: task Fetch of the work on server1: no image"), failed.out
    patched = [row["msg"] for row in failed.of("Patch", "nuo")]
    hosts.pop("well")
    path.write_text(yaml.safe_dump([patch]))
    goes_on = {"maintenance_rolling_cut_off": "server1", "maintenance_accept": "nuo"}
    run = ansible.run("maintenance", hosts, variables=variables(hosts, **goes_on)).ok()
    assert results(run) == {"nuo": "done"}
    assert sorted({*patched, *(row["msg"] for row in run.of("Patch"))}) == three
    assert not [call for call in fleet.changes("nuo") if "databases" in call]


def test_a_backup_and_a_play_of_ones_own(simulate: Any, ansible: Any, tmp_path: Path) -> None:
    """In a play of the user's own, each batch is a wave; the work reaches the cluster of its host."""
    archive = {"volumes": {"Archive1": {"kind": "archive"}, "DataVolume1": {}}}
    fleet = simulate(*(cluster(name, nodes=1, up=True, **archive) for name in ("exa-a", "exa-b")))
    path = tmp_path / "work.yml"
    path.write_text("- name: Seen from the work\n  dbfleet.cluster.exa_cluster_info:\n    gather: [databases]\n")
    backup = {"volume": "Archive1", "expire": "3d"}
    hosts = fleet.inventory(**STAY, maintenance_work=str(path), maintenance_backup=backup)
    play = {
        "name": "mine",
        "hosts": "all",
        "gather_facts": False,
        "serial": 1,
        "roles": [{"role": "dbfleet.cluster.maintenance", "maintenance_at_once": True}],
    }
    refused = ansible.run([play], hosts, "--tags", "databases", variables=variables(hosts)).failed()
    assert "maintenance takes no --tags" in refused.failures()[0]
    assert fleet.changes("exa-a") == []
    run = ansible.run([play], hosts, variables=variables(hosts)).ok()
    assert results(run) == {"exa-a": "done", "exa-b": "done"}
    for name in hosts:
        assert run.one("Seen from the work", name)["cluster"]["databases"]["DB1"]["state"] == "setup"
        calls = [call.split()[0] for call in fleet.changes(name)]
        assert calls.index("backupDatabase") < calls.index("stopDatabase"), calls
