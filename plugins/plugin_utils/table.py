# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows of clusters as lines with aligned columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from ..module_utils._foreign import LINE, one_line, shown
from .progress import Line

GAP = "  "

MORE = "..."


def line(cells: Sequence[str], widths: Sequence[int], most: Optional[int] = None) -> str:
    """One row. The last cell takes the rest of the line.

    :param widths: the widths of all cells but the last.
    :param most: the columns of the terminal, if the line must be cut to them.
    """
    *first, last = (shown(cell) for cell in cells)
    padded = [f"{cell:{width}}" for cell, width in zip(first, widths)]
    return cut(GAP.join([*padded, last]).rstrip(), most)


def cut(text: str, most: Optional[int]) -> str:
    """A line, cut to the width of a terminal."""
    if most is None or len(text) <= most:
        return text
    return text[: max(0, most - len(MORE))].rstrip() + MORE


def drawn(
    headings: Sequence[str], rows: Sequence[tuple[Sequence[str], Optional[str]]], most: Optional[int] = None
) -> list[Line]:
    """A whole table for C(progress.show_lines).

    :param rows: the cells of each row, and its colour.
    :param most: see C(line).
    """
    flat = [(headings, None), *(([one_line(cell, LINE) for cell in cells], colour) for cells, colour in rows)]
    widths = [max(map(len, column)) for column in zip(*(cells for cells, _colour in flat))][:-1]
    return [(line(cells, widths, most), colour) for cells, colour in flat]
