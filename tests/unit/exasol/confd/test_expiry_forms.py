# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The form in which a server takes an expiry."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.expiry import (
    DURATION,
    EPOCH,
    TIMESTAMP,
    Expiry,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.jobs import Parameter
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd import expiry_forms
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.expiry_forms import form_of
from ansible_collections.dbfleet.cluster.tests.unit.exasol.api.expiry_texts import BERLIN, EPOCH_TEXT, NOW, TIME_TEXT

SPAN_TEXT = "Time until the backup expires, e.g. '1w 3d'"


@pytest.mark.parametrize(
    ("job", "text", "kinds", "form"),
    [
        ("db_backup_change_expiration", EPOCH_TEXT, ("int",), EPOCH),
        ("db_backup_change_expiration", EPOCH_TEXT, ("str",), EPOCH),
        ("db_backup_change_expiration", TIME_TEXT, ("str",), TIMESTAMP),
        ("db_backup_start", SPAN_TEXT, ("str",), DURATION),
        ("db_backup_start", "e.g. 10d", ("str",), DURATION),
        ("db_backup_add_schedule", "'expire' is string (use common/util.str2sec to convert)", ("str",), DURATION),
        ("db_backup_start", "", ("str",), DURATION),
        ("db_backup_add_schedule", "", ("str", "int"), DURATION),
        ("db_backup_start", "", ("int",), None),
        ("db_backup_start", "", (), None),
        ("db_backup_start", "1w 3d or seconds since the epoch", ("str",), None),
        ("db_backup_change_expiration", "", ("str",), None),
        ("db_backup_change_expiration", "", ("int",), None),
    ],
)
def test_the_form_is_what_the_server_says(job, text, kinds, form):
    assert form_of(job, Parameter("expire", text, kinds)) == form


@pytest.mark.parametrize(
    ("value", "zone", "over"),
    [
        ("0d", None, True),
        ("0w 0d", BERLIN, True),
        ("1s", None, False),
        ("1m", None, False),
        ("", None, False),
        (int(NOW.timestamp()), None, True),
        (int(NOW.timestamp()) + 1, None, False),
        ("2026-11-21 09:00:00Z", None, True),
        ("2026-11-21 09:00:00", BERLIN, True),
        ("2026-11-21 12:00:00", BERLIN, False),
        ("2026-11-20 21:00:00", None, True),
        ("2026-11-21 09:00:00", None, False),
        ("0001-01-01 00:00:00+14:00", None, True),
        ("9999-12-31 23:59:59", None, False),
        ("9999-12-31 23:59:59-12:00", BERLIN, False),
    ],
)
def test_an_expiry_that_has_passed_is_refused(value, zone, over):
    assert Expiry(value, zone).is_over(NOW) is over
    if over:
        for text, kinds in ((EPOCH_TEXT, ("int",)), (TIME_TEXT, ("str",)), (SPAN_TEXT, ("str",))):
            with pytest.raises(ClusterError, match="has passed already"):
                expiry_forms.fitted("db_backup_start", Parameter("expire", text, kinds), value, zone, lambda: NOW)


def test_an_epoch_that_is_taken_as_text():
    found = Parameter("expire_time", EPOCH_TEXT, ("str",))
    assert expiry_forms.fitted("j", found, 1798131600, None, lambda: NOW) == "1798131600"


@pytest.mark.parametrize("parameter", [Parameter("expire", SPAN_TEXT, ("int",)), Parameter("expire", "When", ("int",))])
def test_a_form_that_the_server_leaves_open(parameter):
    with pytest.raises(ClusterError, match="doesn't say in which form .* a backup must not expire at a wrong time"):
        expiry_forms.fitted("db_backup_start", parameter, "10d", None, lambda: NOW)
