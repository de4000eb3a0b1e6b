# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes the stages of a task to their end with the task's options, and makes the result of its module."""

from __future__ import annotations

from typing import Any, Protocol

from .._errors import ClusterError, TimedOut
from .._task import Task
from .run import Converge
from .stage import Settings, Stage


class CountedApi(Protocol):
    """What `bring` needs of a cluster."""

    @property
    def name(self) -> str:
        """The name in messages."""

    @property
    def api_calls(self) -> int:
        """How many calls were made so far."""

    def collect(self, seconds: float) -> list[str]:
        """Fetches the results of our operations that end within that time, if the server keeps them until then.

        :returns: a sentence for each operation that goes on.
        """


COLLECT = 15.0
"""Seconds to wait for the end of our operations, after all objects reached the end state or one failed."""

COLLECT_LATE = 2.0
"""The same after the deadline."""


def settings(task: Task) -> Settings:
    """The options of the `wait` fragment."""
    given = task.params
    return Settings(given["wait"], given["wait_timeout"], given["wait_stable"], given["heartbeat"])


def bring(task: Task, cluster: CountedApi, stages: list[Stage]) -> dict[str, Any]:
    """Takes the stages to their end, and returns the result. `states` contains the objects' states."""
    try:
        result = Converge(task, cluster.name, settings(task)).run(stages)
    except ClusterError as error:
        _collect(task, cluster, COLLECT_LATE if isinstance(error, TimedOut) else COLLECT)
        error.result.pop("states", None)
        error.result["api_calls"] = cluster.api_calls
        raise
    _collect(task, cluster, COLLECT)
    if not task.check_mode:
        task.done += [step for step in result["steps"] if not step.get("refused")]
    return {**result, "api_calls": cluster.api_calls}


def _collect(task: Task, cluster: CountedApi, seconds: float) -> None:
    """Leaves no results behind on the server. A task that doesn't wait for the objects doesn't wait for this either."""
    given = settings(task)
    for sentence in cluster.collect(min(seconds, given.timeout) if given.wait else 0.0):
        if given.wait:
            task.warn(sentence)
