# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Saved plans: check mode writes one, a run carries it out, and whatever has moved since is refused before a change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from domains import database, domain
from world import PLUGIN, PREFIXES, cluster, confd, killed

SHUTDOWN = ["stopDatabase db_DB1", "stopDatabase db_DB2", "stopEXAStorage storage"]

COLD = {"exasol": "exa_cold_start", "nuodb": "nuodb_cold_start"}


def plan_in(path):
    assert path.stat().st_mode & 0o777 == 0o600
    return json.loads(path.read_text(encoding="utf-8"))


def steps(plan):
    return [(one["step"], sorted(one["objects"])) for one in plan["steps"]]


def cold(product):
    """A cluster of two databases that is down."""
    if product == "exasol":
        return cluster("one", nodes=2, databases=2)
    return domain("one", databases={"crm": database(), "shop": database()})


def inventory(simulator, product, path, **more):
    return simulator.inventory(**{f"{PREFIXES[product]}_plan_file": str(path), **more})


def database_state(product, state, name):
    prefix = f"{PREFIXES[product]}_database_state"
    return ("-e", f"{prefix}_databases={name}", "-e", f"{prefix}_state={state}", "-e", "confirm=one")


def test_a_fleet_is_shut_down_by_plan(simulate, ansible, tmp_path):
    """A file per cluster; the run does what it says; the page of the run names it; it can't be run again."""
    simulator = simulate(
        cluster("exa-a", nodes=2, databases=2, up=True), cluster("exa-b", nodes=1, up=True), domain("nuo-a", up=True)
    )
    folder, reports = tmp_path / "plans", tmp_path / "reports"
    common = {"exa_plan_file": f"{folder}/", "nuodb_plan_file": f"{folder}/", "exa_report_path": str(reports)}
    hosts = simulator.inventory(**common)
    exasol = {name: row for name, row in hosts.items() if name.startswith("exa")}
    preview = ansible.run("exa_graceful_shutdown", exasol, "--check").ok()
    ansible.run("nuodb_graceful_shutdown", {"nuo-a": hosts["nuo-a"]}, "--check").ok()
    assert [simulator.calls(cluster=name, changing=True) for name in simulator.names] == [[], [], []]
    assert sorted(one.name for one in folder.iterdir()) == [
        "exa-a-exa_graceful_shutdown.json",
        "exa-b-exa_graceful_shutdown.json",
        "nuo-a-nuodb_graceful_shutdown.json",
    ]
    path = folder / "exa-a-exa_graceful_shutdown.json"
    plan = plan_in(path)
    assert steps(plan) == [
        ("stopDatabase", ["DB1", "DB2"]),
        ("stopEXAStorage", ["EXAStorage"]),
        ("shutdownNode", ["n0011", "n0012"]),
        ("shutdownNode", ["n0010"]),
    ]
    assert preview.lines(rf"^\[exa-a\] plan: {path}: 6 steps$")
    assert hosts["exa-a"]["exa_api_password"] not in path.read_text()

    run = ansible.run("exa_graceful_shutdown", exasol, "-e", "confirm=exa-a,exa-b").ok()
    assert run.lines(rf"^\[exa-a\] plan: {path} of \S+ by \S+ holds: 6 steps; no other step is taken$")
    done = simulator.changes("exa-a")
    assert sorted(done[:2]) == SHUTDOWN[:2]
    assert [row.split()[0] for row in done[2:]] == ["stopEXAStorage", *["shutdownNode"] * 3]
    record = max((reports / "exa-a").glob("*.json"), key=lambda one: one.name)
    assert json.loads(record.read_text())["approved_plan"]["sha256"] == plan["sha256"]
    assert f"<code>{path}</code>" in record.with_suffix(".html").read_text()

    simulator.power("n0010", True, "exa-a")
    again = ansible.run("exa_graceful_shutdown", {"exa-a": hosts["exa-a"]}, "-e", "confirm=exa-a").failed()
    assert "was carried out already, ended 20" in again.failures("exa-a")[0]

    ansible.run("nuodb_graceful_shutdown", {"nuo-a": hosts["nuo-a"]}, "-e", "confirm=nuo-a").ok()
    assert [row.split()[0] for row in simulator.changes("nuo-a")] == ["POST"]
    assert plan_in(folder / "nuo-a-nuodb_graceful_shutdown.json.run")["ended"]


@pytest.mark.parametrize("check", [["--check"], []])
def test_a_plan_of_the_other_product_is_refused(simulate, ansible, tmp_path, check):
    simulator = simulate(cold("nuodb"))
    run = ansible.run(COLD["nuodb"], simulator.inventory(), *check, "-e", f"exa_plan_file={tmp_path}/").failed()
    assert "doesn't read exa_plan_file, so the run would have no plan: give nuodb_plan_file" in run.failures("one")[0]
    assert run.failures("one")[0].endswith("[DBF-7015]")
    assert simulator.calls(changing=True) == []


@pytest.mark.parametrize("product", ["exasol", "nuodb"])
def test_a_stale_plan_is_refused_before_the_first_change(simulate, ansible, tmp_path, product):
    """Somebody starts one of the databases in between. The hook, too, is behind the comparison."""
    topology = cluster("one", nodes=2, databases={"DB1": {"state": "setup"}, "DB2": {"state": "setup"}}, up=True)
    simulator = simulate(topology if product == "exasol" else cold(product))
    names = ["DB1", "DB2"] if product == "exasol" else ["crm", "shop"]
    path, seen = tmp_path / "plan.json", tmp_path / "seen"
    hook = tmp_path / "hook.yml"
    hook.write_text(yaml.safe_dump([{"name": "Mine", "ansible.builtin.file": {"path": str(seen), "state": "touch"}}]))
    book = COLD[product]
    first = {"exasol": "before_power", "nuodb": "before_servers"}[product]
    hosts = inventory(simulator, product, path, **{f"{book}_hooks": {first: str(hook)}})
    ansible.run(book, hosts, "--check").ok()
    before = path.read_text()
    assert ("startDatabase" if product == "exasol" else "start SM") in before
    ansible.run(
        f"{PREFIXES[product]}_database_state",
        simulator.inventory(),
        *database_state(product, "started" if product == "exasol" else "running", names[0]),
    ).ok()
    simulator.forget()

    run = ansible.run(book, hosts).failed()
    assert simulator.calls(changing=True) == []
    assert not seen.exists()
    assert f"one: the plan {path} of " in run.failures("one")[0]
    assert " is stale, the cluster has moved since: " in run.failures("one")[0]
    assert run.lines(
        rf"^\[one\]   database {names[0]}: \S.* -> running, connectable$|database crm: NOT_RUNNING -> RUNNING"
    )
    assert run.lines(r"make a new plan with --check")

    shown = ansible.run(book, hosts, "--check").failed()
    assert "; it was left as it is: remove it" in shown.failures("one")[0]
    assert run.failures("one")[0].endswith("[DBF-6820]")
    assert shown.failures("one")[0].endswith("[DBF-6820]")
    assert not shown.lines("failed here"), shown.out
    assert path.read_text() == before
    path.unlink()
    ansible.run(book, hosts, "--check").ok()
    ansible.run(book, hosts).ok()
    assert seen.exists()


def test_a_stale_plan_ends_a_play_whose_errors_are_fatal(simulate, ansible, tmp_path):
    """The host whose own plan was carried out doesn't look as if it had failed, and nothing of it is run again."""
    simulator = simulate(*(cluster(name, nodes=1, up=True) for name in ("fine", "stale")))
    hosts = inventory(simulator, "exasol", f"{tmp_path}/plans/", confirm="fine,stale")
    for row in hosts.values():
        row.update(exa_database_state_databases="DB1", exa_database_state_state="restarted")
    role = {"name": "dbfleet.cluster.exa_database_state", "rolespec_validate": False}
    tasks = [{"name": "Restart", "ansible.builtin.import_role": role}]
    plays = [{"hosts": "exa_clusters", "gather_facts": False, "any_errors_fatal": True, "tasks": tasks}]
    ansible.run(plays, hosts, "--check").ok()
    stop = database_state("exasol", "stopped", "DB1")
    ansible.run("exa_database_state", {"stale": simulator.variables("stale")}, *stop, "-e", "confirm=stale").ok()
    simulator.forget()

    run = ansible.run(plays, hosts).failed()
    assert simulator.changes("fine") == ["stopDatabase db_DB1", "startDatabase db_DB1"]
    assert simulator.changes("stale") == []
    assert len(run.lines(r"^\[fine\] exa_database_state: ok$")) == 1
    assert run.lines(r"^\[fine\] exa_database_state is ok here, and another host's failure ends the play")
    assert not run.lines(r"^\[fine\] (exa_database_state: failed|cause|resume)")
    assert len(run.lines(r"^exa_database_state: 2 clusters: 1 failed, 1 ok$")) == 1
    assert run.custom["fine"]["result"] == "ok"
    assert plan_in(tmp_path / "plans/fine-exa_database_state.json.run")["ended"]


@pytest.mark.parametrize("product", ["exasol", "nuodb"])
def test_a_killed_run_goes_on_with_its_plan(simulate, ansible, tmp_path, product):
    simulator = simulate(cold(product))
    path = tmp_path / "plan.json"
    hosts = inventory(simulator, product, path)
    ansible.run(COLD[product], hosts, "--check").ok()
    if product == "exasol":
        simulator.fault("never_boots", object="n0012")
        line = "1/2 online"
    else:
        simulator.fault("stays", object="SM", state="CONFIGURED")
        line = r"processes: \d\d:\d\d  0/8 running"
    run = ansible.start(COLD[product], hosts)
    run.wait_line(line)
    killed(simulator, run)
    simulator.mend()
    assert Path(f"{path}.run").exists()
    if product == "exasol":
        simulator.power("n0012", True)

    goes_on = ansible.run(COLD[product], hosts).ok()
    assert goes_on.lines(r"holds: \d+ steps left of \d+ steps; no other step is taken$")
    if product == "exasol":
        assert simulator.all_connectable()
    assert plan_in(Path(f"{path}.run"))["ended"]


def test_a_run_that_is_killed_after_its_last_step(simulate, ansible, tmp_path):
    """Nobody has seen the line `resume`, so the next run tells how to end the plan."""
    simulator = simulate(cluster("one", nodes=1, up=True, timing={"api_stop": 0.1}))
    path = tmp_path / "plan.json"
    hosts = inventory(simulator, "exasol", path)
    ansible.run("exa_graceful_shutdown", hosts, "--check").ok()
    run = ansible.start("exa_graceful_shutdown", hosts, "-e", "confirm=one")
    run.wait_line(r"EXAoperation: \d\d:\d\d  0/1 silent")
    killed(simulator, run)

    again = ansible.run("exa_graceful_shutdown", hosts, "-e", "confirm=one").failed()
    assert f"the plan {path} of " in again.failures("one")[0]
    assert " can't be compared with a cluster that doesn't answer: " in again.failures("one")[0]
    assert "-e exa_graceful_shutdown_unreachable=down" in again.failures("one")[0]
    assert not again.lines("stale|make a new plan")
    ansible.run(
        "exa_graceful_shutdown", hosts, "-e", "confirm=one", "-e", "exa_graceful_shutdown_unreachable=down"
    ).ok()
    assert plan_in(Path(f"{path}.run"))["ended"]
    assert simulator.calls(changing=True) == []


@pytest.mark.parametrize("product", ["exasol", "nuodb"])
def test_a_cluster_that_changes_in_the_middle(simulate, ansible, tmp_path, product):
    """A hook takes down a database that runs, and whose start nobody has approved."""
    if product == "exasol":
        databases = {"DB1": {"state": "setup"}, "DB2": {"state": "running"}}
        simulator = simulate(cluster("one", nodes=2, databases=databases, up=True))
        work = {"dbfleet.cluster.exa_database": {"databases": ["DB2"], "state": "stopped"}}
        place, start, step = "before_databases", "startDatabase", "startDatabase of DB2"
    else:
        databases = {"crm": database(up=True), "shop": database()}
        simulator = simulate(domain("one", databases=databases))
        work = {"dbfleet.cluster.nuodb_database": {"databases": ["crm"], "state": "stopped"}}
        place, start, step = "before_storage", "POST processes", "start SM of crm:archive0@server0"
    path, hook = tmp_path / "plan.json", tmp_path / "hook.yml"
    hook.write_text(yaml.safe_dump([{"name": "Somebody else", **work}]))
    hosts = inventory(simulator, product, path, **{f"{COLD[product]}_hooks": {place: str(hook)}})
    ansible.run(COLD[product], hosts, "--check").ok()
    assert simulator.calls(changing=True) == []
    run = ansible.run(COLD[product], hosts).failed()
    (why,) = run.failures("one")
    assert step in why
    assert "in the approved plan: somebody has changed the cluster since this run began" in why
    assert not [row for row in simulator.changes() if row.startswith(start)]


RUNBOOKS = {
    "exa_cold_start": {"exa_plugins": [{"name": PLUGIN}], "exa_log_service": "logservice1"},
    "exa_database_state": {"exa_database_state_databases": ["DB1"], "exa_database_state_state": "restarted"},
    "nuodb_cold_start": {},
    "nuodb_database_state": {"nuodb_database_state_databases": ["shop"], "nuodb_database_state_state": "restarted"},
    "nuodb_graceful_shutdown": {
        "nuodb_graceful_shutdown_servers": True,
        "nuodb_graceful_shutdown_hotcopy": {"shop": {"default_backup_dir": "/backup/shop"}},
    },
    "nuodb_recover": {},
    "nuodb_rolling_restart": {"nuodb_rolling_restart_databases": ["shop"]},
}


@pytest.mark.parametrize("book", RUNBOOKS)
def test_what_is_planned_is_all_that_is_done(simulate, ansible, tmp_path, book):
    """No step of a run is missing in its plan, and none of the plan in the run."""
    up = book not in ("exa_cold_start", "nuodb_cold_start")
    if book.startswith("exa"):
        simulator = simulate(cluster("one", nodes=2, databases=2, up=up))
    else:
        shop = database(crashed=True) if book == "nuodb_recover" else database(up=up)
        simulator = simulate(domain("one", databases={"shop": shop, "crm": database(up=up)}))
    path, reports = tmp_path / "plan.json", tmp_path / "reports"
    prefix = book.partition("_")[0]
    given = {f"{prefix}_plan_file": str(path), f"{prefix}_report_path": str(reports), **RUNBOOKS[book]}
    hosts = simulator.inventory(**given)
    ansible.run(book, hosts, "--check").ok()
    assert simulator.calls(changing=True) == []
    planned = [(one["step"], name) for one in plan_in(path)["steps"] for name in one["objects"]]
    ansible.run(book, hosts, "-e", "confirm=one").ok()
    record = json.loads(max((reports / "one").glob("*.json"), key=lambda one: one.name).read_text())
    assert planned
    assert sorted(planned) == sorted((one["step"], one["object"]) for one in record["steps"])


def test_a_cluster_of_confd(simulate, ansible, tmp_path):
    simulator = simulate(confd("one", nodes=3, databases=2))
    path = tmp_path / "plan.json"
    hosts = inventory(simulator, "exasol", path, exa_graceful_shutdown_power="none")
    ansible.run("exa_graceful_shutdown", hosts, "--check").ok()
    assert steps(plan_in(path)) == [("db_stop", ["DB1", "DB2"])]
    ansible.run("exa_graceful_shutdown", hosts, "-e", "confirm=one").ok()
    assert sorted(simulator.changes()) == ["db_stop DB1", "db_stop DB2"]


def test_maintenance_takes_no_plan(simulate, ansible, tmp_path):
    simulator = simulate(cluster("one", nodes=1, up=True))
    hosts = inventory(simulator, "exasol", tmp_path / "plan.json", maintenance_work="none")
    run = ansible.run("maintenance", hosts, "-e", "confirm=one").failed()
    assert "one: exa_plan_file" in " ".join(run.failures())
    assert simulator.calls(changing=True) == []
