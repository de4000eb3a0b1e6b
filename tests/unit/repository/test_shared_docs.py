# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The descriptions that modules share are those of tests/gates/shared_docs.yml."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ansible_collections.dbfleet.cluster.tests.gates import shared_docs
from ansible_collections.dbfleet.cluster.tests.gates.shared_docs import SharedDocs, main

PLANS = "How many plans."
TEXTS = f"""
words: {{exa_plan: {{product: Exasol}}, nuodb_plan: {{product: NuoDB}}}}
returns:
  plans:
    - text: {PLANS}
      more: [nuodb_plan]
options:
  plan:
    - text:
        - A plan of {{product}}.
        - "It has a name: that is all."
"""
MODULE = '''"""A module."""

DOCUMENTATION = r"""
options:
  plan:
    description:
      - An old text,
        in two lines.
    type: dict
    suboptions:
      plan:
        description: Another one.
description: Not an option's.
"""

RETURN = r"""
# a comment
plans:
  description:{description}
  returned: success
  type: int
  sample:   7
"""

plans = "description: no documentation"
'''
OWN = "\n    - How many there are.\n    - None where there are none."


@pytest.fixture(name="copy")
def a_copy(tmp_path: Path) -> Path:
    """The modules and doc fragments of the collection, to be changed."""
    for folder in shared_docs.FOLDERS:
        shutil.copytree(shared_docs.ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.fixture(name="small")
def a_small_collection(tmp_path: Path) -> Path:
    """Two modules, whose texts stand in C(texts.yml)."""
    (tmp_path / "plugins/modules").mkdir(parents=True)
    (tmp_path / "texts.yml").write_text(TEXTS, encoding="utf-8")
    for name, description in (("exa_plan", " How many."), ("nuodb_plan", OWN)):
        path = tmp_path / f"plugins/modules/{name}.py"
        path.write_text(MODULE.replace("{description}", description), encoding="utf-8")
    return tmp_path


def changed(root: Path, module: str, old: str, new: str) -> Path:
    path = root / f"plugins/modules/{module}.py"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_each_module_has_the_shared_texts(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["--check"])
    assert (status, capsys.readouterr().out) == (0, "")


def test_a_text_that_drifts_fails_the_check_and_is_mended(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = changed(copy, "exa_node", "The number of HTTP requests", "The number of calls")
    assert main(["--check"], SharedDocs(copy)) == 1
    assert capsys.readouterr().out == (
        "plugins/modules/exa_node.py: RETURN: api_calls: differs from tests/gates/shared_docs.yml; "
        "mend it by: make shared-docs\n"
    )
    assert "The number of calls" in path.read_text(encoding="utf-8")
    assert main([], SharedDocs(copy)) == 0
    assert path.read_bytes() == (shared_docs.ROOT / "plugins/modules/exa_node.py").read_bytes()


def test_an_option_of_a_fragment_that_drifts_fails_the_check(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy / "plugins/doc_fragments/nuodb.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("The name of the domain in messages.", "Its name in messages."), encoding="utf-8")
    assert main(["--check"], SharedDocs(copy)) == 1
    assert "plugins/doc_fragments/nuodb.py: DOCUMENTATION: cluster_name: " in capsys.readouterr().out


def test_a_paragraph_that_no_one_declared_fails_the_check(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed(copy, "nuodb_hotcopy", "is no change.\n", "is no change.\n    - Something more.\n")
    assert main(["--check"], SharedDocs(copy)) == 1
    assert "nuodb_hotcopy.py: RETURN: steps: " in capsys.readouterr().out


def test_a_new_key_that_modules_share_fails_the_check(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for module in ("exa_node", "exa_storage"):
        changed(copy, module, "\napi_calls:\n", "\nmood:\n  description: How it feels.\n\napi_calls:\n")
    assert main(["--check"], SharedDocs(copy)) == 1
    expected = "tests/gates/shared_docs.yml: mood of RETURN is missing, and 2 modules have it\n"
    assert capsys.readouterr().out == expected


def test_a_file_that_lost_the_key_fails_the_check(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed(copy, "nuodb_plan", "\nsteps:\n", "\nways:\n")
    assert main(["--check"], SharedDocs(copy)) == 1
    assert "nuodb_plan has no steps in its returns" in capsys.readouterr().out


def test_a_text_that_only_one_file_has_fails_the_check(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed(copy, "nuodb_connection_info", "\nhints:\n", "\nadvice:\n")
    assert main(["--check"], SharedDocs(copy)) == 1
    assert "hints of returns is in vain, fewer than two files have it" in capsys.readouterr().out


def test_only_the_descriptions_are_replaced(small: Path) -> None:
    assert main([], SharedDocs(small, small / "texts.yml")) == 0
    old = "      - An old text,\n        in two lines.\n"
    for name, product, description in (
        ("exa_plan", "Exasol", f" {PLANS}"),
        ("nuodb_plan", "NuoDB", f"\n    - {PLANS}\n    - None where there are none."),
    ):
        new = f'      - A plan of {product}.\n      - "It has a name: that is all."\n'
        expected = MODULE.replace("{description}", description).replace(old, new)
        assert (small / f"plugins/modules/{name}.py").read_text(encoding="utf-8") == expected
    assert main(["--check"], SharedDocs(small, small / "texts.yml")) == 0


def test_a_long_text_is_wrapped_and_reads_the_same(small: Path) -> None:
    texts = small / "texts.yml"
    words = " ".join(["a text that needs several lines"] * 12)
    texts.write_text(TEXTS.replace(PLANS, words), encoding="utf-8")
    assert main([], SharedDocs(small, texts)) == 0
    text = (small / "plugins/modules/exa_plan.py").read_text(encoding="utf-8")
    block = text.partition("plans:\n  description:\n    - ")[2].partition("\n  returned:")[0]
    assert " ".join(block.split()) == words
    assert max(map(len, text.splitlines())) <= shared_docs.WIDTH


def test_a_declared_paragraph_that_is_not_there_is_no_text_of_its_own(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(small, "nuodb_plan", OWN, f"\n    - {PLANS}")
    assert main([], SharedDocs(small, small / "texts.yml")) == 1
    assert "nuodb_plan.py: plans: the description ends with no paragraph of its own" in capsys.readouterr().out
