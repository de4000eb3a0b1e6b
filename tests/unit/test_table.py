# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows whose columns stand below each other."""

from __future__ import annotations

from typing import Optional

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils import table


@pytest.mark.parametrize(
    ("text", "most", "seen"),
    [("abcdefgh", None, "abcdefgh"), ("abcdefgh", 8, "abcdefgh"), ("abcdefgh", 7, "abcd..."), ("abc efgh", 7, "abc..."),
     ("abcdefgh", 3, "..."), ("abcdefgh", 1, "...")],
)  # fmt: skip
def test_a_line_is_cut_to_the_terminal(text: str, most: Optional[int], seen: str) -> None:
    assert table.cut(text, most) == seen


def test_a_row_has_the_widths_that_it_is_given_and_no_blanks_at_its_end() -> None:
    assert table.line(["a", "bb", "c d"], [3, 2]) == "a    bb  c d"
    assert table.line(["a", "bb", ""], [3, 4]) == "a    bb"
    assert table.line(["a", "bb", "c d"], [3, 2], 9) == "a    b..."


def test_a_whole_table_is_as_wide_as_its_widest_cells_and_a_cell_is_one_line() -> None:
    rows = [(["exa-a", "ok", ""], "green"), (["b", "failed", "it  was\noff"], "red")]
    assert table.drawn(["CLUSTER", "IS", "WHY"], rows) == [
        ("CLUSTER  IS      WHY", None),
        ("exa-a    ok", "green"),
        ("b        failed  it was off", "red"),
    ]
    assert table.drawn(["CLUSTER", "IS", "WHY"], [], 10) == [("CLUSTER...", None)]
