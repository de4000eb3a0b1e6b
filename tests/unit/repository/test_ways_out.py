# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What we show leaves at few places, so that no text of a server gets to a terminal by another way."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = next(folder for folder in Path(__file__).resolve().parents if (folder / "galaxy.yml").is_file())
SOURCES = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in ROOT.glob("plugins/**/*.py")}

OUT = {
    "plugins/plugin_utils/progress.py": {"display"},
    "plugins/plugin_utils/fleet/inventory.py": {"warning"},
    "plugins/callback/compact.py": {"display"},
    "plugins/plugin_utils/simulator/cli.py": {"print"},
}
"""Which file may show something, and by what. Each has a test that sends odd texts through it."""

SHOWING = ("display", "warning", "deprecated", "v", "vv", "vvv", "vvvv", "error", "print")

RESULTS = {"plugins/plugin_utils/direct.py"}
"""Where an action hands a result to ansible-core."""


def calls_that_show(source: str) -> set[str]:
    """Functions of `Display`, and `print`, that a file calls."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id == "print":
            found.add("print")
        if isinstance(node.func, ast.Attribute) and node.func.attr in SHOWING:
            of = ast.unparse(node.func.value).lower()
            if "display" in of:
                found.add(node.func.attr)
            if of in ("sys.stdout", "sys.stderr"):
                found.add("print")
    return found


def runs_of_actions(source: str) -> bool:
    """Whether a class defines `run` as ansible-core calls it: `run(self, tmp, task_vars)`."""
    return any(
        isinstance(node, ast.FunctionDef) and node.name == "run" and [one.arg for one in node.args.args][1:2] == ["tmp"]
        for node in ast.walk(ast.parse(source))
    )


def test_nothing_is_shown_elsewhere() -> None:
    assert {name: found for name, source in SOURCES.items() if (found := calls_that_show(source))} == OUT


def test_every_result_leaves_by_one_action() -> None:
    assert {name for name, source in SOURCES.items() if runs_of_actions(source)} == RESULTS


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("Display().display('x')", {"display"}),
        ("self._display.warning('x')", {"warning"}),
        ("print('x')", {"print"}),
        ("logging.warning('x')", set()),
        ("run.display('x')", set()),
    ],
)
def test_what_shows_is_found(source: str, found: set[str]) -> None:
    assert calls_that_show(source) == found
    assert runs_of_actions("class A:\n def run(self, tmp=None, task_vars=None): pass")
    assert not runs_of_actions("class A:\n def run(self, stages): pass")
