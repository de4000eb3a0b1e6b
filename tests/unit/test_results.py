# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sentences of results, as modules of ansible-core return them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.results import UNTOLD, diff_as_text, reason, text_of

CRASH = 'Traceback (most recent call last):\n  File "it.py", line 1\nValueError: it broke\n'


@pytest.mark.parametrize(
    ("result", "seen"),
    [
        ({"msg": "off"}, ["off"]),
        ({"msg": "off", "rc": 0, "stderr": "", "stdout": ""}, ["off"]),
        ({"msg": "bad", "rc": 3, "stderr": "one\n\ntwo", "stdout": "out"}, ["bad (exit code 3)", "one", "two"]),
        ({"msg": "bad", "rc": 1, "stderr": "", "stdout": "out"}, ["bad (exit code 1)", "out"]),
        ({"msg": "MODULE FAILURE\nSee it", "module_stderr": CRASH, "exception": CRASH},
         ["MODULE FAILURE", "See it", *(line for line in CRASH.splitlines())]),
        ({"msg": "bad", "exception": CRASH}, ["bad", "ValueError: it broke"]),
        ({"msg": "bad: ValueError: it broke", "exception": CRASH}, ["bad: ValueError: it broke"]),
        ({"msg": "bad", "exception": "(traceback unavailable)"}, ["bad"]),
        ({"msg": "off", "hint": "switch it on"}, ["off", "hint: switch it on"]),
        ({"msg": "Assertion failed", "assertion": "a == 1"}, ["Assertion failed", "assertion: a == 1"]),
        ({"msg": "The product is odd", "assertion": "a == 1"}, ["The product is odd"]),
        ({"reason": "no such file"}, ["no such file"]),
        ({"censored": "hidden", "changed": True}, ["hidden"]),
        ({"msg": ["a", "b"]}, ["a", "b"]),
        ({"msg": {"a": 1}}, ['{"a": 1}']),
        ({"stderr": "only this"}, [UNTOLD, "only this"]),
        ({"status": 500, "_ansible_no_log": False, "invocation": {"password": "x"}}, [UNTOLD, '{"status": 500}']),
    ],
)  # fmt: skip
def test_why_a_task_failed(result: dict[str, Any], seen: list[str]) -> None:
    assert reason(result) == seen


@pytest.mark.parametrize(
    ("value", "text"),
    [(" a ", "a"), (["a", 1], "a\n1"), ([{"a": "ä"}], '[{"a": "ä"}]'), ({"a": None}, '{"a": null}'), (7, "7")],
)
def test_a_value_as_text(value: Any, text: str) -> None:
    assert text_of(value) == text


def test_each_line_of_a_diff_is_shown_as_it_stands():
    odd = "one\ttab\n\x1b[2Jtwo\u202e\r\n"
    diff = [{"before": odd, "after": {"state": odd}, "before_header": "a\x9b"}]
    assert diff_as_text(diff) == [
        {
            "before": "one\ttab\n\\x1b[2Jtwo\\u202e\\r\n",
            "after": {"state": odd},  # which ansible-core writes as JSON
            "before_header": "a\\x9b",
        }
    ]
    assert diff_as_text("no diff") == "no diff"
