# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rehearses a runbook on a simulated copy of a host's cluster. Runs on the controller, and only reads the real one."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleError

from ..module_utils._errors import ClusterError, failure
from ..module_utils._values import given_of
from ..module_utils._wording import near
from ..modules.rehearsal import SPEC
from ..plugin_utils import direct, progress
from ..plugin_utils.rehearsal.course import RANGE, READ, Rehearsal, scale_of
from ..plugin_utils.runbooks.caller import Caller
from ..plugin_utils.runbooks.catalogue import RUNBOOKS
from ..plugin_utils.runbooks.variables import no_paths, unknown_of

for _name, _key in READ.values():
    direct.module_of(_name)


class ActionModule(Caller):
    """See the module of the same name."""

    def result_of(self, task_vars):
        spec: Any = SPEC["argument_spec"]
        args = given_of(spec, direct.plain(self._task.args))
        slips = unknown_of(self._task, task_vars)
        if "runbook" not in args:
            says = "; ".join([*slips, f"rehearse_runbook is missing: give one of {', '.join(RUNBOOKS)}"])
            return failure(says, "DBF-7001")
        given, problems = direct.validated(spec, args)
        problems += no_paths(spec, args).values()
        problems += [*progress.problems(task_vars), *slips]
        host = direct.plain(task_vars["inventory_hostname"])
        if not problems and given["runbook"] not in RUNBOOKS:
            known = list(RUNBOOKS)
            problems = [f"there is no runbook {given['runbook']}{near(given['runbook'], known)}: {', '.join(known)}"]
        if not problems and not scale_of(given["clock"]):
            problems = [f"rehearse_clock is {given['clock']}, and must be like seconds:0.02: {RANGE}"]
        if problems:
            return failure(f"{host}: {'; '.join(problems)}; nothing was rehearsed", "DBF-7001")
        try:
            return Rehearsal(self, given, host, task_vars).result()
        except ClusterError as error:
            return {"failed": True, "changed": False, **error.of(host).as_result()}
        except AnsibleError:
            raise
        except Exception as error:  # the user gets a sentence, whatever it was
            what = f"{type(error).__name__}: {error}"
            return failure(f"unexpected error, please report it: {what}", "DBF-9001")
