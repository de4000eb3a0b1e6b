# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A start that two tasks of one `shared_session` share: the first waits for the SMs, the second for the TEs.

One task that starts both reads the servers, databases and archives once, and then only the processes. Two tasks that
follow each other do the same. The second reads all again as soon as it would have to request a process.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Optional

from ..api.objects import SM, TE
from ..processes.start import StartProcesses
from ..view import DomainView, Snapshot
from .start import StartChoice
from .wanted import WantedDatabase, te_servers

START = "start"

Begun = tuple[list[WantedDatabase], Snapshot, StartProcesses]
"""The databases of a start, the first look at them, and their processes."""


@dataclass(frozen=True)
class Left:
    """A start that succeeded as far as its task waited for it.

    :param given: the option `databases`.
    :param ignored: the archives that were left out.
    """

    given: list[Any]
    ignored: tuple[int, ...]
    begun: Begun


def leave(view: DomainView, given: list[Any], choice: StartChoice, begun: Begun) -> None:
    """Hands a start on to the next task, if it has all slots of the databases, those of TEs too."""
    meant, snapshot, _work = begun
    whole = SM in choice.engine_types and (TE in choice.engine_types or choice.te_early)
    if whole and all(te_servers(one, snapshot) is not None for one in meant):
        view.domain.leave(START, Left(given, choice.ignored, begun))


def continued(view: DomainView, given: list[Any], choice: StartChoice) -> Optional[Begun]:
    """The start that the task before has begun, for a task that waits for its end.

    :returns: None if there is none, if the task asks for something else, or if a process is missing.
    """
    left: Optional[Left] = view.domain.left(START)
    if left is None or (left.given, left.ignored, {SM, TE}) != (given, choice.ignored, set(choice.engine_types)):
        return None
    meant, snapshot, work = left.begun
    slots = [replace(slot, only_requested=False) for slot in work.slots]
    with view.first_look():
        seen = view.look("processes", db_names=[one.db_name for one in meant])
    work = work.continued(view, slots, seen)
    return (meant, snapshot, work) if work.lacks_nothing else None
