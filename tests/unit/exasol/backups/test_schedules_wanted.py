# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What exa_backup_schedule asks for, checked."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.schedules_wanted import wanted_of


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("minute", "banana"), ("minute", "60"), ("minute", "*/0"), ("minute", ""), ("minute", "5,"), ("minute", "9-5"),
        ("hour", "24"), ("hour", "1 2"), ("day", "0"), ("day", "mon"), ("month", "13"), ("month", "mon"),
        ("weekday", "8"), ("weekday", "tag"), ("weekday", "-1"), ("minute", "**"), ("minute", "*-5"),
    ],
)  # fmt: skip
def test_what_crontab_does_not_have(part, text):
    with pytest.raises(ClusterError, match=f"{part} '.*' is not a time as crontab writes it"):
        wanted_of([{"name": "n", part: text}])


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("minute", "*/15"), ("minute", "05"), ("minute", "0,30"), ("minute", "10-50/10"), ("hour", "*"),
        ("day", "1-31"), ("month", "jan"), ("month", "1,February"), ("weekday", "mon-fri"), ("weekday", "7"),
        ("weekday", "SUN,3"),
    ],
)  # fmt: skip
def test_what_crontab_has(part, text):
    assert getattr(wanted_of([{"name": "n", part: text}])[0], part) == text
