# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups are deleted, and one that runs is aborted."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.catalogue import Catalogue
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.removal import (
    AbortBackups,
    DeleteBackups,
    PruneBackups,
    WantedRemoval,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.restore import (
    RestoreDatabases,
    WantedRestore,
)
from ansible_collections.dbfleet.cluster.tests.unit.exasol.backups.fake_server import Server, backup, restoring


def deleting(server: Server, confirm: Any = ("DB1",), dependents: bool = False, **chosen: Any) -> Any:
    catalogue = Catalogue(server, ["DB1"])
    return DeleteBackups(server, catalogue, WantedRemoval(**chosen), dependents, list(confirm), "refuse").stages()


CHAIN = (backup(1), backup(2, level=1, dependencies=(1,)), backup(3, level=2, dependencies=(1, 2)))


def test_what_builds_on_it_stays_with_it(brought):
    server = Server(*CHAIN)
    with pytest.raises(Refused, match=r"backup 2 .*, backup 3 .* would lose the backup they build on"):
        brought(deleting(server, ids=("1",)))
    assert server.sent == []
    server.does["delete"] = lambda _name, rows: server.rows.clear()
    assert brought(deleting(server, ids=("1",), dependents=True))["changed"]
    assert [row.bid for row in server.sent[0][2]] == [3, 2, 1]
    assert not brought(deleting(server, ids=("1",)))["changed"]


def test_the_last_usable_backup_is_not_deleted_by_a_rule(brought):
    with pytest.raises(Refused, match="no usable backup left"):
        brought(deleting(Server(backup(1)), level=0))


def test_a_rule_deletes_no_backup_of_another_database(brought):
    server = Server(backup(1), backup(2), backup(3, system="DB2"), backup(4, level=1))
    server.does["delete"] = lambda _name, rows: [server.rows.remove(row) for row in rows]
    assert brought(deleting(server, level=0))["changed"]
    assert [row.bid for row in server.rows] == [3, 4]


@pytest.mark.parametrize("confirm", [(), ("DB2",), ("DB1", "DB2")])
def test_what_is_destroyed_is_confirmed_by_name(brought, confirm):
    server = Server(backup(1), state="setup", connectible="No")
    with pytest.raises(Refused, match="no backup of DB1 deleted, .*: confirm names"):
        brought(deleting(server, confirm, ids=("1",)))
    wanted = WantedRestore("1", confirm=list(confirm))
    with pytest.raises(Refused, match="DB1 not restored, .*: confirm names"):
        brought(RestoreDatabases(server, Catalogue(server, ["DB1"]), wanted).stages())
    assert server.sent == []


def test_nothing_is_deleted_under_an_operation(brought):
    server = Server(*CHAIN, operation="Backup")
    with pytest.raises(Refused, match="operation Backup is running, and it may need the backups to delete"):
        brought(deleting(server, ids=("3",)))


def test_a_volume_that_may_be_another_one_chooses_no_backup(brought):
    server = Server(backup(11), backup(12))
    server.unclear = "A"
    with pytest.raises(Refused, match="A is the name of one volume and also means B"):
        brought(deleting(server, volume="A"))
    with pytest.raises(Refused, match="A is the name of one volume and also means B"):
        restoring(server, backup_id="latest", volume="A")
    assert server.sent == []


def test_what_only_seems_to_be_unusable_is_not_pruned(brought):
    server = Server(backup(1), backup(2, usable=False, volume="B", volume_id=10002))
    server.trouble_of["B"] = "not online on every node (Unmounted)"
    with pytest.raises(Refused, match="volume B is not online .*, so backups there may only seem to be unusable"):
        brought(PruneBackups(server, Catalogue(server, ["DB1"]), "refuse").stages())
    server.trouble_of.clear()
    server.does["prune"] = lambda _name: server.rows.pop()
    assert brought(PruneBackups(server, Catalogue(server, ["DB1"]), "refuse").stages())["changed"]
    assert not brought(PruneBackups(server, Catalogue(server, ["DB1"]), "refuse").stages())["changed"]


def test_only_a_backup_is_aborted(brought):
    server = Server(operation="Restore")
    with pytest.raises(Refused, match="operation Restore is running, and it is not a backup"):
        brought(AbortBackups(server, Catalogue(server, ["DB1"])).stages())
    server.state["operation"] = "Storage Backup"
    server.does["abort"] = lambda _name: server.state.update(operation="None")
    assert brought(AbortBackups(server, Catalogue(server, ["DB1"])).stages())["changed"]
    assert not brought(AbortBackups(server, Catalogue(server, ["DB1"])).stages())["changed"]
