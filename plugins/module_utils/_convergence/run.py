# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes objects to the wanted state, for every module: plan, check mode, result and diff.

A module describes its objects in `Stage`: how to read them, and what to do about each state. All modules share the
rest, which is here and in `StageRun`. The next run completes what a killed run left.
"""

from __future__ import annotations

import time
from typing import Any, Callable

from .._errors import ClusterError, Refused, all_of
from .._task import Task, after
from .._wording import joined, listing
from .approved import refuse_unapproved
from .object_run import plain
from .stage import Act, Fail, Settings, Stage, Wait, has_changed
from .stage_run import StageRun


class Converge:
    """One module's run over its stages."""

    def __init__(
        self, task: Task, cluster: str, settings: Settings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._task = task
        self._cluster = cluster
        self._settings = settings
        self._clock = clock
        self._runs: list[StageRun] = []

    def run(self, stages: list[Stage]) -> dict[str, Any]:
        """Takes all stages to their end, one after another.

        :returns: `changed`, `joined`, `diff`, `steps`, `states` (name -> state at the end, or the predicted one).
        :raises ClusterError: its `result` contains what was done so far.
        """
        try:
            self._observe([stage for stage in stages if stage.names])
            if self._task.check_mode:
                self._preview()
            else:
                for run in self._runs:
                    run.carry_out(later=run is not self._runs[0], last=run is self._runs[-1])
        except ClusterError as error:
            error.result = {**self._result(), **error.result}
            error.message += after(self._surely_done())
            raise
        return self._result()

    def _surely_done(self) -> list[dict[str, Any]]:
        """The steps that certainly succeeded. The last step of an object that is still on its way is not certain."""
        every = [one for run in self._runs for one in run.objects]
        ended = [step for one in every for step in (one.steps if one.finished else one.steps[:-1])]
        return [step for step in ended if not self._task.check_mode and not step.get("refused")]

    def _observe(self, stages: list[Stage]) -> None:
        for stage in stages:
            run = StageRun(self._task, self._cluster, self._settings, self._clock, stage)
            run.observe()
            self._runs.append(run)
        self._refuse_all_at_once()
        refuse_unapproved(self._task, self._cluster, [one for run in self._runs for one in run.objects])
        first = self._runs[0] if self._runs else None
        if first and first.acts and first.stage.guard:
            self._guard(first.stage.guard)
            first.guarded()
        self._show_plan()

    def _guard(self, guard: Callable[[], None]) -> None:
        try:
            guard()
        except Refused as refusal:
            # An earlier task, which this preview left out, may remove the cause.
            if not self._task.check_mode or self._task.params.get("assume"):
                raise
            self._task.warn(f"would be refused now: {refusal}")

    def _refuse_all_at_once(self) -> None:
        every = [one for run in self._runs for one in run.objects]
        bad = [(one, one.decision) for one in every if isinstance(one.decision, Fail)]
        if not bad:
            return
        says = dict.fromkeys(f"{one.name}: {fail.why}" for one, fail in bad)  # two stages may give the same reason
        raise Refused(
            f"{self._cluster}: " + "; ".join(says),
            hint=joined(fail.hint for _one, fail in bad),
            failed_object=" ".join(dict.fromkeys(one.name for one, _fail in bad)),
            last_state=plain([one for one, _fail in bad]),
            number=all_of(fail.number for _one, fail in bad),
        )

    def _show_plan(self) -> None:
        for run in self._runs:
            stage = run.stage
            acts: dict[str, list[str]] = {}
            waits: dict[str, list[str]] = {}
            for one in run.objects:
                decision = one.decision
                if not isinstance(decision, (Act, Wait)):
                    continue
                later = "".join(f", then {step}" for step in decision.then)
                if isinstance(decision, Act):
                    key = f"{decision.name}{later} ({stage.words(one.state)} -> {stage.done})"
                    acts.setdefault(key, []).append(one.name)
                else:
                    waits.setdefault(f"{decision.why}{later}", []).append(one.name)
            would = "would " if self._task.check_mode else ""
            for key, names in acts.items():
                self._say(f"{stage.noun}: {would}{key}: {listing(names)}")
            for why, names in waits.items():
                self._say(f"{stage.noun}: {would}wait for {listing(names)} ({why})")

    def _preview(self) -> None:
        for run in self._runs:
            for one in run.objects:
                decision = one.decision
                if isinstance(decision, (Act, Wait)):
                    first = (decision.name,) if isinstance(decision, Act) else ()
                    for step in (*first, *decision.then):
                        run.note(one, step)
                    one.state = run.stage.target(one.name, one.state)

    def _say(self, line: str) -> None:
        self._task.say(f"[{self._cluster}] {line}")

    def _result(self) -> dict[str, Any]:
        every = [(run.stage, one) for run in self._runs for one in run.objects]
        steps = [step for _stage, one in every for step in one.steps]
        touched = [(stage, one) for stage, one in every if one.steps]
        for stage, one in touched:
            unlike = stage.words(one.state) != one.steps[-1]["from"] and not isinstance(one.decision, Fail)
            if one.steps[-1].get("refused") and unlike:
                del one.steps[-1]["refused"]  # a part of it was done, or somebody else did it
        result = {
            "changed": has_changed(steps),
            "joined": any(one.joined for _stage, one in every),
            "steps": steps,
            "states": {one.name: one.state for _stage, one in every},
        }
        diff: dict[str, dict[str, str]] = {"before": {}, "after": {}}
        for stage, one in touched:
            before, now = stage.words(one.before), stage.words(one.state)
            done = [step["step"] for step in steps if step["object"] == one.name and not step.get("refused")]
            if before == now and done and (one.finished or self._task.check_mode):
                now += f" ({', '.join(done)})"  # the same state, but steps were made
            diff["before"][one.name], diff["after"][one.name] = before, now
        return {**result, "diff": diff}
