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
FORESEEN = [{name: value for name, value in one.items() if name != "wait_timeout"} for one in (DOWN, UP)]


@pytest.mark.parametrize(
    ("state", "options", "confirm"),
    [
        ("running", [UP], []),
        ("stopped", [DOWN], ["confirm=nuodb-a"]),
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
    answers = {"nuodb_database": [{"predicted": stopped}, {}]}
    done = through(RUNBOOK, answers, check=True, nuodb_database_state_state="restarted", **NAMED)
    assert [call.options.get("assume") for call in done.calls] == [None, stopped]


def test_a_restart_is_foreseen_before_anything_is_stopped(through: Any) -> None:
    """What would be refused behind the stop leaves the databases as they are: they are up."""
    left = {"databases": {"test": {"state": "NOT_RUNNING"}}}
    refused = {"failed": True, "failure": "refused", "msg": "nobody knows which TEs"}
    answers = {"nuodb_database": [{"predicted": left}, refused]}
    done = through(RUNBOOK, answers, nuodb_database_state_state="restarted", **NAMED)
    assert [(call.options["state"], call.options.get("assume")) for call in done.calls] == [
        ("stopped", None), ("running", left),
    ]  # fmt: skip
    assert (done.result["failed"], done.result["msg"]) == (True, refused["msg"])
