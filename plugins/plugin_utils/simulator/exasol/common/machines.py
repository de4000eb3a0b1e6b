# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines (nodes and license servers): power, boot, shutdown, and their visible states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...clock import Timer

if TYPE_CHECKING:
    from .base import ExasolCluster


class Machine:
    """off -> booting -> online -> shutting_down -> off; online <-> suspended (its cluster services are stopped)."""

    def __init__(self, cluster: ExasolCluster, name: str, options: dict[str, Any], license_server: bool) -> None:
        timing = cluster.timing
        self.cluster, self.name, self.license_server = cluster, name, license_server
        self.number = int(name[1:]) if name[1:].isdigit() else 0
        state = options.get("state", "online")
        self.state = "off" if state == "offline" else state
        self.boot_seconds = float(options.get("boot", timing["api"] if license_server else timing["boot"]))
        self.shutdown_seconds = float(options.get("shutdown", timing["shutdown"]))
        self.answers = self.state in ("online", "suspended")
        self._timer: Timer | None = None
        self._stages: Timer | None = None
        self._waits_for_image = False
        self._told = False
        self._unseen_repeats = 0

    @property
    def online(self) -> bool:
        return self.state == "online"

    def resume(self) -> None:
        """Continues the boot of a machine that boots in the topology."""
        if self.state == "booting":
            self.state = "off"
            self.power_on()

    # -- what is seen --------------------------------------------------------------------------------

    def status(self) -> str:
        """The answer of getNodeState; 'fault' if the call fails."""
        name = {"online": "running", "off": "off", "booting": "booting", "suspended": "suspended"}.get(
            self.state, "stopping"
        )
        return str(self.cluster.settings[f"node_{name}"])

    def hardware(self) -> str | None:
        """The text of the inventory (our own, in the form of the tool's); None if the machine isn't online."""
        if self.state not in ("online", "suspended"):
            return None
        return (
            "# dmidecode 3.2\nGetting SMBIOS data from sysfs.\nSMBIOS 2.8 present.\n\n"
            "Handle 0x0100, DMI type 1, 27 bytes\nSystem Information\n"
            f"\tManufacturer: Simulated\n\tProduct Name: Node\n\tSerial Number: {self.name}\n"
        )

    def _visibly_booting(self) -> bool:
        """Whether a client can distinguish a machine that boots from one that is off."""
        shown = self.status()
        return self._told or shown not in ("fault", str(self.cluster.settings["node_off"]))

    # -- calls -----------------------------------------------------------------------------------------

    def request_start(self) -> None:
        """Switches the machine on by its management card (startupNode)."""
        if self.state == "booting":
            self._unseen_repeats += 1
            if self._visibly_booting() or self._unseen_repeats > 1:
                self.cluster.broken("node-start-repeated", self.name, f"{self.name} was booting.")
            return
        if self.state in ("online", "suspended"):
            self.cluster.broken("node-start-repeated", self.name, f"{self.name} was {self.state}.")
            return
        if self.state == "shutting_down":
            return  # a machine with power ignores the signal
        self.power_on()

    def request_shutdown(self) -> None:
        """Shuts the machine down and switches it off (shutdownNode, haltLicenseServer)."""
        if self.state == "shutting_down":
            self.cluster.broken("node-stop-repeated", self.name, f"{self.name} was shutting down.")
            return
        if self.state == "off":
            return
        self._check_power_off()
        self._leave("its shutdown was requested")
        self.state = "shutting_down"
        self.cluster.log.add("Cluster", self.name, "Node shutdown was requested.")
        self.cluster.administration.machine_leaves(self)
        self._timer = self.cluster.clock.after(self.shutdown_seconds, self._is_off, f"node {self.name}")

    def power_on(self) -> None:
        """Switches the machine on by its power button or a management card."""
        if self.state != "off":
            return
        self.state = "booting"
        self._told = False
        self._unseen_repeats = 0
        self._waits_for_image = False
        if not self.license_server and not self.cluster_has_image():
            self._waits_for_image = True
            return
        self._boot()

    def press_off(self) -> None:
        """Holds the power button. This counts as an act of a client."""
        if self.state != "off":
            self._check_power_off()
            self.power_off("its power was switched off")

    def power_off(self, why: str) -> None:
        """Cuts the power at once."""
        if self.state == "off":
            return
        self._leave(why)
        self.cluster.administration.machine_gone(self)
        self._is_off()

    def reboot(self) -> None:
        self._check_power_off()
        self.power_off("it was reset")
        self.power_on()

    def suspend(self) -> None:
        if self.state != "online":
            raise self.cluster.refuse(f"Node {self.name} is not running")
        self._check_power_off()
        self._leave("its cluster services were stopped")
        self.state = "suspended"

    def unsuspend(self) -> None:
        if self.state != "suspended":
            raise self.cluster.refuse(f"Cluster services of node {self.name} are not stopped")
        self._is_online()

    # -- transitions -------------------------------------------------------------------------------------

    def cluster_has_image(self) -> bool:
        # while the cluster is being built, the state of the topology is taken unchecked
        return any(m.license_server and m.state in ("online", "suspended") for m in self.cluster.machines.values())

    def boot_image_available(self) -> None:
        if self.state == "booting" and self._waits_for_image:
            self._waits_for_image = False
            self._boot()

    def _boot(self) -> None:
        clock = self.cluster.clock
        key = f"node {self.name}"
        if not self.license_server:
            self._stages = clock.after(self.boot_seconds * 0.6, self._stages_done)
        self._timer = clock.after(self.boot_seconds, self._booted, key)
        self.cluster.wake()

    def _stages_done(self) -> None:
        if self.cluster.faults.standing("never_boots", (self.name,)):
            return
        self._told = bool(self.cluster.spec.log_services)
        seconds = round(self.boot_seconds * 0.6)
        self.cluster.log.add("Cluster", self.name, f"Boot process stages 1 to 3 took {seconds} seconds.")

    def _booted(self) -> None:
        if self.state != "booting" or self.cluster.stuck("never_boots", (self.name,), self._booted):
            return
        if not self.license_server:
            self.cluster.log.add(
                "Cluster", self.name, f"Boot process finished after {round(self.boot_seconds)} seconds"
            )
        self._is_online()

    def _is_online(self) -> None:
        self.state = "online"
        self.answers = True
        self.cluster.machine_came(self)

    def _is_off(self) -> None:
        if self.state == "shutting_down" and self.cluster.stuck("never_stops", (self.name,), self._is_off):
            return
        self.state = "off"
        self.answers = False
        self.cluster.wake()

    def _leave(self, why: str) -> None:
        was_online = self.state == "online"
        for timer in (self._timer, self._stages):
            if timer is not None:
                timer.cancel()
        if was_online:
            self.cluster.machine_left(self, why)

    def _check_power_off(self) -> None:
        """Records which safety rules are broken if this machine is switched off."""
        cluster = self.cluster
        storage = cluster.storage
        if self.license_server:
            running = [
                name
                for name in cluster.spec.nodes
                if cluster.machines[name].state in ("online", "booting", "suspended")
            ]
            if running:
                cluster.broken("license-server-off-before-nodes", self.name, f"Running: {', '.join(running[:5])}.")
            if storage.state != "offline":
                cluster.broken("license-server-off-under-storage", self.name, f"EXAStorage was {storage.state}.")
            others = [
                name
                for name in cluster.spec.license_servers
                if name != self.name and cluster.machines[name].state in ("online", "booting")
            ]
            if others and cluster.administration.master == self.name:
                cluster.broken(
                    "exaoperation-off-before-license-server", self.name, f"Still running: {', '.join(others)}."
                )
        elif self.state == "online" and storage.state != "offline" and self.name not in storage.ignored:
            cluster.broken("node-off-under-storage", self.name, f"EXAStorage was {storage.state}.")
