# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups are given another expiry."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import AnswerLost, ClusterError, Failed, Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.catalogue import Catalogue
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.change_expiry import ChangeExpiry
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.expiry_comparison import Lifetime
from ansible_collections.dbfleet.cluster.tests.unit.exasol.backups.fake_server import Server, backup


def test_files_that_are_those_of_another_backup_too(brought):
    server = Server(backup(1, files="same"), backup(2, files="same"))
    kept = Lifetime("2099-01-01", None)
    with pytest.raises(Refused, match=r"id 1: its files \(same\) also belong to id 2"):
        brought(ChangeExpiry(Catalogue(server, ["DB1"]), ["1"], kept, None).stages())
    server.does["expire"] = lambda *_args: server.rows.__setitem__(
        slice(None), [backup(bid, files="same", expire="2099-01-01 00:00") for bid in (1, 2)]
    )
    both = ChangeExpiry(Catalogue(server, ["DB1"]), ["1", "id 2"], kept, None)
    assert brought(both.stages())["changed"]
    assert not brought(ChangeExpiry(Catalogue(server, ["DB1"]), ["1", "2"], kept, None).stages())["changed"]


def test_a_base_that_would_go_before_what_builds_on_it_is_warned_of():
    server = Server(backup(1), backup(2, level=1, dependencies=(1,)))
    expiring = ChangeExpiry(Catalogue(server, ["DB1"]), ["1"], Lifetime("2099-01-01", None), None)
    (said,) = expiring.warnings()
    assert "backup 1 (level 0" in said
    assert "would expire before backup 2" in said


def test_a_backup_without_files_keeps_its_expiry(brought):
    server = Server(backup(1, files=""))
    with pytest.raises(Refused, match="doesn't report which files"):
        brought(ChangeExpiry(Catalogue(server, ["DB1"]), ["1"], Lifetime("2099-01-01", None), None).stages())


def test_a_backup_that_goes_meanwhile(brought):
    server = Server(backup(1), backup(2))
    expiring = ChangeExpiry(Catalogue(server, ["DB1"]), ["1"], Lifetime("2099-01-01", None), None)

    def expire(*_args):
        server.rows.pop(0)
        raise AnswerLost("exa-unit: lost")

    server.does["expire"] = expire
    with pytest.raises(Failed, match="id 1: the backup is gone"):
        brought(expiring.stages())


def test_a_number_that_two_backups_have(task):
    server = Server(backup(1), backup(1, id="other", volume="B", volume_id=10002))
    with pytest.raises(ClusterError, match="several backups have number 1: id 1, other"):
        ChangeExpiry(Catalogue(server, ["DB1"]), ["1"], Lifetime("1w", None), None)
