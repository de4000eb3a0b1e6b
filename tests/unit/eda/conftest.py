# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Event sources as ansible-rulebook runs them: loaded by their path, with a queue, until they are cancelled."""

from __future__ import annotations

import asyncio
import runpy
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.simulator import Simulator
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.topology import load
from ansible_collections.dbfleet.cluster.tests.admin import ask

SOURCES = Path(__file__).resolve().parents[3] / "extensions/eda/plugins/event_source"

PATIENCE = 20.0
"""Seconds after which a test gives up waiting for an event; never part of what is asserted."""

QUICK = {"delay": 0.02, "after": 0, "repeat": 3600, "request_timeout": 10}


class Watched:
    """A source at work, and what it emits."""

    def __init__(self, queue: asyncio.Queue[Any], task: asyncio.Task[Any]) -> None:
        self.queue, self.task = queue, task
        self.every: list[dict[str, Any]] = []

    async def next(self, kind: str, change: str = "new", about: Optional[str] = None) -> dict[str, Any]:
        """The next event of a kind; others before it are passed over."""
        while True:
            emitted = await asyncio.wait_for(self.queue.get(), PATIENCE)
            event = emitted["dbfleet"]
            assert emitted["meta"] == {"hosts": event["cluster"]}
            self.every.append(event)
            if (event["kind"], event["change"]) == (kind, change) and about in (None, event["object"]):
                return event


@asynccontextmanager
async def watched(name: str, **args: Any) -> AsyncIterator[Watched]:
    queue: asyncio.Queue[Any] = asyncio.Queue()
    source = runpy.run_path(str(SOURCES / f"{name}.py"))
    task = asyncio.create_task(source["main"](queue, {**QUICK, **args}))
    found = Watched(queue, task)
    yield found
    assert not task.done(), "a source that ends, ends ansible-rulebook"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.fixture
def play() -> Callable[[Coroutine[Any, Any, None]], None]:
    """Runs a test that awaits something."""
    return asyncio.run


class Live:
    """A simulator in this process."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.ready: dict[str, Any] = next(iter(simulator.ready()["clusters"].values()))

    def admin(self, path: str, body: Any = None, method: str = "POST") -> Any:
        return ask(self.simulator.ready(), path, body, method)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Callable[..., Live]]:
    started: list[Simulator] = []

    def start(topology: dict[str, Any], clock: str = "seconds:0.001") -> Live:
        simulator = Simulator(load(topology), clock, directory=tmp_path)
        started.append(simulator)
        simulator.start()
        return Live(simulator)

    yield start
    for simulator in started:
        simulator.stop()
