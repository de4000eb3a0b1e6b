# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cold start in the order and shape of the vendor's procedure (SOL-80), by plain xmlrpc.client: one after another."""

from __future__ import annotations

import ssl
import time
from urllib.parse import quote
from xmlrpc.client import ServerProxy

PAUSE = 0.2
"""Seconds between two looks. The document's own pauses are longer; this is in its favour."""


def cold_start(url: str, username: str, password: str, ca_path: str) -> float:
    """Takes a cluster up.

    :returns: seconds until the last database accepted connections.
    """
    scheme, _separator, address = url.partition("://")
    root = f"{scheme}://{quote(username, safe='')}:{quote(password, safe='')}@{address}/cluster1"
    context = ssl.create_default_context(cafile=ca_path)

    def proxy(of: str = "") -> ServerProxy:
        return ServerProxy(root + of, context=context)

    began = time.perf_counter()
    cluster = proxy()
    nodes = cluster.getNodeList()
    for node in nodes:
        cluster.startupNode(node)
    for node in nodes:
        while "dmidecode" not in cluster.getHardwareInformation(node):
            time.sleep(PAUSE)
    proxy("/storage").startEXAStorage()
    while any(state != "OK" for _service, state in cluster.getServiceState()):
        time.sleep(PAUSE)
    for name in cluster.getDatabaseList():
        database = proxy(f"/db_{name}")
        database.startDatabase()
        while database.getDatabaseConnectionState() != "Yes":
            time.sleep(PAUSE)
    return time.perf_counter() - began
