# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Colours of lines that the code itself has made, and lines on a narrow terminal."""

from __future__ import annotations

from typing import Any, Optional

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.pace import Pace, progress as progress_line
from ansible_collections.dbfleet.cluster.plugins.plugin_utils import progress, tones
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks import narration

PHASES = [{"phase": "power", "began": 100.0}, {"phase": "nodes", "began": 110.0}]


def entry(**more: Any) -> dict[str, Any]:
    usual = {"runbook": "exa_cold_start", "host": "exa a", "check": False, "hooks": "", "phases": PHASES, "at": 4000.0}
    return {**usual, "resume": "ansible-playbook it", **more}


def colours(lines: list[str]) -> list[Optional[str]]:
    return [tones.colour_of(line) for line in lines]


def test_the_end_table_of_a_cluster() -> None:
    seconds = {"power": 10.0, "nodes": 3890.0}
    good = narration.of_host("exa a", narration.table(entry(), seconds, False))
    assert colours(good) == [progress.GOOD] * 3
    good = narration.of_host("exa a", narration.table(entry(check=True), seconds, False))
    assert colours(good) == [progress.GOOD] * 3
    cause = narration.cause_and_resume(entry(), "off", "switch it on")
    bad = narration.of_host("exa a", [*narration.table(entry(), seconds, True), *cause])
    assert colours(bad) == [progress.BAD, progress.GOOD, progress.BAD, progress.BAD, None, None]
    under_way = narration.under_way(entry(begun={"startupNode": ["n0011"]}))
    assert colours(narration.of_host("exa a", under_way)) == [progress.NOTED]


def test_progress_is_faint_while_it_waits_and_good_when_all_is_there() -> None:
    waiting = progress_line("nodes", Pace(60), 1, {"n0012": "booting"}, "online")
    there = progress_line("nodes", Pace(60), 2, {}, "online")
    assert colours([f"[exa-a] {waiting}", f"[exa-a] {there}"]) == [progress.FAINT, progress.GOOD]


@pytest.mark.parametrize(
    ("line", "colour"),
    [
        ("[exa-a] api: 01:02:10  waiting, times out in 00:50: connection refused", progress.FAINT),
        ("[exa-a] api: 00:02  answers at https://n10", progress.GOOD),
        ("[exa-a] nodes: startupNode (offline -> online): n0011", progress.NOTED),
        ("[exa-a] databases: would startDatabase (setup -> connectable): DB1", progress.NOTED),
        ("[exa-a] nodes: startupNode of n0011 is sent again: its answer was lost", progress.NOTED),
        ("[exa-a] refused: n0011 is off", progress.BAD),
        ("[exa-a] maintenance: done, and everything that was up before is up", progress.GOOD),
        ("[exa-a] maintenance: sick in phase cold start: exa-a: off", progress.BAD),
        ("[exa-a] up before the shutdown of 2026-11-28 23:10:05, not up now: nodes n0014 (offline)", progress.NOTED),
        ("[exa-a] (3/6) nodes: power on and wait", None),
        ("[exa-a] plan: nothing to do", None),
        ("[exa-a] a word: of the user", None),
        ("up           exa-a  cause: none", None),
    ],
)
def test_a_line_alone(line: str, colour: Optional[str]) -> None:
    assert tones.colour_of(line) == colour


@pytest.mark.parametrize(
    ("width", "line", "seen"),
    [
        (None, "[exa-a] cause: one two three", "[exa-a] cause: one two three"),
        (28, "[exa-a] cause: one two three", "[exa-a] cause: one two three"),
        (27, "[exa-a] cause: one two three", "[exa-a] cause: one two\n    three"),
        (20, "[exa-a] resume: one two three", "[exa-a] resume: one two three"),
        (20, "goes on: ansible-playbook -i it", "goes on: ansible-playbook -i it"),
        (19, "[exa-a] cause: one two three", "[exa-a] cause: one two three"),
        (20, "    /a/path/that/no/line/can/hold", "    /a/path/that/no/line/can/hold"),
    ],
)
def test_a_line_is_wrapped_between_words_but_for_what_is_copied(
    monkeypatch: pytest.MonkeyPatch, width: Optional[int], line: str, seen: str
) -> None:
    monkeypatch.setattr(progress, "WIDTH", width)
    assert tones.dressed((line, None))[0] == seen


def test_a_colour_that_a_line_has_already_stays() -> None:
    assert tones.dressed(("[exa-a] cause: off", "green")) == ("[exa-a] cause: off", "green")
    assert tones.dressed(("[exa-a] cause: off", None)) == ("[exa-a] cause: off", progress.BAD)
