# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The course of a run: the beginning, the phases up to the next hook, the hooks of the user, the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import takewhile
from typing import Any, Callable, Optional

from ansible import context
from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ...module_utils._errors import ClusterError, failure
from ...module_utils._secrets import Scrubber
from ...module_utils._session import shared_session
from .. import progress
from . import begin, ending, forecast, hooks, journal, plan_facts, plan_file, recorder, resume, selection
from .all_clusters import AllClusters, has_table
from .definition import ALWAYS, END, ON_FAILURE, Hook, Part, Phase
from .run import Run, Stopped

Item = tuple[Phase, Optional[Part]]
"""A phase with one of its parts; with None, the announcement of the phase."""


class Course:
    """One host's way through a runbook.

    :param has_journal: whether ansible-playbook's exit reports a run that did not end. A run that only reads has none.
    :ivar position: how many items are done.
    """

    def __init__(self, run: Run, has_journal: bool = True) -> None:
        self.run, self.book = run, run.book
        self.position = 0
        self._begun: Optional[dict[str, list[str]]] = {}
        self._cause = ""
        self._is_plan_kept = self._is_through = False
        self._recorder: Optional[recorder.Recorder] = None
        self._journal = journal.Journal(run.book.name, run.host) if has_journal else None

    def first(self) -> dict[str, Any]:
        """Begins the runbook, and continues to the first hook."""
        return self.begin()()

    def begin(self) -> Callable[[], dict[str, Any]]:
        """Checks everything that must be right before the run does anything.

        :returns: a function that continues to the first hook. It may be called in another thread.
        """
        try:
            with self._stopping():
                self.run.unended = journal.unended_on(self.run.host)
                self._join_others()
                wrong = self.run.prepare()
                self._write_journal()
                self.run.selected = selection.phases_of(self.run)
                recording, unwritable = recorder.begun(self.run)
                self._record_by(recording)
                wrong += [*begin.problems(self.run), *unwritable, *plan_file.problems(self.run)]
                if wrong:
                    raise Stopped(failure("; ".join(dict.fromkeys(wrong)), "DBF-7015", "refused"))
                self.run.connect()
                selection.refuse_nothing(self.run)
                if self._recorder:
                    self._recorder.say_usual()
        except Stopped as stopped:
            return partial(self._ended_by, stopped)
        return self._to_first_hook

    def _to_first_hook(self) -> dict[str, Any]:
        try:
            with self._stopping(), shared_session() as self.run.session:
                self._look_at_plan()
                return self._onward(None)
        except Stopped as stopped:
            return self._ended_by(stopped)

    def _look_at_plan(self) -> None:
        """Before any hook: a preview notes the facts that its plan depends on; a run with a saved plan checks them."""
        if not self.run.selected or plan_file.path_of(self.run) is None:
            return
        if self.run.check:
            plan_facts.observe(self.run)
        else:
            self.run.held = plan_file.held_to(self.run)
            self._begun = {}

    def _keep_plan(self, cause: str) -> Optional[dict[str, Any]]:
        """Writes the plan of a preview, once.

        :returns: the failure, if the plan can't be written.
        """
        if not self.run.check or self._is_plan_kept:
            return None
        self._is_plan_kept = True
        return plan_file.keep(self.run, cause)

    def further(self, state: dict[str, Any], after: int, start: int, until: Optional[int]) -> dict[str, Any]:
        """Continues after hooks.

        :param state: the last result of this action.
        :param after: the position that the run must have reached before these hooks.
        :param start: the position after these hooks.
        :param until: where the run must stop for hooks that follow in the same file.
        """
        self.run.results, self.run.phases = dict(state.get("found", {})), list(state.get("phases", []))
        self.run.selected, self.position = list(state.get("chosen", [])), int(state.get("position", -1))
        self.run.held = state.get("held")
        try:
            with self._stopping(), shared_session() as self.run.session:
                if self.position != after:
                    self.run.fail(
                        f"{self.run.host}: a task of {self.book.name} before this one was left out, so this one "
                        "does nothing: run the whole role",
                        "DBF-6807",
                    )
                self.position = start
                wrong = self.run.prepare()
                self._record_by(recorder.resumed(self.run, state.get("record")))
                if not self.run.check and self.run.held is None and plan_file.path_of(self.run) is not None:
                    wrong.append(
                        f"{self.run.host}: the plan file was named after the run had started, so the run stops"
                    )
                if wrong:
                    raise Stopped(failure("; ".join(wrong), "DBF-7015", "refused"))
                self.run.connect()
                return self._onward(until)
        except Stopped as stopped:
            return self._ended_by(stopped)

    def _record_by(self, recording: Optional[recorder.Recorder]) -> None:
        self._recorder = recording
        if recording:
            self.run.watch(recording.timeline)

    def _join_others(self) -> None:
        run = self.run
        if has_table(self.book.quiet, run.task_vars):
            clusters = AllClusters(self.book.name, run.play_id)
            clusters.begin(run.host, run.hosts, run.check, progress.place_of(run.task_vars))

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """Turns every error into a sentence."""
        try:
            yield
        except Stopped:
            raise
        except AnsibleConnectionFailure as error:  # ansible-core would leave the host out, with no end table
            raise Stopped(failure(str(error), "DBF-1008", "unreachable")) from None
        except ClusterError as error:
            raise Stopped(error.result or {"failed": True, **error.as_result()}) from None
        except AnsibleError as error:
            says = f"{self.run.host}: {' '.join(str(error.message).split())}"
            raise Stopped(failure(says, "DBF-9002")) from None
        except Exception as error:  # the user gets a sentence, whatever the error was
            what = f"{type(error).__name__}: {error}"
            raise Stopped(failure(f"unexpected error, please report it: {what}", "DBF-9001")) from None

    # -- onward

    @property
    def _items(self) -> list[Item]:
        """All items in order; for each phase: the hook before it, its announcement, its parts, the hook after it.

        So the hooks between two phases follow each other, and one file of tasks contains them all.
        """
        phases = [phase for phase in self.book.phases if phase.name in self.run.selected]
        found: list[Item] = []
        for phase in phases:
            before, *parts = phase.all_parts()
            found += [(phase, part) for part in (before, None, *parts)]
        return found + [(END, part) for part in END.parts if phases and not self.book.quiet]

    def _onward(self, until: Optional[int]) -> dict[str, Any]:
        items, start = self._items, self.position
        while self.position < len(items):
            phase, part = items[self.position]
            if self.position == until if until is not None else self._stops(items, start):
                break
            if part is None:
                self._announce(phase)
                self._write_journal()
            elif not isinstance(part, Hook) and phase.due(self.run):
                part(self.run)
                self._begun = {}
            self.position += 1
        if self.position == len(items):
            end = self._end()
            return {**self._told(), **end, "more": False}
        if self._is_hook(items, self.position):
            self._begin(items[self.position][0])
        path = None if until is not None else hooks.gap(self._gap(items))
        coming = self._hooks_at(items)
        if coming:
            # The strategy host_pinned shows the name of a hook's task only after the task has ended.
            self.run.say(f"hooks: {coming}")
        self._write_journal(coming, found=True)
        return {**self._told(), **({"gap": path, "more": True} if path else {})}

    def _stops(self, items: list[Item], start: int) -> bool:
        """Whether the run stops here for the user: for a hook, or for the question of C(--step)."""
        phase, part = items[self.position]
        hooked = isinstance(part, Hook) and self._is_given(phase, part) and part.due(self.run)
        return hooked or self._asks(items, self.position, start)

    @staticmethod
    def _asks(items: list[Item], index: int, start: int) -> bool:
        """Whether C(--step) asks here: it asks where a phase begins, except the phase with which the task begins."""
        begins = index > start and items[index][0] not in (items[index - 1][0], END)
        return begins and bool(context.CLIARGS.get("step"))

    def _gap(self, items: list[Item]) -> list[dict[str, Any]]:
        """The next tasks: hooks, each followed by this action, up to a hook that only the run itself can decide on."""
        steps: list[dict[str, Any]] = []
        here = self.position
        while True:
            after = here
            given: list[tuple[str, str]] = []
            while here < len(items) and self._is_hook(items, here) and (here == after or not self._late(items, here)):
                given += self._paths(items[here][1])
                here += 1
            if given:
                steps.append(hooks.imported(given, self.book.product))
            following = self._next_stop(items, here)
            late = following is None or self._late(items, following)
            steps.append(self._on(items, after, here, None if late else following))
            if following is None:
                return steps
            if late:
                return [*steps, self._more()]
            here = following

    def _paths(self, part: Optional[Part]) -> list[tuple[str, str]]:
        return [(part.name, path) for path in self.run.files[part.name]] if isinstance(part, Hook) else []

    def _is_hook(self, items: list[Item], index: int) -> bool:
        phase, part = items[index]
        return isinstance(part, Hook) and self._is_given(phase, part)

    def _is_given(self, phase: Phase, hook: Hook) -> bool:
        return self.run.has_hooks(hook.name) and phase.due(self.run)

    @staticmethod
    def _late(items: list[Item], index: int) -> bool:
        part = items[index][1]
        return isinstance(part, Hook) and part.late

    def _next_stop(self, items: list[Item], start: int) -> Optional[int]:
        stops = (self._is_hook(items, index) or self._asks(items, index, start) for index in range(start, len(items)))
        return next((start + count for count, stop in enumerate(stops) if stop), None)

    def _on(self, items: list[Item], after: int, start: int, until: Optional[int]) -> dict[str, Any]:
        """The task that continues the runbook."""
        ahead = items[start][0] if start < len(items) else END
        name = "The end" if ahead is END else f"{self.book.title(ahead)}, and on"
        given = {"name": self.book.name, "step": "further", "after": after, "start": start}
        given.update({} if until is None else {"until": until})
        return {"name": name, "dbfleet.cluster.runbook": given, "register": f"{self.book.name}_run"}

    def _more(self) -> dict[str, Any]:
        return {
            "name": "More hooks, and the phases after them",
            "ansible.builtin.include_tasks": {
                "file": f"{{{{ ({self.book.name}_run | default({{}})).gap | default('hooks') }}}}"
            },
            "when": f"{self.book.name}_run.more",
        }

    def _announce(self, phase: Phase) -> None:
        if not self.book.quiet:
            text = phase.text if isinstance(phase.text, str) else phase.text(self.run)
            self.run.say(f"{self.book.title(phase)}: {text}")
        self._begin(phase)

    def _begin(self, phase: Phase) -> None:
        """Notes the start of a phase. It starts with the hook before it."""
        if self.run.now() != phase.name:
            self.run.phases.append({"phase": phase.name, "began": time.time()})

    def _hooks_at(self, items: list[Item]) -> str:
        """The hooks that run next, in words."""
        row = takewhile(partial(self._is_hook, items), range(self.position, len(items)))
        names = [part.name for _phase, part in map(items.__getitem__, row) if isinstance(part, Hook)]
        return hooks.named({name: self.run.files[name] for name in names})

    def hear(self, steps: Optional[dict[str, list[str]]]) -> None:
        """Takes the steps of the running module that are under way; None if they can't be known."""
        self._begun = steps and Scrubber(self.run.secrets()).data(steps)
        self._write_journal(in_between=True)

    # -- results

    def _told(self) -> dict[str, Any]:
        run = self.run
        found: dict[str, Any] = {"changed": run.changed, "warnings": list(dict.fromkeys(run.warnings))}
        found.update({"diff": run.diffs} if run.diffs else {})
        state = {
            "position": self.position,
            "chosen": run.selected,
            "phases": run.phases,
            "found": run.results if run.check else {key: _without_forecast(row) for key, row in run.results.items()},
        }
        held = {"held": self.run.held} if self.run.held is not None else {}
        return {**found, **state, **held, **self._recorded()}

    def _recorded(self) -> dict[str, str]:
        """The path of the record of this run, for the worker that continues the run."""
        return {"record": self._recorder.path} if self._recorder else {}

    def _ended_by(self, stopped: Stopped) -> dict[str, Any]:
        """The result of the failed task. ansible-core shows all of it, so the results come with the end table."""
        scrub = Scrubber(self.run.secrets()).data
        stopped_by = scrub({**stopped.result, "msg": str(stopped.result.get("msg") or "a module failed")})
        self._cause = stopped_by["msg"]
        unkept = self._keep_plan(self._cause)
        self.run.warnings += [unkept["msg"]] if unkept else []
        self._write_journal(found=True)
        changed = self.run.changed or bool(stopped_by.get("changed"))
        told = {name: value for name, value in self._told().items() if name != "found"}
        # The sentence contains the refusals already.
        result = {name: value for name, value in stopped_by.items() if name != "refusals"}
        return {**result, **scrub(told), "changed": changed, "failed": True}

    def _end(self) -> dict[str, Any]:
        self.book.settle(self.run, {})
        self.book.conclude(self.run)
        unkept = self._keep_plan("")
        if unkept:
            self._is_through = True
            raise Stopped(unkept)
        plan_file.end(self.run)
        if not self._journal:
            return {}
        entry = self._entry("")
        if self._recorder:
            self._recorder.note(entry)
        result = ending.ended(entry, None)
        self._journal.close()
        return result

    def _entry(self, hooks_before: str) -> dict[str, Any]:
        return {
            **({"foreseen": forecast.of(self.run.results)} if self.run.check else {}),
            "runbook": self.book.name,
            "host": self.run.host,
            "play": self.run.play_id,
            "quiet": self.book.quiet,
            "check": self.run.check,
            "progress": progress.place_of(self.run.task_vars),
            "phases": self.run.phases,
            "through": self._is_through,
            "at": time.time(),
            "hooks": hooks_before,
            "begun": self._begun,
            "cause": self._cause,
            "resume": self._resume(tuple(self.book.resume(self.run)), frozenset(self.run.slips), self.run.secrets()),
            "stats": self.book.stats(self.run),
            **self._recorded(),
            "ends": {hook.name: self.run.files.get(hook.name, []) for hook in (ON_FAILURE, ALWAYS)},
            "changed": {phase: self._is_changed(phase) for phase in (one["phase"] for one in self.run.phases)},
        }

    def _is_changed(self, phase: str) -> bool:
        rows = [row for row in self.run.results.values() if row.get("phase") == phase]
        return any(row.get("changed") and not row.get("foreseen") for row in rows)

    @lru_cache(maxsize=4)  # noqa: B019 (a course ends with its worker)
    def _resume(self, settings: tuple[str, ...], slips: frozenset[str], secrets: tuple[str, ...]) -> str:
        """How to resume the run. The answer is kept, because it mostly stays the same."""
        scrub = Scrubber(secrets).text
        return resume.how(self.run.task_vars, self.book.name, self.run.host, settings, slips, scrub)

    def _write_journal(self, hooks_before: str = "", found: bool = False, in_between: bool = False) -> None:
        if not self._journal:
            return
        entry = self._entry(hooks_before)
        self._journal.write({**entry, **({"found": self.run.results} if found else {})})
        if self._recorder and in_between:
            self._recorder.note_now_and_then(entry)
        elif self._recorder:
            self._recorder.write(entry)


def _without_forecast(result: dict[str, Any]) -> dict[str, Any]:
    """A module's result without the part that only previews read: ansible-core processes all of it after each hook."""
    return {name: value for name, value in result.items() if name != "predicted"}
