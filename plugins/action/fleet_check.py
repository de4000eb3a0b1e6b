# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks many clusters in this process, in parallel."""

from __future__ import annotations

import time
from typing import Any

from ansible.utils.display import Display

from ..module_utils._errors import failure
from ..module_utils._values import given_of
from ..module_utils._wording import listing
from ..modules.fleet_check import SPEC
from ..plugin_utils import direct, progress, worker
from ..plugin_utils.fleet.check import Check, Row
from ..plugin_utils.fleet.meant import stood_for
from ..plugin_utils.fleet.show import HEARTBEAT
from ..plugin_utils.profiles import Profiles
from ..plugin_utils.runbooks.variables import unknown
from ..plugin_utils.stats import of_hosts


class ActionModule(direct.Direct):
    """See the module of the same name."""

    _supports_async = False

    def result_of(self, task_vars):
        spec: Any = SPEC["argument_spec"]
        given, problems = direct.validated(spec, given_of(spec, direct.plain(self._task.args)))
        if self._task._role is None:
            problems += ["this is the task of a role: use the role dbfleet.cluster.check"]
        if not problems and not given["side_by_side"] > 0:
            problems = [f"side_by_side is {given['side_by_side']}, and must be above 0"]
        extra = map(str, task_vars["hostvars"]._variable_manager.extra_vars)
        problems += unknown("check", extra)
        if problems:
            return failure(f"{'; '.join(problems)}; nothing was looked at", "DBF-7001")
        self._profiles = Profiles(self._loader)
        with direct.in_environment(self._environment()), worker.ends_with_parent():
            check = Check(self, task_vars)
            elsewhere = check.take(stood_for(self._task, task_vars))
            fleet = self._checked(check, given["side_by_side"], progress.place_of(task_vars))
        return self._told(fleet, elsewhere, given["details"] or bool(Display().verbosity))

    @staticmethod
    def _checked(check: Check, most: int, place: str) -> dict[str, Row]:
        fleet: dict[str, Row] = {}
        names, spoke = check.names(), time.monotonic()
        for one in check.rows(most):
            now = time.monotonic()
            if one:
                fleet[one[0]], spoke = one[1], now
            elif now - spoke >= HEARTBEAT:
                waiting, spoke = [name for name in names if name not in fleet], now
                far = f"{len(fleet)}/{len(names)} clusters checked"
                progress.show(f"{far}, waiting for {listing(waiting)}", place)
        if len(names) > 1:
            progress.show(_total(fleet), place)
        return fleet

    @staticmethod
    def _told(fleet: dict[str, Row], elsewhere: list[str], details: bool) -> dict[str, Any]:
        stats = {name: row.pop("stats") for name, row in fleet.items()}
        warnings = [text for row in fleet.values() for text in row.pop("warnings")]
        for name, row in fleet.items():
            row.update(stats[name])
            if not details:
                row.pop("found")
        return {
            "changed": False,
            "fleet": fleet,
            "failing": sorted(name for name, row in fleet.items() if row["fails"]),
            "elsewhere": elsewhere,
            "warnings": list(dict.fromkeys(warnings)),
            **of_hosts(stats),
        }


def _total(fleet: dict[str, Row]) -> str:
    failing = sorted(name for name, row in fleet.items() if row["fails"])
    well = f"{len(fleet)} clusters checked"
    return f"{well}, {len(failing)} failed: {listing(failing)}" if failing else well
