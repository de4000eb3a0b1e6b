# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs of a cluster by name: their parameters, their results, and how to run them. Only ConfD has jobs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Optional

STAGES = ("submitted", "scheduled", "executed", "finished", "committed")
"""The stages of a job. Only jobs that change EXAConf reach the last one (CONFD-47)."""


@dataclass(frozen=True)
class JobResult:
    """The result of a job.

    :param output: the output; None if the job has none.
    :param revision: the revision of EXAConf, if the job changed it.
    """

    job_id: str
    output: Any = None
    revision: Optional[int] = None
    code: int = 0
    name: str = "OK"
    desc: str = "Success"

    def as_dict(self) -> dict[str, Any]:
        """The result as modules return it."""
        known = {"output": self.output, "revision": self.revision}
        always = {"job_id": self.job_id, "code": self.code, "name": self.name, "desc": self.desc}
        return {**always, **{key: value for key, value in known.items() if value is not None}}


@dataclass(frozen=True)
class JobHistory:
    """The history of a job. The form of job_info isn't documented (CONFD-30), so missing values are None or empty.

    :param stages: stage -> when it was reached, as the server writes it, or None if the server gives no time.
    :param raw: the whole answer of the server.
    """

    job_id: str
    job: Optional[str]
    stages: dict[str, Optional[str]]
    commands: list[Any]
    raw: dict[str, Any]

    @property
    def stage(self) -> Optional[str]:
        """The last stage that was reached."""
        return next((stage for stage in reversed(STAGES) if stage in self.stages), None)

    def as_dict(self) -> dict[str, Any]:
        """The history as modules return it."""
        known = {"job_id": self.job_id, "job": self.job, "stage": self.stage, "stages": self.stages}
        return {**known, "commands": self.commands, "details": self.raw}


KINDS = ("str", "int", "float", "bool", "list", "tuple", "dict")
"""The names that the server uses for types."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a job.

    :param kinds: the types of `KINDS` that it may have; empty if the server doesn't name them.
    """

    name: str
    text: str = ""
    kinds: tuple[str, ...] = ()
    mandatory: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The parameter as modules return it."""
        return {"description": self.text, "types": list(self.kinds), "mandatory": self.mandatory}


@dataclass(frozen=True)
class JobHelp:
    """The server's help for a job.

    :param substitutes: parameter -> the parameters that can replace it.
    """

    job: str
    text: str = ""
    parameters: dict[str, Parameter] = field(default_factory=dict)
    substitutes: dict[str, list[str]] = field(default_factory=dict)
    users: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)

    def stand_ins(self, name: str) -> list[str]:
        """The parameters that can replace this one. The server may list such a pair for only one of the two."""
        found = [*self.substitutes.get(name, [])]
        found += [other for other, names in self.substitutes.items() if name in names]
        return list(dict.fromkeys(found))

    def as_dict(self) -> dict[str, Any]:
        """The help as modules return it."""
        return {
            "job": self.job,
            "description": self.text,
            "parameters": {name: parameter.as_dict() for name, parameter in self.parameters.items()},
            "substitutes": self.substitutes,
            "allowed_users": self.users,
            "allowed_groups": self.groups,
        }


class JobApi(ABC):
    """The jobs of one cluster.

    Methods raise Denied, NoSuchObject or Fault if the server refuses, Garbled if an answer has an unknown form, and the
    errors of a lost connection.

    :ivar name: the cluster's name.
    """

    name: str

    @property
    @abstractmethod
    def api_calls(self) -> int:
        """How many calls were made so far."""

    @property
    @abstractmethod
    def timeout(self) -> float:
        """Seconds that the answer to one call may take."""

    @abstractmethod
    def names(self) -> list[str]:
        """The names of all jobs."""

    @abstractmethod
    def help(self, job: str) -> JobHelp:
        """The parameters of a job, and who may run it.

        :raises NoSuchObject: if there is no such job; the message suggests a similar name.
        """

    @abstractmethod
    def parameters(
        self, job: str, given: Optional[Mapping[str, Any]] = None, now: Optional[datetime] = None, of: str = ""
    ) -> dict[str, Any]:
        """The parameters to send, with the server's names and in its forms. Changes nothing.

        :param now: when a duration begins, if the server takes a time.
        :param of: the object, as messages name it.
        :raises ClusterError: if the job is unknown, or a parameter is unknown, missing, wrong or can't be sent.
        """

    @abstractmethod
    def read(
        self,
        job: str,
        given: Optional[Mapping[str, Any]] = None,
        of: str = "",
        checked: bool = False,
        fits: Callable[[Any], bool] = lambda _output: True,
    ) -> Any:
        """The output of a job that changes nothing. If its answer is lost, the job is run again.

        :param of: the object, as messages name it.
        :param checked: whether the parameters are checked first, which costs one more call per job.
        :param fits: whether the output has the expected form.
        :raises Garbled: if the output has another form.
        """

    @abstractmethod
    def execute(
        self, job: str, given: Optional[Mapping[str, Any]] = None, of: str = "", patience: float = 1.0
    ) -> JobResult:
        """Runs a job that changes something and awaits its result in one call.

        :param patience: how many times as long as other answers its answer may take.
        :raises AnswerLost: if the result didn't arrive.
        """

    @abstractmethod
    def start(self, job: str, given: Optional[Mapping[str, Any]] = None, of: str = "") -> str:
        """Submits a job.

        :returns: its ID.
        """

    @abstractmethod
    def wait(self, job_id: str, seconds: float) -> bool:
        """Waits at most this long, and returns whether the job is finished."""

    @abstractmethod
    def finished(self, job_id: str) -> bool:
        """Whether a job is finished."""

    @abstractmethod
    def ended(self, job_id: str, job: str = "", of: str = "") -> Optional[JobResult]:
        """The result of a job, or None if the server reports that the job isn't finished after all.

        :param job: its name, for messages.
        :raises Fault, Denied, NoSuchObject: if the job failed.
        """

    @abstractmethod
    def info(self, job_id: str) -> JobHistory:
        """The history of a job."""

    @abstractmethod
    def call(self, method: str, *args: Any, changing: bool = True) -> Any:
        """Sends a raw call, for methods whose arguments aren't documented."""
