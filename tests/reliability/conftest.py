# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual nights: the clocks of this process go by them before anything of the collection is imported."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ansible_collections.dbfleet.cluster.tests.reliability.loom import take_clocks

take_clocks()

TABLE = "crash points"
"""The property of a test that has its row."""

COLUMNS = (
    "scenes", "calls", "changes", "points", "runs", "joined", "refused", "repeated", "exceptions", "failures",
)  # fmt: skip


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table of the crash points, whichever worker tried them."""
    rows: dict[str, Counter[str]] = {}
    for report in (*terminalreporter.stats.get("passed", []), *terminalreporter.stats.get("failed", [])):
        for name, value in getattr(report, "user_properties", ()):
            if name == TABLE:
                group, counts = value
                rows.setdefault(group, Counter()).update(counts)
    if not rows:
        return
    terminalreporter.section(TABLE)
    terminalreporter.line(f"| | {' | '.join(COLUMNS)} |")
    terminalreporter.line(f"|---|{'---:|' * len(COLUMNS)}")
    for group, counts in (*sorted(rows.items()), ("all", sum(rows.values(), Counter()))):
        terminalreporter.line(f"| {group} | {' | '.join(str(counts[name]) for name in COLUMNS)} |")
