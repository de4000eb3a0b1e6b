# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A storm: runs in bad weather, killed anywhere, with others at work; and then the wind drops, and all must be well.

What holds all the time: no safety rule is broken; a run that ends well has what it was asked for; one that fails says
so in one sentence; a preview changes nothing and is kept; what isn't named stays as it is; no secret is shown.
"""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections import Counter
from typing import Any, Callable, NamedTuple, Optional
from urllib.parse import quote, quote_plus

from ansible_collections.dbfleet.cluster.tests.reliability import scenes
from ansible_collections.dbfleet.cluster.tests.reliability.loom import Killed, Loom
from ansible_collections.dbfleet.cluster.tests.reliability.place import PASSWORD, Cut, Moment, Place, Weather
from ansible_collections.dbfleet.cluster.tests.reliability.runs import HOST, Program, Told
from hypothesis import HealthCheck, Phase, note, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

NIGHTS = int(os.environ.get("DBFLEET_STORM", "12"))
"""How many nights there are."""

STEPS = 6
"""What happens in one night, at most."""

CALM = 60.0
"""Seconds in which everything that is under way ends."""

SHOP = [{"name": "shop", "te_server_ids": ["server0", "server1"]}]
ALL_OF_SHOP = {"shop SM server0 0", "shop SM server1 1", "shop TE server0 None", "shop TE server1 None"}

TALLY: Counter[str] = Counter()
"""What there was in all nights."""

BY_OTHERS = {"archives-started-in-part"}
"""Rules that a kill breaks by itself."""


def _shop_runs(state: dict[str, Any]) -> bool:
    there = {f"{name} MONITORED RUNNING" for name in ALL_OF_SHOP}
    return state["databases"]["shop"]["state"] == "RUNNING" and there <= set(state["engines"])


def _shop_is_down(state: dict[str, Any]) -> bool:
    return state["databases"]["shop"]["state"] == "NOT_RUNNING"


def _shop_is_whole_or_down(state: dict[str, Any]) -> bool:
    return _shop_runs(state) or _shop_is_down(state)


def _exa_runs(state: dict[str, Any]) -> bool:
    return all(row["state"] == "running" and row["connectible"] == "Yes" for row in state["databases"].values())


def _exa_is_down(state: dict[str, Any]) -> bool:
    return all(row["state"] != "running" for row in state["databases"].values())


def _runs(name: str) -> Callable[[dict[str, Any]], bool]:
    return lambda state: bool(state["databases"][name]["connectible"] == "Yes")


def _stands(name: str) -> Callable[[dict[str, Any]], bool]:
    return lambda state: bool(state["databases"][name]["state"] != "running")


class Order(NamedTuple):
    """What somebody runs, and what holds when it ends well."""

    program: Program
    holds: Callable[[dict[str, Any]], bool]


def order(name: str, given: dict[str, Any], holds: Callable[[dict[str, Any]], bool]) -> Order:
    return Order(Program(name, {f"{name}_{key}": value for key, value in given.items()}), holds)


NUODB = [
    order("nuodb_cold_start", {"databases": SHOP}, _shop_runs),
    order("nuodb_graceful_shutdown", {"servers": False}, _shop_is_down),
    order("nuodb_database_state", {"databases": SHOP, "state": "restarted"}, _shop_runs),
    order("nuodb_database_state", {"databases": ["shop"], "state": "stopped"}, _shop_is_down),
    order("nuodb_database_state", {"databases": SHOP, "state": "running"}, _shop_runs),
    order("nuodb_recover", {"databases": SHOP}, _shop_is_whole_or_down),
    order("nuodb_rolling_restart", {"databases": ["shop"]}, _shop_runs),
    Order(Program("nuodb_database", {"databases": SHOP}), _shop_runs),
    Order(Program("nuodb_database", {"databases": ["shop"], "state": "stopped"}), _shop_is_down),
]
EAO = [
    order("exa_cold_start", {}, _exa_runs),
    order("exa_graceful_shutdown", {"unreachable": "down"}, _exa_is_down),
    order("exa_database_state", {"databases": ["DB1"], "state": "restarted"}, _runs("DB1")),
    order("exa_database_state", {"databases": ["DB2"], "state": "stopped"}, _stands("DB2")),
    Order(Program("exa_database", {"databases": ["DB1"], "state": "started"}), _runs("DB1")),
    Order(Program("exa_database", {"databases": ["DB1", "DB2"], "state": "stopped"}), _exa_is_down),
]
CONFD = [
    order("exa_cold_start", {"power": "hook"}, _exa_runs),
    order("exa_graceful_shutdown", {"power": "none"}, _exa_is_down),
    *EAO[2:],
]

TOPOLOGIES: list[tuple[str, dict[str, Any], list[Order]]] = [
    ("NuoDB, down", scenes.nuodb(), NUODB),
    ("NuoDB, up", scenes.nuodb(up=True), NUODB),
    ("NuoDB, an SM died", scenes.CRASHED, NUODB),
    ("EXAoperation, off", scenes.eao(), EAO),
    ("EXAoperation, up", scenes.eao(up=True), EAO),
    ("ConfD, up", scenes.confd(), CONFD),
    ("ConfD, down", scenes.confd(up=False), CONFD),
]

FORMS = {
    PASSWORD, quote(PASSWORD), quote_plus(PASSWORD), json.dumps(PASSWORD)[1:-1],
    b64encode(PASSWORD.encode()).decode(), b64encode(f"admin:{PASSWORD}".encode()).decode(),
}  # fmt: skip
"""How the password could be written."""

CRUDE = ("Traceback", "unexpected error", "object at 0x", "Exception", "NoneType", "KeyError")

early = st.integers(1, 12) | st.integers(1, 40)
"""The number of a call: most runs have no more than these."""

weather_of_a_run = st.dictionaries(early, st.sampled_from(list(Weather)), max_size=4)
cuts = st.builds(Cut, early, st.sampled_from(list(Moment))) | st.builds(Cut, early, st.just(Moment.ACTED)) | st.none()


class Night(RuleBasedStateMachine):
    """One cluster, and what happens to it."""

    def __init__(self) -> None:
        super().__init__()
        self.loom, self.orders, self.name = Loom(), NUODB, ""
        self.place: Optional[Place] = None
        self.died = False

    @initialize(which=st.sampled_from(TOPOLOGIES), seed=st.integers(0, 2**31))
    def begin(self, which: tuple[str, dict[str, Any], list[Order]], seed: int) -> None:
        self.name, topology, self.orders = which
        note(f"{self.name}, seed {seed}")
        self.loom = Loom(seed)
        with self.loom.in_use():
            self.place = Place(self.loom, topology)
        TALLY["nights"] += 1

    @rule(number=st.integers(0, 99), weather=weather_of_a_run, cut=cuts)
    def run(self, number: int, weather: dict[int, Weather], cut: Optional[Cut]) -> None:
        self._run(self.orders[number % len(self.orders)], weather, cut)

    @rule(number=st.integers(0, 99))
    def preview(self, number: int) -> None:
        """In calm weather what a preview promises is what the run does."""
        asked = self.orders[number % len(self.orders)]
        assert self.place
        with self.loom.in_use():
            self._back_on()
            self.place.settle(CALM)
            before = self.place.state()
            self.place.forget()
            foretold = asked.program.run(self.place, check=True)
            assert self.place.changes == Counter(), self._story(asked, foretold)
            assert self.place.state() == before, self._story(asked, foretold)
        TALLY["previews"] += 1
        self._said_well(asked, foretold)
        done = self._run(asked, {}, None)
        if done and done.is_ok and foretold.is_ok:
            assert steps(foretold) == steps(done), self._story(asked, foretold) + self._story(asked, done)

    @rule(seconds=st.sampled_from([0.5, 3.0, 20.0, 600.0]))
    def rest(self, seconds: float) -> None:
        assert self.place
        with self.loom.in_use():
            self.place.settle(seconds)

    @precondition(lambda self: self.place and self.place.product == "nuodb" and self.place.cluster.processes)
    @rule(number=st.integers(0, 99))
    def a_process_dies(self, number: int) -> None:
        assert self.place
        with self.loom.in_use():
            there = sorted(self.place.cluster.processes)
            if there:
                self.place.press("/die", start_id=there[number % len(there)])
                TALLY["processes that died"] += 1
            self.place.cluster.record.forgive()

    def teardown(self) -> None:
        """The wind drops: what is wanted comes about, and then nothing is left to do."""
        if not self.place:
            return
        with self.loom.in_use():
            self._back_on()
            self.place.settle(CALM)
        for asked in self.orders[:2]:
            for _attempt in range(3):
                done = self._run(asked, {}, None)
                if done and done.is_ok:
                    break
            else:
                raise AssertionError(f"it does not converge: {self._story(asked, done)}")
            with self.loom.in_use():
                self.place.settle(CALM)
            self._run(asked, {}, None)
            assert self.place.changes == Counter(), f"not idempotent: {self.place.changes}"

    def _back_on(self) -> None:
        """Somebody presses the power button of the machine that holds the API."""
        assert self.place
        if self.place.provider == "exaoperation" and not self.place.service.listens("n0010"):
            self.place.press("/power", node="n0010", on=True)

    def _run(self, asked: Order, weather: dict[int, Weather], cut: Optional[Cut]) -> Optional[Told]:
        assert self.place
        with self.loom.in_use():
            self._back_on()
            self.place.forget()
            self.place.weather, self.place.cut = weather, cut
            TALLY["runs"] += 1
            try:
                done = asked.program.run(self.place)
            except Killed:
                TALLY["kills"] += 1
                done = None
            TALLY["calls"] += self.place.sent
            TALLY["bad answers"] += len([number for number in weather if number <= self.place.sent])
            self.place.weather = {}
            state = self.place.state()
        broken = [text for text in self.place.rules if text.partition(":")[0] not in BY_OTHERS]
        assert not broken, f"{broken}{self._story(asked, done)}"
        if done:
            TALLY["ended well" if done.is_ok else "failed"] += 1
            self._said_well(asked, done)
            assert not done.is_ok or asked.holds(state), f"a lie: {state}{self._story(asked, done)}"
        return done

    def _said_well(self, asked: Order, told: Told) -> None:
        shown = json.dumps(told.result, default=str) + "\n".join(told.lines)
        assert not [form for form in FORMS if form in shown], f"a secret is shown{self._story(asked, told)}"
        if not told.is_ok:
            text = str(told.result.get("msg"))
            assert text.strip(), self._story(asked, told)
            assert "\n" not in text, self._story(asked, told)
            assert HOST in text, self._story(asked, told)
            assert not [word for word in CRUDE if word in text], self._story(asked, told)

    def _story(self, asked: Order, told: Optional[Told]) -> str:
        lines = ["was killed"] if told is None else [str(told.result.get("msg")), *told.lines]
        return "\n".join(["", f"{self.name}: {asked.program.name} {asked.program.given}", *lines, ""])


def steps(told: Told) -> Counter[tuple[str, str]]:
    """What a run did, or what a preview promises."""
    rows = [row for row in told.result.get("found", {}).values() if not row.get("foreseen")] or [told.result]
    found = [step for row in rows if isinstance(row, dict) for step in row.get("steps", []) if "object" in step]
    return Counter((str(step["object"]).partition("/")[0], step["step"]) for step in found)


def test_a_storm() -> None:
    """The table is shown by `make storm`."""
    run_state_machine_as_test(Night, settings=SETTINGS)
    print("\n" + "\n".join(f"{TALLY[what]:>9}  {what}" for what in COUNTED))
    assert TALLY["runs"] >= NIGHTS
    assert TALLY["kills"]
    assert TALLY["bad answers"]


COUNTED = ("nights", "runs", "kills", "ended well", "failed", "previews", "processes that died", "calls", "bad answers")

SETTINGS = settings(
    max_examples=NIGHTS,
    stateful_step_count=STEPS,
    deadline=None,
    derandomize="DBFLEET_STORM" not in os.environ,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # a night is short, and to shorten it takes longer than to read it
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
