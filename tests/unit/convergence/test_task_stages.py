# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task leaves behind at the server is fetched at its end, however it ends."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import Done, Each, Fail, Stage, Wait
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.task_stages import bring
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.tests.unit.conftest import FakeCluster, Spoken


class Keeping(FakeCluster):
    """A cluster that keeps what was begun."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[float] = []

    def collect(self, seconds: float) -> list[str]:
        self.given.append(seconds)
        return ["exa-unit: job 11.1 goes on"]


def task(**more: Any) -> Spoken:
    return Spoken(**{"wait": True, "wait_timeout": 60, "wait_stable": 0, "heartbeat": 30, **more})


def stage(decision: Any) -> Stage:
    return Stage(
        noun="nodes", done="online", names=["n11"], read=Each(lambda _name: "off"), decide=lambda *_about: decision
    )


@pytest.mark.parametrize(
    ("decision", "options", "seconds"),
    [
        (Done(), {}, 15.0),
        (Done(), {"wait_timeout": 4}, 4.0),
        (Done(), {"wait": False}, 0.0),
        (Fail("broken"), {}, 15.0),
        (Wait("coming"), {"wait_timeout": 0.05}, 0.05),
    ],
)
def test_what_was_begun_is_fetched_at_the_end(decision: Any, options: dict[str, Any], seconds: float) -> None:
    cluster, given = Keeping(), task(**options)
    try:
        bring(given, cluster, [stage(decision)])
    except ClusterError:
        assert not isinstance(decision, Done)
    assert cluster.given == [seconds]
    assert given.warnings == ([] if options.get("wait") is False else ["exa-unit: job 11.1 goes on"])
