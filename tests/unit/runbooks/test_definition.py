# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A runbook as data: its phases, their titles, the places for hooks."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.definition import (
    Hook,
    Phase,
    Runbook,
    is_unreachable,
    nobody,
)

BETWEEN = Hook("between", "in the middle.")
FIRST = Phase("first", "begin", "begins", (print, BETWEEN, print))
SECOND = Phase("second", "go on", "goes on")
BOOK = Runbook("exa_demo", "exa", (FIRST, SECOND), takes_down=nobody)


def test_a_phase_has_places_for_hooks_around_it_and_within() -> None:
    assert [part.name if isinstance(part, Hook) else part for part in FIRST.all_parts()] == [
        "before_first", print, "between", print, "after_first"
    ]  # fmt: skip
    assert [part.name for part in SECOND.all_parts() if isinstance(part, Hook)] == ["before_second", "after_second"]
    assert [hook.name for hook in BOOK.hooks()] == [
        "before_first", "between", "after_first", "before_second", "after_second", "on_success", "on_failure", "always",
    ]  # fmt: skip


def test_what_is_told_of_a_hook() -> None:
    before, _between, after = FIRST.hooks()
    assert (before.about, after.about) == ("that runs before phase first.", "that runs after phase first.")
    assert (before.late, before.due(None)) == (False, True)


def test_a_phase_is_titled_by_its_place() -> None:
    assert [BOOK.title(phase) for phase in BOOK.phases] == ["(1/2) first", "(2/2) second"]


def test_the_least_that_a_runbook_says() -> None:
    assert (BOOK.takes_down(None), BOOK.resume(None), BOOK.stats(None), BOOK.plan(None)) == (False, [], {}, {})


@pytest.mark.parametrize(("failure", "is_it"), [("unreachable", True), ("refused", False), (None, False)])
def test_what_is_unreachable(failure: Any, is_it: bool) -> None:
    assert is_unreachable({"failure": failure} if failure else {}) is is_it
