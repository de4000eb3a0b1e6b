# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which nodes of a ConfD cluster this machine reaches, so that it can later see them go off.

Once the majority is off, no node reports on the others, and the run can only see whether each node is silent. The
silence of some says nothing about the others. So the run must reach every node, at api_url or at an address that the
cluster reports.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from ..._convergence.workers import gather
from ..api.addresses import places
from ..api.states import Reachability
from .node_addresses import url_at
from .session import Session


def observe(
    session: Session, online: Mapping[str, Sequence[str]], suspended: Mapping[str, Sequence[str]]
) -> Reachability:
    """The nodes that this machine reaches, and those that it doesn't.

    :param online: the addresses and names of each node that is online.
    :param suspended: the same for each node whose host may be on or off.
    """
    nodes = {**online, **suspended}
    living = places(url for url, there in gather(session.urls, session.is_node).items() if there)
    if len(living) >= len(online) and len(places(session.urls)) >= len(nodes):
        return Reachability(session.urls)  # each node has a URL of its own, whatever addresses the cluster reports
    hosts = {host for host, _port in living}
    seen_at = {address for host in hosts for address in (host, *_addresses(host))}
    rest = [name for name, given in nodes.items() if not seen_at.intersection(given)]
    found = gather(rest, lambda name: _reached(session, nodes[name]))
    more = [url for url in found.values() if url]
    return Reachability([*session.urls, *more], [name for name in rest if not found[name]])


def _reached(session: Session, addresses: Sequence[str]) -> str:
    """The URL at which the node answers, with the port of its cluster; empty if it doesn't answer."""
    port = urlsplit(session.url).port
    return next(filter(session.is_node, (url_at(one, port) for one in addresses)), "")


def _addresses(host: str) -> list[str]:
    with suppress(OSError):
        return [str(row[4][0]) for row in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    return []
