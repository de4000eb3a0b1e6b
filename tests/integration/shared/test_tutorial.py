# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/tutorial.md as written: its commands in their order, and what it shows of their output."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.tests.integration.world import ROOT, until

PAGE = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(sh|sh fails|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

VARYING = (
    (r"127\.0\.0\.1:\d+", "ADDRESS"),
    (r"sha256:\w+", "FINGERPRINT"),
    (r"\d\d:\d\d", "TIME"),
    (r"  +", "  "),
)
"""What differs from run to run in a line that is shown."""


def steps() -> list[tuple[str, bool, list[str]]]:
    """The commands, whether they are to fail, and the lines of output that the page shows."""
    found: list[tuple[str, bool, list[str]]] = []
    for kind, text in BLOCK.findall(PAGE):
        if kind == "text":
            command, fails, _shown = found[-1]
            found[-1] = (command, fails, text.splitlines())
        else:
            found.append((text.strip(), kind == "sh fails", []))
    return found


def plain(line: str) -> str:
    for pattern, word in VARYING:
        line = re.sub(pattern, word, line)
    return line.strip()


def told(shown: list[str]) -> list[str]:
    """The lines that every run has: those of a wait that goes on, and the date and the user of a record, differ."""
    return [
        plain(line) for line in shown if line != "..." and "waiting for" not in line and not re.match(r"\d{4}-", line)
    ]


def without_make() -> dict[str, str]:
    """The environment of a terminal: what a make that runs this test hands on would reach the make of the page."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "ARGS"}


@pytest.fixture
def exports(tmp_path: Path) -> Iterator[dict[str, str]]:
    """What the first terminal prints, by the page's own command on a quicker clock."""
    command = [command for command, _fails, _shown in steps() if command.startswith("make simulator")][0]
    words = re.sub(r"seconds:0\.05", "seconds:0.005", command).split()
    own = os.path.relpath(sys.prefix, ROOT)  # this Python's, in place of one that make would install
    printed = tmp_path / "exports"
    with printed.open("wb") as out:
        run = subprocess.Popen(
            [*words, f"VENV={own}", f"--assume-old={own}/.demo"],
            cwd=ROOT, env=without_make(), stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        until("the exports", lambda: "DBFLEET_SIMULATOR_TOKEN=" in printed.read_text() or run.poll() is not None)
        rows = re.findall(r"^export (\w+)=(.+)$", printed.read_text(), re.MULTILINE)
        assert rows, printed.read_text()
        yield dict(rows)
    finally:
        with suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(run.pid, signal.SIGINT)
        run.wait()


def test_the_tutorial(exports: dict[str, str], ansible: Any, tmp_path: Path) -> None:
    """The second terminal, in a home with nothing in it."""
    first = next(index for index, step in enumerate(steps()) if step[0].startswith("make simulator"))
    assert [line for line in steps()[first][2] if line.startswith("export")], "the page shows the exports"
    names = {re.match(r"export (\w+)=", line)[1] for line in steps()[first][2] if line.startswith("export")}
    assert names == set(exports)
    home, place = tmp_path / "home", ROOT
    home.mkdir()
    kept = ("PATH", "PYTHONPATH", "LC_ALL")
    environment = {name: value for name, value in ansible.environment().items() if name in kept}
    environment |= {"HOME": str(home), **exports}
    tried = 0
    for command, fails, shown in steps()[first + 1 :]:
        script = f"set -e\n{command}\npwd >{tmp_path}/place\nenv -0 >{tmp_path}/environment\n"
        run = subprocess.run(
            ["bash", "-c", script], cwd=place, env=environment, capture_output=True, text=True, check=False
        )  # fmt: skip
        output = run.stdout + run.stderr
        assert (run.returncode != 0) == fails, f"{command}\n{output}"
        if not fails:  # what is typed next starts where this has ended
            place = Path((tmp_path / "place").read_text().strip())
            rows = (tmp_path / "environment").read_text().split("\0")
            environment = dict(row.split("=", 1) for row in rows if row)
        lines = iter([plain(line) for line in output.splitlines()])
        for line in told(shown):  # in this order
            assert line in lines, f"{command}\ndoesn't print: {line}\n{output}"
        assert "[WARNING]" not in output, output
        tried += "ansible-playbook" in command
    assert tried == PAGE.count("\nansible-playbook ")
    assert (home / "dbfleet-try/reports/index.html").is_file()
