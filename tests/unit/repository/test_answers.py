# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each answer of tests/answers rests on facts, and code and a test read it. The table of the answers is up to date."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from ansible_collections.dbfleet.cluster.tests.answers.fixtures import PLACE, SERVERS, Seen, all_seen
from ansible_collections.dbfleet.cluster.tests.gates import answers_table

ROOT = Path(__file__).resolve().parents[3]
SEEN = all_seen()
FACTS = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs/sources").glob("*.md")))


def _tests() -> str:
    paths = sorted((ROOT / "tests/unit").rglob("*.py"))
    return "".join(path.read_text(encoding="utf-8") for path in paths)


def test_the_table_is_up_to_date() -> None:
    anew = "write it anew with: make answers-table"
    assert answers_table.TABLE.read_text(encoding="utf-8") == answers_table.table(SEEN), anew


def test_each_file_stands_in_the_folder_of_a_server() -> None:
    assert {path.parent.name for path in PLACE.glob("*/*.yml")} <= set(SERVERS)


@pytest.mark.parametrize("seen", SEEN, ids=[seen.name for seen in SEEN])
def test_each_answer_rests_on_facts_and_is_read(seen: Seen) -> None:
    assert seen.facts, "name the facts that it comes from"
    assert [fact for fact in seen.facts if f"**{fact}**" not in FACTS] == []
    path, _colons, name = seen.read.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    defined = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    assert name in defined, f"{path} has no {name}"


def test_each_answer_is_read_by_a_test() -> None:
    text = _tests()
    assert [seen.name for seen in SEEN if f'"{seen.name}"' not in text] == []
