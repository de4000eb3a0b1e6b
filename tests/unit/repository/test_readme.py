# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The README names every runbook and every module, once, and none that isn't there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def named(text: str, heading: str) -> list[str]:
    """The names in the first column of the table below a heading."""
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]*) \|", section, re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`(\w+)`", row)]


@pytest.mark.parametrize(
    ("heading", "files"), [("Runbooks", "playbooks/*.yml"), ("Modules", "plugins/modules/[!_]*.py")]
)
def test_a_table_names_each_once(heading: str, files: str) -> None:
    assert sorted(named(TEXT, heading)) == sorted(path.stem for path in ROOT.glob(files))


def test_names_are_read_from_one_table_alone() -> None:
    text = (
        "# One\n\n## Modules\n\n| module | what |\n|---|---|\n| `a`, `b` | `c` |\n| `d` | |\n\n## More\n\n| `e` | |\n"
    )
    assert named(text, "Modules") == ["a", "b", "d"]


def test_it_says_that_it_has_met_no_real_server_before_anything_is_asked_of_the_reader() -> None:
    assert TEXT.index("**It has never met a real server.**") < TEXT.index("## Try it")
