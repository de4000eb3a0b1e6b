# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which phases a run is about: compared with ansible-core's own choice of tasks."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from ansible.executor.play_iterator import PlayIterator
from ansible.playbook.play_context import PlayContext
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks import selection
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.catalogue import ALL, RUNBOOKS
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.run import Run, Stopped
from ansible_collections.dbfleet.cluster.tests.unit.runbooks.plays import TASK, Stage, tasks_in

pytestmark = pytest.mark.usefixtures("roles")

BOOK = RUNBOOKS["exa_cold_start"]
PHASES = ["power", "api", "nodes", "storage", "databases", "plugins"]

TAGS: list[list[str]] = [
    [], ["nodes"], ["always"], ["never"], ["nodes", "always"], ["nodes", "never"], ["always", "never"],
    ["untagged"], ["tagged"], ["all"], ["nodes", "mine"],
]  # fmt: skip
ONLY: list[list[str]] = [
    [], ["all"], ["tagged"], ["untagged"], ["always"], ["never"], ["nodes"], ["mine", "storage"], ["storage"],
    ["all", "never"], ["tagged", "untagged"],
]  # fmt: skip
SKIP: list[list[str]] = [
    [], ["all"], ["tagged"], ["untagged"], ["always"], ["never"], ["nodes"], ["mine", "storage"], ["all", "always"],
    ["tagged", "always"],
]  # fmt: skip


@pytest.mark.parametrize("tags", TAGS, ids=lambda tags: "+".join(tags) or "none")
def test_a_task_is_chosen_as_ansible_core_would(stage: Any, tags: list[str]) -> None:
    made = stage(BOOK, play={"roles": [], "tasks": [{"name": "One", "debug": {"msg": ""}, "tags": tags}]})
    task = next(task for task in tasks_in(made.play.compile()) if task.name == "One")
    found = {}
    for only, skip in product(ONLY, SKIP):
        found[str((only, skip))] = selection.is_chosen(tags, only, skip), task.evaluate_tags(only, skip, {})
    assert {case: ours for case, (ours, theirs) in found.items() if ours != theirs} == {}
    assert {theirs for _ours, theirs in found.values()} == {True, False}


@pytest.mark.parametrize(
    ("pattern", "is_meant"),
    [
        ("(3/6) nodes", True), ("exa_cold_start : (3/6) nodes", True), ("*nodes", True), ("(?/6) n*", True),
        ("nodes", False), ("(4/6) storage", False), ("(3/6) NODES", False), ("", False),
    ],
)  # fmt: skip
def test_a_task_is_named(pattern: str, is_meant: bool) -> None:
    assert selection.is_named(["(3/6) nodes", "exa_cold_start : (3/6) nodes"], pattern) is is_meant


# -- tags of a run


@pytest.mark.parametrize(
    ("tags", "skip", "chosen"),
    [
        (["all"], [], PHASES),
        (["tagged"], [], PHASES),
        (["untagged"], [], []),
        (["nodes", "api"], [], ["api", "nodes"]),
        (["all"], ["plugins", "power"], PHASES[1:-1]),
        (["nodes", "api"], ["api"], ["nodes"]),
        (["all"], ["all"], []),
        (["all"], ["tagged"], []),
    ],
)
def test_the_tags_choose_the_phases(stage: Any, cli: Any, tags: list[str], skip: list[str], chosen: list[str]) -> None:
    cli(tags=tags, skip_tags=skip)
    assert selection.phases_of(stage(BOOK).run()) == chosen


def test_a_tag_of_the_role_is_inherited_by_every_phase(stage: Any, cli: Any) -> None:
    cli(tags=["mine"])
    play = {"roles": [{"role": BOOK.name, "tags": ["mine"]}]}
    assert selection.phases_of(stage(BOOK, play=play).run()) == PHASES
    cli(tags=["other"])
    assert selection.phases_of(stage(BOOK, play=play).run()) == []


def test_a_check_has_all_its_phases_whatever_the_tags(stage: Any, cli: Any) -> None:
    cli(tags=["nodes"], start_at_task="(3/6) nodes")
    assert selection.phases_of(stage(ALL["check_exasol"]).run()) == ["look"]


# -- the task that a run starts at


def started(stage: Stage, pattern: str, after: bool = False) -> tuple[Run, bool]:
    """A run as ansible-core would begin the play, and whether the role's task is run at all.

    :param after: whether the task was found in a play before.
    """
    context = PlayContext(stage.play)
    assert context.start_at_task == pattern
    given = stage.variable_manager.get_vars(play=stage.play)
    iterator = PlayIterator(stage.inventory, stage.play, context, stage.variable_manager, given, start_at_done=after)
    (host,) = stage.inventory.get_hosts()
    names = []
    while True:
        _state, task = iterator.get_next_task_for_host(host)
        if task is None:
            break
        names.append(task.name)
    run = stage.run()
    run.start_at_task = context.start_at_task
    return run, TASK in names


def test_it_starts_at_the_phase_that_is_named(stage: Any, cli: Any) -> None:
    for pattern in ("(3/6) nodes", f"{BOOK.name} : (3/6) nodes", "*nodes"):
        cli(start_at_task=pattern)
        run, comes = started(stage(BOOK), pattern)
        assert comes
        assert selection.phases_of(run) == PHASES[2:]


def test_it_starts_at_the_first_of_those_that_are_named_and_chosen(stage: Any, cli: Any) -> None:
    cli(start_at_task="(?/6) *", tags=["storage", "databases"])
    assert selection.phases_of(started(stage(BOOK), "(?/6) *")[0]) == ["storage", "databases"]
    cli(start_at_task="(5/6) *", tags=["storage", "databases"])
    assert selection.phases_of(started(stage(BOOK), "(5/6) *")[0]) == ["databases"]


def test_it_starts_at_its_first_phase_where_an_earlier_play_was_started_at(stage: Any, cli: Any) -> None:
    cli(start_at_task="(3/6) nodes")
    run, comes = started(stage(BOOK), "(3/6) nodes", after=True)
    assert (comes, run.start_at_task) == (True, "(3/6) nodes")
    assert selection.phases_of(run) == PHASES


@pytest.mark.parametrize("pattern", ["(3/6) nodes", "Tell", "*"])
def test_it_starts_at_its_first_phase_behind_an_earlier_task_of_the_play(stage: Any, cli: Any, pattern: str) -> None:
    cli(start_at_task=pattern)
    name = "(3/6) nodes" if pattern == "(3/6) nodes" else "Tell"
    run, comes = started(stage(BOOK, play={"pre_tasks": [{"name": name, "debug": {"msg": ""}}]}), pattern)
    assert comes
    assert selection.phases_of(run) == PHASES


def test_an_earlier_task_of_another_name_changes_nothing(stage: Any, cli: Any) -> None:
    cli(start_at_task="(3/6) nodes")
    play = {"pre_tasks": [{"block": [{"name": "Tell", "debug": {"msg": ""}}]}]}
    assert selection.phases_of(started(stage(BOOK, play=play), "(3/6) nodes")[0]) == PHASES[2:]


# -- a run about nothing


def refused(stage: Callable[..., Stage], **given: Any) -> tuple[str, list[str]]:
    """What is said where a run is about no phase: its failure, and its lines."""
    made = stage(BOOK, **given)
    run = made.run()
    run.selected = selection.phases_of(run)
    try:
        selection.refuse_nothing(run)
    except Stopped as stopped:
        return stopped.result["msg"], made.said
    return "", made.said


def test_a_run_about_no_phase_fails(stage: Any, cli: Any) -> None:
    cli(tags=["node"])
    assert refused(stage)[0] == (
        "exa-a: --tags node leaves no phase of exa_cold_start to run: its phases are power api nodes storage databases "
        "plugins [DBF-7016]"
    )
    cli(tags=["nodes"], skip_tags=["nodes"])
    assert refused(stage)[0].startswith("exa-a: --tags nodes --skip-tags nodes leaves no phase of exa_cold_start")


MINE = {"pre_tasks": [{"name": "Mine", "debug": {"msg": ""}, "tags": ["mine"]}]}


def test_a_run_about_other_tasks_of_the_play_says_that_it_is_not_about_the_runbook(stage: Any, cli: Any) -> None:
    cli(tags=["mine"])
    assert refused(stage, play=MINE) == ("", ["[exa-a] exa_cold_start: none of its phases has a tag of this run"])


def test_phases_that_are_skipped_fail_also_where_there_are_other_tasks(stage: Any, cli: Any) -> None:
    for only, skip in ((["mine", "nodes"], ["nodes"]), (["mine"], ["all"])):
        cli(tags=only, skip_tags=skip)
        assert "leaves no phase of exa_cold_start to run" in refused(stage, play=MINE)[0]


def test_a_run_about_a_phase_is_not_refused(stage: Any, cli: Any) -> None:
    cli(tags=["nodes"])
    assert refused(stage) == ("", [])
