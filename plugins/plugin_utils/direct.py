# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind every module: runs its code in this process when the connection is local, with live progress.

What only the controller knows is resolved here for both ways of running: environment fall-backs (the task's own
`environment` too), profiles, vaulted values, credential files. Precedence: option, profile, environment, default.
"""

from __future__ import annotations

import gc
import io
import os
import shlex
import sys
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import Any, Callable, Optional

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase

from ..module_utils._errors import ClusterError, failure
from ..module_utils._far_side import FILES, SENT
from ..module_utils._foreign import told
from ..module_utils._http.trust import load_tls
from ..module_utils._secrets import Scrubber
from ..module_utils._task import SAID, outcome, secrets_of
from ..module_utils._timeline import SEEN, WANTED, Timeline
from ..module_utils._values import given_of, is_nothing, listed, read
from ..module_utils._wording import near
from . import environment, products, progress, worker
from .far import VERSION, Place, version_of
from .plain import plain
from .profiles import CONNECTION, Profiles, completed, fallback, refuse_unmeant

MODULES = "ansible_collections.dbfleet.cluster.plugins.modules"

HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"

OURS = "dbfleet.cluster."


def show_lines_at_once() -> None:
    """Makes the standard output of ansible-playbook line-buffered.

    ansible-core never flushes it: through a pipe (tee, a CI job) progress would come in blocks, after the wait. This
    file is loaded by the main process, which writes for its workers.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)


def leave_out_of_garbage() -> None:
    """Exempts all objects that are loaded by now from garbage collection.

    The worker of each task is a fork of the main process. Its garbage collection would write to all inherited objects,
    and so copy that memory: 6 to 7 % of a task's CPU.
    """
    gc.freeze()


show_lines_at_once()
load_tls()
leave_out_of_garbage()


def _is_unreadable(spec: dict[str, Any], args: dict[str, Any], name: str) -> bool:
    """Whether ansible-core fails while it validates an option, which is not a refusal of the value."""
    try:
        ArgumentSpecValidator({name: {**spec.get(name, {}), "required": False}}).validate({name: args[name]})
    except Exception:
        return True
    return False


@contextmanager
def in_environment(variables: dict[str, str]) -> Iterator[None]:
    """Sets these variables in the environment of this process for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def unknown_options(spec: dict[str, Any], unknown: Iterable[Any]) -> list[str]:
    """Sentences about options that a module doesn't have.

    :param unknown: the names of options, or the path to an option within another.
    """
    texts = []
    for path in sorted((one,) if isinstance(one, str) else tuple(one) for one in unknown):
        known = spec
        for name in path[:-1]:
            known = known.get(name, {}).get("options") or {}
        own = sorted(name for name in known if name not in CONNECTION)
        more = ", and the connection options" if len(own) < len(known) else ""
        close = near(path[-1], list(known)) or f" (there are {', '.join(own)}{more})"
        texts.append(f"there is no option {'.'.join(path)}{close}")
    return texts


def validated(spec: dict[str, Any], args: dict[str, Any], **relations: Any) -> tuple[dict[str, Any], list[str]]:
    """The values of options in their types, with defaults; and sentences about their problems.

    :param relations: as for AnsibleModule (`required_together` ...).
    """
    args, unreadable = read(spec, args)
    if unreadable:  # other problems are reported too, except those that follow from these
        args = {name: value for name, value in args.items() if name not in unreadable}
        spec = {**spec, **{name: {**spec[name], "required": False} for name in unreadable}}
        relations = {}
    found, problems = _validated(spec, args, **relations)
    return found, [*unreadable.values(), *problems]


def _validated(spec: dict[str, Any], args: dict[str, Any], **relations: Any) -> tuple[dict[str, Any], list[str]]:
    try:
        found = ArgumentSpecValidator(spec, **relations).validate(args)
    except Exception:  # ansible-core's own, for a number as a mapping, or for .inf as a whole number
        odd = " ".join(filter(partial(_is_unreadable, spec, args), args)) or "one"
        return {}, [f"option {odd} has a value of the wrong type"]
    texts = [str(error) for error in found.errors if not isinstance(error, UnsupportedError)]
    return found.validated_parameters, [*unknown_options(spec, found.unsupported_parameters), *texts]


def _variable(spec: dict[str, Any], name: str) -> str:
    """The variable of the environment whose value an option takes: the first that is set."""
    _strategy, variables = spec[name]["fallback"]
    return next((one for one in variables if not is_nothing(os.environ.get(one))), variables[0])


def _exported(spec: dict[str, Any]) -> Optional[str]:
    """The variable of the environment that names a connection, if there is one."""
    return next((_variable(spec, name) for name in ("api_url", "profile") if fallback(spec, name)), None)


class LiveTask:
    """A task whose progress is shown while it runs."""

    def __init__(
        self,
        params: dict[str, Any],
        check_mode: bool,
        show: Callable[[Iterable[str]], None],
        hear: Callable[[dict[str, list[str]]], None] = lambda _steps: None,
        timeline: Optional[Timeline] = None,
    ) -> None:
        self.params = params
        self.check_mode = check_mode
        self.timeline = timeline
        self.warnings: list[str] = []
        self.done: list[dict[str, Any]] = []
        self._show, self._hear = show, hear

    def say(self, *lines: str) -> None:
        if lines:
            self._show(lines)

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def under_way(self, steps: dict[str, list[str]]) -> None:
        self._hear(steps)


def module_of(name: str) -> Any:
    """A module of this collection, by its name. The main process has loaded it before it forks, see C(action_of)."""
    return import_module(f"{MODULES}.{name}")


def is_reckoned(spec: dict[str, Any]) -> bool:
    """Whether a module reads no server and no machine and only uses its options, like a plan."""
    return "cluster" in spec or "domain" in spec


def action_of(name: str) -> type[Direct]:
    """The action of a module.

    The main process loads it before it forks. So the module and what it imports load once there, not again in the
    worker of every task: Ansible's loader keeps no bytecode and would compile them all each time.

    :param name: `__name__` of the action plugin.
    """
    module_of(name.rpartition(".")[2])
    return Direct


class Direct(ActionBase):
    """Runs the module of the action's own name."""

    _supports_check_mode = True
    _supports_async = True

    timeline: Optional[Timeline] = None
    """Records the states that modules see, if a report is wanted."""

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        # ansible-core shows results, and every result of this collection passes here.
        return told(self.result_of(task_vars or {}))

    def result_of(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """The result of the task. An action that does something else overrides this."""
        environment = self._environment()
        try:
            with in_environment(environment):
                module, args = self._called(self._task.action.rpartition(".")[2], plain(self._task.args), task_vars)
        except ClusterError as error:
            return error.result
        try:
            return self._carried_out(module, args, task_vars, environment)
        except AnsibleConnectionFailure as error:  # no rescue catches it
            role = self._task._role
            if role is None or not str(role.get_name()).startswith(OURS):
                raise
            return {"changed": False, **failure(str(error), "DBF-1008", "unreachable")}

    def _called(self, name: str, given: dict[str, Any], task_vars: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """A module of this collection, and its options, completed by the controller.

        :raises ClusterError: its `result` is the result of the module.
        """
        module = module_of(name)
        try:
            return module, self._completed(given, module.SPEC["argument_spec"], task_vars)
        except ClusterError as error:
            if "cluster_name" in module.SPEC["argument_spec"]:
                error.of(given.get("cluster_name") or plain(task_vars.get("inventory_hostname", "")))
            failed = {"changed": False, **error.as_result(), "failed": True}
            error.result = secrets_of(module.SPEC, given).data(failed)
            raise

    def _carried_out(
        self, module: Any, args: dict[str, Any], task_vars: dict[str, Any], environment: dict[str, str]
    ) -> dict[str, Any]:
        local = self._connection.transport == "local"
        here = (local and not self._task.become) or is_reckoned(module.SPEC["argument_spec"])
        if here and not self._task.async_val:
            # This process is the task's own; a proxy in the task's environment reaches an ordinary module as well.
            with in_environment(environment):
                return self._in_process(module, args, progress.place_of(task_vars))
        self._hear(None)
        return self._ordinary(module, args, task_vars, local)

    def _hear(self, steps: Optional[dict[str, list[str]]]) -> None:
        """Takes the steps of the module that are under way.

        :param steps: the steps; None if the steps of the module aren't visible here.
        """

    # -- what the controller knows

    def _environment(self) -> dict[str, str]:
        """The variables that the task adds to the environment."""
        found: dict[str, str] = {}
        for part in self._task.environment or []:
            found.update({key: str(value) for key, value in plain(self._templar.template(part) or {}).items()})
        return {**found, **self._taken}

    def _take_from_environment(self, spec: dict[str, Any]) -> None:
        """Removes variables from the task's environment whose values an ordinary module gets as options.

        ansible-core writes that environment into a command, which the list of processes and -vvv show.
        """
        found = self._environment()
        read = products.VARIABLES | products.variables_of(spec)
        # An empty variable hides that of the process, so it stays.
        self._taken = {name: value for name, value in found.items() if name in read and not is_nothing(value)}
        wants = {WANTED: "1"} if self.timeline else {}
        rest = {name: value for name, value in found.items() if name not in self._taken}
        self._task.environment = [{**rest, **wants}]

    _taken: Mapping[str, str] = MappingProxyType({})
    """The variables that were removed from the task's environment: a task that is retried needs them again."""

    def _completed(self, args: dict[str, Any], spec: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        done = given_of(spec, {**self._of_hook(spec, task_vars), **args})
        if "api_url" in spec and not (done.get("api_url") or done.get("profile")):
            variable = _exported(spec)
            self._refuse_another_connection(products.product_of(spec), variable, task_vars)
        done = completed(done, spec, self._profile)
        if "cluster_name" in spec:
            done.setdefault("cluster_name", plain(task_vars.get("inventory_hostname", "")))
        if "api_url" in spec:
            refuse_unmeant(products.product_of(spec), done.get("api_url"))
        return done

    def _of_hook(self, spec: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """The connection that a task of a hook gets from its host; an empty one for any other task.

        :raises ClusterError: a variable of the connection can't be evaluated.
        """
        name = products.hook_connection(products.product_of(spec)) if "api_url" in spec else ""
        if name not in task_vars:
            return {}
        try:
            options = self._templar.template(task_vars[name])
        except AnsibleError as error:
            host = plain(task_vars.get("inventory_hostname", ""))
            raise ClusterError(
                f"{host}: the variables of the connection have no value: {' '.join(str(error).split())}",
                number="DBF-6803",
            ) from None
        nothing = self._templar.template("{{ omit }}")
        return plain({key: value for key, value in options.items() if key in spec and value != nothing})

    def _refuse_another_connection(self, product: str, variable: Optional[str], task_vars: dict[str, Any]) -> None:
        """Refuses a task without connection options that would use another connection than its host's.

        A connection in the task's own `environment` is allowed: the user set it for this host.

        :param variable: the variable of the environment that names a connection, if there is one.
        """
        if variable in self._environment():
            return
        host = plain(task_vars.get("inventory_hostname", ""))
        for name in products.names_of(product):
            if listed(self._value(task_vars.get(name))):
                raise ClusterError(
                    f"{host}: {name} is set for this host, but this task has no connection options, and a module "
                    "doesn't read the variables of a host",
                    hint=f"set {name.partition('_')[2]} in the task, or use the role {product}_connection with "
                    "module_defaults",
                    number="DBF-6803",
                )
        if variable:
            hosts = plain(task_vars.get("ansible_play_hosts_all") or [host])
            environment.refuse_borrowed(product, variable, host, hosts, task_vars)
        else:
            others = (_exported(options) for name, options in products.CONNECTIONS.items() if name != product)
            environment.refuse_other_product(product, host, task_vars, next(filter(None, others), ""))

    def _value(self, raw: Any) -> Any:
        """The value of a variable; None if it has no value."""
        try:
            value = self._templar.template(raw)
        except AnsibleError:
            return None
        return None if value == self._templar.template("{{ omit }}") else value

    def _profile(self, name: str, path: str, spec: dict[str, Any], given: Container[str] = ()) -> dict[str, Any]:
        if self._profiles is None:
            self._profiles = Profiles(self._loader)
        return self._profiles.connection(name, path, spec, given)

    _profiles: Optional[Profiles] = None
    """The profiles that this task has read."""

    # -- the two ways

    @staticmethod
    def _params(module: Any, args: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """A module's parameters, and its result if the options are wrong."""
        relations = ("mutually_exclusive", "required_together", "required_one_of", "required_if", "required_by")
        kept = {name: module.SPEC[name] for name in relations if name in module.SPEC}
        params, problems = validated(module.SPEC["argument_spec"], args, **kept)
        result = {"changed": False, **failure("; ".join(problems), "DBF-7001")}
        return params, secrets_of(module.SPEC, args).data(result) if problems else {}

    def _in_process(self, module: Any, args: dict[str, Any], place: str = progress.AUTO) -> dict[str, Any]:
        spec = module.SPEC["argument_spec"]
        params, wrong = self._params(module, args)
        if wrong:
            return wrong
        scrubber = secrets_of(module.SPEC, params)
        timeline = None if self._task.check_mode else self.timeline
        task = LiveTask(params, self._task.check_mode, self._shown(scrubber, place), self._hear, timeline)
        with self._watched():
            result = outcome(module.SPEC, module.run, task)
        if task.warnings:
            result["warnings"] = scrubber.data(task.warnings)
        hidden = {
            name: HIDDEN if spec.get(name, {}).get("no_log") and value else value for name, value in params.items()
        }
        return {**result, "invocation": {"module_args": scrubber.data(hidden)}}

    def _watched(self) -> AbstractContextManager[None]:
        """A context for the run of a module in this process."""
        return worker.ends_with_parent()

    def _shown(self, scrubber: Scrubber, place: str) -> Callable[[Iterable[str]], None]:
        if self._task.no_log:
            return lambda _lines: None
        return lambda lines: progress.show([scrubber.text(line) for line in lines], place)

    def _ordinary(self, module: Any, args: dict[str, Any], task_vars: dict[str, Any], local: bool) -> dict[str, Any]:
        _params, wrong = self._params(module, args)
        if wrong:  # the message of ansible-core would contain Python, and with async the files would stay there
            return wrong
        args, _unreadable = read(module.SPEC["argument_spec"], args)
        self._take_from_environment(module.SPEC["argument_spec"])
        if local and "ansible_python_interpreter" not in task_vars:
            # This Python has the libraries; the Python that discovery finds may lack them.
            task_vars = {**task_vars, "ansible_python_interpreter": task_vars.get("ansible_playbook_python")}
        name = module.__name__.rpartition(".")[2]
        host = plain(task_vars.get("inventory_hostname", ""))
        where, by = str(self._task.delegate_to or host), self._connection.transport
        place = Place(str(args.get("cluster_name") or host), name, where, by, self._has_retries())
        shown = self._shown(secrets_of(module.SPEC, args), progress.place_of(task_vars))
        try:
            with worker.ends_with_parent(programs=True):
                if not local:
                    args = self._with_files(args)
                result = self._execute_module(
                    module_name=f"dbfleet.cluster.{name}",
                    module_args=args,
                    task_vars=task_vars,
                    wrap_async=self._task.async_val,
                )
                if not self._task.async_val:
                    self._tell(result.pop(SAID, None), shown)
                    seen = result.pop(SEEN, None)
                    if self.timeline:
                        self.timeline.take(seen)
                    return place.explained(result, self._python(), self._version)
                return place.refused_version(self._python(), "" if local else self._version()) or result
        except AnsibleConnectionFailure as error:
            raise AnsibleConnectionFailure(place.lost(" ".join(str(error).split()))) from None
        finally:
            # A runbook has several modules, and ansible-core would remove only the folder of the last module.
            if not self._task.async_val:
                self._remove_tmp_path(self._connection._shell.tmpdir)

    def _has_retries(self) -> bool:
        """Whether the connection retries by itself, as ssh does if its user has set that."""
        try:
            return bool(int(self._connection.get_option("reconnection_retries") or 0))
        except (AttributeError, KeyError, ValueError):  # another kind of connection has no such option
            return False

    @staticmethod
    def _tell(lines: Any, shown: Callable[[Iterable[str]], None]) -> None:
        """Shows the lines of a module that ran on another host, after it has ended."""
        if isinstance(lines, list) and lines:
            shown(list(map(str, lines)))

    def _python(self) -> str:
        """The interpreter that ran a module on another host."""
        return str(self._used_interpreter or "").lstrip("#!").strip()

    def _version(self) -> str:
        """The version of that interpreter; an empty text if it can't be run."""
        done = self._low_level_execute_command(f"{self._python()} -c {shlex.quote(VERSION)}")
        return version_of(str(done.get("stdout", "")))

    def _remove_tmp_path(self, tmp_path: Any, force: bool = False) -> None:
        """Removes the folder, if the connection works. A lost connection isn't raised: it would hide the failure of the
        task, and no rescue could catch it."""
        with suppress(AnsibleConnectionFailure):
            super()._remove_tmp_path(tmp_path, force)

    def _with_files(self, args: dict[str, Any]) -> dict[str, Any]:
        """The arguments, with local files sent to the host. A path that doesn't exist here is one of that host."""
        here = {name: os.path.expanduser(args[name]) for name in FILES if args.get(name)}
        here = {name: path for name, path in here.items() if os.path.isfile(path)}
        if not here:
            return args
        folder = self._make_tmp_path()
        sent = {name: self._connection._shell.join_path(folder, f"{SENT}{name}.pem") for name in here}
        for name, path in here.items():
            self._transfer_file(path, sent[name])
        self._fixup_perms2((folder, *sent.values()))
        return {**args, **sent}
