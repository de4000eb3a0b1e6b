# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster as earlier tasks of the same preview would have left it.

In check mode, and for the plan of a whole runbook, the guards of a later step must see what the earlier steps would
have done. The states come from `known`; what isn't there is read from the cluster.
"""

from __future__ import annotations

from typing import Any, Optional, Union

from .._convergence.preview import NoCluster
from .._errors import Fault, Unsupported
from .api.cluster import Cluster
from .api.providers import EAO, PROVIDERS, Provider
from .api.states import OFFLINE, ONLINE, Database, Reachability


class PreviewedCluster:
    """Has the reading part of the interface of `Cluster`.

    :param cluster: read for what isn't known; None if all is known, as from a report of exa_cluster_info.
    :param known: `nodes`, `services`, `databases`, in the form of exa_cluster_info's `cluster`.
    :param use_infra: as in `Cluster`, used if `cluster` is None.
    """

    def __init__(self, cluster: Optional[Cluster], known: dict[str, Any], use_infra: bool = False) -> None:
        self._cluster = cluster
        self._use_infra = use_infra
        self._source: Any = cluster or NoCluster()
        self._known = known

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    @property
    def name(self) -> str:
        return self._cluster.name if self._cluster else self._known.get("name", "the cluster")

    @property
    def provider(self) -> Provider:
        known = PROVIDERS.get(str(self._known.get("provider")), EAO)
        return self._cluster.provider if self._cluster else known

    def lacks(self, capability: str) -> Optional[str]:
        if self._cluster:
            return self._cluster.lacks(capability)
        return self.provider.lacks(capability, self._use_infra, self.infra_refusal)

    def infra_refusal(self) -> Optional[str]:
        return None if self._known.get("infra") else self._known.get("infra_refused", "")

    def require(self, capability: str) -> None:
        why = self.lacks(capability)
        if why:
            raise Unsupported(f"{self.name}: {why}", failed_object=capability)

    def _part(self, part: str) -> dict[str, Any]:
        return self._known.get(part) or {}

    def nodes(self) -> list[str]:
        return self._cluster.nodes() if self._cluster else list(self._part("nodes"))

    def node_is_online(self, node: str) -> bool:
        if node in self._part("nodes"):
            return self._part("nodes")[node]["state"] == ONLINE
        if self._cluster:
            return self._cluster.node_is_online(node)
        # A report without states of license servers: the one that answered is up.
        return self._part("sight").get("license_servers", {}).get(node, ONLINE) == ONLINE

    def node_status(self, node: str) -> str:
        known = self._known_state(node)
        if known:
            return known.replace(OFFLINE, "")
        return self._cluster.node_status(node) if self._cluster else ""

    def node_told(self, node: str) -> Optional[str]:
        if self._cluster and not self._known_state(node):
            return self._cluster.node_told(node)
        return self.node_status(node)

    def _known_state(self, machine: str) -> str:
        """The known state of a machine; empty if it isn't known."""
        if machine in self._part("nodes"):
            return str(self._part("nodes")[machine]["state"])
        return "" if self._cluster else str(self._part("sight").get("license_servers", {}).get(machine, ""))

    def node_states(self) -> dict[str, str]:
        told = {name: row["state"] for name, row in self._part("nodes").items()}
        return {**self._cluster.node_states(), **told} if self._cluster else told

    def booting(self, nodes: list[str]) -> list[str]:
        return self._cluster.booting(nodes) if self._cluster else []

    @property
    def urls(self) -> list[str]:
        return self._cluster.urls if self._cluster else []

    def reachability(self) -> Reachability:
        known = self._part("sight")
        if known:
            return Reachability(known["urls"], known["unseen"])
        return self._cluster.reachability() if self._cluster else Reachability()

    def license_server_states(self, names: list[str]) -> dict[str, str]:
        known = self._part("sight").get("license_servers", {})
        return known or (self._cluster.license_server_states(names) if self._cluster else {})

    def services(self) -> dict[str, str]:
        return dict(self._part("services")) or self._source.services()

    def databases(self) -> list[str]:
        known = list(self._part("databases"))
        return list(dict.fromkeys([*self._cluster.databases(), *known])) if self._cluster else known

    def database(self, name: str) -> Database:
        found = self._part("databases").get(name)
        return Database.of(name, found) if found else self._source.database(name)

    def database_summary(self, name: str) -> Database:
        found = self._part("databases").get(name)
        if not found:
            return self._source.database_summary(name)
        known = Database.of(name, found)
        if known.data_volume_name or not self._cluster:
            return known
        return known.with_(data_volume_name=self._cluster.database_summary(name).data_volume_name)

    def master(self) -> str:
        return self._known.get("master") or self._source.master()

    def answers(self) -> str:
        return self._cluster.answers() if self._cluster else "its report"

    def call_plugin(self, plugin: str, node: str, command: str, changing: bool = True) -> tuple[int, str]:
        try:
            return self._cluster.call_plugin(plugin, node, command, changing) if self._cluster else (0, "")
        except Fault:  # the node isn't up yet, so its service isn't either
            return 0, ""

    def database_errors(self, _name: str) -> str:
        return ""

    def failure_of(self, _name: str) -> str:
        return ""


ClusterView = Union[Cluster, PreviewedCluster]
