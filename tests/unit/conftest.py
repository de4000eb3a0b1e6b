# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task that remembers what was said, clusters that a test sets, and the servers of `tests/servers.py`."""

from __future__ import annotations

import queue
from collections.abc import Callable
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible import context
from ansible.module_utils.common.collections import ImmutableDict
from ansible.utils.vars import load_extra_vars, load_options_vars
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence import stage_run, workers
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Unreachable, Unsupported
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.providers import CONFD, EAO
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.states import Reachability
from ansible_collections.dbfleet.cluster.plugins.module_utils._timeline import Timeline
from ansible_collections.dbfleet.cluster.tests.servers import (
    authority,
    dead_url,
    new_authority,
    reply,
    serve,
    serve_v6,
)
from hypothesis import HealthCheck, settings

__all__ = ["authority", "dead_url", "new_authority", "reply", "serve", "serve_v6"]
"""Fixtures that stand elsewhere."""

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


class Spoken:
    """A task that keeps what was said and warned."""

    def __init__(self, check_mode: bool = False, **params: Any) -> None:
        self.params = params
        self.check_mode = check_mode
        self.done: list[dict[str, Any]] = []
        self.timeline: Optional[Timeline] = None
        self.lines: list[str] = []
        self.warnings: list[str] = []
        self.heard: list[dict[str, list[str]]] = []

    def say(self, *lines: str) -> None:
        self.lines += lines

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def under_way(self, steps: dict[str, list[str]]) -> None:
        self.heard.append(steps)


@pytest.fixture(autouse=True)
def _no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a shutdown keeps is not left in the home of who runs the tests."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def new_task() -> type[Spoken]:
    return Spoken


@pytest.fixture
def task() -> Spoken:
    return Spoken()


class FakeCluster:
    """A cluster whose answers the test sets; it keeps the changing calls."""

    name, provider, url, api_calls = "exa-unit", EAO, "https://n10:443", 0

    def lacks(self, capability: str) -> Optional[str]:
        return self.provider.lacks(capability)

    def require(self, capability: str) -> None:
        assert self.lacks(capability) is None

    def infra_refusal(self) -> Optional[str]:
        return ""

    def news(self, names: list[str]) -> list[str]:
        return []

    def collect(self, seconds: float) -> list[str]:
        return []

    def __init__(self, **facts: Any) -> None:
        self.online: dict[str, bool] = facts.get("online", {"n0011": True, "n0012": True})
        self.status: dict[str, str] = facts.get("status", {})
        self.service_states: dict[str, str] = facts.get("services", {"Lockd": "OK", "Storaged": "OK"})
        self.database_states: dict[str, Any] = facts.get("databases", {})
        self.master_name: str = facts.get("master", "n0010")
        self.entries: list[dict[str, Any]] = facts.get("entries", [])
        self.plugin_answer: tuple[int, str] = facts.get("plugin_answer", (0, ""))
        self.speaks: bool = facts.get("speaks", True)
        self.server_states: dict[str, str] = facts.get("server_states", {})
        self.failures: dict[str, str] = facts.get("failures", {})
        self.calls: list[tuple[Any, ...]] = []

    def nodes(self) -> list[str]:
        return [name for name in self.online if name != "n0010"]

    def node_is_online(self, node: str) -> bool:
        return self.online[node]

    def node_status(self, node: str) -> str:
        return self.status.get(node, "")

    def node_told(self, node: str) -> Optional[str]:
        return self.status.get(node, "")

    def services(self) -> dict[str, str]:
        return dict(self.service_states)

    def databases(self) -> list[str]:
        return list(self.database_states)

    def database(self, name: str) -> Any:
        return self.database_states[name]

    def database_summary(self, name: str) -> Any:
        return self.database_states[name]

    def seen_online(self) -> None:
        return None

    def license_server_states(self, names: list[str]) -> dict[str, str]:
        return self.server_states

    def database_errors(self, name: str) -> str:
        return f"{name} has no nodes"

    def failure_of(self, name: str) -> str:
        return self.failures.get(name, "")

    def master(self) -> str:
        if not self.speaks:
            raise Unreachable("exa-unit: nobody answers")
        return self.master_name

    def log_services(self) -> list[str]:
        return ["logservice1"]

    def log_entries(self, service: str) -> list[dict[str, Any]]:
        self.calls.append(("logEntries", service))
        return list(self.entries)

    def answers(self) -> str:
        return "https://n10:443 answers" if self.speaks else ""

    def call_plugin(self, plugin: str, node: str, command: str, changing: bool = True) -> tuple[int, str]:
        self.calls.append((plugin, node, command, changing))
        return self.plugin_answer

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args: self.calls.append((name, *args))


class Equals(FakeCluster):
    """A cluster every node of which may hold the API.

    :param cloud: its deployment powers nodes on and off by jobs.
    """

    provider = CONFD

    def __init__(self, cloud: bool, states: dict[str, str], **facts: Any) -> None:
        super().__init__(online=dict.fromkeys(states, True), **facts)
        self.cloud, self.states = cloud, states
        self.hosts_on: set[str] = set()
        self.urls = [f"https://{name}:20003" for name in states]
        self.unseen: list[str] = []

    def reachability(self) -> Reachability:
        return Reachability(self.urls, self.unseen)

    def node_states(self) -> dict[str, str]:
        return dict(self.states)

    def booting(self, nodes: list[str]) -> list[str]:
        return [node for node in nodes if node in self.hosts_on]

    def lacks(self, capability: str) -> Optional[str]:
        return self.provider.lacks(capability, self.cloud, lambda: None if self.cloud else "")

    def require(self, capability: str) -> None:
        why = self.lacks(capability)
        if why:
            raise Unsupported(why)


@pytest.fixture
def equals() -> type[Equals]:
    return Equals


@pytest.fixture
def new_cluster() -> type[FakeCluster]:
    return FakeCluster


class Time:
    """A clock that moves only when somebody waits for an answer."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    @property
    def since(self) -> float:
        return self.now - 1000.0


class Answers:
    """The queue of a pool in that time."""

    def __init__(self, time: Time) -> None:
        self._time = time
        self._due: list[tuple[float, int, Any]] = []
        self._count = 0

    def put(self, at: float, answer: Any) -> None:
        self._count += 1
        self._due.append((at, self._count, answer))
        self._due.sort(key=lambda item: item[:2])

    def get_nowait(self) -> Any:
        if self._due and self._due[0][0] <= self._time.now:
            return self._due.pop(0)[2]
        raise queue.Empty

    def get(self, timeout: Optional[float] = None) -> Any:
        first = self._due[0][0] if self._due else float("inf")
        assert timeout is not None or first < float("inf"), "this would wait for ever"
        if timeout is not None and first > self._time.now + timeout:
            self._time.now += max(timeout, 0.001)
            raise queue.Empty
        self._time.now = max(self._time.now, first)
        return self._due.pop(0)[2]


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """Time that the test owns: what a pool is given is done at once, and answered at once.

    Work that returns an object with C(seconds), C(value) and C(error) is answered so many seconds later.
    """
    clock = Time()

    class FakePool:
        def __init__(self, _first: Optional[int] = None) -> None:
            self.answers = Answers(clock)

        def submit(self, tag: Any, work: Callable[[], Any]) -> None:
            try:
                found = work()
            except Exception as error:
                self.answers.put(clock.now, (tag, None, error))
                return
            if hasattr(found, "seconds"):
                self.answers.put(clock.now + found.seconds, (tag, found.value, found.error))
            else:
                self.answers.put(clock.now, (tag, found, None))

        def spread(self) -> None:
            pass

        def close(self) -> None:
            pass

    for place in (stage_run, workers):
        monkeypatch.setattr(place, "Pool", FakePool)
    return clock


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Says what ansible-playbook was called with."""

    def call(**given: Any) -> None:
        usual = {"tags": ["all"], "skip_tags": [], "extra_vars": [], "inventory": [], "forks": 5, "step": False}
        for load, name in ((load_options_vars, "options_vars"), (load_extra_vars, "extra_vars")):
            monkeypatch.setattr(load, name, None, raising=False)  # it keeps those of the first test
        monkeypatch.setattr(context, "CLIARGS", ImmutableDict({**usual, "start_at_task": None, **given}))

    call()
    return call
