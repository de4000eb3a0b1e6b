# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster in this process whose time the test owns, and a simulator with real sockets."""

from __future__ import annotations

import base64
import ssl
import xmlrpc.client
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.clock import Clock
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.eao.cluster import Cluster
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.eao.faults import ON_MACHINES
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.eao.rpc import Rpc
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.faults import parse
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.http import Request
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.served import Served
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.simulator import Simulator
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.topology import load
from ansible_collections.dbfleet.cluster.tests.admin import told

PASSWORD = "p w'\"@%&:/+"
USERS = [
    {"name": "admin", "password": PASSWORD},
    {"name": "watch", "password": "watching", "role": "Supervisor"},
    {"name": "guest", "password": "visiting", "role": "User"},
]
NODES = ("n0011", "n0012", "n0013")
UP: dict[str, Any] = {
    "name": "exa-unit",
    "users": USERS,
    "nodes": {name: {"state": "online"} for name in NODES},
    "storage_online": True,
    "databases": {"DB1": {"state": "setup"}, "DB2": {"state": "running"}},
    "plugins": ["Administration.vmware-tools"],
}
DOWN: dict[str, Any] = {
    **UP,
    "nodes": {name: {"state": "offline"} for name in NODES},
    "storage_online": False,
    "databases": {"DB1": {}, "DB2": {}},
}


class Lab:
    """One cluster without sockets. `pass_time` moves its clock by cluster seconds."""

    def __init__(self, topology: dict[str, Any], clock: str) -> None:
        self.time = 0.0
        self.cluster = Cluster(load(topology)[0], Clock(clock, monotonic=lambda: self.time))
        self.rpc = Rpc(self.cluster)

    def pass_time(self, seconds: float) -> None:
        self.time += seconds * self.cluster.clock.scale
        with self.cluster.lock:
            self.cluster.settle()

    def post(self, path: str, body: bytes, user: str = "admin", password: str = PASSWORD) -> Any:
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        return self.rpc.answer(Request("POST", path, {"authorization": f"Basic {token}"}, body))

    def call(self, path: str, method: str, *arguments: Any, user: str = "admin", password: str = PASSWORD) -> Any:
        """A call's result, or its Fault."""
        body = xmlrpc.client.dumps(arguments, method, allow_none=True).encode()
        answer = self.post(f"/cluster1{path}", body, user, password)
        assert answer.status == 200, answer.status
        return xmlrpc.client.loads(answer.body)[0][0]

    def refused(self, path: str, method: str, *arguments: Any, user: str = "admin", password: str = PASSWORD) -> str:
        """The text with which a call is refused."""
        with pytest.raises(xmlrpc.client.Fault) as caught:
            self.call(path, method, *arguments, user=user, password=password)
        assert caught.value.faultCode == -1
        return str(caught.value.faultString)

    def fault(self, **rule: Any) -> int:
        return self.cluster.faults.add(parse(rule, ON_MACHINES)).id

    def forgive(self) -> None:
        self.cluster.faults.remove()
        with self.cluster.lock:
            self.cluster.release()

    def power(self, name: str, on: bool) -> None:
        with self.cluster.lock:
            machine = self.cluster.machines[name]
            machine.power_on() if on else machine.press_off()
            self.cluster.settle()

    def rules(self) -> list[tuple[str, str]]:
        return [(row["rule"], row["object"]) for row in self.cluster.record.rules]

    def node(self, name: str) -> str:
        return self.cluster.machines[name].state

    def database(self, name: str) -> str:
        return self.cluster.databases[name].state


@pytest.fixture
def lab() -> Callable[..., Lab]:
    def build(topology: dict[str, Any] | None = None, clock: str = "seconds:1", **changes: Any) -> Lab:
        return Lab({**(topology or UP), **changes}, clock)

    return build


class Live:
    """A simulator with its sockets, in this process."""

    def __init__(self, simulator: Simulator, served: Served | None = None) -> None:
        """`served` is one of its clusters, the first where it isn't said."""
        self.simulator = simulator
        self.served = served or next(iter(simulator.served.values()))
        self.ready = self.served.ready()
        self.url = self.ready["api_url"][0]

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON that the endpoint answers; an error's is returned too."""
        return told(self.simulator.ready(), path, body, method)

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ready["ca_path"])

    def proxy(self, path: str = "", url: str | None = None) -> xmlrpc.client.ServerProxy:
        token = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
        url = url or self.url
        return xmlrpc.client.ServerProxy(
            f"{url}/cluster1{path}",
            headers=[("Authorization", f"Basic {token}")],
            allow_none=True,
            **({"context": self.context()} if url.startswith("https") else {}),
        )


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Callable[..., Live]]:
    started: list[Simulator] = []

    def start(
        topology: dict[str, Any] | None = None, clock: str = "seconds:0.001", tls: bool = False, **options: Any
    ) -> Live:
        simulator = Simulator(load(topology or UP), clock, directory=tmp_path if tls else None, **options)
        started.append(simulator)
        simulator.start()
        return Live(simulator)

    yield start
    for simulator in started:
        simulator.stop()
