# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to do where an engine refuses a hot copy, or one fails, by the words that are known of it."""

from __future__ import annotations

from typing import Optional

KNOWN = (
    (
        "Only one full hot copy at a time allowed",
        "another full hot copy of one of these archives runs, begun by somebody else a moment ago, or told of by an SM "
        "that doesn't answer: look at it (nuodb_domain_info, gather: [hotcopies]), and run this again when it has "
        "ended",
    ),
    (
        "must be completed before journal hot copy",
        "a full or an incremental hot copy into this backup set comes first: take one (type: incremental) and then the "
        "journal; after an archive was synchronised too, for that ends its journal copies",
    ),
    (
        "No space left on device",
        "the volume of the backup set is full on the machine of that SM: make room there. What the hot copy has left "
        "in tmp of its set is of no use; a full one begins a new set, in a directory that is empty",
    ),
)
"""Words, and what to do (NUODB-124, NUODB-128, NUODB-346)."""


def hint_of(text: str) -> Optional[str]:
    """What to do, where the words are known."""
    return next((hint for words, hint in KNOWN if words.lower() in text.lower()), None)
