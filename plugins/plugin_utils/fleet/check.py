# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks clusters side by side: for each host, a thread of this process does what the role C(check) does."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from ansible.errors import AnsibleError
from ansible.template import Templar

from ...module_utils._convergence.workers import among_others
from ...module_utils._errors import failure
from ...module_utils._secrets import Scrubber
from .. import direct, progress
from ..host_variables import HostVariables
from ..runbooks.caller import Caller
from ..runbooks.check import CHECKS
from ..runbooks.course import Course
from ..runbooks.ending import KEPT, sentence
from ..runbooks.run import Run
from ..runbooks.variables import templated
from .meant import PRODUCTS, product_of
from .side_by_side import answers

LOCAL = ("local", "ansible.builtin.local", "ansible.legacy.local")
"""The connection of a host whose API is called from this process."""

NAMING = ("dbfleet_product", "nuodb_api_url", "nuodb_profile")
"""Variables by which the product of a host is known."""

SLOW = 5.0
"""Seconds after which a slow cluster no longer counts against the clusters that are checked at a time."""

for _name in (
    *("exa_connection_info", "exa_cluster_info", "exa_plan"),
    *("nuodb_connection_info", "nuodb_domain_info", "nuodb_plan"),
):
    direct.module_of(_name)  # the modules that a check uses load here once, in the main process

Say = Callable[[Iterable[str]], None]
Row = dict[str, Any]


class Neighbour(Caller):
    """The action of one host, whose modules run in a thread beside those of other hosts.

    :param action: the action of the task, which stands for all hosts.
    :param templar: evaluates templates with the variables of the host.
    :param environment: the environment of the task. All hosts share it, and it is set already.
    :param say: shows lines of this host.
    """

    one_at_a_time = threading.Lock()

    def __init__(self, action: Any, templar: Any, environment: dict[str, str], say: Say) -> None:
        super().__init__(
            task=action._task,
            connection=action._connection,
            play_context=action._play_context,
            loader=action._loader,
            templar=templar,
            shared_loader_obj=action._shared_loader_obj,
        )
        self._profiles, self._entered, self._say = action._profiles, environment, say

    def environment(self) -> dict[str, str]:
        """An empty dictionary: the environment of all threads is set already."""
        return {}

    def _environment(self) -> dict[str, str]:
        return self._entered

    def _completed(self, args: dict[str, Any], spec: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        with self.one_at_a_time:  # the loader and the templates of ansible-core allow only one thread
            return super()._completed(args, spec, task_vars)

    def _carried_out(
        self, module: Any, args: dict[str, Any], task_vars: dict[str, Any], environment: dict[str, str]
    ) -> dict[str, Any]:
        with among_others():
            return self._in_process(module, args)

    def _watched(self) -> AbstractContextManager[None]:
        return nullcontext()  # the task of all hosts is watched already

    def _shown(self, scrubber: Scrubber, place: str) -> Say:
        if self._task.no_log:
            return lambda _lines: None
        return lambda lines: self._say([scrubber.text(line) for line in lines])


@dataclass
class Host:
    """A host of the play.

    :param given: the variables of the host.
    :param problem: why the host can't be checked at all, in one sentence.
    :param lines: lines about the host, kept until all of them can be shown.
    """

    name: str
    given: dict[str, Any]
    templar: Any
    product: str = "exasol"
    problem: str = ""
    lines: list[str] = field(default_factory=list)
    goes_on: Optional[Callable[[], Row]] = None


class Check:
    """The check of some hosts of a play.

    :param action: the action of the task.
    :param task_vars: the variables of the task's own host.
    """

    def __init__(self, action: Any, task_vars: Mapping[str, Any]) -> None:
        self._action, self._task_vars = action, task_vars
        self._environment: dict[str, str] = action._environment()
        self._own = direct.plain(task_vars["inventory_hostname"])
        self._variables = HostVariables(action._task, task_vars)
        self._hosts: dict[str, Host] = {}

    def take(self, names: Iterable[str]) -> list[str]:
        """Takes the hosts that can be checked from this process, and returns the others."""
        elsewhere = []
        for name in map(direct.plain, names):
            host = self._seen(name)
            if self._is_here(host):
                self._hosts[name] = host
            else:
                elsewhere.append(name)
        return elsewhere

    def names(self) -> list[str]:
        """The names of the hosts that this check has taken."""
        return list(self._hosts)

    def rows(self, most: int) -> Iterator[Optional[tuple[str, Row]]]:
        """The result of each cluster as it ends, after its lines were shown; None from time to time if none has ended.

        :param most: how many clusters are checked at a time, besides slow ones.
        """
        for answer in answers(self._begun(), self._go_on, most, slow=SLOW):
            if answer is None:
                yield None
                continue
            name, row, seconds = answer
            host = self._hosts.pop(name)
            if host.lines:
                progress.show(host.lines, progress.place_of(host.given))
            yield name, {**(row or {}), "seconds": round(seconds, 2)}

    def _seen(self, name: str) -> Host:
        """A host with its product."""
        if name == self._own:
            given, templar = dict(self._task_vars), self._action._templar
        else:
            given = self._variables.of(name) or {}
            templar = Templar(loader=self._action._loader, variables=given)
        values, _wrong = templated(templar, given, [key for key in NAMING if key in given])
        product = product_of(values)
        known = " or ".join(PRODUCTS)
        problem = "" if product in PRODUCTS else f"{name}: dbfleet_product is {product}: it takes {known}"
        return Host(name, given, templar, product, problem)

    def _is_here(self, host: Host) -> bool:
        """Whether the modules of this host would run in this process, and in the environment that this task has."""
        task = self._action._task
        if task.become or task.async_val or task.delegate_to:
            return False
        try:
            connection = host.templar.template(host.given.get("ansible_connection", task.connection))
            mine: dict[str, str] = {}
            for part in task.environment or []:
                mine.update(direct.plain(host.templar.template(part) or {}))
        except AnsibleError:  # the host's own task will report it
            return False
        return str(connection) in LOCAL and {key: str(value) for key, value in mine.items()} == self._environment

    def _begun(self) -> Iterator[str]:
        """The names of all hosts, each after its run was prepared, before its cluster is reached."""
        are_many = len(self._hosts) > 1
        for name, host in list(self._hosts.items()):
            host.goes_on = self._ready(host, are_many)
            yield name

    def _go_on(self, name: str) -> Row:
        goes_on = self._hosts[name].goes_on
        return goes_on() if goes_on else {}

    def _ready(self, host: Host, are_many: bool) -> Callable[[], Row]:
        if host.problem:
            return lambda: _failed(host.product, failure(host.problem, "DBF-7006", "refused"))
        say = host.lines.extend if are_many else self._shown_at_once(host)
        action = Neighbour(self._action, host.templar, self._environment, say)
        run = Run(CHECKS[host.product], action, host.given, self._variables_of)
        run.show = say
        course = Course(run, has_journal=False)
        goes_on = course.begin()
        return lambda: _row(host.product, course, goes_on())

    @staticmethod
    def _shown_at_once(host: Host) -> Say:
        place = progress.place_of(host.given)
        return lambda lines: progress.show(lines, place)

    def _variables_of(self, name: str) -> tuple[dict[str, Any], Any]:
        host = self._hosts.get(name) or self._seen(name)
        return host.given, host.templar


def _row(product: str, course: Course, result: dict[str, Any]) -> Row:
    stats = course.book.stats(course.run)
    common = {"found": course.run.results, "warnings": result.get("warnings") or [], "stats": stats}
    if result.get("failed"):
        return {**_failed(product, result), **common}
    return {"product": product, "fails": False, "problem": "", **common}


def _failed(product: str, result: dict[str, Any]) -> Row:
    kept = {key: result[key] for key in KEPT if key in result}
    common = {"found": {}, "warnings": [], "stats": {"problems": [sentence(result)], "summary": ""}}
    return {"product": product, "fails": True, "problem": sentence(result), **kept, **common}
