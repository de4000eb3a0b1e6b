# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a domain consists of, as its APs tell it."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Denied, Fault
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.api.objects import (
    Archive,
    Database,
    Process,
    Server,
    Tombstone,
    each_once,
)
from ansible_collections.dbfleet.cluster.tests.answers import fixtures
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.api.rows import ODD, QUOTED, asked
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import (
    KILLED,
    archive_row,
    database_row,
    exited_row,
    page,
    process_row,
    server_row,
)


def test_servers_as_they_are_told():
    found, _sent = asked(
        "servers",
        answer=page(
            server_row(local=True),
            server_row("server1", None, connected="Disconnected", life="CATCHING_UP"),
            server_row("server2", evicted=True),
            {"id": "server3"},
            {**server_row("server4"), "isPassive": True},
            server_row("server5", connected="Evicted"),
        ),
    )
    assert found["server0"] == Server(
        "server0", "server0:48005", "LEADER", "server0", "ACTIVE", "Connected", local=True, version="4.2.1-3-abc"
    )
    assert [one.is_connected for one in found.values()] == [True, False, False, False, True, False]
    assert [one.is_voter for one in found.values()] == [True, True, False, True, False, False]
    assert [one.is_active for one in found.values()] == [True, False, False, False, True, False]
    assert [one.words for one in found.values()] == [
        "ACTIVE:Connected", "Disconnected", "Evicted", "unknown", "PASSIVE:Connected", "Evicted",
    ]  # fmt: skip


def test_an_ap_without_a_vote_is_known_by_one_field():
    found, _sent = asked("servers", answer=(200, fixtures.answer("nuodb/servers_with_a_passive_one")))
    assert [one.is_voter for one in found.values()] == [True, False]
    assert [one.words for one in found.values()] == ["ACTIVE:Connected", "PASSIVE:Connected"]


def test_the_kind_of_an_archive_stands_before_its_path():
    found, _sent = asked("archives", answer=(200, fixtures.answer("nuodb/archive_with_a_prefix")))
    assert found[0].archive_path == "lsa:/var/opt/nuodb/archive/test"


def test_databases_as_they_are_told_without_those_that_were_deleted():
    found, _sent = asked("databases", answer=page(database_row(), database_row("old", "TOMBSTONE"), {"name": "new"}))
    assert found == {
        "test": Database("test", "RUNNING", (1, 2), {"mem": "1G"}),
        "new": Database("new", "UNKNOWN", (0, 0), {}),
    }


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ((200, database_row("test", "NOT_RUNNING", 4, 0)), Database("test", "NOT_RUNNING", (4, 0), {"mem": "1G"})),
        ((200, database_row("test", "TOMBSTONE")), None),
        ((404, {"code": 404, "messages": ["no such database"]}), None),
    ],
)
def test_one_database(answer, wanted):
    found, sent = asked("database", ODD, answer=answer)
    assert found == wanted
    assert sent == [("GET", f"/api/1/databases/{QUOTED}", [], None)]


def test_processes_as_they_are_told():
    bare = {"startId": 9, "dbName": "test", "host": "s", "options": {"engine-type": "TE"}}
    found, _sent = asked("processes", answer=page(process_row("1"), bare))
    assert found["1"] == Process(
        "1", "test", "SM", "server0", "MONITORED", "RUNNING", 0, 1, 39, "engine0:48006", {"zone": "a"}, "4.0.1-1",
        3611, (1, 0),
    )  # fmt: skip
    assert found["9"] == Process("9", "test", "TE", "s", "UNKNOWN", "UNKNOWN")


@pytest.mark.parametrize(
    ("data", "born"),
    [
        ('{"incarnation":{"major":3,"minor":12},"startId":"1"}', (3, 12)),
        ('{"startId":"1","incarnation": {"minor": 2, "major": 1}}', (1, 2)),
        ('{"incarnation":{"major":3}}', None),
        ("{broken", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_the_incarnation_in_which_a_process_was_requested(data, born):
    row = process_row(options={"engine-type": "SM", "user-data": data})
    assert asked("processes", answer=page(row))[0]["0"].born == born


def test_archives_as_they_are_told():
    row = archive_row(3, journalPath="/j", snapshotArchivePath="/s", observerStorageGroups=["EAST"], host=None)
    found, _sent = asked("archives", answer=page(row, archive_row("4")))
    assert found[3] == Archive(3, "test", None, "/var/opt/nuodb/archive/test", "RUNNING", "/j", "/s", ("EAST",))
    assert found[3].where == "(external):/var/opt/nuodb/archive/test"
    assert not found[4].removed
    assert asked("archives", removed=True, answer=page(row))[0][3].removed


def test_tombstones_as_they_are_told():
    other = exited_row("0", exitCode=None, reason=None, databaseIncarnation=None)
    first, second = asked("tombstones", answer=page(exited_row(), other))[0]
    assert (first.process.start_id, first.incarnation, first.exit_code, first.reason) == ("2", (1, 3), 137, KILLED)
    assert (second.incarnation, second.exit_code, second.reason) == ((0, 0), None, "")
    assert not first.is_graceful
    assert second.words.endswith("exited in MONITORED:RUNNING with no exit code: no reason is known")


def test_tombstones_come_from_the_newest_incarnation_to_the_oldest():
    rows = [exited_row(start_id, databaseIncarnation={"major": major, "minor": minor})
            for start_id, major, minor in (("0", 1, 1), ("9", 2, 10), ("5", 1, 2), ("8", 2, 9))]  # fmt: skip
    found, _sent = asked("tombstones", answer=page(*rows))
    assert [stone.process.start_id for stone in found] == ["9", "8", "5", "0"]


GRACEFUL = exited_row(process=process_row("2", durableState="REQUESTED_SHUTDOWN"), exitCode=0)


@pytest.mark.parametrize(
    ("row", "graceful"),
    [
        (GRACEFUL, True),
        ({**GRACEFUL, "exitCode": 1}, False),
        ({**GRACEFUL, "exitCode": None}, False),
        (exited_row(exitCode=0), False),
    ],
)
def test_graceful_is_who_was_asked_to_go_and_went_by_itself(row, graceful):
    assert asked("tombstones", answer=page(row))[0][0].is_graceful is graceful


@pytest.mark.parametrize("status", [404, 410, 400, 500])
@pytest.mark.parametrize("text", [{"messages": ["Process has exited"]}, {"message": "exited", "details": "x"}])
def test_a_tombstone_that_arrives_as_an_error_is_none(status, text):
    found, sent = asked("process", "2/x", answer=(status, {"code": status, **text, **exited_row()}))
    assert isinstance(found, Tombstone)
    assert (found.process.start_id, found.exit_code) == ("2", 137)
    assert sent == [("GET", "/api/1/processes/2%2Fx", [], None)]


def test_one_process():
    assert asked("process", "0", answer=(200, process_row()))[0].start_id == "0"
    assert asked("process", "0", answer=(404, {"code": 404, "messages": ["no such process"]}))[0] is None
    with pytest.raises(Fault, match="broken"):
        asked("process", "0", answer=(500, {"code": 500, "messages": ["broken"]}))
    with pytest.raises(Denied):
        asked("process", "0", answer=(403, {"code": 403, "messages": ["no"]}))


def test_hot_copies_that_several_sms_tell_of():
    rows = [
        {"coordinatorStartId": sm, "hotCopyId": name, "told": n}
        for n, (sm, name) in enumerate(["0a", "0b", "0a", "1a"])
    ]
    assert [row["told"] for row in each_once(rows)] == [2, 1, 3]


@pytest.mark.parametrize(
    ("durable", "heard", "is_unheard"),
    [
        ("MONITORED", 3611, False), ("MONITORED", 20_001, True), ("MONITORED", None, True),
        ("REQUESTED_SHUTDOWN", None, True), ("TRACKED", None, False), ("STARTED", 30_000, False),
    ],
)  # fmt: skip
def test_a_process_that_was_never_heard_from_is_silent(durable, heard, is_unheard):
    """As nuocmd judges it (NUODB-302)."""
    assert Process("1", "test", "SM", "server0", durable, last_heard_from=heard).is_unheard is is_unheard
