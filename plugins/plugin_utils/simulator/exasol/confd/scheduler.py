# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs: submitted, scheduled, executed, finished, and committed where EXAConf changes."""

from __future__ import annotations

import itertools
import time
import traceback
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...cluster import UsageError
from .catalogue import JOBS, Call, JobType, Pending
from .refusals import Refused, as_refused, refusal

if TYPE_CHECKING:
    from .cluster import ConfdCluster
    from .users import User

SUBMITTED, SCHEDULED, EXECUTED, FINISHED, COMMITTED = STAGES = (
    "submitted", "scheduled", "executed", "finished", "committed",
)  # fmt: skip


@dataclass
class Job:
    """A job: its user, its parameters, its stage, its result."""

    id: str
    name: str
    params: dict[str, Any]
    user: User
    request: dict[str, Any]
    stage: str = ""
    times: dict[str, float] = field(default_factory=dict)
    commands: list[dict[str, Any]] = field(default_factory=list)
    revision: int | None = None
    error: Refused | None = None
    output: Any = None
    done: bool = False
    pending: Pending | None = None
    deadline: Any = None
    nil: bool = False
    """Whether empty lists within its output are nil."""
    collected: bool = False
    """Whether somebody has fetched its result (CONFD-48)."""

    def result(self) -> dict[str, Any]:
        row: dict[str, Any] = {"result_jobid": self.id}
        if self.error is not None:
            row.update(result_code=self.error.code, result_name=self.error.name, result_desc=str(self.error))
            return row
        row.update(result_code=0, result_name="OK", result_desc="Success")
        if self.output is not None:
            row["result_output"] = _with_nil(self.output) if self.nil else self.output
        if self.revision is not None:
            row["result_revision"] = self.revision
        return row

    def info(self) -> dict[str, Any]:
        """The file of the job, with its secrets (CONFD-29). No source shows its form (CONFD-30)."""
        kind = JOBS.get(self.name)
        return {
            "job_id": self.id,
            "job_name": self.name,
            "user_id": self.user.uid,
            "user_name": self.user.name,
            "mode": "write" if kind is not None and kind.configures else "read",
            "params": self.params,
            "request": self.request,
            "stage": self.stage,
            "revision": self.revision,
            "commands": self.commands,
            "timestamps": {stage: _stamp(at) for stage, at in self.times.items()},
            "result": self.result() if self.done else None,
        }


def _stamp(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at)) + f".{int(at % 1 * 1000):03d}"


class Jobs:
    """The scheduler. All methods are called with the cluster's lock held."""

    def __init__(self, cluster: ConfdCluster) -> None:
        self.cluster = cluster
        self.all: OrderedDict[str, Job] = OrderedDict()
        self._numbers: dict[str, Any] = {}
        self._pending: list[Job] = []
        self._revision = cluster.revision

    def find(self, job_id: Any) -> Job:
        found = self.all.get(str(job_id))
        if found is None:
            raise refusal(self.cluster.settings, "unknown_job_id", name=job_id)
        return found

    def check(self, name: str, params: dict[str, Any], user: User) -> tuple[JobType, dict[str, Any]]:
        """The job and its parameters. Raises the refusal of the scheduler."""
        settings = self.cluster.settings
        kind = JOBS.get(name)
        if kind is None or settings["parameter_names"] not in kind.dialects:
            raise refusal(settings, "unknown_job", name=name)
        if not user.may(kind):
            raise refusal(settings, "permission", user=user.name, job=name)
        if not kind.works_on(self.cluster.spec.deployment, settings):
            raise refusal(settings, "no_deployment", job=name)
        return kind, kind.check(params, settings)

    def submit(self, name: str, params: dict[str, Any], user: User, request: dict[str, Any]) -> Job:
        cluster = self.cluster
        master = cluster.machines[cluster.administration.master]
        numbers = self._numbers.setdefault(master.id, itertools.count(cluster.settings["first_job"]))
        nil = cluster.settings["empty_lists"] == "nil"
        job = Job(f"{master.id}.{next(numbers)}", name, params, user, request, nil=nil)
        self.all[job.id] = job
        self._forget_oldest()
        kind = JOBS.get(name)
        if kind is not None and kind.changing and cluster.administration.moving:
            cluster.broken("changed-while-master-moved", name, "")
        self._enter(job, SUBMITTED)
        self._later(job, SUBMITTED, "job_schedule", self._schedule)
        return job

    def _forget_oldest(self) -> None:
        """Removes the oldest jobs that are over; a running job stays, however old it is."""
        over = len(self.all) - self.cluster.settings["job_history"]
        for job in [job for job in self.all.values() if job.done][:over] if over > 0 else ():
            del self.all[job.id]

    def proceed(self) -> bool:
        """Finishes jobs that waited for the cluster; returns whether there were any."""
        ready = [(job, job.pending) for job in self._pending if job.pending is not None and job.pending.done()]
        for job, pending in ready:
            self._stop_waiting(job)
            self._settle(job, pending.output)
        return bool(ready)

    def wait(self, job: Job, seconds: float | None = None) -> bool:
        """Whether the job ends within that time. With the polls clock, a limited wait counts as one poll."""
        clock = self.cluster.clock
        if clock.kind == "polls":
            for _read in range(1 if seconds is not None else clock.polls * 20):
                if job.done:
                    break
                for key in job.pending.keys if job.pending is not None else ():
                    clock.read(key)
                self.cluster.settle()
            if seconds is not None:
                return job.done
        return self.cluster.wait_for(lambda: job.done, seconds)

    def master_gone(self, name: str) -> None:
        """Ends the jobs of a lost master's scheduler; the work that the jobs started continues."""
        for job in [job for job in self.all.values() if not job.done]:
            self._stop_waiting(job)
            if self.cluster.settings["master_dies_job"] == "forget":
                del self.all[job.id]
                job.error, job.done = refusal(self.cluster.settings, "unknown_job_id", name=job.id), True
            else:
                self._fail(job, refusal(self.cluster.settings, "interrupted", name=name))

    def resume(self, job: Job, stage: str, action: Any) -> None:
        if not job.done and not self._stays(job, stage, action):
            action(job)

    # -- stages ------------------------------------------------------------------------------------------

    def _enter(self, job: Job, stage: str) -> None:
        job.stage = stage
        job.times[stage] = self.cluster.clock.wall()
        self.cluster.wake()

    def _later(self, job: Job, stage: str, timing: str, action: Any) -> None:
        self.cluster.clock.after(self.cluster.timing[timing], lambda: self.resume(job, stage, action))

    def _stays(self, job: Job, stage: str, action: Any) -> bool:
        return self.cluster.stuck(
            "job_stays",
            (job.name, job.id),
            lambda: self.resume(job, stage, action),
            lambda fault: (fault.state or SUBMITTED) == stage,
        )

    def _schedule(self, job: Job) -> None:
        try:
            kind, params = self.check(job.name, job.params, job.user)
        except Refused as error:
            self._fail(job, error)
            return
        self._enter(job, SCHEDULED)
        self._later(job, SCHEDULED, "job_execute", lambda one: self._execute(one, kind, params))

    def _execute(self, job: Job, kind: JobType, params: dict[str, Any]) -> None:
        self._enter(job, EXECUTED)
        call = Call(self.cluster, job, job.user, params)
        self._settle(job, lambda: kind.function(call))

    def _settle(self, job: Job, work: Any) -> None:
        """Does the work of a job, which ends the job, makes it wait, or makes it fail."""
        if job.done:
            return
        before, self.cluster.current_call = self.cluster.current_call, job.request.get("call_n")
        try:
            output = work()
        except UsageError as error:
            self._fail(job, as_refused(self.cluster.settings, error))
            return
        except Exception:
            # otherwise the job would stay executed for ever, and the call that settled the clock would get no answer
            traceback.print_exc()
            self._fail(job, refusal(self.cluster.settings, "internal_error"))
            return
        finally:
            self.cluster.current_call = before
        if isinstance(output, Pending):
            job.pending = output
            self._pending.append(job)
            if output.timeout:
                job.deadline = self.cluster.clock.limit(output.timeout, lambda: self._late(job))
            self.cluster.wake()
            return
        job.output = output
        self._finish(job)

    def _late(self, job: Job) -> None:
        pending = job.pending
        if job.done or pending is None:
            return
        self._stop_waiting(job)
        self._settle(job, pending.late or pending.output)

    def _stop_waiting(self, job: Job) -> None:
        if job.deadline is not None:
            job.deadline.cancel()
        if job in self._pending:
            self._pending.remove(job)
        job.pending = job.deadline = None

    def _finish(self, job: Job) -> None:
        job.commands.append({"command": job.name, "result": 0, "output": job.output})
        self._enter(job, FINISHED)
        if not JOBS[job.name].configures:
            self._done(job)
            return
        self._revision += 1
        job.revision = self._revision
        self._later(job, FINISHED, "job_commit", self._commit)

    def _commit(self, job: Job) -> None:
        self.cluster.revision = max(self.cluster.revision, job.revision or 0)
        self._enter(job, COMMITTED)
        self._done(job)

    def _fail(self, job: Job, error: Refused) -> None:
        job.error, job.revision = error, None
        job.commands.append({"command": job.name, "result": error.code, "output": str(error)})
        self._enter(job, FINISHED)
        self._done(job)

    def _done(self, job: Job) -> None:
        job.done = True
        self.cluster.wake()


def _with_nil(value: Any, within: bool = False) -> Any:
    if isinstance(value, dict):
        return {key: _with_nil(item, True) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return None if within and not value else [_with_nil(item, True) for item in value]
    return value
