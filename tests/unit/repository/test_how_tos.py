# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages of docs/how_to: each is whole and in the list, and the playbooks that they show are the examples' files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "docs/how_to"
PAGES = sorted(FOLDER.glob("*.md"))
EXAMPLES = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs/examples/playbooks").glob("*.yml")}
TESTED = (ROOT / "tests/integration/shared/test_how_tos.py").read_text(encoding="utf-8")

PARTS = ("Before you begin", "Verify", "Undo", "What can go wrong")
"""What every page has, in this order, beside what is to be done."""


def shown(text: str) -> list[str]:
    """The playbooks of a page: what begins as a file does."""
    return re.findall(r"^```yaml\n(---\n.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", [path for path in PAGES if path.name != "README.md"], ids=lambda path: path.name)
def test_a_page_is_whole(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert [heading for heading in headings if heading in PARTS] == list(PARTS)
    assert f"]({page.name})" in (FOLDER / "README.md").read_text(encoding="utf-8")
    names = {name for name, example in EXAMPLES.items() if example in shown(text)}
    assert len(names) == len(shown(text)), "a playbook that is shown is not the one of docs/examples/playbooks"
    used = set(re.findall(r"^ansible-playbook .*? (\w+\.yml)", text, re.MULTILINE))
    assert used == names, "a command runs another playbook than the one that is shown"
    for name in names:
        assert f'"{name}"' in TESTED, f"no integration test runs {name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_commands_name_runbooks_that_are_there(page: Path) -> None:
    known = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
    commands = re.findall(r"ansible-playbook .*", page.read_text(encoding="utf-8"))
    assert set(re.findall(r" dbfleet\.cluster\.(\w+)", " ".join(commands))) <= known


def test_a_playbook_that_differs_is_seen() -> None:
    page = "```yaml\n---\n- hosts: all\n```\n\n```yaml\nexa-prod: {}\n```\n"
    assert shown(page) == ["---\n- hosts: all\n"]
    assert shown(page)[0] not in EXAMPLES.values()
