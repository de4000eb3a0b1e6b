# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the runbooks of NuoDB share: the proof that all runs."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.nuodb import common
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.nuodb.cold_start import RUNBOOK
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.run import Stopped
from ansible_collections.dbfleet.cluster.tests.unit.runbooks.plays import calls_of

STEP = {"object": "test:archive1@server1", "step": "start SM"}


def proof(
    stage: Any, found: dict[str, Any], databases: Any, check: bool = False, **given: Any
) -> tuple[str, list[str]]:
    """Why not everything runs, and the modules that have looked."""
    answers = {"nuodb_database": found, "nuodb_domain_info": {"summary": "so it is"}}
    run = stage(RUNBOOK, ("nuo-a",), answers=answers, check=check, **given).run()
    run.prepare()
    try:
        common.verify(run, databases)
    except Stopped as stopped:
        return stopped.result["msg"], [call.module for call in calls_of(run)]
    return "", [call.module for call in calls_of(run)]


BOTH = ["nuodb_database", "nuodb_domain_info"]


@pytest.mark.parametrize(
    ("steps", "states", "given", "says"),
    [
        ([], {"test": "RUNNING"}, {}, ""),
        ([STEP], {"test": "RUNNING"}, {}, "test:archive1@server1: start SM"),
        ([], {"test": "RUNNING", "sales": "NOT_RUNNING"}, {}, "sales is NOT_RUNNING"),
        ([STEP], {"sales": "NOT_RUNNING"}, {}, "test:archive1@server1: start SM, sales is NOT_RUNNING"),
        ([], {"test": "AWAITING_ARCHIVE_HISTORIES_INC"}, {}, "test is AWAITING_ARCHIVE_HISTORIES_INC"),
        ([], {"test": "AWAITING_ARCHIVE_HISTORIES_INC"}, {"nuodb_cold_start_ignore_archives": [1]}, ""),
    ],
)
def test_everything_runs_or_what_does_not_is_told(
    stage: Any, roles: None, steps: list[Any], states: dict[str, str], given: dict[str, Any], says: str
) -> None:
    found = {"steps": steps, "databases": {name: {"state": state} for name, state in states.items()}}
    expected = (f"nuo-a: not everything runs: {says} [DBF-5009]", BOTH[:1]) if says else ("", BOTH)
    assert proof(stage, found, ["all"], **given) == expected


def test_nothing_is_looked_at_where_nothing_was_meant_or_changed(stage: Any, roles: None) -> None:
    assert proof(stage, {}, []) == ("", BOTH[1:])
    assert proof(stage, {}, ["all"], check=True) == ("", BOTH[1:])
