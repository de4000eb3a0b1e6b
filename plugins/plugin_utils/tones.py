# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The look of progress lines in an output that shows only them: colours by their contents, and the terminal's width."""

from __future__ import annotations

import re
import textwrap
from typing import Optional

from . import progress
from .progress import HOST, Line

CLOCK = r"(\d+:)?\d\d:\d\d"

COLOURS = [
    (re.compile(HOST + pattern), colour)
    for pattern, colour in (
        (rf"\S.*?: {CLOCK}  .*\b(waiting|times out in)\b", progress.FAINT),
        (rf"\S.*?: {CLOCK}  ", progress.GOOD),
        (rf"  \S+ +{CLOCK}  (failed|stopped) here$", progress.BAD),
        (rf"  \S+ +{CLOCK}  done$", progress.GOOD),
        (r"\w+: ok( \(check mode.*\))?$", progress.GOOD),
        (r"\w+: failed( \(check mode.*\))?$", progress.BAD),
        (r"(cause|refused): ", progress.BAD),
        (r"maintenance: done\b", progress.GOOD),
        (r"maintenance: sick\b", progress.BAD),
        (r"(under way: |up before the shutdown of )", progress.NOTED),
        (r"\S.*?: .* -> .*\): ", progress.NOTED),
        (r"\S.*? is sent again: ", progress.NOTED),
    )
]
"""Colours by the form of a line; the first match counts. The modules make the lines and know no colours."""

INDENT = "    "

NARROWEST = 20
"""The least columns for which this code wraps lines; below, the terminal does."""


def colour_of(line: str) -> Optional[str]:
    return next((colour for pattern, colour in COLOURS if pattern.match(line)), None)


def dressed(line: Line) -> Line:
    """A line as it is shown, wrapped if the terminal is narrower.

    :param line: the line, with or without a colour.
    """
    text, colour = line
    colour = colour or colour_of(text)
    most = progress.WIDTH
    if most and NARROWEST <= most < len(text) and not progress.WHOLE.match(text):
        own = text[: len(text) - len(text.lstrip())]
        wrapper = textwrap.TextWrapper(
            most, initial_indent=own, subsequent_indent=own + INDENT, break_long_words=False, break_on_hyphens=False
        )
        text = wrapper.fill(text.lstrip())
    return text, colour
