# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The course of a run: its order, its failures, and the files in which hooks and its parts take turns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks import journal
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.definition import Hook, Phase, always
from ansible_collections.dbfleet.cluster.tests.unit.runbooks.demo import BETWEEN, DEMO, MODULES, calls
from ansible_collections.dbfleet.cluster.tests.unit.runbooks.plays import Stage, calls_of

ANSWERS: dict[str, Any] = {"exa_cluster_info": {"cluster": {"nodes": {}}}}
END = 20
"""How many parts the runbook has, with announcements and places for hooks."""

BEFORE_SECOND, AT_BETWEEN, BEFORE_THIRD, BEFORE_FOURTH = 4, 7, 10, 14
"""Positions of hooks."""


def modules_of(course: Any) -> list[str]:
    return [call.module for call in calls_of(course.run)]


def table(*lines: str) -> list[str]:
    """The end table, which is shown with no time."""
    return [f"[exa-a] {line}" for line in lines]


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time goes by."""
    for module in ("course", "ending"):
        monkeypatch.setattr(
            f"ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.{module}.time.time", lambda: 1000.0
        )


# -- without hooks


def test_all_phases_in_order_and_the_end_table(demo: Any) -> None:
    made = demo(answers={**ANSWERS, "exa_node": {"changed": True}})
    course = made.course()
    result = course.first()
    assert modules_of(course) == list(MODULES.values())
    assert made.said == table(
        "(1/4) first: begin", "(2/4) second: look", "(3/4) third: 3 so far", "(4/4) fourth: end",
        "exa_demo: ok",
        "  first               00:00  done", "  second              00:00  done",
        "  third               00:00  done", "  fourth              00:00  done",
    )  # fmt: skip
    phases = dict.fromkeys(("first", "second", "third", "fourth"), 0.0)
    changed = {**dict.fromkeys(phases, False), "first": True}
    outcome = {"runbook": "exa_demo", "result": "ok", "seconds": 0.0, "phases": phases, "changed": changed}
    outcome.update(phase="fourth", cause="")
    found = result.pop("found")
    assert list(found) == list(MODULES)
    assert [one["phase"] for one in found.values()] == ["first", "second", "second", "third", "fourth"]
    assert result == {
        "changed": True, "warnings": [], "position": END, "chosen": list(phases), "outcome": outcome, "more": False,
        "phases": [{"phase": phase, "began": 1000.0} for phase in phases],
        "ansible_stats": {
            "data": {"dbfleet": {"exa-a": {**outcome, "seen": True}}}, "per_host": False, "aggregate": True
        },
    }  # fmt: skip
    assert journal.open_entries() == []


def test_only_the_phases_that_are_chosen(demo: Any, cli: Any) -> None:
    cli(tags=["third", "first"])
    course = demo().course()
    result = course.first()
    assert (modules_of(course), result["chosen"]) == (["exa_node", "exa_database"], ["first", "third"])
    assert list(result["outcome"]["phases"]) == ["first", "third"]


def test_a_phase_that_does_nothing_is_announced(demo: Any) -> None:
    made = demo(exa_demo_third=False)
    course = made.course()
    course.first()
    assert modules_of(course) == ["exa_node", "exa_cluster_info", "exa_storage", "exa_plugin"]
    assert "[exa-a] (3/4) third: 3 so far" in made.said


def test_a_run_that_is_about_other_tasks_ends_well(demo: Any, cli: Any) -> None:
    cli(tags=["mine"])
    made = demo(play={"pre_tasks": [{"name": "Mine", "debug": {"msg": ""}, "tags": ["mine"]}]})
    course = made.course()
    result = course.first()
    assert (result["changed"], result["position"], calls_of(course.run)) == (False, 0, [])
    assert made.said[0] == "[exa-a] exa_demo: none of its phases has a tag of this run"


def test_check_mode_hands_on_what_would_be(demo: Any) -> None:
    predicted = {"nodes": {"n11": {"state": "online"}}}
    made = demo(check=True, answers={"exa_node": {"changed": True, "predicted": predicted}})
    course = made.course()
    result = course.first()
    assert [call.check for call in calls_of(course.run)] == [True] * 5
    assert calls_of(course.run)[2].options == {"assume": predicted}
    assert "[exa-a] exa_demo: ok (check mode: nothing was changed)" in made.said
    assert result["changed"]


# -- what fails


def test_a_failure_keeps_what_was_done(demo: Any) -> None:
    failed = {"failed": True, "msg": "storage is off", "failure": "timeout", "hint": "wait", "changed": True}
    answers = {
        **ANSWERS,
        "exa_node": {"changed": True, "warnings": ["slow"], "diff": {"before": "off"}},
        "exa_storage": {**failed, "warnings": ["slow", "late"]},
    }
    course = demo(answers=answers).course()
    result = course.first()
    assert modules_of(course) == ["exa_node", "exa_cluster_info", "exa_storage"]
    assert {name: result[name] for name in failed} == failed
    assert (result["warnings"], result["diff"], result["position"]) == (["slow", "late"], [{"before": "off"}], 8)
    assert [phase["phase"] for phase in result["phases"]] == ["first", "second"]
    assert not {"outcome", "found"} & set(result)  # they come with the end table
    (entry,) = journal.open_entries()
    assert list(entry["found"]) == ["first", "look", "second"]
    assert entry["cause"] == "storage is off"  # for the exit, where the end table doesn't come
    assert (entry["changed"], entry["stats"]) == ({"first": True, "second": True}, {"seen": True})


def test_a_failure_without_a_change_behind_a_change_is_a_change(demo: Any) -> None:
    answers = {"exa_node": {"changed": True}, "exa_cluster_info": {"failed": True, "msg": "off"}}
    result = demo(answers=answers).course().first()
    assert (result["failed"], result["changed"]) == (True, True)


def test_a_failure_without_a_sentence_has_one(demo: Any) -> None:
    result = demo(answers={"exa_node": {"failed": True}}).course().first()
    assert (result["msg"], result["changed"]) == ("a module failed", False)


@pytest.mark.parametrize(
    ("error", "says", "number"),
    [
        (ValueError("boom"), "unexpected error, please report it: ValueError: boom", "DBF-9001"),
        (KeyError("nodes"), "unexpected error, please report it: KeyError: 'nodes'", "DBF-9001"),
        (AnsibleError("no\n  such"), "exa-a: no such", "DBF-9002"),
        (ClusterError("n11 is off", hint="on"), "n11 is off", "DBF-7001"),
    ],
)
def test_whatever_happens_becomes_a_sentence(demo: Any, error: Exception, says: str, number: str) -> None:
    course = demo(answers={"exa_node": {"changed": True}, "exa_cluster_info": error}).course()
    result = course.first()
    assert (result["failed"], result["msg"], result["changed"]) == (True, f"{says} [{number}]", True)
    assert result.get("hint") == getattr(error, "hint", None)
    (entry,) = journal.open_entries()
    assert list(entry["found"]) == ["first"]
    assert entry["phases"][-1]["phase"] == "second"


def test_a_host_that_can_t_be_reached_ends_with_the_table_as_any_other(demo: Any) -> None:
    course = demo(answers={"exa_node": AnsibleConnectionFailure("no ssh")}).course()
    result = course.first()
    assert (result["failed"], result["failure"], result["msg"]) == (True, "unreachable", "no ssh [DBF-1008]")
    (entry,) = journal.open_entries()
    assert entry["phases"][-1]["phase"] == "first"


def test_all_that_stands_against_it_is_told_at_once_and_nothing_is_done(demo: Any) -> None:
    course = demo(exa_demo_down=True, exa_demo_number="x", exa_demo_hooks={"before_first": "/none.yml"}).course()
    result = course.first()
    assert (result["failed"], result["failure"], calls_of(course.run)) == (True, "refused", [])
    heads = [
        "exa_demo: exa_demo_number is 'x': it takes a whole number",
        "exa_demo takes exa-a down and nothing is confirmed",
        "exa-a: hook before_first: /none.yml does not exist",
    ]
    assert [result["msg"].count(head) for head in heads] == [1, 1, 1]
    (entry,) = journal.open_entries()
    assert (entry["phases"], entry["hooks"]) == ([], "")


SECRET = "s3 'cret"


def test_no_secret_is_told(demo: Any, cli: Any) -> None:
    cli(extra_vars=[f'exa_word="{SECRET}" exa_api_password="{SECRET}"', "exa_fine=1"])
    made = demo(exa_api_password=SECRET, answers={"exa_cluster_info": ValueError(f"the password is {SECRET}")})
    result = made.course().first()
    assert result["msg"] == "unexpected error, please report it: ValueError: the password is ******** [DBF-9001]"
    assert "cret" not in json.dumps(result)
    (entry,) = journal.open_entries()
    assert entry["resume"].endswith(" -e 'exa_word=********' -e exa_fine=1 -e target=exa-a")
    assert "cret" not in json.dumps(entry)
    assert "cret" not in "".join(made.said)


def test_no_secret_of_a_profile_is_told(demo: Any, cli: Any) -> None:
    cli(extra_vars=["exa_word=s3cret"])
    course = demo(answers={"exa_cluster_info": ValueError("the password is s3cret")}).course()
    course.run._action.profile = {"api_password": "s3cret"}
    assert "s3cret" not in json.dumps(course.first())
    (entry,) = journal.open_entries()
    assert entry["resume"].endswith(" -e 'exa_word=********' -e target=exa-a")


@pytest.mark.parametrize("answer", [{"failed": True}, {"warnings": ["warned: s3cret"]}])
def test_nothing_of_a_failed_result_has_a_secret(demo: Any, answer: dict[str, Any]) -> None:
    """What a run returns of a module goes to the screen with it: hint, last state and warnings too."""
    failed = {"failed": True, "msg": "no s3cret", "hint": "give s3cret", "last_state": {"n11": ["s3cret"]}, **answer}
    made = demo(exa_api_password="s3cret", answers={"exa_cluster_info": failed})
    result = made.course().first()
    assert (result["msg"], result["hint"]) == ("no ********", "give ********")
    assert result["last_state"] == {"n11": ["********"]}
    assert "s3cret" not in json.dumps(result)


def test_a_password_in_a_url_is_a_secret_too(demo: Any) -> None:
    made = demo(exa_api_url=["https://admin:s3%20cret@n10"], answers={"exa_cluster_info": ValueError("no s3 cret")})
    assert made.course().first()["msg"].endswith("ValueError: no ******** [DBF-9001]")


# -- the journal on the way


def test_the_journal_tells_how_it_resumes(demo: Any) -> None:
    made = demo(exa_demo_down=True, confirm="exa-a", answers={"exa_node": {"failed": True, "msg": "off"}})
    made.course().first()
    (entry,) = journal.open_entries()
    assert entry["resume"] == "ansible-playbook dbfleet.cluster.exa_demo -e target=exa-a -e confirm=exa-a"


def test_the_journal_tells_what_is_under_way_until_the_module_has_ended(demo: Any) -> None:
    seen: list[Any] = []

    def look() -> None:
        (entry,) = journal.open_entries()
        seen.append((entry["phases"][-1]["phase"], entry["begun"], entry["resume"].partition(" ")[0]))

    def heard(steps: Any) -> Any:
        def answer(_given: Any) -> dict[str, Any]:
            look()
            course.hear(steps)
            look()
            return {}

        return answer

    steps = {"startupNode": ["n11", "top-secret"]}
    answers = {"exa_node": heard(steps), "exa_cluster_info": heard(None), "exa_storage": heard({})}
    made = demo(exa_api_password="top-secret", answers={**ANSWERS, **answers})
    course = made.course()
    course.first()
    first, known, second, unknown, *_third = seen
    assert first == ("first", {}, "ansible-playbook")
    assert known[:2] == ("first", {"startupNode": ["n11", "********"]})
    assert second[:2] == ("second", {})
    assert unknown[:2] == ("second", None)
    assert journal.open_entries() == []


# -- hooks


def hooked(demo: Any, *names: str, **more: Any) -> Stage:
    """A play with a hook of its own at each of these places."""
    folder = {name: f"{name.partition('/')[0]}" for name in names}
    given: dict[str, list[str]] = {}
    for name, place in folder.items():
        given.setdefault(place, []).append(f"{name.replace('/', '_')}.yml")
    made = demo(exa_demo_hooks=given, **{"answers": ANSWERS, **more})
    for listed in given.values():
        for file in listed:
            made.hook(file, {"name": "Tell", "debug": {"msg": ""}})
    return made


def steps_of(result: dict[str, Any]) -> list[Any]:
    """A gap's tasks, in short: the hook's name and file, or where this action goes on, or that more follows."""
    found: list[Any] = []
    for task in json.loads(Path(result["gap"]).read_text()):
        if "block" in task:
            assert task["vars"] == {"exa_hook_connection": "{{ exa_connection_options }}"}
            assert all(set(hook) == {"name", "ansible.builtin.import_tasks"} for hook in task["block"])
            found += [(hook["name"], Path(hook["ansible.builtin.import_tasks"]).name) for hook in task["block"]]
        elif "dbfleet.cluster.runbook" in task:
            given = task["dbfleet.cluster.runbook"]
            assert set(task) == {"name", "dbfleet.cluster.runbook", "register"}
            assert (task["register"], given["name"], given["step"]) == ("exa_demo_run", "exa_demo", "further")
            found.append((task["name"], given["after"], given["start"], given.get("until")))
        else:
            assert task == {
                "name": "More hooks, and the phases after them",
                "ansible.builtin.include_tasks": {"file": "{{ (exa_demo_run | default({})).gap | default('hooks') }}"},
                "when": "exa_demo_run.more",
            }
            found.append("more")
    return found


def test_one_hook(demo: Any) -> None:
    made = hooked(demo, "before_second")
    course = made.course()
    result = course.first()
    assert modules_of(course) == ["exa_node"]
    assert result["position"] == BEFORE_SECOND
    hook = f"before_second ({made.folder}/before_second.yml)"
    assert made.said == ["[exa-a] (1/4) first: begin", f"[exa-a] hooks: {hook}"]
    assert steps_of(result) == [
        ("before_second", "before_second.yml"), ("(2/4) second, and on", BEFORE_SECOND, BEFORE_SECOND + 1, None)
    ]  # fmt: skip
    (entry,) = journal.open_entries()
    assert entry["hooks"] == hook
    assert (entry["phases"][-1]["phase"], "outcome" in result) == ("second", False)


def test_two_hooks_in_one_place(demo: Any) -> None:
    made = hooked(demo, "before_second/one", "before_second/two")
    result = made.course().first()
    assert steps_of(result) == [
        ("before_second", "before_second_one.yml"), ("before_second", "before_second_two.yml"),
        ("(2/4) second, and on", BEFORE_SECOND, BEFORE_SECOND + 1, None),
    ]  # fmt: skip
    (entry,) = journal.open_entries()
    assert entry["hooks"] == (
        f"before_second ({made.folder}/before_second_one.yml, {made.folder}/before_second_two.yml)"
    )


def test_hooks_before_and_after_four_phases_are_one_file(demo: Any) -> None:
    names = [f"{when}_{phase.name}" for phase in DEMO.phases for when in ("before", "after")]
    course = hooked(demo, *names).course()
    result = course.first()
    assert (modules_of(course), result["position"]) == ([], 0)
    # What comes between two phases is in a row: the announcement of the second one follows.
    assert steps_of(result) == [
        ("before_first", "before_first.yml"), ("(1/4) first, and on", 0, 1, 3),
        ("after_first", "after_first.yml"), ("before_second", "before_second.yml"), ("(2/4) second, and on", 3, 5, 9),
        ("after_second", "after_second.yml"), ("before_third", "before_third.yml"), ("(3/4) third, and on", 9, 11, 13),
        ("after_third", "after_third.yml"), ("before_fourth", "before_fourth.yml"),
        ("(4/4) fourth, and on", 13, 15, 17),
        ("after_fourth", "after_fourth.yml"), ("The end", 17, 18, None),
    ]  # fmt: skip


def test_hooks_at_the_end(demo: Any) -> None:
    """Behind all phases; the failed run's are not among them."""
    made = hooked(demo, "on_success", "on_failure", "always", answers=ANSWERS)
    result = made.course().first()
    assert steps_of(result) == [
        ("on_success", "on_success.yml"), ("always", "always.yml"), ("The end", 18, END, None)
    ]  # fmt: skip
    (entry,) = journal.open_entries()
    assert (entry["phases"][-1]["phase"], sorted(entry["ends"])) == ("end", ["always", "on_failure"])
    assert "outcome" not in result
    assert made.course().further(result, 18, END, None)["outcome"]["result"] == "ok"
    assert journal.open_entries() == []


def test_a_hook_of_which_only_the_run_can_tell_ends_the_file(demo: Any) -> None:
    result = hooked(demo, "before_second", "between", "before_fourth").course().first()
    assert steps_of(result) == [
        ("before_second", "before_second.yml"), ("(2/4) second, and on", BEFORE_SECOND, BEFORE_SECOND + 1, None), "more"
    ]  # fmt: skip


def test_a_hook_of_which_only_the_run_can_tell_where_the_run_has_told(demo: Any) -> None:
    course = hooked(demo, "between", "before_fourth").course()
    result = course.first()
    assert modules_of(course) == ["exa_node", "exa_cluster_info"]
    assert steps_of(result) == [
        ("between", "between.yml"), ("(2/4) second, and on", AT_BETWEEN, AT_BETWEEN + 1, BEFORE_FOURTH),
        ("before_fourth", "before_fourth.yml"), ("(4/4) fourth, and on", BEFORE_FOURTH, BEFORE_FOURTH + 1, None),
    ]  # fmt: skip


ADJACENT = replace(
    DEMO,
    phases=(Phase("only", "it", "", (Hook("plain", ""), replace(BETWEEN, due=always), calls("only", "exa_node"))),),
)
"""Three places for hooks in a row: of the last, only the run can tell."""


def test_hooks_in_a_row_and_one_of_which_only_the_run_can_tell(demo: Any) -> None:
    made = hooked(demo, "before_only", "plain", "between", book=ADJACENT)
    assert steps_of(made.course().first()) == [
        ("before_only", "before_only.yml"), ("(1/1) only, and on", 0, 1, 2), ("plain", "plain.yml"),
        ("(1/1) only, and on", 2, 3, None), "more",
    ]  # fmt: skip


def test_hooks_in_a_row_come_one_after_another(demo: Any) -> None:
    trace, result = trace_of(hooked(demo, "before_only", "plain", "between", book=ADJACENT))
    assert (trace, result["outcome"]["result"]) == (["before_only", "plain", "between", "exa_node"], "ok")


def test_a_hook_that_is_not_due_is_left_out(demo: Any) -> None:
    course = hooked(demo, "between", answers={}).course()
    assert "gap" not in course.first()
    assert modules_of(course) == list(MODULES.values())


def test_a_hook_of_a_phase_that_does_nothing_or_is_not_chosen_is_left_out(demo: Any, cli: Any) -> None:
    result = hooked(demo, "before_third", exa_demo_third=False).course().first()
    assert ("gap" in result, result["outcome"]["result"]) == (False, "ok")
    cli(tags=["first", "second"])
    assert "gap" not in hooked(demo, "before_third").course().first()


def test_every_question_of_step_is_a_task(demo: Any, cli: Any) -> None:
    cli(step=True)
    course = demo(answers=ANSWERS).course()
    result = course.first()
    assert modules_of(course) == ["exa_node"]
    assert steps_of(result) == [
        ("(2/4) second, and on", 4, 4, 10), ("(3/4) third, and on", 10, 10, 14), ("(4/4) fourth, and on", 14, 14, None)
    ]  # fmt: skip
    (entry,) = journal.open_entries()
    assert entry["hooks"] == ""


def test_step_and_hooks(demo: Any, cli: Any) -> None:
    cli(step=True)
    assert steps_of(hooked(demo, "before_first", "after_third", "between").course().first()) == [
        ("before_first", "before_first.yml"), ("(1/4) first, and on", 0, 1, 4),
        ("(2/4) second, and on", 4, 4, None), "more",
    ]  # fmt: skip


# -- behind hooks


def trace_of(made: Stage) -> tuple[list[str], dict[str, Any]]:
    """What a whole run does, hooks and modules in order, and its last result: as the role and its files have it."""
    trace: list[str] = []

    def through(path: str, result: dict[str, Any]) -> dict[str, Any]:
        for task in json.loads(Path(path).read_text()):
            if "block" in task:
                trace.extend(hook["name"] for hook in task["block"])
            elif "dbfleet.cluster.runbook" in task:
                given = task["dbfleet.cluster.runbook"]
                course = made.course()
                state = json.loads(json.dumps(result))
                result = course.further(state, given["after"], given["start"], given.get("until"))
                trace.extend(modules_of(course))
            elif "gap" in result:
                result = through(result["gap"], result)
        return result

    course = made.course()
    result = course.first()
    trace.extend(modules_of(course))
    return trace, through(result["gap"], result) if "gap" in result else result


def expected(names: Sequence[str], is_seen: bool, third: bool) -> list[str]:
    """What a run has to do in this order."""
    parts = iter(MODULES.values())
    found = []
    for phase in DEMO.phases:
        for part in phase.all_parts():
            done = part.name if isinstance(part, Hook) else next(parts)
            given = done in names and (done != "between" or is_seen) if isinstance(part, Hook) else True
            found += [done] if given and (phase.name != "third" or third) else []
    return found + [name for name in ("on_success", "always") if name in names]


@pytest.mark.parametrize("step", [False, True])
@pytest.mark.parametrize(
    ("names", "is_seen", "third"),
    [
        (["before_first"], True, True),
        (["after_fourth"], True, True),
        (["between"], True, True),
        (["between"], False, True),
        (["before_second", "between", "after_second"], True, True),
        (["before_second", "between", "after_second"], False, True),
        (["before_third", "between", "after_third", "after_fourth"], True, False),
        ([hook.name for hook in DEMO.hooks()], True, True),
        ([hook.name for hook in DEMO.hooks()], False, False),
    ],
)
def test_hooks_and_parts_take_turns(
    demo: Any, cli: Any, names: list[str], is_seen: bool, third: bool, step: bool
) -> None:
    cli(step=step)
    made = hooked(demo, *names, exa_demo_third=third, answers=ANSWERS if is_seen else {})
    trace, result = trace_of(made)
    assert trace == expected(names, is_seen, third)
    assert (result["position"], result["outcome"]["result"]) == (END, "ok")
    assert list(result["found"]) == [key for key in MODULES if third or key != "third"]
    assert [phase["phase"] for phase in result["phases"]] == [phase.name for phase in DEMO.phases]
    assert journal.open_entries() == []


def test_further_goes_on_with_what_is_known(demo: Any) -> None:
    made = hooked(demo, "before_third", answers={**ANSWERS, "exa_node": {"changed": True, "warnings": ["slow"]}})
    state = json.loads(json.dumps(made.course().first()))
    course = made.course()
    result = course.further(state, BEFORE_THIRD, BEFORE_THIRD + 1, None)
    assert modules_of(course) == ["exa_database", "exa_plugin"]
    assert (result["changed"], result["warnings"]) == (False, [])  # of this task
    assert result["outcome"]["changed"] == {"first": True, "second": False, "third": False, "fourth": False}


def test_further_stops_where_hooks_of_the_same_file_follow(demo: Any) -> None:
    made = hooked(demo, "before_second", "before_third")
    state = made.course().first()
    result = made.course().further(state, BEFORE_SECOND, BEFORE_SECOND + 1, BEFORE_THIRD)
    assert (result["position"], "gap" in result) == (BEFORE_THIRD, False)
    (entry,) = journal.open_entries()
    assert entry["hooks"] == f"before_third ({made.folder}/before_third.yml)"


def test_a_phase_begins_with_the_hook_before_it(demo: Any) -> None:
    """A hook that fails fails its own phase; of hooks in a row, the phase of the first."""
    hooked(demo, "before_second").course().first()
    (entry,) = journal.open_entries()
    assert [one["phase"] for one in entry["phases"]] == ["first", "second"]
    journal.Journal("exa_demo", "exa-a").close()
    made = hooked(demo, "after_first", "before_second")
    state = made.course().first()
    (entry,) = journal.open_entries()
    assert [one["phase"] for one in entry["phases"]] == ["first"]
    assert entry["hooks"] == (
        f"after_first ({made.folder}/after_first.yml), before_second ({made.folder}/before_second.yml)"
    )
    result = made.course().further(state, 3, BEFORE_SECOND + 1, None)
    assert [one["phase"] for one in result["phases"]] == [phase.name for phase in DEMO.phases]


@pytest.mark.parametrize("change", [{"position": 3}, {"position": 17}, None])
def test_further_refuses_where_a_task_before_it_was_left_out(demo: Any, change: Any) -> None:
    made = hooked(demo, "before_second")
    state = made.course().first()
    course = made.course()
    result = course.further({**state, **change} if change else {}, BEFORE_SECOND, BEFORE_SECOND + 1, None)
    assert result["failed"]
    assert result["msg"] == (
        "exa-a: a task of exa_demo before this one was left out, so this one does nothing: run the whole role "
        "[DBF-6807]"
    )
    assert calls_of(course.run) == []


def test_further_refuses_variables_that_a_hook_has_spoilt(demo: Any) -> None:
    made = hooked(demo, "before_second")
    state = made.course().first()
    made.inventory.get_host("exa-a").set_variable("exa_demo_number", "many")
    course = made.course()
    result = course.further(state, BEFORE_SECOND, BEFORE_SECOND + 1, None)
    assert (result["failed"], result["failure"], calls_of(course.run)) == (True, "refused", [])
    assert "exa_demo_number" in result["msg"]
    (entry,) = journal.open_entries()
    assert list(entry["found"]) == ["first"]


def test_a_failure_behind_a_hook_keeps_what_was_done_before_it(demo: Any) -> None:
    made = hooked(demo, "before_third", answers={**ANSWERS, "exa_database": {"failed": True, "msg": "off"}})
    result = made.course().further(made.course().first(), BEFORE_THIRD, BEFORE_THIRD + 1, None)
    (entry,) = journal.open_entries()
    assert (result["failed"], result["msg"], list(entry["found"])) == (
        True,
        "off",
        ["first", "look", "second", "third"],
    )
    (entry,) = journal.open_entries()
    assert (entry["hooks"], entry["phases"][-1]["phase"]) == ("", "third")
