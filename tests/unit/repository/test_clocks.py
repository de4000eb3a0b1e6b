# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who asks which clock, and who sleeps.

Time-outs go by the monotonic clock, which virtual nights (`tests/reliability`) and tests replace: `time.monotonic`,
`time.sleep`, and what `threading` and `queue` make of them. The wall clock may be set at any time, so nothing is waited
for by it. What goes by another clock, or waits in the kernel, stands here with its reason.
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = next(folder for folder in Path(__file__).resolve().parents if (folder / "galaxy.yml").is_file())
SOURCES = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in ROOT.glob("plugins/**/*.py")}
EDA = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in ROOT.glob("extensions/eda/**/*.py")
}

ASKED = {
    "time.time", "time.time_ns", "time.perf_counter", "time.process_time", "time.clock_gettime", "time.monotonic_ns",
    "datetime.now", "datetime.utcnow", "datetime.datetime.now", "datetime.today", "date.today", "select.poll",
    "select.select", "select.epoll", "selectors.DefaultSelector", "signal.setitimer", "signal.alarm", "asyncio.sleep",
}  # fmt: skip
"""Other clocks, and waits of the kernel."""

WHEN = "a moment that is shown or kept, and compared with nobody's patience"
ACROSS = "a moment that other processes and machines read, which have no monotonic clock in common"
EXPIRES = "a date of the server is compared with today"

ALLOWED: dict[str, tuple[set[str], str]] = {
    "extensions/eda/plugins/event_source/exa_cluster.py": (
        {"datetime.now", "asyncio.sleep"},
        f"{WHEN}; a loop of its own",
    ),
    "extensions/eda/plugins/event_source/nuodb_domain.py": (
        {"datetime.now", "asyncio.sleep"},
        f"{WHEN}; a loop of its own",
    ),
    "plugins/action/fleet_info.py": ({"time.time"}, WHEN),
    "plugins/action/maintenance.py": ({"time.time"}, ACROSS),
    "plugins/action/runbook.py": ({"time.time"}, WHEN),
    "plugins/module_utils/_exasol/backups/expiry_comparison.py": ({"datetime.now"}, EXPIRES),
    "plugins/module_utils/_exasol/confd/jobs.py": ({"datetime.now"}, EXPIRES),
    "plugins/module_utils/_exasol/confd/parameters.py": ({"datetime.now"}, EXPIRES),
    "plugins/module_utils/_far_side.py": (
        {"select.poll"},
        "what closes the connection, and signals, wake a thread at once",
    ),
    "plugins/module_utils/_http/transport.py": (
        {"time.clock_gettime"},
        "a machine that sleeps grows older by this one alone",
    ),
    "plugins/module_utils/_nuodb/databases/shutdown.py": (
        {"datetime.now"},
        "what a preview would have the server write",
    ),
    "plugins/module_utils/_nuodb/lease.py": ({"time.time"}, f"{ACROSS}; they may differ by a minute"),
    "plugins/module_utils/_nuodb/restart_mark.py": ({"time.time"}, ACROSS),
    "plugins/module_utils/_runout.py": ({"datetime.now"}, EXPIRES),
    "plugins/plugin_utils/last_words.py": (
        {"select.poll", "signal.setitimer"},
        "the end of the reader wakes a thread at once; the last words end in a handler, where no thread helps",
    ),
    "plugins/plugin_utils/maintenance/ledger.py": ({"time.time"}, ACROSS),
    "plugins/plugin_utils/runbooks/course.py": ({"time.time"}, f"{ACROSS}: a phase may end in another task"),
    "plugins/plugin_utils/runbooks/ending.py": ({"time.time"}, f"{ACROSS}: a phase may end in another task"),
    "plugins/plugin_utils/runbooks/journal.py": ({"time.time"}, f"{ACROSS}: another process ends a phase"),
    "plugins/plugin_utils/runbooks/kept.py": ({"time.time"}, WHEN),
    "plugins/plugin_utils/runbooks/plan_file.py": ({"time.time"}, WHEN),
    "plugins/plugin_utils/runbooks/recorder.py": (
        {"time.time"},
        f"{ACROSS}: the record of a run goes from task to task",
    ),
    "plugins/plugin_utils/simulator/clock.py": ({"time.time"}, "what the simulated servers write as their time"),
    "plugins/plugin_utils/simulator/http.py": (
        {"select.poll"},
        "whether a client has closed its connection; virtual nights have none",
    ),
    "plugins/plugin_utils/simulator/record.py": ({"time.time"}, WHEN),
    "plugins/plugin_utils/simulator/tls.py": ({"datetime.datetime.now"}, "how long a certificate is valid"),
}
"""By the file, what it asks and why."""


def asked(source: str) -> set[str]:
    """The clocks and waits that a file names, called or handed on."""
    tree = ast.parse(source)
    names = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    taken = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return (names | taken) & ASKED


def test_who_asks_another_clock_is_known() -> None:
    found = {name: clocks for name, source in {**SOURCES, **EDA}.items() if (clocks := asked(source))}
    assert found == {name: clocks for name, (clocks, _reason) in ALLOWED.items()}


def test_a_clock_is_found_however_it_is_named() -> None:
    assert asked("import time\nclock = time.time") == {"time.time"}
    assert asked("from time import time\ntime()") == {"time.time"}
    assert asked("from datetime import datetime\ndatetime.now()") == {"datetime.now"}
    assert asked("import time\ntime.sleep(time.monotonic())") == set()
