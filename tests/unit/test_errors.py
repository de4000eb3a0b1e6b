# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A failure is one line, and says no more than is known."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils import _errors
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, Fault, NoSuchObject


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("ClusterError", "cluster_error"), ("Unreachable", "unreachable"), ("Untrusted", "untrusted"),
        ("AnswerLost", "answer_lost"), ("Denied", "denied"), ("Garbled", "garbled"), ("Fault", "fault"),
        ("NoSuchObject", "no_such_object"), ("Refused", "refused"), ("TimedOut", "timed_out"), ("Failed", "failed"),
    ],
)  # fmt: skip
def test_a_failure_is_named_in_the_result(kind, word):
    assert getattr(_errors, kind)("exa: no").as_result()["failure"] == word


def test_only_what_is_known_is_returned():
    assert Fault("no", text="x").as_result() == {"msg": "no", "failure": "fault"}
    error = ClusterError("no", hint="h", failed_object="DB1", last_state={})
    error.result = {"steps": [], "msg": "not this"}
    found = error.as_result()
    assert (found["hint"], found["failed_object"], found["last_state"], found["steps"]) == ("h", "DB1", {}, [])


def test_the_text_is_the_message_that_grew():
    error = NoSuchObject("no")
    error.message += "; the server says: gone"
    assert str(error) == "no; the server says: gone"


def test_a_failure_is_one_line_whatever_a_server_or_a_user_puts_into_it():
    error = ClusterError("exa-unit: there is no database DB1\n; there are: odd\r\n  name")
    assert error.as_result()["msg"] == r"exa-unit: there is no database DB1\n; there are: odd\r\n  name"
