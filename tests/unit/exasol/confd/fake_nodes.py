# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ConfD nodes behind the client's own HTTP layer: one is the master, the others send a call on to it."""

from __future__ import annotations

import json
import xmlrpc.client
from dataclasses import dataclass
from typing import Any, Optional, Union
from urllib.parse import urlsplit

from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.codec import Codec
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.jobs import ConfdJobs
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.session import Session, is_own
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.connection import candidates
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.client import Http
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.trust import Trust
from ansible_collections.dbfleet.cluster.tests.unit.fake_transport import REFUSED, FakeTransport, response

LOGIN_PAGE = (200, b"<!DOCTYPE html><html>log in</html>")


@dataclass(frozen=True)
class Sent:
    """One request as it left: where to, what, and whether with the password."""

    verb: str
    place: str
    path: str
    authorized: bool
    body: bytes
    content_type: Optional[str]

    @property
    def call(self) -> tuple[Any, ...]:
        args, method = xmlrpc.client.loads(self.body)
        return (method, *args)


def result(output: Any = None, job_id: str = "11.1", **more: Any) -> dict[str, Any]:
    """A result as the documents print it."""
    row = {"result_code": 0, "result_name": "OK", "result_desc": "Success", "result_jobid": job_id, **more}
    return row if output is None else {**row, "result_output": output}


def failed(desc: str, code: int = 1, name: str = "ERROR") -> dict[str, Any]:
    return {"result_code": code, "result_name": name, "result_desc": desc, "result_jobid": "11.7"}


class Nodes(FakeTransport):
    """A cluster.

    :ivar master: C(host:port) of the node that takes calls; None where there is none.
    :ivar names: what /master answers; by default the master's host.
    :ivar odd: C(host:port) -> what all requests to it get instead: an error is raised, a pair is status and body.
    :ivar rpc: method -> its answer: a value, bytes as they are, a pair of status and body, an error, a fault, a
        function of the arguments, or a list of these, one after another (the last for ever).
    :ivar paths: where calls are taken.
    :ivar location: the redirect's target; {} is the master.
    """

    def __init__(self, *places: str, master: Optional[str] = None, **rpc: Any) -> None:
        self.places = places or ("n11:443",)
        self.master: Optional[str] = master or self.places[0]
        self.names: Union[str, bytes, tuple[int, bytes], None] = None
        self.odd: dict[str, Any] = {}
        self.rpc: dict[str, Any] = {"system.listMethods": ["job_exec"], **rpc}
        self.paths: tuple[str, ...] = ("/", "/rpc2", "/RPC2")
        self.location = "https://{}/"
        self.is_master: dict[bool, tuple[int, bytes]] = {True: (200, b"True"), False: (503, b"")}
        self.sent: list[Sent] = []
        self.before: dict[int, Any] = {}

    def send(self, request: Any, **_how: Any) -> Any:
        url = urlsplit(request.url)
        place = f"{url.hostname}:{url.port or 443}"
        headers = request.headers
        one = Sent(
            request.method, place, request.path_url, "Authorization" in headers, request.body or b"",
            headers.get("Content-Type"),
        )  # fmt: skip
        self.sent.append(one)
        change = self.before.pop(len(self.sent), None)
        if change:
            change()
        found = self._answer(one)
        if isinstance(found, Exception):
            raise found
        status, content, *location = found
        return response(status, content, {"Location": location[0]} if location else {})

    def _answer(self, one: Sent) -> Any:
        if one.place in self.odd:
            return self.odd[one.place]
        if one.place not in self.places:
            return REFUSED
        if one.path.startswith("/master"):
            named = self.names if self.names is not None else (self.master or "").partition(":")[0]
            return named if isinstance(named, tuple) else (200, named if isinstance(named, bytes) else named.encode())
        if one.path == "/is_master":
            return self.is_master[one.place == self.master]
        if self.master is None:
            return 503, b""
        if one.place != self.master:
            return 302, b"", self.location.format(self.master)
        if one.path not in self.paths:
            return 404, b"no such page"
        return self._said(one)

    def _said(self, one: Sent) -> Any:
        coded = (one.content_type or "").startswith("application/json")
        if coded:
            call = json.loads(one.body)
            method, args = call["method"], call["params"]
        else:
            method, *args = one.call
        found = self.rpc.get(method, xmlrpc.client.Fault(1, f"method {method} is not supported"))
        if isinstance(found, list) and found and isinstance(found[0], _Turn):
            found = (found.pop(0) if len(found) > 1 else found[0]).value
        if callable(found):
            found = found(*args)
        if isinstance(found, Exception) and not isinstance(found, xmlrpc.client.Fault):
            return found
        if isinstance(found, tuple):
            return found
        if isinstance(found, bytes):
            return 200, found
        if coded:
            return 200, json.dumps({"jsonrpc": "2.0", "id": 1, "result": found}).encode()
        answer = found if isinstance(found, xmlrpc.client.Fault) else (found,)
        return 200, xmlrpc.client.dumps(answer, methodresponse=True, allow_none=True).encode()

    # -- what was asked

    @property
    def calls(self) -> list[tuple[Any, ...]]:
        """The calls that the master took, with their arguments."""
        return [one.call for one in self.sent if one.verb == "POST" and one.place == self.master]

    def count(self, method: str) -> int:
        return sum(one.verb == "POST" and one.call[0] == method for one in self.sent)

    def session(self, *urls: str, codec: Optional[Codec] = None) -> Session:
        given = urls or [f"https://{place}" for place in self.places]
        http = Http("exa-unit", candidates(given), "admin", "s3cret", Trust(validate=False), is_own=is_own)
        http._transport = self  # type: ignore[assignment]
        return Session(http, codec)

    def jobs(self, *urls: str, **more: Any) -> ConfdJobs:
        return ConfdJobs(self.session(*urls), **more)


@dataclass
class _Turn:
    value: Any


def turns(*values: Any) -> list[_Turn]:
    """Answers that are given one after another."""
    return [_Turn(value) for value in values]
