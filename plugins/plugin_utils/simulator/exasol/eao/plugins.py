# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services of EXAoperation's plugins, one on each machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...clock import Timer
from .topology import ClusterSpec

if TYPE_CHECKING:
    from .cluster import Cluster

FUNCTIONS = {
    "START": "Start the service on a node",
    "STOP": "Stop the service on a node",
    "RESTART": "Stop and start the service on a node",
    "STATUS": "Tell whether the service runs on a node",
}
FAILED = 256  # the wait status of a command that ended with 1


class Plugins:
    def __init__(self, cluster: Cluster, spec: ClusterSpec) -> None:
        self.cluster = cluster
        self.names = list(spec.plugins)
        self._texts = spec.plugin_status
        self._starting: dict[tuple[str, str], Timer] = {}
        self._running = {
            (plugin, node)
            for plugin, nodes in spec.plugin_nodes.items()
            for node, state in (nodes or {}).items()
            if state == "running" and cluster.machines[node].online
        }

    def states(self) -> dict[str, dict[str, str]]:
        return {
            plugin: {
                node: "running" if (plugin, node) in self._running else "stopped" for node in self.cluster.machines
            }
            for plugin in self.names
        }

    def machine_left(self, node: str) -> None:
        self._running = {(plugin, one) for plugin, one in self._running if one != node}

    def call(self, plugin: str, node: str, command: str) -> list[object]:
        """The [status, text] of a command, as the server returns it."""
        if plugin not in self.names:
            raise self.cluster.refuse(f"Plugin {plugin} could not be found")
        if command not in FUNCTIONS:
            raise self.cluster.refuse(f"Plugin {plugin} has no function {command}")
        if not self.cluster.machines[node].online:
            return [FAILED, f"node {node} is not online"]
        key = (plugin, node)
        service = self._service(plugin)
        if command == "STATUS":
            running = key in self._running
            answer: list[object] = [0 if running else FAILED, self._text(plugin, "running" if running else "stopped")]
            self.cluster.clock.read(f"plugin {plugin} {node}")
            return answer
        if key in self._starting:
            self._starting.pop(key).cancel()
        if command != "START":
            self._running.discard(key)
        if command != "STOP":
            seconds = self.cluster.timing["plugin"]
            timer = self.cluster.clock.after(seconds, lambda: self._started(key), f"plugin {plugin} {node}")
            self._starting[key] = timer
        return [0, f"{service}: {command.lower()} [ OK ]"]

    def _started(self, key: tuple[str, str]) -> None:
        if self.cluster.machines[key[1]].online:
            self._running.add(key)

    def _service(self, plugin: str) -> str:
        return "vmtoolsd" if "vmware-tools" in plugin else plugin.rpartition(".")[2]

    def _text(self, plugin: str, state: str) -> str:
        given = (self._texts.get(plugin) or {}).get(state)
        default = "is running" if state == "running" else "is not active"
        return str(given) if given else f"{self._service(plugin)} {default}"
