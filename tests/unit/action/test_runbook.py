# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the roles: its steps, and how it runs the modules of a runbook."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.action import runbook
from ansible_collections.dbfleet.cluster.plugins.action.runbook import ActionModule
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.catalogue import ALL, RUNBOOKS
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.journal import Journal, open_entries

pytestmark = pytest.mark.usefixtures("roles")

NAME = "exa_database_state"
GIVEN = {"exa_database_state_databases": ["DB1"], "exa_api_url": "n10"}


class Done:
    """An action of one task, with the modules that it ran."""

    def __init__(self, made: Any, monkeypatch: pytest.MonkeyPatch, result: dict[str, Any]) -> None:
        self.ran: list[tuple[str, dict[str, Any], Any]] = []
        _fake, self.task_vars = made.action()
        self.task = _fake.task
        self.action = made.plugin(ActionModule, self.task, self.task_vars)

        def carried_out(module: Any, args: dict[str, Any], _vars: Any, environment: Any) -> dict[str, Any]:
            self.ran.append((module.__name__.rpartition(".")[2], args, environment))
            return result

        monkeypatch.setattr(self.action, "_carried_out", carried_out)

    def run(self, **args: Any) -> dict[str, Any]:
        self.task.args = args
        return self.action.run(task_vars=self.task_vars)


@pytest.fixture
def done(stage: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    def make(result: Any = None, book: str = NAME, **given: Any) -> Done:
        for name in list(os.environ):
            if name.startswith(("EXA_", "NUODB_", "DBFLEET_")):
                monkeypatch.delenv(name)
        made = stage(RUNBOOKS[book], **{**GIVEN, **given})
        return Done(made, monkeypatch, result or {"changed": True})

    return make


# -- what is asked of it


def test_every_module_of_a_runbook_is_loaded_before_the_workers() -> None:
    """Each worker would compile what isn't, for Ansible's loader keeps no bytecode."""
    folder = Path(runbook.__file__).parents[1] / "plugin_utils/runbooks"
    modules = {path.stem for path in Path(runbook.__file__).parents[1].glob("modules/*.py")} - set(RUNBOOKS)
    quoted = {name for path in folder.rglob("*.py") for name in re.findall(r'"((?:exa|nuodb)_\w+)"', path.read_text())}
    called = (quoted & modules) | {"nuodb_rolling_restart"}
    assert called == {f"{product}_{name}" for product, names in runbook.USED.items() for name in names}


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({}, "missing required arguments: name"),
        ({"name": NAME, "step": "jump"}, "value of step must be one of: run, further, end, fail, got: jump"),
        ({"name": NAME, "nam": "x"}, "there is no option nam (did you mean name?)"),
        ({"name": "exa_warm_start"}, f"there is no runbook exa_warm_start: there are {', '.join(ALL)}"),
        ({"name": "check"}, "there is no runbook check: there are "),
    ],
)
def test_what_it_cannot_do_is_told(done: Any, args: dict[str, Any], says: str) -> None:
    made = done()
    result = made.run(**args)
    assert result["failed"]
    assert result["msg"].startswith(says)
    assert made.ran == []


def test_it_runs_a_runbook(done: Any, said: list[str]) -> None:
    made = done()
    result = made.run(name=NAME)
    assert (result["changed"], result["outcome"]["result"], list(result["found"])) == (True, "ok", ["databases"])
    ((module, args, _environment),) = made.ran
    assert module == "exa_database"
    assert (args["databases"], args["api_url"], args["cluster_name"]) == (["DB1"], ["n10"], "exa-a")
    assert said[0] == "[exa-a] (1/1) databases: bring the named databases to the requested state"


def test_a_run_keeps_what_it_knows_in_its_variable(done: Any) -> None:
    made = done()
    state = {"position": 1, "chosen": ["databases"], "phases": [{"phase": "databases", "began": 1.0}], "found": {}}
    made.task_vars[f"{NAME}_run"] = state
    result = made.run(name=NAME, step="further", after=1, start=2)
    assert ([module for module, *_rest in made.ran], result["outcome"]["result"]) == (["exa_database"], "ok")
    made.task_vars.pop(f"{NAME}_run")
    result = made.run(name=NAME, step="further", after=1, start=2)
    assert "a task of exa_database_state before this one was left out" in result["cause"]


# -- the end of a run that failed


def entry(**more: Any) -> dict[str, Any]:
    return {
        "runbook": NAME, "host": "exa-a", "play": "p1", "quiet": False, "progress": "auto", "check": False,
        "at": 2.0, "hooks": "",
        "phases": [{"phase": "databases", "began": 1.0}], "resume": "ansible-playbook it", "stats": {}, "changed": {},
        "ends": {}, **more,
    }  # fmt: skip


def test_the_end_table_is_shown_once(done: Any, said: list[str]) -> None:
    Journal(NAME, "exa-a").write(entry(stats={"seen": 1}))
    result = done().run(name=NAME, step="end", failed={"failed": True, "msg": "DB1 is off", "hint": "wait"})
    assert result["changed"] is False
    outcome = result["outcome"]
    assert (outcome["result"], outcome["phase"], outcome["cause"]) == ("failed", "databases", "DB1 is off")
    assert result["ansible_stats"]["data"]["dbfleet"]["exa-a"]["seen"] == 1
    assert said[0] == "[exa-a] exa_database_state: failed"
    assert "[exa-a] hint: wait" in said
    assert Journal(NAME, "exa-a").read() is None


def test_of_a_loop_the_item_that_failed_is_the_cause(done: Any) -> None:
    Journal(NAME, "exa-a").write(entry())
    failed = {"msg": "All items completed", "results": [{"msg": "fine"}, {"failed": True, "msg": "n2 is off"}]}
    assert done().run(name=NAME, step="end", failed=failed)["outcome"]["cause"] == "n2 is off"


def test_a_run_that_failed_before_its_first_task_has_an_end_table_too(done: Any, said: list[str]) -> None:
    result = done().run(name=NAME, step="end", failed={"msg": "no such variable"})
    outcome = result["outcome"]
    assert (outcome["phase"], outcome["phases"], outcome["cause"]) == ("begin", {}, "no such variable")
    assert said[-1].startswith("[exa-a] resume: ansible-playbook dbfleet.cluster.exa_database_state -e target=exa-a ")


def test_a_run_that_ended_well_is_not_shown_as_failed(done: Any, said: list[str]) -> None:
    """With any_errors_fatal, ansible-core runs the rescue of every host after one has failed."""
    made = done()
    result = made.run(name=NAME)
    shown = len(said)
    made.task_vars[f"{NAME}_run"] = result
    says = f"{NAME} is ok here, and another host's failure ends the play (any_errors_fatal)"
    assert made.run(name=NAME, step="end") == {"changed": False, "outcome": {"cause": f"exa-a: {says}"}}
    assert said[shown:] == [f"[exa-a] {says}"]
    assert made.run(name=NAME, step="fail") == {"changed": False, "failed": True, "msg": f"exa-a: {says}"}


@pytest.mark.parametrize(
    ("result", "warns"),
    [({"lease": {}}, []), ({"failed": True, "msg": "no answer"}, ["could not be given back"])],
)
def test_what_a_failed_run_holds_it_gives_back(done: Any, result: dict[str, Any], warns: list[str]) -> None:
    name, host = "nuodb_cold_start", "exa-a"
    found = {"lease": {"lease": {"run": "mine"}}}
    Journal(name, host).write(entry(runbook=name, host=host, found=found))
    action = done(result, name, nuodb_api_url="ap0")
    ended = action.run(name=name, step="end", failed={"failed": True, "msg": "a hook broke"})
    ((module, args, _environment),) = action.ran
    assert (module, args["state"], args["lease"]) == ("nuodb_lease", "returned", {"run": "mine"})
    assert [text for text in ended["warnings"] if warns and warns[0] in text] == ended["warnings"]
    assert bool(ended["warnings"]) == bool(warns)


def test_what_a_task_of_a_hook_says_shows_no_password(done: Any, said: list[str], monkeypatch: Any) -> None:
    """Its module doesn't know the cluster's password, and the table, the stats and AWX keep what it said."""
    made = done(exa_api_password="s3 'cret")
    monkeypatch.setenv("EXA_API_USERNAME", "operator")
    Journal(NAME, "exa-a").write(entry(hooks="power"))
    result = made.run(name=NAME, step="end", failed={"failed": True, "msg": "GET https://u:s3%20%27cret@n10: s3 'cret"})
    assert result["outcome"]["cause"].endswith(": GET https://u:********@n10: ******** [DBF-9003]")
    assert "cret" not in json.dumps([result, said])


def test_it_fails_with_the_first_cause(done: Any) -> None:
    failed = {
        "failed": True, "msg": "off", "failure": "timeout", "failed_object": "DB1", "last_state": "setup",
        "hint": "wait", "refusals": [1], "found": {"databases": {}}, "changed": True, "invocation": {},
    }  # fmt: skip
    assert done().run(name=NAME, step="fail", failed=failed) == {
        "changed": False, "failed": True, "failure": "timeout", "failed_object": "DB1", "last_state": "setup",
        "msg": f"exa-a: {NAME} failed: its end table says why, and which command resumes it",
    }  # fmt: skip
    shown = done().run(name="check_exasol", step="fail", failed=failed)
    assert shown["msg"] == "exa-a: check failed, for the reason above"


# -- what only the controller knows


def test_the_environment_of_the_task_completes_the_connection(done: Any) -> None:
    made = done(exa_api_url=None)
    own = {"EXA_API_URL": "n20", "EXA_API_PASSWORD": "s3cret", "HTTPS_PROXY": "http://proxy"}
    made.task.environment = [own]
    made.run(name=NAME)
    ((_module, args, environment),) = made.ran
    assert environment == own
    assert (args["api_url"], args["api_password"]) == ("n20", "s3cret")
    assert "EXA_API_URL" not in os.environ


def test_a_profile_is_read_for_all_modules_and_a_bad_one_is_told_by_host(done: Any, tmp_path: Any) -> None:
    path = tmp_path / "profiles.yml"
    path.write_text("prod:\n  api_username: operator\n  api_password: s3cret\n")
    path.chmod(0o600)
    given = {"exa_profile": "prod", "exa_profiles_path": str(path)}
    made = done(**given)
    made.run(name=NAME)
    ((_module, args, _environment),) = made.ran
    assert (args["api_username"], args["api_password"], args["api_url"]) == ("operator", "s3cret", ["n10"])
    assert "profile" not in args
    path.chmod(0o644)
    made = done(**given)
    result = made.run(name=NAME)
    assert (result["failed"], made.ran) == (True, [])
    assert result["cause"] == f"exa-a: profile prod: {path} may be read by others [DBF-7005]"
    assert "s3cret" not in json.dumps(result)


def test_what_a_module_cannot_be_given_is_its_failure(done: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = done()
    error = ClusterError("no such file", hint="make it")

    def completed(_given: Any, spec: dict[str, Any], _vars: Any) -> dict[str, Any]:
        if "databases" in spec:
            raise error
        return {}

    monkeypatch.setattr(made.action, "_completed", completed)
    result = made.run(name=NAME)
    assert (result["failed"], result["cause"], result["hint"], result["changed"]) == (
        True,
        "no such file [DBF-7001]",
        "make it",
        False,
    )
    (entry,) = open_entries()
    assert entry["found"]["databases"]["failed"]


def test_what_a_module_cannot_be_given_shows_no_password(done: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = done(exa_api_password="s3 'cret")

    def completed(given: Any, spec: dict[str, Any], _vars: Any) -> dict[str, Any]:
        if "databases" in spec:
            raise ClusterError("no s3 'cret", hint="no s3%20%27cret")
        return dict(given)

    monkeypatch.setattr(made.action, "_completed", completed)
    result = made.run(name=NAME)
    assert (result["cause"], result["hint"]) == ("no ******** [DBF-7001]", "no ********")
    (entry,) = open_entries()
    assert entry["found"]["databases"]["hint"] == "no ********"
    assert "cret" not in json.dumps([result, entry])


def test_outside_of_a_role_it_says_where_it_belongs(done: Any) -> None:
    made = done()
    made.action._task._role = None
    assert made.run(name=NAME)["msg"] == f"this is the task of a role: use the role dbfleet.cluster.{NAME} [DBF-7001]"
