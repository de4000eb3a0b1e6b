# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task that lists earlier runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.action.runs_info import ActionModule
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.report import record
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.check import CHECKS
from ansible_collections.dbfleet.cluster.tests.unit.report.conftest import new_row

__all__ = ["new_row"]  # pytest finds it here

pytestmark = pytest.mark.usefixtures("roles")


@pytest.fixture
def listed(stage: Any) -> Callable[..., dict[str, Any]]:
    """Runs the task."""

    def run(role: Any = None, **args: Any) -> dict[str, Any]:
        made = stage(CHECKS["exasol"], ("exa-a",))
        fake, task_vars = made.action()
        fake.task.args, fake.task._role = args, role
        action = made.plugin(ActionModule, fake.task, task_vars)
        return action.run(task_vars=task_vars)

    return run


@pytest.fixture
def folder(tmp_path: Path, new_row: Callable[..., Any]) -> str:
    """Two records, and a file that is none."""
    base = tmp_path / "reports"
    for at, result in ((1e9, record.OK), (1.1e9, record.NOT_ENDED)):
        path = record.path_of(str(base), "exa-a", "exa_cold_start", at)
        record.write(path, new_row(at=at, result=result, cluster="exa-a", id=path.stem))
    (base / "20990101T000000.000Z-exa_cold_start-exa-a.json").write_text("{")
    return str(base)


def test_a_list(listed: Any, folder: str, said: list[str]) -> None:
    result = listed(path=folder)
    assert [one["result"] for one in result["runs"]] == ["not ended", "ok"]
    assert set(result["runs"][0]) >= {"id", "cluster", "runbook", "began", "seconds", "by"}
    assert "steps" not in result["runs"][0]
    assert "run" not in result
    assert result["warnings"] == [
        f"skipped a file that is not a record of a run in {folder}: 20990101T000000.000Z-exa_cold_start-exa-a.json"
    ]
    assert said[-1] == f"runs: 2 of {folder}"
    assert result["changed"] is False


def test_one(listed: Any, folder: str, said: list[str]) -> None:
    result = listed(path=folder, show="last", results=["ok"])
    assert (result["run"]["result"], len(result["runs"]), result["run"]["steps"][0]["object"]) == ("ok", 1, "n0011")
    assert said[0] == "exa-a: exa_cold_start: ok"
    again = listed(path=folder, show=result["run"]["id"])
    assert again["run"] == result["run"]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({}, "missing required arguments: path"),
        ({"limit": 0}, "limit is 0, and must be above 0"),
        ({"results": ["good"]}, "good"),
        ({"show": "nothing"}, "nothing in .*: there is no such record"),
        ({"show": "last", "clusters": ["x"]}, "has no record that matches the options"),
        ({"path": "/nowhere"}, "/nowhere can't be read: No such file or directory"),
        ({"cluster": ["x"]}, "there is no option cluster .did you mean clusters"),
    ],
)
def test_what_is_wrong_is_a_sentence(listed: Any, folder: str, args: dict[str, Any], says: str) -> None:
    result = listed(**({"path": folder, **args} if args else {}))
    assert result["failed"]
    assert re.search(says, result["msg"]), result["msg"]


def test_the_role_names_its_variable(listed: Any) -> None:
    result = listed(role=SimpleNamespace(_role_name="dbfleet.cluster.runs"))
    assert result["msg"].startswith("runs_path is missing: name the folder of exa_report_path or nuodb_report_path")
