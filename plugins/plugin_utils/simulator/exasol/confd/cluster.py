# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulated cluster that ConfD administers: its parts, and how the failure of one part affects others."""

from __future__ import annotations

from typing import Any

from ...clock import Clock
from ...cluster import UsageError
from ...faults import Fault
from ..common.base import ExasolCluster
from ..common.logs import Log
from ..common.machines import Machine
from .catalogue import NEW
from .databases import ConfdDatabase
from .nodes import Mastership, Node
from .refusals import refusal
from .remote_volumes import RemoteVolumes
from .rules import RULES
from .scheduler import Job, Jobs
from .storage import OwnStorage
from .topology import ConfdSpec, node_of
from .users import Users
from .volumes import Volumes


class ConfdCluster(ExasolCluster):
    """Everything behind the ConfDs of one cluster."""

    rules = RULES
    storage: OwnStorage
    volumes: Volumes
    administration: Mastership

    def __init__(self, spec: ConfdSpec, clock: Clock) -> None:
        super().__init__(spec, clock, [*(user.password for user in spec.users), spec.authentication_token])
        self.log = Log(clock.wall, self.settings["log_limit"])
        self.revision = spec.revision
        self.general: dict[str, Any] = {}
        self.machines: dict[str, Node] = {}
        self.databases: dict[str, ConfdDatabase] = {}
        with self.lock:
            self.jobs = Jobs(self)
            self._build(spec)
        clock.ended = self.jobs.proceed

    def _build(self, spec: ConfdSpec) -> None:
        for index, (name, options) in enumerate(spec.nodes.items()):
            self.machines[name] = Node(self, name, options, index)
        self.down = {name for name, machine in self.machines.items() if not machine.online}
        self.users = Users(spec)
        self.volumes = Volumes(self)
        self.storage = OwnStorage(self, False)
        if self.storage.enough():
            self.storage.state = "online"
        self.administration = Mastership(self)
        self.volumes.build(spec.volumes)
        self.remote_volumes = RemoteVolumes(self)
        for index, (name, options) in enumerate(spec.databases.items()):
            self.databases[name] = ConfdDatabase(self, name, options, index)
        for machine in self.machines.values():
            machine.resume()

    @property
    def new_names(self) -> bool:
        return bool(self.settings["parameter_names"] == NEW)

    def settle(self) -> int:
        ended = super().settle()
        while self.jobs.proceed():
            ended += 1 + super().settle()
        return ended

    def refusal(self, which: str, /, **values: Any) -> UsageError:
        return refusal(self.settings, which, **values)

    def node_called(self, value: Any) -> str:
        return node_of(value) or str(value)

    def archive_name(self, name: str) -> str:
        return name

    def archive_id(self, name: str) -> int | None:
        remote = self.remote_volumes.all.get(name)
        if remote is not None:
            return remote.id
        local = self.volumes.named(name)
        return None if local is None else local.id

    def quorum(self, without: str = "") -> bool:
        """Whether a majority is online, or would be without one node. An added node counts from its first boot; a
        removed node doesn't count."""
        counts = self.settings["suspended_counts"]
        gone = [name for name, one in self.machines.items() if one.leaving and (name == without or not one.online)]
        joined = [name for name, machine in self.machines.items() if machine.joined and name not in gone]
        known = [name for name in joined if counts or self.machines[name].state != "suspended"]
        online = [name for name in known if self.machines[name].online and name != without]
        return len(online) * 2 > len(known)

    def services(self) -> list[list[str]]:
        """The services that a start of a database checks; missing nodes have their own check."""
        state = self.storage.state
        return [["Storaged", "OK" if state == "online" else str(self.settings["storage_stopped"])]]

    def die(self, name: str, fault: Fault) -> None:
        text = fault.text or "it was made to die"
        if name in self.machines:
            self.machines[name].power_off(text)
        elif name in self.databases:
            self.databases[name].crash(text)
        elif name in ("storage", "Storaged"):
            self.storage.crash(text)

    # -- what one part's change does to the others -------------------------------------------------------

    def machine_left(self, machine: Machine, why: str) -> None:
        self.down.add(machine.name)
        lost = self.quorum() and not self.quorum(without=machine.name)
        for database in self.databases.values():
            database.told_up = database.told_up or (lost and database.connectible)
            if machine.name in database.nodes:
                database.node_lost(machine.name, why)
            database.volume_lost(f"node {machine.name} is offline: {why}")
        self.storage.node_lost(machine.name, why)
        self.wake()

    def machine_came(self, machine: Machine) -> None:
        self.down.discard(machine.name)
        if self.storage.state == "online":
            self.volumes.node_came(machine.name)
        self.storage.follow()
        if self.quorum():
            for database in self.databases.values():
                database.told_up = False
        self.administration.machine_came(machine)
        self.wake()

    def storage_came(self) -> None:
        """Starts the databases that start with the cluster."""
        for database in self.databases.values():
            if self.new_names and database.state == "setup" and database.auto_start():
                try:
                    database.start()
                except UsageError as error:
                    database.errors = [str(error)]

    def state(self) -> dict[str, Any]:
        """The true state, as a topology."""
        return {
            "product": "exasol",
            "provider": "confd",
            "name": self.spec.name,
            "version": self.spec.version,
            "master": self.administration.master,
            "nodes": {name: self._node(machine) for name, machine in self.machines.items()},
            "storage_online": self.storage.state == "online",
            "storage_state": self.storage.state,
            "databases": {name: database.topology() for name, database in self.databases.items()},
            "volumes": {one.name: one.topology() for one in self.volumes.all.values() if not one.temporary},
            "remote_volumes": {name: one.topology() for name, one in self.remote_volumes.all.items()},
            "backups": {name: one.history.rows() for name, one in self.databases.items()},
            "schedules": {name: one.schedules for name, one in self.databases.items()},
            "users": {user.name: {"uid": user.uid, "groups": user.groups} for user in self.users.all.values()},
            "groups": {name: {"gid": gid} for name, gid in self.users.groups.items()},
            "revision": self.revision,
            "settings": dict(self.settings),
            "timing": dict(self.timing),
            "jobs": {one.id: _job(one) for one in self.jobs.all.values()},
            "clock": self.clock.text,
            "cluster_time": round(self.clock.now(), 3),
        }

    def _node(self, machine: Node) -> dict[str, Any]:
        row = {**machine.described, "state": machine.state}
        return row if machine.joined else {**row, "joined": False}


def _job(job: Job) -> dict[str, Any]:
    return {"name": job.name, "stage": job.stage, "collected": job.collected}
