# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts of a runbook, and what hooks do to it: what docs/phases.md says, tried."""

from __future__ import annotations

import re

import yaml
from world import ROOT, cluster, power_hook

PHASES = ["power", "api", "nodes", "storage", "databases", "plugins"]
DOWN = ["preflight", "databases", "storage", "nodes", "license_servers"]


def announced(run, host):
    """The phases that began on a host, in order."""
    return re.findall(rf"^\[{host}\] \(\d/\d\) (\w+):", run.out, re.MULTILINE)


def hook(folder, name, *tasks):
    path = folder / f"{name}.yml"
    path.write_text(yaml.safe_dump(list(tasks)))
    return str(path)


def word(text="{{ inventory_hostname }}"):
    return {"name": "A word", "ansible.builtin.debug": {"msg": f"hook: {text}"}}


def ended_loudly(run, host, phase, cause, how="failed here"):
    """The run of a host failed or was ended in a phase, with table, cause and the command that resumes."""
    assert run.lines(rf"^\[{host}\]   {phase} +\d\d:\d\d  {how}$"), run.out
    assert run.lines(rf"^\[{host}\] cause: .*{cause}"), run.out
    assert run.lines(rf"^\[{host}\] resume: ansible-playbook .*target={host}"), run.out
    assert run.rc in (1, 2, 4), run.rc


def test_each_way_to_a_part(simulate, ansible):
    """Tags, skipped tags and the task that is started at, as docs/phases.md has them."""
    simulator = simulate(cluster("exa-a", up=True), cluster("exa-b", up=True))
    hosts = simulator.inventory()
    ways = [
        (["--tags", "storage"], ["storage"]),
        (["--tags", "databases,api"], ["api", "databases"]),
        (["--skip-tags", "nodes,plugins"], ["power", "api", "storage", "databases"]),
        (["--skip-tags", "always"], PHASES),
        (["--tags", "storage", "--skip-tags", "always"], ["storage"]),
        (["--start-at-task", "(5/6) databases"], ["databases", "plugins"]),
        (["--start-at-task", "dbfleet.cluster.exa_cold_start : (4/6) storage"], ["storage", "databases", "plugins"]),
        (["--start-at-task", "*storage*"], ["storage", "databases", "plugins"]),
    ]
    for arguments, phases in ways:
        run = ansible.run("exa_cold_start", {"exa-a": hosts["exa-a"]}, *arguments).ok()
        assert announced(run, "exa-a") == phases, (arguments, run.out)
        assert list(run.custom["exa-a"]["phases"]) == phases
    run = ansible.run("exa_cold_start", hosts, "--limit", "exa-a").ok()
    assert list(run.stats) == ["exa-a"]
    assert simulator.calls(cluster="exa-b") == []

    simulator.forget()
    for arguments in (["--tags", "storrage"], ["--skip-tags", ",".join(PHASES)], ["--skip-tags", "tagged"]):
        run = ansible.run("exa_cold_start", {"exa-a": hosts["exa-a"]}, *arguments).failed()
        assert "leaves no phase of exa_cold_start to run" in run.failures()[0]
    assert simulator.calls(cluster="exa-a") == []


def test_the_signposts_are_listed(simulate, ansible):
    """As a user sees them before a run; nothing is called."""
    simulator = simulate(cluster(up=True))
    run = ansible.run("exa_graceful_shutdown", simulator.inventory(), "--list-tasks", "--list-tags").ok()
    for number, phase in enumerate(DOWN, 1):
        assert run.lines(rf"exa_graceful_shutdown : \({number}/5\) {phase}\s+TAGS: \[{phase}\]")
    assert run.lines(rf"TASK TAGS: \[always, {', '.join(sorted(DOWN))}\]")
    assert simulator.calls() == []


def test_a_play_with_tasks_of_its_own(simulate, ansible):
    """A tag or a start that is about the user's own tasks isn't taken for the runbook's."""
    simulator = simulate(cluster(up=True))
    hosts = simulator.inventory()
    own = {"name": "(4/6) storage", "ansible.builtin.debug": {"msg": "mine"}, "tags": ["mine"]}
    role = {"name": "Runbook", "ansible.builtin.import_role": {"name": "dbfleet.cluster.exa_cold_start"}}
    run = ansible.run([own, role], hosts, "--start-at-task", "(4/6) storage").ok()
    assert announced(run, "exa-prod") == PHASES
    run = ansible.run([role, own], hosts, "--start-at-task", "(4/6) storage").ok()
    assert announced(run, "exa-prod") == ["storage", "databases", "plugins"]
    run = ansible.run([own, role], hosts, "--tags", "mine").ok()
    assert announced(run, "exa-prod") == []
    assert run.lines("none of its phases has a tag of this run")


def test_hooks_around_every_phase(simulate, ansible, tmp_path):
    """Each runs once, in its place, with the variables and the connection that it may use."""
    simulator = simulate(cluster("exa-a", up=True, databases=2), cluster("exa-b", up=True))
    hosts = simulator.inventory()
    look = {"name": "A look", "dbfleet.cluster.exa_cluster_info": {"gather": ["databases"]}, "register": "mine"}
    told = "{{ exa_cold_start_info.cluster.name }} {{ mine.cluster.databases | length }}"
    places = [f"{place}_{phase}" for phase in PHASES for place in ("before", "after")]
    hooks = {place: hook(tmp_path, place, word(place)) for place in places}
    hooks["after_databases"] = [hook(tmp_path, "look", look), hook(tmp_path, "told", word(told))]
    run = ansible.run("exa_cold_start", hosts, variables={"exa_cold_start_hooks": hooks}).ok()
    for host, number in (("exa-a", 2), ("exa-b", 1)):
        said = [
            row["result"]["msg"][6:]
            for row in run.rows
            if row.get("task", "").endswith("A word") and row["host"] == host
        ]
        expected = [place for place in places if place != "after_databases"]
        expected.insert(expected.index("before_plugins"), f"{host} {number}")
        assert said == expected, run.out
        assert announced(run, host) == PHASES
        assert list(run.custom[host]["phases"]) == PHASES
    assert simulator.changes("exa-a") == []

    run = ansible.run(
        "exa_cold_start", {"exa-a": hosts["exa-a"]}, "--tags", "storage", variables={"exa_cold_start_hooks": hooks}
    ).ok()
    said = [result["msg"] for result in run.of("A word", "exa-a")]
    assert said == ["hook: before_storage", "hook: after_storage"]


def test_a_hook_that_only_the_run_knows_of(simulate, ansible, tmp_path):
    """power_nodes is due once the nodes are known; what stands before and behind it keeps its place, by a tag too."""
    simulator = simulate(cluster(nodes=2))
    hooks = {place: hook(tmp_path, place, word(place)) for place in ("before_nodes", "after_nodes", "after_api")}
    nodes = "{{ exa_cold_start_offline_nodes }}"
    hooks["power_nodes"] = [hook(tmp_path, "nodes", word(nodes)), power_hook(tmp_path, "press", nodes)]
    variables = {"exa_cold_start_hooks": hooks, "exa_cold_start_power": "hook"}
    hosts = simulator.inventory(**simulator.hook())
    preview = ansible.run("exa_cold_start", hosts, "--check", "--tags", "api,nodes", variables=variables).ok()
    assert [result["msg"] for result in preview.of("A word")][:3] == [
        "hook: after_api",
        "hook: before_nodes",
        "hook: ['n0011', 'n0012']",
    ]
    run = ansible.run("exa_cold_start", hosts, "--tags", "nodes", variables=variables).ok()
    said = [result["msg"] for result in run.of("A word")]
    assert said == ["hook: before_nodes", "hook: ['n0011', 'n0012']", "hook: after_nodes"]
    assert announced(run, "exa-prod") == ["nodes"]
    assert {row["state"] for row in simulator.state()["nodes"].values()} == {"online"}
    assert simulator.calls("startupNode") == []


def test_a_hook_that_cannot_be_run(simulate, ansible, tmp_path):
    """It is found before anything is done, on whichever host; and no cluster is called."""
    simulator = simulate(cluster("exa-a", up=True), cluster("exa-b", up=True))
    broken = {
        "does not exist": str(tmp_path / "nowhere.yml"),
        "is not a list of tasks": hook(tmp_path, "mapping"),
        "can't be loaded": hook(tmp_path, "unknown", {"name": "x", "dbfleet.cluster.no_such_module": {}}),
        "imports .*, which does not exist": hook(tmp_path, "imports", {"ansible.builtin.import_tasks": "nowhere.yml"}),
    }
    (tmp_path / "mapping.yml").write_text("a: mapping\n")
    for why, path in broken.items():
        hosts = simulator.inventory()
        hosts["exa-b"]["exa_graceful_shutdown_hooks"] = {"after_databases": path}
        run = ansible.run("exa_graceful_shutdown", hosts, variables={"confirm": simulator.names}).failed()
        assert len(run.lines(rf"^\[exa-[ab]\] cause: exa-b: hook after_databases: .*{why}")) == 1, run.out
        says = "refused together with exa-[ab]; the message of exa-[ab] gives the reason"
        assert len(run.lines(rf"^\[exa-[ab]\] cause: .*: {says}")) == 1, run.out
        for host in hosts:
            assert run.lines(rf"^\[{host}\] resume: ansible-playbook .*target={host}")
            assert run.stats[host]["failures"] == 1
    assert simulator.calls() == [] == simulator.calls(cluster="exa-b")


def test_a_hook_that_ends_it(simulate, ansible, tmp_path):
    """However a hook ends the run of a host: table, cause, resume, a failure; and nothing is changed behind it."""
    simulator = simulate(cluster("exa-a", up=True), cluster("exa-b", up=True))
    boom = {"name": "Boom", "ansible.builtin.fail": {"msg": "not today"}}
    each = {"name": "Each", "ansible.builtin.fail": {"msg": "{{ item }} says no"}, "loop": ["n1", "n2", "n3"]}
    said = "exa-a: task {} of hook before_storage .*: "
    each_said = said.format("Each") + r"n1: n1 says no; n3: n3 says no \[DBF-9003\]$"
    missing = {"name": "More", "ansible.builtin.include_tasks": "nowhere.yml"}
    ends = {
        "fails": ([boom], said.format("Boom") + "not today"),
        "loop": ([{**each, "when": "item != 'n2'"}], each_said),
        "fatal": ([{**boom, "any_errors_fatal": True}], "not today"),
        "host": ([{"name": "End", "ansible.builtin.meta": "end_host"}], "it stopped at the hook before_storage"),
        "play": ([{"name": "End", "ansible.builtin.meta": "end_play"}], "it stopped at the hook before_storage"),
        "missing": ([missing], "it stopped at the hook before_storage"),
    }
    for strategy in ("host_pinned", "linear"):
        for name, (tasks, cause) in ends.items():
            simulator.forget()
            hosts = simulator.inventory()
            hosts["exa-a"]["exa_graceful_shutdown_hooks"] = {"before_storage": hook(tmp_path, name, *tasks)}
            more = {"confirm": simulator.names, "dbfleet_strategy": strategy, "exa_graceful_shutdown_power": "none"}
            arguments = ["-e", "target=exa-a"] if name == "play" else []
            more["confirm"] = ["exa-a"] if name == "play" else more["confirm"]
            run = ansible.run("exa_graceful_shutdown", hosts, *arguments, variables=more).failed()
            how = "stopped here" if name in ("host", "play") else "failed here"
            ended_loudly(run, "exa-a", "storage", cause, how)
            assert set(simulator.changes("exa-a")) <= {"stopDatabase db_DB1"}, (strategy, name)
            for host in set(hosts) - {"exa-a"} if name != "play" else ():
                # Under linear, any_errors_fatal of one host ends the play for the others.
                whole = announced(run, host) == DOWN and run.custom.get(host, {}).get("result") == "ok"
                cut = strategy == "linear" and name == "fatal"
                assert whole or cut, (strategy, name, run.out)
                if not whole:
                    assert run.lines(rf"^\[{host}\] resume: ansible-playbook .*target={host}"), run.out


def test_an_ended_host_is_not_taken_further(simulate, ansible, tmp_path):
    """A later play of the same run doesn't build on a runbook that did not come to its end."""
    simulator = simulate(cluster(up=True))
    hosts = simulator.inventory()
    end = hook(tmp_path, "end", {"name": "End", "ansible.builtin.meta": "end_host"})
    hosts["exa-prod"].update(exa_graceful_shutdown_hooks={"before_storage": end}, confirm="exa-prod")
    plays = [
        {"hosts": "exa_clusters", "gather_facts": False, "roles": [f"dbfleet.cluster.{name}"]}
        for name in ("exa_graceful_shutdown", "exa_cold_start")
    ]
    run = ansible.run(plays, hosts).failed()
    assert "exa_graceful_shutdown started in this run of ansible-playbook and did not finish" in run.out
    assert simulator.changes() == ["stopDatabase db_DB1"]


def test_phases_are_asked_about_one_by_one(simulate, ansible):
    """--step: a phase that is answered with no ends the runbook as a failure, and nothing is changed behind it."""
    simulator = simulate(cluster(up=True, databases=1))
    variables = {"confirm": "exa-prod", "dbfleet_strategy": "linear", "exa_graceful_shutdown_power": "none"}
    hosts = simulator.inventory()
    # Preflight, the include of the others, databases; then storage and what ends it.
    answers = ["y", "y", "n", "y", "y", "y", "y"]
    run = ansible.run(
        "exa_graceful_shutdown", hosts, "--step", variables=variables, answers="\n".join(answers) + "\n"
    ).failed()
    assert announced(run, "exa-prod") == ["preflight"]
    assert run.lines("Perform task: TASK: .*2/5. databases, and on")
    ended_loudly(run, "exa-prod", "preflight", "a task of exa_graceful_shutdown before this one was left out")
    assert simulator.changes() == []

    answers = ["y"] * 12
    run = ansible.run(
        "exa_graceful_shutdown", hosts, "--step", variables=variables, answers="\n".join(answers) + "\n"
    ).ok()
    assert announced(run, "exa-prod") == DOWN
    assert simulator.changes() == ["stopDatabase db_DB1", "stopEXAStorage storage"]


def test_over_a_bastion(simulate, ansible, tmp_path):
    """Where the modules run elsewhere, so do those of a runbook; hooks and the end table are as here."""
    simulator = simulate(cluster(databases=1))
    hosts = simulator.inventory(ansible_connection="elsewhere")
    hooks = {"before_storage": hook(tmp_path, "word", word())}
    run = ansible.run("exa_cold_start", hosts, variables={"exa_cold_start_hooks": hooks}).ok()
    assert announced(run, "exa-prod") == PHASES
    assert simulator.all_connectable()
    assert [step["step"] for step in run.one("Every node is online")["steps"]] == ["startupNode", "startupNode"]
    assert len(run.of("A word")) == 1
    assert run.changed() == 2


def test_a_runbook_of_ones_own(simulate, ansible):
    """The example of docs: it previews, refuses before the first change, and starts again what ran."""
    operation = {"state": "running", "operation": "Backup"}
    simulator = simulate(cluster("exa-a", up=True, databases=2), cluster("busy", up=True, databases={"DB1": operation}))
    hosts = simulator.inventory()
    own = yaml.safe_load((ROOT / "docs/examples/playbooks/own_runbook.yml").read_text())
    preview = ansible.run(own, {"exa-a": hosts["exa-a"]}, "--check").ok()
    assert preview.one("Stop every database")["changed"]
    assert simulator.changes("exa-a") == []
    run = ansible.run(own, hosts).failed()
    assert run.stats["busy"]["failures"] == 1
    assert "operation Backup is running" in run.failures("busy")[0]
    assert simulator.changes("busy") == []
    stopped = [f"stopDatabase db_DB{number}" for number in (1, 2)]
    started = [f"startDatabase db_DB{number}" for number in (1, 2)]
    assert sorted(simulator.changes("exa-a")[:2]) == stopped
    assert sorted(simulator.changes("exa-a")[2:]) == started
    assert simulator.all_connectable("exa-a")
