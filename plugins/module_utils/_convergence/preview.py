# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""Shows a whole runbook before it runs: what each part would do to the state that the parts before it would leave."""

from __future__ import annotations

from typing import Any, Optional

from .._errors import ClusterError, Refused, numbered, numbers_in
from .._task import Task
from .._timeline import Timeline
from .._wording import joined
from .run import Converge
from .stage import Settings, Stage


class NoCluster:
    """A cluster that a preview must not ask."""

    def __getattr__(self, name: str) -> Any:
        def unknown(*_args: Any) -> Any:
            raise ClusterError(f"{name} can't be known without asking the cluster")

        return unknown


class Preview:
    """A run that only shows what it would do.

    :param task: its `say` shows the steps.
    :param known: the cluster as a report; `params` gives it to guards as an assumption.
    :ivar lines: the lines to show at the end.
    """

    check_mode = True
    timeline: Optional[Timeline] = None

    def __init__(self, task: Task, known: dict[str, Any]) -> None:
        self._task = task
        self.params = {"assume": known}
        self.done: list[dict[str, Any]] = []
        self.name = str(known.get("name"))
        self.steps: list[dict[str, Any]] = []
        self.refusals: list[dict[str, str]] = []
        self.idle = "nothing to do"
        self.lines: list[str] = []

    def say(self, *lines: str) -> None:
        """Keeps lines until the preview is complete. `told` shows all of them at once."""
        if any(": would wait for " in line for line in lines):  # a wait is no step
            self.idle = "nothing to do but to wait"
        self.lines += lines

    def warn(self, text: str) -> None:
        self._task.warn(text)

    def under_way(self, steps: dict[str, list[str]]) -> None:
        """Does nothing: a preview sends no step."""

    def refuse(self, part: str, refusal: ClusterError) -> None:
        """Remembers why a part would be refused."""
        why = numbered(refusal.message, refusal.number)
        self.refusals.append({"part": part, "why": why, "hint": refusal.hint or ""})

    def run(self, part: str, stages: list[Stage]) -> dict[str, Any]:
        """Previews one part.

        :returns: the states that it would leave, also if it would be refused.
        """
        try:
            result = Converge(self, self.name, Settings()).run(stages)
        except ClusterError as refusal:
            self.refuse(part, refusal)
            return {name: stage.target(name, stage.look([name])[name]) for stage in stages for name in stage.names}
        self.steps += [{"part": part, **step} for step in result["steps"]]
        return result["states"]

    def told(self, refuse: bool) -> dict[str, Any]:
        """Shows the preview, and returns the part of the module's result that describes it.

        :param refuse: whether to fail if something would be refused.
        :raises Refused: it contains all reasons at once.
        """
        if not self.steps and not self.refusals:
            self.say(f"[{self.name}] plan: {self.idle}")
        if not refuse:
            for one in self.refusals:
                self.say(f"[{self.name}] refused: {one['why']}" + (f"; {one['hint']}" if one["hint"] else ""))
        self._task.say(*self.lines)
        if self.refusals and refuse:
            says = "; ".join(refusal["why"] for refusal in self.refusals)
            error = Refused(says, number=numbers_in(says))
            error.hint = joined(refusal["hint"] for refusal in self.refusals)
            error.result = {"refusals": self.refusals}
            raise error
        return {"steps": self.steps, "refusals": self.refusals}
