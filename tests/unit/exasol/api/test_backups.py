# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups as every provider speaks of them."""

from __future__ import annotations

from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.backups import Backup
from ansible_collections.dbfleet.cluster.tests.answers.fixtures import answer


def test_bases_are_told_apart_by_their_volume():
    base = Backup("a", 1, 0, "DB1", "A", 10001)
    other = Backup("b", 1, 0, "DB1", "B", 10002)
    later = Backup("c", 2, 1, "DB1", "B", 10002, dependencies=(1,))
    assert later.needs(other, [base, other, later])
    assert not later.needs(base, [base, other, later])
    assert later.needs(base, [base, later])  # it isn't where it should be: better kept


def test_a_row_of_exasol_8_is_read():
    (row,) = answer("confd/db_backup_list_8")
    backup = Backup.of(row)
    assert (backup.bid, backup.volume, backup.volume_id, backup.files) == (1, "r0001", 10001, "DB1/id_1/level_0")
    assert (backup.expire, backup.is_good, backup.dependencies) == ("2024-06-20 12:08", True, ())
