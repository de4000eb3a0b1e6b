# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rolling restart of NuoDB: which modules, with which options."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.nuodb.rolling_restart import RUNBOOK

NAMED = {"nuodb_rolling_restart_databases": ["test"]}
OPTIONS = {"databases": ["test"], "unfinished": "resume", "ignore_archives": [], "allow_last_te": False}
ROWS = [{"name": "test:TE@b/9"}, {"name": "test:SM@a/1"}]


def answers(*restarted: dict[str, Any], rows: Any = None) -> dict[str, Any]:
    rows = ROWS if rows is None else rows
    done = restarted or tuple({"plan": [row], "changed": True} for row in rows)
    return {
        "nuodb_rolling_restart": [{"plan": rows}, *done, {"plan": []}],
        "nuodb_lease": {"lease": {"run": "x"}},
        "nuodb_domain_info": {"domain": {}, "summary": "so it is"},
    }


def stats(done: Any) -> dict[str, Any]:
    found: dict[str, Any] = done.result["ansible_stats"]["data"]["dbfleet"]["nuodb-a"]
    return found


def test_the_plan_then_each_process_then_the_proof(through: Any) -> None:
    done = through(RUNBOOK, answers(), **NAMED)
    calls = [call for call in done.calls if call.module == "nuodb_rolling_restart"]
    assert [call.options for call in calls] == [
        {**OPTIONS, "state": "planned"},
        {**OPTIONS, "state": "restarted", "process": ROWS[0], "wait_timeout": 7200},
        {**OPTIONS, "state": "restarted", "process": ROWS[1], "wait_timeout": 7200},
        {**OPTIONS, "state": "done"},
    ]
    lease = [call.options for call in done.every if call.module == "nuodb_lease"]
    assert [(one["state"], one.get("brings_up")) for one in lease] == [("taken", True), ("returned", None)]
    assert (stats(done)["restarted"], stats(done)["left"]) == (["test:TE@b/9", "test:SM@a/1"], [])


def test_it_must_be_confirmed(through: Any) -> None:
    done = through(RUNBOOK, answers(), confirm="", **NAMED)
    assert ("nothing is confirmed" in done.result["msg"], done.modules) == (True, [])


def test_where_nothing_is_left_nothing_is_taken(through: Any) -> None:
    done = through(RUNBOOK, answers(rows=[]), **NAMED)
    assert done.modules == ["nuodb_rolling_restart", "nuodb_rolling_restart", "nuodb_domain_info"]


def test_a_failure_ends_it_and_the_command_goes_on(through: Any) -> None:
    failed = {"failed": True, "failure": "failed", "msg": "not all is well"}
    done = through(RUNBOOK, answers({"plan": [ROWS[0]], "changed": True}, failed), **NAMED)
    assert done.result["failed"]
    states = [call.options["state"] for call in done.calls if call.module == "nuodb_rolling_restart"]
    assert states == ["planned", "restarted", "restarted"]
    assert done.resume() == ["nuodb_rolling_restart_databases=test", "confirm=nuodb-a"]


def test_what_is_begun_anew_is_not_begun_anew_again(through: Any) -> None:
    done = through(RUNBOOK, answers(), nuodb_rolling_restart_unfinished="anew", **NAMED)
    assert "nuodb_rolling_restart_unfinished=resume" in done.resume()


@pytest.mark.parametrize("check", [True, False])
def test_options_reach_each_call_and_a_preview_restarts_nothing(through: Any, check: bool) -> None:
    more = {"nuodb_rolling_restart_up_to": "9", "nuodb_databases": [{"name": "test", "te_count": 2}]}
    done = through(RUNBOOK, answers(), check=check, **more, **NAMED)
    calls = [call for call in done.calls if call.module == "nuodb_rolling_restart"]
    assert len(calls) == 4
    assert all(call.options["up_to"] == 9 and call.check is check for call in calls)
    assert all(call.options["databases"] == [{"name": "test", "te_count": 2}] for call in calls)
    assert bool(stats(done)["restarted"]) is not check


def test_a_preview_of_one_that_was_cut_off_ends_at_what_is_missing(through: Any) -> None:
    """While a process is missing, the others would be refused; a run brings that one back first."""
    rows = [{"name": "test:TE@b/9", "start_id": None}, {"name": "test:SM@a/1", "start_id": "1"}]
    done = through(RUNBOOK, answers(rows=rows), check=True, **NAMED)
    states = [call.options["state"] for call in done.calls if call.module == "nuodb_rolling_restart"]
    assert states == ["planned", "restarted", "done"]
    says = "nuodb-a: the next steps can't be previewed until test:TE@b/9 is back"
    assert done.result["found"]["plan"]["partly"] == says
    assert f"[nuodb-a] {says.removeprefix('nuodb-a: ')}" in done.said
