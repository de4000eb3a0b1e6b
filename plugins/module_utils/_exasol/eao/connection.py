# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sends one call of EXAoperation XML-RPC, and checks the form of its answer."""

from __future__ import annotations

import xmlrpc.client
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus

from ..._errors import Garbled
from ..._foreign import beginning
from ..._http.client import Call, Http, Request
from ..api import xml_rpc
from .faults import refused, unreadable

ROOT = "/cluster1"


class EaoConnection:
    """The connection to one cluster's EXAoperation.

    :param http: its `cluster` is the cluster's name.
    """

    def __init__(self, http: Http) -> None:
        self._http = http
        self.name = http.cluster

    @property
    def api_calls(self) -> int:
        """How many calls were made so far."""
        return self._http.calls

    @property
    def url(self) -> str:
        """The URL that answered last."""
        return self._http.url

    @property
    def urls(self) -> list[str]:
        """All its URLs, with scheme and port."""
        return self._http.urls

    def answers(self) -> bool:
        """Whether any of the URLs still answers."""
        return bool(self._http.answers(ROOT))

    def read(self, method: str, *args: Any, of: str = "") -> Any:
        """The answer of a call that changes nothing.

        :param of: the object below the cluster, such as `storage` or `db_DB1`; empty for the cluster itself.
        :raises ClusterError: Denied, NoSuchObject or Fault if the server refuses, Garbled if the answer is not XML-RPC,
            and what `Http.post` raises.
        """
        return self._call(Call(method, of), args)

    def change(self, method: str, *args: Any, of: str = "", patience: float = 1.0) -> Any:
        """The answer of a call that changes something. It is sent once, and a lost answer raises AnswerLost.

        :param patience: how many times `request_timeout` its answer may take.
        """
        return self._call(Call(method, of, changing=True, patience=patience), args)

    def _call(self, call: Call, args: tuple[Any, ...]) -> Any:
        body = xmlrpc.client.dumps(args, call.method, allow_none=True).encode()
        path = f"{ROOT}/{_quoted(call.target)}" if call.target else ROOT
        subject = call if call.target else replace(call, method=f"{call.method}({', '.join(map(_shown, args))})")

        def read(answer: bytes, url: str) -> Any:
            where = f"{self.name}: {subject} at {url}"
            try:
                return xml_rpc.value_of(answer)
            except xmlrpc.client.Fault as fault:
                raise refused(where, str(fault.faultString), call) from None
            except xml_rpc.Forbidden as error:
                raise unreadable(where, answer, call, str(error)) from None
            except xml_rpc.ODD:
                raise unreadable(where, answer, call) from None

        if call.changing:
            return read(self._http.post(subject, path, body), self.url)
        return self._http.fetch(subject, Request(path, body), lambda reply, url: read(reply.body, url))

    def expect(self, condition: bool, method: str, value: Any) -> None:
        """:raises Garbled: if the condition is false: the method's answer has an unknown form."""
        if not condition:
            where = f"{self.name}: {method} at {self.url}"
            raise Garbled(f"{where}: the answer has an unknown form ({beginning(str(value), 80)!r})")

    def text(self, method: str, *args: Any, of: str = "") -> str:
        """The answer of a method, which must be a text. A nil would look like state 'none' or operation 'None'."""
        value = self.read(method, *args, of=of)
        self.expect(isinstance(value, str), method, value)
        return value

    def names(self, method: str) -> list[Any]:
        """The answer of a method, which must be a list of names or numbers."""
        value = self.read(method)
        named = isinstance(value, list) and all(type(item) in (str, int) for item in value)
        self.expect(named, method, value)
        return value

    def databases(self) -> list[str]:
        """The names of all databases."""
        return [str(name) for name in self.names("getDatabaseList")]


def _quoted(target: str) -> str:
    """The quoted path of an object. Only names of databases may have a slash in them."""
    return quote_plus(target, safe="" if target.startswith("db_") else "/", errors="surrogatepass")


def _shown(argument: Any) -> str:
    """An argument for a message. Options are shown without their values, because one may be a password."""
    return f"{{{', '.join(argument)}}}" if isinstance(argument, dict) else str(argument)
