# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A value that is compared and set: an answer that was lost, and a call that was carried out twice."""

from __future__ import annotations

from typing import Any, Optional

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import AnswerLost, Fault
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.stored import compare_and_set

LOST, NO = AnswerLost("lost"), Fault("no", "no")


class Store:
    """:param answers: to each change; an error is raised, and what is None is carried out."""

    def __init__(self, held: Optional[str], *answers: Any) -> None:
        self.held, self.answers = held, list(answers)

    def value(self, _key: str) -> Optional[str]:
        return self.held

    def set_value(self, _key: str, text: str, _expected: Optional[str]) -> None:
        error = self.answers.pop(0)
        if error:
            raise error
        self.held = text


@pytest.mark.parametrize(
    ("held", "answers", "is_set"),
    [
        (None, [None], True),
        ("other", [NO], False),
        ("new", [LOST], True),
        (None, [LOST, None], True),
        ("other", [LOST, NO], False),
    ],
)
def test_whether_the_key_holds_the_text_now(held: Optional[str], answers: list[Any], is_set: bool) -> None:
    assert compare_and_set(Store(held, *answers), "key", "new", None) is is_set  # type: ignore[arg-type]


def test_an_answer_that_is_lost_twice_is_said() -> None:
    with pytest.raises(AnswerLost):
        compare_and_set(Store(None, LOST, LOST), "key", "new", None)  # type: ignore[arg-type]
