# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated cluster: its parts, its clock, its lock, and how the failure of one part affects others."""

from __future__ import annotations

from typing import Any

from ...clock import Clock
from ...cluster import UsageError
from ...faults import Fault
from ..common.base import ExasolCluster
from ..common.logs import Log
from ..common.machines import Machine
from ..common.rules import RULES
from ..common.storage import Storage
from ..common.topology import node_name
from .databases import ManagedDatabase
from .plugins import Plugins
from .remote_volumes import RemoteVolumes
from .server import EXAoperation
from .topology import ClusterSpec
from .volumes import Volumes


class Cluster(ExasolCluster):
    """Everything behind one EXAoperation."""

    rules = RULES
    machines: dict[str, Machine]
    volumes: Volumes
    remote_volumes: RemoteVolumes

    def __init__(self, spec: ClusterSpec, clock: Clock) -> None:
        super().__init__(spec, clock, [user.password for user in spec.users])
        self.log = Log(clock.wall, self.settings["log_limit"])
        with self.lock:
            self._build(spec)

    def _build(self, spec: ClusterSpec) -> None:
        servers = {name: spec.machines.get(name, {"state": "online"}) for name in spec.license_servers}
        self.machines = {
            name: Machine(self, name, options, name in servers) for name, options in {**servers, **spec.nodes}.items()
        }
        self.down = {name for name in spec.nodes if not self.machines[name].online}
        self.storage = Storage(self, spec.storage_online)
        # machines, storage and databases use this name with all providers
        self.exaoperation = self.administration = EXAoperation(self, spec)
        self.databases: dict[str, ManagedDatabase] = {}
        self.volumes = Volumes(self)
        self.volumes.build(self._volumes(spec))
        self.remote_volumes = RemoteVolumes(self)
        for index, (name, options) in enumerate(spec.databases.items()):
            self.databases[name] = ManagedDatabase(self, name, options, index)
        self.plugins = Plugins(self, spec)
        for machine in self.machines.values():
            machine.resume()

    def _volumes(self, spec: ClusterSpec) -> dict[str, dict[str, Any]]:
        """The volumes of the topology, and those of databases whose volumes it doesn't name."""
        rows = {name: dict(options) for name, options in spec.volumes.items()}
        numbered = {f"v{int(row['id']):04d}" for row in rows.values() if str(row.get("id", "")).isdigit()}
        for index, options in enumerate(spec.databases.values()):
            name = str(options.get("volume") or options.get("data_volume_name") or f"v{index:04d}")
            if name not in numbered:
                rows.setdefault(name, {"nodes": options.get("nodes")})
        return rows

    def refusal(self, which: str, /, **values: Any) -> UsageError:
        text = str(self.settings[which])
        for key, value in values.items():
            text = text.replace(f"{{{key}}}", str(value))
        return UsageError(text)

    def node_called(self, value: Any) -> str:
        return node_name(value) or str(value)

    def archive_name(self, name: str) -> str:
        found = self.remote_volumes.known(name) or self.volumes.known(name)
        return name if found is None else found.name

    def archive_id(self, name: str) -> int | None:
        found = self.remote_volumes.known(name) or self.volumes.known(name)
        return None if found is None else found.id

    def die(self, name: str, fault: Fault) -> None:
        text = fault.text or "it was made to die"
        if name in self.machines:
            self.machines[name].power_off(text)
        elif name.removeprefix("db_") in self.databases:
            self.databases[name.removeprefix("db_")].crash(text)
        elif name in ("storage", "Storaged"):
            self.storage.crash(text)

    # -- services ----------------------------------------------------------------------------------

    def services(self) -> list[list[str]]:
        """The services, in the order of the server."""
        rows = []
        for name, given in self.spec.services.items():
            state = self.storage.service() if name == "Storaged" else given
            sick = self.faults.standing("service_sick", (name,))
            if sick is not None:
                sick.hit += 1
                state = "not running" if sick.value is None else str(sick.value)
            rows.append([name, state])
        return rows

    # -- what one part's change does to the others -------------------------------------------------------

    def machine_left(self, machine: Machine, why: str) -> None:
        if not machine.license_server:
            self.down.add(machine.name)
            for database in self.databases.values():
                if machine.name in database.nodes:
                    database.node_lost(machine.name, why)
            self.storage.node_lost(machine.name, why)
        self.plugins.machine_left(machine.name)
        self.wake()

    def machine_came(self, machine: Machine) -> None:
        self.down.discard(machine.name)
        if not machine.license_server and self.storage.state == "online":
            self.volumes.node_came(machine.name)
        self.exaoperation.machine_came(machine)
        if machine.license_server:
            for other in self.machines.values():
                other.boot_image_available()
        self.wake()

    def add_node(self, name: str) -> None:
        """Adds a node that is off. A running EXAStorage doesn't know it."""
        self.spec.nodes[name] = {"state": "offline"}
        self.machines[name] = Machine(self, name, self.spec.nodes[name], False)
        self.down.add(name)
        if self.storage.state != "offline":
            self.storage.ignored.add(name)
        self.wake()

    def remove_node(self, name: str) -> None:
        """Removes a node. Raises UsageError."""
        users = [f"database {one.name}" for one in self.databases.values() if name in one.nodes]
        users += [f"volume {one.name}" for one in self.volumes.all.values() if name in one.nodes]
        if users:
            raise self.refusal("node_in_use", name=name, what=users[0])
        if self.machines[name].state != "off":
            raise self.refusal("node_not_off", name=name)
        for rows in (self.spec.nodes, self.machines):
            rows.pop(name)
        self.down.discard(name)
        self.storage.ignored.discard(name)
        self.wake()

    def state(self) -> dict[str, Any]:
        """The true state, as a topology."""
        return {
            "product": "exasol",
            "provider": "exaoperation",
            "name": self.spec.name,
            "version": self.spec.version,
            "master": self.exaoperation.master,
            "exaoperation_running": self.exaoperation.running,
            "license_servers": list(self.spec.license_servers),
            "machines": {name: {"state": self.machines[name].state} for name in self.spec.license_servers},
            "nodes": {name: self._node(name) for name in self.spec.nodes},
            "services": dict(self.services()),
            "storage_online": self.storage.state == "online",
            "storage_state": self.storage.state,
            "databases": {name: database.topology() for name, database in self.databases.items()},
            "volumes": {one.name: one.topology() for one in self.volumes.all.values() if not one.temporary},
            "remote_volumes": {name: one.topology() for name, one in self.remote_volumes.all.items()},
            "backups": {name: one.history.rows() for name, one in self.databases.items()},
            "schedules": {name: [dict(row) for row in one.schedules] for name, one in self.databases.items()},
            "log_services": list(self.spec.log_services),
            "plugins": list(self.spec.plugins),
            "plugin_nodes": self.plugins.states(),
            "clock": self.clock.text,
            "cluster_time": round(self.clock.now(), 3),
        }

    def _node(self, name: str) -> dict[str, Any]:
        row: dict[str, Any] = {"state": self.machines[name].state}
        if name in self.volumes.suspended:
            row["storage_suspended"] = True
        return row
