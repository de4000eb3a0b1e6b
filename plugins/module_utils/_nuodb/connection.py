# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a domain is reached: the options of a connection, and where an AP may listen.

It is a file of its own, so that code that needs only the options of a product loads nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from typing import Any

from ansible.module_utils.basic import AnsibleFallbackNotFound

from .._http.client import normalized
from .._values import first_of, is_nothing

PORT = 8888
"""The port of the Admin REST API (NUODB-88)."""


def part_of(part: str, separator: str, own: str, shared: str) -> str:
    """The value of our own environment variable, else the `first` or `second` part of one of nuocmd's variables."""
    if not is_nothing(os.environ.get(own)):
        return os.environ[own]
    first, _separator, second = os.environ.get(shared, "").partition(separator)
    found = first if part == "first" else second
    if is_nothing(found):
        raise AnsibleFallbackNotFound
    return found


def _option(name: str, *others: str, **more: Any) -> dict[str, Any]:
    return {"fallback": (first_of, [f"NUODB_{name.upper()}", *others]), **more}


def _creds(part: str, name: str) -> tuple[Any, list[str]]:
    return partial(part_of, part, ":"), [name, "NUOCMD_BASIC_CREDS"]


def _key(part: str, name: str) -> tuple[Any, list[str]]:
    return partial(part_of, part, ","), [name, "NUOCMD_CLIENT_KEY"]


CONNECTION: dict[str, Any] = {
    "api_url": _option("api_url", "NUOCMD_API_SERVER", type="list", elements="str"),
    "api_username": {"type": "str", "fallback": _creds("first", "NUODB_API_USERNAME")},
    "api_password": {"type": "str", "no_log": True, "fallback": _creds("second", "NUODB_API_PASSWORD")},
    "validate_certs": _option("validate_certs", type="bool", default=True),
    "verify_hostname": _option("verify_hostname", type="bool", default=True),
    "ca_path": _option("ca_path", "NUOCMD_VERIFY_SERVER", type="path"),
    "client_cert": {"type": "path", "fallback": _key("first", "NUODB_CLIENT_CERT")},
    "client_key": {"type": "path", "no_log": False, "fallback": _key("second", "NUODB_CLIENT_KEY")},
    "tls_fingerprint": _option("tls_fingerprint", type="str"),
    "request_timeout": _option("request_timeout", type="float", default=30),
    "profile": _option("profile", type="str"),
    "profiles_path": _option("profiles_path", type="path"),
    "cluster_name": {"type": "str"},
}


def endpoints(urls: Iterable[str]) -> list[str]:
    """Where an AP may answer for these URLs, with scheme and port.

    :raises ClusterError: a text is not a URL.
    """
    return [normalized(url, PORT) for url in urls]
