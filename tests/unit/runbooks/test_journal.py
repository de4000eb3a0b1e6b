# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far a run has come, and what a process says at its end of those that nothing has ended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks import journal
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.journal import Journal


def entry(host: str = "exa-a", **more: Any) -> dict[str, Any]:
    return {
        "runbook": "exa_cold_start", "host": host, "play": "p1", "quiet": False, "check": False, "at": 160.0,
        "hooks": "",
        "phases": [{"phase": "power", "began": 100.0}, {"phase": "api", "began": 110.0}],
        "resume": f"ansible-playbook dbfleet.cluster.exa_cold_start -e target={host}", "stats": {}, "changed": {},
        **more,
    }  # fmt: skip


def test_an_entry_is_written_read_and_closed(local_tmp: Path) -> None:
    mine = Journal("exa_cold_start", "exa-a")
    assert mine.read() is None
    mine.write(entry())
    mine.write(entry(hooks="power (on.yml)"))
    assert Journal("exa_cold_start", "exa-a").read() == entry(hooks="power (on.yml)")
    assert len(list(local_tmp.iterdir())) == 1
    mine.close()
    mine.close()
    assert mine.read() is None
    assert list(local_tmp.iterdir()) == []


def test_each_host_and_runbook_has_its_own() -> None:
    for runbook, host in (("exa_cold_start", "exa-a"), ("exa_cold_start", "exa-b"), ("exa_database_state", "exa-b")):
        Journal(runbook, host).write(entry(host, runbook=runbook))
    Journal("exa_cold_start", "exa-b").close()
    assert sorted((one["runbook"], one["host"]) for one in journal.open_entries()) == [
        ("exa_cold_start", "exa-a"), ("exa_database_state", "exa-b")
    ]  # fmt: skip
    assert journal.unended_on("exa-a") == "exa_cold_start"
    assert journal.unended_on("exa-b") == "exa_database_state"
    assert journal.unended_on("exa-c") is None


@pytest.mark.parametrize("text", ["", "{", "[1", "\x00"])
def test_a_broken_file_is_no_entry(local_tmp: Path, text: str) -> None:
    Journal("exa_cold_start", "exa-a").write(entry())
    (local_tmp / "dbfleet-journal-0").write_text(text)
    (local_tmp / "dbfleet-journal-2").mkdir()
    assert journal.open_entries() == [entry()]


def test_a_line_that_was_cut_off_leaves_the_one_before(local_tmp: Path) -> None:
    mine = Journal("exa_cold_start", "exa-a")
    mine.write(entry())
    (path,) = local_tmp.iterdir()
    with path.open("a", encoding="utf-8") as file:
        file.write('{"runbook": "exa_co')
    assert mine.read() == entry()


# -- at the end of the process

ENDS = """
import atexit, json, os, sys, time
from ansible import constants
from ansible.utils.path import cleanup_tmp_file
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.journal import Journal

entries, broken, fork = json.loads(sys.argv[1])
for entry in entries:
    Journal(entry["runbook"], entry["host"]).write(entry)
if broken:
    with open(os.path.join(constants.DEFAULT_LOCAL_TMP, "dbfleet-journal-broken"), "w") as file:
        file.write("{")
print("folder", constants.DEFAULT_LOCAL_TMP, flush=True)
time.time = lambda: 165.0  # five seconds behind the last entry
if fork:
    child = os.fork()
    if not child:
        atexit.unregister(cleanup_tmp_file)  # of ansible-core: it removes the folder
        sys.exit(7)
    print("child", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), os.path.exists(constants.DEFAULT_LOCAL_TMP))
"""


def ended(tmp_path: Path, entries: list[dict[str, Any]], broken: bool = False, fork: bool = False) -> Any:
    """The exit code of a process with these entries, its lines, and whether its folder is still there."""
    given = journal.json.dumps([entries, broken, fork])
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", ENDS, given],  # of os.fork beside a thread
        check=False, capture_output=True, text=True, timeout=60,
        env={**os.environ, "ANSIBLE_LOCAL_TEMP": str(tmp_path)},
    )  # fmt: skip
    assert done.stderr == ""
    first, *lines = done.stdout.splitlines()
    return done.returncode, lines, os.path.exists(first.partition(" ")[2])


TABLE = [
    "[exa-a] exa_cold_start: failed",
    "[exa-a]   power               00:10  done",
    "[exa-a]   api                 00:55  stopped here",
    "[exa-a] cause: exa-a: exa_cold_start did not finish: the run was stopped in phase api [DBF-6807]",
    "[exa-a] resume: ansible-playbook dbfleet.cluster.exa_cold_start -e target=exa-a   # AWX: relaunch on failed hosts",
]


def test_the_end_of_a_process_tells_of_a_run_that_has_not_ended(tmp_path: Path) -> None:
    code, lines, is_there = ended(tmp_path, [entry()], broken=True)
    assert (code, lines, is_there) == (2, TABLE, False)


def test_a_forked_worker_says_nothing_of_it(tmp_path: Path) -> None:
    code, (first, *lines), is_there = ended(tmp_path, [entry()], fork=True)
    assert first == "child 7 True"
    assert (code, lines, is_there) == (2, TABLE, False)


def test_a_process_whose_runs_have_all_ended_ends_as_ever(tmp_path: Path) -> None:
    assert ended(tmp_path, [], broken=True) == (0, [], False)
