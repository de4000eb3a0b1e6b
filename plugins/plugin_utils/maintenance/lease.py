# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lease of a NuoDB domain, from before the first change of its maintenance to behind the last one."""

from __future__ import annotations

from typing import Any, Optional

from .. import worker
from ..fleet.condition import UNREACHABLE, UP
from ..fleet.meant import Meant
from ..runbooks.nuodb.lease import TAKE_OVER, WITHOUT

BEFORE_ANYTHING = ("begin", "shutdown", "graceful shutdown")
"""Phases in which a cluster that is as it was has not been changed."""


def options_of(run: str, one: Meant) -> dict[str, Any]:
    """What nuodb_lease has to know, besides the connection; nothing where none is taken.

    :param run: what all tasks of the play have in common, for the runbooks within it must know the lease as theirs.
    """
    choice = one.given.get("nuodb_lease") or ""
    if one.product != "nuodb" or choice == WITHOUT:
        return {}
    timeout = one.given.get("nuodb_lease_timeout")
    return {
        "run": str(run),
        "about": "maintenance",
        "pid": worker.playbook_pid(),
        "take_over": choice == TAKE_OVER,
        **({"lease_timeout": timeout} if timeout not in (None, "") else {}),
    }


def end_of(phase: str, before: Optional[str], now: str) -> str:
    """What becomes of the lease where a maintenance failed: a state of nuodb_lease, or nothing where nobody answers.

    What the maintenance has left down or in part is kept from recovery: whoever goes on with it brings it up.

    :param phase: in which it failed.
    :param before: the state of the domain when its wave began.
    :param now: its state now.
    """
    if now == UNREACHABLE:
        return ""
    is_untouched = phase in BEFORE_ANYTHING and now == before
    return "returned" if now == UP or is_untouched else "kept"
