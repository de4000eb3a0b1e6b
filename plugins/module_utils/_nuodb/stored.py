# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes a value of the domain's key-value store only if it is still the one that was read."""

from __future__ import annotations

from typing import Optional

from .._errors import AnswerLost, Fault
from .api.domain import Domain


def compare_and_set(domain: Domain, key: str, text: str, expected: Optional[str]) -> bool:
    """Sets a key, and returns whether it has the text now. No source shows the error for another value (NUODB-87).

    :param expected: the value that the key must have before; None for no value.
    """
    for is_last in (False, True):
        try:
            domain.set_value(key, text, expected)
            return True
        except Fault:
            # If the call was sent twice, the server may have carried out the first one.
            return is_last and domain.value(key) == text
        except AnswerLost:
            if domain.value(key) == text:
                return True
            if is_last:
                raise
    return False
