# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The forms of an RPC: XML-RPC with nil, or JSON-RPC 2.0."""

from __future__ import annotations

import json
import re
import xmlrpc.client
from typing import Any, ClassVar

from ...bodies import of_call, of_json
from .methods import HELP, UNTOLD

_NAME = re.compile(r"^@(\w+)", re.MULTILINE)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


class Unreadable(Exception):
    """A body that is not an RPC."""


class Xml:
    content_type = "text/xml"
    no_method = 1
    refused: ClassVar[tuple[str, int] | None] = None

    @classmethod
    def read(cls, body: bytes) -> tuple[list[Xml], bool]:
        """The single call, as there are no batches. Raises Unreadable."""
        return [cls(body)], False

    def __init__(self, body: bytes) -> None:
        """Raises Unreadable."""
        try:
            self.arguments, method = of_call(body)
        except ValueError:
            raise Unreadable from None
        if not method:
            raise Unreadable
        self.method = method

    def result(self, value: Any) -> bytes:
        return xmlrpc.client.dumps((_plain(value),), methodresponse=True, allow_none=True).encode("utf-8")

    @staticmethod
    def fault(text: str, code: int) -> bytes:
        fault = xmlrpc.client.Fault(code, _CONTROL.sub("?", text))
        return xmlrpc.client.dumps(fault, methodresponse=True, allow_none=True).encode("utf-8")


class Json:
    """A call of JSON-RPC 2.0, or (`refused`) a value that is not a call."""

    content_type = "application/json"
    no_method = -32601

    def __init__(self, row: Any) -> None:
        self.id: Any = None
        self.method, self.arguments = "", ()
        self.refused: tuple[str, int] | None = ("Invalid Request", -32600)
        self.answered = True
        if not isinstance(row, dict):
            return
        number, params = row.get("id"), row.get("params", [])
        if number is not None and (isinstance(number, bool) or not isinstance(number, (str, int, float))):
            return
        self.id = number
        if row.get("jsonrpc") != "2.0" or not isinstance(row.get("method"), str):
            return
        if isinstance(params, (list, dict)):
            self.method, self.answered = row["method"], "id" in row  # a call without an id is a notification
            self.refused = None if self._fit(params) else ("Invalid params", -32602)

    @classmethod
    def read(cls, body: bytes) -> tuple[list[Json], bool]:
        """The calls, and whether they are a batch."""
        try:
            rows = of_json(body)
        except ValueError:
            one = cls(None)
            one.refused = ("Parse error", -32700)
            return [one], False
        batch = isinstance(rows, list) and bool(rows)
        return [cls(row) for row in (rows if batch else [rows])], batch

    @staticmethod
    def joined(answers: list[bytes]) -> bytes:
        """The answer to a batch."""
        told = [one for one in answers if one]
        return b"[" + b", ".join(told) + b"]" if told else b""

    def _fit(self, params: Any) -> bool:
        """Whether the arguments fit the method, by position or by the names in system.methodHelp."""
        names = _NAME.findall(HELP.get(self.method, ""))
        if self.method in UNTOLD or self.method not in HELP:
            names = list(params) if isinstance(params, dict) else [""] * len(params)
        if isinstance(params, dict):
            given = [name for name in names if name in params]
            if given != names[: len(given)] or len(given) < len(params):
                return False
            params = [params[name] for name in given]
        self.arguments = tuple(params)
        return min(1, len(names)) <= len(params) <= len(names)

    def result(self, value: Any) -> bytes:
        return self._answer(result=value)

    def fault(self, text: str, code: int) -> bytes:
        return self._answer(error={"code": code, "message": text})

    def _answer(self, **what: Any) -> bytes:
        if not self.answered:
            return b""
        return json.dumps({"jsonrpc": "2.0", "id": self.id, **what}, default=str).encode()


def _plain(value: Any) -> Any:
    """The value, with integers beyond the 32 bits of XML-RPC as texts."""
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**31) <= value < 2**31:
        return str(value)
    return value
