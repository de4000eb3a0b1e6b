# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two diagrams of the whole: what talks to what, for the README; the floors of the code, for docs/architecture.md."""

from __future__ import annotations

from .drawing import Sheet

WIDTH = 660

TARGETS = (
    ("Exasol by EAO", "XML-RPC (EAO)", ("EXAoperation", "on a license server")),
    ("Exasol by ConfD", "XML-/JSON-RPC", ("ConfD", "on every node")),
    ("NuoDB domain", "REST API", ("admin processes", "on every server")),
)

BELOW = (
    ("nodes, EXAStorage,", "databases, backups"),
    ("nodes, EXAStorage,", "databases, backups"),
    ("SMs, TEs, archives,", "databases, hot copies"),
)


def overview() -> str:
    """Controller, collection, interfaces, clusters."""
    sheet = Sheet(
        WIDTH,
        "What talks to what",
        "ansible-playbook on the controller runs a runbook of the collection, which calls modules. They speak to "
        "EXAoperation by EAO, to ConfD by XML-RPC or JSON-RPC, and to NuoDB's admin processes by the Admin REST API, "
        "over HTTPS. The simulator can stand in place of each of these. Nothing is installed on the cluster.",
    )
    sheet.box(16, 16, WIDTH - 32, 200, "dashed")
    sheet.text(32, 40, "Controller: a shell, AWX or a bastion", "title")
    for number, (name, *lines) in enumerate(
        (
            ("You give", "inventory and profile", "runbook and target", "hooks, if you want any"),
            ("Collection", "runbooks: the order", "modules: read, refuse,", "call, wait, read again"),
            ("You get", "plan and progress", "result, or one cause", "report and record"),
        )
    ):
        x = 32 + number * 202
        sheet.box(x, 56, 192, 96)
        sheet.text(x + 14, 80, name, "title")
        sheet.paragraph(x + 14, 102, lines, "dim")
    sheet.text(32, 176, "ansible-playbook dbfleet.cluster.exa_cold_start -e target=exa-prod", "code")
    sheet.text(32, 200, "Nothing is installed on a cluster. What it needs is an account of its API.", "dim")
    for number, ((name, api, lines), below) in enumerate(zip(TARGETS, BELOW)):
        x = 16 + number * 214
        middle = x + 100
        sheet.arrow(middle, 216, 270)
        sheet.text(middle + 10, 240, api, "dim")
        sheet.text(middle + 10, 257, "over HTTPS", "dim")
        sheet.box(x, 270, 200, 132)
        sheet.text(middle, 294, name, "title middle")
        sheet.box(x + 16, 308, 168, 46, "guards")
        sheet.paragraph(middle, 327, list(lines), "guard middle", 17)
        sheet.paragraph(middle, 374, list(below), "dim middle", 17)
    sheet.box(16, 416, WIDTH - 32, 40, "dashed")
    sheet.text(WIDTH / 2, 441, "The simulator stands in place of each of them: make demo, make simulator", "middle")
    return sheet.drawn(472)


FLOORS = (
    ("Playbooks, roles", ("one task per runbook; signposts for tags and --start-at-task",)),
    ("Runbooks", ("phases as data and functions; hooks, journal, report", "plugins/plugin_utils/runbooks")),
    ("Modules", ("options and documentation; run(task)", "plugins/modules")),
)


def architecture() -> str:
    """The floors of the code and its two wings."""
    sheet = Sheet(
        WIDTH,
        "The floors of the code",
        "A playbook runs a runbook, which calls modules. A module uses the wing of its product: subjects, which know "
        "what is wanted and what is refused, over an interface, over the servers' words. Both wings use the same "
        "loop that looks, decides, calls and waits, and the same HTTP client.",
    )
    height = 16.0
    for name, lines in FLOORS:
        tall = 24 + 18 * len(lines)
        sheet.box(16, height, WIDTH - 32, tall)
        sheet.text(32, height + 26, name, "title")
        sheet.paragraph(196, height + 26, list(lines), "dim")
        sheet.arrow(WIDTH / 2, height + tall, height + tall + 22)
        height += tall + 22
    wings = (
        (
            "Exasol wing",
            "_exasol/",
            ("nodes, storage, databases, backups,", "volumes, plugins, jobs"),
            ("EAO", "ConfD"),
        ),
        (
            "NuoDB wing",
            "_nuodb/",
            ("servers, processes, databases,", "hot copies, storage groups, archives"),
            ("Admin REST API",),
        ),
    )
    half = (WIDTH - 44) / 2
    for number, (name, place, subjects, servers) in enumerate(wings):
        x = 16 + number * (half + 12)
        sheet.box(x, height, half, 176)
        sheet.text(x + 16, height + 26, name, "title")
        sheet.text(x + half - 96, height + 26, place, "code")
        sheet.text(x + 16, height + 50, "Subjects: wanted states, guards")
        sheet.paragraph(x + 16, height + 70, list(subjects), "dim")
        sheet.text(x + 16, height + 114, "Interface, and the servers' words")
        wide = (half - 32 - 10 * (len(servers) - 1)) / len(servers)
        for place_of, server in enumerate(servers):
            left = x + 16 + place_of * (wide + 10)
            sheet.box(left, height + 126, wide, 34, "guards")
            sheet.text(left + wide / 2, height + 148, server, "guard middle")
    height += 176
    sheet.arrow(16 + half / 2, height, height + 22)
    sheet.arrow(WIDTH - 16 - half / 2, height, height + 22)
    height += 22
    for name, text in (
        ("Convergence", "look, decide, call, wait; knows no product (_convergence/)"),
        ("Ground", "HTTP client, errors, wording, secrets (_http/ and single files)"),
    ):
        sheet.box(16, height, WIDTH - 32, 42)
        sheet.text(32, height + 26, name, "title")
        sheet.text(196, height + 26, text, "dim")
        height += 52
    sheet.box(16, height + 4, WIDTH - 32, 42, "dashed")
    sheet.text(32, height + 30, "Simulator", "title")
    sheet.text(196, height + 30, "the servers' side; shares no code with the rest", "dim")
    return sheet.drawn(height + 62)
