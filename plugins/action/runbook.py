# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a runbook, phase by phase. It runs on the controller, and its phases call the modules that do the work."""

from __future__ import annotations

import time
from functools import partial
from typing import Any, Optional

from ansible import context
from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ..module_utils._errors import ClusterError, failure
from ..module_utils._secrets import Scrubber
from ..modules.runbook import SPEC
from ..plugin_utils import direct, progress
from ..plugin_utils.products import of_playbooks
from ..plugin_utils.runbooks import ending, hooks, resume
from ..plugin_utils.runbooks.all_clusters import AllClusters, has_table
from ..plugin_utils.runbooks.caller import Caller
from ..plugin_utils.runbooks.catalogue import ALL
from ..plugin_utils.runbooks.course import Course
from ..plugin_utils.runbooks.journal import Journal
from ..plugin_utils.runbooks.run import Run, Stopped

USED = {
    "exa": ("cluster_info", "connection_info", "database", "node", "plan", "plugin", "storage"),
    "nuodb": ("connection_info", "database", "domain_info", "hotcopy", "lease", "plan", "rolling_restart", "server"),
}
"""The modules that the runbooks of a product use. The main process loads them here once, before it forks workers."""

ENDED_BY_OTHERS = "is ok here, and another host's failure ends the play (any_errors_fatal)"
"""What a host shows whose own run has ended well."""

for _product in of_playbooks(context.CLIARGS.get("args") or ()):
    for _name in USED[_product]:
        direct.module_of(f"{_product}_{_name}")


class ActionModule(Caller):
    """See the module of the same name."""

    def result_of(self, task_vars):
        spec: Any = SPEC["argument_spec"]
        given, problems = direct.validated(spec, direct.plain(self._task.args))
        if not problems and given["name"] not in ALL:
            problems = [f"there is no runbook {given['name']}: there are {', '.join(ALL)}"]
        if not problems and self._task._role is None:
            problems = [f"this is the task of a role: use the role dbfleet.cluster.{given['name']}"]
        if problems:
            return failure("; ".join(problems), "DBF-7001")
        book = ALL[given["name"]]
        host = direct.plain(task_vars["inventory_hostname"])
        has_table = not book.quiet and progress.place_of(task_vars) != progress.OFF
        if given["step"] in ("run", "further"):
            self._course = course = Course(Run(book, self, task_vars))
            state = direct.plain(task_vars.get(f"{book.name}_run") or {})
            further = partial(course.further, state, given["after"], given["start"], given["until"])
            result = course.first() if given["step"] == "run" else further()
            return self._told(book.name, host, result, has_table)
        if given["step"] == "end":
            return self._end(book, host, given["failed"], task_vars)
        failed = ending.first_cause(given["failed"])
        Journal(book.name, host).close()
        if self._is_over(book.name, task_vars):
            return self._fail(failed, f"{host}: {book.name} {ENDED_BY_OTHERS}")
        why = ": its end table says why, and which command resumes it" if has_table else ", for the reason above"
        return self._fail(failed, f"{host}: {book.name} failed{why}")

    @staticmethod
    def _is_over(name: str, task_vars: dict[str, Any]) -> bool:
        """Whether the run came to its end on this host: with C(any_errors_fatal), a failure elsewhere leads here."""
        state = direct.plain(task_vars.get(f"{name}_run") or {})
        return state.get("more") is False and not state.get("failed")

    @staticmethod
    def _told(name: str, host: str, result: dict[str, Any], has_table: bool) -> dict[str, Any]:
        """Shortens the message of a failure if an end table follows, because ansible-core shows each message twice."""
        if not result.get("failed"):
            return result
        if not has_table:
            return {**result, "msg": ending.sentence(result)}
        where = f"in phase {result['phases'][-1]['phase']}" if result.get("phases") else "before its first phase"
        said = f"{host}: {name} failed {where}: its end table says why"
        return {**result, "msg": said, "cause": result["msg"]}

    def _end(self, book: Any, host: str, failed: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        journal = Journal(book.name, host)
        entry = journal.read()
        if entry is None and self._is_over(book.name, task_vars):
            said = f"{book.name} {ENDED_BY_OTHERS}"
            progress.show([f"[{host}] {said}"], progress.place_of(task_vars))
            return {"changed": False, "outcome": {"cause": f"{host}: {said}"}}
        entry = entry or self._nothing_known(book, host, task_vars)
        if entry["hooks"] and failed:
            task = direct.plain(task_vars.get("ansible_failed_task") or {}).get("name", "")
            failed = ending.cause_in_task(entry["host"], failed, str(task), f"hook {entry['hooks']}")
        else:
            failed = ending.first_cause(failed)
        variable_manager = task_vars["hostvars"]._variable_manager
        run = Run(book, self, task_vars)
        run.results, run.phases = dict(entry.get("found", {})), list(entry["phases"])
        problems = self._connected(run)
        failed = Scrubber(run.secrets()).data(failed)  # a task of a hook can't hide our secrets
        settled = self._settled(run, failed, problems) if run.results else []
        result = {"changed": False, "warnings": settled, **ending.ended(entry, failed)}
        files = {name: paths for name, paths in entry["ends"].items() if paths}
        wrong = hooks.problems(files, self._task, self._loader, variable_manager)
        if files and not wrong:
            # Only until the hooks have run: a hook that ends the host would otherwise end ansible-playbook with 0.
            journal.write({**entry, "told": True})
            given = [(name, path) for name, paths in files.items() for path in paths]
            return {**result, "gap": hooks.gap([hooks.imported(given, book.product)])}
        journal.close()
        return {**result, "warnings": [*settled, *wrong]}

    @staticmethod
    def _connected(run: Run) -> Optional[list[str]]:
        """Why a run that goes on has no connection; empty if it has one, None if its variables can't be read."""
        try:
            if run.prepare():
                return None
            run.connect()
        except ClusterError as error:
            return [str(error)]
        except AnsibleError:  # the run itself failed with this error
            return None
        return []

    @staticmethod
    def _settled(run: Run, failed: dict[str, Any], problems: Optional[list[str]]) -> list[str]:
        """Gives back what a failed run has taken, such as a lease. Returns warnings.

        :param problems: see `_connected`.
        """
        if problems is None or problems:
            return problems or []
        try:
            run.book.settle(run, failed)
        except (ClusterError, Stopped, AnsibleConnectionFailure) as error:
            return [str(error)]
        return run.warnings

    def _nothing_known(self, book: Any, host: str, task_vars: dict[str, Any]) -> dict[str, Any]:
        """The entry of a run that failed before its first task."""
        name, play, check = book.name, str(self._task.play._uuid), bool(self._task.check_mode)
        if has_table(book.quiet, task_vars):
            hosts = direct.plain(task_vars["ansible_play_hosts_all"])
            AllClusters(name, play).begin(host, hosts, check, progress.AUTO)
        return {
            "runbook": name,
            "host": host,
            "play": play,
            "quiet": False,
            "check": check,
            "progress": progress.AUTO,
            "phases": [],
            "at": time.time(),
            "hooks": "",
            "resume": resume.how(task_vars, name, host, []),
            "stats": {},
            "ends": {},
            "changed": {},
        }

    @staticmethod
    def _fail(failed: dict[str, Any], says: str) -> dict[str, Any]:
        """The failure, in a task of its own: ansible-core ignores the stats of a failed task. The cause is above it."""
        kept = {key: failed[key] for key in ending.KEPT if key in failed}
        return {"changed": False, **kept, "failed": True, "msg": says}

    def _hear(self, steps: Optional[dict[str, list[str]]]) -> None:
        self._course.hear(steps)
