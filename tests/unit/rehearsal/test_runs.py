# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runs on the copy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.products import VARIABLES
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.rehearsal import runs
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.report import record
from ansible_collections.dbfleet.cluster.tests.unit.report.conftest import new_row

__all__ = ["new_row"]  # pytest finds it here

SIMULATED = {"admin_url": "http://127.0.0.1:1", "admin_token": "t"}


def test_nothing_of_the_callers_environment_reaches_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*VARIABLES, "ANSIBLE_INVENTORY", "ANSIBLE_CALLBACKS_ENABLED", "AWX_HOST", "https_proxy", "HTTP_PROXY"]:
        monkeypatch.setenv(name, "real")
    monkeypatch.setenv("ANSIBLE_HOME", "/home")
    seen = runs.environment("/root", tmp_path, SIMULATED)
    assert "real" not in seen.values()
    assert seen["ANSIBLE_COLLECTIONS_PATH"].startswith("/root")
    assert (seen["DBFLEET_SIMULATOR"], seen["DBFLEET_SIMULATOR_TOKEN"]) == ("http://127.0.0.1:1", "t")
    assert Path(seen["ANSIBLE_CONFIG"]).read_text() == "[defaults]\n"
    assert seen["ANSIBLE_HOME"] == "/home"


def test_the_command_that_resumes(new_row: Callable[..., Any]) -> None:
    words = runs.command("exa_cold_start", Path("i.yml"), "copy")
    assert words[-4:] == ["-e", "target=copy", "-e", "confirm=copy"]
    assert runs.resumed(new_row(resume="ansible-playbook -i i.yml x -e 'a=b c'"))[-1] == "a=b c"
    assert runs.resumed(new_row(resume="in AWX, relaunch it")) == runs.resumed(None) == []


def test_the_command_of_a_copy_that_is_gone_is_not_shown() -> None:
    line = "[copy] resume: ansible-playbook -i /tmp/inventory.yml dbfleet.cluster.exa_cold_start -e target=copy"
    assert (runs.shown(line, keep=False), runs.shown(line, keep=True)) == (False, True)
    assert runs.shown("[copy] cause: it is off", keep=False)
    assert not runs.shown("[copy] report: /x.html", keep=True)


def test_a_record_of_a_copy_that_is_gone_has_no_command_for_it(tmp_path: Path, new_row: Callable[..., Any]) -> None:
    path = record.path_of(str(tmp_path), "rehearsal-of-exa", "exa_cold_start", 1e9)
    row = new_row(at=1e9, id=path.stem, result=record.FAILED, cause="off", resume="ansible-playbook -i /gone.yml x")
    record.write(path, row)
    ended = runs.without_command(runs.Ended(2, row, path, []), "rehearse again")
    assert ended.row is not None
    assert ended.row["resume"] == "rehearse again"
    assert record.read(path) == ended.row
    page = path.with_suffix(".html").read_text()
    assert "rehearse again" in page
    assert "/gone.yml" not in page
    good = runs.Ended(0, new_row(resume=""), path, [])
    assert runs.without_command(good, "rehearse again") is good


def test_a_run_without_a_record_says_its_cause() -> None:
    lines = ["[copy] cause: copy: it is off [DBF-1]", "[copy] resume: ansible-playbook x", "1 host: 1 failed"]
    assert runs.Ended(2, None, None, lines).cause == "copy: it is off [DBF-1]"
    assert runs.Ended(2, None, None, [*lines[2:], ""]).cause == "the run printed no cause"


def test_a_run_and_its_record(tmp_path: Path, new_row: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    path = record.path_of(str(tmp_path), "copy", "exa_cold_start", 1e9)
    mine = {"at": 1e9, "cluster": "copy", "result": record.FAILED}
    row = new_row(**mine, id=path.stem, run="ansible-local-4711abcd_123", cause="copy: it is off")
    others = []
    for at, pid in ((9e8, 471), (11e8, 47112)):
        other = record.path_of(str(tmp_path), "copy", "exa_cold_start", at)
        others.append((other, new_row(**mine, id=other.stem, run=f"ansible-local-{pid}abcd_123", cause="another's")))

    class Process:
        pid = 4711
        returncode = 2
        stdout = [
            "[copy] usually 5 s (in 1 run), n10 longest; an estimate from earlier records\n",
            "[copy] a line\n", "1 host: 1 failed\n", "[copy] time: 40 s longer than usual\n",
            "[copy]   nodes    00:03  done\n", "\n",
        ]  # fmt: skip

        def __init__(self, words: list[str], **_more: Any) -> None:
            assert words[1:4] == ["-m", "ansible", "playbook"]
            for one in [(path, row), *others]:
                record.write(*one)

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_error: Any) -> None:
            pass

    monkeypatch.setattr(runs.subprocess, "Popen", Process)
    shown: list[str] = []
    found = runs.run(["ansible-playbook", "x"], {}, shown.extend, tmp_path, "copy")
    assert shown == ["[copy] a line"]
    assert (found.is_ok, found.cause, found.path) == (False, "copy: it is off", path)
    again = runs.run(["ansible-playbook", "x"], {}, shown.extend, tmp_path, "copy")
    assert (again.row, again.is_ok) == (None, False)
    assert again.cause == "[copy] a line"
