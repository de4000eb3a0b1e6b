# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads many clusters in this process, in parallel, and shows each as soon as its answers come."""

from __future__ import annotations

import time
from typing import Any

from ansible.utils.display import Display

from ..module_utils._errors import ClusterError, failure
from ..module_utils._json import visible
from ..module_utils._values import given_of
from ..modules.fleet_info import SPEC
from ..plugin_utils import direct, progress
from ..plugin_utils.fleet import look, meant, output
from ..plugin_utils.fleet.show import Show
from ..plugin_utils.runbooks.variables import unknown_of
from ..plugin_utils.stats import of_hosts

DETAILS = ("cluster", "domain")
"""Keys of a row that may be large. They are left out by default, because a result is copied several times."""


class ActionModule(direct.Direct):
    """See the module of the same name."""

    _supports_async = False

    def result_of(self, task_vars):
        spec: Any = SPEC["argument_spec"]
        given, problems = direct.validated(spec, given_of(spec, direct.plain(self._task.args)))
        problems += progress.problems(task_vars)
        if not problems:
            odd = [name for name in ("look_timeout", "side_by_side") if not given[name] > 0]
            problems = [f"{name} is {given[name]:g}, and must be above 0" for name in odd]
        if problems:
            return failure("; ".join(problems), "DBF-7001")
        clusters = self._meant(given, task_vars)
        problems = [*unknown_of(self._task, task_vars), *meant.problems(clusters)]
        if problems:
            return failure(f"{'; '.join(problems)}; nothing was looked at", "DBF-7001")
        try:
            return self._looked(given, clusters, task_vars)
        except ClusterError as error:
            return look.failed(error)

    def _meant(self, given: dict[str, Any], task_vars: dict[str, Any]) -> list[meant.Meant]:
        names = given["hosts"]
        if names is None and given["clusters"] is None:
            names = (
                task_vars["ansible_play_hosts"] if meant.is_for_all(self._task) else [task_vars["inventory_hostname"]]
            )
        hosts = meant.Hosts(self._task, task_vars, self._loader)
        found = hosts.meant(direct.plain(names or []), given["fail_on"])
        return found + meant.of_profiles(given["clusters"] or [], given["fail_on"])

    def _looked(self, given: dict[str, Any], clusters: list[meant.Meant], task_vars: dict[str, Any]) -> dict[str, Any]:
        """:raises ClusterError: the output can't be written."""
        at = time.time()
        fleet: dict[str, look.Row] = {}
        place = progress.OFF if self._task.no_log else progress.place_of(task_vars)
        is_text = given["output"] != "table" and not given["path"]
        show = Show([one.name for one in clusters], progress.OFF if is_text else place)
        for one in look.looked(self, clusters, given["side_by_side"], given["look_timeout"]):
            if one:
                fleet[one[0]] = one[1]
            show.add(one)
        warnings = look.warnings(fleet)
        show.end(look.total(fleet.values()))
        self._deliver(given, fleet, at, place)
        if not (given["details"] or Display().verbosity):
            fleet = {name: {key: row[key] for key in row if key not in DETAILS} for name, row in fleet.items()}
        return self._told(fleet, warnings)

    def _deliver(self, given: dict[str, Any], fleet: dict[str, look.Row], at: float, place: str) -> None:
        if given["output"] == "table" and not given["path"]:
            return
        text = output.FORMS[given["output"]](visible(fleet), at)
        if not given["path"]:
            progress.show_lines([(line, None) for line in text.rstrip("\n").split("\n")], place, whole=True)
        elif not self._task.check_mode:
            output.write(given["path"], text)

    @staticmethod
    def _told(fleet: dict[str, look.Row], warnings: list[str]) -> dict[str, Any]:
        told = {name: {"summary": row["summary"], "state": row["state"]} for name, row in fleet.items()}
        return {
            "changed": False,
            "fleet": dict(look.in_order(fleet.items())),
            "failing": sorted(name for name, row in fleet.items() if row["fails"]),
            "total": look.total(fleet.values()),
            "warnings": warnings,
            **of_hosts(told),
        }
