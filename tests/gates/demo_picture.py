# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Draws parts of the demo as a terminal shows them, into docs/images: demo_picture.py [FILE with the demo's output].

Without a file the demo is run. Left out are lines that only lengthen a picture: log lines of databases, paths, and of
several looks at one wait all but the last.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

from rich.ansi import AnsiDecoder
from rich.console import Console
from rich.terminal_theme import TerminalTheme

ROOT = Path(__file__).resolve().parents[2]

COLUMNS = 100

PICTURES = {
    "demo_exasol": (
        r"\(1/6\) power",
        r"  plugins +\d\d:\d\d",
        "A cold start of a simulated Exasol cluster: a node fails, the run ends with its cause and last state, and the "
        "next run goes on from there",
    ),
    "demo_nuodb": (
        r"Somebody has killed an SM",
        r"  verify +\d\d:\d\d",
        "A recovery of a simulated NuoDB domain: what died and why, the plan, the restart, and the proof",
    ),
}
"""Name of the file -> its first line and its last one, as patterns, and what it shows."""

LEFT_OUT = re.compile(r"\[[\w-]+\] (databases: log: |hooks: |report:|.* accepts connections at )")

WAIT = re.compile(r"\[[\w-]+\] [\w ]+: \d\d:\d\d  .*waiting for ")

CODES = re.compile(r"\x1b\[[0-9;]*m")

THEME = TerminalTheme(
    (22, 27, 34),
    (222, 228, 234),
    [(150, 160, 170), (255, 123, 114), (110, 205, 122), (232, 184, 82), (121, 184, 255), *([(198, 160, 255)] * 3)],
)
"""On its own dark ground, so it is readable on a light page and on a dark one. Each colour has a contrast over 6."""

FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<title>TITLE</title>
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font: 600 16px -apple-system, "Segoe UI", Arial, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def output() -> str:
    """What the demo says at a terminal of that width."""
    environment = {**os.environ, "ANSIBLE_FORCE_COLOR": "1", "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
    command = f"stty cols {COLUMNS} rows 50; exec make --no-print-directory demo"
    run = subprocess.run(
        ["script", "--quiet", "--return", "--command", command, "/dev/null"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=True,
    )
    return run.stdout.decode().replace("\r\n", "\n")


def excerpt(said: str, first: str, last: str) -> list[str]:
    """The lines of a picture, from the first that fits to the next that fits the end."""
    lines = said.split("\n")
    plain = [CODES.sub("", line) for line in lines]
    begin = next(number for number, line in enumerate(plain) if re.search(first, line))
    end = next(number for number in range(begin, len(plain)) if re.search(last, plain[number]))
    found: list[list[str]] = []
    left_out = False
    for line, bare in zip(lines[begin : end + 1], plain[begin : end + 1]):
        if bare.startswith("    ") and found:  # goes on with the line before
            if not left_out:
                found[-1].append(line)
            continue
        left_out = bool(LEFT_OUT.match(bare))
        if left_out:
            continue
        if found and WAIT.match(bare) and WAIT.match(CODES.sub("", found[-1][0])):
            found.pop()
        found.append([line])
    return [line for group in found for line in group]


def drawn(lines: list[str], title: str) -> str:
    """The SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for line in AnsiDecoder().decode("\n".join(lines).replace("\x1b[1;30m", "\x1b[30m")):
        console.print(line, highlight=False)
    return console.export_svg(
        title="make demo", theme=THEME, code_format=FORMAT.replace("TITLE", title), unique_id="demo"
    )


def main() -> int:
    """Writes the pictures."""
    said = Path(sys.argv[1]).read_text(encoding="utf-8").replace("\r\n", "\n") if sys.argv[1:] else output()
    for name, (first, last, title) in PICTURES.items():
        picture = "\n".join(line.rstrip() for line in drawn(excerpt(said, first, last), title).split("\n"))
        (ROOT / f"docs/images/{name}.svg").write_text(picture, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
