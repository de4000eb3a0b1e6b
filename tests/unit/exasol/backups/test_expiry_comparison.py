# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long backups are kept, and whether that time is over."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups import expiry_comparison
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.expiry_comparison import Lifetime, is_over
from ansible_collections.dbfleet.cluster.tests.unit.exasol.backups.fake_server import BERLIN


@pytest.mark.parametrize(
    ("text", "zone", "local"),
    [
        ("never", None, ""),
        ("", None, ""),
        ("1w 3d", None, "2026-03-30 12:00:00"),
        ("1w 3d", BERLIN, "2026-03-30 13:00:00"),  # daylight saving begins in between
        ("2026-12-24 18:00", None, "2026-12-24 18:00:00"),
        ("2026-12-24T17:00:00Z", BERLIN, "2026-12-24 18:00:00"),
        ("1798131600", BERLIN, "2026-12-24 18:00:00"),
    ],
)
def test_when_a_backup_should_expire(text, zone, local):
    assert Lifetime(text, zone).local("2026-03-20 12:00") == local


@pytest.mark.parametrize("text", ["3m", "1h 30m", "0d", "tomorrow", "1w 3x"])
def test_what_is_no_lifetime(text):
    with pytest.raises(ClusterError):
        Lifetime(text, None)
    with pytest.raises(ClusterError):
        expiry_comparison.duration("max_age", text)


@pytest.mark.parametrize(
    ("stamp", "zone", "over"),
    [
        ("2026-05-01 11:59", timezone.utc, True), ("2026-05-01 12:01", timezone.utc, False),
        ("2026-05-01 13:30", BERLIN, True), ("2026-04-30 23:00", None, True), ("2026-05-01 13:00", None, None),
        ("2026-05-02 03:00", None, False), ("", None, False),
    ],
)  # fmt: skip
def test_whether_an_expiry_has_passed(stamp, zone, over):
    assert is_over(stamp, zone, datetime(2026, 5, 1, 12, tzinfo=timezone.utc)) is over
