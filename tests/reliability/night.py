# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One cluster and one night: runs in bad weather, killed anywhere, misfortunes, previews; and then the wind drops."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Optional

from ansible_collections.dbfleet.cluster.plugins.plugin_utils import direct
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.cluster import UsageError
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.faults import FaultError
from ansible_collections.dbfleet.cluster.tests.reliability import invariants
from ansible_collections.dbfleet.cluster.tests.reliability.invariants import Broken, Wrong
from ansible_collections.dbfleet.cluster.tests.reliability.loom import Endless, Killed, Loom
from ansible_collections.dbfleet.cluster.tests.reliability.orders import Order, orders_of, revival, undone
from ansible_collections.dbfleet.cluster.tests.reliability.place import Cut, Moment, Place, Weather
from ansible_collections.dbfleet.cluster.tests.reliability.runs import Told
from ansible_collections.dbfleet.cluster.tests.reliability.tally import Tally
from ansible_collections.dbfleet.cluster.tests.reliability.worlds import World, world
from hypothesis import note, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

MODULES = Path(__file__).resolve().parents[2] / "plugins/modules"

for _name in sorted({path.stem for path in MODULES.glob("*.py")}):
    # Hypothesis draws numbers that it finds in what was imported, so that must be the same in every process.
    import_module(f"{direct.MODULES}.{_name}")

CALM = 900.0
"""Seconds in which everything that is under way ends."""

ATTEMPTS = 3
"""Runs in good weather, of which one must come to its end."""

TALLY = Tally()
"""Of this process."""

SEED_OF = st.integers(0, 2**31)


class Sky(NamedTuple):
    """The weather of one run, and where it is killed."""

    weather: dict[int, Weather]
    cut: Optional[Cut]


FAIR = Sky({}, None)


def sky_of(dice: random.Random) -> Sky:
    """Most runs have few calls, so most of it comes early. Some weather lasts."""

    def number() -> int:
        return dice.randint(1, dice.choice([4, 8, 15, 40]))

    weather: dict[int, Weather] = {}
    for _one in range(dice.choice([0, 1, 2, 3, 5])):
        first, lasts, kind = number(), dice.choice([1, 1, 1, 4]), dice.choice(list(Weather))
        weather.update(dict.fromkeys(range(first, first + lasts), kind))
    moment = dice.choice([*Moment, Moment.ACTED])
    return Sky(weather, Cut(number(), moment) if dice.random() < 0.6 else None)


FAULTS: dict[str, list[dict[str, Any]]] = {
    "nuodb": [
        {"kind": "never_starts", "object": "TE", "exit_code": 1, "max_count": 1},
        {"kind": "never_starts", "object": "1", "exit_code": 1, "max_count": 1},
        {"kind": "stays", "object": "SM", "state": "STARTED", "max_count": 1},
        {"kind": "stays", "object": "TE", "state": "REQUESTED_SHUTDOWN", "max_count": 1},
        {"kind": "loses_history", "object": "1", "max_count": 1},
        {"kind": "fails_hotcopy", "object": "up", "max_count": 1},
        {"kind": "dies", "object": "up"},
        {"kind": "dies", "object": "server1"},
    ],
    "exaoperation": [
        {"kind": "never_boots", "object": "n0011", "max_count": 1},
        {"kind": "never_stops", "object": "DB1", "max_count": 1},
        {"kind": "fails_to_start", "object": "DB1", "text": "no license", "max_count": 1},
        {"kind": "fails_to_start", "object": "storage", "text": "a disk is missing", "max_count": 1},
        {"kind": "never_connects", "object": "DB2", "max_count": 1},
        {"kind": "fails_backup", "object": "DB1", "text": "no space", "max_count": 1},
        {"kind": "service_sick", "object": "Lockd", "value": "not running"},
        {"kind": "dies", "object": "DB1"},
        {"kind": "dies", "object": "n0012"},
    ],
    "confd": [
        {"kind": "never_boots", "object": "n11", "max_count": 1},
        {"kind": "never_stops", "object": "DB1", "max_count": 1},
        {"kind": "fails_to_start", "object": "DB1", "text": "no license", "max_count": 1},
        {"kind": "never_connects", "object": "DB2", "max_count": 1},
        {"kind": "fails_backup", "object": "DB1", "text": "no space", "max_count": 1},
        {"kind": "job_stays", "object": "db_start", "state": "executed", "max_count": 1},
        {"kind": "dies", "object": "DB1"},
        {"kind": "dies", "object": "n12"},
    ],
}  # fmt: skip
"""Misfortunes of machines, databases and processes."""


LONGEST_BOOT = 60
"""As often somebody waits for a machine that was switched on."""


class Twin:
    """A process of its own, with the night as it is now: what an order comes to that nothing disturbs.

    It begins when it is asked, and ends unasked.
    """

    def __init__(self, night: Night, asked: Order) -> None:
        ours, theirs = os.pipe(), os.pipe()
        self._go, self._answer = ours[1], theirs[0]
        self._pid = os.fork()
        if not self._pid:
            os.close(ours[1])
            verdict = b""
            try:
                if os.read(ours[0], 1):
                    verdict = b"1" if night.calm_run(asked).is_ok else b"0"
            finally:
                os.write(theirs[1], verdict)
                os._exit(0)
        os.close(ours[0])
        os.close(theirs[1])

    def comes_well(self) -> bool:
        os.write(self._go, b"1")
        return os.read(self._answer, 1) == b"1"

    def end(self) -> None:
        os.close(self._go)
        os.close(self._answer)
        os.waitpid(self._pid, 0)


class Night(RuleBasedStateMachine):
    """One cluster, and what happens to it."""

    salt = 0
    place: Place
    world: World

    def __init__(self) -> None:
        super().__init__()
        self.loom = Loom()
        self.orders: list[Order] = []
        self.is_begun = False
        self.thrown = 0

    @initialize(which=SEED_OF, seed=SEED_OF)
    def begin(self, which: int, seed: int) -> None:
        self.world = world(self._dice(which))
        self.orders = orders_of(self.world)
        note(f"{self.world.title}, order of threads {seed}")
        self.loom = Loom(seed)
        with self.loom.in_use():
            self.place = Place(self.loom, self.world.topology)
        self.is_begun = True
        TALLY.all["nights"] += 1

    def _dice(self, number: int) -> random.Random:
        """Not of the number alone: hypothesis likes some of them more than others, and 0 most of all."""
        self.thrown += 1
        return random.Random(f"{self.salt} {self.thrown} {number}")

    def _asked(self, dice: random.Random) -> Order:
        """There are more modules than runbooks, and runbooks do more."""
        books = [order for order in self.orders if order.program.is_runbook]
        return dice.choice(books if dice.random() < 0.4 else self.orders)

    # -- what happens -------------------------------------------------------------------------------------------------

    @rule(number=SEED_OF)
    def run(self, number: int) -> None:
        """In bad weather, and the next comes whatever became of it."""
        dice = self._dice(number)
        asked, sky = self._asked(dice), sky_of(dice)
        note(f"{asked.name} {asked.program.given} {sky}")
        self.once(asked, sky)

    @rule(first=SEED_OF, second=SEED_OF)
    def run_and_run(self, first: int, second: int) -> None:
        """One at the heels of another."""
        self.run(first)
        self.run(second)

    @rule(number=SEED_OF)
    def run_until_it_is_well(self, number: int) -> None:
        """In bad weather; and where it comes to its end if nothing disturbs it, it comes to its end after that too."""
        dice = self._dice(number)
        asked, sky = self._asked(dice), sky_of(dice)
        note(f"{asked.name} {asked.program.given} {sky}")
        twin = Twin(self, asked)
        try:
            done = self.once(asked, sky)
            if not (done and done.is_ok) and twin.comes_well():
                self.converges(asked)
        finally:
            twin.end()

    @rule(number=SEED_OF)
    def preview(self, number: int) -> None:
        """In calm weather what a preview promises is what the run does, and what isn't named stays."""
        asked = self._asked(self._dice(number))
        note(f"{asked.name} {asked.program.given}, previewed")
        self.keeps_its_promise(asked)

    def keeps_its_promise(self, asked: Order) -> None:
        with self.loom.in_use():
            self._calm()
            before = self.place.state()
            self.place.forget()
            foretold = asked.program.run(self.place, check=True)
            self._require(Wrong.PROMISE, self._changed(before), asked, foretold)
        TALLY.all["previews"] += 1
        self._said_well(asked, foretold)
        with self.loom.in_use():
            own = invariants.stranger(self.place)
        done = self.once(asked)
        assert done
        self._require(Wrong.PROMISE, invariants.promise(asked, foretold, done), asked, done)
        with self.loom.in_use():
            now = invariants.stranger(self.place)
        if not asked.is_of_all:
            self._require(Wrong.STRANGER, [f"{own} is {now}"] if own != now else [], asked, done)

    def _changed(self, before: dict[str, Any]) -> list[str]:
        found = [f"a preview changed {self.place.changes}"] if self.place.changes else []
        return found + (["a preview changed the state"] if self.place.state() != before else [])

    @rule(number=SEED_OF)
    def something_else(self, number: int) -> None:
        """Time passes, a machine or a process fails or will, or the API or the leader is another machine."""
        dice = self._dice(number)
        what = dice.choice([self._rest, self._misfortune, self._misfortune, self._move, self._a_process_dies])
        with self.loom.in_use(), suppress(FaultError, UsageError):
            told = what(dice)
            if told:
                note(told)
                TALLY.faults[told] += 1
            self.place.settle()
        self.place.cluster.record.forgive()

    def _rest(self, dice: random.Random) -> str:
        self.place.settle(dice.choice([0.5, 3.0, 20.0, 600.0]))
        return ""

    def _misfortune(self, dice: random.Random) -> str:
        fault = dice.choice(FAULTS[self.world.kind])
        self.place.spoil(**fault)
        return f"{fault['kind']} {fault['object']}"

    def _move(self, dice: random.Random) -> str:
        key = "leader" if self.world.kind == "nuodb" else "master"
        self.place.press("/move", **{key: dice.choice(self.place.hosts)})
        return "the master or leader moves"

    def _a_process_dies(self, dice: random.Random) -> str:
        there = sorted(self.place.cluster.processes) if self.world.kind == "nuodb" else []
        if not there:
            return ""
        self.place.press("/die", start_id=dice.choice(there))
        return "a process dies"

    def teardown(self) -> None:
        """The wind drops: all that can be brought up comes up, goes down, and then nothing is left to do."""
        if not self.is_begun:
            return
        with self.loom.in_use():
            self._calm()
            self._power_on(self._machines())
            self.place.settle(CALM)
            orders = undone(self.world, self.place)
        for asked in orders:
            self.converges(asked)
        with self.loom.in_use():
            orders = [*revival(self.world, self.place)]
        for asked in orders:
            self.converges(asked)

    # -- how it is looked at ------------------------------------------------------------------------------------------

    def converges(self, asked: Order) -> None:
        """In good weather it comes to its end, and once more changes nothing."""
        done = None
        for _attempt in range(ATTEMPTS):
            with self.loom.in_use():
                self._calm()
            done = self.once(asked)
            if done and (done.is_ok or (asked.is_refused_when_done and asked.holds(self.place))):
                break
        else:
            self._require(Wrong.STUCK, ["it does not converge"], asked, done)
        self._count(asked, "converged")
        with self.loom.in_use():
            self.place.settle(CALM)
        again = self.once(asked, api=False)
        self._require(Wrong.STUCK, invariants.idempotent(self.place, asked), asked, again)

    def calm_run(self, asked: Order) -> Told:
        with self.loom.in_use():
            self._calm()
            self.place.forget()
            self.place.weather = {}
            return asked.program.run(self.place)

    def _calm(self) -> None:
        """What fails no more fails, and what is under way ends."""
        self.place.mend()
        self._back_on()
        self.place.settle(CALM)

    def _machines(self) -> list[str]:
        state = self.place.state()
        rows = state["servers"] if self.world.kind == "nuodb" else {**state.get("machines", {}), **state["nodes"]}
        return [name for name, row in rows.items() if row["state"] in ("stopped", "off", "offline", "failed")]

    def _back_on(self) -> None:
        """Somebody presses the power buttons of the machines that hold the API, where none of them is on, and waits."""
        for _minute in range(LONGEST_BOOT):
            if any(self.place.service.listens(name) for name in self.place.hosts):
                return
            self._power_on(self.place.hosts)
            self.place.settle(CALM)

    def _power_on(self, names: Iterable[str]) -> None:
        for name in names:
            with suppress(UsageError):
                self.place.press("/power", node=name, on=True)
        self.place.cluster.record.forgive()

    def once(self, asked: Order, sky: Sky = FAIR, api: bool = True) -> Optional[Told]:
        """A run, and all that must hold of any.

        :param api: whether somebody sees to it that the API can be reached.
        """
        with self.loom.in_use():
            if api:
                self._back_on()
            self.place.forget()
            self.place.weather, self.place.cut = sky
            was_there = asked.holds(self.place)
            try:
                done = asked.program.run(self.place)
            except Killed:
                done = None
            except Endless as error:
                raise Broken(Wrong.STUCK, f"{error}{self._story(asked, None)}") from None
            self.place.weather = {}
        self._counted(asked, done, was_there)
        with self.loom.in_use():
            self._require(Wrong.RULE, invariants.broken_rules(self.place, asked), asked, done)
            self._require(Wrong.STRANGER, invariants.touched(self.place, asked), asked, done)
            self._require(Wrong.LEAK, invariants.went_elsewhere(self.place), asked, done)
            if done:
                self._said_well(asked, done)
                self._require(Wrong.LIE, invariants.lie(self.place, asked, done), asked, done)
            self.place.cluster.record.forgive()
        return done

    def _count(self, asked: Order, what: str, number: int = 1) -> None:
        TALLY.count(self.world.kind, asked.name, what, number)

    def _counted(self, asked: Order, done: Optional[Told], was_there: bool) -> None:
        self._count(asked, "runs")
        self._count(asked, "bad answers", len(self.place.met))
        TALLY.faults.update(weather.value for weather in self.place.met)
        TALLY.all["calls"] += self.place.sent
        self._count(asked, "kills" if done is None else "ended well" if done.is_ok else "failed well")
        if done and done.is_ok and not was_there:
            self._count(asked, "came about")

    def _said_well(self, asked: Order, told: Told) -> None:
        self._require(Wrong.LEAK, invariants.leak(invariants.shown_by(told)), asked, told)
        self._require(Wrong.CRUDE, invariants.crude(told), asked, told)

    def _require(self, wrong: Wrong, found: list[str], asked: Order, told: Optional[Told]) -> None:
        if found:
            raise Broken(wrong, f"{'; '.join(found)}{self._story(asked, told)}")

    def _story(self, asked: Order, told: Optional[Told]) -> str:
        lines = ["was killed"] if told is None else [str(told.result.get("msg")), *told.lines]
        with self.loom.in_use():
            state = json.dumps(self.place.state(), default=str)
        end = [f"changes: {dict(self.place.changes)}", f"state: {state}", ""]
        return "\n".join(["", f"{self.world.title}: {asked.name} {asked.program.given}", *lines, *end])
