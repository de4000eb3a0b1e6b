# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes what the documentation says of the runbooks' phases and hooks, from their definitions.

That is: the tables of phases in the roles' READMEs and in docs, the table of hooks in docs/hooks.md, the hooks in the
roles' C(meta/argument_specs.yml), their signposts in C(tasks/main.yml), and docs/phases.md: what each tag,
C(--start-at-task), C(--limit) and hook does. `tests/unit/repository/test_runbook_docs.py` holds them.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks import selection
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.catalogue import RUNBOOKS
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.definition import (
    ALWAYS,
    ON_FAILURE,
    ON_SUCCESS,
    Hook,
    Phase,
    Runbook,
)

ROOT = Path(__file__).resolve().parents[2]

MEND = "make runbook-docs"

GUIDES = {"exa": "docs/exasol_runbooks.md", "nuodb": "docs/nuodb_runbooks.md"}

NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight")

WIDTH = 120


class Missing(Exception):
    """A place in a file that the script writes is not there."""


def between(text: str, where: str, name: str, new: str, mend: str = MEND) -> str:
    """The text with what stands between two marks replaced.

    :param where: the file, for the message.
    :param name: of the marks.
    :param mend: what writes it.
    """
    begin, end = f"<!-- {name}: written by {mend} -->\n", f"<!-- end of {name} -->\n"
    if begin not in text or end not in text:
        raise Missing(f"{where}: there is no {begin.strip()} ... {end.strip()}")
    head, _old, rest = text.partition(begin)
    return f"{head}{begin}{new}{end}{rest.partition(end)[2]}"


def phases_table(book: Runbook) -> str:
    """The phases of a runbook."""
    rows = [f"| ({number}/{len(book.phases)}) `{phase.name}` | {phase.about} |" for number, phase in numbered(book)]
    return "\n".join(["| phase (tag) | what it does |", "|---|---|", *rows, ""])


def numbered(book: Runbook) -> Iterator[tuple[int, Phase]]:
    return enumerate(book.phases, 1)


# -- hooks


def is_around(hook: Hook) -> bool:
    """Whether each phase has such a hook."""
    return hook.name.startswith(("before_", "after_"))


ENDS = (ON_SUCCESS, ON_FAILURE, ALWAYS)
"""Every runbook has them."""


def hooks_table() -> str:
    """The hooks of all runbooks."""
    rows = []
    for book in RUNBOOKS.values():
        own = [f"`{hook.name}`" for hook in book.hooks() if not is_around(hook) and hook not in ENDS]
        around = ", ".join(f"`{phase.name}`" for phase in book.phases)
        each = (
            f"`before_`/`after_` each of {around}" if len(book.phases) > 1 else "`before_databases`, `after_databases`"
        )
        rows.append(f"| `{book.name}_hooks` | {', '.join([*own, each])} |")
    return "\n".join(["| variable | hooks |", "|---|---|", *rows, ""])


def hook_options(book: Runbook) -> str:
    """The suboptions of the variable of hooks."""
    lines = ["        options:"]
    for hook in book.hooks():
        about = f"Task file, or list of them, {hook.about}"
        wrapped = textwrap.wrap(about, WIDTH - 16, break_on_hyphens=False)
        lines += [f"          {hook.name}:", "            description:"]
        lines += [f"              - {wrapped[0]}", *(f"                {line}" for line in wrapped[1:])]
        lines += ["            type: raw"]
    return "\n".join([*lines, ""])


def specs(text: str, book: Runbook) -> str:
    """C(meta/argument_specs.yml) with the hooks and the names of the phases."""
    block = re.compile(rf"(      {book.name}_hooks:\n(?:        .*\n)*?)        options:\n(?:          .*\n)*")
    found, count = block.subn(lambda match: match[1] + hook_options(book), text)
    if not count:
        raise Missing(f"{book.name}: argument_specs.yml has no {book.name}_hooks with options")
    if len(book.phases) == 1:
        return found
    names = ", ".join(phase.name for phase in book.phases)
    line = f"      - {NUMBERS[len(book.phases)]} phases, each a tag; {names}.\n"
    found, count = re.subn(r"      - \w+ phases, each a tag; .*\n", line, found)
    if not count:
        raise Missing(f"{book.name}: argument_specs.yml has no line about its phases")
    return found


def signposts(text: str, book: Runbook) -> str:
    """C(tasks/main.yml) with a signpost per phase."""
    lines = []
    for phase in book.phases:
        lines += [
            f"    - name: {book.title(phase)}",
            "      ansible.builtin.meta: noop",
            f"      tags: [{phase.name}]",
            "",
        ]
    post = r"    - name: \(\d+/\d+\) \w+\n      ansible.builtin.meta: noop\n      tags: \[\w+\]\n\n"
    found, count = re.subn(rf"(?:{post})+", "\n".join([*lines, ""]), text)
    if count != 1:
        raise Missing(f"{book.name}: tasks/main.yml has no row of signposts")
    return found


# -- what each way to run a part does


def chosen(book: Runbook, *, tags: str = "all", skip: str = "") -> list[str]:
    """The phases that a run with these tags is about."""
    run = SimpleNamespace(book=book, only_tags=[tags], skip_tags=[skip] if skip else [], start_at_task=None)
    run.task = SimpleNamespace(_parent=SimpleNamespace(tags=[]))
    return selection.phases_of(run)


def spoken(names: list[str], book: Runbook) -> str:
    """Phases in a few words."""
    every = [phase.name for phase in book.phases]
    if not names:
        return "fails: nothing is left to do"
    if len(names) > 2 and every[every.index(names[0]) :][: len(names)] == names:
        return f"`{names[0]}` to `{names[-1]}`"
    return ", ".join(f"`{name}`" for name in names)


def ways_table(book: Runbook) -> str:
    """What each tag, each task to start at and each hook does."""
    rows = []
    for number, phase in numbered(book):
        late = [one.name for one in book.phases[number - 1 :]]
        hooks = ", ".join(f"`{hook.name}`" for hook in phase.hooks())
        with_tag, without = (spoken(chosen(book, **way), book) for way in ({"tags": phase.name}, {"skip": phase.name}))
        rows.append(f"| `{book.title(phase)}` | {with_tag} | {without} | {spoken(late, book)} | {hooks} |")
    columns = [
        "phase",
        *(f"`{way}` with its name" for way in ("--tags", "--skip-tags")),
        "`--start-at-task` with its title",
    ]
    head = f"| {' | '.join([*columns, 'its hooks, in order'])} |"
    confirm = "" if book.takes_down is RUNBOOKS["exa_cold_start"].takes_down else CONFIRM
    return "\n".join([head, "|---|---|---|---|---|", *rows, "", *([confirm, ""] if confirm else [])])


CONFIRM = (
    "If the runbook takes something down, each of these ways requires the confirmation by name, for all hosts that "
    "`--limit` leaves."
)


def page() -> str:
    """docs/phases.md."""
    text = (ROOT / "docs/phases.md").read_text(encoding="utf-8")
    for book in RUNBOOKS.values():
        text = between(text, "docs/phases.md", f"ways of {book.name}", ways_table(book))
    return text


def files() -> dict[str, str]:
    """All that the script writes: path -> text."""
    found = {"docs/phases.md": page()}
    texts = {path: (ROOT / path).read_text(encoding="utf-8") for path in ("docs/hooks.md", *GUIDES.values())}
    texts["docs/hooks.md"] = between(texts["docs/hooks.md"], "docs/hooks.md", "hooks", hooks_table())
    for book in RUNBOOKS.values():
        role = f"roles/{book.name}"
        for path, change in ((f"{role}/meta/argument_specs.yml", specs), (f"{role}/tasks/main.yml", signposts)):
            found[path] = change((ROOT / path).read_text(encoding="utf-8"), book)
        for path in (f"{role}/README.md", GUIDES[book.product]):
            text = texts.get(path) or (ROOT / path).read_text(encoding="utf-8")
            texts[path] = between(text, path, f"phases of {book.name}", phases_table(book))
    return {**found, **texts}


def main() -> int:
    """Writes them; with C(--check) it tells which are behind, and fails."""
    behind = [path for path, text in files().items() if (ROOT / path).read_text(encoding="utf-8") != text]
    if "--check" in sys.argv[1:]:
        for path in behind:
            print(f"{path}: differs from the runbooks' definitions; mend it by: {MEND}")
        return 1 if behind else 0
    for path, text in files().items():
        (ROOT / path).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
