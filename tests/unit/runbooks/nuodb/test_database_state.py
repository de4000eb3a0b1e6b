# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Databases of NuoDB as they are wanted: which modules, with which options."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.nuodb.database_state import RUNBOOK

NAMED = {"nuodb_database_state_databases": ["test", "sales"]}
DOWN = {
    "databases": ["test", "sales"], "state": "stopped", "on_hotcopy": "refuse", "require_graceful": True,
    "wait_timeout": 3600,
}  # fmt: skip
UP = {"databases": ["test", "sales"], "state": "running", "ignore_archives": [], "wait_timeout": 3600}
FORESEEN = [{name: value for name, value in one.items() if name != "wait_timeout"} for one in (UP, DOWN, UP)]
FORESEEN[0]["require_known_tes"] = True


@pytest.mark.parametrize(
    ("state", "options", "confirm"),
    [
        ("running", [FORESEEN[2], UP], []),
        ("stopped", [FORESEEN[1], DOWN], ["confirm=nuodb-a"]),
        ("restarted", [*FORESEEN, DOWN, UP], ["confirm=nuodb-a"]),
    ],
)
def test_one_module_per_direction(through: Any, state: str, options: list[dict[str, Any]], confirm: list[str]) -> None:
    done = through(RUNBOOK, {}, nuodb_database_state_state=state, **NAMED)
    assert [call.options for call in done.calls] == options
    assert done.modules == ["nuodb_database"] * len(options)
    assert done.resume() == [
        "nuodb_database_state_databases=test,sales", f"nuodb_database_state_state={state}", *confirm
    ]  # fmt: skip


@pytest.mark.parametrize(("state", "must"), [("running", False), ("stopped", True), ("restarted", True)])
def test_what_takes_databases_down_must_be_confirmed(through: Any, state: str, must: bool) -> None:
    done = through(RUNBOOK, {}, confirm="", nuodb_database_state_state=state, **NAMED)
    assert ("nothing is confirmed" in done.result.get("msg", ""), done.modules == []) == (must, must)


def test_descriptions_are_resumed_as_json(through: Any) -> None:
    described = [{"name": "test", "te_count": 2}, "sales"]
    done = through(RUNBOOK, {}, nuodb_database_state_databases=described)
    assert json.loads(done.resume()[0]) == {"nuodb_database_state_databases": described}


def test_a_preview_of_a_restart_is_of_stopped_databases(through: Any) -> None:
    stopped = {"databases": {"test": {"state": "NOT_RUNNING"}}}
    answers = {"nuodb_database": [{}, {"predicted": stopped}, {}]}
    done = through(RUNBOOK, answers, check=True, nuodb_database_state_state="restarted", **NAMED)
    assert [call.options.get("assume") for call in done.calls] == [None, None, stopped]


def test_a_restart_is_foreseen_before_anything_is_stopped(through: Any) -> None:
    """What would be refused behind the stop leaves the databases as they are: they are up."""
    left = {"databases": {"test": {"state": "NOT_RUNNING"}}}
    refused = {"failed": True, "failure": "refused", "msg": "nobody knows which TEs"}
    answers = {"nuodb_database": [{}, {"predicted": left}, refused]}
    done = through(RUNBOOK, answers, nuodb_database_state_state="restarted", **NAMED)
    assert [(call.options["state"], call.options.get("assume"), call.check) for call in done.calls] == [
        ("running", None, True), ("stopped", None, True), ("running", left, True),
    ]  # fmt: skip
    assert (done.result["failed"], done.result["msg"]) == (True, refused["msg"])


ONE = {"name": "test", "te_server_ids": ["b"]}
ALL = {"name": "all", "te_count": 2}


@pytest.mark.parametrize(
    ("named", "shared", "started"),
    [
        (["test", "sales"], ["test", "sales"], ["test", "sales"]),
        (["test", "sales"], [ONE, "sales"], [ONE, "sales"]),
        (["sales"], [ONE], ["sales"]),
        (["sales", "test"], [ONE, ALL], [{"name": "sales", "te_count": 2}, ONE]),
        ([{"name": "test", "te_count": 1}], [ONE, ALL], [{"name": "test", "te_count": 1}]),
        (["all"], [ONE], ["all", ONE]),
        (["all"], [ONE, ALL], [ALL, ONE]),
        ([ALL, "test"], [ONE], [ALL, ONE]),
    ],
)
def test_a_database_is_as_the_inventory_describes_it(
    through: Any, named: list[Any], shared: list[Any], started: list[Any]
) -> None:
    done = through(RUNBOOK, {}, nuodb_database_state_databases=named, nuodb_databases=shared)
    assert [call.options["databases"] for call in done.calls] == [started] * 2


@pytest.mark.parametrize(
    ("named", "servers", "restarted"),
    [
        (["test"], {"test": ["a", "b"]}, [{"name": "test", "te_server_ids": ["a", "b"]}]),
        (["test"], {"test": []}, [{"name": "test", "te_server_ids": []}]),
        (["all"], {"test": ["a"], "sales": None}, [{"name": "test", "te_server_ids": ["a"]}, "sales"]),
        ([ONE, "sales"], {"test": ["b"], "sales": ["a"]}, [ONE, {"name": "sales", "te_server_ids": ["a"]}]),
        ([ALL, "test"], {"test": ["b"], "sales": ["a"]}, [ALL, {"name": "test", "te_server_ids": ["b"]}]),
    ],
)
def test_a_restart_keeps_the_tes_that_were_to_run_before_it(
    through: Any, named: list[Any], servers: dict[str, Any], restarted: list[Any]
) -> None:
    wanted = {"nuodb_database_state_databases": named, "nuodb_database_state_state": "restarted"}
    done = through(RUNBOOK, {"nuodb_database": {"te_servers": servers}}, **wanted)
    now, *others = [call.options["databases"] for call in done.calls]
    assert (now, others) == (named, [restarted] * 4)


@pytest.mark.parametrize("state", ["running", "stopped"])
def test_what_stands_against_it_is_said_before_anything_is_done(through: Any, state: str) -> None:
    refused = {"failed": True, "failure": "refused", "msg": "its pods start it"}
    done = through(RUNBOOK, {"nuodb_database": refused}, nuodb_database_state_state=state, **NAMED)
    assert [call.check for call in done.calls] == [True]
    assert (done.result["failed"], done.result["msg"]) == (True, refused["msg"])
