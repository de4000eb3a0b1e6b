# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The RPC methods: everything about jobs, and the descriptions of the methods themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable

from ...cluster import UsageError
from .catalogue import JOBS, JobType
from .refusals import Refused, refusal
from .scheduler import Job

if TYPE_CHECKING:
    from .cluster import ConfdCluster
    from .users import User

UNTOLD = ("subscribe", "unsubscribe", "user_init", "user_login", "user_state")
HELP = {
    "job_desc": "What a job is about, as a list.\n@name, name of the job",
    "job_exec": "Start a job, wait for it and return its result.\n@req, name of the job\n@kwargs, keyword arguments",
    "job_finished": "Whether a job is done.\n@job_id, id of the job",
    "job_help": "What a job is about, as a text.\n@name, name of the job",
    "job_info": "Everything that is known of a job.\n@kwargs, job_id",
    "job_list": "Names of all jobs.",
    "job_result": "Result of a job that is done.\n@job_id, id of the job",
    # these words are the document's own: clients are shown them (CONFD-22)
    "job_start": "The main request handler - start the rpc command requested.\n"
    "@req, job name to be run, requested by clients\n@kwargs, keyword arguments passed to a specific job",
    "job_wait": "Wait until a job is done.\n@job_id, id of the job\n@kwargs, timeout in seconds",
    "system.listMethods": "Names of all methods.",
    "system.methodHelp": "What a method is about.\n@method, name of the method",
    "system.methodSignature": "Signatures of methods aren't supported.\n@method, name of the method",
    **dict.fromkeys(UNTOLD, ""),
}
SUSPENSION = "node_suspend"
STARTERS = ("job_exec", "job_start")


class Fault(Exception):
    """An RPC that fails itself, not its job."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


class NoMethod(Fault):
    """The RPC doesn't exist."""


@dataclass
class Asked:
    """An RPC: its user, its method, its node, and its call in the record."""

    method: str
    arguments: tuple[Any, ...]
    user: User
    machine: str
    call_n: int

    def argument(self, index: int, default: Any = None) -> Any:
        return self.arguments[index] if len(self.arguments) > index else default

    @property
    def job(self) -> str:
        """The job that the RPC starts; '' without one."""
        name = self.argument(0, "")
        return name if self.method in STARTERS and isinstance(name, str) else ""

    @property
    def params(self) -> dict[str, Any]:
        options = self.argument(1, {})
        params = options.get("params") if isinstance(options, dict) else None
        return params if isinstance(params, dict) else {}


class Methods:
    """Called with the cluster's lock held."""

    def __init__(self, cluster: ConfdCluster) -> None:
        self.cluster = cluster
        self._calls: dict[str, Callable[[Asked], Any]] = {
            "job_desc": lambda asked: [True, self._kind(asked).described(self._dialect)],
            "job_exec": self._exec,
            "job_finished": lambda asked: self._find(asked).done,
            "job_help": lambda asked: self._kind(asked).help(self._dialect),
            "job_info": lambda asked: self.cluster.record.scrubbed(self._find(asked).info()),
            "job_list": lambda asked: self.names(),
            "job_result": self._result,
            "job_start": lambda asked: self._submit(asked).id,
            "job_wait": self._wait,
            "system.listMethods": lambda asked: sorted(self._calls),
            "system.methodHelp": lambda asked: HELP.get(str(asked.argument(0)), ""),
            "system.methodSignature": lambda asked: "signatures not supported",
            **dict.fromkeys(UNTOLD, self._untold),
        }

    @property
    def _dialect(self) -> str:
        return str(self.cluster.settings["parameter_names"])

    def names(self) -> list[str]:
        """The jobs that the cluster has."""
        here, settings = self.cluster.spec.deployment, self.cluster.settings
        return sorted(
            name
            for name, kind in JOBS.items()
            if self._dialect in kind.dialects and kind.named_on(here, settings)
        )

    def call(self, asked: Asked) -> Any:
        """Raises Fault."""
        call = self._calls.get(asked.method)
        if call is None:
            raise NoMethod(f"<class 'Exception'>:method \"{asked.method}\" is not supported")
        return call(asked)

    def is_suspension(self, asked: Asked) -> bool:
        """Whether the RPC starts a node_suspend, or asks about one."""
        job = self.cluster.jobs.all.get(str(asked.argument(0, "")))
        return asked.job == SUSPENSION or (job is not None and job.name == SUSPENSION)

    def _kind(self, asked: Asked) -> JobType:
        name = asked.argument(0)
        kind = JOBS.get(name) if isinstance(name, str) else None
        if kind is None or self._dialect not in kind.dialects:
            raise Fault(str(refusal(self.cluster.settings, "unknown_job", name=name)))
        return kind

    def _find(self, asked: Asked) -> Job:
        name = asked.argument(0)
        if isinstance(name, dict):
            name = name.get("job_id")
        try:
            return self.cluster.jobs.find(name)
        except UsageError as error:
            raise Fault(str(error)) from None

    def _submit(self, asked: Asked) -> Job:
        jobs = self.cluster.jobs
        if self.cluster.settings["rpc_errors"] == "fault":
            try:
                jobs.check(asked.job, asked.params, asked.user)
            except Refused as error:
                raise Fault(str(error), error.code) from None
        request = {"method": asked.method, "node": asked.machine, "user": asked.user.name, "call_n": asked.call_n}
        job = jobs.submit(asked.job, asked.params, asked.user, request)
        self.cluster.settle()
        return job

    def _exec(self, asked: Asked) -> Any:
        job = self._submit(asked)
        self.cluster.jobs.wait(job)
        job.collected = True
        return job.result()

    def _wait(self, asked: Asked) -> bool:
        job = self._find(asked)
        options = asked.argument(1, {})
        given = options.get("timeout") if isinstance(options, dict) else options
        seconds: Any = self.cluster.settings["job_wait_timeout"]
        if isinstance(given, (int, float)) and not isinstance(given, bool):
            seconds = given
        return self.cluster.jobs.wait(job, float(seconds))

    def _result(self, asked: Asked) -> Any:
        job = self._find(asked)
        if not job.done and self.cluster.settings["early_result"] == "wait":
            self.cluster.jobs.wait(job)
        if not job.done:
            error = refusal(self.cluster.settings, "not_finished", name=job.id)
            head = {"result_code": error.code, "result_name": error.name, "result_desc": str(error)}
            return {**head, "result_jobid": job.id}
        job.collected = True
        return job.result()

    def _untold(self, asked: Asked) -> bool:
        if self.cluster.settings["untold_methods"] == "fault":
            raise Fault(f"{asked.method}: wrong arguments")
        return True
