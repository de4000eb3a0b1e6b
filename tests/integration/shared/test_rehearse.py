# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook rehearse: a runbook on a copy of a cluster, which is another simulator here, and is only read."""

from __future__ import annotations

import json
import os
import shlex
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.dbfleet.cluster.tests.integration.domains import database, domain
from ansible_collections.dbfleet.cluster.tests.integration.world import ROOT, Run, cluster, confd, until

SPEED = {"rehearse_clock": "seconds:0.002"}

SHOWN = {"ANSIBLE_STDOUT_CALLBACK": "dbfleet.cluster.compact"}


@pytest.fixture
def rehearse(ansible: Any, tmp_path: Path) -> Any:
    """Runs the playbook; what is written is below the folder of the test."""

    def run(hosts: Any, runbook: str, *arguments: str, **variables: Any) -> Run:
        given = {**SPEED, "rehearse_runbook": runbook, **variables}
        environment = {**SHOWN, "HOME": str(tmp_path / "home")}
        return ansible.run("rehearse", hosts, *arguments, variables=given, environment=environment)

    return run


def told(run: Run, host: str) -> dict[str, Any]:
    return run.one("Rehearse", host)["rehearsal"]


CASES = {
    "exa_graceful_shutdown": (cluster("real", databases=2, up=True), "never_stops:DB1", [1], {}),
    "exa_cold_start": (cluster("real", databases=1, up=True), "never_boots:n0012", [1], {}),
    "exa_database_state": (
        confd("real"), "reset_after:db_stop", [1],
        {"exa_database_state_state": "restarted", "exa_database_state_databases": ["DB1"]},
    ),
    "nuodb_graceful_shutdown": (
        domain("real", databases={"shop": database(up=True)}), "reset:POST databases/shutdown", [1],
        {"nuodb_graceful_shutdown_servers": True},
    ),
    "nuodb_cold_start": (domain("real", databases={"shop": database(up=True)}), "loses_history:1", [1], {}),
    "nuodb_recover": (domain("real", databases={"shop": database(up=True)}), "dies:1", [1], {}),
}  # fmt: skip
"""For a runbook: the real cluster, a fault, the runs that meet it, variables of the host."""


@pytest.mark.parametrize("runbook", CASES)
def test_the_real_cluster_is_read_and_never_touched(simulate: Any, ansible: Any, tmp_path: Path, runbook: str) -> None:
    """Not even where its connection and its hooks come as extra variables, which no host's variable can hide."""
    topology, fault, runs, more = CASES[runbook]
    real = simulate(topology)
    mark, hook = tmp_path / "the hook has run", tmp_path / "hook.yml"
    hook.write_text(yaml.safe_dump([{"name": "Mark", "ansible.builtin.copy": {"content": "x", "dest": str(mark)}}]))
    last = {"cold_start": "servers" if runbook.startswith("nuodb") else "api", "recover": "servers"}
    phase = next((name for end, name in last.items() if runbook.endswith(end)), "databases")
    plan = {f"{runbook.partition('_')[0]}_plan_file": str(tmp_path / "plan.json")}
    variables = {
        **SPEED, **plan, **real.variables("real"), "rehearse_runbook": runbook, "rehearse_faults": [fault],
        f"{runbook}_hooks": {f"before_{phase}": str(hook)}, "confirm": "real",
    }  # fmt: skip
    run = ansible.start("rehearse", real.inventory(**more), variables=variables, environment=SHOWN)
    run.wait_line("the copy is rehearsal-of-real")
    assert len(real.calls()) > 3
    assert real.changes() == []
    real.forget()
    ended = run.finish().ok()
    assert real.calls() == []
    assert not mark.exists()
    assert ended.lines(r"left out: hooks before_\w+ \(.*hook.yml\)")
    assert real.variables("real")[f"{runbook.partition('_')[0]}_api_password"] not in ended.out
    row = told(ended, "real")
    assert ended.custom["real"]["rehearsal"] == row
    assert (row["result"], row["runs"][-1]["result"]) == ("ok", "ok")
    (met,) = row["faults"]
    assert (met["fault"], met["runs"]) == (fault, runs)
    assert row["broken_rules"] == []
    assert all(Path(one["report"]).exists() for one in row["runs"])
    assert ended.lines(rf"fault: {fault}: .*(came through|went on)")
    assert ended.lines(r"time: at most about .* on real")
    if len(row["runs"]) > 1:
        assert row["runs"][0]["cause"]
        again = row["runs"][0]["resume"]
        assert again.startswith("the copy is gone; to rehearse again: ansible-playbook ")
        assert f"rehearse_runbook={runbook}" in again
        assert " dbfleet.cluster.rehearse " in again
        assert not ended.lines(r"resume: ")
        assert ended.lines(r"^\[real\] mended: ")


def test_a_seed_draws_the_same_faults_again(simulate: Any, rehearse: Any, tmp_path: Path) -> None:
    real = simulate(cluster("real", nodes=4, databases=3, up=True))
    drawn = {}
    for seed in (1, 2, 1):
        given = {"rehearse_seed": seed, "rehearse_faults": "random:3", "rehearse_save": str(tmp_path / "saved.json")}
        run = rehearse(real.inventory(), "exa_cold_start", "--check", **given).ok()
        (line,) = run.lines(r"\[real\] faults: ")
        assert f"rehearse_seed={seed})" in line
        drawn.setdefault(seed, []).append(line)
        assert run.lines("check mode: no simulator is started")
        assert run.lines(r"check mode: \S+/saved.json is not saved")
        assert not (tmp_path / "saved.json").exists()
    assert drawn[1][0] == drawn[1][1]
    assert drawn[1][0].partition("(")[0] != drawn[2][0].partition("(")[0]
    assert real.changes() == []
    assert not list(tmp_path.glob("state/dbfleet/rehearsals"))


def test_what_makes_it_fail(simulate: Any, rehearse: Any, tmp_path: Path) -> None:
    busy = {"DB1": {"state": "running", "operation": "Backup", "operation_time": 600}}
    real = simulate(cluster("real", databases=1, up=True), cluster("busy", databases=busy, up=True))
    hosts = real.inventory()

    run = rehearse(hosts, "exa_graceful_shutdown", target="busy").failed()
    (said,) = run.failures("busy")
    assert "exa_graceful_shutdown doesn't come through" in said
    (again,) = run.lines(r"^\[busy\] again: ansible-playbook .* dbfleet\.cluster\.rehearse ")
    assert "rehearse_runbook=exa_graceful_shutdown" in again
    assert again.endswith("-e target=busy -e rehearse_runbook=exa_graceful_shutdown")
    assert "confirm" not in again
    assert not run.lines(r"resume: ")
    assert "Backup" in said

    run = rehearse(hosts, "exa_graceful_shutdown", target="real", rehearse_faults="never_boots:n0011").failed()
    says = "the run never met this fault, so this rehearsal doesn't show its effect: never_boots:n0011"
    assert says in run.failures("real")[0]
    assert told(run, "real")["result"] == "failed"

    state = {"exa_database_state_state": "started", "exa_database_state_databases": "DB1"}
    run = rehearse(hosts, "exa_database_state", target="real", **state).failed()
    assert "nothing was rehearsed" in run.failures("real")[0]

    for wrong, says in (
        ({"rehearse_faults": "never_boots_at_all"}, "never_boots_at_all (did you mean never_boots?) on this copy; "),
        ({"rehearse_faults": "reset"}, "the fault reset names no call"),
        ({"rehearse_clock": "immediate"}, "rehearse_clock is immediate, and must be like seconds:0.02"),
        ({"rehearse_runbook": "exa_gracefull_shutdown"}, "did you mean exa_graceful_shutdown?"),
        ({"rehearse_runbook": ""}, "rehearse_runbook is missing"),
        (
            {"rehearse_runbook": "", "rehearse_runbok": "x"},
            "rehearse_runbok (did you mean rehearse_runbook?); rehearse_",
        ),
        ({"rehearse_sed": 3}, "there is no variable rehearse_sed (did you mean rehearse_seed?)"),
        ({"exa_graceful_shutdown_pwer": "none"}, "there is no variable exa_graceful_shutdown_pwer"),
    ):
        runbook = {"rehearse_runbook": "exa_graceful_shutdown", **wrong}["rehearse_runbook"]
        run = rehearse(hosts, runbook, **{"target": "real", **wrong}).failed()
        assert says in run.failures("real")[0]
    assert real.changes() == []
    left = [path for path in tmp_path.rglob("ready.json") if "simulator0" not in str(path)]
    assert left == []


def test_a_topology_that_was_saved_stands_for_a_cluster_that_cannot_be_reached(
    simulate: Any, rehearse: Any, tmp_path: Path
) -> None:
    real = simulate(domain("real", databases={"shop": database(up=True)}))
    hosts, saved = real.inventory(), tmp_path / "real.json"
    rehearse(hosts, "nuodb_rolling_restart", rehearse_save=str(saved), nuodb_rolling_restart_databases="shop").ok()
    assert (saved.stat().st_mode & 0o777, list(json.loads(saved.read_text()))) == (0o600, ["domain"])
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    run = rehearse(hosts, "nuodb_graceful_shutdown", rehearse_save=str(pipe)).failed()
    assert f"can't be saved in {pipe}: it is not a regular file; nothing was rehearsed" in run.failures("real")[0]
    assert pipe.is_fifo()
    assert real.changes() == []
    real.stop()

    run = rehearse(hosts, "nuodb_graceful_shutdown").failed()
    (said,) = run.failures("real")
    assert "real can't be read, so nothing was rehearsed" in said

    run = rehearse(hosts, "nuodb_graceful_shutdown", rehearse_from=str(saved)).ok()
    assert run.lines(r"of .*real.json; no cluster is contacted")
    assert told(run, "real")["result"] == "ok"
    run = rehearse(hosts, "exa_graceful_shutdown", rehearse_from=str(saved)).failed()
    assert "doesn't have an Exasol cluster, which this runbook is for" in run.failures("real")[0]


@pytest.mark.parametrize(
    ("example", "host", "runbook", "fault"),
    [
        ("topology_running", "exa-prod", "exa_graceful_shutdown", "never_stops:DB1"),
        ("topology_nuodb", "nuo-prod", "nuodb_cold_start", "never_starts:0"),
    ],
)
def test_the_way_of_a_newcomer(simulate: Any, ansible: Any, example: Any, host: str, runbook: str, fault: str) -> None:
    """As docs/rehearse.md has it: the environment that `make simulator` prints, and a host without variables."""
    (example,) = yaml.safe_load((ROOT / f"docs/examples/{example}.yml").read_text()).values()
    real = simulate(example)
    environment = {
        **SHOWN, **real.ready["clusters"][example["name"]]["environment"],
        "DBFLEET_SIMULATOR": real.ready["admin_url"], "DBFLEET_SIMULATOR_TOKEN": real.ready["admin_token"],
    }  # fmt: skip
    variables = {**SPEED, "target": host, "rehearse_runbook": runbook, "rehearse_faults": fault}
    run = ansible.run("rehearse", {}, "-i", f"{host},", "-c", "local", variables=variables, environment=environment)
    assert told(run.ok(), host)["faults"][0]["runs"] == [1]
    assert real.changes() == []


def test_a_rehearsal_that_is_killed_leaves_nothing_running(simulate: Any, ansible: Any) -> None:
    real = simulate(cluster("doomed", databases=1, up=True))
    variables = {
        "rehearse_clock": "seconds:1", "rehearse_runbook": "exa_graceful_shutdown", "rehearse_faults": "never_stops:DB1"
    }  # fmt: skip
    run = ansible.start("rehearse", real.inventory(), variables=variables, environment=SHOWN)
    run.wait_line(r"databases: 00:\d\d  0/1 setup")
    assert len(processes_of_copies()) >= 2
    run.kill()
    until("its runs and its simulator have ended", lambda: processes_of_copies() == [])
    assert real.changes() == []


def processes_of_copies() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [line for line in found if "rehearsal-of-doomed" in line]


def test_a_copy_that_is_kept_has_nothing_of_the_real_cluster(simulate: Any, rehearse: Any, ansible: Any) -> None:
    real = simulate(cluster("real", databases=1, up=True))
    hosts = real.inventory(exa_plugins=[{"name": "P", "running_text": "{{ 1 + 1 }}"}], exa_wait_timeout="1h")
    run = rehearse(hosts, "exa_graceful_shutdown", rehearse_keep=True).ok()
    (line,) = run.lines("kept: rehearsal-of-real runs on")
    path = Path(line.partition("runs on, and ")[2].partition(" reaches it")[0])
    text = path.read_text()
    mine = real.variables("real")
    assert not [word for word in (mine["exa_api_password"], *mine["exa_api_url"], mine["exa_ca_path"]) if word in text]
    assert path.stat().st_mode & 0o777 == 0o600
    own = {"name": "rehearsal-of-real", "directory": str(path.parent / "simulators")}
    stopped = ansible.run([{"name": "stop", "dbfleet.cluster.simulator": {**own, "state": "stopped"}}], hosts).ok()
    assert stopped.one("stop")["changed"]


def test_two_rehearsals_of_one_host_at_once(simulate: Any, ansible: Any, tmp_path: Path) -> None:
    """Each resumes its own run, and reports it."""
    real = simulate(cluster("real", databases=1, up=True))
    hosts, started = real.inventory(), {}
    for runbook, fault in (("exa_graceful_shutdown", "never_stops:DB1"), ("exa_cold_start", "fails_to_start:DB1")):
        variables = {
            "rehearse_clock": "seconds:0.005", "rehearse_runbook": runbook, "rehearse_faults": fault,
            "rehearse_report_path": str(tmp_path / "reports"),
        }  # fmt: skip
        started[runbook] = ansible.start("rehearse", hosts, variables=variables, environment=SHOWN)
    for runbook, run in started.items():
        row = told(run.finish().ok(), "real")
        assert [one["result"] for one in row["runs"]] == ["failed", "ok"]
        assert f"rehearse_runbook={runbook}" in row["runs"][0]["resume"]
        assert all(f"Z-{runbook}-" in one["report"] for one in row["runs"])


def test_a_second_copy_does_not_end_the_one_that_is_kept(simulate: Any, ansible: Any, tmp_path: Path) -> None:
    real = simulate(cluster("real", databases=1, up=True))
    environment = {**SHOWN, "HOME": str(tmp_path / "a home")}
    variables = {
        "rehearse_clock": "seconds:1", "rehearse_runbook": "exa_graceful_shutdown", "rehearse_keep": True,
        "rehearse_faults": "never_stops:DB1",
    }  # fmt: skip
    hosts = real.inventory()
    first = ansible.start("rehearse", hosts, variables=variables, environment=environment)
    first.wait_line(r"databases: 00:\d\d  0/1 setup")
    second = ansible.run("rehearse", hosts, variables=variables, environment=environment).failed()
    (said,) = second.failures("real")
    assert "real: another rehearsal of real with rehearse_keep is under way; nothing was rehearsed" in said
    first.kill()
    (line,) = (one for one in first.out.splitlines() if "if this rehearsal is stopped, end its copy by: " in one)
    words = shlex.split(line.partition("end its copy by: ")[2])
    assert words[:4] == ["ansible", "localhost", "-m", "dbfleet.cluster.simulator"]
    task = {"name": "stop", "dbfleet.cluster.simulator": json.loads(words[5])}
    assert not ansible.run([task], hosts).ok().one("stop").get("failed")


def test_a_cluster_that_is_off_and_one_that_refuses_the_password(simulate: Any, rehearse: Any) -> None:
    real = simulate(cluster("real", databases=1), cluster("secret", databases=1, up=True))
    hosts = real.inventory()
    hosts["secret"]["exa_api_password"] = "wrong"
    run = rehearse(hosts, "exa_cold_start", "--check", target="real").ok()
    assert any("the copy contains only what runbooks need" in text for text in run.one("Rehearse", "real")["warnings"])
    run = rehearse(hosts, "exa_graceful_shutdown", target="secret").failed()
    assert "secret can't be read, so nothing was rehearsed" in run.failures("secret")[0]
    assert len(real.calls(cluster="secret")) <= 2  # a user may be locked who tries often
