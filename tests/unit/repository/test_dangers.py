# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/dangers.md keeps up with the code and the tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CODE = ROOT / "plugins/module_utils"
TEXT = (ROOT / "docs/dangers.md").read_text(encoding="utf-8")
RULES = re.split(r"^### ", TEXT, flags=re.MULTILINE)[1:]


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def refuses(function: ast.FunctionDef) -> bool:
    """Whether it raises Refused, or decides Fail, itself."""
    calls = (node for node in ast.walk(function) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name))
    return any(call.func.id in ("Refused", "Fail") for call in calls if isinstance(call.func, ast.Name))


def test_named_tests_exist() -> None:
    named = re.findall(r"`(tests/\S+?\.py)::(\w+)`", TEXT)
    assert named
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file()
        or name not in {function.name for function in functions(ast.parse((ROOT / path).read_text(encoding="utf-8")))}
    ]
    assert missing == []


def test_named_code_refuses_and_all_that_refuses_is_named() -> None:
    found = {
        f"{path.relative_to(CODE)}:{function.name}"
        for path in CODE.rglob("*.py")
        for function in functions(ast.parse(path.read_text(encoding="utf-8")))
        if refuses(function)
    }
    assert found == set(re.findall(r"`([\w/]+\.py:\w+)`", TEXT))


def test_each_rule_says_why_what_overrides_it_and_what_guards_it() -> None:
    for rule in RULES:
        title = rule.partition("\n")[0]
        for part in ("- Why: ", "- Override: ", "- Test: "):
            assert f"\n{part}" in rule, f"{title}: no line {part!r}"
