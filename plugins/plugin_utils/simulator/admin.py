# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The admin endpoint: JSON over plain HTTP on the loopback address, for whoever set the simulator up."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Callable
from urllib.parse import parse_qs, urlsplit

from .clock import KINDS as CLOCKS
from .clock import ClockError
from .exasol.cluster import UsageError
from .exasol.published import OBJECTS
from .exasol.rules import RULES
from .faults import ON_CALLS, ON_MACHINES, FaultError, parse
from .http import Answer, Request
from .settings import SETTINGS, TIMING

if TYPE_CHECKING:
    from .simulator import Served


class AdminError(Exception):
    """A request that can't be met: HTTP status and one sentence."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Admin:
    def __init__(self, served: dict[str, Served], stop: Callable[[], None]) -> None:
        self._served, self._stop = served, stop
        self._stop_wanted = False
        self._routes: dict[tuple[str, str], Callable[[Served, dict[str, Any], dict[str, str]], Any]] = {
            ("GET", "/about"): lambda served, body, query: self._about(served),
            ("GET", "/state"): lambda served, body, query: self._locked(served, served.cluster.state),
            ("GET", "/calls"): lambda served, body, query: served.cluster.record.calls(),
            ("DELETE", "/calls"): lambda served, body, query: served.cluster.record.clear(),
            ("GET", "/rules"): lambda served, body, query: list(served.cluster.record.rules),
            ("GET", "/faults"): lambda served, body, query: served.cluster.faults.rows(),
            ("POST", "/faults"): lambda served, body, query: self._add_faults(served, body),
            ("DELETE", "/faults"): lambda served, body, query: self._remove_faults(served, query),
            ("POST", "/power"): lambda served, body, query: self._power(served, body),
            ("POST", "/operation"): lambda served, body, query: self._operation(served, body),
            ("POST", "/move"): lambda served, body, query: self._move(served, body),
            ("POST", "/clock"): lambda served, body, query: self._clock(served, body),
            ("POST", "/stop"): lambda served, body, query: self._end(),
        }

    def answer(self, request: Request) -> Answer:
        try:
            value = self._handle(request)
            status = 200
        except AdminError as error:
            value, status = {"error": str(error)}, error.status
        except (UsageError, ClockError, FaultError) as error:
            value, status = {"error": str(error)}, 400
        for served in self._served.values():
            served.sync(close=False)
        body = json.dumps({"ok": True} if value is None else value, indent=1).encode() + b"\n"
        return Answer(status, {"Content-Type": "application/json"}, body)

    def after(self) -> None:
        """Once an answer is sent: listeners follow the new state, and a wanted end comes."""
        for served in self._served.values():
            served.sync()
        if self._stop_wanted:
            self._stop()

    def _handle(self, request: Request) -> Any:
        url = urlsplit(request.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        path = url.path.rstrip("/") or "/about"
        route = self._routes.get((request.method, path))
        if route is None:
            if any(known == path for _method, known in self._routes):
                raise AdminError(405, f"{path} doesn't take {request.method}.")
            known_paths = ", ".join(sorted({known for _method, known in self._routes}))
            raise AdminError(404, f"There is no {path}; there are {known_paths}.")
        name = query.get("cluster", next(iter(self._served)))
        if name not in self._served:
            raise AdminError(404, f"There is no cluster {name}; there are {', '.join(self._served)}.")
        body: Any = {}
        if request.body:
            try:
                body = json.loads(request.body)
            except ValueError:
                raise AdminError(400, "The body isn't JSON.") from None
        if not isinstance(body, dict) and path != "/faults":
            raise AdminError(400, "The body is a mapping.")
        return route(self._served[name], body, query)

    def _locked(self, served: Served, function: Callable[[], Any]) -> Any:
        with served.cluster.lock:
            served.cluster.settle()
            value = function()
            served.cluster.settle()
            served.cluster.wake()
        return value

    def _about(self, served: Served) -> dict[str, Any]:
        root = served.rpc.root
        cluster = served.cluster
        samples = {
            "cluster": root,
            "storage": root.child("storage"),
            "database": next((root.child(f"db_{name}") for name in cluster.databases), None),
            "node": next((root.child(name) for name in cluster.machines), None),
            "logservice": next((root.child(name) for name in cluster.spec.log_services), None),
        }
        supported = {
            kind: sorted(name for name in one.calls if one.offers(name))
            for kind, one in samples.items()
            if one is not None
        }
        return {
            "pid": os.getpid(),
            "products": ["exasol: EXAoperation XML-RPC"],
            "name": cluster.spec.name,
            "version": cluster.spec.version,
            "clusters": {name: {"api_url": one.urls()} for name, one in self._served.items()},
            "clock": cluster.clock.text,
            "clocks": CLOCKS,
            "calls": supported,
            "calls_not_supported": {kind: sorted(set(OBJECTS[kind]) - set(names)) for kind, names in supported.items()},
            "settings": {
                name: {"value": cluster.settings[name], "default": default, "meaning": meaning}
                for name, (default, meaning) in SETTINGS.items()
            },
            "timing": {
                name: {"value": cluster.timing[name], "default": default, "meaning": meaning}
                for name, (default, meaning) in TIMING.items()
            },
            "faults": {"calls": ON_CALLS, "machines": ON_MACHINES},
            "rules": RULES,
        }

    def _add_faults(self, served: Served, body: Any) -> Any:
        rows = body if isinstance(body, list) else [body]
        faults = [parse(row) for row in rows]
        for fault in faults:
            served.cluster.faults.add(fault)
            served.fault_added(fault)
        ids = [fault.id for fault in faults]
        return {"id": ids[0], "ids": ids} if ids else {"ids": []}

    def _remove_faults(self, served: Served, query: dict[str, str]) -> dict[str, int]:
        wanted = query.get("id")
        if wanted is not None and not wanted.isdigit():
            raise AdminError(400, "The id of a fault is a number.")
        removed = served.cluster.faults.remove(None if wanted is None else int(wanted))
        self._locked(served, served.cluster.release)
        return {"removed": removed}

    def _power(self, served: Served, body: dict[str, Any]) -> Any:
        name, on = str(body.get("node")), body.get("on")
        machine = served.cluster.machines.get(name)
        if machine is None or not isinstance(on, bool):
            raise AdminError(400, "Power wants a node of the cluster, and on: true or false.")
        self._locked(served, machine.power_on if on else machine.press_off)
        return {"node": name, "state": machine.state}

    def _operation(self, served: Served, body: dict[str, Any]) -> Any:
        database = served.cluster.databases.get(str(body.get("database")))
        seconds = body.get("seconds")
        if database is None or not (seconds is None or isinstance(seconds, (int, float))):
            raise AdminError(400, "Operation wants a database of the cluster, an operation, and seconds or none.")
        operation = str(body.get("operation", "Backup"))
        if operation == "None":
            self._locked(served, database.abort_operation)
        else:
            self._locked(served, lambda: database.begin_operation(operation, seconds))
        return {"database": database.name, "operation": database.operation}

    def _move(self, served: Served, body: dict[str, Any]) -> Any:
        self._locked(served, lambda: served.cluster.exaoperation.move(str(body.get("master"))))
        return {"master": served.cluster.exaoperation.master}

    def _clock(self, served: Served, body: dict[str, Any]) -> Any:
        self._locked(served, lambda: served.cluster.clock.set(str(body.get("clock"))))
        return {"clock": served.cluster.clock.text}

    def _end(self) -> None:
        self._stop_wanted = True
