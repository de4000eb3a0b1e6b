# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record that a run leaves, whatever becomes of the run and of the record."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._timeline import CALL, THERE, WAITS
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.report import page, record
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks import ending, journal, recorder
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.course import Course
from ansible_collections.dbfleet.cluster.tests.unit.report.test_record import SCHEMA

STEP = {"object": "n11", "step": "startupNode", "from": "offline", "to": "online", "seconds": 5.0}
ANSWERS: dict[str, Any] = {
    "exa_cluster_info": {"cluster": {"nodes": {}}},
    "exa_node": {"changed": True, "steps": [STEP]},
}
FAILED = {"failed": True, "msg": "exa-a: hunter22 is no answer", "failed_object": "DB1", "last_state": "setup"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "reports"


@pytest.fixture
def course(demo: Callable[..., Any], folder: Path) -> Callable[..., Course]:
    """A run that leaves a record, and whose modules see something."""

    def make(answers: Any = None, **more: Any) -> Course:
        given = {"exa_report_path": str(folder), "exa_api_password": "hunter22", **more}
        return demo(answers={**ANSWERS, **(answers or {})}, **given).course()

    return make


def row_in(folder: Path) -> dict[str, Any]:
    (path,) = folder.rglob("*.json")
    row = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(row, SCHEMA)
    assert record.read(path) == row
    assert path.with_suffix(".html").exists()
    return row


def states(row: dict[str, Any]) -> dict[str, str]:
    return {one["phase"]: one["state"] for one in row["phases"]}


def test_a_good_run(course: Callable[..., Course], folder: Path) -> None:
    made = course()
    result = made.first()
    row = row_in(folder)
    assert (row["result"], row["cause"], row["resume"], row["phase"]) == ("ok", "", "", "fourth")
    assert states(row) == dict.fromkeys(("first", "second", "third", "fourth"), "done")
    assert row["steps"] == [{"phase": "first", "key": "first", "refused": False, **STEP}]
    assert [one["key"] for one in row["modules"]] == ["first", "look", "second", "third", "fourth"]
    assert row["ended"]
    assert result["ansible_stats"]["data"]["dbfleet"]["exa-a"]["report"] == result["record"].replace(".json", ".html")


def test_nothing_is_left_where_nobody_wants_it(demo: Callable[..., Any], folder: Path) -> None:
    made = demo(answers=ANSWERS).course()
    result = made.first()
    assert "record" not in result
    assert not folder.exists()
    assert not hasattr(made.run._action, "timeline")


def test_a_failed_run_has_its_cause_and_no_secret(course: Callable[..., Course], folder: Path) -> None:
    made = course({"exa_database": FAILED})
    result = made.first()
    assert row_in(folder)["result"] == "not ended"
    entry = journal.Journal("exa_demo", "exa-a").read()
    assert entry is not None
    ending.ended(entry, result)
    row = row_in(folder)
    assert (row["result"], row["failed_object"], row["last_state"]) == ("failed", "DB1", "setup")
    assert row["cause"] == "exa-a: ******** is no answer"
    assert row["resume"].endswith("-e target=exa-a")
    assert states(row) == {"first": "done", "second": "done", "third": "failed here", "fourth": "not begun"}
    assert not [path for path in folder.rglob("*") if path.is_file() and "hunter22" in path.read_text()]


def test_a_run_that_is_stopped_is_completed_by_the_main_process(course: Callable[..., Course], folder: Path) -> None:
    course({"exa_database": FAILED}).first()
    lines, is_well = journal.words()
    assert not is_well
    row = row_in(folder)
    assert (row["result"], bool(row["ended"])) == ("not ended", True)
    assert states(row)["third"] == "stopped here"
    assert f"[exa-a] report: {folder}/exa-a/{row['id']}.html" in lines
    before = row_in(folder)
    journal.words()
    assert row_in(folder) == before


def test_a_run_that_is_killed_has_a_record_without_an_end(course: Callable[..., Course], folder: Path) -> None:
    def killed(_given: dict[str, Any]) -> dict[str, Any]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        course({"exa_storage": killed}).first()
    row = row_in(folder)
    assert (row["result"], row["ended"]) == ("not ended", None)
    assert states(row) == {"first": "done", "second": "under way", "third": "not begun", "fourth": "not begun"}
    assert "The run began and has not ended" in next(folder.rglob("*.html")).read_text(encoding="utf-8")


def test_a_clock_that_was_set_back_gives_no_negative_time(
    course: Callable[..., Course], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = course()
    real = time.time

    def stopped(*_given: Any) -> Any:
        monkeypatch.setattr(time, "time", lambda: real() - 3600)
        made._write_journal()
        raise KeyboardInterrupt

    monkeypatch.setattr(made.run, "module", stopped)
    with pytest.raises(KeyboardInterrupt):
        made.first()
    assert row_in(folder)["seconds"] == 0.0
    journal.words()
    row = row_in(folder)
    assert row["ended"] < row["began"]
    assert row["seconds"] == 0.0
    assert [one["seconds"] for one in row["phases"] if one["state"] == "stopped here"] == [0.0]


def test_what_was_refused_before_the_first_phase(course: Callable[..., Course], folder: Path) -> None:
    made = course(exa_demo_down=True)
    result = made.first()
    ending.ended(journal.Journal("exa_demo", "exa-a").read() or {}, result)
    row = row_in(folder)
    assert (row["result"], row["phase"]) == ("failed", "begin")
    assert "confirm each of them by name" in row["cause"]
    assert set(states(row).values()) == {"not begun"}


def test_what_the_modules_saw_crosses_a_hook(demo: Callable[..., Any], folder: Path) -> None:
    """Two workers have one record."""
    made: list[Course] = []

    def sees(how: str, words: str) -> Callable[..., dict[str, Any]]:
        def answer(_given: dict[str, Any]) -> dict[str, Any]:
            timeline = made[-1].run._action.timeline
            timeline.saw("nodes", "n11", how, words)
            timeline.mark("nodes", "n11", CALL, words)
            return {}

        return answer

    answers = {**ANSWERS, "exa_node": sees(WAITS, "booting"), "exa_storage": sees(THERE, "online")}
    stage = demo(answers=answers, exa_report_path=str(folder))
    path = stage.hook("hook.yml", {"name": "A task", "debug": {"msg": "x"}})
    stage.inventory.get_host("exa-a").set_variable("exa_demo_hooks", {"between": path})
    made.append(stage.course())
    first = made[0].first()
    assert first["more"]
    assert states(row_in(folder))["second"] == "under way"
    made.append(stage.course())
    made[1].further(first, first["position"], first["position"] + 1, None)
    row = row_in(folder)
    assert row["result"] == "ok"
    assert [(one["words"], one["how"]) for one in row["objects"][0]["states"]] == [
        ("booting", "waits"), ("online", "there")
    ]  # fmt: skip
    assert [one["why"] for one in row["marks"]] == ["booting", "online"]


def test_a_record_that_is_gone_behind_a_hook_ends_the_report_alone(demo: Callable[..., Any], folder: Path) -> None:
    stage = demo(answers=ANSWERS, exa_report_path=str(folder))
    path = stage.hook("hook.yml", {"name": "A task", "debug": {"msg": "x"}})
    stage.inventory.get_host("exa-a").set_variable("exa_demo_hooks", {"between": path})
    first = stage.course().first()
    next(folder.rglob("*.json")).unlink()
    result = stage.course().further(first, first["position"], first["position"] + 1, None)
    assert not result.get("failed")
    assert result["outcome"]["result"] == "ok"
    assert result["warnings"] == [
        f"the record {first['record']} can't be read any more, so the rest of this run has no report"
    ]  # fmt: skip


def test_a_preview_has_its_plan(demo: Callable[..., Any], folder: Path) -> None:
    demo(answers=ANSWERS, check=True, exa_report_path=str(folder)).course().first()
    row = row_in(folder)
    assert (row["check"], row["result"]) == (True, "ok")
    assert row["plan"] == [{"phase": "first", "step": "startupNode", "objects": ["n11"]}]
    assert row["not_begun"] == []


def test_steps_of_the_plan_that_were_never_begun(course: Callable[..., Course], folder: Path) -> None:
    plan = [{"phase": "nodes", "step": "startupNode", "objects": ["n11", "n12"]}]
    done = [{"step": "startupNode", "object": "n11"}, {"step": "startupNode", "object": "n12", "refused": True}]
    assert recorder._not_begun(plan, done) == [{"phase": "nodes", "step": "startupNode", "objects": ["n12"]}]


def test_a_folder_that_cannot_be_made_is_refused(course: Callable[..., Course], folder: Path) -> None:
    folder.write_text("")
    made = course()
    result = made.first()
    assert result["failed"]
    assert "the report can't be written: " in result["msg"]
    assert "nothing was changed: correct exa_report_path, or leave it out" in result["msg"]
    assert made.run._action.calls == []


@pytest.mark.parametrize("how", ["page", "disk", "record"])
def test_a_report_that_fails_later_is_a_warning(
    course: Callable[..., Course], folder: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """It changes nothing of the run."""

    def broken(*_args: Any) -> str:
        raise OSError(28, "No space left on device", "/x") if how == "disk" else ZeroDivisionError("a bug")

    def breaks(_given: dict[str, Any]) -> dict[str, Any]:
        if how == "record":
            next(folder.rglob("*.json")).write_text("{")
        monkeypatch.setattr(page, "of_run", broken)
        return {"changed": True, "steps": [STEP]}

    result = course({"exa_node": breaks}).first()
    assert not result.get("failed")
    assert result["changed"]
    warning = (
        "report can't be written: /x: No space" if how == "disk" else "report can't be made, please report it: Zero"
    )
    assert [text for text in result["warnings"] if warning in text] == result["warnings"]
    assert len(result["warnings"]) == 1


def test_the_estimate_is_said_and_kept(course: Callable[..., Course], folder: Path) -> None:
    made = course()
    made.first()
    row = row_in(folder)
    for number in range(3):
        path = record.path_of(str(folder), "exa-a", "exa_demo", 1e9 + number)
        record.write(path, {**row, "seconds": 360.0})
    next(path for path in folder.rglob("*.json") if path.stem == row["id"]).unlink()
    again = course()
    again.first()
    newest = record.read(record.below(folder / "exa-a")[0].path)
    assert newest is not None
    assert newest["usual"] == {"runs": 3, "seconds": 360.0, "least": 360.0, "most": 360.0, "longest": "n11"}


def test_a_rehearsal_has_no_estimate(
    course: Callable[..., Course], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its records are by another clock, with other faults."""
    monkeypatch.setattr(record, "REHEARSED", "exa-")
    course().first()
    row = row_in(folder)
    before = record.path_of(str(folder), "exa-a", "exa_demo", 1e9)
    record.write(before, {**row, "seconds": 360.0})
    course().first()
    rows = [record.read(one.path) for one in record.below(folder / "exa-a") if one.path != before]
    assert [one["usual"] for one in rows if one] == [None, None]


def test_the_command_has_no_secret(demo: Callable[..., Any], folder: Path, cli: Any) -> None:
    made = demo(answers=ANSWERS, exa_report_path=str(folder))
    cli(extra_vars=["exa_api_password=hunter22 target=exa-a", '{"my_token": "abc"}'], args=["site.yml"])
    made.course().first()
    command = row_in(folder)["command"]
    assert command.startswith("ansible-playbook ")
    assert "target=exa-a" in command
    assert "hunter22" not in command
    assert "abc" not in command
