# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine on which EXAoperation runs, and the machines that answer for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...clock import Timer
from .topology import ClusterSpec

if TYPE_CHECKING:
    from ..common.machines import Machine
    from .cluster import Cluster


class EXAoperation:
    """One server process on one machine (the master); every machine with a listener answers while it runs."""

    def __init__(self, cluster: Cluster, spec: ClusterSpec) -> None:
        self.cluster = cluster
        self.master = spec.master
        self.holders = list(spec.exaoperation_nodes)
        self.running = cluster.machines[spec.master].answers
        self._moving: Timer | None = None
        self._move_to: str | None = None
        if not self.running:
            self._move_now(None)

    def listens(self, machine: str) -> bool:
        """Whether a connection to EXAoperation on this machine is accepted."""
        return self.running and self.cluster.machines[machine].answers

    def candidates(self) -> list[str]:
        """The machines that could run EXAoperation now, in order of preference."""
        return [name for name in self.holders if self.cluster.machines[name].online]

    def move(self, target: str) -> None:
        """Moves EXAoperation to another machine. It doesn't answer until it runs there."""
        if target not in self.cluster.machines or not self.cluster.machines[target].online:
            raise self.cluster.refuse(f"EXAoperation can't be moved: node {target} is not online")
        if target not in self.holders:
            self.holders.append(target)
        if target != self.master or not self.running:
            self._stop()
            self._begin_move(target)

    def restart(self) -> None:
        self._stop()
        self._begin_move(self.master)

    def machine_came(self, machine: Machine) -> None:
        if machine.name not in self.holders:
            return
        if not self.running:
            if self._moving is None:
                self._move_now(None)
        elif self.cluster.settings["exaoperation_returns"] and machine.name == self.holders[0] != self.master:
            self.move(machine.name)

    def machine_leaves(self, machine: Machine) -> None:
        """Reacts to a machine that shuts down; it still answers for a while."""

        def silent() -> None:
            if machine.state != "shutting_down":
                return
            machine.answers = False
            if machine.name == self.master:
                self._lost()
            self.cluster.wake()

        # a machine that is off never answers, even if EXAoperation would have run longer
        seconds = min(self.cluster.timing["api_stop"], machine.shutdown_seconds)
        self.cluster.clock.after(seconds, silent)

    def machine_gone(self, machine: Machine) -> None:
        """Reacts to a machine that has lost its power."""
        machine.answers = False
        if machine.name == self.master:
            machine.state = "off"
            self._lost()

    def _lost(self) -> None:
        self._stop()
        if self.cluster.settings["exaoperation_moves"]:
            self._begin_move(None)

    def _stop(self) -> None:
        self.running = False
        if self._moving is not None:
            self._moving.cancel()
            self._moving = None

    def _begin_move(self, target: str | None) -> None:
        self._move_to = target
        if target is None and not self.candidates():
            return
        self._moving = self.cluster.clock.after(self.cluster.timing["move"], self._moved)

    def _moved(self) -> None:
        self._moving = None
        self._move_now(self._move_to)

    def _move_now(self, target: str | None) -> None:
        """Starts on the target, or else on its old machine, or else on the first machine that can run it."""
        candidates = self.candidates()
        for name in (target, self.master, *candidates):
            if name in candidates:
                self.master, self.running = str(name), True
                self.cluster.machines[self.master].answers = True
                break
