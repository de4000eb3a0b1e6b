# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stages of a task, taken to their end with the task's options, and the result that its module returns."""

from __future__ import annotations

from typing import Any, Protocol

from .._errors import ClusterError
from .._task import Task
from .run import Converge
from .stage import Settings, Stage


class CountedApi(Protocol):
    """What `bring` wants to know of a cluster."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def api_calls(self) -> int:
        """How many calls were made so far."""


def settings(task: Task) -> Settings:
    """The options of the `wait` fragment."""
    given = task.params
    return Settings(given["wait"], given["wait_timeout"], given["wait_stable"], given["heartbeat"])


def bring(task: Task, cluster: CountedApi, stages: list[Stage]) -> dict[str, Any]:
    """Takes the stages to their end and makes the result of it; `states` are the objects' states."""
    try:
        result = Converge(task, cluster.name, settings(task)).run(stages)
    except ClusterError as error:
        error.result.pop("states", None)
        error.result["api_calls"] = cluster.api_calls
        raise
    if not task.check_mode:
        task.done += [step for step in result["steps"] if not step.get("refused")]
    return {**result, "api_calls": cluster.api_calls}
