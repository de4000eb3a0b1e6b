# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is shown of results, and what an end table has told already."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Optional

import pytest
from ansible import context
from ansible.module_utils.common.collections import ImmutableDict
from ansible.playbook.task_include import TaskInclude
from ansible_collections.dbfleet.cluster.plugins.callback import compact
from ansible_collections.dbfleet.cluster.plugins.plugin_utils import progress

MINE = "/home/me/play.yml:3"


class FakeTask:
    """What the callback asks of a task."""

    loop = ignore_errors = ignore_unreachable = delegate_to = None
    check_mode = False

    def __init__(
        self, action: str = "ansible.builtin.command", parent: Any = None, path: str = MINE, **more: Any
    ) -> None:
        self.action, self._parent, self._uuid, self.args = action, parent, f"uuid of {id(self)}", {}
        self._path = path
        vars(self).update(more)

    def get_name(self) -> str:
        return "Do it"

    def get_path(self) -> str:
        return self._path


def result(data: dict[str, Any], task: Optional[Any] = None, host: str = "exa-a") -> Any:
    at = SimpleNamespace(get_name=lambda: host)
    task = task or FakeTask()
    return SimpleNamespace(host=at, task=task, result=data, _host=at, _task=task, _result=data)


def runbook(step: str, host: str = "exa-a", **data: Any) -> Any:
    return result(data, FakeTask(compact.RUNBOOK, args={"name": "exa_cold_start", "step": step}), host)


class Stats:
    """The counters of hosts."""

    custom: dict[str, Any] = {}

    def __init__(self, **hosts: str) -> None:
        self.processed = {name.replace("_", "-"): how for name, how in hosts.items()}

    def summarize(self, host: str) -> dict[str, int]:
        return {word: int(word == self.processed[host]) for word in ("ok", "changed", "failures", "unreachable")}


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(progress, "show_lines", lambda rows, _place: lines.extend(text for text, _colour in rows))
    return lines


@pytest.fixture
def callback(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> Any:
    monkeypatch.setattr(progress, "dress", None)
    monkeypatch.setattr(context, "CLIARGS", ImmutableDict({"check": False}))
    made = compact.CallbackModule()
    options = dict.fromkeys(("display_failed_stderr", "show_custom_stats"), False)
    monkeypatch.setattr(made, "_plugin_options", options)
    monkeypatch.setattr(made._display, "verbosity", 0)
    return made


def test_it_dresses_the_lines_of_this_process_and_its_workers(callback: Any) -> None:
    assert progress.dress is not None
    assert progress.dress(("[exa-a] cause: off", None)) == ("[exa-a] cause: off", progress.BAD)


def test_of_a_runbook_only_its_own_lines_are_shown(callback: Any, said: list[str]) -> None:
    callback.v2_runner_on_ok(runbook("run", changed=True))
    callback.v2_runner_on_failed(runbook("run", msg="its end table says why", cause="off"))
    callback.v2_runner_on_ok(runbook("end", outcome={"result": "failed"}))
    callback.v2_runner_on_failed(runbook("fail", msg="its end table says why"))
    callback.v2_playbook_on_stats(Stats(exa_a="failures"))
    assert said == ["1 host: 1 failed (exa-a)"]


def test_a_failure_whose_table_did_not_come_is_told_at_the_end(callback: Any, said: list[str]) -> None:
    callback.v2_runner_on_failed(runbook("run", msg="its end table says why", cause="exa-a: off", hint="on"))
    assert said == []
    callback.v2_playbook_on_stats(Stats(exa_a="failures", exa_b="ok"))
    assert said == ["[exa-a] failed: Do it: off", "    hint: on", "2 hosts: 1 failed (exa-a), 1 ok"]


def test_a_failure_without_a_table_is_told_once(callback: Any, said: list[str]) -> None:
    callback.v2_runner_on_failed(runbook("run", msg="exa-a: off"))
    callback.v2_runner_on_ok(runbook("end", outcome={}))
    callback.v2_runner_on_failed(runbook("fail", msg="for the reason above"))
    assert said == ["[exa-a] failed: Do it: off"]


def test_a_failure_at_the_end_that_nothing_has_explained_is_told(callback: Any, said: list[str]) -> None:
    callback.v2_runner_on_failed(runbook("fail", msg="exa-a: for the reason above"))
    callback.v2_runner_on_failed(runbook("end", msg="no such runbook", host="exa-b"))
    assert said == ["[exa-a] failed: Do it: for the reason above", "[exa-b] failed: Do it: no such runbook"]


def test_tasks_of_the_user(callback: Any, said: list[str]) -> None:
    loop = FakeTask(loop=["a", "b"])
    callback.v2_runner_on_ok(result({"changed": False}))
    callback.v2_runner_on_ok(result({"changed": True}))
    callback.v2_runner_on_ok(result({"changed": True, "results": [{"changed": True}, {"changed": False}]}, loop))
    callback.v2_runner_on_ok(result({"changed": True}, TaskInclude()))
    callback.v2_runner_on_skipped(result({"skipped": True}))
    callback.v2_runner_retry(result({"retries": 3, "attempts": 1}))
    callback.v2_playbook_on_task_start(FakeTask(), False)
    callback.v2_playbook_on_no_hosts_remaining()
    assert said == ["[exa-a] changed: Do it", "[exa-a] changed: Do it (1 of 2 items)"]


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        ({"msg": "a\nb", "changed": False}, ["[exa-a] a", "    b"]),
        ({"msg": "", "changed": False}, ["[exa-a] "]),
        ({"msg": "a", "_ansible_verbose_override": True}, []),
    ],
)
def test_messages(callback: Any, said: list[str], data: dict[str, Any], lines: list[str]) -> None:
    callback.v2_runner_item_on_ok(result({"_ansible_verbose_always": True, **data}, FakeTask("debug")))
    assert said == lines


def test_errors_are_marked_by_what_follows_them(callback: Any, said: list[str]) -> None:
    callback.v2_runner_on_failed(result({"msg": "off", "rc": 1, "stderr": "why"}))
    callback.v2_runner_on_failed(result({"msg": "off"}), ignore_errors=True)
    child = FakeTask()
    child._parent = SimpleNamespace(block=[child], rescue=[FakeTask()], _parent=None, get_path=lambda: MINE, _uuid="b")
    callback.v2_runner_on_failed(result({"msg": "off"}, child))
    callback.v2_playbook_on_stats(Stats(exa_a="failures"))
    assert said == [
        "[exa-a] failed: Do it: off (exit code 1)", "    why", "[exa-a] failed, ignored: Do it: off",
        "[exa-a] failed, rescued: Do it: off", "1 host: 1 failed (exa-a), 1 failure ignored, 1 failure rescued",
    ]  # fmt: skip


def test_the_rescue_of_a_role_of_ours_is_none_of_the_user(callback: Any) -> None:
    child = FakeTask()
    path = f"{compact.HOME}/roles/exa_cold_start/tasks/main.yml:2"
    ours = SimpleNamespace(block=[child], rescue=[FakeTask()], _parent=None, get_path=lambda: path, _uuid="b")
    child._parent = ours
    assert not compact._is_rescued(child)
    ours.get_path = lambda: MINE
    assert compact._is_rescued(child)
    ours.block = []
    assert not compact._is_rescued(child)


def test_each_item_of_a_loop_is_told(callback: Any, said: list[str]) -> None:
    loop = FakeTask(loop=["a", "b"])
    callback.v2_runner_item_on_failed(result({"msg": "off", "item": "a"}, loop))
    callback.v2_runner_on_failed(result({"msg": "One or more items failed", "results": [{"failed": True}]}, loop))
    items = [{"unreachable": True, "msg": "no route", "item": "b"}, {"msg": "fine", "item": "a"}]
    callback.v2_runner_on_unreachable(result({"msg": "All items completed", "results": items}, loop))
    callback.v2_runner_on_unreachable(result({"msg": "no route"}, FakeTask(ignore_unreachable=True)))
    assert said == [
        "[exa-a] failed: Do it (item=a): off", "[exa-a] unreachable: Do it (item=b): no route",
        "[exa-a] unreachable, ignored: Do it: no route",
    ]  # fmt: skip


@pytest.mark.parametrize(("path", "count"), [(MINE, 1), (f"{compact.HOME}/playbooks/status.yml:18", 0)])
def test_a_play_without_hosts_is_told_unless_it_is_ours(callback: Any, said: list[str], path: str, count: int) -> None:
    callback.v2_playbook_on_play_start(SimpleNamespace(get_name=lambda: "Mine", get_path=lambda: path))
    callback.v2_playbook_on_no_hosts_matched()
    assert said == ["play Mine: no host matched, so none of its tasks ran"] * count


def test_in_the_end_every_host_counts_once_by_the_worst(callback: Any, said: list[str]) -> None:
    callback.v2_playbook_on_stats(Stats(a="ok", b="changed", c="unreachable", d="failures", e="failures"))
    callback.v2_playbook_on_stats(Stats())
    assert said == [
        "5 hosts: 1 unreachable (c), 2 failed (d e), 1 changed, 1 ok", "0 hosts: no task was run",
    ]  # fmt: skip
