# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hooks: which files they are, what is wrong with them, and the file that runs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks import hooks
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.catalogue import RUNBOOKS
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.run import Run

FINE = '- name: Tell\n  debug:\n    msg: "{{ inventory_hostname }}"\n'
BLOCK = "- name: All\n  block: [{name: Tell, debug: {}}]\n  rescue: [{name: Tell, debug: {}}]\n"


@pytest.fixture
def run(stage: Any, roles: None) -> Run:
    return stage(RUNBOOKS["exa_cold_start"]).run()


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """Writes a file below the folder of the playbook."""

    def write(name: str, text: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)

    return write


def problems(run: Run, *paths: str) -> list[str]:
    return hooks.problems({"power": list(paths)}, run.task, run.loader, run.variable_manager)


# -- which files


@pytest.mark.parametrize("given", [None, {}, {"power": None}, {"power": ""}, {"power": []}, {"power": [None, ""]}])
def test_no_files(run: Run, given: Any) -> None:
    assert [path for paths in run.hook_files(given).values() for path in paths] == []


@pytest.mark.parametrize("given", ["/a.yml", ["/a.yml", "/b.yml"], [["/a.yml"], "/b.yml"], [["/a.yml", "/b.yml"]]])
def test_a_path_or_a_list_of_them(run: Run, given: Any) -> None:
    found = run.hook_files({"power": given, "before_api": "/c.yml"})
    assert found == {"power": ["/a.yml"] if given == "/a.yml" else ["/a.yml", "/b.yml"], "before_api": ["/c.yml"]}


def test_a_relative_path_is_looked_for_as_the_role_would(run: Run, write: Any, tmp_path: Path) -> None:
    at_playbook, of_role = write("hooks/on.yml", FINE), write("roles/exa_cold_start/tasks/own.yml", FINE)
    found = run.hook_files({"power": ["hooks/on.yml", "own.yml"]})
    assert found == {"power": [at_playbook, of_role]}
    assert problems(run, *found["power"]) == []


def test_a_relative_path_that_is_nowhere_is_told(run: Run) -> None:
    (path,) = run.hook_files({"power": "hooks/none.yml"})["power"]
    assert path.endswith("hooks/none.yml")
    assert problems(run, path) == [f"hook power: {path} does not exist"]


# -- what is wrong


@pytest.mark.parametrize("given", [7, True, {"file": "/on.yml"}, [7]])
def test_what_is_no_path_is_told_as_one_that_is_not_there(run: Run, given: Any) -> None:
    (path,) = run.hook_files({"power": given})["power"]
    assert problems(run, path) == [f"hook power: {path} does not exist"]


@pytest.mark.parametrize("text", ["", "---\n", "# nothing yet\n", "[]\n", FINE, BLOCK])
def test_a_file_that_can_be_run(run: Run, write: Any, text: str) -> None:
    assert problems(run, write("on.yml", text)) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: x\n", "is not a list of tasks"),
        ("on\n", "is not a list of tasks"),
        ("7\n", "is not a list of tasks"),
        ("- just a text\n", "can't be loaded: "),
        ("- [\n", "can't be loaded: "),
        ("- name: x\n  no_such.module.at_all:\n", "can't be loaded: couldn't resolve module/action"),
        ("- name: x\n  debug:\n  command: ls\n", "can't be loaded: conflicting action statements"),
        ("- name: x\n  ansible.builtin.import_tasks: none.yml\n", "imports "),
        ("- name: x\n  debug:\n  no_such_keyword: 1\n", "can't be loaded: "),
        ("- name: x\n  block: 7\n", "can't be loaded: "),
    ],
)
def test_a_file_that_can_t_be_run_is_told_in_one_line(run: Run, write: Any, text: str, says: str) -> None:
    path = write("on.yml", text)
    (found,) = problems(run, path)
    assert found.startswith(f"hook power: {path} {says}")
    assert "\n" not in found
    if says == "imports ":
        assert found.endswith("none.yml, which does not exist")


def test_a_file_that_is_imported_is_looked_at_too(run: Run, write: Any) -> None:
    write("deep.yml", "- name: x\n  no_such.module.at_all:\n")
    (found,) = problems(run, write("on.yml", "- ansible.builtin.import_tasks: deep.yml\n"))
    assert "couldn't resolve module/action" in found


def test_a_file_that_is_included_may_be_made_by_then(run: Run, write: Any) -> None:
    assert problems(run, write("on.yml", "- ansible.builtin.include_tasks: made_later.yml\n")) == []


def test_a_folder_is_no_file(run: Run, tmp_path: Path) -> None:
    assert problems(run, str(tmp_path)) == [f"hook power: {tmp_path} does not exist"]


def test_each_file_is_told_once_with_all_its_hooks(run: Run) -> None:
    files = {"power": ["/a.yml", "/b.yml"], "before_api": ["/a.yml"]}
    assert hooks.problems(files, run.task, run.loader, run.variable_manager, of="x ") == [
        "x hook power, before_api: /a.yml does not exist",
        "x hook power: /b.yml does not exist",
    ]


# -- the file that runs them


def test_equal_gaps_are_one_file(local_tmp: Path) -> None:
    hook = hooks.imported([("power", "/on.yml"), ("power", "/wait.yml")], "exa")
    steps = [hook, {"name": "Go on", "dbfleet.cluster.runbook": {"start": 3}}]
    first, again, other = hooks.gap(steps), hooks.gap(iter(steps)), hooks.gap(steps[:1])
    assert first == again != other
    assert Path(first).parent == local_tmp
    assert json.loads(Path(first).read_text()) == steps
    assert hook == {
        "block": [{"name": "power", "ansible.builtin.import_tasks": path} for path in ("/on.yml", "/wait.yml")],
        "vars": {"exa_hook_connection": "{{ exa_connection_options }}"},
    }
    assert len(list(local_tmp.glob("dbfleet-hooks-*"))) == 2  # and no draft


def test_a_gap_is_a_list_of_tasks(run: Run, write: Any) -> None:
    given = [("power", write("on.yml", FINE))]
    hook = hooks.imported(given, "exa")
    gap = hooks.gap([*hook["block"], {"name": "Go on", "debug": {}}])
    assert problems(run, gap) == []


def test_the_same_files_of_many_hosts_are_looked_at_once(run: Run, write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[hooks.Files] = []
    real = hooks.problems
    monkeypatch.setattr(hooks, "problems", lambda files, *more: looked.append(files) or real(files, *more))
    bad, fine = {"power": ["/nowhere.yml"]}, {"power": [write("on.yml", FINE)]}
    files = {"a": bad, "b": fine, "c": dict(bad), "d": {}}
    assert hooks.problems_by_host(files, run.task, run.loader, run.variable_manager, of="exa: ") == {
        "exa: hook power: /nowhere.yml does not exist": ["a", "c"]
    }
    assert looked == [bad, fine, {}]
