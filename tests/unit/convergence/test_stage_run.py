# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls, looks and waits of a stage, in a time that the test owns: nothing here waits for real."""

from __future__ import annotations

from functools import partial

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.pace import (
    TURN,
    Pace,
    PollInterval,
    progress,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import Act, Done, Together, Wait
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage_run import (
    AGAIN,
    MORE,
    SETTLE,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    AnswerLost,
    ClusterError,
    Denied,
    Failed,
    Fault,
    Garbled,
    NotSent,
    Refused,
    TimedOut,
    Unreachable,
    Untrusted,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._timeline import Timeline
from ansible_collections.dbfleet.cluster.tests.unit.convergence.machines import Chained, Late, Machines, ToldTogether

NEVER = float("inf")


def unsent():
    error = Garbled("exa-unit: start of a: the node redirects to x; nothing was carried out")
    error.unsent = True
    return error


def lost():
    return AnswerLost("exa-unit: start of a: no answer; the server may have carried it out")


# -- the plan


def test_all_are_fired_together_and_awaited_together(run, time, task):
    machines = Machines(time, "a", "b", "c")
    result = run(machines.stage())
    assert [at for at, _name in machines.calls] == [0.0, 0.0, 0.0]
    assert result["changed"]
    assert result["states"] == {"a": "on", "b": "on", "c": "on"}
    assert result["diff"] == {"before": dict.fromkeys("abc", "off"), "after": dict.fromkeys("abc", "on")}
    assert [(step["object"], step["step"], step["from"], step["to"]) for step in result["steps"]] == [
        (name, "start", "off", "on") for name in "abc"
    ]
    assert task.lines[0] == "[exa-unit] machines: start (off -> on): a b c"
    assert "3/3 on" in task.lines[-1]


def test_the_task_hears_once_of_all_that_is_fired_together(run, time, task):
    run(Machines(time, "a", "b", "c").stage())
    assert task.heard == [{"start": ["a", "b", "c"]}]


def test_the_task_hears_what_is_under_way_and_not_what_is_finished(run, time, task):
    run(Chained(time, "a", "b").stage())
    assert task.heard == [{"start": ["a"]}, {"start": ["b"]}]


def test_the_task_hears_nothing_where_nothing_is_fired(run, time, task):
    run(Machines(time, "a", state="on").stage())
    run(Machines(time, "a").stage(), check_mode=True)
    assert task.heard == []


def test_what_is_seen_late_is_late_by_a_small_share_only(run, time):
    machines = Machines(time, "a", takes=600.0)
    (step,) = run(machines.stage())["steps"]
    assert 600 <= step["seconds"] <= 600 * 1.05
    assert len(machines.reads) < 200


def test_what_is_under_way_is_joined_and_is_no_change(run, time):
    machines = Machines(time, "a")
    machines.began["a"] = time.now - 5
    result = run(machines.stage())
    assert machines.calls == []
    assert not result["changed"]
    assert result["joined"]
    assert result["states"] == {"a": "on"}


def test_to_wait_for_what_one_did_oneself_is_not_to_join(run, time):
    machines = Machines(time, "a")
    seen = []
    machines.reading["a"] = seen.append
    result = run(machines.stage())
    assert len(seen) > 2
    assert (result["changed"], result["joined"]) == (True, False)


# -- guards


def test_what_was_joined_first_is_guarded_before_its_first_call(run, time):
    """A database found stopping is started minutes later: the services may be down by then."""
    machines = Machines(time, "a")
    machines.reading["a"] = lambda count: "starting" if count < 4 else None
    guarded = []

    def guard():
        guarded.append(time.since)
        raise Refused("too dangerous")

    with pytest.raises(Refused):
        run(machines.stage(guard=guard))
    assert machines.calls == []
    assert guarded
    assert guarded[0] > 0


def test_a_guard_runs_once_for_all_objects_of_a_stage(run, time):
    guarded = []
    machines = Machines(time, "a", "b", "c")
    run(machines.stage(guard=lambda: guarded.append(list(machines.calls))))
    assert guarded == [[]]


def test_a_later_guard_that_gets_no_answer_is_asked_again(run, time):
    machines = Machines(time, "a")
    machines.reading["a"] = lambda count: "starting" if count < 2 else None
    weather = iter([Unreachable("away"), None])

    def guard():
        error = next(weather)
        if error:
            raise error

    run(machines.stage(guard=guard))
    assert len(machines.calls) == 1


# -- answers that don't come


def test_an_answer_that_comes_when_all_is_done_is_none_that_is_missing(run, time):
    machines = Machines(time, "a", takes=40)
    machines.answer["a"] = Late(40)
    run(machines.stage())
    assert len(machines.calls) == 1


def test_after_a_lost_answer_the_state_decides(run, time):
    machines = Machines(time, "a", takes=60)
    machines.answer["a"] = lost()
    result = run(machines.stage())
    assert len(machines.calls) == 1
    assert result["changed"]


def test_a_lost_call_that_did_nothing_is_sent_once_more_after_a_while(run, time, task):
    machines = Machines(time, "a")
    machines.deaf.add("a")

    def second_time(count):
        if len(machines.calls) > 1:
            machines.deaf.clear()
            machines.began.setdefault("a", time.now)

    machines.reading["a"] = second_time
    machines.answer["a"] = [lost(), None]
    result = run(machines.stage())
    assert len(machines.calls) == 2
    assert machines.calls[1][0] >= SETTLE
    assert any(before <= machines.calls[1][0] for before, _name in machines.reads)
    assert len(result["steps"]) == 1
    assert any("sent again" in line for line in task.lines)


@pytest.mark.parametrize(("at_once", "again"), [(False, 3 + SETTLE), (True, SETTLE)])
def test_the_wait_for_a_lost_answer_counts_where_what_was_done_would_be_seen_at_once(run, time, at_once, again):
    machines = ToldTogether(time, "a")
    machines.deaf.add("a")
    machines.answer["a"] = [Late(3, error=lost()), None]
    call = partial(machines.start, "a")
    machines.decide = lambda _name, state, _history: Done() if state == "on" else Act("start", call, None, (), at_once)
    with pytest.raises(TimedOut):
        run(machines.stage(poll=PollInterval(2.0, 2.0, 7.0)), timeout=60)
    (first, second) = (at for at, _name in machines.calls)
    assert first == 0.0
    assert again <= second <= again + 2.1, "a look comes soon after the answer was lost"


def test_it_is_not_sent_again_while_the_state_changes(run, time):
    machines = Machines(time, "a")
    machines.answer["a"] = lost()
    machines.deaf.add("a")
    machines.reading["a"] = lambda count: "off" if count % 2 else "off, in another way"
    machines.decide = lambda name, _state, _history: Act("start", lambda: machines.start(name))
    with pytest.raises(TimedOut):
        run(machines.stage(), timeout=60)
    assert len(machines.calls) == 1


def test_twice_lost_and_nothing_happened_is_a_failure(run, time):
    machines = Machines(time, "a")
    machines.deaf.add("a")
    machines.answer["a"] = lost()
    with pytest.raises(Failed) as caught:
        run(machines.stage())
    assert len(machines.calls) == 2
    assert caught.value.message.startswith("exa-unit: start of a: no answer")
    assert "the call was sent 2 times and a is still off" in caught.value.message
    assert caught.value.last_state == "off"
    assert time.since < 60


def test_a_guard_is_asked_again_before_it_is_sent_again(run, time):
    machines = Machines(time, "a")
    machines.deaf.add("a")
    machines.answer["a"] = lost()
    guards = iter([None, Refused("now it would be dangerous")])

    def guard():
        refusal = next(guards)
        if refusal:
            raise refusal

    with pytest.raises(Refused):
        run(machines.stage(guard=guard))
    assert len(machines.calls) == 1


# -- faults


def test_a_fault_is_no_failure_where_the_state_is_right(run, time):
    machines = Machines(time, "a", takes=0)
    machines.answer["a"] = Fault("it runs already", text="it runs already")
    assert run(machines.stage())["states"] == {"a": "on"}


def test_a_fault_is_no_failure_where_it_is_on_its_way(run, time):
    machines = Machines(time, "a")
    machines.answer["a"] = Fault("it starts already")
    assert run(machines.stage())["states"] == {"a": "on"}


def test_a_fault_fails_with_the_cause_once_the_state_was_seen(run, time):
    machines = Machines(time, "a", "b")
    machines.deaf.add("a")
    machines.answer["a"] = Fault("exa-unit: start of a: refused")
    with pytest.raises(Fault) as caught:
        run(machines.stage(causes=lambda name: f"no power for {name}"))
    assert str(caught.value) == "exa-unit: start of a: refused; the server says: no power for a"
    assert caught.value.failed_object == "a"
    assert caught.value.last_state == "off"
    assert len(machines.calls) == 2
    assert len([name for _at, name in machines.reads if name == "a"]) >= 2
    assert caught.value.result["changed"]


def test_a_reading_from_before_the_answer_condemns_nothing(run, time):
    """The read was under way when the fault came; what it saw is older than the call."""
    machines = Machines(time, "a", takes=30)
    machines.answer["a"] = Late(0.4, error=Fault("it starts already"))
    machines.reading["a"] = lambda count: Late(0.5, "off") if count == 2 else None
    assert run(machines.stage())["states"] == {"a": "on"}
    assert len(machines.calls) == 1


@pytest.mark.parametrize("error", [Denied("not allowed"), Untrusted("other certificate"), RuntimeError("bug")])
def test_what_waiting_does_not_mend_ends_it_at_once(run, time, error):
    machines = Machines(time, "a", "b")
    machines.answer["a"] = error
    with pytest.raises(type(error)):
        run(machines.stage())
    assert time.since < 1


def test_falling_back_is_a_failure_at_once(run, time):
    machines = Machines(time, "a", takes=1e9)
    machines.reading["a"] = lambda _count: "off" if time.since > 20 else None
    with pytest.raises(Failed, match="start was accepted, but a is off again; the server says: disk full$"):
        run(machines.stage(falls_back=True, causes=lambda _name: "disk full"))
    assert time.since < 25


def test_what_never_moves_fails_as_soon_as_the_server_says_why(run, time):
    machines = Machines(time, "a")
    machines.deaf.add("a")
    with pytest.raises(Failed, match="the server says: not enough nodes"):
        run(machines.stage(causes=lambda _name: "not enough nodes" if time.since > 30 else ""))
    assert 30 < time.since < 40
    assert len(machines.calls) == 1


def test_an_accepted_call_is_never_sent_again(run, time):
    machines = Machines(time, "a")
    machines.deaf.add("a")
    with pytest.raises(TimedOut):
        run(machines.stage(), timeout=600)
    assert len(machines.calls) == 1


def test_a_state_that_forbids_to_go_on_is_a_failure(run, time):
    machines = Machines(time, "a", takes=1e9)
    machines.reading["a"] = lambda _count: "melted" if time.since > 5 else None
    with pytest.raises(Failed, match="exa-unit: a: state 'melted' is unknown") as caught:
        run(machines.stage())
    assert caught.value.hint == "look at melted."
    assert caught.value.as_result()["steps"][0]["object"] == "a"


def test_a_failure_after_a_refusal_tells_both_and_changed_nothing(run, time):
    """What is there was made by another: the refused call did nothing, and its words tell why."""
    machines = Machines(time, "a")
    machines.answer["a"] = Late(1.0, error=Fault("exa-unit: start of a: there is one already"))
    machines.reading["a"] = lambda count: "melted" if count > 1 else None
    with pytest.raises(Failed, match="a: state 'melted' is unknown; exa-unit: start of a: there is one") as caught:
        run(machines.stage())
    assert time.since >= 1, "the answer is waited for"
    assert not caught.value.result["changed"]
    assert refused_steps(caught.value.result) == {"a": True}


# -- the wait


def test_the_deadline_carries_the_last_state_and_the_causes(run, time):
    machines = Machines(time, "a", "b", "c", takes=1e9)
    machines.states["c"] = "on"
    with pytest.raises(TimedOut) as caught:
        run(machines.stage(causes=lambda name: f"{name} is slow"), timeout=60)
    assert caught.value.message == (
        "exa-unit: machines: not on after 60 s: "
        "a is starting; the server says: a is slow; b is starting; the server says: b is slow"
    )
    assert caught.value.failed_object == "a b"
    assert caught.value.last_state == {"a": "starting", "b": "starting"}
    assert caught.value.result["changed"]
    assert "wait_timeout" in caught.value.hint
    assert 60 <= time.since < 61


def test_causes_that_hang_hold_the_deadline_up_by_a_moment_only(run, time):
    machines = Machines(time, *"abcdefghij", takes=1e9)
    with pytest.raises(TimedOut, match="and 2 more$"):
        run(machines.stage(causes=lambda _name: Late(NEVER)), timeout=60)
    assert time.since <= 60 + SETTLE + 1


def test_a_hung_read_holds_up_neither_the_others_nor_the_deadline(run, time, task):
    machines = Machines(time, "a", "b", takes=20)
    machines.reading["a"] = lambda count: Late(NEVER) if count > 1 else None
    with pytest.raises(TimedOut) as caught:
        run(machines.stage(), timeout=90)
    assert caught.value.failed_object == "a"
    assert time.since < 91
    ready = next(line for line in task.lines if "1/2 on" in line)
    assert "00:2" in ready
    assert len([1 for _at, name in machines.reads if name == "a"]) == 2


def test_a_call_that_hangs_holds_up_nobody(run, time):
    machines = Machines(time, "a", "b", takes=20)
    machines.answer["a"] = Late(NEVER)
    assert run(machines.stage())["states"] == {"a": "on", "b": "on"}


@pytest.mark.parametrize("weather", [Unreachable("away"), Garbled("HTML"), Untrusted("odd"), Fault("not now")])
def test_bad_reads_in_between_are_weather(run, time, task, weather):
    machines = Machines(time, "a", takes=20)
    machines.reading["a"] = lambda count: weather if 2 <= count <= 6 else None
    assert run(machines.stage())["states"] == {"a": "on"}
    assert any(weather.message in line for line in task.lines)


def test_weather_to_the_end_is_named(run, time):
    machines = Machines(time, "a")
    machines.reading["a"] = lambda count: Unreachable("exa-unit: connection refused") if count > 1 else None
    with pytest.raises(TimedOut, match="connection refused"):
        run(machines.stage(), timeout=30)


def test_a_read_that_is_denied_ends_the_wait(run, time):
    machines = Machines(time, "a")
    machines.reading["a"] = lambda count: Denied("password changed") if count > 3 else None
    with pytest.raises(Denied):
        run(machines.stage())
    assert time.since < 10


def test_stable_means_that_it_holds(run, time):
    machines = Machines(time, "a")
    machines.reading["a"] = lambda _count: "starting" if 15 < time.since < 20 else None
    run(machines.stage(), stable=30)
    assert time.since >= 50


def test_a_read_that_fails_starts_stability_anew(run, time):
    machines = Machines(time, "a")
    machines.reading["a"] = lambda _count: Unreachable("away") if 15 < time.since < 20 else None
    run(machines.stage(), stable=30)
    assert time.since >= 50


def test_a_stage_may_want_stability_of_its_own(run, time):
    machines = Machines(time, "a")
    run(machines.stage(steady=5.0), stable=1)
    assert 15 <= time.since < 20


def test_only_what_is_not_there_yet_is_asked_again(run, time):
    machines = Machines(time, "a", "b", takes=30)
    machines.began["a"] = time.now - 25
    run(machines.stage())
    late = [at for at, name in machines.reads if name == "a" and at >= 10]
    assert late == [machines.reads[-1][0]]  # once more at the end: somebody may have undone it


@pytest.mark.parametrize(("answers", "least", "most"), [(2, 10, 12), (60, SETTLE, SETTLE + 2)])
def test_what_another_has_done_is_not_the_end_while_our_own_call_is_under_way(run, time, answers, least, most):
    machines = Machines(time, "a")
    machines.answer["a"] = Late(answers)
    machines.reading["a"] = lambda count: "on" if count > 1 and time.since < answers else None
    run(machines.stage())
    assert least <= time.since <= most


# -- another run on the same objects


class Opposed(Machines):
    """Somebody switches them off; until then they are going down."""

    def decide(self, name, state, history):
        if state == "stopping":
            return Wait("stopping", then=("start",), against=True)
        return super().decide(name, state, history)


def stopping(machines, seconds, then="off"):
    """How `a` is read: going down for so long."""

    def read(_count):
        if machines.calls:
            return None
        return "stopping" if machines.time.since < seconds else then

    machines.reading["a"] = read


def test_what_somebody_else_takes_the_other_way_is_taken_back_once_nobody_goes_on(run, time, task):
    machines = Opposed(time, "a")
    stopping(machines, 8)
    guarded = []
    result = run(machines.stage(guard=lambda: guarded.append(time.since)))
    ((at, _name),) = machines.calls
    assert 8 + TURN <= at <= 8 + TURN + 2
    assert len(guarded) > 2, "what somebody goes on with is seen at the next look"
    assert result["joined"]
    says = "off, not by this run; the next step follows when this state has lasted 12 s"
    assert any(says in line for line in task.lines), task.lines


def test_without_waiting_it_is_taken_back_nonetheless(run, time):
    """A run that ends before its call is sent would have done nothing."""
    machines = Opposed(time, "a")
    stopping(machines, 8)
    assert run(machines.stage(), wait=False)["changed"]
    assert len(machines.calls) == 1


def test_where_somebody_else_goes_on_the_guard_ends_it_at_once(run, time):
    machines = Opposed(time, "a")
    stopping(machines, 8)

    def guard():
        if time.since > 9:
            raise Refused("exa-unit: the power is being cut")

    with pytest.raises(Refused, match="is being cut"):
        run(machines.stage(guard=guard))
    assert machines.calls == []
    assert 9 <= time.since <= 11


@pytest.mark.parametrize("now", ["off", "stopping"])
def test_what_was_there_and_is_gone_again_ends_the_run(run, time, now):
    """It isn't started again: two runs would go on for ever. While others are on their way it is seen after a while."""
    machines = Opposed(time, "a", "b", takes=200)
    machines.reading["a"] = lambda _count: "on" if time.since < 20 else now
    with pytest.raises(Failed) as caught:
        run(machines.stage(causes=lambda name: f"{name} was told to go"))
    assert caught.value.message == (
        f"exa-unit: a: it was on already; now it is {now}, and not by this run; the server says: a was told to go"
    )
    assert [name for _at, name in machines.calls] == ["b"]
    assert time.since < AGAIN + 15


def test_what_was_there_is_looked_at_once_more_at_the_end(run, time):
    machines = Opposed(time, "a", "b", takes=20)
    machines.reading["a"] = lambda _count: "on" if time.since < 19 else "off"
    with pytest.raises(Failed, match="a: it was on already; now it is off, and not by this run"):
        run(machines.stage())
    assert [name for _at, name in machines.calls] == ["b"]


def test_what_is_away_for_a_moment_is_waited_for(run, time):
    machines = Opposed(time, "a", "b", takes=40)
    machines.reading["a"] = lambda _count: "starting" if 31 < time.since < 45 else "on"
    assert run(machines.stage())["states"] == {"a": "on", "b": "on"}
    assert 45 <= time.since < 50


def test_a_last_look_that_fails_ends_nothing(run, time):
    machines = Opposed(time, "a", "b", takes=20)
    machines.reading["a"] = lambda _count: "on" if time.since < 19 else Unreachable("away")
    assert run(machines.stage())["changed"]


def test_a_call_that_comes_later_is_guarded_anew(run, time):
    machines = Machines(time, "a", "b", "c")
    machines.reading["b"] = lambda _count: "starting" if time.since < 8 else None
    machines.reading["c"] = lambda _count: "starting" if time.since < 8 else None
    guarded = []
    run(machines.stage(guard=lambda: guarded.append(round(time.since))))
    assert guarded == [0, 8]


# -- without waiting


def test_without_waiting_the_calls_are_answered_and_no_more(run, time):
    machines = Machines(time, "a", "b")
    result = run(machines.stage(), wait=False)
    assert result["changed"]
    assert len(machines.calls) == 2
    assert time.since < 1
    assert len(machines.reads) == 2


def test_without_waiting_a_fault_is_still_a_failure_after_all_were_sent(run, time):
    machines = Machines(time, "a", "b")
    machines.answer.update(a=Fault("no"), b=Late(2))
    with pytest.raises(Fault, match="no"):
        run(machines.stage(), wait=False)
    assert time.since >= 2


def test_without_waiting_a_lost_answer_is_a_failure(run, time):
    machines = Machines(time, "a")
    machines.answer["a"] = lost()
    with pytest.raises(Failed, match="^exa-unit: start of a: no answer; the server may"):
        run(machines.stage(), wait=False)
    assert len(machines.calls) == 1


def test_without_waiting_a_step_that_must_come_first_is_awaited_all_the_same(run, time):
    machines = Machines(time, "a", "b", takes=10)
    machines.reading["a"] = lambda _count: "stopping" if time.since < 30 else None
    decide = machines.decide
    stage = machines.stage()
    stage.decide = lambda name, state, history: (
        Wait("stopping", then=("start",)) if state == "stopping" else decide(name, state, history)
    )
    result = run(stage, wait=False)
    assert [name for _at, name in machines.calls] == ["b", "a"]
    assert 30 <= machines.calls[1][0] == pytest.approx(time.since, abs=1)
    assert sorted(step["object"] for step in result["steps"]) == ["a", "b"]
    machines.reading["a"] = lambda _count: "stopping"
    with pytest.raises(TimedOut, match="a is stopping$"):
        run(stage, wait=False, timeout=60)


def refused_steps(result):
    return {step["object"]: bool(step.get("refused")) for step in result["steps"]}


@pytest.mark.parametrize(
    ("error", "changed"),
    [
        (Fault("exa-unit: start of a: no"), False),
        (Denied("exa-unit: start of a: no right"), False),
        (ClusterError("exa-unit: start of a can't be sent: a number is too large"), False),
        (Unreachable("exa-unit: nobody answers; start was not sent"), False),
        (unsent(), False),
        (lost(), True),
        (Garbled("exa-unit: start of a: the answer has an unknown form"), True),
        (Failed("exa-unit: start of a: half of it"), True),
    ],
    ids=lambda case: type(case).__name__,
)
@pytest.mark.parametrize("wait", [True, False])
def test_what_was_refused_or_never_sent_is_no_change(run, time, error, changed, wait):
    machines = Machines(time, "a")
    machines.deaf.add("a")
    machines.answer["a"] = error
    with pytest.raises(ClusterError) as caught:
        run(machines.stage(), wait=wait)
    assert caught.value.result["changed"] is changed
    assert refused_steps(caught.value.result) == {"a": not changed}


def never_left():
    return NotSent("exa-unit: start of a: connection refused; the call was not sent")


def test_what_never_left_is_sent_as_if_for_the_first_time(run, time):
    """At the next look, however often, and it is one step: it neither counts as sent nor as done."""
    machines = Machines(time, "a")
    machines.answer["a"] = [never_left(), never_left(), never_left(), None]
    seen, start = [], machines.start

    def refused_first(name):
        machines.deaf = {"a"} if len(machines.calls) < 3 else set()
        return start(name)

    def decide(name, state, history):
        seen.append(list(history.acted))
        return machines.decide(name, state, history)

    machines.start = refused_first
    result = run(machines.stage(decide=decide))
    assert len(machines.calls) == 4
    assert machines.calls[-1][0] < SETTLE
    assert [(step["step"], step.get("refused")) for step in result["steps"]] == [("start", None)]
    assert result["changed"]
    assert seen[:4] == [[]] * 4


@pytest.mark.parametrize("wait", [True, False])
def test_what_never_left_to_the_end_is_no_change(run, time, wait):
    machines = Machines(time, "a")
    machines.deaf.add("a")
    machines.answer["a"] = never_left()
    with pytest.raises(ClusterError, match="connection refused; the call was not sent$") as caught:
        run(machines.stage(), wait=wait, timeout=60)
    assert (caught.value.result["changed"], refused_steps(caught.value.result)) == (False, {"a": True})


def test_of_a_lost_answer_and_a_call_that_never_left_the_first_may_be_done(run, time):
    machines = Machines(time, "a")
    machines.deaf.add("a")
    machines.answer["a"] = [lost(), never_left(), lost()]
    with pytest.raises(Failed, match="the call was sent 2 times and a is still off") as caught:
        run(machines.stage())
    assert (caught.value.result["changed"], len(machines.calls)) == (True, 3)


def test_what_was_done_before_the_refusal_is_a_change(run, time):
    machines = Machines(time, "a", "b")
    machines.deaf.add("b")
    machines.answer["b"] = Fault("exa-unit: start of b: no")
    with pytest.raises(Fault) as caught:
        run(machines.stage())
    assert caught.value.result["changed"] is True
    assert refused_steps(caught.value.result) == {"a": False, "b": True}


def test_what_was_done_in_part_is_a_change_though_it_does_not_show(run, time):
    machines = Machines(time, "a")
    machines.deaf.add("a")
    machines.answer["a"] = Fault("exa-unit: start of a: no")
    machines.answer["a"].partly = True
    with pytest.raises(Fault) as caught:
        run(machines.stage())
    assert caught.value.result["changed"] is True


def test_a_refusal_after_a_lost_answer_may_come_too_late(run, time):
    machines = Machines(time, "a")
    machines.deaf.add("a")
    machines.answer["a"] = [lost(), Fault("exa-unit: start of a: it is there")]
    with pytest.raises(Fault) as caught:
        run(machines.stage())
    assert caught.value.result["changed"] is True


# -- objects that are read together, steps that follow by themselves


def test_what_is_told_together_is_read_by_one_call_a_look(run, time):
    machines = ToldTogether(time, "a", "b", "c", takes=60.0)
    result = run(machines.stage())
    assert result["states"] == {"a": "on", "b": "on", "c": "on"}
    assert all(names == ["a", "b", "c"] for _at, names in machines.looks)
    assert len({at for at, _names in machines.looks}) == len(machines.looks)
    assert machines.looks[0][0] == 0.0
    assert [at for at, _name in machines.calls] == [0.0] * 3


def test_only_those_that_are_missing_are_looked_at_again(run, time):
    machines = ToldTogether(time, "a", "b", takes=30.0)
    machines.began["a"] = time.now - 25
    run(machines.stage())
    assert machines.looks[0][1] == ["a", "b"]
    together = [at for at, names in machines.looks if names == ["a", "b"]]
    assert len(together) < len(machines.looks) / 2
    pauses = [later - sooner for sooner, later in zip(together, together[1:]) if sooner >= 5]
    assert pauses
    assert min(pauses) >= SETTLE  # once in a while, for somebody may undo it, and it costs no call more


@pytest.mark.parametrize("weather", [Unreachable("away"), Garbled("HTML"), Untrusted("odd"), Fault("not now")])
def test_a_bad_look_is_weather_for_all(run, time, task, weather):
    machines = ToldTogether(time, "a", "b", takes=20)
    machines.odd = {2: weather, 3: weather}
    assert run(machines.stage())["states"] == {"a": "on", "b": "on"}
    assert any(line.count(weather.message) == 1 and "a b" in line for line in task.lines), task.lines


def test_a_look_that_is_denied_ends_the_wait(run, time):
    machines = ToldTogether(time, "a", "b")
    machines.odd = {3: Denied("password changed")}
    with pytest.raises(Denied):
        run(machines.stage())
    assert time.since < 10


def test_a_look_that_hangs_is_not_repeated_and_ends_with_the_deadline(run, time):
    machines = ToldTogether(time, "a", "b")
    machines.odd = {2: NEVER}
    with pytest.raises(TimedOut) as caught:
        run(machines.stage(), timeout=60)
    assert caught.value.failed_object == "a b"
    assert len(machines.looks) == 2
    assert 60 <= time.since < 61


def test_after_a_lost_answer_the_look_decides(run, time):
    machines = ToldTogether(time, "a", "b", takes=60)
    machines.answer["a"] = lost()
    run(machines.stage())
    assert len(machines.calls) == 2


def test_a_look_from_before_the_answer_condemns_nothing(run, time):
    machines = ToldTogether(time, "a", takes=30)
    machines.answer["a"] = Late(0.4, error=Fault("it starts already"))
    machines.odd = {2: 0.5}
    look = machines.look

    def old(names):
        found = look(names)
        return Late(found.seconds, dict.fromkeys(names, "off")) if isinstance(found, Late) else found

    assert run(machines.stage(read=Together(old)))["states"] == {"a": "on"}
    assert len(machines.calls) == 1


def test_a_later_stage_is_looked_at_afresh_by_one_call(run, time):
    first, second = Machines(time, "a"), ToldTogether(time, "b", "c")
    run(first.stage(), second.stage())
    assert [names for _at, names in second.looks[:2]] == [["b", "c"], ["b", "c"]]
    assert second.looks[1][0] >= 10


def test_what_a_later_stage_waits_for_is_said_at_once(run, time, task):
    first, second = Machines(time, "a"), Machines(time, "b")
    second.state = lambda name: "off" if time.since < 10 else "starting" if time.since < 25 else "on"
    run(first.stage(), second.stage())
    assert any("0/1 on, waiting for b (starting)" in line for line in task.lines), task.lines


def test_of_one_call_for_several_counts_what_it_did(run, time):
    machines = ToldTogether(time, "a", "b", "c", takes=0.0)

    def together(names):
        machines.start("c")
        raise Fault("exa-unit: start of a b c: no such machine: b")

    machines.decide = lambda _name, state, _history: Done() if state == "on" else Act("start", lambda: None, together)
    with pytest.raises(Fault) as caught:
        run(machines.stage())
    assert refused_steps(caught.value.result) == {"a": True, "b": True, "c": False}
    assert caught.value.result["changed"] is True


@pytest.mark.parametrize("error", [Denied("exa-unit: start: no right"), ClusterError("exa-unit: start can't be sent")])
def test_one_call_for_several_that_was_not_carried_out_is_no_change(run, time, error):
    machines = ToldTogether(time, "a", "b")

    def together(names):
        raise error

    machines.decide = lambda _name, state, _history: Act("start", lambda: None, together)
    with pytest.raises(ClusterError) as caught:
        run(machines.stage())
    assert refused_steps(caught.value.result) == {"a": True, "b": True}
    assert caught.value.result["changed"] is False


def test_and_it_is_done_when_its_time_has_come(run, time):
    machines = Chained(time, "a", "b")
    result = run(machines.stage())
    assert [name for _at, name in machines.calls] == ["a", "b"]
    assert machines.calls[1][0] >= 10
    assert sorted((step["object"], step["step"]) for step in result["steps"]) == [("a", "start"), ("b", "start")]


def test_a_guard_runs_before_a_step_that_follows(run, time):
    guarded = []
    machines = Chained(time, "a", "b")
    own = machines.state
    machines.state = lambda name: own(name) if name == "b" else "on" if time.since > 30 else "starting"
    run(machines.stage(guard=lambda: guarded.append((time.since, list(machines.calls)))))
    assert [calls for _at, calls in guarded] == [[]]
    assert guarded[0][0] > 30


def test_a_stage_has_a_rhythm_of_its_own(run, time):
    machines = ToldTogether(time, "a", takes=20.0)
    run(machines.stage(poll=PollInterval(1.0, 1.0, 4.0)))
    assert [round(at) for at, _names in machines.looks] == [0, 1, 2, 4, 8, 12, 16, 20]


def test_a_slow_look_makes_the_next_one_later(run, time):
    machines = ToldTogether(time, "a", takes=60.0)
    machines.odd = dict.fromkeys(range(2, 100), 2.5)
    run(machines.stage(poll=PollInterval(1.0, 0.0, 1.0)))
    gaps = [later - earlier for (earlier, _a), (later, _b) in zip(machines.looks[1:], machines.looks[2:])]
    assert min(gaps) >= 5.0, "a cluster is asked no more than half of the time"


def test_what_is_under_way_after_a_lost_answer_is_not_called_lost(run, time, task):
    machines = Machines(time, "a", takes=60)
    machines.answer["a"] = lost()
    run(machines.stage(), heartbeat=5)
    later = [line for line in task.lines if "starting" in line]
    assert later
    assert not [line for line in later if "not known" in line]


# -- what is said


def test_a_line_when_something_changed_and_a_heartbeat_otherwise(run, time, task):
    machines = Machines(time, "a", takes=100)
    run(machines.stage(), heartbeat=30)
    assert len(task.lines) == 6, task.lines  # plan, starting, 3 heartbeats, the end
    assert all(line.startswith("[exa-unit] machines: ") for line in task.lines)
    assert "0/1 on, waiting for a (starting), " in task.lines[1]
    assert task.lines[1].rpartition(" in ")[0].endswith("times out")


def test_heartbeat_0_is_none_and_no_busy_loop(run, time, task):
    machines = Machines(time, "a", takes=100)
    run(machines.stage(), heartbeat=0)
    assert len(task.lines) == 3


def test_the_servers_own_lines_are_followed(run, time, task):
    machines = Machines(time, "a", takes=20)
    news = iter([["first"], [], ["second", "third"]])
    run(machines.stage(follow=lambda: next(news, [])))
    assert [line for line in task.lines if line.split()[-1] in ("first", "second", "third")] == [
        f"[exa-unit] machines: {word}" for word in ("first", "second", "third")
    ]


def test_the_last_news_come_before_the_last_line(run, time, task):
    machines = Machines(time, "a", takes=20)
    run(machines.stage(follow=lambda: ["the end"] if machines.state("a") == "on" else []))
    assert "the end" in task.lines[-2]


@pytest.mark.parametrize("error", [Denied("may not read the log"), Fault("no log")])
def test_a_log_that_may_not_be_read_is_no_failure(run, time, task, error):
    machines = Machines(time, "a", takes=20)
    asked = []

    def follow():
        asked.append(1)
        raise error

    run(machines.stage(follow=follow))
    assert len(asked) == 1
    assert task.warnings == [f"{error.message}; the server's messages are not shown"]


def test_a_log_that_is_away_is_asked_again(run, time, task):
    machines = Machines(time, "a", takes=20)
    weather = iter([Unreachable("away"), Garbled("HTML")])

    def follow():
        error = next(weather, None)
        if error:
            raise error
        return []

    run(machines.stage(follow=follow))
    assert task.warnings == []
    assert next(weather, None) is None


def test_a_log_that_hangs_at_the_end_is_said(run, time, task):
    machines = Machines(time, "a")
    run(machines.stage(follow=lambda: Late(NEVER)))
    assert task.warnings == ["exa-unit: machines: the server's last messages did not arrive"]


# -- one call for several objects


class Joint(Machines):
    """Machines that one call starts."""

    def start_all(self, names):
        self.calls.append((self.time.since, *names))
        odd = self.answer.get("all")
        for name in names:
            if name not in self.deaf:
                self.began.setdefault(name, self.time.now)
        if isinstance(odd, list) and odd:
            raise odd.pop(0)

    def decide(self, name, state, history):
        decided = super().decide(name, state, history)
        return Act(decided.name, decided.call, self.start_all) if isinstance(decided, Act) else decided


def test_one_call_for_all_that_want_the_same(run, time):
    machines = Joint(time, "a", "b", "c")
    machines.states["c"] = "on"
    result = run(machines.stage())
    assert machines.calls == [(0.0, "a", "b")]
    assert [(step["object"], step["step"]) for step in result["steps"]] == [("a", "start"), ("b", "start")]


def test_the_lost_answer_of_one_call_for_several_is_cleared_up_by_a_look(run, time):
    machines = Joint(time, "a", "b")
    machines.answer["all"] = [lost()]
    assert run(machines.stage())["changed"] is True
    assert machines.calls == [(0.0, "a", "b")]


def test_a_lost_call_for_several_is_repeated_for_those_that_did_not_change(run, time, monkeypatch):
    machines = Joint(time, "a", "b")
    machines.answer["all"] = [lost()]
    machines.deaf = {"b"}
    heard = machines.start_all
    monkeypatch.setattr(
        machines, "start_all", lambda names: (machines.deaf.clear() if machines.calls else None, heard(names))
    )
    run(machines.stage())
    assert [call[1:] for call in machines.calls] == [("a", "b"), ("b",)]


def test_a_refusal_of_one_call_for_several_fails_the_run(run, time):
    machines = Joint(time, "a", "b")
    machines.answer["all"] = [Fault("exa-unit: start: the server refused: no")]
    machines.deaf = {"a", "b"}
    with pytest.raises(Fault, match="the server refused: no"):
        run(machines.stage())


def test_one_call_is_sent_without_waiting_too(run, time):
    machines = Joint(time, "a", "b")
    assert run(machines.stage(), wait=False)["changed"] is True
    assert machines.calls == [(0.0, "a", "b")]


def test_what_was_accepted_and_turns_out_to_be_lost_is_sent_again(run, time, task):
    machines = Machines(time, "a")
    machines.deaf = {"a"}

    def causes(_name):
        machines.deaf.clear()
        raise lost()

    run(machines.stage(causes=causes))
    assert [name for _at, name in machines.calls] == ["a", "a"]
    assert any("is sent again: its answer was lost" in line for line in task.lines)


def test_a_progress_line_groups_by_state(clock):
    pace = Pace(1200, clock=clock)
    clock.now += 130
    waiting = {"n0014": "booting", "n0015": "offline", "n0016": "booting"}
    assert progress("nodes", pace, 5, waiting, "online") == (
        "nodes: 02:10  5/8 online, waiting for n0014 n0016 (booting), n0015 (offline), times out in 17:50"
    )
    assert progress("nodes", pace, 8, {}, "online") == "nodes: 02:10  8/8 online"
    assert progress("nodes", pace, 8, {}, "online", "well") == "nodes: 02:10  8/8 online, well"


# -- a way whose length nobody knows


def test_a_wait_goes_on_while_something_comes_further(run, time):
    machines = Machines(time, "a", takes=3000.0)
    run(machines.stage(way=lambda state: time.since / 5000 if state == "starting" else None), timeout=60)
    assert time.since >= 3000


@pytest.mark.parametrize(
    "way", [lambda _since: 0.5, lambda since: min(0.5, since / 200), lambda since: 0.1 + since / 1e9]
)
def test_it_ends_when_nothing_comes_further(run, time, way):
    machines = Machines(time, "a", takes=NEVER)
    with pytest.raises(TimedOut, match=r"not on after \d+ s: a is starting"):
        run(machines.stage(way=lambda _state: way(time.since)), timeout=60)
    assert time.since < 2 * MORE


# -- what is taken down for a report


def test_states_steps_faults_and_retries_are_taken_down(run, time, task):
    task.timeline = Timeline(lambda: time.now)
    machines = Machines(time, "a", "b")
    machines.deaf.add("a")

    def second_time(count):
        if len([name for _at, name in machines.calls if name == "a"]) > 1:
            machines.deaf.clear()
            machines.began.setdefault("a", time.now)

    machines.reading["a"] = second_time
    machines.answer["a"] = [lost(), None]
    run(machines.stage())
    seen = {name: [(how, words) for _at, how, words in row] for (_noun, name), row in task.timeline.seen.items()}
    assert seen == {name: [("due", "off"), ("waits", "starting"), ("there", "on")] for name in "ab"}
    assert {noun for noun, _name in task.timeline.seen} == {"machines"}
    kinds = [(name, kind) for _at, _noun, name, kind, _why in task.timeline.marks]
    assert [kind for name, kind in kinds if name == "a"] == ["step", "fault", "retry"]
    assert [kind for name, kind in kinds if name == "b"] == ["step"]


def test_what_cannot_be_read_is_a_fault(run, time, task):
    task.timeline = Timeline(lambda: time.now)
    machines = Machines(time, "a")
    machines.reading["a"] = lambda count: Unreachable("exa-unit: no answer") if count in (2, 3) else None
    run(machines.stage())
    faults = [why for _at, _noun, _name, kind, why in task.timeline.marks if kind == "fault"]
    assert faults == ["exa-unit: no answer"], "the same again is one mark"


def test_where_nobody_wants_it_no_state_is_put_into_words_for_it(run, time, task):
    def spoken(timeline):
        count = 0

        def words(state):
            nonlocal count
            count += 1
            return str(state)

        task.timeline = timeline
        run(Machines(time, "a").stage(words=words))
        return count

    assert spoken(None) < spoken(Timeline(lambda: time.now))


def test_what_does_not_end_in_time_is_told_without_two_negations(run, time):
    stage = Machines(time, "a", takes=1e9).stage()
    assert stage.unreached == "not on"
    stage.done = "not running"
    with pytest.raises(TimedOut, match=r": machines: still running after 60 s: a is starting"):
        run(stage, timeout=60)
