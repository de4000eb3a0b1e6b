# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nuodb_storage_group at the wire."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, Fault, NoSuchObject, Refused
from ansible_collections.dbfleet.cluster.tests.unit.fake_transport import LOST
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.ap import Ap, group_row, no
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import archive_row, process_row

ADD = "/api/1/archives/addStorageGroup"
REMOVE = "/api/1/archives/removeStorageGroup"


@pytest.fixture
def ap():
    return Ap()


@pytest.fixture
def go(bring, ap):
    def run(*archive_ids, check_mode=False, **given):
        options = {"db_name": "test", "sg_name": "sgeast", "archive_ids": list(archive_ids), **given}
        return bring("nuodb_storage_group", ap.domain, check_mode, **options)

    return run


@pytest.fixture
def held(ap):
    """Both archives hold it."""
    ap.groups["SGEAST"] = group_row("SGEAST", a0="ADDED", a1="ADDED")
    return ap


def body(archive_id):
    return {"dbName": "test", "sgName": "SGEAST", "archiveId": archive_id}


def test_a_new_one_is_put_on_one_archive_first(go, ap):
    result = go(1, 0)
    assert ap.changes == [("POST", ADD, body(1)), ("POST", ADD, body(0))]
    assert result["storage_groups"]["SGEAST"]["archive_states"] == {"0": "ADDED", "1": "ADDED"}
    assert result["storage_groups"]["SGEAST"]["sg_id"] == 10
    assert result["diff"]["before"] == {"SGEAST on archive 1": "absent", "SGEAST on archive 0": "absent"}
    assert result["diff"]["after"] == {"SGEAST on archive 1": "ADDED", "SGEAST on archive 0": "ADDED"}
    assert not go(0, 1)["changed"]


def test_what_is_there_is_left(go, held):
    result = go(0, 1, 1)
    assert not result["changed"]
    assert held.changes == []
    assert list(result["storage_groups"]) == ["SGEAST"]


def test_check_mode_sends_nothing(go, ap):
    ap.groups["SGEAST"] = group_row("SGEAST", a0="ADDED")
    result = go(0, 1, check_mode=True)
    assert ap.changes == []
    assert [step["object"] for step in result["steps"]] == ["SGEAST on archive 1"]
    assert result["storage_groups"]["SGEAST"]["archive_states"] == {"0": "ADDED", "1": "ADDED"}
    ap.groups = {}
    assert go(0, check_mode=True)["storage_groups"]["SGEAST"]["state"] == "Available"


def test_a_removal_under_way_is_awaited_before_it_is_added_again(go, ap):
    ap.groups["SGEAST"] = group_row("SGEAST", a0="ADDED", a1="REMOVING")
    ap.after_call["SGEAST 1"] = ["REMOVING", "REMOVING", None]
    result = go(1)
    assert result["joined"]
    assert ap.changes == [("POST", ADD, body(1))]


@pytest.mark.parametrize("lost", [LOST, [LOST]])
def test_a_lost_answer_is_looked_into(go, ap, lost):
    ap.odd["POST archives"] = [lost]
    go(0)
    assert ap.groups["SGEAST"]["archiveStates"] == {"0": "ADDED"}
    assert len(ap.changes) == (1 if isinstance(lost, list) else 2)


def test_the_servers_own_refusal_is_said(go, ap):
    ap.odd["POST archives"] = [no("too many storage groups")]
    with pytest.raises(Fault, match="too many storage groups"):
        go(0)


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_database_that_isnt_there(go, ap, state):
    with pytest.raises(NoSuchObject, match=r"no database tset \(did you mean test\?\)"):
        go(0, db_name="tset", state=state)


def test_refusals_of_archives(go, ap):
    ap.archives[2] = archive_row(2, "other", path="/x")
    ap.processes[1] = process_row("1", archiveId=1, state="SYNCING")
    with pytest.raises(Refused) as found:
        go(1, 2, 9)
    for words in (
        "archive 1 has an SM that is MONITORED:SYNCING",
        "archive 2 belongs to database other",
        "no archive 9",
    ):
        assert words in found.value.message
    assert "nuodb_database state=running" in found.value.hint
    assert ap.changes == []


def test_an_archive_without_an_sm(go, ap):
    ap.processes = []
    with pytest.raises(Refused, match="archive 0 has no SM that runs"):
        go(0)


def test_present_needs_archives(go, ap):
    with pytest.raises(ClusterError, match="archive_ids is missing"):
        go()


# -- absent


def test_it_is_taken_off_one_of_two_archives_without_a_word(go, held):
    result = go(1, state="absent")
    assert held.changes == [("POST", REMOVE, body(1))]
    assert result["storage_groups"]["SGEAST"]["archive_states"] == {"0": "ADDED"}
    assert not go(1, state="absent")["changed"]


@pytest.mark.parametrize(
    ("archive_ids", "says"),
    [((0, 1), "no other archive would hold SGEAST"), ((), "no other archive would hold SGEAST")],
)
@pytest.mark.parametrize("confirm", [None, "SGWEST"])
def test_the_last_copy_is_kept_unless_its_name_is_repeated(go, held, archive_ids, says, confirm):
    with pytest.raises(Refused, match=says) as found:
        go(*archive_ids, state="absent", confirm=confirm)
    assert "confirm: SGEAST" in found.value.hint
    assert (confirm is None) == ("confirm is" not in found.value.message)
    assert held.changes == []


@pytest.mark.parametrize("confirm", ["SGEAST", "sgeast"])
def test_the_last_copies_go_when_confirmed(go, held, confirm):
    go(0, 1, state="absent", confirm=confirm)
    assert held.changes == [("POST", REMOVE, body(0)), ("POST", REMOVE, body(1))]
    assert held.groups["SGEAST"]["archiveStates"] == {}


def test_a_whole_group_is_taken_off_its_archives_and_deleted(go, held):
    result = go(state="absent", confirm="SGEAST")
    removals = [("POST", REMOVE, body(0)), ("POST", REMOVE, body(1))]
    assert held.changes == [*removals, ("DELETE", "/api/1/databases/test/storageGroups/SGEAST", None)]
    assert result["storage_groups"] == {}
    assert not go(state="absent")["changed"]


def test_a_group_on_no_archive_needs_the_word_too(go, ap):
    ap.groups["SGEAST"] = group_row("SGEAST")
    with pytest.raises(Refused, match="its data|all of its data"):
        go(state="absent")
    go(state="absent", confirm="SGEAST")
    assert ap.groups == {}


def test_copies_that_dont_run_dont_count(go, held):
    held.processes = held.processes[:1]
    for confirm in (None, "SGEAST"):
        with pytest.raises(Refused, match=r"the other copies of SGEAST \(archive 1\) aren't running") as found:
            go(0, state="absent", confirm=confirm)
        assert "start their SMs first" in found.value.hint
        assert "nothing overrides this" in found.value.hint
    assert held.changes == []


@pytest.mark.parametrize("archive_ids", [(), (0, 1), (1,)])
@pytest.mark.parametrize("check_mode", [True, False])
def test_no_copy_is_taken_off_while_one_that_should_go_has_no_sm(go, held, archive_ids, check_mode):
    """The server refuses that one (NUODB-87) and takes the others: what is left would be what is stale."""
    held.processes = held.processes[:1]
    with pytest.raises(Refused, match="archive 1 has no SM that runs, and only its SM can take SGEAST off it") as found:
        go(*archive_ids, state="absent", confirm="SGEAST", check_mode=check_mode)
    assert "start it first" in found.value.hint
    assert "state=purged" in found.value.hint
    assert held.changes == []
    held.processes = Ap().processes
    assert go(*archive_ids, state="absent", confirm="SGEAST", check_mode=check_mode)["changed"]


def test_a_preview_tells_of_what_follows_what_is_under_way(go, ap):
    ap.groups["SGEAST"] = group_row("SGEAST", a0="ADDED", a1="PENDING_REMOVAL")
    (step,) = go(1, check_mode=True)["steps"]
    assert (step["object"], step["step"]) == ("SGEAST on archive 1", "add storage group")
    ap.groups["SGEAST"] = group_row("SGEAST", a0="ADDED", a1="ADDING")
    assert go(1, check_mode=True)["steps"] == []
    result = go(1, state="absent", check_mode=True)
    assert [step["step"] for step in result["steps"]] == ["remove storage group"]
    with pytest.raises(Refused, match="no other archive would hold SGEAST"):
        go(0, 1, state="absent", check_mode=True)
    held_by_none = {**group_row("SGEAST", a0="PENDING_REMOVAL"), "state": "PENDING_REMOVAL"}
    ap.groups["SGEAST"] = held_by_none
    result = go(state="absent", check_mode=True)
    assert [step["step"] for step in result["steps"]] == ["delete storage group"]
    assert ap.changes == []


def test_a_removal_under_way_is_joined(go, held):
    held.groups["SGEAST"]["state"] = "PENDING_REMOVAL"
    held.groups["SGEAST"]["archiveStates"] = {"1": "ADDED"}
    held.after_call["SGEAST 1"] = ["ADDED", "ADDED", None]
    result = go(1, state="absent")
    assert result["joined"]
    assert not result["changed"]
    assert held.changes == []


def test_check_mode_of_a_removal(go, held):
    result = go(1, state="absent", check_mode=True)
    assert result["storage_groups"]["SGEAST"]["archive_states"] == {"0": "ADDED"}
    result = go(state="absent", confirm="SGEAST", check_mode=True)
    assert [step["step"] for step in result["steps"]] == ["remove storage group"] * 2 + ["delete storage group"]
    assert result["storage_groups"] == {}
    assert held.changes == []


def test_groups_that_every_database_has(go, ap):
    ap.groups["UNPARTITIONED"] = group_row("UNPARTITIONED", a0="ADDED", a1="ADDED")
    with pytest.raises(Refused, match="a storage group of every database"):
        go(state="absent", sg_name="unpartitioned", confirm="UNPARTITIONED")
    go(1, state="absent", sg_name="unpartitioned")
    assert ap.changes[0][2]["sgName"] == "UNPARTITIONED"


def test_an_archive_of_another_database_is_not_meant(go, held):
    held.archives[2] = archive_row(2, "other", path="/x")
    with pytest.raises(Refused, match="archive 2 belongs to database other"):
        go(2, state="absent")


def test_an_archive_that_is_gone_holds_nothing(go, held):
    assert not go(9, state="absent")["changed"]


def test_wait_false_ends_with_the_answer(go, held):
    result = go(1, state="absent", wait=False)
    assert result["changed"]
    assert result["storage_groups"]["SGEAST"]["archive_states"]["1"] == "REMOVING"
