# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers of simulated servers, spoilt on their way to the client; and what may be shown of them."""

from __future__ import annotations

import json
import re
import xmlrpc.client
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.clock import Clock
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.http import Request
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.products import PRODUCTS
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.topology import load

HERE = Path(__file__).resolve().parent

MOST = 4100
"""Characters of a line or of a sentence."""

ODD = re.compile("[^\x20-\x7e\u00a0-\U0010ffff]|[\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""What no terminal may get."""

Spoil = Callable[[Any], Any]
"""Makes another answer of one, as data."""


@dataclass(frozen=True)
class Text:
    """A text of the file.

    :ivar xml: whether XML can write it.
    """

    name: str
    text: str
    xml: bool


def texts() -> list[Text]:
    """All of the file."""
    rows = yaml.safe_load((HERE / "texts.yml").read_text(encoding="utf-8"))
    return [Text(name, _text(row) * row.get("times", 1), row.get("xml", True)) for name, row in rows.items()]


def _text(row: dict[str, Any]) -> str:
    return str(json.loads(row["json"]) if "json" in row else row["text"])


# -- how an answer is spoilt


def added(text: str) -> Spoil:
    """Each text of an answer ends in another."""
    return lambda value: _each(value, lambda one: f"{one}{text}" if isinstance(one, str) else one)


def instead(other: Any) -> Spoil:
    """Each text of an answer is another value."""
    return lambda value: _each(value, lambda one: other if isinstance(one, str) else one)


def keyed(text: str) -> Spoil:
    """Each name of a dictionary ends in another text, beside those that were there."""

    def spoil(value: Any) -> Any:
        if isinstance(value, dict):
            rows = {key: spoil(item) for key, item in value.items()}
            return {**rows, **{f"{key}{text}": item for key, item in rows.items()}}
        return [spoil(item) for item in value] if isinstance(value, list) else value

    return spoil


def whole(other: Any) -> Spoil:
    """The answer is another."""
    return lambda _value: other


def nested(value: Any) -> Any:
    """The answer stands within many others."""
    for _level in range(20):
        value = {"a": [value]}
    return value


def many(value: Any) -> Any:
    """Each list has thousands of what it has, each under another name."""
    if isinstance(value, dict):
        return {key: many(item) for key, item in value.items()}
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return [f"{value[0]}_{number}" for number in range(3000)]
    return [many(item) for item in value] if isinstance(value, list) else value


def _each(value: Any, change: Spoil) -> Any:
    if isinstance(value, dict):
        return {key: _each(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_each(item, change) for item in value]
    return change(value)


def nothing(value: Any) -> Any:
    """The answer as it is."""
    return value


# -- the wire


@dataclass
class Mill:
    """A simulated cluster whose answers are spoilt.

    :ivar spoil: what becomes of an answer.
    :ivar refuses: the text of a refusal that comes instead of each answer.
    :ivar instead: status, words behind it and body, of a server that isn't the product's.
    :ivar asked: the calls that came.
    """

    topology: dict[str, Any]
    clock: str = "immediate"
    spoil: Spoil = nothing
    refuses: Any = None
    instead: Any = None

    def __post_init__(self) -> None:
        spec = load(self.topology)[0]
        self.service: Any = PRODUCTS[spec.product].serve(spec, Clock(self.clock))
        self.product = spec.product
        self.machines = list(self.service.cluster.spec.listeners)
        self.port = 8888 if self.product == "nuodb" else 443
        self.service.cluster.urls = {name: f"https://{name}:{self.port}" for name in self.machines}
        self.asked: set[str] = set()

    def answer(self, machine: str, verb: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        """Status, words behind it, headers and body."""
        self._note(verb, path, body)
        found = self.service.answer(machine, Request(verb, path, headers, body))
        if self.instead:
            status, reason, page = self.instead
            return status, reason, {}, page
        if found.status in (301, 302, 303, 307, 308) or not found.body or path.startswith(("/master", "/is_master")):
            return found.status, "OK", dict(found.headers), found.body
        status, content = self._spoilt(found.status, found.body)
        return status, "OK", dict(found.headers), content

    def _spoilt(self, status: int, body: bytes) -> tuple[int, bytes]:
        if body.lstrip().startswith(b"<"):
            return status, self._spoilt_xml(body)
        try:
            told = json.loads(body)
        except ValueError:
            return status, body
        if self.refuses is not None:
            refusal = {"code": 409, "messages": [self.refuses, self.refuses]}
            rpc = {**told, "result": None, "error": {"code": 1, "message": self.refuses}} if "jsonrpc" in told else {}
            return (status, json.dumps(rpc).encode()) if rpc else (409, json.dumps(refusal).encode())
        if isinstance(told, dict) and "jsonrpc" in told:
            return status, json.dumps({**told, "result": self.spoil(told.get("result"))}).encode()
        return status, json.dumps(self.spoil(told)).encode()

    def _spoilt_xml(self, body: bytes) -> bytes:
        try:
            (value,), _method = xmlrpc.client.loads(body, use_builtin_types=True)
        except xmlrpc.client.Fault as fault:
            value = xmlrpc.client.Fault(fault.faultCode, str(self.spoil(fault.faultString)))
        except xmlrpc.client.Error:  # a page of the server's
            return body
        else:
            value = self.spoil(value) if self.refuses is None else xmlrpc.client.Fault(1, self.refuses)
        given = value if isinstance(value, xmlrpc.client.Fault) else (value,)
        return xmlrpc.client.dumps(given, methodresponse=True, allow_none=True).encode("utf-8", "replace")

    def _note(self, verb: str, path: str, body: bytes) -> None:
        if self.product == "nuodb":
            self.asked.add(f"{verb} {re.split('[?]', path)[0].removeprefix('/api/1/')}")
        elif body.lstrip().startswith(b"<"):
            try:
                args, method = xmlrpc.client.loads(body)
            except xmlrpc.client.Error:  # a call without parameters, as a look at what answers here
                return
            self.asked.add(str(args[0]) if str(method).startswith("job_") and args else str(method))
        elif body:
            told = json.loads(body)
            params = told.get("params") or [told["method"]]
            self.asked.add(str(params[0] if told["method"].startswith("job_") else told["method"]))


def machine_of(url: str) -> str:
    return urlsplit(url).hostname or ""


# -- what may be shown


def odd_lines(lines: Iterator[str]) -> list[str]:
    """Lines that no terminal may get, each cut short."""
    return [repr(line[:200]) for line in lines if ODD.search(line) or len(line) > MOST]


def odd_data(result: Any) -> list[str]:
    """What of a result isn't fit to be shown by ansible-core, which writes JSON and leaves letters as they are."""
    written = json.dumps(result, ensure_ascii=False)
    found = ODD.findall(written)
    sentences = [result[name] for name in ("msg", "hint", "cause") if isinstance(result.get(name), str)]
    sentences += [text for text in result.get("warnings") or [] if isinstance(text, str)]
    return [*map(repr, found[:5]), *odd_lines(iter(sentences))]
