# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The functions that answer each method and path.

A path is split at its slashes before it is unquoted, so that a %2F in a key stays in its segment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, Union
from urllib.parse import unquote

from ..refusals import Refused
from .paging import Query, last

if TYPE_CHECKING:
    from ..archives import Archive
    from ..databases import Database
    from ..domain import Domain
    from ..servers import Server

PREFIX = ("api", "1")
Changing = Union[bool, Callable[["Call"], bool]]


@dataclass
class Call:
    """A parsed request."""

    domain: Domain
    server: Server
    """The AP that was asked."""
    method: str
    path: str
    parameters: dict[str, str]
    query: Query
    body: Any
    route: Route | None = None

    def need(self, name: str) -> Any:
        """A field of the body. Raises Refused if the field is missing."""
        value = self.body.get(name) if isinstance(self.body, dict) else None
        if value is None or value == "":
            raise self.domain.refuse("missing_field", name=name)
        return value

    def mapping(self, name: str) -> dict[str, str]:
        """A field that is a mapping of texts; empty if it is missing."""
        value = {} if self.body.get(name) is None else self.body[name]
        if not isinstance(value, dict):
            raise self.bad(name, value)
        return {str(key): str(one) for key, one in value.items()}

    def texts(self, name: str) -> list[str]:
        """A field that is a list of texts; empty if it is missing."""
        value = [] if self.body.get(name) is None else self.body[name]
        if not isinstance(value, list):
            raise self.bad(name, value)
        return [str(one) for one in value]

    def flag(self, name: str, default: bool = False) -> bool:
        """A truth value: the server reads True and true alike."""
        text = last(self.query, name)
        return default if text is None else text.lower() == "true"

    def number(self, name: str) -> int | None:
        """A number of the query; None if it is missing."""
        text = last(self.query, name)
        if text is None:
            return None
        try:
            return int(text)
        except ValueError:
            raise self.bad(name, text) from None

    def bad(self, name: str, value: Any) -> Refused:
        return self.domain.refuse("bad_value", name=name, value=value)

    def database(self, name: Any, tombstone: bool = False) -> Database:
        database = self.domain.databases.get(str(name))
        if database is None or (database.tombstone and not tombstone):
            raise self.domain.refuse("unknown_database", name=name)
        return database

    def archive(self, value: Any, removed: bool | None = False) -> Archive:
        """An archive by its id, as a number or a text; with `removed` None, removed or not."""
        archive = self.domain.archives.get(int(value)) if str(value).isdecimal() else None
        if archive is None or (removed is not None and archive.removed != removed):
            raise self.domain.refuse("unknown_archive", name=value)
        return archive

    def peer(self, name: Any) -> Server:
        server = self.domain.servers.all.get(str(name))
        if server is None or not server.member:
            raise self.domain.refuse("unknown_server", name=name)
        return server

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """The rows that the asked server knows. This counts as a read."""
        stale = self.server.stale
        return self.domain.rows(kind) if stale is None else stale[kind]

    def names(self) -> tuple[str, ...]:
        """The names that a fault's `object` may have."""
        rows = [*self.parameters.values()]
        if isinstance(self.body, dict):
            rows += [
                str(self.body[key]) for key in ("dbName", "archiveId", "host", "name") if self.body.get(key) is not None
            ]
        rows += [last(self.query, key) or "" for key in ("coordinatorStartId",)]
        return (*rows, self.server.id)


Function = Callable[[Call], Any]


@dataclass(frozen=True)
class Route:
    method: str
    segments: tuple[str, ...]
    function: Function
    changing: Changing
    reads: tuple[str, ...] = field(default=())

    @property
    def name(self) -> str:
        """The method and the path without ids, as in faults and in the record."""
        return f"{self.method} {'/'.join(one for one in self.segments if not one.startswith('{'))}"

    def match(self, steps: list[str]) -> dict[str, str] | None:
        if len(steps) != len(self.segments):
            return None
        parameters = {}
        for segment, step in zip(self.segments, steps):
            if segment.startswith("{"):
                parameters[segment[1:-1]] = unquote(step)
            elif segment != unquote(step):
                return None
        return parameters

    def changes(self, call: Call) -> bool:
        return self.changing if isinstance(self.changing, bool) else self.changing(call)


ROUTES: list[Route] = []


def route(method: str, path: str, changing: Changing | None = None) -> Callable[[Function], Function]:
    """Publishes a function under a method and a path. A call other than GET counts as a change by default."""

    def publish(function: Function) -> Function:
        segments = tuple(path.split("/"))
        ROUTES.append(Route(method, segments, function, method != "GET" if changing is None else changing))
        # a fixed name in a path takes precedence over an id
        ROUTES.sort(key=lambda one: [segment.startswith("{") for segment in one.segments])
        return function

    return publish


def find(method: str, path: str) -> tuple[Route | None, dict[str, str], bool]:
    """The route of a path, its parameters, and whether the path is known at all."""
    steps = [step for step in path.split("/") if step]
    if tuple(steps[:2]) != PREFIX:
        return None, {}, False
    known = False
    for one in ROUTES:
        parameters = one.match(steps[2:])
        if parameters is not None:
            if one.method == method:
                return one, parameters, True
            known = True
    return None, {}, known
