# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The addresses of nodes in the answer of /master and in the Location of a redirect (CONFD-9, CONFD-14)."""

from __future__ import annotations

import ipaddress
import re
from typing import Optional
from urllib.parse import urlsplit

from ..._errors import ClusterError
from ..._http.client import Reply, normalized, plain_host

MOVED = (
    "if the hosts are on, the addresses of the nodes may have changed, as they do when the instances of a cloud or of "
    "Exasol Personal stop and start: put the new addresses into api_url, or names that resolve to the new addresses"
)
"""EXA-35."""


def url_at(host: str, port: Optional[int]) -> str:
    """The URL of ConfD on a host."""
    return f"https://{f'[{host}]' if ':' in host else host}:{port}"


def urls_at(hosts: list[str], port: Optional[int], given: list[str]) -> list[str]:
    """URLs of nodes that the cluster has named, at the port at which it answered, without those in `given`."""
    known = {host_of(url) for url in given}
    return [url_at(host, port) for host in hosts if port is not None and host not in known]


def host_of(url: str) -> str:
    """The host of a URL; empty if it has none."""
    try:
        return plain_host(urlsplit(url).hostname or "")
    except ValueError:
        return ""


def redirect_of(reply: Reply) -> str:
    """The target of a redirect, as a URL without the path; empty if the node names none."""
    try:
        place = urlsplit(reply.location).netloc.rpartition("@")[2]
        return normalized(f"https://{place}") if place else ""
    except (ClusterError, ValueError):
        return ""


def port_of(url: str) -> Optional[int]:
    """The port of a URL."""
    return urlsplit(url).port


def address_of(reply: Reply) -> tuple[str, Optional[int]]:
    """The address or name in an answer, and its port if it has one; empty if the answer is anything else."""
    text = reply.body[:300].decode("ascii", "replace").strip().strip("\"'").lower()
    if reply.status != 200:
        return "", None
    try:
        return str(ipaddress.ip_address(text.strip("[]").partition("%")[0])), None  # a zone is valid only on the node
    except ValueError:
        pass
    # The documents show a plain address (CONFD-9). With a port, or as a URL, it means the same.
    found = re.fullmatch(r"(?:https://)?(\[[0-9a-f:.]+\]|[a-z0-9_.-]{1,253})(?::(\d{1,5}))?/?", text)
    if not found or not re.fullmatch(r"\[.*\]|[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", found[1]) or ".." in found[1]:
        return "", None
    port = int(found[2]) if found[2] else None
    return (plain_host(found[1]).strip("[]"), port) if port is None or 0 < port < 65536 else ("", None)
