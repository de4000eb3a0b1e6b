# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sheet for a diagram of the documentation: an SVG file that needs nothing else, light and dark, text as text."""

from __future__ import annotations

import textwrap
from xml.sax.saxutils import escape

FONT = "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
FIXED = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', 'DejaVu Sans Mono', monospace"

STYLE = f"""
svg {{ --sheet: #ffffff; --edge: #d0d7de; --box: #f6f8fa; --text: #1f2328; --dim: #59636e; --line: #6e7781;
  --mark: #0a5ca8; --on-mark: #ffffff; --guard: #9a4600; --guard-box: #fff6e9; --guard-edge: #e8b878; }}
@media (prefers-color-scheme: dark) {{
  svg {{ --sheet: #0f141a; --edge: #3d444d; --box: #1a212a; --text: #e6edf3; --dim: #a5b0bb; --line: #8b949e;
    --mark: #6cb6ff; --on-mark: #0f141a; --guard: #f0b072; --guard-box: #2a2016; --guard-edge: #7a5324; }}
}}
text {{ font: 14px {FONT}; fill: var(--text); }}
.title {{ font-size: 16px; font-weight: 600; }}
.name {{ font: 600 15px {FIXED}; }}
.code {{ font: 13px {FIXED}; }}
.dim {{ fill: var(--dim); font-size: 13px; }}
.guard {{ fill: var(--guard); font-size: 13px; }}
.number {{ fill: var(--on-mark); font-weight: 600; text-anchor: middle; }}
.middle {{ text-anchor: middle; }}
.sheet {{ fill: var(--sheet); stroke: var(--edge); }}
.box {{ fill: var(--box); stroke: var(--edge); }}
.dashed {{ fill: none; stroke: var(--line); stroke-dasharray: 5 4; }}
.guards {{ fill: var(--guard-box); stroke: var(--guard-edge); }}
.shield {{ fill: var(--guard); }}
.disc {{ fill: var(--mark); }}
.line {{ fill: none; stroke: var(--line); stroke-width: 1.5; }}
.tip {{ fill: var(--line); }}
"""


class Sheet:
    """Shapes in the order in which they were put on it."""

    def __init__(self, width: int, title: str, about: str) -> None:
        self.width = width
        self.title = title
        self.about = about
        self.shapes: list[str] = []

    def text(self, x: float, y: float, words: str, look: str = "") -> None:
        self.shapes.append(f'<text x="{x:g}" y="{y:g}"{_class(look)}>{escape(words)}</text>')

    def paragraph(self, x: float, y: float, lines: list[str], look: str = "", step: float = 18) -> None:
        for number, line in enumerate(lines):
            self.text(x, y + number * step, line, look)

    def box(self, x: float, y: float, width: float, height: float, look: str = "box") -> None:
        size = f'width="{width:g}" height="{height:g}"'
        self.shapes.append(f'<rect x="{x:g}" y="{y:g}" {size} rx="8"{_class(look)}/>')

    def disc(self, x: float, y: float, word: str) -> None:
        self.shapes.append(f'<circle cx="{x:g}" cy="{y:g}" r="13" class="disc"/>')
        self.text(x, y + 5, word, "number")

    def shield(self, x: float, y: float) -> None:
        """The sign of a guard, around a point."""
        path = f"M{x:g} {y - 9:g}l8 3v6q0 6 -8 9q-8 -3 -8 -9v-6z"
        self.shapes.append(f'<path d="{path}" class="shield"/>')

    def arrow(self, x: float, y: float, to: float) -> None:
        """Down, from a point to a height."""
        self.shapes.append(f'<path d="M{x:g} {y:g}V{to - 7:g}" class="line"/>')
        self.shapes.append(f'<path d="M{x - 5:g} {to - 8:g}h10l-5 8z" class="tip"/>')

    def drawn(self, height: float) -> str:
        """The file."""
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {height:g}" width="{self.width}"'
                f' height="{height:g}" role="img" aria-labelledby="title about">',
                f'<title id="title">{escape(self.title)}</title>',
                f'<desc id="about">{escape(self.about)}</desc>',
                f"<style>{STYLE}</style>",
                f'<rect x="0.5" y="0.5" width="{self.width - 1}" height="{height - 1:g}" rx="10" class="sheet"/>',
                *self.shapes,
                "</svg>\n",
            ]
        )


def wrapped(words: str, width: int) -> list[str]:
    return textwrap.wrap(words, width, break_on_hyphens=False)


def _class(look: str) -> str:
    return f' class="{look}"' if look else ""
