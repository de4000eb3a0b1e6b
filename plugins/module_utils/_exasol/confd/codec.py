# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How calls of ConfD are written, and answers read: XML-RPC with nil, or JSON (CONFD-15, CONFD-17)."""

from __future__ import annotations

import json
import re
import xmlrpc.client
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import Any, Optional

from ..._foreign import one_line
from ..._json import DEPTH, TooDeep, value_of
from ..api import xml_rpc

NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML can't write."""


class Unspeakable(Exception):
    """A call can't be written in this format; the text says why, without the values."""


class Unreadable(Exception):
    """The reply isn't an answer; the text says what it is instead."""


class Said(Exception):
    """The server's refusal of a call: an XML-RPC fault or a JSON-RPC error.

    :param text: its own words, in one line.
    """

    def __init__(self, code: Any, text: Any) -> None:
        super().__init__(one_line(text))
        self.code = code
        self.text = one_line(text)


class Codec(ABC):
    """A format of calls and answers."""

    name: str
    content_type: str
    paths: tuple[str, ...]
    """The paths at which a server may accept this format; the first that the server knows is used."""

    @abstractmethod
    def dumps(self, method: str, args: Sequence[Any]) -> bytes:
        """A call as bytes.

        :raises Unspeakable: a value can't be written in this format.
        """

    @abstractmethod
    def loads(self, body: bytes) -> Any:
        """The value of an answer, as plain data.

        :raises Said: the server refused the call.
        :raises Unreadable: the body isn't an answer in this format.
        """


class Xml(Codec):
    """XML-RPC, `None` as nil."""

    name = "XML-RPC"
    content_type = "text/xml"
    paths = ("/", "/rpc2", "/RPC2")

    def dumps(self, method: str, args: Sequence[Any]) -> bytes:
        try:
            text = xmlrpc.client.dumps(tuple(args), method, allow_none=True)
        except OverflowError:
            raise Unspeakable("a number is larger than XML-RPC can write (32 bits)") from None
        except (TypeError, ValueError, RecursionError):
            raise Unspeakable("a value is of a kind that XML-RPC can't write") from None
        if NOT_IN_XML.search(text):
            raise Unspeakable("a text holds a control character, which XML can't write")
        return text.encode()

    def loads(self, body: bytes) -> Any:
        try:
            return _plain(xml_rpc.value_of(body))
        except xmlrpc.client.Fault as fault:
            raise Said(fault.faultCode, fault.faultString) from None
        except xml_rpc.Forbidden as error:
            raise Unreadable(_html(body, self.name) or str(error)) from None
        except xml_rpc.ODD:
            raise Unreadable(_what_it_is(body, self.name)) from None


class Json(Codec):
    """JSON-RPC 2.0.

    The documents say that ConfD accepts JSON (CONFD-15), but not in which form and at which path (CONFD-16). This form
    is a guess, and was never tried on a server.

    :param path: where the server accepts it.
    """

    name = "JSON-RPC"
    content_type = "application/json"

    def __init__(self, path: str = "/json") -> None:
        self.paths = (path if path.startswith("/") else f"/{path}",)

    def dumps(self, method: str, args: Sequence[Any]) -> bytes:
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(args)}
        try:
            return json.dumps(call, allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError):
            raise Unspeakable("a value is of a kind that JSON can't write") from None

    def loads(self, body: bytes) -> Any:
        try:
            answer = value_of(body, constant=_refused)
            if not isinstance(answer, dict):
                raise ValueError
            error = answer.get("error")
            if error is None:
                return _plain(answer["result"])
            row = error if isinstance(error, dict) else {"message": error}
            said = Said(row.get("code"), row.get("message") or "no reason given")
        except TooDeep as error:
            raise Unreadable(str(error)) from None
        except xml_rpc.ODD:
            raise Unreadable(_what_it_is(body, self.name)) from None
        raise said


def _refused(_constant: str) -> Any:
    raise ValueError


def _plain(value: Any, depth: int = 0) -> Any:
    """A value in the types of JSON, because Ansible can return only these."""
    if depth > DEPTH:
        raise xml_rpc.Forbidden(xml_rpc.TOO_DEEP)
    if isinstance(value, dict):
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, Decimal) or (isinstance(value, float) and not isfinite(value)):
        return str(value)
    return value


def _head(body: bytes) -> bytes:
    return body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()


def _html(body: bytes, wanted: str) -> str:
    is_html = _head(body).startswith((b"<!doctype html", b"<html"))
    return f"the answer is an HTML page, not {wanted} (from a proxy or another service)" if is_html else ""


def _what_it_is(body: bytes, wanted: str) -> str:
    head, html = _head(body), _html(body, wanted)
    if html:
        return html
    if head.startswith((b"<?xml", b"<methodresponse")) and wanted == Xml.name:
        return "the XML of the answer is broken or incomplete"
    if head.startswith(b"{") and wanted == Json.name:
        return "the JSON of the answer is broken or incomplete"
    return f"the answer is not {wanted}"


def codec(name: str, json_path: Optional[str] = None) -> Codec:
    """The codec for the value of an option.

    :param name: `xml` or `json`.
    """
    if name == "json":
        return Json(json_path) if json_path else Json()
    return Xml()
