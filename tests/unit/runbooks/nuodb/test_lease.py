# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lease of each runbook of NuoDB: from its first change to its end."""

from __future__ import annotations

import os
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.lease import process_of
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.definition import Runbook
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.nuodb import (
    cold_start,
    database_state,
    graceful_shutdown,
    lease,
    recover,
)
from ansible_collections.dbfleet.cluster.tests.unit.runbooks.plays import calls_of

COLD, STATE, DOWN, RECOVER = (one.RUNBOOK for one in (cold_start, database_state, graceful_shutdown, recover))
LEASE = {"run": "mine", "about": "it"}
REFUSED = {"failed": True, "failure": "refused", "msg": "nuo: maintenance by ben@two is under way"}


def answers(steps: Any = ({},), **more: Any) -> dict[str, Any]:
    return {
        "nuodb_domain_info": {"domain": {"servers": {}, "databases": {}}, "summary": "so it is"},
        "nuodb_plan": {"steps": list(steps), "databases": ["test"] if steps else [], "findings": []},
        "nuodb_database": {"changed": True, "steps": [], "databases": {"test": {"state": "RUNNING"}}},
        "nuodb_lease": {"lease": LEASE},
        **more,
    }


def in_short(done: Any) -> list[str]:
    """The modules that change something, and what becomes of the lease."""
    named = {"nuodb_lease": lambda call: call.options["state"], "nuodb_database": lambda call: "databases"}
    named.update(
        {"nuodb_hotcopy": lambda call: "copy", "nuodb_server": lambda call: f"servers {call.options['state']}"}
    )
    return [
        named[call.module](call) for call in done.every if call.module in named and call.check == done.course.run.check
    ]


DATABASE = {"nuodb_database_state_databases": ["test"], "nuodb_database_state_state": "stopped"}


@pytest.mark.parametrize(
    ("book", "given", "order"),
    [
        (COLD, {}, ["servers active", "taken", "databases", "databases", "returned"]),
        (RECOVER, {}, ["servers active", "taken", "databases", "returned"]),
        (STATE, DATABASE, ["taken", "databases", "returned"]),
        (DOWN, {}, ["taken", "databases", "returned"]),
        (
            DOWN,
            {"nuodb_graceful_shutdown_hotcopy": {"test": {}}},
            ["taken", "copy", "databases", "returned"],
        ),
        (DOWN, {"nuodb_graceful_shutdown_servers": True}, ["taken", "databases", "kept", "servers stopped"]),
    ],
)
def test_from_the_first_change_to_the_end(through: Any, book: Runbook, given: dict[str, Any], order: list[str]) -> None:
    done = through(book, answers(), nuodb_lease_timeout=60, **given)
    assert in_short(done) == order
    run = done.course.run.play_id
    taken, ended = (call.options for call in done.every if call.module == "nuodb_lease")
    more = {"recovers": True} if book is RECOVER else {}
    more.update({"brings_up": True} if book in (RECOVER, COLD) else {})
    assert taken == {
        "state": "taken", "run": run, "about": book.name, "pid": os.getppid(), "lease_timeout": 60, **more,
        "process": process_of(os.getppid()),
    }  # fmt: skip
    assert ended == {"state": ended["state"], "run": run, "lease": LEASE, "lease_timeout": 60}


@pytest.mark.parametrize("book", [COLD, DOWN])
@pytest.mark.parametrize(("is_mine", "leases"), [(True, []), (False, ["taken", "returned"])])
def test_within_a_maintenance_it_is_neither_taken_nor_given_back(
    stage: Any, roles: None, book: Runbook, is_mine: bool, leases: list[str]
) -> None:
    """The runbook is one part of it. What another play had is none of its business."""
    play = stage(book, ("nuodb-a",), answers=answers(), confirm="nuodb-a")
    held = {"lease": {**LEASE, "run": play.run().play_id if is_mine else "another"}}
    play.inventory.get_host("nuodb-a").set_variable("maintenance_lease", held)
    course = play.course()
    assert not course.first().get("failed")
    assert [call.options["state"] for call in calls_of(course.run) if call.module == "nuodb_lease"] == leases


@pytest.mark.parametrize("book", [COLD, DOWN, RECOVER])
def test_where_nothing_is_to_be_done_none_is_taken(through: Any, book: Runbook) -> None:
    assert not {"taken", "returned", "kept"} & set(in_short(through(book, answers(steps=()))))


@pytest.mark.parametrize(("choice", "leases"), [("without", []), ("take_over", ["taken", "returned"])])
def test_it_can_be_overridden(through: Any, choice: str, leases: list[str]) -> None:
    done = through(STATE, answers(), nuodb_lease=choice, **DATABASE)
    calls = [call.options for call in done.every if call.module == "nuodb_lease"]
    assert [options["state"] for options in calls] == leases
    assert [options.get("take_over") for options in calls[:1]] == [True] * len(leases[:1])


def test_a_domain_without_a_store_has_nothing_to_give_back(through: Any) -> None:
    done = through(COLD, answers(nuodb_lease={"lease": {}}))
    assert in_short(done)[1:3] == ["taken", "databases"]
    assert "returned" not in in_short(done)


@pytest.mark.parametrize("book", [COLD, DOWN, RECOVER])
def test_who_is_kept_off_changes_nothing(through: Any, book: Runbook) -> None:
    done = through(book, answers(nuodb_lease=REFUSED))
    assert done.result["failed"]
    assert done.result["msg"] == REFUSED["msg"]
    assert in_short(done)[-1] == "taken"


def test_a_recovery_may_leave_alone_what_others_work_on(through: Any) -> None:
    done = through(RECOVER, answers(nuodb_lease=REFUSED), nuodb_recover_on_lease="leave_alone")
    assert in_short(done) == ["servers active", "taken"]
    assert "[nuodb-a] nuo: maintenance by ben@two is under way" in done.said
    stats = done.result["ansible_stats"]["data"]["dbfleet"]["nuodb-a"]
    assert (stats["left_alone"], stats["recovered"], stats["result"]) == (REFUSED["msg"], [], "ok")


def test_what_else_fails_is_not_left_alone(through: Any) -> None:
    broken = {"failed": True, "failure": "fault", "msg": "nuo: no"}
    assert through(RECOVER, answers(nuodb_lease=broken), nuodb_recover_on_lease="leave_alone").result["failed"]


def test_a_lease_that_cannot_be_given_back_is_a_warning(through: Any) -> None:
    lost = {"failed": True, "msg": "nuo: no answer"}
    done = through(COLD, answers(nuodb_lease=[{"lease": LEASE}, lost]))
    assert not done.result.get("failed")
    assert done.result["warnings"] == [
        "the lease of the domain could not be given back; it expires by itself: nuo: no answer"
    ]


# -- a run that fails


@pytest.mark.parametrize(
    ("book", "found", "given", "ends"),
    [
        (DOWN, {"databases": {"changed": True}}, {}, ["kept"]),
        (DOWN, {"servers": {"changed": True}}, {}, ["kept"]),
        (DOWN, {"databases": {"changed": False}}, {}, ["returned"]),
        (STATE, {"stopped": {"changed": True}}, DATABASE, ["kept"]),
        (STATE, {"stopped": {"changed": True}}, {"nuodb_database_state_state": "restarted"}, ["returned"]),
        (COLD, {"storage": {"changed": True}}, {}, ["returned"]),
        (RECOVER, {"restart": {"changed": True}}, {}, ["returned"]),
        (DOWN, {"databases": {"changed": True}, lease.ENDED: {"lease": LEASE}}, {}, []),
    ],
)
def test_what_was_to_go_down_is_kept_from_recovery(
    stage: Any, roles: None, book: Runbook, found: dict[str, Any], given: dict[str, Any], ends: list[str]
) -> None:
    run = stage(book, ("nuodb-a",), answers=answers(), **given).run()
    run.prepare()
    run.results = {lease.TAKEN: {"lease": LEASE}, **found}
    book.settle(run, {"failed": True, "msg": "it failed"})
    assert [call.options["state"] for call in run._action.calls] == ends


def test_nobody_is_asked_who_does_not_answer(stage: Any, roles: None) -> None:
    run = stage(COLD, ("nuodb-a",), answers=answers()).run()
    run.results = {lease.TAKEN: {"lease": LEASE}}
    COLD.settle(run, {"failed": True, "failure": "unreachable"})
    assert run._action.calls == []


@pytest.mark.parametrize("has_ended", [True, False])
def test_what_only_the_controller_knows_is_said_to_a_module_elsewhere(through: Any, has_ended: bool) -> None:
    """That the run which has the lease was killed here: a bastion can't see its process."""
    process = process_of(os.getpid())
    if has_ended:
        process = " ".join([*process.split()[:3], "1"])
    refused = {**REFUSED, "last_state": {"process": process}}
    said = [call.options.get("ended") for call in leases(through(STATE, answers(nuodb_lease=refused), **DATABASE))]
    assert said == ([None, process] if has_ended else [None])


@pytest.mark.parametrize("state", [None, "busy", {}, {"process": None}, {"process": "an odd one"}])
def test_of_a_run_elsewhere_nothing_is_known(through: Any, state: Any) -> None:
    refused = {**REFUSED, "last_state": state}
    assert len(leases(through(STATE, answers(nuodb_lease=refused), **DATABASE))) == 1


def leases(done: Any) -> list[Any]:
    return [call for call in done.every if call.module == "nuodb_lease"]
