# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules on simulated clusters whose answers are spoilt, run as the action plugin runs them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.utils.display import Display
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence import pace, stage_run
from ansible_collections.dbfleet.cluster.plugins.module_utils._foreign import told
from ansible_collections.dbfleet.cluster.plugins.module_utils._http import client
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.transport import NoAnswer, Reply
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.direct import Direct
from ansible_collections.dbfleet.cluster.tests.hostile.mill import Mill, machine_of, odd_data, odd_lines
from ansible_collections.dbfleet.cluster.tests.servers import authority, reply, serve

__all__ = ["authority", "reply", "serve"]
"""Fixtures that stand elsewhere."""

MODULES = "ansible_collections.dbfleet.cluster.plugins.modules"


class Wire:
    """In place of the connections of C(_http)."""

    def __init__(self, mill: Mill) -> None:
        self._mill = mill

    def exchange(self, url: str, request: Any, headers: dict[str, str], connect: float, timeout: float) -> Reply:
        machine = machine_of(url)
        if machine not in self._mill.machines:
            raise NoAnswer("connection refused", silent=True, unsent=True)
        given = {key.lower(): str(value) for key, value in headers.items()}
        status, reason, answered, body = self._mill.answer(
            machine, request.verb, request.path, given, request.body or b""
        )
        return Reply(status, body, answered.get("Location", ""), reason)

    def is_proxied(self, _url: str) -> bool:
        return False


class Ran:
    """What came of a module: its result as ansible-core gets it, and what was shown."""

    def __init__(self, result: dict[str, Any], shown: list[str]) -> None:
        self.result, self.shown = result, shown

    @property
    def lines(self) -> list[str]:
        return [line for text in self.shown for line in text.split("\n")]

    def wrong(self, name: str) -> list[str]:
        """What a user may not see.

        :param name: of the cluster, with which each line begins.
        """
        found = [*odd_lines(iter(self.lines)), *odd_data(self.result)]
        found += [f"forged: {line[:80]!r}" for line in self.lines if not line.startswith(f"[{name}] ")]
        says = str(self.result.get("msg") or "")
        if self.result.get("failed"):
            found += [] if says.startswith(f"{name}: ") else [f"no sentence of {name}: {says[:200]!r}"]
            found += [says[:300]] if "unexpected error" in says or "Traceback" in says else []
        return found


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Runs a module on a cluster, without pauses."""
    monkeypatch.setattr(pace, "FIRST_INTERVAL", 0.01)
    monkeypatch.setattr(stage_run, "SETTLE", 0.02)
    monkeypatch.setattr(client, "PAUSE", 0.0)
    shown: list[str] = []
    monkeypatch.setattr(Display, "display", lambda _self, text, **_more: shown.append(text))
    action: Any = Direct.__new__(Direct)

    def go(name: str, mill: Mill, options: dict[str, Any], check: bool = False) -> Ran:
        shown.clear()
        module = import_module(f"{MODULES}.{name}")
        monkeypatch.setattr(client, "Transport", lambda *_given: Wire(mill))
        spec = module.SPEC["argument_spec"]
        urls = [f"https://{machine}:{mill.port}" for machine in mill.machines]
        given = {
            "api_url": urls, "api_username": "admin", "api_password": "pw-of-admin", "cluster_name": "exa-h",
            "wait_timeout": 1, "heartbeat": 0,
        }  # fmt: skip
        action._task = SimpleNamespace(check_mode=check, no_log=False)
        args = {**{key: value for key, value in given.items() if key in spec}, **options}
        return Ran(told(action._in_process(module, args)), list(shown))

    return go
