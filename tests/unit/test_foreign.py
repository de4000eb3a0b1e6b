# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of texts that others wrote."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._foreign import (
    LINE,
    NOTE,
    in_json,
    one_line,
    shown,
    told,
    visible,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._secrets import MASK, Scrubber
from hypothesis import given, strategies as st


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("DB1\n[exa-h] exa_cold_start: ok", r"DB1\n[exa-h] exa_cold_start: ok"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("a\x9b2Jb\x85c\x7f\x08", r"a\x9b2Jb\x85c\x7f\x08"),
        ("abc\u202edef\u2069\u200f", r"abc\u202edef\u2069\u200f"),
        ("a\u2028b\ufeff\ud800", r"a\u2028b\ufeff\ud800"),
        ("Größe Ελλάδα 数据库 قاعدة", "Größe Ελλάδα 数据库 قاعدة"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        (r"C:\new\x1b", r"C:\new\x1b"),
    ],
)
def test_what_a_terminal_would_obey_is_written_out(text: str, seen: str) -> None:
    assert visible(text) == seen


@given(st.text())
def test_what_was_made_visible_stays_as_it_is(text: str) -> None:
    seen = shown(text)
    assert "\n" not in seen
    assert shown(seen) == seen
    assert one_line(one_line(text)) == one_line(text)


@pytest.mark.parametrize("text", ["x" * 3_000_000, "\x1b" * 3_000_000, "\u202e" * LINE])
def test_a_long_text_is_cut_and_says_how_long_it_was(text: str) -> None:
    seen = shown(text)
    assert len(seen) <= LINE + NOTE
    assert seen.endswith(f" ... ({len(text)} characters in all)")
    assert shown(seen) == seen


@pytest.mark.parametrize(
    ("text", "line"),
    [(None, ""), ("a\n b\t", "a b"), (3, "3"), ("a\x1bb", r"a\x1bb"),
     ("x" * 600, "x" * 500 + " ... (600 characters in all)")],
)  # fmt: skip
def test_what_a_server_said_is_one_line(text: object, line: str) -> None:
    assert one_line(text) == line


def test_of_a_result_sentences_are_lines_and_data_is_what_json_can_hold() -> None:
    hostile = "X\n\x1b[1m\x9b\u202e"
    seen = r"X\n\x1b[1m\x9b\u202e"
    kept = "X\n\x1b[1m\\x9b\\u202e"
    result = {"msg": hostile, "warnings": [hostile], "cluster": {"databases": {hostile: {"state": hostile}}}, "rc": 3}
    assert told(result) == {
        "msg": seen,
        "warnings": [seen],
        "cluster": {"databases": {kept: {"state": kept}}},
        "rc": 3,
    }


def test_plain_data_is_handed_on_as_it_is() -> None:
    for text in ("DB1", "a\nb\tc", "Größe\u00a05"):
        assert in_json(text) == text


@pytest.mark.parametrize("secret", ["p\nss\x1bword", "\u202ecret\u2066", "b\\ck\nslash"])
def test_a_secret_is_found_where_it_was_written_out(secret: str) -> None:
    assert Scrubber([secret]).text(visible(f"the password is {secret}!")) == f"the password is {MASK}!"


def test_a_secret_is_found_where_it_was_cut_off() -> None:
    text = one_line("x" * 490 + "a-long-secret-of-ours" * 9)
    assert "a-long" not in Scrubber(["a-long-secret-of-ours" * 9]).text(text)
