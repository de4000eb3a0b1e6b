# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Adds a connection to a file of profiles. Runs on the controller."""

from __future__ import annotations

from typing import Any

from ..module_utils._errors import ClusterError, failure
from ..module_utils._values import given_of
from ..modules.profile import SPEC
from ..plugin_utils import direct
from ..plugin_utils.profile_writer import Writer


class ActionModule(direct.Direct):
    """See the module of the same name."""

    _supports_async = False

    def result_of(self, task_vars):
        spec: Any = SPEC["argument_spec"]
        given, problems = direct.validated(spec, given_of(spec, direct.plain(self._task.args)))
        if problems:
            return failure(f"{'; '.join(problems)}; nothing was written", "DBF-7001")
        row = {**given["connection"], "api_password": given["api_password"]}
        try:
            writer = Writer(self._loader, given["path"], given["vaulted"])
            changed = writer.add(given["name"], row, write=not self._task.check_mode)
        except ClusterError as error:
            error.message += "; nothing was written"
            return {**error.as_result(), "changed": False, "failed": True}
        return {"changed": changed, "path": writer.path, "vaulted": writer.vaulted}
