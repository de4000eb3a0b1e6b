# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Admin REST: a request's bytes become a call on the domain, its value or refusal becomes the answer's bytes."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs

from ...bodies import of_json
from ...faults import Fault
from ...http import Answer, Request
from ..domain import Domain
from ..policies import Caller
from ..refusals import Refused
from . import (
    archives,
    balancers,
    certificates,
    databases,
    diagnostics,
    hotcopies,
    policies,
    processes,
    regions,
    servers,
    storage_groups,
    values as api_values,
    versions,
)
from .rest_answers import HTML, answer, error, unauthorized
from .routes import Call, Route, find

CALLS = (
    archives,
    balancers,
    certificates,
    databases,
    diagnostics,
    hotcopies,
    policies,
    processes,
    regions,
    servers,
    storage_groups,
    api_values,
    versions,
)
"""The modules with the calls. Their import publishes the calls."""
_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n"


class Rest:
    """The API of one domain; each server answers for itself."""

    def __init__(self, domain: Domain) -> None:
        self.domain = domain

    def answer(self, server_id: str, request: Request) -> Answer:
        """The answer of an AP to a request."""
        domain = self.domain
        caller = domain.policies.caller(request.headers.get("authorization", ""), request.certificate)
        if caller is None:
            return unauthorized(domain.refuse("unauthorized"), domain.settings)
        path, _mark, query = request.path.partition("?")
        number = domain.record.begin()
        call = Call(
            domain, domain.servers.all[server_id], request.method, path, {}, parse_qs(query, keep_blank_values=True), {}
        )
        reply, result, fault = self._reply(call, caller, request, number)
        which = call.route
        arguments: dict[str, Any] = {**call.parameters}
        if call.query:
            arguments["query"] = {key: values[-1] if len(values) == 1 else values for key, values in call.query.items()}
        if call.body:
            arguments["body"] = call.body
        domain.record.call(
            number,
            user=caller.name,
            path=request.path,
            method=f"{request.method} {path}" if which is None else which.name,
            args=arguments,
            server=server_id,
            changing=which is not None and which.changes(call),
            fault_injected=None if fault is None else fault.kind,
            **result,
        )
        return reply

    def _reply(
        self, call: Call, caller: Caller, request: Request, number: int
    ) -> tuple[Answer, dict[str, Any], Fault | None]:
        """The answer, the part of it for the record, and the fault that changed it."""
        domain, settings = self.domain, self.domain.settings
        fault: Fault | None = None
        try:
            call.route, call.parameters = self._route(call)
            call.body = _body(domain, request.body)
            fault = domain.faults.on_call(call.route.name, call.names())
            if fault is not None and fault.delay:
                time.sleep(fault.delay)
            if fault is not None and fault.kind not in ("slow", "reset_after", "truncate"):
                return self._instead(fault)
            domain.policies.authorise(caller, call)
            value, reply = self._carry_out(call.route, call, number)
            result = {"result": _short(value)}
        except Refused as refused:
            reply, result = error(refused, settings), {"fault": str(refused)}
        if fault is not None:
            _break(fault, reply)
        return reply, result, fault

    def _route(self, call: Call) -> tuple[Route, dict[str, str]]:
        which, parameters, known = find(call.method, call.path)
        if which is None:
            raise self.domain.refuse("no_method" if known else "no_route")
        return which, parameters

    def _carry_out(self, which: Route, call: Call, number: int) -> tuple[Any, Answer]:
        domain = self.domain
        with domain.lock:
            domain.settle()
            changing = which.changes(call)
            if changing:
                self._want_leader(call)
            domain.current_call = number
            try:
                value = which.function(call)
                # rendered before the clock moves on, so that requested processes are still REQUESTED
                reply = answer(value, domain.settings)
                if changing:
                    domain.servers.index += 1
                else:
                    _was_read(domain, call)
                domain.settle()
                domain.wake()
            except (TypeError, ValueError, AttributeError, OverflowError):
                raise domain.refuse("bad_body") from None
            finally:
                domain.current_call = None
        return value, reply

    def _want_leader(self, call: Call) -> None:
        """Refuses changes through a server that knows no leader."""
        domain = self.domain

        def led() -> bool:
            return domain.servers.leader_of(call.server) is not None or self._is_own_end(call)

        if not led():
            if domain.settings["no_leader"] == "error":
                raise domain.refuse("no_leader_text")
            if not domain.wait_for(led, 3600) or domain.closing:
                raise domain.refuse("request_timeout")

    def _is_own_end(self, call: Call) -> bool:
        """Whether a call shuts down the server itself, which needs no agreement of the domain."""
        own = call.parameters.get("serverId") == call.server.id
        is_shutdown = call.route is not None and call.route.name == "POST peers/shutdown"
        return own and is_shutdown and self.domain.settings["shutdown_without_leader"] == "accept"

    def _instead(self, fault: Fault) -> tuple[Answer, dict[str, Any], Fault]:
        """The answer of a fault that prevents the call."""
        settings = self.domain.settings
        text: str = f"(injected: {fault.kind})"
        if fault.kind in ("reset", "refuse"):
            reply = Answer(0, {}, b"", breakage="reset")
        elif fault.kind == "hang":
            reply = Answer(0, {}, b"", breakage="hang")
        elif fault.kind == "html":
            reply = Answer(fault.status or 502, HTML, fault.text.encode() or _PAGE)
        elif fault.kind == "unauthorized":
            reply = unauthorized(self.domain.refuse("unauthorized"), settings)
        elif fault.kind == "server_error":
            body = (fault.text or "Server error").encode()
            reply = Answer(500, {"Content-Type": "text/plain;charset=utf-8"}, body)
        elif fault.kind == "fault":
            text = fault.text or "injected"
            reply = error(Refused(fault.status or 400, text), settings)
        else:
            return answer(fault.value, settings), {"result": fault.value}, fault
        return reply, {"fault": text}, fault


def _was_read(domain: Domain, call: Call) -> None:
    """Counts a read (polls clock): of the database that the call names, otherwise of all databases."""
    if call.path.startswith(("/api/1/peers", "/api/1/kvstore", "/api/1/diagnostics", "/api/1/policies")):
        return
    values = {*call.parameters.values(), *call.query.get("dbName", []), *call.query.get("process.dbName", [])}
    kind = "hotcopies" if "hotCopy" in call.path else "storage_groups" if "storageGroups" in call.path else "database"
    for name in values & set(domain.databases) or list(domain.databases):
        domain.clock.read(f"{kind} {name}")


def _body(domain: Domain, data: bytes) -> dict[str, Any]:
    if not data:
        return {}
    try:
        body = of_json(data)
    except ValueError:
        raise domain.refuse("bad_body") from None
    if not isinstance(body, dict):
        raise domain.refuse("bad_body")
    return body


def _short(value: Any) -> Any:
    """The answer for the record; a page is replaced by its length."""
    if isinstance(value, dict) and isinstance(value.get("data"), list):
        return {**value, "data": f"({len(value['data'])} rows)"}
    return value


def _break(fault: Fault, reply: Answer) -> None:
    if fault.kind == "reset_after":
        reply.breakage = "reset"
    elif fault.kind == "truncate" and fault.variant == "short":
        reply.breakage = "short"
    elif fault.kind == "truncate":
        reply.body = reply.body[: len(reply.body) // 2]
