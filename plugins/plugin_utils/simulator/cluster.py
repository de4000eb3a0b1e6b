# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The common part of all simulated clusters: time, a lock, faults, a record."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from typing import Any, Callable, ClassVar

from .clock import Clock
from .faults import Fault, Faults
from .record import Record


class UsageError(Exception):
    """A refusal of the server, in its own words."""


class Cluster(ABC):
    """One cluster or domain. All methods but wait_for are called with `lock` held."""

    rules: ClassVar[dict[str, str]]

    def __init__(self, spec: Any, clock: Clock, secrets: list[str]) -> None:
        self.spec, self.clock = spec, clock
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.settings, self.timing = spec.settings, spec.timing
        self.faults = Faults(self.settings["seed"])
        self.record = Record(secrets, self.rules)
        self.current_call: int | None = None
        self.closing = False
        self.urls: dict[str, str] = {}  # the addresses of its machines' listeners, once they are bound
        self.settled_meanwhile = False  # a waiting call has changed the state, and the listeners don't know yet
        self._stuck: list[Callable[[], None]] = []
        self.woken: Callable[[], None] = lambda: None
        """Called when something may be due."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """The true state, as a topology."""

    @abstractmethod
    def die(self, name: str, fault: Fault) -> None:
        """Makes the object of that name fail, for a fault of kind dies."""

    def broken(self, rule: str, name: str, text: str, call_n: int | None = None) -> None:
        """Records that the present call, or an earlier one, broke a safety rule."""
        self.record.broken(rule, name, f"{self.rules[rule]} {text}", self.current_call if call_n is None else call_n)

    def settle(self) -> int:
        return self.clock.settle()

    def wake(self) -> None:
        self.changed.notify_all()
        self.woken()

    def wait_for(self, done: Callable[[], bool], seconds: float | None = None) -> bool:
        """Blocks a call until a condition is true, the simulator ends, or cluster seconds are over. Other calls get the
        lock meanwhile. Returns whether the condition is true."""
        deadline = None if seconds is None else time.monotonic() + seconds * self.clock.scale
        while not done() and not self.closing:
            waits = [wait for wait in (self.clock.due_in(),) if wait is not None]
            if deadline is not None:
                waits.append(deadline - time.monotonic())
                if waits[-1] <= 0:
                    break
            self.changed.wait(timeout=min(waits) if waits else None)
            self.settled_meanwhile |= self.settle() > 0
        return done()

    def stuck(
        self,
        kind: str,
        names: tuple[str, ...],
        again: Callable[[], None],
        fits: Callable[[Fault], bool] | None = None,
    ) -> bool:
        """Whether a fault stops an object; `again` is called once the fault is removed."""
        if self.faults.on_machine(kind, names, fits) is None:
            return False
        self._stuck.append(again)
        return True

    def release(self) -> None:
        """Continues the objects that removed faults had stopped (remaining faults may stop them again)."""
        waiting, self._stuck = self._stuck, []
        for again in waiting:
            again()
        self.settle()
        self.wake()

    def dies(self, fault: Fault) -> None:
        def act() -> None:
            fault.hit += 1
            self.die(fault.object, fault)
            self.wake()

        # the fault's delay is in real seconds, the clock's in the cluster's
        if fault.delay:
            self.clock.after(fault.delay / self.clock.scale, act)
        else:
            act()
        self.wake()
