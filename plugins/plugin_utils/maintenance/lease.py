# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lease of a NuoDB domain, from before the first change of its maintenance until after the last one."""

from __future__ import annotations

from typing import Any, Optional

from .. import worker
from ..fleet.condition import UNREACHABLE, UP
from ..fleet.meant import Meant
from ..runbooks.nuodb.lease import TAKE_OVER, WITHOUT

BEFORE_ANYTHING = ("begin", "shutdown", "graceful shutdown")
"""Phases in which a cluster that is in its earlier state has not been changed."""


def options_of(run: str, one: Meant) -> dict[str, Any]:
    """The options of nuodb_lease besides the connection; none if the maintenance takes no lease.

    :param run: a value that all tasks of the play share, so that the runbooks of the play know the lease as theirs.
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
    """The state of nuodb_lease after a failed maintenance; an empty text if the domain doesn't answer.

    If the maintenance left a domain down or partly down, the lease keeps recovery away: the resumed maintenance starts
    the domain.

    :param phase: the phase in which the maintenance failed.
    :param before: the state of the domain when its wave began.
    :param now: the state of the domain now.
    """
    if now == UNREACHABLE:
        return ""
    is_untouched = phase in BEFORE_ANYTHING and now == before
    return "returned" if now == UP or is_untouched else "kept"
