# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of the API: JSON, nothing, a file, an error."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ...http import Answer
from ..refusals import Refused

JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html;charset=utf-8"}


@dataclass
class Download:
    """A file."""

    name: str
    data: bytes


@dataclass
class Late:
    """JSON with the progress at the end of the time: 408."""

    value: Any


class Null:
    """The JSON null, which isn't the same as no body."""


def answer(value: Any, settings: dict[str, Any]) -> Answer:
    """The answer for a value; None is an answer without a body."""
    if value is None:
        return Answer(int(settings["empty_status"]), {}, b"")
    if isinstance(value, Download):
        headers = {"Content-Type": "application/zip", "Content-Disposition": f"attachment; filename={value.name}"}
        return Answer(200, headers, value.data)
    if isinstance(value, Late):
        return Answer(408, dict(JSON), json.dumps(value.value).encode())
    if isinstance(value, Null):
        return Answer(200, dict(JSON), b"null")
    return Answer(200, dict(JSON), json.dumps(value).encode())


def error(refused: Refused, settings: dict[str, Any]) -> Answer:
    text = str(refused)
    body: dict[str, Any] = {"code": refused.status}
    if settings["error_form"] == "messages":
        body["messages"] = [text]
    else:
        body["message"] = text
    return Answer(refused.status, dict(JSON), json.dumps({**body, **refused.extra}).encode())


def unauthorized(refused: Refused, settings: dict[str, Any]) -> Answer:
    kind = settings["unauthorized_body"]
    if kind == "json":
        reply = error(refused, settings)
    else:
        reply = Answer(
            refused.status, dict(HTML), b"<html><body>Unauthorized</body></html>\n" if kind == "html" else b""
        )
    reply.headers["WWW-Authenticate"] = 'Basic realm="NuoDB Admin"'
    return reply
