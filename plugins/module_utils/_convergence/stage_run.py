# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carries out one stage: calls, looks, waits, lost answers, and the deadline.

Decisions are made anew after every reading. So a run joins an operation that is under way, and repeats a call whose
answer was lost only after a look.
"""

from __future__ import annotations

import queue
import threading
from functools import partial
from typing import Any, Callable, Optional

from .._errors import AnswerLost, Denied, Failed, Fault, Garbled, TimedOut, Unreachable, Untrusted
from .._task import Task
from .._timeline import CALL, FAULT, RETRY
from .approved import refuse_unapproved
from .object_run import ObjectRun, is_no, plain
from .pace import TURN, Pace, progress
from .stage import Act, Done, Fail, History, Settings, Stage, Together, Wait
from .workers import HUNG, Pool

SETTLE = 5.0
"""Seconds without a change of state after which a call whose answer was lost is sent again."""

AGAIN = 30.0
"""Seconds after which a finished object is read again, while the run waits for others."""

MORE = 600.0
"""Fewest seconds that a wait goes on after an object of it made progress, if nobody can foresee its end."""

STEP = 0.0005
"""The smallest progress that counts for this, so that the wait has an end."""

SENDS = 2
"""How many times one call is sent at most, including the one whose answer was lost."""


class StageRun:
    """A stage and the courses of its objects.

    :param task: gets lines, warnings and marks.
    :param cluster: the name at the beginning of messages.
    :param clock: monotonic.
    """

    _pool: Pool
    _pace: Pace

    def __init__(self, task: Task, cluster: str, settings: Settings, clock: Callable[[], float], stage: Stage) -> None:
        self.stage = stage
        self.objects: list[ObjectRun] = []
        self._task, self._cluster, self._settings, self._clock = task, cluster, settings, clock
        self._follow = stage.follow
        self._guarded: dict[str, float] = {}
        self._together: dict[str, tuple[Callable[[list[str]], Any], list[ObjectRun]]] = {}
        self._untold = False

    def observe(self) -> None:
        """Reads the objects for the first time, and decides."""
        states = self.stage.look(self.stage.names)
        self.objects = [ObjectRun(name, state, state, history=History(state)) for name, state in states.items()]
        for one in self.objects:
            self._decide(one)

    @property
    def acts(self) -> list[str]:
        """The steps that are due now."""
        return [one.decision.name for one in self.objects if isinstance(one.decision, Act)]

    def guarded(self) -> None:
        """Notes that the guard passed for the steps that are due now."""
        self._guarded.update(dict.fromkeys(self.acts, self._clock()))

    def note(self, one: ObjectRun, act: str) -> None:
        """Records a step of an object, with its present state."""
        state, done = self.stage.words(one.state), self.stage.done
        one.steps.append({"object": one.name, "step": act, "from": state, "to": done, "seconds": 0.0})

    def carry_out(self, later: bool, last: bool) -> None:
        """Takes the objects to the stage's end.

        :param later: whether other stages came before, so that the first look at this one is old.
        :param last: whether no stage follows, so that without `wait` the calls are only sent.
        :raises ClusterError: an object can't reach the end state, or doesn't in time.
        """
        if later:
            self._look_again()
            refuse_unapproved(self._task, self._cluster, self.objects)
        stable = max(self._settings.stable, self.stage.steady)
        self._pace = Pace(self._settings.timeout, stable, self._settings.heartbeat, self.stage.poll, self._clock)
        self._pool = Pool()
        try:
            for one in self.objects:
                self._advance(one)
            self._send_together()
            if later and any(isinstance(one.decision, Wait) for one in self.objects):
                self._show()  # when the plan was shown, there was nothing to wait for
            if last and not self._settings.wait:
                self._only_send()
            else:
                self._wait()
        finally:
            self._pool.close()

    def _look_again(self) -> None:
        """Reads the objects of a later stage again, because its first look is old."""
        states = self.stage.look([one.name for one in self.objects])
        for one in self.objects:
            if states[one.name] != one.state:
                one.state, one.unchanged_since = states[one.name], self._clock()
            self._decide(one)

    def _decide(self, one: ObjectRun) -> None:
        one.decision = self.stage.decide(one.name, one.state, one.history)
        one.read_at = self._clock()
        if isinstance(one.decision, Wait) and one.decision.against and not one.history.acted:
            one.opposed = True
        if self._task.timeline:
            self._task.timeline.saw(self.stage.noun, one.name, one.how, self.stage.words(one.state))

    def _mark(self, one: ObjectRun, kind: str, why: str) -> None:
        if self._task.timeline:
            self._task.timeline.mark(self.stage.noun, one.name, kind, why)

    def _only_send(self) -> None:
        if any(one.is_half_way for one in self.objects):
            self._wait(lambda one: not one.is_half_way)
        while any(one.calling for one in self.objects):
            self._take(max(0.0, min(1.0, self._pace.left())))
            if any(one.calling for one in self.objects):
                self._check_deadline([one for one in self.objects if one.calling])
        for one in self.objects:
            if one.fault or one.lost:
                lost = Failed(one.lost, failed_object=one.name, last_state=plain([one]), number=one.lost_number)
                raise one.fault or lost

    def _wait(self, enough: Callable[[ObjectRun], bool] = lambda one: one.finished) -> None:
        shown = self._picture()
        look_at, look_began, cost = self._clock() + self._pace.interval(), None, 0.0
        following: Optional[threading.Event] = threading.Event() if self._follow else None
        while not all(enough(one) for one in self.objects) or self._wants_last_look():
            self._check_deadline([one for one in self.objects if not enough(one)])
            now = self._clock()
            look_at = now if self._wants_last_look() else look_at
            if look_began is None and now >= look_at:
                look_began = now
                self._ask_for_news(following)
                in_passing = isinstance(self.stage.read, Together) or self._wants_last_look()
                oldest = now - (SETTLE if in_passing else AGAIN)
                self._ask([one for one in self.objects if not one.reading and not one.is_fresh(oldest)])
            rest = look_at - now if look_began is None else HUNG
            rest = max(0.0, min(rest, self._pace.until_heartbeat(), self._pace.left()))
            self._take(rest)
            if self._pace.rested(now, rest):
                look_at = now
            if self._is_unclear():
                look_at = min(look_at, self._clock() + self._pace.poll.first)
            if look_began is not None and self._look_is_over(self._clock() - look_began):
                cost = self._clock() - look_began
                if cost >= HUNG:
                    self._pool.spread()
                look_at, look_began = self._clock() + self._rest(cost), None
            picture = self._picture()
            over = all(enough(one) for one in self.objects)
            if not over and ((look_began is None and picture != shown) or self._pace.until_heartbeat() <= 0):
                shown = picture
                self._show()
        if any(one.history.acted or one.history.joined for one in self.objects):
            if self._follow:
                self._last_news(self._follow)
            self._show()

    def _wants_last_look(self) -> bool:
        """Whether all objects are finished, but some were read so long ago that somebody may have changed them."""
        old = self._clock() - SETTLE
        is_due = all(one.finished for one in self.objects) and any(one.read_at < old for one in self.objects)
        return is_due and self._pace.left() > 0

    def _rest(self, cost: float) -> float:
        """Seconds until the next look; few if a look must clear up a lost answer."""
        usual = self._pace.interval(cost)
        return max(cost, min(usual, self._pace.poll.first)) if self._is_unclear() else usual

    def _is_unclear(self) -> bool:
        return any(one.lost and not one.finished for one in self.objects)

    def _ask(self, objects: list[ObjectRun]) -> None:
        for one in objects:
            one.reading = True
        if isinstance(self.stage.read, Together) and objects:
            self._pool.submit(("look", objects), partial(self.stage.look, [one.name for one in objects]))
            return
        for one in objects:
            self._pool.submit(("read", one), partial(self.stage.one, one.name))

    def _look_is_over(self, seconds: float) -> bool:
        return seconds >= HUNG or not any(one.reading for one in self.objects)

    def _ask_for_news(self, busy: Optional[threading.Event]) -> None:
        if self._follow is None or busy is None or busy.is_set():
            return
        follow = self._follow
        busy.set()

        def work() -> list[str]:
            try:
                return follow()
            finally:
                busy.clear()

        self._pool.submit(("follow", None), work)

    def _last_news(self, follow: Callable[[], list[str]]) -> None:
        """Shows what the server wrote up to the end. Waits only a moment for it."""
        pool = Pool()
        try:
            pool.submit(None, follow)
            _tag, lines, error = pool.answers.get(timeout=SETTLE)
            for line in [] if error else lines:
                self._say(f"{self.stage.noun}: {line}")
        except queue.Empty:
            self._task.warn(f"{self._cluster}: {self.stage.noun}: the server's last messages did not arrive")
        finally:
            pool.close()

    def _take(self, timeout: float) -> None:
        """Handles the answers that have come. Waits at most so many seconds for the first."""
        try:
            answer = self._pool.answers.get(timeout=timeout) if timeout > 0 else self._pool.answers.get_nowait()
        except queue.Empty:
            return
        while True:
            (kind, about), value, error = answer
            if kind == "read":
                self._on_read(about, value, error)
            elif kind == "look":
                if error is None:
                    for one in about:  # all, before one fails the run: some may be done
                        self._saw(one, value[one.name])
                for one in about:
                    self._on_read(one, None if error else value[one.name], error)
            elif kind == "call":
                for one in about:  # each, before the error fails the run: no call was a change
                    self._on_answer(one, error)
                if error is not None and not isinstance(error, (AnswerLost, Fault)):
                    raise error
            elif error is None:
                for line in value:
                    self._pace.line_shown()
                    self._say(f"{self.stage.noun}: {line}")
            elif isinstance(error, (Denied, Fault)):
                self._follow = None
                self._task.warn(f"{error}; the server's messages are not shown")
            try:
                answer = self._pool.answers.get_nowait()
            except queue.Empty:
                break
        self._send_together()

    def _send_together(self) -> None:
        for call, objects in self._together.values():
            self._pool.submit(("call", objects), partial(call, [one.name for one in objects]))
        self._together = {}
        if self._untold:
            self._untold = False
            self._task.under_way(self._under_way())

    def _under_way(self) -> dict[str, list[str]]:
        """The last step of each object that hasn't reached the end state. Earlier stages are over."""
        found: dict[str, list[str]] = {}
        for one in self.objects:
            if one.steps and not (one.finished or one.steps[-1].get("refused")):
                found.setdefault(one.steps[-1]["step"], []).append(one.name)
        return found

    def _saw(self, one: ObjectRun, state: Any) -> None:
        if state != one.state:
            one.unchanged_since = self._clock()
        one.state = state
        way = self.stage.way(state)
        if way is not None and way >= one.way + STEP:
            one.way = way
            self._pace.extend(MORE)

    def _on_answer(self, one: ObjectRun, error: Optional[Exception]) -> None:
        one.calling, one.stale = False, one.reading
        if is_no(error) and one.sent[one.history.acted[-1]] == 1:  # if sent twice, the first may be done
            one.steps[-1]["refused"] = True
        one.history.unsure = isinstance(error, (AnswerLost, Fault))
        if error is not None:
            self._mark(one, FAULT, str(error))
        if isinstance(error, AnswerLost):
            since = max(one.unchanged_since, one.sent_at if one.shows_at_once else self._clock())
            one.lost, one.lost_number, one.unchanged_since = error.message, error.number, since
            if error.unsent and not error.partly:
                self._take_back(one)
        elif isinstance(error, Fault):
            one.fault = error

    @staticmethod
    def _take_back(one: ObjectRun) -> None:
        """Forgets a call that was never sent, so that the next look that needs it sends it."""
        act = one.history.acted[-1]
        one.sent[act] -= 1
        if not one.sent[act]:
            one.history.acted.pop()

    def _on_read(self, one: ObjectRun, state: Any, error: Optional[Exception]) -> None:
        stale, one.reading, one.stale = one.stale, False, False
        if isinstance(error, (Unreachable, Garbled, Untrusted, Fault)):
            if one.finished:  # this proves nothing about the object
                one.read_at = self._clock()
                return
            one.trouble = error.message
            one.good_since = None
            self._mark(one, FAULT, error.message)
            return
        if error is not None:
            raise error
        self._saw(one, state)
        one.trouble = ""
        self._decide(one)
        if one.finished:
            if isinstance(one.decision, Done):
                return
            one.finished, one.undone = False, True
        if stale and isinstance(one.decision, Act):
            return  # the read began before the call's answer, so it may lack the effect of the call
        self._advance(one)

    def _advance(self, one: ObjectRun) -> None:
        """Carries out the decision about the last reading."""
        decision = one.decision
        if isinstance(decision, Done):
            now = self._clock()
            if one.calling and now - one.sent_at < SETTLE:
                return  # somebody else may have done it, and our call may still be carried out
            one.good_since = now if one.good_since is None else one.good_since
            one.finished = now - one.good_since >= self._pace.stable or not (one.history.acted or one.history.joined)
            if one.finished and one.steps:
                one.steps[-1]["seconds"] = round(now - one.sent_at, 3)
            return
        one.good_since = None
        if one.undone and (isinstance(decision, Act) or (isinstance(decision, Wait) and decision.against)):
            raise self._undone(one)
        if isinstance(decision, Wait):
            one.history.joined = True
            one.joined = one.joined or not (one.history.acted or decision.by_this_run)
            one.moved = one.moved or bool(one.history.acted)
        elif isinstance(decision, Fail):
            if one.calling and self._clock() - one.sent_at < SETTLE:
                return  # the answer may contain the cause
            trouble = one.fault.message if one.fault else one.lost
            raise Failed(
                f"{self._cluster}: {one.name}: {decision.why}{self._cause(one)}{f'; {trouble}' if trouble else ''}",
                hint=decision.hint,
                failed_object=one.name,
                last_state=plain([one]),
                number=decision.number,
            )
        elif isinstance(decision, Act) and not one.calling:
            self._act(one, decision)

    def _act(self, one: ObjectRun, act: Act) -> None:
        refuse_unapproved(self._task, self._cluster, [one])
        sent = one.sent.get(act.name, 0)
        if sent and one.fault:
            fault = one.fault
            fault.failed_object, fault.last_state = one.name, plain([one])
            cause = self._cause(one)
            fault.message += "" if cause.rpartition("; the server says: ")[2] in fault.message else cause
            raise fault
        if sent and not one.lost:
            back = self.stage.falls_back and one.moved
            if back or self._clock() - one.sent_at >= SETTLE:
                cause = self._cause(one)
                if (back or cause) and not one.lost:
                    raise self._fell_back(one, act, cause)
            return
        if sent and self._clock() - one.unchanged_since < SETTLE:
            return
        if sent >= SENDS:
            raise Failed(
                f"{one.lost}; the call was sent {sent} times and {one.name} is still {self.stage.words(one.state)}",
                failed_object=one.name,
                last_state=plain([one]),
            )
        is_soon = one.opposed and not sent and self._clock() - one.unchanged_since < TURN
        if not self._is_safe(one, act, again=is_soon or bool(sent)) or is_soon:
            return
        self._mark(one, RETRY if sent else CALL, act.name)
        if sent:
            again = f"{act.name} of {one.name} is sent again"
            self._say(f"{self.stage.noun}: {again}: its answer was lost and nothing has changed")
        else:
            if one.steps and one.steps[-1]["step"] == act.name:
                one.steps.pop()  # it was recorded, and never sent
            self.note(one, act.name)
            one.history.acted.append(act.name)
            self._untold = True
        one.sent[act.name] = sent + 1
        one.calling, one.lost, one.fault, one.moved = True, "", None, False
        one.sent_at, one.shows_at_once = self._clock(), act.shows_at_once
        if act.together:
            self._together.setdefault(act.name, (act.together, []))[1].append(one)
        else:
            self._pool.submit(("call", [one]), act.call)

    def _is_safe(self, one: ObjectRun, act: Act, again: bool) -> bool:
        """Runs the guard before the first call of each step, and before calls of it that follow later."""
        passed = self._guarded.get(act.name)
        if self.stage.guard and (again or passed is None or self._clock() - passed >= SETTLE):
            try:
                self.stage.guard()
            except (Unreachable, Garbled) as error:
                one.trouble = error.message
                return False
            self._guarded[act.name] = self._clock()
        return True

    def _fell_back(self, one: ObjectRun, act: Act, cause: str) -> Failed:
        return Failed(
            f"{self._cluster}: {one.name}: {act.name} was accepted, but {one.name} is "
            f"{self.stage.words(one.state)} again{cause}",
            failed_object=one.name,
            last_state=plain([one]),
            number="DBF-5004",
        )

    def _undone(self, one: ObjectRun) -> Failed:
        return Failed(
            f"{self._cluster}: {one.name}: it was {self.stage.done} already; now it is {self.stage.words(one.state)}, "
            f"and not by this run{self._cause(one)}",
            hint="somebody else works on it, or it failed: find out which, then run it again",
            failed_object=one.name,
            last_state=plain([one]),
            number="DBF-5005",
        )

    def _cause(self, one: ObjectRun) -> str:
        """The server's reason, as the end of a sentence; empty if there is none."""
        return self._causes([one]).get(one.name, "")

    def _causes(self, objects: list[ObjectRun]) -> dict[str, str]:
        """The server's reasons by name, each as the end of a sentence.

        Threads ask for them, so that a dead server delays the run only for a moment. If the server turns out to have
        lost a call that it accepted, the call counts as one whose answer was lost, and is sent again.
        """
        said: dict[str, str] = {}
        if self.stage.causes is None:
            return said
        pool, until = Pool(), self._clock() + SETTLE
        try:
            for one in objects:
                pool.submit(one.name, partial(self.stage.causes, one.name))
            while len(said) < len(objects):
                name, text, error = pool.answers.get(timeout=max(0.0, until - self._clock()))
                said[name] = f"; the server says: {text}" if text and not error else ""
                if isinstance(error, AnswerLost):
                    one = next(one for one in objects if one.name == name)
                    one.lost, one.lost_number, one.unchanged_since = error.message, error.number, self._clock()
        except queue.Empty:
            pass
        finally:
            pool.close()
        return said

    def _check_deadline(self, objects: list[ObjectRun]) -> None:
        if self._pace.left() > 0:
            return
        late = [one for one in objects if not one.finished]
        causes = self._causes(late[:8])
        states = "; ".join(f"{one.name} is {self._status(one)}{causes.get(one.name, '')}" for one in late[:8])
        more, stage = f" and {len(late) - 8} more" if len(late) > 8 else "", self.stage
        raise TimedOut(
            f"{self._cluster}: {stage.noun}: {stage.unreached} after {self._pace.timeout:g} s: {states}{more}",
            hint="run it again to continue from here; wait_timeout sets how long it waits",
            failed_object=" ".join(one.name for one in late),
            last_state=plain(late),
        )

    def _status(self, one: ObjectRun) -> str:
        return one.status(self.stage.words(one.state))

    def _picture(self) -> list[tuple[bool, str, str]]:
        return [(one.finished, repr(one.state), one.trouble or one.lost) for one in self.objects]

    def _show(self) -> None:
        waiting = {one.name: self._status(one) for one in self.objects if not one.finished}
        self._pace.line_shown()
        self._say(progress(self.stage.noun, self._pace, len(self.objects) - len(waiting), waiting, self.stage.done))

    def _say(self, line: str) -> None:
        self._task.say(f"[{self._cluster}] {line}")
