# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each failure has a number, each number is explained, and none is taken away."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.dbfleet.cluster.tests.gates import messages_table
from ansible_collections.dbfleet.cluster.tests.gates.messages_table import GAP, PLUGINS, SIMULATOR, Site

SITES = messages_table.sites()
RULES = {rule.number: rule for rule in messages_table.rules()}
EXAMPLES = {one["number"]: one["example"] for group in messages_table.catalogue() for one in group["messages"]}
FROZEN = Path(__file__).with_name("message_numbers.txt").read_text(encoding="utf-8").split()
IN_ROLES = "".join(path.read_text(encoding="utf-8") for path in PLUGINS.parent.glob("roles/*/tasks/*.yml"))
OUR_RULES = ("Refused", "Fail")


def where(one: Site) -> str:
    return f"plugins/{one.file}:{one.line}"


def test_every_failure_has_a_number() -> None:
    own = messages_table.classes()
    assert {name: number for name, number in own.items() if not number} == {"Refused": ""}
    assert [where(one) for one in SITES if one.number is None and not own.get(one.name)] == [], "give it number="


def test_a_number_is_written_out_or_handed_on() -> None:
    odd = [where(one) for one in SITES if one.number and not re.fullmatch(r"DBF-\d{4}", one.number)]
    assert odd == []


def made_by_hand(tree: ast.AST) -> Iterator[int]:
    """Results that say they failed, and have neither a number nor those of another result."""
    for node in ast.walk(tree):
        keys = [getattr(key, "value", None) for key in node.keys] if isinstance(node, ast.Dict) else []
        if {"failed", "msg"} <= set(keys) and isinstance(node, ast.Dict):
            fails = getattr(node.values[keys.index("failed")], "value", None) is True
            if fails and "message_number" not in keys and None not in node.keys:
                yield node.lineno


def test_no_result_fails_without_a_number() -> None:
    found = [
        f"{path.relative_to(PLUGINS)}:{line}"
        for path in PLUGINS.rglob("*.py")
        if SIMULATOR not in path.parents
        for line in made_by_hand(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == [], "make it by failure()"


def test_a_result_made_by_hand_is_seen() -> None:
    assert list(made_by_hand(ast.parse('{"failed": True, "msg": text}'))) == [1]
    assert list(made_by_hand(ast.parse('{**error.as_result(), "failed": True, "msg": text}'))) == []


def test_each_number_is_explained_once_and_used() -> None:
    explained = messages_table.numbers_explained()
    assert len(explained) == len(set(explained))
    assert set(explained) == messages_table.numbers_in_code()


def test_no_number_is_taken_away() -> None:
    """Add a new one to message_numbers.txt. What stands there keeps its meaning; the wording may change."""
    assert sorted(messages_table.numbers_explained()) == FROZEN


@pytest.mark.parametrize("one", [one for one in SITES if one.name in OUR_RULES and one.number], ids=where)
def test_a_refusal_has_the_number_of_a_rule_that_names_its_code(one: Site) -> None:
    rule = RULES[one.number or ""]
    path = one.file.removeprefix("module_utils/")
    if path != one.file:
        assert rule.code & {f"{path}:{function}" for function in one.functions}, rule.title


@pytest.mark.parametrize("number", sorted(EXAMPLES))
def test_each_example_is_a_sentence_of_the_code(number: str) -> None:
    sentences = [one.text for one in messages_table.forms(SITES, number)]
    patterns = [".*".join(map(re.escape, text.split(GAP))) for text in sentences if re.sub(rf"[{GAP}\W]", "", text)]
    gaps = any(not re.sub(rf"[{GAP}\W]", "", text) for text in sentences)
    shown = EXAMPLES[number]
    assert gaps or shown in IN_ROLES or any(re.search(one, shown) for one in patterns), "\n".join(sentences)


def test_the_page_is_up_to_date() -> None:
    anew = "write it anew with: make messages-table"
    assert messages_table.TABLE.read_text(encoding="utf-8") == messages_table.table(), anew


def test_each_number_is_in_the_range_of_its_group_and_in_order() -> None:
    """A DBA with DBF-6820 found a table that ended at DBF-6810."""
    page = messages_table.TABLE.read_text(encoding="utf-8")
    ranges = dict(re.findall(r"^\| (DBF-\d{4} to DBF-\d{4}) \| \[(.+)\]", page, re.MULTILINE))
    groups = {title: first_to_last.split(" to ") for first_to_last, title in ranges.items()}
    for part in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        first, last = groups[part.partition("\n")[0]]
        numbers = re.findall(r"^### (DBF-\d{4})$", part, re.MULTILINE)
        assert [first <= number <= last for number in numbers] == [True] * len(numbers), numbers
        assert numbers == sorted(numbers)


def test_a_gap_stands_for_what_is_put_into_a_sentence() -> None:
    tree = ast.parse("""f"{name}: no {noun}" " here" + more""", mode="eval")
    assert messages_table.form(tree.body) == f"{GAP}: no {GAP} here{GAP}"
