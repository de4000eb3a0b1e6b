# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps of an approved plan. A task with such a plan takes no other step."""

from __future__ import annotations

from collections.abc import Iterable

from .._errors import Refused
from .._task import Task
from .._wording import listing
from .object_run import ObjectRun
from .stage import Act


def refuse_unapproved(task: Task, cluster: str, objects: Iterable[ObjectRun]) -> None:
    """Called after the decisions about these objects, and before any of their calls.

    :raises Refused: the task has the option `approved`, and a due step of one of these objects isn't in it.
    """
    approved = task.params.get("approved")
    if approved is None:
        return
    due = [(one.name, one.decision.planned) for one in objects if isinstance(one.decision, Act)]
    odd = [(name, step) for name, step in due if name not in approved.get(step, [])]
    if odd:
        says = listing([f"{step} of {name}" for name, step in odd], between=", ")
        verb = "is not" if len(odd) == 1 else "are not"
        raise Refused(
            f"{cluster}: {says} {verb} in the approved plan: somebody has changed the cluster since this run began",
            hint="look at the cluster, make a new plan with --check, and have it approved",
            failed_object=" ".join(dict.fromkeys(name for name, _step in odd)),
            number="DBF-6820",
        )
