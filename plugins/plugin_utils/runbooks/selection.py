# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which phases of a runbook a run carries out: by its tags, and by the task at which it starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from ansible import context

from ...module_utils._wording import listing
from .definition import Phase

if TYPE_CHECKING:
    from .run import Run

UNTAGGED = {"untagged"}


def is_chosen(tags: Iterable[str], only: Sequence[str], skip: Sequence[str]) -> bool:
    """Whether ansible-core would run a task with these tags (C(playbook/taggable.py))."""
    mine = set(tags) or UNTAGGED
    tagged = mine != UNTAGGED
    run = (
        not only
        or "always" in mine
        or bool(mine & set(only))
        or ("never" not in mine and ("all" in only or ("tagged" in only and tagged)))
    )
    if "all" in skip:
        return run and "always" in mine and "always" not in skip
    return run and not mine & set(skip) and not ("tagged" in skip and tagged)


def is_named(names: Iterable[str], pattern: str) -> bool:
    """Whether the pattern of C(--start-at-task) matches a task with these names."""
    return any(name == pattern or fnmatch(name, pattern) for name in names)


def phases_of(run: Run) -> list[str]:
    """The names of the phases that the run carries out."""
    book = run.book
    if book.quiet:
        return [phase.name for phase in book.phases]
    inherited = list(run.task._parent.tags)
    chosen = [one for one in book.phases if is_chosen([*inherited, one.name], run.only_tags, run.skip_tags)]
    return [phase.name for phase in chosen[_started_at(run, chosen) :]]


def _started_at(run: Run, chosen: list[Phase]) -> int:
    """The number of the phase that C(--start-at-task) names; 0 if it names no phase, or a task before this role.

    ansible-core clears the pattern in the play in which it found the task, and leaves it in those that follow.
    """
    pattern = context.CLIARGS.get("start_at_task")
    if not pattern or run.start_at_task is not None:
        return 0
    mine = run.task.get_name().partition(" : ")[0]
    titles = [{run.book.title(phase), f"{mine} : {run.book.title(phase)}"} for phase in chosen]
    hits = [number for number, names in enumerate(titles) if is_named(names, pattern)]
    return hits[0] if hits and not _starts_before(run, pattern) else 0


def _starts_before(run: Run, pattern: str) -> bool:
    """Whether the play started at a task before the role's."""
    for task in _tasks_of_play(run):
        if is_named({task.name or "", task.get_name()}, pattern):
            return task._role is None or task._role.get_name() != run.task._role.get_name()
    return True  # an include added the task, and this role comes after it


def refuse_nothing(run: Run) -> None:
    """Fails if the run has no phase to carry out, unless its tags select other tasks of the play."""
    if run.selected:
        return
    only, skip = run.only_tags, run.skip_tags
    names = [phase.name for phase in run.book.phases]
    others = {tag for task in _tasks_of_play(run) for tag in task.tags} - {"always", *names}
    if set(only) & others and not set(skip) & {"all", *names}:
        run.say(f"{run.book.name}: none of its phases has a tag of this run")
        return
    says = f"--tags {','.join(only)}" + (f" --skip-tags {','.join(skip)}" if skip else "")
    names_of_all = listing(names, most=20)
    run.fail(f"{run.host}: {says} leaves no phase of {run.book.name} to run: its phases are {names_of_all}", "DBF-7016")


def _tasks_of_play(run: Run) -> Iterator[Any]:
    for block in run.play.compile():
        yield from _tasks(block)


def _tasks(block: Any) -> Iterator[Any]:
    """The tasks of a block in the order in which they run when nothing fails."""
    for one in block.block:
        if hasattr(one, "block"):
            yield from _tasks(one)
        else:
            yield one
