# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of the storm that needs real processes: ansible-playbook with its workers, real signals, a real simulator.

Beside the cluster that is named there is another, which nobody may touch. `make storm` alone runs it.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.catalogue import RUNBOOKS
from ansible_collections.dbfleet.cluster.tests.reliability.invariants import CRUDE

sys.path.append(str(Path(__file__).resolve().parents[1] / "integration"))

from domains import all_run, database, die, domain, down, start_ids
from secrecy import PASSWORD, spellings
from world import Ansible, Run, Simulator, Started, cluster, confd, nobody_is_left, until

IS_WHOLE = "DBFLEET_STORM" in os.environ
NIGHTS = int(os.environ.get("DBFLEET_STORM_PLAYBOOKS") or 22)
SEED = int(os.environ.get("DBFLEET_STORM_SEED") or random.SystemRandom().randrange(10**6))

CLOCK = "seconds:0.3"
ATTEMPTS = 3
NAMED, OTHER = "night", "other"
USER = {"name": "admin", "password": PASSWORD}

TALLY: Counter[str] = Counter()


class Case(NamedTuple):
    """A runbook, and the cluster that it is run on.

    :ivar make: makes a topology of its name.
    :ivar reached: whether the cluster is as the runbook leaves it.
    :ivar given: variables beside those of the connection.
    :ivar repeats: whether each run does it anew.
    """

    runbook: str
    make: Callable[[str], dict[str, Any]]
    reached: Callable[[Simulator], bool]
    given: dict[str, Any]
    repeats: bool = False


def eao(up: bool) -> Callable[[str], dict[str, Any]]:
    return lambda name: cluster(name, up=up, databases=2, users=[{**USER, "role": "Administrator"}])


def by_confd(up: bool) -> Callable[[str], dict[str, Any]]:
    state = {"state": "running" if up else "setup"}
    return lambda name: confd(
        name, databases={"DB1": state, "DB2": state}, users=[USER], settings={"auto_start": False}
    )


def nuodb(up: bool) -> Callable[[str], dict[str, Any]]:
    return lambda name: domain(name, databases={"shop": database(up=up)}, users=[USER])


def connectable(simulator: Simulator) -> bool:
    return simulator.all_connectable(NAMED)


def first_stopped(simulator: Simulator) -> bool:
    return simulator.phases(NAMED)["DB1"] == "setup" and simulator.phases(NAMED)["DB2"] == "running"


def stopped(simulator: Simulator) -> bool:
    return {*simulator.phases(NAMED).values()} <= {"setup", "none"}


def runs(simulator: Simulator) -> bool:
    return bool(all_run(simulator, NAMED))


def is_down(simulator: Simulator) -> bool:
    return bool(down(simulator, NAMED))


CASES = [
    Case("exa_cold_start", eao(up=False), connectable, {}),
    Case("exa_graceful_shutdown", eao(up=True), stopped, {"exa_graceful_shutdown_unreachable": "down"}),
    Case("exa_database_state", eao(up=True), first_stopped, {
        "exa_database_state_databases": ["DB1"], "exa_database_state_state": "stopped",
    }),
    Case("exa_cold_start", by_confd(up=False), connectable, {"exa_cold_start_power": "hook"}),
    Case("exa_graceful_shutdown", by_confd(up=True), stopped, {"exa_graceful_shutdown_power": "none"}),
    Case("exa_database_state", by_confd(up=True), connectable, {
        "exa_database_state_databases": ["all"], "exa_database_state_state": "restarted",
    }, repeats=True),
    Case("nuodb_cold_start", nuodb(up=False), runs, {"nuodb_cold_start_databases": ["shop"]}),
    Case("nuodb_graceful_shutdown", nuodb(up=True), is_down, {"nuodb_graceful_shutdown_servers": False}),
    Case("nuodb_database_state", nuodb(up=True), is_down, {
        "nuodb_database_state_databases": ["shop"], "nuodb_database_state_state": "stopped",
    }),
    Case("nuodb_rolling_restart", nuodb(up=True), runs, {"nuodb_rolling_restart_databases": ["shop"]}, repeats=True),
    Case("nuodb_recover", nuodb(up=True), runs, {"nuodb_recover_databases": ["shop"]}),
]  # fmt: skip

FAULTS: list[dict[str, Any]] = [
    {"kind": "refuse", "seconds": 1.0},
    {"kind": "reset"},
    {"kind": "reset_after"},
    {"kind": "hang"},
    {"kind": "truncate", "variant": "short"},
    {"kind": "truncate", "variant": "xml"},
    {"kind": "html", "status": 502},
    {"kind": "html", "status": 200},
    {"kind": "unauthorized"},
    {"kind": "server_error"},
    {"kind": "slow", "delay": 0.7},
]
"""Of answers, by the simulator's own admin endpoint."""

SIGNALS: list[Optional[int]] = [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, None]


class Bad(NamedTuple):
    """What befalls the first run.

    :ivar call: the number of the call after which the signal comes.
    """

    case: Case
    faults: list[dict[str, Any]]
    number: Optional[int]
    call: int


def bad(seed: int) -> Bad:
    dice = random.Random(f"playbooks {seed}")
    case = CASES[seed % len(CASES)]
    faults = [
        {**dice.choice(FAULTS), "after": dice.randint(0, 12), "max_count": 1}
        for _one in range(dice.choice([0, 1, 1, 2, 3]))
    ]
    return Bad(case, faults, SIGNALS[seed % len(SIGNALS)], dice.randint(1, 20))


@pytest.fixture
def ansible(tmp_path: Path) -> Iterator[Ansible]:
    shared = tmp_path / "ansible"
    shared.mkdir()
    (shared / "ansible.cfg").touch()
    runner = Ansible(tmp_path, shared)
    yield runner
    runner.end()


@pytest.fixture
def simulate(tmp_path: Path) -> Iterator[Callable[[Case], Simulator]]:
    running: list[Simulator] = []

    def start(case: Case) -> Simulator:
        running.append(Simulator(tmp_path / "simulator", [case.make(NAMED), case.make(OTHER)], CLOCK))
        return running[0]

    yield start
    for simulator in running:
        simulator.stop()


def secrets_in(run: Run) -> list[str]:
    shown = run.out + str(run.rows)
    return [one for one in spellings(PASSWORD) if one in shown]


def failures_that_say_little(run: Run) -> list[str]:
    told = run.failures(NAMED)
    return [text for text in told if "\n" in text or NAMED not in text or any(word in text for word in CRUDE)]


class Night:
    """One night by ansible-playbook.

    :ivar again: what befell it, and the command that repeats it.
    """

    def __init__(self, seed: int, simulator: Simulator, ansible: Ansible) -> None:
        self.bad, self._simulator, self._ansible = bad(seed), simulator, ansible
        timeout = {f"{kind}_request_timeout": 2 for kind in ("exa", "nuodb")}
        product = self.bad.case.runbook.partition("_")[0]
        own = {name: value for name, value in timeout.items() if name.startswith(product)}
        self._hosts = simulator.inventory(**own)
        self._other = simulator.state(OTHER)
        self.again = f"{self.bad}; again: make storm SEED={seed} NIGHTS=0 PLAYBOOKS=1"

    def start(self) -> Started:
        case = self.bad.case
        self._simulator.forget()
        TALLY["runs"] += 1
        return self._ansible.start(
            case.runbook, self._hosts, variables={**case.given, "target": NAMED, "confirm": NAMED}, target=NAMED
        )

    def disturbed(self) -> Run:
        for fault in self.bad.faults:
            self._simulator.fault(cluster=NAMED, **fault)
            TALLY[f"fault {fault['kind']}"] += 1
        run = self.start()
        number = self.bad.number
        if number is not None:
            until(
                "it makes calls, or ends",
                lambda: len(self._simulator.calls(cluster=NAMED)) >= self.bad.call or run.process.poll() is not None,
            )
        if number is None or run.process.poll() is not None:
            return run.finish()
        TALLY["kills"] += 1
        TALLY[f"kills by {signal.Signals(number).name}"] += 1
        if number == signal.SIGKILL:
            run.kill()
        else:
            run.stop(number)
        nobody_is_left(self._simulator)
        return run.finish()

    def looked_at(self, run: Run) -> Run:
        """What must hold of any run."""
        assert not secrets_in(run), f"leak: {self.again}\n{run.out}"
        rules = [row for row in self._simulator.rules(NAMED) if row["rule"] != "archives-started-in-part"]
        assert not rules, f"broken rule: {rules}: {self.again}\n{run.out}"
        assert not failures_that_say_little(run), f"no clear sentence: {self.again}\n{run.out}"
        assert run.rc or self.bad.case.reached(self._simulator), f"lie: {self.again}\n{run.out}"
        assert not self._simulator.calls(cluster=OTHER), f"what was not named was asked: {self.again}"
        TALLY["ended well" if run.rc == 0 else "failed well"] += 1
        return run

    def converges(self) -> None:
        self._simulator.mend()
        for _attempt in range(ATTEMPTS):
            run = self.looked_at(self.start().finish())
            if not run.rc:
                break
        else:
            raise AssertionError(f"it does not converge: {self.again}\n{run.out}")
        TALLY["converged"] += 1
        if not self.bad.case.repeats:
            self.looked_at(self.start().finish())
            assert self._simulator.changes(NAMED) == [], f"not idempotent: {self.again}"
        now = self._simulator.state(OTHER)
        assert now["databases"] == self._other["databases"], f"what was not named is another: {self.again}"


@pytest.mark.skipif(not IS_WHOLE, reason="`make storm` runs it")
@pytest.mark.parametrize("night", range(NIGHTS))
def test_a_night_by_ansible_playbook(night: int, simulate: Any, ansible: Ansible) -> None:
    seed = SEED + night
    simulator = simulate(bad(seed).case)
    if bad(seed).case.runbook == "nuodb_recover":
        die(simulator, start_ids(simulator, NAMED, engine_type="SM")[0], NAMED)
        simulator.admin("/rules", method="DELETE", cluster=NAMED)
    one = Night(seed, simulator, ansible)
    one.looked_at(one.disturbed())
    one.converges()
    TALLY["nights"] += 1


def test_every_runbook_has_a_case() -> None:
    assert {case.runbook for case in CASES} == {*RUNBOOKS}


@pytest.mark.skipif(not IS_WHOLE, reason="`make storm` runs it")
def test_the_table() -> None:
    """The last of this file: what its nights came to."""
    print("\n\nby ansible-playbook, processes and signals\n")
    print("\n".join(f"{number:>9,}  {what}" for what, number in sorted(TALLY.items())))
    assert TALLY["nights"] == NIGHTS
    assert len(SIGNALS) > NIGHTS or TALLY["kills"]
