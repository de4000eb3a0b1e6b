# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two ConfD documents, taken apart: examples with what they print, tables of jobs, and the rest.

Read at run time from $DBFLEET_REFERENCE, or ../shared/reference beside the repository. Every line of a document is in
exactly one place of `Document`.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

INTRODUCTION = "confd_jobs_introduction.txt"
EXAMPLES = "confd_xmlrpc_docker_examples.txt"

_ROW = re.compile(r"(?:node|st_volume|remote_volume|db_backups?)_[a-z_]+|db_restore")
_PROMPT = re.compile(r">>> |conn\.job_exec\(")
_SCRIPT = re.compile(r"import \w|from \w+(\.\w+)* import |\w+ = |print \(")
_SETTINGS = re.compile(r"# SSL options|    (#|\w+ = )")
_COLUMNS = ("Name", "Description", "description", "Parameter", "Parameters", "Returns")
_HEADING = re.compile(r"Example \d|Jobs to |other |EXAStorage |We will ")


class Repair(NamedTuple):
    """What is put right in the print of a document before anything of it is run or compared."""

    number: int
    document: str
    printed: str
    meant: str
    reason: str
    times: int = 1
    """How often it occurs."""


# Where only the network, the user or the password differ nothing is replaced: see the test's `Reader`.
REPAIRS = [
    Repair(
        1, EXAMPLES, "https: //", "https://",
        "the page's print put a space behind the scheme: requests knows no such address", 2,
    ),
    Repair(
        2, EXAMPLES, "'http: //bucketname", "'http://bucketname",
        "the same space in the address of the bucket, which the job would keep with it",
    ),
    Repair(
        3, EXAMPLES, ">>> import xmlrpclib,", ">>> import xmlrpc.client,",
        "the document was tested with Python 2.7: its xmlrpclib is called xmlrpc.client now",
    ),
    Repair(
        4, EXAMPLES, ">>> conn = xmlrpclib.", ">>> conn = xmlrpc.client.",
        "the same name where it is used (the third place, an error message, is compared with what Python prints now)",
    ),
    Repair(
        5, EXAMPLES, "verify = False).content\n", "verify = False).content.decode()\n",
        "in Python 2 the content was a text; as bytes, %s would write b'...' into the address. The other document "
        "writes it so",
    ),
    Repair(
        6, EXAMPLES, "'Tue Jul 7 14:14:07 2020'", "'Tue Jul  7 14:14:07 2020'",
        "a page shows two spaces as one: a time in this form pads the day, which is 24 characters long with all days",
    ),
    Repair(
        7, EXAMPLES, "st_volume_lock\nUnlock a volume", "st_volume_unlock\nUnlock a volume",
        "the name of the row above was copied: the description is the other job's",
    ),
    Repair(
        8, EXAMPLES, "dackup_volume_name", "backup_volume_name",
        "a misprint: the example below the table spells the parameter with a b",
    ),
    Repair(9, EXAMPLES, "num__bytes", "num_bytes", "a misprint: no other name of the document has two underscores"),
    Repair(
        10, EXAMPLES, "\nvid label\n", "\nvid, label\n",
        "a lost comma: the row above, of the job that adds the label, has it",
    ),
    Repair(
        11, EXAMPLES, "db_name, backup list (", "db_name, backup_list (",
        "the page lost an underscore: names of parameters have no spaces, and backup_volume_id is written both ways",
    ),
    Repair(12, EXAMPLES, "\nbackup volume ID\n", "\nbackup_volume_id\n", "as 11: it has its underscores in 6.1"),
    Repair(
        13, EXAMPLES, "db_name, backup ID, restore type (", "db_name, backup_id, restore_type (",
        "as 11, twice in a line",
    ),
    Repair(
        14, EXAMPLES, "backup_name, volume, level", "backup_name, backup_volume_id, level",
        "a word for the parameter, whose whole name is in 6.1: the schedule starts just such backups",
    ),
    Repair(
        15, INTRODUCTION, 'master_ip = requests.get("",', 'master_ip = requests.get("https://11.10.10.11:443/master",',
        "the page lost what looked like a link; the other document has it",
    ),
    Repair(
        16, INTRODUCTION, 'master_name = requests.get("",',
        'master_name = requests.get("https://11.10.10.11:443/master?info_type=name",',
        "lost like 15; the address is the vendor's own in a later copy of the article",
    ),
    Repair(17, INTRODUCTION, "{user_naem}", "{user_name}", "a misprint: the name is said to be that of the user"),
    Repair(
        18, INTRODUCTION, "methodHelp (job_start)", 'methodHelp ("job_start")',
        "without quotes it is a name that Python doesn't know; the sentence above means the listed method",
    ),
    Repair(
        19, INTRODUCTION, " '\n                            'type'",
        " '\n                                    'data.',\n                            'type'",
        "the page lost the last line of the description: without it the print isn't Python. data_volume_id has it all",
    ),
    Repair(
        20, INTRODUCTION, " '\n                             'type'",
        " '\n                                     'GiB\"',\n                             'type'",
        "a lost line like 19; it ends the quotation that is open. What it said can't be known: its words aren't "
        "compared",
    ),
    Repair(
        21, INTRODUCTION, " '\n                                   'type'",
        " '\n                                           'created.',\n                                   'type'",
        "a lost line like 20, its words aren't compared",
    ),
    Repair(
        22, INTRODUCTION, " '\n                      'type'",
        " '\n                              'interfaces.',\n                      'type'",
        "a lost line like 20, its words aren't compared",
    ),
    Repair(
        23, INTRODUCTION, "required and '\n                        'type'",
        "required and '\n                                'possible.',\n                        'type'",
        "a lost line like 20, its words aren't compared",
    ),
    Repair(
        24, INTRODUCTION, "ldap[s]:// . ", "ldap[s]://192.168.1.1 . ",
        "lost like 15: the space in front of the full stop and the width of the line show that an address stood "
        "there. Which isn't compared",
    ),
]  # fmt: skip

UNKNOWN = ("'GiB\"',", "'created.',", "'interfaces.',", "'possible.',", "ldap[s]://192.168.1.1 ")
"""Of what was put in, that which no other place of the documents tells: any words may stand there."""


@dataclass
class Example:
    """One statement, and what the document shows below it."""

    number: int
    code: str
    output: list[str] = field(default_factory=list)

    @property
    def shown(self) -> Any:
        """The output as data."""
        return ast.literal_eval("\n".join(self.output))

    @property
    def job(self) -> tuple[str, dict[str, Any]] | None:
        """Name and parameters of the job that it runs, if it runs one."""
        for call in ast.walk(ast.parse(self.code)):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "job_exec":
                name, *rest = (ast.literal_eval(word) for word in call.args)
                return name, rest[0]["params"] if rest else {}
        return None


@dataclass
class Row:
    """A job in a table."""

    job: str
    columns: int
    """Of its table: three, or four with what the job returns."""
    lines: list[str] = field(default_factory=list)

    @property
    def description(self) -> str:
        return self.lines[0]

    @property
    def returns(self) -> str:
        return self.lines[-1] if self.columns == 4 and len(self.lines) > 2 else ""

    def _parts(self) -> Iterator[tuple[str, str]]:
        """What is said of the parameters, by the word that announces it. Notes fill the rest of the cell."""
        for line in self.lines[1:-1] if self.returns else self.lines[1:]:
            first, *rest = re.split(r"\b(optional|substitutes|allowed_groups|notes): ?", line)
            yield "", first
            yield from zip(rest[::2], rest[1::2])
            if "notes" in rest:
                return

    def _names(self, kind: str) -> set[str]:
        """The names in a part: what is in brackets or behind a colon explains them."""
        text = ", ".join(re.sub(r"\(.*\)", "", part).split(":")[0] for key, part in self._parts() if key == kind)
        return {name.strip() for name in text.split(",")} - {"", "None", "none"}

    @property
    def parameters(self) -> set[str]:
        return self._names("")

    @property
    def optional(self) -> set[str]:
        return self._names("optional")

    @property
    def substitutes(self) -> set[str]:
        return self._names("substitutes")

    @property
    def groups(self) -> set[str]:
        return self._names("allowed_groups")


@dataclass
class Document:
    """The lines of a document by what they are; a table's headings are prose."""

    examples: list[Example] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    settings: list[str] = field(default_factory=list)
    """The excerpt of a configuration file."""
    comments: list[str] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)
    empty: int = 0

    def lines(self) -> int:
        examples = sum(1 + len(example.output) for example in self.examples)
        rows = sum(1 + len(row.lines) for row in self.rows)
        return examples + rows + len(self.settings) + len(self.comments) + len(self.prose) + self.empty


def directory() -> Path:
    return Path(os.environ.get("DBFLEET_REFERENCE") or Path(__file__).resolve().parents[3] / "shared" / "reference")


def printed(name: str) -> str:
    return (directory() / name).read_text(encoding="utf-8")


def repaired(name: str, but: int = 0) -> str:
    """The text with all its repairs, or with all but one."""
    text = printed(name)
    for repair in REPAIRS:
        if repair.document == name and repair.number != but:
            found = text.count(repair.printed)
            assert found == repair.times, f"repair {repair.number} is for {repair.times} places, there are {found}"
            text = text.replace(repair.printed, repair.meant)
    return text


def examples(text: str) -> Document:
    """The examples at a Python prompt (two of them lost it in print), and the tables of jobs."""
    document = Document()
    shows = table = False
    columns: list[str] = []
    for line in text.splitlines():
        if _PROMPT.match(line):
            code = line[4:] if line.startswith(">>> ") else line
            document.examples.append(Example(len(document.examples) + 1, code))
            shows, table = True, False
        elif shows and (line.startswith("{") or _continues(document.examples[-1].output)):
            document.examples[-1].output.append(line)
        elif line in _COLUMNS:
            columns = [line] if line == "Name" else [*columns, line]
            document.prose.append(line)
            shows, table = False, False
        elif _ROW.fullmatch(line):
            document.rows.append(Row(line, len(columns)))
            shows, table = False, True
        elif table and not _HEADING.match(line):
            document.rows[-1].lines.append(line)
        else:
            # what stands between a statement and its output only announces it
            shows, table = shows and line.startswith("Output"), False
            document.prose.append(line)
    return document


def _continues(output: list[str]) -> bool:
    if not output:
        return False
    try:
        ast.literal_eval("\n".join(output))
    except SyntaxError:
        return True
    return False


def introduction(text: str) -> Document:
    """The statements of its scripts, what the comment "example output" announces, and an excerpt of EXAConf."""
    document = Document()
    shows = False
    for line in text.splitlines():
        if not line.strip():
            document.empty += 1
            shows = False
        elif _SETTINGS.match(line) and not shows:
            document.settings.append(line)
        elif line.startswith("#"):
            document.comments.append(line)
            shows = line == "# example output"
        elif _SCRIPT.match(line):
            document.examples.append(Example(len(document.examples) + 1, line))
            shows = False
        elif shows:
            document.examples[-1].output.append(line)
        else:
            document.prose.append(line)
    return document
