# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module's code sees of the task that called it, in-process or as an ordinary module."""

from __future__ import annotations

import os
from typing import Any, Callable, Optional, Protocol

from ansible.module_utils.basic import AnsibleModule

from . import _far_side
from ._errors import ClusterError, failure
from ._secrets import Scrubber, basic, in_url
from ._timeline import SEEN, WANTED, Timeline
from ._values import listed
from ._wording import listing


class Task(Protocol):
    """The caller. `plugin_utils/direct.py` has the other implementation, with a live `say`.

    :ivar done: the steps that went well so far, which a later failure of the task doesn't undo.
    :ivar timeline: takes down what is seen; None where nobody wants to know.
    """

    params: dict[str, Any]
    check_mode: bool
    done: list[dict[str, Any]]
    timeline: Optional[Timeline]

    def say(self, *lines: str) -> None:
        """Shows progress lines at once where that is possible: several in one go, which costs as much as one."""

    def warn(self, text: str) -> None:
        """Adds a warning to the result."""

    def under_way(self, steps: dict[str, list[str]]) -> None:
        """Hears which steps were sent and aren't finished, with their objects, whenever one is added."""


SAID = "said"
"""The part of an ordinary module's result that has its progress lines. The action shows and removes them."""


class ModuleTask:
    """An ordinary module's run. It can't stream: what it said comes with its result."""

    def __init__(self, module: AnsibleModule, params: dict[str, Any], scrubber: Scrubber) -> None:
        self._module, self._scrubber = module, scrubber
        self.params = params
        self.check_mode: bool = module.check_mode
        self.done: list[dict[str, Any]] = []
        self.timeline = Timeline() if os.environ.get(WANTED) and not module.check_mode else None
        self.said: list[str] = []

    def say(self, *lines: str) -> None:
        self.said += lines

    def warn(self, text: str) -> None:
        self._module.warn(self._scrubber.text(text))

    def under_way(self, steps: dict[str, list[str]]) -> None:
        """Nobody could be told before an ordinary module ends."""


def secrets_of(spec: dict[str, Any], params: dict[str, Any]) -> Scrubber:
    """The scrubber for all that the spec marks `no_log`, and for passwords that were put into a URL."""
    hidden = _hidden(spec["argument_spec"], params)
    urls = [*listed(params.get("api_url")), params.get("url") or ""]
    hidden += [word for url in urls for word in in_url(url)]
    if params.get("api_username") and params.get("api_password"):
        hidden.append(basic(str(params["api_username"]), str(params["api_password"])))
    return Scrubber(str(secret) for secret in hidden if secret)


def _hidden(options: dict[str, Any], values: Any) -> list[Any]:
    """The secrets among the values of some options, their suboptions' too."""
    if isinstance(values, (list, tuple)):
        return [word for item in values for word in _hidden(options, item)]
    given = values if isinstance(values, dict) else {}
    found = [word for name, option in options.items() if option.get("no_log") for word in _words(given.get(name))]
    inner = [_hidden(option["options"], given.get(name)) for name, option in options.items() if "options" in option]
    return found + [word for words in inner for word in words]


def _words(value: Any) -> list[Any]:
    """The single secrets of an option: a dictionary's values, a list's items."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [word for item in value for word in _words(item)]
    return [] if isinstance(value, bool) else [value]  # hiding True would hide it everywhere


def after(steps: list[dict[str, Any]]) -> str:
    """What a failure's sentence ends with where these steps went well."""
    said = listing([f"{step['step']} of {step['object']}" for step in steps], between=", ")
    return f"; done before this failure: {said}" if said else ""


def outcome(spec: dict[str, Any], run: Callable[[Task], dict[str, Any]], task: Task) -> dict[str, Any]:
    """Runs a module's code and makes a result of whatever happens. No exception of the code's own leaves it.

    :returns: the result; a failed one has `failed: true` and `msg`.
    """
    scrubber = secrets_of(spec, task.params)
    try:
        result = {"changed": False, **run(task)}
    except ClusterError as error:
        result = {"changed": False, **error.as_result(), "failed": True}
    except Exception as error:  # the user gets a sentence, whatever it was; its text may hold a secret
        what = f"{type(error).__name__}: {error}"
        result = {"changed": False, **failure(f"unexpected error, please report it: {what}", "DBF-9001")}
    if result.get("failed") and task.done:
        later = [step for step in result.get("steps", []) if step not in task.done]
        result.update(changed=True, steps=[*task.done, *later], msg=result["msg"] + after(task.done))
    return scrubber.data(result)


def as_module(spec: dict[str, Any], run: Callable[[Task], dict[str, Any]]) -> None:
    """`main()` of every module, when it runs as an ordinary one."""
    module = AnsibleModule(**spec)
    scrubber = secrets_of(spec, module.params)
    with _far_side.ends_with_controller(_far_side.of_ansible(module)):
        task = ModuleTask(module, _far_side.taken(module.params), scrubber)
        result = outcome(spec, run, task)
    if task.timeline:
        result[SEEN] = scrubber.data(task.timeline.sent())
    if task.said:
        result[SAID] = scrubber.data(task.said)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)
