# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every relative link in the documents leads to a file, and to a heading of it, as a Git server shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).resolve().parents[3]
TEXTS = sorted(
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "roles").glob("*/README.md"),
    ]
)

FENCED = re.compile(r"^ {0,3}(`{3,}|~{3,}).*?^ {0,3}\1[`~]*[ \t]*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.*?)[ \t#]*$", re.MULTILINE)
LINK = re.compile(r"\]\(\s*<?([^()\s<>]+)>?(?:\s+[\"'][^)]*)?\s*\)|^ {0,3}\[[^\]\n]+\]:\s*(\S+)", re.MULTILINE)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a document; GitLab and Gitea agree for plain ones."""
    found: set[str] = set()
    for heading in HEADING.findall(FENCED.sub("", text)):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        plain = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        name, number = plain, 0
        while name in found:
            number += 1
            name = f"{plain}-{number}"
        found.add(name)
    return found


def links(text: str) -> list[str]:
    """The targets of all links in a document, without those that are shown as code."""
    return [inline or reference for inline, reference in LINK.findall(CODE.sub("", FENCED.sub("", text)))]


def broken(document: Path, root: Path) -> Iterator[str]:
    """What is wrong with the links of a document of the repository at `root`."""
    for target in links(document.read_text(encoding="utf-8")):
        if ELSEWHERE.match(target):
            continue
        path, _hash, anchor = unquote(target).partition("#")
        place = (document.parent / path).resolve() if path else document
        if not place.exists() or not place.is_relative_to(root):
            yield f"{target}: no such file"
        elif anchor:
            page = place / "README.md" if place.is_dir() else place
            if page.suffix != ".md" or not page.is_file() or anchor not in anchors(page.read_text(encoding="utf-8")):
                yield f"{target}: no such heading"


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(text: Path) -> None:
    assert list(broken(text, ROOT)) == []


def test_the_documents_are_found_and_have_links_to_headings() -> None:
    names = {str(path.relative_to(ROOT)) for path in TEXTS}
    assert {"README.md", "docs/dangers.md", "docs/simulator/README.md", "roles/demo/README.md"} <= names
    targets = [target for text in TEXTS for target in links(text.read_text(encoding="utf-8"))]
    assert any(target.partition("#")[2] for target in targets)


PAGE = """# The first page

## What it doesn't do
## `code`, and [a link](other.md)
## Twice
## Twice
### snake_case & signs

```
# not a heading
[not a link](nowhere.md)
```
"""


def test_headings_get_the_anchors_of_a_git_server() -> None:
    assert anchors(PAGE) == {
        "the-first-page",
        "what-it-doesnt-do",
        "code-and-a-link",
        "twice",
        "twice-1",
        "snake_case--signs",
    }


@pytest.mark.parametrize(
    ("link", "wrong"),
    [
        ("[a](page.md)", []),
        ("[a](page.md#twice-1), [b](page.md#what-it-doesnt-do)", []),
        ("[a](#here)", []),
        ("[a](folder)", []),
        ("[a](folder#the-first-page)", []),
        ("[two\nlines](page.md)", []),
        ('[a](page.md "title")', []),
        ("[a](https://example.invalid/x#y), [b](mailto:nobody@example.invalid)", []),
        ("`[a](nowhere.md)`", []),
        ("[a]\n\n[a]: page.md#twice", []),
        ("[a](nowhere.md)", ["nowhere.md: no such file"]),
        ("[two\nlines](nowhere.md#twice)", ["nowhere.md#twice: no such file"]),
        ("[`a`](nowhere.md)", ["nowhere.md: no such file"]),
        ("[a](page.md#thrice)", ["page.md#thrice: no such heading"]),
        ("[a](page.md#not-a-heading)", ["page.md#not-a-heading: no such heading"]),
        ("[a](#there)", ["#there: no such heading"]),
        ("[a](folder#there)", ["folder#there: no such heading"]),
        ("[a](data.yml#line)", ["data.yml#line: no such heading"]),
        ("[a](../outside.md)", ["../outside.md: no such file"]),
        ("[a]\n\n[a]: nowhere.md", ["nowhere.md: no such file"]),
    ],
)
def test_a_broken_link_is_found(tmp_path: Path, link: str, wrong: list[str]) -> None:
    root = tmp_path / "repository"
    (root / "folder").mkdir(parents=True)
    (tmp_path / "outside.md").write_text("# Outside\n", encoding="utf-8")
    for name in ("page.md", "folder/README.md"):
        (root / name).write_text(PAGE, encoding="utf-8")
    (root / "data.yml").write_text("# line\n", encoding="utf-8")
    document = root / "document.md"
    document.write_text(f"# Here\n\n{link}\n", encoding="utf-8")
    assert list(broken(document, root.resolve())) == wrong
