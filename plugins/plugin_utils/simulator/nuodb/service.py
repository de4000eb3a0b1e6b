# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A NuoDB domain as the sockets and the admin endpoint know it."""

from __future__ import annotations

from typing import Any, Callable

from ..clock import Clock
from ..cluster import UsageError
from ..faults import Fault
from ..http import Answer, Request
from ..settings import shown
from .api.rest import Rest
from .api.routes import ROUTES
from .domain import Domain
from .faults import ON_ENGINES
from .processes import KILLED
from .settings import SETTINGS, TIMING
from .topology import DomainSpec


class Service:
    on_machines = ON_ENGINES

    def __init__(self, spec: DomainSpec, clock: Clock) -> None:
        self.cluster = self.domain = Domain(spec, clock)
        self.rest = Rest(self.domain)
        self.actions = {
            "/power": self._power,
            "/partition": self._partition,
            "/move": self._move,
            "/die": self._die,
        }

    def answer(self, machine: str, request: Request) -> Answer:
        return self.rest.answer(machine, request)

    def check(self, fault: Fault) -> None:
        """Accepts any fault: JSON can represent any number."""

    def listens(self, machine: str) -> bool:
        return self.domain.servers.all[machine].up

    def environment(self, ready: dict[str, Any]) -> dict[str, str | None]:
        """The variables of nuocmd. It takes one server, and prefers the password (NUODB-106, NUODB-112)."""
        basic = self.domain.spec.authentication in ("basic", "both")
        return {
            "NUOCMD_API_SERVER": ready["api_url"][0],
            "NUOCMD_BASIC_CREDS": f"{ready['username']}:{ready['password']}" if basic else None,
            "NUOCMD_VERIFY_SERVER": ready["ca_path"],
            "NUOCMD_CLIENT_KEY": ready.get("client_key"),
        }

    def about(self) -> dict[str, Any]:
        calls: dict[str, list[str]] = {}
        for route in ROUTES:
            calls.setdefault(route.segments[0], []).append(f"{route.method} {'/'.join(route.segments)}")
        return {
            "calls": {kind: sorted(rows) for kind, rows in sorted(calls.items())},
            "settings": shown(SETTINGS, self.domain.settings),
            "timing": shown(TIMING, self.domain.timing),
        }

    def _power(self, body: dict[str, Any]) -> Callable[[], Any]:
        server, on = self.domain.servers.all.get(str(body.get("node"))), body.get("on")
        if server is None or not isinstance(on, bool):
            raise UsageError("Power needs a server of the domain as node, and on: true or false.")
        if on:
            server.start()
        else:
            if server.up:
                self.domain.check_server_stop(server)
            server.stop()
        return lambda: {"node": server.id, "state": server.state}

    def _partition(self, body: dict[str, Any]) -> Callable[[], Any]:
        server, isolated = self.domain.servers.all.get(str(body.get("server"))), body.get("isolated")
        if server is None or not isinstance(isolated, bool):
            raise UsageError("Partition needs a server of the domain, and isolated: true or false.")
        self.domain.servers.isolate(server, isolated)
        return lambda: {"server": server.id, "isolated": server.isolated}

    def _move(self, body: dict[str, Any]) -> Callable[[], Any]:
        server = self.domain.servers.all.get(str(body.get("leader")))
        if server is None or not self.domain.servers.lead(server):
            raise UsageError("Move needs a server of the domain as leader that hears a majority.")
        return lambda: {"leader": server.id}

    def _die(self, body: dict[str, Any]) -> Callable[[], Any]:
        process = self.domain.processes.get(str(body.get("start_id")))
        code = body.get("exit_code", KILLED)
        if process is None or not isinstance(code, int):
            raise UsageError("Die needs the start_id of a process of the domain, and an exit_code or none.")
        process.die(code, str(body.get("text", "")))
        return lambda: {"start_id": process.start_id, "exit_code": code}
