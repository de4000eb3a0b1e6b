# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs that take long: the run submits them, and then watches the objects that they change."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Optional

from ..._convergence.workers import Pool
from ..._errors import AnswerLost, ClusterError, Denied, Fault, NoSuchObject
from .job_results import INTERRUPTED
from .jobs import PAUSE, SLICE, ConfdJobs

AGAIN = 2.0
"""Seconds between two questions whether a job is over, if it changes several objects and each of them asks."""

PATIENCE = 2.0
"""Extra seconds for fetching results, after which the run gives up: a server may hang."""


@dataclass
class JobUnderWay:
    """A job that this run has submitted.

    :param verdict: why the job failed, empty if it succeeded; None while it is under way.
    :param of: the object or objects that it changes.
    :param asked: when the run last asked whether the job is over, by a monotonic clock.
    :param left: whether its result can't be fetched any more, or need not be.
    """

    job_id: str
    name: str
    of: str = ""
    verdict: Optional[str] = None
    stage: Optional[str] = None
    asked: float = 0.0
    left: bool = False


class JobsUnderWay:
    """The jobs under way, the last one of each object.

    This class doesn't wait for them. The caller watches the object, which also shows the work of a job that a killed
    run left behind.
    """

    def __init__(self, jobs: ConfdJobs) -> None:
        self._jobs = jobs
        self._under_way: dict[str, JobUnderWay] = {}
        self._begun: list[JobUnderWay] = []
        self._telling = threading.Lock()
        self._asking = threading.Lock()

    def submit(
        self,
        job: str,
        given: Optional[Mapping[str, Any]] = None,
        of: str = "",
        objects: Sequence[str] = (),
        ends_api: bool = False,
    ) -> None:
        """Begins a job (job_start).

        :param of: the object that it changes.
        :param objects: the objects, if there are several.
        :param ends_api: whether the job ends the API, so that its result can't be fetched.
        :raises ClusterError: as `ConfdJobs.start` does.
        """
        begun = JobUnderWay(self._jobs.start(job, given, of), job, of, left=ends_api)
        self._begun.append(begun)
        self._under_way.update(dict.fromkeys(objects or [of], begun))

    def error_of(self, of: str) -> str:
        """The error of an object's job; empty while the job runs, if it succeeded, and if there is no job.

        :raises AnswerLost: the master that ran the job is gone. The work of the job may go on.
        """
        job = self._under_way.get(of)
        if job is None:
            return ""
        with self._asking:  # each object of a job asks for it
            if job.verdict is None and time.monotonic() - job.asked >= self._pause_of(job):
                job.verdict = self._verdict(of, job)
                job.asked = time.monotonic()
        return job.verdict or ""

    def _pause_of(self, job: JobUnderWay) -> float:
        return AGAIN if sum(one is job for one in self._under_way.values()) > 1 else 0.0

    def _verdict(self, of: str, job: JobUnderWay) -> Optional[str]:
        try:
            if not self._jobs.finished(job.job_id):
                return None
        except NoSuchObject as error:  # a new master may not know it
            raise self._lost(of, job, error.text) from None
        except Fault as error:
            return error.text
        try:
            return "" if self._jobs.ended(job.job_id, job.name) else None
        except (Fault, Denied) as error:
            text = getattr(error, "text", "") or error.message
            if INTERRUPTED.search(text):
                raise self._lost(of, job, text) from None
            return text

    def collect(self, seconds: float) -> list[str]:
        """Fetches the result of each job that is over, or that ends within these seconds.

        ConfD before 8.33 keeps jobs whose result nobody fetches, and they slow it down (CONFD-48).

        :returns: a sentence for each job that goes on.
        """
        rest = [job for job in self._begun if job.verdict is None and not job.left]
        if not rest:
            return []
        pool, until = Pool(first=1), time.monotonic() + seconds
        try:
            pool.submit(None, partial(self._collect, rest, until))
            pool.answers.get(timeout=seconds + PATIENCE)
        except queue.Empty:
            pass
        finally:
            pool.close()
        return [
            f"{self._jobs.name}: job {job.job_id} ({job.name} of {job.of}) goes on, and nobody fetches its result: "
            f'such jobs slow down ConfD before 8.33. Wait for the job with exa_job, job_id: "{job.job_id}"'
            for job in rest
            if job.verdict is None and not job.left
        ]

    def _collect(self, jobs: list[JobUnderWay], until: float) -> None:
        for job in jobs:
            while job.verdict is None and not job.left:
                try:
                    self._collect_one(job, until - time.monotonic())
                except (Fault, Denied) as error:  # the result of a failed job, or no result
                    job.verdict = getattr(error, "text", "") or error.message
                except ClusterError:  # no server answers
                    return
                if time.monotonic() >= until:
                    break

    def _collect_one(self, job: JobUnderWay, rest: float) -> None:
        """Asks for one job, and waits up to `SLICE` seconds for its end."""
        if self._jobs.finished(job.job_id) or (rest > 0 and self._jobs.wait(job.job_id, min(SLICE, max(1.0, rest)))):
            job.verdict = None if self._jobs.ended(job.job_id, job.name) is None else ""
        elif rest > 0:
            time.sleep(min(PAUSE, rest))

    def _lost(self, of: str, job: JobUnderWay, text: str) -> AnswerLost:
        job.left = True
        self._under_way.pop(of, None)
        return AnswerLost(
            f"{self._jobs.name}: {job.name} of {of}: job {job.job_id}: {text}; the server may have carried it out",
            failed_object=of,
        )

    def news(self, names: list[str]) -> list[str]:
        """One line for each stage that a job of these objects has reached since the last call."""
        lines = []
        with self._telling:
            for name in names:
                job = self._under_way.get(name)
                if job and job.verdict is None:
                    lines += self._stage_of(name, job)
        return lines

    def _stage_of(self, name: str, job: JobUnderWay) -> list[str]:
        try:
            stage = self._jobs.info(job.job_id).stage
        except ClusterError:  # the stage only adds to the object's state, which is known
            return []
        if stage is None or stage == job.stage:
            return []
        job.stage = stage
        return [f"job {job.job_id} ({job.name} of {name}): {stage}"]
