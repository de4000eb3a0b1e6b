# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups are taken, on a server that answers as it likes."""

from __future__ import annotations

from datetime import timezone
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import AnswerLost, ClusterError, Failed, Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.catalogue import Catalogue
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.expiry_comparison import Lifetime
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.taking import TakeBackups, WantedBackup
from ansible_collections.dbfleet.cluster.tests.unit.exasol.backups.fake_server import BERLIN, Server, backup


def taking(server: Server, **wanted: Any) -> TakeBackups:
    return TakeBackups(server, Catalogue(server, ["DB1"]), WantedBackup("A", **wanted))


def taken(server: Server, **more: Any) -> Any:
    """What a start does: the backup is there at once."""
    return lambda *_args: server.rows.append(backup(99, **more))


# -- times


@pytest.mark.parametrize(
    ("text", "taken", "said"),
    [
        ("1798131600", "2026-03-20 12:00", "because its zone isn't known"),
        ("2026-12-24T17:00:00Z", "2026-03-20 12:00", "because its zone isn't known"),
        ("1w", "yesterday", "can't be read"),
    ],
)
def test_an_expiry_that_is_in_doubt_is_refused(text, taken, said):
    with pytest.raises(ClusterError, match=said):
        Lifetime(text, None).local(taken)


# -- taking


def test_what_the_server_made_of_the_expiry_is_put_right(brought):
    """It took a week for a year: what it says is compared, and set as it was wanted."""
    server = Server()
    server.does["start"] = taken(server, expire="2027-05-01 10:00")

    def expire(row, stamp, _zone):
        server.rows[-1] = backup(row.bid, expire=stamp[:16])

    server.does["expire"] = expire
    take = taking(server, lifetime=Lifetime("1w", None))
    result = brought(take.stages())
    assert [one[0] for one in server.sent] == ["start", "expire"]
    assert take.own["DB1"].expire == "2026-05-08 10:00"
    assert result["changed"]


def test_an_expiry_that_stays_wrong_fails(brought):
    server = Server()
    server.does["start"] = taken(server, expire="2027-05-01 10:00")
    with pytest.raises(Failed, match=r"accepted 2026-05-08 10:00:00, but now the backup expires 2027-05-01 10:00"):
        brought(taking(server, lifetime=Lifetime("1w", None)).stages())


def test_a_backup_that_cannot_be_used_fails(brought):
    server = Server()
    server.does["start"] = taken(server, usable=False, comment="a node was lost")
    with pytest.raises(Failed, match=r"backup 99 .* was taken, but can't be used: a node was lost"):
        brought(taking(server).stages())


@pytest.mark.parametrize("lost", [False, True])
def test_a_lost_answer_takes_no_second_backup(brought, lost):
    """It was begun all the same; or it wasn't, and is begun again."""
    server = Server()

    def start(*_args):
        if lost and len(server.sent) == 1:
            raise AnswerLost("exa-unit: lost")
        server.rows.append(backup(99))
        if not lost:
            raise AnswerLost("exa-unit: lost")

    server.does["start"] = start
    brought(taking(server).stages())
    assert len(server.sent) == (2 if lost else 1)
    assert len(server.rows) == 1


@pytest.mark.parametrize(
    ("wanted", "enough"),
    [
        ({"once": True}, True), ({"once": True, "level": 1}, True), ({}, False),
        ({"max_age": 3600, "zone": timezone.utc}, False), ({"max_age": 10**10, "zone": timezone.utc}, True),
    ],
)  # fmt: skip
def test_what_is_enough(brought, wanted, enough):
    server = Server(backup(1))
    server.does["start"] = taken(server, level=wanted.get("level", 0))
    assert brought(taking(server, **wanted).stages())["changed"] is not enough


@pytest.mark.parametrize(
    ("wanted", "expire", "told"),
    [
        ("2w", "2026-05-02 10:00", True), ("2w", "", True), ("2w", "2026-05-15 10:00", False),
        ("never", "2026-05-02 10:00", True), ("never", "", False), ("2026-12-24 18:00", "2026-12-24 18:00", False),
        (None, "2026-05-02 10:00", False),
    ],
)  # fmt: skip
def test_a_backup_that_is_enough_keeps_its_expiry_and_that_is_said(brought, wanted, expire, told):
    server = Server(backup(1, expire=expire))
    take = taking(server, once=True, lifetime=Lifetime(wanted, None) if wanted else None)
    assert not brought(take.stages())["changed"]
    said = f"exa-unit: DB1: {server.rows[0].label} is enough, but it expires {expire or 'never'}, unlike the option"
    assert [text.startswith(said) for text in take.warnings()] == [True] * told


def test_a_backup_that_was_just_taken_is_not_warned_of(brought):
    server = Server()
    server.does["start"] = taken(server, expire="2026-05-15 10:00")
    take = taking(server, once=True, lifetime=Lifetime("2w", None))
    assert brought(take.stages())["changed"]
    assert take.warnings() == []


@pytest.mark.parametrize("change", [{"usable": False}, {"expired": True}, {"level": 2}, {"volume_id": 10002}])
def test_what_is_not_enough(brought, change):
    server = Server(backup(1, **{"level": 0, **change}))
    server.does["start"] = taken(server)
    assert brought(taking(server, once=True).stages())["changed"]


def test_a_backup_waits_for_a_shrink_where_it_may(brought):
    server = Server(operation="Shrink")
    with pytest.raises(Refused, match="operation Shrink is running, and a backup would have to wait"):
        brought(taking(server).stages())
    with pytest.raises(ClusterError, match="not taken after 30 s: DB1 is operation Shrink must end first"):
        brought(taking(server, on_operation="wait").stages())
    assert server.sent == []


@pytest.mark.parametrize(
    ("state", "rows", "said"),
    [
        ({"state": "setup"}, [], "it is setup, and only a running database can be backed up"),
        ({}, [backup(1, usable=False)], r"a usable one of a lower level on A, .*; backup 1 \(.*\) can't be used"),
        ({}, [backup(1, volume_id=10002)], "a usable one of a lower level on A"),
        ({}, [backup(1, level=1)], "a usable one of a lower level on A"),
    ],
)
def test_no_backup_begins_without_what_it_needs(brought, state, rows, said):
    server = Server(*rows, **state)
    with pytest.raises(Refused, match=said):
        brought(taking(server, level=1).stages())
    assert server.sent == []


def test_no_backup_goes_to_a_volume_that_is_not_online(brought):
    server = Server()
    server.trouble_of["A"] = "not online on every node (Online, Unmounted)"
    with pytest.raises(Refused, match="volume A is not online on every node"):
        brought(taking(server).stages())


def test_an_expiry_in_the_past_is_refused():
    with pytest.raises(Refused, match="exa-unit: DB1: expiry 2020-01-01 00:00:00 has passed"):
        taking(Server(), lifetime=Lifetime("2020-01-01", None))


def test_an_expiry_that_is_set_afterwards_is_foretold(brought, task):
    task.check_mode = True
    steps = brought(taking(Server(), lifetime=Lifetime("2030-01-01 12:00:00", BERLIN)).stages())["steps"]
    assert [row["step"] for row in steps] == ["start", "expire"]
