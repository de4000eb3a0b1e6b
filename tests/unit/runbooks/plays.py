# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A play of ansible-core with the role of a runbook, in which modules answer what the test wants. No process runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Union

import ansible.template
import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play import Play
from ansible.playbook.play_context import PlayContext
from ansible.template import Templar
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager
from ansible_collections.dbfleet.cluster.plugins.module_utils._session import is_followed
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.progress import OFF, place_of
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.course import Course
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.definition import Runbook
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.run import Run

ROLES = Path(__file__).resolve().parents[3] / "roles"

TASK = "Every phase up to the first hook"

template_of: Callable[[str], str] = getattr(ansible.template, "trust_as_template", str)
"""From ansible-core 2.19 on, a text is a template only where somebody says so."""

Answer = Union[dict[str, Any], Exception, Callable[[dict[str, Any]], dict[str, Any]]]
"""Of a module: its result, what it raises, or what makes the result of its options."""


@dataclass
class Call:
    """One call of a module."""

    module: str
    options: dict[str, Any]
    check: bool
    followed: bool
    is_silent: bool


@dataclass
class Action:
    """What stands for the action plugin.

    :ivar answers: by the module's name; several of one module one after another, the last again and again.
    """

    task: Any
    loader: Any
    templar: Any
    answers: dict[str, Any]
    calls: list[Call] = field(default_factory=list)
    profile: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._task, self._loader, self._templar = self.task, self.loader, self.templar
        self._play_context = SimpleNamespace(start_at_task=None)

    def environment(self) -> dict[str, str]:
        return {}

    def completed(self, given: dict[str, Any], _spec: Any, _vars: Any, _environment: Any) -> dict[str, Any]:
        return {**self.profile, **{name: value for name, value in given.items() if value is not None}}

    def called(self, module: Any, given: dict[str, Any], task_vars: Any, _environment: Any) -> dict[str, Any]:
        name = module.__name__.rpartition(".")[2]
        unknown = set(given) - set(module.SPEC["argument_spec"])
        assert not unknown, f"{name} has no option {unknown}"
        self.calls.append(Call(name, given, self.task.check_mode, is_followed(), place_of(task_vars) == OFF))
        answer = self.answers.get(name, {})
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, Exception):
            raise answer
        return {"changed": False, **(answer(given) if callable(answer) else answer)}


def tasks_in(blocks: Iterable[Any]) -> Iterator[Any]:
    """All tasks, in order."""
    for one in blocks:
        yield from tasks_in(one.block) if hasattr(one, "block") else [one]


class Stage:
    """A play of some hosts, and what became of it.

    :ivar said: what was shown.
    """

    def __init__(
        self,
        folder: Path,
        book: Runbook,
        hosts: Mapping[str, Mapping[str, Any]],
        said: list[str],
        check: bool,
        play: Mapping[str, Any],
        answers: dict[str, Any],
    ) -> None:
        self.folder, self.book, self.said, self.answers, self._check = folder, book, said, answers, check
        self.loader = DataLoader()
        self.loader.set_basedir(str(folder))
        inventory = InventoryManager(self.loader, sources=["".join(f"{host}," for host in hosts)])
        self.variable_manager = VariableManager(self.loader, inventory)
        self._hostvars = HostVars(inventory, self.variable_manager, self.loader)
        for host, given in hosts.items():
            for name, value in given.items():
                inventory.get_host(host).set_variable(name, value)
        self.inventory = inventory
        self.role = folder / "roles" / book.name
        tasks = self.role / "tasks"
        tasks.mkdir(parents=True, exist_ok=True)
        posts = [{"name": book.title(phase), "meta": "noop", "tags": [phase.name]} for phase in book.phases]
        main = [*posts, {"name": TASK, "debug": {"msg": ""}, "tags": ["always"]}]
        (tasks / "main.yml").write_text(yaml.safe_dump([{"block": main}]), encoding="utf-8")
        defaults = ROLES / book.name / "defaults/main.yml"
        if defaults.exists():
            (self.role / "defaults").mkdir(exist_ok=True)
            (self.role / "defaults/main.yml").write_text(defaults.read_text(encoding="utf-8"), encoding="utf-8")
        data = {"hosts": "all", "gather_facts": False, "roles": [book.name], **play}
        self.play = Play.load(data, variable_manager=self.variable_manager, loader=self.loader)

    def action(self, host: str = "") -> tuple[Action, dict[str, Any]]:
        """Of one host's task, with its variables."""
        named = self.inventory.get_host(host or self.inventory.get_hosts()[0].name)
        task = next(task for task in tasks_in(self.play.compile()) if task.name == TASK)
        task.check_mode = self._check
        given = self.variable_manager.get_vars(play=self.play, host=named, task=task)
        return Action(task, self.loader, Templar(loader=self.loader, variables=given), self.answers), given

    def plugin(self, kind: Callable[..., Any], task: Any, given: dict[str, Any]) -> Any:
        """An action plugin as ansible-core makes it for a task with these variables, over a local connection."""
        return kind(
            task=task,
            connection=SimpleNamespace(transport="local", _shell=SimpleNamespace(tmpdir=None)),
            play_context=PlayContext(self.play),
            loader=self.loader,
            templar=Templar(loader=self.loader, variables=given),
            shared_loader_obj=None,
        )

    def run(self, host: str = "") -> Run:
        """A host's run, before anything."""
        action, given = self.action(host)
        return Run(self.book, action, given)

    def course(self, host: str = "") -> Course:
        return Course(self.run(host))

    def play_hosts(self) -> list[str]:
        return [host.name for host in self.inventory.get_hosts()]

    def hook(self, name: str, *tasks: Mapping[str, Any]) -> str:
        """A task file of the user."""
        path = self.folder / name
        path.write_text(yaml.safe_dump(list(tasks)), encoding="utf-8")
        return str(path)


def calls_of(run: Run) -> list[Call]:
    """The modules that a run has called."""
    return run._action.calls


@dataclass
class Through:
    """What became of a run: its result, the modules that it called, and what it said.

    :ivar every: the modules, with those that take and return the lease of a NuoDB domain.
    """

    result: dict[str, Any]
    every: list[Call]
    said: list[str]
    course: Course

    @property
    def calls(self) -> list[Call]:
        """The modules without the lease, which is the same in all runbooks of NuoDB."""
        return [call for call in self.every if call.module != "nuodb_lease"]

    @property
    def modules(self) -> list[str]:
        return [call.module for call in self.calls]

    def options(self, key: str) -> dict[str, Any]:
        """Of the module whose result has this name."""
        return self.every[list(self.result["found"]).index(key)].options

    def resume(self) -> list[str]:
        """What the command that resumes sets besides the target."""
        return self.course.book.resume(self.course.run)
