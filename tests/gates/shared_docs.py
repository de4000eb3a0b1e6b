# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the descriptions of tests/gates/shared_docs.yml into each module and doc fragment that has the key.

With C(--check) it writes nothing and fails where one differs. `tests/unit/repository/test_shared_docs.py` runs it so.
"""

from __future__ import annotations

import ast
import json
import re
import sys
import textwrap
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

import yaml

ROOT = Path(__file__).resolve().parents[2]
TEXTS = Path(__file__).with_suffix(".yml")
MEND = "make shared-docs"
FOLDERS = ("plugins/modules", "plugins/doc_fragments")
WIDTH = 120

SECTIONS = {"returns": ("RETURN", 0), "options": ("DOCUMENTATION", 2)}
"""Section of the texts -> the constant that has its keys, and how far they are indented there."""


class Wrong(Exception):
    """The texts, or a file, are such that nothing can be written."""


@dataclass
class Variant:
    """One wording of a key.

    :param paragraphs: the shared ones; None where the files have words of their own.
    :param files: file -> the words that are filled in; None for all files that no other variant names.
    :param more: the files whose description ends with a paragraph of their own.
    """

    paragraphs: Optional[list[str]]
    files: Optional[dict[str, dict[str, str]]]
    more: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, row: dict[str, Any]) -> Variant:
        """:raises Wrong: for a row that is not in the form that the file of the texts explains."""
        if not set(row) <= {"text", "in", "more", "unlike"} or ("text" in row) == ("unlike" in row):
            raise Wrong(f"{TEXTS.name}: a variant has text or unlike, and perhaps in and more: {row}")
        text, files = row.get("text"), row.get("in")
        paragraphs = [text] if isinstance(text, str) else text
        named = {name: {} for name in files} if isinstance(files, list) else files
        return cls(paragraphs, named, row.get("more", []))


@dataclass
class Block:
    """The lines of a file that hold one description.

    :param indent: of the word C(description).
    :param found: what it says now, as paragraphs.
    """

    first: int
    end: int
    indent: int
    found: list[str]


@dataclass
class Document:
    """A module or a doc fragment."""

    path: Path
    lines: list[str]

    @property
    def name(self) -> str:
        return self.path.stem

    def keys(self, section: str) -> dict[str, int]:
        """The keys of a section -> the line in which each stands."""
        constant, indent = SECTIONS[section]
        text = "".join(self.lines)
        if not re.search(rf"^ *{constant} = ", text, re.M):
            return {}
        begin, end = self._span(constant, ast.parse(text))
        if section == "options":
            begin = next((number + 1 for number in range(begin, end) if self.lines[number] == "options:\n"), end)
        found = {}
        for number in range(begin, end):
            line = self.lines[number]
            match = re.match(rf" {{{indent}}}(\w+):", line)
            if match:
                found[match[1]] = number
            elif section == "options" and re.match(r"\w", line):
                break
        return found

    @staticmethod
    def _span(constant: str, tree: ast.AST) -> tuple[int, int]:
        """The lines of a constant's text, without those of its quotes."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) == constant:
                return node.value.lineno, (node.value.end_lineno or 0) - 1
        return 0, 0

    def block(self, section: str, key: str) -> Block:
        """:raises Wrong: the key has no description of its own."""
        number, indent = self.keys(section)[key], SECTIONS[section][1] + 2
        last = self._below(number, indent)
        for first in range(number + 1, last):
            if self.lines[first].startswith(f"{' ' * indent}description:"):
                end = self._below(first, indent + 1)
                said = yaml.safe_load(textwrap.dedent("".join(self.lines[first:end])))["description"]
                return Block(first, end, indent, [said] if isinstance(said, str) else said)
        raise Wrong(f"{self.path.name}: {key} has no description")

    def _below(self, number: int, indent: int) -> int:
        """The line behind those that belong to this one."""
        end = number + 1
        while self.lines[end].startswith(" " * indent):
            end += 1
        return end


def rendered(paragraphs: list[str], indent: int, listed: bool) -> list[str]:
    """The lines of a description."""
    head = f"{' ' * indent}description:"
    if not listed and len(paragraphs) == 1 and len(f"{head} {_scalar(paragraphs[0])}") <= WIDTH:
        return [f"{head} {_scalar(paragraphs[0])}\n"]
    lines, dash = [f"{head}\n"], f"{' ' * (indent + 2)}- "
    for paragraph in paragraphs:
        lines += textwrap.wrap(
            dash + _scalar(paragraph),
            WIDTH,
            subsequent_indent=" " * len(dash),
            break_long_words=False,
            break_on_hyphens=False,
        )
    return [line if line.endswith("\n") else f"{line}\n" for line in lines]


def _scalar(text: str) -> str:
    """A text as YAML reads it back, in quotes only where it must be."""
    try:
        plain = yaml.safe_load(f"- {text}") == [text]
    except yaml.YAMLError:
        plain = False
    return text if plain else json.dumps(text, ensure_ascii=False)


class SharedDocs:
    """The texts, and the files that they belong in.

    :param root: of the collection.
    """

    def __init__(self, root: Path = ROOT, texts: Path = TEXTS) -> None:
        content = yaml.safe_load(texts.read_text(encoding="utf-8"))
        self._words: dict[str, dict[str, str]] = content["words"]
        self._texts = {
            section: {key: [Variant.of(row) for row in rows] for key, rows in content[section].items()}
            for section in SECTIONS
        }
        paths = [path for folder in FOLDERS for path in sorted((root / folder).glob("*.py"))]
        self._documents = [Document(path, path.read_text(encoding="utf-8").splitlines(keepends=True)) for path in paths]

    def untold(self) -> list[str]:
        """What is missing in the texts, or stands there in vain, one sentence each."""
        found = []
        for section, texts in self._texts.items():
            having = {doc.name: set(doc.keys(section)) for doc in self._documents}
            counted = Counter(key for keys in having.values() for key in keys)
            if section == "returns":
                missing = sorted(key for key, times in counted.items() if times > 1 and key not in texts)
                found += [f"{key} of RETURN is missing, and {counted[key]} modules have it" for key in missing]
            found += [
                f"{key} of {section} is in vain, fewer than two files have it" for key in texts if counted[key] < 2
            ]
            for key, variants in texts.items():
                named = [name for variant in variants for name in (*(variant.files or {}), *variant.more)]
                found += [f"{name} has no {key} in its {section}" for name in named if key not in having.get(name, ())]
        return [f"tests/gates/{TEXTS.name}: {sentence}" for sentence in found]

    def write(self) -> list[str]:
        """Writes them.

        :returns: the file and key of each text that differed, one sentence each.
        """
        drift = self.drift()
        for document in self._documents:
            document.path.write_text("".join(document.lines), encoding="utf-8")
        return drift

    def drift(self) -> list[str]:
        """The same without writing."""
        found = []
        for document in self._documents:
            for section, texts in self._texts.items():
                changed = [key for key in document.keys(section) if key in texts and self._put(document, section, key)]
                where = f"{document.path.parent.name}/{document.path.name}"
                found += [f"plugins/{where}: {SECTIONS[section][0]}: {key}" for key in changed]
        return found

    def _put(self, document: Document, section: str, key: str) -> bool:
        """Sets one description in the lines.

        :returns: whether it differed.
        """
        variant, words = self._variant(document.name, section, key)
        if variant.paragraphs is None:
            return False
        block = document.block(section, key)
        wanted = [paragraph.format_map(words) for paragraph in variant.paragraphs]
        if document.name in variant.more:
            if len(block.found) < 2 or block.found[-1] in wanted:
                raise Wrong(f"{document.path.name}: {key}: the description ends with no paragraph of its own")
            wanted.append(block.found[-1])
        lines = rendered(wanted, block.indent, listed=section == "options")
        differs = lines != document.lines[block.first : block.end]
        document.lines[block.first : block.end] = lines
        return differs

    def _variant(self, name: str, section: str, key: str) -> tuple[Variant, dict[str, str]]:
        """The wording that a file has, and the words that are filled in."""
        variants = self._texts[section][key]
        named = [variant for variant in variants if name in (variant.files or ())]
        fitting = named or [variant for variant in variants if variant.files is None]
        if len(fitting) != 1:
            raise Wrong(f"{TEXTS.name}: {len(fitting)} variants of {key} are for {name}, not one")
        own = (fitting[0].files or {}).get(name) or {}
        return fitting[0], {**self._words.get(name, {}), **own}


def main(arguments: list[str], docs: Optional[SharedDocs] = None) -> int:
    docs = docs or SharedDocs()
    check = "--check" in arguments
    try:
        untold = docs.untold()
        drift = [] if untold else docs.drift() if check else docs.write()
    except Wrong as error:
        untold, drift = [str(error)], []
    for sentence in untold:
        print(sentence)
    for where in drift:
        print(f"{where}: differs from tests/gates/{TEXTS.name}; mend it by: {MEND}" if check else f"{where}: written")
    return 1 if untold or (check and drift) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
