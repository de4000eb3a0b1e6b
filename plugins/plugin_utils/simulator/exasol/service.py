# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Exasol cluster as the sockets and the admin endpoint know it."""

from __future__ import annotations

from typing import Any, Callable

from ..clock import Clock
from ..cluster import UsageError
from ..http import Answer, Request
from ..settings import shown
from . import objects, objects_databases, objects_storage
from .cluster import Cluster
from .faults import ON_MACHINES
from .published import OBJECTS
from .resource import Resource
from .rpc import Rpc
from .settings import SETTINGS, TIMING
from .topology import ClusterSpec


class Service:
    on_machines = ON_MACHINES

    def __init__(self, spec: ClusterSpec, clock: Clock) -> None:
        self.cluster = Cluster(spec, clock)
        self.rpc = Rpc(self.cluster)
        self.actions = {
            "/power": self._power,
            "/operation": self._operation,
            "/move": self._move,
            "/remote": self.cluster.remote_volumes.press,
        }

    def answer(self, machine: str, request: Request) -> Answer:
        return self.rpc.answer(request)

    def listens(self, machine: str) -> bool:
        return self.cluster.exaoperation.listens(machine)

    def environment(self, ready: dict[str, Any]) -> dict[str, str | None]:
        return {
            "EXA_API_URL": ",".join(ready["api_url"]),
            "EXA_API_USERNAME": ready["username"],
            "EXA_API_PASSWORD": ready["password"],
            "EXA_CA_PATH": ready["ca_path"],
            "EXA_CLIENT_CERT": ready.get("client_cert"),
            "EXA_CLIENT_KEY": ready.get("client_key"),
        }

    def about(self) -> dict[str, Any]:
        root, cluster = self.rpc.root, self.cluster
        kinds: dict[str, type[Resource]] = {
            "cluster": objects.NodeCluster,
            "storage": objects_storage.StorageObject,
            "storage_volume": objects_storage.StorageVolumeObject,
            "storage_volume_node": objects_storage.StorageVolumeNodeObject,
            "storage_node": objects_storage.StorageNodeObject,
            "remote_volume": objects_storage.RemoteVolumeObject,
            "database": objects_databases.DatabaseObject,
            "node": objects.Node,
            "logservice": objects.LogService,
        }
        supported = {kind: sorted(one.calls) for kind, one in kinds.items()}
        # what the cluster's version doesn't have
        supported["cluster"] = [name for name in supported["cluster"] if root.offers(name)]
        return {
            "calls": supported,
            "calls_not_supported": {kind: sorted(set(OBJECTS[kind]) - set(names)) for kind, names in supported.items()},
            "settings": shown(SETTINGS, cluster.settings),
            "timing": shown(TIMING, cluster.timing),
        }

    def _power(self, body: dict[str, Any]) -> Callable[[], Any]:
        machine, on = self.cluster.machines.get(str(body.get("node"))), body.get("on")
        if machine is None or not isinstance(on, bool):
            raise UsageError("Power wants a node of the cluster, and on: true or false.")
        if on:
            machine.power_on()
        else:
            machine.press_off()
        return lambda: {"node": machine.name, "state": machine.state}

    def _operation(self, body: dict[str, Any]) -> Callable[[], Any]:
        database = self.cluster.databases.get(str(body.get("database")))
        seconds = body.get("seconds")
        if database is None or not (seconds is None or isinstance(seconds, (int, float))):
            raise UsageError("Operation wants a database of the cluster, an operation, and seconds or none.")
        operation = str(body.get("operation", "Backup"))
        if operation == "None":
            database.abort_operation()
        else:
            database.begin_operation(operation, seconds)
        return lambda: {"database": database.name, "operation": database.operation}

    def _move(self, body: dict[str, Any]) -> Callable[[], Any]:
        self.cluster.exaoperation.move(str(body.get("master")))
        return lambda: {"master": self.cluster.exaoperation.master}
