# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client of the simulator's admin endpoint, which learns from the ready file how to reach it."""

from __future__ import annotations

import json
import urllib.error
from typing import Any, Optional
from urllib.request import ProxyHandler, Request, build_opener

_open = build_opener(ProxyHandler({})).open


def headers(ready: dict[str, Any]) -> dict[str, str]:
    return {"Simulator-Token": ready["admin_token"], "Content-Type": "application/json"}


def ask(ready: dict[str, Any], path: str, body: Any = None, method: Optional[str] = None) -> Any:
    """One request; a body makes it a POST. An answer that is an error raises urllib's HTTPError."""
    data = None if body is None else json.dumps(body).encode()
    method = method or ("GET" if body is None else "POST")
    request = Request(ready["admin_url"] + path, data=data, headers=headers(ready), method=method)
    with _open(request, timeout=60) as answer:
        return json.loads(answer.read())


def told(ready: dict[str, Any], path: str, body: Any = None, method: Optional[str] = None) -> Any:
    """The same, where an error is returned with its status."""
    try:
        return ask(ready, path, body, method)
    except urllib.error.HTTPError as error:
        return {"status": error.code, **json.loads(error.read())}


def hook(ready: dict[str, Any]) -> dict[str, str]:
    """Inventory variables for the tasks of `press`."""
    return {"simulator_admin": ready["admin_url"], "simulator_token": ready["admin_token"]}


def press(path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Options of ansible.builtin.uri for a button of the host's cluster."""
    return {
        "url": f"{{{{ simulator_admin }}}}{path}?cluster={{{{ inventory_hostname }}}}",
        "method": "POST",
        "headers": {"Simulator-Token": "{{ simulator_token }}"},
        "body_format": "json",
        "body": body,
    }
