# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes docs/messages.md: each number that a failure may have, its sentences, and what to do.

The sentences are read from the places of the code that make them. The rest of a refusal stands in docs/dangers.md, the
rest of any other failure in docs/messages.yml.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import yaml

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
DANGERS = ROOT / "docs/dangers.md"
CATALOGUE = ROOT / "docs/messages.yml"
TABLE = ROOT / "docs/messages.md"

NUMBER = re.compile(r"DBF-\d{4}")
AT_THE_END = re.compile(r" \[DBF-\d{4}\]$")

SIMULATOR = PLUGINS / "plugin_utils/simulator"
"""Its messages are for those who write topologies and tests."""

BASE = "ClusterError"
KNOWN_BY_TEXT = ("fail", "failure", "numbered")
"""Calls whose second argument is the number of the sentence before it."""

IN_TEXT = ("AnsibleFilterError", "fail_json")
"""Failures whose number stands in the text."""

GAP = "…"

MOST = 7
"""Sentences of one number that are shown."""


@dataclass(frozen=True)
class Site:
    """A place that makes a failure."""

    file: str
    line: int
    name: str
    functions: tuple[str, ...]
    number: Optional[str]
    """None where it names none; empty where it is computed."""
    text: str
    hint: str


@dataclass(frozen=True)
class Rule:
    """A section of docs/dangers.md."""

    chapter: str
    title: str
    number: str
    override: str
    code: frozenset[str]


# -- the code


def classes() -> dict[str, str]:
    """The number of each class of failures."""
    tree = ast.parse((PLUGINS / "module_utils/_errors.py").read_text(encoding="utf-8"))
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            own = [
                line.value.value
                for line in node.body
                if isinstance(line, ast.Assign)
                and isinstance(line.targets[0], ast.Name)
                and line.targets[0].id == "number"
                and isinstance(line.value, ast.Constant)
            ]
            found[node.name] = str(own[0]) if own else ""
    return found


def sites() -> list[Site]:
    """All places that make a failure, but the simulator's."""
    names = {*classes(), "Fail", *KNOWN_BY_TEXT, *IN_TEXT}
    found = []
    for path in sorted(PLUGINS.rglob("*.py")):
        if SIMULATOR not in path.parents:
            found += list(_sites_of(path, names))
    return found


def _sites_of(path: Path, names: set[str]) -> Iterator[Site]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for node in ast.walk(tree):
        name = _called(node)
        if not isinstance(node, ast.Call) or name not in names:
            continue
        around = [one.name for one in functions if one.lineno <= node.lineno <= (one.end_lineno or 0)]
        named = {one.arg: one.value for one in node.keywords}
        given = named.get("number")
        if name in KNOWN_BY_TEXT:
            given = node.args[1] if len(node.args) > 1 else None
        said = node.args[0] if node.args else named.get("msg")
        if said is None:
            continue
        text = form(said)
        number = None if given is None else str(given.value) if isinstance(given, ast.Constant) else ""
        if name in IN_TEXT:
            number = next(iter(NUMBER.findall(text)), None)
            text = AT_THE_END.sub("", text)
        hint = named.get("hint", node.args[1] if name == "Fail" and len(node.args) > 1 else None)
        yield Site(
            path.relative_to(PLUGINS).as_posix(),
            node.lineno,
            name,
            tuple(around),
            number,
            text,
            form(hint) if hint is not None else "",
        )


def _called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def form(node: ast.AST) -> str:
    """A sentence as the code has it, a gap for whatever is put into it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value
    elif isinstance(node, ast.JoinedStr):
        text = "".join(form(part) for part in node.values)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        text = form(node.left) + form(node.right)
    else:
        text = GAP
    return re.sub(rf"{GAP}(\s*{GAP})+", GAP, text)


def numbers_in_code() -> set[str]:
    """Every number that plugins and roles name."""
    paths = [path for path in PLUGINS.rglob("*.py") if SIMULATOR not in path.parents]
    paths += (ROOT / "roles").rglob("tasks/*.yml")
    return {number for path in paths for number in NUMBER.findall(path.read_text(encoding="utf-8"))}


def forms(every: list[Site], number: str) -> list[Site]:
    """The places whose failures have a number."""
    own = classes()
    return [one for one in every if (own.get(one.name) if one.number is None else one.number) == number]


# -- the documents


def rules() -> list[Rule]:
    """The rules of docs/dangers.md that have a number."""
    found = []
    chapter = ""
    for part in re.split(r"^(?=#{2,3} )", DANGERS.read_text(encoding="utf-8"), flags=re.MULTILINE):
        title = part.partition("\n")[0]
        chapter = title[3:] if title.startswith("## ") else chapter
        number = re.search(r"^- Number: \[`(DBF-\d{4})`\]", part, re.MULTILINE)
        if number:
            override = re.search(r"^- Override: (.*?)(?=^- |\Z)", part, re.MULTILINE | re.DOTALL)
            words = " ".join(override[1].split()) if override else ""
            code = frozenset(re.findall(r"`([\w/]+\.py:\w+)`", part))
            found.append(Rule(chapter, title[4:], number[1], words, code))
    return found


def catalogue() -> list[dict[str, Any]]:
    """The groups of docs/messages.yml."""
    groups: list[dict[str, Any]] = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    return groups


def numbers_explained() -> list[str]:
    """Every number that a document explains."""
    said = [one["number"] for group in catalogue() for one in group["messages"]]
    return said + [rule.number for rule in rules()]


def slug(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


HEAD = """# Messages

Each failure ends with a number, as `[DBF-3001]`. Search this page for it. The number stands in the message of the task,
in the `cause` of the end table, and in the report. The task's result and the JSON record have it as `message_number`.
Where several things are refused at once, it has several numbers. A number never changes its meaning; the wording of a
message may change. [Troubleshooting](troubleshooting.md) begins with what you see, not with a number.

In the sentences below, `…` stands for a name, a state or a text of the server. Where a failure repeats another one, it
keeps the number of that: there is the cause.

`make messages-table` writes this page from the code, from `docs/messages.yml` and from [dangers](dangers.md).
"""


def _sentences(found: list[Site], hints: bool = False) -> list[str]:
    """The sentences of a number in a block, each once."""
    lines = []
    for one in found:
        if len(re.sub(rf"[{GAP}\W\d]", "", one.text)) > 8:
            hint = f"\n    hint: {one.hint}" if hints and one.hint.strip(GAP + " ;") else ""
            lines.append(f"{one.text}{hint}")
    unique = list(dict.fromkeys(lines))[:MOST]
    return ["```text", *unique, "```", ""] if unique else []


def _row(name: str, text: str) -> str:
    return f"- **{name}**: {' '.join(str(text).split())}"


def table() -> str:
    """The whole page."""
    every = sites()
    lines = [HEAD, "| numbers | about |", "|---|---|"]
    groups = catalogue()
    chapters: dict[str, list[Rule]] = {}
    for rule in rules():
        chapters.setdefault(rule.chapter, []).append(rule)
    chapters = {chapter: sorted(of_it, key=lambda rule: rule.number) for chapter, of_it in chapters.items()}
    lines += [f"| {group['numbers']} | [{group['group']}](#{slug(group['group'])}) |" for group in groups[:5]]
    for chapter, of_it in chapters.items():
        numbers = f"{of_it[0].number} to {of_it[-1].number}"
        lines.append(f"| {numbers} | [Refusals: {chapter}](#{slug(f'Refusals: {chapter}')}) |")
    lines += [f"| {group['numbers']} | [{group['group']}](#{slug(group['group'])}) |" for group in groups[5:]]
    lines.append("")
    for group in groups[:5]:
        lines += _group(group, every)
    for chapter, of_it in chapters.items():
        lines += [f"## Refusals: {chapter}", ""]
        for rule in of_it:
            lines += [f"### {rule.number}", "", f"{rule.title} ([why](dangers.md#{slug(rule.title)})).", ""]
            lines += _sentences(forms(every, rule.number), hints=True)
            lines += [_row("Override", rule.override), ""]
    for group in groups[5:]:
        lines += _group(group, every)
    return "\n".join(lines).rstrip("\n") + "\n"


def _group(group: dict[str, Any], every: list[Site]) -> list[str]:
    lines = [f"## {group['group']}", ""]
    for one in group["messages"]:
        lines += [f"### {one['number']}", "", f"{one['title']}.", "", "```text"]
        lines += [f"{one['example']} [{one['number']}]", "```", "", _row("Means", one["means"])]
        lines += [_row("Do", one["next"])]
        lines += [_row("Override", one["override"])] if "override" in one else []
        lines.append("")
        found = forms(every, one["number"])
        if len(found) <= MOST:
            lines += _sentences(found)
    return lines


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
