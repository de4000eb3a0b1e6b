# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulated Exasol cluster behind the client's own HTTP layer, without a socket."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.clock import Clock
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.http import Request
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.products import PRODUCTS
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.topology import load
from ansible_collections.dbfleet.cluster.tests.unit.fake_transport import REFUSED, FakeTransport, response


class SimulatedCluster(FakeTransport):
    """In place of the connections of C(_http): what is sent reaches the simulator."""

    def __init__(self, topology: dict[str, Any], clock: str = "immediate") -> None:
        self.service: Any = PRODUCTS["exasol"].serve(load(topology)[0], Clock(clock))
        self.hosts = list(self.service.cluster.spec.listeners)
        self.service.cluster.urls = {name: f"https://{name}:443" for name in self.hosts}

    def answer(self, request: Any) -> Any:
        """The simulator's own answer; no other port or host is there."""
        url = urlsplit(request.url)
        if url.port not in (None, 443) or url.hostname not in self.hosts:
            raise REFUSED
        headers = {key.lower(): str(value) for key, value in request.headers.items()}
        asked = Request(request.method, request.path_url, headers, request.body or b"")
        return self.service.answer(url.hostname, asked)

    def send(self, request: Any, **_how: Any) -> Any:
        return response(*parts(self.answer(request)))


def parts(answer: Any) -> tuple[int, bytes, dict[str, str]]:
    return answer.status, answer.body, dict(answer.headers)
