# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a runbook is: phases in an order, each with what it does and with the places for the user's hooks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Union

if TYPE_CHECKING:
    from .run import Run


def always(_run: Any) -> bool:
    """Nothing speaks against it."""
    return True


@dataclass(frozen=True)
class Hook:
    """A place in the middle of a phase at which task files of the user run.

    :param name: its key in the variable C(<runbook>_hooks).
    :param about: what such a file is for.
    :param due: whether there is something to do for it, as things stand when the run comes there.
    :param late: whether only what the run finds out can tell that.
    """

    name: str
    about: str
    due: Callable[[Run], bool] = always
    late: bool = False


ON_SUCCESS = Hook("on_success", "that runs after all phases succeeded, before the end table.")
ON_FAILURE = Hook("on_failure", "that runs after the run failed and printed the end table.")
ALWAYS = Hook("always", "that runs at the end of every run, after C(on_success) or C(on_failure).")

Part = Union[Callable[["Run"], None], Hook]


@dataclass(frozen=True)
class Phase:
    """One phase.

    :param name: its tag too.
    :param text: what the run says when it begins, or what makes this text.
    :param about: what the documentation says of it.
    :param parts: what it does, in order.
    :param due: whether it does anything. One that doesn't is announced nonetheless.
    """

    name: str
    text: Union[str, Callable[[Run], str]]
    about: str
    parts: tuple[Part, ...] = ()
    due: Callable[[Run], bool] = always

    def hooks(self) -> Iterator[Hook]:
        """All places for hooks, in order."""
        yield Hook(f"before_{self.name}", f"that runs before phase {self.name}.")
        yield from (part for part in self.parts if isinstance(part, Hook))
        yield Hook(f"after_{self.name}", f"that runs after phase {self.name}.")

    def all_parts(self) -> list[Part]:
        """What it does, with the hooks around it."""
        before, *_between, after = self.hooks()
        return [before, *self.parts, after]


END = Phase("end", "", "", (ON_SUCCESS, ALWAYS))
"""Behind the phases of a run that goes well. It isn't announced, and no tag leaves it out."""


def is_unreachable(result: dict[str, Any]) -> bool:
    """Whether a module failed because nothing answered."""
    return result.get("failure") == "unreachable"


def nobody(_run: Any) -> bool:
    """It takes nothing down."""
    return False


def nothing(_run: Any) -> list[str]:
    """No variable."""
    return []


def silent(_run: Any) -> None:
    """Says nothing."""


def nothing_left(_run: Any, _failed: dict[str, Any]) -> None:
    """Nothing is to be given back."""


def no_more(_run: Any) -> dict[str, Any]:
    """Nothing more."""
    return {}


@dataclass(frozen=True)
class Runbook:
    """One runbook.

    :param name: of the role, of the playbook, and the beginning of its variables.
    :param product: the prefix of the variables of its clusters, C(exa) or C(nuodb).
    :param takes_down: whether, with these variables, it takes something down, so that it must be confirmed by name.
    :param resume: variables (C(name=value)) that the command that resumes needs besides the target.
    :param stats: what the play's stats say of a host besides the outcome.
    :param plan: what the plan of the whole runbook has to know, as options of exa_plan or nuodb_plan.
    :param conclude: what it says of the cluster when all phases ended well, before the end table.
    :param settle: what it gives back at its end, with the result of what failed; empty where nothing did.
    :param reads: other runbooks whose variables it reads, since it is about them.
    :param only_named: whether of the databases those alone matter that its variable names.
    :param quiet: it has no announcements, no hooks and no end table.
    """

    name: str
    product: str
    phases: tuple[Phase, ...]
    takes_down: Callable[[Run], bool]
    resume: Callable[[Run], list[str]] = nothing
    stats: Callable[[Run], dict[str, Any]] = no_more
    plan: Callable[[Run], dict[str, Any]] = no_more
    conclude: Callable[[Run], None] = silent
    settle: Callable[[Run, dict[str, Any]], None] = nothing_left
    reads: tuple[Runbook, ...] = ()
    only_named: bool = False
    quiet: bool = False

    def title(self, phase: Phase) -> str:
        """As C((3/6) nodes): the name of the phase's signpost in the role."""
        return f"({self.phases.index(phase) + 1}/{len(self.phases)}) {phase.name}"

    def hooks(self) -> list[Hook]:
        """All places for hooks, in order."""
        ends = [] if self.quiet else [ON_SUCCESS, ON_FAILURE, ALWAYS]
        return [*(hook for phase in self.phases for hook in phase.hooks()), *ends]
