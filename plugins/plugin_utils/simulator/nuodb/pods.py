# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods of a domain that Kubernetes manages: they restart what exits from outside (NUODB-37, NUODB-39)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .domain import Domain
    from .processes import Process
    from .servers import Server

POD_NAME = "pod-name"


class Pods:
    """With the setting `kubernetes`, they act on processes that were started from outside, and on APs."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    @property
    def there(self) -> bool:
        return bool(self._domain.settings["kubernetes"])

    def exited(self, process: Process) -> None:
        """Lets the pod of a process start another process."""
        if self.there and process.external:
            self._later(process)

    def _later(self, process: Process) -> None:
        seconds = self._domain.timing["pod_restart"]
        self._domain.clock.after(seconds, partial(self._start, process), process.database.key)

    def _start(self, before: Process) -> None:
        domain, database, archive = self._domain, before.database, before.archive
        gone = database.tombstone or domain.databases.get(database.name) is not database
        if gone or (archive is not None and (archive.removed or archive.process is not None)):
            return
        if database.stopping or not before.server.up:
            self._later(before)  # the container ends, and the pod tries again
            return
        one = domain.request(database, before.kind, before.server, archive)
        one.external, one.labels = True, dict(before.labels)
        one.begin()

    def stopped(self, server: Server) -> None:
        """Lets the pod of an AP restart the AP."""
        if self.there:
            self._domain.clock.after(self._domain.timing["pod_restart"], server.start)

    def rows(self) -> dict[str, Any]:
        """The pods in the form of `diagnostics/kube`; real servers report far more."""
        names = [one.labels.get(POD_NAME, f"engine-{one.start_id}") for one in self._domain.processes.values()]
        pods = {name: {"metadata": {"name": name}} for name in (*self._domain.servers.all, *names)}
        return {"statefulsets": {}, "daemonSets": {}, "deployments": {}, "pods": pods, "volumes": {}}
