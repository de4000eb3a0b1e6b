# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands in place of the connections of C(_http), without sockets, and what can go wrong with those."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Optional

from ansible_collections.dbfleet.cluster.plugins.module_utils._http.transport import NoAnswer, Reply, Request

REFUSED = NoAnswer("connection refused", silent=True)
NOBODY = NoAnswer("connection refused", silent=True, unsent=True)
LOST = NoAnswer("the connection was closed before the answer")
CUT_OFF = NoAnswer("the answer was cut off")
HUNG = NoAnswer("no answer within 30 s", hung=True)
UNTRUSTED = ssl.SSLError("certificate verify failed: IP address mismatch")


@dataclass
class Sent:
    """A request as it would leave."""

    method: str
    url: str
    path_url: str
    headers: dict[str, str]
    body: Optional[bytes]


class FakeTransport:
    """Its subclasses answer in C(send), with a C(Reply), and raise what goes wrong."""

    def exchange(self, url: str, request: Request, headers: dict[str, str], connect: float, timeout: float) -> Reply:
        sent = Sent(request.verb, url + request.path, request.path, headers, request.body)
        return self.send(sent, timeout=(connect, timeout))

    def is_proxied(self, _url: str) -> bool:
        return False

    def send(self, request: Any, **_how: Any) -> Reply:
        raise NotImplementedError


def response(status: int, body: bytes, headers: Mapping[str, str] = MappingProxyType({})) -> Reply:
    return Reply(status, body, headers.get("Location", ""), "Reason")
