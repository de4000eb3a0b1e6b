# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task that called a module, as the module's code sees it, in-process or as an ordinary module."""

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

    :ivar done: the steps that succeeded so far. A later failure of the task doesn't undo them.
    :ivar timeline: records what is seen; None if nobody needs it.
    """

    params: dict[str, Any]
    check_mode: bool
    done: list[dict[str, Any]]
    timeline: Optional[Timeline]

    def say(self, *lines: str) -> None:
        """Shows progress lines, at once if possible. Several lines in one call cost as much as one."""

    def warn(self, text: str) -> None:
        """Adds a warning to the result."""

    def under_way(self, steps: dict[str, list[str]]) -> None:
        """Called whenever a step is sent, with all steps that were sent and aren't finished, and their objects."""


SAID = "said"
"""The key of an ordinary module's result for its progress lines. The action shows and removes them."""


class ModuleTask:
    """An ordinary module's run. It can't show lines while it runs: they come with its result."""

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
        """Does nothing: an ordinary module can report only at its end."""


def secrets_of(spec: dict[str, Any], params: dict[str, Any]) -> Scrubber:
    """The scrubber for all values that the spec marks `no_log`, and for passwords within URLs."""
    hidden = _hidden(spec["argument_spec"], params)
    urls = [*listed(params.get("api_url")), params.get("url") or ""]
    hidden += [word for url in urls for word in in_url(url)]
    if params.get("api_username") and params.get("api_password"):
        hidden.append(basic(str(params["api_username"]), str(params["api_password"])))
    return Scrubber(str(secret) for secret in hidden if secret)


def _hidden(options: dict[str, Any], values: Any) -> list[Any]:
    """The secrets among the values of these options and of their suboptions."""
    if isinstance(values, (list, tuple)):
        return [word for item in values for word in _hidden(options, item)]
    given = values if isinstance(values, dict) else {}
    found = [word for name, option in options.items() if option.get("no_log") for word in _words(given.get(name))]
    inner = [_hidden(option["options"], given.get(name)) for name, option in options.items() if "options" in option]
    return found + [word for words in inner for word in words]


def _words(value: Any) -> list[Any]:
    """The secrets of one option: the values of a dictionary, the items of a list, or the value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [word for item in value for word in _words(item)]
    return [] if isinstance(value, bool) else [value]  # hiding True would hide it everywhere


def after(steps: list[dict[str, Any]]) -> str:
    """The end of a failure's sentence that lists these steps, which succeeded before; empty if there are none."""
    said = listing([f"{step['step']} of {step['object']}" for step in steps], between=", ")
    return f"; done before this failure: {said}" if said else ""


def outcome(spec: dict[str, Any], run: Callable[[Task], dict[str, Any]], task: Task) -> dict[str, Any]:
    """Runs a module's code and returns a result in every case. It raises no exception of the code.

    :returns: the result; a failed one has `failed: true` and `msg`.
    """
    scrubber = secrets_of(spec, task.params)
    try:
        result = {"changed": False, **run(task)}
    except ClusterError as error:
        result = {"changed": False, **error.as_result(), "failed": True}
    except Exception as error:  # the user gets a sentence; its text may contain a secret
        what = f"{type(error).__name__}: {error}"
        result = {"changed": False, **failure(f"unexpected error, please report it: {what}", "DBF-9001")}
    if result.get("failed") and task.done:
        later = [step for step in result.get("steps", []) if step not in task.done]
        result.update(changed=True, steps=[*task.done, *later], msg=result["msg"] + after(task.done))
    return scrubber.data(result)


def as_module(spec: dict[str, Any], run: Callable[[Task], dict[str, Any]]) -> None:
    """The work of `main()` in every module, when it runs as an ordinary module."""
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
