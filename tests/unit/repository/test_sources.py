# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What code, tests and documents say of the servers is cited by a number, and docs/sources defines each number once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Optional

import pytest

ROOT = Path(__file__).resolve().parents[3]
SOURCES = ROOT / "docs/sources"
CITING = ("plugins", "tests", "docs", "roles", "playbooks", "README.md", "CONTRIBUTING.md", "Makefile")

KINDS = ("EAO", "CONFD", "EXA", "NUODB")
MARKS = ("documented", "seen", "inferred", "unknown")
HOW = "docs/sources/README.md says how"

CITATION = re.compile(rf"(?<![\w-])(?:{'|'.join(KINDS)}|SOL)-\d+(?!\w|\.\d)")
RANGE = re.compile(rf"(?<![\w-])({'|'.join(KINDS)})-\d+ ?(?:-|\.\.+|to|and following) ?(?:\1-)?\d+", re.I)
NAMED = re.compile(r"\bdocs/sources/([\w.-]+\.md)\b")
OLD = re.compile(r"\bfacts? (?:part )?\d+(?:\.\d+)*\b|\bfacts/\w+|\bfact sheets?\b|\d of the facts\b", re.I)
"""How facts were cited before they had numbers: by the section of a sheet that isn't in the repository."""

FACT = re.compile(rf"^(?:\| )?\*\*((?:{'|'.join(KINDS)})-\d+)\*\*(?= )", re.M)
"""A number in bold at the beginning of a row or of a paragraph, and nowhere else."""

DOCUMENT = re.compile(r"^\| (\*\*|`)([\w.:<>-]+)\1 \|", re.M)
"""The id of a document, in a row of a file that lists documents."""

LAST = re.compile(rf"\(((?:{'|'.join(MARKS)})\b[^()]*)\)\.?$")
"""The end of a fact that is a paragraph: its marks, each with its sources."""


class Definition(NamedTuple):
    """A fact, or a document that facts come from.

    :param evidence: the marks of a fact, each with the ids of its sources.
    """

    id: str
    place: str
    evidence: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def is_fact(self) -> bool:
        return self.id.rpartition("-")[0] in KINDS


def evidence(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The marks and sources of C(documented: SOL-80 step 2; X-DOC; seen: X-SS stop.py; inferred).

    Nothing where it doesn't begin with a mark.
    """
    found: list[tuple[str, list[str]]] = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        mark, _colon, rest = part.partition(":")
        if mark in MARKS:
            found.append((mark, []))
        elif not found:
            return ()
        found[-1][1].extend((rest if mark in MARKS else part).replace(",", " ").split()[:1])
    return tuple((mark, tuple(sources)) for mark, sources in found)


def definitions(name: str, text: str) -> Iterator[Definition]:
    for found in FACT.finditer(text):
        rest = text[found.start() :]
        last = ""
        if rest.startswith("|"):
            cells = re.split(r"(?<!\\)\|", rest.partition("\n")[0])[1:-1]
            last = cells[-1] if len(cells) > 2 else ""
        elif end := LAST.search(" ".join(re.split(r"\n\s*\n", rest, maxsplit=1)[0].split())):
            last = end[1]
        yield Definition(found[1], name, evidence(last))
    if name.endswith("documents.md"):
        yield from (Definition(found[2], name) for found in DOCUMENT.finditer(text))


def is_known(source: str, documents: set[str]) -> bool:
    """Whether a list has it; C(docs:page) is a page of the document whose id is C(docs:<page>)."""
    family, _colon, page = source.partition(":")
    return source in documents or {f"{family}:<page>", page} <= documents


def complaints_of_sources(sources: Mapping[str, str]) -> list[str]:
    """What is wrong with the facts and the documents that they come from."""
    found = [definition for name, text in sources.items() for definition in definitions(name, text)]
    documents = {definition.id for definition in found if not definition.is_fact}
    places: dict[str, list[str]] = {}
    for definition in found:
        places.setdefault(definition.id, []).append(definition.place)
    told = [
        f"{name} is defined {len(where)} times ({', '.join(where)}): give all but one the next free number ({HOW})"
        for name, where in places.items()
        if len(where) > 1
    ]
    for fact in found:
        if not fact.is_fact:
            continue
        if not fact.evidence:
            told.append(f"{fact.place}: {fact.id} needs a mark at its end, one of {', '.join(MARKS)} ({HOW})")
        told += [
            f"{fact.place}: {fact.id} needs a source after {mark!r} ({HOW})"
            for mark, named in fact.evidence
            if not named and mark in ("documented", "seen")
        ]
        told += [
            f"{fact.place}: the source {source} of {fact.id} is in no list of documents: add it to one ({HOW})"
            for _mark, named in fact.evidence
            for source in named
            if not is_known(source, documents)
        ]
    return told


def hits(pattern: re.Pattern[str], name: str, text: str) -> Iterator[tuple[str, re.Match[str]]]:
    """What a pattern finds, each with its file and line."""
    return ((f"{name}:{text.count(chr(10), 0, hit.start()) + 1}", hit) for hit in pattern.finditer(text))


def complaints_of_citations(sources: Mapping[str, str], texts: Mapping[str, str]) -> list[str]:
    """What is wrong with the places that cite facts."""
    known = {definition.id for name, text in sources.items() for definition in definitions(name, text)}
    files = ", ".join(sorted(sources))
    told = []
    for name, text in [*sources.items(), *texts.items()]:
        told += [
            f"{where} cites {hit[0]}, which docs/sources doesn't define: cite a number from there, or add the fact"
            for where, hit in hits(CITATION, name, text)
            if hit[0] not in known
        ]
        told += [
            f"{where} cites the range {hit[0]!r}: name each number, so that a search finds it"
            for where, hit in hits(RANGE, name, text)
        ]
        told += [
            f"{where} names docs/sources/{hit[1]}, which isn't there: name one of {files}"
            for where, hit in hits(NAMED, name, text)
            if hit[1] not in sources
        ]
        if name not in sources:
            told += [
                f"{where} cites {hit[0]!r}: cite the number of the fact instead ({HOW})"
                for where, hit in hits(OLD, name, text)
            ]
    return told


def text_of(path: Path) -> Optional[str]:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def sources_here() -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(SOURCES.glob("*.md"))}


def texts_here() -> dict[str, str]:
    """The texts that cite, without this file, whose made-up numbers are meant to be wrong."""
    roots = [ROOT / name for name in CITING]
    paths = [path for root in roots for path in (root.rglob("*") if root.is_dir() else [root])]
    left_out = {Path(__file__).resolve(), *SOURCES.glob("*.md")}
    found = {
        str(path.relative_to(ROOT)): text_of(path)
        for path in sorted(paths)
        if path.is_file() and path.resolve() not in left_out and "__pycache__" not in path.parts
    }
    return {name: text for name, text in found.items() if text is not None}


def test_facts_have_a_number_of_their_own_a_mark_and_a_source() -> None:
    sources = sources_here()
    kinds = {fact.id.rpartition("-")[0] for name, text in sources.items() for fact in definitions(name, text)}
    assert kinds >= set(KINDS), "a kind of facts is missing, or the pattern finds none any more"
    assert "\n".join(complaints_of_sources(sources)) == ""


def test_citations_resolve() -> None:
    texts = texts_here()
    cited = {found for text in texts.values() for found in CITATION.findall(text)}
    assert {name.rpartition("-")[0] for name in cited} >= set(KINDS), "the pattern finds no citations any more"
    assert "\n".join(complaints_of_citations(sources_here(), texts)) == ""


def test_a_made_up_number_is_noticed_in_a_real_file() -> None:
    sources, name = sources_here(), "plugins/modules/exa_database.py"
    text = texts_here()[name]
    before = complaints_of_citations(sources, {name: text})
    (told,) = (
        complaint
        for complaint in complaints_of_citations(sources, {name: f"{text}# they are ints (CONFD-999999)"})
        if complaint not in before
    )
    assert told.startswith(
        f"{name}:{len(text.splitlines()) + 1} cites CONFD-999999, which docs/sources doesn't define: "
    )


# -- the checks themselves, on small texts

HERE = {
    "documents.md": (
        "| id | title | date | where |\n|---|---|---|---|\n"
        "| **SOL-80** | An article | 5.0 | public |\n| **X-DOC** | A list | 6 | public |\n"
    ),
    "other_documents.md": (
        "| `docs:<page>` | Pages | 2026 | public |\n\n| page | of what |\n|---|---|\n| `a-page` | states |\n"
    ),
    "eao.md": (
        "# Title\n\n| id | fact | mark: source |\n|---|---|---|\n"
        "| **EAO-1** | It answers `a \\| b`. | documented: SOL-80 step 3, block 2; X-DOC; seen: docs:a-page |\n"
        "| **EAO-2** | A guess. | inferred |\n"
        "\n**EXA-2** A paragraph (see\nEAO-1) of two lines. (seen: X-DOC; unknown)\n"
    ),
}


def test_rows_and_paragraphs_are_facts() -> None:
    assert list(definitions("eao.md", HERE["eao.md"])) == [
        Definition("EAO-1", "eao.md", (("documented", ("SOL-80", "X-DOC")), ("seen", ("docs:a-page",)))),
        Definition("EAO-2", "eao.md", (("inferred", ()),)),
        Definition("EXA-2", "eao.md", (("seen", ("X-DOC",)), ("unknown", ()))),
    ]
    assert complaints_of_sources(HERE) == []


@pytest.mark.parametrize(
    "text",
    [
        "(EAO-1, EXA-2; SOL-80, step 3)",
        "Source: docs/sources/eao.md.",
        "exaoperation_start_stop_SOL-80.txt",
        "EXA_API_URL, EXA-HOST, TEXA-7, EXA-7x, EXA-7.1 and NUODB-2.7.0 are no citations",
        "set_fact: 2, gather_facts 1, ansible_facts/one, facts of 2 nodes",
    ],
)
def test_what_is_right_passes(text: str) -> None:
    assert complaints_of_citations(HERE, {"code.py": text}) == []


@pytest.mark.parametrize("text", ["see EAO-4", "(SOL-81)", "`NUODB-1`", "EAO-1, CONFD-1.", "**EXA-1** and **EXA-2**"])
def test_a_number_that_is_nowhere_is_told(text: str) -> None:
    (told,) = complaints_of_citations(HERE, {"code.py": f"first line\n{text}"})
    assert told.startswith("code.py:2 cites ")
    assert told.endswith(" doesn't define: cite a number from there, or add the fact")


@pytest.mark.parametrize(
    "text",
    ["see EAO-3", "It is **EAO-3** in bold.", "| see | **EAO-3** |", "  **EAO-3** indented", "| EAO-3 | plain |"],
)
def test_a_citation_defines_nothing(text: str) -> None:
    sources = {**HERE, "more.md": text}
    assert [told.partition(",")[0] for told in complaints_of_citations(sources, {"code.py": "EAO-3"})] == [
        "more.md:1 cites EAO-3", "code.py:1 cites EAO-3",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "(facts 2.3)", "facts/exasol_api.md part 2", "the fact sheet's lists", "6.2 and 8 of the facts", "Facts 1",
        "(SOL-80; facts 1.9)",
    ],
)  # fmt: skip
def test_the_old_way_to_cite_is_told(text: str) -> None:
    (told,) = complaints_of_citations(HERE, {"code.py": text})
    assert told.endswith(f": cite the number of the fact instead ({HOW})")


@pytest.mark.parametrize("text", ["EAO-1 to EAO-3", "EAO-1-3", "EAO-1..EAO-3", "EAO-1 to 3"])
def test_a_range_is_told(text: str) -> None:
    told = complaints_of_citations({**HERE, "more.md": "| **EAO-3** | a |"}, {"code.py": text})
    assert told == [f"code.py:1 cites the range {text!r}: name each number, so that a search finds it"]


def test_a_file_of_facts_that_is_not_there_is_told() -> None:
    told = complaints_of_citations(HERE, {"code.py": "Source: docs/sources/exa.md"})
    assert told == [f"code.py:1 names docs/sources/exa.md, which isn't there: name one of {', '.join(sorted(HERE))}"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("| **EAO-1** | Again. | seen: X-DOC |", "EAO-1 is defined 2 times (eao.md, more.md): "),
        ("| **EAO-3** | No mark. | X-DOC |", "more.md: EAO-3 needs a mark at its end, "),
        ("| **EAO-3** | Another word. | certain: X-DOC |", "more.md: EAO-3 needs a mark at its end, "),
        ("| **EAO-3** | seen: X-DOC |", "more.md: EAO-3 needs a mark at its end, "),
        ("| **EAO-3** | No source. | seen |", "more.md: EAO-3 needs a source after 'seen' "),
        ("| **EAO-3** | No source. | inferred; documented: |", "more.md: EAO-3 needs a source after 'documented' "),
        ("| **EAO-3** | Unlisted. | seen: X-DOC; X-MEN |", "more.md: the source X-MEN of EAO-3 is in no list "),
        ("| **EAO-3** | A fact. | seen: EAO-1 |", "more.md: the source EAO-1 of EAO-3 is in no list "),
        ("| **EAO-3** | No page. | seen: docs:b-page |", "more.md: the source docs:b-page of EAO-3 is in no list "),
        ("| **EAO-3** | No family. | seen: text:a-page |", "more.md: the source text:a-page of EAO-3 is in no list "),
        ("**EAO-3** Only a text (X-DOC).", "more.md: EAO-3 needs a mark at its end, "),
        ("**EAO-3** Only a mark. (seen)", "more.md: EAO-3 needs a source after 'seen' "),
    ],
)
def test_a_fact_that_is_not_whole_is_told(text: str, told: str) -> None:
    (found,) = complaints_of_sources({**HERE, "more.md": text})
    assert found.startswith(told)


def test_a_document_has_one_row() -> None:
    (told,) = complaints_of_sources({**HERE, "more_documents.md": HERE["documents.md"].replace("X-DOC", "X-ONE")})
    assert told.startswith("SOL-80 is defined 2 times (documents.md, more_documents.md): ")
