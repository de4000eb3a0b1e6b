# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order of a runbook as a diagram and as a table: its phases, and the guards that stand between them.

The phases are those of the definition. `docs/order.md` shows both, and `tests/gates/pictures.py` writes them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.catalogue import RUNBOOKS
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.definition import Phase, Runbook

from .drawing import Sheet, wrapped

DANGERS = Path(__file__).resolve().parents[2] / "docs/dangers.md"


class Unknown(Exception):
    """A guard names a phase or a rule that is not there, or a rule that isn't clear."""


@dataclass(frozen=True)
class Guard:
    """What must hold before a phase begins.

    :param says: as the diagram has it.
    :param mark: a function or a test that docs/dangers.md names in the rule.
    :param also: another one, where several rules name the first.
    """

    says: str
    mark: str
    also: str = ""


CONFIRMED = Guard(
    "You confirmed each cluster by name.", "tests/integration/exasol/test_shutdown.py::test_confirmation_by_name"
)
ONE_RUN = Guard("No other run has the lease of the domain.", "_nuodb/lease.py:_refuse")
QUORUM = Guard("A majority of admin processes answers, with a leader.", "_nuodb/guards.py:refuse_without_quorum")

GUARDS: dict[str, dict[str, tuple[Guard, ...]]] = {
    "exa_cold_start": {
        "storage": (
            Guard(
                "Every node is online, or you named it in ignore_nodes.",
                "_exasol/storage.py:refuse_unless_all_online",
            ),
        ),
        "databases": (
            Guard("Every cluster service is OK.", "_exasol/databases/start_stop.py:refuse_unless_services_ok"),
            Guard(
                "No restore or other operation runs on the database.",
                "_exasol/databases/start_stop.py:started",
                "tests/unit/exasol/test_dangers.py::test_a_busy_database_is_neither_started_nor_stopped",
            ),
            Guard("No other database runs on the same data volume.", "_exasol/databases/shared_volume.py:_refused"),
        ),
        "plugins": (Guard("Every node that the plugin needs is online.", "_exasol/plugins.py:guard"),),
    },
    "exa_graceful_shutdown": {
        "preflight": (CONFIRMED,),
        "databases": (
            Guard(
                "EXAoperation is on a license server, so it outlives the nodes.",
                "_exasol/nodes/shutdown.py:refuse_unless_master_is",
            ),
            Guard("No backup or other operation runs on a database.", "_exasol/databases/start_stop.py:_busy"),
            Guard("With off_for: the license is valid until the next start.", "_runout.py:refuse_without_license"),
        ),
        "storage": (
            Guard(
                "Every database is stopped, also those that you left out.",
                "tests/unit/exasol/test_dangers.py::test_storage_is_not_stopped_under_a_database",
            ),
        ),
        "nodes": (Guard("EXAStorage is not running.", "_exasol/nodes/shutdown.py:_refuse_under_storage"),),
        "license_servers": (
            Guard(
                "Every node is off; one that is booting counts as on.",
                "tests/unit/exasol/test_dangers.py::test_license_servers_go_after_all_nodes",
            ),
        ),
    },
    "nuodb_cold_start": {
        "storage": (
            QUORUM,
            ONE_RUN,
            Guard(
                "The servers of all archives of the database are connected.",
                "_nuodb/databases/start.py:_refuse_ignoring",
            ),
        ),
        "transactions": (
            Guard("It is known which TEs are wanted.", "_nuodb/databases/start.py:_slots_of"),
            Guard("The SMs of an offline storage group run before any TE.", "_nuodb/serving.py:refuse_joining"),
        ),
    },
    "nuodb_graceful_shutdown": {
        "preflight": (CONFIRMED,),
        "backup": (
            QUORUM,
            ONE_RUN,
            Guard("The hot copy can be whole, and no other one runs.", "_nuodb/hotcopies/take.py:guard"),
        ),
        "databases": (Guard("No hot copy of the database runs.", "_nuodb/databases/shutdown.py:_copying"),),
        "servers": (
            Guard("Every process left a tombstone of a graceful exit.", "_nuodb/databases/shutdown.py:_left"),
            Guard("No database process runs on the server.", "_nuodb/servers.py:_refuse_under_processes"),
            Guard("All servers go, or a majority stays.", "_nuodb/servers.py:_refuse_minority"),
        ),
    },
}
"""Runbook -> phase -> what must hold before the phase begins."""

WIDTH = 480
COLUMN = 36
"""Where the line runs from phase to phase."""


def rule_of(guard: Guard) -> str:
    """The title of the rule in docs/dangers.md."""
    rules = re.split(r"^### ", DANGERS.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    marks = [f"`{mark}`" for mark in (guard.mark, guard.also) if mark]
    found = [rule.partition("\n")[0] for rule in rules if all(mark in rule for mark in marks)]
    if len(found) != 1:
        raise Unknown(f"{', '.join(marks)}: in {len(found)} rules of docs/dangers.md, not in 1")
    return found[0]


def guards_of(book: Runbook) -> dict[str, tuple[Guard, ...]]:
    """The guards of a runbook, whose phases are all there."""
    guards = GUARDS[book.name]
    strange = set(guards) - {phase.name for phase in book.phases}
    if strange:
        raise Unknown(f"{book.name} has no phase {', '.join(sorted(strange))}")
    return guards


def anchor(title: str) -> str:
    """As a Git server makes it of a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def table(book: Runbook) -> str:
    """The guards, each with its rule."""
    rows = []
    for phase in book.phases:
        for guard in guards_of(book).get(phase.name, ()):
            title = rule_of(guard)
            rows.append(f"| `{book.title(phase)}` | {guard.says} | [{title}](dangers.md#{anchor(title)}) |")
    return "\n".join(["| before | must hold | rule |", "|---|---|---|", *rows, ""])


def _words(phase: Phase) -> str:
    """What a phase does, in a line or two. A text that depends on variables is replaced by the documentation's."""
    return phase.text if isinstance(phase.text, str) else phase.about.partition(";")[0].replace("`", "")


def diagram(name: str) -> str:
    """The SVG of a runbook's order."""
    book = RUNBOOKS[name]
    guards = guards_of(book)
    order = ", ".join(phase.name for phase in book.phases)
    checks = " ".join(
        f"Before {phase.name}: {' '.join(one.says for one in guards[phase.name])}"
        for phase in book.phases
        if phase.name in guards
    )
    sheet = Sheet(WIDTH, f"{name}: phases and guards, in order", f"Phases: {order}. {checks}")
    sheet.text(20, 32, name, "name")
    sheet.text(20, 53, "A shield is a guard: if it doesn't hold, the run stops there.", "dim")
    height = 72.0
    for number, phase in enumerate(book.phases, 1):
        height = _draw_guards(sheet, height, guards.get(phase.name, ()), number == 1)
        lines = wrapped(_words(phase), 52)
        tall = 34 + 18 * len(lines)
        sheet.box(16, height, WIDTH - 32, tall)
        sheet.disc(COLUMN + 4, height + tall / 2, str(number))
        sheet.text(66, height + 23, phase.name, "name")
        sheet.paragraph(66, height + 43, lines, "dim")
        height += tall
    return sheet.drawn(height + 16)


def _draw_guards(sheet: Sheet, height: float, guards: tuple[Guard, ...], first: bool) -> float:
    """The way to the next phase; returns where it ends."""
    x = COLUMN + 4
    if not guards:
        if first:
            return height
        sheet.arrow(x, height, height + 24)
        return height + 24
    texts = [wrapped(guard.says, 54) for guard in guards]
    tall = sum(8 + 17 * len(lines) for lines in texts) + 8
    if not first:
        sheet.arrow(x, height, height + 16)
        height += 16
    sheet.box(28, height, WIDTH - 56, tall, "guards")
    y = height + 8
    for lines in texts:
        sheet.shield(x + 6, y + 11)
        sheet.paragraph(66, y + 16, lines, "guard", 17)
        y += 8 + 17 * len(lines)
    sheet.arrow(x, height + tall, height + tall + 16)
    return height + tall + 16
