# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of a module that runs elsewhere, and has not come to run or not come back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.far import Place, version_of

PLACE = Place("exa-prod", "exa_node", "far", "ssh")
BEGIN = "exa-prod: exa_node was to run on far, by ssh"
PYTHON = "/usr/bin/python3"


def explained(result: dict[str, Any], version: str) -> dict[str, Any]:
    return PLACE.explained(result, PYTHON, lambda: version)


def not_asked() -> str:
    raise AssertionError("the version isn't asked for")


@pytest.mark.parametrize("result", [{"changed": True}, {"changed": False, "failed": False}])
def test_a_result_stays_as_it_is(result: dict[str, Any]) -> None:
    assert PLACE.explained(result, PYTHON, not_asked) == result


def test_a_failure_of_the_module_itself_stays_without_its_traceback() -> None:
    failed = {"failed": True, "msg": "no", "invocation": {}, "steps": [1]}
    assert PLACE.explained({**failed, "exception": "Traceback ..."}, PYTHON, not_asked) == failed


def test_warnings_are_texts() -> None:
    summary = SimpleNamespace(event=SimpleNamespace(msg="exa-prod: two"))
    found = PLACE.explained({"changed": True, "warnings": ["exa-prod: one", summary]}, PYTHON, not_asked)
    assert found == {"changed": True, "warnings": ["exa-prod: one", "exa-prod: two"]}


TRACE = "Traceback (most recent call last):\n  File x\nModuleNotFoundError: No module named 'zoneinfo'\n"


@pytest.mark.parametrize(
    "result",
    [
        {"msg": "No module named 'zoneinfo'", "exception": object()},  # ansible-core 2.19
        {"msg": "MODULE FAILURE\nSee stdout/stderr", "module_stderr": TRACE, "module_stdout": "", "rc": 1},  # 2.16
        {"msg": "ansible-core requires a minimum of Python version 3.9. Current version: 3.8.18"},  # 2.20
    ],
)
def test_an_old_python(result: dict[str, Any]) -> None:
    found = explained({"failed": True, **result}, "3.8.18")
    assert found["msg"] == f"{BEGIN}: {PYTHON} is Python 3.8.18: modules need Python 3.9 or newer [DBF-1009]"
    assert found["hint"] == (
        "set ansible_python_interpreter of this host to the path of a Python 3.9 or newer with urllib3 2.0"
    )
    assert sorted(found) == ["changed", "failed", "failure", "hint", "message_number", "msg"]


def test_no_python() -> None:
    failed = {"failed": True, "msg": "not found", "module_stderr": "sh: not found", "rc": 127}
    found = explained(failed, "")
    assert found["msg"] == f"{BEGIN}: far has no Python {PYTHON} that can be run [DBF-1009]"
    assert "ansible_python_interpreter" in found["hint"]


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"rc": 137, "module_stderr": "", "module_stdout": "Killed\n"}, "with exit code 137: Killed"),
        ({"rc": 1, "module_stderr": TRACE}, "with exit code 1: ModuleNotFoundError: No module named 'zoneinfo'"),
        ({"msg": ""}, "(3.13.0): no output"),
    ],
)
def test_a_module_that_ended_without_a_result(result: dict[str, Any], said: str) -> None:
    found = explained({"failed": True, "msg": "", **result}, "3.13.0")
    assert found["msg"].startswith(f"{BEGIN}: the module ended without a result under {PYTHON} (3.13.0)")
    assert found["msg"].endswith(f"{said} [DBF-1009]")
    assert "\n" not in found["msg"]
    assert "run the task again" in found["hint"]


@pytest.mark.parametrize(
    ("version", "is_old"), [("2.7.18", True), ("3.8.18", True), ("3.9.0", False), ("3.13.1", False), ("", False)]
)
def test_the_oldest_python(version: str, is_old: bool) -> None:
    assert bool(PLACE.refused_version(PYTHON, version)) == is_old


@pytest.mark.parametrize(
    ("printed", "version"), [("(3, 8, 18)\r\n", "3.8.18"), ("warning: x\n(2, 7, 18)", "2.7.18"), ("not found", "")]
)
def test_the_version_is_found_in_what_python_prints(printed: str, version: str) -> None:
    assert version_of(printed) == version


@pytest.mark.parametrize(
    ("cause", "begun"),
    [
        ("Failed to connect to the host via ssh: ssh: connect to host far port 22: Connection refused", False),
        ("Failed to connect to the host via ssh: ssh: Could not resolve hostname far", False),
        ("Failed to connect to the host via ssh: u@far: Permission denied (publickey).", False),
        ("Failed to connect to the host via ssh: Shared connection to far closed.", True),
        ("Data could not be sent to remote host", True),
    ],
)
def test_a_lost_connection(cause: str, begun: bool) -> None:
    said = PLACE.lost(cause)
    assert said.startswith(BEGIN)
    assert cause in said
    assert "set ansible_connection: local" in said
    assert ("nothing was started there" in said) != begun
    assert ("it joins what it finds" in said) == begun


def test_a_connection_that_tries_again_does_not_say_that_nothing_was_begun() -> None:
    again = Place("exa-prod", "exa_node", "far", "ssh", retries=True)
    assert "nothing was begun" not in again.lost("ssh: connect to host far port 22: Connection refused")
