# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A time of expiry as somebody wrote it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.expiry import (
    DURATION,
    EPOCH,
    TIMESTAMP,
    Expiry,
    as_duration,
)
from ansible_collections.dbfleet.cluster.tests.unit.exasol.api.expiry_texts import BERLIN, NOW
from hypothesis import given, settings, strategies as st

CLOCKS = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("value", "zone", "form", "wanted"),
    [
        ("1w 3d", None, DURATION, "1w 3d"),
        ("10d", None, DURATION, "10d"),
        ("", None, DURATION, ""),
        ("", None, TIMESTAMP, ""),
        ("2026-12-24 18:00:00", None, TIMESTAMP, "2026-12-24 18:00:00"),
        ("2026-12-24", None, TIMESTAMP, "2026-12-24 00:00:00"),
        ("2026-12-24 18:00:00", BERLIN, EPOCH, 1798131600),
        ("2026-12-24 18:00:00+01:00", None, EPOCH, 1798131600),
        ("2026-12-24T17:00:00Z", None, EPOCH, 1798131600),
        ("2026-12-24 17:00:00+00:00", BERLIN, TIMESTAMP, "2026-12-24 18:00:00"),
        (1798131600, None, EPOCH, 1798131600),
        ("1798131600", BERLIN, TIMESTAMP, "2026-12-24 18:00:00"),
        ("1w 3d", None, EPOCH, int(NOW.timestamp()) + 10 * 86400),
        ("1d 2h 4s", BERLIN, TIMESTAMP, "2026-11-22 12:00:04"),
        ("1m 2w", None, DURATION, "1m 2w"),
    ],
)
def test_one_expiry_in_the_form_that_is_taken(value, zone, form, wanted):
    assert Expiry(value, zone).as_(form, NOW) == wanted


@pytest.mark.parametrize(
    ("value", "form", "says"),
    [
        ("2026-12-24 18:00:00", EPOCH, "without the cluster's time zone"),
        ("2026-12-24 18:00:00Z", TIMESTAMP, "without the cluster's time zone"),
        ("10d", TIMESTAMP, "without the cluster's time zone"),
        ("2026-12-24 18:00:00", DURATION, r"takes a duration \(1w 3d\), and the expiry .* is a time"),
        (1798131600, DURATION, "is a time"),
        ("", EPOCH, "'never' there is not known"),
        ("1m", EPOCH, "the expiry '1m': m could be minutes or months"),
        ("1w2m", TIMESTAMP, "m could be minutes or months"),
        ("90s", DURATION, "a duration in w, d and h"),
    ],
)
def test_what_isnt_certain_isnt_sent(value, form, says):
    with pytest.raises(ClusterError, match=says):
        Expiry(value).as_(form, NOW)


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        ("777600", "1w 2d"), ("604800", "1w"), ("3600", "1h"), ("694800", "1w 1d 1h"), ("90", "90"), ("9d", "9d"),
        ("", ""), ("0", ""), ("-3600", "-3600"),
    ],
)  # fmt: skip
def test_a_duration_that_a_server_shows_in_seconds(shown, wanted):
    """EXAConf has 777600 of a schedule that ConfD added, and 9d of one that exaconf added (CONFD-96)."""
    assert as_duration(shown) == wanted


TWOFOLD = ["2026-10-25 02:30:00", "2026-10-25 02:00", "2026-03-29 02:30:00"]


@pytest.mark.parametrize("value", TWOFOLD)
@pytest.mark.parametrize(("form", "way_out"), [(EPOCH, r"an offset \(\+01:00\)"), (TIMESTAMP, "another hour")])
def test_an_hour_that_is_twice_or_never(value, form, way_out):
    with pytest.raises(ClusterError, match=f"a change of the clocks .*{way_out}"):
        Expiry(value, CLOCKS).as_(form, NOW)


@pytest.mark.parametrize(
    ("value", "form", "wanted"),
    [
        ("2026-10-25 02:30:00+01:00", EPOCH, 1792891800),
        ("2026-10-25 02:30:00+02:00", EPOCH, 1792888200),
        ("2026-10-25 03:00:00", EPOCH, 1792893600),
        ("2026-10-25 01:59:59", TIMESTAMP, "2026-10-25 01:59:59"),
        ("2026-03-29 01:30:00Z", TIMESTAMP, "2026-03-29 03:30:00"),
    ],
)
def test_hours_beside_it(value, form, wanted):
    assert Expiry(value, CLOCKS).as_(form, NOW) == wanted


@pytest.mark.parametrize("value", ["2026-10-25 02:30:00+01:00", "2026-10-25T00:30:00Z", 1792888200])
def test_a_moment_in_an_hour_that_is_twice(value):
    with pytest.raises(ClusterError, match="another hour"):
        Expiry(value, CLOCKS).as_(TIMESTAMP, NOW)


def test_a_duration_may_end_in_an_hour_that_is_twice():
    began = datetime(2026, 10, 15, 0, 30, tzinfo=timezone.utc)
    assert Expiry("10d", CLOCKS).as_(TIMESTAMP, began) == "2026-10-25 02:30:00"


@pytest.mark.parametrize(
    "digits",
    [
        1801011200000, 1712121712000, "20261224", "20261224T1800", "2026-W53-5", "2026-12-24 18", "2026-12-24_18:00",
        "2026-12-24 18:00:00 +01:00", "2026-12-24 18:00:00+01", "\u0662026-12-24",
    ],
)  # fmt: skip
def test_digits_that_happen_to_be_a_time(digits):
    with pytest.raises(ClusterError, match="is neither a duration"):
        Expiry(digits)


def test_a_duration_without_a_beginning():
    with pytest.raises(ClusterError, match="takes seconds since 1970, and the expiry '10d' is a duration"):
        Expiry("10d").as_(EPOCH)


@pytest.mark.parametrize(
    "odd",
    ["soon", "1x", "2026-13-01", "24.12.2026", True, 3, "12", -5, 1.5, None, "1798131600000", "10 d ays", ["10d"]],
)
def test_what_is_no_expiry(odd):
    with pytest.raises(ClusterError, match="is neither a duration"):
        Expiry(odd)


@settings(max_examples=150)
@given(
    value=st.text("0123456789 wdhms-:TZ+", max_size=22)
    | st.integers()
    | st.datetimes(timezones=st.none() | st.just(BERLIN)).map(str),
    zone=st.none() | st.just(timezone(timedelta(hours=-14))),
    form=st.sampled_from([EPOCH, TIMESTAMP, DURATION]),
)
def test_no_expiry_makes_another_exception(value, zone, form):
    said = ""
    try:
        assert isinstance(Expiry(value, zone).as_(form, NOW), int if form == EPOCH else str)
    except ClusterError as error:
        said = error.message
    assert "\n" not in said
