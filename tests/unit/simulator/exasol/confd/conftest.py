# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""A ConfD cluster in this process whose time the test owns."""

from __future__ import annotations

import base64
import json
import xmlrpc.client
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.clock import Clock
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.confd.faults import ON_MACHINES
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.confd.service import Service
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.faults import parse
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.http import Answer, Request
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.topology import load

PASSWORD = "p w'\"@%&:/+"
USERS = [
    {"name": "admin", "password": PASSWORD},
    {"name": "dba", "password": "dba", "groups": ["exadbadm"]},
    {"name": "storer", "password": "storer", "groups": ["exastoradm"]},
    {"name": "guest", "password": "guest", "groups": ["exausers"]},
]
UP: dict[str, Any] = {
    "provider": "confd",
    "name": "confd-unit",
    "users": USERS,
    "nodes": ["n11", "n12", "n13"],
    "databases": {"DB1": {"state": "running"}, "DB2": {"state": "setup"}},
    "volumes": {"DataVolume1": {"size": "30 GiB", "redundancy": 2}, "DataVolume2": {}},
    "remote_volumes": {"RemoteVolume1": {"url": "http://bucket.s3.amazonaws.com"}},
}


class Lab:
    """One cluster without sockets. `pass_time` moves its clock by cluster seconds, where that isn't the `real` one."""

    def __init__(self, topology: dict[str, Any], clock: str, real: bool = False) -> None:
        self.time = 0.0
        self.service = Service(load(topology)[0], Clock(clock) if real else Clock(clock, lambda: self.time))
        self.cluster = self.service.cluster
        self.clock = self.cluster.clock

    def pass_time(self, seconds: float) -> None:
        self.time += seconds * self.clock.scale
        with self.cluster.lock:
            self.cluster.settle()

    def http(self, verb: str, path: str, body: bytes = b"", header: str = "", node: str | None = None) -> Answer:
        machine = node or self.cluster.administration.master
        return self.service.answer(machine, Request(verb, path, {"authorization": header}, body))

    def post(
        self, body: bytes, user: str = "admin", password: str | None = None, path: str = "/", node: str | None = None
    ) -> Answer:
        if password is None:
            password = next((str(one["password"]) for one in USERS if one["name"] == user), "")
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        return self.http("POST", path, body, f"Basic {token}", node)

    def call(self, method: str, *arguments: Any, **how: Any) -> Any:
        """An RPC's result, or its Fault."""
        answer = self.post(xmlrpc.client.dumps(arguments, method, allow_none=True).encode(), **how)
        assert answer.status == 200, answer
        return xmlrpc.client.loads(answer.body)[0][0]

    def json(self, method: str, *arguments: Any, path: str = "/json") -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": list(arguments)}).encode()
        return json.loads(self.post(body, path=path).body)

    def run(self, job: str, user: str = "admin", /, **params: Any) -> dict[str, Any]:
        """The result of a job, whatever it is. What it begins goes on."""
        job_id = self.call("job_start", job, {"params": params}, user=user)
        self.pass_time(1)
        result = self.call("job_result", job_id)
        assert isinstance(result, dict)
        return result

    def ok(self, job: str, user: str = "admin", /, **params: Any) -> Any:
        """The output of a job that succeeds."""
        result = self.run(job, user, **params)
        assert (result["result_code"], result["result_name"], result["result_desc"]) == (0, "OK", "Success"), result
        return result.get("result_output")

    def refused(self, job: str, user: str = "admin", /, **params: Any) -> str:
        """The text with which a job ends."""
        result = self.run(job, user, **params)
        assert result["result_code"] != 0, result
        assert "result_output" not in result
        return str(result["result_desc"])

    def fault(self, **rule: Any) -> int:
        return self.cluster.faults.add(parse(rule, ON_MACHINES)).id

    def forgive(self) -> None:
        self.cluster.faults.remove()
        with self.cluster.lock:
            self.cluster.release()

    def act(self, path: str, **body: Any) -> Any:
        with self.cluster.lock:
            told = self.service.actions[path](body)
            self.cluster.settle()
            return told()

    def rules(self) -> list[tuple[str, str]]:
        return [(row["rule"], row["object"]) for row in self.cluster.record.rules]


@pytest.fixture
def lab() -> Callable[..., Lab]:
    def build(clock: str = "seconds:1", real: bool = False, **changes: Any) -> Lab:
        return Lab({**UP, **changes}, clock, real)

    return build
