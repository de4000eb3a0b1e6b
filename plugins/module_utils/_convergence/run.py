# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what is to what is wanted: plan, check mode, calls, waits, diff and result, for every module.

A module describes its objects in C(Stage): how one is read, and what is to be done about what was read. Everything
else happens here, the same way for all. Decisions are made anew after every reading, so an operation that is under way
is joined, a call whose answer was lost is repeated only after a look, and a killed run is completed by the next.
"""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import asdict, dataclass, field, is_dataclass
from functools import partial
from typing import Any, Callable, Optional

from .._errors import (
    AnswerLost,
    ClusterError,
    Denied,
    Failed,
    Fault,
    Garbled,
    Refused,
    TimedOut,
    Unreachable,
    Untrusted,
)
from .._task import Task, after
from .._wording import joined, listing
from .pace import Pace, progress
from .stage import Act, Decision, Done, Fail, History, Settings, Stage, Wait
from .workers import HUNG, Pool

SETTLE = 5.0
"""Seconds that a state must stay unchanged before a call whose answer was lost is sent again."""

SENDS = 2
"""How often one call is sent at most, counting the one whose answer was lost."""


@dataclass
class ObjectRun:
    """One object's way through a stage.

    :param joined: it was on its way before anything was sent, and was waited for.
    """

    name: str
    before: Any = None
    state: Any = None
    decision: Decision = field(default_factory=Done)
    history: History = field(default_factory=History)
    reading: bool = False
    stale: bool = False
    calling: bool = False
    sent: dict[str, int] = field(default_factory=dict)
    sent_at: float = 0.0
    unchanged_since: float = 0.0
    lost: str = ""
    fault: Optional[Fault] = None
    moved: bool = False
    trouble: str = ""
    good_since: Optional[float] = None
    finished: bool = False
    joined: bool = False
    steps: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_half_way(self) -> bool:
        """Whether another step has to follow."""
        return bool(getattr(self.decision, "then", ()))


def _plain(courses: list[ObjectRun]) -> Any:
    """The states as plain data: one, or by name."""
    states = {course.name: _data(course.state) for course in courses}
    return states if len(states) > 1 else next(iter(states.values()))


def _data(state: Any) -> Any:
    """A state as a result may hold it; ansible-core refuses to show objects."""
    if hasattr(state, "as_dict"):
        return state.as_dict()
    return asdict(state) if is_dataclass(state) and not isinstance(state, type) else state


def _is_no(error: Optional[Exception]) -> bool:
    """Whether it tells that a call did nothing: the server refused it, or it was never sent."""
    unknown = (AnswerLost, Garbled, Failed, TimedOut)
    return isinstance(error, ClusterError) and not error.partly and (error.unsent or not isinstance(error, unknown))


def has_changed(steps: list[dict[str, Any]]) -> bool:
    """Whether these steps changed something: one that is C(refused) didn't."""
    return any(not step.get("refused") for step in steps)


class Converge:
    """One module's run over its stages."""

    def __init__(
        self, task: Task, cluster: str, settings: Settings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._task = task
        self._cluster = cluster
        self._settings = settings
        self._clock = clock
        self._courses: list[tuple[Stage, list[ObjectRun]]] = []
        self._guarded: set[tuple[int, str]] = set()
        self._together: dict[str, tuple[Callable[[list[str]], Any], list[ObjectRun]]] = {}

    def run(self, stages: list[Stage]) -> dict[str, Any]:
        """Takes all stages to their end, one after another.

        :returns: C(changed), C(joined), C(diff), C(steps), C(states) (name -> state at the end, or predicted).
        :raises ClusterError: with what was done so far in its C(result).
        """
        try:
            self._observe([stage for stage in stages if stage.names])
            if self._task.check_mode:
                self._preview()
            else:
                for number, (stage, courses) in enumerate(self._courses, 1):
                    self._carry_out(stage, courses, last=number == len(self._courses))
        except ClusterError as error:
            error.result = {**self._result(), **error.result}
            error.message += after(self._surely_done())
            raise
        return self._result()

    def _surely_done(self) -> list[dict[str, Any]]:
        """The steps that this run need not be asked about again: of the last of an object on its way nobody knows."""
        every = [course for _stage, courses in self._courses for course in courses]
        ended = [step for course in every for step in (course.steps if course.finished else course.steps[:-1])]
        return [step for step in ended if not self._task.check_mode and not step.get("refused")]

    def _observe(self, stages: list[Stage]) -> None:
        for stage in stages:
            states = stage.look(stage.names)
            courses = [ObjectRun(name, state, state, history=History(state)) for name, state in states.items()]
            for course in courses:
                course.decision = stage.decide(course.name, course.state, course.history)
            self._courses.append((stage, courses))
        self._refuse_all_at_once()
        first = next((pair for pair in self._courses if any(isinstance(c.decision, Act) for c in pair[1])), None)
        if first and first is self._courses[0] and first[0].guard:
            self._guard(first[0].guard)
            self._guarded |= {(id(first[0]), c.decision.name) for c in first[1] if isinstance(c.decision, Act)}
        self._show_plan()

    def _guard(self, guard: Callable[[], None]) -> None:
        try:
            guard()
        except Refused as refusal:
            # An earlier task of the run that was left out may be what clears it.
            if not self._task.check_mode or self._task.params.get("assume"):
                raise
            self._task.warn(f"would be refused as things are: {refusal}")

    def _refuse_all_at_once(self) -> None:
        every = [course for _stage, courses in self._courses for course in courses]
        bad = [(course, course.decision) for course in every if isinstance(course.decision, Fail)]
        if not bad:
            return
        says = dict.fromkeys(f"{course.name}: {fail.why}" for course, fail in bad)  # two stages may say the same
        raise Refused(
            f"{self._cluster}: " + "; ".join(says),
            hint=joined(fail.hint for _course, fail in bad),
            failed_object=" ".join(dict.fromkeys(course.name for course, _fail in bad)),
            last_state=_plain([course for course, _fail in bad]),
        )

    def _show_plan(self) -> None:
        for stage, courses in self._courses:
            acts: dict[str, list[str]] = {}
            for course in courses:
                decision = course.decision
                if not isinstance(decision, (Act, Wait)):
                    continue
                later = "".join(f", then {step}" for step in decision.then)
                if isinstance(decision, Act):
                    key = f"{decision.name}{later} ({stage.words(course.state)} -> {stage.done})"
                else:
                    key = f"wait: {decision.why}{later}"
                acts.setdefault(key, []).append(course.name)
            for key, names in acts.items():
                would = "would " if self._task.check_mode else ""
                self._say(f"{stage.noun}: {would}{key}: {listing(names)}")

    def _preview(self) -> None:
        for stage, courses in self._courses:
            for course in courses:
                decision = course.decision
                if isinstance(decision, (Act, Wait)):
                    first = (decision.name,) if isinstance(decision, Act) else ()
                    for step in (*first, *decision.then):
                        self._note(stage, course, step)
                    course.state = stage.target(course.name, course.state)

    def _note(self, stage: Stage, course: ObjectRun, act: str) -> None:
        course.steps.append(
            {"object": course.name, "step": act, "from": stage.words(course.state), "to": stage.done, "seconds": 0.0}
        )

    # -- carrying it out ------------------------------------------------------------------------------------------

    def _carry_out(self, stage: Stage, courses: list[ObjectRun], last: bool) -> None:
        later = stage is not self._courses[0][0]
        if later:
            self._look_again(stage, courses)
        stable = max(self._settings.stable, stage.steady)
        pace = Pace(self._settings.timeout, stable, self._settings.heartbeat, stage.poll, self._clock)
        pool = Pool()
        try:
            for course in courses:
                self._advance(stage, course, pool, pace)
            self._send_together(pool)
            if later and any(isinstance(course.decision, Wait) for course in courses):
                self._show(stage, courses, pace)  # the plan was made before there was this to wait for
            if last and not self._settings.wait:
                self._only_send(stage, courses, pool, pace)
            else:
                self._wait(stage, courses, pool, pace)
        finally:
            pool.close()

    @staticmethod
    def _look_again(stage: Stage, courses: list[ObjectRun]) -> None:
        """What was seen of a later stage when the run began is old by now."""
        states = stage.look([course.name for course in courses])
        for course in courses:
            course.state = states[course.name]
            course.decision = stage.decide(course.name, course.state, course.history)

    def _only_send(self, stage: Stage, courses: list[ObjectRun], pool: Pool, pace: Pace) -> None:
        if any(course.is_half_way for course in courses):
            self._wait(stage, courses, pool, pace, lambda course: not course.is_half_way)
        while any(course.calling for course in courses):
            self._take(stage, courses, pool, pace, max(0.0, min(1.0, pace.left())))
            if any(course.calling for course in courses):
                self._check_deadline(stage, [course for course in courses if course.calling], pace)
        for course in courses:
            if course.fault or course.lost:
                raise course.fault or Failed(course.lost, failed_object=course.name, last_state=_plain([course]))

    def _wait(
        self,
        stage: Stage,
        courses: list[ObjectRun],
        pool: Pool,
        pace: Pace,
        enough: Callable[[ObjectRun], bool] = lambda course: course.finished,
    ) -> None:
        shown = self._picture(courses)
        look_at, look_began, cost = self._clock() + pace.interval(), None, 0.0
        following: Optional[threading.Event] = threading.Event() if stage.follow else None
        while not all(enough(course) for course in courses):
            self._check_deadline(stage, [course for course in courses if not enough(course)], pace)
            now = self._clock()
            if look_began is None and now >= look_at:
                look_began = now
                self._follow(stage, pool, following)
                self._ask(stage, [c for c in courses if not c.finished and not c.reading], pool)
            rest = look_at - now if look_began is None else HUNG
            self._take(stage, courses, pool, pace, max(0.0, min(rest, pace.until_heartbeat(), pace.left())))
            if look_began is not None and self._look_is_over(courses, self._clock() - look_began):
                cost = self._clock() - look_began
                if cost >= HUNG:
                    pool.spread()
                look_at, look_began = self._clock() + self._rest(courses, pace, cost), None
            picture = self._picture(courses)
            over = all(enough(course) for course in courses)
            if not over and ((look_began is None and picture != shown) or pace.until_heartbeat() <= 0):
                shown = picture
                self._show(stage, courses, pace)
        if any(course.history.acted or course.history.joined for course in courses):
            if stage.follow:
                self._last_news(stage, stage.follow)
            self._show(stage, courses, pace)

    @staticmethod
    def _rest(courses: list[ObjectRun], pace: Pace, cost: float) -> float:
        """Seconds until the next look: soon, where a lost answer has to be cleared up."""
        usual = pace.interval(cost)
        unclear = any(course.lost and not course.finished for course in courses)
        return max(cost, min(usual, pace.poll.first)) if unclear else usual

    @staticmethod
    def _ask(stage: Stage, courses: list[ObjectRun], pool: Pool) -> None:
        for course in courses:
            course.reading = True
        if stage.read_all and courses:
            pool.submit(("look", courses), partial(stage.read_all, [course.name for course in courses]))
            return
        for course in courses:
            pool.submit(("read", course), partial(stage.one, course.name))

    @staticmethod
    def _look_is_over(courses: list[ObjectRun], seconds: float) -> bool:
        return seconds >= HUNG or not any(course.reading for course in courses)

    def _follow(self, stage: Stage, pool: Pool, busy: Optional[threading.Event]) -> None:
        if stage.follow is None or busy is None or busy.is_set():
            return
        follow = stage.follow
        busy.set()

        def work() -> list[str]:
            try:
                return follow()
            finally:
                busy.clear()

        pool.submit(("follow", None), work)

    def _last_news(self, stage: Stage, follow: Callable[[], list[str]]) -> None:
        """What the server wrote up to the end, but for no longer than a moment."""
        pool = Pool()
        try:
            pool.submit(None, follow)
            _tag, lines, error = pool.answers.get(timeout=SETTLE)
            for line in [] if error else lines:
                self._say(f"{stage.noun}: {line}")
        except queue.Empty:
            self._task.warn(f"{self._cluster}: {stage.noun}: the server's last messages did not come")
        finally:
            pool.close()

    def _take(self, stage: Stage, courses: list[ObjectRun], pool: Pool, pace: Pace, timeout: float) -> None:
        """Takes the answers that are there, after at most so many seconds."""
        try:
            answer = pool.answers.get(timeout=timeout) if timeout > 0 else pool.answers.get_nowait()
        except queue.Empty:
            return
        while True:
            (kind, course), value, error = answer
            if kind == "read":
                self._on_read(stage, course, value, error, pool, pace)
            elif kind == "look":
                if error is None:
                    for one in course:  # of all, before one of them fails the run: part of them may be done
                        self._saw(one, value[one.name])
                for one in course:
                    self._on_read(stage, one, None if error else value[one.name], error, pool, pace)
            elif kind == "call":
                for one in course:  # each, before it fails the run: none of them is a change
                    self._on_answer(one, error)
                if error is not None and not isinstance(error, (AnswerLost, Fault)):
                    raise error
            elif error is None:
                for line in value:
                    pace.line_shown()
                    self._say(f"{stage.noun}: {line}")
            elif isinstance(error, (Denied, Fault)):
                stage.follow = None
                self._task.warn(f"{error}; its messages are not shown")
            try:
                answer = pool.answers.get_nowait()
            except queue.Empty:
                break
        self._send_together(pool)

    def _send_together(self, pool: Pool) -> None:
        for call, courses in self._together.values():
            pool.submit(("call", courses), partial(call, [course.name for course in courses]))
        self._together = {}

    def _saw(self, course: ObjectRun, state: Any) -> None:
        if state != course.state:
            course.unchanged_since = self._clock()
        course.state = state

    def _on_answer(self, course: ObjectRun, error: Optional[Exception]) -> None:
        course.calling, course.stale = False, course.reading
        if _is_no(error) and course.sent[course.history.acted[-1]] == 1:  # of a second sending, the first may be done
            course.steps[-1]["refused"] = True
        if isinstance(error, AnswerLost):
            course.lost, course.unchanged_since = error.message, self._clock()
        elif isinstance(error, Fault):
            course.fault = error

    def _on_read(
        self, stage: Stage, course: ObjectRun, state: Any, error: Optional[Exception], pool: Pool, pace: Pace
    ) -> None:
        stale, course.reading, course.stale = course.stale, False, False
        if isinstance(error, (Unreachable, Garbled, Untrusted, Fault)):
            course.trouble = error.message
            course.good_since = None
            return
        if error is not None:
            raise error
        self._saw(course, state)
        course.trouble = ""
        course.decision = stage.decide(course.name, state, course.history)
        if stale and isinstance(course.decision, Act):
            return  # it was asked before the call's answer came, so it can't tell what the call did
        self._advance(stage, course, pool, pace)

    def _advance(self, stage: Stage, course: ObjectRun, pool: Pool, pace: Pace) -> None:
        """Does what the decision about the last reading asks for."""
        decision = course.decision
        if isinstance(decision, Done):
            now = self._clock()
            if course.calling and now - course.sent_at < SETTLE:
                return  # another may have done it, and what we have sent be carried out after that
            course.good_since = now if course.good_since is None else course.good_since
            course.finished = now - course.good_since >= pace.stable or not (
                course.history.acted or course.history.joined
            )
            if course.finished and course.steps:
                course.steps[-1]["seconds"] = round(now - course.sent_at, 3)
            return
        course.good_since = None
        if isinstance(decision, Wait):
            course.history.joined = True
            course.joined = course.joined or not (course.history.acted or decision.by_this_run)
            course.moved = course.moved or bool(course.history.acted)
        elif isinstance(decision, Fail):
            raise Failed(
                f"{self._cluster}: {course.name}: {decision.why}{self._cause(stage, course)}",
                hint=decision.hint,
                failed_object=course.name,
                last_state=_plain([course]),
            )
        elif isinstance(decision, Act) and not course.calling:
            self._act(stage, course, decision, pool)

    def _act(self, stage: Stage, course: ObjectRun, act: Act, pool: Pool) -> None:
        sent = course.sent.get(act.name, 0)
        if sent and course.fault:
            fault = course.fault
            fault.failed_object, fault.last_state = course.name, _plain([course])
            cause = self._cause(stage, course)
            fault.message += "" if cause.rpartition("; the server says: ")[2] in fault.message else cause
            raise fault
        if sent and not course.lost:
            back = stage.falls_back and course.moved
            if back or self._clock() - course.sent_at >= SETTLE:
                cause = self._cause(stage, course)
                if (back or cause) and not course.lost:
                    raise self._fell_back(stage, course, act, cause)
            return
        if sent and self._clock() - course.unchanged_since < SETTLE:
            return
        if sent >= SENDS:
            raise Failed(
                f"{course.lost}; it was sent {sent} times and {course.name} is still {stage.words(course.state)}",
                failed_object=course.name,
                last_state=_plain([course]),
            )
        if not self._is_safe(stage, course, act, again=bool(sent)):
            return
        if sent:
            self._say(
                f"{stage.noun}: {act.name} of {course.name} is sent again: its answer was lost and nothing has changed"
            )
        else:
            self._note(stage, course, act.name)
            course.history.acted.append(act.name)
        course.sent[act.name] = sent + 1
        course.calling, course.lost, course.fault, course.moved = True, "", None, False
        course.sent_at = self._clock()
        if act.together:
            self._together.setdefault(act.name, (act.together, []))[1].append(course)
        else:
            pool.submit(("call", [course]), act.call)

    def _is_safe(self, stage: Stage, course: ObjectRun, act: Act, again: bool) -> bool:
        """Runs the guard before the first call of each name, however late: what was joined at first needs it too."""
        key = (id(stage), act.name)
        if stage.guard and (again or key not in self._guarded):
            try:
                stage.guard()
            except (Unreachable, Garbled) as error:
                course.trouble = error.message
                return False
            self._guarded.add(key)
        return True

    def _fell_back(self, stage: Stage, course: ObjectRun, act: Act, cause: str) -> Failed:
        return Failed(
            f"{self._cluster}: {course.name}: {act.name} was accepted, but it is {stage.words(course.state)} again"
            f"{cause}",
            failed_object=course.name,
            last_state=_plain([course]),
        )

    def _cause(self, stage: Stage, course: ObjectRun) -> str:
        """What the server says of the cause, as an appendix to a sentence."""
        return self._causes(stage, [course]).get(course.name, "")

    def _causes(self, stage: Stage, courses: list[ObjectRun]) -> dict[str, str]:
        """The same for several, by name. Asked in threads, so that a dead server holds it up but for a moment.

        It may turn out that what was accepted was lost after all: then it is sent again, as any lost call.
        """
        said: dict[str, str] = {}
        if stage.causes is None:
            return said
        pool, until = Pool(), self._clock() + SETTLE
        try:
            for course in courses:
                pool.submit(course.name, partial(stage.causes, course.name))
            while len(said) < len(courses):
                name, text, error = pool.answers.get(timeout=max(0.0, until - self._clock()))
                said[name] = f"; the server says: {text}" if text and not error else ""
                if isinstance(error, AnswerLost):
                    course = next(course for course in courses if course.name == name)
                    course.lost, course.unchanged_since = error.message, self._clock()
        except queue.Empty:
            pass
        finally:
            pool.close()
        return said

    def _check_deadline(self, stage: Stage, courses: list[ObjectRun], pace: Pace) -> None:
        if pace.left() > 0:
            return
        late = [course for course in courses if not course.finished]
        causes = self._causes(stage, late[:8])
        states = "; ".join(f"{c.name} is {self._status(stage, c)}{causes.get(c.name, '')}" for c in late[:8])
        more = f" and {len(late) - 8} more" if len(late) > 8 else ""
        raise TimedOut(
            f"{self._cluster}: {stage.noun}: not {stage.done} after {self._settings.timeout:g} s: {states}{more}",
            hint="run it again to go on from here; wait_timeout sets how long is waited",
            failed_object=" ".join(c.name for c in late),
            last_state=_plain(late),
        )

    # -- what is said and returned --------------------------------------------------------------------------------

    def _status(self, stage: Stage, course: ObjectRun) -> str:
        words = course.decision.why if isinstance(course.decision, Wait) else stage.words(course.state)
        words = f"{words}, must stay so" if isinstance(course.decision, Done) else words
        lost = "" if isinstance(course.decision, Wait) else course.lost  # under way, so it was carried out
        trouble = course.trouble or lost or (course.fault.message if course.fault else "")
        return f"{words}; {trouble}" if trouble else words

    @staticmethod
    def _picture(courses: list[ObjectRun]) -> list[tuple[bool, str, str]]:
        return [(course.finished, repr(course.state), course.trouble or course.lost) for course in courses]

    def _show(self, stage: Stage, courses: list[ObjectRun], pace: Pace) -> None:
        waiting = {c.name: self._status(stage, c) for c in courses if not c.finished}
        pace.line_shown()
        self._say(progress(stage.noun, pace, len(courses) - len(waiting), waiting, stage.done))

    def _say(self, line: str) -> None:
        self._task.say(f"[{self._cluster}] {line}")

    def _result(self) -> dict[str, Any]:
        every = [(stage, course) for stage, courses in self._courses for course in courses]
        steps = [step for _stage, course in every for step in course.steps]
        touched = [(stage, course) for stage, course in every if course.steps]
        for stage, course in touched:
            if course.steps[-1].get("refused") and stage.words(course.state) != course.steps[-1]["from"]:
                del course.steps[-1]["refused"]  # part of it was done, or another has done it
        result = {
            "changed": has_changed(steps),
            "joined": any(course.joined for _stage, course in every),
            "steps": steps,
            "states": {course.name: course.state for _stage, course in every},
        }
        result["diff"] = {
            "before": {course.name: stage.words(course.before) for stage, course in touched},
            "after": {course.name: stage.words(course.state) for stage, course in touched},
        }
        return result
