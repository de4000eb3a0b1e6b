# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs of a cluster by name: what they take, what became of them, and how they are run. Only ConfD has them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Optional

STAGES = ("submitted", "scheduled", "executed", "finished", "committed")
"""The last is there for jobs that change EXAConf (CONFD-47)."""


@dataclass(frozen=True)
class JobResult:
    """The result of a job.

    :param output: None where the job has none.
    :param revision: of EXAConf, where the job changed it.
    """

    job_id: str
    output: Any = None
    revision: Optional[int] = None
    code: int = 0
    name: str = "OK"
    desc: str = "Success"

    def as_dict(self) -> dict[str, Any]:
        """What modules return of it."""
        known = {"output": self.output, "revision": self.revision}
        always = {"job_id": self.job_id, "code": self.code, "name": self.name, "desc": self.desc}
        return {**always, **{key: value for key, value in known.items() if value is not None}}


@dataclass(frozen=True)
class JobHistory:
    """What is remembered of a job. The form of job_info isn't documented (CONFD-30): what isn't found is None or empty.

    :param stages: stage -> when it was reached, as the server writes it, or None where it gives no time.
    :param raw: all that the server says.
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
        """What modules return of it."""
        known = {"job_id": self.job_id, "job": self.job, "stage": self.stage, "stages": self.stages}
        return {**known, "commands": self.commands, "details": self.raw}


KINDS = ("str", "int", "float", "bool", "list", "tuple", "dict")
"""The types that the server names."""


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    :param kinds: the types that it may have, of `KINDS`; empty where the server doesn't say.
    """

    name: str
    text: str = ""
    kinds: tuple[str, ...] = ()
    mandatory: bool = False

    def as_dict(self) -> dict[str, Any]:
        """What modules return of it."""
        return {"description": self.text, "types": list(self.kinds), "mandatory": self.mandatory}


@dataclass(frozen=True)
class JobHelp:
    """What the server says of a job.

    :param substitutes: parameter -> those that may stand for it.
    """

    job: str
    text: str = ""
    parameters: dict[str, Parameter] = field(default_factory=dict)
    substitutes: dict[str, list[str]] = field(default_factory=dict)
    users: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)

    def stand_ins(self, name: str) -> list[str]:
        """What may stand for a parameter: the server tells it from one side, or from both."""
        found = [*self.substitutes.get(name, [])]
        found += [other for other, names in self.substitutes.items() if name in names]
        return list(dict.fromkeys(found))

    def as_dict(self) -> dict[str, Any]:
        """What modules return of it."""
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

    Methods raise Denied, NoSuchObject and Fault for what the server refuses, Garbled for an answer of unknown form, and
    what a lost connection raises.

    :ivar name: the cluster's.
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
        """What a job takes and who may run it.

        :raises NoSuchObject: for an unknown job, with a near name.
        """

    @abstractmethod
    def parameters(
        self, job: str, given: Optional[Mapping[str, Any]] = None, now: Optional[datetime] = None, of: str = ""
    ) -> dict[str, Any]:
        """What is sent for these parameters, under the server's names and in its forms. Changes nothing.

        :param now: what a duration begins at, where the server takes a time.
        :param of: the object, as messages name it.
        :raises ClusterError: for an unknown job; an unknown, missing or wrong parameter, or one that can't be sent.
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
        """The output of a job that changes nothing. It is run again when its answer is lost.

        :param of: the object, as messages name it.
        :param checked: whether the parameters are checked first, which takes a call more for each job.
        :param fits: whether the output has the form that it should have.
        :raises Garbled: it hasn't.
        """

    @abstractmethod
    def execute(
        self, job: str, given: Optional[Mapping[str, Any]] = None, of: str = "", patience: float = 1.0
    ) -> JobResult:
        """Runs a job that changes something and awaits its result in one call.

        :param patience: how many times as long as other answers its answer may take.
        :raises AnswerLost: when the result didn't come.
        """

    @abstractmethod
    def start(self, job: str, given: Optional[Mapping[str, Any]] = None, of: str = "") -> str:
        """Submits a job.

        :returns: its ID.
        """

    @abstractmethod
    def wait(self, job_id: str, seconds: float) -> bool:
        """Whether a job is finished, waiting for it so long at most."""

    @abstractmethod
    def finished(self, job_id: str) -> bool:
        """Whether a job is finished."""

    @abstractmethod
    def ended(self, job_id: str, job: str = "", of: str = "") -> Optional[JobResult]:
        """The result of a job, and None where the server says that it isn't finished after all.

        :param job: its name, for messages.
        :raises Fault, Denied, NoSuchObject: when the job failed.
        """

    @abstractmethod
    def info(self, job_id: str) -> JobHistory:
        """The history of a job."""

    @abstractmethod
    def call(self, method: str, *args: Any, changing: bool = True) -> Any:
        """A raw call: the way to methods whose arguments aren't documented."""
