# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules and runbooks against a place, in this process: as a task runs them, without ansible-playbook's worker."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Callable, Optional

from ansible import constants, context
from ansible.module_utils.common.collections import ImmutableDict
from ansible.utils.display import Display
from ansible_collections.dbfleet.cluster.plugins.module_utils._http import client
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import lease
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import outcome
from ansible_collections.dbfleet.cluster.plugins.plugin_utils import direct, progress
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks import variables
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.catalogue import RUNBOOKS
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.course import Course
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.once import once
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.run import Run
from ansible_collections.dbfleet.cluster.tests.reliability.place import PASSWORD, Place
from ansible_collections.dbfleet.cluster.tests.unit.runbooks.plays import Action, Stage

HOST = "night"
"""The name of the cluster in the inventory."""

COMMAND_LINE = {"tags": ["all"], "skip_tags": [], "extra_vars": [], "inventory": [], "forks": 5, "step": False}
"""What ansible-playbook was called with."""

RELATIONS = ("mutually_exclusive", "required_together", "required_one_of", "required_if", "required_by")


@dataclass
class Told:
    """What became of a run.

    :ivar lines: what it said.
    """

    result: dict[str, Any]
    lines: list[str] = field(default_factory=list)

    @property
    def is_ok(self) -> bool:
        return not self.result.get("failed")


def carried_out(name: str, given: dict[str, Any], check: bool, lines: list[str]) -> dict[str, Any]:
    """The result of a module, whatever happens."""
    module = import_module(f"{direct.MODULES}.{name}")
    kept = {relation: module.SPEC[relation] for relation in RELATIONS if relation in module.SPEC}
    params, problems = direct.validated(module.SPEC["argument_spec"], given, **kept)
    assert not problems, problems
    task = direct.LiveTask(params, check, lines.extend)
    result = outcome(module.SPEC, module.run, task)
    return {**result, **({"warnings": task.warnings} if task.warnings else {})}


class RealModules(Action):
    """The action plugin of a runbook, whose modules reach a place."""

    lines: list[str]

    def called(self, module: Any, given: dict[str, Any], task_vars: Any, _environment: Any) -> dict[str, Any]:
        silent = progress.place_of(task_vars) == progress.OFF
        name = module.__name__.rpartition(".")[2]
        given = {"cluster_name": HOST, **given} if "cluster_name" in module.SPEC["argument_spec"] else given
        return carried_out(name, given, bool(self.task.check_mode), [] if silent else self.lines)


OF_THE_ROLES = ("options", "roles")
"""What a run finds out in the files of the roles: they are read once for all runs, for that is a third of a run."""

_read: dict[tuple[str, ...], Any] = {}


def _read_once(kind: str, key: Iterable[str], find_out: Callable[[], Any]) -> Any:
    """In place of C(once), which knows one run of ansible-playbook."""
    if kind not in OF_THE_ROLES:
        return once(kind, key, find_out)
    which = (kind, *key)
    if which not in _read:
        _read[which] = find_out()
    return _read[which]


@contextmanager
def in_its_process(place: Place, folder: str, lines: list[str]) -> Iterator[None]:
    """All connections lead to the place, what is shown is kept, and what is left for the playbook is in this folder;
    what is left for later runs is in the place's home.

    The folder's name stands for the process, which has ended when this is over.
    """
    alive = {folder}
    changed: list[tuple[Any, str, Any]] = [
        (client, "Transport", lambda *_given: place),
        (constants, "DEFAULT_LOCAL_TMP", folder),
        (variables, "once", _read_once),
        (lease, "process_of", lambda _pid: folder),
        (lease, "has_ended", lambda process: process.startswith(tempfile.gettempdir()) and process not in alive),
        (context, "CLIARGS", ImmutableDict({**COMMAND_LINE, "start_at_task": None})),
        (Display, "display", lambda _self, text, **_more: lines.extend(text.split("\n"))),
    ]
    before: list[tuple[Any, str, Any]] = [(owner, name, getattr(owner, name)) for owner, name, _new in changed]
    state_home = os.environ.get("XDG_STATE_HOME", "")
    os.environ["XDG_STATE_HOME"] = place.home.name
    for owner, name, new in changed:
        setattr(owner, name, new)
    try:
        yield
    finally:
        os.environ["XDG_STATE_HOME"] = state_home  # an empty one is none
        for owner, name, old in before:
            setattr(owner, name, old)


class Program:
    """A module or a runbook with its options, to be run again and again.

    :param name: of a module or a runbook.
    :param given: options of the module, or variables of the runbook.
    """

    def __init__(self, name: str, given: Optional[dict[str, Any]] = None) -> None:
        self.name, self.given = name, given or {}
        self.is_runbook = name in RUNBOOKS

    def run(self, place: Place, check: bool = False) -> Told:
        """From its beginning to its end.

        :raises Killed: the place killed it on the way.
        """
        lines: list[str] = []
        with tempfile.TemporaryDirectory(prefix="dbfleet-night-") as folder, in_its_process(place, folder, lines):
            result = place.loom.run(lambda: self.work(place, check, Path(folder), lines))
        return Told(result, lines)

    def work(self, place: Place, check: bool, folder: Path, lines: list[str]) -> dict[str, Any]:
        """What it does, in the process of this folder."""
        return (self._runbook if self.is_runbook else self._module)(place, check, folder, lines)

    def _module(self, place: Place, check: bool, _folder: Path, lines: list[str]) -> dict[str, Any]:
        known = {"api_url": place.urls, "api_username": "admin", "api_password": PASSWORD, "cluster_name": HOST}
        provider = {"provider": place.provider} if place.product == "exasol" else {}
        return carried_out(self.name, {**known, **provider, **self.given}, check, lines)

    def _runbook(self, place: Place, check: bool, folder: Path, lines: list[str]) -> dict[str, Any]:
        book = RUNBOOKS[self.name]
        known = {"api_url": place.urls, "api_username": "admin", "api_password": PASSWORD}
        provider = {"provider": place.provider} if place.product == "exasol" else {}
        shared = {f"{book.product}_{name}": value for name, value in {**known, **provider}.items()}
        stage = Stage(folder, book, {HOST: {"confirm": HOST, **shared, **self.given}}, lines, check, {}, {})
        made, task_vars = stage.action()
        action = RealModules(made.task, made.loader, made.templar, {})
        action.lines = lines
        return Course(Run(book, action, task_vars)).first()


Part = tuple[str, Callable[[Place, dict[str, Any]], Optional[Program]]]
"""Of a chain: what its result is called, and what makes it of the results so far. None: a person has done it."""


class Chain(Program):
    """Tasks of one play, in one process: modules, runbooks, and what a person does between them."""

    def __init__(self, name: str, parts: Sequence[Part]) -> None:
        super().__init__(name)
        self._parts = parts

    def work(self, place: Place, check: bool, folder: Path, lines: list[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, made in self._parts:
            program = made(place, found)
            if program:
                found[key] = program.work(place, check, folder, lines)
                if found[key].get("failed"):
                    return {**found[key], "found": found}
        return {"found": found}
