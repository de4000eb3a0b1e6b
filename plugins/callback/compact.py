# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shows plan, phases, progress, end tables and errors only. With C(-v) it shows what ansible-core's callback shows."""

from __future__ import annotations

DOCUMENTATION = r"""
name: compact
author:
  - dbfleet contributors (@dbfleet)
version_added: 1.0.0
type: stdout
short_description: Show only plan, phases, progress, end tables and errors of the runbooks
description:
  - For the runbooks of this collection it shows the plan, the phases, the progress and the end tables, in colour if the
    output has colours.
  - For other tasks (hooks, your own plays) it shows each change in one line, failures, and the messages of
    P(ansible.builtin.debug#module) and similar modules.
  - It shows every error. An error in an end table is not repeated.
  - With C(-v) it shows the output of P(ansible.builtin.default#callback), and the options of that callback apply.
  - Without this plugin, P(ansible.builtin.default#callback) shows the lines of the runbooks among those of their tasks.
    You must select this plugin by name; it is never on by default.
requirements:
  - set as stdout in configuration
extends_documentation_fragment:
  - default_callback
  - result_format_callback
"""

EXAMPLES = r"""
# ANSIBLE_STDOUT_CALLBACK=dbfleet.cluster.compact in the environment, or in ansible.cfg:
# [defaults]
# stdout_callback = dbfleet.cluster.compact
"""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Callable, Optional

from ansible import context
from ansible.playbook.task_include import TaskInclude
from ansible.plugins.callback.default import CallbackModule as Default

from ..module_utils._wording import listing
from ..plugin_utils import progress, tones
from ..plugin_utils.results import diff_as_text, reason, text_of

HOME = Path(__file__).resolve().parents[2]
OURS = tuple(f"{HOME / folder}{os.sep}" for folder in ("roles", "playbooks"))
"""The folders with the tasks and plays of this collection. Hooks are elsewhere."""

RUNBOOK = "dbfleet.cluster.runbook"

ENDS = (("unreachable", "unreachable"), ("failures", "failed"), ("changed", "changed"))
"""The ends of a host, in ansible-core's word and in ours. The first that fits counts."""


def _is_ours(thing: Any) -> bool:
    return os.path.realpath(str(thing.get_path())).startswith(OURS)


def _parts(result: Any) -> tuple[str, Any, dict[str, Any]]:
    """The host, the task and the data of a result, in all versions of ansible-core from 2.16 on."""
    if hasattr(result, "result"):
        return result.host.get_name(), result.task, result.result
    return result._host.get_name(), result._task, result._result


def _is_rescued(task: Any) -> bool:
    """Whether a C(rescue) of the user follows if the task fails."""
    child, parent = task, task._parent
    while parent is not None:
        block = getattr(parent, "block", ()) if getattr(parent, "rescue", None) else ()
        if any(one._uuid == child._uuid for one in block) and not _is_ours(parent):
            return True
        child, parent = parent, parent._parent
    return False


def _verbose(name: str) -> Callable[..., None]:
    """A method that shows with C(-v) what ansible-core shows, and otherwise nothing."""

    def method(self: Any, *args: Any, **kwargs: Any) -> None:
        if self._display.verbosity:
            getattr(Default, name)(self, *args, **kwargs)

    return method


class CallbackModule(Default):
    """See DOCUMENTATION."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "dbfleet.cluster.compact"

    def __init__(self) -> None:
        super().__init__()
        progress.dress = tones.dressed  # forked workers inherit it
        self._held: dict[str, Any] = {}
        self._told: set[str] = set()
        self._count: Counter[str] = Counter()

    v2_playbook_on_start = _verbose("v2_playbook_on_start")
    v2_playbook_on_task_start = _verbose("v2_playbook_on_task_start")
    v2_playbook_on_handler_task_start = _verbose("v2_playbook_on_handler_task_start")
    v2_playbook_on_no_hosts_remaining = _verbose("v2_playbook_on_no_hosts_remaining")
    v2_playbook_on_include = _verbose("v2_playbook_on_include")
    v2_runner_retry = _verbose("v2_runner_retry")
    v2_runner_on_async_poll = _verbose("v2_runner_on_async_poll")
    v2_runner_on_async_ok = _verbose("v2_runner_on_async_ok")
    v2_runner_on_async_failed = _verbose("v2_runner_on_async_failed")

    # -- plays

    def v2_playbook_on_play_start(self, play):
        """A play begins."""
        self._play = play
        _verbose("v2_playbook_on_play_start")(self, play)

    def v2_playbook_on_no_hosts_matched(self):
        """A play has no host. The plays of this collection refuse this themselves where it is a mistake."""
        if not _is_ours(self._play):
            self._say(
                [f"play {self._play.get_name().strip()}: no host matched, so none of its tasks ran"], progress.NOTED
            )

    # -- results

    def v2_runner_on_ok(self, result):
        """A task has ended well."""
        host, task, data = _parts(result)
        if task.action == RUNBOOK and task.args.get("step") == "end" and data.get("outcome"):
            self._held.pop(host, None)
            self._told.add(host)
        if self._display.verbosity:
            super().v2_runner_on_ok(result)
            return
        self._handle_warnings(data)
        if isinstance(task, TaskInclude) or task.action == RUNBOOK:
            return
        items = data.get("results") if task.loop else None
        if data.get("changed"):
            done = [item for item in items or () if isinstance(item, dict) and item.get("changed")]
            of = f" ({len(done)} of {len(items)} items)" if items else ""
            self._say([f"{self._at(result)} changed: {self._name(task)}{of}"], progress.NOTED)
        if not items:
            self._say_message(result)

    def v2_runner_item_on_ok(self, result):
        """An item of a loop has ended well."""
        if self._display.verbosity:
            super().v2_runner_item_on_ok(result)
            return
        self._handle_warnings(_parts(result)[2])
        self._say_message(result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        """A task has failed."""
        host, task, data = _parts(result)
        is_told = task.action == RUNBOOK and not ignore_errors and self._is_told(result)
        self._count["ignored"] += bool(ignore_errors)
        self._count["rescued"] += not ignore_errors and _is_rescued(task)
        if self._display.verbosity:
            super().v2_runner_on_failed(result, ignore_errors)
            return
        self._handle_warnings(data)
        if is_told:
            return
        if not (task.loop and data.get("results")):
            self._say_failed(result, self._mark(task, ignore_errors))
        self._told.add(host)

    def _is_told(self, result: Any) -> bool:
        """Whether the end table shows a runbook's failure, or will show it. Until then, the result is kept."""
        host, task, data = _parts(result)
        if task.args.get("step") == "fail":
            return host in self._told
        if "cause" in data:
            self._held[host] = result
        return "cause" in data

    def v2_runner_item_on_failed(self, result):
        """An item of a loop has failed."""
        if self._display.verbosity:
            super().v2_runner_item_on_failed(result)
            return
        _host, task, data = _parts(result)
        self._handle_warnings(data)
        self._say_failed(result, self._mark(task, task.ignore_errors is True), self._get_item_label(data))

    def v2_runner_on_unreachable(self, result):
        """A host is unreachable."""
        host, task, data = _parts(result)
        if self._display.verbosity:
            super().v2_runner_on_unreachable(result)
            return
        self._handle_warnings(data)
        mark = "unreachable, ignored" if task.ignore_unreachable else "unreachable"
        items = [item for item in data.get("results") or () if isinstance(item, dict) and item.get("unreachable")]
        for item in items:
            self._say_failed(result, mark, self._get_item_label(item), item)
        if not items:
            self._say_failed(result, mark)
        self._told.add(host)

    def v2_runner_on_skipped(self, result):
        """A task was left out."""
        if self._display.verbosity:
            super().v2_runner_on_skipped(result)
        else:
            self._handle_warnings(_parts(result)[2])

    v2_runner_item_on_skipped = v2_runner_on_skipped

    def v2_on_file_diff(self, result):
        """A task returns what it changed in a file, or would change."""
        if self._display.verbosity:
            super().v2_on_file_diff(result)
            return
        _host, task, data = _parts(result)
        for one in data.get("results", ()) if task.loop else [data]:
            diff = self._get_diff(diff_as_text(one["diff"])) if one.get("changed") and one.get("diff") else ""
            if diff:
                self._display.display(diff)

    # -- the end

    def v2_playbook_on_stats(self, stats):
        """All plays have ended."""
        for result in self._held.values():
            self._say_failed(result, "failed", data={**_parts(result)[2], "msg": _parts(result)[2]["cause"]})
        if self._display.verbosity:
            super().v2_playbook_on_stats(stats)
            return
        hosts: dict[str, list[str]] = {}
        for host in sorted(stats.processed):
            told = stats.summarize(host)
            hosts.setdefault(next((word for key, word in ENDS if told[key]), "ok"), []).append(host)
        bad = [f"{len(hosts[end])} {end} ({listing(hosts[end])})" for end in ("unreachable", "failed") if end in hosts]
        good = [f"{len(hosts[end])} {end}" for end in ("changed", "ok") if end in hosts]
        tasks = [f"{count} failure{'s' if count > 1 else ''} {how}" for how, count in self._count.items() if count]
        mode = " (check mode)" if context.CLIARGS.get("check") else ""
        count = f"{len(stats.processed)} host{'' if len(stats.processed) == 1 else 's'}"
        colour = progress.BAD if bad else progress.GOOD
        self._say([f"{count}: {', '.join([*bad, *good, *tasks]) or 'no task was run'}{mode}"], colour)
        if self.get_option("show_custom_stats"):
            self._say([f"stats of {key}: {self._dump_results(stats.custom[key])}" for key in sorted(stats.custom)])

    # -- lines

    def _mark(self, task: Any, is_ignored: bool) -> str:
        if is_ignored:
            return "failed, ignored"
        return "failed, rescued" if _is_rescued(task) else "failed"

    def _at(self, result: Any) -> str:
        return f"[{self.host_label(result)}]"

    @staticmethod
    def _name(task: Any) -> str:
        name = str(task.get_name()).strip()
        role, _colon, own = name.partition(" : ")
        return own if own and role.startswith("dbfleet.cluster.") else name  # without our role: a hook of the user

    def _say_failed(self, result: Any, mark: str, item: Any = None, data: Optional[dict[str, Any]] = None) -> None:
        host, task, found = _parts(result)
        first, *more = reason(found if data is None else data)
        which = "" if item is None else f" (item={text_of(item)})"
        name = "" if _is_ours(task) else f"{self._name(task)}{which}: "
        colour = progress.BAD if mark in ("failed", "unreachable") else progress.NOTED
        is_aside = self.get_option("display_failed_stderr")
        lines = [
            f"{self._at(result)} {mark}: {name}{first.removeprefix(f'{host}: ')}",
            *(f"    {line}" for line in more),
        ]
        self._say(lines, colour, progress.STDERR if is_aside else progress.STDOUT)

    def _say_message(self, result: Any) -> None:
        """Shows the message of a task whose purpose is a message, such as C(debug)."""
        _host, task, data = _parts(result)
        if data.get("_ansible_verbose_always") and not data.get("_ansible_verbose_override"):
            self._clean_results(data, task.action)
            said = text_of(data["msg"]) if "msg" in data else self._dump_results(data).strip()
            first, *more = said.splitlines() or [""]
            self._say([f"{self._at(result)} {first}", *(f"    {line}" for line in more)])

    @staticmethod
    def _say(lines: Iterable[str], colour: Optional[str] = None, place: str = progress.STDOUT) -> None:
        progress.show_lines([(line, colour) for line in lines], place)
