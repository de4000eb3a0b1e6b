# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A failure is one line, and says no more than is known."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils import _errors
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, Fault, NoSuchObject, Refused


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
    expected = {"msg": "no [DBF-5001]", "message_number": "DBF-5001", "failure": "fault"}
    assert Fault("no", text="x").as_result() == expected
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
    assert error.as_result()["msg"] == r"exa-unit: there is no database DB1\n; there are: odd\r\n  name [DBF-7001]"


def test_a_sentence_that_repeats_another_keeps_the_number_of_the_cause():
    cause = Refused("exa: no", number="DBF-6101").as_result()
    assert cause["msg"] == "exa: no [DBF-6101]"
    found = ClusterError(f"exa: its maintenance failed: {cause['msg']}; and more", number="DBF-5010").as_result()
    assert found["msg"] == "exa: its maintenance failed: exa: no [DBF-6101]; and more"
    assert found["message_number"] == "DBF-6101"


def test_several_refusals_have_several_numbers_none_twice():
    number = _errors.all_of(["DBF-6101", "", "DBF-6102 DBF-6101"])
    found = Refused("exa: no; no", number=number).as_result()
    assert (found["msg"], found["message_number"]) == ("exa: no; no [DBF-6101 DBF-6102]", number)


def test_a_result_without_an_exception_has_a_number_too():
    expected = {"failed": True, "failure": "refused", "msg": "no [DBF-7015]", "message_number": "DBF-7015"}
    assert _errors.failure("no", "DBF-7015", "refused") == expected
