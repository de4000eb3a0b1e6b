# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Extra variables (C(-e)) that look as if they were ours and are not: what was meant would be left out unseen."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Optional

from .progress import VARIABLE as PROGRESS

WORDS = ("target", "confirm", "fail_on", "dbfleet_strategy", PROGRESS)
"""Variables of playbooks that have no product's prefix."""

MEANT = {"host": "target", "hosts": "target", "limit": "target"}
"""Words that mean one of those, and aren't like it."""

ARGUMENTS = {
    "check": "--check", "check_mode": "--check", "dry_run": "--check", "dryrun": "--check", "diff": "--diff",
    "tag": "--tags", "tags": "--tags", "skip_tags": "--skip-tags", "start_at_task": "--start-at-task",
    "forks": "--forks",
}  # fmt: skip
"""What is said with an argument: as a variable it does nothing."""

ALIKE = 0.8
"""How alike a name must be to be taken for a slip of the hand. Nobody gives an extra variable that does nothing."""

ALIKE_WITHOUT_PREFIX = 0.85
"""How alike a name without the product's prefix must be to be taken for a variable whose prefix was left out."""


def slips(names: Iterable[str]) -> list[str]:
    """What is wrong with extra variables of any playbook, in sentences."""
    return [text for text in map(_slip, sorted(names)) if text]


def _slip(name: str) -> Optional[str]:
    folded = name.lower().replace("-", "_")
    if name in WORDS:
        return None
    if folded in ARGUMENTS:
        return f"{name} is not a variable and has no effect: use the argument {ARGUMENTS[folded]}"
    meant = MEANT.get(folded) or next(iter(get_close_matches(folded, WORDS, 1, ALIKE)), None)
    return f"there is no variable {name} (did you mean {meant}?)" if meant else None


def product_slips(
    names: Iterable[str], prefix: str, runbook: str, known: Collection[str], options: Collection[str]
) -> dict[str, str]:
    """What is wrong with extra variables of a runbook: by name, in sentences.

    :param prefix: of the product's variables, with its underscore.
    :param known: names that begin with it and mean something.
    :param options: the variables that are meant to be set.
    """
    beginnings = (f"{runbook}_", prefix)
    short = {name.removeprefix(start): name for start in beginnings for name in options if name.startswith(start)}
    found = {}
    for name in sorted(names):
        folded = name.lower()
        if name in known or folded.startswith(("ansible_", *(WORDS))):
            continue
        if folded.startswith(prefix):
            meant = next(iter(get_close_matches(folded, options, 1, ALIKE)), None)
        else:
            meant = short.get(next(iter(get_close_matches(folded, list(short), 1, ALIKE_WITHOUT_PREFIX)), ""))
        if meant:
            found[name] = f"there is no variable {name} (did you mean {meant}?)"
    return found
