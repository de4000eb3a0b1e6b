# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists records of earlier runs, or shows one. It only reads files of the controller."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..module_utils._errors import ClusterError, failure
from ..module_utils._values import given_of
from ..modules.runs_info import SPEC
from ..plugin_utils import direct, progress
from ..plugin_utils.report import listing
from ..plugin_utils.runbooks.variables import unknown_of


class ActionModule(direct.Direct):
    """See the module of the same name."""

    _supports_async = False

    def result_of(self, task_vars):
        spec: Any = SPEC["argument_spec"]
        args = given_of(spec, direct.plain(self._task.args))
        slips = unknown_of(self._task, task_vars)
        if self._task._role and "path" not in args:
            says = "runs_path is missing: name the folder of exa_report_path or nuodb_report_path"
            return failure("; ".join([*slips, says]), "DBF-7001")
        given, problems = direct.validated(spec, args)
        problems += [*progress.problems(task_vars), *slips]
        if not problems and given["limit"] < 1:
            problems = [f"limit is {given['limit']}, and must be above 0"]
        if problems:
            return failure("; ".join(problems), "DBF-7001")
        try:
            return self._told(given, task_vars)
        except ClusterError as error:
            return {"failed": True, "changed": False, **error.as_result()}

    def _told(self, given: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """:raises ClusterError: the folder can't be read, or it doesn't have the run to show."""
        folder = Path(os.path.abspath(os.path.expanduser(given["path"])))
        place = progress.OFF if self._task.no_log else progress.place_of(task_vars)
        found = listing.Found()
        if given["show"] in (None, listing.LAST):
            limit = 1 if given["show"] else given["limit"]
            wanted = (given["clusters"] or (), given["runbooks"] or (), given["results"] or ())
            found = listing.chosen(folder, *wanted, limit)
        row = found.rows[0] if given["show"] and found.rows else None
        if given["show"] and row is None:
            if given["show"] == listing.LAST:
                raise ClusterError(f"{folder} has no record that matches the options", number="DBF-7007")
            row = listing.named(folder, given["show"])
        progress.show_lines(listing.told(row) if row else listing.table(found, folder), place)
        return {
            "changed": False,
            "runs": list(map(listing.summary, [row] if row else found.rows)),
            "more": 0 if row else found.more,
            "warnings": [text for text in [listing.warning(found, folder)] if text],
            **({"run": row} if row else {}),
        }
