# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The site that `make docs` makes has every page of the documentation in its contents."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

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


PAGE = """\
.. Title

dbfleet.cluster.exa_node module -- Power the nodes of a cluster
+++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++

.. Collection note

.. note::
    This module is part of the dbfleet.cluster collection.

    To install it, use ansible-galaxy.

.. contents::
   :local:
   :depth: 1

Synopsis
--------
"""


def test_a_page_of_the_reference_is_made_short() -> None:
    """The theme shows an error where a page has its contents twice, and the collection isn't on Galaxy."""
    pytest.importorskip("docutils")
    spec = importlib.util.spec_from_file_location("conf", DOCS / "conf.py")
    assert spec
    assert spec.loader
    conf = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(conf)
    source = [PAGE]
    conf.of_the_reference(None, "docs/collection/exa_node_module", source)
    assert "\nexa_node module\n+++++++++++++++\n\n.. rst-class:: lead\n\nPower the nodes of a cluster\n" in source[0]
    assert "``dbfleet.cluster.exa_node``" in source[0]
    assert "\nSynopsis\n" in source[0]
    assert [word for word in ("contents::", "note::", "ansible-galaxy") if word in source[0]] == []
    other = [PAGE]
    conf.of_the_reference(None, "README", other)
    assert other == [PAGE]
