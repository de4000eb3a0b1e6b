# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How an RPC is written: XML-RPC with nil, or JSON-RPC 2.0."""

from __future__ import annotations

import json
import re
import xmlrpc.client
from typing import Any
from xml.parsers.expat import ExpatError

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


class Unreadable(Exception):
    """A body that is no RPC."""


class Xml:
    content_type = "text/xml"

    def __init__(self, body: bytes) -> None:
        """Raises Unreadable."""
        try:
            arguments, method = xmlrpc.client.loads(body)
        except (ExpatError, xmlrpc.client.Error, ValueError, TypeError, KeyError, IndexError):
            raise Unreadable from None
        if not method:
            raise Unreadable
        self.method, self.arguments = method, tuple(arguments)

    def result(self, value: Any) -> bytes:
        return xmlrpc.client.dumps((_plain(value),), methodresponse=True, allow_none=True).encode("utf-8")

    @staticmethod
    def fault(text: str, code: int) -> bytes:
        fault = xmlrpc.client.Fault(code, _CONTROL.sub("?", text))
        return xmlrpc.client.dumps(fault, methodresponse=True, allow_none=True).encode("utf-8")


class Json:
    content_type = "application/json"

    def __init__(self, body: bytes) -> None:
        """Raises Unreadable."""
        try:
            row = json.loads(body)
        except ValueError:
            raise Unreadable from None
        params = row.get("params", []) if isinstance(row, dict) else None
        if not isinstance(params, list) or not isinstance(row.get("method"), str):
            raise Unreadable
        self.id, self.method, self.arguments = row.get("id"), row["method"], tuple(params)

    def result(self, value: Any) -> bytes:
        return json.dumps({"jsonrpc": "2.0", "id": self.id, "result": value}).encode()

    def fault(self, text: str, code: int) -> bytes:
        error = {"code": code, "message": text}
        return json.dumps({"jsonrpc": "2.0", "id": getattr(self, "id", None), "error": error}).encode()


def _plain(value: Any) -> Any:
    """Integers beyond XML-RPC's 32 bits go as text."""
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**31) <= value < 2**31:
        return str(value)
    return value
