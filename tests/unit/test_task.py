# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which steps a failed task reports as done before its failure."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import ClassVar
from urllib.parse import quote_plus

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils import _task
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence import task_stages
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import Act, Done, Each, Stage
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, Fault
from ansible_collections.dbfleet.cluster.plugins.module_utils._secrets import MASK, basic
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import SAID, ModuleTask, outcome, secrets_of

SPEC = {"argument_spec": {}}
WAIT = {"wait": True, "wait_timeout": 5.0, "wait_stable": 0.0, "heartbeat": 0.0}
CLUSTER = SimpleNamespace(name="exa-unit", api_calls=3, collect=lambda _seconds: [])


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
    assert result["msg"].endswith("; done before this failure: start of a, start of b, start of c")


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
    assert (result["changed"], result["msg"]) == (False, "exa-unit: list: no [DBF-5001]")


SPEC = {
    "argument_spec": {"api_username": {}, "api_password": {"no_log": True}, "api_url": {}, "token": {"no_log": True}}
}


@pytest.mark.parametrize("urls", ["https://u:one@a,https://u:two@b", ["https://u:one@a", "https://u:two@b"]])
def test_every_password_of_a_task_is_known(urls):
    params = {"api_username": "admin", "api_password": "pw#1", "api_url": urls, "token": 12345}
    scrubber = secrets_of(SPEC, params)
    text = f"{basic('admin', 'pw#1')} pw#1 one two 12345"
    assert scrubber.text(text) == " ".join([MASK] * 5)


@pytest.mark.parametrize("odd", [None, 5, {"a": 1}, "", []])
def test_odd_urls_break_nothing(odd):
    assert secrets_of(SPEC, {"api_url": odd, "api_password": "x1"}).text("x1") == MASK


class Params:
    check_mode = False
    done: ClassVar = []
    params = {"api_password": "p w'\"@%&:/+"}


def test_an_unexpected_exception_shows_no_password():
    def run(task):
        raise RuntimeError(f"ProtocolError for admin:{quote_plus(task.params['api_password'])}@n10")

    result = outcome(SPEC, run, Params())
    assert result["failed"]
    says = f"unexpected error, please report it: RuntimeError: ProtocolError for admin:{MASK}@n10 [DBF-9001]"
    assert result["msg"] == says


def test_neither_does_an_expected_one_or_a_result():
    def fails(task):
        raise ClusterError(
            task.params["api_password"], hint=task.params["api_password"], last_state=[repr(task.params)]
        )

    def works(task):
        return {"entries": [{"message": task.params["api_password"]}]}

    for run in (fails, works):
        result = outcome(SPEC, run, Params())
        assert "w'" not in json.dumps(result)
        assert MASK in json.dumps(result)


class Module:
    """AnsibleModule, as far as it is used: how it ends is kept."""

    def __init__(self, **spec):
        self.params, self.check_mode, self.ended = dict(spec["params"]), False, None

    def fail_json(self, **result):
        self.ended = ("failed", result)
        raise SystemExit

    def exit_json(self, **result):
        self.ended = ("ok", result)
        raise SystemExit


@pytest.mark.parametrize("fails", [False, True])
def test_what_an_ordinary_module_says_comes_with_its_result(monkeypatch, fails):
    made = []
    monkeypatch.setattr(_task, "AnsibleModule", lambda **spec: made.append(Module(**spec)) or made[0])
    spec = {"argument_spec": {"password": {"no_log": True}}, "params": {"password": "s3cret"}}

    def run(task):
        task.say("[x] one", "[x] two")
        task.say()
        task.say("[x] s3cret")
        if fails:
            raise Fault("x: no")
        return {}

    with pytest.raises(SystemExit):
        _task.as_module(spec, run)
    how, result = made[0].ended
    assert how == ("failed" if fails else "ok")
    assert result[SAID] == ["[x] one", "[x] two", f"[x] {MASK}"]


def test_a_silent_module_has_nothing_more(monkeypatch):
    made = []
    monkeypatch.setattr(_task, "AnsibleModule", lambda **spec: made.append(Module(**spec)) or made[0])
    with pytest.raises(SystemExit):
        _task.as_module({"argument_spec": {}, "params": {}}, lambda _task: {"found": 1})
    assert made[0].ended == ("ok", {"changed": False, "found": 1})


def test_a_warning_of_an_ordinary_module_shows_no_password():
    """ansible-core takes the password itself out of its result, and no other spelling of it."""
    password = Params.params["api_password"]
    warned = []
    module = SimpleNamespace(params=Params.params, check_mode=False, warn=warned.append)
    task = ModuleTask(module, Params.params, secrets_of(SPEC, Params.params))
    task.warn(f"no: {password} {quote_plus(password)} {basic('admin', password)}")
    assert warned[0].startswith(f"no: {MASK} {MASK} ")
    assert basic("admin", password)[10:] not in warned[0]
