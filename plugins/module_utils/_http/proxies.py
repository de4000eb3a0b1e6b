# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The proxies of the environment. The system's settings are never read: on macOS that crashes a forked worker."""

from __future__ import annotations

import base64
import ipaddress
import os
from dataclasses import dataclass
from typing import Optional
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

from .._secrets import as_bytes


@dataclass(frozen=True)
class Proxy:
    """A proxy.

    :param url: without credentials.
    :param headers: the header with the credentials; empty without credentials.
    """

    url: str
    headers: dict[str, str]


def basic(username: str, password: str) -> str:
    """The header value for these credentials, in UTF-8."""
    return "Basic " + base64.b64encode(as_bytes(username) + b":" + as_bytes(password)).decode()


def proxies_of_environment() -> dict[str, str]:
    """The proxies by scheme. The check of the names comes first, because Python's search takes a millisecond."""
    named = any(name.lower().endswith("_proxy") for name in os.environ)
    return getproxies_environment() if named else {}


def proxy_for(url: str, proxies: dict[str, str]) -> Optional[Proxy]:
    """The proxy between us and a server; None if there is none.

    :param url: normalized.
    :raises ValueError: the environment names something that is not an HTTP proxy.
    """
    parts = urlsplit(url)
    found = proxies.get(parts.scheme) or proxies.get("all")
    if not found or _is_bypassed(parts.hostname or "", parts.netloc, proxies):
        return None
    proxy = urlsplit(found if "://" in found else f"http://{found}")
    if proxy.scheme not in ("http", "https") or not proxy.hostname or proxy.port == 0:
        raise ValueError
    user, password = (unquote(text or "") for text in (proxy.username, proxy.password))
    place = proxy.netloc.rpartition("@")[2]
    return Proxy(f"{proxy.scheme}://{place}", {"Proxy-Authorization": basic(user, password)} if user else {})


def _is_bypassed(host: str, place: str, proxies: dict[str, str]) -> bool:
    if any(proxy_bypass_environment(one, proxies) for one in (host, place)):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(_holds(one.strip(), address) for one in proxies.get("no", "").split(","))


def _holds(network: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return address in ipaddress.ip_network(network.strip("[]"), strict=False)
    except ValueError:
        return False
