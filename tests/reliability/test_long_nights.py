# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits of half a day: what they keep, and what a server, a clock and a laptop do meanwhile."""

from __future__ import annotations

import gc
import os
import re
import sys
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple, Optional
from unittest.mock import patch

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.catalogue import RUNBOOKS
from ansible_collections.dbfleet.cluster.tests.reliability import scenes
from ansible_collections.dbfleet.cluster.tests.reliability.loom import FIRST, Loom
from ansible_collections.dbfleet.cluster.tests.reliability.place import Place, Weather
from ansible_collections.dbfleet.cluster.tests.reliability.runs import Program, Told as Run

SEED = 20260303
HOUR = 3600.0
LONG = 13 * HOUR
PATIENT = 20 * HOUR

ROOM = 600
"""Blocks of memory by which a run may have more in its twelfth hour than in its first, lines that were shown included.
What is kept of each look would be thousands."""


class Night(NamedTuple):
    """A wait of half a day.

    :param name: of a module or runbook.
    :param slow: what takes half a day.
    """

    name: str
    topology: dict[str, Any]
    given: dict[str, Any]
    slow: str

    def program(self, hours: float = PATIENT) -> Program:
        waits = {"wait_timeout": hours, "heartbeat": 600}
        if self.name not in RUNBOOKS:
            return Program(self.name, {**self.given, **waits})
        own = {f"{self.name}_{option}": value for option, value in self.given.items()}
        prefix = RUNBOOKS[self.name].product
        return Program(self.name, {**own, **{f"{prefix}_{option}": value for option, value in waits.items()}})

    def made(self, slow: float = LONG) -> dict[str, Any]:
        return {**self.topology, "timing": {**self.topology["timing"], self.slow: slow}}


SHOP = [{"name": "shop", "te_server_ids": ["server0", "server1"]}]

CONFD = scenes.confd(up=False, settings={"auto_start": False, "job_history": 50})

ALL = {
    "exa_node": Night("exa_node", scenes.eao(), {"state": "online"}, "boot"),
    "exa_database, EXAoperation": Night(
        "exa_database", scenes.eao(up=True), {"databases": ["all"], "state": "stopped"}, "database_stop"
    ),
    "exa_database, ConfD": Night(
        "exa_database", CONFD, {"databases": ["DB1"], "state": "started"}, "database_start"
    ),
    "exa_job": Night(
        "exa_job", CONFD, {"job": "db_start", "params": {"db_name": "DB1"}}, "database_start"
    ),
    "nuodb_database": Night("nuodb_database", scenes.nuodb(), {"databases": SHOP}, "te_start"),
    "nuodb_hotcopy": Night(
        "nuodb_hotcopy", scenes.nuodb(up=True), {"db_name": "shop", "default_backup_dir": "/b", "once": True}, "hotcopy"
    ),
    "exa_cold_start": Night("exa_cold_start", scenes.eao(), {}, "boot"),
    "exa_graceful_shutdown": Night("exa_graceful_shutdown", scenes.eao(up=True), {}, "database_stop"),
    "exa_database_state": Night(
        "exa_database_state", CONFD, {"databases": ["DB1"], "state": "started"}, "database_start"
    ),
    "nuodb_cold_start": Night("nuodb_cold_start", scenes.nuodb(), {"databases": SHOP}, "sync"),
    "nuodb_graceful_shutdown": Night(
        "nuodb_graceful_shutdown", scenes.nuodb(up=True), {"servers": False}, "te_shutdown"
    ),
    "nuodb_database_state": Night(
        "nuodb_database_state", scenes.nuodb(), {"databases": SHOP, "state": "running"}, "te_start"
    ),
    "nuodb_rolling_restart": Night("nuodb_rolling_restart", scenes.nuodb(up=True), {"databases": ["shop"]}, "te_start"),
    "nuodb_recover": Night("nuodb_recover", scenes.CRASHED, {"databases": SHOP}, "sync"),
}


FEW = ("exa_job", "nuodb_hotcopy")
NIGHTS = ALL if os.environ.get("DBFLEET_NIGHTS") == "all" else {name: ALL[name] for name in FEW}
"""Modules of each kind of wait; `make nights` has all."""


class Watched(Place):
    """A cluster that is watched through the night.

    :ivar weather_at: by the virtual seconds of the night, what becomes of a call.
    :ivar seen: by the hour, what the run had in memory then: objects, and bytes of our own code.
    """

    def __init__(self, loom: Loom, topology: dict[str, Any]) -> None:
        super().__init__(loom, topology)
        self.weather_at: Callable[[float], Optional[Weather]] = lambda _seconds: None
        self.at: list[tuple[float, Callable[[], None]]] = []
        self.times: list[float] = []
        self._is_begun = False

    def _carried_out(self) -> int:
        """Not asked here: it goes through all calls of the night at each."""
        return 0

    @property
    def elapsed(self) -> float:
        return self.loom.now - FIRST

    def exchange(self, url: str, request: Any, headers: dict[str, str], connect: float, timeout: float) -> Any:
        if not self._is_begun:
            self._is_begun = True
            for seconds, work in self.at:
                self.loom.begin(lambda seconds=seconds, work=work: (self.loom.rest(seconds - self.elapsed), work()))
        self.times.append(self.elapsed)
        found = self.weather_at(self.elapsed)
        if found:
            self.weather[self.sent + 1] = found
        return super().exchange(url, request, headers, connect, timeout)


def spent(night: Night, slow: float = LONG, hours: float = PATIENT, **own: Any) -> tuple[Run, Watched]:
    """A night from its beginning to its end, in a place of its own."""
    loom = Loom(SEED)
    with loom.in_use(), patch.object(uuid, "uuid4", lambda: uuid.UUID(int=loom.dice.getrandbits(128))):
        place = Watched(loom, night.made(slow))
        for name, value in own.items():
            setattr(place, name, value(place) if name == "at" else value)
        return night.program(hours).run(place), place


def told(run: Run) -> str:
    return "\n".join([str(run.result.get("msg")), *run.lines[-20:]])


@pytest.mark.parametrize("name", NIGHTS)
def test_memory_stays_flat(name: str) -> None:
    found: list[tuple[int, int]] = []

    def look(place: Watched) -> Callable[[], None]:
        def work() -> None:
            place.cluster.record.clear()  # what the simulator keeps of a night, as a server does in files
            place.times.clear()
            place._said.clear()
            gc.collect()
            found.append((len(gc.get_objects()), sys.getallocatedblocks()))

        return work

    run, _place = spent(NIGHTS[name], at=lambda place: [(hour * HOUR, look(place)) for hour in (1, 12)])
    assert run.is_ok, told(run)
    (objects, size), (more, larger) = found
    assert more - objects < 200, found
    assert larger - size < ROOM + len(run.lines), found


EVENING = 3 * HOUR
"""What is enough where nothing is to grow."""

AWAY = (0.5 * HOUR, 0.5 * HOUR + 600.0)
"""When the server is away, for as long as a restart and its repair may take."""


def is_same(run: Run, place: Watched, calm: Run, calm_place: Watched) -> bool:
    return run.is_ok and calm.is_ok and place.changes == calm_place.changes


@pytest.mark.parametrize("name", NIGHTS)
def test_a_server_that_restarts_is_awaited(name: str) -> None:
    """It refuses connections for ten minutes, and when it is back it knows nobody for a moment."""
    state = {"denied": False}

    def weather(seconds: float) -> Optional[Weather]:
        if AWAY[0] <= seconds < AWAY[1]:
            return Weather.REFUSED
        if seconds >= AWAY[1] and not state["denied"]:
            state["denied"] = True
            return Weather.DENIED
        return None

    run, place = spent(NIGHTS[name], EVENING, weather_at=weather)
    assert run.is_ok, told(run)
    assert state["denied"]
    assert is_same(run, place, *spent(NIGHTS[name], EVENING))
    assert any("refused" in line for line in run.lines), told(run)


AT_A_TIME = 3
"""Calls that are under way at a time here: two objects, and the server's messages."""


@pytest.mark.parametrize("name", NIGHTS)
def test_a_login_that_is_gone_for_good_ends_the_wait(name: str) -> None:
    """A password that was changed is sent once more and not again: who sends a wrong one too often is locked out."""
    run, place = spent(NIGHTS[name], EVENING, weather_at=lambda now: Weather.DENIED if now > HOUR else None)
    assert not run.is_ok
    assert "(HTTP 401)" in run.result["msg"], told(run)
    at_once = [moment for moment in place.times if moment > HOUR]
    assert len(at_once) <= AT_A_TIME + 1, at_once
    assert max(at_once) - HOUR < 60


def without_table(lines: list[str]) -> list[str]:
    """The lines of a runbook but for its end table, which has durations by the wall clock."""
    return [line for line in lines if not re.match(r"\[night\]   \w+ +[\d:]+  done$", line)]


@pytest.mark.parametrize("hours", [5.0, -5.0, 24 * 400.0])
@pytest.mark.parametrize("name", NIGHTS)
def test_a_wall_clock_that_jumps_does_not_matter(name: str, hours: float) -> None:
    def jump(place: Watched) -> list[Any]:
        return [(0.5 * HOUR, lambda: place.loom.set_wall_clock(hours * HOUR))]

    def nothing(place: Watched) -> list[Any]:
        return [(0.5 * HOUR, lambda: None)]  # one thread more, so that the dice fall alike

    run, place = spent(NIGHTS[name], EVENING, at=jump)
    calm, calm_place = spent(NIGHTS[name], EVENING, at=nothing)
    assert run.is_ok, told(run)
    assert without_table(run.lines) == without_table(calm.lines)
    assert place.times == calm_place.times
    assert place.changes == calm_place.changes


SLEEP = 6 * HOUR


@pytest.mark.parametrize("name", NIGHTS)
def test_what_came_about_while_a_machine_slept_is_seen(name: str) -> None:
    """The deadline passes meanwhile. It is looked once more, and the hours are one line, not one for each beat."""

    def sleep(place: Watched) -> list[Any]:
        return [(0.5 * HOUR + 0.1, lambda: place.loom.advance(SLEEP))]

    run, place = spent(NIGHTS[name], EVENING, hours=4 * HOUR, at=sleep)
    assert run.is_ok, told(run)
    assert len([line for line in run.lines if re.search(r": 6:\d\d:\d\d .* waiting for", line)]) <= 2, told(run)
    assert max(place.times) > SLEEP


@pytest.mark.parametrize("name", NIGHTS)
def test_who_sleeps_too_long_looks_once_more_before_it_gives_up(name: str) -> None:
    def sleep(place: Watched) -> list[Any]:
        return [(0.5 * HOUR + 0.1, lambda: place.loom.advance(SLEEP))]

    run, place = spent(NIGHTS[name], 30 * HOUR, hours=4 * HOUR, at=sleep)
    assert run.result["failure"] == "timed_out", told(run)
    assert 0.5 * HOUR + SLEEP < max(place.times) < 0.5 * HOUR + SLEEP + 60
