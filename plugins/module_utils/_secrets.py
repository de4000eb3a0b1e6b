# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removes secrets from text, in every spelling in which they can appear there."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import groupby
from typing import Any
from urllib.parse import quote, quote_plus, unquote
from xml.sax.saxutils import escape

from ._foreign import CUT, visible

MASK = "********"

SHORT = 4
"""So few characters of a secret give nothing away, and appear in ordinary words too."""

BLANKS = {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
"""How XML writes the blanks that an attribute can't contain."""


SECRETIVE = re.compile(r"pass|secret|token|credential|_key\b", re.IGNORECASE)
"""Names of variables and parameters whose values are never shown."""

PERCENT_CODE = re.compile("%[0-9A-F]{2}")

MARKS = re.compile(r"[%&\\+]")
"""Every text that writes a character as a code, or a blank as a plus, contains one of them."""

ENTITIES = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}

LETTERS = {"\n": "n", "\r": "r", "\t": "t"}
"""The letter after the backslash."""

DOUBLES = {"'": 2, "\\": 8}
"""How many characters may replace one: YAML and SQL double quotes, each level of JSON or repr doubles backslashes."""

PLAIN = re.compile("[A-Za-z0-9_]*")
"""Characters that no encoder writes as a code."""

LONGEST = 256
"""Most characters of a secret, or of a line of it, for a pattern of codes: the pattern is far longer."""


@lru_cache(maxsize=256)  # a task scrubs by the same secrets several times
def spellings(secret: str) -> frozenset[str]:
    """The ways in which a secret is written inside URLs, reprs, JSON, XML and headers."""
    coded = as_bytes(secret)
    quoted = {quote(coded), quote(coded, safe=""), quote_plus(coded)}
    quoted |= {PERCENT_CODE.sub(lambda found: found[0].lower(), word) for word in quoted}
    raw = {secret, *quoted, repr(coded)[2:-1], html.escape(secret), shlex.quote(secret), secret.replace("'", "''")}
    for entities in ({}, BLANKS, {'"': "&quot;"}, {'"': "&quot;", **BLANKS}, {'"': "&#34;", "'": "&#39;"}):
        raw.add(escape(secret, entities))
    for _level in range(2):  # in JSON or a repr, and that in another
        raw |= {form for word in list(raw) for form in _escaped(word)}
    raw |= {" ".join(word.split()) for word in raw}  # messages fold the blanks of a server's text
    raw |= {visible(word) for word in raw}
    raw.update(_in_base64(coded))
    lines = [line.strip() for line in secret.splitlines()]
    if len(lines) > 1:  # a line may be shown without the others
        raw |= {form for line in lines if len(line) >= SHORT for form in spellings(line)}
    return frozenset(word for word in raw if word)


def _escaped(word: str) -> set[str]:
    either = repr(word + "'\"")[1:-4]  # as in a text that contains both quotes
    return {repr(word)[1:-1], either, json.dumps(word)[1:-1], json.dumps(word, ensure_ascii=False)[1:-1]}


def _in_base64(coded: bytes) -> Iterator[str]:
    """The secret in base64: alone, and the part that is the same whatever is before and after it, as a user name is."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(coded).decode()
        yield whole
        if len(whole.rstrip("=")) > SHORT:
            yield whole.rstrip("=")
        for before in range(3):
            bits = 8 * (before + len(coded))
            part = encode(b"\0" * before + coded).decode()[-(-8 * before // 6) : bits // 6]
            if len(part) >= 2 * SHORT:
                yield part


@lru_cache(maxsize=256)
def coded_spellings(secret: str) -> tuple[re.Pattern[str], ...]:
    """Patterns of the secret, and of each of its lines, in which each character may be written as any of its codes.

    Each encoder has its own codes, and its own set of characters that it writes as codes.
    """
    lines = [line for line in secret.splitlines() if len(line.strip()) >= SHORT]
    words = dict.fromkeys(word for word in (secret, *lines) if len(word) <= LONGEST)
    return tuple(_coded(word) for word in words if not PLAIN.fullmatch(word))


def _coded(word: str) -> re.Pattern[str]:
    rows = ["".join(row) for _kind, row in groupby(word, lambda char: "" if char.isspace() else char)]
    # Equal characters in a row are one part: a part for each, all with doubles, could match in countless ways.
    parts = [
        f"(?:{_codes(row[0])}){{{len(row)},{len(row) * DOUBLES.get(row[0], 1)}}}"
        if len(set(row)) == 1
        else "".join(f"(?:{_codes(char)})" for char in row)
        for row in rows
    ]
    for number, row in enumerate(rows):
        if row.isspace() and len(rows) > 1:  # messages fold blanks, and drop those at the ends
            is_inner = 0 < number < len(rows) - 1
            ways = "|".join(map(_codes, dict.fromkeys(row + " " if is_inner else row)))
            parts[number] = f"(?:{ways}){{{int(is_inner)},{len(row)}}}"
    return re.compile("".join(parts))


def _codes(char: str) -> str:
    """A pattern of one character, plain or as a code. A code may itself be coded again."""
    if PLAIN.fullmatch(char):
        return char
    utf8, slashes = as_bytes(char), r"\\{1,8}"
    utf16 = [part for part in json.dumps(char)[1:-1].split("\\u") if len(part) == 4] or [f"{ord(char):04x}"]
    ways = [
        "".join(f"%(?:25)*{byte:02x}" for byte in utf8),
        f"&(?:amp;)*#(?:0*{ord(char)}|x0*{ord(char):x});",
        "".join(f"{slashes}u{part}" for part in utf16),
        "".join(f"{slashes}x{byte:02x}" for byte in utf8),
        *([f"{slashes}x{ord(char):02x}"] if ord(char) < 256 else []),
    ]
    ways += [f"&(?:amp;)*{ENTITIES[char]};"] if char in ENTITIES else []
    ways += [slashes + LETTERS[char]] if char in LETTERS else []
    escaped = "" if char in "\\\n\r\t" else r"\\{0,8}"
    return f"(?i:{'|'.join(ways)})|{escaped}{'[ +]' if char == ' ' else re.escape(char)}"


def as_bytes(text: str) -> bytes:
    """The text in UTF-8. Bytes of the environment that are not UTF-8 stay unchanged."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")


def basic(username: str, password: str) -> str:
    """The value of a basic ``Authorization`` header. Whoever reads it knows the password."""
    return base64.b64encode(as_bytes(f"{username}:{password}")).decode()


def in_url(url: str) -> list[str]:
    """The password in a URL, if any: as written there, and decoded."""
    credentials = str(url).partition("://")[2].rpartition("@")[0] or str(url).rpartition("@")[0]
    password = credentials.partition(":")[2]
    return list(dict.fromkeys([password, unquote(password)])) if password else []


class Scrubber:
    """Replaces every spelling of every given secret by asterisks.

    :param secrets: the secrets. Empty ones are left out, because every text contains an empty string.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted({str(secret) for secret in secrets if secret}, key=len, reverse=True)
        words = {word for secret in self._secrets for word in spellings(secret)}
        self._words = sorted(words, key=len, reverse=True)
        self._shortest = len(self._words[-1]) if self._words else 0

    def text(self, text: str) -> str:
        """The text without the secrets."""
        if len(text) < self._shortest and CUT not in text:  # true for most texts of a result
            return text
        if MARKS.search(text):
            for coded in (pattern for secret in self._secrets for pattern in coded_spellings(secret)):
                text = coded.sub(MASK, text)
        for word in self._words:
            if word in text:
                text = text.replace(word, MASK)
        return self._without_rests(text) if CUT in text else text

    def _without_rests(self, text: str) -> str:
        """The text without the beginnings of secrets that were cut off."""
        parts = text.split(CUT)
        for number, part in enumerate(parts[:-1]):
            begins = min((_begin(part, word) for word in self._words), default=len(part))
            if begins < len(part):
                parts[number] = part[:begins] + MASK
        return CUT.join(parts)

    def data(self, value: Any) -> Any:
        """A value of a result without the secrets: in all strings anywhere in it, also in keys."""
        if not self._words:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.data(key): self.data(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.data(item) for item in value]
        return value


def _begin(part: str, word: str) -> int:
    """The position at which a text ends with the beginning of a word; the text's length if it doesn't."""
    at = part.find(word[:SHORT], max(0, len(part) - len(word))) if len(word) > SHORT else -1
    while at >= 0 and not word.startswith(part[at:]):
        at = part.find(word[:SHORT], at + 1)
    return at if at >= 0 else len(part)
