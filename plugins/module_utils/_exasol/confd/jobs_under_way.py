# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs that take their time: submitted, then followed by what they do to their object."""

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
"""Seconds between two questions whether a job of several objects is over, each of which asks for itself."""

PATIENCE = 2.0
"""Seconds beyond its time that the fetching of results may take: a server may hang."""


@dataclass
class JobUnderWay:
    """One that this run has submitted.

    :param verdict: why it failed, empty when it went well; None while it is under way.
    :param of: the object that it changes, or several.
    :param asked: when it was last asked whether it is over, by a monotonic clock.
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
    """The jobs under way, the last of each object.

    They aren't awaited here: whoever submits one looks at its object, which also tells of a job that a killed run left
    behind.
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
        :param objects: where they are several.
        :param ends_api: whether nobody is left who could be asked for its result.
        :raises ClusterError: as `ConfdJobs.start` does.
        """
        begun = JobUnderWay(self._jobs.start(job, given, of), job, of, left=ends_api)
        self._begun.append(begun)
        self._under_way.update(dict.fromkeys(objects or [of], begun))

    def error_of(self, of: str) -> str:
        """What the job of an object failed with; empty while it runs, when it went well, and where there is none.

        :raises AnswerLost: the job ended with the master that ran it, or went with it: what it began may go on.
        """
        job = self._under_way.get(of)
        if job is None:
            return ""
        with self._asking:  # a job of many objects is asked for each of them
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
        """Fetches the result of each job that is over, or that ends in that time.

        Before 8.33 ConfD keeps jobs whose result nobody fetches, and they slow it down (CONFD-48).

        :returns: a sentence for each that goes on.
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
                except (Fault, Denied) as error:  # its result, or there is none
                    job.verdict = getattr(error, "text", "") or error.message
                except ClusterError:  # nobody is there who could be asked
                    return
                if time.monotonic() >= until:
                    break

    def _collect_one(self, job: JobUnderWay, rest: float) -> None:
        """Asks once, and waits a while for the end of one that isn't over."""
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
        """The stages that the jobs of these objects reached since this was asked last, a line each."""
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
        except ClusterError:  # it only tells more than the object's own state does
            return []
        if stage is None or stage == job.stage:
            return []
        job.stage = stage
        return [f"job {job.job_id} ({job.name} of {name}): {stage}"]
