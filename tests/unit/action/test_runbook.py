# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action runbook: what it refuses, and how a run that failed ends. The runs have their tests in runbooks/."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible import constants, context
from ansible.plugins.action import ActionBase
from ansible.utils.context_objects import CLIArgs
from ansible_collections.dbfleet.cluster.plugins.action.runbook import ActionModule
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.journal import Journal


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    """Runs the action with these arguments, as a task of a role unless that is said."""
    monkeypatch.setattr(ActionBase, "run", lambda *_args: {})
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    monkeypatch.setattr(context, "CLIARGS", CLIArgs({"inventory": ["inv.yml"], "extra_vars": ()}))

    def run(role: Any = "exa_cold_start", **args: Any) -> dict[str, Any]:
        action = ActionModule.__new__(ActionModule)
        action._task = SimpleNamespace(args=args, _role=role, check_mode=False)
        return action.run(None, {"inventory_hostname": "exa-a"})

    return run


def test_what_is_no_runbook_is_refused(call: Any) -> None:
    assert call(name="exa_cold_strat")["msg"].startswith(
        "there is no runbook exa_cold_strat: there are exa_cold_start, "
    )
    assert call(name="exa_cold_start", role=None)["msg"] == (
        "this is the task of a role: use the role dbfleet.cluster.exa_cold_start"
    )
    assert "value of step must be one of" in call(name="exa_cold_start", step="begin")["msg"]


def test_a_failed_run_ends_with_its_journal(call: Any, capsys: pytest.CaptureFixture[str]) -> None:
    journal = Journal("exa_cold_start", "exa-a")
    entry: dict[str, Any] = {
        "runbook": "exa_cold_start", "host": "exa-a", "quiet": False, "check": False, "at": 0.0, "hooks": "",
        "phases": [{"phase": "nodes", "began": 1.0}], "resume": "ansible-playbook again", "stats": {"more": 1},
        "changed": {"nodes": True}, "found": {"nodes": {"task": "Every node is online"}},
    }  # fmt: skip
    journal.write(entry)
    result = call(name="exa_cold_start", step="end", failed={"msg": "n11 is off", "hint": "look at it"})
    said = capsys.readouterr().out
    for line in ("exa_cold_start: failed", "cause: n11 is off", "hint: look at it", "resume: ansible-playbook again"):
        assert f"[exa-a] {line}" in said
    told = result["ansible_stats"]["data"]["dbfleet"]["exa-a"]
    assert (told["result"], told["phase"], told["cause"], told["more"]) == ("failed", "nodes", "n11 is off", 1)
    assert result["found"] == entry["found"]
    assert journal.read() is None


def test_a_run_that_failed_before_its_first_task_ends_too(call: Any, capsys: pytest.CaptureFixture[str]) -> None:
    result = call(
        name="exa_cold_start", step="end", failed={"results": [{"msg": "fine"}, {"failed": True, "msg": "bad"}]}
    )
    assert "[exa-a] cause: bad" in capsys.readouterr().out
    assert result["outcome"]["phase"] == "begin"


def test_it_fails_with_the_first_cause(call: Any) -> None:
    failed = {"msg": "n11 is off", "failure": "timed_out", "last_state": "offline", "found": {"nodes": {}}}
    assert call(name="exa_cold_start", step="fail", failed=failed) == {
        "changed": False, "failed": True, "msg": "n11 is off", "failure": "timed_out", "last_state": "offline",
    }  # fmt: skip
    assert call(name="exa_cold_start", step="fail")["msg"] == "a task failed"
