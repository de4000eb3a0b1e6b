# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulated cluster with its listeners. It ends the transitions when they are due."""

from __future__ import annotations

import threading
import time
from typing import Any

from .clock import Clock
from .faults import Fault
from .http import Answer, Listener, Request
from .products import PRODUCTS
from .ticker import TICKER
from .tls import Trust


class Served:
    """A cluster with its listeners. The transitions of the cluster open and close the listeners."""

    def __init__(self, spec: Any, clock: str, bind: str, trust: Trust | None, certificates: str) -> None:
        """`certificates`: whether those of clients are 'demanded', 'accepted' or neither ('')."""
        self.service = PRODUCTS[spec.product].serve(spec, Clock(clock))
        self.cluster = self.service.cluster
        self.trust, self._certificates = trust, certificates
        self._refusing: dict[int, float | None] = {}
        context = None if trust is None else trust.context(certificates)
        self.listeners = {
            machine: Listener(
                spec.addresses.get(machine, bind),
                spec.ports.get(machine, 0),
                self._handler(machine),
                context,
                self.sync,
            )
            for machine in spec.listeners
        }
        self.cluster.urls = {machine: listener.url for machine, listener in self.listeners.items()}
        self._sync_lock = threading.Lock()

    def start(self) -> None:
        self.sync()
        self.cluster.woken = self._poke
        TICKER.add(self._tick)

    def _poke(self) -> None:
        TICKER.poke(self._tick)

    def stop(self) -> None:
        with self.cluster.lock:
            self.cluster.closing = True
            self.cluster.wake()
        TICKER.remove(self._tick)
        for listener in self.listeners.values():
            listener.close()

    def _handler(self, machine: str) -> Any:
        def answer(request: Request) -> Answer:
            reply = self.service.answer(machine, request)
            if reply.breakage == "reset":
                self._note_refusals()
            return reply

        return answer

    def _note_refusals(self) -> None:
        for row in self.cluster.faults.rows():
            if row["kind"] == "refuse" and row["hit"]:
                self.refuse(row["id"], row["seconds"])

    def refuse(self, fault_id: int, seconds: float | None) -> None:
        """Applies a fault of kind refuse, for its real seconds or until it is deleted."""
        if fault_id not in self._refusing:
            self._refusing[fault_id] = None if seconds is None else time.monotonic() + seconds
            if seconds is not None:
                timer = threading.Timer(seconds, self.sync)
                timer.daemon = True
                timer.start()

    def fault_added(self, fault: Fault) -> None:
        if fault.kind == "refuse" and fault.method == "*" and fault.after == 0:
            if fault.delay:
                timer = threading.Timer(fault.delay, self._refuse_now, (fault,))
                timer.daemon = True
                timer.start()
            else:
                self._refuse_now(fault)
        elif fault.kind == "dies":
            with self.cluster.lock:
                self.cluster.settle()
                self.cluster.dies(fault)
                self.cluster.settle()
        self.sync()

    def _refuse_now(self, fault: Fault) -> None:
        self.refuse(fault.id, fault.seconds)
        self.sync()

    def _refused(self, machine: str) -> bool:
        if not self._refusing:
            return False
        now = time.monotonic()
        for row in self.cluster.faults.rows():
            if row["id"] in self._refusing and (row["object"] in ("*", machine) or row["method"] != "*"):
                until = self._refusing[row["id"]]
                if until is None or now < until:
                    return True
        return False

    def sync(self, close: bool = True) -> None:
        """Lets each listener listen or refuse, according to its machine's state and the faults.

        Without `close`, no listener is closed yet, because that would cut an answer on its way.
        """
        with self._sync_lock:
            for machine, listener in self.listeners.items():
                wanted = self.service.listens(machine) and not self._refused(machine)
                if wanted == listener.open or self.cluster.closing:
                    continue
                if wanted:
                    listener.listen()
                elif close:
                    listener.refuse()

    def _tick(self) -> float | None:
        cluster = self.cluster
        with cluster.lock:
            due = cluster.settle() > 0 or cluster.settled_meanwhile
            cluster.settled_meanwhile = False
            wait = cluster.clock.due_in()
        # a call woke this: its answer must still be sent, so nothing is closed yet
        self.sync(close=due)
        return wait

    def urls(self) -> list[str]:
        return [listener.url for listener in self.listeners.values()]

    def ready(self) -> dict[str, Any]:
        """The data that a client needs: the first user, every URL, the CA."""
        user = self.cluster.spec.users[0]
        row: dict[str, Any] = {
            "product": self.cluster.spec.product,
            "api_url": self.urls(),
            "username": user.name,
            "password": user.password,
            "ca_path": None if self.trust is None else self.trust.ca_path,
        }
        if self.trust is not None and self._certificates:
            row.update(client_cert=self.trust.client_cert, client_key=self.trust.client_key)
        variables = self.service.environment(row)
        return {**row, "environment": {name: value for name, value in variables.items() if value}}
