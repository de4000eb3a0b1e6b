# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a failed task tells of what went well before it failed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence import task_stages
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import Act, Done, Each, Stage
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Fault
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import outcome

SPEC = {"argument_spec": {}}
WAIT = {"wait": True, "wait_timeout": 5.0, "wait_stable": 0.0, "heartbeat": 0.0}
CLUSTER = SimpleNamespace(name="exa-unit", api_calls=3)


def bringing(task, *names):
    """Brings these to C(on), one stage for each, and returns what C(bring) does."""
    states = dict.fromkeys(names, "off")

    def stage(name):
        def decide(_name, state, _history):
            return Done() if state == "on" else Act("start", lambda: states.update({name: "on"}))

        return Stage(noun="machines", done="on", names=[name], read=Each(states.get), decide=decide)

    return task_stages.bring(task, CLUSTER, [stage(name) for name in names])


@pytest.mark.parametrize("error", [Fault("exa-unit: list: no"), KeyError("state")])
def test_a_task_that_fails_after_its_change_has_changed_and_says_what(new_task, error):
    """As where what it returns can't be read any more."""

    def run(task):
        bringing(task, "a", "b")
        bringing(task, "c")
        raise error

    result = outcome(SPEC, run, new_task(**WAIT))
    assert (result["failed"], result["changed"]) == (True, True)
    assert [step["object"] for step in result["steps"]] == ["a", "b", "c"]
    assert result["msg"].endswith("; what went well before: start of a, start of b, start of c")


def test_each_step_is_told_once(new_task):
    def run(task):
        error = Fault("exa-unit: they run, and it doesn't")
        error.result = bringing(task, "a")
        raise error

    result = outcome(SPEC, run, new_task(**WAIT))
    assert [step["object"] for step in result["steps"]] == ["a"]


def test_a_preview_that_fails_has_changed_nothing(new_task):
    def run(task):
        bringing(task, "a")
        raise Fault("exa-unit: list: no")

    result = outcome(SPEC, run, new_task(check_mode=True, **WAIT))
    assert (result["changed"], result["msg"]) == (False, "exa-unit: list: no")
