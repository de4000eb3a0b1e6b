# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A value of the domain's key-value store, changed only where it still holds what was read."""

from __future__ import annotations

from typing import Optional

from .._errors import AnswerLost, Fault
from .api.domain import Domain


def compare_and_set(domain: Domain, key: str, text: str, expected: Optional[str]) -> bool:
    """Whether the key holds the text now. Which refusal says that it held something else isn't known (NUODB-87).

    :param expected: what it must hold; None is nothing.
    """
    for is_last in (False, True):
        try:
            domain.set_value(key, text, expected)
            return True
        except Fault:
            # Of a call that was sent twice, the first may have been carried out.
            return is_last and domain.value(key) == text
        except AnswerLost:
            if domain.value(key) == text:
                return True
            if is_last:
                raise
    return False
