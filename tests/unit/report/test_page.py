# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pages of runs: valid HTML that loads nothing, whatever a server said."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import html5lib
import pytest
import yaml
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.report import page, record

TEXTS = yaml.safe_load((Path(__file__).resolve().parents[2] / "hostile/texts.yml").read_text(encoding="utf-8"))

EVIL = "</title><script src=http://evil.invalid/x>alert(1)</script><img src=//evil.invalid/y>\" onload='x' {{ 7*7 }}"

LOADS = {"src", "srcset", "poster", "data", "background", "xlink:href", "action", "formaction", "ping", "manifest"}


def tree_of(text: str) -> Any:
    """The page as a strict parser has it."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def harmless(text: str) -> str:
    """It is valid, and has nothing in it that runs or loads. Returns its words."""
    tree = tree_of(text)
    for one in tree.iter():
        if not isinstance(one.tag, str):
            continue
        assert one.tag.rpartition("}")[2] not in ("script", "link", "img", "iframe", "object", "embed", "base"), one.tag
        assert not [name for name in one.attrib if str(name) in LOADS or str(name).startswith("on")], one.attrib
        assert "evil.invalid" not in str(one.attrib.get("href", "")), one.attrib
        assert not re.search(r"url\((?!#)", str(one.attrib)), one.attrib
    style = "".join(tree.find(".//style").itertext())
    assert not re.search(r"url\(|@import|http", style)
    assert "default-src 'none'" in text
    return " ".join("".join(tree.itertext()).split())


def test_a_run_that_failed(new_row: Callable[..., Any]) -> None:
    words = harmless(page.of_run(new_row()))
    for said in (
        *("failed", "exa_cold_start of exa-prod", "alice on ctl1", "n0013 is booting", "run it again"),
        *('{ "n0013": "booting" }', "Resume", "-e target=exa-prod", "Steps that were never begun", "EXAStorage"),
        *("offline → booting → online", "no answer within 30 s", "sent again", "usually 6 min", "Warnings"),
        "failed in this state",
        "Why the run failed",
    ):
        assert said in words, said


def test_every_bar_has_a_word_beside_its_colour(new_row: Callable[..., Any]) -> None:
    text = page.of_run(new_row())
    assert "<title>n0011, 00:02 to 00:07: booting</title>" in text
    assert 'fill="url(#hatch)"' in text
    assert 'fill="url(#dots)"' in text
    assert 'aria-label="n0011: offline → booting → online; 2 marks"' in text


def test_a_run_that_went_well_and_took_long(new_row: Callable[..., Any]) -> None:
    row = new_row(result=record.OK, cause="", resume="", not_begun=[], failed_object="", seconds=900.0)
    words = harmless(page.of_run(row))
    assert "9 min longer than usual" in words
    assert "Why the run" not in words
    assert "Resume" not in words


def test_a_run_without_an_end(new_row: Callable[..., Any]) -> None:
    words = harmless(page.of_run(new_row(result=record.NOT_ENDED, ended=None, cause="", resume="do it again")))
    assert "The run began and has not ended" in words
    assert "do it again" in words


def test_a_preview_shows_its_plan(new_row: Callable[..., Any]) -> None:
    row = new_row(result=record.OK, check=True, cause="", objects=[], marks=[])
    words = harmless(page.of_run(row))
    assert "nothing was changed" in words
    assert "Plan: what the run would do" in words
    assert "Timeline" not in words
    assert "The plan has no step" in harmless(page.of_run({**row, "plan": []}))


@pytest.mark.parametrize("name", [*TEXTS, "evil"])
def test_hostile_texts_stay_texts(new_row: Callable[..., Any], name: str) -> None:
    given = TEXTS.get(name, {"text": EVIL})
    text = yaml.safe_load(given["json"]) if "json" in given else given["text"] * given.get("times", 1)

    def spoilt(value: Any, key: str = "") -> Any:
        if isinstance(value, str):
            return value if key in ("result", "kind", "how", "state") else text
        if isinstance(value, dict):
            return {one: spoilt(item, one) for one, item in value.items()}
        return [spoilt(item) for item in value] if isinstance(value, list) else value

    row = spoilt(new_row())
    for made in (page.of_run(row), page.of_all([("a/b.html", row)], 3)):
        assert "\x1b" not in made
        assert "49" not in re.sub(r"[\d.]+%", "", "".join(tree_of(made).find(".//h1").itertext()))
        harmless(made)
        made.encode()


def test_a_large_cluster_is_a_page_that_can_be_read(new_row: Callable[..., Any]) -> None:
    """What something happened to stands in it; the others are counted."""
    still = [
        {"noun": "nodes", "name": f"n{number}", "states": [{"at": 0.1, "how": "there", "words": "online"}]}
        for number in range(2000)
    ]
    text = page.of_run(new_row(objects=[*still, *new_row()["objects"]]))
    assert "and 1703 more of which nothing happened" in harmless(text)
    assert ">n0013<" in text
    assert len(text) < 1_000_000


def test_the_index_puts_a_fleet_together(new_row: Callable[..., Any]) -> None:
    rows = [
        new_row(cluster="exa-b", run="one", result=record.OK, cause=""),
        new_row(cluster="exa-a", run="one"),
        new_row(cluster="exa-c", run="another", result=record.NOT_ENDED, cause=""),
    ]
    text = page.of_all([(f"{row['cluster']}/%2E.html", row) for row in rows], 5)
    words = harmless(text)
    assert "2 clusters: 1 failed, 1 ok" in words
    assert "1 cluster: 1 not ended" in words
    assert "and 5 older runs" in words
    assert text.index(">exa-a<") < text.index(">exa-b<") < text.index(">exa-c<")
    assert 'href="exa-a/%252E.html"' in text
    assert "There is no record" in harmless(page.of_all([], 0))


def test_words_of_neighbours_that_went_the_same_way_stand_once(new_row: Callable[..., Any]) -> None:
    states = [{"at": 0.0, "how": "due", "words": "setup"}, {"at": 9.0, "how": "there", "words": "connectable"}]
    objects = [{"noun": "databases", "name": f"DB{number}", "states": states} for number in range(3)]
    text = page.of_run(new_row(objects=objects))
    assert text.count('<div class="words">setup → connectable</div>') == 1
    assert text.count(": setup → connectable") == 3, "a screen reader has each"


def test_times_are_written_for_people(new_row: Callable[..., Any]) -> None:
    row = new_row(began="2026-11-29T19:40:03Z", ended="2026-11-29T20:25:04Z")
    words = harmless(page.of_run(row))
    assert "2026-11-29 19:40:03 UTC" in words
    assert "2026-11-29 20:25:04 UTC" in words
    assert "2026-11-29 19:40:03 UTC" in harmless(page.of_all([("exa-prod/x.html", row)], 0))


def luminance(colour: str) -> float:
    """As WCAG has it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [0, 1, 2], ids=["light", "dark", "print"])
def test_colours_have_the_contrast_of_wcag_aa(new_row: Callable[..., Any], scheme: int) -> None:
    blocks = re.findall(r":root \{([^}]*)\}", page.of_run(new_row()))
    colours = dict(re.findall(r"--([\w-]+): (#\w+)", blocks[scheme]))
    colours = {
        name: "#" + "".join(2 * one for one in hue[1:]) if len(hue) == 4 else hue for name, hue in colours.items()
    }
    texts = [(text, ground) for text in ("fg", "soft") for ground in ("bg", "card", "good-bg", "bad-bg", "open-bg")]
    texts += [
        ("accent", "bg"),
        ("accent", "card"),
        ("good", "good-bg"),
        ("bad", "bad-bg"),
        ("bad", "bg"),
        ("open", "open-bg"),
    ]
    bars = [(kind, "bg") for kind in ("there", "waits", "due", "failed", "unknown")]
    assert [pair for pair in texts if contrast(*(colours[name] for name in pair)) < 4.5] == []
    assert [pair for pair in bars if contrast(*(colours[name] for name in pair)) < 3] == []
