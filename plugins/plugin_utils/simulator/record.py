# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened: every call, and every safety rule that was broken."""

from __future__ import annotations

import threading
import time
from typing import Any

HIDDEN = "********"
_TELLTALE = ("password", "passwd", "secret", "token", "key")
_LONG = 60


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
        """From now on."""
        if secret:
            self._secrets.append(secret)

    def begin(self) -> int:
        with self._lock:
            self._count += 1
            return self._count

    def call(self, n: int, **entry: Any) -> None:
        """Keep one call; `result` or `fault` and the arguments are scrubbed here."""
        for name in ("args", "result", "fault", "path"):
            if name in entry:
                entry[name] = self._clean(entry[name])
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
        """Forget the broken rules."""
        with self._lock:
            self.rules.clear()

    def clear(self) -> None:
        """Forget the calls; broken rules stay, and numbering goes on."""
        with self._lock:
            self._calls.clear()

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            for secret in self._secrets:
                if secret in value:
                    value = value.replace(secret, HIDDEN)
            return value
        if isinstance(value, (list, tuple)):
            if len(value) > _LONG:
                return f"({len(value)} entries)"
            return [self._clean(item) for item in value]
        if isinstance(value, dict):
            return {
                str(name): HIDDEN if any(word in str(name).lower() for word in _TELLTALE) else self._clean(item)
                for name, item in value.items()
            }
        if value is None or isinstance(value, (bool, int, float)):
            return value
        return str(value)
