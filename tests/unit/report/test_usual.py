# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The estimate by earlier records."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.report import record, usual
from ansible_collections.dbfleet.cluster.tests.unit.report.conftest import phase, step

PHASES = ["api", "nodes"]
SOME = {"runs": 7, "seconds": 360.0, "least": 300.0, "most": 480.0, "longest": "DB2"}


@pytest.fixture
def kept(tmp_path: Path, new_row: Callable[..., Any]) -> Callable[..., Path]:
    """Keeps records of runs of so many seconds, the first one the oldest."""

    def keep(*seconds: float, since: float = 1e9, **more: Any) -> Path:
        done = {"result": record.OK, "phases": [phase(name, "done", 0.0, 1.0) for name in PHASES], **more}
        for number, one in enumerate(seconds):
            at = since + 1000 * number
            steps = [step("DB1", one / 3), step("DB2", one / 2)] if one else []
            row = new_row(**{"at": at, "seconds": one, "steps": steps, **done})
            record.write(record.path_of(str(tmp_path), "exa-prod", "exa_cold_start", at), row)
        return tmp_path / "exa-prod"

    return keep


def test_the_median_of_good_runs_that_did_something_in_the_same_phases(kept: Any) -> None:
    kept(360, 300, 480, 0)
    kept(9000, since=2e9, result=record.FAILED)
    kept(9000, since=2.1e9, check=True)
    folder = kept(9000, since=2.2e9, phases=[phase("api", "done", 0.0, 1.0), phase("nodes", "left out")])
    found, warnings = usual.of(folder, "exa_cold_start", PHASES)
    assert (found, warnings) == ({**SOME, "runs": 3}, [])
    assert found is not None
    assert usual.sentence(found) == (
        "usually 6 min (5 min to 8 min in 3 runs), DB2 longest; an estimate from earlier records"
    )
    assert usual.of(folder, "exa_graceful_shutdown", PHASES) == (None, [])


def test_no_more_than_the_newest_are_read(kept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = kept(*range(100, 200))
    read: list[Path] = []
    real = record.read
    monkeypatch.setattr(record, "read", lambda path: read.append(path) or real(path))
    found, _warnings = usual.of(folder, "exa_cold_start", PHASES)
    assert found is not None
    assert (len(read), found["least"], found["most"]) == (20, 180.0, 199.0)


def test_files_that_are_no_records_are_one_warning(kept: Any) -> None:
    folder = kept(360)
    for number in range(3):
        (folder / f"2099010{number}T000000.000Z-exa_cold_start-exa-prod.json").write_text("{")
    found, warnings = usual.of(folder, "exa_cold_start", PHASES)
    assert found is not None
    assert found["runs"] == 1
    assert len(warnings) == 1
    assert warnings[0].startswith("skipped 3 files that are not records of a run in ")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (360, ""),
        (720, ""),
        (180, ""),
        (760, "7 min longer than usual (usually 6 min, from 7 earlier runs)"),
        (90, "unusually quick: 90 s (usually 6 min, from 7 earlier runs)"),
    ],
)
def test_what_is_unusual(seconds: float, said: str) -> None:
    assert usual.verdict(SOME, seconds) == said


def test_seconds_alone_are_nothing_unusual() -> None:
    quick = {**SOME, "seconds": 10.0, "runs": 1}
    assert usual.verdict(quick, 39) == ""
    assert usual.verdict(quick, 41) == "31 s longer than usual (usually 10 s, from 1 earlier run)"
    assert usual.verdict(None, 9e9) == ""


@pytest.mark.parametrize(("seconds", "said"), [(5, "5 s"), (99, "99 s"), (100, "2 min"), (5990, "1 h 40 min")])
def test_times_as_people_say_them(seconds: float, said: str) -> None:
    assert usual.words(seconds) == said
