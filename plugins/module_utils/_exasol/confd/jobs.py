# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ConfD's jobs: run at once or stage by stage, with their help and history. Source: docs/sources/confd.md."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone, tzinfo
from typing import Any, Optional

from ..._errors import AnswerLost, ClusterError, Denied, Fault, Garbled, NoSuchObject
from ..._foreign import one_line
from ..._wording import listing, near
from ..api.jobs import JobApi, JobHelp, JobHistory, JobResult
from .answers import kind
from .job_help import from_desc, from_help
from .job_results import (
    INTERRUPTED,
    NO_QUORUM,
    NO_RIGHT,
    UNKNOWN,
    history,
    is_of_another,
    is_unfinished,
    says_unfinished,
)
from .parameters import fitted, named
from .session import SEEKING, Session

PAUSE = 0.5
"""Seconds between two calls of job_wait if the server answers at once instead of waiting."""

SLICE = 5.0
"""Seconds that one job_wait waits for a job: what the vendor's own example uses (CONFD-25)."""


class ConfdJobs(JobApi):
    """The jobs of one ConfD cluster. Its methods raise the same errors as `Session`.

    :param zone: the cluster's time zone, if it is known. See `expiry_forms`.
    """

    def __init__(self, session: Session, zone: Optional[tzinfo] = None) -> None:
        self.session = session
        self.name = session.name
        self._zone = zone
        self._help: dict[str, JobHelp] = {}
        self._as_came: dict[str, Any] = {}

    @property
    def api_calls(self) -> int:
        return self.session.api_calls

    @property
    def timeout(self) -> float:
        return self.session.timeout

    # -- names and help

    def names(self) -> list[str]:
        found = self.call("job_list", changing=False)
        if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
            raise self._odd("job_list", found)
        return sorted(found)

    def help(self, job: str) -> JobHelp:
        if job not in self._help:
            self._help[job] = self._described(job)
        return self._help[job]

    def _described(self, job: str) -> JobHelp:
        refused: Optional[ClusterError] = None
        answer: Any = None
        for method, reader in (("job_desc", from_desc), ("job_help", from_help)):
            try:
                answer = self.session.read(method, job, of=job)
            except Fault as fault:
                refused = self._refused(fault, f"{method} of {job}", fault.text)
                continue
            found = reader(job, answer)
            if found:
                return found
        known = self.names()
        if job not in known:
            known_as = near(job, known)
            where = f"{self.name}: job_list at {self.session.url}"
            raise NoSuchObject(
                f"{where}: there is no job {job!r}{known_as}", text="no such job", failed_object=job, number="DBF-3003"
            )
        if refused:
            raise refused
        raise self._odd(f"job_help of {job}", answer, "the parameters of the job can't be read from the answer")

    def parameters(
        self, job: str, given: Optional[Mapping[str, Any]] = None, now: Optional[datetime] = None, of: str = ""
    ) -> dict:
        found = self.help(job)
        try:
            sent = fitted(found, given or {}, self._zone, lambda: now or datetime.now(timezone.utc))
        except ClusterError as error:
            error.failed_object = error.failed_object or of or job
            error.message = f"{of}: {error.message}" if of else error.message
            raise error.of(self.name) from None
        self.session.refuse_unspeakable(job, sent)
        return sent

    # -- at once

    def read(
        self,
        job: str,
        given: Optional[Mapping[str, Any]] = None,
        of: str = "",
        checked: bool = False,
        fits: Callable[[Any], bool] = lambda _output: True,
    ) -> Any:
        sent = self.parameters(job, given, of=of) if checked else dict(given or {})
        try:
            answer = self.session.read("job_exec", *_args(job, sent), of=of, says=job)
        except Fault as fault:
            raise self._refused(fault, f"{job} of {of}" if of else job, fault.text, of) from None
        output = self._result(answer, job, of).output
        if not fits(output):
            raise self._odd(f"{job} of {of}" if of else job, output, "the output has an unknown form")
        return output

    def execute(
        self, job: str, given: Optional[Mapping[str, Any]] = None, of: str = "", patience: float = 1.0
    ) -> JobResult:
        sent = self.parameters(job, given, of=of)
        answer = self._submitted("job_exec", job, sent, of, patience)
        return self._result(answer, job, of, changing=True)

    def execute_on(self, job: str, nodes: Mapping[str, int], **given: Any) -> None:
        """Runs a job on nodes: on all at once if it takes a list of nodes, else (6.2) on one after another.

        :param nodes: name -> ID.
        """
        kinds = named(self.help(job), "nid", given).kinds
        if len(nodes) == 1 or not kinds or "list" in kinds:
            self.execute(job, {"nid": list(nodes.values()), **given}, of=" ".join(nodes))
            return
        done: list[str] = []
        for node, number in nodes.items():
            try:
                self.execute(job, {"nid": number, **given}, of=node)
            except ClusterError as error:
                error.partly = bool(done)
                error.message += f"; done before: {listing(done)}" if done else ""
                raise
            done.append(node)

    # -- stage after stage

    def start(self, job: str, given: Optional[Mapping[str, Any]] = None, of: str = "") -> str:
        answer = self._submitted("job_start", job, self.parameters(job, given, of=of), of)
        if isinstance(answer, dict) and "result_code" in answer:
            result = self._result(answer, job, of, changing=True)  # declined at once
            answer = result.job_id
        if isinstance(answer, bool) or not isinstance(answer, (str, int, float)) or not str(answer).strip():
            raise self._lost(f"{job} of {of}" if of else job, "job_start returned no job ID", of)
        job_id = one_line(answer)
        self._as_came[job_id] = answer  # a server that returns numbers may not accept them as texts
        return job_id

    def wait(self, job_id: str, seconds: float = SLICE) -> bool:
        if seconds <= 0:
            return self.finished(job_id)
        patience = 1.0 + seconds / max(self.session.timeout, 0.001)
        timeout = {"timeout": max(1, round(seconds))}
        answer = self._asked("job_wait", job_id, timeout, patience=patience)
        return self._flag("job_wait", job_id, answer)

    def finished(self, job_id: str) -> bool:
        return self._flag("job_finished", job_id, self._asked("job_finished", job_id))

    def result(self, job_id: str, job: str = "", of: str = "") -> JobResult:
        """The result of a finished job (job_result).

        :param job: its name, for messages.
        :raises Fault, Denied, NoSuchObject: the job failed.
        """
        answer = self._asked("job_result", job_id)
        return self._result(answer, job or f"job {job_id}", of)

    def ended(self, job_id: str, job: str = "", of: str = "") -> Optional[JobResult]:
        try:
            return self.result(job_id, job, of)
        except Fault as error:
            if is_unfinished(error.text, job_id):
                return None
            raise

    def info(self, job_id: str) -> JobHistory:
        answer = self._asked_raw("job_info", {"job_id": self._as_came.get(job_id, job_id)}, job_id)
        if isinstance(answer, dict) and answer.get("result_code", 0) != 0:
            self._result(answer, f"job_info of {job_id}", "")
        if isinstance(answer, dict) and isinstance(answer.get("result_output"), dict):
            answer = answer["result_output"]
        if not isinstance(answer, dict):
            raise self._odd(f"job_info of {job_id}", answer)
        return history(job_id, answer)

    def run(
        self,
        job: str,
        given: Optional[Mapping[str, Any]] = None,
        of: str = "",
        timeout: Optional[float] = None,
        heard: Optional[Callable[[str], None]] = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> Optional[JobResult]:
        """Submits a job and awaits its result, however many calls that takes.

        :param timeout: seconds; None for as long as it takes.
        :param heard: called with the job's ID once it is known.
        :returns: None if the job isn't finished in time. It goes on.
        :raises AnswerLost: the job was submitted, and its result can't be known.
        """
        end = None if timeout is None else clock() + timeout
        job_id = self.start(job, given, of)
        if heard:
            heard(job_id)
        subject = f"{job} of {of}" if of else job
        try:
            began = clock()
            while True:
                if self.wait(job_id, SLICE if end is None else min(SLICE, end - began)):
                    answer = self._asked("job_result", job_id)
                    if not says_unfinished(answer, job_id):
                        break
                if end is not None and clock() >= end:
                    return None
                if clock() - began < PAUSE:
                    time.sleep(PAUSE)
                began = clock()
        except ClusterError as error:
            cause = error.message[len(self.name) + 2 :]
            raise self._lost(subject, f"job {job_id} was submitted, and then {cause}", of) from None
        if is_of_another(answer, job_id):
            desc = one_line(answer.get("result_desc"))
            raise self._lost(subject, f"job {job_id} was submitted, but its result is missing: {desc}", of)
        return self._result(answer, job, of, changing=True)

    def outcome(self, answer: Any, job: str, of: str = "") -> JobResult:
        """The result in the answer to a job that the caller has sent itself.

        :raises ClusterError: the job failed, or the answer isn't a result.
        """
        return self._result(answer, job, of, changing=True)

    # -- anything else

    def call(self, method: str, *args: Any, changing: bool = True) -> Any:
        send = self.session.change if changing else self.session.read
        try:
            return send(method, *args)
        except Fault as fault:
            raise self._refused(fault, method, fault.text) from None

    # -- answers

    def _submitted(self, method: str, job: str, sent: dict[str, Any], of: str, patience: float = 1.0) -> Any:
        try:
            return self.session.change(method, *_args(job, sent), of=of, says=job, patience=patience)
        except Fault as fault:
            raise self._refused(fault, f"{job} of {of}" if of else job, fault.text, of) from None

    def _asked(self, method: str, job_id: str, *more: Any, patience: float = 1.0) -> Any:
        return self._asked_raw(method, self._as_came.get(job_id, job_id), job_id, *more, patience=patience)

    def _asked_raw(self, method: str, first: Any, job_id: str, *more: Any, patience: float = 1.0) -> Any:
        try:
            return self.session.read(method, first, *more, of=f"job {job_id}", patience=patience)
        except Fault as fault:
            raise self._refused(fault, f"{method} of job {job_id}", fault.text) from None

    def _flag(self, method: str, job_id: str, answer: Any) -> bool:
        if isinstance(answer, bool):
            return answer
        if isinstance(answer, dict) and "result_code" in answer:
            output = self._result(answer, f"{method} of job {job_id}", "").output
            if isinstance(output, bool):
                return output
        raise self._odd(f"{method} of job {job_id}", answer)

    def _result(self, answer: Any, job: str, of: str, changing: bool = False) -> JobResult:
        subject = f"{job} of {of}" if of else job
        code = answer.get("result_code") if isinstance(answer, dict) else None
        if not isinstance(code, int) or isinstance(code, bool):
            if changing:
                raise self._lost(subject, "the answer is not the result of a job", of)
            raise self._odd(subject, answer, "the answer is not the result of a job")
        job_id = one_line(answer.get("result_jobid"))
        name, desc = one_line(answer.get("result_name")), one_line(answer.get("result_desc"))
        if code != 0 and changing and INTERRUPTED.search(desc):
            raise self._lost(subject, desc, of)  # the work of the job may go on
        if code != 0:
            error = Fault("", text=desc)
            error.result = {"result": JobResult(job_id, answer.get("result_output"), None, code, name, desc).as_dict()}
            numbered = f"code {one_line(code, 20)}" + (f", job {job_id}" if job_id else "")
            raise self._refused(error, subject, f"{desc or 'no reason given'} ({name or 'no name'}, {numbered})", of)
        revision = answer.get("result_revision")
        known = revision if isinstance(revision, int) and not isinstance(revision, bool) else None
        return JobResult(job_id, answer.get("result_output"), known, code, name, desc)

    def _refused(self, error: ClusterError, subject: str, text: str, of: str = "") -> ClusterError:
        """The error class that fits the words of a refusal."""
        where = f"{self.name}: {subject} at {self.session.url}"
        said = getattr(error, "text", "") or text
        made: ClusterError
        if NO_QUORUM.search(said):
            made = Fault(
                f"{where}: the cluster has lost its quorum: {text}", text=said, hint=SEEKING, number="DBF-5002"
            )
        elif NO_RIGHT.search(said):
            made = Denied(f"{where}: the user may not do this: {text}")
        elif UNKNOWN.search(said):
            made = NoSuchObject(f"{where}: {text}", text=said)
        else:
            made = Fault(f"{where}: the server refused: {text}", text=said)
        made.failed_object = of or None
        made.result = error.result
        return made

    def _odd(self, subject: str, answer: Any, what: str = "the answer has an unknown form") -> Garbled:
        return Garbled(f"{self.name}: {subject} at {self.session.url}: {what} ({kind(answer)})")

    def _lost(self, subject: str, cause: str, of: str) -> AnswerLost:
        where = f"{self.name}: {subject} at {self.session.url}"
        return AnswerLost(f"{where}: {cause}; the server may have carried it out", failed_object=of or None)


def _args(job: str, sent: dict[str, Any]) -> tuple[Any, ...]:
    return (job, {"params": sent}) if sent else (job,)
