# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A domain in this process whose time the test owns. Requests are bytes, as a plain HTTP client sends them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.clock import Clock
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.faults import parse
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.http import Request
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.nuodb.faults import ON_ENGINES
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.nuodb.service import Service
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.topology import load

PASSWORD = "p w'\"@%&:/+"
PATH = "/var/opt/nuodb/archive/test"
BARE: dict[str, Any] = {
    "product": "nuodb",
    "name": "nuo-unit",
    "users": [{"name": "admin", "password": PASSWORD}],
    "servers": ["server0", "server1", "server2"],
}
DOWN: dict[str, Any] = {
    **BARE,
    "databases": {"test": {"incarnation": [1, 4]}},
    "archives": {
        "0": {"db_name": "test", "server_id": "server0", "archive_path": PATH},
        "1": {"db_name": "test", "server_id": "server1", "archive_path": PATH},
    },
}


def engine(kind: str, server: int, node: int, **more: Any) -> dict[str, Any]:
    """A process that runs, as a topology has it."""
    row = {"db_name": "test", "engine_type": kind, "server_id": f"server{server}", "node_id": node, "pid": 100 + node}
    return {**row, "address": f"server{server}:{48005 + node}", **more}


UP: dict[str, Any] = {
    **DOWN,
    "processes": {
        "0": engine("SM", 0, 1, archive_id=0),
        "1": engine("SM", 1, 2, archive_id=1),
        "2": engine("TE", 0, 3),
        "3": engine("TE", 1, 4, labels={"zone": "a"}),
    },
}


@dataclass
class Reply:
    status: int
    body: bytes
    headers: dict[str, str]
    breakage: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Lab:
    """`pass_time` moves the domain's clock by cluster seconds."""

    def __init__(self, topology: dict[str, Any], clock: str) -> None:
        self.time = 0.0
        spec = load(topology)[0]
        self.service = Service(spec, Clock(clock, monotonic=lambda: self.time))
        self.domain = self.service.domain

    def pass_time(self, seconds: float) -> None:
        self.time += seconds * self.domain.clock.scale
        with self.domain.lock:
            self.domain.settle()

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        server: str = "server0",
        user: str = "admin",
        password: str | None = PASSWORD,
        certificate: str | None = None,
    ) -> Reply:
        """One request to one server; a body that is bytes goes out as it is."""
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        headers = {} if password is None else {"authorization": f"Basic {token}"}
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = self.service.answer(server, Request(method, f"/api/1/{path}", headers, data, certificate))
        return Reply(answer.status, answer.body, answer.headers, answer.breakage)

    def ok(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The JSON of a call that goes well; None where there is no body."""
        reply = self.send(method, path, body, **options)
        assert reply.status == 200, reply.body
        return reply.json if reply.body else None

    def refused(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, str]:
        """Status and text of a call that is refused."""
        reply = self.send(method, path, body, **options)
        assert reply.status >= 400, reply.body
        assert reply.json["code"] == reply.status
        return reply.status, reply.json["messages"][0]

    def start(self, archive: int | None = None, server: int = 0, **more: Any) -> dict[str, Any]:
        """Request an SM on an archive, or a TE."""
        body: dict[str, Any] = {"dbName": "test", "engineType": "TE", "host": f"server{server}"}
        if archive is not None:
            body.update(engineType="SM", archiveId=str(archive), host=f"server{archive}")
        return self.ok("POST", "processes", {**body, **more})

    def stop(self, start_id: int, **query: Any) -> Any:
        text = "&".join(f"{key}={value}" for key, value in query.items())
        return self.ok("DELETE", f"processes/{start_id}?{text}")

    def processes(self) -> dict[str, str]:
        """Durable and engine state by start id."""
        rows = self.ok("GET", "processes?limit=100")["data"]
        return {row["startId"]: f"{row['durableState']}:{row['state']}" for row in rows}

    def tombstone(self, start_id: int) -> dict[str, Any]:
        reply = self.send("GET", f"processes/{start_id}")
        assert reply.status == 404
        return {key: value for key, value in reply.json.items() if key not in ("code", "messages")}

    def state(self, name: str = "test") -> str:
        return str(self.ok("GET", f"databases/{name}")["state"])

    def incarnation(self, name: str = "test") -> tuple[int, int]:
        row = self.ok("GET", f"databases/{name}")["incarnation"]
        return row["major"], row["minor"]

    def archives(self) -> list[str]:
        return [row["state"] for row in self.ok("GET", "archives?orderBy=id")["data"]]

    def rules(self) -> list[tuple[str, str]]:
        return [(row["rule"], row["object"]) for row in self.domain.record.rules]

    def fault(self, **rule: Any) -> int:
        return self.domain.faults.add(parse(rule, ON_ENGINES)).id

    def forgive(self) -> None:
        self.domain.faults.remove()
        with self.domain.lock:
            self.domain.release()

    def act(self, action: str, **body: Any) -> Any:
        """One of the domain's paths of the admin endpoint."""
        with self.domain.lock:
            self.domain.settle()
            tell = self.service.actions[action](body)
            self.domain.settle()
            return tell()

    def power(self, number: int, on: bool) -> None:
        self.act("/power", node=f"server{number}", on=on)


@pytest.fixture
def lab() -> Callable[..., Lab]:
    def build(topology: dict[str, Any] | None = None, clock: str = "seconds:1", **changes: Any) -> Lab:
        return Lab({**(UP if topology is None else topology), **changes}, clock)

    return build
