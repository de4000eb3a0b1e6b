# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cold start of NuoDB: which modules, with which options."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.nuodb.cold_start import RUNBOOK

DOMAIN = {"servers": {"server0": {"state": "off"}}, "databases": {}}
RUNS = {"steps": [], "databases": {"test": {"state": "RUNNING"}}}
ANSWERS: dict[str, Any] = {
    "nuodb_domain_info": {"domain": DOMAIN, "summary": "1 database runs"}, "nuodb_database": RUNS,
}  # fmt: skip
AT_THE_END = ["servers", "databases", "archives", "processes"]


def test_the_least_that_it_is_told(through: Any) -> None:
    done = through(RUNBOOK, ANSWERS)
    databases = {"databases": ["all"], "state": "running", "ignore_archives": []}
    assert [(call.module, call.options) for call in done.calls] == [
        (
            "nuodb_server",
            {"servers": ["all"], "state": "active", "require": "all", "api_timeout": 900, "wait_timeout": 900},
        ),
        ("nuodb_domain_info", {"incarnations": "all"}),
        (
            "nuodb_plan",
            {
                "domain": DOMAIN, "runbook": "cold_start", "refuse": True, "databases": ["all"], "ignore_archives": [],
                "require": "all",
            },
        ),
        ("nuodb_database", {**databases, "engine_types": ["SM"], "te_early": True, "wait_timeout": 3600}),
        ("nuodb_database", {**databases, "engine_types": ["SM", "TE"], "wait_timeout": 3600}),
        ("nuodb_database", databases),
        ("nuodb_domain_info", {"gather": AT_THE_END}),
    ]  # fmt: skip
    assert [call.check for call in done.calls] == [False] * 5 + [True, False]
    assert (done.result["outcome"]["result"], done.resume()) == ("ok", [])
    assert "[nuodb-a] 1 database runs" in done.said


def test_what_it_is_told_reaches_every_module_that_takes_it(through: Any) -> None:
    given = {
        "nuodb_heartbeat": 30, "nuodb_wait_stable": 5, "nuodb_wait_timeout": 60, "nuodb_databases": ["test"],
        "nuodb_cold_start_require": "quorum", "nuodb_cold_start_ignore_archives": [3],
    }  # fmt: skip
    done = through(RUNBOOK, ANSWERS, **given)
    work = {"servers", "storage", "transactions"}
    takes = {
        "heartbeat": (30, {*work, "info"}),
        "wait_stable": (5, work),
        "wait_timeout": (60, work),
        "databases": (["test"], {"plan", "storage", "transactions", "verify"}),
        "ignore_archives": ([3], {"plan", "storage", "transactions", "verify"}),
        "require": ("quorum", {"servers", "plan"}),
    }
    for option, (value, takers) in takes.items():
        found = {key: done.options(key)[option] for key in done.result["found"] if option in done.options(key)}
        assert found == dict.fromkeys(takers, value), option
    done = through(RUNBOOK, ANSWERS, nuodb_databases=["test"], nuodb_cold_start_databases=["sales"])
    assert done.options("plan")["databases"] == ["sales"]


@pytest.mark.parametrize(
    ("databases", "parts"),
    [
        (["test"], None),
        ([{"name": "test"}], None),
        ([{"name": "test", "te_server_ids": []}], AT_THE_END),
        ([{"name": "test", "te_count": 2}, {"name": "sales", "start_plan": []}], AT_THE_END),
        ([{"name": "test", "te_count": 2}, "sales"], None),
    ],
)
def test_nobody_looks_how_a_database_ran_that_says_its_tes(through: Any, databases: list[Any], parts: Any) -> None:
    done = through(RUNBOOK, ANSWERS, nuodb_cold_start_databases=databases)
    assert done.options("info").get("gather") == parts


# -- TEs that needn't wait


@pytest.mark.parametrize(
    ("tags", "hooks", "early", "followed"),
    [
        (["all"], [], True, [True, True]),
        (["storage"], [], False, [False]),
        (["storage", "transactions"], [], True, [False, False]),
        (["storage", "verify"], [], False, [False]),
        (["all"], ["after_storage"], False, [False]),
        (["all"], ["before_transactions"], False, [False]),
        (["all"], ["after_transactions"], True, [False, False]),
        (["all"], ["before_verify"], True, [False, False]),
        (["all"], ["after_verify"], True, [True, True]),
    ],
)
def test_tes_start_early_where_nothing_comes_between(
    through: Any, cli: Any, tmp_path: Any, tags: list[str], hooks: list[str], early: bool, followed: list[bool]
) -> None:
    (tmp_path / "hook.yml").write_text("- debug:\n")
    cli(tags=tags)
    done = through(RUNBOOK, ANSWERS, nuodb_cold_start_hooks=dict.fromkeys(hooks, str(tmp_path / "hook.yml")))
    assert done.options("storage")["te_early"] is early
    work = [call for call in done.calls if "engine_types" in call.options]
    assert [call.followed for call in work] == followed
    assert not any(call.followed for call in done.calls if call not in work)


# -- check mode, and an API that is down


def test_a_preview_is_handed_on(through: Any) -> None:
    servers, storage = {"servers": {"server0": {"state": "on"}}}, {"processes": {"1": {"state": "RUNNING"}}}
    answers = {
        **ANSWERS,
        "nuodb_server": {"predicted": servers},
        "nuodb_database": [{"predicted": storage}, {}],
    }
    done = through(RUNBOOK, answers, check=True)
    assert done.options("plan")["domain"] == {**DOMAIN, **servers}
    assert done.options("storage")["assume"] == servers
    assert done.options("transactions")["assume"] == {**servers, **storage}
    assert "verify" not in done.result["found"]
    assert not any(call.followed for call in done.calls)


UNREACHABLE = {"nuodb_server": {"failed": True, "failure": "unreachable", "msg": "no URL answers"}}


def test_nothing_is_previewed_behind_an_api_that_is_down(through: Any) -> None:
    done = through(RUNBOOK, UNREACHABLE, check=True)
    assert (done.modules, done.result["outcome"]["result"]) == (["nuodb_server"], "ok")
    assert "[nuodb-a] the steps can't be previewed until the API answers: no URL answers" in done.said
    done = through(RUNBOOK, UNREACHABLE)
    assert (done.result["failed"], done.result["msg"], done.modules) == (True, "no URL answers", ["nuodb_server"])


def test_the_hook_that_starts_the_services_comes_first(through: Any, tmp_path: Any) -> None:
    (tmp_path / "on.yml").write_text("- debug:\n")
    done = through(RUNBOOK, ANSWERS, nuodb_cold_start_hooks={"start_servers": str(tmp_path / "on.yml")})
    assert (done.modules, "gap" in done.result) == ([], True)
