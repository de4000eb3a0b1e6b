# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shutdown of NuoDB: which modules, with which options, and what is left alone."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.nuodb.graceful_shutdown import RUNBOOK

STATES = {"test": "RUNNING", "sales": "NOT_RUNNING", "late": "AWAITING_ARCHIVE_HISTORIES_INC"}
DOMAIN = {"databases": {name: {"db_name": name, "state": state} for name, state in STATES.items()}}
ANSWERS: dict[str, Any] = {"nuodb_domain_info": {"domain": DOMAIN}}
UNREACHABLE = {"nuodb_domain_info": {"failed": True, "failure": "unreachable", "msg": "no URL answers"}}
DOWN = {"nuodb_graceful_shutdown_unreachable": "down"}


def test_the_least_that_it_is_told(through: Any) -> None:
    done = through(RUNBOOK, ANSWERS)
    assert [(call.module, call.options) for call in done.calls] == [
        (
            "nuodb_domain_info",
            {
                "gather": ["servers", "databases", "archives", "processes", "tombstones", "hotcopies"],
                "incarnations": "all",
            },
        ),
        (
            "nuodb_plan",
            {
                "domain": DOMAIN, "runbook": "graceful_shutdown", "refuse": True, "databases": ["all"],
                "on_hotcopy": "refuse", "require_graceful": True, "stop_servers": False,
            },
        ),
        (
            "nuodb_database",
            {
                "databases": ["all"], "state": "stopped", "on_hotcopy": "refuse", "require_graceful": True,
                "wait_timeout": 3600,
            },
        ),
    ]  # fmt: skip
    left = "[nuodb-a] (4/4) servers: left running (nuodb_graceful_shutdown_servers=true stops them)"
    assert left in done.said
    assert done.resume() == ["confirm=nuodb-a"]


def test_servers_are_stopped_where_that_is_wanted(through: Any) -> None:
    done = through(RUNBOOK, ANSWERS, nuodb_graceful_shutdown_servers=True, nuodb_heartbeat=9)
    assert done.options("servers") == {"servers": ["all"], "state": "stopped", "wait_timeout": 900, "heartbeat": 9}
    assert done.options("plan")["stop_servers"] is True
    assert "[nuodb-a] (4/4) servers: the leader last" in done.said
    assert done.resume() == ["confirm=nuodb-a", "nuodb_graceful_shutdown_unreachable=down"]
    preview = through(RUNBOOK, ANSWERS, nuodb_graceful_shutdown_servers=True, check=True)
    assert preview.resume() == ["confirm=nuodb-a"]


def test_a_run_that_failed_before_the_servers_resumes_without_expecting_silence(through: Any) -> None:
    answers = {**ANSWERS, "nuodb_database": {"failed": True, "msg": "a hot copy runs"}}
    done = through(RUNBOOK, answers, nuodb_graceful_shutdown_servers=True)
    assert done.resume() == ["confirm=nuodb-a"]


# -- hot copies


def test_hot_copies_of_databases_that_run(through: Any) -> None:
    copies = {"test": {"type": "full", "once": "today"}, "sales": {}, "late": None, "unknown": {"on_running": "join"}}
    done = through(RUNBOOK, ANSWERS, nuodb_graceful_shutdown_hotcopy=copies)
    assert done.modules == ["nuodb_domain_info", "nuodb_plan", *["nuodb_hotcopy"] * 3, "nuodb_database"]
    common = {"state": "completed", "wait_timeout": 7200}
    assert done.options("hot copy of test") == {"db_name": "test", "type": "full", "once": "today", **common}
    assert done.options("hot copy of late") == {"db_name": "late", **common}
    assert done.options("hot copy of unknown") == {"db_name": "unknown", "on_running": "join", **common}


@pytest.mark.parametrize("option", [
    "type", "default_backup_dir", "backup_dirs", "shared", "max_rate", "partial_storage_groups", "once", "on_running"
])  # fmt: skip
def test_every_option_of_a_hot_copy_reaches_its_module(through: Any, option: str) -> None:
    done = through(RUNBOOK, ANSWERS, nuodb_graceful_shutdown_hotcopy={"test": {option: "x", "no_option": "y"}})
    assert done.options("hot copy of test") == {
        "db_name": "test", "state": "completed", "wait_timeout": 7200, option: "x"
    }  # fmt: skip


def test_a_copy_that_is_asked_for_alone_is_taken(through: Any, cli: Any) -> None:
    cli(tags=["backup"])
    done = through(RUNBOOK, ANSWERS, nuodb_graceful_shutdown_hotcopy={"sales": {}})
    assert done.modules == ["nuodb_hotcopy"]


# -- a domain that doesn't answer, and check mode


def test_a_domain_that_answered_a_moment_before_is_not_down_already(through: Any) -> None:
    row = {**UNREACHABLE["nuodb_domain_info"], "answered": "https://ap:8888 answered a moment before"}
    done = through(RUNBOOK, {"nuodb_domain_info": row}, **DOWN)
    assert (done.result["failed"], done.modules) == (True, ["nuodb_domain_info"])
    says = "no URL answers; the domain is not down: https://ap:8888 answered a moment before [DBF-1001]"
    assert done.result["msg"] == says


def test_a_domain_that_does_not_answer(through: Any) -> None:
    done = through(RUNBOOK, UNREACHABLE)
    assert (done.result["failed"], done.modules) == (True, ["nuodb_domain_info"])
    assert done.result["msg"] == (
        "no URL answers; the domain is unreachable or already down (if you expect that: "
        "-e nuodb_graceful_shutdown_unreachable=down) [DBF-1001]"
    )


def test_a_domain_that_is_refused_is_not_down(through: Any) -> None:
    refused = {"nuodb_domain_info": {"failed": True, "failure": "refused", "msg": "not allowed"}}
    assert through(RUNBOOK, refused, **DOWN).result["msg"] == "not allowed"


def test_a_domain_that_may_be_down_and_is(through: Any) -> None:
    given = {"nuodb_graceful_shutdown_servers": True, "nuodb_graceful_shutdown_hotcopy": {"test": {}}}
    done = through(RUNBOOK, UNREACHABLE, **DOWN, **given)
    assert (done.modules, done.result["outcome"]["result"]) == (["nuodb_domain_info"], "ok")


def test_a_preview_of_the_servers_is_of_stopped_databases(through: Any) -> None:
    stopped = {"databases": {"test": {"state": "NOT_RUNNING"}}}
    answers = {**ANSWERS, "nuodb_database": {"predicted": stopped}}
    done = through(RUNBOOK, answers, check=True, nuodb_graceful_shutdown_servers=True)
    assert done.options("servers")["assume"] == stopped
