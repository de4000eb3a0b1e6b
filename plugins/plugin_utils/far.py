# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module that runs on another host: why it could not run there, and what is known if the connection was lost."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Callable

from ..module_utils._errors import failure

OLDEST = (3, 9)
"""The oldest Python that runs our modules."""

NEEDED = ".".join(map(str, OLDEST))

VERSION = "import sys; print(sys.version_info[:3])"
"""A program that every Python runs, even one of the last century."""

TOLD = re.compile(r"\((\d+), (\d+), (\d+)\)")
"""The output of C(VERSION)."""

NEVER_THERE = re.compile(
    r"ssh: connect to host|Could not resolve hostname|Permission denied|Host key verification failed|"
    r"No route to host|Connection refused"
)
"""Messages of ssh when it opened no session, so that nothing was started there."""

NOT_OURS = ("exception", "module_stdout", "module_stderr", "rc", "outdata", "data", "cmd", "stderr", "stdout")
"""The keys that ansible-core adds to the failure of a module that never ran."""

INTERPRETER = f"set ansible_python_interpreter of this host to the path of a Python {NEEDED} or newer with urllib3 2.0"
"""The hint for a Python that can't run modules."""


@dataclass
class Place:
    """Where a module runs.

    :param cluster: the cluster that the module reads or changes.
    :param module: the name of the module.
    :param host: the host of Ansible on which the module runs.
    :param connection: the kind of connection to that host.
    :param retries: whether a connection that was lost sends a module again. Its last message then doesn't show whether
        an earlier attempt had started the module.
    """

    cluster: str
    module: str
    host: str
    connection: str
    retries: bool = False

    def explained(self, result: dict[str, Any], python: str, version: Callable[[], str]) -> dict[str, Any]:
        """The result of a module, without tracebacks. If the module never ran, the result contains the reason.

        :param python: the interpreter.
        :param version: returns the version of the interpreter; an empty text if it can't be run.
        """
        if result.get("warnings"):
            result = {**result, "warnings": [_text(one) for one in result["warnings"]]}
        if not result.get("failed"):
            return result
        if "invocation" in result:  # the module ran, and its own sentence gives the reason
            return {key: value for key, value in result.items() if key != "exception"}
        kept = {key: value for key, value in result.items() if key not in NOT_OURS}
        return {**kept, "changed": False, **self._not_run(result, python, version())}

    def refused_version(self, python: str, version: str) -> dict[str, Any]:
        """The failure of a module for a Python that is too old; an empty result for any other Python."""
        if not version or _numbers(version) >= OLDEST:
            return {}
        return self._failure(f"{python} is Python {version}: modules need Python {NEEDED} or newer", INTERPRETER)

    def _not_run(self, result: dict[str, Any], python: str, version: str) -> dict[str, Any]:
        if not version:
            return self._failure(f"{self.host} has no Python {python} that can be run", INTERPRETER)
        refused = self.refused_version(python, version)
        if refused:
            return refused
        said = str(result.get("module_stderr") or result.get("module_stdout") or result.get("msg") or "").strip()
        last = said.splitlines()[-1].strip() if said else "no output"
        code = f" with exit code {result['rc']}" if result.get("rc") else ""
        return {
            **self._failure(
                f"the module ended without a result under {python} ({version}){code}: {last}",
                "check that machine (memory, a killed process, a full disk), then run the task again: the module joins "
                "what it finds",
            ),
            "failure": "failed",
        }

    def _failure(self, why: str, hint: str) -> dict[str, Any]:
        said = f"{self.cluster}: {self.module} was to run on {self.host}, by {self.connection}: {why}"
        return {**failure(said, "DBF-1009", "refused"), "hint": hint}

    def lost(self, cause: str) -> str:
        """Why there is no result: the connection failed."""
        begin = f"{self.cluster}: {self.module} was to run on {self.host}, by {self.connection}"
        local = "set ansible_connection: local for this host if modules should call its API from this machine"
        if NEVER_THERE.search(cause) and not self.retries:
            return f"{begin}, which can't be reached: {cause}; nothing was started there; {local}"
        return (
            f"{begin}, and the connection was lost: {cause}; what the module had started continues on the "
            f"cluster; run the task again when {self.host} can be reached: it joins what it finds; or {local}"
        )


def _text(warning: Any) -> str:
    """The text of a module's warning. From ansible-core 2.19 on, a warning is an object that JSON can't represent."""
    return str(getattr(getattr(warning, "event", None), "msg", warning))


def version_of(printed: str) -> str:
    """The version that C(VERSION) has printed; an empty text if it did not run."""
    found = TOLD.search(printed)
    return ".".join(found.groups()) if found else ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])
