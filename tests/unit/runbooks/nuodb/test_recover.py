# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The recovery of NuoDB: which modules, with which options."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.nuodb.recover import RUNBOOK

DOMAIN = {"servers": {}, "databases": {}}
FINDINGS = [{"text": "test: it crashed", "kind": "not_durable"}, {"text": "sales: on purpose", "kind": "on_purpose"}]


def answers(*wanted: str, **more: Any) -> dict[str, Any]:
    return {
        "nuodb_domain_info": {"domain": DOMAIN, "summary": "so it is"},
        "nuodb_plan": {"databases": list(wanted), "findings": FINDINGS},
        "nuodb_database": {"changed": True, "steps": [], "databases": {"test": {"state": "RUNNING"}}},
        **more,
    }


def test_the_least_that_it_is_told(through: Any) -> None:
    done = through(RUNBOOK, answers("test"))
    databases = {"databases": ["test"], "state": "running", "ignore_archives": []}
    assert [(call.module, call.options) for call in done.calls] == [
        (
            "nuodb_server",
            {"servers": ["all"], "state": "active", "require": "all", "api_timeout": 900, "wait_timeout": 900},
        ),
        ("nuodb_domain_info", {"incarnations": "all"}),
        (
            "nuodb_plan",
            {
                "domain": DOMAIN, "runbook": "recover", "refuse": True, "databases": ["all"], "ignore_archives": [],
                "require": "all", "stop_tes": False,
            },
        ),
        ("nuodb_database", {**databases, "engine_types": ["SM", "TE"], "wait_timeout": 3600}),
        ("nuodb_database", databases),
        ("nuodb_domain_info", {"gather": ["servers", "databases", "archives", "processes"]}),
    ]  # fmt: skip
    assert [call.followed for call in done.calls] == [False, False, False, True, False, False]
    stats = done.result["ansible_stats"]["data"]["dbfleet"]["nuodb-a"]
    assert (stats["findings"], stats["recovered"]) == (["test: it crashed", "sales: on purpose"], ["test"])


def test_nothing_is_brought_back_where_nothing_is_missing(through: Any) -> None:
    done = through(RUNBOOK, answers())
    assert done.modules == ["nuodb_server", "nuodb_domain_info", "nuodb_plan", "nuodb_domain_info"]
    assert done.result["ansible_stats"]["data"]["dbfleet"]["nuodb-a"]["recovered"] == []


def test_what_ran_already_was_not_recovered(through: Any) -> None:
    unchanged = {"nuodb_database": {"steps": [], "databases": {}}}
    done = through(RUNBOOK, answers("test", **unchanged))
    assert done.result["ansible_stats"]["data"]["dbfleet"]["nuodb-a"]["recovered"] == []


@pytest.mark.parametrize(
    ("given", "wanted", "brought"),
    [
        (["all"], ["test", "sales"], ["test", "sales"]),
        (["test", "sales"], ["sales"], ["sales"]),
        ([{"name": "test", "te_count": 2}, "sales"], ["sales", "test"], [{"name": "test", "te_count": 2}, "sales"]),
        ([{"name": "test", "te_count": 2}], ["sales"], ["sales"]),
        ([{"name": "test", "te_count": 2}, {"name": "sales"}], [], None),
    ],
)
def test_what_is_brought_back_is_as_it_is_described(
    through: Any, given: list[Any], wanted: list[str], brought: Any
) -> None:
    done = through(RUNBOOK, answers(*wanted), nuodb_recover_databases=given)
    restarted = [call.options["databases"] for call in done.calls if call.module == "nuodb_database"]
    assert restarted == ([brought, brought] if brought else [])
    assert done.options("plan")["databases"] == given


@pytest.mark.parametrize(
    ("phase", "modules"),
    [
        ("restart", ["nuodb_domain_info", "nuodb_plan", "nuodb_database"]),
        ("verify", ["nuodb_domain_info", "nuodb_plan", "nuodb_database", "nuodb_domain_info"]),
        ("diagnosis", ["nuodb_domain_info", "nuodb_plan"]),
    ],
)
def test_a_phase_that_runs_alone_looks_first(through: Any, cli: Any, phase: str, modules: list[str]) -> None:
    cli(tags=[phase])
    done = through(RUNBOOK, answers("test"))
    assert done.modules == modules
    assert not any(call.followed for call in done.calls)


@pytest.mark.parametrize(("hook", "followed"), [("after_restart", False), ("before_verify", False), ("", True)])
def test_a_hook_between_lets_it_look_once_more(through: Any, tmp_path: Any, hook: str, followed: bool) -> None:
    (tmp_path / "hook.yml").write_text("- debug:\n")
    hooks = {hook: str(tmp_path / "hook.yml")} if hook else {}
    done = through(RUNBOOK, answers("test"), nuodb_recover_hooks=hooks)
    assert done.calls[3].followed is followed


# -- check mode, and an API that is down


def test_a_preview_is_handed_on(through: Any) -> None:
    servers = {"servers": {"server0": {"state": "on"}}}
    done = through(RUNBOOK, answers("test", nuodb_server={"predicted": servers}), check=True)
    assert done.options("plan")["domain"] == {**DOMAIN, **servers}
    assert done.options("restart")["assume"] == servers
    assert "verify" not in done.result["found"]


def test_nothing_is_previewed_behind_an_api_that_is_down(through: Any) -> None:
    unreachable = {"nuodb_server": {"failed": True, "failure": "unreachable", "msg": "no URL answers"}}
    done = through(RUNBOOK, unreachable, check=True)
    assert (done.modules, done.result["outcome"]["result"]) == (["nuodb_server"], "ok")


# -- storage groups that are offline

ROW = {"db_name": "test", "state": "NOT_RUNNING"}
PART = {
    "servers": {},
    "databases": {"test": {"state": "AWAITING_ARCHIVE_HISTORIES_INC"}, "sales": {"state": "NOT_RUNNING"}},
    "archives": {"0": {**ROW, "state": "RUNNING"}, "1": ROW, "2": {**ROW, "db_name": "sales"}},
}
GROUPS = {"storage_groups": {"test": {"EAST": {"archive_states": {"1": "ADDED"}}}}}


def test_of_a_database_that_runs_in_part_the_plan_knows_the_storage_groups(through: Any) -> None:
    told = [{"domain": PART}, {"domain": GROUPS}, {"summary": "so it is", "domain": PART}]
    done = through(RUNBOOK, answers(nuodb_domain_info=told))
    assert done.options("groups") == {"gather": ["storage_groups"], "db_names": ["test"]}
    assert done.options("plan")["domain"] == {**PART, **GROUPS}


@pytest.mark.parametrize("state", ["RUNNING", "removed"])
def test_of_others_nobody_asks_for_them(through: Any, state: str) -> None:
    row = {**ROW, "removed": True} if state == "removed" else {**ROW, "state": state}
    done = through(RUNBOOK, answers(nuodb_domain_info={"domain": {**PART, "archives": {"1": row}}, "summary": "so"}))
    assert done.modules.count("nuodb_domain_info") == 2


def test_to_stop_tes_must_be_confirmed(through: Any) -> None:
    refused = through(RUNBOOK, answers("test"), confirm="", nuodb_recover_stop_tes=True)
    assert "nothing is confirmed" in refused.result["msg"]
    assert refused.modules == []


def test_tes_are_stopped_where_that_is_said(through: Any) -> None:
    done = through(RUNBOOK, answers("test"), nuodb_recover_stop_tes=True)
    assert done.options("restart")["stop_tes"] is True
    assert done.options("plan")["stop_tes"] is True
    assert done.resume() == ["nuodb_recover_stop_tes=true", "confirm=nuodb-a"]
