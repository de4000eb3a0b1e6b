# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a cluster is reached: the options of a connection, and where its API may listen.

The options are apart from the client of a cluster, so that a caller who only needs the options loads nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .._http.client import normalized
from .._values import first_of
from .api.addresses import PORTS


def _option(name: str, **more: Any) -> dict[str, Any]:
    return {"fallback": (first_of, [f"EXA_{name.upper()}"]), **more}


CONNECTION: dict[str, Any] = {
    "api_url": _option("api_url", type="list", elements="str"),
    "api_username": _option("api_username", type="str"),
    "api_password": _option("api_password", type="str", no_log=True),
    "provider": _option("provider", type="str", default="auto", choices=["auto", "exaoperation", "confd"]),
    "validate_certs": _option("validate_certs", type="bool", default=True),
    "ca_path": _option("ca_path", type="path"),
    "client_cert": _option("client_cert", type="path"),
    "client_key": _option("client_key", type="path", no_log=False),
    "tls_fingerprint": _option("tls_fingerprint", type="str"),
    "rpc_format": _option("rpc_format", type="str", default="xml", choices=["xml", "json"]),
    "json_rpc_path": _option("json_rpc_path", type="str", default="/json"),
    "time_zone": _option("time_zone", type="str"),
    "request_timeout": _option("request_timeout", type="float", default=30),
    "profile": _option("profile", type="str"),
    "profiles_path": _option("profiles_path", type="path"),
    "cluster_name": {"type": "str"},
}


def candidates(urls: Iterable[str]) -> list[str]:
    """The URLs at which ConfD may listen: a URL without a port gives one URL for each of ConfD's ports.

    :raises ClusterError: a text is not a URL.
    """
    return list(dict.fromkeys(normalized(url, port) for url in urls for port in PORTS))


def endpoints(urls: Sequence[str]) -> list[str]:
    """The URLs, with scheme and port, at which EXAoperation or ConfD may answer.

    :raises ClusterError: a text is not a URL.
    """
    return [*candidates(urls), *map(normalized, urls)]
