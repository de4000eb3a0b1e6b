# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The definition of a runbook: its phases in order, each with its work and the places for the user's hooks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Union

from ..products import DOWN

if TYPE_CHECKING:
    from .run import Run


def always(_run: Any) -> bool:
    """Always true."""
    return True


def goes_down(run: Run) -> bool:
    """Whether the state that the runbook's variable names takes databases down."""
    return run.own("state") in DOWN


@dataclass(frozen=True)
class Hook:
    """A place in a phase at which task files of the user run.

    :param name: the key of the hook in the variable C(<runbook>_hooks).
    :param about: the purpose of such a file.
    :param due: whether the hook has something to do, asked when the run reaches it.
    :param late: whether C(due) depends on what the run finds out.
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

    :param name: also the tag of the phase.
    :param text: the announcement of the phase, or a function that returns it.
    :param about: the description in the documentation.
    :param parts: the work of the phase, in order.
    :param due: whether the phase does anything. The run announces it in any case.
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
        """The parts of the phase, with the hooks before and after them."""
        before, *_between, after = self.hooks()
        return [before, *self.parts, after]


END = Phase("end", "", "", (ON_SUCCESS, ALWAYS))
"""It follows the phases of a successful run. The run doesn't announce it, and no tag skips it."""


def is_unreachable(result: dict[str, Any]) -> bool:
    """Whether a module failed because nothing answered."""
    return result.get("failure") == "unreachable"


def nobody(_run: Any) -> bool:
    """Always false."""
    return False


def nothing(_run: Any) -> list[str]:
    """No variable."""
    return []


def silent(_run: Any) -> None:
    """Says nothing."""


def nothing_left(_run: Any, _failed: dict[str, Any]) -> None:
    """Gives nothing back."""


def no_more(_run: Any) -> dict[str, Any]:
    """An empty dictionary."""
    return {}


@dataclass(frozen=True)
class Runbook:
    """One runbook.

    :param name: of the role, of the playbook, and the beginning of its variables.
    :param product: the prefix of the variables of its clusters, C(exa) or C(nuodb).
    :param takes_down: whether the runbook takes something down with these variables; the user must confirm it then.
    :param resume: variables (C(name=value)) that the command that resumes needs besides the target.
    :param stats: what the play's stats contain for a host besides the outcome.
    :param plan: the options of exa_plan or nuodb_plan for the plan of the whole runbook.
    :param conclude: shows lines about the cluster after all phases have succeeded, before the end table.
    :param settle: gives back what the runbook took. It gets the failed result; an empty one if nothing failed.
    :param reads: other runbooks whose variables this one reads, because it previews them.
    :param only_named: whether only the databases that its variable names matter.
    :param quiet: the runbook has no announcements, no hooks and no end table.
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
        """Such as C((3/6) nodes): the name of the task in the role that stands for the phase."""
        return f"({self.phases.index(phase) + 1}/{len(self.phases)}) {phase.name}"

    def hooks(self) -> list[Hook]:
        """All places for hooks, in order."""
        ends = [] if self.quiet else [ON_SUCCESS, ON_FAILURE, ALWAYS]
        return [*(hook for phase in self.phases for hook in phase.hooks()), *ends]
