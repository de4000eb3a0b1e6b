# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One ConfD job, or one raw call, as a task: checked, sent once, and followed through its stages.

A job isn't an object that converges. If its answer was lost, the run doesn't send it again, because nothing shows
whether it ran. No message has a value of a parameter in it.
"""

from __future__ import annotations

import queue
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Callable, Optional

from ..._convergence.pace import Pace
from ..._convergence.workers import Pool
from ..._errors import AnswerLost, ClusterError, Denied, Fault, Garbled, NoSuchObject, TimedOut, Unreachable, Untrusted
from ..._task import Task
from ..._wording import clock_text, near
from ..api.jobs import JobApi, JobHistory, JobResult
from ..confd import jobs as confd_jobs, known_jobs
from ..confd.job_results import INTERRUPTED, is_of
from ..confd.jobs import SLICE
from .info import masked
from .unless import Unless

AUTO, EXEC, ASYNC = MODES = ("auto", "exec", "async")

QUICK = 10.0
"""Seconds in which each job_wait waits one second; after that, each waits as long as `SLICE`."""

HISTORY = "job_info"
"""This method shows what any user has sent."""

STARTERS = ("job_exec", "job_start")


def job_id_of(cluster: str, given: Any) -> Optional[str]:
    """The ID of a job as a task gives it; None if it gives none.

    :raises ClusterError: the ID is a number with a point, which YAML may have changed: it reads 12.10 as 12.1.
    """
    if given is None:
        return None
    if isinstance(given, (bool, float)) or not isinstance(given, (str, int)):
        raise ClusterError(f"{cluster}: job_id must be a text: put it in quotes, because 12.10 and 12.1 are two jobs")
    return str(given).strip()


@dataclass
class JobOutcome:
    """What is known about the job, or call, of a task.

    :param title: its name in messages.
    :param stages: stage -> when it was reached.
    :param declined: whether the scheduler has refused it, so that nothing was executed.
    """

    title: str
    job: Optional[str] = None
    method: Optional[str] = None
    job_id: str = ""
    stages: dict[str, Optional[str]] = field(default_factory=dict)
    finished: bool = False
    declined: bool = False
    needed: bool = True
    changing: bool = False
    sent: bool = False
    joined: bool = False
    seconds: float = 0.0
    result: Optional[JobResult] = None
    output: Any = None

    @property
    def stage(self) -> str:
        """The last known stage; empty if none is known."""
        return next(reversed(list(self.stages)), "")

    @property
    def changed(self) -> bool:
        """Whether the job changed something, or may have done so."""
        return self.changing and self.sent and not self.declined

    def as_result(self, preview: bool = False) -> dict[str, Any]:
        """What the module returns.

        :param preview: whether check mode kept the job from being sent.
        """
        would = preview and self.changing and self.needed
        done = {
            "changed": self.changed or would,
            "joined": self.joined,
            "job": self.job,
            "job_id": self.job_id,
            "needed": self.needed,
            "finished": self.finished,
            "stage": self.stage,
            "stages": self.stages,
            "output": self.output,
        }
        if self.result:
            done["result"] = self.result.as_dict()
        name = self.job or self.method or self.job_id
        steps, diff = [], {}
        if self.changed or would:
            end = self.stage or ("finished" if self.finished or would else "sent")
            step = {"object": name, "step": f"run {self.title}", "from": "not run", "to": end}
            steps = [{**step, "seconds": round(self.seconds, 3)}]
            diff = {"diff": {"before": {name: "not run"}, "after": {name: end}}}
        return {**done, "steps": steps, **diff}


class JobRun:
    """The run of a task.

    :param clock: monotonic.
    """

    def __init__(self, task: Task, jobs: JobApi, clock: Callable[[], float] = time.monotonic) -> None:
        self._task = task
        self._jobs = jobs
        self._clock = clock
        self._given = task.params
        self._began = clock()
        self._follows = True

    def result(self) -> dict[str, Any]:
        """Does what the task asks for.

        :raises ClusterError: its `result` has what is known about the job.
        """
        given = self._given
        told = JobOutcome("")
        try:
            job_id = job_id_of(self._jobs.name, given["job_id"])
            if job_id is not None:
                told = JobOutcome(f"job {job_id}", job_id=job_id)
                self._join(told)
            else:
                told = self._made()
                self._carry_out(told)
        except ClusterError as error:
            if told.title and (told.sent or told.job_id):
                told.seconds = self._clock() - self._began
                known = told.as_result()
                error.result = {**{key: known[key] for key in known if key != "result"}, **error.result}
                error.failed_object = error.failed_object or told.job or told.method or told.job_id
                error.last_state = error.last_state or told.stage or None
            error.result["api_calls"] = self._jobs.api_calls
            raise
        told.seconds = self._clock() - self._began
        return {**told.as_result(self._task.check_mode and not told.sent), "predicted": {}, **self._calls()}

    def _calls(self) -> dict[str, int]:
        return {"api_calls": self._jobs.api_calls}

    def _say(self, told: JobOutcome, text: str) -> None:
        self._task.say(f"[{self._jobs.name}] {told.title}: {text}")

    # -- what the task asks for

    def _made(self) -> JobOutcome:
        given = self._given
        if given["mode"] == EXEC and not given["wait"]:
            raise ClusterError(f"{self._jobs.name}: mode=exec always waits: use mode=async with wait=false")
        if given["job"] is not None:
            told = JobOutcome(f"job {given['job']}", job=given["job"])
            known = known_jobs.changes(told.job or "")
            told.changing = given["changing"] if given["changing"] is not None else known is not False
            if known and not told.changing and told.job not in known_jobs.READING_PERHAPS:
                why = "with changing: false it would run under check mode too, and twice if its answer is lost"
                raise ClusterError(f"{self._jobs.name}: job {told.job} changes something: {why}")
            return told
        told = JobOutcome(f"method {given['method']}", method=given["method"])
        reads = told.method in known_jobs.READING_METHODS
        told.changing = given["changing"] if given["changing"] is not None else not reads
        if told.method in STARTERS:
            raise ClusterError(
                f"{self._jobs.name}: {told.method} can't be called as a method: name the job in job, and set mode"
            )
        return told

    # -- a job or a call

    def _carry_out(self, told: JobOutcome) -> None:
        unless = Unless(self._jobs, self._given["unless"])
        if unless.holds():
            told.needed, told.finished = False, True
            self._say(told, f"not needed: {unless.words}")
            return
        sent = self._checked(told)
        if self._task.check_mode and told.changing:
            self._say(told, "would be run")
            return
        if told.method:
            self._call(told, sent)
        elif self._at_once(told):
            self._exec(told, sent)
        else:
            self._start(told, sent)
        if unless and told.finished and told.changing and not unless.holds():
            self._task.warn(
                f"{self._jobs.name}: {told.title} has run, but the condition in unless is still not met "
                f"({unless.words}): the next run would run it again"
            )

    def _checked(self, told: JobOutcome) -> Any:
        """The parameters or arguments as the server takes them.

        :raises ClusterError: the server would not accept them.
        """
        given = self._given
        if told.job:
            return self._jobs.parameters(told.job, {**(given["params"] or {}), **(given["secret_params"] or {})})
        known = self._jobs.call("system.listMethods", changing=False)
        if isinstance(known, list) and told.method not in known:
            named = [str(name) for name in known]
            raise NoSuchObject(
                f"{self._jobs.name}: the server has no method {told.method!r}{near(told.method or '', named)}",
                failed_object=told.method,
                number="DBF-3003",
            )
        return [*(given["args"] or []), *(given["secret_args"] or [])]

    def _at_once(self, told: JobOutcome) -> bool:
        mode = self._given["mode"]
        return mode == EXEC or (mode == AUTO and not told.changing and told.job not in known_jobs.WAITING)

    def _call(self, told: JobOutcome, args: list[Any]) -> None:
        call = partial(self._jobs.call, told.method or "", *args, changing=told.changing)
        answer = self._sent(told, call)
        told.output = masked(answer) if told.method == HISTORY else answer
        told.finished = True

    def _sent(self, told: JobOutcome, send: Callable[[], Any]) -> Any:
        """Sends the call and returns the answer. A call that the server refused at once was not carried out."""
        told.sent = True
        try:
            return send()
        except ClusterError as error:
            if isinstance(error, AnswerLost) and not error.unsent:
                error.hint = error.hint or "check on the cluster what it has changed before you run it again"
                raise
            self._failed(told, error)
            told.sent = bool(told.job_id)
            raise

    def _exec(self, told: JobOutcome, sent: dict[str, Any]) -> None:
        job = told.job or ""
        if not told.changing:
            told.output = self._sent(told, partial(self._jobs.read, job, sent))
            told.finished = True
            return
        self._say(told, "run")
        patience = max(1.0, self._given["wait_timeout"] / max(self._jobs.timeout, 0.001))
        self._ended(told, self._sent(told, partial(self._jobs.execute, job, sent, patience=patience)))

    def _start(self, told: JobOutcome, sent: dict[str, Any]) -> None:
        told.job_id = self._sent(told, partial(self._jobs.start, told.job or "", sent))
        told.stages = {"submitted": None}
        told.title = f"{told.title} {told.job_id}"
        self._say(told, "submitted")
        if self._given["wait"]:
            self._await(told)

    # -- a job that was submitted before

    def _join(self, told: JobOutcome) -> None:
        if not told.job_id:
            told.needed, told.finished = False, True
            self._task.say(f"[{self._jobs.name}] job: none was submitted")
            return
        told.finished = self._jobs.finished(told.job_id)
        self._look(told)
        if told.job:
            told.title = f"job {told.job} {told.job_id}"
        result = self._jobs.ended(told.job_id, told.job or "") if told.finished else None
        told.finished = result is not None
        if result:
            self._ended(told, result)
        elif self._task.check_mode or not self._given["wait"]:
            self._say(told, told.stage or "under way")
        else:
            told.joined = True
            self._await(told)

    # -- until it is finished

    def _await(self, told: JobOutcome) -> None:
        given = self._given
        pace, pool = Pace(given["wait_timeout"], heartbeat=given["heartbeat"], clock=self._clock), Pool()
        shown, trouble = (told.stage, ""), ""
        result: Optional[JobResult] = None
        try:
            pool.submit(None, partial(self._step, told, pace, 0.0))
            while result is None:
                before, rest = self._clock(), max(0.0, min(pace.left(), pace.until_heartbeat()))
                try:
                    _tag, over, error = pool.answers.get(timeout=rest)
                except queue.Empty:
                    pace.rested(before, rest)
                    self._check(told, pace, trouble)
                    self._show(told, pace, trouble)
                    continue
                if error is not None and not isinstance(error, (Unreachable, Garbled, Untrusted)):
                    raise self._unknown(told, error)
                told.finished, trouble = bool(over), str(error) if error else ""
                result = self._fetched(told) if over else None
                if result is None:
                    told.finished = False
                    if (told.stage, trouble) != shown:
                        shown = (told.stage, trouble)
                        self._show(told, pace, trouble)
                    self._check(told, pace, trouble)
                    pool.submit(None, partial(self._step, told, pace, pace.interval() if error or over else 0.0))
        finally:
            pool.close()
        self._ended(told, result, pace)

    def _step(self, told: JobOutcome, pace: Pace, rest: float) -> bool:
        """One look, in a thread: whether the job is finished. If it is not, also reads its stage."""
        time.sleep(rest)
        began = self._clock()
        slice_ = 1.0 if pace.elapsed() < QUICK else SLICE
        over = self._jobs.wait(told.job_id, max(1.0, min(slice_, pace.left())))
        if not over:
            self._look(told)
            time.sleep(max(0.0, confd_jobs.PAUSE - (self._clock() - began)))
        return over

    def _look(self, told: JobOutcome) -> None:
        """Reads the stages. If the server's history can't be read, the run warns once and doesn't ask again."""
        if not self._follows:
            return
        try:
            found: JobHistory = self._jobs.info(told.job_id)
        except (Fault, Denied, Garbled) as error:
            if isinstance(error, NoSuchObject):
                return  # job_wait shows whether the job is gone
            self._follows = False
            self._task.warn(f"{error}; the stages of the job are not shown")
            return
        told.job = told.job or found.job
        timed: dict[str, Optional[str]] = {stage: at for stage, at in found.stages.items() if at}
        told.stages = timed or {**told.stages, **found.stages}  # beside stages with times, one without is inferred

    def _fetched(self, told: JobOutcome) -> Optional[JobResult]:
        """The result of a job that job_wait reported as finished; None if it isn't finished after all.

        :raises AnswerLost: the result is gone, so the job may have run.
        """
        try:
            return self._jobs.ended(told.job_id, told.job or "")
        except ClusterError as error:
            text = getattr(error, "text", "")
            gone = isinstance(error, NoSuchObject) and is_of(text, told.job_id)
            if "result" not in error.result or gone or INTERRUPTED.search(text):
                raise self._unknown(told, error) from None
            self._failed(told, error)
            raise

    def _unknown(self, told: JobOutcome, error: Exception) -> Exception:
        """The error for a job that can't be followed any more. A job that this run submitted may have run."""
        if not isinstance(error, ClusterError) or not told.sent:
            return error
        told.finished = False  # the work of the job may go on
        cause = error.message[len(self._jobs.name) + 2 :]
        lost = AnswerLost(
            f"{self._jobs.name}: {told.title} was submitted, and then {cause}; the server may have carried it out",
            hint=error.hint or "check on the cluster what it has changed before you run it again",
        )
        lost.result = error.result
        return lost

    def _failed(self, told: JobOutcome, error: ClusterError) -> None:
        """Reads which stages a failed job reached, because a declined job has changed nothing."""
        told.job_id = told.job_id or str(error.result.get("result", {}).get("job_id", ""))
        if told.job_id:
            told.finished = True
            self._last_look(told)
            timed = {stage for stage, at in told.stages.items() if at}
            told.declined = bool(timed) and not timed & {"scheduled", "executed", "committed"}

    def _last_look(self, told: JobOutcome) -> None:
        try:
            self._look(told)
        except ClusterError:  # the result is known already
            self._follows = False

    def _ended(self, told: JobOutcome, result: JobResult, pace: Optional[Pace] = None) -> None:
        told.finished, told.result, told.output = True, result, result.output
        told.job_id = told.job_id or result.job_id
        if pace:
            self._last_look(told)
        elapsed = f"{clock_text(self._clock() - self._began)}  " if told.sent or told.joined else ""
        self._say(told, f"{elapsed}{told.stage or 'finished'}")

    def _show(self, told: JobOutcome, pace: Pace, trouble: str) -> None:
        pace.line_shown()
        said = f"{clock_text(pace.elapsed())}  {told.stage or 'under way'}, times out in {clock_text(pace.left())}"
        self._say(told, f"{said}; {trouble}" if trouble else said)

    def _check(self, told: JobOutcome, pace: Pace, trouble: str) -> None:
        if pace.left() > 0:
            return
        is_ = f"it is {told.stage}" if told.stage else "its stage is not known"
        raise TimedOut(
            f"{self._jobs.name}: {told.title}: not finished after {self._given['wait_timeout']:g} s: {is_}, and goes on"
            + (f"; {trouble}" if trouble else ""),
            hint=f'run the task with job_id: "{told.job_id}" to wait for the job; wait_timeout sets how long',
            failed_object=told.job or told.job_id,
            last_state=told.stage or None,
            number="DBF-4003",
        )
