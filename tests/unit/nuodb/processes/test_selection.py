# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Single processes: what each refusal protects, and the proof that one went by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    AnswerLost,
    ClusterError,
    Failed,
    NoSuchObject,
    Refused,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.processes.selection import (
    WantedProcess,
    entries,
    surplus,
)
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import KILLED, died, sm, snapshot, te

UP = [sm("0"), sm("2", 1, "server1"), te("1"), te("3", "server1"), te("4", "server1")]
LOST = AnswerLost("nuo-unit: DELETE processes of 1: no answer; the server may have carried it out")


@pytest.fixture
def up(memory):
    return lambda: memory().run(*UP)


def go(bring, domain, state, *meant, **more):
    return bring("nuodb_process", domain, state=state, processes=list(meant), **more)


def away(domain, *names):
    for name in names:
        domain.servers_now[name] = replace(domain.servers_now[name], connected="Disconnected")
    return domain


TE_ON_1 = {"db_name": "test", "engine_type": "TE", "server_id": "server1"}

# -- which are meant


@pytest.mark.parametrize(
    "meant", [{}, {"engine_type": "TE"}, {"start_id": "1", "archive_id": 0}, {"db_name": "test", "start_id": "1"}]
)
def test_an_entry_names_one_way(bring, up, meant):
    domain = up()
    with pytest.raises(ClusterError, match="each entry needs exactly one of start_id, archive_id, db_name"):
        go(bring, domain, "stopped", meant)
    assert domain.log == []


@pytest.mark.parametrize(
    "meant", [{"db_name": "test"}, {"db_name": "test", "engine_type": "TE"}, {**TE_ON_1, "engine_type": "SM"}]
)
def test_to_run_by_number_is_for_tes_on_a_server(meant):
    with pytest.raises(
        ClusterError, match="db_name needs engine_type TE and a server_id; for an SM, give its archive_id"
    ):
        entries("nuo-unit", [meant], "running")
    entries("nuo-unit", [meant], "stopped")


def test_a_count_is_for_running():
    with pytest.raises(ClusterError, match="count needs state=running"):
        entries("nuo-unit", [{**TE_ON_1, "count": 2}], "stopped")


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        (WantedProcess(start_id="1"), ["1"]),
        (WantedProcess(archive_id=0), ["0"]),
        (WantedProcess(db_name="test"), ["0", "2", "1", "3", "4"]),
        (WantedProcess(db_name="test", engine_type="SM"), ["0", "2"]),
        (WantedProcess(db_name="test", server_id="server1"), ["2", "3", "4"]),
        (WantedProcess(db_name="test", engine_type="TE", server_id="server1"), ["3", "4"]),
        (WantedProcess(db_name="other"), []),
    ],
)
def test_whom_an_entry_means(entry, wanted):
    assert [process.start_id for process in UP if entry.is_for(process)] == wanted


def test_a_snapshot_manager_is_a_storage_manager_too():
    assert WantedProcess(db_name="test", engine_type="SM").is_for(replace(UP[0], engine_type="SSM"))


# -- running


def test_the_sm_of_an_archive_runs(bring, memory):
    domain = memory().run(sm("0"))
    result = go(bring, domain, "running", {"archive_id": 1})
    assert [row[1] for row in domain.log] == ["test:archive1@server1"]
    assert domain.log[0][2]["expectedIncarnation"] == {"major": 1}
    assert list(result["processes"]) == ["1"]
    assert not go(bring, domain, "running", {"archive_id": 1})["changed"]


def test_so_many_tes_run_on_a_server(bring, up):
    domain = up()
    assert not go(bring, domain, "running", {**TE_ON_1, "count": 2})["changed"]
    result = go(bring, domain, "running", {**TE_ON_1, "count": 3}, {**TE_ON_1, "server_id": "server2"})
    assert [row[1] for row in domain.log] == ["test:TE3@server1", "test:TE1@server2"]
    assert sorted(result["processes"]) == ["3", "4", "5", "6"]


def test_too_many_are_left_unless_it_is_to_be_exact(bring, up):
    domain = up()
    assert not go(bring, domain, "running", {**TE_ON_1, "count": 1})["changed"]
    result = go(bring, domain, "running", {**TE_ON_1, "count": 1}, exact=True)
    assert domain.log == [("shutdown", "4")]
    assert sorted(result["processes"]) == ["3"]
    go(bring, domain, "running", {**TE_ON_1, "count": 0}, exact=True)
    assert domain.log[1:] == [("shutdown", "3")]


def test_one_too_many_that_is_going_already_is_awaited(bring, up):
    domain = up()
    go(bring, domain, "stopped", {"start_id": "4"}, wait=False)
    result = go(bring, domain, "running", {**TE_ON_1, "count": 1}, exact=True)
    assert (result["changed"], result["joined"]) == (False, True)
    assert sorted(result["processes"]) == ["3"]
    assert len(domain.log) == 1


def test_the_newest_go_first_and_start_ids_are_numbers():
    tes = [te(start_id) for start_id in ("9", "10", "2", "100")]
    found = surplus(
        snapshot(processes=tes), [WantedProcess(db_name="test", engine_type="TE", server_id="server0", count=2)]
    )
    assert sorted(process.start_id for process in found) == ["10", "100"]


def test_a_part_of_a_database_that_is_down_would_time_out(bring, memory):
    domain = memory()
    for meant, numbers in (({"archive_id": 0}, "1"), ({"archive_id": 1}, "0"), (TE_ON_1, "0 1")):
        with pytest.raises(Refused, match=f"would wait for the SM of archive {numbers} and time out") as caught:
            go(bring, domain, "running", meant)
        assert "allow_partial: true" in caught.value.hint
        assert caught.value.last_state == "NOT_RUNNING"
    assert domain.log == []


def test_a_part_may_be_wanted_all_the_same_and_fails_with_the_tombstone(bring, memory):
    domain = memory()
    with pytest.raises(Failed, match="Timed out while awaiting leader assignment"):
        go(bring, domain, "running", {"archive_id": 0}, allow_partial=True)
    assert len(domain.log) == 1


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_te_of_a_database_without_archives_would_time_out(bring, memory, check_mode):
    domain = memory()
    domain.archives_now = {}
    with pytest.raises(Refused, match="test is NOT_RUNNING and has no archive, so there is no SM that a TE could join"):
        go(bring, domain, "running", TE_ON_1, check_mode=check_mode)
    assert domain.log == []


@pytest.mark.parametrize("archives", [True, False])
def test_a_te_alone_is_requested_where_that_is_wanted(bring, memory, archives):
    """Not held back for an SM that nobody starts: the domain says by itself that it waits for one in vain."""
    domain = memory()
    domain.archives_now = domain.archives_now if archives else {}
    preview = go(bring, domain, "running", TE_ON_1, allow_partial=True, check_mode=True)
    with pytest.raises(Failed, match="Timed out while awaiting entry node") as caught:
        go(bring, domain, "running", TE_ON_1, allow_partial=True)
    steps = [(step["object"], step["step"]) for step in caught.value.result["steps"]]
    assert steps == [(step["object"], step["step"]) for step in preview["steps"]] == [("test:TE1@server1", "start TE")]


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("allow_partial", [True, False])
def test_nothing_is_requested_of_a_database_that_is_being_shut_down(bring, up, check_mode, allow_partial):
    domain = up()
    domain.databases_now["test"] = replace(domain.databases_now["test"], state="REQUESTED_TE_SHUTDOWN")
    with pytest.raises(Refused, match="test is REQUESTED_TE_SHUTDOWN, and a process") as caught:
        go(bring, domain, "running", TE_ON_1, {"archive_id": 0}, allow_partial=allow_partial, check_mode=check_mode)
    assert "nuodb_database state=running" in caught.value.hint
    assert domain.log == []


def test_all_sms_together_need_no_word(bring, memory):
    domain = memory()
    assert go(bring, domain, "running", {"archive_id": 0}, {"archive_id": 1})["changed"]
    assert [row[2]["expectedIncarnation"] for row in domain.log] == [{"major": 2, "minor": 0}] * 2


@pytest.mark.parametrize(
    ("meant", "says"),
    [
        ({"archive_id": 9}, "there is no archive 9; there are: 0 1"),
        ({"start_id": "9"}, "no process with start ID 9 runs, and start IDs are never used twice"),
        ({**TE_ON_1, "db_name": "tset"}, r"there is no database tset \(did you mean test\?\)"),
        ({**TE_ON_1, "server_id": "srver1"}, r"there is no server srver1 \(did you mean server1\?\)"),
    ],
)
def test_what_is_not_there(bring, up, meant, says):
    domain = up()
    with pytest.raises(NoSuchObject, match=says):
        go(bring, domain, "running", meant)
    assert domain.log == []


# -- stopped


def test_processes_go_and_their_tombstones_prove_it(bring, up, time):
    domain = up()
    result = go(bring, domain, "stopped", {"start_id": "1"}, {"archive_id": 0})
    assert domain.log == [("shutdown", "1"), ("shutdown", "0")]
    assert result["changed"]
    assert result["processes"] == {}
    assert [step["object"] for step in result["steps"]] == ["test:TE@server0/1", "test:SM@server0/0"]
    assert time.since < 10
    assert not go(bring, domain, "stopped", {"start_id": "1"}, {"archive_id": 0})["changed"]


def test_one_that_did_not_go_by_itself(bring, up):
    domain = up()
    domain.odd["exit"] = (137, KILLED)
    with pytest.raises(
        Failed, match=r"test:TE@server0/1: it did not shut down gracefully: TE on server0 \(start ID 1\) exited"
    ):
        go(bring, domain, "stopped", {"start_id": "1"})


def test_one_that_had_died_before_is_gone(bring, memory):
    domain = memory().run(sm("0"))
    domain.stones = [died(te("1"), (1, 1))]
    assert not go(bring, domain, "stopped", {"start_id": "1"})["changed"]


def test_one_that_nobody_ever_saw(bring, up):
    with pytest.raises(NoSuchObject, match="there is no process with start ID 77, and none has left a tombstone"):
        go(bring, up(), "stopped", {"start_id": "77"})


def test_a_shutdown_under_way_is_joined(bring, up):
    domain = up()
    domain.shutdown_process("1")
    result = go(bring, domain, "stopped", {"start_id": "1"})
    assert (result["changed"], result["joined"], len(domain.log)) == (False, True, 1)


def test_a_lost_answer_is_read_and_not_sent_again(bring, up):
    domain = up()
    domain.odd["shutdown"] = LOST
    assert go(bring, domain, "stopped", {"start_id": "1"})["changed"]
    assert len(domain.log) == 1


@pytest.mark.parametrize("state", ["stopped", "killed", "evicted"])
@pytest.mark.parametrize(
    "meant", [[{"db_name": "test"}], [{"archive_id": 0}, {"archive_id": 1}], [{"db_name": "test", "engine_type": "SM"}]]
)
def test_a_database_that_runs_keeps_an_sm(bring, up, state, meant):
    domain = up()
    with pytest.raises(Refused, match=f"nothing {state}: test would lose its last SM, become non-durable") as caught:
        go(bring, domain, state, *meant, evict_alive=True)
    assert "allow_non_durable: true" in caught.value.hint
    assert domain.log == []


def test_an_sm_that_only_comes_up_keeps_no_database(bring, memory):
    coming = sm("2", 1, "server1", durable_state="CONFIGURED", engine_state="UNKNOWN")
    domain = memory().run(sm("0"), coming)
    with pytest.raises(Refused, match="would lose its last SM"):
        go(bring, domain, "stopped", {"archive_id": 0})


def test_the_last_sm_may_go_all_the_same(bring, memory):
    domain = memory({"test": ["server0"]}).run(sm("0"))
    assert go(bring, domain, "stopped", {"archive_id": 0}, allow_non_durable=True)["changed"]
    assert domain.log == [("shutdown", "0")]


def test_of_a_database_that_is_not_up_the_last_sm_goes(bring, memory):
    domain = memory().run(sm("0", durable_state="STARTED", engine_state="UNKNOWN"))
    assert go(bring, domain, "stopped", {"archive_id": 0})["changed"]


# -- killed and evicted


def test_a_kill(bring, up):
    domain = up()
    result = go(bring, domain, "killed", {"start_id": "1"})
    assert domain.log == [("kill", "1")]
    assert [step["step"] for step in result["steps"]] == ["kill"]


@pytest.mark.parametrize("silent", ["away", "unheard"])
def test_one_that_is_lost_is_evicted(bring, memory, silent):
    lost = te("1", "server2", last_heard_from=30_000 if silent == "unheard" else 100)
    domain = memory().run(sm("0"), sm("2", 1, "server1"), lost)
    if silent == "away":
        away(domain, "server2")
    assert go(bring, domain, "evicted", {"start_id": "1"})["changed"]
    assert domain.log == [("evict", "1")]


def test_one_that_answers_is_not_evicted(bring, up):
    domain = up()
    with pytest.raises(Refused, match=r"nothing evicted: TE on server0 \(start ID 1\) answers") as caught:
        go(bring, domain, "evicted", {"start_id": "1"})
    assert "evict_alive: true" in caught.value.hint
    assert domain.log == []
    go(bring, domain, "evicted", {"start_id": "1"}, evict_alive=True)
    assert domain.log == [("evict", "1")]


@pytest.mark.parametrize("state", ["stopped", "killed", "evicted"])
def test_nothing_goes_without_a_quorum(bring, up, state):
    domain = away(up(), "server1", "server2")
    with pytest.raises(Refused, match="the APs have no quorum"):
        go(bring, domain, state, {"start_id": "3"})
    assert domain.log == []


# -- check mode


@pytest.mark.parametrize(("state", "step"), [("stopped", "shutdown"), ("killed", "kill"), ("evicted", "evict")])
def test_what_goes_is_predicted(bring, up, state, step):
    domain = up()
    result = go(bring, domain, state, {"start_id": "1"}, check_mode=True, evict_alive=True)
    assert domain.log == []
    assert [(one["object"], one["step"]) for one in result["steps"]] == [("test:TE@server0/1", step)]
    assert sorted(result["predicted"]["processes"]) == ["0", "2", "3", "4"]


def test_what_would_run_is_predicted(bring, up):
    domain = up()
    result = go(bring, domain, "running", {**TE_ON_1, "server_id": "server2"}, check_mode=True)
    assert domain.log == []
    assert [(one["object"], one["step"]) for one in result["steps"]] == [("test:TE1@server2", "start TE")]
    assert len(result["predicted"]["processes"]) == 6


@pytest.mark.parametrize(
    ("gone", "archives", "state", "stay"),
    [
        (["1"], ["RUNNING", "RUNNING"], "RUNNING", ["0", "2", "3", "4"]),
        (["2"], ["RUNNING", "NOT_RUNNING"], "AWAITING_ARCHIVE_HISTORIES_INC", ["0", "1", "3", "4"]),
        (["0", "2"], ["NOT_RUNNING", "NOT_RUNNING"], "NOT_RUNNING", []),
    ],
)
def test_what_becomes_of_archives_and_databases_is_predicted(bring, up, gone, archives, state, stay):
    """Without its last SM a database is down, and its TEs go with it."""
    meant = [{"start_id": start_id} for start_id in gone]
    found = go(bring, up(), "stopped", *meant, check_mode=True, allow_non_durable=True)["predicted"]
    assert [row["state"] for row in found["archives"].values()] == archives
    assert found["databases"]["test"]["state"] == state
    assert sorted(found["processes"]) == stay
