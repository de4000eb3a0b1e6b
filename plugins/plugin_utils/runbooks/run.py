# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run as the functions of a runbook see it: variables, results so far, modules to call."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from functools import partial
from typing import Any, Callable, Optional

from ansible.template import Templar
from ansible.utils.vars import merge_hash

from ...module_utils._errors import failure
from ...module_utils._secrets import in_url
from ...module_utils._session import SharedSession
from ...module_utils._timeline import Timeline
from ...module_utils._values import given_of, listed
from .. import progress
from ..direct import module_of, plain, validated
from ..host_variables import HostVariables
from ..products import CONNECTIONS
from . import hooks
from .definition import Runbook
from .once import claimed_by
from .variables import defaults, no_paths, options_of, templated

VariablesOf = Callable[[str], tuple[dict[str, Any], Any]]
"""A function that returns the variables of a host, and the object that evaluates templates with them."""


class Stopped(Exception):
    """The run can't continue.

    :param result: the result of the module that failed, or a result in its place.
    """

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__(result.get("msg"))
        self.result = result


class Run:
    """The run of a runbook on one host.

    :param action: the action plugin, which runs modules.
    :ivar slips: names of extra variables that look like ours but don't exist.
    :param task_vars: the variables of the host.
    :param variables_of: returns the variables of another host, if the caller knows them already.
    :ivar held: the saved plan that this run must follow, as `plan_file.held_to` returns it; None without one.
    :ivar show: shows lines at once.
    :ivar spans: when each module began and ended, by the monotonic clock.
    """

    def __init__(
        self, book: Runbook, action: Any, task_vars: dict[str, Any], variables_of: Optional[VariablesOf] = None
    ) -> None:
        self.book, self._action, self.task_vars = book, action, task_vars
        self.show: Callable[[Iterable[str]], None] = partial(progress.show, place=progress.place_of(task_vars))
        self._variables_of = variables_of or self._looked_up
        self.task, self.loader = action._task, action._loader
        self.play = self.task.play
        self.play_id = str(self.play._uuid)
        self.variable_manager = task_vars["hostvars"]._variable_manager
        self.host: str = plain(task_vars["inventory_hostname"])
        self.hosts: list[str] = [plain(host) for host in task_vars["ansible_play_hosts_all"]]
        self.check: bool = bool(self.task.check_mode)
        self.options = options_of(book.name)
        self.given: dict[str, Any] = {}
        self.values: dict[str, Any] = {}
        self.results: dict[str, dict[str, Any]] = {}
        self.phases: list[dict[str, Any]] = []
        self.selected: list[str] = []
        self.warnings: list[str] = []
        self.changed = False
        self.unended: Optional[str] = None
        self.slips: set[str] = set()
        self.session: Optional[SharedSession] = None
        self.held: Optional[dict[str, Any]] = None
        self.diffs: list[Any] = []
        self.files: hooks.Files = {}
        self.spans: list[dict[str, Any]] = []
        self._environment: dict[str, str] = {}
        self._connection: dict[str, Any] = {}
        self._defaults: dict[str, Any] = {}
        self.only_tags: list[str] = list(task_vars["ansible_run_tags"])
        self.skip_tags: list[str] = list(task_vars["ansible_skip_tags"])
        self.start_at_task: Optional[str] = action._play_context.start_at_task

    # -- for the functions of a runbook

    def own(self, name: str, default: Any = None) -> Any:
        """A variable of the runbook (C(exa_cold_start_power)), in its type."""
        return self._value(f"{self.book.name}_{name}", default)

    def shared(self, name: str, default: Any = None) -> Any:
        """A variable of the product (C(exa_license_servers)), in its type; the default if it isn't set."""
        return self._value(f"{self.book.product}_{name}", default)

    def _value(self, name: str, default: Any) -> Any:
        value = self.values.get(name)
        return default if value is None else value

    def module(
        self,
        key: str,
        name: str,
        task: str,
        *,
        tolerate: Callable[[dict[str, Any]], bool] = lambda _failed: False,
        foresees: bool = False,
        followed: bool = False,
        limit: str = "",
        **options: Any,
    ) -> dict[str, Any]:
        """Runs a module, and keeps its result.

        :param key: the key of the result in C(results).
        :param task: the purpose of the module, in words.
        :param tolerate: which failures don't end the run.
        :param foresees: whether the module only finds out what it would do: it runs in check mode, shows nothing, and
            its changes don't count as changes of this run.
        :param followed: whether another module reads the same objects before the run ends or a hook comes, so that this
            module may leave out its last read.
        :param limit: the variable that limits its wait. A hint names this variable instead of the module's option.
        :param options: the options of the module besides the connection; those with None are left out.
        :raises Stopped: the module failed.
        """
        spec = module_of(name).SPEC["argument_spec"]
        connection = {option: value for option, value in self._connection.items() if option in spec}
        given = {**self._defaults.get(f"dbfleet.cluster.{name}", {}), **connection}
        given.update({option: value for option, value in options.items() if value is not None})
        if self.held is not None and "approved" in spec and not (self.check or foresees):
            given["approved"] = self.held["steps"]
        if self.session:
            self.session.followed = followed and not self.check
        began = time.monotonic()
        with self._checking(self.check or foresees):
            result = self._call(name, given, silent=foresees)
        self.spans.append({"task": task, "key": key, "phase": self.now(), "began": began, "ended": time.monotonic()})
        self.warnings += [text for text in result.get("warnings", []) if text not in self.warnings]
        if result.get("changed") and not foresees:
            self.changed = True
            self.diffs += _listed(result.get("diff"))
        kept = {part: value for part, value in result.items() if part not in ("deprecations", "diff", "invocation")}
        mark = {"foreseen": True} if foresees else {}
        self.results[key] = {"task": task, "module": name, "phase": self.now(), **mark, **kept}
        if result.get("failed") and not tolerate(result):
            hint = {"hint": str(kept["hint"]).replace("wait_timeout", limit)} if limit and kept.get("hint") else {}
            raise Stopped({**kept, **hint})
        return self.results[key]

    def watch(self, timeline: Timeline) -> None:
        """Notes in this timeline what the modules see from now on."""
        self._action.timeline = timeline

    def waits(self, limit: str) -> dict[str, Any]:
        """The options of C(module) for a wait.

        :param limit: the variable of the runbook that limits the wait.
        """
        common = {"wait_stable": self.shared("wait_stable"), "heartbeat": self.shared("heartbeat")}
        return {"wait_timeout": self.own(limit), "limit": f"{self.book.name}_{limit}", **common}

    def found(self, key: str) -> dict[str, Any]:
        """The result of an earlier module; an empty one if it did not run."""
        return self.results.get(key, {})

    def predicted(self, *keys: str) -> Optional[dict[str, Any]]:
        """The state that these modules would have left, for the preview of a later module."""
        found: dict[str, Any] = {}
        for key in keys:
            found = merge_hash(found, self.found(key).get("predicted") or {}, recursive=True)
        return found or None

    def only_name_of(self, identity: list[str]) -> None:
        """Refuses this host if an earlier host turns out to be the same cluster.

        :param identity: values that the cluster reports and that no other cluster has.
        """
        for one in identity:
            first = claimed_by("cluster", [self.play_id, one], self.host)
            if first != self.host:
                says = f"{self.host} and {first} are one cluster under several names (both have {one})"
                raise Stopped(failure(f"{says}: target one of them", "DBF-6810", "refused"))

    def fail(self, text: str, number: str) -> None:
        """
        :param number: the number of the failure in docs/messages.md.
        :raises Stopped: always.
        """
        raise Stopped(failure(text, number))

    def say(self, text: str) -> None:
        """Shows a line at once."""
        self.show([f"[{self.host}] {text.removeprefix(f'{self.host}: ')}"])

    def seen_by(self, book: Runbook) -> Run:
        """This run with the variables and hooks of another runbook, to preview that runbook."""
        other = copy(self)
        other.book = book
        other.files = self.hook_files(other.own("hooks"))
        return other

    def confirmed(self) -> list[str]:
        """The names in the variable C(confirm)."""
        return listed(plain(self.template(self.task_vars.get("confirm"))), blanks=True)

    def confirmation(self) -> list[str]:
        """The setting that confirms this host in the next run: empty, to be filled in, if nobody has confirmed it."""
        is_confirmed = self.host in self.confirmed()
        return [f"confirm={self.host if is_confirmed else ''}"] if is_confirmed or not self.check else []

    def goes_on_to(self, phase: str, *hooks_before: str) -> bool:
        """Whether this run reaches a phase and has none of these hooks before it."""
        return phase in self.selected and not self.has_hooks(*hooks_before)

    def has_hooks(self, *names: str) -> bool:
        """Whether the user gave a hook of one of these names."""
        return any(self.files.get(name) for name in names)

    def now(self) -> str:
        """The current phase."""
        return self.phases[-1]["phase"] if self.phases else "begin"

    # -- the parts of a run

    def prepare(self) -> list[str]:
        """Reads the variables. Returns their problems, in sentences."""
        raw, wrong = templated(self._action._templar, self.task_vars, list(self.options))
        raw = given_of(self.options, raw)
        if not wrong:
            unset = [name for name in self.options if name not in raw]
            instead, wrong = defaults(self.loader, self.task_vars, unset, self.task._role.get_default_vars())
            raw.update(instead)
        typed, unfit = _typed(self.options, raw)
        self.given = raw
        odd = no_paths(self.options, raw)
        self.values = {**self._values_read(), **raw, **typed, **dict.fromkeys(odd)}
        self.files = self.hook_files(self.own("hooks") if not unfit else None)
        unfit += odd.values()
        return [*wrong, *(f"{self.book.name}: {text}" for text in unfit), *progress.problems(self.task_vars)]

    def _values_read(self) -> dict[str, Any]:
        """The variables of the runbooks that this one previews. Their problems are only warnings here."""
        found: dict[str, Any] = {}
        for book in self.book.reads:
            options = options_of(book.name)
            raw, wrong = templated(self._action._templar, self.task_vars, list(options))
            typed, unfit = _typed(options, raw)
            self.warnings += [f"{book.name} will refuse this: {text}" for text in (*wrong, *unfit)]
            found.update({**raw, **typed})
        return found

    def hook_files(self, given: Any) -> hooks.Files:
        """The variable C(<runbook>_hooks) as paths."""
        return hooks.files_of(given if isinstance(given, dict) else None, self.loader, self.task._role._role_path)

    def variables_of(self, host: str) -> tuple[dict[str, Any], Any]:
        """A host's variables as the task would see them, without those registered since the task began; and the object
        that evaluates templates with them."""
        return (self.task_vars, self._action._templar) if host == self.host else self._variables_of(host)

    def _looked_up(self, host: str) -> tuple[dict[str, Any], Any]:
        given = HostVariables(self.task, self.task_vars).of(host) or {}
        return given, Templar(loader=self.loader, variables=given)

    def template(self, value: Any) -> Any:
        return self._action._templar.template(value)

    def connect(self) -> None:
        """Completes the connection for all modules of the run, with the profile and the environment."""
        spec = CONNECTIONS[self.book.product]
        given = {option: self.shared(option) for option in spec if f"{self.book.product}_{option}" in self.options}
        self._environment = self._action.environment()
        done = self._action.completed(given, spec, self.task_vars, self._environment)
        self._connection = {name: value for name, value in done.items() if name not in ("profile", "profiles_path")}
        defaults: dict[str, Any] = {}
        for one in self.task.module_defaults or []:
            defaults.update({name: value for name, value in one.items() if not str(name).startswith("group/")})
        self._defaults = plain(self.template(defaults)) if defaults else {}

    @contextmanager
    def _checking(self, check: bool) -> Iterator[None]:
        before = self.task.check_mode
        self.task.check_mode = check
        try:
            yield
        finally:
            self.task.check_mode = before

    def _call(self, name: str, given: dict[str, Any], silent: bool) -> dict[str, Any]:
        task_vars = {**self.task_vars, progress.VARIABLE: progress.OFF} if silent else self.task_vars
        return self._action.called(module_of(name), given, task_vars, self._environment)

    def secrets(self) -> tuple[str, ...]:
        """Texts that must not be shown. Once the connection is known, they include its secrets."""
        hidden = (value for name, value in self.values.items() if self.options.get(name, {}).get("no_log"))
        found = [*hidden, self.shared("api_password"), self._connection.get("api_password")]
        urls = [*listed(self.shared("api_url")), *listed(self._connection.get("api_url"))]
        found += [password for url in urls for password in in_url(str(url))]
        return tuple(dict.fromkeys(str(secret) for secret in found if secret))


def _typed(options: dict[str, Any], given: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """As C(validated), but faster if few of the options are given."""
    some = {name: row for name, row in options.items() if name in given or "default" in row or row.get("required")}
    typed, unfit = validated(some, given)
    return {**dict.fromkeys(options), **typed}, unfit


def _listed(diff: Any) -> list[Any]:
    return diff if isinstance(diff, list) else [diff] if diff else []
