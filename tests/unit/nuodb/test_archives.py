# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nuodb_archive at the wire: no twin, no lost data, each refusal before anything is sent."""

from __future__ import annotations

import re

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, Failed, Fault, Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import archives
from ansible_collections.dbfleet.cluster.tests.unit.fake_transport import LOST
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.ap import Ap, no
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import archive_row, process_row, server_row

PATH = "/var/opt/nuodb/archive/test"
NEW = {"server_id": "server1", "archive_path": "/archive/new"}


@pytest.fixture
def ap():
    return Ap()


@pytest.fixture
def go(bring, ap):
    """Runs the module; further arguments are its options."""

    def run(*wanted, check_mode=False, db_name="test", **given):
        return bring("nuodb_archive", ap.domain, check_mode, archives=list(wanted), db_name=db_name, **given)

    return run


def refused(run, *wanted, **given):
    """What is said of a refusal, and what could be done."""
    with pytest.raises(Refused) as found:
        run(*wanted, **given)
    return found.value


# -- present


def test_one_is_created_with_the_body_that_nuocmd_sends(go, ap):
    result = go({**NEW, "journal_path": "/journal/new"})
    body = {
        "dbName": "test",
        "host": "server1",
        "path": "/archive/new",
        "restored": False,
        "journalPath": "/journal/new",
    }
    assert ap.changes == [("POST", "/api/1/archives", body)]
    assert result["changed"]
    assert list(result["archives"]) == ["2"]
    assert result["archives"]["2"]["state"] == "PROVISIONED"
    assert sorted(result["predicted"]["archives"]) == ["0", "1", "2"]
    assert result["diff"] == {
        "before": {"server1:/archive/new": "absent"},
        "after": {"server1:/archive/new": "PROVISIONED (archive 2)"},
    }


def test_all_that_can_be_said_of_one_is_sent(go, ap):
    go({**NEW, "snapshot_archive_path": "/s/", "observer_storage_groups": ["*"], "restored": True})
    assert ap.changes[0][2] == {
        "dbName": "test",
        "host": "server1",
        "path": "/archive/new",
        "restored": True,
        "snapshotArchivePath": "/s",
        "storageGroupObservers": ["*"],
    }


def test_ids_come_in_the_order_in_which_they_are_named(go, ap):
    wanted = [{"server_id": "server0", "archive_path": f"/archive/{name}"} for name in "zyx"]
    result = go(*wanted)
    assert [body["path"] for _verb, _path, body in ap.changes] == ["/archive/z", "/archive/y", "/archive/x"]
    assert [row["archive_path"] for row in result["archives"].values()] == ["/archive/z", "/archive/y", "/archive/x"]


@pytest.mark.parametrize("path", [PATH, PATH + "/", "/var/opt//nuodb/archive/./test"])
def test_one_that_is_there_is_left_as_it_is(go, ap, path):
    result = go({"server_id": "server0", "archive_path": path})
    assert not result["changed"]
    assert ap.changes == []
    assert list(result["archives"]) == ["0"]
    assert "GET archives" in ap.asked


def test_one_named_by_its_id_may_be_named_by_its_place_too(go, ap):
    assert not go({"archive_id": 0, "server_id": "server0", "archive_path": PATH})["changed"]


def test_a_removed_one_comes_back_under_its_old_id(go, ap):
    ap.removed[7] = archive_row(7, host="server1", path="/archive/new", journalPath="/journal/new")
    result = go({**NEW})
    body = {
        "dbName": "test",
        "host": "server1",
        "path": "/archive/new",
        "journalPath": "/journal/new",
    }
    assert ap.changes == [("PUT", "/api/1/archives/7", body)]
    assert list(result["archives"]) == ["7"]
    assert result["steps"][0]["step"] == "resurrect archive 7"
    assert not go({**NEW})["changed"]


def test_one_of_pods_comes_back_as_external_and_with_its_data_where_that_is_said(go, ap):
    """As nuocmd sends it (NUODB-201): the domain starts nothing on an archive without a host by itself."""
    ap.removed[7] = archive_row(7, host=None, path="/archive/pod")
    go({"archive_id": 7, "restored": True}, db_name=None)
    body = {"dbName": "test", "host": None, "path": "/archive/pod", "restored": True, "remoteStart": True}
    assert ap.changes == [("PUT", "/api/1/archives/7", body)]


def test_a_removed_one_comes_back_by_its_id_alone(go, ap):
    ap.removed[7] = archive_row(7, host="server1", path="/archive/new")
    assert list(go({"archive_id": 7}, db_name=None)["archives"]) == ["7"]
    assert ap.changes[0][:2] == ("PUT", "/api/1/archives/7")


def test_check_mode_sends_nothing_and_predicts(go, ap):
    ap.removed[7] = archive_row(7, path="/archive/old")
    result = go({**NEW, "restored": True}, {"server_id": "server0", "archive_path": "/archive/old"}, check_mode=True)
    assert ap.changes == []
    assert result["changed"]
    assert [step["step"] for step in result["steps"]] == ["create archive", "resurrect archive 7"]
    assert {key: row["state"] for key, row in result["archives"].items()} == {"-1": "NOT_RUNNING", "7": "RUNNING"}
    assert sorted(result["predicted"]["archives"]) == ["-1", "0", "1", "7"]


def test_what_earlier_tasks_would_have_made_is_there_in_a_preview(go, ap):
    made = go({**NEW}, check_mode=True)["predicted"]
    assert not go({**NEW}, check_mode=True, assume=made)["changed"]


@pytest.mark.parametrize("lost", [LOST, [LOST], (200, b"<html>"), (502, b"gateway")])
def test_a_lost_answer_never_makes_a_second_one(go, ap, lost):
    ap.odd["POST archives"] = [lost]
    result = go({**NEW})
    assert sorted(ap.archives) == [0, 1, 2]
    assert len(ap.changes) == (1 if isinstance(lost, list) else 2)
    assert list(result["archives"]) == ["2"]


def test_an_answer_that_is_lost_twice_ends_it(go, ap):
    ap.odd["POST archives"] = [LOST, LOST, LOST]
    with pytest.raises(Failed, match="sent 2 times and server1:/archive/new is still absent"):
        go({**NEW})
    assert len(ap.changes) == 2


def test_the_servers_own_refusal_is_said(go, ap):
    ap.odd["POST archives"] = [no("no space for archive objects")]
    with pytest.raises(Fault, match="no space for archive objects"):
        go({**NEW})


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"server_id": "server0", "archive_path": PATH, "db_name": "other"}, "belongs to database test, not other"),
        (
            {"server_id": "server0", "archive_path": PATH, "journal_path": "/j"},
            "its journal_path is not set, not /j",
        ),
        (
            {"server_id": "server0", "archive_path": PATH, "observer_storage_groups": ["SG1"]},
            "its observer_storage_groups are none, not SG1",
        ),
        ({"archive_id": 0, "server_id": "server1", "archive_path": PATH}, "its server_id is server0, not server1"),
        (
            {"server_id": "server0", "archive_path": "/x", "journal_path": f"LSA:{PATH}/"},
            "archive 0 of database test uses /var/opt/nuodb/archive/test on server0",
        ),
        ({"archive_id": 9}, "there is no archive 9, and none with this ID was removed"),
        ({"server_id": "server7", "archive_path": "/x"}, r"no server server7 \(did you mean server.\?\)"),
        (
            {"server_id": "server0", "archive_path": "/x", "journal_path": PATH},
            "archive 0 of database test uses /var/opt/nuodb/archive/test on server0",
        ),
    ],
)
def test_what_is_refused(go, ap, wanted, says):
    error = refused(go, {**wanted})
    assert error.message.startswith("nuo-unit: ")
    assert re.search(says, error.message)
    assert error.hint
    assert ap.changes == []


@pytest.mark.parametrize(
    ("told", "wanted", "is_same"),
    [
        ("/d", "/d", True), ("/d", "file:/d/", True), ("/d", "lsa:/d", True),
        ("file:/d", "/d", True), ("file:/d", "FILE:/d", True), ("file:/d", "lsa:/d", False),
        ("lsa:/d", "lsa://d", True), ("lsa:/d", "/d", False), ("lsa:/d", "file:/d", False),
    ],
)  # fmt: skip
def test_one_directory_holds_one_archive_of_one_kind(go, ap, told, wanted, is_same):
    """Whether the API tells the kind isn't known (NUODB-251): one that it doesn't tell is no difference."""
    ap.archives[0] = archive_row(0, path=told)
    entry = {"server_id": "server0", "archive_path": wanted}
    if is_same:
        assert not go(entry)["changed"]
    else:
        assert f"its archive_path is {told}, not {wanted}" in refused(go, entry).message
    assert ap.changes == []
    ap.archives[0] = archive_row(0, path=told, dbName="other")
    assert "belongs to database other" in refused(go, entry).message


def test_two_archives_in_one_directory_are_refused_whatever_their_kinds(go, ap):
    with pytest.raises(ClusterError, match="would share /archive/new"):
        go({**NEW}, {**NEW, "archive_path": "lsa:/archive/new"})
    assert ap.asked == []


def test_all_refusals_are_said_at_once_and_nothing_is_created(go, ap):
    error = refused(go, {**NEW}, {"archive_id": 9}, {"server_id": "nowhere", "archive_path": "/x"})
    assert "archive 9" in error.message
    assert "nowhere" in error.message
    assert ap.changes == []


@pytest.mark.parametrize(
    ("removed", "says"),
    [
        ({7: {"db_name": "other"}}, "removed archive 7 at server1:/archive/new belongs to database other, not test"),
        ({7: {"journalPath": "/j"}}, "its journal_path is /j, not /journal"),
        ({7: {}, 8: {}}, "archives 7 8 were all removed from this directory"),
    ],
)
def test_a_removed_one_that_is_another_is_not_brought_back(go, ap, removed, says):
    place = {"host": "server1", "path": "/archive/new"}
    ap.removed = {key: archive_row(key, **{**place, **more}) for key, more in removed.items()}
    assert says in refused(go, {**NEW, "journal_path": "/journal"}).message
    assert ap.changes == []


def test_which_of_several_removed_ones_comes_back_can_be_said(go, ap):
    ap.removed = {key: archive_row(key, host="server1", path="/archive/new") for key in (7, 8)}
    go({**NEW, "archive_id": 8})
    assert ap.changes[0][:2] == ("PUT", "/api/1/archives/8")


def test_a_removed_one_isnt_brought_back_to_a_place_in_use(go, ap):
    ap.removed[7] = archive_row(7)
    assert "archive 0 of database test uses" in refused(go, {"archive_id": 7}).message


def test_a_server_that_left_takes_its_removed_archives_along(go, ap):
    ap.removed[7] = archive_row(7, host="server5", path="/x")
    assert "there is no server server5" in refused(go, {"archive_id": 7}).message


def test_without_a_quorum_nothing_is_sent(go, ap):
    ap.servers = [server_row("server0", None, local=True), server_row("server1", None, connected="Disconnected")]
    assert "no quorum" in refused(go, {**NEW}).message
    assert ap.changes == []


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], "no archive is named"),
        ([{"server_id": "server0"}], "needs an archive_id, or a server_id and an archive_path"),
        ([{}], "needs an archive_id"),
        ([{**NEW}, {**NEW, "journal_path": "/j"}], "is listed twice"),
        ([{**NEW}, {"server_id": "server1", "archive_path": "/y", "journal_path": "/archive/new/"}], "would share"),
    ],
)
def test_options_that_make_no_sense(go, ap, given, says):
    with pytest.raises(ClusterError, match=says):
        go(*given)
    assert ap.asked == []


def test_a_new_one_must_be_of_a_database(go, ap):
    with pytest.raises(ClusterError, match="db_name is missing"):
        go({**NEW}, db_name=None)


def test_wait_false_ends_with_the_answer(go, ap):
    result = go({**NEW}, wait=False)
    assert result["changed"]
    assert list(result["archives"]) == ["2"]


# -- absent and purged


@pytest.fixture
def idle(ap):
    """The same with archive 1 down."""
    ap.processes = ap.processes[:1]
    ap.archives[1]["state"] = "NOT_RUNNING"
    return ap


@pytest.mark.parametrize("wanted", [{"archive_id": 1}, {"server_id": "server1", "archive_path": PATH}])
@pytest.mark.parametrize("db_name", ["test", None])
def test_one_is_removed(go, idle, wanted, db_name):
    result = go(wanted, state="absent", db_name=db_name)
    assert idle.changes == [("DELETE", "/api/1/archives/1?purge=False", None)]
    assert list(result["predicted"]["archives"]) == ["0"]
    assert not go(wanted, state="absent", db_name=db_name)["changed"]
    assert 1 in idle.removed


@pytest.mark.parametrize("state", ["absent", "purged"])
def test_one_that_never_was_is_no_change(go, ap, state):
    assert not go({"archive_id": 77}, {"server_id": "server1", "archive_path": "/x"}, state=state)["changed"]
    assert ap.changes == []


def test_a_purge_forgets_those_that_were_removed_too(go, idle):
    idle.removed = {5: archive_row(5, host="server1"), 6: archive_row(6, host="server1", path="/y")}
    result = go({"server_id": "server1", "archive_path": PATH}, {"archive_id": 6}, state="purged")
    assert sorted(change[1] for change in idle.changes) == [f"/api/1/archives/{key}?purge=True" for key in (1, 5, 6)]
    assert idle.removed == {}
    assert result["archives"] == {}
    assert not go({"archive_id": 6}, state="purged")["changed"]


def test_check_mode_of_a_purge_of_several(go, idle):
    idle.removed = {5: archive_row(5, host="server1"), 6: archive_row(6, host="server1")}
    given = {"server_id": "server1", "archive_path": PATH}
    preview, result = (go(given, state="purged", check_mode=check_mode) for check_mode in (True, False))
    for one in (preview, result):
        assert [step["step"] for step in one["steps"]] == [f"purge archive {key}" for key in (1, 5, 6)]
    assert len(idle.changes) == 3


def test_check_mode_of_a_removal(go, idle):
    result = go({"archive_id": 1}, state="absent", check_mode=True)
    assert idle.changes == []
    assert result["archives"]["1"]["removed"]
    assert list(result["predicted"]["archives"]) == ["0"]
    assert result["diff"]["before"] == {"archive 1": "NOT_RUNNING (archive 1)"}
    assert result["diff"]["after"] == {"archive 1": "removed (archive 1)"}


@pytest.mark.parametrize("state", ["absent", "purged"])
@pytest.mark.parametrize("durable", ["REQUESTED", "STARTED", "MONITORED", "REQUESTED_SHUTDOWN"])
def test_none_is_taken_from_under_its_sm(go, idle, state, durable):
    idle.processes.append(process_row("4", archiveId=1, host="server1", durableState=durable))
    error = refused(go, {"archive_id": 1}, state=state)
    assert f"SM of archive 1 on server1 (start ID 4) is {durable}:RUNNING" in error.message
    assert "nuodb_process state=stopped" in error.hint
    assert "nuodb_database state=stopped" in error.hint
    assert idle.changes == []


def test_one_that_runs_by_its_own_state_is_not_removed(go, idle):
    idle.archives[1]["state"] = "RUNNING"
    assert "archive 1 is RUNNING" in refused(go, {"archive_id": 1}, state="absent").message


@pytest.mark.parametrize("state", ["absent", "purged"])
def test_the_last_one_of_a_database_stays(go, idle, state):
    idle.processes = []
    idle.archives[0]["state"] = "NOT_RUNNING"
    error = refused(go, {"archive_id": 0}, {"server_id": "server1", "archive_path": PATH}, state=state)
    assert error.message.count("it is the last archive of database test") == 2
    assert "nuodb_database databases=[test] state=absent" in error.hint
    assert idle.changes == []


def test_the_last_one_goes_where_its_database_is_gone(go, idle):
    idle.processes, idle.databases = [], []
    idle.archives[0]["state"] = "NOT_RUNNING"
    go({"archive_id": 0}, {"archive_id": 1}, state="purged")
    assert idle.archives == {}


@pytest.mark.parametrize("state", ["absent", "purged"])
def test_one_of_another_database_is_not_meant(go, idle, state):
    assert "belongs to database test, not other" in refused(go, {"archive_id": 1}, state=state, db_name="other").message


@pytest.mark.parametrize("lost", [LOST, [LOST]])
def test_a_removal_whose_answer_is_lost(go, idle, lost):
    idle.odd["DELETE archives"] = [lost]
    go({"archive_id": 1}, state="absent")
    assert sorted(idle.archives) == [0]


def test_words():
    assert archives.words(archives.ArchiveState()) == "absent"
