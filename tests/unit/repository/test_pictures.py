# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pictures of the documentation show what the runbooks are now, and need nothing beside themselves."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.catalogue import RUNBOOKS
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.definition import Phase
from ansible_collections.dbfleet.cluster.tests.gates import demo_picture, order_diagrams, pictures

ROOT = Path(__file__).resolve().parents[3]
IMAGES = ROOT / "docs/images"

NAMESPACE = "http://www.w3.org/2000/svg"

SHOWN = {"demo_exasol": "exa_cold_start", "demo_nuodb": "nuodb_recover"}
"""The runbook that a picture of the demo shows."""


def texts(path: Path) -> str:
    """All words of a picture."""
    tree = ElementTree.parse(path)
    return "\n".join("".join(node.itertext()) for node in tree.iter(f"{{{NAMESPACE}}}text")).replace("\xa0", " ")


@pytest.mark.parametrize("path", sorted(pictures.files()))
def test_a_picture_is_up_to_date(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == pictures.files()[path], f"mend it by: {pictures.MEND}"


@pytest.mark.parametrize("path", sorted(IMAGES.glob("*.svg")), ids=lambda path: path.stem)
def test_a_picture_is_well_formed_and_needs_nothing_else(path: Path) -> None:
    root = ElementTree.parse(path).getroot()
    assert root.tag == f"{{{NAMESPACE}}}svg"
    assert root.findtext(f"{{{NAMESPACE}}}title")
    tags = {node.tag.rpartition("}")[2] for node in root.iter()}
    assert tags & {"script", "image", "foreignObject", "use", "a", "link"} == set()
    styles = [node.text or "" for node in root.iter(f"{{{NAMESPACE}}}style")]
    loads = "\n".join([*styles, *(value for node in root.iter() for value in node.attrib.values())])
    assert re.findall(r"https?:|@import|@font-face", loads) == []
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", loads))


@pytest.mark.parametrize("name", sorted(order_diagrams.GUARDS))
def test_a_diagram_is_readable_in_the_dark_and_by_a_screen_reader(name: str) -> None:
    text = (IMAGES / f"order_{name}.svg").read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in text
    about = ElementTree.fromstring(text).findtext(f"{{{NAMESPACE}}}desc") or ""
    assert ", ".join(phase.name for phase in RUNBOOKS[name].phases) in about


@pytest.mark.parametrize(("name", "runbook"), sorted(SHOWN.items()))
def test_the_picture_of_the_demo_shows_the_phases_of_today(name: str, runbook: str) -> None:
    shown = texts(IMAGES / f"{name}.svg")
    book = RUNBOOKS[runbook]
    missing = [book.title(phase) for phase in book.phases if f"{book.title(phase)}: {phase.text}" not in shown]
    assert missing == [], "draw it anew by: make demo-picture"
    assert str(Path.home()) not in shown


def test_every_picture_of_the_demo_is_looked_at() -> None:
    assert set(SHOWN) == set(demo_picture.PICTURES)
    assert {path.stem for path in IMAGES.glob("demo_*.svg")} == set(SHOWN)


def test_a_phase_that_is_added_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    book = RUNBOOKS["exa_cold_start"]
    more = replace(book, phases=(*book.phases, Phase("sessions", "let people in", "opens the doors")))
    monkeypatch.setitem(RUNBOOKS, "exa_cold_start", more)
    assert ">sessions<" in order_diagrams.diagram("exa_cold_start")
    assert "(3/7) nodes" not in order_diagrams.table(more)
    assert "`(4/7) storage`" in order_diagrams.table(more)


def test_a_guard_of_a_phase_that_is_gone_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    book = RUNBOOKS["exa_cold_start"]
    less = replace(book, phases=tuple(phase for phase in book.phases if phase.name != "storage"))
    monkeypatch.setitem(RUNBOOKS, "exa_cold_start", less)
    with pytest.raises(order_diagrams.Unknown, match="exa_cold_start has no phase storage"):
        order_diagrams.diagram("exa_cold_start")


def test_a_guard_whose_rule_is_gone_is_an_error() -> None:
    with pytest.raises(order_diagrams.Unknown, match="in 0 rules of docs/dangers.md"):
        order_diagrams.rule_of(order_diagrams.Guard("It is so.", "nowhere.py:nothing"))


def test_every_guard_is_in_the_diagram_before_its_phase() -> None:
    for name, guards in order_diagrams.GUARDS.items():
        words = texts(IMAGES / f"order_{name}.svg").split("\n")
        for phase, wanted in guards.items():
            for guard in wanted:
                begin = order_diagrams.wrapped(guard.says, 54)[0]
                assert words.index(begin) < words.index(phase), (name, guard.says)


SAID = """\
\x1b[0;33m[exa-demo] changed: a cluster\x1b[0m
[exa-demo] (1/6) power: first
[exa-demo] hooks: power
    (/somebody's/path/power.yml)
\x1b[1;30m[exa-demo] nodes: 00:01  1/5 online, waiting for n0013,\x1b[0m
\x1b[1;30m    time-out in 00:06\x1b[0m
\x1b[1;30m[exa-demo] nodes: 00:05  4/5 online, waiting for n0013\x1b[0m
[exa-demo] databases: log: 2026-11-29 DB1
\x1b[0;32m[exa-demo]   plugins             00:00  done\x1b[0m
[exa-demo] more
"""


def test_what_only_lengthens_a_picture_is_left_out() -> None:
    first, last, _title = demo_picture.PICTURES["demo_exasol"]
    found = demo_picture.excerpt(SAID, first, last)
    assert [demo_picture.CODES.sub("", line) for line in found] == [
        "[exa-demo] (1/6) power: first",
        "[exa-demo] nodes: 00:05  4/5 online, waiting for n0013",
        "[exa-demo]   plugins             00:00  done",
    ]
