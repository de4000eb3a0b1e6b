# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is planned, refused at once, previewed and told of stages, in a time that the test owns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import Act, Done, Each, Fail, Stage
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Fault, Refused, TimedOut
from ansible_collections.dbfleet.cluster.tests.unit.convergence.machines import Chained, Machines, ToldTogether

# -- the plan


def test_a_second_run_does_nothing_and_says_nothing(run, time, task):
    machines = Machines(time, "a", "b", state="on")
    result = run(machines.stage(guard=lambda: pytest.fail("a guard without a call")), stable=60)
    assert (result["changed"], result["steps"], result["diff"]) == (False, [], {"before": {}, "after": {}})
    assert (machines.calls, task.lines, time.since) == ([], [], 0.0)
    assert len(machines.reads) == 2


def test_no_objects_no_work(run, time):
    assert run(Machines(time).stage()) == {
        "changed": False, "joined": False, "steps": [], "states": {}, "diff": {"before": {}, "after": {}},
    }  # fmt: skip


def test_check_mode_calls_nothing_and_predicts(run, time, task):
    machines = Machines(time, "a", "b", "c")
    machines.states.update(b="on", c="starting")
    result = run(machines.stage(), check_mode=True)
    assert machines.calls == []
    assert result["changed"]
    assert result["states"] == {"a": "on", "b": "on", "c": "on"}
    assert [step["object"] for step in result["steps"]] == ["a"]
    assert result["diff"] == {"before": {"a": "off"}, "after": {"a": "on"}}
    assert task.lines == [
        "[exa-unit] machines: would start (off -> on): a",
        "[exa-unit] machines: would wait for c (starting)",
    ]
    assert time.since == 0.0


@pytest.mark.parametrize("check_mode", [True, False])
def test_what_is_as_it_was_and_was_not_left_alone_shows_in_the_diff(run, time, check_mode):
    machines = Machines(time, "a", takes=0, state="on")

    def restarted(name, _state, history):
        return Done() if history.acted else Act("restart", lambda: machines.start(name))

    result = run(machines.stage(decide=restarted), check_mode=check_mode)
    assert result["diff"] == {"before": {"a": "on"}, "after": {"a": "on (restart)"}}


def test_all_refusals_come_at_once_and_before_any_call(run, time):
    machines = Machines(time, "a", "b", "c")
    machines.states.update(b="melted", c="lost")
    with pytest.raises(Refused) as caught:
        run(machines.stage())
    error = caught.value
    assert error.message == "exa-unit: b: state 'melted' is unknown; c: state 'lost' is unknown"
    assert error.hint == "look at melted. look at lost"
    assert error.failed_object == "b c"
    assert error.last_state == {"b": "melted", "c": "lost"}
    assert error.result["changed"] is False
    assert machines.calls == []


# -- guards


def test_what_two_stages_refuse_for_the_same_reason_is_said_once(run, time):
    machines = Machines(time, "a", state="broken")
    with pytest.raises(Refused) as caught:
        run(machines.stage(), machines.stage())
    assert caught.value.message == "exa-unit: a: state 'broken' is unknown"
    assert caught.value.failed_object == "a"


def test_a_guard_refuses_before_anything_is_called(run, time):
    machines = Machines(time, "a")

    def guard():
        raise Refused("too dangerous", hint="wait")

    with pytest.raises(Refused, match="too dangerous"):
        run(machines.stage(guard=guard))
    assert machines.calls == []


def test_under_check_mode_a_guard_warns_unless_earlier_tasks_are_assumed(run, time, task):
    def guard():
        raise Refused("too dangerous")

    assert run(Machines(time, "a").stage(guard=guard), check_mode=True)["changed"]
    assert task.warnings == ["would be refused now: too dangerous"]
    task.params["assume"] = {"nodes": {}}
    with pytest.raises(Refused):
        run(Machines(time, "a").stage(guard=guard), check_mode=True)


def test_stages_go_one_after_another_each_with_its_guard_and_a_fresh_look(run, time):
    first, second = Machines(time, "a"), Machines(time, "b")
    order = []
    stages = [
        first.stage(guard=lambda: order.append(("guard a", time.since))),
        second.stage(guard=lambda: order.append(("guard b", first.state("a")))),
    ]
    run(*stages)
    assert order == [("guard a", 0.0), ("guard b", "on")]
    assert second.calls[0][0] >= 10


def test_what_came_up_meanwhile_in_a_later_stage_is_not_called(run, time):
    first, second = Machines(time, "a"), Machines(time, "b")
    second.began["b"] = time.now + 1  # somebody else does it while the first stage runs
    second.reading["b"] = lambda count: "off" if count == 1 else None
    run(first.stage(), second.stage())
    assert second.calls == []


def test_a_failed_stage_keeps_the_next_from_beginning(run, time):
    first, second = Machines(time, "a", takes=1e9), Machines(time, "b")
    with pytest.raises(TimedOut):
        run(first.stage(), second.stage(), timeout=60)
    assert second.calls == []


# -- what is told


def test_what_went_well_before_a_failure_is_in_its_sentence(run, time):
    first, second = Machines(time, "a", "b"), Machines(time, "c")
    second.deaf.add("c")
    second.answer["c"] = Fault("exa-unit: start of c: no")
    with pytest.raises(Fault) as caught:
        run(first.stage(), second.stage())
    assert caught.value.message == "exa-unit: start of c: no; done before this failure: start of a, start of b"


def test_a_state_that_another_has_changed_after_the_refusal_is_told(run, time):
    machines = Machines(time, "a")
    machines.answer["a"] = Fault("exa-unit: start of a: it is starting")
    assert run(machines.stage())["changed"] is True


def test_stages_before_the_last_are_awaited_anyway(run, time):
    first, second = Machines(time, "a"), Machines(time, "b")
    run(first.stage(), second.stage(), wait=False)
    assert second.calls[0][0] >= 10
    assert second.state("b") == "starting"


# -- objects that are read together, steps that follow by themselves


def test_a_second_run_is_one_look(run, time):
    machines = ToldTogether(time, "a", "b", state="on")
    assert not run(machines.stage())["changed"]
    assert machines.looks == [(0.0, ["a", "b"])]


def test_a_look_under_check_mode_is_one_call(run, time):
    machines = ToldTogether(time, "a", "b")
    assert len(run(machines.stage(), check_mode=True)["steps"]) == 2
    assert len(machines.looks) == 1


def test_a_step_that_follows_by_itself_is_shown_under_check_mode(run, time, task):
    result = run(Chained(time, "a", "b").stage(), check_mode=True)
    assert [(step["object"], step["step"]) for step in result["steps"]] == [("a", "start"), ("b", "start")]
    assert result["changed"]
    assert result["states"] == {"a": "on", "b": "on"}
    assert task.lines == [
        "[exa-unit] machines: would start (off -> on): a",
        "[exa-unit] machines: would wait for b (a must be on first, then start)",
    ]


def test_a_step_with_another_behind_it_is_shown_with_it(run, time, task):
    machines = Machines(time, "a")
    stage = machines.stage()
    decide = stage.decide
    stage.decide = lambda *found: replace(decide(*found), then=("name it",))
    result = run(stage, check_mode=True)
    assert [step["step"] for step in result["steps"]] == ["start", "name it"]
    assert task.lines == ["[exa-unit] machines: would start, then name it (off -> on): a"]


def test_a_wait_without_a_step_predicts_no_change(run, time):
    machines = Machines(time, "a")
    machines.states["a"] = "starting"
    result = run(machines.stage(), check_mode=True)
    assert (result["changed"], result["steps"], result["states"]) == (False, [], {"a": "on"})


def test_the_last_state_is_plain_data_whatever_the_state_is(run):
    @dataclass(frozen=True)
    class Seen:
        speed: int

    stage = Stage(
        noun="fans",
        done="still",
        names=["fan"],
        read=Each(lambda _name: Seen(3)),
        decide=lambda *_args: Fail("it turns"),
    )
    with pytest.raises(Refused) as caught:
        run(stage)
    assert caught.value.last_state == {"speed": 3}
