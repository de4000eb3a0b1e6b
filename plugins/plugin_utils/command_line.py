# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Extra variables (C(-e)) that look like ours but don't exist: the intended setting would silently be missing."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Optional

from .progress import VARIABLE as PROGRESS

WORDS = ("target", "confirm", "fail_on", "dbfleet_strategy", PROGRESS)
"""Variables of playbooks that have no product's prefix."""

MEANT = {"host": "target", "hosts": "target", "limit": "target"}
"""Words that stand for one of those variables but aren't similar to it."""

ARGUMENTS = {
    "check": "--check", "check_mode": "--check", "dry_run": "--check", "dryrun": "--check", "diff": "--diff",
    "tag": "--tags", "tags": "--tags", "skip_tags": "--skip-tags", "start_at_task": "--start-at-task",
    "forks": "--forks",
}  # fmt: skip
"""Settings that are arguments of ansible-playbook: as variables they have no effect."""

ALIKE = 0.8
"""How similar a name must be to count as a typing error. Nobody sets an extra variable without effect on purpose."""

ALIKE_WITHOUT_PREFIX = 0.85
"""How similar a name must be to a variable without its prefix to count as that variable."""


UNNAMED = "_raw_params"
"""The extra variable in which Ansible keeps the words of C(-e) that have no name."""


def slips(names: Iterable[str]) -> list[str]:
    """Sentences about wrong extra variables of any playbook."""
    return [text for text in map(_slip, sorted(names)) if text]


def _slip(name: str) -> Optional[str]:
    folded = name.lower().replace("-", "_")
    if name == UNNAMED:
        return (
            "-e has words without a name=, so a value with a space was cut off at the space: use commas, or quote the "
            "value for Ansible too (-e \"name='two words'\")"
        )
    if name in WORDS:
        return None
    if folded in ARGUMENTS:
        return f"{name} is not a variable and has no effect: use the argument {ARGUMENTS[folded]}"
    meant = MEANT.get(folded) or next(iter(get_close_matches(folded, WORDS, 1, ALIKE)), None)
    return f"there is no variable {name} (did you mean {meant}?)" if meant else None


def product_slips(
    names: Iterable[str], prefix: str, runbook: str, known: Collection[str], options: Collection[str]
) -> dict[str, str]:
    """Sentences about wrong extra variables of a runbook, by their names.

    :param prefix: the prefix of the product's variables, with its underscore.
    :param known: names with this prefix that are in use.
    :param options: the variables that a user may set.
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
