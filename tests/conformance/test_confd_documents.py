# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two ConfD documents are understood as a whole: what is an example, what a table, and what is put right."""

from __future__ import annotations

import ast
import re
from typing import Callable

import pytest
from confd_documents import (
    EXAMPLES,
    INTRODUCTION,
    REPAIRS,
    UNKNOWN,
    Document,
    directory,
    examples,
    introduction,
    printed,
    repaired,
)  # fmt: skip


def _document(name: str, parse: Callable[[str], Document]) -> Document:
    if not (directory() / name).is_file():
        pytest.skip(f"the reference document {name} isn't in {directory()}; set DBFLEET_REFERENCE")
    return parse(repaired(name))


@pytest.fixture
def by_example() -> Document:
    return _document(EXAMPLES, examples)


@pytest.fixture
def intro() -> Document:
    return _document(INTRODUCTION, introduction)


# ---------------------------------------------------------------------------------------- the documents by themselves


def test_no_example_is_left_out(by_example: Document) -> None:
    """25 statements, 17 of which run a job and show its answer; 36 rows of tables; the rest is no Python."""
    document = by_example
    assert len(document.examples) == 25
    text = repaired(EXAMPLES)
    assert document.lines() == len(text.splitlines()) == len(printed(EXAMPLES).splitlines())
    assert text.count(">>> ") == 23
    jobs = [example.job for example in document.examples if example.job]
    assert len(jobs) == text.count("conn.job_exec(") == 18
    shown = [example for example in document.examples if example.output]
    assert len(shown) == text.count("'result_jobid'") == 17
    # the one that shows nothing says "Output example", which is the next one's
    silent = [example.number for example in document.examples if example.job and not example.output]
    assert silent == [10]
    assert document.examples[9].job == document.examples[10].job
    assert all(example.shown["result_code"] == 0 for example in shown)
    assert {len(example.output) for example in shown if "pprint" not in example.code} == {1}
    for line in document.prose:
        assert not re.search(r"\w\(\w*\)|'result_|^[a-z]+(_[a-z]+)+$", line.replace("'result_output' is", "")
                             .replace("'result_desc' is", "").replace("Note: 'result_output'", "")), line  # fmt: skip


def test_no_line_of_the_introduction_is_left_out(intro: Document) -> None:
    """Eleven statements, three of which show what they print; an excerpt of a configuration; the rest is no Python."""
    assert len(intro.examples) == 11
    assert [len(example.output) for example in intro.examples if example.output] == [1, 3, 69]
    text = repaired(INTRODUCTION)
    assert intro.lines() == len(text.splitlines()) == len(printed(INTRODUCTION).splitlines()) + 5
    assert len(re.findall(r"print \(|requests\.get", text)) == 6
    assert sum("print" in example.code or "requests.get" in example.code for example in intro.examples) == 6
    assert text.count("# example output") == 3
    assert len(intro.settings) == 7
    for line in intro.prose:
        with pytest.raises(SyntaxError):
            ast.parse(line.strip())


def test_every_row_of_the_tables_is_understood(by_example: Document) -> None:
    rows = by_example.rows
    assert len(rows) == 36
    assert len({row.job for row in rows}) == 34  # two stand in two tables
    assert sum(row.columns == 4 for row in rows) == 14
    for row in rows:
        assert re.fullmatch(r"[A-Za-z].*[^,]", row.description)
        for name in (*row.parameters, *row.optional, *row.substitutes, *row.groups):
            assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name), (row.job, name)
        assert not row.parameters & (row.optional | row.substitutes)
    without = {row.job for row in rows if not row.parameters}
    assert without == {"remote_volume_list", "node_list", "node_state", "node_info", "st_volume_list"}


def test_repairs_are_numbered_reasoned_and_needed() -> None:
    assert [repair.number for repair in REPAIRS] == list(range(1, len(REPAIRS) + 1))
    assert all(len(repair.reason) > 20 for repair in REPAIRS)
    for name in (EXAMPLES, INTRODUCTION):
        if not (directory() / name).is_file():
            pytest.skip(f"the reference document {name} isn't in {directory()}; set DBFLEET_REFERENCE")
        whole = repaired(name)
        for repair in REPAIRS:
            if repair.document == name:
                assert repaired(name, but=repair.number) != whole
    # what was put in without a source is exactly what isn't compared
    assert all(repaired(INTRODUCTION).count(words) == 1 for words in UNKNOWN)
