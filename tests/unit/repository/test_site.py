# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The site that `make docs` makes has every page of the documentation in its contents."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"

MADE = {"collection/index"}
"""What is made with the site: the reference."""


def contents(text: str) -> list[str]:
    """The pages in the contents, with a title of their own or without."""
    blocks = re.findall(r"```\{toctree\}\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.split("\n") if line and not line.startswith(":")]
    return [re.sub(r".*<(.*)>", r"\1", line) for line in lines]


def test_every_page_is_in_its_contents_once() -> None:
    listed = contents((DOCS / "index.md").read_text())
    pages = {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md")}
    pages = {name for name in pages if not name.startswith("examples/")} - {"index"}
    outside = {f"../{path.stem}" for path in ROOT.glob("*.md")}
    assert len(listed) == len(set(listed))
    assert pages | outside <= set(listed)
    assert set(listed) - pages - outside - MADE == {"../CHANGELOG", "../findings/README"}


def test_a_page_that_is_missing_is_seen() -> None:
    assert contents("```{toctree}\n:maxdepth: 1\n\none\nThe second <two>\n```\n\nthree\n") == ["one", "two"]
