# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Databases are restored from a backup."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Failed, Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.backups import Progress
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.catalogue import Catalogue
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.restore import (
    RestoreDatabases,
    WantedRestore,
)
from ansible_collections.dbfleet.cluster.tests.unit.exasol.backups.fake_server import (
    DOWN,
    UP,
    Server,
    backup,
    restoring,
)


@pytest.mark.parametrize(
    ("rows", "state", "said"),
    [
        ([backup(1)], UP, "nothing restored: DB1: it is running"),
        ([backup(1, usable=False)], DOWN, r"backup 1 \(.*\) can't be used"),
        ([backup(1, volume="B", volume_id=10002)], DOWN, "volume B is broken"),
        ([backup(1)], {**DOWN, "operation": "Enlarge"}, "operation Enlarge is running"),
    ],
)
def test_what_is_not_restored(brought, rows, state, said):
    server = Server(*rows, **state)
    server.trouble_of["B"] = "broken"
    with pytest.raises(Refused, match=said):
        brought(restoring(server).stages())
    assert server.sent == []


@pytest.mark.parametrize("state", ["running", "startup", "shutdown", "odd"])
def test_nothing_is_restored_into_the_volume_of_another_database_that_is_up(brought, state):
    server = Server(backup(1), **DOWN)
    server.layouts = {"DB1": "Data1", "DB2": "Data1", "DB3": "Data2"}
    server.states = {"DB2": {"state": state}, "DB3": {"state": "running"}}
    with pytest.raises(Refused, match=f"nothing restored: DB1: its data volume Data1 is used by DB2, which is {state}"):
        brought(restoring(server).stages())
    assert server.sent == []
    server.states = {"DB3": {"state": "running"}}
    server.does["restore"] = lambda *_args: server.state.update(UP)
    assert brought(restoring(server).stages())["changed"]


def test_two_that_share_a_volume_are_not_restored_by_one_task(brought):
    server = Server(backup(1), backup(2, system="DB2"), **DOWN)
    server.layouts = {"DB1": "Data1", "DB2": "Data1"}
    names = ["DB1", "DB2"]
    work = RestoreDatabases(server, Catalogue(server, names), WantedRestore("latest", confirm=names))
    with pytest.raises(Refused, match="its data volume Data1 also belongs to DB2, which this task restores too"):
        brought(work.stages())
    assert server.sent == []


def test_a_restore_of_another_backup_is_not_taken_for_ours(brought):
    server = Server(backup(1), **{**DOWN, "state": "startup", "operation": "RestoreDatabases"})
    server.progressing = Progress("restore", 20, 0, 10002)
    with pytest.raises(Refused, match="another restore is under way .level 0 from volume 10002"):
        brought(restoring(server).stages())


def test_a_restore_that_did_not_end_well(brought):
    server = Server(backup(1), **DOWN)

    def restore(*_args):
        server.state.update(UP)
        server.progressing = Progress("restore", 60, 0, 10001, "Restore has failed")

    server.does["restore"] = restore
    with pytest.raises(Failed, match="the restore failed: Restore has failed"):
        brought(restoring(server).stages())


def test_the_latest_backup_is_restored(brought):
    server = Server(
        backup(1), backup(2, timestamp="2026-05-03 10:00"), backup(3, timestamp="2026-05-04 10:00", usable=False),
        **DOWN,
    )  # fmt: skip
    server.does["restore"] = lambda *_args: server.state.update(UP)
    assert brought(restoring(server, backup_id="latest").stages())["changed"]
    assert server.sent[0][2].bid == 2


@pytest.mark.parametrize("kind", ["nonblocking", "virtual access"])
def test_a_remote_backup_is_restored_blocking_alone(kind):
    far, near = backup(2, volume="r0005", volume_id=None), backup(3, volume="Local", volume_id=3)
    server = Server(backup(1), far, near, **DOWN)
    restoring(server, kind=kind)
    server.remote_is_blocking = True
    for number in ("1", "2"):
        with pytest.raises(Refused, match=f"a remote archive volume, which allows only .*, but restore_type is {kind}"):
            restoring(server, kind=kind, backup_id=number)
    restoring(server, kind=kind, backup_id="3")
    restoring(server, kind="blocking")
    assert server.sent == []
