# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON of a server: its depth, and halves of surrogate pairs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._json import DEPTH, TooDeep, value_of, visible
from hypothesis import given, strategies as st

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(ANY, st.booleans(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
def test_it_reads_what_json_reads(value: Any, ascii_only: bool, encoding: str) -> None:
    assert value_of(json.dumps(value, ensure_ascii=ascii_only).encode(encoding)) == value


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (rb'["a\ud800b"]', [r"a\ud800b"]),
        (rb'{"\uDFFF": {"x": ["\udc00"]}}', {r"\udfff": {"x": [r"\udc00"]}}),
        (b'["\xed\xa0\x80"]', [r"\ud800"]),
        (rb'["\ud83d\ude00", "\ud83d"]', ["\U0001f600", r"\ud83d"]),
        (rb'["\\ud800"]', [r"\ud800"]),
    ],
)
def test_half_of_a_pair_is_made_visible(body: bytes, found: Any) -> None:
    assert value_of(body) == found
    json.dumps(value_of(body), ensure_ascii=False).encode()


@pytest.mark.parametrize("levels", [DEPTH + 1, 900, 5_000, 200_000])
@pytest.mark.parametrize(("begin", "end"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_depth_has_an_end(levels: int, begin: bytes, end: bytes) -> None:
    with pytest.raises(TooDeep, match="^the JSON of the answer is nested more than 100 levels deep$"):
        value_of(begin * levels + b"1" + end * levels)
    assert value_of(begin * DEPTH + b"1" + end * DEPTH)


@pytest.mark.parametrize("body", [b"", b"{", b"<html>", b"\xff\xff", b"\x00\x00\x00{"])
def test_what_is_no_json(body: bytes) -> None:
    with pytest.raises(ValueError, match="JSON|Expecting|decode|codec"):
        value_of(body)


def test_nothing_else_is_changed() -> None:
    value = {"a": [1, None, "é\U0001f600", ("x",)], 7: 1.5}
    assert visible(value) == {"a": [1, None, "é\U0001f600", ["x"]], 7: 1.5}
