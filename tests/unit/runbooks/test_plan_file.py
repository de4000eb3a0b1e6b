# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan is written by check mode, carried out by a run, and refused for whatever reason there is, before a change."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible import constants
from ansible.vars.manager import VariableManager
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks import plan_file
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.catalogue import RUNBOOKS
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.journal import Journal

BOOK = RUNBOOKS["exa_database_state"]
UP = {"state": "running", "connectible": "Yes", "operation": "None", "connection_string": "n11:8563"}
DOWN = {"state": "setup", "connectible": "No", "operation": "None", "connection_string": ""}
STEP = {"object": "DB1", "step": "stopDatabase", "from": "running", "to": "setup", "seconds": 1.5}
UNREACHABLE = {"failed": True, "failure": "unreachable", "msg": "exa-a: nothing answers"}


def look(**databases: Any) -> dict[str, Any]:
    """What the cluster is like."""
    seen = {"provider": "exaoperation", "version": "6.2.1", "nodes": {"n11": {"state": "online"}}}
    seen.update(services={"Storaged": "OK"}, databases={"DB1": UP, "DB2": UP, **databases})
    return {"cluster": seen, "identity": ["https://n11:443"], "denied": {}}


def stops(*names: str) -> dict[str, Any]:
    return {"changed": bool(names), "steps": [{**STEP, "object": name} for name in names]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "plan.json"


@pytest.fixture
def anew(
    through: Callable[..., Any], found_out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """As `through`, each time in another run of ansible-playbook."""
    count = 0

    def run(*given: Any, **more: Any) -> Any:
        nonlocal count
        count += 1
        shutil.copytree(found_out, tmp_path / f"run{count}")
        monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path / f"run{count}"))
        made = through(*given, **more)
        made.said, _all = made.said[:], made.said.clear()
        return made

    return run


@pytest.fixture
def go(anew: Callable[..., Any], path: Path) -> Callable[..., Any]:
    """Stops DB1 of a cluster."""

    def run(check: bool = False, seen: Any = None, does: Any = None, **more: Any) -> Any:
        answers = {"exa_cluster_info": seen or look(), "exa_database": stops("DB1") if does is None else does}
        given = {"exa_database_state_databases": ["DB1"], "exa_database_state_state": "stopped", **more}
        return anew(BOOK, answers, check=check, **{"exa_plan_file": str(path), **given})

    return run


@pytest.fixture
def plan(go: Callable[..., Any], path: Path) -> dict[str, Any]:
    """A plan that was saved."""
    assert not go(check=True).result.get("failed")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def changing(through: Any) -> list[str]:
    """The modules that were called to change something."""
    return [call.module for call in through.every if not call.check]


def refused(through: Any) -> str:
    assert through.result["failed"]
    assert changing(through) == []
    said, number = str(through.result["msg"]).rsplit(" ", 1)
    assert number == f"[{through.result['message_number']}]"
    return said


# -- what is written


def test_check_mode_writes_what_the_plan_rests_on_and_what_it_does(plan: dict[str, Any], path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert (plan["format"], plan["runbook"], plan["cluster"], plan["phases"]) == (
        1, "exa_database_state", "exa-a", ["databases"],
    )  # fmt: skip
    assert plan["collection"] == plan_file.version()
    assert plan["steps"] == [{"phase": "databases", "step": "stopDatabase", "objects": ["DB1"]}]
    assert {one["object"]: one["is"] for one in plan["observed"]} == {
        "version": "exaoperation 6.2.1",
        "node n11": "online",
        "service Storaged": "OK",
        "database DB1": "running, connectable",
    }
    assert plan["options"] == {
        "exa_database_state_databases": ["DB1"],
        "exa_database_state_force": False,
        "exa_database_state_on_operation": "refuse",
        "exa_database_state_state": "stopped",
    }
    assert plan["identity"] == ["DB1", "DB2", "n11"]
    assert plan["by"]["user"]
    assert (plan["refusals"], plan["unknown"], plan["hooks"]) == ([], [], {})


def test_a_plan_holds_no_secret(go: Callable[..., Any], path: Path) -> None:
    failed = {"failed": True, "msg": "exa-a: hunter22 is no answer"}
    go(check=True, does=failed, exa_api_password="hunter22", exa_api_username="hunter22")
    text = path.read_text(encoding="utf-8")
    assert "hunter22" not in text
    assert "******** is no answer" in text


def test_without_the_variable_nothing_is_written_or_held(go: Callable[..., Any], tmp_path: Path) -> None:
    assert "held" not in go(exa_plan_file="").result
    assert not list(tmp_path.glob("*.json"))


def test_a_folder_gets_a_file_per_cluster_and_runbook(go: Callable[..., Any], tmp_path: Path) -> None:
    go(check=True, exa_plan_file=f"{tmp_path}/plans/")
    assert [one.name for one in (tmp_path / "plans").iterdir()] == ["exa-a-exa_database_state.json"]
    assert not go(exa_plan_file=f"{tmp_path}/plans").result.get("failed")


def test_one_file_for_two_clusters_is_refused(stage: Callable[..., Any], roles: None, path: Path) -> None:
    given = {"exa_plan_file": str(path), "exa_database_state_databases": ["DB1"], "confirm": "exa-a,exa-b"}
    of = {host: {"exa_api_url": [f"https://{host}"]} for host in ("exa-a", "exa-b")}
    answers = {"exa_cluster_info": look(), "exa_database": stops("DB1")}
    made = stage(BOOK, of, of=of, answers=answers, check=True, **given)
    for host in ("exa-a", "exa-b"):
        assert made.course(host).first()["msg"] == (
            f"{host}: exa_plan_file names one file, {path}, for exa-a exa-b: end it with / to make it a folder with a "
            "plan per cluster [DBF-7015]"
        )
    assert not path.exists()


@pytest.mark.parametrize("check", [True, False])
def test_a_plan_by_the_variable_of_the_other_product_is_refused(
    go: Callable[..., Any], path: Path, check: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had no effect: the run took steps that nobody had approved. In the inventory it may be for other hosts."""
    assert not go(check=True, exa_plan_file=None, nuodb_plan_file=str(path)).result.get("failed")
    monkeypatch.setattr(VariableManager, "extra_vars", {"nuodb_plan_file": str(path)})
    assert refused(go(check=check, exa_plan_file=None)) == (
        "exa-a: exa_database_state doesn't read nuodb_plan_file, so the run would have no plan: give exa_plan_file, or "
        "leave nuodb_plan_file out"
    )
    assert not go(check=True).result.get("failed")


@pytest.mark.parametrize(
    "broken",
    [
        {"does": {"failed": True, "failure": "refused", "msg": "exa-a: DB1 is busy"}},
        {"seen": UNREACHABLE},
    ],
)
def test_a_plan_that_cannot_be_run_says_so_and_is_replaced(
    go: Callable[..., Any], path: Path, broken: dict[str, Any]
) -> None:
    first = go(check=True, **broken)
    assert any("; it can't be run: exa-a: " in line for line in first.said)
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["refusals"] or found["unknown"]
    assert "can't be run: exa-a: " in refused(go())
    assert not go(check=True).result.get("failed")
    assert not go().result.get("failed")


def test_a_plan_that_cannot_be_written(go: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = go(check=True, exa_plan_file=f"{tmp_path}/file/plan.json").result
    assert result["msg"].startswith(f"exa-a: the plan {tmp_path}/file/plan.json can't be written: ")


# -- a plan that is there


def test_check_mode_leaves_a_plan_that_holds(go: Callable[..., Any], plan: dict[str, Any], path: Path) -> None:
    again = go(check=True)
    assert not again.result.get("failed")
    assert any(f"plan: {path} of {plan['made']} by " in line and "still holds: 1 step" in line for line in again.said)
    assert json.loads(path.read_text(encoding="utf-8")) == plan


def test_check_mode_shows_a_stale_plan_and_leaves_it(go: Callable[..., Any], plan: dict[str, Any], path: Path) -> None:
    again = go(check=True, seen=look(DB1=DOWN), does=stops())
    assert again.result["failed"]
    text = again.result["msg"]
    assert "is stale, the cluster has moved since: database DB1: running, connectable -> setup, not" in text
    assert text.endswith("; it was left as it is: remove it, or name another file for a new plan [DBF-6820]")
    assert "[exa-a]   databases: stopDatabase DB1" in again.said
    assert "[exa-a]   database DB1: running, connectable -> setup, not connectable" in again.said
    ended = Journal("exa_database_state", "exa-a").read()
    assert ended
    assert ended["through"] is True  # no phase failed
    assert json.loads(path.read_text(encoding="utf-8")) == plan


def test_check_mode_leaves_a_file_that_is_no_plan(go: Callable[..., Any], path: Path) -> None:
    path.write_text("notes of mine")
    assert "is not a plan" in go(check=True).result["msg"]
    assert path.read_text() == "notes of mine"


# -- a run with a plan


def test_a_run_does_what_was_approved_and_hands_it_to_its_modules(go: Callable[..., Any], plan: dict[str, Any]) -> None:
    run = go()
    assert not run.result.get("failed")
    assert [(call.module, call.check) for call in run.every] == [
        ("exa_cluster_info", True), ("exa_database", True), ("exa_database", False),
    ]  # fmt: skip
    assert run.every[-1].options["approved"] == {"stopDatabase": ["DB1"]}
    assert "approved" not in run.every[1].options
    assert all(call.is_silent for call in run.every[:2])
    assert any(": 1 step; no other step is taken" in line for line in run.said)
    assert run.result["held"]["sha256"] == plan["sha256"]


def test_a_plan_is_carried_out_once(go: Callable[..., Any], plan: dict[str, Any]) -> None:
    assert not go().result.get("failed")
    again, shown = go(), go(check=True)
    assert " was carried out already, ended 20" in refused(again)
    assert "was carried out, ended 20" in shown.result["msg"]
    assert [one.result["message_number"] for one in (again, shown)] == ["DBF-6821", "DBF-6821"]


def test_a_plan_for_another_run_has_the_same_number_under_check_mode(
    go: Callable[..., Any], plan: dict[str, Any]
) -> None:
    given = {"exa_database_state_on_operation": "wait"}
    for one in (go(**given), go(check=True, **given)):
        assert " is not for this run: it was made with other variables: " in one.result["msg"]
        assert one.result["message_number"] == "DBF-7018"


def test_a_new_plan_knows_nothing_of_the_run_of_an_old_one(
    go: Callable[..., Any], plan: dict[str, Any], path: Path
) -> None:
    go()
    path.unlink()
    go(check=True, exa_database_state_on_operation="wait")
    assert not go(exa_database_state_on_operation="wait").result.get("failed")


def test_what_varies_by_itself_does_not_make_a_plan_stale(go: Callable[..., Any], plan: dict[str, Any]) -> None:
    url = {**look(DB1={**UP, "connection_string": "n12:8563", "info": "12 sessions"}), "identity": ["https://n12:443"]}
    later = {**stops("DB1"), "steps": [{**STEP, "seconds": 99.0, "from": "running, for 3 days"}]}
    assert not go(seen=url, does=later, exa_heartbeat=5, exa_database_state_timeout=60).result.get("failed")


def test_a_database_that_is_not_meant_does_not_make_a_plan_stale(go: Callable[..., Any], plan: dict[str, Any]) -> None:
    assert not go(seen=look(DB2=DOWN)).result.get("failed")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"seen": look(DB1=DOWN), "does": stops()}, "database DB1: running, connectable -> setup, not connectable"),
        ({"does": stops("DB1", "DB3")}, "step stopDatabase of DB3: not in the plan -> would be done"),
        ({"does": stops()}, "step stopDatabase of DB1: in the plan -> would not be done"),
        ({"does": {"failed": True, "msg": "exa-a: DB1 is busy"}}, "refused now: exa-a: DB1 is busy"),
        ({"seen": UNREACHABLE}, "can't be foreseen now: exa-a: nothing answers"),
    ],
)
def test_a_stale_plan_is_shown_and_refused(
    go: Callable[..., Any], plan: dict[str, Any], more: dict[str, Any], why: str
) -> None:
    run = go(**more)
    text = refused(run)
    assert " is stale, the cluster has moved since: " in text
    assert why in text
    assert text.endswith("; nothing was changed")
    assert run.result["hint"].startswith("remove this file or name another one, make a new plan with --check")
    assert "[exa-a]   databases: stopDatabase DB1" in run.said
    assert f"[exa-a]   {why}" in run.said


def test_other_variables_are_refused(go: Callable[..., Any], plan: dict[str, Any]) -> None:
    text = refused(go(exa_database_state_force=True))
    assert "it was made with other variables: exa_database_state_force: False -> True; nothing was changed" in text


def test_another_cluster_is_refused(go: Callable[..., Any], plan: dict[str, Any]) -> None:
    seen = {**look(), "identity": ["https://n11:443", "C5ED"]}
    text = refused(go(seen=seen))
    assert "it is for another cluster: that one had DB1, DB2, n11, this one has C5ED" in text


def test_another_version_of_the_collection_is_refused(
    go: Callable[..., Any], plan: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_file, "version", lambda: "9.9.9")
    assert f"version {plan['collection']} of the collection made it, and this is version 9.9.9" in refused(go())


def test_another_runbook_and_another_host_are_refused(go: Callable[..., Any], plan: dict[str, Any], path: Path) -> None:
    other = {**plan, "runbook": "exa_cold_start", "cluster": "exa-b"}
    path.write_text(json.dumps({**other, "sha256": plan_file.digest(other)}))
    text = refused(go())
    assert "it is for the runbook exa_cold_start, and this is exa_database_state" in text
    assert "it is for the inventory host exa-b, and this is exa-a" in text


def test_a_hook_that_was_edited_is_refused(go: Callable[..., Any], tmp_path: Path) -> None:
    hook = tmp_path / "mine.yml"
    hook.write_text("- debug:\n    msg: one\n")
    given = {"exa_database_state_hooks": {"on_failure": str(hook)}}
    go(check=True, **given)
    hook.write_text("- debug:\n    msg: two\n")
    assert f"its hook on_failure ({hook}) is another file" in refused(go(**given))
    assert "its hook on_failure" in refused(go())


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "there is no plan {path}: make it with the same command and --check"),
        ("{", "{path} is not a plan: line 1, column 2 is not valid JSON"),
        ("", "{path} is not a plan: line 1, column 1 is not valid JSON"),
        ("[" * 200000, "{path} is not a plan: no runbook writes such JSON"),
        (b"\xff\xfe{", "the plan {path} can't be read: it is not UTF-8 text"),
        ("[]", "{path} is not a plan: no runbook wrote it with --check"),
        ('{"format": 7, "sha256": ""}', "the plan {path} has format 7, and this version reads format 1"),
        ('{"format": 1, "sha256": ""}', "the plan {path} was edited after it was made"),
        (json.dumps({"format": "x" * 3000, "sha256": ""}), f"the plan {{path}} has format {'x' * 20}, and"),
    ],
)
def test_a_file_that_cannot_be_read_as_a_plan(
    go: Callable[..., Any], path: Path, content: str | bytes | None, why: str
) -> None:
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    run = go()
    assert f"exa-a: {why.format(path=path)}" in refused(run)
    assert run.every == []


def test_an_edited_plan_is_refused(go: Callable[..., Any], plan: dict[str, Any], path: Path) -> None:
    plan["steps"][0]["objects"].append("DB2")
    path.write_text(json.dumps(plan))
    assert refused(go()) == (
        f"exa-a: the plan {path} was edited after it was made: make a new one with --check; nothing was changed"
    )


FACT = {"object": "node n11", "is": "online", "kind": "node", "of": "n11"}
STOP = {"phase": "databases", "step": "stopDatabase", "objects": ["DB1"]}


@pytest.mark.parametrize(
    "broken",
    [
        *({name: {}} for name in plan_file.LISTS),
        *({name: [{}]} for name in plan_file.LISTS),
        *({name: 1} for name in (*plan_file.TEXTS, "options", "hooks")),
        {"observed": None},
        *({"observed": [{**FACT, name: 5}]} for name in FACT),
        {"steps": [1]},
        *({"steps": [{**STOP, name: 5}]} for name in STOP),
        {"steps": [{**STOP, "objects": "DB1"}]},
        {"steps": [{**STOP, "objects": [1]}]},
        {"hooks": {"a": [1]}},
        {"hooks": {"a": [{"path": "/x"}]}},
        {"by": None},
        {"by": {"user": {}}},
    ],
)
@pytest.mark.parametrize("check", [False, True])
def test_what_has_another_type_was_edited_too(
    go: Callable[..., Any], plan: dict[str, Any], path: Path, broken: dict[str, Any], check: bool
) -> None:
    other = {**plan, **broken}
    path.write_text(json.dumps({**other, "sha256": plan_file.digest(other)}))
    run = go(check=check)
    assert run.result["failed"]
    assert f"exa-a: the plan {path} was edited after it was made" in run.result["msg"]
    assert changing(run) == []


@pytest.mark.parametrize("check", [False, True])
def test_what_is_no_file_does_not_keep_the_run(go: Callable[..., Any], path: Path, check: bool) -> None:
    os.mkfifo(path)
    run = go(check=check)
    assert f"exa-a: the plan {path} can't be read: it is not a regular file" in run.result["msg"]
    assert changing(run) == []


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_a_file_that_nobody_can_write(go: Callable[..., Any], tmp_path: Path, name: str) -> None:
    said = go(check=True, exa_plan_file=f"{tmp_path}/{name}").result["msg"]
    assert "can't be written: " in said
    assert said.endswith("[DBF-7018]")


@pytest.mark.parametrize("given", [True, ["/tmp/a"], {"a": 1}])
@pytest.mark.parametrize("variable", ["exa_plan_file", "exa_report_path"])
def test_a_path_of_another_type_names_no_file(
    go: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: Any, variable: str
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    run = go(check=True, **{variable: given})
    assert f"{variable} is {given!r}, and must be a path" in run.result["msg"]
    assert (run.every, list(Path().iterdir())) == ([], [])


def test_a_cluster_of_many_nodes_is_not_told_in_full(go: Callable[..., Any], path: Path) -> None:
    names = [f"DB{number}" for number in range(1, 301)]
    given = {"exa_database_state_databases": ["all"]}
    go(check=True, seen=look(**dict.fromkeys(names, UP)), does=stops(*names), **given)
    run = go(seen=look(**dict.fromkeys(names, DOWN)), does=stops(), **given)
    assert "and 592 more; nothing was changed" in refused(run)
    assert "[exa-a]   and 500 more" in run.said
    assert len(run.said) < 120


# -- a run that goes on


def test_a_run_that_failed_goes_on_with_what_is_left(go: Callable[..., Any], path: Path) -> None:
    given = {"exa_database_state_databases": ["DB1", "DB2"]}
    go(check=True, does=stops("DB1", "DB2"), **given)
    failing = [stops("DB1", "DB2"), {"failed": True, "msg": "exa-a: DB2 does not stop", **stops("DB1")}]
    assert go(does=failing, **given).result["failed"]
    left = go(seen=look(DB1=DOWN), does=stops("DB2"), **given)
    assert not left.result.get("failed")
    assert any("holds: 1 step left of 2 steps; no other step is taken" in line for line in left.said)


def test_what_does_not_follow_from_the_plan_stops_a_run_that_goes_on(go: Callable[..., Any]) -> None:
    given = {"exa_database_state_databases": ["DB1", "DB2"]}
    go(check=True, does=stops("DB1"), seen=look(DB2=DOWN), **given)
    go(does=[stops("DB1"), {"failed": True, "msg": "exa-a: no"}], seen=look(DB2=DOWN), **given)
    text = refused(go(seen=look(DB1=DOWN), does=stops("DB2"), **given))
    assert "database DB2: setup, not connectable -> running, connectable" in text
    assert "step stopDatabase of DB2: not in the plan -> would be done" in text
    assert "database DB1" not in text


def test_what_was_done_by_others_before_the_run_is_stale(go: Callable[..., Any]) -> None:
    """The same state, but no run has begun to carry the plan out."""
    given = {"exa_database_state_databases": ["DB1", "DB2"]}
    go(check=True, does=stops("DB1", "DB2"), **given)
    assert "database DB1" in refused(go(seen=look(DB1=DOWN), does=stops("DB2"), **given))


def test_a_run_whose_mark_cannot_be_kept_begins_nothing(
    go: Callable[..., Any], plan: dict[str, Any], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_given: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(plan_file.record, "replace", full)
    assert f"{path}.run can't be written (No space left on device)" in refused(go())


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda mark: mark.mkdir(), "Is a directory"),
        (os.mkfifo, "it is not a regular file"),
        (lambda mark: mark.write_text(""), "it is not valid JSON"),
        (lambda mark: mark.write_text('{"sha256": 5}'), "no run has written it"),
        (lambda mark: mark.write_text("[]"), "no run has written it"),
    ],
)
def test_a_mark_that_cannot_be_read_may_be_of_a_plan_that_was_carried_out(
    go: Callable[..., Any], plan: dict[str, Any], path: Path, make: Callable[[Path], Any], why: str
) -> None:
    make(Path(f"{path}.run"))
    says = f"exa-a: {path}.run can't be read ({why}), so nobody knows whether a run has carried out {path}"
    run = go()
    assert says in refused(run)
    assert run.every == []
    assert says in go(check=True).result["msg"]


def test_a_mark_of_another_plan_of_that_name_stops_nothing(
    go: Callable[..., Any], plan: dict[str, Any], path: Path
) -> None:
    Path(f"{path}.run").write_text('{"sha256": "of another", "ended": "2026-11-29T23:12:48Z"}')
    assert not go().result.get("failed")


@pytest.mark.parametrize("lose", [True, False])
def test_a_plan_is_used_up_by_whatever_link_and_where_its_mark_was_lost(
    go: Callable[..., Any], plan: dict[str, Any], path: Path, tmp_path: Path, lose: bool
) -> None:
    link, mark = tmp_path / "link.json", Path(f"{path}.run")
    link.symlink_to(path)

    def does(*_given: Any) -> dict[str, Any]:
        mark.unlink()
        return stops("DB1")

    assert not go(exa_plan_file=str(link), does=[stops("DB1"), does] if lose else None).result.get("failed")
    assert json.loads(mark.read_text())["ended"]
    assert "was carried out already" in refused(go())


def test_silence_that_was_declared_ends_a_plan_that_was_begun(anew: Callable[..., Any], path: Path) -> None:
    book = RUNBOOKS["exa_graceful_shutdown"]
    given = {"exa_plan_file": str(path)}
    answers = {"exa_cluster_info": look(), "exa_plan": {}, "exa_database": stops("DB1")}
    assert not anew(book, answers, check=True, **given).result.get("failed")
    failed = {**answers, "exa_storage": [{}, {"failed": True, "msg": "exa-a: killed"}]}
    assert anew(book, failed, **given).result["failed"]
    gone = {"exa_cluster_info": UNREACHABLE}
    silent = anew(book, gone, **given)
    said = refused(silent)
    assert "exa-a: nothing was changed, because the plan " in said
    assert "can't be compared with a cluster that doesn't answer: nothing answers; " in said
    assert said.endswith("(if you expect that: -e exa_graceful_shutdown_unreachable=down)")
    assert silent.result["hint"] == "run the same command again when it answers"
    over = anew(book, gone, exa_graceful_shutdown_unreachable="down", **given)
    assert not over.result.get("failed")
    assert [call.module for call in over.every if not call.check] == ["exa_cluster_info"]


def test_silence_makes_no_plan_stale(anew: Callable[..., Any], path: Path) -> None:
    """Nobody can make a new plan of a cluster that doesn't answer, and this one holds when it answers again."""
    book, given = RUNBOOKS["exa_graceful_shutdown"], {"exa_plan_file": str(path)}
    answers = {"exa_cluster_info": look(), "exa_plan": {}, "exa_database": stops("DB1")}
    assert not anew(book, answers, check=True, **given).result.get("failed")
    said = refused(anew(book, {"exa_cluster_info": UNREACHABLE}, **given))
    assert said.endswith(" can't be compared with a cluster that doesn't answer: nothing answers")
    assert not Path(f"{path}.run").exists()
    assert not anew(book, answers, **given).result.get("failed")


def test_a_plan_keeps_its_phases(anew: Callable[..., Any], path: Path, cli: Callable[..., None]) -> None:
    book, given = RUNBOOKS["exa_graceful_shutdown"], {"exa_plan_file": str(path)}
    answers = {"exa_cluster_info": look(), "exa_database": stops("DB1")}
    anew(book, answers, check=True, **given)
    cli(tags=["databases"])
    assert "and this run has databases; nothing was changed" in refused(anew(book, answers, **given))


@pytest.mark.parametrize("name", [name for name in RUNBOOKS if not RUNBOOKS[name].quiet])
def test_every_runbook_takes_a_plan(name: str, roles: None) -> None:
    from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.variables import options_of

    assert options_of(name)[f"{RUNBOOKS[name].product}_plan_file"]["type"] == "path"


def test_a_plan_that_was_foreseen_in_part_cannot_be_run(anew: Callable[..., Any], path: Path) -> None:
    rows = [{"name": "shop:TE@b/9", "start_id": None}, {"name": "shop:SM@a/1", "start_id": "1"}]
    start = {"changed": True, "steps": [{**STEP, "object": "shop:TE1@b", "step": "start TE"}], "plan": rows[:1]}
    seen = {"domain": {"servers": {}, "databases": {}}, "summary": "so it is"}
    answers = {"nuodb_domain_info": seen, "nuodb_rolling_restart": [{"plan": rows}, start, {"plan": []}]}
    given = {"nuodb_plan_file": str(path), "nuodb_rolling_restart_databases": ["shop"]}
    book = RUNBOOKS["nuodb_rolling_restart"]
    anew(book, answers, check=True, **given)
    assert "the next steps can't be previewed until shop:TE@b/9 is back" in json.loads(path.read_text())["partly"][0]
    answers["nuodb_rolling_restart"] = [{"plan": rows}, start, {"plan": []}]
    assert "can't be run: nuodb-a: the next steps can't be previewed" in refused(anew(book, answers, **given))


def test_nothing_goes_on_behind_a_hook_that_names_a_plan(stage: Callable[..., Any], roles: None, path: Path) -> None:
    given = {"exa_plan_file": str(path), "exa_database_state_databases": ["DB1"], "confirm": "exa-a"}
    course = stage(BOOK, answers={}, **given).course()
    state = {"found": {}, "phases": [], "chosen": ["databases"], "position": 0}
    result = course.further(state, 0, 1, None)
    assert result["msg"] == "exa-a: the plan file was named after the run had started, so the run stops [DBF-7015]"


def test_behind_a_hook_the_approved_steps_stand(stage: Callable[..., Any], roles: None, path: Path) -> None:
    given = {"exa_plan_file": str(path), "exa_database_state_databases": ["DB1"], "confirm": "exa-a"}
    course = stage(BOOK, answers={"exa_database": stops("DB1")}, **given).course()
    held = {"steps": {"stopDatabase": ["DB1"]}, "path": str(path), "sha256": "x", "made": "then", "by": "anna"}
    course.further({"found": {}, "phases": [], "chosen": ["databases"], "position": 0, "held": held}, 0, 1, None)
    assert course.run._action.calls[0].options["approved"] == {"stopDatabase": ["DB1"]}
