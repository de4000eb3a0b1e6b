# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One simulated cluster: its parts, its clock, its lock, and what one part's failure does to the others."""

from __future__ import annotations

import threading
from typing import Any, Callable

from ..clock import Clock
from ..faults import Fault, Faults
from ..record import Record
from ..topology import ClusterSpec
from .databases import Database
from .exaoperation import EXAoperation
from .logs import Log
from .machines import Machine
from .plugins import Plugins
from .rules import RULES
from .storage import Storage


class UsageError(Exception):
    """What the server refuses, in its own words."""


class Cluster:
    """Everything behind one EXAoperation. All methods but wait_for are called with `lock` held."""

    def __init__(self, spec: ClusterSpec, clock: Clock) -> None:
        self.spec, self.clock = spec, clock
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.settings, self.timing = spec.settings, spec.timing
        self.faults = Faults(self.settings["seed"])
        self.record = Record([user.password for user in spec.users], RULES)
        self.log = Log(clock.wall, self.settings["log_limit"])
        self.current_call: int | None = None
        self.closing = False
        self.settled_meanwhile = False  # by a call that waits: the listeners don't know yet
        self._stuck: list[Callable[[], None]] = []
        with self.lock:
            self._build(spec)

    def _build(self, spec: ClusterSpec) -> None:
        servers = {name: spec.machines.get(name, {"state": "online"}) for name in spec.license_servers}
        self.machines = {
            name: Machine(self, name, options, name in servers) for name, options in {**servers, **spec.nodes}.items()
        }
        self.down = {name for name in spec.nodes if not self.machines[name].online}
        self.storage = Storage(self, spec.storage_online)
        self.exaoperation = EXAoperation(self, spec)
        self.databases = {
            name: Database(self, name, options, index) for index, (name, options) in enumerate(spec.databases.items())
        }
        self.plugins = Plugins(self, spec)
        for machine in self.machines.values():
            machine.resume()

    def refuse(self, text: str) -> UsageError:
        return UsageError(text)

    def broken(self, rule: str, name: str, text: str) -> None:
        self.record.broken(rule, name, f"{RULES[rule]} {text}", self.current_call)

    def settle(self) -> int:
        return self.clock.settle()

    def wake(self) -> None:
        self.changed.notify_all()

    def wait_for(self, done: Callable[[], bool]) -> None:
        """Block a call until something is so, or the simulator ends; others have the lock meanwhile."""
        while not done() and not self.closing:
            self.changed.wait(timeout=self.clock.due_in())
            self.settled_meanwhile |= self.settle() > 0

    # -- faults of machines ------------------------------------------------------------------------

    def stuck(self, kind: str, names: tuple[str, ...], again: Callable[[], None]) -> bool:
        """Whether a fault holds something up; `again` is called once such a fault is removed."""
        if self.faults.on_machine(kind, names) is None:
            return False
        self._stuck.append(again)
        return True

    def release(self) -> None:
        """Faults were removed: what they held up goes on (or is held up again by those that are left)."""
        waiting, self._stuck = self._stuck, []
        for again in waiting:
            again()
        self.settle()
        self.wake()

    def dies(self, fault: Fault) -> None:
        def act() -> None:
            name = fault.object
            text = fault.text or "it was made to die"
            if name in self.machines:
                self.machines[name].power_off(text)
            elif name.removeprefix("db_") in self.databases:
                self.databases[name.removeprefix("db_")].crash(text)
            elif name in ("storage", "Storaged"):
                self.storage.crash(text)
            self.wake()

        # the fault's delay is in real seconds, the clock's in the cluster's
        if fault.delay:
            self.clock.after(fault.delay / self.clock.scale, act)
        else:
            act()
        self.wake()

    # -- services ----------------------------------------------------------------------------------

    def services(self) -> list[list[str]]:
        """Name and state of each service, in the order in which the server lists them."""
        rows = []
        for name, given in self.spec.services.items():
            state = self.storage.service() if name == "Storaged" else given
            sick = self.faults.standing("service_sick", (name,))
            if sick is not None:
                state = "not running" if sick.value is None else str(sick.value)
            rows.append([name, state])
        return rows

    # -- what one part's change does to the others -------------------------------------------------------

    def machine_left(self, machine: Machine, why: str) -> None:
        """A machine is no longer online: it shuts down, or its power is gone."""
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
        self.exaoperation.machine_came(machine)
        if machine.license_server:
            for other in self.machines.values():
                other.boot_image_available()
        self.wake()

    def state(self) -> dict[str, Any]:
        """The truth, as a topology."""
        return {
            "product": "exasol",
            "provider": "exaoperation",
            "name": self.spec.name,
            "version": self.spec.version,
            "master": self.exaoperation.master,
            "exaoperation_running": self.exaoperation.running,
            "license_servers": list(self.spec.license_servers),
            "machines": {name: {"state": self.machines[name].state} for name in self.spec.license_servers},
            "nodes": {name: {"state": self.machines[name].state} for name in self.spec.nodes},
            "services": dict(self.services()),
            "storage_online": self.storage.state == "online",
            "storage_state": self.storage.state,
            "databases": {name: database.summary() for name, database in self.databases.items()},
            "log_services": list(self.spec.log_services),
            "plugins": list(self.spec.plugins),
            "plugin_nodes": self.plugins.states(),
            "clock": self.clock.text,
            "cluster_time": round(self.clock.now(), 3),
        }
