# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The callback compact through the real ansible-playbook: what it shows, what not, and where."""

from __future__ import annotations

import re

import pytest
import yaml
from awx import Job
from world import cluster

BOOK = "exa_database_state"
COMPACT = {"ANSIBLE_STDOUT_CALLBACK": "dbfleet.cluster.compact"}
BANNERS = r"^(TASK|PLAY|RUNNING HANDLER)\b|^(ok|skipping|changed|fatal|included): "
TABLE = r"^CLUSTER +RESULT +PHASE +TIME +CAUSE$"
ESCAPE = re.compile(r"\x1b\[[\d;]*m")


def hook(folder, name, tasks):
    (folder / name).write_text(yaml.safe_dump(tasks))
    return {"exa_database_state_hooks": {"before_databases": str(folder / name)}}


def three(simulate, folder):
    """One that goes well with a hook that says something, one with a wrong database, one with a hook that fails."""
    simulator = simulate(*(cluster(name, up=True) for name in ("exa-a", "exa-b", "exa-c")))
    hosts = simulator.inventory(exa_database_state_databases="DB1", exa_database_state_state="started")
    hosts["exa-b"]["exa_database_state_databases"] = "NOPE"
    fine = [
        {"name": "Note it", "ansible.builtin.copy": {"content": "x", "dest": str(folder / "note")}},
        {"name": "Tell", "ansible.builtin.debug": {"msg": "a word of the user"}},
        {"name": "Look", "ansible.builtin.command": "true", "changed_when": False},
    ]
    write = "echo one two >&2; echo three >&2; exit 3"
    shell = {"ansible.builtin.shell": write, "check_mode": False}
    bad = [
        {"name": "May fail", "ignore_errors": True, **shell},
        {"name": "Call", "no_log": True, "ignore_errors": True, **shell},
        {"name": "Write", **shell},
    ]
    hosts["exa-a"].update(hook(folder, "fine.yml", fine))
    hosts["exa-c"].update(hook(folder, "bad.yml", bad))
    return hosts


def told(run):
    """What must be there of C(three), however it is shown."""
    assert run.rc == 2
    assert not run.lines(BANNERS), run.out
    assert run.lines(r"^\[exa-a\] \(1/1\) databases: "), run.out
    assert run.lines(rf"^\[exa-a\] {BOOK}: ok"), run.out
    assert len(run.lines(rf"^\[exa-[bc]\] {BOOK}: failed")) == 2, run.out
    assert len(run.lines(TABLE)) == 1, run.out
    assert run.lines(rf"^{BOOK}: 3 clusters: 2 failed, 1 ok"), run.out
    assert run.lines(r"^3 hosts: 2 failed \(exa-b exa-c\), 1 (ok|changed)"), run.out


def test_of_three_clusters(simulate, ansible, tmp_path):
    run = ansible.run(BOOK, three(simulate, tmp_path), environment=COMPACT)
    told(run)
    assert run.lines(r"^\[exa-a\] changed: Note it$"), run.out
    assert run.lines(r"^\[exa-a\] a word of the user$"), run.out
    assert not run.lines("Look"), run.out
    # The end table tells a runbook's failure, so nothing else does.
    assert not run.lines("its end table says why"), run.out
    assert not run.lines(r"^\[exa-b\] failed:"), run.out
    assert len(run.lines("there is no database NOPE")) == 2, run.out
    assert len(run.lines(r"^\[exa-b\] cause: .*NOPE")) == 1, run.out
    # That of a hook is told in full.
    lines = run.out.splitlines()
    (at,) = (number for number, line in enumerate(lines) if re.search(r"^\[exa-c\] failed: Write: .*code", line))
    assert lines[at + 1 : at + 3] == ["    one two", "    three"], run.out
    assert run.lines(r"^\[exa-c\] failed, ignored: May fail: .*exit code 3"), run.out
    assert run.lines(r"^\[exa-c\] failed, ignored: Call: the output has been hidden"), run.out
    assert run.out.count("one two") == 2, run.out
    assert "2 failures ignored" in run.out
    assert "DEPRECATION" not in run.out


def test_a_narrow_terminal_has_colours(simulate, ansible, tmp_path):
    environment = {**COMPACT, "ANSIBLE_NOCOLOR": "0", "TERM": "xterm", "COLUMNS": "64"}
    hosts = three(simulate, tmp_path)
    run = ansible.run(BOOK, hosts, "--check", environment=environment, terminal=True)
    coloured, run.out = run.out, ESCAPE.sub("", run.out)
    told(run)
    assert run.lines(rf"^{BOOK}: 3 clusters: .*\(check mode"), run.out
    assert re.search(r"^3 hosts: [^\[]*\(check\s+mode\)$", run.out, re.MULTILINE), run.out
    for sign, line in (("32", rf"\[exa-a\] {BOOK}: ok"), ("31", r"\[exa-b\] cause: "), ("31", "exa-b +failed"),
                       ("33", r"\[exa-a\] changed: ")):  # fmt: skip
        assert re.search(rf"^\x1b\[0;{sign}m{line}", coloured, re.MULTILINE), coloured
    long = [line for line in run.out.splitlines() if len(line) > 64 and line.split()[1:]]
    assert all(re.match(r"\[\S+\] resume: ", line) for line in long), long

    run = ansible.run(BOOK, hosts, "--check", environment={**environment, "NO_COLOR": "1"}, terminal=True)
    told(run)
    assert "\x1b" not in run.out


def test_what_ansible_itself_refuses(simulate, ansible):
    simulator = simulate(cluster("exa-a", up=True))
    run = ansible.run("exa_cold_start", simulator.inventory(), "-e", "target=exa-z", environment=COMPACT).failed()
    assert "target exa-z matches no host" in run.out
    plays = [{"name": "Mine", "hosts": "exa_z", "gather_facts": False, "tasks": []}]
    run = ansible.run(plays, simulator.inventory(), environment=COMPACT)
    assert run.lines("^play Mine: no host matched, so none of its tasks ran$"), run.out
    # A look at a fleet that is up has a play for those that are not.
    run = ansible.run("status", simulator.inventory(), environment=COMPACT, target="").ok()
    assert [line.split()[0] for line in run.out.splitlines() if line] == ["up", "1"], run.out


def test_verbose_it_shows_results_as_ever(simulate, ansible, tmp_path):
    run = ansible.run(BOOK, three(simulate, tmp_path), "-v", environment=COMPACT)
    assert run.lines(r"^TASK \[.*Every phase up to the first hook\]"), run.out
    assert run.lines(r"^fatal: \[exa-b\]: FAILED! => .*NOPE"), run.out
    assert run.lines(r"^ok: \[exa-a\] => "), run.out
    censored = run.lines(r"^fatal: \[exa-c\]: .*censored")
    assert len(censored) == 1, run.out
    assert "one two" not in censored[0]


def test_under_ansible_runner(simulate, ansible, tmp_path):
    pytest.importorskip("ansible_runner")
    hosts = three(simulate, tmp_path)
    run = Job(ansible, BOOK, hosts, {"target": "all"}, environment=COMPACT).finish()
    run.out = ESCAPE.sub("", run.out)
    told(run)
    assert len([row for row in run.rows if row["what"] == "failed"]) > 3
    # The files of a job go with it: no path is named that is gone when somebody reads this.
    relaunch = "in AWX, relaunch job 4711 on failed hosts, or launch template exa-a up with target=exa-b"
    assert run.lines(f"resume: {relaunch}"), run.out
    assert not run.lines("resume: .*(env/extravars|hosts.yml)"), run.out
