# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The admin endpoint: JSON over plain HTTP on the loopback address, for the user who started the simulator."""

from __future__ import annotations

import json
import os
import re
import secrets
from typing import TYPE_CHECKING, Any, Callable
from urllib.parse import parse_qs, urlsplit

from .bodies import of_json
from .clock import KINDS as CLOCKS, ClockError
from .cluster import UsageError
from .faults import ON_CALLS, FaultError, parse
from .gate import refusal
from .http import Answer, Request

if TYPE_CHECKING:
    from .products import Action
    from .served import Served


class AdminError(Exception):
    """A request that can't be met: HTTP status and one sentence."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Admin:
    def __init__(self, served: dict[str, Served], stop: Callable[[], None]) -> None:
        self._served, self._stop = served, stop
        self.token = secrets.token_urlsafe(24)
        self.port = 0  # once it is bound
        self._stop_wanted = False
        self._routes: dict[tuple[str, str], Callable[[Served, dict[str, Any], dict[str, str]], Any]] = {
            ("GET", "/about"): lambda served, body, query: self._about(served),
            ("GET", "/state"): lambda served, body, query: _locked(served, served.cluster.state),
            ("GET", "/calls"): lambda served, body, query: served.cluster.record.calls(),
            ("DELETE", "/calls"): lambda served, body, query: served.cluster.record.clear(),
            ("GET", "/rules"): lambda served, body, query: list(served.cluster.record.rules),
            ("DELETE", "/rules"): lambda served, body, query: served.cluster.record.forgive(),
            ("GET", "/faults"): lambda served, body, query: served.cluster.faults.rows(),
            ("POST", "/faults"): lambda served, body, query: self._add_faults(served, body),
            ("DELETE", "/faults"): lambda served, body, query: self._remove_faults(served, query),
            ("POST", "/clock"): lambda served, body, query: self._clock(served, body),
            ("POST", "/stop"): lambda served, body, query: self._end(),
        }

    def answer(self, request: Request) -> Answer:
        refused = refusal(request, self.port, self.token)
        if refused is not None:
            return self.refused(*refused)
        try:
            value = self._handle(request)
            status = 200
        except AdminError as error:
            value, status = {"error": str(error)}, error.status
        except (UsageError, ClockError, FaultError) as error:
            value, status = {"error": str(error)}, 400
        for served in self._served.values():
            served.sync()  # before the answer: a client that has the answer must see that a machine that is off refuses
        return _json(status, {"ok": True} if value is None else value)

    def refused(self, status: int, text: str) -> Answer:
        """The answer to a request that can't be handled, or that is not HTTP."""
        return _json(status, {"error": text})

    def after(self) -> None:
        """Ends the simulator after the answer was sent, if a request asked for that."""
        if self._stop_wanted:
            self._stop()

    def _handle(self, request: Request) -> Any:
        url = urlsplit(request.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        path = url.path.rstrip("/") or "/about"
        name = query.get("cluster", next(iter(self._served)))
        if name not in self._served:
            raise AdminError(404, f"There is no cluster {name}; there are {', '.join(self._served)}.")
        served = self._served[name]
        routes = {**self._routes, **{("POST", action): _acting(act) for action, act in served.service.actions.items()}}
        route = routes.get((request.method, path))
        if route is None:
            if any(known == path for _method, known in routes):
                raise AdminError(405, f"{path} doesn't take {request.method}.")
            known_paths = ", ".join(sorted({known for _method, known in routes}))
            raise AdminError(404, f"There is no {path}; there are {known_paths}.")
        body: Any = {}
        if request.body:
            try:
                body = of_json(request.body)
            except ValueError as error:
                raise AdminError(400, f"The body isn't JSON: {error}.") from None
        if not isinstance(body, dict) and path != "/faults":
            raise AdminError(400, "The body must be a mapping.")
        return route(served, body, query)

    def _about(self, served: Served) -> dict[str, Any]:
        cluster = served.cluster
        return {
            "pid": os.getpid(),
            "products": ["exasol: EXAoperation XML-RPC", "exasol: ConfD XML-RPC and JSON-RPC", "nuodb: Admin REST"],
            "product": cluster.spec.product,
            "name": cluster.spec.name,
            "version": cluster.spec.version,
            "clusters": {name: {"api_url": one.urls()} for name, one in self._served.items()},
            "clock": cluster.clock.text,
            "clocks": CLOCKS,
            "faults": {"calls": ON_CALLS, "machines": served.service.on_machines},
            "rules": cluster.rules,
            **served.service.about(),
        }

    def _add_faults(self, served: Served, body: Any) -> Any:
        rows = body if isinstance(body, list) else [body]
        faults = [parse(row, served.service.on_machines) for row in rows]
        for fault in faults:
            served.service.check(fault)
        for fault in faults:
            served.cluster.faults.add(fault)
            served.fault_added(fault)
        ids = [fault.id for fault in faults]
        return {"id": ids[0], "ids": ids} if ids else {"ids": []}

    def _remove_faults(self, served: Served, query: dict[str, str]) -> dict[str, int]:
        wanted = query.get("id")
        if wanted is not None and not re.fullmatch(r"[0-9]{1,9}", wanted):
            raise AdminError(400, "The id of a fault must be a number.")
        removed = served.cluster.faults.remove(None if wanted is None else int(wanted))
        _locked(served, served.cluster.release)
        return {"removed": removed}

    def _clock(self, served: Served, body: dict[str, Any]) -> Any:
        _locked(served, lambda: served.cluster.clock.set(str(body.get("clock"))))
        return {"clock": served.cluster.clock.text}

    def _end(self) -> None:
        self._stop_wanted = True


def _acting(act: Action) -> Callable[[Served, dict[str, Any], dict[str, str]], Any]:
    def route(served: Served, body: dict[str, Any], query: dict[str, str]) -> Any:
        tell = _locked(served, lambda: act(body))
        return _locked(served, tell)

    return route


def _locked(served: Served, function: Callable[[], Any]) -> Any:
    with served.cluster.lock:
        served.cluster.settle()
        value = function()
        served.cluster.settle()
        served.cluster.wake()
    return value


def _json(status: int, value: Any) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(value, indent=1).encode() + b"\n")
