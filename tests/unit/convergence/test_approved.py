# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task with the steps of an approved plan: every other step is refused before its call is sent."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import Act, Done
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Refused
from ansible_collections.dbfleet.cluster.tests.unit.convergence.machines import Machines


def test_what_was_approved_is_done(run, time, task):
    machines = Machines(time, "a", "b")
    task.params["approved"] = {"start": ["a", "b", "c"]}
    assert run(machines.stage())["changed"]
    assert [name for _at, name in machines.calls] == ["a", "b"]


def test_a_step_that_is_not_in_the_plan_is_refused_before_any_call(run, time, task):
    machines = Machines(time, "a", "b", "c")
    task.params["approved"] = {"start": ["a"], "stop": ["b", "c"]}
    with pytest.raises(Refused) as caught:
        run(machines.stage())
    assert caught.value.message == (
        "exa-unit: start of b, start of c are not in the approved plan: somebody has changed the cluster since "
        "this run began"
    )
    assert caught.value.failed_object == "b c"
    assert "--check" in str(caught.value.hint)
    assert machines.calls == []


def test_a_plan_without_steps_allows_none(run, time, task):
    machines = Machines(time, "a")
    task.params["approved"] = {}
    with pytest.raises(Refused, match=r"^exa-unit: start of a is not in the approved plan"):
        run(machines.stage())
    assert machines.calls == []


def test_what_is_as_it_should_be_needs_no_step(run, time, task):
    task.params["approved"] = {}
    assert not run(Machines(time, "a", state="on").stage())["changed"]


def test_a_cluster_that_changes_between_two_stages(run, time, task):
    """The second stage was well when the run began. One of its steps is approved, and isn't taken either."""
    first, second = Machines(time, "a", takes=3), Machines(time, "b", "c")
    second.reading = dict.fromkeys("bc", lambda _count: "on" if time.since < 1 else None)
    task.params["approved"] = {"start": ["a", "c"]}
    with pytest.raises(Refused, match=r"start of b is not in the approved plan"):
        run(first.stage(), second.stage())
    assert [name for _at, name in first.calls] == ["a"]
    assert second.calls == []


def test_a_cluster_that_changes_within_a_stage(run, time, task):
    machines = Machines(time, "a", "b")
    machines.reading = {"b": lambda _count: "starting" if time.since < 2 else None}
    task.params["approved"] = {"start": ["a"]}
    with pytest.raises(Refused, match=r"start of b is not in the approved plan"):
        run(machines.stage())
    assert [name for _at, name in machines.calls] == ["a"]


def test_a_step_that_is_made_once_more_counts_as_the_first(run, time, task):
    machines = Machines(time, "a", takes=0, state="failed")

    def again(name, state, _history):
        return Done() if state == "on" else Act("start again", lambda: machines.start(name), again="start")

    task.params["approved"] = {"start": ["a"]}
    assert run(machines.stage(decide=again))["changed"]
