# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of the XML-RPC tree: their calls, their children, and the calls that every object has."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, ClassVar

if TYPE_CHECKING:
    from ..common.machines import Machine
    from .cluster import Cluster

Function = Callable[..., Any]


@dataclass(frozen=True)
class Call:
    """A call: who may make it, whether it changes the cluster, and how many arguments it takes."""

    name: str
    function: Function
    role: str
    changing: bool
    least: int
    most: int
    names: tuple[str, ...]
    help: str | None


@dataclass(frozen=True)
class Caller:
    """The user who calls."""

    login: str
    role: str


class Blocked:
    """A call with a delayed answer: `done` returns whether it is ready, `result` returns it (or raises UsageError)."""

    def __init__(self, done: Callable[[], bool], result: Callable[[], Any]) -> None:
        self.done, self.result = done, result


class WrongArguments(Exception):
    """A TypeError of the server's framework."""


def call(name: str, *, role: str = "Supervisor", changing: bool = False) -> Callable[[Function], Function]:
    """Publishes a method under its name on the wire. Its docstring is the help that clients get."""

    def publish(function: Function) -> Function:
        rows = getattr(function, "published", ())
        function.published = (*rows, (name, "Administrator" if changing and role == "Supervisor" else role, changing))  # type: ignore[attr-defined]
        return function

    return publish


def published(cls: type) -> dict[str, Call]:
    """The calls that a class itself publishes."""
    table = {}
    for function in vars(cls).values():
        for name, role, changing in getattr(function, "published", ()):
            parameters = list(inspect.signature(function).parameters.values())[1:]
            most = 99 if any(p.kind is p.VAR_POSITIONAL for p in parameters) else len(parameters)
            named = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
            least = sum(p.default is p.empty for p in named)
            names = tuple(p.name for p in named)
            table[name] = Call(name, function, role, changing, least, most, names, inspect.getdoc(function))
    return table


class Resource:
    """An object below /cluster1. `zope_class` is the name its NotFound faults show."""

    zope_class: ClassVar[str] = "Object"
    calls: ClassVar[dict[str, Call]] = {}

    def __init_subclass__(cls) -> None:
        cls.calls = {**cls.calls, **published(cls)}

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster, self.name = cluster, name

    def offers(self, name: str) -> Call | None:
        """The call of that name, if this version of the cluster has it."""
        return self.calls.get(name)

    def child(self, name: str) -> Resource | None:
        return None

    def children(self) -> list[str]:
        return []

    def invoke(self, which: Call, arguments: tuple[Any, ...], caller: Caller) -> Any:
        if len(arguments) < which.least:
            raise WrongArguments(f"Missing argument to {which.name}(), {which.names[len(arguments)]}")
        if len(arguments) > which.most:
            raise WrongArguments("Too many arguments")
        self.caller = caller
        return which.function(self, *arguments)

    def zope_repr(self) -> str:
        return f"<exaoperation.{self.zope_class} object at 0x{id(self) & 0xFFFFFFFFFFFF:012x}>"

    def machine(self, value: Any) -> Machine:
        """The machine that an argument names ('n0011', 'n11' or 11). Raises UsageError."""
        from ..common.topology import node_name

        name = node_name(value)
        if name is None or name not in self.cluster.machines:
            raise self.cluster.refuse(f"Node {value} could not be found")
        return self.cluster.machines[name]

    @call("getPath", role="User")
    def get_path(self) -> list[str]:
        """Absolute and relative path of this object."""
        relative = self.name if self.name != "cluster1" else ""
        return [f"/cluster1/{relative}".rstrip("/"), relative]

    @call("getListValues", role="User")
    def get_list_values(self, list_name: str) -> list[str]:
        """Values of a list: Databases, Nodes, Volumes, Users, StorageDisks, DataDisks or EXASolutionVersions."""
        spec = self.cluster.spec
        lists: dict[str, list[str]] = {
            "Databases": list(self.cluster.databases),
            "Nodes": list(spec.nodes),
            "Volumes": [one.name for _number, one in sorted(self.cluster.volumes.all.items())],
            "Users": [user.name for user in spec.users],
            "StorageDisks": ["d03_storage"],
            "DataDisks": ["d02_data"],
            "EXASolutionVersions": [spec.version] if spec.version else [],
        }
        if list_name not in lists:
            raise self.cluster.refuse(f"List {list_name} could not be found")
        return lists[list_name]

    @call("listMethods", role="User")
    def list_methods(self) -> list[str]:
        """Names of the calls of this object."""
        return sorted(name for name in self.calls if self.offers(name) is not None)

    @call("listObjects", role="User")
    def list_objects(self) -> list[str]:
        """Names of the objects below this one."""
        return self.children()

    @call("methodHelp", role="User")
    def method_help(self, method_name: str) -> str | None:
        """What a call does."""
        found = self.offers(method_name)
        if found is None:
            raise self.cluster.refuse(f"Method {method_name} could not be found")
        return found.help

    @call("methodSignature", role="User")
    def method_signature(self, method_name: str) -> list[str]:
        """Names of a call's arguments."""
        found = self.offers(method_name)
        if found is None:
            raise self.cluster.refuse(f"Method {method_name} could not be found")
        return list(found.names)

    @call("objectRepresentation", role="User")
    def object_representation(self) -> str:
        """This object in words."""
        return self.zope_repr()

    @call("getProperties", role="User")
    def get_properties(self) -> str:
        """What can be set on this object."""
        return "This object has no properties"


Resource.calls = published(Resource)
