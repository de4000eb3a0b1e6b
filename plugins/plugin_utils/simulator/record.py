# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a cluster: every call, and every broken safety rule."""

from __future__ import annotations

import math
import re
import threading
import time
from typing import Any

HIDDEN = "********"
_TELLTALE = ("password", "passwd", "secret", "token", "key")
_LONG = 60
_URL_USER = re.compile(r"(?<=://)[^/?#\s]*(?=@)")


def without_user(url: str) -> str:
    """A text without users and passwords in its URLs."""
    return _URL_USER.sub(HIDDEN, url)


def _telltale(name: Any) -> bool:
    return any(word in str(name).lower() for word in _TELLTALE)


class Record:
    """Calls and broken rules of one cluster. Passwords never enter it."""

    def __init__(self, secrets: list[str], rules: dict[str, str]) -> None:
        self._secrets = [secret for secret in secrets if secret]
        self._texts = rules
        self._lock = threading.Lock()
        self._calls: list[dict[str, Any]] = []
        self._count = 0
        self.rules: list[dict[str, Any]] = []

    def keep_secret(self, secret: str) -> None:
        """Removes a text from all later entries."""
        if secret:
            self._secrets.append(secret)

    def begin(self) -> int:
        with self._lock:
            self._count += 1
            return self._count

    def call(self, n: int, **entry: Any) -> None:
        """Adds a call. Secrets are removed from its arguments and from `result` or `fault`."""
        for name in ("args", "result", "fault", "path"):
            if name in entry:
                entry[name] = self.scrubbed(entry[name], _LONG)
        row = {"n": n, "time": time.time(), **entry}
        with self._lock:
            self._calls.append(row)

    def broken(self, rule: str, name: str, text: str, call_n: int | None) -> None:
        with self._lock:
            self.rules.append({"rule": rule, "object": name, "text": text, "call_n": call_n, "time": time.time()})

    def calls(self) -> list[dict[str, Any]]:
        with self._lock:
            return sorted(self._calls, key=lambda row: row["n"])

    def forgive(self) -> None:
        """Removes the broken rules."""
        with self._lock:
            self.rules.clear()

    def clear(self) -> None:
        """Removes the calls; broken rules stay, and the numbering continues."""
        with self._lock:
            self._calls.clear()

    def scrubbed(self, value: Any, longest: int | None = None) -> Any:
        """A value without passwords; long lists are replaced by their length."""
        if isinstance(value, str):
            for secret in self._secrets:
                if secret in value:
                    value = value.replace(secret, HIDDEN)
            return without_user(value)
        if isinstance(value, (list, tuple)):
            if longest is not None and len(value) > longest:
                return f"({len(value)} entries)"
            return [self.scrubbed(item, longest) for item in value]
        if isinstance(value, dict):
            return {
                str(name): HIDDEN if _telltale(name) else self.scrubbed(item, longest) for name, item in value.items()
            }
        if value is None or isinstance(value, (bool, int)) or (isinstance(value, float) and math.isfinite(value)):
            return value
        return str(value)
