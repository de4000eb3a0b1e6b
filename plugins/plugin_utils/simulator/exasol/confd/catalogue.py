# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs as data: name, parameters with their names in 6.2 and in 8, who may run them, and the function."""

from __future__ import annotations

import pprint
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable

from .refusals import refusal

if TYPE_CHECKING:
    from .cluster import ConfdCluster
    from .scheduler import Job
    from .users import User

OLD, NEW = DIALECTS = ("6.2", "8")

_KINDS: dict[str, tuple[str, tuple[type, ...]]] = {
    "str": ("(<class 'str'>,)", (str,)),
    "int": ("<class 'int'>", (int,)),
    "bool": ("<class 'bool'>", (bool,)),
    "list": ("<class 'list'>", (list,)),
    "dict": ("<class 'dict'>", (dict,)),
    "pair": ("(<class 'list'>, <class 'tuple'>)", (list,)),
    "int|list": ("(<class 'int'>, <class 'list'>)", (int, list)),
    "int|str": ("(<class 'int'>, <class 'str'>)", (int, str)),
    "str|int": ("(<class 'str'>, <class 'int'>)", (str, int)),
    "str|list": ("(<class 'str'>, <class 'list'>)", (str, list)),
}

CLOUD, HOST = "cloud", "host"
"""Deployments: the server makes its instances itself, or runs as an application (as-app) on hosts."""

ON_HOSTS = ("infra_overview_get", "infra_instances_add")
"""The jobs for instances that a host deployment allows (CONFD-116)."""

DATABASE_RIGHTS = ("root", "exaadm", "exadbadm")
NODE_RIGHTS = ("root", "exaadm")
STORAGE_RIGHTS = ("root", "exastoradm", "exaadm")


@dataclass(frozen=True)
class Parameter:
    """A parameter. Fields for 6.2 have `old` in their names; `optional` and `only` name dialects.

    `instead_of` is the parameter that this one may replace.
    """

    name: str
    kind: str
    desc: str
    optional: tuple[str, ...] = ()
    only: tuple[str, ...] = DIALECTS
    old: str = ""
    old_kind: str = ""
    old_desc: str = ""
    instead_of: str = ""

    def called(self, dialect: str) -> str:
        return self.old if dialect == OLD and self.old else self.name

    def kind_in(self, dialect: str) -> str:
        return self.old_kind if dialect == OLD and self.old_kind else self.kind

    def shown(self, dialect: str) -> dict[str, Any]:
        desc = self.old_desc if dialect == OLD and self.old_desc else self.desc
        return {"desc": desc, "type": _KINDS[self.kind_in(dialect)][0]}

    def fits(self, value: Any, dialect: str) -> bool:
        types = _KINDS[self.kind_in(dialect)][1]
        if isinstance(value, bool):
            return bool in types
        return isinstance(value, types)


def given(name: str, kind: str, desc: str, **more: Any) -> Parameter:
    """A mandatory parameter."""
    return Parameter(name, kind, desc, **more)


def may(name: str, kind: str, desc: str, **more: Any) -> Parameter:
    """An optional parameter."""
    return Parameter(name, kind, desc, **{"optional": DIALECTS, **more})


@dataclass
class Call:
    """A job that is carried out: its parameters by the names of version 8, and its user."""

    cluster: ConfdCluster
    job: Job
    user: User
    params: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.params[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self.params.get(name, default)

    def nodes(self, name: str) -> list[str]:
        """The nodes that a parameter names by id or name, each once. Raises the refusal of an unknown node."""
        value = self.params[name]
        found: dict[str, None] = {}
        for one in value if isinstance(value, list) else [value]:
            node = self.cluster.node_called(one)
            if node not in self.cluster.machines:
                raise self.refuse("unknown_node", name=one)
            found[node] = None
        return list(found)

    def refuse(self, which: str, /, **values: Any) -> Exception:
        return refusal(self.cluster.settings, which, **values)


@dataclass
class Pending:
    """The result of a job that continues after its function: `output` is called once `done` returns true.

    `keys` are the clock's objects for which the job waits. After `timeout` cluster seconds (0: never) `late` is called,
    which returns the output or raises.
    """

    done: Callable[[], bool]
    output: Callable[[], Any]
    keys: tuple[str, ...] = ()
    timeout: float = 0
    late: Callable[[], Any] | None = None


@dataclass(frozen=True)
class JobType:
    name: str
    desc: str
    function: Callable[[Call], Any]
    parameters: tuple[Parameter, ...]
    groups: tuple[str, ...]
    users: tuple[str, ...] = ("root",)
    dialects: tuple[str, ...] = DIALECTS
    changing: bool = False
    configures: bool = False
    """Whether the job changes EXAConf: it ends in stage committed, with a new revision."""
    infra: bool = False
    """Whether only deployments have the job that the server itself makes, or in which it runs as an application."""
    example: str = ""

    def named_on(self, deployment: str, settings: dict[str, Any]) -> bool:
        """Whether job_list of such a deployment contains the job."""
        return not self.infra or deployment == CLOUD or (deployment == HOST and settings["infra_on_hosts_listed"])

    def works_on(self, deployment: str, settings: dict[str, Any]) -> bool:
        """Whether the job may be used there, even if job_list lacks it (CONFD-116)."""
        allowed = self.name in ON_HOSTS or settings["infra_on_hosts"] == "allow"
        return not self.infra or deployment == CLOUD or (deployment == HOST and allowed)

    def offered(self, dialect: str) -> list[Parameter]:
        return [one for one in self.parameters if dialect in one.only]

    def sorted_out(self, dialect: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, list[str]]]:
        """Mandatory, optional and substitute parameters, as job_help and job_desc show them."""
        offered = self.offered(dialect)
        by_name = {one.name: one for one in offered}
        mandatory: dict[str, Any] = {}
        optional: dict[str, Any] = {}
        substitutes: dict[str, list[str]] = {}
        for one in sorted(offered, key=lambda row: row.called(dialect)):
            (optional if dialect in one.optional else mandatory)[one.called(dialect)] = one.shown(dialect)
            other = by_name.get(one.instead_of)
            if other is not None:
                substitutes.setdefault(one.called(dialect), []).append(other.called(dialect))
                substitutes.setdefault(other.called(dialect), []).append(one.called(dialect))
        return mandatory, optional, dict(sorted(substitutes.items()))

    def help(self, dialect: str) -> str:
        mandatory, optional, substitutes = self.sorted_out(dialect)
        rows = [f"Description: {self._description()!r}"]
        for title, part in (("Mandatory", mandatory), ("Optional", optional)):
            rows += [f"{title} parameters:", pprint.pformat(part, indent=4)]
        rows += ["Substitute parameters:", str(substitutes)]
        return "\n".join([*rows, f"Allowed users:{list(self.users)}", f"Allowed groups:{list(self.groups)}"])

    def _description(self) -> str:
        if not self.example:
            return self.desc
        return f"{self.desc}\n\tExample: xmlrpc_connection.job_exec('{self.name}', {{'params': \n\t\t{self.example}}})"

    def described(self, dialect: str) -> list[Any]:
        """The twelve items of job_desc (CONFD-34). No source documents items 7 to 10 (CONFD-35)."""
        mandatory, optional, substitutes = self.sorted_out(dialect)
        examples = [self.example] if self.example else None
        head = [self.desc, mandatory, optional, substitutes, list(self.users), list(self.groups), examples]
        return [*head, None, None, None, None, self.desc]

    def check(self, params: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
        """The parameters by the names of version 8. Raises the refusal of the scheduler."""
        dialect = settings["parameter_names"]
        offered = {one.called(dialect): one for one in self.offered(dialect)}
        unknown = sorted(str(name) for name in params if name not in offered)
        if unknown and settings["unknown_parameter"] == "refuse":
            raise refusal(settings, "unknown_parameter_text", job=self.name, name=", ".join(unknown))
        known = {offered[name].name: value for name, value in params.items() if name in offered and value is not None}
        for one in offered.values():
            if dialect in one.optional or one.name in known:
                continue
            if not any(other.instead_of == one.name and other.name in known for other in offered.values()) and (
                one.instead_of not in known
            ):
                raise refusal(settings, "missing_parameter", job=self.name, name=one.called(dialect))
        for one in offered.values():
            if one.name in known and settings["check_types"] and not one.fits(known[one.name], dialect):
                name = one.called(dialect)
                raise refusal(settings, "wrong_type", job=self.name, name=name, kind=one.kind_in(dialect))
        return known


JOBS: dict[str, JobType] = {}


def job(
    desc: str, groups: tuple[str, ...], *parameters: Parameter, **more: Any
) -> Callable[[Callable[[Call], Any]], Callable[[Call], Any]]:
    """Adds a function to the catalogue, as the job of its name."""

    def enter(function: Callable[[Call], Any]) -> Callable[[Call], Any]:
        changing = bool(more.get("configures")) or bool(more.pop("changing", False))
        name = function.__name__
        JOBS[name] = JobType(name, desc, function, parameters, groups, changing=changing, **more)
        return function

    return enter
