# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A ConfD cluster as the sockets and the admin endpoint know it."""

from __future__ import annotations

from typing import Any, Callable

from ...clock import Clock
from ...cluster import UsageError
from ...http import Answer, Request
from ...settings import shown
from ..common.buttons import Buttons
from ..common.numbers import check_code
from .catalogue import HOST
from .cluster import ConfdCluster
from .faults import ON_MACHINES
from .jobs import backups, databases, nodes, remote_volumes, users, volumes
from .methods import HELP
from .nodes import SERVICES
from .rpc import Rpc
from .settings import SETTINGS, TIMING
from .topology import ConfdSpec

JOB_FILES = (backups, databases, nodes, remote_volumes, users, volumes)
"""The modules whose import adds the jobs to the catalogue."""


class Service(Buttons):
    cluster: ConfdCluster
    on_machines = ON_MACHINES
    check = staticmethod(check_code)  # other large integers are sent as texts

    def __init__(self, spec: ConfdSpec, clock: Clock) -> None:
        self.cluster = ConfdCluster(spec, clock)
        self.rpc = Rpc(self.cluster)
        self.actions = {
            "/power": self._power,
            "/operation": self._operation,
            "/move": self._move,
            "/service": self._service,
            "/remote": self.cluster.remote_volumes.press,
        }

    def answer(self, machine: str, request: Request) -> Answer:
        return self.rpc.answer(machine, request)

    def listens(self, machine: str) -> bool:
        node = self.cluster.machines.get(machine)  # None: it was removed
        return node is not None and node.answers

    def environment(self, ready: dict[str, Any]) -> dict[str, str | None]:
        return {
            "EXA_API_URL": ",".join(ready["api_url"]),
            "EXA_API_USERNAME": ready["username"],
            "EXA_API_PASSWORD": ready["password"],
            "EXA_CA_PATH": ready["ca_path"],
            "EXA_PROVIDER": "confd",
        }

    def about(self) -> dict[str, Any]:
        return {
            "provider": "confd",
            "calls": {"rpc": sorted(HELP), "jobs": self.rpc.methods.names()},
            "settings": shown(SETTINGS, self.cluster.settings),
            "timing": shown(TIMING, self.cluster.timing),
        }

    def _service(self, body: dict[str, Any]) -> Callable[[], Any]:
        node, service, on = self.cluster.machines.get(str(body.get("node"))), str(body.get("service")), body.get("on")
        if node is None or service not in SERVICES or self.cluster.spec.deployment != HOST:
            raise UsageError(f"Service needs a node of a {HOST} deployment, and a service: {' or '.join(SERVICES)}.")
        if isinstance(on, bool):  # otherwise the service is only read
            node.press_service(service, on)
        return lambda: {"node": node.name, "service": service, "on": node.services[service], "state": node.state}

    def _move(self, body: dict[str, Any]) -> Callable[[], Any]:
        daemon, wanted = self.cluster.administration, str(body.get("master"))
        if wanted not in daemon.candidates():
            raise UsageError("Move needs a node of the cluster that is online as master.")
        daemon.change([wanted])
        return lambda: {"master": daemon.master}
