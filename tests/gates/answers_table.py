# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes docs/sources/answers.md: each answer of tests/answers, where it comes from and where it is read."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.dbfleet.cluster.tests.answers.fixtures import SERVERS, Seen, all_seen

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs/sources/answers.md"

HEAD = """# Answers that were seen

Each row is an answer in the form in which a source shows it. It stands in `tests/answers`, and a unit test reads it.
The numbers are those of the [facts](README.md), which name the document.

`make answers-table` writes this page from the files.
"""


def _row(seen: Seen) -> str:
    path, _colons, name = seen.read.partition("::")
    file = f"[{seen.name.partition('/')[2]}](../../tests/answers/{seen.name}.yml)"
    facts = ", ".join(seen.facts)
    return f"| `{seen.call}` | {seen.version} | {seen.form} | {file} | {facts} | `{name}` of `{path}` |"


def table(entries: list[Seen]) -> str:
    """The whole page."""
    parts = [HEAD]
    for folder, server in SERVERS.items():
        rows = [_row(seen) for seen in entries if seen.name.startswith(f"{folder}/")]
        if rows:
            head = "| call | version | form | file | facts | read by |\n|---|---|---|---|---|---|"
            parts.append("\n".join([f"## {server}", "", head, *rows, ""]))
    return "\n".join(parts)


if __name__ == "__main__":
    TABLE.write_text(table(all_seen()), encoding="utf-8")
