# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Exasol cluster as the sockets and the admin endpoint know it."""

from __future__ import annotations

from typing import Any, Callable

from ...clock import Clock
from ...http import Answer, Request
from ...settings import shown
from ..common.buttons import Buttons
from ..common.numbers import check_answer
from ..common.settings import SETTINGS, TIMING
from . import (
    calls_on_cluster,
    calls_on_databases,
    calls_on_storage,
)
from .cluster import Cluster
from .faults import ON_MACHINES
from .published import OBJECTS
from .resource import Resource
from .rpc import Rpc
from .topology import ClusterSpec


class Service(Buttons):
    cluster: Cluster
    on_machines = ON_MACHINES
    check = staticmethod(check_answer)

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
            "cluster": calls_on_cluster.NodeCluster,
            "storage": calls_on_storage.StorageObject,
            "storage_volume": calls_on_storage.StorageVolumeObject,
            "storage_volume_node": calls_on_storage.StorageVolumeNodeObject,
            "storage_node": calls_on_storage.StorageNodeObject,
            "remote_volume": calls_on_storage.RemoteVolumeObject,
            "database": calls_on_databases.DatabaseObject,
            "node": calls_on_cluster.Node,
            "logservice": calls_on_cluster.LogService,
        }
        supported = {kind: sorted(one.calls) for kind, one in kinds.items()}
        # calls that this version of the cluster lacks
        supported["cluster"] = [name for name in supported["cluster"] if root.offers(name)]
        return {
            "calls": supported,
            "calls_not_supported": {kind: sorted(set(OBJECTS[kind]) - set(names)) for kind, names in supported.items()},
            "settings": shown(SETTINGS, cluster.settings),
            "timing": shown(TIMING, cluster.timing),
        }

    def _move(self, body: dict[str, Any]) -> Callable[[], Any]:
        self.cluster.exaoperation.move(str(body.get("master")))
        return lambda: {"master": self.cluster.exaoperation.master}
