# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes secrets out of text, in every spelling in which they get into it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit
from xml.sax.saxutils import escape

MASK = "********"


def spellings(secret: str) -> set[str]:
    """The ways in which a secret is written inside URLs, reprs, JSON, XML and headers."""
    raw = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1], escape(secret)}
    raw |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    raw |= {json.dumps(word)[1:-1] for word in list(raw)} | {repr(word)[1:-1] for word in list(raw)}
    raw.add(base64.b64encode(secret.encode()).decode())
    return {word for word in raw if word}


def basic(username: str, password: str) -> str:
    """What stands in a basic ``Authorization`` header; as good as the password to who reads it."""
    return base64.b64encode(f"{username}:{password}".encode()).decode()


def in_url(url: str) -> list[str]:
    """The password that somebody wrote into a URL, if any."""
    try:
        parts = urlsplit(str(url))
        return [parts.password] if parts.password else []
    except ValueError:
        return []


class Scrubber:
    """Replaces every spelling of every secret that it was told by asterisks.

    :param secrets: the secrets; empty ones are left out, for an empty string stands everywhere.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        words = {word for secret in secrets if secret for word in spellings(str(secret))}
        self._words = sorted(words, key=len, reverse=True)

    def text(self, text: str) -> str:
        """The text without the secrets."""
        for word in self._words:
            if word in text:
                text = text.replace(word, MASK)
        return text

    def data(self, value: Any) -> Any:
        """The same for whatever a result holds: strings anywhere in it, keys included."""
        if not self._words:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.data(key): self.data(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.data(item) for item in value]
        return value
