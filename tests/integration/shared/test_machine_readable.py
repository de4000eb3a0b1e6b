# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a program reads standard output, nothing but the stdout callback writes there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from domains import database, domain
from world import PATIENCE, cluster, confd

LINE = re.compile(r"^\[(eao|confd|nuodb)\] ", re.MULTILINE)
"""How each line of progress begins."""


class Streams(NamedTuple):
    rc: int
    out: str
    err: str

    def document(self) -> Any:
        """Standard output as a whole."""
        return json.loads(self.out)


@pytest.fixture
def read(ansible: Any) -> Any:
    """Runs a playbook with a stdout callback, and keeps its two streams apart."""

    def run(playbook: str, hosts: dict[str, Any], *arguments: str, callback: str = "json") -> Streams:
        inventory = ansible.write_inventory(hosts)
        environment = ansible.environment(
            ANSIBLE_STDOUT_CALLBACK=callback, ANSIBLE_VERBOSE_TO_STDERR="1", DBFLEET_DUMP=str(ansible.folder / "dump")
        )
        command = [sys.executable, "-m", "ansible", "playbook", "-i", str(inventory), f"dbfleet.cluster.{playbook}"]
        command += arguments
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=PATIENCE, check=False)
        return Streams(done.returncode, done.stdout, done.stderr)

    return run


def lines(text: str) -> set[str]:
    """The hosts of which there are lines of progress."""
    return set(LINE.findall(text))


def test_a_run_that_goes_well(simulate: Any, read: Any) -> None:
    hosts = simulate(cluster("eao"), confd("confd", databases={"DB1": {"state": "setup"}})).inventory()
    run = read("exa_cold_start", hosts, "-e", "target=all")
    assert run.rc == 0, run.err
    assert {name: row["failures"] for name, row in run.document()["stats"].items()} == {"eao": 0, "confd": 0}
    assert lines(run.err) == {"eao", "confd"}
    assert "[eao] exa_cold_start: ok" in run.err
    hosts = simulate(domain("nuodb")).inventory()
    run = read("nuodb_cold_start", hosts, "-e", "target=all")
    assert run.rc == 0, run.err
    assert run.document()["custom"]["_run"]["dbfleet"]["nuodb"]["result"] == "ok"
    assert lines(run.err) == {"nuodb"}


def test_runs_that_only_read(simulate: Any, read: Any) -> None:
    """With -v as well, whose lines ansible-core itself writes on standard output unless verbose_to_stderr is set."""
    hosts = simulate(cluster("eao", up=True), domain("nuodb", databases={"shop": database(up=True)})).inventory()
    run = read("check", hosts, "-v")
    assert run.rc == 0, run.err
    assert run.document()["custom"]["_run"]["dbfleet"]["eao"]["problems"] == []
    assert lines(run.err) == {"eao", "nuodb"}
    run = read("status", hosts)
    assert run.rc == 0, run.err
    assert set(run.document()["custom"]["_run"]["dbfleet"]) == {"eao", "nuodb"}


def test_runs_that_fail(simulate: Any, read: Any, ansible: Any) -> None:
    simulator = simulate(cluster("eao"), domain("nuodb"))
    hosts = simulator.inventory()
    simulator.fault("never_boots", cluster="eao", object="n0012")
    hosts["eao"]["exa_wait_timeout"] = 2
    run = read("exa_cold_start", {"eao": hosts["eao"]}, "-e", "target=all")
    assert run.rc == 2, run.err
    assert run.document()["stats"]["eao"]["failures"] == 1
    assert "[eao] cause: eao: nodes: not online after 2 s: n0012 is booting" in run.err
    # One that a hook ends is told of at the end of the process, behind the document.
    hook = Path(ansible.folder) / "end.yml"
    hook.write_text(yaml.safe_dump([{"ansible.builtin.meta": "end_host"}]))
    given = json.dumps({"target": "all", "nuodb_cold_start_hooks": {"before_storage": str(hook)}})
    run = read("nuodb_cold_start", {"nuodb": hosts["nuodb"]}, "-e", given)
    assert run.rc == 2, run.err
    assert run.document()["stats"]["nuodb"]["failures"] == 0
    assert "[nuodb] resume: " in run.err


@pytest.mark.parametrize(
    ("arguments", "says", "called"),
    [
        ([], "no target is given, so nothing was done", False),
        (["-e", "target=eoa"], "target eoa matches no host", False),
        (["-e", "tagret=eao"], "there is no variable tagret", False),
        (["-e", "target=eao", "--start-at-task", "nothing"], "no task is called 'nothing', so nothing was done", True),
    ],
)
def test_a_run_that_is_refused_before_its_first_task(
    simulate: Any, read: Any, arguments: list[str], says: str, called: bool
) -> None:
    """:param called: whether ansible-core calls the callback at all; without it there is nothing on standard output."""
    simulator = simulate(cluster("eao"))
    run = read("exa_cold_start", simulator.inventory(), *arguments)
    assert run.rc != 0
    assert says in " ".join(run.err.split())
    assert run.document()["results"] == [] if called else run.out == ""
    assert simulator.calls() == []


def test_the_place_is_set(simulate: Any, read: Any) -> None:
    """The default is tested above; here each word, with a callback for people as well."""
    simulator = simulate(cluster("eao", up=True))
    hosts = simulator.inventory()

    def place(given: str, callback: str) -> tuple[bool, bool]:
        run = read("exa_cold_start", hosts, "-e", "target=all", "-e", f"dbfleet_progress={given}", callback=callback)
        assert run.rc == 0, run.err
        return bool(lines(run.out)), bool(lines(run.err))

    assert place("stdout", "json") == place("auto", "default") == (True, False)
    assert place("stderr", "default") == place("auto", "json") == (False, True)
    assert place("off", "json") == place("off", "default") == (False, False)
    simulator.forget()
    run = read("exa_cold_start", hosts, "-e", "target=all", "-e", "dbfleet_progress=nowhere")
    assert run.rc == 2
    (row,) = [row["result"] for row in run.document()["results"] if "cause" in row["result"]]
    assert row["cause"] == "dbfleet_progress is 'nowhere', and must be one of auto, stdout, stderr, off [DBF-7015]"
    assert simulator.calls() == []
