# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ctrl-C and SIGTERM: what a run says of each cluster that was under way, and how the next one goes on."""

from __future__ import annotations

import re
import signal

import pytest
import yaml
from domains import database, domain, down
from world import cluster, nobody_is_left

SIGNALS = {"Ctrl-C": (signal.SIGINT, 1, 2), "SIGTERM": (signal.SIGTERM, 1, -15), "timeout": (signal.SIGTERM, 2, -15)}
"""The signal, how often it comes at once (C(timeout) sends it to the process and to its group), and the exit code."""

PAUSE = {
    "name": "Pause",
    "ansible.builtin.shell": "touch begun && sleep 60",
    "args": {"chdir": "{{ inventory_dir }}"},
    "check_mode": False,
}
"""A task that says when its worker is there: ansible-core's own handlers fail between two tasks."""

NO_STEP = "no step of this run; {}, and no further step follows"


def ended_by(run, how, paused=None):
    """Stops a run, which fails as its signal has it.

    :param paused: the folder of the inventory, where it shall come to a pause before.
    """
    if paused:
        run.wait_for("it pauses", (paused / "begun").exists)
    number, times, code = SIGNALS[how]
    done = run.stop(number, times).failed()
    assert done.rc == code, done.out
    return done


def told(run, host, book, phases, under_way):
    """The end of a host's run: the table, the cause, what goes on, and the command that resumes; all of it once."""
    pattern = rf"^\[{host}\] {book}: (?:failed|ok)$"
    assert len(run.lines(pattern)) == 1, run.out
    rows = [line for line in run.out.splitlines() if line.startswith(f"[{host}] ")]
    rows = [line.removeprefix(f"[{host}] ") for line in rows[rows.index(f"[{host}] {book}: failed") :]]
    *table, cause, goes_on, resume = rows[1:]
    assert [line.split()[0] for line in table] == phases, run.out
    assert table[-1].endswith("stopped here"), run.out
    assert cause.startswith(f"cause: {host}: {book} did not finish: "), run.out
    assert phases[-1] in cause, run.out
    assert cause.endswith(" [DBF-6807]"), run.out
    assert re.fullmatch(f"under way: {under_way}", goes_on), run.out
    assert resume.startswith("resume: ansible-playbook "), run.out
    assert f"target={host}" in resume, run.out


@pytest.mark.parametrize("how", SIGNALS)
def test_a_cold_start_while_nodes_boot(simulate, ansible, how):
    simulator = simulate(cluster("exa-a", nodes=3), cluster("exa-b", up=True))
    hosts = simulator.inventory()
    simulator.fault("never_boots", cluster="exa-a", object="n0012")
    run = ansible.start("exa_cold_start", hosts)
    run.wait_line(r"^\[exa-b\] exa_cold_start: ok")
    run.wait_line(r"^\[exa-a\] nodes: \d\d:\d\d  2/3 online")
    done = ended_by(run, how)
    goes_on = (
        "startupNode n0011 n0012 n0013: what is not finished yet continues on the cluster without this run; no "
        "further step follows, and the next run joins it"
    )
    told(done, "exa-a", "exa_cold_start", ["power", "api", "nodes"], goes_on)
    assert len(done.lines(r"^\[exa-b\] exa_cold_start:")) == 1, done.out
    assert not done.lines(r"^\[exa-b\] (cause|under way|resume):"), done.out
    of_all = done.lines(r"^(exa-a +failed +nodes |exa-b +ok +plugins |exa_cold_start: 2 clusters: 1 failed, 1 ok$)")
    assert [line.split()[0] for line in of_all] == ["exa-a", "exa-b", "exa_cold_start:"], done.out
    nobody_is_left(simulator)

    run = ansible.start("exa_cold_start", hosts)
    run.wait_line(r"^\[exa-a\] nodes: wait for n0012 \(booting\)")
    simulator.mend()
    run.finish().ok()
    assert simulator.all_connectable("exa-a")
    assert not [row for row in simulator.changes("exa-a") if row.startswith("startupNode")]


@pytest.mark.parametrize("callback", ["default", "dbfleet.cluster.compact"])
def test_nobody_reads_the_output_any_more(simulate, ansible, callback):
    """It ends as by SIGTERM: ansible-core alone would read no further result, and never end."""
    simulator = simulate(cluster("exa-a", nodes=3))
    hosts = simulator.inventory(exa_heartbeat=1)
    simulator.fault("never_boots", cluster="exa-a", object="n0012")
    run = ansible.start("exa_cold_start", hosts, environment={"ANSIBLE_STDOUT_CALLBACK": callback})
    run.wait_line(r"^\[exa-a\] nodes: \d\d:\d\d  2/3 online")
    run.leave()
    assert run.finish().rc == -15
    nobody_is_left(simulator)
    run = ansible.start("exa_cold_start", hosts)
    run.wait_line(r"^\[exa-a\] nodes: wait for n0012 \(booting\)")
    simulator.mend()
    run.finish().ok()


@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM"])
def test_a_shutdown_while_processes_go(simulate, ansible, how):
    simulator = simulate(
        domain("nuo-a", databases={"shop": database(up=True)}), domain("nuo-b", databases={"hr": database()})
    )
    hosts = simulator.inventory()
    simulator.fault("stays", cluster="nuo-a", object="TE", state="REQUESTED_SHUTDOWN")
    variables = {"confirm": "nuo-a,nuo-b"}
    run = ansible.start("nuodb_graceful_shutdown", hosts, variables=variables)
    run.wait_line(r"^\[nuo-b\] nuodb_graceful_shutdown: ok")
    run.wait_for("it is going down", lambda: simulator.calls("POST databases/shutdown", cluster="nuo-a"))
    run.wait_line(r"^\[nuo-a\] databases: \d\d:\d\d  0/1")
    done = ended_by(run, how)
    goes_on = (
        "shutdown database shop: what is not finished yet continues on the cluster without this run; no "
        "further step follows, and the next run joins it"
    )
    told(done, "nuo-a", "nuodb_graceful_shutdown", ["preflight", "backup", "databases"], goes_on)
    assert not done.lines(r"^\[nuo-b\] (cause|under way|resume):"), done.out
    nobody_is_left(simulator)

    run = ansible.start("nuodb_graceful_shutdown", hosts, variables=variables)
    run.wait_line(r"^\[nuo-a\] databases: wait for shop \(REQUESTED_TE_SHUTDOWN.*\)")
    simulator.mend()
    run.finish().ok()
    assert down(simulator)
    assert simulator.changes("nuo-a") == []


def test_where_it_waits_or_its_modules_run_elsewhere_no_step_is_known(simulate, ansible):
    simulator = simulate(cluster("exa-a", up=True), cluster("exa-b"))
    hosts = simulator.inventory()
    hosts["exa-b"].update(ansible_connection="elsewhere")
    simulator.fault("hang", cluster="exa-a")
    simulator.fault("never_boots", cluster="exa-b", object="n0012")
    run = ansible.start("exa_cold_start", hosts)
    run.wait_line(r"^\[exa-a\] \(2/\d\) api")
    run.wait_for("its nodes boot", lambda: len(simulator.calls("startupNode", cluster="exa-b")) == 2)
    done = ended_by(run, "SIGTERM")
    told(done, "exa-a", "exa_cold_start", ["power", "api"], NO_STEP.format("what the run waited for continues"))
    goes_on = (
        "the module of this phase runs in its own process, which ends soon after its connection; what the module has "
        "started continues on the cluster without this run, and the next run joins it"
    )
    told(done, "exa-b", "exa_cold_start", ["power", "api", "nodes"], goes_on)
    nobody_is_left(simulator)


@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM"])
def test_in_a_hook(simulate, ansible, tmp_path, how):
    simulator = simulate(cluster("exa-a", databases=1))
    (tmp_path / "pause.yml").write_text(yaml.safe_dump([PAUSE]))
    hooks = {"before_storage": str(tmp_path / "pause.yml")}
    run = ansible.start("exa_cold_start", simulator.inventory(), variables={"exa_cold_start_hooks": hooks})
    done = ended_by(run, how, tmp_path)
    goes_on = NO_STEP.format("what the hook has started may continue")
    told(done, "exa-a", "exa_cold_start", ["power", "api", "nodes", "storage"], goes_on)
    assert len(simulator.changes()) == 2


def test_check_mode_has_begun_nothing(simulate, ansible, tmp_path):
    simulator = simulate(cluster("exa-a", up=True))
    (tmp_path / "pause.yml").write_text(yaml.safe_dump([PAUSE]))
    hooks = {"before_storage": str(tmp_path / "pause.yml")}
    run = ansible.start("exa_cold_start", simulator.inventory(), "--check", variables={"exa_cold_start_hooks": hooks})
    done = ended_by(run, "SIGTERM", tmp_path)
    assert done.lines(r"^\[exa-a\] exa_cold_start: failed \(check mode: nothing was changed\)"), done.out
    assert done.lines(r"^\[exa-a\] resume: .*--check"), done.out
    assert not done.lines("under way:"), done.out


def test_behind_a_runbook_sigterm_ends_ansible_playbook_as_ever(simulate, ansible, tmp_path):
    simulator = simulate(cluster("exa-a", up=True))
    plays = [
        {"hosts": "exa_clusters", "gather_facts": False, "roles": ["dbfleet.cluster.exa_cold_start"]},
        {"hosts": "exa_clusters", "gather_facts": False, "tasks": [PAUSE]},
    ]
    run = ansible.start(plays, simulator.inventory())
    done = ended_by(run, "SIGTERM", tmp_path)
    assert len(done.lines(r"^\[exa-a\] exa_cold_start:")) == 1, done.out
    assert not done.lines(r"^\[exa-a\] (cause|under way|resume):"), done.out
