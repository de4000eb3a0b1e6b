# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the wait for an API leaves for a report; the wait itself is tested with the servers that are waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.await_api import AwaitedApi, await_api
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import TimedOut, Unreachable
from ansible_collections.dbfleet.cluster.plugins.module_utils._timeline import Timeline


def api(*answers: Any) -> AwaitedApi:
    """An API that answers so, the last one again and again."""
    left = list(answers)

    def ask() -> str:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    return AwaitedApi("exa-unit", ask, lambda: "https://n10")


def states(task: Any) -> list[tuple[str, str]]:
    (row,) = task.timeline.seen.values()
    return [(how, words) for _at, how, words in row]


def test_it_is_waited_for_and_answers(new_task: Callable[..., Any]) -> None:
    task = new_task()
    task.timeline = Timeline()
    off = Unreachable("exa-unit: connection refused")
    await_api(task, api(off, off, "no quorum", ""), 60, 30)
    assert list(task.timeline.seen) == [("API", "exa-unit")]
    assert states(task) == [
        ("waits", "exa-unit: connection refused"), ("waits", "no quorum"), ("there", "answers")
    ]  # fmt: skip


def test_it_never_answers(new_task: Callable[..., Any]) -> None:
    task = new_task()
    task.timeline = Timeline()
    with pytest.raises(TimedOut):
        await_api(task, api(Unreachable("exa-unit: connection refused")), 0.3, 30)
    assert states(task) == [("waits", "exa-unit: connection refused")]
