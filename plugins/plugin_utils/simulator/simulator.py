# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole simulator: clusters, their listeners, the admin endpoint."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from .admin import Admin
from .http import Listener
from .served import Served
from .tls import TlsError, make


class Simulator:
    """A simulator. It binds every port when it is created, and answers after start()."""

    def __init__(
        self,
        specs: list[Any],
        clock: str = "seconds:1",
        bind: str = "127.0.0.1",
        admin_port: int = 0,
        directory: Path | None = None,
        client_certificates: bool = False,
        stopping: threading.Event | None = None,
    ) -> None:
        """`directory` is the folder for the certificates; None means plain HTTP. Raises its parts' errors, and OSError.

        Whoever sets `stopping` ends the simulator.
        """
        wanted = {spec.name: "demanded" if client_certificates else spec.client_certificates for spec in specs}
        binds = [bind, *(address for spec in specs for address in spec.addresses.values())]
        for spec in specs:
            if directory is None and spec.client_certificates == "demanded":
                raise TlsError(f"Cluster {spec.name} requires certificates of clients, which need HTTPS.")
        self.trust = None if directory is None else make(directory, binds, any(wanted.values()))
        self.stopping = stopping or threading.Event()
        self.served: dict[str, Served] = {}
        try:
            for spec in specs:
                self.served[spec.name] = Served(spec, clock, bind, self.trust, wanted[spec.name])
            self._admin = Admin(self.served, self.stopping.set)
            self._admin_listener = Listener(
                "127.0.0.1", admin_port, self._admin.answer, after=self._admin.after, refused=self._admin.refused
            )
            self._admin.port = self._admin_listener.port
        except OSError:
            self._close()
            raise

    @property
    def admin_url(self) -> str:
        return self._admin_listener.url

    @property
    def admin_token(self) -> str:
        return self._admin.token

    def start(self) -> None:
        for served in self.served.values():
            served.start()
        self._admin_listener.listen()

    def stop(self) -> None:
        self.stopping.set()
        self._close()
        self._admin_listener.close()

    def _close(self) -> None:
        for served in self.served.values():
            served.stop()
        if self.trust is not None:
            self.trust.remove()

    def ready(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "admin_url": self.admin_url,
            "admin_token": self.admin_token,
            "clusters": {name: served.ready() for name, served in self.served.items()},
        }
