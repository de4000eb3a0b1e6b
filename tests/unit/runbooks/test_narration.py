# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end table and its cause."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks import narration

PHASES = [{"phase": "power", "began": 100.0}, {"phase": "api", "began": 110.04}, {"phase": "nodes", "began": 200.0}]


def entry(**more: Any) -> dict[str, Any]:
    usual = {"runbook": "exa_cold_start", "host": "exa-a", "check": False, "hooks": "", "phases": PHASES}
    return {**usual, "resume": "ansible-playbook it", "at": 4000.0, **more}


SECONDS = {"power": 10.0, "api": 90.0, "nodes": 3800.0}


def test_a_phase_lasts_until_the_next_one_begins() -> None:
    assert narration.durations(PHASES, 4000.0) == SECONDS
    assert narration.durations([], 4000.0) == {}


def test_a_wall_clock_that_is_set_back_makes_no_duration_negative() -> None:
    assert min(narration.durations(PHASES, 0.0).values()) == 0.0


@pytest.mark.parametrize(
    ("failed", "check", "head", "last"),
    [
        (False, False, "exa_cold_start: ok", "  nodes             1:03:20  done"),
        (True, False, "exa_cold_start: failed", "  nodes             1:03:20  failed here"),
        (False, True, "exa_cold_start: ok (check mode: nothing was changed)", "  nodes             1:03:20  done"),
    ],
)
def test_the_table_of_phases(failed: bool, check: bool, head: str, last: str) -> None:
    assert narration.table(entry(check=check), SECONDS, failed) == [
        head,
        "  power               00:10  done",
        "  api                 01:30  done",
        last,
    ]


def test_a_run_that_failed_after_its_last_phase_failed_in_none() -> None:
    """Under check mode, a stale plan made the last phase look as if it had failed."""
    assert narration.table(entry(check=True, through=True), SECONDS, failed=True) == [
        "exa_cold_start: failed (check mode: nothing was changed)",
        "  power               00:10  done",
        "  api                 01:30  done",
        "  nodes             1:03:20  done",
    ]


def test_the_cause_and_how_it_goes_on() -> None:
    resume = "resume: ansible-playbook it   # AWX: relaunch on failed hosts"
    assert narration.cause_and_resume(entry(), "off") == ["cause: off", resume]
    assert narration.cause_and_resume(entry(), "off", "on") == ["cause: off", "hint: on", resume]
    of_a_job = "in AWX, relaunch job 7 on failed hosts"
    assert narration.cause_and_resume(entry(resume=of_a_job), "off") == ["cause: off", f"resume: {of_a_job}"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"phases": []}, "the run was stopped in phase begin"),
        ({}, "the run was stopped in phase nodes"),
        (
            {"hooks": "power (on.yml)"},
            "it stopped at the hook power (on.yml) in phase nodes (the hook ended the host or the play by meta, the "
            "hook can't be loaded, or the run was stopped)",
        ),
    ],
)
def test_why_a_run_did_not_come_to_its_end(more: dict[str, Any], says: str) -> None:
    assert narration.unended_cause(entry(**more)) == f"exa-a: exa_cold_start did not finish: {says} [DBF-6807]"


def test_a_run_that_had_failed_before_it_was_stopped_tells_why() -> None:
    assert narration.unended_cause(entry(cause="exa-a: n11 is off", hooks="power (on.yml)")) == "exa-a: n11 is off"


STEPS = {"startupNode": ["n11", "n12"], "startDatabase": [f"DB{number}" for number in range(1, 11)]}


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (
            {"begun": STEPS},
            "startupNode n11 n12, startDatabase DB1 DB2 DB3 DB4 DB5 DB6 DB7 DB8 and 2 more: what is "
            "not finished yet continues on the cluster without this run; no further step follows, and the "
            "next run joins it",
        ),
        ({"begun": {}}, "no step of this run; what the run waited for continues, and no further step follows"),
        (
            {"begun": {}, "hooks": "power (on.yml)"},
            "no step of this run; what the hook has started may continue, and no further step follows",
        ),
        (
            {"begun": None},
            "the module of this phase runs in its own process, which ends soon after its connection; what the "
            "module has started continues on the cluster without this run, and the next run joins it",
        ),
    ],
)
def test_what_goes_on_by_itself(more: dict[str, Any], says: str) -> None:
    assert narration.under_way(entry(**more)) == [f"under way: {says}"]
    assert narration.unended(entry(**more))[-2] == f"[exa-a] under way: {says}"


def test_nothing_goes_on_by_itself_under_check_mode() -> None:
    assert narration.under_way(entry(begun=STEPS, check=True)) == []


def test_the_table_of_a_run_that_did_not_come_to_its_end() -> None:
    lines = narration.unended(entry(phases=PHASES[:1], at=107.0))
    assert lines == [
        "[exa-a] exa_cold_start: failed",
        "[exa-a]   power               00:07  stopped here",
        "[exa-a] cause: exa-a: exa_cold_start did not finish: the run was stopped in phase power [DBF-6807]",
        "[exa-a] resume: ansible-playbook it   # AWX: relaunch on failed hosts",
    ]
