# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind a runbook: it does what a run needs from ansible-core."""

from __future__ import annotations

from typing import Any

from ...module_utils._errors import ClusterError
from ...module_utils._task import secrets_of
from .. import direct


class Caller(direct.Direct):
    """Completes the connection of a run, and calls its modules."""

    _supports_async = False

    def environment(self) -> dict[str, str]:
        """The variables that the task adds to the environment."""
        return self._environment()

    def completed(
        self, given: dict[str, Any], spec: dict[str, Any], task_vars: dict[str, Any], environment: dict[str, str]
    ) -> dict[str, Any]:
        """Connection options, completed with the values that only the controller knows.

        :raises ClusterError: they can't be completed.
        """
        with direct.in_environment(environment):
            try:
                return self._completed(given, spec, task_vars)
            except ClusterError as error:
                error.of(direct.plain(task_vars["inventory_hostname"]))
                raise

    def called(
        self, module: Any, given: dict[str, Any], task_vars: dict[str, Any], environment: dict[str, str]
    ) -> dict[str, Any]:
        """Runs a module of this collection, and returns its result."""
        try:
            with direct.in_environment(environment):
                args = self._completed(given, module.SPEC["argument_spec"], task_vars)
        except ClusterError as error:
            failed = {"failed": True, "changed": False, **error.as_result()}
            return secrets_of(module.SPEC, given).data(failed)
        result = self._carried_out(module, args, task_vars, environment)
        # A module that failed on another host has it. From ansible-core 2.19 on it is no text, so JSON can't keep it.
        result.pop("exception", None)
        return result
