# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task that rehearses: what it refuses before anything is read, and what it plans under check mode."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.action.rehearsal import ActionModule
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.rehearsal import course
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.check import CHECKS
from ansible_collections.dbfleet.cluster.tests.unit.rehearsal.test_topology import EXA

pytestmark = pytest.mark.usefixtures("roles")


@pytest.fixture
def rehearsed(stage: Any) -> Callable[..., dict[str, Any]]:
    """Runs the task, under check mode unless something else is said."""

    def run(check: bool = True, host: str = "exa-a", **args: Any) -> dict[str, Any]:
        made = stage(CHECKS["exasol"], (host,))
        fake, task_vars = made.action()
        fake.task.args, fake.task._role, fake.task.check_mode = args, None, check
        action = made.plugin(ActionModule, fake.task, task_vars)
        return action.run(task_vars=task_vars)

    return run


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({}, "rehearse_runbook is missing: give one of exa_cold_start"),
        ({"runbook": "exa_coldstart"}, "there is no runbook exa_coldstart (did you mean exa_cold_start?)"),
        ({"runbook": "exa_cold_start", "clock": "polls:2"}, "rehearse_clock is polls:2"),
        ({"runbook": "exa_cold_start", "clock": "seconds:0"}, "rehearse_clock is seconds:0"),
        ({"runbook": "exa_cold_start", "clock": "seconds:0.00001"}, "like seconds:0.02: 0.0001 to 10 sec"),
        ({"runbook": "exa_cold_start", "clock": "seconds:1" + 400 * "0"}, "like seconds:0.02: 0.0001 to 10 sec"),
        ({"runbook": "exa_cold_start", "save": True}, "save is True, and must be a path"),
        ({"runbook": "exa_cold_start", "source": ["/a"]}, "source is ['/a'], and must be a path"),
        ({"runbook": "exa_cold_start", "faults": [{"kind": ["dies"]}]}, "needs a kind, which must be a text"),
        ({"runbook": "exa_cold_start", "state": "up"}, "state must be one of"),
        ({"runbook": "exa_cold_start", "source": "/nowhere.yml"}, "the topology /nowhere.yml can't be read"),
    ],
)
def test_what_it_refuses(rehearsed: Any, args: dict[str, Any], says: str) -> None:
    result = rehearsed(**args)
    assert result["failed"] is True
    assert says in result["msg"].replace("value of ", "")


def test_a_plan(rehearsed: Any, tmp_path: Path, said: list[str]) -> None:
    path = tmp_path / "t.json"
    path.write_text(json.dumps({"cluster": EXA}))
    given = {"runbook": "exa_cold_start", "source": str(path), "faults": ["random"], "seed": 3}
    first = rehearsed(**given)
    assert first["rehearsal"]["state"] == "down"
    assert rehearsed(**given)["rehearsal"] == first["rehearsal"]
    assert any("no cluster is contacted" in line for line in said)
    assert any("check mode" in line for line in said)


def test_an_unknown_fault_is_refused_under_check_mode(rehearsed: Any, tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(json.dumps({"cluster": EXA}))
    result = rehearsed(runbook="exa_cold_start", source=str(path), faults=["nevr_boots:n0011"])
    assert "exa-a: there is no fault nevr_boots (did you mean never_boots?) on this copy" in result["msg"]


def test_whatever_happens_is_a_sentence(rehearsed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_given: Any) -> None:
        raise KeyError("n11")

    monkeypatch.setattr(course.topology, "of_file", broken)
    result = rehearsed(runbook="exa_cold_start", source="/t.json")
    assert result["msg"] == "unexpected error, please report it: KeyError: 'n11' [DBF-9001]"


@pytest.mark.parametrize("name", ["file/reports", "a\0b", "x" * 300])
def test_reports_that_cannot_be_written_are_refused_before_anything_is_read(
    rehearsed: Any, tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").write_text("")
    result = rehearsed(False, runbook="exa_cold_start", report_path=f"{tmp_path}/{name}")
    assert result["msg"].startswith("exa-a: the reports can't be written in ")
    assert "; nothing was rehearsed [DBF-7001]" in result["msg"]
    assert "set rehearse_report_path to a folder" in result["hint"]


def test_two_hosts_are_not_saved_in_one_file(rehearsed: Any, tmp_path: Path) -> None:
    given = {"runbook": "exa_cold_start", "source": "/nowhere.yml", "save": f"{tmp_path}/t.json"}
    assert "/nowhere.yml can't be read" in rehearsed(**given)["msg"]
    result = rehearsed(host="exa-b", **given)
    assert result["msg"] == (
        f"exa-b: rehearse_save names one file, {tmp_path}/t.json, for exa-a and exa-b; nothing was rehearsed [DBF-7001]"
    )
    assert result["hint"] == "put {{ inventory_hostname }} into its name"
    assert "/nowhere.yml can't be read" in rehearsed(**given)["msg"]
