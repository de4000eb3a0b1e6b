# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nodes, each with its own ConfD, and the choice of the master."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from ...clock import Timer
from ..common.machines import Machine
from .catalogue import OLD

if TYPE_CHECKING:
    from .cluster import ConfdCluster


SERVICES = ("c4_cloud_command", "c4")
"""The services of a host, in the order in which they are stopped (EXA-34)."""


class Node(Machine):
    """off -> booting -> online -> shutting_down -> off; suspended is marked as offline though it runs."""

    cluster: ConfdCluster

    def __init__(self, cluster: ConfdCluster, name: str, options: dict[str, Any], index: int) -> None:
        super().__init__(cluster, name, options, license_server=False)
        self.id = str(self.number)
        address = cluster.spec.addresses.get(name) or str(options.get("private_ip") or f"10.50.1.{index + 11}")
        self.address = address
        self.booted = cluster.clock.wall() if self.state != "off" else None
        self._ran = True
        self.enabled = bool(options.get("enabled", True))
        self.joined = bool(options.get("joined", True))
        self.leaving = False
        self.described: dict[str, Any] = {
            "disks": options.get("disks") or {"disk1": _disk("disk1")},
            "docker_volume": options.get("docker_volume") or f"/exa/etc/{name}",
            "exposed_ports": options.get("exposed_ports") or [[8888, 8899 + index], [6583, 6594 + index]],
            "id": self.id,
            "name": str(options.get("name") or name),
            "private_ip": address,
            "private_net": str(options.get("private_net") or f"{address}/24"),
            "uuid": str(options.get("uuid") or _made_up(f"{cluster.spec.name} {name}")),
        }
        for key in ("public_net", "public_ip", "space_warn_threshold", "bg_rec_limit"):
            if options.get(key):
                self.described[key] = options[key]
        if self.state == "suspended":
            self.answers = bool(cluster.settings["suspended_answers"])
        self.services = dict.fromkeys(SERVICES, self.state in ("online", "suspended"))

    def press_service(self, service: str, on: bool) -> None:
        """Starts or stops a service of a host on which Exasol is an application. c4 is the node itself (EXA-34)."""
        if self.services[service] == on:
            return
        command, node = SERVICES
        out_of_order = not on and self.services[command] if service == node else on and not self.services[node]
        if out_of_order:
            self.cluster.broken("host-services-out-of-order", self.name, f"It was {service}.")
        self.services[service] = on
        if service != node:
            return
        if on:
            self.power_on()
        elif self.state in ("online", "booting"):
            self.request_shutdown()
        elif self.state == "suspended":
            self.press_off()

    def shown_state(self) -> str:
        """The state in the words of node_state."""
        if self.state == "suspended":
            settings = self.cluster.settings
            word = "deactivated" if settings["parameter_names"] == OLD else "suspended"
            return str(settings["node_suspended_word"] or word)
        return "online" if self.state == "online" else "offline"

    def booted_at(self) -> str:
        return time.asctime(time.localtime(self.booted))

    def cluster_has_image(self) -> bool:
        return True  # a host boots from its own disk

    def power_on(self) -> None:
        if self.state == "suspended" and not self._ran:
            self.state = "off"  # the node resumes by itself when it starts (EXA-19)
        super().power_on()

    def suspend(self) -> None:
        self._check_power_off()
        self.leaving = not self.cluster.settings["suspended_counts"]
        self._leave("it was suspended")
        self.leaving = False
        self._ran = self.state not in ("off", "shutting_down")
        self.state = "suspended"
        self.answers = self._ran and bool(self.cluster.settings["suspended_answers"])
        if self.cluster.administration.master == self.name:
            self.cluster.administration.lost()
        self.cluster.storage.follow()
        self.cluster.wake()

    def unsuspend(self) -> None:
        if self._ran:
            super().unsuspend()
        else:
            self.state = "off"
            self.cluster.wake()

    def _is_online(self) -> None:
        if self.state != "suspended" or self.booted is None:
            self.booted = self.cluster.clock.wall()
        self.joined = True
        super()._is_online()

    def _visibly_booting(self) -> bool:
        return True  # a host is started outside of ConfD, where its boot is visible

    def _check_power_off(self) -> None:
        cluster = self.cluster
        if self.state != "online":
            return
        up = [one for one in cluster.databases.values() if one.state != "setup"]
        users = [f"{one.name} ({one.state})" for one in up if self.name in one.active]
        if users:
            cluster.broken("node-off-under-database", self.name, f"Up: {', '.join(users)}.")
        without = cluster.volumes.gone() | {self.name}
        losing = [one for one in up if self.name not in one.active and one.loses_data(without)]
        if losing:
            text = ", ".join(f"{one.name} (on {one.volume})" for one in losing)
            cluster.broken("node-off-under-volume", self.name, f"Up: {text}.")
        if up and cluster.quorum() and not cluster.quorum(without=self.name):
            cluster.broken("quorum-lost-under-database", self.name, f"Up: {', '.join(one.name for one in up)}.")


def _made_up(name: str) -> str:
    """Forty hexadecimal digits, the same for the same name."""
    return (uuid.uuid5(uuid.NAMESPACE_DNS, name).hex + uuid.uuid5(uuid.NAMESPACE_URL, name).hex)[:40].upper()


def _disk(name: str) -> dict[str, Any]:
    return {"component": "exastorage", "devices": ["dev.1"], "direct_io": True, "ephemeral": False, "name": name}


class Mastership:
    """The master: the ConfD of one node, to which the others point. After its loss, there is no master for a while."""

    def __init__(self, cluster: ConfdCluster) -> None:
        self.cluster = cluster
        self.master = cluster.spec.master
        self.running = cluster.machines[self.master].online
        self.moving = False
        self._timer: Timer | None = None
        self._wanted: list[str] = []
        if not self.running:
            self._elect()

    def candidates(self) -> list[str]:
        return [name for name, node in self.cluster.machines.items() if node.online]

    def machine_came(self, machine: Machine) -> None:
        if not self.running and self._timer is None:
            self._elect()

    def machine_leaves(self, machine: Machine) -> None:
        """Reacts to a node that shuts down; its ConfD still answers for a while."""

        def silent() -> None:
            if machine.state == "shutting_down":
                machine.answers = False
                if machine.name == self.master:
                    self.lost()
                self.cluster.wake()

        seconds = min(self.cluster.timing["api_stop"], machine.shutdown_seconds)
        self.cluster.clock.after(seconds, silent)

    def machine_gone(self, machine: Machine) -> None:
        machine.answers = False
        if machine.name == self.master:
            machine.state = "off"
            self.lost()

    def lost(self) -> None:
        """Reacts to the loss of the master: another node will be the master."""
        if self.running:
            self.running = False
            self.cluster.jobs.master_gone(self.master)
            self._begin([])

    def change(self, wanted: list[str]) -> None:
        """Moves the master to one of these nodes. The old master answers until the new one does."""
        self.moving = True
        self._begin(wanted)

    def _begin(self, wanted: list[str]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._wanted = wanted
        self._timer = self.cluster.clock.after(self.cluster.timing["move"], self._elect)

    def _elect(self) -> None:
        self._timer = None
        self.moving = False
        candidates = self.candidates()
        for name in (*self._wanted, *([self.master] if self.running else []), *candidates):
            if name in candidates:
                self.master, self.running = name, True
                break
        self._wanted = []
        self.cluster.wake()
