# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each invariant of the storm complains of a run or a state that is broken: one that can't fail shows nothing."""

from __future__ import annotations

import random
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.catalogue import RUNBOOKS
from ansible_collections.dbfleet.cluster.tests.reliability import invariants, orders, scenes
from ansible_collections.dbfleet.cluster.tests.reliability.invariants import Broken, Wrong
from ansible_collections.dbfleet.cluster.tests.reliability.loom import Loom
from ansible_collections.dbfleet.cluster.tests.reliability.night import ATTEMPTS, Night
from ansible_collections.dbfleet.cluster.tests.reliability.orders import Order
from ansible_collections.dbfleet.cluster.tests.reliability.place import ELSEWHERE, PASSWORD, Place
from ansible_collections.dbfleet.cluster.tests.reliability.runs import HOST, Program, Told
from ansible_collections.dbfleet.cluster.tests.reliability.tally import Tally
from ansible_collections.dbfleet.cluster.tests.reliability.worlds import SHOP, World, confd, eao, nuodb
from ansible_collections.dbfleet.cluster.tests.unit.nuodb import changes as domain

MODULES = Path(__file__).resolve().parents[2] / "plugins/modules"


class Play(Program):
    """A program that does what a test wants of it."""

    def __init__(self, act: Callable[[Place, bool], Optional[dict[str, Any]]]) -> None:
        super().__init__("nuodb_database", {"databases": ["shop"]})
        self._act = act

    def run(self, place: Place, check: bool = False) -> Told:
        return Told(self._act(place, check) or {"changed": True}, [])


@pytest.fixture
def night() -> Night:
    """A small domain that is up, with a database that no order names."""
    one = Night()
    topology = scenes.nuodb(up=True)
    topology["databases"]["other"] = {"incarnation": [1, 3]}
    one.world = World("nuodb", "a small domain", topology, SHOP)
    one.place = Place(one.loom, topology)
    one.is_begun = False
    return one


def of(act: Callable[[Place, bool], Optional[dict[str, Any]]], holds: bool = True, **more: Any) -> Order:
    return Order(Play(act), lambda _place: holds, **more)


def broken(wrong: Wrong, call: Callable[..., Any], *given: Any) -> None:
    with pytest.raises(Broken) as found:
        call(*given)
    assert found.value.wrong is wrong, found.value


def stop(place: Place, _check: bool) -> None:
    place.ask("POST", "databases/shop/shutdown", None)


def stop_sm(place: Place, _check: bool) -> None:
    for start_id in ("0", "1"):
        place.ask("DELETE", f"processes/{start_id}", None)


def delete_other(place: Place, _check: bool) -> None:
    place.ask("DELETE", "databases/other", None)


def test_a_run_without_fault_is_not_complained_of(night: Night) -> None:
    assert night.once(of(lambda _place, _check: None)) is not None


def test_a_broken_rule(night: Night) -> None:
    broken(Wrong.RULE, night.once, of(stop_sm))


def test_a_lie(night: Night) -> None:
    broken(Wrong.LIE, night.once, of(lambda _place, _check: None, holds=False))


@pytest.mark.parametrize(
    "form",
    [PASSWORD, "s3cr3t%20w0rd", "s3cr3t+w0rd", b64encode(f"admin:{PASSWORD}".encode()).decode(), "p4ssw0rd"],
)
@pytest.mark.parametrize("place", ["msg", "warnings", "invocation"])
def test_a_secret(night: Night, form: str, place: str) -> None:
    broken(Wrong.LEAK, night.once, of(lambda _place, _check: {"changed": False, place: [f"{HOST}: it is {form}!"]}))


def test_a_line_with_a_secret() -> None:
    assert invariants.leak(invariants.shown_by(Told({}, [f"[{HOST}] {PASSWORD}"])))


def test_a_redirect_that_was_followed(night: Night) -> None:
    def follow(place: Place, _check: bool) -> None:
        place.asked.add(ELSEWHERE)

    broken(Wrong.LEAK, night.once, of(follow))


@pytest.mark.parametrize(
    "text",
    [
        f"{HOST}: Traceback (most recent call last): in it",
        f"{HOST}: shop: it is down\nand more",
        "shop is down, and so is its archive",
        f"{HOST}: KeyError: 'state' in the answer",
        f"{HOST}: unexpected error, please report it: TypeError",
        f"{HOST}: failed",
        "",
    ],
)
def test_a_failure_that_is_no_clear_sentence(night: Night, text: str) -> None:
    broken(Wrong.CRUDE, night.once, of(lambda _place, _check: {"failed": True, "msg": text}))


def test_a_preview_that_changes_something(night: Night) -> None:
    broken(Wrong.PROMISE, night.keeps_its_promise, of(stop))


def test_a_preview_that_is_not_kept(night: Night) -> None:
    def act(_place: Place, check: bool) -> dict[str, Any]:
        return {"changed": True, "steps": [{"object": "shop", "step": "start SM" if check else "start TE"}]}

    broken(Wrong.PROMISE, night.keeps_its_promise, of(act))


def test_a_call_that_changes_what_was_not_named(night: Night) -> None:
    broken(Wrong.STRANGER, night.once, of(delete_other))


def test_a_stranger_that_is_another_without_a_call(night: Night) -> None:
    def act(place: Place, check: bool) -> None:
        if not check:
            delete_other(place, check)
            place.forget()

    broken(Wrong.STRANGER, night.keeps_its_promise, of(act))


def test_a_run_that_never_comes_well(night: Night) -> None:
    attempts = []

    def act(_place: Place, _check: bool) -> dict[str, Any]:
        attempts.append(1)
        return {"failed": True, "msg": f"{HOST}: shop: it is as it was"}

    broken(Wrong.STUCK, night.converges, of(act))
    assert len(attempts) == ATTEMPTS


def test_a_run_that_changes_something_again(night: Night) -> None:
    def act(place: Place, _check: bool) -> None:
        place.ask("POST", "databases/shop/hotCopy", {"type": "full", "shared": False, "defaultBackupSetDir": "/b"})

    broken(Wrong.STUCK, night.converges, of(act))
    night.converges(of(act, repeats=True))


def test_a_run_that_hangs(night: Night) -> None:
    def act(place: Place, _check: bool) -> None:
        place.loom.run(lambda: place.loom.park(None, None))

    broken(Wrong.STUCK, night.once, of(act))


# -- what is asked for ------------------------------------------------------------------------------------------------


def worlds() -> list[World]:
    return [make(random.Random(number)) for make in (eao, confd, nuodb) for number in range(12)]


def begin_something(world: World, place: Place) -> None:
    """An operation is under way, and somebody has the lease."""
    if world.kind != "nuodb":
        place.press("/operation", database="DB1", operation="Backup")
        return
    if place.state()["databases"]["up"]["state"] == "RUNNING":
        for call in domain.COPYING:
            place.ask(*call)
    assert Program("nuodb_lease", {**orders.LEASE, "state": "taken"}).run(place).is_ok


def test_no_predicate_is_true_of_everything() -> None:
    """Each of them is false of one of some clusters, or it shows nothing; and there is one for all that changes."""
    seen: dict[tuple[str, str], set[bool]] = {}
    for world in worlds():
        loom = Loom()
        with loom.in_use():
            place = Place(loom, world.topology)
            for act in (lambda *_given: None, begin_something):
                act(world, place)
                for order in orders.orders_of(world):
                    seen.setdefault((order.name, order.state), set()).add(order.holds(place))
    assert {key for key, found in seen.items() if False not in found} == set()
    assert {name for name, _state in seen} == orders.EVERY


DRIVING = {
    "exa_plan", "nuodb_plan", "fleet_check", "simulator", "profile", "runbook", "maintenance", "nuodb_rolling_restart",
    "rehearsal",
}  # fmt: skip
"""Modules that change nothing of a cluster, and what drives others: ansible-playbook's part of the storm has it."""


def test_no_module_that_changes_something_is_left_out() -> None:
    known = {path.stem for path in MODULES.glob("*.py")} - {"__init__"}
    changing = {name for name in known if not name.endswith("_info")} - DRIVING
    assert changing | {*RUNBOOKS} == orders.EVERY


def test_the_table_says_what_a_storm_lacks() -> None:
    tally = Tally()
    tally.count("nuodb", "nuodb_database", "runs", 10)
    tally.wrong[Wrong.LIE] += 1
    assert tally.shortfalls(3000, 500, ["exa_node", "nuodb_database"]) == [
        "10 runs are less than 3000", "0 kills are less than 500", "1 lies", "exa_node had no run",
    ]  # fmt: skip
    assert any("nuodb_database" in line for line in tally.lines())
    tally.count("nuodb", "exa_node", "runs", 3000)
    tally.count("nuodb", "exa_node", "kills", 500)
    tally.wrong.clear()
    assert tally.shortfalls(3000, 500, ["exa_node", "nuodb_database"]) == []
