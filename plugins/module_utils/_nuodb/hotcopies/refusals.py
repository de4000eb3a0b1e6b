# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to do if an engine refuses a hot copy, or if a hot copy fails, for known texts of engines."""

from __future__ import annotations

from typing import Optional

KNOWN = (
    (
        "Only one full hot copy at a time allowed",
        "another full hot copy of one of these archives runs: either somebody else began it a moment ago, or the SM "
        "that knows of it doesn't answer; look at it (nuodb_domain_info, gather: [hotcopies]), and run the task again "
        "when it has ended",
    ),
    (
        "must be completed before journal hot copy",
        "a journal hot copy needs a full or an incremental one in this backup set first: take one (type: incremental), "
        "then the journal; so it is also after an archive was synchronised, because that ends its journal copies",
    ),
    (
        "No space left on device",
        "the volume of the backup set is full on the machine of that SM: make room there. The files that the hot "
        "copy left in tmp of its set are of no use; a full hot copy into an empty directory begins a new set",
    ),
)
"""A text of an engine, and what to do (NUODB-124, NUODB-128, NUODB-346)."""


def hint_of(text: str) -> Optional[str]:
    """What to do; None if the text is unknown."""
    return next((hint for words, hint in KNOWN if words.lower() in text.lower()), None)
