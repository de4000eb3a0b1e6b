# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Near names, times and lists for sentences."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._wording import bare, clock_text, listing, near


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("DB2", " (did you mean DB1?)"), ("db1", " (did you mean DB1?)"), ("zzz", ""), ("", "")],
)
def test_what_was_meant(name, wanted):
    assert near(name, ["DB1", "TEST"]) == wanted


def test_nothing_is_near_nothing():
    assert near("DB1", []) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "00:00"), (-5, "00:00"), (59.9, "00:59"), (130, "02:10"), (3600, "1:00:00"), (90061, "25:01:01")],
)
def test_times(seconds, text):
    assert clock_text(seconds) == text


@pytest.mark.parametrize(
    ("names", "text"), [([], ""), (["a"], "a"), (list("abc"), "a b c"), (list("abcde"), "a b c and 2 more")]
)
def test_listings(names, text):
    assert listing(names, most=3) == text


@pytest.mark.parametrize(
    ("word", "shown"),
    [("FAILED", "FAILED"), ("not running", "not running"), ("", "''"), ("OK ", "'OK '"), ("a, b", "'a, b'")],
)
def test_a_plain_word_needs_no_quotes(word, shown):
    assert bare(word) == shown
